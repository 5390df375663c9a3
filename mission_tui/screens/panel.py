"""A panel of text over a screen: the why, a table behind a chart, a hint."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from mission_tui.text import clean, clean_line


class PanelScreen(ModalScreen[None]):
    """Shows a text that keeps its columns; the key that opened it closes it."""

    CSS_PATH = "panel.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,w,t,h,d", "dismiss", "Close"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = clean_line(title)
        self._text = clean(text)

    def compose(self) -> ComposeResult:
        """The text in a titled frame."""
        with VerticalScroll(id="panel") as panel:
            panel.border_title = self._title
            panel.border_subtitle = "Esc closes"
            yield Static(self._text, markup=False)
