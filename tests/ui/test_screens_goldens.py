"""Every screen at 80 × 24, as text.

The goldens are in ``goldens/``, one file a screen. After a change that is meant, renew them and
read the difference: ``MISSION_TUI_GOLDENS=renew pytest tests/ui/test_screens_goldens.py``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mission_tui.app import MissionApp
from tests.ui import playing
from tests.ui.playing import SIZE, shows

GOLDENS = Path(__file__).parent / "goldens"
RENEW = os.environ.get("MISSION_TUI_GOLDENS") == "renew"


def is_golden(app: MissionApp, name: str) -> None:
    """Hold the screen against its golden, or renew that."""
    seen = playing.text(app) + "\n"
    path = GOLDENS / f"{name}.txt"
    if RENEW:
        path.write_text(seen, encoding="utf-8")
    rows = seen.splitlines()
    assert len(rows) == SIZE[1]
    assert max(map(len, rows)) <= SIZE[0]
    assert rows == path.read_text(encoding="utf-8").splitlines(), f"renew {path.name}?"


async def test_screens_before_a_play(saves: Path) -> None:
    async with playing.opened(saves) as (app, pilot):
        await shows(pilot, "Enter")
        is_golden(app, "title")
        await pilot.press("enter")
        await shows(pilot, "student id")
        is_golden(app, "who")
        await pilot.press(*"ada", "enter")
        await shows(pilot, "MISSIONS")
        is_golden(app, "missions")
        await pilot.press("1")
        await shows(pilot, "TAKE A POST")
        is_golden(app, "persona")


async def test_screens_of_a_play(saves: Path) -> None:
    async with playing.at_briefing(saves) as (app, pilot):
        await shows(pilot, "INCOMING")
        is_golden(app, "briefing")
        await playing.to_lock(pilot)
        await shows(pilot, "4 ◇")
        is_golden(app, "lock")
        await playing.seal(pilot)
        is_golden(app, "lock-sealed")
        await pilot.press("enter")
        await playing.on(pilot, playing.WorkbenchScreen)
        await playing.measured(pilot)
        await shows(pilot, "BROKEN", "OUT OF MEMORY")
        is_golden(app, "workbench")
        await playing.two_runs(pilot)
        is_golden(app, "workbench-two-runs")
        await pilot.press("w")
        await shows(pilot, "Esc closes")
        is_golden(app, "why")
        await pilot.press("escape")
        await playing.to_reveal(pilot)
        is_golden(app, "reveal")
        await playing.to_claim(pilot)
        is_golden(app, "claim")
        await playing.claim(pilot)
        is_golden(app, "claim-verified")
        await pilot.press("enter")
        await shows(pilot, "signs its ledger")
        is_golden(app, "debrief")


@pytest.mark.parametrize("track", ["cloud", "edge", "mobile", "tiny"])
async def test_first_sight_of_the_shipped_tracks(
    saves: Path, missions: Path, monkeypatch: pytest.MonkeyPatch, track: str
) -> None:
    monkeypatch.setenv("MISSION_TUI_MISSIONS", str(missions))
    mission = "vol2-11-edge-intelligence"
    async with playing.at_briefing(saves, track=track, mission=mission) as (app, pilot):
        await shows(pilot, "INCOMING")
        is_golden(app, f"shipped-briefing-{track}")
        await playing.to_lock(pilot)
        await shows(pilot, "4 ◇")
        is_golden(app, f"shipped-lock-{track}")
