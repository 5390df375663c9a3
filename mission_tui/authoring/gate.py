"""The author's gate: whether a mission is fair, on every track, class and vetted seed.

A mission is fair where the default fails and the reference passes with room to spare, where no
single slider and no guessing will do, where every slider, lock, failure and party is what the
mission says. Parts are tried side by side in several processes; what was found goes into the
mission's proof file, a track each, and is asked again only when its rules or models move.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any, Final

from mission_tui.authoring import luck, proof, words
from mission_tui.authoring.examine import FULL, Effort, examine
from mission_tui.authoring.faults import Fault, Key, Seen, problems
from mission_tui.authoring.probe import Probe
from mission_tui.content.load import MissionFile, Problem
from mission_tui.content.schema import Lock, Mission, Part
from mission_tui.play.proof import NO_CLASS

FIRST_WEIGHS: Final = 8
"""How much longer the first seed of a deck takes than another, for the time that is left."""

ENOUGH: Final = 40
"""Settings that must have been tried before a failure that was not seen is called unreachable."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Task:
    """One part at one seed of its deck, with every class that can be handed to it."""

    track: str
    part: str
    sizes: tuple[str, ...]
    place: int


@dataclass(frozen=True, slots=True)
class Report:
    """What the gate says of a mission: its problems by line, and its tables a track.

    ``tracks`` is what the proof file holds; ``kept`` says that all of it came from there.
    """

    file: MissionFile
    problems: tuple[Problem, ...]
    tracks: Mapping[str, Any]
    kept: bool

    def lines(self) -> Iterator[str]:
        """Pass shares and the bots' wins, a line a part and class."""
        for track, held in self.tracks.items():
            for part_id, part in held["parts"].items():
                runs = self.file.tracks[track].parts[part_id].runs
                for size, found in part["classes"].items():
                    words = [track, part_id, *([] if size == NO_CLASS else [size])]
                    share, most = found["pass_share"], found["pass_upper"]
                    line = f"{' · '.join(words)}: {share:.1%} pass, at most {most:.1%}"
                    if runs:
                        line += f" (luck allows {luck.allowed(runs):.1%})"
                    wins = (f"{bot} {won}/{of}" for bot, (won, of) in found["wins"].items())
                    yield "; ".join([line, *([", ".join(wins)] if found["wins"] else [])])

    def as_json(self) -> dict[str, Any]:
        """For other programs."""
        return {"mission": self.file.id, "fair": not self.problems, "tracks": dict(self.tracks)}


def check(
    file: MissionFile, effort: Effort = FULL, workers: int = 1, say: Say = lambda _: None
) -> Report:
    """Try a mission. ``say`` takes progress, a line each time.

    With full effort what was found is written beside the mission, a track after the other, and
    what is written there for these rules and models is taken as found. Raises OSError where
    the mission can't be read, or what was found can't be written.
    """
    stored = proof.read(file)
    todo = {
        track: list(_tasks(m, effort)) for track, m in file.tracks.items() if track not in stored
    }
    lasting = effort == FULL
    if todo and lasting:
        proof.check_writable(file)  # hours later would be a bad time to learn it
    tasks = [task for each in todo.values() for task in each]
    progress = _Progress(file.id, tasks, say)
    tracks = dict(stored)
    found: dict[Task, list[dict[str, Any]]] = {}
    with _pool(workers if todo else 1) as pool:
        for task, results in _run(file, tasks, effort, pool):
            found[task] = results
            progress.done(task)
            own = todo[task.track]
            if all(each in found for each in own):
                rows = [row for each in own for row in found[each]]
                tracks[task.track] = _table(file.tracks[task.track], rows)
                if lasting:
                    proof.write(
                        file, {track: tracks[track] for track in file.tracks if track in tracks}
                    )
    tracks = {track: tracks[track] for track in file.tracks}
    seen = [*_always(file), *_stored(tracks), *_same_locks(file, tracks)]
    return Report(file, problems(file.path, seen), tracks, not todo)


def _tasks(mission: Mission, effort: Effort) -> Iterator[Task]:
    for part_id, part in mission.ordered:
        sizes = (*(part.carried or (NO_CLASS,)),)[: effort.sizes]
        for place in range(len(part.seeds[: effort.seeds])):
            yield Task(mission.track, part_id, sizes, place)


