"""An own state directory for each test that opens the game."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's plays are kept; nobody is remembered, and colours are as usual."""
    monkeypatch.setenv("MISSION_TUI_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    return tmp_path / "saves"
