"""Plays of a part that are more alike than chance makes them: where to look, never what was done.

The measure. A play is the order of the settings that it ran, and the order of what it claimed,
answers included. What two plays have in common *in the same order* is their heaviest common
subsequence. A step weighs as many bits as it surprises: -log2 of how many of the *other* students
took it. So what everybody runs weighs next to nothing. A sweep of one slider is one step
(:mod:`mission_tui.grading.tokens`). A long play, or one that goes where many go, has more in common
with everybody; so what counts of a pair is its *excess*: its bits, less the mean of each of the two
over all their pairs, plus the mean of the class (the residual of a two-way table).

Chance is the class itself: the excess of all pairs in which neither of the two students is.
Students who reason about one problem meet at the same settings, and only other students show how
far. (Chance was once made of short pieces of plays, put together: but honest plays agree over
longer stretches than pieces do, and one honest class in five had a pair above its threshold.) The
highest of those pairs, as many as there are students, are taken as an exponential tail. Of k
excesses above its lower end, with that mean, the share of chance pairs that lie x above it is
(1 + x / (k · mean))^-k: exact where excesses are exponential and independent. Pairs that share a
student are not independent, so k is how many pairs there can be that share none. That share, times
the pairs, times the parts that are compared, is how many such pairs chance would give in the whole
list. Under 0.05, chance alone hardly explains one.

How often that is wrong was measured: ``python -m tests.grading.alike``, and :data:`MEASURED`.

What it can't tell. Two who sat together, read one board, passed a run code on, or think alike are
as alike as two of whom one copied. Each student's data differ (another seed of the deck), so the
same settings led them to other figures; that makes the same long path more telling, not proof.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log2
from typing import Final

from mission_tui.grading.row import Row

FEWEST: Final = 12
"""Students of a part below which chance can't be told: too few pairs share nobody."""
LONGEST: Final = 40
"""Steps of a play that are compared: the first ones."""
TELLING: Final = 0.05
MEASURED: Final = (
    "Measured on simulated players: of 2,520 classes of 12 to 300 who never met, 48 had such a "
    "pair (1.9 %; 6 % at most of any size and kind). A copied play of six runs or more in a class "
    "of 30 stood out in 77 of 80 classes with one run left out, in 64 with a run in four changed, "
    "in 61 with three detours and claims of one's own; of 12, in about half. What many share "
    "is not rare: where five of 30 had one play, a pair stood out in 10 of 80 classes. No class of "
    "people has been measured."
)
"""What the threshold was seen to do, for whoever reads a list."""
_LEAST_MEAN: Final = 1.0
"""Bits: a tail that is thinner than that is one of too few different plays."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two plays of one part by different students.

    ``bits`` is what they have in common, ``excess`` how much that is above what either has with
    everybody, ``runs`` and ``claims`` how many steps it is. ``expected`` is how many pairs of the
    whole list chance would give that have as much; None where the class is too small to say.
    """

    first: Row
    second: Row
    part: str
    bits: float
    excess: float
    runs: int
    claims: int
    expected: float | None

    @property
    def telling(self) -> bool:
        """Whether chance alone hardly explains it."""
        return self.expected is not None and self.expected < TELLING


