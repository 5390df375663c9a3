"""Nothing that was acknowledged is lost to kill -9, whenever it strikes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from mission_tui.ledger import keys
from mission_tui.ledger.envelope import seal
from mission_tui.ledger.journal import Journal
from tests.ledger import kills


def test_300_kills_lose_nothing_and_spoil_nothing(tmp_path: Path) -> None:
    found = kills.run(tmp_path, 300, seed=7)
    assert (found.kills, found.lost, found.corrupt) == (300, 0, 0)
    assert found.acknowledged > 300  # they struck while something was being saved
    assert found.ledgers > 30


@pytest.mark.soak
def test_3000_kills_lose_nothing_and_spoil_nothing(tmp_path: Path) -> None:
    found = kills.run(tmp_path, 3_000, seed=11)
    assert (found.kills, found.lost, found.corrupt) == (3_000, 0, 0)
    assert found.acknowledged > 3_000


def test_what_is_lost_or_spoilt_would_be_counted(tmp_path: Path) -> None:
    path = tmp_path / "play.jsonl"
    journal = Journal.create(path, kills.event(0, 0))
    for seq in range(1, 6):
        journal.append(kills.event(0, seq))
    journal.close()
    whole = path.read_bytes()
    honest = kills._found(path, 0, last=5)
    assert asdict(honest) | {"kills": 0} == asdict(kills.Killed())
    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:4]) + b'{"half')
    assert (kills._found(path, 0, 5).lost, kills._found(path, 0, 5).torn) == (2, 1)
    path.write_bytes(whole + b"{}\n")
    assert kills._found(path, 0, 5).corrupt == 1
    assert kills._found(path, 1, 5).corrupt == 1  # another play's events
    path.write_bytes(whole)
    other = Journal.create(tmp_path / "other.jsonl", kills.event(1, 0))
    path.with_suffix(".ledger.json").write_bytes(seal(other.payload, keys.generate()))
    assert kills._found(path, 0, 5).corrupt == 1
    path.unlink()
    assert kills._found(path, 0, 5).lost == 6
