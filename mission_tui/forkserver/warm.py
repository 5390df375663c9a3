"""What a server loads before it forks: all that a session will want, used once."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import pkgutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

ROOMS: Final = ("screens", "widgets", "play", "ledger", "content")
PATIENCE: Final = 5.0
"""Seconds that threads have to end."""
SEEN: Final = 4
"""Screens that are drawn once: title, briefing, crisis, lock."""


def warm() -> None:
    """Load the program, the missions and the engine, and draw the first screens into nothing.

    Sessions share what is in memory now. What they use they copy in part (Python counts its
    references inside of the objects), so all that is loaded is laid aside by its collector.
    """
    os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "256")
    _load()
    asyncio.run(_draw())
    _await_threads()
    tempfile.tempdir = None  # each session finds its own
    gc.collect()
    gc.freeze()


def _await_threads() -> None:
    """Until this is the only thread: others are not forked, and what they hold is lost.

    One that was joined is still there for a moment. Raises RuntimeError.
    """
    end = time.monotonic() + PATIENCE
    while len(list(Path("/proc/self/task").iterdir())) != 1:
        if time.monotonic() > end:
            raise RuntimeError(f"{threading.active_count()} threads can't be forked")
        time.sleep(0.01)


def _load() -> None:
    import engine
    import mission_tui
    from mission_tui.content.load import MissionError, files
    from mission_tui.content.shelf import fetch
    from mission_tui.paths import missions_dir

    for package in (engine, *(importlib.import_module(f"mission_tui.{name}") for name in ROOMS)):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)
    importlib.import_module(f"{mission_tui.__name__}.app")
    importlib.import_module("plotext")
    for path in files(missions_dir()):
        try:
            fetch(path)
        except (MissionError, OSError):
            continue  # a session says what is wrong with it


async def _draw() -> None:
    from mission_tui.app import MissionApp
    from mission_tui.content.load import files
    from mission_tui.content.shelf import fetch
    from mission_tui.paths import missions_dir

    first = next(iter(files(missions_dir())), None)
    if first is None:
        return
    kept = os.environ.get("MISSION_TUI_STATE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MISSION_TUI_STATE"] = folder
        mission = fetch(first)
        track = next(iter(mission.tracks))
        app = MissionApp(Path(folder), mission=mission.id, track=track, student="nobody")
        async with app.run_test(size=(80, 24)) as pilot:
            for _ in range(SEEN):
                await pilot.pause(0.3)
                await pilot.press("enter")
            await pilot.pause(0.3)
    del os.environ["MISSION_TUI_STATE"]
    if kept is not None:
        os.environ["MISSION_TUI_STATE"] = kept
