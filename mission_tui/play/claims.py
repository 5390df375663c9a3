"""Claims: one sentence about two runs, checked where a machine can check it.

A claim may add where it would turn: "it would flip if [control] passed [value]", or never. The
engine's answer to that is :func:`mission_tui.play.flips.turns`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine import registry
from engine.contract import Metric, Value
from mission_tui.content import space
from mission_tui.content.schema import Part
from mission_tui.play.actions import Claim, Flip
from mission_tui.units import UnitError, amount, base_of, factor, half_step, show_change

ROSE: Final = "rose"
FELL: Final = "fell"
STILL: Final = "did not move"
ROUNDS: Final = "rounds"
"""What two runs differ in where one was stopped early: it confounds whatever they show."""
NEVER: Final = "never"
"""The flip point of a claim that holds wherever the control stands."""
TIE: Final = 1e-9
"""Terms that differ by a smaller share than this are equally large."""
_PREFIXES: Final = ("", "k", "M", "G", "T", "m", "µ", "n")
_OTHERS: Final = ("KiB", "MiB", "GiB", "min", "h")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A run as a claim sees it: its number, its sliders, and the metrics it came out with.

    ``rounds`` is after how many rounds it was stopped; None where it came to its end.
    """

    number: int
    setting: Mapping[str, Value]
    metrics: Mapping[str, float]
    rounds: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """The sentence that fills itself from two runs: all but the why."""

    metric: str
    direction: str
    amount: str
    unit: str
    control: str
    before: Value | None
    after: Value | None
    changed: tuple[str, ...]


def differing(before: Evidence, after: Evidence) -> tuple[str, ...]:
    """The sliders in which two runs differ; and ``rounds``, where they did not do as many."""
    sliders = [name for name in before.setting if before.setting[name] != after.setting.get(name)]
    return (*sliders, *([ROUNDS] if before.rounds != after.rounds else []))


def draft(part: Part, metric: str, before: Evidence, after: Evidence) -> Draft:
    """Fill the sentence from two runs. Where several sliders differ it names the first."""
    unit = metric_of(part, metric).unit
    change = after.metrics[metric] - before.metrics[metric]
    number, written = amount(change, unit)
    changed = differing(before, after)
    control = next((name for name in changed if name != ROUNDS), "")
    still = float(number) == 0
    return Draft(
        metric,
        STILL if still else ROSE if change > 0 else FELL,
        number,
        written,
        control,
        before.setting.get(control),
        after.setting.get(control),
        changed,
    )


def verdict(part: Part, claim: Claim, runs: Mapping[int, Evidence]) -> dict[str, str]:
    """Check a claim against the runs it cites.

    Returns a sentence for each check that fails, under the check's name; an empty mapping means
    *verified*. The checks: ``runs`` (cited rightly), ``control`` (confounded by what?), ``sign``,
    ``number`` (within its own rounding, in its own unit), ``mechanism`` (the largest term in the
    direction of the change; of what did not move, the largest either way), and ``flip``, where
    the claim names one.
    """
    before, after = (runs.get(number) for number in claim.runs)
    if before is None or after is None or before is after:
        return {"runs": "cite two different runs"}
    if claim.metric not in part.claim.metrics:
        return {"runs": "this part's claim is about " + ", ".join(part.claim.metrics)}
    failed: dict[str, str] = {}
    changed = differing(before, after)
    others = [name for name in changed if name != claim.control]
    if claim.control not in changed or claim.control == ROUNDS:
        failed["control"] = f"{claim.control or 'nothing'} is the same in both runs"
    elif others:
        failed["control"] = "confounded by " + ", ".join(others)
    change = after.metrics[claim.metric] - before.metrics[claim.metric]
    unit = metric_of(part, claim.metric).unit
    failed |= _sign_and_number(claim, change, unit)
    declared = metric_of(part, claim.metric).terms
    terms = {name: claim.terms[name] for name in declared if name in claim.terms}
    if claim.mechanism not in _reasons(terms, change, unit):
        failed["mechanism"] = "another term moved more: the why panel shows which"
    return failed | (_flip(part, claim.metric, claim.flip) if claim.flip else {})


