"""One file, one row: all that the desk keeps of a ledger, whatever the file is.

A row is small and plain, so that a whole class fits in memory, goes through a pool of processes
and into a file. Texts in it are as the ledger has them, cut to a length: whoever shows one cleans
it. :func:`of_file` never raises: a file that is no ledger has a row that says so.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mission_tui.content.load import mission_hash
from mission_tui.content.schema import Mission
from mission_tui.grading import clicker, tokens
from mission_tui.grading.features import features
from mission_tui.ledger import batch, judge
from mission_tui.ledger.collector import Collected
from mission_tui.ledger.desk import Desk
from mission_tui.ledger.verdict import NAMES, Verdict
from mission_tui.play import proof, score, wording, worth
from mission_tui.play.events import Event
from mission_tui.play.proof import Record
from mission_tui.play.regret import objective, regret
from mission_tui.play.session import IllegalPlay, Session

if TYPE_CHECKING:
    from pydantic import TypeAdapter

LONGEST: Final = 200
"""Characters that a row keeps of a text of the ledger."""
MOST: Final = 300
"""Runs of a part, and events of a point, that a row keeps."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every file is graded by. It travels to other processes, so it is plain data.

    ``patience`` is how many seconds a replay may take before it is given up; ``desk`` is what the
    instructor knows besides the ledgers.
    """

    rubric: score.Rubric
    replay: bool = True
    patience: float = 600.0
    desk: Desk | None = None


@dataclass(frozen=True, slots=True)
class Points:
    """Points of one criterion in one part, and the events (``seq``) that earned them."""

    criterion: str
    part: str
    points: float
    of: float
    why: str
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Prediction:
    """One lock that was sealed and revealed: in the lock's unit, and as the play showed it."""

    part: str
    lock: str
    said: float | str
    low: float | None
    high: float | None
    sure: bool | None
    truth: float | str
    right: bool
    why_right: bool
    in_band: bool | None
    said_shown: str
    band_shown: str
    truth_shown: str


