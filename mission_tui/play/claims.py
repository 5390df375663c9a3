"""Claims: one sentence about two runs, checked where a machine can check it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine import registry
from engine.contract import Metric, Terms, Value
from mission_tui.content.schema import Part
from mission_tui.play.actions import Claim
from mission_tui.units import UnitError, amount, base_of, factor, half_step, show_change

ROSE: Final = "rose"
FELL: Final = "fell"
STILL: Final = "did not move"
ROUNDS: Final = "rounds"
"""What two runs differ in where one was stopped early: it confounds whatever they show."""


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

    Returns a sentence for each check that fails; an empty mapping means *verified*.
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
    declared = metric_of(part, claim.metric).terms  # a tie goes to the first in this order
    terms = {name: claim.terms[name] for name in declared if name in claim.terms}
    largest = Terms(claim.metric, 0.0, change, terms).largest if terms else ""
    if claim.mechanism != largest:
        failed["mechanism"] = "another term moved more: the why panel shows which"
    return failed


def metric_of(part: Part, name: str) -> Metric:
    """The engine's description of a metric."""
    return {metric.name: metric for metric in registry.model(part.model).metrics}[name]


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
        failed["number"] = f"the runs say {show_change(change, unit)}"
    elif slack > abs(change) / 2 and float(amount(change, unit)[0]) != 0:
        failed["number"] = f"too coarse: the runs say {show_change(change, unit)}"
    return failed


def _points(unit: str) -> str:
    return "points" if unit == "%" else ""
