"""Players that are programs: they drive the same Session, and their ledgers say so.

``reference`` knows the engine's answers and the mission's reference solution: it shows that a
part can be won. ``random`` knows nothing: it shows what luck alone reaches.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Final, Protocol

from engine.contract import Value
from mission_tui.content import space
from mission_tui.content.schema import Lock
from mission_tui.play import locks
from mission_tui.play.actions import Close, Seal
from mission_tui.play.claims import Evidence, differing
from mission_tui.play.evaluate import Request, explain, outcome
from mission_tui.play.game import Game
from mission_tui.play.session import Session


class Bot(Protocol):
    """How a program plays: what it predicts, what it tries, what it claims."""

    name: str

    def predict(self, session: Session, name: str, lock: Lock) -> Seal:
        """The prediction for one lock."""
        ...

    def settings(self, session: Session) -> Iterator[Mapping[str, Value]]:
        """The settings to run, in order."""
        ...

    def claim(self, session: Session) -> tuple[str, tuple[int, int], str]:
        """A metric, two runs and a mechanism."""
        ...


class Reference:
    """Plays the mission's reference solution, and changes one thing at a time."""

    name = "reference"

    def predict(self, session: Session, name: str, lock: Lock) -> Seal:
        """The truth, with a band of ten per cent."""
        truth = locks.truth(session.mission, session.part, lock, session.seed)
        if isinstance(truth.value, str):
            return Seal(name, truth.value, None, None, True, truth.mechanism, 0, 0)
        value = float(truth.value)
        low, high = sorted((value * 0.9, value * 1.1))
        return Seal(name, value, low, high, None, truth.mechanism, 0, 0)

    def settings(self, session: Session) -> Iterator[Mapping[str, Value]]:
        """The default, the reference, then the reference with one slider back at a time."""
        part = session.part
        yield part.default
        yield part.reference
        for slider, value in part.default.items():
            if value != part.reference[slider]:
                yield {**part.reference, slider: value}

    def claim(self, session: Session) -> tuple[str, tuple[int, int], str]:
        """The controlled pair with the largest move of the first metric that may be claimed."""
        metric = session.part.claim.metrics[0]
        runs = session.evidence()
        first, second = max(
            (pair for pair in combinations(runs.values(), 2) if len(differing(*pair)) == 1),
            key=lambda pair: abs(pair[1].metrics[metric] - pair[0].metrics[metric]),
        )
        terms = explain(metric, _request(session, first), _request(session, second))
        return metric, (first.number, second.number), terms.largest


class Random:
    """Guesses everything, from a seed."""

    name = "random"

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def predict(self, session: Session, name: str, lock: Lock) -> Seal:
        """A number within a decade and a half of what the default comes to, or any option."""
        mechanism = self._dice.choice(lock.mechanisms)
        if lock.kind == "choice":
            option = self._dice.choice(sorted(lock.options))
            return Seal(name, option, None, None, self._dice.random() < 0.5, mechanism, 0, 0)
        start = outcome(session.request(session.part.default)).metrics[lock.why.metric]
        value = start * 10 ** self._dice.uniform(-1.5, 1.5)
        return Seal(name, value, value / 2, value * 2, None, mechanism, 0, 0)

    def settings(self, session: Session) -> Iterator[Mapping[str, Value]]:
        """Settings drawn evenly from the grid: as many as the part has runs, or six."""
        for _ in range(session.runs_left or 6):
            yield {
                slider: self._dice.choice(space.values(session.part, slider))
                for slider in session.part.sliders
            }

    def claim(self, session: Session) -> tuple[str, tuple[int, int], str]:
        """Any metric, any two runs, any mechanism."""
        metric = self._dice.choice(session.part.claim.metrics)
        first, second = self._dice.sample(sorted(session.evidence()), 2)
        return metric, (first, second), self._dice.choice(sorted(session.part.mechanisms))


NAMES: Final = ("reference", "random")


def bot(name: str, seed: int) -> Bot:
    """The bot called ``name``. Raises KeyError for any other."""
    if name == "reference":
        return Reference()
    if name == "random":
        return Random(seed)
    raise KeyError(name)


def play(game: Game, player: Bot) -> None:
    """Play a game from where it stands to its close."""
    while not game.session.closed:
        _step(game, player)


def _step(game: Game, player: Bot) -> None:
    session = game.session
    match session.at.screen:
        case "briefing":
            game.go("lock", 0, 0)
        case "lock":
            if session.next_lock:
                game.act(player.predict(session, *session.next_lock))
            else:
                game.go("workbench", 0, 0)
        case "workbench":
            for setting in player.settings(session):
                if game.session.runs_left == 0:
                    break
                for slider, value in setting.items():
                    if game.setting[slider] != value:
                        game.turn(slider, value)
                game.run()
            for _ in range(game.session.distinct_left):
                if game.session.runs_left != 0:
                    _nudge(game)
            game.go("reveal", 0, 0)
        case "reveal":
            game.go("claim", 0, 0)
        case "claim":
            metric, runs, mechanism = player.claim(session)
            game.claim(game.draft(metric, *runs), runs, mechanism, "")
            following = game.session.next_step
            assert following is not None
            game.go(following.screen, 0, 0)
        case "debrief":
            game.act(Close())


def _nudge(game: Game) -> None:
    """Run somewhere not tried yet."""
    session = game.session
    tried = [run.setting for run in session.state.runs]
    for setting in space.grid(session.part, tuple(session.part.sliders)):
        if setting not in tried:
            for slider, value in setting.items():
                if game.setting[slider] != value:
                    game.turn(slider, value)
            game.run()
            return


def _request(session: Session, run: Evidence) -> Request:
    return session.request(run.setting)
