"""Help over any screen: what it is for, and every key that works here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Markdown


class HelpScreen(ModalScreen[None]):
    """A page of help; any of the keys that open it closes it."""

    CSS_PATH = "help.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q,enter", "dismiss", "Close"),
    ]

    def __init__(self, texts: Sequence[str], keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        # Keys first, and in a few lines: they are what help is called for in a hurry.
        listed = " · ".join(f"`{key}` {words}" for key, words in keys)
        self._page = "\n\n".join([f"**Keys** {listed}", *texts])

    def compose(self) -> ComposeResult:
        """The page in a frame."""
        with VerticalScroll(id="help") as page:
            page.border_subtitle = "Esc closes"
            yield Markdown(self._page)
