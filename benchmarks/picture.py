"""``python -m benchmarks.picture FILE.svg``: the workbench after a few runs, as a picture.

The game itself is driven, without a terminal, and asked for its own screenshot. The student, and
with it the seed, is always the same, so the same program draws the same picture.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Final

from textual.pilot import Pilot

from benchmarks import game
from mission_tui.app import MissionApp

SIZE: Final = (100, 30)
STUDENT: Final = "ada.l"
TO_BENCH: Final = (
    ("title", "enter"),
    ("briefing, typed", "enter"),
    ("briefing, read", "enter"),
    ("lock", *"300", "up", "up", "up", "up", "enter", "4", "enter"),
    ("sealed", "enter"),
)
RUNS: Final = (
    (),  # the setting that failed
    ("right", "right", "right"),  # only the biases
    ("down", "left", "left"),  # and a smaller batch
)
_WEB_FONT: Final = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_FONTS: Final = "Fira Code, Cascadia Code, Menlo, DejaVu Sans Mono, monospace"


async def _play(app: MissionApp) -> str:
    async with app.run_test(size=SIZE) as pilot:
        for _, *keys in TO_BENCH:
            await _press(pilot, *keys)
        for keys in RUNS:
            await _press(pilot, *keys)
            await _press(pilot, "enter")
        return app.export_screenshot(title="Mission TUI")


async def _press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one after the other, each when the one before has come to its end."""
    for key in keys:
        await pilot.press(key)
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()


def portable(svg: str) -> str:
    """The picture without anything fetched from the web: fonts that the viewer has will do."""
    return _WEB_FONT.sub("", svg).replace("font-family: Fira Code", f"font-family: {_FONTS}")


def main() -> int:
    """Draw, and write the file."""
    if len(sys.argv) != 2:
        print("usage: python -m benchmarks.picture FILE.svg", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as home:
        os.environ["MISSION_TUI_STATE"] = str(Path(home) / "state")
        for name in ("NO_COLOR", "TEXTUAL_THEME"):
            os.environ.pop(name, None)
        app = MissionApp(
            Path(home) / "saves", mission=game.MISSION, track=game.TRACK, student=STUDENT
        )
        svg = asyncio.run(_play(app))
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(portable(svg), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
