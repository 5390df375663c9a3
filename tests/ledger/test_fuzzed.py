"""Odd ledgers and missions: no traceback, no hang, nothing that a terminal obeys."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from mission_tui.ledger import judge
from tests.ledger import fuzzing

FAR = {"parse", "signature", "chain", "binding", "replay"}


def test_150_odd_ledgers_are_read_or_refused(tmp_path: Path) -> None:
    found = fuzzing.fuzz(fuzzing.ledger, fuzzing.read_ledger, tmp_path, 150, seed=21)
    assert found == []


def test_150_odd_missions_are_read_or_refused(tmp_path: Path) -> None:
    found = fuzzing.fuzz(fuzzing.mission_text, fuzzing.read_mission, tmp_path, 150, seed=22)
    assert found == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(8))
def test_8000_odd_ledgers_are_read_or_refused(tmp_path: Path, seed: int) -> None:
    found = fuzzing.fuzz(fuzzing.ledger, fuzzing.read_ledger, tmp_path, 1_000, seed)
    assert found == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2))
def test_2000_odd_missions_are_read_or_refused(tmp_path: Path, seed: int) -> None:
    found = fuzzing.fuzz(fuzzing.mission_text, fuzzing.read_mission, tmp_path, 1_000, seed)
    assert found == []


def test_odd_ledgers_get_as_far_as_each_verdict() -> None:
    """What fails at the first byte tests nothing behind it."""
    failed: set[str] = set()
    with fuzzing.installed():
        for number in range(400):
            content = fuzzing.ledger(random.Random(f"far/{number}"))
            verdicts = judge.judge_content(Path("odd"), content).verdicts
            failed |= {name for name, verdict in verdicts.items() if verdict.state == "fails"}
            if failed >= FAR:
                return
    raise AssertionError(f"only {failed}")


def test_what_raises_or_hangs_would_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzzing, "SLOW", 0.1)

    def broken(content: bytes, folder: Path) -> None:
        raise RecursionError("deep")

    def slow(content: bytes, folder: Path) -> None:
        end = time.process_time() + fuzzing.SLOW + 0.1
        while time.process_time() < end:
            pass

    def make(dice: random.Random) -> bytes:
        return b""

    assert [f.what for f in fuzzing.fuzz(make, broken, tmp_path, 2, 0)] == ["raised"] * 2
    assert [f.what for f in fuzzing.fuzz(make, slow, tmp_path, 1, 0)] == ["slow"]
