"""What the workbench's instruments show of a session: each a frozen picture for its widget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, floor
from typing import Final, TypeAlias

from engine import registry
from engine.contract import Outcome, Value
from engine.contract import Series as SeriesKind
from mission_tui.content import space
from mission_tui.content.schema import Bars, Curve, Frontier, MemoryMap, Part
from mission_tui.play import specs, tables, wording
from mission_tui.play.actions import Recorded
from mission_tui.play.claims import metric_of
from mission_tui.play.game import Game
from mission_tui.play.session import Run, Session
from mission_tui.units import UnitError, brief, change, parse, show, show_change
from mission_tui.widgets import bars, chart, gauge, memory_map, slider
from mission_tui.widgets.cells import Role, fit

Shown: TypeAlias = Outcome | Recorded
"""What instruments show: an outcome as it comes from the engine, or as it was recorded."""

_ROLES: Mapping[str, Role] = {"holds": "good", "tight": "tight", "BROKEN": "bad"}
_PENDING = "…"
GHOST: Final = "∘"
"""The mark of the run before: a line of its own kind, also without colour."""
CHART_ROWS: Final = 9
"""Rows that a chart needs to be read: its legend, five of picture, axis, ticks and title."""
MAP_ROWS: Final = 8
SHORTEST: Final = 4
"""Cells of a label's beginning that still say which slider is meant."""
HOLDERS = ("weights", "gradients", "optimizer", "activations")


Views: TypeAlias = tuple[tuple[str, ...], ...]
"""Instruments by id, as many at a time as can be read."""


def views(part: Part, rows: int) -> tuple[Views, Views]:
    """The instruments of the first and of the second column, on ``rows`` rows."""
    first = [name for name, shape in part.instruments.items() if not shape.beside]
    second = [name for name, shape in part.instruments.items() if shape.beside]
    return _paged(part, first, rows), _paged(part, second, rows)


def _paged(part: Part, names: Sequence[str], rows: int) -> Views:
    pages: list[tuple[str, ...]] = []
    left = 0
    for name in names:
        need = _rows_of(part, part.instruments[name])
        if pages and need <= left:
            pages[-1] += (name,)
        else:
            pages.append((name,))
            left = rows
        left -= need
    return tuple(pages)


def _rows_of(part: Part, shape: Bars | Curve | Frontier | MemoryMap) -> int:
    """The rows without which an instrument can't be read."""
    match shape:
        case MemoryMap():
            return MAP_ROWS
        case Bars():
            return 1 + len(_series(part, shape.series).labels)
        case _:
            return CHART_ROWS


def _series(part: Part, name: str) -> SeriesKind:
    return next(series for series in registry.model(part.model).series if series.name == name)


def slider_spec(part: Part, name: str) -> slider.SliderSpec:
    """A mission's slider as its widget sees it."""
    use = part.sliders[name]
    default = part.default[name]
    control = space.engine_control(part, name)
    if use.options or control is None or control.kind == "choice":
        choices = tuple(
            (str(value), wording.slider_value(part, name, value))
            for value in space.values(part, name)
        )
        return slider.SliderSpec(
            name, use.label, "choice", str(default), choices=choices, role=use.role
        )
    grid = [float(value) for value in space.values(part, name)]
    step = control.step if use.step is None else use.step
    kind: slider.Kind = "log" if control.scale == "log" else "float"
    if control.kind == "integer" and kind == "float":
        kind = "integer"
    unit = control.unit

    def read(text: str) -> float | None:
        try:
            return parse(text, unit)
        except UnitError:
            return None

    return slider.SliderSpec(
        name,
        use.label,
        kind,
        float(default),
        grid[0],
        grid[-1],
        step,
        unit=unit,
        role=use.role,
        format=lambda value: wording.slider_value(part, name, space.nearest(part, name, value)),
        parse=read,
    )


def readings(session: Session, metrics: Mapping[str, float]) -> Iterator[gauge.Reading]:
    """Every spec as a gauge; a metric that is still being measured shows an ellipsis."""
    part = session.part
    for reading in session.readings(metrics):
        metric = metric_of(part, reading.metric)
        sign = "≤" if reading.at_most else "≥"
        tag = "" if metric.exact else "stand-in"
        label = part.specs[reading.id].label
        limit = f"{sign} {show(reading.limit, metric.unit)}"
        if reading.value is None or reading.headroom is None or reading.word is None:
            yield gauge.Reading(label, _PENDING, limit, status="measuring", role="muted", tag=tag)
            continue
        value, limit, room = _beside(reading.value, reading, metric.unit)
        yield gauge.Reading(
            label,
            brief(value),
            brief(f"{sign} {limit}"),
            brief(room),
            _share(reading),
            reading.word,
            _ROLES[reading.word],
            tag,
            at_least=not reading.at_most,
        )


