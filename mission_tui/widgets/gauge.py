"""Gauges: a row for each spec, with its value, limit, headroom and a status word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.geometry import Size

from mission_tui.text import clean_line
from mission_tui.widgets.cells import Canvas, CellGrid, Role, fit

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_BAR = 8


@dataclass(frozen=True, slots=True)
class Reading:
    """One spec, measured.

    ``value``, ``limit`` (such as ``"≤ 1.00 GB"``) and ``headroom`` (signed) carry their units.
    ``share`` is the value over its limit, so the bar grows with the value; None draws no bar.
    ``at_least`` says that the limit is a floor, to be passed; else it must not be. ``tag`` says
    what the number stands on ("on the stand-in").
    """

    label: str
    value: str
    limit: str = ""
    headroom: str = ""
    share: float | None = None
    status: str = ""
    role: Role = "good"
    tag: str = ""
    at_least: bool = False


class Gauges(CellGrid):
    """A row for each :class:`Reading`, in columns; at most 78 cells are needed."""

    HELP: ClassVar[str] = """
### Gauges
Each row is one spec: its value, its limit, how much room is left (**+**) or lacking (**−**),
and a word: whether it holds. The bar is as long as the value and **│** is the limit: **·** is
room left, **▓** too much, **░** what is lacking to a floor.
A remark at the end says where a number comes from, such as a stand-in model.
"""

    def __init__(
        self,
        readings: Iterable[Reading] = (),
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._readings = tuple(readings)

    @property
    def readings(self) -> tuple[Reading, ...]:
        """What the gauges show."""
        return self._readings

    def show(self, readings: Iterable[Reading]) -> None:
        """Show new readings; only changed cells are repainted."""
        readings = tuple(readings)
        if len(readings) != len(self._readings):
            self.refresh(layout=True)
        self._readings = readings
        self._draw()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One row for each reading."""
        return len(self._readings)

    def on_resize(self, event: events.Resize) -> None:
        """Draw at the new size."""
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        if not width or not height:
            return
        canvas = Canvas(width, height)
        for y, reading in enumerate(self._readings[:height]):
            _draw_reading(canvas, y, reading)
        self.display_canvas(canvas)


class Gauge(Gauges):
    """One spec alone."""

    def __init__(
        self,
        reading: Reading,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__((reading,), name=name, id=id, classes=classes)


def _draw_reading(canvas: Canvas, y: int, reading: Reading) -> None:
    """Draw one row: label, value, bar, headroom, status, limit, tag.

    What never changes stands at the right end, where Textual need not repaint it. Below 60
    cells the bar goes first, since the other columns say the same in words.
    """
    wide = canvas.width >= 60
    label = 13 if wide else 10
    x = 1
    canvas.put(x, y, fit(clean_line(reading.label), label), "text")
    x += label + 1
    canvas.put_right(x + 11, y, fit(clean_line(reading.value), 11), "text")
    x += 12
    if wide:
        if reading.share is not None:
            canvas.put(x, y, bar(reading.share, _BAR, at_least=reading.at_least), reading.role)
        x += _BAR + 1
    canvas.put_right(x + 10, y, fit(clean_line(reading.headroom), 10), reading.role)
    x += 11
    x = canvas.put(x, y, fit(clean_line(reading.status), 7).ljust(7), reading.role) + 1
    canvas.put(x, y, fit(clean_line(reading.limit), min(13, canvas.width - x)), "muted")
    x += 14
    if canvas.width - x >= 4:
        canvas.put(x, y, fit(clean_line(reading.tag), canvas.width - x), "muted")


def bar(share: float, width: int, *, at_least: bool = False) -> str:
    """Return a bar of ``width`` cells as long as the value, with │ where the limit stands.

    ``share`` is value over limit, so the scale begins at zero and the mark never moves, whichever
    way the limit points. What textures say without colour: · is room, ░ what is lacking, ▓ what
    is too much, ▸ that it goes on. A value that is short of a floor
    never looks full.
    """
    before = width * 2 // 3  # cells up to the mark
    after = width - before - 1
    met = share >= 1 if at_least else share <= 1
    gap = "░" if at_least and not met else "·"
    if not share > 0:
        return gap * before + "│" + " " * after
    if share < 1:
        eighths = min(max(1, round(share * before * 8)), before * 8 - at_least)
        return _filled(eighths).ljust(before, gap) + "│" + " " * after
    beyond = min(share - 1, 10.0) * before
    if beyond > after:
        tail = ("█" if met else "▓") * (after - 1) + "▸"
    else:
        tail = _filled(round(beyond * 8)) if met else "▓" * max(1, round(beyond))
    return "█" * before + "│" + tail.ljust(after)


def _filled(eighths: int) -> str:
    full, part = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[part] if part else "")
