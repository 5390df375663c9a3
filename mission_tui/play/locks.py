"""Locks: what the engine says to a prediction, and how the prediction is judged by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from mission_tui.content.schema import Lock, Mission, Part
from mission_tui.play.actions import Seal, Truth
from mission_tui.play.evaluate import Request, explain
from mission_tui.play.queries import answer

Cell = Literal["both", "value_only", "mechanism_only", "neither"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A prediction beside its truth. It is shown and explained, and never graded."""

    value_right: bool
    mechanism_right: bool
    in_band: bool | None

    @property
    def cell(self) -> Cell:
        """Which of the four explanations is this prediction's."""
        if self.value_right:
            return "both" if self.mechanism_right else "value_only"
        return "mechanism_only" if self.mechanism_right else "neither"


def truth(mission: Mission, part: Part, lock: Lock, seed: int) -> Truth:
    """Ask the engine. Raises :class:`~mission_tui.play.queries.NoAnswer` on a tie."""
    terms = explain(
        lock.why.metric,
        Request.at(part, lock.why.first, seed),
        Request.at(part, lock.why.second, seed),
    )
    among = {mechanism: terms.terms[mechanism] for mechanism in lock.mechanisms}
    sign = 1.0 if terms.change >= 0 else -1.0
    right = max(among, key=lambda mechanism: sign * among[mechanism])
    value = answer(mission, part, lock.truth, seed)
    if lock.kind == "choice" and not isinstance(value, str):
        value = f"{value:g}"
    return Truth(value, right, dict(terms.terms))


def judge(lock: Lock, sealed: Seal, found: Truth) -> Judgement:
    """Hold a sealed prediction against the truth.

    A number is right within the lock's factor (same sign), or within its declared ±.
    """
    mechanism_right = sealed.mechanism == found.mechanism
    if isinstance(found.value, str) or isinstance(sealed.value, str):
        return Judgement(sealed.value == found.value, mechanism_right, None)
    true, guess = float(found.value), float(sealed.value)
    if lock.within is not None:
        right = abs(guess - true) <= lock.within
    else:
        right = guess * true > 0 and max(guess / true, true / guess) <= lock.factor
    low, high = sealed.low, sealed.high
    in_band = None if low is None or high is None else low <= true <= high
    return Judgement(right, mechanism_right, in_band)


def refusal(lock: Lock, sealed: Seal) -> str | None:
    """Why a prediction can't be sealed as it stands, as one sentence; None if it can."""
    if sealed.mechanism not in lock.mechanisms:
        return "say why: choose one of " + ", ".join(lock.mechanisms)
    return value_refusal(lock, sealed)


def value_refusal(lock: Lock, sealed: Seal) -> str | None:
    """Like :func:`refusal`, for all but the why: it may not have been said yet."""
    if lock.kind == "choice":
        if sealed.value not in lock.options:
            return "choose one of " + ", ".join(lock.options)
        if sealed.low is not None or sealed.high is not None:
            return "a choice has no band"
        return None if sealed.sure is not None else "say whether you are sure"
    if isinstance(sealed.value, str):
        return "give a number"
    if sealed.sure is not None:
        return "a number's band says how sure you are"
    if sealed.low is None or sealed.high is None:
        return "give the band that you would bet four to one on"
    if not all(map(isfinite, (sealed.low, sealed.value, sealed.high))):
        return "give finite numbers"
    if lock.within is None and sealed.low <= 0:
        return "give numbers above zero"
    if not sealed.low <= sealed.value <= sealed.high:
        return "the band must hold the value"
    if sealed.low == sealed.high:
        return "widen the band until you would bet four to one on it"
    return None


def judged(
    part: Part, sealed: Mapping[str, Seal], truths: Mapping[str, Truth]
) -> dict[str, Judgement]:
    """Every lock of a part, judged."""
    return {name: judge(lock, sealed[name], truths[name]) for name, lock in part.locks.items()}
