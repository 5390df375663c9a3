"""The table by keys: what is said, what is answered, and what a key can't do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult

from mission_tui.app import MissionApp
from mission_tui.play.actions import Move
from mission_tui.screens.help import HelpScreen
from mission_tui.screens.live import LiveScreen
from mission_tui.screens.panel import PanelScreen
from mission_tui.screens.reveal import RevealScreen
from mission_tui.screens.talks import Party, Seat, TalksScreen
from mission_tui.screens.workbench import WorkbenchScreen
from mission_tui.widgets.keybar import KeyBar
from tests.ui import tabled
from tests.ui.playing import Player, on, shows, text, until
from tests.ui.test_screens_goldens import is_golden

PRIVATE = ("reserve", "weight", "floor", "aspir")


def game(app: MissionApp) -> Any:
    screen = app.screen
    assert isinstance(screen, TalksScreen)
    return screen.game


def table(app: MissionApp) -> Any:
    return game(app).session.state.table


async def hears(pilot: Player, *words: str) -> None:
    """Wait until the talk or the coach's line says these words, however they are broken."""

    def said() -> str:
        names = ("whom", "speech", "facts", "coach")
        return " ".join(str(pilot.app.screen.query_one(f"#{name}").render()) for name in names)

    await until(pilot, lambda: all(word in " ".join(said().split()) for word in words))


async def choose(pilot: Player, run: int) -> None:
    """Put the cursor on a run."""
    await pilot.press("home", *["down"] * (run - 1))
    await shows(pilot, f" WITH #{run}")