@contextmanager
def _pool(workers: int) -> Iterator[Executor | None]:
    """Processes to share the work with; None for one worker, which needs no other."""
    if workers <= 1:
        yield None
        return
    # Not forked: whoever imports this may have threads, and a fork would copy their locks.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _run(
    file: MissionFile, tasks: Sequence[Task], effort: Effort, pool: Executor | None
) -> Iterator[tuple[Task, list[dict[str, Any]]]]:
    """Each task with its results, as it is done.

    One process goes track by track, so that what is done can be kept. Several begin with the
    long tasks of all tracks, so that none is alone at the end.
    """
    if pool is None:
        for task in tasks:
            yield task, _examine(file.tracks[task.track], task, effort)
        return
    order = sorted(tasks, key=lambda task: task.place > 0)
    waiting = {pool.submit(_examine, file.tracks[t.track], t, effort): t for t in order}
    for future in as_completed(waiting):
        yield waiting[future], future.result()


def _examine(mission: Mission, task: Task, effort: Effort) -> list[dict[str, Any]]:
    return examine(mission, task.part, task.sizes, task.place, effort)


@dataclass
class _Progress:
    """How much is done, and how long the rest will take at the pace so far."""

    mission: str
    tasks: Sequence[Task]
    say: Say
    began: float = field(default_factory=time.monotonic)
    weight: int = 0
    count: int = 0

    def done(self, task: Task) -> None:
        self.count += 1
        self.weight += _weight(task)
        left = sum(map(_weight, self.tasks)) - self.weight
        seconds = (time.monotonic() - self.began) / self.weight * left
        said = f"{self.mission}: {self.count} of {len(self.tasks)}, about {_span(seconds)} left"
        self.say(f"{said}  ({task.track} {task.part}, seed {task.place + 1} of its deck)")


