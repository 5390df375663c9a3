"""What every test stands on: one thread, and nothing of this user's own files."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

import mission_tui  # noqa: F401  (sets the thread counts before numpy loads)
from mission_tui.content.load import MissionFile, load

# Ignored under nohup and behind a script's &, and children would inherit that.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

_HOME = tempfile.mkdtemp(prefix="mission-tui-tests-")
os.environ["MISSION_TUI_STATE"] = str(Path(_HOME) / "state")
os.environ["MISSION_TUI_SAVES"] = str(Path(_HOME) / "saves")
WALL = Path(__file__).parent / "wall"
SHIPPED = Path(__file__).parent.parent / "missions"
# What is installed for the tests: one live part on four tracks, that stands still while the
# shipped missions grow. A test of those says so.
os.environ["MISSION_TUI_MISSIONS"] = str(WALL)

# Fresh examples at every run by hand find more; a landing must not hang on the luck of a draw.
settings.register_profile("house", deadline=None, print_blob=True)
settings.register_profile("ci", settings.get_profile("house"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "house")


@pytest.fixture(scope="session")
def wall() -> MissionFile:
    """The mission of the tests, resolved for each of its tracks."""
    return load(WALL / "memory-wall.toml")


@pytest.fixture(scope="session")
def missions() -> Path:
    """The folder of the shipped missions."""
    return SHIPPED


@pytest.fixture(scope="session")
def shipped(missions: Path) -> MissionFile:
    """The first shipped mission, resolved for each of its tracks."""
    return load(missions / "vol2-11-edge-intelligence.toml")
