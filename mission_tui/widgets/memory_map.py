"""The memory map: who holds the device's memory, bar after bar, against its limit.

Drawn with block characters and not through plotext: its bars start and end on whole cells (half
cells in its finer markers), have one texture each and spend three columns and two rows on frame
and ticks. In 50 × 8 cells a waterfall needs ends at an eighth of a cell and a texture that turns
at the limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events

from mission_tui.text import clean_line
from mission_tui.widgets.cells import Canvas, CellGrid, Role, fit

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LABEL = 11
_AMOUNT = 9
_NICE = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True)
class Holding:
    """One holder of memory, such as the weights: its name and its bytes."""

    label: str
    amount: float


@dataclass(frozen=True, slots=True)
class Memory:
    """What a memory map shows; amounts in the unit that ``format`` writes (bytes).

    ``bet`` is the locked prediction of the peak as (low, high); ``bet_holds_here`` says that it
    is about the setting that is shown, else it is dim. ``previous`` is the peak of the setting
    before.
    """

    holdings: tuple[Holding, ...]
    limit: float
    format: Callable[[float], str]
    limit_label: str = "limit"
    bet: tuple[float, float] | None = None
    bet_label: str = "your bet"
    previous: float | None = None
    bet_holds_here: bool = True

    @property
    def peak(self) -> float:
        """The sum of all holdings."""
        return sum(_finite(holding.amount) for holding in self.holdings)


def _finite(amount: float) -> float:
    return amount if math.isfinite(amount) and amount > 0 else 0.0


class MemoryMap(CellGrid):
    """A waterfall of holdings along an axis of bytes, with the limit as a dashed line.

    Amounts stand beside their labels, not at the right end: Textual repaints a row from its left
    edge to its last change, so what follows the bar would be sent again with every step.

    Rows: peak, one for each holding, the bet, the axis (left out first when short), its labels.
    """

    HELP: ClassVar[str] = """
### Memory map
Each bar starts where the one above ends, so the last one ends at the **peak**.
The dashed line is the **limit**: beyond it a bar is drawn **▓**, not █.
`├──┤` is **your bet** on the peak, dim where it was about another setting; △ is the peak of the
setting before.
"""

    DEFAULT_CSS = """
    MemoryMap { height: 8; }
    """

    def __init__(
        self,
        memory: Memory | None = None,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._memory = memory
        self._top = 0.0

    @property
    def top(self) -> float:
        """The axis' upper end, in the holdings' unit."""
        return self._top

    def show(self, memory: Memory) -> None:
        """Show a new state; only changed cells are repainted."""
        self._memory = memory
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw at the new size."""
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        if self._memory is None or not width or not height:
            return
        self._top = axis_top(self._memory, self._top)
        self.display_canvas(draw(self._memory, self._top, width, height))


def axis_top(memory: Memory, now: float) -> float:
    """Return the axis' upper end: ``now`` as long as it serves, so that steps can be compared.

    It is changed when something would not fit, or when all would fit in two fifths of it.
    """
    bet = memory.bet[1] if memory.bet else 0.0
    shown = (memory.peak, memory.limit, bet, memory.previous or 0.0)
    needed = max(map(_finite, shown)) or 1.0
    if needed <= now * 0.98 and needed >= now * 0.4:
        return now
    wanted = needed * 1.15
    power = 10.0 ** math.floor(math.log10(wanted))
    return next((base * power for base in _NICE if base * power >= wanted), 10 * power)


def draw(memory: Memory, top: float, width: int, height: int) -> Canvas:
    """Return the map on ``width`` × ``height`` cells with an axis from 0 to ``top``."""
    canvas = Canvas(width, height)
    left = _LABEL + _AMOUNT + 2
    wide = width - left
    _draw_peak(canvas, memory)
    if wide < 8 or height < len(memory.holdings) + 1:
        return canvas
    per_cell = top / wide
    limit = memory.limit / per_cell if _finite(memory.limit) else math.inf
    begin = 0.0
    for y, holding in enumerate(memory.holdings, start=1):
        end = begin + _finite(holding.amount) / per_cell
        canvas.put(0, y, fit(clean_line(holding.label), _LABEL), "text")
        if limit < wide:
            canvas.put(left + int(limit), y, "╎", "limit")
        _draw_bar(canvas, left, y, (begin, min(end, wide)), limit)
        amount = fit(clean_line(memory.format(holding.amount)), _AMOUNT)
        canvas.put_right(left - 1, y, amount, "text")
        begin = end
    y = len(memory.holdings) + 1
    _draw_bet(canvas, memory, left, y, per_cell, limit)
    if y + 2 < height:
        y += 1
        _draw_axis(canvas, memory, left, y, per_cell, wide)
    if y + 1 < height:
        _draw_labels(canvas, memory, left, y + 1, per_cell, wide)
    return canvas


