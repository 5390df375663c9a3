"""A list to choose one of: a key a choice, arrows and Enter, or a click. Nothing is preselected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from mission_tui.text import clean

_MARKS: Final = 5
"""Columns before a line's words: the cursor, the key, and whether it is chosen."""
_ZERO: Final = 10
"""The line that 0 chooses; later ones have no key."""


class Choices(Widget, can_focus=True):
    """Options on one line each, numbered from ``first``, so that a second list can count on.

    Where a line is cut, the one under the cursor is told in full below the list. ``shared`` says
    that the keys work only with the focus, and that other lists may have them: without it they are
    drawn faintly, and a cursor comes with it. In a list that has the keys to itself there is none
    before an arrow is pressed, so Enter, pressed from habit, chooses nothing.
    """

    HELP = """\
### Choices
Press the **number** beside a line to choose it (**0** is the tenth), or move with the arrows and
press **Enter**. Of several lists the one with the **▸** has the keys; **Tab** goes to the next.
"""

    DEFAULT_CSS = """
    Choices { height: auto; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    Choices > .choices--away { color: $secondary; }
    Choices > .choices--full { color: $secondary; }
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
        "choices--away",
        "choices--full",
    }

    chosen: reactive[str | None] = reactive(None)
    cursor: reactive[int | None] = reactive(None)
    is_closed: reactive[bool] = reactive(False)
    """Whether what is chosen stands: no key and no click moves anything then."""

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
        shared: bool = False,
    ) -> None:
        super().__init__(id=id)
        self.options = list(options)
        self._first = first
        self._shared = shared
        self.was_moved = False
        """Whether an arrow was pressed since the focus came: then Enter means the cursor's line."""
        self.set_reactive(Choices.chosen, chosen)

    def offer(self, options: Sequence[tuple[str, str]]) -> None:
        """Replace the options; nothing is chosen then."""
        self.options = list(options)
        self.chosen = None
        self.cursor = None
        self.refresh(layout=True)

    def render(self) -> Text:
        """The options, a line each; below them, with the focus, what the cursor's line cuts off."""
        text = Text(no_wrap=True, overflow="ellipsis")
        works = (self.has_focus or not self._shared) and not self.is_closed
        key_style = self._style("key" if works else "away")
        for number, (option, label) in enumerate(self.options):
            picked = option == self.chosen
            here = self.has_focus and number == self.cursor and not self.is_closed
            mark = f"{'▸' if here else ' '}{self._key(number)} {'◆' if picked else '◇'} "
            name = "chosen" if picked else "cursor" if here else "idle"
            text.append(mark, key_style)
            text.append(_line(label), self._style(name))
            if number + 1 < len(self.options):
                text.append("\n")
        if self._shows_full and self.cursor is not None:
            for row in self._full(self.cursor, self.content_size.width):
                text.append(f"\n{row}", self._style("full"))
        return text

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A row an option; with the focus as many more as the longest of those that are cut needs.

        So nothing moves with the cursor.
        """
        rows = range(len(self.options)) if self.has_focus else ()
        return len(self.options) + max((len(self._full(n, width)) for n in rows), default=0)

    def _full(self, number: int, width: int) -> list[str]:
        """The words of a line that is too long for this width, broken; nothing for another one."""
        words = _line(self.options[number][1])
        if cell_len(words) <= width - _MARKS or width <= 2 * _MARKS:
            return []
        lines = Text(words).wrap(self.app.console, width - _MARKS)
        return [" " * _MARKS + line.plain.rstrip() for line in lines]

    @property
    def _shows_full(self) -> bool:
        return self.has_focus and self.content_size.height > len(self.options)

    def _key(self, number: int) -> str:
        key = number + self._first
        return str(key) if key < _ZERO else "0" if key == _ZERO else "·"

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"choices--{name}", partial=True)

    def watch_has_focus(self, has_focus: bool) -> None:
        """Where the keys are shared, a cursor: where the choice is, else on the first line."""
        super().watch_has_focus(has_focus)
        self.was_moved = False
        if has_focus and self._shared and self.cursor is None and self.options:
            ids = [option for option, _ in self.options]
            self.cursor = ids.index(self.chosen) if self.chosen in ids else 0
        if any(self._full(n, self.content_size.width) for n in range(len(self.options))):
            self.refresh(layout=True)
            if has_focus:
                self.call_after_refresh(self._follow)

    def choose(self, number: int) -> None:
        """Choose the option at ``number`` (from 0), if there is one."""
        if 0 <= number < len(self.options) and not self.is_closed:
            self.cursor = number
            self.chosen = self.options[number][0]
            self.post_message(self.Chosen(self, self.chosen))

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        if self.is_closed:
            return
        start = -1 if self.cursor is None and by > 0 else self.cursor or 0
        self.cursor = max(0, min(len(self.options) - 1, start + by))
        self.was_moved = True
        self.app.cursor_position = Offset(self.region.x, self.region.y + self.cursor)
        self._follow()

    def _follow(self) -> None:
        """Keep the cursor's line in sight, in a list that is longer than its room."""
        room, at = self.parent, self.virtual_region
        if isinstance(room, Widget) and room.is_scrollable and self.cursor is not None:
            rows = max(1, min(at.height - self.cursor, room.size.height))
            line = Region(at.x, at.y + self.cursor, at.width, rows)
            room.scroll_to_region(line, animate=False, force=True)

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
        if not character.isdecimal():
            return False
        number = (int(character) or _ZERO) - self._first
        if not 0 <= number < len(self.options):
            return False
        self.choose(number)
        return True

    def on_click(self, event: events.Click) -> None:
        """A click chooses the line under it."""
        self.choose(event.y)


def _line(label: str) -> str:
    return clean(label, 200).replace("\n", " ")