def _weight(task: Task) -> int:
    return FIRST_WEIGHS if task.place == 0 else 1


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _table(mission: Mission, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a track's results come to, as the proof file holds it."""
    found: list[tuple[Fault, str]] = []
    parts: dict[str, Any] = {}
    for part_id, part in mission.ordered:
        own = [result for result in results if result["part"] == part_id]
        for result in own:
            size = "" if result["size"] == NO_CLASS else f"{result['size']}, "
            at = f"{size}seed {result['seed']}"
            found += [
                (Fault(tuple(fault["key"]), fault["message"], fault["detail"]), at)
                for fault in result["faults"]
            ]
        found += [(f, "") for f in (*_luck(part_id, part, own), *_named(part_id, part, own))]
        sizes = dict.fromkeys(result["size"] for result in own)
        locks: dict[str, list[Any]] = {}
        for result in own:
            for name, answer in result["answers"].items():
                if answer not in locks.setdefault(name, []):
                    locks[name].append(answer)
        parts[part_id] = {
            "locks": locks,
            "classes": {
                size: _class([result for result in own if result["size"] == size]) for size in sizes
            },
        }
    return {**proof.stamp(mission), "faults": _grouped(found), "parts": parts}


def _grouped(found: Sequence[tuple[Fault, str]]) -> list[dict[str, Any]]:
    """Each fault once, with every place where it was seen and the figures of the first."""
    groups: dict[tuple[Key, str], dict[str, Any]] = {}
    for fault, at in found:
        new = {"key": list(fault.key), "message": fault.message, "detail": fault.detail, "at": []}
        groups.setdefault((fault.key, fault.message), new)["at"].append(at)
    return list(groups.values())


def _class(own: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    share, upper = _share(own)
    top = max(own, key=lambda result: (result["first"], result["exact"]))
    bots = dict.fromkeys(bot for result in own for bot in result["wins"])
    return {
        "pass_share": share,
        "pass_upper": upper,
        "optimum": {"setting": top["setting"], "value": top["best"]},
        "seeds": {
            str(result["seed"]): {
                name: result[name]
                for name in ("best", "default", "setting", "exact", "tried", "passing")
            }
            for result in own
        },
        "regret": {
            bot: [round(result["regret"][bot], 4) for result in own if bot in result["regret"]]
            for bot in bots
        },
        "wins": {
            bot: [sum(won), len(won)]
            for bot in bots
            if (won := [result["wins"][bot] for result in own if bot in result["wins"]])
        },
    }


def _share(own: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """The share that passes, and its upper bound: exact where the grid was tried, else pooled.

    A stretch of the grid that was tried on one seed says nothing about the others, so those
    are pooled with it as draws are.
    """
    tried, passing = (sum(result[name] for result in own) for name in ("tried", "passing"))
    if all(result["exact"] for result in own):
        return passing / tried, passing / tried
    drawn = [result for result in own if not result["exact"]]
    some, good = (sum(result[name] for result in drawn) for name in ("tried", "passing"))
    whole = [result["passing"] / result["tried"] for result in own if result["exact"]]
    return passing / tried, max([luck.at_most(good, some), *whole])


def _luck(part_id: str, part: Part, own: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    """Whether guessing passes a budgeted part too often.

    Where the grid was tried the share is exact; a draw must show with its upper bound that it
    is small. At a table the runs are not all: there the random bot's plays decide.
    """
    if part.kind != "budgeted" or not part.runs or not own:
        return
    key = ("parts", part_id, "runs")
    most = luck.allowed(part.runs)
    if not part.stakeholders:
        for size in dict.fromkeys(result["size"] for result in own):
            mine = [result for result in own if result["size"] == size]
            lucky = [r["passing"] / r["tried"] for r in mine if r["exact"]]
            if lucky and max(lucky) > most:
                said = f"guessing passes: at most {most:.1%} may with {part.runs} runs"
                yield Fault(key, said, f"{max(lucky):.1%} of the grid pass")
                continue
            drawn = [result for result in mine if not result["exact"]]
            tried, passing = (sum(r[name] for r in drawn) for name in ("tried", "passing"))
            if not tried:
                continue
            found = luck.at_most(passing, tried)
            enough = not lucky and luck.at_most(0, tried) <= most  # to clear anything at all
            sure = found if enough else luck.at_least(passing, tried)
            if sure > most:
                said = f"guessing passes: at most {most:.1%} may with {part.runs} runs"
                yield Fault(key, said, f"{passing} of {tried} drawn pass, so up to {found:.1%}")
    for bot in ("random", "sweep"):
        won, plays = sum(r["wins"][bot] for r in own), len(own)
        if luck.at_least(won, plays) > luck.GUESSED:
            said = f"the {bot} bot wins; at most {luck.GUESSED:.0%} of its plays may"
            yield Fault(key, said, f"{won} of {plays}")


def _named(part_id: str, part: Part, own: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    """Failures and alarms that nobody can meet, or that nobody can get out of."""
    if sum(result["tried"] for result in own) < ENOUGH:
        return  # that it was not seen among so few says nothing
    broken = {name for result in own for name in result["broken"]}
    seen = {name for result in own for name in result["named"]}
    quiet = {name for result in own for name in result["quiet"]}
    names = [*(f"specs.{name}" for name in part.specs), *(f"alarms.{name}" for name in part.alarms)]
    for name in names:
        kind, _, own_name = name.partition(".")
        key = ("parts", part_id, kind, own_name)
        if name not in seen and name in broken:
            said = "is never read: wherever it is so, another failure is shown before it"
            yield Fault(key, said)
        elif name not in seen:
            yield Fault(
                key, "nothing that was tried fails like this; move the limit or take it out"
            )
        if name not in quiet:
            yield Fault(key, "every setting that was tried breaks it; leave a way out")


def _always(file: MissionFile) -> Iterator[Seen]:
    """What the texts say: it is asked each time, since no hash of rules covers it."""
    for track, mission in file.tracks.items():
        yield from (Seen(fault, track) for fault in words.labels(mission))
        for part_id, part in mission.ordered:
            size = next(iter(part.carried), NO_CLASS)
            probe = Probe(mission, part_id, size, part.seeds[0])
            yield from (Seen(fault, track) for fault in words.sentences(probe))


def _stored(tracks: Mapping[str, Any]) -> Iterator[Seen]:
    for track, held in tracks.items():
        for fault in held["faults"]:
            found = Fault(tuple(fault["key"]), fault["message"], fault["detail"])
            yield from (Seen(found, track, at) for at in fault["at"])


def _same_locks(file: MissionFile, tracks: Mapping[str, Any]) -> Iterator[Seen]:
    """Locks that one answer opens on every track: whoever played one has played them all."""
    if len(tracks) < 2:
        return
    first = next(iter(file.tracks.values()))
    for part_id, part in first.ordered:
        for name in part.locks:
            answers: list[list[Any]] = []
            for track, mission in file.tracks.items():
                held = tracks[track]["parts"].get(part_id, {"locks": {}})["locks"]
                if name in held and name in mission.parts[part_id].locks:
                    answers.append([value for value, _ in held[name]])
            if len(answers) == len(tracks) and _one_opens_all(part.locks[name], answers):
                said = "one answer is right on every track; let the tracks differ"
                fault = Fault(("parts", part_id, "locks", name), said, _shown(answers[0][0]))
                yield from (Seen(fault, track) for track in tracks)


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _one_opens_all(lock: Lock, answers: Sequence[Sequence[Any]]) -> bool:
    flat = [value for values in answers for value in values]
    if any(isinstance(value, str) for value in flat):
        return len({str(value) for value in flat}) == 1
    low, high = min(flat), max(flat)
    if lock.within is not None:
        return bool(high - low <= lock.within)
    return bool(low > 0 and high / low <= lock.factor)
