"""The keys at the foot of a screen: one row, drawn again only when its words change.

The toolkit's footer makes its children anew at each move of the focus: measured, 8 kB at
80 × 24 for a step from one slider to the next, most of a second on a narrow link.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final, TypeAlias

from rich.style import Style
from rich.text import Text
from textual import events
from textual.screen import Screen
from textual.widget import Widget

from mission_tui.text import clean_line

Keys: TypeAlias = tuple[tuple[str, str, str], ...]
"""(key to press, its name, its words)."""

_ALWAYS: Final[Keys] = (("question_mark", "?", "help"), ("ctrl+p", "^p", "palette"))


def _width(keys: Keys) -> int:
    return sum(len(name) + len(words) + 3 for _, name, words in keys)


class KeyBar(Widget):
    """What can be done here, and with which key; a click does it too."""

    DEFAULT_CSS = """
    KeyBar { dock: bottom; height: 1; width: 1fr; }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"keybar--key", "keybar--words"}

    def __init__(self) -> None:
        super().__init__()
        self._keys: Keys = ()
        self._renamed: dict[str, str] = {}

    def on_mount(self) -> None:
        """Follow what is possible on this screen."""
        self._keys = tuple(self._active())
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def rename(self, action: str, words: str) -> None:
        """Say more of a command than its name, such as which of several views is shown."""
        self._renamed[action] = words

    def _changed(self, _: Screen[object]) -> None:
        keys = tuple(self._active())
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def _active(self) -> Iterator[tuple[str, str, str]]:
        """(key to press, its name, its words) for each command that is shown."""
        seen: set[str] = set()
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled and binding.action not in {*seen, "help"}:
                seen.add(binding.action)
                name = self.app.get_key_display(binding)
                words = self._renamed.get(binding.action, binding.description)
                yield binding.key, name, clean_line(words, 30)

    def render(self) -> Text:
        """The commands at left, the palette at right; a command that does not fit is left out."""
        text = Text(no_wrap=True, overflow="ellipsis")
        always, shown = self._always(), self._fitting()
        for _, name, words in shown:
            text.append(f" {name} ", self._style("key"))
            text.append(f"{words} ", self._style("words"))
        if len(shown) < len(self._keys):
            text.append(" …", self._style("words"))  # help, beside it, has them all
        text.truncate(self.size.width - _width(always), overflow="ellipsis", pad=True)
        for _, name, words in always:
            text.append(f" {name} ", self._style("key"))
            text.append(f"{words} ", self._style("words"))
        return text

    def _fitting(self) -> Keys:
        """The commands for which there is room, each whole."""
        room = self.size.width - _width(self._always())
        if _width(self._keys) <= room:
            return self._keys
        most = len(self._keys)
        while most and _width(self._keys[:most]) > room - len(" …"):
            most -= 1
        return self._keys[:most]

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        always = self._always()
        here = event.x - max(0, self.size.width - _width(always))
        keys, at = (always, here) if here >= 0 else (self._fitting(), event.x)
        end = 0
        for key, name, words in keys:
            end += len(name) + len(words) + 3
            if at < end:
                self.app.simulate_key(key)
                return

    def _always(self) -> Keys:
        """Help and the palette; help alone where this screen's own keys need the room."""
        room = self.size.width - _width(self._keys)
        return _ALWAYS if room >= _width(_ALWAYS) else _ALWAYS[:1]

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"keybar--{name}", partial=True)
