"""Did they reason or click? One number from a ledger, for an instructor to look where to look.

Each sign reads one feature on a scale from 0 (as a clicker would) to 1 (as somebody who reasons
would); the score is their weighted mean over the signs that the ledger has anything for. The ends
of the scales and the weights were chosen on simulated players (``tests/grading/players.py``) of
two tracks, and are tested on players of other parameters on other tracks: an area under the ROC
curve of 0.96 to 0.97 by the draw, and of 0.94 to 0.96 for a third population, made up last.
It was 0.90 while simulated clickers chose the runs of their claims with more care than luck has.

**Simulated players are not students.** They were written by the same people as this score, with
an idea of what clicking looks like. No real class has been measured, so there is no known error
rate. A low score is a reason to read the ledger or to talk to somebody, never a grade, and never
evidence of anything by itself: whoever knows the subject, reads fast or plays a second time looks
quick, and a screen reader or a slow line makes anybody slow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from typing import Final

from mission_tui.grading.features import SWEEP, Features
from mission_tui.text import clean_line


@dataclass(frozen=True, slots=True)
class Sign:
    """One feature's say: ``value`` from 0 (clicked) to 1 (reasoned), with its weight."""

    name: str
    value: float
    weight: float
    shown: str


@dataclass(frozen=True, slots=True)
class _Scale:
    """How a feature is read: 0 at ``clicked``, 1 at ``reasoned``; times on a log scale."""

    feature: str
    label: str
    clicked: float
    reasoned: float
    weight: float
    unit: str = ""
    log: bool = False


SCALES: Final = (
    _Scale("controlled", "runs that changed one thing", 0.3, 0.8, 4.0),
    _Scale("sweep_share", "runs in sweeps", 0.5, 0.0, 3.0),
    _Scale("verified", "claims verified", 0.1, 0.7, 3.0),
    _Scale("repeated", "runs repeated", 0.25, 0.0, 2.0),
    _Scale("lock_latency", "before a seal", 8.0, 40.0, 1.0, "s", True),
    _Scale("confounded", "claims confounded", 0.6, 0.0, 1.5),
    _Scale("run_gap", "between two runs", 3.0, 15.0, 1.5, "s", True),
    _Scale("reading", "reading", 3.0, 20.0, 1.5, "s", True),
    _Scale("bursts", "hints in bursts", 1.0, 0.0, 1.0),
)
"""Most weight is on what is done, least on how long it takes: time says most about the reader."""


def signs(found: Features) -> Iterator[Sign]:
    """What each feature says, where the ledger has it."""
    for scale in SCALES:
        if scale.feature == "sweep_share":
            value = found.sweeps / found.runs if found.runs >= SWEEP else None
        else:
            value = getattr(found, scale.feature)
        if value is None:
            continue
        shown = f"{value:.0f} {scale.unit}" if scale.unit else f"{value * 100:.0f} %"
        yield Sign(scale.label, _read(scale, value), scale.weight, shown)


def score(found: Features) -> float | None:
    """From 0 (clicked) to 1 (reasoned); None where a ledger has too little to say anything."""
    said = list(signs(found))
    weight = sum(sign.weight for sign in said)
    if found.runs < 2 or weight == 0:
        return None
    return sum(sign.value * sign.weight for sign in said) / weight


def says(found: Features) -> str:
    """One line of a class view, safe to draw: the score, and the three signs that say most."""
    if found.driver.startswith("bot:"):
        return clean_line(f"a program's play ({found.driver})")
    value = score(found)
    if value is None:
        return "too few runs to say anything"
    telling = sorted(signs(found), key=lambda sign: sign.weight * abs(sign.value - value))[-3:]
    words = "; ".join(f"{sign.name} {sign.shown}" for sign in reversed(telling))
    return clean_line(f"{value:.2f}  {words}")


def _read(scale: _Scale, value: float) -> float:
    low, high = scale.clicked, scale.reasoned
    if scale.log:
        low, high, value = log(low), log(high), log(max(value, 0.1))
    return min(1.0, max(0.0, (value - low) / (high - low)))
