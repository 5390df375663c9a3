"""The page before a briefing: what was decided last time, and the question it left, by keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mission_tui.app import MissionApp
from mission_tui.content.load import load
from mission_tui.content.schema import Mission
from mission_tui.ledger import plays
from mission_tui.play import bots
from mission_tui.screens.briefing import BriefingScreen
from mission_tui.screens.lock import LockScreen
from tests.ui import tabled
from tests.ui.playing import Player, at_briefing, on, shows, text
from tests.ui.test_screens_goldens import is_golden

QUESTION = """
[recall]
question = "What does learning keep that answering may forget?"
answer = "inputs"
explanation = "A gradient needs its layer's input."
options = { weights = "Weights.", inputs = "Layer inputs, for every sample." }

# -- one short part before"""


@asynccontextmanager
async def second_mission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: str = QUESTION
) -> AsyncIterator[tuple[MissionApp, Player]]:
    """The briefing of the wall, after the table was finished with two waivers."""
    folder, saves = tmp_path / "missions", tmp_path / "saves"
    folder.mkdir()
    wall = tabled.FOLDER.parent / "wall"
    for path in (wall / "memory-wall.toml", wall / "tracks.toml"):
        (folder / path.name).write_bytes(path.read_bytes())
    words = (tabled.FOLDER / "table.toml").read_text(encoding="utf-8")
    assert "\n# -- one short part before" in words
    words = words.replace("\n# -- one short part before", question, 1)
    (folder / "table.toml").write_text(words, encoding="utf-8")
    monkeypatch.setattr("mission_tui.paths.missions_dir", lambda: folder)
    with plays.start(saves, tabled.mission(), "ada", "human") as opened:
        bots.play(opened.game, bots.Accept())
    async with at_briefing(saves) as (app, pilot):
        yield app, pilot


def _wall(track: str) -> Mission:
    return load(tabled.FOLDER.parent / "wall" / "memory-wall.toml").tracks[track]


def session(app: MissionApp) -> Any:
    screen = app.screen
    assert isinstance(screen, (BriefingScreen, LockScreen))
    return screen.game.session


async def test_the_question_of_the_last_mission_opens_the_briefing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with second_mission(tmp_path, monkeypatch) as (app, pilot):
        await shows(pilot, "Last time, in A table", "you waived", "A MINUTE FOR A TABLE")
        is_golden(app, "recall")
        assert "INCOMING" not in text(app)
        await pilot.press("enter", "space")  # nothing is chosen yet: there is no way on
        assert "INCOMING" not in text(app)
        await pilot.press("2")
        await shows(pilot, "● Yes.", "A gradient needs its layer's input.", "Enter goes on")
        recalled = session(app).recalled
        assert (recalled.mission, recalled.answer, recalled.right) == ("table", "inputs", True)
        assert recalled.latency_ms > 0
        await pilot.press("1")  # what is answered stays
        assert session(app).recalled is recalled
        await pilot.press("enter")
        await shows(pilot, "INCOMING")
        await pilot.press("enter")
        await on(pilot, LockScreen)


async def test_what_was_answered_is_not_asked_before_the_next_play(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with second_mission(tmp_path, monkeypatch) as (_, pilot):
        await shows(pilot, "A MINUTE FOR")
        await pilot.press("2")
        await shows(pilot, "● Yes.")
    with plays.start(tmp_path / "saves", _wall("tiny"), "ada", "human"):
        pass
    async with at_briefing(tmp_path / "saves", track="tiny") as (app, pilot):
        await shows(pilot, "Last time, in A table")
        assert session(app).recalled is None
        assert "A MINUTE FOR" not in text(app)


async def test_a_wrong_answer_is_told_the_right_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with second_mission(tmp_path, monkeypatch) as (app, pilot):
        await shows(pilot, "A MINUTE FOR")
        await pilot.press("down", "enter")
        await shows(pilot, "○ It is: Layer inputs, for every sample.")
        assert session(app).recalled.right is False


async def test_the_question_can_be_skipped_and_does_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with second_mission(tmp_path, monkeypatch) as (app, pilot):
        await shows(pilot, "A MINUTE FOR")
        await pilot.press("escape")
        await shows(pilot, "INCOMING")
        assert session(app).recalled.answer is None
        await pilot.press("ctrl+o")
        await shows(pilot, "MISSIONS")
        await pilot.press("1")
        await shows(pilot, "INCOMING")


async def test_without_a_question_what_was_decided_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = "\n# -- one short part before"
    async with second_mission(tmp_path, monkeypatch, plain) as (app, pilot):
        await shows(pilot, "Last time, in A table", "you decided")
        await pilot.press("enter")
        await shows(pilot, "INCOMING")
        assert session(app).recalled is None
