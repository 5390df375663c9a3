"""The yardstick: the smallest app of the same toolkit, with one line of text."""

from __future__ import annotations

from typing import Final

from textual.app import App, ComposeResult
from textual.widgets import Static

HELLO: Final = "Hello, world"


class BareApp(App[None]):
    """Says hello."""

    def compose(self) -> ComposeResult:
        """One line."""
        yield Static(HELLO)


if __name__ == "__main__":
    BareApp().run()