async def test_a_run_is_shown_said_and_met(saves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tabled.resumed(saves, monkeypatch) as (app, pilot):
        await shows(pilot, "PRIVACY OFFICER", "6 of 6 left", "ON THE TABLE  nothing yet")
        is_golden(app, "talks")
        await choose(pilot, 2)
        await shows(pilot, "2.00 █████│", "holds")
        await pilot.press("m")
        await hears(pilot, "run #2 gives you all that you ask", "1 of 6 turns", "Enter sends it")
        assert table(app).turns == 0  # nothing is said before Enter
        is_golden(app, "talks-draft")
        await pilot.press("enter")
        await shows(pilot, "“That I can sign.”", "● met", "5 of 6 left", "Run #2 lies on the table")
        is_golden(app, "talks-met")
        assert table(app).run == 2
        await pilot.press("enter", "m", "t", "d", "w")  # the officer is settled: nothing happens
        assert table(app).turns == 1


async def test_escape_says_nothing_and_another_run_takes_the_draft_away(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tabled.resumed(saves, monkeypatch) as (app, pilot):
        await pilot.press("m")
        await shows(pilot, "Enter sends it")
        await pilot.press("escape")
        await shows(pilot, "Nothing was said.", gone="Enter sends it")
        await pilot.press("t")
        await shows(pilot, "Enter sends it")
        await pilot.press("up")
        await shows(pilot, "Another run", gone="Enter sends it")
        await pilot.press("enter")
        await shows(pilot, "Say what? m, t, d or w.")
        assert table(app).turns == 0


async def test_a_refused_trade_is_countered(saves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tabled.resumed(saves, monkeypatch, track="mobile") as (app, pilot):
        await choose(pilot, 3)
        await pilot.press("t", "enter")
        await shows(
            pilot,
            "Keep the promise as I asked",
            "#3 lacks ε: 8.00",
            "They ask now: ε ≤ 1.00, Passes ≤",
            "patience ●●○ 2",
        )
        is_golden(app, "talks-countered")
        assert table(app).stands["officer"].demand == {"epsilon": 1.0, "work": 200e3}


async def test_a_trade_is_accepted_and_wins(saves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tabled.resumed(saves, monkeypatch, track="mobile") as (app, pilot):
        await choose(pilot, 2)
        await pilot.press("t", "enter")
        await shows(pilot, "◆ traded", "and enough. I sign.")
        await pilot.press("tab", "m", "enter")
        await hears(pilot, "The table is closed: all are heard.", "^g goes on")
        assert table(app).won


async def test_a_proof_with_a_loose_slider_is_none_and_one_at_the_corner_is(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tabled.resumed(saves, monkeypatch) as (app, pilot):
        await pilot.press("2")
        await choose(pilot, 4)
        await pilot.press("d")
        await hears(pilot, "as good as it gets", "a refusal, 1 of 2 patience")
        await hears(pilot, "A proof: every slider")
        assert "Proof with" not in text(app)  # which end that is, a try has to show
        await pilot.press("enter")
        await hears(pilot, "That is no proof: ε could still move in their favour.")
        await shows(pilot, "patience ●○ 1")
        is_golden(app, "talks-no-proof")
        await pilot.press("home", "down", "up")
        await hears(pilot, "Proof with #1: 0 of 2 sliders", "ε and Noise by could still move")
        await pilot.press("down")
        await hears(pilot, "Proof with #2: 2 of 2", "keep what the Privacy officer asks, and does")
        await pilot.press("d")
        await hears(pilot, "run #2", "and they leave for good")
        await pilot.press("enter")
        await hears(pilot, "The arithmetic is against me", "the signal is as good as it gets")
        await shows(pilot, "■ disproved", "4 of 6 left")
        assert table(app).run is None


async def test_the_last_patience_is_gone_with_a_refusal(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tabled.resumed(saves, monkeypatch) as (_, pilot):
        await pilot.press("2")
        await choose(pilot, 4)
        await pilot.press("m", "enter")
        await hears(pilot, "That is not what the cars need", "#4 lacks Signal: 12.4")
        await pilot.press("d", "enter")
        await hears(pilot, "has left the table for good", "ε could still move")
        await shows(pilot, "× left")


async def test_a_waiver_asks_for_want_threshold_and_owner(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tabled.resumed(saves, monkeypatch) as (app, pilot):
        await pilot.press("tab", "w")
        await shows(pilot, "WAIVE A WANT OF THE PERCEPTION LEAD", "Which want?")
        await pilot.press("down", "enter")
        await shows(pilot, "2 ◆", "as in 25.0 %")
        await pilot.press("shift+tab", "1")
        await shows(pilot, "Type a number that later designs must keep, as in 30.0; then Enter.")
        await pilot.press("enter")
        await shows(pilot, "Write a number")
        await pilot.press(*"16", "tab", "enter")
        await shows(pilot, "A risk has an owner: say who.")
        await pilot.press(*"fleet chief")
        is_golden(app, "talks-waiver")
        await pilot.press("enter")
        await shows(pilot, "Signal ≥ 16.0", "fleet chief owns the risk", "Enter sends it")
        assert table(app).turns == 0
        await pilot.press("escape")
        await shows(pilot, "STILL KEPT", "16", "fleet chief")  # kept, to be changed
        await pilot.press("enter", "enter")
        await shows(pilot, "▲ waived: Signal", "“On your head, not on mine.”", "wins nothing")
        assert table(app).stands["lead"].kept == {"signal": 16.0}
        await pilot.press("tab")
        await choose(pilot, 4)
        await pilot.press("m")  # its signal is 12.4
        await shows(pilot, "breaks your own waiver on Signal")
        assert table(app).turns == 1


async def test_a_new_design_reopens_what_it_breaks(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tabled.resumed(saves, monkeypatch) as (app, pilot):
        await choose(pilot, 2)
        await pilot.press("m", "enter")
        await shows(pilot, "● met")
        await pilot.press("tab")
        await choose(pilot, 3)
        await pilot.press("m", "enter")
        await hears(pilot, "The Privacy officer is open again", "not the design we agreed on")
        await shows(pilot, "ON THE TABLE  #3")
        is_golden(app, "talks-reopened")
        assert table(app).open == ("officer",)
        await pilot.press("i")
        await on(pilot, PanelScreen)
        await shows(pilot, "TURN 2 with #3", "“Good. That learns.”")
        await pilot.press("escape", "1", "i")
        await shows(pilot, "TURN 1 with #2", "TURN 2, to another")


async def test_a_closed_table_goes_on_to_the_reveal_and_not_before(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [Move("lead", "disprove", 2)]
    async with tabled.resumed(saves, monkeypatch, moves=said) as (app, pilot):
        await pilot.press("ctrl+g")
        await pilot.pause()
        assert isinstance(app.screen, TalksScreen)
        await choose(pilot, 2)
        await pilot.press("m", "enter")
        await hears(pilot, "The table is closed: all are heard.", "^g goes on")
        await pilot.press("ctrl+g")
        await on(pilot, RevealScreen)


async def test_six_turns_and_the_table_is_closed_whoever_is_open(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [Move("officer", "meet", 2), Move("lead", "meet", 3)] * 2 + [Move("officer", "meet", 2)]
    async with tabled.resumed(saves, monkeypatch, moves=said) as (app, pilot):
        await shows(pilot, "1 of 6 left", "SAY TO THE PERCEPTION LEAD")
        await choose(pilot, 3)
        await pilot.press("m", "enter")
        await hears(pilot, "The table is closed: it is not won.", "^g goes on")
        await shows(pilot, "0 of 6 left")
        await pilot.press("tab", "m", "w")
        await shows(pilot, "THE TABLE IS CLOSED", "○ not settled  Privacy officer")
        assert table(app).turns == 6


async def test_only_a_pinned_run_is_shown_and_p_pins(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tabled.resumed(saves, monkeypatch, pins=()) as (_, pilot):
        await shows(pilot, "Only a pinned run may be shown")
        await choose(pilot, 2)
        await pilot.press("m")
        await shows(pilot, "Run #2 is not pinned")
        await pilot.press("p")
        await shows(pilot, "● #2", "Run #2 is pinned.")
        await pilot.press("m", "enter")
        await shows(pilot, "● met")


async def test_the_bench_and_back_keeps_what_was_said(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [Move("officer", "trade", 3)]
    async with tabled.resumed(saves, monkeypatch, moves=said) as (app, pilot):
        await shows(pilot, "Keep the promise as I asked", "patience ●●○ 2", "≤ 200 k")
        await pilot.press("b")
        await on(pilot, WorkbenchScreen)
        assert not isinstance(app.screen, LiveScreen)
        await pilot.press("ctrl+g")
        await on(pilot, TalksScreen)
        await shows(pilot, "Keep the promise as I asked", "5 of 6 left")


async def test_what_is_private_is_never_shown(saves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tabled.resumed(saves, monkeypatch, size=(120, 40)) as (app, pilot):
        seen = []
        for keys in (["t", "enter"], ["i"], ["escape", "tab", "i"], ["escape", "w"]):
            await pilot.press(*keys)
            await pilot.pause(0.05)
            seen.append(text(app))
        part = game(app).session.part if isinstance(app.screen, TalksScreen) else None
        assert part is not None
        said = "\n".join(seen).lower()
        assert not [word for word in PRIVATE if word in said]
        for party in part.stakeholders.values():
            for want in party.wants.values():
                assert f"{want.weight:g}" not in said


async def test_at_120_columns_runs_and_words_stand_beside_the_parties(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [Move("lead", "meet", 4)]
    async with tabled.resumed(saves, monkeypatch, size=(120, 40), moves=said) as (app, pilot):
        await shows(pilot, "SAID SO FAR", "Perception lead, #4", "regulator reads what I sign")
        rows = text(app).splitlines()
        assert any("PRIVACY OFFICER" in row and "RUNS  ● pinned" in row for row in rows[:6])
        await pilot.press("tab")  # all words of each stand there, and so no ellipsis
        assert "…" not in "\n".join(row[:80] for row in rows if "“" in row)


async def test_the_mouse_chooses_parties_and_presses_the_keys(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tabled.resumed(saves, monkeypatch) as (app, pilot):
        await shows(pilot, "SAY TO THE PRIVACY OFFICER")
        rows = text(app).splitlines()
        at = next(y for y, row in enumerate(rows) if "2 PERCEPTION LEAD" in row)
        await pilot.click(offset=(10, at))
        await shows(pilot, "SAY TO THE PERCEPTION LEAD")
        run = next(y for y, row in enumerate(text(app).splitlines()) if "#2 " in row)
        await pilot.click(offset=(6, run))
        await shows(pilot, "WITH #2")
        await pilot.click(KeyBar, offset=(text(app).splitlines()[-1].index("Disprove"), 0))
        await hears(pilot, "as good as it gets", "Enter sends it")
        await pilot.click(KeyBar, offset=(text(app).splitlines()[-1].index("Send"), 0))
        await shows(pilot, "■ disproved")


async def test_help_says_what_each_move_is(saves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tabled.resumed(saves, monkeypatch, size=(100, 60)) as (_, pilot):
        await pilot.press("question_mark")
        await on(pilot, HelpScreen)
        await shows(pilot, "wins nothing", "Only exact accounting", "Disprove")


async def test_without_colour_marks_and_words_say_it(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with tabled.resumed(saves, monkeypatch) as (_, pilot):
        await shows(pilot, "▸1 PRIVACY OFFICER", "▸● #4", "○ open", "holds", "lacks")
        await pilot.press("tab")
        await shows(pilot, "▸2 PERCEPTION LEAD")


async def test_nothing_of_a_party_is_drawn_as_it_was_written() -> None:
    """Every text of a seat is a mission's; the tour in a real terminal is a long test."""
    evil = "evil\x1bc\u202e\x9b2J"

    class Room(App[None]):
        def compose(self) -> ComposeResult:
            yield Party(1)

    async with Room().run_test(size=(120, 24)) as pilot:
        party = pilot.app.query_one(Party)
        for chosen in (True, False):
            party.show(Seat(1, evil, evil, evil, evil, (), chosen, None))
            await pilot.pause()
            shown = text(pilot.app)
            assert shown.count("evil") + shown.count("EVIL") == 4
            assert not {"\x1b", "\u202e", "\x9b"} & set(shown)
