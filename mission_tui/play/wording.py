"""Texts with their figures filled in, and settings in words.

Texts quote figures as ``{name}``: constants of the track, figures that the engine computes
(``given``), and in a lock's explanations its truth, value and band. No figure is typed twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine import registry
from engine.contract import Value
from mission_tui.content import space
from mission_tui.content.check import CARRIED, PLACEHOLDER
from mission_tui.content.schema import Lock, Mission, Part
from mission_tui.play.actions import Scalar, Seal, Truth
from mission_tui.play.claims import ROUNDS, metric_of
from mission_tui.play.evaluate import Request, outcome
from mission_tui.play.session import Session
from mission_tui.units import digits, show, show_change


def fill(text: str, figures: Mapping[str, str]) -> str:
    """``text`` with each ``{name}`` replaced where the figure is known."""
    return PLACEHOLDER.sub(lambda found: figures.get(found[1], found[0]), text)


def constants(mission: Mission) -> dict[str, str]:
    """The track's constants, as they are shown."""
    numbers = mission.persona.constants | mission.constants
    return {name: _number(number.value, number.unit) for name, number in numbers.items()}


def given(mission: Mission, part: Part, seed: int) -> dict[str, str]:
    """The figures that a part's texts may quote: constants, and what the engine computes."""
    figures = constants(mission)
    for name, point in part.given.items():
        metrics = outcome(Request.at(part, point.setting, seed)).metrics
        figures[name] = show(metrics[point.metric], metric_of(part, point.metric).unit)
    if len(part.carried) == 1:  # the class that was handed on, once it is known
        figures[CARRIED] = next(iter(part.carried.values())).label
    return figures


def deciding(session: Session) -> dict[str, str]:
    """The figures that the decision's texts may quote: those of the last part, which it follows."""
    last, _ = session.mission.ordered[-1]
    return given(session.mission, session.part_of(last), session.seed_of(last))


def measured(part: Part, metrics: Mapping[str, float]) -> dict[str, str]:
    """The figures of an outcome that failures and alarms may quote: the part's metrics."""
    return {
        name: show(metrics[name], metric_of(part, name).unit)
        for name in part.metrics
        if name in metrics
    }


def room(headroom: float, unit: str) -> str:
    """What is left up to a spec's limit, or lacks of it."""
    size = show_change(abs(headroom), unit)[1:]
    return f"{size} to spare" if headroom >= 0 else f"past its limit by {size}"


def lock_unit(part: Part, lock: Lock) -> str:
    """The unit that a lock's numbers are kept in: its metric's, or × for a ratio."""
    if lock.truth.query == "ratio":
        return "×"
    metric = getattr(lock.truth, "metric", None)
    unit = metric_of(part, metric).unit if metric else lock.unit
    return "points" if unit == "%" and lock.truth.query == "difference" else unit


def lock_answer(part: Part, lock: Lock, value: Scalar | None) -> str:
    """A prediction or a truth, in words."""
    if value is None:
        return "–"
    if lock.kind == "choice":
        return lock.options.get(str(value), str(value))
    return show(float(value), lock_unit(part, lock))


def lock_figures(part: Part, lock: Lock, sealed: Seal, truth: Truth) -> dict[str, str]:
    """What the explanations of a lock may quote besides the part's figures."""
    return {
        "truth": lock_answer(part, lock, truth.value),
        "value": lock_answer(part, lock, sealed.value),
        "low": lock_answer(part, lock, sealed.low),
        "high": lock_answer(part, lock, sealed.high),
    }


def metric_unit(part: Part, metric: str) -> str:
    """The unit that the engine gives a metric in."""
    return metric_of(part, metric).unit


def slider_value(part: Part, slider: str, value: Value) -> str:
    """A slider's value, in words."""
    use = part.sliders[slider]
    if use.options:
        option = use.options.get(str(value))
        return option.label if option else str(value)
    control = space.engine_control(part, slider)
    return _number(value, control.unit if control else "")


def setting(part: Part, values: Mapping[str, Value]) -> str:
    """A setting on one short line: each slider's value, counts without their unit."""
    words = (slider_value(part, name, values[name]) for name in part.sliders)
    return " · ".join(word.removesuffix(" samples") for word in words)


