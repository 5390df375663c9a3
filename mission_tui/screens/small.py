"""A terminal too small to play in: say so, and wait until it grows."""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

SMALLEST: Final = (72, 20)
"""Columns and rows that the game needs; it is laid out for 80 × 24."""


class SmallScreen(ModalScreen[None]):
    """Covers the game until the terminal is large enough; the play behind it goes on."""

    CSS_PATH = "small.tcss"

    def compose(self) -> ComposeResult:
        """One sentence."""
        columns, rows = SMALLEST
        yield Static(
            f"This terminal is too small.\nMake it {columns} × {rows} or larger.\nNothing is lost.",
            id="small",
        )
