"""How often plays are called much alike: in honest classes, and where somebody copied.

``python -m tests.grading.alike`` prints the table that :data:`neighbours.MEASURED` sums up (about
twenty minutes on one core). The players are the simulated ones of ``players.py``, six habits mixed,
and a second kind that turns sliders at random. They are no people.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mission_tui.content.load import load
from mission_tui.content.schema import Mission
from mission_tui.grading import neighbours, tokens
from mission_tui.grading.row import Played, Row
from tests.grading import players

HABITS = (
    players.REASONER,
    players.CLICKER,
    players.QUICK_REASONER,
    players.SLOW_CLICKER,
    players.OTHER_REASONER,
    players.OTHER_CLICKER,
)
LONG = 6
"""Runs of a play that is worth copying, and long enough to tell."""

Steps = tuple[tuple[str, ...], tuple[str, ...]]
"""What one play ran and claimed."""


def row(student: str, steps: Steps, part: str = "p", driver: str = "human") -> Row:
    """The row of a play with one part."""
    played = Played(part, 1.0, True, (), *steps)
    named = {"student": student, "mission": "m", "track": "t", "driver": driver}
    return Row(f"{student}.json", "", {}, parts=(played,), **named)  # type: ignore[arg-type]


def simulated(mission: Mission, count: int, seed: int) -> list[Steps]:
    """Plays of players of all habits who never met."""
    (part,) = mission.parts
    found = []
    for n in range(count):
        dice = random.Random(f"{seed} {n}")
        events = players.Simulated(dice.choice(HABITS), dice).play(mission, n)
        found.append((tokens.runs(events, part), tokens.claims(events, part)))
    return found


def wandering(count: int, seed: int) -> list[Steps]:
    """Plays that begin at the default and turn one of four sliders at a time, any way."""
    dice, found = random.Random(seed), []
    for _ in range(count):
        setting, runs = [0, 0, 0, 0], []
        for _ in range(dice.randint(4, 12)):
            runs.append(str(setting))
            setting[dice.randrange(4)] = dice.randrange(8)
        found.append((tuple(runs), tuple(f"c{dice.randrange(12)}" for _ in range(2))))
    return found


def left_out(source: Steps, _own: Steps, dice: random.Random) -> Steps:
    """The whole play but one run."""
    out = dice.randrange(1, len(source[0]))
    return source[0][:out] + source[0][out + 1 :], source[1]


def edited(source: Steps, _own: Steps, dice: random.Random) -> Steps:
    """The whole play, one run in four changed to one that nobody else has."""
    runs = [f"own {dice.random()}" if dice.random() < 0.25 else run for run in source[0]]
    return tuple(runs), source[1]


def detoured(source: Steps, own: Steps, dice: random.Random) -> Steps:
    """All runs of the play with three of one's own between them, and one's own claims."""
    runs = list(source[0])
    for _ in range(3):
        runs.insert(dice.randrange(1, len(runs) + 1), dice.choice(own[0]))
    return tuple(runs), own[1]


Copy = Callable[[Steps, Steps, random.Random], Steps]


def copied(
    plays: Sequence[Steps], how: Copy, groups: int, each: int, dice: random.Random
) -> tuple[list[Steps], set[frozenset[str]]]:
    """A class in which ``each`` students of ``groups`` copied from one; who is alike with whom."""
    found, true = list(plays), set()
    sources = [n for n in range(groups * each, len(plays)) if len(plays[n][0]) >= LONG][:groups]
    for group, source in enumerate(sources):
        circle = [*range(group * each, (group + 1) * each), source]
        for n in circle[:-1]:
            found[n] = how(plays[source], plays[n], dice)
        true |= {frozenset((f"s{a}", f"s{b}")) for a in circle for b in circle if a < b}
    return found, true


def told(plays: Sequence[Steps]) -> set[frozenset[str]]:
    """The pairs of a class that chance is said to hardly explain."""
    rows = [row(f"s{n}", steps) for n, steps in enumerate(plays)]
    pairs = neighbours.pairs(rows)
    return {frozenset((p.first.student, p.second.student)) for p in pairs if p.telling}


CASES: tuple[tuple[str, Copy, int, int], ...] = (
    ("a run left out", left_out, 1, 1),
    ("a run in four changed", edited, 1, 1),
    ("three detours, own claims", detoured, 1, 1),
    ("three pairs, changed", edited, 3, 1),
    ("three of one, changed", edited, 1, 2),
    ("five of one, changed", edited, 1, 4),
)


def measured(pool: Sequence[Steps], size: int, classes: int, seed: int) -> Iterator[str]:
    """Lines of the table for one size of class."""
    dice = random.Random(seed)
    wrong = sum(bool(told(dice.sample(pool, size))) for _ in range(classes))
    yield f"{size:>4}  honest: {wrong} of {classes} classes have a pair"
    for name, how, groups, each in CASES:
        found = among = hit = tried = 0
        for _ in range(min(classes, 40)):
            plays, true = copied(dice.sample(pool, size), how, groups, each, dice)
            if len(true) < groups or groups * each > size // 4:
                continue
            seen = told(plays) & true
            found, among, hit, tried = (
                found + len(seen), among + len(true), hit + bool(seen), tried + 1,
            )  # fmt: skip
        if tried:
            yield f"      {name}: {found} of {among} pairs, any in {hit} of {tried} classes"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Print the table."""
    mission = load(Path(__file__).parents[1] / "wall" / "memory-wall.toml")
    pools = {track: simulated(mission.tracks[track], 2_400, 2_026) for track in ("edge", "tiny")}
    pools["wandering"] = wandering(2_400, 2_026)
    for name, pool in pools.items():
        _say(name)
        for size, classes in ((12, 200), (20, 200), (30, 200), (60, 100), (100, 100), (300, 40)):
            for line in measured(pool, size, classes, size):
                _say(line)


if __name__ == "__main__":
    main()
