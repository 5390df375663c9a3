"""One part at one seed: everything of the gate that can be said there.

What it finds is plain JSON, so that it can come from another process and go into a file.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from engine.contract import SettingError, Value
from mission_tui.authoring import draws, parley
from mission_tui.authoring.faults import Fault, Key
from mission_tui.authoring.probe import Probe, family
from mission_tui.content import space
from mission_tui.content.schema import Lock, Mission
from mission_tui.play import bots, locks, talks
from mission_tui.play.evaluate import Request, explain
from mission_tui.play.queries import NoAnswer
from mission_tui.play.regret import regret
from mission_tui.play.specs import failure, readings
from mission_tui.play.wording import setting as in_words

ALIKE: Final = 1e-9
"""Relative difference under which two numbers are one: rounding moves nothing."""
STEPS: Final = 2
"""Grid steps that each ordered slider of the reference may be off, alone."""
STARTS: Final = 4
"""Settings from which a slider is turned, beside the default and the reference."""
GUESSERS: Final = ("random", "sweep")
SEARCHERS: Final = ("climber", "descent")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is tried: on the first seed of a deck, and on the others.

    ``full_seconds`` is what a whole grid may cost on the first seed; a larger one is drawn from.
    ``line`` is places along a slider, ``polish`` settings near the best of the first seed. On the
    first ``played`` seeds every bot plays to the end; on the others those that search rest, and
    of one that only draws it is asked whether it would pass. ``seeds`` and ``sizes`` are how
    many of a deck and of the carried classes are tried (None: all).
    """

    full_seconds: float = 600.0
    first: int = 200
    others: int = 24
    line_first: int = 16
    line_others: int = 4
    polish: int = 40
    played: int = 4
    seeds: int | None = None
    sizes: int | None = None


FULL: Final = Effort()
QUICK: Final = Effort(
    full_seconds=3.0, first=16, line_first=6, line_others=4, polish=0, seeds=1, sizes=1
)


def examine(
    mission: Mission, part_id: str, sizes: Sequence[str], place: int, effort: Effort
) -> list[dict[str, Any]]:
    """Try one part at the seed that stands at ``place`` in its deck; a result for each class.

    The first seed of a deck is the thorough one, and so is the first class.
    """
    probes = family(mission, part_id, sizes, mission.parts[part_id].seeds[place])
    leading = _examine(probes[0], place, None, effort)
    return [leading, *(_examine(each, place, leading["exact"], effort) for each in probes[1:])]


def _examine(probe: Probe, place: int, whole: bool | None, effort: Effort) -> dict[str, Any]:
    """One class. ``whole`` says whether the leading one tried the grid; None for that one."""
    first, leads = place == 0, whole is None
    line = effort.line_first if first else effort.line_others
    faults = [*_default(probe), *_reference(probe), *_singles(probe, line)]
    wins, reached, drawn = _bots(probe, place < effort.played, faults)
    if first or not probe.part.stakeholders:
        tried, passing, exact = _spread(probe, effort, first, whole)
    else:  # accounts alone exclude no deal, and the random bot has drawn as evenly
        tried, passing, exact = len(drawn), sum(map(probe.passes, drawn)), False
    if first and leads:
        faults += _dead(probe, line)
    answers: dict[str, Any] = {}
    if first or leads:
        faults += _locks(probe, answers)
    if probe.part.stakeholders:
        if first:
            faults += _keyed(probe, parley.bounds(probe))
        faults += _keyed(probe, parley.scenario(probe, len(probe.tried)))
        faults += _keyed(probe, parley.each_alone(probe)) if first else []
    if first and not exact:
        _polish(probe, effort.polish)
    setting, best = probe.best
    default = probe.objective(probe.part.default)
    if first and (exact or effort.polish):
        faults += _edge(probe)
    named, broken, quiet = _named(probe)
    return {
        "track": probe.mission.track,
        "part": probe.part_id,
        "size": probe.size,
        "seed": probe.seed,
        "first": first,
        "faults": [asdict(fault) for fault in faults],
        "tried": tried,
        "passing": passing,
        "exact": exact,
        "default": default,
        "best": best,
        "setting": setting,
        "answers": answers,
        "wins": wins,
        "regret": {bot: regret(best, value, default) for bot, value in reached.items()},
        "named": named,
        "broken": broken,
        "quiet": quiet,
    }


def _keyed(probe: Probe, faults: Iterator[Fault]) -> list[Fault]:
    """Faults of a part with the part's own path before theirs."""
    at = ("parts", probe.part_id)
    return [Fault((*at, *fault.key), fault.message, fault.detail) for fault in faults]


