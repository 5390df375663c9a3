"""A class in figures, from its rows: what the report draws. Pure functions, no colours, no words.

A student's first attempt at a mission and track counts (later ones have seen the truths), and
neither programs' plays nor plays in which a verdict fails do.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, log
from statistics import median, quantiles
from typing import Final

from mission_tui.content.schema import Lock, Mission
from mission_tui.grading.row import Prediction, Row
from mission_tui.play import wording
from mission_tui.play.calibration import Share
from mission_tui.play.session import PART_SCREENS
from mission_tui.units import show_change

STEPS: Final = (2.0, 4.0, 10.0)
"""How many times too large or too small the bins of a prediction end at, past its factor."""
CLOSED: Final = "finished"


@dataclass(frozen=True, slots=True)
class Bin:
    """So many predictions; ``truth`` marks the bin that is right."""

    label: str
    count: int
    truth: bool = False


@dataclass(frozen=True, slots=True)
class Bet:
    """How a class predicted one lock. ``truths`` is the truth, or the first and the last."""

    mission: str
    track: str
    part: str
    lock: str
    bins: tuple[Bin, ...]
    truths: tuple[str, ...]
    why: Share

    @property
    def count(self) -> int:
        """Predictions counted."""
        return sum(each.count for each in self.bins)


@dataclass(frozen=True, slots=True)
class Spread:
    """Quartiles of so many values, with the least and the most."""

    count: int
    least: float
    low: float
    middle: float
    high: float
    most: float


@dataclass(frozen=True, slots=True)
class Course:
    """Regret over runs in one part: the best so far after run 1, 2, …, and who had as many runs."""

    mission: str
    track: str
    part: str
    after: tuple[Spread, ...]
    running: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sure:
    """A prediction that was sure and wrong. ``off`` sorts them: the farther, the larger."""

    row: Row
    made: Prediction
    off: float


def firsts(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Each student's first attempt at each mission and track, as the files have it."""
    found: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        if row.bot or row.fails or not row.play_id:
            continue
        key = (row.student, row.mission, row.track)
        if key not in found or row.attempt < found[key].attempt:
            found[key] = row
    return tuple(found.values())


