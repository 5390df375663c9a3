"""Plays on disk: those that a dead process left in an odd state are still worth something."""

from __future__ import annotations

from pathlib import Path

import pytest

from mission_tui.content.load import MissionFile
from mission_tui.ledger import judge, plays
from mission_tui.play import bots


@pytest.fixture
def closed(tmp_path: Path, shipped: MissionFile) -> Path:
    """The journal of a play that was closed, and never sealed."""
    with plays.start(tmp_path, shipped.tracks["edge"], "ada", "bot:reference") as opened:
        bots.play(opened.game, bots.Reference())
        return opened.journal.path


def test_a_closed_play_can_be_sealed_later(closed: Path) -> None:
    assert not plays.ledger_of(closed).exists()
    ledger = plays.seal_closed(closed)
    assert ledger == plays.ledger_of(closed)
    report = judge.verify_ledger(ledger)
    assert not report.fails
    assert not report.unfinished


def test_a_closed_play_says_whether_it_passed(closed: Path, tmp_path: Path) -> None:
    (saved,) = plays.saved_plays(tmp_path, "ada")
    assert saved.path == closed
    assert saved.closed
    assert saved.passed


def test_a_play_that_is_open_elsewhere_is_not_sealed(
    closed: Path, shipped: MissionFile, tmp_path: Path
) -> None:
    opened = plays.start(tmp_path, shipped.tracks["tiny"], "ada", "plain")
    with opened, pytest.raises(plays.PlayError):
        plays.seal_closed(opened.journal.path)
    assert closed.exists()


def test_attempts_are_counted_a_mission_and_a_track(tmp_path: Path, shipped: MissionFile) -> None:
    attempts = []
    for track in ("edge", "edge", "tiny"):
        with plays.start(tmp_path, shipped.tracks[track], "ada", "human") as opened:
            attempts.append(opened.game.session.header["attempt"])
    assert attempts == [1, 2, 1]