def _default(probe: Probe) -> Iterator[Fault]:
    if probe.passes(probe.part.default):
        said = "passes: the workbench must open on a crisis, so give it a setting that fails"
        yield Fault(("parts", probe.part_id, "default"), said)


def _reference(probe: Probe) -> Iterator[Fault]:
    """The reference passes, also with each ordered slider two steps off.

    At a table it passes where a deal can be made with it and the bounds' corners. A slider of a
    corner is what is argued about there, and must not stay put.
    """
    part, key = probe.part, _reference_key(probe)
    if part.stakeholders:
        yield from _dealt(probe, key)
        return
    broken = probe.broken(part.reference)
    if broken:
        yield Fault(key, "fails; it must pass", _said(probe, broken[0].id, part.reference))
        return
    for alarm in part.alarms.values():
        if failure(probe.mission, part, probe.metrics(part.reference)) is alarm:
            yield Fault(key, f"an alarm sounds at it: {alarm.title}")
    for slider in space.ordered(part):
        for steps in (-STEPS, STEPS):
            near = draws.moved(part, part.reference, slider, steps)
            if near is not None and (broken := probe.broken(near)):
                where = "up" if steps > 0 else "down"
                said = f"no longer passes with {slider} {STEPS} steps {where}: give it more room"
                yield Fault((*key, slider), said, _said(probe, broken[0].id, near))


def _dealt(probe: Probe, key: Key) -> Iterator[Fault]:
    part = probe.part
    argued = {s for party in part.stakeholders.values() if party.bound for s in party.bound.corner}
    if not _deals(probe, part.reference):
        yield Fault(key, "no deal can be made with it and the bounds' corners; it must win")
        return
    for slider in space.ordered(part):
        for steps in (-STEPS, STEPS):
            near = draws.moved(part, part.reference, slider, steps)
            if near is not None and slider not in argued and not _deals(probe, near):
                where = "up" if steps > 0 else "down"
                said = f"makes no deal with {slider} {STEPS} steps {where}: give it more room"
                yield Fault((*key, slider), said)


def _deals(probe: Probe, setting: Mapping[str, Value]) -> bool:
    """Whether a deal can be made with a run there and one at each bound's corner."""
    part = probe.part
    corners = [party.bound.corner for party in part.stakeholders.values() if party.bound]
    runs = [setting, *({**setting, **corner} for corner in corners)]
    cited = [talks.Cited(n, run, probe.metrics(run)) for n, run in enumerate(runs, start=1)]
    return bots.deal(part, talks.opened(part), cited) is not None


def _reference_key(probe: Probe) -> Key:
    carried = probe.part.carried
    if probe.size in carried and next(iter(carried.values())).reference:
        return ("parts", probe.part_id, "carried", probe.size, "reference")
    return ("parts", probe.part_id, "reference")


def _said(probe: Probe, spec: str, setting: dict[str, Any]) -> str:
    found = {r.id: r for r in readings(probe.mission, probe.part, probe.metrics(setting))}[spec]
    sign = "at most" if found.at_most else "at least"
    return f"{spec} is {found.value:.6g}, {sign} {found.limit:.6g} is asked"


def _singles(probe: Probe, line: int) -> Iterator[Fault]:
    part = probe.part
    for slider in part.sliders:
        for setting in draws.along(part, part.default, slider, line):
            if probe.passes(setting):
                said = "moved alone from the default it passes; two sliders must be needed"
                yield Fault(("parts", probe.part_id, "sliders", slider), said, str(setting[slider]))
                break


def _spread(probe: Probe, effort: Effort, first: bool, whole: bool | None) -> tuple[int, int, bool]:
    """Try the grid, or settings from all over it: how many, how many pass, whether it was all.

    At a table the share decides nothing, so draws are enough. The class that leads decides by
    its time whether the whole is tried: what it tried costs the others little.
    """
    part, total = probe.part, draws.size(probe.part)
    count = effort.first if first else effort.others
    dice = zlib.crc32(f"{probe.mission.id} {probe.part_id} {probe.seed}".encode())
    began = time.perf_counter()
    chosen = list(draws.stratified(part, min(count, total), dice))
    passing = sum(probe.passes(setting) for setting in chosen)
    took = time.perf_counter() - began
    if not first or len(chosen) == total:
        return len(chosen), passing, len(chosen) == total
    if whole is None:
        whole = not part.stakeholders and took / len(chosen) * total <= effort.full_seconds
    if not whole:
        return len(chosen), passing, False
    everything = list(draws.stratified(part, total, dice))
    return total, sum(probe.passes(setting) for setting in everything), True


