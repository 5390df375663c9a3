"""A list to choose one of: a key a choice, arrows and Enter, or a click. Nothing is preselected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from mission_tui.text import clean


class Choices(Widget, can_focus=True):
    """Options on one line each, numbered from ``first``, so that a second list can count on."""

    HELP = """\
### Choices
Press the **number** beside a line to choose it, or move with the arrows and press **Enter** (a
line with a dot has no number).
"""

    DEFAULT_CSS = """
    Choices { height: auto; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "choices--key",
        "choices--cursor",
        "choices--chosen",
        "choices--idle",
    }

    chosen: reactive[str | None] = reactive(None)
    cursor: reactive[int | None] = reactive(None)

    @dataclass
    class Chosen(Message):
        """An option was chosen."""

        choices: Choices
        option: str

        @property
        def control(self) -> Choices:
            """The list it was chosen from."""
            return self.choices

    def __init__(
        self,
        options: Sequence[tuple[str, str]],
        *,
        id: str | None = None,
        chosen: str | None = None,
        first: int = 1,
    ) -> None:
        super().__init__(id=id)
        self.options = list(options)
        self._first = first
        self.set_reactive(Choices.chosen, chosen)

    def offer(self, options: Sequence[tuple[str, str]]) -> None:
        """Replace the options; nothing is chosen then."""
        self.options = list(options)
        self.chosen = None
        self.cursor = None
        self.refresh(layout=True)

    def render(self) -> Text:
        """The options, a line each."""
        text = Text(no_wrap=True, overflow="ellipsis")
        for number, (option, label) in enumerate(self.options):
            picked = option == self.chosen
            here = self.has_focus and number == self.cursor
            key = number + self._first
            line = f"{'▸' if here else ' '}{key if key < 10 else '·'} {'◆' if picked else '◇'} "
            name = "chosen" if picked else "cursor" if here else "idle"
            style = self.get_component_rich_style(f"choices--{name}", partial=True)
            text.append(line, self.get_component_rich_style("choices--key", partial=True))
            text.append(clean(label, 200).replace("\n", " "), style)
            if number + 1 < len(self.options):
                text.append("\n")
        return text

    def choose(self, number: int) -> None:
        """Choose the option at ``number`` (from 0), if there is one."""
        if 0 <= number < len(self.options):
            self.cursor = number
            self.chosen = self.options[number][0]
            self.post_message(self.Chosen(self, self.chosen))

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        start = -1 if self.cursor is None and by > 0 else self.cursor or 0
        self.cursor = max(0, min(len(self.options) - 1, start + by))
        self.app.cursor_position = Offset(self.region.x, self.region.y + self.cursor)

    def action_choose(self) -> None:
        """Choose where the cursor is."""
        if self.cursor is not None:
            self.choose(self.cursor)

    def on_key(self, event: events.Key) -> None:
        """A digit chooses at once."""
        if self.take(event.character or ""):
            event.stop()

    def take(self, character: str) -> bool:
        """Choose the option of a digit; False where it is no digit, or none of this list's."""
        if not character.isdecimal() or not 0 <= int(character) - self._first < len(self.options):
            return False
        self.choose(int(character) - self._first)
        return True

    def on_click(self, event: events.Click) -> None:
        """A click chooses the line under it."""
        self.choose(event.y)
