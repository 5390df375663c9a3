"""A bot at the keyboard: it plays the game on screen, with the keys that a person has.

It decides what the bot decides (:mod:`mission_tui.play.bots`), and does it as a player would:
sliders by arrows, predictions typed, runs cited by moving the cursor. Nothing is done behind the
screen's back, so what it shows is what a player sees.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import OptionList
from textual.worker import WorkerCancelled, WorkerFailed

from engine.contract import Value
from mission_tui.content import space
from mission_tui.content.schema import Lock, Part
from mission_tui.play import bands, wording
from mission_tui.play.actions import Move, Seal
from mission_tui.play.bots import Bot
from mission_tui.play.claims import metric_of
from mission_tui.play.game import Game
from mission_tui.screens.briefing import BriefingScreen
from mission_tui.screens.budgeted import BudgetedScreen
from mission_tui.screens.claim import ClaimScreen
from mission_tui.screens.debrief import DebriefScreen
from mission_tui.screens.decision import DecisionScreen
from mission_tui.screens.leaving import LeavingScreen
from mission_tui.screens.lock import LockScreen
from mission_tui.screens.reveal import RevealScreen
from mission_tui.screens.talks import TalksScreen
from mission_tui.screens.title import TitleScreen
from mission_tui.screens.workbench import WorkbenchScreen
from mission_tui.units import base_of, factor

KEY: Final = 0.12
"""Seconds from one key to the next."""
READ: Final = 2.5
"""Seconds that a screen is looked at before anything is done on it."""
_LOOK: Final = 0.01
"""Seconds between two looks at a run that is to be stopped."""
_NAMES: Final = {" ": "space", ".": "full_stop", "-": "minus", "+": "plus"}


@dataclass
class Watch:
    """Plays until the ledger is signed. ``speed`` 2 is twice as quick; 0 waits for nothing."""

    player: Bot
    speed: float = 1.0
    _plans: dict[str, Iterator[Mapping[str, Value]]] = field(default_factory=dict)
    _seen: Screen[Any] | None = None

    async def play(self, pilot: Pilot[object]) -> None:
        """Press keys, screen after screen, until the debrief has been signed; then leave."""
        while await self.step(pilot):
            pass
        await self._wait(READ)
        pilot.app.exit()

    async def step(self, pilot: Pilot[object]) -> bool:
        """Do what is next on the screen that is shown; False once the ledger is signed."""
        await self._settle(pilot)
        screen = pilot.app.screen
        if screen is not self._seen:
            self._seen = screen
            await self._wait(READ)
        if isinstance(screen, DebriefScreen) and screen.is_signed:
            return False
        # A prediction or a claim may take the engine seconds: the screen goes on meanwhile.
        for key in await asyncio.to_thread(self._keys, screen):
            await pilot.press(_NAMES.get(key, key))
            await self._wait(KEY)
        if isinstance(screen, BudgetedScreen):
            await self._stop(pilot, screen)
        return True

    async def _stop(self, pilot: Pilot[object], screen: BudgetedScreen) -> None:
        """Stop the run that just began where the bot would, as soon as its rounds are seen."""
        rounds = self.player.stops(screen.game.session) if screen.is_under_way else None
        while rounds is not None and screen.is_under_way:
            if screen.rounds_seen >= rounds:
                await pilot.press("x")
                return
            await asyncio.sleep(_LOOK)

    async def _settle(self, pilot: Pilot[object]) -> None:
        """Until nothing computes and nothing is waiting to be drawn."""
        await pilot.pause()
        # A screen that was left takes its workers along.
        with contextlib.suppress(WorkerCancelled, WorkerFailed):
            await pilot.app.workers.wait_for_complete()
        await pilot.pause()

    async def _wait(self, seconds: float) -> None:
        if self.speed > 0:
            await asyncio.sleep(seconds / self.speed)

    def _keys(self, screen: Screen[Any]) -> list[str]:
        """What is pressed next on a screen."""
        match screen:
            case TitleScreen() | BriefingScreen() | RevealScreen() | DebriefScreen():
                return ["enter"]
            case LeavingScreen():  # a bot leaves what it could not meet
                return ["enter"]
            case LockScreen():
                return list(self._lock(screen.game))
            case WorkbenchScreen():
                return list(self._bench(screen.game))
            case TalksScreen():
                return list(self._talk(screen))
            case ClaimScreen():
                return list(self._claim(screen))
            case DecisionScreen():
                return list(self._decide(screen.game))
            case _:
                return []

    # -- predictions -------------------------------------------------------------------------

    def _lock(self, game: Game) -> Iterator[str]:
        session = game.session
        if session.next_lock is None:
            yield "enter"
            return
        name, lock = session.next_lock
        sealed = self.player.predict(session, name, lock)
        why = str(lock.mechanisms.index(sealed.mechanism) + 1)
        if lock.kind == "choice":
            yield str(list(lock.options).index(str(sealed.value)) + 1)
            yield "enter"
            yield "1" if sealed.sure else "2"
        else:
            unit = wording.lock_unit(session.part, lock)
            scale = 1.0 if unit == lock.unit else factor(lock.unit, base_of(unit))
            yield from f"{float(sealed.value) / scale:.4g}"
            yield from ["up"] * _widening(lock, unit, sealed)
        yield from ("enter", why, "enter", "enter")

    # -- the workbench -----------------------------------------------------------------------

    def _bench(self, game: Game) -> Iterator[str]:
        """The next setting of the bot's, by arrows, then the run; after the last one, on."""
        session = game.session
        if session.state.truths:
            yield "ctrl+g"
            return
        plan = self._plans.setdefault(session.part_id, iter(self.player.settings(session)))
        wanted = next(plan, None) if session.runs_left != 0 else None
        if wanted is None and session.distinct_left and session.runs_left != 0:
            wanted = space.unlike(session.part, [run.setting for run in session.different])
        if wanted is None:
            yield "ctrl+g"
            return
        yield from _moves(session.part, game.setting, wanted)
        yield "enter"

    # -- the table ---------------------------------------------------------------------------

    def _talk(self, screen: TalksScreen) -> Iterator[str]:
        session = screen.game.session
        table = session.state.table
        assert table is not None
        pinned = session.state.pins
        missing = [number for number in self.player.pins(session) if number not in pinned]
        if missing:
            yield from _to_run(screen, missing[0])
            yield "p"
            return
        if table.over:
            yield "ctrl+g"
            return
        move = self.player.move(session)
        yield str(list(session.part.stakeholders).index(move.party) + 1)
        if move.run is None:
            yield from self._waiver(session.part, move)
        else:
            yield from _to_run(screen, move.run)
            yield move.move[0]
        yield "enter"

    def _waiver(self, part: Part, move: Move) -> Iterator[str]:
        wants = part.stakeholders[move.party].wants
        assert move.want is not None
        yield from ("w", str(list(wants).index(move.want) + 1), "tab")
        yield from f"{move.threshold:.4g}"
        yield "tab"
        yield from move.owner
        yield "enter"

    # -- the claim, the decision -------------------------------------------------------------

    def _claim(self, screen: ClaimScreen) -> Iterator[str]:
        session = screen.game.session
        if session.state.claims:
            yield "ctrl+g"
            return
        metric, (first, second), mechanism = self.player.claim(session)
        yield from ["m"] * list(session.part.claim.metrics).index(metric)
        here = _cursor(screen)
        yield from _arrows(here, _row(screen, first))
        yield "a"
        yield from _arrows(_row(screen, first), _row(screen, second))
        yield from ("b", "tab")
        yield from _chosen(metric_of(session.part, metric).terms.index(mechanism))
        yield "ctrl+f"

    def _decide(self, game: Game) -> Iterator[str]:
        session = game.session
        if session.decision is not None or session.mission.decision is None:
            yield "ctrl+g"
            return
        decided = self.player.decide(session)
        yield str(list(session.mission.decision.options).index(decided.choice) + 1)
        yield from decided.text
        yield from ("ctrl+f", "ctrl+f")


