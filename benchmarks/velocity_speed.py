"""Milliseconds of the learning curve, once a process, and of what a calendar is worth."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

import mission_tui  # noqa: F401  (sets the thread counts before numpy loads)

# isort: split
from benchmarks.result import Row, median
from engine.models.velocity import MODEL
from engine.numerics import digits, learning_curve

REPEATS: Final = 15
ONCE: Final = 300.0  # ms
BUDGET: Final = 50.0  # ms
AGAIN: Final = 5.0  # ms
BUSY: Final = {"tax": 0.05, "training": 0.01, "work": 0.05}
OTHER: Final = {"size": 4.0, "batch": 3, "parallel": 2, "checked": 60.0}


def measure() -> list[Row]:
    """The curve; evaluations that share nothing; one that is remembered; an explanation."""
    digits.load.cache_clear()
    learning_curve.digits_curve.cache_clear()
    curve = _timed(learning_curve.digits_curve)
    weeks = [26.0 - 0.5 * at for at in range(REPEATS)]
    plain = [_timed(partial(MODEL.evaluate, {"weeks": each}, seed=1)) for each in weeks]
    busy = [_timed(partial(MODEL.evaluate, {**BUSY, "weeks": w}, seed=1)) for w in weeks]
    again = [_timed(partial(MODEL.evaluate, {"weeks": 26.0}, seed=1)) for _ in weeks]
    terms = [
        _timed(partial(MODEL.explain, "verified", {"weeks": w}, {**OTHER, "weeks": w}, seed=1))
        for w in weeks
    ]
    note = f"max {max(busy):.1f} ms, about 400 releases"
    return [
        Row("velocity: the learning curve, once a process", curve, "ms", ONCE),
        Row("velocity: evaluation", median(plain), "ms", BUDGET, f"max {max(plain):.1f} ms"),
        Row("velocity: evaluation, hundreds of releases", median(busy), "ms", BUDGET, note),
        Row("velocity: evaluation, remembered", median(again), "ms", AGAIN),
        Row("velocity: explanation of ten terms", median(terms), "ms", BUDGET),
    ]


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - begun)


if __name__ == "__main__":
    for row in measure():
        print(f"{row.what:<50} {row.measured:10.3f} {row.unit:<3} {row.note}")
