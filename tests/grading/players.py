"""Simulated players with clocks: some reason, some click, of varied skill and haste.

They are programs, written with an idea of what clicking looks like. They are not students, and a
score that tells them apart is not shown to tell students apart. The habits below were mended once
after a first look at the tested ones (clickers' claims were held by more than luck), so those are
not wholly unseen; a third population, made up afterwards, gave an AUC of 0.94 to 0.96.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import combinations
from math import exp

from engine.contract import Value
from mission_tui.content import space
from mission_tui.content.schema import Mission
from mission_tui.play import actions as do
from mission_tui.play.actions import Instant
from mission_tui.play.claims import differing
from mission_tui.play.evaluate import outcome
from mission_tui.play.events import Event
from mission_tui.play.game import Game
from mission_tui.play.session import Refused, Session
from mission_tui.play.specs import worst_share
from mission_tui.play.start import Who, header

WALL = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Habit:
    """How a kind of player plays; times are medians of lognormal draws, in seconds."""

    lock: float
    read: float
    think: float
    spread: float
    one_thing: tuple[float, float]  # chance that a run changes one slider: drawn from here
    runs: tuple[int, int]
    again: float  # chance to run the same setting once more
    sweeps: float  # chance that all runs step one slider
    hints: float  # chance to open every hint, at once
    careful: tuple[float, float]  # chance that a claim's pair is chosen for control, else any
    knows: tuple[float, float]  # chance that a claim's why is known, else any is taken
    skill: tuple[float, float]  # chance that a run is the better one of two that came to mind


# What the signs were chosen on.
REASONER = Habit(
    lock=40, read=20, think=18, spread=0.6, one_thing=(0.55, 0.95), runs=(4, 9), again=0.03,
    sweeps=0.05, hints=0.05, careful=(0.7, 1.0), knows=(0.4, 0.9), skill=(0.4, 0.9),
)  # fmt: skip
CLICKER = Habit(
    lock=9, read=4, think=4, spread=0.7, one_thing=(0.1, 0.6), runs=(2, 12), again=0.12,
    sweeps=0.25, hints=0.4, careful=(0.0, 0.2), knows=(0.0, 0.2), skill=(0.0, 0.2),
)  # fmt: skip
# Harder, for the same purpose: quick ones who reason, slow ones who click.
QUICK_REASONER = replace(REASONER, lock=20, read=10, think=9)
SLOW_CLICKER = replace(CLICKER, lock=14, read=7, think=7)
# What they are tested on: faster and messier reasoners, slower and tidier clickers.
OTHER_REASONER = Habit(
    lock=28, read=13, think=12, spread=0.8, one_thing=(0.45, 0.9), runs=(3, 12), again=0.06,
    sweeps=0.1, hints=0.15, careful=(0.6, 1.0), knows=(0.3, 0.8), skill=(0.3, 0.9),
)  # fmt: skip
OTHER_CLICKER = Habit(
    lock=12, read=5, think=6, spread=0.8, one_thing=(0.0, 0.7), runs=(2, 15), again=0.08,
    sweeps=0.35, hints=0.3, careful=(0.0, 0.3), knows=(0.0, 0.25), skill=(0.0, 0.25),
)  # fmt: skip


class Clock:
    """Time that passes when a player takes some."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> Instant:
        return Instant(self.now, "2026-01-01T00:00:00.000+00:00")


