"""The decision by keys, and what the debrief makes of the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import TextArea

from mission_tui.app import MissionApp
from mission_tui.ledger import plays
from mission_tui.play import debriefing
from mission_tui.play.actions import Move
from mission_tui.screens.debrief import DebriefScreen
from mission_tui.screens.decision import PARAGRAPH, DecisionScreen
from mission_tui.widgets.choices import Choices
from tests.ui import tabled
from tests.ui.playing import on, shows, text, until
from tests.ui.test_screens_goldens import is_golden

WORDS = "The lead gets less: tell them first, and why."


def seen(app: MissionApp) -> Any:
    """The screen, whatever it is."""
    return app.screen


async def test_option_and_paragraph_are_filed_in_two_steps(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tabled.resumed(saves, monkeypatch, "decision") as (app, pilot):
        await on(pilot, DecisionScreen)
        await shows(pilot, "Do the cars learn tonight?", "WHAT STANDS")
        is_golden(app, "decision")
        screen = seen(app)
        await pilot.press("ctrl+f")
        await shows(pilot, "Choose first")
        await pilot.press("2", "ctrl+f")
        await shows(pilot, "Defend it: the paragraph")
        await pilot.press("ctrl+g")
        assert isinstance(app.screen, DecisionScreen)
        await pilot.press(*WORDS)
        await pilot.press("ctrl+f")
        await shows(pilot, "You decide: Wait until more cars take part. 9 words", "for good")
        await shows(pilot, WORDS[:30], "Esc changes it")
        assert not screen.game.session.decision
        await pilot.press("escape")
        await shows(pilot, "Nothing is filed")
        await pilot.press("ctrl+f", "ctrl+f")
        await shows(pilot, "◼ DECIDED")
        is_golden(app, "decision-made")
        made = screen.game.session.decision
        assert (made.choice, made.text) == ("wait", WORDS)
        await pilot.press("1", "up", "tab", "x", "down", "1", "tab", "1", "enter", "ctrl+f")
        assert screen.game.session.decision is made
        assert screen.query_one(TextArea).text == WORDS
        await shows(pilot, " 2 ◆")
        assert "▸1 ◇" not in text(app)
        await pilot.press("ctrl+g")
        await on(pilot, DebriefScreen)
        await shows(pilot, "THE MEMORY WALL")


async def test_the_instruction_and_the_focus_agree(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tabled.resumed(saves, monkeypatch, "decision") as (app, pilot):
        await on(pilot, DecisionScreen)
        await shows(pilot, "Press the number of an option: then you write")
        await pilot.press("1")
        await shows(pilot, "Now write", "Ctrl+F shows it back")
        assert app.screen.focused is app.screen.query_one(TextArea)


async def test_what_is_typed_beside_the_paragraph_goes_into_it(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tabled.resumed(saves, monkeypatch, "decision") as (app, pilot):
        await on(pilot, DecisionScreen)
        await pilot.press("1", "tab")  # as the screen once said; the focus stands beside it
        assert app.screen.focused is app.screen.query_one("#right")
        await pilot.press(*"Fifty words")
        paragraph = app.screen.query_one(TextArea)
        assert paragraph.text == "Fifty words"
        assert app.screen.focused is paragraph
        await pilot.press("shift+tab", *"!")  # from the options, too
        assert paragraph.text.endswith("!")
        assert app.screen.query_one(Choices).chosen == "launch"


async def test_the_paragraph_has_the_questions_rows_while_it_is_written(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tabled.resumed(saves, monkeypatch, "decision") as (app, pilot):
        await on(pilot, DecisionScreen)
        paragraph = app.screen.query_one(TextArea)
        before = paragraph.size.height
        await pilot.press("1")
        await shows(pilot, "Now write", gone="Do the cars learn tonight?")
        assert paragraph.size.height > before
        await pilot.press("shift+tab")
        await shows(pilot, "Do the cars learn tonight?")
        await pilot.press("tab", *"Why.", "ctrl+f")
        await shows(pilot, "You decide", gone="YOU DECIDE")


async def test_the_draft_is_saved_as_it_grows_and_found_again(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tabled.resumed(saves, monkeypatch, "decision") as (app, pilot):
        await on(pilot, DecisionScreen)
        screen = seen(app)
        await pilot.press("1", *"Half a")
        await until(pilot, lambda: screen.game.session.state.notes.get(PARAGRAPH, "") == "Half a")
        await pilot.press(*" word", "ctrl+o")  # leaving saves the rest
        await shows(pilot, "MISSIONS")
        await pilot.press("1")
        await on(pilot, DecisionScreen)
        await shows(pilot, "Half a word")


async def test_what_is_pasted_is_safe_to_draw(saves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from textual import events

    async with tabled.resumed(saves, monkeypatch, "decision") as (app, pilot):
        await on(pilot, DecisionScreen)
        await pilot.press("1")
        app.post_message(events.Paste("so\x1b]52;c;QUJD\x07 it is"))
        await shows(pilot, "it is")
        await pilot.pause(0.1)
        assert app.screen.query_one(TextArea).text == "so�]52;c;QUJD� it is"  # and once


async def test_the_debrief_tells_each_party_and_the_decision(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tabled.resumed(saves, monkeypatch, "decision", size=(80, 120)) as (app, pilot):
        await on(pilot, DecisionScreen)
        await pilot.press("2", *"Why not.", "ctrl+f", "ctrl+f", "ctrl+g")
        await on(pilot, DebriefScreen)
        await shows(
            pilot,
            "Privacy officer  ● met",
            "The audit came in March and found what had been promised.",
            "Perception lead  ■ disproved",
            "you wrote   “Noise hides the signal.”",
            "◆ Wait until more cars take part",
            "Why not.",
        )
        assert "RESIDUAL RISK" not in text(app)


def test_the_debrief_names_risks_and_who_was_not_heard(saves: Path) -> None:
    with plays.start(saves, tabled.mission(), "ada", "human") as play:
        tabled.play_to_talks(play.game)
        play.game.act(Move("lead", "waive", None, "signal", 5.0, "fleet chief"))
        for _ in range(3):
            play.game.act(Move("officer", "meet", 3))
        part = play.game.session.part
        blocks = list(debriefing.parties(play.game.session, "privacy", None))
    shown = [block.text for block in blocks if block.kind != "rows"]
    assert "Privacy officer  × left" in shown[0]
    assert shown[1] == part.stakeholders["officer"].endings.left
    assert "Perception lead  ▲ waived" in shown[2]
    assert shown[-1].startswith("▲ RESIDUAL RISK: Signal ≥ 5.00 must still hold")