def _beside(value: float, reading: specs.Reading, unit: str) -> tuple[str, str, str]:
    """A value, its limit, and the room between them, so written that they agree."""
    if reading.at_most:
        return change(value, reading.limit, unit)
    limit, written, room = change(reading.limit, value, unit)
    return written, limit, room


def figures(session: Session, metrics: Mapping[str, float]) -> dict[str, str]:
    """The figures of an outcome that failures may quote; never like a limit that they miss."""
    part = session.part
    near = {
        reading.metric: _beside(reading.value, reading, metric_of(part, reading.metric).unit)[0]
        for reading in session.readings(metrics)
        if reading.value is not None and not reading.met
    }
    found = wording.measured(part, metrics)
    return found | {name: words for name, words in near.items() if name in found}


def memory(
    session: Session, outcome: Shown, previous: Run | None, at: Mapping[str, Value]
) -> memory_map.Memory:
    """The memory map of an outcome at a setting, where it has a ``memory`` series.

    A bet on another setting stays as a measure of what was thought, and says so.
    """
    limit = next(r for r in session.readings(outcome.metrics) if r.metric == "peak_memory")
    amounts = outcome.series["memory"]
    before = previous.outcome.metrics.get("peak_memory") if previous and previous.outcome else None
    bet = bet_on(session, "peak_memory")
    here = bet is not None and bet.is_about(session, at)
    return memory_map.Memory(
        tuple(memory_map.Holding(*pair) for pair in zip(HOLDERS, amounts, strict=True)),
        limit.limit,
        lambda amount: show(amount, "B"),
        "slice",
        (bet.low, bet.high) if bet else None,
        "your bet" if here else "bet: other setting",
        before,
        bet_holds_here=here,
    )


def memory_rows(outcome: Shown) -> Iterator[str]:
    """The memory map as a table."""
    for label, amount in zip(HOLDERS, outcome.series.get("memory", ()), strict=False):
        yield f"{label:<14} {show(amount, 'B'):>10}"


def plot(
    session: Session,
    shape: Frontier | Curve,
    shown: Shown,
    ghost: Run | None,
    at: Mapping[str, Value],
) -> chart.Plot:
    """A chart of what is shown: a run, or the sliders as they stand, and the setting of it."""
    drawn = (
        _curve(session, shape, shown, ghost)
        if isinstance(shape, Curve)
        else _frontier(session, shape, shown.metrics, ghost)
    )
    return replace(drawn, bands=tuple(_bands(session, shape, at)))


def _bands(
    session: Session, shape: Frontier | Curve, at: Mapping[str, Value]
) -> Iterator[chart.Band]:
    """The bets on what a chart shows; at another setting than a bet's it has none."""
    metrics = [("y", name) for name in shape.lines] if isinstance(shape, Curve) else []
    if isinstance(shape, Frontier):
        metrics = [("x", shape.x), ("y", shape.y)]
    for axis, metric in metrics:
        bet = bet_on(session, metric)
        if bet is not None and bet.is_about(session, at):
            yield chart.Band(axis, bet.low, bet.high)


def _frontier(
    session: Session, shape: Frontier, metrics: Mapping[str, float], ghost: Run | None
) -> chart.Plot:
    """Two metrics against each other: limits, the bet, every run, and what is shown now."""
    part = session.part
    x, y = shape.x, shape.y
    marks = []
    for run in session.state.runs:
        if run.outcome is not None:
            role: Role = "ghost" if run is ghost else "good" if run.passed else "text"
            at = run.outcome.metrics
            marks.append(chart.Mark(at[x], at[y], f"#{run.number}", "○", role))
    if x in metrics and y in metrics:
        marks.append(chart.Mark(metrics[x], metrics[y], "", "◆", "secondary"))
    limits = [
        chart.Limit("x" if reading.metric == x else "y", reading.limit, _limit_label(reading))
        for reading in session.readings(metrics)
        if reading.metric in (x, y)
    ]
    return chart.Plot(
        _axis(part, x, log=_spans(part, x), values=_along(session, x, [mark.x for mark in marks])),
        _axis(part, y, values=_along(session, y, [mark.y for mark in marks])),
        limits=tuple(limits),
        marks=tuple(marks),
        empty="measuring …",
    )


