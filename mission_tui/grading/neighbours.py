"""Plays of a part that are more alike than chance makes them: where to look, never what was done.

The measure. A play is the order of the settings that it ran, and the order of what it claimed,
answers included. What two plays have in common *in the same order* is their heaviest common
subsequence. A step weighs as many bits as it surprises: -log2 of how often the *other* students
took it, who stood where these two stood before it (a claim: who claimed at all). So what everybody
runs weighs next to nothing. A sweep of one slider is one step (:mod:`mission_tui.grading.tokens`),
and a step is never worth more for where it was taken than it is by itself.

Chance. Plays are cut into pieces of up to three steps, and pieces of random plays are put together
to plays that nobody played, as long as real ones. Each pair of these is drawn from two halves of
the class that share no student, so no play is held against itself. The share of them that have as
much in common as a real pair, times the pairs there are, is how many such pairs chance would give
in this class. A thousand are drawn for each length; beyond their highest tenth the share falls
exponentially with that tenth's mean excess (peaks over threshold: Pickands 1975), which is an
approximation. Under 0.05 pairs, chance alone hardly explains one.

What it can't tell. Two who sat together, read one board, passed a run code on, or think alike are
as alike as two of whom one copied. Each student's data differ (another seed of the deck), so the
same settings led them to other figures; that makes the same long path more telling, not proof.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import exp, log2
from typing import Final

from mission_tui.grading.row import Row

FEWEST: Final = 6
"""Plays of a part below which chance can't be told: halves of a class need some plays each."""
DRAWS: Final = 1_000
PIECE: Final = 3
"""Steps of a piece at most: as many as one idea takes."""
LONGEST: Final = 40
"""Steps of a play that are compared: the first ones."""
TELLING: Final = 0.05
LEAST_EXCESS: Final = 1.0
"""Bits: a tail that is thinner than that is one of too few different plays."""
_NOWHERE: Final = "-"
_TRIES: Final = 20
_CLOSEST: Final = 200
"""Pairs whose order is looked at: those that have most in common in any order."""
_LENGTHS: Final = (4, 8, 16, 32)
"""Plays are held against chance plays about as long: up to so many steps, or more."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two plays of one part by different students.

    ``bits`` is what they have in common, ``runs`` and ``claims`` how many steps that is.
    ``expected`` is how many pairs chance would give that have as much; None where the class is
    too small to say.
    """

    first: Row
    second: Row
    part: str
    bits: float
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

    @property
    def steps(self) -> int:
        return len(self.runs) + len(self.claims)


Step = tuple[str, str]
"""What was done, and what was done just before it: nothing at the start, and for claims."""


def pairs(rows: Iterable[Row], most: int = 20, seed: int = 0) -> tuple[Pair, ...]:
    """The pairs that have most in common against chance, over all missions, tracks and parts.

    ``seed`` is of the shuffling: the same rows give the same list.
    """
    groups: dict[tuple[str, str, str], list[_Play]] = defaultdict(list)
    for row in rows:
        if row.bot or not row.student:
            continue
        for played in row.parts:
            play = _Play(row, played.runs[:LONGEST], played.claims[:LONGEST])
            if play.steps:
                groups[row.mission, row.track, played.part].append(play)
    found = [pair for (_, _, part), plays in groups.items() for pair in _of_part(part, plays, seed)]
    return tuple(sorted(found, key=_order)[:most])


def _order(pair: Pair) -> tuple[float, float]:
    return (1e9 if pair.expected is None else pair.expected, -pair.bits)


def _of_part(part: str, plays: Sequence[_Play], seed: int) -> list[Pair]:
    surprise = Surprise(plays)
    candidates = [(a, b) for a, b in combinations(plays, 2) if a.row.student != b.row.student]
    close = sorted(candidates, key=lambda pair: -surprise.at_most(pair[0], pair[1]))[:_CLOSEST]
    chance = _Chance(plays, surprise, random.Random(f"{seed} {part}"))
    found = []
    for a, b in close:
        in_runs, runs = common(steps(a.runs), steps(b.runs), surprise)
        in_claims, claims = common(alone(a.claims), alone(b.claims), surprise)
        bits = in_runs + in_claims
        if bits > 0:
            share = chance.share(bits, min(a.steps, b.steps))
            expected = None if share is None else share * len(candidates)
            found.append(Pair(a.row, b.row, part, bits, runs, claims, expected))
    return found


def steps(played: Sequence[str]) -> list[Step]:
    """Each step with the one before it."""
    return list(zip(played, ("", *played), strict=False))


def alone(played: Sequence[str]) -> list[Step]:
    """Each step by itself."""
    return [(step, _NOWHERE) for step in played]