def bare_value(part: Part, slider: str, value: Value) -> str:
    """A slider's value on the shortest line that still says all: a number without its unit."""
    if isinstance(value, (str, bool)) or not 0 < abs(value) < 1e6:
        return slider_value(part, slider, value)
    return f"{value:,.0f}" if value == round(value) else digits(value)


def setting_bare(part: Part, values: Mapping[str, Value]) -> str:
    """A setting on the shortest line that still says all: numbers without their units."""
    return " · ".join(bare_value(part, name, values[name]) for name in part.sliders)


def changed(part: Part, name: str) -> str:
    """What two runs differ in: a slider's label, or that one was stopped."""
    return "rounds done" if name == ROUNDS else part.sliders[name].label


def with_labels(part: Part, sentence: str) -> str:
    """A sentence of the rules, which speak in ids, with the sliders' labels instead."""
    for name, use in part.sliders.items():
        sentence = re.sub(rf"\b{re.escape(name)}\b", use.label, sentence)
    return sentence


def came_to(session: Session, name: str) -> str:
    """What a part came to, in a few words. At a table the parties say so, and not the limits."""
    if session.parts[name].table is None:
        return "passed" if session.passed(name) else "missed"
    if session.passed(name):
        return "passed at the table"
    return f"{'workbench passed' if _held(session, name) else 'missed'} · table not won"


def came_to_in(session: Session, name: str) -> str:
    """Like :func:`came_to`, with the runs that it took, for the debrief."""
    runs = _runs(len(session.parts[name].runs))
    if session.parts[name].table is None:
        return f"{'PASSED' if session.passed(name) else 'MISSED'} in {runs}"
    if session.passed(name):
        return f"PASSED at the table, in {runs}"
    return f"{'passed' if _held(session, name) else 'MISSED'} in {runs} · table not won"


def spent_says(session: Session) -> str:
    """What is said when the last run of this part's budget is recorded."""
    best = session.best_run(session.part_id)
    if best is None:
        return "No runs left: nothing stands."
    word = "holds" if best.passed else "breaks a limit"
    return f"No runs left: #{best.number} stands, and {word}."


def unmet_says(session: Session) -> str | None:
    """What follows from leaving this part as it stands; None where a run meets every spec.

    It names what the run that stands breaks, and what is handed on because of it. At a table
    the parties say how a part ends, so there it is None, too.
    """
    part = session.part
    if part.stakeholders or session.passed(session.part_id):
        return None
    best = session.best_run(session.part_id)
    said = "No run came to its end, so this part is missed."
    if best is not None:
        broken = [spec.label for name, spec in part.specs.items() if not best.met.get(name)]
        what = " and ".join(filter(None, (", ".join(broken[:-1]), broken[-1])))
        said = f"No run meets every limit, so this part is missed: #{best.number} breaks {what}."
    if part.carry is None:
        return f"{said} You can go on all the same."
    size = part.carry.missed
    means = "; ".join(
        f"{later.carried[size].label} in {later.title}"
        for name, later in session.mission.ordered
        if size in later.carried and session.mission.giver_of(name) == session.part_id
    )
    handed = f"the {size} class, whatever you chose" + (f": {means}" if means else "")
    return f"{said} What it hands on is {handed}."


def _held(session: Session, name: str) -> bool:
    """Whether some run of a part meets every limit, whatever its table came to."""
    return any(run.passed for run in session.parts[name].runs)


def _runs(count: int) -> str:
    return f"{count} run{'s' if count != 1 else ''}"


def scenario(mission: Mission, part: Part) -> list[str]:
    """Every number of the scenario on a line, with its source; assumptions with their range."""
    numbers = (*mission.persona.constants.values(), *mission.constants.values())
    lines = []
    for number in (*numbers, *part.fixed.values()):
        value = _number(number.value, number.unit)
        if number.assumption and number.range is not None:
            low, high = (_number(end, number.unit) for end in number.range)
            value += f"  (assumed; {low} to {high})"
        lines.append(f"{number.label}: {value}")
        lines.append(f"    {number.source}")
    return lines


def model_formula(part: Part) -> str:
    """The law behind a part's model, as its *why* panel shows it."""
    return registry.model(part.model).formula


def _number(value: Value, unit: str) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return value
    return show(float(value), unit)