def _used(probe: Probe) -> tuple[str, ...]:
    """The metrics that matter in a part: those of a spec, a want or a claim."""
    part = probe.part
    wants = (want for party in part.stakeholders.values() for want in party.wants.values())
    names = [spec.metric for spec in part.specs.values()]
    names += [want.metric for want in wants]
    return tuple(dict.fromkeys([*names, *part.claim.metrics]))


def _dead(probe: Probe, line: int) -> Iterator[Fault]:
    """Sliders and options that move nothing that matters, wherever the others stand.

    Seen from the default, the reference and a few more; one place where they do matter is enough.
    """
    part = probe.part
    starts = [part.default, part.reference, *draws.stratified(part, STARTS, 0)]
    for slider in part.sliders:
        key = ("parts", probe.part_id, "sliders", slider)
        both, always = _same(probe, starts[0], slider, line)
        for start in starts[1:]:
            if not always:
                break
            tried, alike = _same(probe, start, slider, line)
            both &= tried
            always = [a & b for a in always for b in alike if len(a & b) > 1]
        for same in always:
            if same == both:
                said = "moves nothing that a spec, a want or a claim is about; take it out"
                yield Fault(key, said)
            elif slider not in space.ordered(part):
                first, *others = sorted(map(str, same))
                for other in others:
                    said = f"does what {first!r} does to all that matters; take one out"
                    yield Fault((*key, "options", other), said)


def _same(
    probe: Probe, start: Mapping[str, Value], slider: str, line: int
) -> tuple[set[Value], list[set[Value]]]:
    """The places of a slider that were tried, and those of them that come to the same."""
    used = _used(probe)
    groups: list[tuple[list[float], set[Value]]] = []
    settings = [dict(start), *draws.along(probe.part, start, slider, line)]
    for setting in settings:
        found = probe.metrics(setting)
        values = [found[name] for name in used]
        for known, members in groups:
            if all(_alike(a, b) for a, b in zip(known, values, strict=True)):
                members.add(setting[slider])
                break
        else:
            groups.append((values, {setting[slider]}))
    tried = {setting[slider] for setting in settings}
    return tried, [members for _, members in groups if len(members) > 1]


def _alike(one: float, other: float) -> bool:
    return abs(one - other) <= ALIKE * max(abs(one), abs(other))


def _locks(probe: Probe, answers: dict[str, Any]) -> Iterator[Fault]:
    for name, lock in probe.part.locks.items():
        key = ("parts", probe.part_id, "locks", name)
        try:
            found = locks.truth(probe.mission, probe.part, lock, probe.seed)
        except (NoAnswer, SettingError) as error:
            yield Fault((*key, "truth"), "has no single answer; widen the question", str(error))
            continue
        answers[name] = [found.value, found.mechanism]
        if lock.kind == "choice" and str(found.value) not in lock.options:
            said = "the right answer is none of the options; add it"
            yield Fault((*key, "options"), said, str(found.value))
        elif lock.kind == "number" and lock.within is None and float(found.value) <= 0:
            said = "a factor judges no value of zero or less; give within"
            yield Fault((*key, "truth"), said, f"{found.value}")
        yield from _why(probe, key, lock)


def _why(probe: Probe, key: Key, lock: Lock) -> Iterator[Fault]:
    """The why has one answer, and it is among those offered."""
    first, second = (
        Request.at(probe.part, setting, probe.seed) for setting in (lock.why.first, lock.why.second)
    )
    terms = explain(lock.why.metric, first, second)
    sign = 1.0 if terms.change >= 0 else -1.0
    offered = sorted((sign * terms.terms[name] for name in lock.mechanisms), reverse=True)
    if not terms.change:
        yield Fault((*key, "why"), "nothing changes between its settings; choose two that differ")
    elif offered[0] - offered[1] <= ALIKE * abs(terms.change):
        said = "two of the mechanisms are equally right; ask where one is the largest"
        yield Fault((*key, "why"), said, f"{offered[0]:.6g} each")
    elif terms.largest not in lock.mechanisms:
        said = f"{terms.largest} is the largest term and is not offered; add it"
        yield Fault((*key, "mechanisms"), said)