class Surprise:
    """How many bits a step says that two plays share, by how the other students play."""

    def __init__(self, plays: Sequence[_Play]) -> None:
        took: dict[str, set[str]] = defaultdict(set)
        went: dict[Step, set[str]] = defaultdict(set)
        stood: dict[str, set[str]] = defaultdict(set)
        for play in plays:
            who = play.row.student
            for step, before in (*steps(play.runs), *alone(play.claims)):
                took[step].add(who)
                went[step, before].add(who)
                stood[before].add(who)
        self._took = {step: len(who) for step, who in took.items()}
        self._went = {step: len(who) for step, who in went.items()}
        self._stood = {step: len(who) for step, who in stood.items()}
        self._students = len({play.row.student for play in plays})
        self._known: dict[tuple[str, str, str], float] = {}

    def bits(self, step: str, before: str, other: str) -> float:
        """Of a step that one play took after ``before`` and another after ``other``."""
        key = (step, before, other)
        if key not in self._known:
            anywhere = (self._took[step] - 2 + 0.5) / max(1, self._students - 1)
            two = 2 if before == other else 1  # both are left out where both stood
            after = [self._after(step, place, two, anywhere) for place in {before, other}]
            share = max(anywhere, *after)  # whatever explains the step best
            self._known[key] = -log2(min(1.0, share))
        return self._known[key]

    def _after(self, step: str, before: str, left_out: int, anywhere: float) -> float:
        """The share of the others who took the step there; of none, how common it is anywhere."""
        if before == _NOWHERE:
            return anywhere
        went = max(0, self._went.get((step, before), 0) - left_out)
        stood = max(0, self._stood.get(before, 0) - left_out)
        return (went + anywhere) / (stood + 1)

    def at_most(self, a: _Play, b: _Play) -> float:
        """What two plays have in common in any order: no less than in the same order."""
        shared = (Counter(a.runs) & Counter(b.runs)) + (Counter(a.claims) & Counter(b.claims))
        return sum(self.bits(step, _NOWHERE, _NOWHERE) * n for step, n in shared.items())


def common(a: Sequence[Step], b: Sequence[Step], surprise: Surprise) -> tuple[float, int]:
    """The heaviest common subsequence: its bits, and how many steps it has."""
    best = [(0.0, 0)] * (len(b) + 1)
    for step, before in a:
        corner = (0.0, 0)
        for n, (other, other_before) in enumerate(b, 1):
            above = best[n]
            best[n] = max(above, best[n - 1])
            if step == other:
                bits = surprise.bits(step, before, other_before)
                best[n] = max(best[n], (corner[0] + bits, corner[1] + 1))
            corner = above
    return best[-1]


class _Chance:
    """What plays have in common that nobody played, for plays of each length."""

    def __init__(self, plays: Sequence[_Play], surprise: Surprise, dice: random.Random) -> None:
        self._plays, self._surprise, self._dice = plays, surprise, dice
        names = {name: n for n, name in enumerate(dict.fromkeys(p.row.student for p in plays))}
        self._students = len(names)
        self._who = [names[play.row.student] for play in plays]
        self._drawn: dict[int, list[float]] = {}

    def share(self, bits: float, length: int) -> float | None:
        """The share of chance pairs about as long that have at least so much in common."""
        if self._students < FEWEST:
            return None
        size = next((n for n, most in enumerate(_LENGTHS) if length <= most), len(_LENGTHS))
        if size not in self._drawn:
            over = _LENGTHS[size - 1] if size else 0
            lengths = [(len(p.runs), len(p.claims)) for p in self._plays if p.steps > over]
            cut = _LENGTHS[size] if size < len(_LENGTHS) else 2 * LONGEST
            self._drawn[size] = sorted(self._draw(lengths, cut) for _ in range(DRAWS))
        drawn, tail = self._drawn[size], DRAWS // 10
        from_ = drawn[-tail]
        if bits <= from_:
            return (DRAWS - bisect_left(drawn, bits - 1e-9)) / DRAWS
        excess = sum(value - from_ for value in drawn[-tail:]) / tail
        return tail / DRAWS * exp(-(bits - from_) / max(excess, LEAST_EXCESS))

    def _draw(self, lengths: Sequence[tuple[int, int]], cut: int) -> float:
        """What two plays have in common that nobody played; the first has ``cut`` steps at most."""
        halves = self._dice.getrandbits(self._students)  # a bit says in which half a student is
        found = []
        for half, most in ((0, cut), (1, 2 * LONGEST)):
            runs, claims = self._dice.choice(lengths)
            share = min(1.0, most / (runs + claims))
            found.append(
                (
                    self._shuffled(lambda play: play.runs, round(runs * share), halves, half),
                    self._shuffled(lambda play: play.claims, round(claims * share), halves, half),
                )
            )
        (a_runs, a_claims), (b_runs, b_claims) = found
        in_runs, _ = common(steps(a_runs), steps(b_runs), self._surprise)
        in_claims, _ = common(alone(a_claims), alone(b_claims), self._surprise)
        return in_runs + in_claims

    def _shuffled(
        self, of: Callable[[_Play], Sequence[str]], length: int, halves: int, half: int
    ) -> list[str]:
        """Pieces of random plays of one half, put together: each from the place where it stood.

        Where hardly any play is as long, a piece may come from any place.
        """
        found: list[str] = []
        for n in range(_TRIES * length):
            if len(found) >= length:
                break
            at = self._dice.randrange(len(self._plays))
            played = of(self._plays[at])
            if halves >> self._who[at] & 1 != half or not played:
                continue
            start = len(found)
            if start >= len(played):
                if n < _TRIES * length // 2:
                    continue
                start = self._dice.randrange(len(played))
            found += played[start : start + PIECE]
        return found[:length]