def bets(rows: Sequence[Row], missions: Mapping[tuple[str, str], Mission]) -> Iterator[Bet]:
    """Every lock of the missions, with how it was predicted."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.mission, row.track].append(row)
    for (name, track), own in sorted(groups.items()):
        mission = missions.get((name, track))
        for part_id, part in mission.ordered if mission else ():
            for lock_id, lock in part.locks.items():
                made = [
                    each
                    for row in own
                    for each in row.predictions
                    if (each.part, each.lock) == (part_id, lock_id)
                ]
                if made:
                    unit = wording.lock_unit(part, lock)
                    found = _choices(lock, made) if lock.options else _numbers(lock, unit, made)
                    bins = tuple(found)
                    why = Share(sum(each.why_right for each in made), len(made))
                    yield Bet(name, track, part_id, lock_id, bins, _truths(made), why)


def calibration(rows: Iterable[Row]) -> dict[str, Share]:
    """Bands that held the truth, and choices that were right, sure and unsure apart."""
    made = [each for row in rows for each in row.predictions]
    held = [each.in_band for each in made if each.in_band is not None]
    sure = [each.right for each in made if each.in_band is None and each.sure is True]
    unsure = [each.right for each in made if each.in_band is None and each.sure is False]
    named = {"bands": held, "sure": sure, "unsure": unsure}
    return {name: Share(sum(each), len(each)) for name, each in named.items()}


def courses(rows: Iterable[Row]) -> Iterator[Course]:
    """Regret over runs, for the parts of which a solver record knows the best.

    A play that stopped keeps the best that it had, so that each figure is of the same plays.
    """
    groups: dict[tuple[str, str, str], list[tuple[float, ...]]] = defaultdict(list)
    for row in rows:
        for played in row.parts:
            if played.regrets:
                groups[row.mission, row.track, played.part].append(played.regrets)
    for (mission, track, part), plays in sorted(groups.items()):
        longest = max(map(len, plays))
        after = [[min(play[: n + 1]) for play in plays] for n in range(longest)]
        running = tuple(sum(len(play) > n for play in plays) for n in range(longest))
        yield Course(mission, track, part, tuple(map(spread, after)), running)


def minutes(rows: Iterable[Row]) -> dict[tuple[str, str, str], Spread]:
    """Active minutes on each part of a mission and track."""
    found: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for row in rows:
        for played in row.parts:
            if played.minutes is not None:
                found[row.mission, row.track, played.part].append(played.minutes)
    return {key: spread(values) for key, values in sorted(found.items())}


def stops(
    rows: Iterable[Row], missions: Mapping[tuple[str, str], Mission]
) -> dict[str, tuple[tuple[str, str, int], ...]]:
    """For each mission where records end, in the order of play: screen, part, how many plays."""
    counts: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    parts: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        counts[row.mission][row.stopped if row.unfinished else (CLOSED, "")] += 1
        mission = missions.get((row.mission, row.track))
        for n, (name, _) in enumerate(mission.ordered if mission else ()):
            parts[row.mission].setdefault(name, n)
    screens = ("briefing", *PART_SCREENS, "decision", "debrief", CLOSED)

    def place(mission: str, where: tuple[str, str]) -> tuple[float, int]:
        screen, part = where
        at = screens.index(screen) if screen in screens else len(screens)
        if part:
            return float(parts[mission].get(part, 99)), at
        return (-1.0 if screen == "briefing" else inf), at

    return {
        mission: tuple(
            (screen, part, found[screen, part])
            for screen, part in sorted(found, key=lambda where: place(mission, where))
        )
        for mission, found in sorted(counts.items())
    }


def sure_and_wrong(rows: Iterable[Row]) -> tuple[Sure, ...]:
    """Predictions that were sure and wrong, the farthest first.

    A choice is one if it was said to be sure. A number is one if it was wrong and the truth lies
    outside of the band by more than the band is wide (in ratios, where all are above zero).
    """
    found = [
        Sure(row, made, off) for row in rows for made in row.predictions if (off := _off(made))
    ]
    return tuple(sorted(found, key=lambda each: -each.off))


def spread(values: Sequence[float]) -> Spread:
    """The quartiles of at least one value."""
    if len(values) == 1:
        return Spread(1, *(values[0],) * 5)
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(len(values), min(values), low, median(values), high, max(values))


def _off(made: Prediction) -> float:
    if made.right or made.in_band:
        return 0.0
    if made.in_band is None:
        return 1.0 if made.sure else 0.0
    low, high, truth = made.low, made.high, made.truth
    if low is None or high is None or isinstance(truth, str):
        return 0.0
    if low > 0 and truth > 0:
        low, high, truth = log(low), log(high), log(truth)
    outside = max(low - truth, truth - high)
    width = high - low
    return outside / width if width > 0 and outside > width else 0.0


def _truths(made: Sequence[Prediction]) -> tuple[str, ...]:
    numbers = {each.truth: each.truth_shown for each in made if not isinstance(each.truth, str)}
    if numbers:
        shown = (numbers[min(numbers)], numbers[max(numbers)])
        return shown if shown[0] != shown[1] else shown[:1]
    return tuple(dict.fromkeys(each.truth_shown for each in made))


def _choices(lock: Lock, made: Sequence[Prediction]) -> Iterator[Bin]:
    said = Counter(str(each.said) for each in made)
    truths = {str(each.truth) for each in made}
    for option, label in lock.options.items():
        yield Bin(label, said[option], truths == {option})
    if len(truths) > 1:  # the data differ, and so do the truths
        yield Bin("of these right", sum(each.right for each in made), True)


def _numbers(lock: Lock, unit: str, made: Sequence[Prediction]) -> Iterator[Bin]:
    """Predictions by how far they are from each student's own truth, which is in ``unit``."""
    counts: Counter[float] = Counter()
    edges = (1.0, 2.0, 4.0) if lock.within is not None else _edges(lock.factor)
    for each in made:
        if isinstance(each.said, str) or isinstance(each.truth, str):
            continue
        if lock.within is not None:
            away = (each.said - each.truth) / lock.within
            counts[_bin(abs(away), edges, away >= 0)] += 1
        elif each.said * each.truth <= 0:
            counts[inf] += 1
        else:
            ratio = each.said / each.truth
            counts[_bin(max(ratio, 1 / ratio), edges, ratio >= 1)] += 1
    sizes = edges if lock.within is None else tuple(edge * lock.within for edge in edges)
    for place in range(-len(edges), len(edges) + 1):
        label = _label(place, sizes, None if lock.within is None else unit)
        yield Bin(label, counts[place], place == 0)
    if counts[inf]:
        yield Bin("of the other sign", counts[inf])


def _edges(factor: float) -> tuple[float, ...]:
    return (factor, *(step for step in STEPS if step > factor))


def _bin(away: float, edges: Sequence[float], over: bool) -> float:
    place = sum(away > edge for edge in edges)
    return place if over else -place


def _label(place: int, edges: Sequence[float], unit: str | None) -> str:
    """``unit`` is of what is added to the truth; without one, edges are ratios."""
    sizes = [f"{edge:g}×" if unit is None else show_change(edge, unit)[1:] for edge in edges]
    n = abs(place)
    if unit is None:
        way = "too large" if place > 0 else "too small"
    else:
        way = "too high" if place > 0 else "too low"
    if n == 0:
        return f"right, within {'' if unit is None else '±'}{sizes[0]}"
    if n == len(edges):
        return f"over {sizes[-1]} {way}"
    low, of, same = sizes[n - 1].partition(" ")
    return f"{low if sizes[n].endswith(of + same) else sizes[n - 1]} to {sizes[n]} {way}"
