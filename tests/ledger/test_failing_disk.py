"""A play on a disk on which the n-th call fails, for every n: it goes on, and says so."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from mission_tui.content.load import MissionFile
from tests.ledger import faults
from tests.ledger.faults import CODES, FOR_EVER, SHORT


def check(folder: Path, wall: MissionFile, code: int, repeat: int, step: int = 1) -> None:
    found = faults.every(folder, wall.tracks["edge"], code, repeat, step)
    assert [each for each in found if each.crash or each.silent] == []
    assert found[-1].number > 60  # a whole play makes that many calls and more


def test_no_single_failing_call_stops_or_cheats_a_play(tmp_path: Path, wall: MissionFile) -> None:
    check(tmp_path, wall, errno.EIO, 1)


def test_no_short_write_stops_or_cheats_a_play(tmp_path: Path, wall: MissionFile) -> None:
    check(tmp_path, wall, SHORT, 1, step=4)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_takes_nothing_more_stops_and_cheats_no_play(
    tmp_path: Path, wall: MissionFile, code: int
) -> None:
    check(tmp_path, wall, code, FOR_EVER, step=10)


@pytest.mark.soak
@pytest.mark.parametrize("repeat", [1, 3, FOR_EVER])
@pytest.mark.parametrize("code", CODES)
def test_no_failing_call_of_any_kind_stops_or_cheats_a_play(
    tmp_path: Path, wall: MissionFile, code: int, repeat: int
) -> None:
    check(tmp_path, wall, code, repeat)


def test_a_disk_that_cheats_would_be_noticed(
    tmp_path: Path, wall: MissionFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mission_tui.ledger.journal import Journal

    def careless(self: Journal, *, durably: bool) -> bool:
        return True  # says that it is saved

    monkeypatch.setenv("MISSION_TUI_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(Journal, "_save", careless)
    struck = faults.strike(tmp_path, wall.tracks["edge"], 10_000, errno.EIO, 1)
    assert struck.crash or struck.silent
