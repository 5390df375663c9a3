"""Grade a folder: one row a file, whatever the files are; in parallel, and resumable.

The work goes to any :class:`concurrent.futures.Executor`: processes by default, a cluster's where
there is one. What rows are worth is settled here: points by criterion, the graders' overrides
upon them, and what awaits a person. Nothing punishes by itself: a row that something fails in
keeps its points, and is held back from gradebooks until somebody has looked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Final, cast

from mission_tui.grading.overrides import CRITERIA, TOTAL, Gathered, Given
from mission_tui.grading.row import (
    Job,
    Row,
    at_fault,
    of_bytes,
    of_file,
    packed,
    unpacked,
    unread,
)
from mission_tui.ledger import batch, collector
from mission_tui.ledger.batch import Done
from mission_tui.ledger.collector import Collected
from mission_tui.ledger.roster import Roster

TOGETHER: Final = 8
"""Files that are handed to a process at once where none of them takes long."""

AHEAD: Final = 64
"""Tasks that are handed over at once, so that a folder is not read as a whole."""
AHEAD_BYTES: Final = 40_000_000

Told = Callable[[int, int | None], None]
Task = tuple[int, bytes, str]
"""A file's place in the list, its content and its name."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of one play: what stands, what the rubric gave, of how many, by which events.

    ``why`` is the rubric's reasons, a part each.
    """

    points: float
    by_rubric: float
    of: float
    seqs: tuple[int, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Change:
    """An override as it was applied: both values, and who, when and why."""

    criterion: str
    before: float
    after: float
    given: Given

    @property
    def says(self) -> str:
        """The change in one line."""
        who, override = self.given, self.given.override
        signed = "" if who.signed else ", not signed"
        return (
            f"{self.criterion}: {self.before:g} → {self.after:g} "
            f"by {override.by}, {override.at:%Y-%m-%d}{signed}: {override.reason}"
        )


@dataclass(frozen=True, slots=True)
class Graded:
    """A row with what it is worth. ``held`` says why it awaits a person; empty where it counts.

    ``flags`` are facts to know; none of them is a fault by itself.
    """

    row: Row
    criteria: Mapping[str, Criterion]
    total: float | None
    by_rubric: float | None
    of: float | None
    changes: tuple[Change, ...]
    flags: tuple[str, ...]
    held: tuple[str, ...]
    name: str = ""

    @property
    def share(self) -> float | None:
        """What was earned as a share of what could be."""
        return None if self.total is None or not self.of else self.total / self.of


def collect(where: Path, but: Sequence[Path] = ()) -> Iterator[tuple[Collected, str]]:
    """Every file of a folder and below it, one at a time, with its name there; or the one file.

    What counts, and how it is read, is :mod:`mission_tui.ledger.collector`'s. ``but`` names files
    that the desk itself reads or writes. Raises CannotOpenError where the folder is none.
    """
    if not where.is_dir():
        return iter([(collector.read(where), where.name)])
    folder = where.resolve()  # a link that the grader names may be followed; those below may not
    found = collector.collect(folder, but)
    return ((file, str(file.path.relative_to(folder))) for file in found)


@contextmanager
def pool(workers: int) -> Iterator[Executor | None]:
    """Processes to share the work with; None for one worker, which needs no other."""
    if workers <= 1:
        yield None
        return
    # Not forked: whoever imports this may have threads, and a fork would copy their locks.
    found = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield found
    finally:
        found.shutdown(wait=True, cancel_futures=True)


@contextmanager
def dask(address: str) -> Iterator[Executor]:
    """A Dask cluster as an executor; its workers need this program and the same missions.

    Raises ImportError where ``distributed`` is not installed, OSError where nobody answers.
    """
    from distributed import Client  # type: ignore[import-not-found,unused-ignore]  # an optional extra: mission-tui[dask]

    with Client(address, timeout="10s", set_as_default=False) as client:
        yield cast(Executor, client.get_executor(pure=False))


def stamp(job: Job) -> str:
    """What rows hang on besides their files: kept ones of another stamp are graded anew."""
    return batch.stamp(
        job.desk, "grade", job.rubric.model_dump_json(by_alias=True), str(job.replay)
    )


def rows(
    files: Iterable[tuple[Collected, str]],
    job: Job,
    executor: Executor | None = None,
    done: Done | None = None,
    told: Told | None = None,
) -> tuple[Row, ...]:
    """The row of each file, in the files' order. Every file has one, whatever happens to it.

    Contents travel to the executor, so its workers need not see the files. Kept in ``done`` is
    every row that the next time would come out the same. Raises OSError where it can't be.
    """
    found: dict[int, Row] = {}

    def keep(n: int, row: Row) -> None:
        found[n] = row
        if done is not None and row.sha256 and not row.given_up:
            done.add(row.sha256, packed(row))
        if told is not None:
            told(len(found), None)

    waiting = _Waiting(executor, job)
    for n, (file, name) in enumerate(files):
        known = None
        if done is not None and file.problem is None:
            kept = done.row(batch.digest(file.content))
            known = unpacked(kept) if kept is not None else None
        if known is not None:
            found[n] = replace(known, file=name)
        elif file.problem is not None or executor is None:
            keep(n, of_file(file, name, job))
        else:
            for place, row in waiting.add((n, file.content, name)):
                keep(place, row)
    for place, row in waiting.rest():
        keep(place, row)
    return tuple(found[n] for n in range(len(found)))


def _of_several(tasks: Sequence[Task], job: Job) -> list[tuple[int, Row]]:
    return [(n, of_bytes(content, name, job)) for n, content, name in tasks]


class _Waiting:
    """Files that an executor has, and those that a process took along when it died.

    A dead process takes every waiting task of its pool along, so those are done again one by one,
    each in a process of its own: whoever breaks that one is the culprit, and its row says so.
    """

    def __init__(self, executor: Executor | None, job: Job) -> None:
        self._executor, self._job = executor, job
        self._next: list[Task] = []
        self._alone: list[Task] = []
        self._futures: dict[Future[list[tuple[int, Row]]], tuple[Task, ...]] = {}

    def add(self, task: Task) -> Iterator[tuple[int, Row]]:
        """Hand a file over, together with others where none takes long; gives rows as they come."""
        self._next.append(task)
        if len(self._next) >= (1 if self._job.replay else TOGETHER):
            self._submit()
        while len(self._futures) > AHEAD or self._bytes() > AHEAD_BYTES:
            yield from self._first()

    def rest(self) -> Iterator[tuple[int, Row]]:
        """All that is under way, as it comes."""
        self._submit()
        while self._futures:
            yield from self._first()
        for n, content, name in self._alone:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as own:
                try:
                    yield n, own.submit(of_bytes, content, name, self._job).result()
                except BrokenExecutor:
                    yield n, unread(name, "reading it ended the process")

    def _submit(self) -> None:
        tasks, self._next = tuple(self._next), []
        if not tasks or self._executor is None:
            return
        try:
            self._futures[self._executor.submit(_of_several, tasks, self._job)] = tasks
        except (BrokenExecutor, RuntimeError):
            self._alone += tasks

    def _first(self) -> Iterator[tuple[int, Row]]:
        for future in wait(self._futures, return_when=FIRST_COMPLETED).done:
            tasks = self._futures.pop(future)
            try:
                yield from future.result()
            except BrokenExecutor:
                self._alone += tasks
            except Exception as error:  # a cluster's own faults come through here too
                for n, _, name in tasks:
                    yield n, at_fault(name, error)

    def _bytes(self) -> int:
        return sum(len(content) for some in self._futures.values() for _, content, _ in some)


def graded(found: Sequence[Row], given: Gathered, roster: Roster | None) -> tuple[Graded, ...]:
    """What each row is worth, and what is to be known about it, the others beside it."""
    attempts = Counter((row.student, row.mission, row.track) for row in found if row.play_id)
    plays: dict[str, list[str]] = defaultdict(list)
    for row in found:
        if row.play_id:
            plays[row.play_id].append(row.file)
    results = []
    for row in found:
        flags = list(_flags(row))
        if row.play_id and attempts[row.student, row.mission, row.track] > 1:
            flags.append("several attempts")
        if len(plays.get(row.play_id, ())) > 1:
            flags.append("the same play twice")
        held = list(_held(row))
        known = roster.student(row.student) if roster is not None else None
        if roster is not None and row.student and known is None:
            held.append("not in the roster")
        name = known.name if known is not None else ""
        results.append(_graded(row, given.of_play(row.play_id), flags, held, name))
    return tuple(results)


def _flags(row: Row) -> Iterator[str]:
    yield from row.notes
    if row.unfinished:
        yield "unfinished"
    if row.attempt > 1:
        yield f"attempt {row.attempt}"


def _held(row: Row) -> Iterator[str]:
    """Why a row awaits a person before a gradebook takes it."""
    for name, verdict in row.verdicts.items():
        if verdict.state in {"fails", "not replayable here"}:
            yield f"{name} {verdict.state}"
    if row.bot:
        yield "played by a program"
    if row.seed == "chosen":
        yield "chosen seed"
    if not row.scored and not row.fails:
        yield "no points"


def _graded(
    row: Row, given: Sequence[Given], flags: list[str], held: list[str], name: str
) -> Graded:
    criteria = _criteria(row)
    by_rubric = sum(each.points for each in criteria.values()) if criteria else None
    of = sum(each.of for each in criteria.values()) if criteria else None
    changes: list[Change] = []
    standing = dict(criteria)
    total: float | None = None
    for each in given:
        override = each.override
        if override.criterion in standing:
            now = standing[override.criterion]
            changes.append(Change(override.criterion, now.points, override.points, each))
            standing[override.criterion] = Criterion(
                override.points, now.by_rubric, now.of, now.seqs, now.why
            )
        elif override.criterion == TOTAL:
            before = total if total is not None else sum(c.points for c in standing.values())
            changes.append(Change(TOTAL, before, override.points, each))
            total = override.points
        else:
            flags.append(f"an override of {override.criterion[:40]!r} is not applied")
    if total is None and standing:
        total = sum(each.points for each in standing.values())
    if held and any(change.criterion == TOTAL for change in changes):
        flags += [f"looked at: {reason}" for reason in held]
        held = []
    return Graded(
        row, standing, total, by_rubric, of, tuple(changes), tuple(flags), tuple(held), name
    )


def _criteria(row: Row) -> dict[str, Criterion]:
    found = {}
    for name in CRITERIA:
        own = [each for each in row.points if each.criterion == name]
        if own:
            points = sum(each.points for each in own)
            seqs = sorted({seq for each in own for seq in each.seqs})
            why = "; ".join(f"{each.part}: {each.why}" for each in own)
            found[name] = Criterion(points, points, sum(e.of for e in own), tuple(seqs), why)
    return found


def best(found: Iterable[Graded]) -> dict[str, Graded]:
    """For each student the row that counts: of those that are not held back the best share.

    Of equal ones the first stands.
    """
    chosen: dict[str, Graded] = {}
    for each in found:
        if each.held or each.share is None or not each.row.student:
            continue
        before = chosen.get(each.row.student)
        if before is None or (before.share or 0.0) < each.share:
            chosen[each.row.student] = each
    return chosen