@dataclass(frozen=True, slots=True)
class Played:
    """What was done in one part: for the class view, and to hold plays against one another.

    ``regrets`` has a value for each run that came to its end, where a solver record is.
    ``runs`` and ``claims`` are digests of settings and of what was claimed.
    """

    part: str
    minutes: float | None
    passed: bool | None
    regrets: tuple[float, ...]
    runs: tuple[str, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """What one file is and what it earned. Empty texts where the file does not say.

    ``problem`` says why there are no points, or why they end where they do. ``stopped`` is the
    screen and part where the record ends. ``given_up``: its replay took too long this time.
    """

    file: str
    sha256: str
    verdicts: Mapping[str, Verdict]
    opened: bool = True
    notes: tuple[str, ...] = ()
    unfinished: bool = False
    events: int = 0
    student: str = ""
    mission: str = ""
    track: str = ""
    attempt: int = 0
    play_id: str = ""
    driver: str = ""
    seed: str = ""
    rubric: str = ""
    rank: str = ""
    problem: str = ""
    points: tuple[Points, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    parts: tuple[Played, ...] = ()
    stopped: tuple[str, str] = ("", "")
    clicker: float | None = None
    signs: str = ""
    given_up: bool = False

    @property
    def fails(self) -> bool:
        """Whether any verdict fails."""
        return any(verdict.state == "fails" for verdict in self.verdicts.values())

    @property
    def bot(self) -> bool:
        """Whether a program played."""
        return self.driver.startswith("bot:")

    @property
    def scored(self) -> bool:
        """Whether there are points."""
        return bool(self.points)


class _TooLong(Exception):
    """A replay took longer than there was patience for."""


def of_file(file: Collected, name: str, job: Job) -> Row:
    """The row of a file that was collected and is called ``name``. Never raises."""
    if file.problem is not None:  # the file has its own column: the reason alone
        about = file.problem.removeprefix(f"{file.path} ")
        reason = file.problem if about == file.problem else f"it {about}"
        return unread(name, reason, opened=False)
    return of_bytes(file.content, name, job)


def of_bytes(content: bytes, name: str, job: Job) -> Row:
    """Like :func:`of_content`, but that it never raises: one row a file, also where this program
    is at fault.
    """
    try:
        return of_content(content, name, job)
    except Exception as error:
        return at_fault(name, error)


def unread(name: str, reason: str, *, opened: bool = True) -> Row:
    """The row of a file that can't be opened, or that ended whoever read it."""
    verdicts = dict.fromkeys(NAMES, Verdict("not applicable", "the ledger can't be read"))
    return Row(
        name, "", {**verdicts, "parse": Verdict("fails", reason)}, opened=opened, problem=reason
    )


def at_fault(name: str, error: BaseException) -> Row:
    """The row of a file at which this program stumbled: for a person to look at."""
    return unread(name, f"grading it went wrong ({type(error).__name__}: {error})"[:LONGEST])


def packed(row: Row) -> dict[str, Any]:
    """A row as JSON values."""
    found: dict[str, Any] = _adapter().dump_python(row, mode="json")
    return found


def unpacked(kept: Mapping[str, Any]) -> Row | None:
    """The row of :func:`packed`'s values; None for what is none."""
    from pydantic import ValidationError

    try:
        return _adapter().validate_json(json.dumps(kept), strict=True)
    except ValidationError:
        return None


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Row]:
    from pydantic import TypeAdapter

    return TypeAdapter(Row)


def of_content(content: bytes, name: str, job: Job) -> Row:
    """The row of a file's content."""
    report, given_up = _judged(content, name, job)
    events = report.events
    if not events:
        reason = report.verdicts["parse"].reason
        return Row(name, batch.digest(content), dict(report.verdicts), problem=reason)
    head = events[0].data
    attempt = head.get("attempt")
    view = features(events)
    found: dict[str, Any] = {
        "notes": tuple(note[:LONGEST] for note in report.notes),
        "unfinished": report.unfinished,
        "events": len(events),
        "student": _text(head.get("student")),
        "mission": _text(head.get("mission")),
        "track": _text(head.get("track")),
        "attempt": attempt if type(attempt) is int else 0,
        "play_id": _text(head.get("play_id")),
        "driver": _text(head.get("driver")),
        "seed": _text(head.get("seed")),
        "stopped": _stopped(events),
        "clicker": clicker.score(view),
        "signs": clicker.says(view),
        "given_up": given_up,
        "parts": _untold(events, view.minutes),
    }
    try:
        found |= _scored(events, job, view.minutes)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        found["problem"] = f"its points can't be told: {error}"[:LONGEST]
    return Row(name, batch.digest(content), dict(report.verdicts), **found)


def _judged(content: bytes, name: str, job: Job) -> tuple[judge.Report, bool]:
    """All verdicts, and whether the replay was given up because patience ended."""
    until = time.monotonic() + job.patience

    def told(_done: int, _of: int) -> None:
        if time.monotonic() > until:
            raise _TooLong

    try:
        return judge.judge_content(Path(name), content, told, job.desk, replayed=job.replay), False
    except _TooLong:
        report = judge.judge_content(Path(name), content, None, job.desk, replayed=False)
        late = Verdict("not replayable here", f"its replay takes longer than {job.patience:g} s")
        return replace(report, verdicts={**report.verdicts, "replay": late}), True


@dataclass(frozen=True, slots=True)
class _Installed:
    """A mission with the hash of its rules and its solver record: read once, not once a file."""

    mission: Mission
    rules: str
    record: Record | None


@lru_cache(maxsize=256)  # a ledger may name any mission
def _installed(mission: str, track: str) -> _Installed | None:
    found = judge.find(mission, track)
    if found is None:
        return None
    return _Installed(found, mission_hash(found).rules, proof.load_record(found))


def _scored(events: Sequence[Event], job: Job, minutes: Mapping[str, float]) -> dict[str, Any]:
    """Points, predictions and parts, as the installed mission tells them."""
    head = events[0].data
    here = _installed(str(head.get("mission")), str(head.get("track")))
    if here is None:
        return {"problem": "its mission is not installed, so it has no points"}
    hashes = head.get("mission_hash")
    if not isinstance(hashes, Mapping) or hashes.get("rules") != here.rules:
        return {"problem": "its mission had other rules, so it has no points"}
    session, problem = _played(here.mission, events)
    record = here.record
    found = score.score(session, job.rubric, record)
    points = tuple(
        Points(each.criterion, each.part, each.points, each.of, each.why, _seqs(each, events))
        for each in found.earned
    )
    return {
        "rubric": found.rubric,
        "rank": found.rank,
        "problem": problem,
        "points": points,
        "predictions": tuple(_predictions(session)),
        "parts": tuple(_part(session, name, events, minutes, record) for name in session.parts),
    }


def _played(mission: Mission, events: Sequence[Event]) -> tuple[Session, str]:
    """The session that the record comes to; where the rules forbid an event, the one before it."""
    session = Session.begin(mission, events[0].data)
    for event in events[1:]:
        try:
            session = session.checked(event)
        except IllegalPlay as error:
            return session, f"points count up to what the rules forbid: {error}"[:LONGEST]
    return session, ""


def _seqs(earned: score.Earned, events: Sequence[Event]) -> tuple[int, ...]:
    found = {seq for source in earned.sources for seq in score.seqs(source, events)}
    return tuple(sorted(found))[:MOST]


def _predictions(session: Session) -> list[Prediction]:
    found = []
    for name, _ in session.mission.ordered:
        part, state = session.part_of(name), session.parts[name]
        for lock_id, judged in session.judgements(name).items():
            lock, sealed, truth = part.locks[lock_id], state.sealed[lock_id], state.truths[lock_id]
            told = wording.lock_figures(part, lock, sealed, truth)
            band = "" if sealed.low is None else f"{told['low']} to {told['high']}"
            found.append(
                Prediction(
                    name,
                    lock_id,
                    _plain(sealed.value),
                    sealed.low,
                    sealed.high,
                    sealed.sure,
                    _plain(truth.value),
                    judged.value_right,
                    judged.mechanism_right,
                    judged.in_band,
                    told["value"],
                    band,
                    told["truth"],
                )
            )
    return found


def _part(
    session: Session,
    name: str,
    events: Sequence[Event],
    minutes: Mapping[str, float],
    record: Record | None,
) -> Played:
    part, solved = session.mission.parts[name], worth.solved(session, name, record)
    regrets = []
    for run in session.parts[name].runs[:MOST]:
        if solved is not None and run.ended and run.outcome is not None:
            reached = objective(session.mission, part, run.outcome.metrics)
            left = regret(solved.best, reached, solved.default)
            regrets.append(left if isfinite(left) else 1e9)
    return Played(
        name,
        minutes.get(name),
        session.passed(name),
        tuple(regrets),
        tokens.runs(events, name)[:MOST],
        tokens.claims(events, name)[:MOST],
    )


def _untold(events: Sequence[Event], minutes: Mapping[str, float]) -> tuple[Played, ...]:
    """The parts of a play whose mission is not here."""
    names = dict.fromkeys(e.part for e in events if e.part is not None and e.kind == "run")
    return tuple(
        Played(
            _text(name),
            minutes.get(name),
            None,
            (),
            tokens.runs(events, name)[:MOST],
            tokens.claims(events, name)[:MOST],
        )
        for name in list(names)[:9]
    )


def _stopped(events: Sequence[Event]) -> tuple[str, str]:
    """The screen and the part where a record ends; nothing where it is closed."""
    if events[-1].kind == "close":
        return "", ""
    for event in reversed(events):
        if event.kind == "enter":
            return _text(event.data.get("screen")), _text(event.part)
    return "briefing", ""


def _plain(value: object) -> float | str:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value):
        return float(value)
    return _text(value)


def _text(value: object) -> str:
    """A text of the ledger, as it is but for its length; nothing for what is no text."""
    return value[:LONGEST] if isinstance(value, str) else ""
