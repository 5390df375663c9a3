"""Where a claim would turn: a crossing on the engine, and how a player writes it down."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from engine.contract import Value
from mission_tui.content import space
from mission_tui.content.schema import Part
from mission_tui.play import evaluate
from mission_tui.play.actions import Scalar
from mission_tui.play.claims import NEVER, TIE, passable
from mission_tui.play.session import Refused, Run, Session
from mission_tui.units import UnitError, parse, show

_PASSED: Final = re.compile(r"^(passed|passes|past|at)\b")


def turns(session: Session, metric: str, runs: tuple[int, int], control: str) -> tuple[Scalar, ...]:
    """The values of ``control`` at which the change between two runs turns; none: never.

    D(v) is the metric of the second run with ``control`` at v, less that of the first: the first
    one's ``control`` stands at v too, unless the two runs differ in it (then the first run is
    the fixed point that the second one moves away from). Values are tried outward, step by
    step on the slider's grid: both ways from where the runs stand; where they differ in
    ``control``, on from the second run, away from the first. Each way gives at most one value, the
    first at which D(v) has the opposite sign of D at the runs themselves; a zero is no turn.
    Of a metric that did not move, the first v at which it does.

    Gives nothing for what has no flip point (:func:`mission_tui.play.claims.passable`).
    """
    if passable(session.part, metric, control) is not None:
        return ()
    first, second = (session.state.runs[number - 1] for number in runs)
    differ = first.setting[control] != second.setting[control]

    def sign(at: Value | None) -> int:
        start = _at(session, metric, first, {} if at is None or differ else {control: at})
        end = _at(session, metric, second, {} if at is None else {control: at})
        if abs(end - start) <= TIE * max(abs(start), abs(end)):
            return 0
        return 1 if end > start else -1

    stands = sign(None)
    found: list[Scalar] = []
    for way in _ways(space.values(session.part, control), first, second, control):
        for value in way:
            if (sign(value) == -stands) if stands else (sign(value) != 0):
                found.append(value)
                break
    return tuple(found)


def read(part: Part, text: str) -> tuple[str, Scalar]:
    """What a player wrote: "batch 32", "batch passed 32 samples", "batch never".

    Raises :class:`~mission_tui.play.session.Refused` with one sentence.
    """
    words = " ".join(text.split())
    for name, use in part.sliders.items():
        for label in (use.label, name, use.label.split()[0]):
            rest = words[len(label) :]
            if words.lower().startswith(label.lower()) and (not rest or rest.startswith(" ")):
                value = _PASSED.sub("", rest.strip().lower()).strip()
                return name, _value(part, name, value, label)
    sliders = ", ".join(use.label for use in part.sliders.values())
    raise Refused(f"name a slider and a value, or {NEVER}; the sliders are {sliders}")


def words(part: Part, control: str, value: Scalar) -> str:
    """A flip point in words: "would flip if Batch passed 8 samples", "would never flip …"."""
    label = part.sliders[control].label
    if isinstance(value, (str, bool)):
        return f"would never flip, whatever {label} passed"
    at = space.engine_control(part, control)
    return f"would flip if {label} passed {show(float(value), at.unit if at else '')}"


def _value(part: Part, name: str, text: str, label: str) -> Scalar:
    if text == NEVER:
        return NEVER
    control = space.engine_control(part, name)
    try:
        return parse(text, control.unit if control else "")
    except UnitError:
        raise Refused(f"say what {label} would pass: a number of its own, or {NEVER}") from None


def _ways(
    grid: tuple[Value, ...], first: Run, second: Run, control: str
) -> Iterator[tuple[Value, ...]]:
    """The values to try, outward: a sequence for each way that is open."""
    start, end = grid.index(first.setting[control]), grid.index(second.setting[control])
    if start >= end:
        yield grid[:end][::-1]
    if start <= end:
        yield grid[end + 1 :]


def _at(session: Session, metric: str, run: Run, moved: Mapping[str, Value]) -> float:
    """A metric of a run with a slider moved; of a stopped run, after as many rounds."""
    request = session.request_of(replace(run, setting={**run.setting, **moved}))
    first = next(iter(evaluate.stream(request)))
    if first.rounds is None and metric in first.metrics:
        return first.metrics[metric]  # accounting comes before what has to be measured
    return evaluate.outcome(request).metrics[metric]
