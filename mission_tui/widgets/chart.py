"""A chart of one frozen :class:`Plot`, drawn by a plotext figure of its own.

plotext is a fine rasteriser (braille lines, axes, ticks) with three habits to work around: its
global figure mixes threads up, it raises on infinities and on 0 under a log axis, and it walks
every cell of a line that leaves the canvas. So each chart builds its own figure on the UI thread,
and hands it finite numbers only: data are scaled, clipped and mapped to canvas cells here.
plotext paints in placeholder palette codes, which are read back as roles.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from rich.cells import cell_len
from textual import events

from mission_tui.text import clean_line
from mission_tui.widgets.cells import Canvas, CellGrid, Role, fit

SMALLEST = (24, 7)  # columns, rows: below this a chart says so instead of drawing
LINE = "braille"

_ROLES: tuple[Role, ...] = (
    "text", "muted", "axis", "primary", "secondary", "limit", "ghost", "band", "good", "tight",
    "bad",
)  # fmt: skip
_CODE_OF = {role: code for code, role in enumerate(_ROLES, start=100)}
_ROLE_OF = {str(code): role for role, code in _CODE_OF.items()}
_PAINT = re.compile(r"\x1b\[(?:38;5;(\d+)|0)m")
# Limit lines are dashed, so that they differ from the axes without colour.
_DASHED = str.maketrans({"│": "╎", "─": "╌"})


def plain_number(value: float) -> str:
    """Format ``value`` with up to four significant digits."""
    return f"{value:.4g}"


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: ``title`` names the quantity and its unit.

    ``low`` and ``high`` fix the limits; either one left out is fitted to the data. ``format``
    writes a value, ``tick`` a tick where that has to be shorter. ``ticks`` are chosen when empty.
    """

    title: str = ""
    low: float | None = None
    high: float | None = None
    log: bool = False
    format: Callable[[float], str] = plain_number
    ticks: tuple[float, ...] = ()
    tick: Callable[[float], str] | None = None

    @property
    def heading(self) -> str:
        """The title; a logarithmic axis says that it is one."""
        return f"{clean_line(self.title)} (log)" if self.log and self.title else self.title


@dataclass(frozen=True, slots=True)
class Series:
    """Points (x, y) that belong together.

    ``marker`` is ``LINE`` (fine braille) or one character. A joined series is a line, interrupted
    where a point is not finite; series differ by marker and label, not by colour alone.
    """

    label: str
    points: tuple[tuple[float, float], ...]
    role: Role = "primary"
    marker: str = LINE
    joined: bool = True


@dataclass(frozen=True, slots=True)
class Limit:
    """A straight line across the chart: at a value of x (vertical) or of y (horizontal)."""

    axis: str
    at: float
    label: str = ""
    role: Role = "limit"


@dataclass(frozen=True, slots=True)
class Band:
    """A shaded range of one axis, such as the prediction that the player locked."""

    axis: str
    low: float
    high: float
    label: str = "your bet"
    role: Role = "band"


@dataclass(frozen=True, slots=True)
class Mark:
    """One labelled point: a numbered run, or (role ``ghost``) the previous run."""

    x: float
    y: float
    label: str = ""
    marker: str = "●"
    role: Role = "text"


@dataclass(frozen=True, slots=True)
class Plot:
    """All that a chart shows."""

    x: Axis = Axis()
    y: Axis = Axis()
    series: tuple[Series, ...] = ()
    limits: tuple[Limit, ...] = ()
    bands: tuple[Band, ...] = ()
    marks: tuple[Mark, ...] = ()
    empty: str = "no data yet"


def table(plot: Plot) -> list[list[str]]:
    """Return the table behind a chart: a header, then a row for each point, limit and band."""
    x, y = plot.x, plot.y
    rows = [["", x.title or "x", y.title or "y"]]
    for series in plot.series:
        rows += [[series.label, _written(x, a), _written(y, b)] for a, b in series.points]
    rows += [[mark.label, _written(x, mark.x), _written(y, mark.y)] for mark in plot.marks]
    for limit in plot.limits:
        on_x = limit.axis == "x"
        at = _written(x if on_x else y, limit.at)
        rows.append([limit.label, at, ""] if on_x else [limit.label, "", at])
    for band in plot.bands:
        axis = x if band.axis == "x" else y
        span = f"{_written(axis, band.low)} … {_written(axis, band.high)}"
        rows.append([band.label, span, ""] if band.axis == "x" else [band.label, "", span])
    return [[clean_line(text) for text in row] for row in rows]


