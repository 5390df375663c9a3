"""Milliseconds of a project's accounts, and of its 2,000 simulated twins."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import mission_tui  # noqa: F401  (sets the thread counts before numpy loads)
from benchmarks.result import Row, median
from engine.models.lifecycle import MODEL

SEEDS: Final = range(1, 8)
BUDGET: Final = 50.0  # ms
USUAL: Final[dict[str, Any]] = {"batch": 2}
WORST: Final[dict[str, Any]] = {"fault": 0.35, "batch": 6, "changes": 8}


def measure() -> list[Row]:
    """Each seed is new, so that nothing is remembered."""
    MODEL.evaluate({}, seed=0)
    usual, worst = (_timed(MODEL.evaluate, setting) for setting in (USUAL, WORST))
    note = "batches of six, of which nine in ten come back"
    return [
        Row("lifecycle: accounts", _timed(MODEL.accounts, USUAL), "ms", None, "no simulation"),
        Row("lifecycle: evaluation, 2,000 projects", usual, "ms", BUDGET),
        Row("lifecycle: the longest walks there are", worst, "ms", BUDGET, note),
    ]


def _timed(work: Callable[..., object], setting: dict[str, Any]) -> float:
    """The median over the seeds, in milliseconds."""
    return median(_elapsed(partial(work, setting, seed=seed)) for seed in SEEDS)


def _elapsed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - begun)


if __name__ == "__main__":
    for row in measure():
        print(f"{row.what:<50} {row.measured:10.3f} {row.unit:<3} {row.note}")
