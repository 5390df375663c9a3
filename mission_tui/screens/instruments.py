"""What the workbench's instruments show of a session: each a frozen picture for its widget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor

from engine.contract import Outcome
from mission_tui.content import space
from mission_tui.content.schema import Part
from mission_tui.play import specs, wording
from mission_tui.play.claims import metric_of
from mission_tui.play.game import Game
from mission_tui.play.session import Run, Session
from mission_tui.units import UnitError, parse, show, show_change
from mission_tui.widgets import chart, gauge, memory_map, slider
from mission_tui.widgets.cells import Role

_ROLES: Mapping[str, Role] = {"holds": "good", "tight": "tight", "BROKEN": "bad"}
_PENDING = "…"
HOLDERS = ("weights", "gradients", "optimizer", "activations")


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
        yield gauge.Reading(
            label,
            show(reading.value, metric.unit),
            limit,
            show_change(reading.headroom, metric.unit).replace("points", "pts"),
            _share(reading),
            reading.word,
            _ROLES[reading.word],
            tag,
        )


def memory(session: Session, outcome: Outcome, previous: Run | None) -> memory_map.Memory:
    """The memory map of an outcome that has a ``memory`` series."""
    limit = next(r for r in session.readings(outcome.metrics) if r.metric == "peak_memory")
    amounts = outcome.series["memory"]
    before = previous.outcome.metrics.get("peak_memory") if previous and previous.outcome else None
    return memory_map.Memory(
        tuple(memory_map.Holding(*pair) for pair in zip(HOLDERS, amounts, strict=True)),
        limit.limit,
        lambda amount: show(amount, "B"),
        "slice",
        bet_on(session, "peak_memory"),
        "your bet",
        before,
    )


def memory_rows(outcome: Outcome) -> Iterator[str]:
    """The memory map as a table."""
    for label, amount in zip(HOLDERS, outcome.series.get("memory", ()), strict=False):
        yield f"{label:<14} {show(amount, 'B'):>10}"


def frontier(session: Session, metrics: Mapping[str, float], ghost: Run | None) -> chart.Plot:
    """Two metrics against each other: limits, the bet, every run, and where the sliders stand."""
    part = session.part
    assert part.frontier is not None
    x, y = part.frontier
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
    bets = [
        chart.Band(axis, *bet)
        for axis, name in (("x", x), ("y", y))
        if (bet := bet_on(session, name)) is not None
    ]
    return chart.Plot(
        _axis(part, x, log=metric_of(part, x).unit == "B"),
        _axis(part, y, values=[mark.y for mark in marks] + [r.limit for r in specs_on(session, y)]),
        limits=tuple(limits),
        bands=tuple(bets),
        marks=tuple(marks),
        empty="measuring …",
    )


def bet_on(session: Session, metric: str) -> tuple[float, float] | None:
    """The sealed band of the first lock about a metric, to be drawn on its axis."""
    for name, sealed in session.state.sealed.items():
        asked = session.part.locks[name].truth
        about = asked.query == "point" and asked.metric == metric
        if about and sealed.low is not None and sealed.high is not None:
            return sealed.low, sealed.high
    return None


def runs(session: Session, *, whole: bool) -> str:
    """The runs so far, a line each, the last one first; ``whole`` adds their settings."""
    part = session.part
    lines = []
    for run in reversed(session.state.runs):
        pin = "▪" if run.number in session.state.pins else " "
        if run.outcome is None:
            lines.append(f"{pin}#{run.number} in flight")
            continue
        figures = " ".join(
            f"{show(run.outcome.metrics[metric], metric_of(part, metric).unit):>8}"
            for metric in part.claim.metrics
        )
        word = "✓" if run.passed else "✗"
        words = f"  {wording.setting(part, run.setting)}" if whole else ""
        lines.append(f"{pin}#{run.number:<2}{figures} {word}{words}")
    return "\n".join(lines)


def why(game: Game) -> str:
    """The law, and its terms from the baseline to where the sliders stand."""
    part = game.session.part
    words = [wording.model_formula(part), ""]
    for metric in part.claim.metrics:
        base, terms = game.why(metric)
        unit = metric_of(part, metric).unit
        since = f"run #{base.number}" if base else "the default"
        start, end = show(terms.before, unit), show(terms.after, unit)
        words.append(f"{part.metrics[metric]}: {start} → {end}, since {since}")
        for name, amount in terms.terms.items():
            mark = "◀ largest" if name == terms.largest and terms.change else ""
            label = part.mechanisms[name].partition(":")[0]
            words.append(f"  {label:<12} {show_change(amount, unit):>14}  {mark}".rstrip())
        words.append("")
    return "\n".join(words).rstrip()


def _share(reading: specs.Reading) -> float | None:
    """How much of the limit is used: above 1 the spec is broken, whichever way it points."""
    if not reading.value or not reading.limit:
        return None
    share = reading.value / reading.limit
    return share if reading.at_most else 1 / share


def _limit_label(reading: specs.Reading) -> str:
    return "slice" if reading.metric == "peak_memory" else "floor"


def specs_on(session: Session, metric: str) -> list[specs.Reading]:
    """The specs that limit a metric."""
    return [reading for reading in session.readings({}) if reading.metric == metric]


def _axis(
    part: Part, metric: str, *, log: bool = False, values: Sequence[float] = ()
) -> chart.Axis:
    """A percentage is drawn between round tens, so that heights can be compared."""
    unit = metric_of(part, metric).unit
    if unit == "%" and values:
        low = max(0.0, 10 * floor((min(values) - 3) / 10))
        high = min(100.0, 10 * ceil((max(values) + 3) / 10))
        return chart.Axis(part.metrics[metric], low, high, format=lambda value: f"{value:.0f} %")
    return chart.Axis(part.metrics[metric], log=log, format=lambda value: show(value, unit))