def _written(axis: Axis, value: float) -> str:
    return axis.format(value) if math.isfinite(value) else "—"


class _Scale:
    """Maps the values of one axis to cells 0 … ``cells`` − 1 of the canvas."""

    def __init__(self, axis: Axis, values: Iterable[float], cells: int) -> None:
        self.axis = axis
        self.cells = cells
        low, high = _extent(axis, [value for value in values if self.is_drawable(value)])
        self.low, self.high = self._raw(low), self._raw(high)

    def is_drawable(self, value: float) -> bool:
        return math.isfinite(value) and (value > 0 or not self.axis.log)

    def _raw(self, value: float) -> float:
        return math.log10(value) if self.axis.log else value

    def cell(self, value: float) -> float:
        """Return the (fractional) cell of ``value``, which may lie outside the canvas.

        A value that this axis cannot show (not finite, or not positive on a log axis) is NaN.
        """
        if not self.is_drawable(value):
            return math.nan
        share = (self._raw(value) - self.low) / (self.high - self.low)
        return share * (self.cells - 1)

    def ticks(self, room: int) -> list[tuple[float, str]]:
        """Return at most about ``room`` ticks as (cell, label), and always both ends."""
        low, high = self.low, self.high
        values: Sequence[float] = self.axis.ticks
        if not values and self.axis.log:
            first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
            every = max(1, math.ceil((last - first + 1) / max(room, 1)))
            values = [10.0**power for power in range(first, last + 1, every)]
            if last - first < 2:
                tens = range(math.floor(low), math.ceil(high) + 1)
                values = [base * 10.0**power for power in tens for base in (1, 2, 5)]
        elif not values:
            step = _nice_step(high - low, room)
            first = math.ceil(low / step - 1e-9)
            last = math.floor(high / step + 1e-9)
            values = [float(f"{index * step:.12g}") for index in range(first, last + 1)]
        placed = [(self.cell(value), self._tick(value)) for value in values]
        inside = [(cell, label) for cell, label in placed if -0.01 <= cell <= self.cells - 0.99]
        ends = [
            (at, self._tick(float(f"{10.0**raw if self.axis.log else raw:.12g}")))
            for at, raw in ((0.0, low), (self.cells - 1.0, high))
            if not any(abs(cell - at) < 0.01 for cell, _ in inside)
        ]
        return sorted(inside + ends)

    def _tick(self, value: float) -> str:
        return clean_line((self.axis.tick or self.axis.format)(value), 12)