def _along(session: Session, metric: str, marked: list[float]) -> list[float]:
    """What an axis of a metric has to show: marks, and limits."""
    return marked + [reading.limit for reading in specs_on(session, metric)]


def _curve(session: Session, shape: Curve, shown: Shown, ghost: Run | None) -> chart.Plot:
    """Series over another series: what is shown, the ghost's first line behind it, the limits.

    While a run is under way the axis already reaches as far as the run will.
    """
    part = session.part
    units = {series.name: series.unit for series in registry.model(part.model).series}
    lines = []
    roles: tuple[Role, ...] = ("primary", "secondary", "text")
    if ghost is not None and ghost.outcome is not None and shape.at is None:
        first, label = next(iter(shape.lines.items()))
        points = _points(ghost.outcome.series, shape.x, first)
        lines.append(chart.Series(f"#{ghost.number} {label}", points, "ghost", GHOST))
    for (name, label), role, marker in zip(
        shape.lines.items(), roles, (chart.LINE, "·", "+"), strict=False
    ):
        points = _points(shown.series, shape.x, name)
        lines.append(chart.Series(label, points, role, marker))
    limits = [
        chart.Limit("y", reading.limit, part.specs[reading.id].label)
        for reading in session.readings(shown.metrics)
        if reading.metric in shape.lines
    ]
    limits += [
        chart.Limit("x", reading.limit, "cap" if reading.at_most else "floor")
        for reading in session.readings(shown.metrics)
        if shape.at is None and _adds_up_to(shown, shape.x, reading.metric)
    ]
    if shape.at is not None and (at := _stands(session, shape.at, shown)) is not None:
        limits.append(chart.Limit("x", at, "now", "secondary"))
    x_unit, y_unit = units[shape.x], units[next(iter(shape.lines))]
    along = [x for line in lines for x, _ in line.points]
    low, reach = min(along, default=0.0), max(along, default=0.0)
    rounds = getattr(shown, "rounds", None)
    if shape.at is None and isinstance(rounds, tuple) and 0 < rounds[0] < rounds[1]:
        reach = max(reach, shown.series[shape.x][-1] * rounds[1] / rounds[0])
    heights = [y for line in lines for _, y in line.points]
    heights += [limit.at for limit in limits if limit.axis == "y"]
    return chart.Plot(
        chart.Axis(
            shape.title,
            low if low < reach else None,
            reach or None,
            log=low > 0 and shape.at is not None and _is_log(part, shape.at),
            format=lambda value: show(value, x_unit),
            tick=lambda value: brief(show(value, x_unit)),
        ),
        _line_axis(y_unit, heights, shape),
        series=tuple(lines),
        limits=tuple(limits),
        empty="waiting for the first round …",
    )


def _is_log(part: Part, slider: str) -> bool:
    """Whether a slider moves in ratios; then what is swept along it is drawn so, too."""
    control = space.engine_control(part, slider) if slider in part.sliders else None
    return control is not None and control.scale == "log"


def _points(
    series: Mapping[str, Sequence[float]], x: str, y: str
) -> tuple[tuple[float, float], ...]:
    return tuple(zip(series.get(x, ()), series.get(y, ()), strict=False))


def _adds_up_to(shown: Shown, series: str, metric: str) -> bool:
    """Whether a series runs up to a metric: a spec on that one is a limit on the series' axis.

    The figures are asked and not the units: ε and a share of noise have the same, which is none.
    """
    so_far = shown.series.get(series, ())
    return bool(so_far) and so_far[-1] == shown.metrics.get(metric)


def _line_axis(unit: str, values: Sequence[float], shape: Curve) -> chart.Axis:
    """Percentages stand between fixed ends, so that a curve that grows does not move the rest.

    A sweep is whole from the start: it has the tens around what is drawn. Anything else begins at
    zero, unless the lower half would be empty.
    """
    low, high = shape.low, max(values, default=0.0)
    least = min(values, default=-1.0)
    if unit == "%" and shape.at is not None and values and low is None:
        return _percent("", values)
    if unit == "%" and max(values, default=100.0) > 50:
        return chart.Axis("", low or 0.0, 100.0, format=lambda value: f"{value:.0f} %")
    if low is None and 0 <= least < high / 2:
        low = 0.0
    top = 1.0 if not any(values) else None
    return chart.Axis(
        "",
        low,
        top,
        format=lambda value: show(value, unit),
        tick=lambda value: brief(show(value, unit)),
    )