def _draw_peak(canvas: Canvas, memory: Memory) -> None:
    over = memory.peak - memory.limit
    role: Role = "bad" if over > 0 else "good"
    word = "OVER by" if over > 0 else "under by"
    text = f"peak {memory.format(memory.peak)} · {word} {memory.format(abs(over))}"
    if memory.previous is not None and memory.format(memory.previous) != memory.format(memory.peak):
        text += f" · was {memory.format(memory.previous)}"
    canvas.put(0, 0, fit(clean_line(text), canvas.width), role)


def _draw_bar(canvas: Canvas, left: int, y: int, span: tuple[float, float], limit: float) -> None:
    """Draw a bar from ``span[0]`` to ``span[1]`` cells: █ within the limit, ▓ beyond.

    Blocks grow from the left only, so a start is rounded to half a cell, an end to an eighth.
    """
    begin, end = span
    if end <= begin:
        return
    first, last = int(begin), int(end)
    if first == last:
        block = _EIGHTHS[max(1, round((end - begin) * 8))]
        canvas.put(left + first, y, block, "bad" if begin >= limit else "primary")
        return
    drawn = False
    for column in range(first, last + 1):
        over = column + 0.5 > limit and end > limit
        part = round((end - column) * 8)
        if column == first and begin - first >= 0.25:
            block = "▐" if begin - first < 0.75 else " "
        else:
            block = _EIGHTHS[min(8, part)]
        if over and block == "█":
            block = "▓"
        if column == last and not drawn and block == " ":
            block = "▏"  # a bar across two cells that fills neither
        if block != " ":
            canvas.put(left + column, y, block, "bad" if over else "primary")
            drawn = True


def _draw_bet(
    canvas: Canvas, memory: Memory, left: int, y: int, per_cell: float, limit: float
) -> None:
    wide = canvas.width - left
    if limit < wide:
        canvas.put(left + int(limit), y, "╎", "limit")
    if memory.bet is None:
        return
    low, high = (min(int(_finite(end) / per_cell), wide - 1) for end in memory.bet)
    role: Role = "band" if memory.bet_holds_here else "ghost"
    canvas.put(0, y, fit(clean_line(memory.bet_label), left - 1), role)
    bracket = "├" + "─" * (high - low - 1) + "┤" if high > low else "┼"
    canvas.put(left + low, y, bracket, role)


def _draw_axis(
    canvas: Canvas, memory: Memory, left: int, y: int, per_cell: float, wide: int
) -> None:
    canvas.put(left, y, "─" * wide, "axis")
    for at in _ticks(per_cell * wide):
        canvas.put(left + min(int(at / per_cell), wide - 1), y, "┬", "axis")
    if memory.previous is not None:
        column = min(int(_finite(memory.previous) / per_cell), wide - 1)
        canvas.put(left + column, y, "△", "ghost")
    if _finite(memory.limit) and memory.limit / per_cell < wide:
        canvas.put(left + int(memory.limit / per_cell), y, "╀", "limit")


def _draw_labels(
    canvas: Canvas, memory: Memory, left: int, y: int, per_cell: float, wide: int
) -> None:
    """Write the limit under its line, then the ticks where there is room."""
    if _finite(memory.limit):
        text = fit(clean_line(f"{memory.limit_label} {memory.format(memory.limit)}"), wide)
        column = left + min(int(memory.limit / per_cell), wide - 1)
        start = min(max(left, column - cell_len(text) // 2), canvas.width - cell_len(text))
        canvas.put(start, y, text, "limit")
    for at in _ticks(per_cell * wide):
        text = clean_line(memory.format(at), 10)
        size = cell_len(text)
        start = left + min(int(at / per_cell), wide - 1) - (size // 2 if at else 0)
        if canvas.is_free(start - 1, y, size + 2):
            canvas.put(start, y, text, "axis")


def _ticks(top: float) -> list[float]:
    """Return 0 and up to four round values below ``top``."""
    power = 10.0 ** math.floor(math.log10(top / 4))
    step = next(base * power for base in (1.0, 2.0, 2.5, 5.0, 10.0) if base * power >= top / 4.5)
    return [step * index for index in range(int(top / step) + 1)]
