"""Who are you: asked once, remembered from then on."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Input, Label

from mission_tui.screens.messages import Named
from mission_tui.screens.prose import FieldInput
from mission_tui.text import clean_line
from mission_tui.widgets.keybar import KeyBar
from mission_tui.widgets.masthead import Masthead


class NameInput(FieldInput):
    """The field of the name; its Enter stands in the key bar."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Sign in")]


class WhoScreen(Screen[None]):
    """Asks for a student id."""

    CSS_PATH = "who.tcss"
    HELP = """\
## Who are you?
Your **student id** goes into the ledger that you hand in, and your data is drawn from it: your
neighbour's numbers will differ from yours. It is remembered on this machine.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Missions", show=False),
    ]

    def __init__(self, student: str = "") -> None:
        super().__init__()
        self._student = student

    def compose(self) -> ComposeResult:
        """One question."""
        yield Masthead(("Who are you?",))
        with Vertical(id="who"):
            yield Label("MISSION CONTROL NEEDS A NAME FOR THE LOG", classes="heading")
            yield Label(
                "Your student id, as your instructor knows it. It goes into the signed\n"
                "ledger, and your data is drawn from it.",
                classes="hint",
            )
            yield NameInput(
                value=clean_line(self._student, 64),
                placeholder="student id, for example ada.l",
                max_length=64,
                id="student",
            )
            yield Label("", id="said")
        yield KeyBar()

    def on_mount(self) -> None:
        """No blinking cursor: an idle screen sends no bytes."""
        field = self.query_one(Input)
        field.cursor_blink = False
        self.set_focus(field)

    @on(Input.Submitted)
    def submit(self) -> None:
        """Take the name, if there is one."""
        student = clean_line(self.query_one(Input).value, 64).strip()
        if not student:
            self.query_one("#said", Label).update("Write your student id, then press Enter.")
            return
        self.post_message(Named(student))

    def action_back(self) -> None:
        """Stay who you are."""
        if self._student:
            self.post_message(Named(self._student))