def _percent(title: str, values: Sequence[float]) -> chart.Axis:
    """An axis of percentages between round tens, so that heights can be compared."""
    low = max(0.0, 10 * floor((min(values) - 3) / 10))
    high = min(100.0, 10 * ceil((max(values) + 3) / 10))
    return chart.Axis(title, low, max(high, low + 10), format=lambda value: f"{value:.0f} %")


def _stands(session: Session, name: str, shown: Shown) -> float | None:
    """Where a metric or a slider stands, for a mark on a sweep."""
    if name in shown.metrics:
        return shown.metrics[name]
    value = session.state.setting.get(name)
    return None if value is None or isinstance(value, (str, bool)) else float(value)


def _spans(part: Part, metric: str) -> bool:
    """Whether an axis is drawn in powers of ten: bytes, and ε."""
    return metric_of(part, metric).unit == "B" or metric == "epsilon_spent"


def bar_list(session: Session, shape: Bars, shown: Shown, ghost: Run | None) -> bars.BarList:
    """A labelled series as bars, with where the ghost's ended."""
    series = _series(session.part, shape.series)
    before = ghost.outcome.series.get(shape.series, ()) if ghost and ghost.outcome else ()
    amounts = shown.series.get(shape.series, ())
    return bars.BarList(
        shape.title,
        tuple(
            bars.Bar(
                _bar_label(session.part, label), amount, before[n] if n < len(before) else None
            )
            for n, (label, amount) in enumerate(zip(series.labels, amounts, strict=False))
        ),
        lambda value: brief(show(value, series.unit)),
    )


def _bar_label(part: Part, label: str) -> str:
    """What a bar is called: as the part calls the law's term, where it is one."""
    name, colon, _ = part.mechanisms.get(label, "").partition(": ")
    return name if colon else label.replace("_", " ")


def table(session: Session, shown: Shown, ghost: Run | None, at: Mapping[str, Value]) -> str:
    """Every run, then the numbers behind every instrument, then the scenario's."""
    blocks = [f"The runs\n{tables.runs(session)}"]
    for shape in session.part.instruments.values():
        match shape:
            case MemoryMap():
                blocks.append("\n".join(memory_rows(shown)))
            case Frontier() | Curve():
                rows = chart.table(plot(session, shape, shown, ghost, at))
                widths = [max(len(row[n]) for row in rows) for n in range(3)]
                lines = (
                    "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
                    for row in rows
                )
                blocks.append(f"{shape.title}\n" + "\n".join(lines))
            case Bars():
                found = bar_list(session, shape, shown, ghost)
                rows_ = (f"{bar.label:<24} {found.format(bar.amount):>12}" for bar in found.bars)
                blocks.append(f"{shape.title}\n" + "\n".join(rows_))
    scenario = wording.scenario(session.mission, session.part)
    return "\n\n".join([*blocks, "\n".join(["The scenario", *scenario])])


@dataclass(frozen=True, slots=True)
class Wager:
    """A sealed band, and the setting that its lock asked about."""

    low: float
    high: float
    setting: Mapping[str, Value]

    def is_about(self, session: Session, at: Mapping[str, Value]) -> bool:
        """Whether a setting is the one that was bet on: the engine is asked the same."""
        return session.request(self.setting) == session.request(at)


def bet_on(session: Session, metric: str) -> Wager | None:
    """The sealed band of the first lock about a metric, to be drawn on its axis."""
    for name, sealed in session.state.sealed.items():
        asked = session.part.locks[name].truth
        if sealed.low is None or sealed.high is None or asked.query != "point":
            continue
        if asked.metric == metric:
            return Wager(sealed.low, sealed.high, asked.setting)
    return None


def runs(session: Session, width: int, figures: int = 2) -> str:
    """The runs so far, a line of ``width`` cells each, the last one first.

    ``figures`` is how many of the metrics that may be claimed about stand in a line; then comes
    how it ended, and what is another than in the run before (of the first: than it was found).
    """
    part = session.part
    metrics = part.claim.metrics[:figures]
    amounts = {
        run.number: [
            brief(show(run.outcome.metrics[metric], metric_of(part, metric).unit))
            for metric in metrics
        ]
        for run in session.state.runs
        if run.outcome is not None
    }
    wide = [max(map(len, column), default=0) for column in zip(*amounts.values(), strict=True)]
    lines = []
    before: Mapping[str, Value] = part.default
    for run in session.state.runs:
        pin = "▪" if run.number in session.state.pins else " "
        line = f"{pin}#{run.number:<2}"
        if run.number not in amounts:
            lines.append(f"{line} in flight")
            continue
        written = zip(amounts[run.number], wide, strict=True)
        line += " ".join(amount.rjust(size) for amount, size in written)
        line += " ✓" if run.passed else " ✗" if run.ended else " ‖"
        room = max(0, width - len(line) - 1)
        words = _stepped(part, before, run.setting, room)
        words = words or ("the same" if run.number > 1 else "as it was found")
        lines.append(f"{line} {fit(words, room)}")
        before = run.setting
    return "\n".join(line.rstrip() for line in reversed(lines))


