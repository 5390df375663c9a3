"""The claim by keys: what is said of it stays true, and is found again."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import OptionList

from mission_tui.screens.claim import ClaimScreen
from mission_tui.screens.debrief import DebriefScreen
from mission_tui.widgets.choices import Choices
from tests.ui import playing
from tests.ui.playing import on, shows, text


async def test_enter_goes_on_from_a_verified_claim_wherever_the_focus_is(saves: Path) -> None:
    async with playing.resumed(saves, "claim") as (app, pilot):
        await playing.claim(pilot)
        await shows(pilot, "Enter goes on.")
        await pilot.press("tab")
        assert isinstance(app.screen.focused, Choices)
        await pilot.press("1", "down")  # what was filed stands
        assert "4 ◆" in text(app)
        await pilot.press("enter")
        await on(pilot, DebriefScreen)


async def test_enter_marks_and_chooses_as_long_as_nothing_is_filed(saves: Path) -> None:
    async with playing.resumed(saves, "claim") as (app, pilot):
        await pilot.press("enter", "down", "enter")
        await shows(pilot, "a #1", "b #2")
        await pilot.press("tab", "down", "enter")
        await shows(pilot, "2 ◆", "Ctrl+F files it")
        assert isinstance(app.screen, ClaimScreen)


async def test_a_filed_claim_is_found_again_with_its_sentence(saves: Path) -> None:
    async with playing.resumed(saves, "claim") as (app, pilot):
        await playing.claim(pilot)
        before = text(app).split("BECAUSE")[0]
        await pilot.press("ctrl+o")
        await shows(pilot, "WHERE YOU STOPPED")
        await pilot.press("1")
        await on(pilot, ClaimScreen)
        await shows(pilot, "VERIFIED", "a #1", "b #2", "4 ◆")
        assert "Mark two runs" not in text(app)
        assert text(app).split("BECAUSE")[0] == before


async def test_where_it_would_flip_is_asked_for_in_words_that_fit(saves: Path) -> None:
    async with playing.resumed(saves, "claim") as (app, pilot):
        await shows(pilot, "FLIPS IF", "or never")
        await pilot.press("tab", "tab", "tab")
        assert app.screen.focused is app.screen.query_one("#flip")
        await shows(pilot, "Optional: past which value")
        await pilot.press("tab")
        assert isinstance(app.screen.focused, OptionList)