def passable(part: Part, metric: str, control: str) -> str | None:
    """Why it can't be said where a claim about ``metric`` flips along ``control``; None if it can.

    A flip point is asked of exact accounting, along a slider whose values are numbers.
    """
    if not metric_of(part, metric).exact:
        return "a flip point is for exact metrics, and this one is measured on a stand-in"
    if control not in part.sliders:
        return f"there is no slider {control!r} to pass anything"
    if any(isinstance(value, (str, bool)) for value in space.values(part, control)):
        return f"{control} has no values that could be passed"
    return None


def metric_of(part: Part, name: str) -> Metric:
    """The engine's description of a metric."""
    return {metric.name: metric for metric in registry.model(part.model).metrics}[name]


def _flip(part: Part, metric: str, flip: Flip) -> dict[str, str]:
    """Hold a flip point against the engine's: within one step of the grid."""
    if refusal := passable(part, metric, flip.control):
        return {"flip": refusal}
    grid = [float(value) for value in space.values(part, flip.control)]
    if flip.value == NEVER:
        return {"flip": f"it does turn somewhere along {flip.control}"} if flip.turns else {}
    if isinstance(flip.value, (str, bool)) or not math.isfinite(flip.value):
        return {"flip": f"give a value of {flip.control}, or {NEVER}"}
    if not flip.turns:
        return {"flip": f"it never turns along {flip.control}"}
    for turn in flip.turns:
        if turn in grid:
            at = grid.index(float(turn))
            if grid[max(0, at - 1)] <= flip.value <= grid[min(at + 1, len(grid) - 1)]:
                return {}
    return {"flip": f"it turns elsewhere along {flip.control}"}


def _reasons(terms: Mapping[str, float], change: float, unit: str) -> tuple[str, ...]:
    """The terms that may be named as the reason: the largest, and whatever ties with it.

    Of a metric that did not move at its own rounding, the largest either way; where no term
    moved either, none of them is a wrong reason.
    """
    number, written = amount(change, unit)
    sizes = {name: math.copysign(1.0, change) * term for name, term in terms.items()}
    if float(number) == 0:
        sizes = {name: abs(term) for name, term in terms.items()}
        scale = 1.0 if written == "points" else factor(written, base_of(unit))
        if all(size <= half_step(number) * scale * TIE for size in sizes.values()):
            return tuple(sizes)
    most = max(sizes.values(), default=0.0)
    return tuple(name for name, size in sizes.items() if size >= most - TIE * abs(most))


def _sign_and_number(claim: Claim, change: float, unit: str) -> dict[str, str]:
    failed: dict[str, str] = {}
    try:
        scale = (
            1.0 if claim.unit == "points" == _points(unit) else factor(claim.unit, base_of(unit))
        )
    except UnitError:
        return {"number": f"{claim.unit} is no unit of {claim.metric}"}
    try:
        stated = float(claim.amount)
    except ValueError:
        stated = math.nan
    if not math.isfinite(stated) or stated < 0:
        return {"number": f"{claim.amount!r} is not an amount"}
    slack = half_step(claim.amount) * scale
    true = ROSE if change > slack else FELL if change < -slack else STILL
    if claim.direction != true:
        failed["sign"] = f"it {true}: {show_change(change, unit)}"
    if abs(stated * scale - abs(change)) > slack * (1 + 1e-9):
        failed["number"] = _misread(claim, stated, scale, change, unit)
    elif slack > abs(change) / 2 and float(amount(change, unit)[0]) != 0:
        failed["number"] = f"too coarse: the runs say {show_change(change, unit)}"
    return failed


def _misread(claim: Claim, stated: float, scale: float, change: float, unit: str) -> str:
    """What is wrong with a number that is not the runs': its rounding, its unit, or all of it."""
    words = f"the runs say {show_change(change, unit)}"
    base, size, step = base_of(unit), abs(change), 2 * half_step(claim.amount)
    if abs(stated * scale - size) <= step * scale * (1 + 1e-9):
        return f"rounded wrongly: {words}"
    for other in (*(prefix + base for prefix in _PREFIXES), *_OTHERS):
        try:
            given = factor(other, base)
        except UnitError:
            continue
        if stated and other != claim.unit and abs(stated * given - size) <= step / 2 * given:
            return f"right in {other or 'ones'}, not in {claim.unit or 'ones'}: {words}"
    return words


def _points(unit: str) -> str:
    return "points" if unit == "%" else ""