@dataclass(frozen=True, slots=True)
class _Play:
    row: Row
    runs: tuple[str, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Held:
    """Two plays of a group by their places in it, and what they have in common."""

    first: int
    second: int
    runs: tuple[float, int]
    claims: tuple[float, int]

    @property
    def bits(self) -> float:
        return self.runs[0] + self.claims[0]


def pairs(rows: Iterable[Row], most: int = 20) -> tuple[Pair, ...]:
    """The pairs that have most in common against chance, over all missions, tracks and parts."""
    groups: dict[tuple[str, str, str], list[_Play]] = defaultdict(list)
    for row in rows:
        if row.bot or not row.student:
            continue
        for played in row.parts:
            play = _Play(row, played.runs[:LONGEST], played.claims[:LONGEST])
            if play.runs or play.claims:
                groups[row.mission, row.track, played.part].append(play)
    told = sum(_students(plays) >= FEWEST for plays in groups.values())
    found = [
        pair for (_, _, part), plays in groups.items() for pair in _of_part(part, plays, most, told)
    ]
    return tuple(sorted(found, key=_order)[:most])


def _order(pair: Pair) -> tuple[float, float]:
    return (1e9 if pair.expected is None else pair.expected, -pair.excess)


def _students(plays: Sequence[_Play]) -> int:
    return len({play.row.student for play in plays})


def _of_part(part: str, plays: Sequence[_Play], most: int, told: int) -> list[Pair]:
    weights = bits([(play.row.student, {*play.runs, *play.claims}) for play in plays])
    held = [
        _Held(a, b, common(one.runs, two.runs, weights), common(one.claims, two.claims, weights))
        for (a, one), (b, two) in combinations(enumerate(plays), 2)
        if one.row.student != two.row.student
    ]
    who = [play.row.student for play in plays]
    ranked = sorted(zip(_excesses(held, len(plays)), held, strict=True), key=lambda each: -each[0])
    found = []
    for excess, pair in ranked[:most]:
        if pair.bits <= 0:
            continue
        out = {who[pair.first], who[pair.second]}
        others = [
            value for value, each in ranked if out.isdisjoint((who[each.first], who[each.second]))
        ]
        share = chance(excess, others, len(set(who)) - 2)
        expected = None if share is None else min(share, 1.0) * len(held) * told
        one, two = plays[pair.first].row, plays[pair.second].row
        found.append(
            Pair(one, two, part, pair.bits, excess, pair.runs[1], pair.claims[1], expected)
        )
    return found


def bits(taken: Sequence[tuple[str, Iterable[str]]]) -> dict[str, float]:
    """How many bits it says that two students took a step, by how many others did.

    ``taken`` is the steps of each play, with its student.
    """
    by: dict[str, set[str]] = defaultdict(set)
    for student, steps in taken:
        for step in steps:
            by[step].add(student)
    others = max(1, len({student for student, _ in taken}) - 1)
    return {
        step: -log2(min(1.0, (max(0, len(who) - 2) + 0.5) / others)) for step, who in by.items()
    }


def common(a: Sequence[str], b: Sequence[str], weights: Mapping[str, float]) -> tuple[float, int]:
    """The heaviest common subsequence: its bits, and how many steps it has."""
    shared = set(a).intersection(b)
    if not shared:
        return 0.0, 0
    b = [step for step in b if step in shared]
    best = [(0.0, 0)] * (len(b) + 1)
    for step in a:
        if step not in shared:
            continue
        corner = (0.0, 0)
        for n, other in enumerate(b, 1):
            above = best[n]
            best[n] = max(above, best[n - 1])
            if step == other:
                best[n] = max(best[n], (corner[0] + weights[step], corner[1] + 1))
            corner = above
    return best[-1]


def _excesses(held: Sequence[_Held], plays: int) -> list[float]:
    """Each pair's bits, less what each of the two has with everybody, plus the class's mean."""
    sums, counts = [0.0] * plays, Counter[int]()
    for pair in held:
        for n in (pair.first, pair.second):
            sums[n] += pair.bits
            counts[n] += 1
    means = [total / max(1, counts[n]) for n, total in enumerate(sums)]
    middle = sum(pair.bits for pair in held) / max(1, len(held))
    return [pair.bits - means[pair.first] - means[pair.second] + middle for pair in held]


def chance(excess: float, others: Sequence[float], students: int) -> float | None:
    """The share of chance pairs with so much excess, by the other pairs' excesses, highest first.

    ``students`` is how many those pairs are made of. None where they are too few to say.
    """
    if students < FEWEST - 2:
        return None
    tail, independent = students, students // 2
    if tail >= len(others):
        return None
    above = excess - others[tail]
    if above <= 0:
        return sum(value >= excess for value in others) / len(others)
    mean = max(sum(others[:tail]) / tail - others[tail], _LEAST_MEAN)
    return tail / len(others) * (1 + above / (independent * mean)) ** -independent