def _chosen(option: int) -> Iterator[str]:
    """Keys that choose an option (from 0) of the list in focus: 0 is the tenth's."""
    if option < 10:
        yield str((option + 1) % 10)
        return
    yield from ["down"] * option  # its cursor stands on the first line
    yield "enter"


def _widening(lock: Lock, unit: str, sealed: Seal) -> int:
    """How many steps wider the band is made, so that it holds what the bot's band holds."""
    widths = bands.steps(lock, unit)
    value = float(sealed.value)
    if sealed.low is None or sealed.high is None:
        return 1
    for n, width in enumerate(widths[1:], 1):
        low, high = bands.around(lock, unit, value, width)
        if low <= sealed.low and high >= sealed.high:
            return n
    return len(widths) - 1


def _moves(part: Part, now: Mapping[str, Value], wanted: Mapping[str, Value]) -> Iterator[str]:
    """Arrows from one setting to another: slider after slider, and back to the first."""
    yield from ["up"] * (len(part.sliders) - 1)  # from wherever the focus was left
    last = 0
    for n, name in enumerate(part.sliders):
        if now[name] == wanted[name]:
            continue
        yield from ["down"] * (n - last)
        last = n
        grid = space.values(part, name)
        by = grid.index(wanted[name]) - grid.index(now[name])
        tens, ones = divmod(abs(by), 10)
        way = "right" if by > 0 else "left"
        if len(grid) > 10 and not isinstance(grid[0], str):
            yield from [f"shift+{way}"] * tens
            yield from [way] * ones
        else:
            yield from [way] * abs(by)
    yield from ["up"] * last


def _row(screen: Screen[Any], run: int) -> int:
    return screen.query_one("#runs", OptionList).get_option_index(str(run))


def _cursor(screen: Screen[Any]) -> int:
    return screen.query_one("#runs", OptionList).highlighted or 0


def _to_run(screen: Screen[Any], run: int) -> Iterator[str]:
    yield from _arrows(_cursor(screen), _row(screen, run))


def _arrows(start: int, end: int) -> Iterator[str]:
    yield from ["down" if end > start else "up"] * abs(end - start)
