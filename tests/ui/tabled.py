"""A game at the table of ``tests/missions/table.toml``, or beyond it, without the way there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import pytest

from engine.contract import Value
from mission_tui.app import MissionApp
from mission_tui.content.load import load
from mission_tui.content.schema import Mission
from mission_tui.ledger import plays
from mission_tui.play.actions import Move, Pin, Seal
from mission_tui.play.game import Game
from mission_tui.screens.missions import MissionsScreen
from mission_tui.screens.step import StepScreen
from tests.ui.playing import SIZE, Player, on, opened

FOLDER = Path(__file__).parent.parent / "missions"

RUNS: tuple[dict[str, Value], ...] = (
    {},  # #1: the default, ε of 8 and everybody's noise
    {"epsilon": 2.0, "aggregation": "central", "local_epochs": 1},  # #2: what the officer asks
    {"epsilon": 8.0},  # #3: what the lead asks, on edge
    {"epsilon": 1.0},  # #4
)
"""What is run before the talks: each turns some sliders from where the one before left them."""


@cache
def mission(track: str = "edge") -> Mission:
    """The mission of the table."""
    return load(FOLDER / "table.toml").tracks[track]


def play_to_bench(game: Game) -> None:
    """From the start to the workbench of the part with the table."""
    game.go("lock", 0, 0)
    game.act(Seal("least", 2e8, 1e8, 4e8, None, "gradients", 0, 0))
    game.go("workbench", 0, 0)
    game.run()
    game.turn("batch", 4)
    game.run()
    game.go("reveal", 0, 0)
    game.go("claim", 0, 0)
    game.claim(game.draft("peak_memory", 1, 2), (1, 2), "activations", "Layer inputs.")
    game.go("lock", 0, 0)
    game.act(Seal("local", 100.0, 50.0, 500.0, None, "who_adds_noise", 0, 0))
    game.go("workbench", 0, 0)


def play_to_talks(game: Game, pins: Sequence[int] = (1, 2, 3, 4)) -> None:
    """From the start to the table, with four runs."""
    play_to_bench(game)
    for turns in RUNS:
        for control, to in turns.items():
            game.turn(control, to)
        game.run()
    for number in pins:
        game.act(Pin(number))
    game.go("talks", 0, 0)


def play_to_decision(game: Game) -> None:
    """From the start past a table that was won: the officer is met, the lead's want disproved."""
    play_to_talks(game)
    game.act(Move("lead", "disprove", 2))
    game.act(Move("officer", "meet", 2))
    game.go("reveal", 0, 0)
    game.go("claim", 0, 0)
    game.claim(game.draft("run_bound", 3, 4), (3, 4), "promise", "Noise hides the signal.")
    game.go("decision", 0, 0)


@asynccontextmanager
async def resumed(
    saves: Path,
    monkeypatch: pytest.MonkeyPatch,
    to: str = "talks",
    *,
    size: tuple[int, int] = SIZE,
    track: str = "edge",
    pins: Sequence[int] = (1, 2, 3, 4),
    moves: Sequence[Move] = (),
) -> AsyncIterator[tuple[MissionApp, Player]]:
    """The game, resumed at the talks or at the decision."""
    with plays.start(saves, mission(track), "ada", "human") as play:
        if to == "talks":
            play_to_talks(play.game, pins)
        else:
            play_to_decision(play.game)
        for move in moves:
            play.game.act(move)
    monkeypatch.setattr("mission_tui.paths.missions_dir", lambda: FOLDER)
    async with opened(saves, size, student="ada") as (app, pilot):
        await pilot.press("enter")
        await on(pilot, MissionsScreen)
        await pilot.press("1")
        await on(pilot, StepScreen)
        yield app, pilot