def _bots(
    probe: Probe, every: bool, faults: list[Fault]
) -> tuple[dict[str, bool], dict[str, float], tuple[Mapping[str, Value], ...]]:
    """Let the bots play a budgeted part. Only the reference may win at a table, and it must.

    Returns who won, what each reached, and where the random bot ran.
    """
    part = probe.part
    wins: dict[str, bool] = {}
    reached: dict[str, float] = {}
    drawn: tuple[Mapping[str, Value], ...] = ()
    if part.kind != "budgeted":
        return wins, reached, drawn
    names = ["reference", *GUESSERS, *(SEARCHERS if every else ())]
    names += ["accept", "refuse"] if part.stakeholders else []
    for name in names:
        # The classes meet the same dice, so that the engine can share what they ask.
        dice = zlib.crc32(f"{name} {probe.part_id} {probe.seed}".encode())
        player = bots.bot(name, dice)
        if (
            isinstance(player, bots.Random)
            and name == "random"
            and not (every or part.stakeholders)
        ):
            wins[name] = probe.guessed(player)
            continue
        played = probe.played(player)
        wins[name], reached[name] = played.won, played.reached
        if name == "random":
            drawn = played.runs
    key = ("parts", probe.part_id)
    if not wins["reference"]:
        said = "the reference bot does not win with it"
        if part.stakeholders:
            said = "the reference bot finds no deal with it, the corners and one slider back"
        faults.append(Fault(_reference_key(probe), said))
    for name, does in (("accept", "signs whatever is asked"), ("refuse", "disproves everything")):
        if wins.get(name):
            said = f"a player who {does} wins the table; it must lose"
            faults.append(Fault((*key, "stakeholders"), said))
    return wins, reached, drawn


def _polish(probe: Probe, most: int) -> None:
    """Walk from the best setting that was tried to better neighbours, as far as they go."""
    part = probe.part
    while most > 0:
        start, value = probe.best
        for slider in part.sliders:
            if slider in space.ordered(part):
                near = [draws.moved(part, start, slider, steps) for steps in (-1, 1)]
            else:
                near = [*draws.along(part, start, slider, 0)]
            for setting in near:
                if setting is not None and probe.spot(setting) not in probe.tried and most > 0:
                    probe.metrics(setting)
                    most -= 1
        if probe.best[1] <= value:
            return


def _edge(probe: Probe) -> Iterator[Fault]:
    """The best setting is not at an end of a slider, unless the reference declares that end.

    A reference, or a bound's corner, that stands at the end says that the author knows.
    """
    part = probe.part
    _, value = probe.best
    if part.stakeholders:
        return  # what is best there is argued about
    best = [
        probe.setting(spot) for spot in probe.tried if probe.objective(probe.setting(spot)) >= value
    ]
    for slider in space.ordered(part):
        for steps, end in ((-1, "low"), (1, "high")):
            inside = any(draws.moved(part, setting, slider, steps) for setting in best)
            if inside or draws.moved(part, part.reference, slider, steps) is None:
                continue
            said = (
                f"the best setting stands at its {end} end; widen it, or let the reference say so"
            )
            yield Fault(("parts", probe.part_id, "sliders", slider), said, in_words(part, best[0]))


def _named(probe: Probe) -> tuple[list[str], list[str], list[str]]:
    """The failures and alarms that some setting is called after, that some has, and some has not.

    A run is called after one: the first alarm that sounds, else the first spec that it breaks.
    """
    part, mission = probe.part, probe.mission
    alarms = {f"alarms.{name}": alarm for name, alarm in part.alarms.items()}
    specs = {f"specs.{name}": spec.failure for name, spec in part.specs.items()}
    seen: set[str] = set()
    broken: set[str] = set()
    wanted = {spec.metric for spec in part.specs.values()}
    wanted |= {alarm.metric for alarm in part.alarms.values()}
    known = [metrics for metrics in probe.accounted.values() if wanted <= metrics.keys()]
    known += probe.tried.values()
    for metrics in known:
        found = failure(mission, part, metrics)
        seen |= {name for name, what in {**specs, **alarms}.items() if what is found}
    free: set[str] = set()
    for metrics in known:
        for reading in readings(mission, part, metrics):
            (free if reading.met else broken).add(f"specs.{reading.id}")
        for name, alarm in alarms.items():
            limit = alarm.at_most if alarm.at_most is not None else alarm.at_least
            assert limit is not None  # the loader demands one
            at, value = mission.constant(limit), metrics[alarm.metric]
            sounds = value <= at if alarm.at_most is not None else value >= at
            (broken if sounds else free).add(name)
    return sorted(seen), sorted(broken), sorted(free)
