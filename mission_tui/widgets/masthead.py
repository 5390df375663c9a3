"""The line at the top of every screen: where you are, and how far the part has come."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from mission_tui.text import clean_line


class Masthead(Widget):
    """Breadcrumbs at left, the steps of the part at right."""

    DEFAULT_CSS = """
    Masthead { height: 1; width: 1fr; }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "masthead--brand",
        "masthead--crumb",
        "masthead--done",
        "masthead--here",
        "masthead--ahead",
        "masthead--unsaved",
    }

    unsaved: reactive[bool] = reactive(False)
    """Whether the play is in memory alone: said on every screen until it is on disk."""

    def __init__(
        self, crumbs: tuple[str, ...], steps: tuple[str, ...] = (), here: int = -1
    ) -> None:
        super().__init__()
        self._crumbs = crumbs
        self._steps = steps
        self._here = here

    def render(self) -> Text:
        """One line that never wraps: the crumbs give way first."""

        right = Text()
        if self.unsaved:
            right.append(" UNSAVED ", self._style("unsaved"))
        for number, step in enumerate(self._steps):
            if number == self._here:
                right.append(f" ◉ {step}", self._style("here"))
            else:
                done = number < self._here
                right.append(" ●" if done else " ○", self._style("done" if done else "ahead"))
        left = Text("▲ ", self._style("brand"), no_wrap=True)
        crumbs = " ▸ ".join(clean_line(crumb, 40) for crumb in self._crumbs)
        left.append(crumbs, self._style("crumb"))
        room = max(0, self.size.width - right.cell_len - 1)
        left.truncate(room, overflow="ellipsis", pad=True)
        return Text.assemble(left, " ", right)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"masthead--{name}", partial=True)
