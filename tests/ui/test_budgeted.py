"""A budgeted workbench: the crisis as it was found, runs that stream in, views, differences."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mission_tui.app import MissionApp
from mission_tui.content.load import load
from mission_tui.ledger import plays
from mission_tui.play.actions import Seal
from mission_tui.screens.budgeted import BudgetedScreen
from mission_tui.screens.missions import MissionsScreen
from tests.ui import playing
from tests.ui.playing import Player, on, shows, until

MISSIONS = Path(__file__).parents[1] / "missions"


@asynccontextmanager
async def at_bench(
    saves: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int] = playing.SIZE
) -> AsyncIterator[tuple[MissionApp, Player]]:
    """A play of the small fleet, resumed at its workbench."""
    monkeypatch.setenv("MISSION_TUI_MISSIONS", str(MISSIONS))
    mission = load(MISSIONS / "small-fleet.toml").tracks["edge"]
    with plays.start(saves, mission, "ada", "human") as opened:
        opened.game.go("lock", 0, 0)
        opened.game.act(Seal("lost", 30.0, 20.0, 40.0, None, "selection", 0, 0))
        opened.game.go("workbench", 0, 0)
    async with playing.opened(saves, size, student="ada") as (app, pilot):
        await pilot.press("enter")
        await on(pilot, MissionsScreen)
        await pilot.press("1")
        await on(pilot, BudgetedScreen)
        await app.workers.wait_for_complete()
        await shows(pilot, "FORGOTTEN", gone="measuring")
        yield app, pilot


def journal_kinds(app: MissionApp) -> list[str]:
    assert app._play is not None
    return [event.kind for event in app._play.journal.events]


async def test_it_opens_on_the_crisis_which_is_no_run(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_bench(saves, monkeypatch) as (app, pilot):
        await shows(pilot, "FORGOTTEN", "Enter commits a run")
        assert "run" not in journal_kinds(app)


@pytest.mark.soak
async def test_sliders_move_labels_alone_until_a_run_is_committed(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_bench(saves, monkeypatch) as (app, pilot):
        before = [line[31:] for line in playing.text(app).splitlines()[2:19]]
        await pilot.press("left", "left", "left")
        await shows(pilot, "17 passes", "Enter commits run #1, 10 left: ", "20 passes → 17 passes")
        assert [line[31:] for line in playing.text(app).splitlines()[2:19]] == before
        await pilot.press("enter")
        await shows(pilot, "RUN #1 RECORDED", "9 runs left")
        assert [line[31:] for line in playing.text(app).splitlines()[2:19]] != before
        await pilot.press("left")
        await shows(pilot, "Enter commits run #2, 9 left: ", "17 passes → 16 passes")
        await pilot.press("right")
        await shows(pilot, "Enter commits run #2, 9 left: as #1 was.")


async def test_second_instrument_stands_beside_from_120_columns_and_takes_turns_below(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_bench(saves, monkeypatch) as (app, pilot):
        first, second = app.screen.query_one("#right"), app.screen.query_one("#beside")
        assert first.display
        assert not second.display
        await pilot.press("v")
        await until(pilot, lambda: second.display and not first.display)
        await shows(pilot, "dust recall")
        await pilot.resize_terminal(120, 36)
        await until(pilot, lambda: first.display and second.display)


@pytest.mark.soak
async def test_difference_shows_what_was_moved_and_what_moved(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_bench(saves, monkeypatch) as (app, pilot):
        await pilot.press("d")
        await shows(pilot, "needs two runs")
        for number in (1, 2):
            await pilot.press("left", "enter")
            await shows(pilot, f"RUN #{number} RECORDED")
        await pilot.press("d")
        await shows(pilot, "From run #1 to #2", "19 passes", "18 passes", "points")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, BudgetedScreen))
        await pilot.press("w")
        await shows(pilot, "largest", "drift")


@pytest.mark.soak
async def test_after_the_last_run_the_best_one_stands_and_the_play_goes_on(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_bench(saves, monkeypatch) as (app, pilot):
        for number in range(1, 11):
            await pilot.press("left", "enter")
            await until(pilot, lambda n=number: journal_kinds(app).count("run_end") == n)  # type: ignore[misc]
        await shows(pilot, "No runs left", "breaks a limit")
        await pilot.press("left", "enter")
        await shows(pilot, "No runs left")
        await playing.leave_bench(pilot)
        await shows(pilot, "THE ENGINE SAYS")
