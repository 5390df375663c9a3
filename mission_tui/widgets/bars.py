"""A list of labelled bars: where joules go, who is recognised; with where each ended before."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.geometry import Size

from mission_tui.text import clean_line
from mission_tui.widgets.cells import Canvas, CellGrid, fit

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LABEL = 12  # cells of a label at least, where there is room for more
_AMOUNT = 9


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, its amount, and the amount before."""

    label: str
    amount: float
    before: float | None = None


@dataclass(frozen=True, slots=True)
class BarList:
    """What the widget shows; amounts in the unit that ``format`` writes."""

    title: str
    bars: tuple[Bar, ...]
    format: Callable[[float], str]


class Bars(CellGrid):
    """A title and a row for each bar, all from 0 to the longest; △ is where one ended before."""

    HELP: ClassVar[str] = """
### Bars
All bars start at zero and share one scale. **△** is where a bar ended in the run before.
"""

    def __init__(
        self,
        shown: BarList | None = None,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._list = shown

    def show(self, shown: BarList) -> None:
        """Show a new list; only changed cells are repainted."""
        grown = self._list is None or len(self._list.bars) != len(shown.bars)
        self._list = shown
        if grown:
            self.refresh(layout=True)
        self._draw()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A row for the title and one for each bar."""
        return 1 + (len(self._list.bars) if self._list else 0)

    def on_resize(self, event: events.Resize) -> None:
        """Draw at the new size."""
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        if self._list is not None and width and height:
            self.display_canvas(draw(self._list, width, height))


def draw(shown: BarList, width: int, height: int) -> Canvas:
    """Return the list on ``width`` × ``height`` cells; rows that do not fit are counted."""
    canvas = Canvas(width, height)
    canvas.put(0, 0, fit(clean_line(shown.title), width), "strong")
    longest = max((cell_len(clean_line(bar.label)) for bar in shown.bars), default=0)
    label = max(_LABEL, min(longest, width * 2 // 5))
    left = label + _AMOUNT + 2
    wide = max(0, width - left)
    known = [x for bar in shown.bars for x in (bar.amount, bar.before or 0.0) if math.isfinite(x)]
    top = max(known, default=0.0)
    room = height - 1
    for y, bar in enumerate(shown.bars[:room], start=1):
        canvas.put(0, y, fit(clean_line(bar.label), label), "text")
        amount = fit(clean_line(shown.format(bar.amount)), _AMOUNT)
        canvas.put_right(left - 1, y, amount, "text")
        if top <= 0 or wide < 4:
            continue
        full, part = divmod(round(max(0.0, bar.amount) / top * (wide - 1) * 8), 8)
        canvas.put(left, y, "█" * full + (_EIGHTHS[part] if part else ""), "primary")
        if bar.before is not None and bar.before != bar.amount:
            column = round(max(0.0, bar.before) / top * (wide - 1))
            if canvas.is_free(left + column, y, 1):
                canvas.put(left + column, y, "△", "ghost")
    if len(shown.bars) > room > 0:
        canvas.put_right(width, height - 1, f"+{len(shown.bars) - room}", "muted")
    return canvas
