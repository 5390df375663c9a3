"""A row that says that a sheet goes on below or above, and which keys show it."""

from __future__ import annotations

from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

BELOW = "▼ PgDn: more below"
ABOVE = "▲ PgUp: back up"


class More(Static):
    """Watches a sheet of its screen. It is not there where all of the sheet is seen."""

    DEFAULT_CSS = """
    More { height: 1; padding: 0 2; color: $accent; display: none; }
    """

    def __init__(self, sheet: str) -> None:
        super().__init__("", markup=False)
        self._sheet = sheet

    def on_mount(self) -> None:
        """What is out of sight changes with the layout, and as the sheet is scrolled."""
        self.screen.screen_layout_refresh_signal.subscribe(self, self._laid_out)
        self.watch(self.screen.query_one(self._sheet), "scroll_y", self._scrolled, init=False)

    def _laid_out(self, _: Screen[object]) -> None:
        self._scrolled()

    def _scrolled(self) -> None:
        sheet = self.screen.query_one(self._sheet, VerticalScroll)
        signs = [BELOW] if round(sheet.scroll_y) < sheet.max_scroll_y else []
        signs += [ABOVE] if round(sheet.scroll_y) > 0 else []
        words = "   ".join(signs)
        if words != self.content:  # to say something is another layout
            self.update(words)
            self.display = bool(words)
