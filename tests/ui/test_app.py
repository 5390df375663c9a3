"""The game's own promises: locks that gate, keys that work, a play that is never lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mission_tui.app import MissionApp
from mission_tui.cli import main
from mission_tui.screens.briefing import BriefingScreen
from mission_tui.screens.help import HelpScreen
from mission_tui.screens.lock import LockScreen
from mission_tui.screens.messages import Go
from mission_tui.screens.missions import MissionsScreen
from mission_tui.screens.persona import PersonaScreen
from mission_tui.screens.small import SmallScreen
from mission_tui.screens.title import TitleScreen
from mission_tui.screens.who import WhoScreen
from mission_tui.screens.workbench import WorkbenchScreen
from mission_tui.widgets.choices import Choices
from mission_tui.widgets.masthead import Masthead
from mission_tui.widgets.slider import Slider
from tests.ui import playing
from tests.ui.playing import Player, on, shows, text, until


def kinds(app: MissionApp) -> list[str]:
    assert app._play is not None
    return [event.kind for event in app._play.journal.events]


# -- the lock ---------------------------------------------------------------------------------


async def test_first_lock_is_five_keys_and_a_name_away(saves: Path) -> None:
    async with playing.opened(saves) as (_, pilot):
        keys = 0
        for press, screen in (
            (("enter",), WhoScreen),
            (("enter",), MissionsScreen),
            (("1",), PersonaScreen),
            (("2",), BriefingScreen),
            (("enter",), LockScreen),
        ):
            if screen is MissionsScreen:
                await pilot.press(*"ada")
            await pilot.press(*press)
            keys += len(press)
            await on(pilot, screen)
        assert keys == 5


async def test_lock_opens_with_nothing_chosen_and_seals_only_when_all_three_are_given(
    saves: Path,
) -> None:
    async with playing.resumed(saves, "lock") as (app, pilot):
        assert [choices.chosen for choices in app.screen.query(Choices)] == [None]
        assert [choices.cursor for choices in app.screen.query(Choices)] == [None]
        assert app.screen.query_one("#value").value == ""
        await pilot.press("enter", "enter")
        assert "lock" not in kinds(app)
        await pilot.press(*"400", "enter", "enter")  # a number without a band
        assert "lock" not in kinds(app)
        await shows(pilot, "Widen the band")
        await pilot.press("up", "enter", "enter")  # and no why
        assert "lock" not in kinds(app)
        assert isinstance(app.screen, LockScreen)
        await pilot.press("4")
        assert "lock" not in kinds(app)
        await pilot.press("enter")
        assert "lock" not in kinds(app)
        await shows(pilot, "seals it for good")
        await pilot.press("enter")
        await shows(pilot, "SEALED")
        assert kinds(app)[-1] == "lock"


@pytest.mark.parametrize("typed", ["many", "nan", "1e999", "12 parsecs", "..", "-"])
async def test_number_that_is_none_is_answered_in_words(saves: Path, typed: str) -> None:
    async with playing.resumed(saves, "lock") as (app, pilot):
        app.screen.query_one("#value").value = typed
        await pilot.press("up", "enter", "4", "enter")
        await pilot.pause()
        assert "lock" not in kinds(app)
        assert isinstance(app.screen, LockScreen)


@pytest.mark.parametrize("screen", ["workbench", "reveal", "claim", "debrief", "nowhere"])
async def test_nothing_behind_the_lock_can_be_reached_before_it_is_sealed(
    saves: Path, screen: str
) -> None:
    async with playing.resumed(saves, "lock") as (app, pilot):
        before = kinds(app)
        app.screen.post_message(Go(screen))
        await pilot.pause()
        await pilot.pause(0.05)
        assert isinstance(app.screen, LockScreen)
        assert kinds(app) == before


async def test_sealed_lock_cannot_be_changed(saves: Path) -> None:
    async with playing.resumed(saves, "lock") as (app, pilot):
        await playing.seal(pilot)
        assert not app.screen.query("#value")
        assert not app.screen.query(Choices)
        await pilot.press("enter")
        await on(pilot, WorkbenchScreen)
        app.screen.post_message(Go("lock"))
        await pilot.pause()
        await pilot.pause(0.05)
        assert isinstance(app.screen, WorkbenchScreen)
        assert kinds(app).count("lock") == 1


# -- going on --------------------------------------------------------------------------------


@pytest.mark.parametrize("driver", ["human", "plain"])
async def test_asked_for_by_name_an_open_play_goes_on(saves: Path, driver: str) -> None:
    playing.saved_at(saves, "workbench", driver)
    asked = {"mission": playing.MISSION, "track": "edge", "student": "ada"}
    async with playing.opened(saves, **asked) as (app, pilot):
        await pilot.press("enter")
        await on(pilot, WorkbenchScreen)
        assert app._play.game.session.header["driver"] == driver
    assert len(list(saves.rglob("*.jsonl"))) == 1


async def test_a_play_begun_line_by_line_is_offered_and_a_bots_is_not(saves: Path) -> None:
    playing.saved_at(saves, "workbench", "bot:reference")
    playing.saved_at(saves, "workbench", "plain")
    async with playing.opened(saves, student="ada") as (app, pilot):
        await pilot.press("enter")
        await on(pilot, MissionsScreen)
        waiting, finished = app._plays()
        assert len(waiting) == 1
        assert not finished


# -- mouse, help, palette ---------------------------------------------------------------------


async def test_mouse_alone_goes_from_the_title_to_a_lock(saves: Path) -> None:
    async with playing.opened(saves, student="ada") as (app, pilot):
        await pilot.click("#logo")
        await on(pilot, MissionsScreen)
        await pilot.click("#choices", offset=(4, 0))
        await on(pilot, PersonaScreen)
        await pilot.click("#choices", offset=(4, 3))
        await on(pilot, BriefingScreen)
        assert app._play is not None
        assert app._play.game.session.header["track"] == "tiny"
        await pilot.click("#text")
        await on(pilot, LockScreen)
        await pilot.click("#why", offset=(4, 2))
        assert app.screen.query_one("#why", Choices).chosen == "optimizer"


async def test_mouse_moves_sliders(saves: Path) -> None:
    async with playing.resumed(saves, "workbench") as (app, pilot):
        batch = app.screen.query_one("#batch", Slider)
        assert batch.value == 32
        await pilot.click("#batch", offset=(3, 1))
        await playing.measured(pilot)
        assert batch.value == 1
        assert app.focused is batch
        await pilot.click("#tuning", offset=(2 + 3, 1))
        assert app.screen.query_one("#tuning", Slider).value == "last3"
        await playing.measured(pilot)
        assert app._play is not None
        assert app._play.game.setting == {"tuning": "last3", "batch": 1, "optimizer": "adam"}


async def help_opens_and_closes(app: MissionApp, pilot: Player, key: str) -> None:
    here = app.screen
    await pilot.press(key)
    await on(pilot, HelpScreen)
    await pilot.press(key)
    await until(pilot, lambda: app.screen is here)


async def test_help_opens_and_closes_on_every_screen_before_a_play(saves: Path) -> None:
    async with playing.opened(saves) as (app, pilot):
        await help_opens_and_closes(app, pilot, "question_mark")
        await pilot.press("enter")
        await on(pilot, WhoScreen)
        await help_opens_and_closes(app, pilot, "f1")  # a ? belongs to the name here
        app.screen.query_one("#student").value = "ada"
        await pilot.press("enter")
        await on(pilot, MissionsScreen)
        await help_opens_and_closes(app, pilot, "question_mark")
        await pilot.press("1")
        await on(pilot, PersonaScreen)
        await help_opens_and_closes(app, pilot, "question_mark")
        await pilot.press("2")
        await on(pilot, BriefingScreen)
        await help_opens_and_closes(app, pilot, "question_mark")


@pytest.mark.parametrize(
    ("screen", "key"),
    [
        ("lock", "f1"),
        ("workbench", "question_mark"),
        ("reveal", "question_mark"),
        ("claim", "question_mark"),
    ],
)
async def test_help_opens_and_closes_on_every_screen_of_a_play(
    saves: Path, screen: str, key: str
) -> None:
    async with playing.resumed(saves, screen) as (app, pilot):
        await help_opens_and_closes(app, pilot, key)
        if screen == "claim":
            await playing.claim(pilot)
            await pilot.press("enter")
            await shows(pilot, "signs its ledger")
            await help_opens_and_closes(app, pilot, key)


async def test_palette_offers_the_screens_own_commands(saves: Path) -> None:
    async with playing.resumed(saves, "workbench") as (app, pilot):
        titles = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Record", "Why", "Table", "Pin", "Hint", "Done", "Save elsewhere", "Quit"} <= titles
        assert not {"Maximize", "Screenshot", "Keys", "Theme"} & titles
        assert len(titles) == len(list(app.get_system_commands(app.screen)))
        await pilot.press("ctrl+p")
        await shows(pilot, "Record")
        await pilot.press(*"record")
        await pilot.pause(0.2)
        await pilot.press("enter")
        await shows(pilot, "RUN #1 RECORDED")


@pytest.mark.parametrize("key", ["w", "t", "h"])
async def test_panel_closes_with_the_key_that_opened_it(saves: Path, key: str) -> None:
    async with playing.resumed(saves, "workbench") as (app, pilot):
        bench = app.screen
        if key == "h":
            await pilot.press(key)
            await shows(pilot, "costs the badge Unaided, and no points; h again opens it.")
            assert "hint" not in kinds(app)
        await pilot.press(key)
        await shows(pilot, "Esc closes")
        await pilot.press(key)
        await until(pilot, lambda: app.screen is bench)


# -- sizes ------------------------------------------------------------------------------------


async def test_workbench_follows_the_terminals_size(saves: Path) -> None:
    async with playing.resumed(saves, "workbench") as (app, pilot):
        await playing.record_run(pilot, 1)
        bench = app.screen
        runs = bench.query_one("#strip")
        assert "full" not in playing.text(app).split("#1", 1)[1]
        await pilot.resize_terminal(60, 18)
        await on(pilot, SmallScreen)
        await shows(pilot, "too small")
        await pilot.press("enter")  # reaches nothing
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: app.screen is bench)
        await until(pilot, lambda: runs.size.width > 40)
        await shows(pilot, "#1", "3.06 GB", "as it was found")  # the run table says what was moved
        await pilot.resize_terminal(200, 60)
        await pilot.pause()
        await shows(pilot, "#1")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: runs.size.width < 40)
        assert kinds(app).count("run") == 1


async def test_small_terminal_covers_a_panel_too_and_gives_it_back(saves: Path) -> None:
    async with playing.resumed(saves, "workbench") as (_, pilot):
        await pilot.press("t")
        await shows(pilot, "Esc closes")
        await pilot.resize_terminal(40, 10)
        await on(pilot, SmallScreen)
        await pilot.resize_terminal(80, 24)
        await shows(pilot, "Esc closes")


# -- nothing is lost --------------------------------------------------------------------------


def block(saves: Path) -> None:
    """Make a folder of saves impossible to write, for root too: put a file in its place."""
    shutil.rmtree(saves)
    saves.write_text("")


async def test_play_goes_on_unsaved_and_is_saved_elsewhere_whole(
    saves: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with playing.resumed(saves, "workbench") as (app, pilot):
        await playing.record_run(pilot, 1)
        assert not app.screen.query_one(Masthead).unsaved
        block(saves)
        await pilot.press("down", "left")
        await playing.measured(pilot)
        await playing.record_run(pilot, 2)
        await shows(pilot, "UNSAVED")
        app.action_elsewhere()
        await shows(pilot, "Save it in another folder")
        app.screen.query_one("#folder").value = str(tmp_path / "usb")
        await pilot.press("enter")
        await shows(pilot, "RUN #2 RECORDED", gone="UNSAVED")
        app.clear_notifications()  # what is toasted covers the verdict of a claim for a while
        (moved,) = (tmp_path / "usb").rglob("*.jsonl")
        assert [json.loads(line)["kind"] for line in moved.read_bytes().splitlines()] == kinds(app)
        await pilot.press("up")
        await playing.to_reveal(pilot)
        await playing.to_claim(pilot)
        await playing.claim(pilot)
        await pilot.press("enter")
        await shows(pilot, "signs its ledger")
        await pilot.press("enter")
        await shows(pilot, "SIGNED")
    (ledger,) = (tmp_path / "usb").rglob("*.ledger.json")
    assert main(["verify", str(ledger)]) == 0


async def test_play_that_cannot_be_saved_from_the_start_says_so_and_is_played(
    saves: Path,
) -> None:
    saves.write_text("")
    async with playing.at_briefing(saves) as (app, pilot):
        await shows(pilot, "UNSAVED")
        await playing.to_workbench(pilot)
        await shows(pilot, "UNSAVED")
        await playing.record_run(pilot, 1)
        assert kinds(app)[-1] == "run_end"


async def test_place_that_takes_nothing_either_keeps_the_play_and_the_banner(
    saves: Path, tmp_path: Path
) -> None:
    saves.write_text("")
    async with playing.at_briefing(saves) as (app, pilot):
        await playing.to_workbench(pilot)
        app.action_elsewhere()
        await shows(pilot, "Save it in another folder")
        app.screen.query_one("#folder").value = str(saves / "below")
        await pilot.press("enter")
        await on(pilot, WorkbenchScreen)
        await shows(pilot, "UNSAVED")
        await playing.record_run(pilot, 1)


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+o"])
async def test_leaving_an_unsaved_play_offers_another_place_first(saves: Path, key: str) -> None:
    saves.write_text("")
    async with playing.at_briefing(saves) as (app, pilot):
        await playing.to_lock(pilot)
        await pilot.press(key)
        await shows(pilot, "Save it in another folder")
        assert app._play is not None
        await pilot.press("escape")
        await on(pilot, LockScreen)
        await pilot.press(key)
        await until(pilot, lambda: app._play is None)


async def test_slider_moved_last_is_saved_however_the_game_ends(saves: Path) -> None:
    async with playing.resumed(saves, "workbench") as (_, pilot):
        await pilot.press("right")
    (path,) = saves.rglob("*.jsonl")
    assert json.loads(path.read_bytes().splitlines()[-1])["kind"] == "control"


async def test_answer_in_the_making_is_on_disk_while_it_is_written(saves: Path) -> None:
    async with playing.resumed(saves, "claim") as (app, pilot):
        app.set_focus(app.screen.query_one("#answer"))
        await pilot.press(*"because")
        (path,) = saves.rglob("*.jsonl")
        await until(pilot, lambda: b'"because"' in path.read_bytes())


async def test_filed_answer_leaves_no_draft_behind(saves: Path) -> None:
    async with playing.resumed(saves, "claim") as (app, pilot):
        app.screen.query_one("#answer").value = "because"
        await playing.claim(pilot)
        await pilot.pause()
        after = kinds(app)
        assert "note" not in after[after.index("claim") :]


async def test_markup_in_a_name_is_drawn_as_it_is(saves: Path) -> None:
    async with playing.opened(saves, student="[red]x[/red]") as (app, pilot):
        await pilot.press("enter")
        await on(pilot, MissionsScreen)
        assert "[red]x[/red]" in text(app)


@pytest.mark.parametrize("broken", ["schema = [", "schema = 1\nid = 'x'\n"])
async def test_broken_mission_is_said_on_the_missions_screen_beside_the_others(
    saves: Path, missions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    copied = tmp_path / "missions"
    shutil.copytree(missions, copied)
    (copied / "broken.toml").write_text(broken)
    monkeypatch.setenv("MISSION_TUI_MISSIONS", str(copied))
    async with playing.opened(saves, student="ada") as (_, pilot):
        await pilot.press("enter")
        await on(pilot, MissionsScreen)
        await shows(pilot, "Edge Intelligence", "broken.toml:")


async def test_no_missions_at_all_is_said(
    saves: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISSION_TUI_MISSIONS", str(tmp_path / "none"))
    async with playing.opened(saves, student="ada") as (_, pilot):
        await pilot.press("enter")
        await on(pilot, MissionsScreen)
        await shows(pilot, "no missions in")


async def test_ctrl_q_leaves_from_every_kind_of_screen(saves: Path) -> None:
    def leaves(app: MissionApp) -> bool:
        return app._exit or not app.is_running

    found: list[Any] = []
    async with playing.opened(saves) as (app, pilot):
        await pilot.press("question_mark")
        await on(pilot, HelpScreen)
        await pilot.press("ctrl+q")
        found.append(leaves(app))
    async with playing.opened(saves) as (app, pilot):
        assert isinstance(app.screen, TitleScreen)
        await pilot.resize_terminal(40, 10)
        await on(pilot, SmallScreen)
        await pilot.press("ctrl+q")
        found.append(leaves(app))
    assert found == [True, True]
