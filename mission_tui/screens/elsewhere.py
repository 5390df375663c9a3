"""Another place for a play that can't be saved where it is."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from mission_tui.text import clean_line


class ElsewhereScreen(ModalScreen[Path | None]):
    """Asks for a folder; gives it, or None."""

    CSS_PATH = "elsewhere.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Not now")]

    def __init__(self, reason: str, suggested: Path) -> None:
        super().__init__()
        self._reason = reason
        self._suggested = suggested

    def compose(self) -> ComposeResult:
        """The reason, and one field."""
        with Vertical(id="elsewhere"):
            yield Label(
                clean_line(self._reason or "Your play is saved.", 300), id="reason", markup=False
            )
            yield Label("Save it in another folder (Enter saves, Esc leaves it):")
            yield Input(str(self._suggested), id="folder")

    def on_mount(self) -> None:
        """Nothing blinks."""
        self.query_one(Input).cursor_blink = False

    @on(Input.Submitted)
    def _chosen(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        try:
            self.dismiss(Path(text).expanduser() if text else None)
        except RuntimeError:
            self.query_one("#reason", Label).update("There is no such user's folder.")
