"""What a measurement hands over: rows of a table, each beside its budget where it has one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: what it is, how much in ``unit``, and the most that it may be.

    A row without a budget is for the record. ``note`` says what stands behind the figure.
    """

    what: str
    measured: float
    unit: str
    budget: float | None = None
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the budget is kept; None where there is none."""
        return None if self.budget is None else self.measured <= self.budget


def percentile(samples: Iterable[float], share: float) -> float:
    """The smallest sample that at least ``share`` (0..1) of them do not exceed (nearest rank).

    Raises ValueError where there are no samples.
    """
    ordered = sorted(samples)
    if not ordered:
        raise ValueError("no samples")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(samples: Iterable[float]) -> float:
    """The middle sample, or the mean of the middle two. Raises ValueError without samples."""
    ordered = sorted(samples)
    if not ordered:
        raise ValueError("no samples")
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def table(rows: Sequence[Row]) -> str:
    """The rows, aligned: what, measured, budget, whether it holds, and the note."""
    words = {None: "–", True: "holds", False: "MISSES"}
    cells = [("what", "measured", "budget", "", "")]
    for row in rows:
        budget = "–" if row.budget is None else f"≤ {_figure(row.budget, row.unit)}"
        measured = _figure(row.measured, row.unit)
        cells.append((row.what, measured, budget, words[row.holds], row.note))
    widths = [max(len(line[n]) for line in cells) for n in range(4)]
    return "\n".join(
        f"{what:<{widths[0]}}  {measured:>{widths[1]}}  {budget:>{widths[2]}}  "
        f"{word:<{widths[3]}}  {note}".rstrip()
        for what, measured, budget, word, note in cells
    )


def _figure(value: float, unit: str) -> str:
    digits = 0 if value >= 1000 else 3
    return (f"{value:.0f} {unit}" if digits == 0 else f"{value:.{digits}g} {unit}").rstrip()
