"""What a folder of plays tells the next play, whoever wrote the files in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mission_tui import paths
from mission_tui.content.load import MissionFile
from mission_tui.ledger import history, plays
from mission_tui.play import bots
from tests.ui import tabled


@pytest.fixture
def saves(tmp_path: Path) -> Path:
    """Ada has finished the table, as a person."""
    with plays.start(tmp_path, tabled.mission(), "ada", "human") as opened:
        bots.play(opened.game, bots.Accept())
    return tmp_path


def test_the_next_mission_carries_the_last_and_its_own_does_not(
    saves: Path, wall: MissionFile
) -> None:
    with plays.start(saves, wall.tracks["edge"], "ada", "human") as opened:
        carried = opened.game.session.header["carried"]
        assert set(carried) == {"table"}
        assert carried["table"]["decision"]
        assert [waiver["owner"] for waiver in carried["table"]["waivers"]] == [bots.OWNER] * 2
    with plays.start(saves, tabled.mission("cloud"), "ada", "human") as opened:
        assert opened.game.session.header["carried"] == {}
    with plays.start(saves, wall.tracks["edge"], "bob", "human") as opened:
        assert opened.game.session.header["carried"] == {}


def test_bets_are_those_of_all_plays_but_the_present_one(saves: Path, wall: MissionFile) -> None:
    first = history.bets(saves, "ada")
    assert [bet.lock[2] for bet in first] == ["memory", "privacy"]
    with plays.start(saves, wall.tracks["edge"], "ada", "human") as opened:
        bots.play(opened.game, bots.Random(1))
        session = opened.game.session
    assert len(history.bets(saves, "ada")) == 3
    assert history.bets(saves, "ada", but=session.header["play_id"]) == first


def test_files_of_strangers_are_left_out(saves: Path) -> None:
    folder = paths.student_dir(saves, "ada")
    (journal,) = folder.glob("*.jsonl")
    (folder / "a.jsonl").write_bytes(b"\xff\x00{")
    (folder / "b.jsonl").write_bytes(b"")
    (folder / "c.jsonl").symlink_to(journal)
    (folder / "d.jsonl").mkdir()
    (folder / "e.jsonl").write_bytes(journal.read_bytes().replace(b"ada", b"eve"))
    assert len(history.bets(saves, "ada")) == 2
