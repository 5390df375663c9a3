"""What follows from leaving a part as it stands: said once, before it is left."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from mission_tui.text import clean


class LeavingScreen(ModalScreen[bool]):
    """True leaves the part, False stays. The way back is open either way."""

    CSS_PATH = "leaving.tcss"
    HELP = """\
## Leaving a part
What you leave as it stands counts as it stands. The way back to the workbench stays open.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,ctrl+g", "answer(True)", "Leave it so"),
        Binding("escape", "answer(False)", "Stay"),
    ]

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = clean(words)

    def compose(self) -> ComposeResult:
        """The sentence in a frame that names the keys."""
        with VerticalScroll(id="leaving") as panel:
            panel.border_title = "Before you leave"
            panel.border_subtitle = "Enter leaves it so · Esc stays"
            yield Static(self._words, markup=False)

    def action_answer(self, leaves: bool) -> None:
        """Go, or stay."""
        self.dismiss(leaves)
