"""``python -m benchmarks.picture FILE.svg``: the game that plays itself, as a picture.

The bot of ``autoplay --watch`` is at the keyboard, and after a few runs of the second part the game
is asked for its own screenshot. The student, and with it the seed, is always the same, so the same
program draws the same picture.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.cells import cell_len

from benchmarks import game
from mission_tui.app import MissionApp
from mission_tui.play import bots
from mission_tui.screens.budgeted import BudgetedScreen
from mission_tui.screens.watch import Watch

SIZE: Final = (132, 34)  # wide enough for both instruments and the run table
STUDENT: Final = "ada.l"
PART: Final = "converge"
RUNS: Final = 3
_WEB_FONT: Final = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_TEXT: Final = re.compile(
    r'<text class="([^"]+)" x="([^"]+)" y="([^"]+)" textLength="([^"]+)" (clip[^>]+)>([^<]*)</text>'
)
_FONTS: Final = "Fira Code, Cascadia Code, Menlo, DejaVu Sans Mono, monospace"


async def _play(app: MissionApp) -> str:
    """Let the reference bot play, as ``autoplay --watch`` does, up to a few runs of a part."""
    watch = Watch(bots.bot("reference", 0), speed=0)
    async with app.run_test(size=SIZE) as pilot:
        while not _is_there(app):
            await watch.step(pilot)
        await app.workers.wait_for_complete()
        await pilot.pause()
        return app.export_screenshot(title="Mission TUI")


def _is_there(app: MissionApp) -> bool:
    screen = app.screen
    if not isinstance(screen, BudgetedScreen) or screen.game.session.part_id != PART:
        return False
    return sum(run.ended for run in screen.game.session.state.runs) >= RUNS


def portable(svg: str) -> str:
    """The picture as every viewer draws it.

    Nothing is fetched from the web: a font that the viewer has will do. Words are placed one by
    one, since some viewers drop the spaces that would push them into their column.
    """
    svg = _WEB_FONT.sub("", svg)
    svg = svg.replace("font-family: Fira Code, monospace", f"font-family: {_FONTS}")
    return _TEXT.sub(_words, svg)


def _words(text: re.Match[str]) -> str:
    """One element for each word, or words a single space apart, of a text element."""
    name, start, y, length, clip, words = text.groups()
    whole = html.unescape(words)
    if not whole.strip():
        return ""
    cell = float(length) / cell_len(whole)
    pieces = []
    for word in re.finditer(r"[^\xa0]+(?:\xa0[^\xa0]+)*", whole):
        x = float(start) + cell * cell_len(whole[: word.start()])
        wide = cell * cell_len(word[0])
        shown = html.escape(word[0].replace("\xa0", " "), quote=False)
        at = f'x="{x:.5g}" y="{y}" textLength="{wide:.5g}" lengthAdjust="spacingAndGlyphs"'
        pieces.append(f'<text class="{name}" {at} {clip}>{shown}</text>')
    return "".join(pieces)


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