def _nice_step(span: float, room: int) -> float:
    rough = span / max(room - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(base * power for base in (1.0, 2.0, 2.5, 5.0, 10.0) if base * power >= rough * 0.99)


def _extent(axis: Axis, values: list[float]) -> tuple[float, float]:
    """Return finite limits low < high: the fixed ones, else around ``values``."""
    fixed = [
        limit
        if limit is not None and math.isfinite(limit) and (limit > 0 or not axis.log)
        else None
        for limit in (axis.low, axis.high)
    ]
    known = values + [limit for limit in fixed if limit is not None]
    low, high = (min(known), max(known)) if known else (1.0, 10.0) if axis.log else (0.0, 1.0)
    if high <= low:
        if not axis.log and low == 0:
            return 0.0, 1.0  # nothing but zeros: no room below it is made up
        spread = abs(low) / 2 or 1.0
        low, high = (low / 2, low * 2) if axis.log else (low - spread, low + spread)
    low, high = _rounded(low, high, log=axis.log)
    low = low if fixed[0] is None else fixed[0]
    high = high if fixed[1] is None else fixed[1]
    return (low, high) if low < high else _rounded(low, low + 1.0, log=axis.log)


def _rounded(low: float, high: float, *, log: bool) -> tuple[float, float]:
    """Ends outside two values that read well: on an axis both ends are labelled."""
    if log:
        return _nice(low * (1 + 1e-9), up=False), _nice(high * (1 - 1e-9), up=True)
    step = _nice_step(high - low, 9)
    ends = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    below, above = (float(f"{end:.12g}") for end in ends)
    return below, above


def _nice(value: float, *, up: bool) -> float:
    """The next of 1, 2 and 5 times a power of ten, upwards or down."""
    power = 10.0 ** math.floor(math.log10(value))
    steps = [float(f"{base * power:.12g}") for base in (1.0, 2.0, 5.0, 10.0)]
    if up:
        return next(step for step in steps if step >= value)
    return next(step for step in reversed(steps) if step <= value)


def _values(plot: Plot, axis: str) -> list[float]:
    """Every value that an axis should cover when its limits are not fixed."""
    side = 0 if axis == "x" else 1
    values = [point[side] for series in plot.series for point in series.points]
    values += [mark.x if axis == "x" else mark.y for mark in plot.marks]
    values += [limit.at for limit in plot.limits if limit.axis == axis]
    values += [end for band in plot.bands if band.axis == axis for end in (band.low, band.high)]
    return values


def _steadied(axis: Axis, values: list[float], before: Axis | None) -> Axis:
    """Return ``axis`` with both limits fixed: those it had ``before`` where they still serve.

    A picture whose axes stay put can be compared from step to step, and repaints little. Limits
    only widen, until what is shown fills less than a third of them.
    """
    scale = _Scale(axis, values, 2)
    low, high = scale.low, scale.high
    if before is not None and (before.title, before.log) == (axis.title, axis.log):
        held = _Scale(before, (), 2)
        slack = 1e-9 * (held.high - held.low)
        inside = held.low - slack <= low and high <= held.high + slack
        if inside and high - low >= (held.high - held.low) / 3:
            return before  # to the last bit: a tick on a half cell must not jump
        widest = max(high, held.high) - min(low, held.low)
        if high - low >= widest / 3:
            low, high = min(low, held.low), max(high, held.high)
    if axis.log:
        low, high = 10.0**low, 10.0**high
    return replace(
        axis,
        low=low if axis.low is None else axis.low,
        high=high if axis.high is None else axis.high,
    )


def _clip(
    a: tuple[float, float], b: tuple[float, float], width: int, height: int
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the part of the segment a–b on the canvas (Liang and Barsky 1984), or None."""
    (x, y), (dx, dy) = a, (b[0] - a[0], b[1] - a[1])
    enter, leave = 0.0, 1.0
    # Half a cell of margin, since a cell is centred on its coordinate.
    for step, gap in (
        (-dx, x + 0.4), (dx, width - 0.6 - x), (-dy, y + 0.4), (dy, height - 0.6 - y),
    ):  # fmt: skip
        if step == 0:
            if gap < 0:
                return None
        elif step < 0:
            enter = max(enter, gap / step)
        else:
            leave = min(leave, gap / step)
    if enter > leave:
        return None
    return (x + enter * dx, y + enter * dy), (x + leave * dx, y + leave * dy)


def _apart(ticks: list[tuple[float, str]], cells: int) -> list[tuple[float, str]]:
    """Ticks of an upright axis without those beside one of the ends, which are labelled."""
    inner = [(at, label) for at, label in ticks[1:-1] if 1.5 <= at <= cells - 2.5]
    return [*ticks[:1], *inner, *ticks[1:][-1:]]


class _Sheet:
    """One drawing of a plot on a canvas of ``width`` × ``height`` cells."""

    def __init__(self, plot: Plot, width: int, height: int) -> None:
        self.plot = plot
        self.canvas = Canvas(width, height)
        rows = height - 1  # the top row holds the legend
        self.x_title = clean_line(plot.x.heading)
        rows -= bool(self.x_title)
        self.rows = rows
        self.tall = rows - 2  # minus the axis and its tick labels
        self.y_scale = _Scale(plot.y, _values(plot, "y"), self.tall)
        y_ticks = _apart(self.y_scale.ticks(max(2, self.tall // 2)), self.tall)
        self.margin = max((cell_len(label) for _, label in y_ticks), default=0)
        self.y_ticks = [(at, label.rjust(self.margin)) for at, label in y_ticks]
        self.wide = width - 1 - self.margin
        self.x_scale = _Scale(plot.x, _values(plot, "x"), self.wide)
        self.x_ticks = list(self._placed(self.x_scale.ticks(max(2, self.wide // 11))))

    def draw(self) -> Canvas:
        self._read(self._figure().build())
        self._tick_labels()
        self._legend()
        self._limit_labels()
        self._mark_labels()
        if self.x_title:
            title = fit(self.x_title, self.wide)
            self.canvas.put_right(self.canvas.width, self.canvas.height - 1, title, "muted")
        if not (self.plot.series or self.plot.marks):
            text = fit(self.plot.empty, self.wide)
            start = self.margin + 1 + (self.wide - cell_len(text)) // 2
            self.canvas.put(start, self.canvas.height // 2, text, "muted")
        return self.canvas

    def _figure(self) -> Any:
        # ~20 ms to import: paid by the first chart shown, not by the first frame of the game.
        from plotext._figure import _figure_class

        figure = _figure_class()
        figure._limit_size(False, False)
        figure.plot_size(self.canvas.width, self.rows)
        figure.theme("clear")
        figure.ticks_color(_CODE_OF["axis"])
        figure.xaxes(True, False)
        figure.yaxes(True, False)
        figure.xlim(0, self.wide - 1)
        figure.ylim(0, self.tall - 1)
        figure.xticks([at for at, _, _ in self.x_ticks], ["" for _ in self.x_ticks])
        figure.yticks([at for at, _ in self.y_ticks], [label for _, label in self.y_ticks])
        # An axis without data has no ticks in plotext: one blank point keeps them.
        figure.scatter([0], [0], marker=" ", color=_CODE_OF["axis"])
        for band in self.plot.bands:
            self._shade(figure, band)
        for limit in self.plot.limits:
            scale = self.x_scale if limit.axis == "x" else self.y_scale
            at = scale.cell(limit.at)
            if -0.5 <= at <= scale.cells - 0.5:
                draw = figure.vertical_line if limit.axis == "x" else figure.horizontal_line
                draw(min(max(at, 0), scale.cells - 1), color=_CODE_OF[limit.role])
        for series in self.plot.series:
            self._trace(figure, series)
        for mark in self.plot.marks:
            at_x, at_y = self.x_scale.cell(mark.x), self.y_scale.cell(mark.y)
            if self._on_canvas(at_x, at_y):
                marker = clean_line(mark.marker)[:1] or "●"
                figure.scatter([at_x], [at_y], marker=marker, color=_CODE_OF[mark.role])
        return figure

    def _placed(self, ticks: list[tuple[float, str]]) -> Iterator[tuple[float, str, int]]:
        """(cell, label, column of the label) of the ticks with room for a label: the ends first."""
        taken: list[tuple[int, int]] = []
        for at, label in sorted(ticks, key=lambda tick: (tick not in (ticks[0], ticks[-1]), tick)):
            size = cell_len(label)
            start = max(0, self.margin + 1 + int(at + 0.5) - size // 2)
            start = min(start, self.canvas.width - size)
            if all(start + size < begin or end < start for begin, end in taken):
                taken.append((start, start + size))
                yield at, label, start

    def _tick_labels(self) -> None:
        """Each label under its tick (plotext's own choice varies by run)."""
        for _, label, start in self.x_ticks:
            self.canvas.put(start, self.tall + 2, label, "axis")

    def _on_canvas(self, x: float, y: float) -> bool:
        return -0.5 <= x <= self.wide - 0.5 and -0.5 <= y <= self.tall - 0.5

    def _shade(self, figure: Any, band: Band) -> None:
        scale = self.x_scale if band.axis == "x" else self.y_scale
        low, high = scale.cell(band.low), scale.cell(band.high)
        low = 0 if math.isnan(low) else low  # such as 0 on a log axis
        if math.isnan(high) or high < -0.5 or low > scale.cells - 0.5:
            return
        inside = range(max(0, round(low)), min(scale.cells - 1, round(high)) + 1)
        columns, rows = range(self.wide), range(self.tall)
        columns, rows = (inside, rows) if band.axis == "x" else (columns, inside)
        cells = [(x, y) for x in columns for y in rows]
        if cells:
            xs, ys = zip(*cells, strict=True)
            figure.scatter(list(xs), list(ys), marker="░", color=_CODE_OF[band.role])

    def _trace(self, figure: Any, series: Series) -> None:
        marker = series.marker if series.marker == LINE else clean_line(series.marker)[:1] or "•"
        color = _CODE_OF[series.role]
        cells = [(self.x_scale.cell(x), self.y_scale.cell(y)) for x, y in series.points]
        dot = "•" if marker == LINE else marker
        if not series.joined:
            cells = [cell for cell in cells if self._on_canvas(*cell)]
            if cells:
                xs, ys = zip(*cells, strict=True)
                figure.scatter(list(xs), list(ys), marker=dot, color=color)
            return
        for line in self._lines(cells):
            xs, ys = zip(*line, strict=True)
            if len(line) == 1:
                figure.scatter(list(xs), list(ys), marker=dot, color=color)
            else:
                figure.plot(list(xs), list(ys), marker=marker, color=color)

    def _lines(self, cells: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
        """Split a path into unbroken lines on the canvas; a lone point is a line of one.

        One call of plotext for each whole line, since braille dots of different calls do not
        join within a cell.
        """
        lines: list[list[tuple[float, float]]] = []
        for index, cell in enumerate(cells):
            if math.isnan(cell[0] + cell[1]):
                continue
            before = cells[index - 1] if index else (math.nan, math.nan)
            after = cells[index + 1] if index + 1 < len(cells) else (math.nan, math.nan)
            if not math.isnan(before[0] + before[1]):
                piece = _clip(before, cell, self.wide, self.tall)
                if piece is None:
                    continue
                if lines and lines[-1][-1] == piece[0]:
                    lines[-1].append(piece[1])
                else:
                    lines.append(list(piece))
            elif math.isnan(after[0] + after[1]) and self._on_canvas(*cell):
                lines.append([cell])
        return lines

    def _read(self, painted: str) -> None:
        """Copy plotext's picture to the canvas, below the legend row."""
        for y, line in enumerate(painted.split("\n")[: self.rows], start=1):
            x = 0
            role: Role = "axis"
            at = 0
            for paint in _PAINT.finditer(line):
                x = self._copy(x, y, line[at : paint.start()], role)
                role = _ROLE_OF.get(paint.group(1) or "", "axis")
                at = paint.end()
            self._copy(x, y, line[at:], role)

    def _copy(self, x: int, y: int, text: str, role: Role) -> int:
        dashed = text.translate(_DASHED) if role != "axis" else text
        for character in dashed:
            if character != " " and x < self.canvas.width:
                self.canvas.rows[y][x] = (character, role)
            x += 1
        return x

    def _legend(self) -> None:
        """Put the y title and one entry for each series and band on the top row."""
        x = self.canvas.put(0, 0, fit(clean_line(self.plot.y.heading), self.canvas.width), "muted")
        entries: list[tuple[str, str, Role]] = []
        for series in self.plot.series:
            if series.label:
                glyph = "⠒⠒" if series.marker == LINE else series.marker[:1]
                entries.append((glyph, series.label, series.role))
        entries += [("░", band.label, band.role) for band in self.plot.bands if band.label]
        labels = [clean_line(label, 24) for _, label, _ in entries]
        glyphs = [clean_line(glyph) for glyph, _, _ in entries]
        room = self.canvas.width - x - 2 * (len(entries) - (not x))
        for wide in range(24, 3, -1):  # the longest are shortened first
            labels = [fit(label, wide) for label in labels]
            if sum(map(cell_len, (*glyphs, *labels))) + len(entries) <= room:
                break
        for glyph, label, (_, _, role) in zip(glyphs, labels, entries, strict=True):
            text = f"{glyph} {label}"
            if x + 2 + cell_len(text) > self.canvas.width + (not x) * 2:
                break
            x = self.canvas.put(x + 2 if x else 0, 0, text, role)

    def _limit_labels(self) -> None:
        left, bottom = self.margin + 1, self.tall  # canvas row of plot cell (0, 0)
        flat = [self.y_scale.cell(limit.at) for limit in self.plot.limits if limit.axis == "y"]
        across = {bottom - round(min(max(at, 0), self.tall - 1)) for at in flat if at == at}
        for limit in self.plot.limits:
            scale = self.x_scale if limit.axis == "x" else self.y_scale
            at = scale.cell(limit.at)
            if math.isnan(at) or not limit.label:
                continue
            below, above = at < -0.5, at > scale.cells - 0.5
            cell = round(min(max(at, 0), scale.cells - 1))
            label = fit(clean_line(limit.label), self.wide - 4)
            if limit.axis == "x":
                label = f"◂ {label}" if below else f"{label} ▸" if above else label
                room = self.wide - 1 - cell
                here = left + cell
                size = cell_len(label)
                start = here + (not below) if room > size else max(here, left + size) - size
                rows = [y for y in range(1, bottom + 1) if not self._marked(start, y, size)]
                row = next((y for y in rows if y not in across), rows[0] if rows else 1)
                self.canvas.put(start, row, label, limit.role)
            else:
                label = f"▾ {label}" if below else f"▴ {label}" if above else label
                size = cell_len(label)
                ends = range(self.canvas.width - size, left, -1)
                row = bottom - cell
                start = next((x for x in ends if not self._marked(x, row, size)), ends.start)
                self.canvas.put(start, row, label, limit.role)

    def _marked(self, x: int, y: int, width: int) -> bool:
        """Whether a mark stands in ``width`` cells from (``x``, ``y``): no label is put there."""
        return any(at_y == y and x <= at_x < x + width for at_x, at_y in self._mark_cells())

    def _mark_cells(self) -> Iterator[tuple[int, int]]:
        left, bottom = self.margin + 1, self.tall
        for mark in self.plot.marks:
            at_x, at_y = self.x_scale.cell(mark.x), self.y_scale.cell(mark.y)
            if self._on_canvas(at_x, at_y):
                yield left + int(at_x + 0.5), bottom - int(at_y + 0.5)

    def _mark_labels(self) -> None:
        left, bottom = self.margin + 1, self.tall
        for mark in self.plot.marks:
            at_x, at_y = self.x_scale.cell(mark.x), self.y_scale.cell(mark.y)
            if not self._on_canvas(at_x, at_y):
                continue
            x, y = left + int(at_x + 0.5), bottom - int(at_y + 0.5)
            self.canvas.put(x, y, clean_line(mark.marker)[:1] or "●", mark.role)
            label = clean_line(mark.label, 16)
            wide = cell_len(label)
            if not label:
                continue
            # Beside, above, below: the first free place, else none (the table has them all).
            for to_x, to_y in (
                (x + 1, y), (x - wide, y), (x + 1, y - 1), (x - wide, y - 1), (x + 1, y + 1),
            ):  # fmt: skip
                inside = to_x >= left and 1 <= to_y <= bottom
                if inside and self.canvas.is_free(to_x, to_y, wide):
                    self.canvas.put(to_x, to_y, label, mark.role)
                    break


class Chart(CellGrid):
    """Shows a :class:`Plot`; a new one repaints only the cells that differ."""

    HELP: ClassVar[str] = """
### Chart
Dashed lines are **limits**, the shaded part is **your bet**, dim is the **run before**.
An arrow beside a limit says that it lies outside the picture.
Press `t` for the table behind the chart.
"""

    DEFAULT_CSS = """
    Chart { height: 1fr; min-height: 1; }
    """

    def __init__(
        self,
        plot: Plot | None = None,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._plot = plot
        self._axes: tuple[Axis, Axis] | None = None

    @property
    def plot(self) -> Plot | None:
        """What the chart shows."""
        return self._plot

    def show(self, plot: Plot) -> None:
        """Draw ``plot`` now, or when the chart first has a size."""
        if plot == self._plot and self.shown.width:
            return
        self._plot = plot
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw at the new size."""
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        if self._plot is None or not width or not height:
            return
        plot, before = self._plot, self._axes or (None, None)
        self._axes = (
            _steadied(plot.x, _values(plot, "x"), before[0]),
            _steadied(plot.y, _values(plot, "y"), before[1]),
        )
        self.display_canvas(draw(replace(plot, x=self._axes[0], y=self._axes[1]), width, height))


def draw(plot: Plot, width: int, height: int) -> Canvas:
    """Return ``plot`` drawn on ``width`` × ``height`` cells; too few get a short word."""
    if width >= SMALLEST[0] and height >= SMALLEST[1]:
        sheet = _Sheet(plot, width, height)
        if sheet.wide >= 8:
            return sheet.draw()
    canvas = Canvas(width, height)
    lines = ("chart too small", "t shows its table") if height > 1 else ("t: table",)
    for y, line in enumerate(lines, start=max(0, (height - 2) // 2)):
        canvas.put(0, y, fit(line, width), "muted")
    return canvas
