"""A key is changed: the old one stays, and what was begun with it can still be signed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from mission_tui.content.load import MissionFile
from mission_tui.ledger import keys, plays, verify
from mission_tui.play import bots


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MISSION_TUI_STATE", str(tmp_path / "state"))
    return tmp_path / "state" / "keys"


def test_a_rotated_key_is_kept_and_closed_to_others(folder: Path) -> None:
    before = keys.load_for(keys.ensure_public())
    new, old = keys.rotate()
    assert keys.ensure_public() == keys.load().public_hex == new.public_hex != before.public_hex
    assert old == folder / f"ed25519.{before.key_id}.old"
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    assert old.read_bytes() == before.private
    assert old.stat().st_nlink == 1
    assert keys.load_for(before.public_hex) == before
    assert keys.load_for("00" * 32) == keys.load_for("nonsense") == new


def test_a_rotation_that_died_half_way_is_done_again(folder: Path) -> None:
    before = keys.load_for(keys.ensure_public())
    (folder / f"ed25519.{before.key_id}.old").hardlink_to(folder / "ed25519")
    (folder / "ed25519.pub").unlink()
    new, old = keys.rotate()
    assert keys.load() == new
    assert old.read_bytes() == before.private


def test_a_looser_key_is_not_rotated(folder: Path) -> None:
    keys.ensure_public()
    (folder / "ed25519").chmod(0o644)
    with pytest.raises(keys.KeyFileError, match="chmod 600"):
        keys.rotate()
    assert not list(folder.glob("*.old"))


def test_a_play_begun_with_the_old_key_is_signed_with_it(tmp_path: Path, wall: MissionFile) -> None:
    with plays.start(tmp_path, wall.tracks["edge"], "ada", "bot:reference") as opened:
        keys.rotate()
        bots.play(opened.game, bots.Reference())
        ledger = opened.seal()
    assert verify.verify(ledger).verdicts["signature"].state == "holds"
