"""A game driven by Textual's Pilot, and its screen as plain text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widget import Widget

from mission_tui.app import MissionApp
from mission_tui.content.load import load
from mission_tui.content.schema import Mission
from mission_tui.ledger import plays
from mission_tui.paths import missions_dir
from mission_tui.play.actions import Seal
from mission_tui.screens.briefing import BriefingScreen
from mission_tui.screens.claim import ClaimScreen
from mission_tui.screens.leaving import LeavingScreen
from mission_tui.screens.live import LiveScreen
from mission_tui.screens.lock import LockScreen
from mission_tui.screens.missions import MissionsScreen
from mission_tui.screens.reveal import RevealScreen
from mission_tui.screens.title import TitleScreen
from mission_tui.screens.workbench import WorkbenchScreen

MISSION = "memory-wall"
SIZE = (80, 24)
PATIENCE = 400
"""Turns of 20 ms after which what does not come is a failure."""

Player = Pilot[None]


@asynccontextmanager
async def opened(
    saves: Path, size: tuple[int, int] = SIZE, **asked: Any
) -> AsyncIterator[tuple[MissionApp, Player]]:
    """The game at its title."""
    app = MissionApp(saves, **asked)
    app.animation_level = "none"  # reduced motion: the briefing stands at once
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, TitleScreen) and app._loaded)
        yield app, pilot


@asynccontextmanager
async def at_briefing(
    saves: Path, size: tuple[int, int] = SIZE, track: str = "edge", mission: str = MISSION
) -> AsyncIterator[tuple[MissionApp, Player]]:
    """The game at a briefing."""
    asked = {"mission": mission, "track": track, "student": "ada"}
    async with opened(saves, size, **asked) as (app, pilot):
        await pilot.press("enter")
        await on(pilot, BriefingScreen)
        yield app, pilot


@cache
def _edge() -> Mission:
    return load(missions_dir() / f"{MISSION}.toml").tracks["edge"]


def saved_at(saves: Path, screen: str, driver: str = "human") -> None:
    """Leave a play of ada's at a screen; from the reveal on with two runs of different batch."""
    with plays.start(saves, _edge(), "ada", driver) as opened:
        game = opened.game
        game.go("lock", 0, 0)
        if screen == "lock":
            return
        game.act(Seal("least", 4e8, 4e8 / 1.5, 6e8, None, "activations", 0, 0))
        game.go("workbench", 0, 0)
        if screen == "workbench":
            return
        game.run()
        game.turn("batch", 16)
        game.run()
        game.go("reveal", 0, 0)
        if screen == "claim":
            game.go("claim", 0, 0)


@asynccontextmanager
async def resumed(
    saves: Path, screen: str, size: tuple[int, int] = SIZE
) -> AsyncIterator[tuple[MissionApp, Player]]:
    """The game, resumed at a screen: much quicker than the way there by keys."""
    saved_at(saves, screen)
    async with opened(saves, size, student="ada") as (app, pilot):
        await pilot.press("enter")
        await on(pilot, MissionsScreen)
        await pilot.press("1")
        shown = {"lock": LockScreen, "workbench": WorkbenchScreen, "reveal": RevealScreen}
        await on(pilot, shown.get(screen, ClaimScreen))
        if screen == "workbench":
            await measured(pilot)
        yield app, pilot


async def until(pilot: Player, holds: Callable[[], bool]) -> None:
    """Let the game work until ``holds()``."""
    for _ in range(PATIENCE):
        await pilot.pause()
        if holds():
            return
        await pilot.pause(0.02)
    raise AssertionError(f"it never came; the screen is\n{text(pilot.app)}")


async def on(pilot: Player, screen: type[Widget]) -> None:
    """Wait for a screen, mounted and drawn."""
    await until(pilot, lambda: isinstance(pilot.app.screen, screen) and pilot.app.screen.is_mounted)


async def shows(pilot: Player, *words: str, gone: str | None = None) -> None:
    """Wait until the screen has these words."""
    await until(
        pilot,
        lambda: (
            all(word in text(pilot.app) for word in words)
            and not (gone and gone in text(pilot.app))
        ),
    )


async def to_lock(pilot: Player) -> None:
    """From the briefing."""
    while isinstance(pilot.app.screen, BriefingScreen):
        await pilot.press("enter")
        await pilot.pause()
    await on(pilot, LockScreen)


async def seal(pilot: Player) -> None:
    """Predict 400, times and over 1.5, for the fourth reason."""
    await pilot.press(*"400", "up", "up", "up", "enter", "4", "enter", "enter")
    await shows(pilot, "SEALED")


async def to_workbench(pilot: Player) -> None:
    """From the briefing, through a lock."""
    await to_lock(pilot)
    await seal(pilot)
    await pilot.press("enter")
    await on(pilot, WorkbenchScreen)
    await measured(pilot)


async def measured(pilot: Player) -> None:
    """Wait until the workbench has measured where its sliders stand, and has drawn it."""
    screen = pilot.app.screen
    assert isinstance(screen, LiveScreen)
    wanted = lambda: screen.game.session.request(screen.game.setting)  # noqa: E731
    await until(
        pilot,
        lambda: (
            screen._measuring is None
            and screen._later is None
            and screen._seen is not None
            and "accuracy" in screen._seen.metrics
            and wanted() is not None
        ),
    )


async def record_run(pilot: Player, number: int) -> None:
    """Commit the sliders."""
    await pilot.press("enter")
    await shows(pilot, f"RUN #{number} RECORDED")


async def two_runs(pilot: Player) -> None:
    """From the workbench at its default: two runs that differ in the batch alone."""
    await record_run(pilot, 1)
    await pilot.press("down", "left")
    await measured(pilot)
    await record_run(pilot, 2)
    await pilot.press("up")
    await measured(pilot)


async def leave_bench(pilot: Player) -> None:
    """On from a part that no run meets: what follows is said, and Enter goes on."""
    await pilot.press("ctrl+g")
    await on(pilot, LeavingScreen)
    await pilot.press("enter")


async def to_reveal(pilot: Player) -> None:
    """From the workbench with two runs."""
    await leave_bench(pilot)
    await on(pilot, RevealScreen)
    await shows(pilot, "THE ENGINE SAYS")


async def to_claim(pilot: Player) -> None:
    """From the reveal."""
    await pilot.press("enter")
    await on(pilot, ClaimScreen)
    await shows(pilot, "YOUR CLAIM")


async def claim(pilot: Player) -> None:
    """File the claim about runs #1 and #2, rightly."""
    await pilot.press("a", "down", "b", "tab", "4", "ctrl+f")
    await shows(pilot, "VERIFIED")


def text(app: Any) -> str:
    """The screen as it is drawn: its strips' texts, without the blanks at their ends."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)
