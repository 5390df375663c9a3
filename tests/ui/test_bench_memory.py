"""What the workbench remembers: runs and codes, any two runs, what a step changes, the coach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, TextArea

from mission_tui.app import MissionApp
from mission_tui.play import runcode
from mission_tui.screens.budgeted import BudgetedScreen
from mission_tui.screens.claim import ClaimScreen
from mission_tui.screens.decision import DecisionScreen
from mission_tui.screens.live import LiveScreen
from tests.ui import playing, tabled
from tests.ui.playing import on, record_run, shows, text, until
from tests.ui.test_budgeted import at_bench, journal_kinds


def bench(app: MissionApp) -> Any:
    """The screen, whatever it is."""
    return app.screen


async def test_the_table_lists_runs_and_a_code_brings_back_a_setting(saves: Path) -> None:
    async with playing.resumed(saves, "workbench") as (app, pilot):
        await record_run(pilot, 1)
        game = bench(app).game
        code = runcode.write(game.session, game.setting)
        await pilot.press("down", "left")
        await playing.measured(pilot)
        await record_run(pilot, 2)
        await pilot.press("t")
        await shows(pilot, "The runs", f"code {code}", "✗ fails", "#2 full · 16 · Adam")
        await pilot.press("t", "c")
        await shows(pilot, "Run code", "Run #2 is")
        await pilot.press(*code.lower(), "enter")
        await shows(pilot, "The sliders stand where that code says", "32 samples")
        assert game.setting["batch"] == 32
        await playing.measured(pilot)
        await pilot.press("c", *"0000-0001", "enter")
        await shows(pilot, "No: that run code has a typo")
        await pilot.press("c", "escape")
        await until(pilot, lambda: isinstance(app.screen, LiveScreen))
        assert game.setting["batch"] == 32


async def test_any_two_runs_stand_beside_each_other(saves: Path) -> None:
    async with playing.resumed(saves, "workbench") as (app, pilot):
        await record_run(pilot, 1)
        for number in (2, 3):
            await pilot.press("down", "left", "up")
            await playing.measured(pilot)
            await record_run(pilot, number)
        await pilot.press("d")
        await shows(pilot, "From run #2 to #3", "a, b: other runs", "16 samples")
        await pilot.press("a")
        await shows(pilot, "From run #1 to #3", "32 samples")
        await pilot.press("b")
        await shows(pilot, "From run #1 to #2")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, LiveScreen))


async def test_a_step_of_each_slider_is_tried_for_nothing(saves: Path) -> None:
    async with playing.resumed(saves, "workbench") as (app, pilot):
        before = journal_kinds(app)
        await pilot.press("s")
        await shows(pilot, "One step of one slider", "Batch ▼ 16 samples", "Peak memory −1.33 GB")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, LiveScreen))
        assert journal_kinds(app) == before


@pytest.mark.soak
async def test_a_probe_costs_a_run_and_leaves_the_sliders(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_bench(saves, monkeypatch) as (app, pilot):
        game = bench(app).game
        before = dict(game.setting)
        await pilot.press("s")
        await shows(pilot, "It costs a run, like any other; 10 left")
        await pilot.press("escape")
        assert "run" not in journal_kinds(app)
        await pilot.press("s")
        await shows(pilot, "1 ◇")
        await pilot.press("1")
        await shows(pilot, "RUN #1 RECORDED", "9 runs left")
        assert game.setting == before
        moved = game.session.state.runs[0].setting
        assert sum(moved[name] != before[name] for name in before) == 1
        assert isinstance(app.screen, BudgetedScreen)


@pytest.mark.soak
async def test_the_coach_says_what_it_notices(saves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_bench(saves, monkeypatch) as (app, pilot):
        await shows(pilot, "Sealed faster than it reads.")
        await pilot.press("enter")
        await shows(pilot, "RUN #1 RECORDED")
        await pilot.press("left", "down", "left", "enter")
        await shows(pilot, "RUN #2 RECORDED, 8 left. 2 sliders moved since #1: which one did it?")
        await pilot.press("enter")
        await shows(pilot, "RUN #3 RECORDED, 7 left. Run #2 was this very setting.")
        hints = len(bench(app).game.session.part.hints)
        await pilot.press("h", "h", "h", "h")
        if hints > 1:
            await shows(pilot, "Two hints in one breath")


async def test_a_claim_may_say_where_it_would_flip(saves: Path) -> None:
    async with playing.resumed(saves, "claim") as (app, pilot):
        await on(pilot, ClaimScreen)
        line = app.screen.query_one("#flip", Input)
        await shows(pilot, "FLIPS IF   Batch … or never")
        await pilot.press("a", "down", "b")
        line.focus()
        await pilot.press(*"soon", "ctrl+f")
        await shows(pilot, "And why?")
        await pilot.press("4", "ctrl+f")
        await shows(pilot, "Not yet: name a slider")
        line.value = "batch 64"
        await shows(pilot, "It would flip if Batch passed 64")
        await pilot.press("ctrl+f")
        await shows(pilot, "○ flip: it never turns along Batch")
        line.value = "batch never"
        await pilot.press("ctrl+f")
        await shows(pilot, "VERIFIED", "flip point hold")
        filed = bench(app).game.session.state.claims
        assert [claim.verified for claim in filed] == [False, True]
        assert filed[-1].claim.flip.turns == ()


async def test_a_measured_metric_has_no_flip_point(saves: Path) -> None:
    async with playing.resumed(saves, "claim") as (app, pilot):
        field = app.screen.query_one("#flips")
        assert field.display
        await pilot.press("m")
        await until(pilot, lambda: not field.display)
        await pilot.press("m")
        await until(pilot, lambda: bool(field.display))


async def test_numbers_of_the_paragraph_are_told_where_they_are_from(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tabled.resumed(saves, monkeypatch, "decision") as (app, pilot):
        await on(pilot, DecisionScreen)
        assert "YOUR NUMBERS" not in text(app)
        app.screen.query_one(TextArea).text = "It takes 42 ms and 536 MB."
        await shows(pilot, "YOUR NUMBERS", "42 ms: in none of the", "536 MB = Peak memory")


async def test_all_keys_of_the_bench_fit_at_eighty_columns(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_bench(saves, monkeypatch) as (app, pilot):
        row = text(app).splitlines()[-1]
        assert "^g Done" in row
        assert "? help" in row
        await pilot.press("question_mark")
        await until(pilot, lambda: "commits a probe" in json.dumps(texts_of(app)))


def texts_of(app: MissionApp) -> list[str]:
    """Every text of the help page."""
    return [str(widget._page) for widget in [app.screen] if hasattr(widget, "_page")]
