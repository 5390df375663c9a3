"""Every shipped track, played by keys in a real pseudo-terminal from the title to the ledger."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminal.playing import events, journal
from tests.terminal.screen import Terminal, environment

SHIPPED = sorted(p.stem for p in (Path(__file__).parents[2] / "missions").glob("vol*.toml"))
TRACKS = ("cloud", "edge", "mobile", "tiny")
LONG = 120.0
"""Seconds that a whole play by keys may take on a busy machine."""


@pytest.mark.soak
@pytest.mark.parametrize("mission", SHIPPED)
@pytest.mark.parametrize("track", TRACKS)
def test_a_bot_at_the_keyboard_plays_a_track_to_a_ledger_that_replays(
    tmp_path: Path, missions: Path, track: str, mission: str
) -> None:
    env = environment(tmp_path, MISSION_TUI_MISSIONS=str(missions))
    asked = ("autoplay", mission, "--track", track, "--watch", "--speed", "0")
    with Terminal(*asked, env=env) as terminal:
        terminal.wait("INCOMING")
        terminal.until(lambda: not terminal.child.isalive(), "the end", patience=LONG)
        assert terminal.end() == 0
    played = events(journal(tmp_path / "saves"))
    assert played[0]["data"]["driver"] == "bot:reference"
    closed = played[-1]["data"]["outcome"]
    assert [part["passed"] for part in closed.values()] == [True] * 3
    (ledger,) = (tmp_path / "saves").rglob("*.ledger.json")
    assert str(ledger) in terminal.text.replace("\n", "")
    verified = subprocess.run(
        [sys.executable, "-m", "mission_tui", "verify", str(ledger)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout
    assert "replay holds" in verified.stdout