class Simulated:
    """One player at one game."""

    def __init__(self, habit: Habit, dice: random.Random) -> None:
        self.habit, self.dice, self.clock = habit, dice, Clock()
        self.one_thing = dice.uniform(*habit.one_thing)
        self.careful = dice.uniform(*habit.careful)
        self.knows = dice.uniform(*habit.knows)
        self.skill = dice.uniform(*habit.skill)
        self.haste = exp(dice.gauss(0, 0.35))  # some people are slow at everything

    def took(self, seconds: float) -> int:
        """Let about so many seconds pass; returns how many milliseconds it took."""
        spent = round(1000 * seconds * self.haste * exp(self.dice.gauss(0, self.habit.spread)))
        self.clock.now += spent
        return spent

    def play(self, mission: Mission, seed: int, who: Who | None = None) -> list[Event]:
        """A whole play, as its ledger tells it; by nobody with a chosen seed, unless said."""
        who = who or Who("simulated", "human", "00" * 32, chosen_seed=seed)
        events = [header(mission, who, WALL)]
        game = Game(Session.begin(mission, events[0].data), events.append, self.clock)
        game.go("lock", self.took(self.habit.read), 0)
        for _ in mission.parts:
            while game.session.next_lock:
                name, lock = game.session.next_lock
                value, why = 10 ** self.dice.uniform(6, 10), self.dice.choice(lock.mechanisms)
                spent = self.took(self.habit.lock)
                game.act(do.Seal(name, value, value / 2, value * 2, None, why, spent, 1))
            game.go("workbench", 0, 0)
            self._experiment(game)
            game.go("reveal", 0, 0)
            game.go("claim", self.took(self.habit.read), 0)
            self._claims(game)
            following = game.session.next_step
            assert following is not None
            game.go(following.screen, 0, 0)
        game.act(do.Close())
        return events

    def _experiment(self, game: Game) -> None:
        dice, part = self.dice, game.session.part
        wanted = dice.randint(*self.habit.runs)
        sweeper = dice.choice(list(part.sliders)) if dice.random() < self.habit.sweeps else None
        self._hints(game)
        for n in range(wanted * 3):
            if n >= wanted and not game.session.distinct_left:
                break
            if n:
                self._turn(game, sweeper)
            self.took(self.habit.think)
            game.run()

    def _turn(self, game: Game, sweeper: str | None) -> None:
        dice, part = self.dice, game.session.part
        if dice.random() < self.habit.again:
            return
        sliders = list(part.sliders)
        if sweeper is not None:
            grid = space.values(part, sweeper)
            here = grid.index(game.setting[sweeper])
            game.turn(sweeper, grid[(here + 1) % len(grid)])
            return
        ideas = [self._idea(game, sliders) for _ in range(2 if dice.random() < self.skill else 1)]
        mission, part = game.session.mission, game.session.part

        def room(idea: dict[str, Value]) -> float:
            asked = game.session.request({**game.setting, **idea})
            return worst_share(mission, part, outcome(asked).metrics)

        for slider, value in max(ideas, key=room).items():
            game.turn(slider, value)

    def _idea(self, game: Game, sliders: list[str]) -> dict[str, Value]:
        """Other values for one slider, or for several."""
        dice, part = self.dice, game.session.part
        several = dice.randint(2, len(sliders))
        count = 1 if dice.random() < self.one_thing else several
        found: dict[str, Value] = {}
        for slider in dice.sample(sliders, count):
            grid = space.values(part, slider)
            coarse = grid[:: max(1, len(grid) // 4)]
            found[slider] = dice.choice(
                [value for value in coarse if value != game.setting[slider]]
            )
        return found

    def _hints(self, game: Game) -> None:
        if self.dice.random() < self.habit.hints:
            while hint := game.session.next_hint:
                self.took(1.5)
                game.act(do.Hint(hint))
        elif self.dice.random() < 0.3 and (hint := game.session.next_hint):
            game.act(do.Hint(hint))
            self.took(15)

    def _claims(self, game: Game) -> None:
        evidence = game.session.evidence()
        pairs = list(combinations(evidence, 2))
        tidy = [(a, b) for a, b in pairs if len(differing(evidence[a], evidence[b])) == 1]
        for _ in range(3):
            runs = self.dice.choice(tidy if tidy and self.dice.random() < self.careful else pairs)
            self.took(self.habit.read)
            terms = game.terms("peak_memory", runs)
            why = terms.largest
            if self.dice.random() > self.knows:
                why = self.dice.choice(list(terms.terms))
            try:
                game.claim(game.draft("peak_memory", *runs), runs, why, "")
            except Refused:
                continue  # the very same claim once more
            if not game.session.claims_left:
                break
        if not game.session.state.claims:
            runs = pairs[0]
            why = next(iter(game.session.part.mechanisms))
            game.claim(game.draft("peak_memory", *runs), runs, why, "")


def plays(habit: Habit, mission: Mission, count: int, seed: int) -> list[list[Event]]:
    """So many plays of one kind of player."""
    dice = random.Random(seed)
    return [Simulated(habit, random.Random(dice.random())).play(mission, n) for n in range(count)]


def three_parts(mission: Mission) -> Mission:
    """The one part of a mission three times, as long as a real mission; one seed, to be quick."""
    (part,) = mission.parts.values()
    again = {
        f"part{n}": part.model_copy(update={"order": n, "seeds": part.seeds[:1]}) for n in (1, 2, 3)
    }
    return mission.model_copy(update={"parts": again})


def auc(positive: list[float], negative: list[float]) -> float:
    """The chance that one of the first scores above one of the second; a tie is half."""
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return wins / (len(positive) * len(negative))