def _stepped(part: Part, before: Mapping[str, Value], after: Mapping[str, Value], room: int) -> str:
    """What was moved, and to where; labels are shortened before values are."""
    moved = [name for name in part.sliders if before[name] != after[name]]
    if not moved:
        return ""
    values = [wording.bare_value(part, name, after[name]) for name in moved]
    labels = [part.sliders[name].label for name in moved]
    words = ", ".join(map(" ".join, zip(labels, values, strict=True)))
    if len(words) <= room:
        return words
    if len(moved) > 1:
        return f"{len(moved)} sliders"
    left = room - len(values[0]) - 1
    return f"{fit(labels[0], left)} {values[0]}" if left >= SHORTEST else values[0]


def moves(part: Part, before: Mapping[str, Value], after: Mapping[str, Value], room: int) -> str:
    """What another setting changes, from where to where, in ``room`` cells; empty for none."""
    found = []
    for name, use in part.sliders.items():
        if before[name] != after[name]:
            ends = (wording.slider_value(part, name, value[name]) for value in (before, after))
            found.append(f"{use.label} {' → '.join(ends)}")
    words = ", ".join(found)
    while found and len(words) > room:
        found.pop()
        more = sum(before[name] != after[name] for name in part.sliders) - len(found)
        words = f"{', '.join(found)} and {more} more" if found else f"{more} sliders moved"
    return words


def last_moved(session: Session, setting: Mapping[str, Value]) -> str:
    """The slider that was moved last, as far as its runs tell; the first one where none was."""
    names = list(session.part.sliders)
    stood = [session.part.default, *(run.setting for run in session.state.runs), setting]
    for before, after in reversed(list(pairwise(stood))):
        moved = [name for name in names if before[name] != after[name]]
        if moved:
            return moved[-1]
    return names[0]


def why(game: Game) -> str:
    """The law's terms from the baseline to what is shown, then its formula."""
    part = game.session.part
    words = []
    for metric in part.claim.metrics:
        base, terms = game.why(metric)
        unit = metric_of(part, metric).unit
        since = f"run #{base.number}" if base else "the default"
        start, end, _ = change(terms.before, terms.after, unit)
        moved = {name: amount for name, amount in terms.terms.items() if amount}
        by = ", changed by" if moved else ": no term moved"
        words.append(f"{part.metrics[metric]}: {start} → {end} since {since}{by}")
        for name, amount in moved.items():
            mark = "◀ largest" if name == terms.largest and terms.change else ""
            label, _, means = part.mechanisms[name].partition(": ")
            line = f"  {label:<12} {show_change(amount, unit):>14}  {mark:<9}  {means}"
            words.append(line.rstrip())
        if 0 < len(moved) < len(terms.terms):
            words.append("  the other terms did not move")
        words.append("")
    return "\n".join([*words, wording.model_formula(part)])


def _share(reading: specs.Reading) -> float | None:
    """The value over its limit, whichever way that points; None where zero is no beginning."""
    if reading.value is None or reading.value < 0 or reading.limit <= 0:
        return None
    return reading.value / reading.limit


def _limit_label(reading: specs.Reading) -> str:
    if reading.metric == "peak_memory":
        return "slice"
    return "limit" if reading.at_most else "floor"


def specs_on(session: Session, metric: str) -> list[specs.Reading]:
    """The specs that limit a metric."""
    return [reading for reading in session.readings({}) if reading.metric == metric]


def _axis(
    part: Part, metric: str, *, log: bool = False, values: Sequence[float] = ()
) -> chart.Axis:
    """A percentage is drawn between round tens, so that heights can be compared."""
    unit = metric_of(part, metric).unit
    if unit == "%" and values:
        return _percent(part.metrics[metric], values)
    return chart.Axis(
        part.metrics[metric],
        log=log,
        format=lambda value: show(value, unit),
        tick=lambda value: brief(show(value, unit)),
    )
