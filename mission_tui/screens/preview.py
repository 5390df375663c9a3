"""What a preview shows while there is no version of its file that loads."""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from mission_tui.text import clean, clean_line
from mission_tui.widgets.keybar import KeyBar
from mission_tui.widgets.masthead import Masthead

HELP: Final = """\
## The preview
The mission as its file stands, read again at each save. Nothing here is saved or signed.
**Ctrl+N** lets the reference do this screen and go on. **Ctrl+R** begins the part anew, **Ctrl+B**
the part before, **Ctrl+T** takes the next track. **F2** lists what is wrong with the file, **F3**
writes the sliders as lines for `default` or `reference`. **Ctrl+Q** leaves.
"""
SHOWN: Final = 3
"""Problems that are shown over the game; F2 lists them all."""


def notice(problems: tuple[str, ...]) -> str:
    """The first problems of a file, and how many more there are."""
    more = len(problems) - SHOWN
    words = [*problems[:SHOWN], *([f"… and {more} more: F2"] if more > 0 else [])]
    return "\n".join(clean_line(line, 300) for line in words)


class PreviewScreen(Screen[None]):
    """Everything that is wrong with the file, until it is repaired."""

    CSS_PATH = "preview.tcss"
    HELP = HELP

    def __init__(self, name: str) -> None:
        super().__init__()
        self._file = name

    def compose(self) -> ComposeResult:
        """The file's name, and a list."""
        yield Masthead(("PREVIEW", clean_line(self._file, 60)))
        with VerticalScroll(id="preview"):
            yield Static("reading …", id="problems", markup=False)
        yield KeyBar()

    def show(self, problems: tuple[str, ...]) -> None:
        """List what is wrong."""
        words = "\n".join(problems)
        count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
        self.query_one("#problems", Static).update(
            clean(f"It can't be played yet: {count}.\n\n{words}\n\nIt opens as soon as it can.")
        )
