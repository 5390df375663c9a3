"""Milliseconds of the privacy accountant and of the private run, and how the accountant stands
beside a published one at the same integer orders, where that is installed."""

from __future__ import annotations

import importlib.util
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import mission_tui  # noqa: F401  (sets the thread counts before numpy loads)

# isort: split
from benchmarks.result import Row, median
from engine.models.privacy import MODEL
from engine.numerics import accountant

SEED: Final = 1
REPEATS: Final = 9
EPSILON: Final = 5.0  # ms
SIGMA: Final = 50.0  # ms
FIRST: Final = 100.0  # ms
TIMES: Final = 10.0
"""How much faster than the published accountant is wanted."""
CASES: Final = ((0.01, 1.1, 1000, 1e-6), (0.1, 2.0, 100, 1e-5), (0.001, 0.7, 10_000, 1e-7))
"""Sampling rate, noise multiplier, releases, δ."""


def measure() -> list[Row]:
    """ε, σ, the first frame and, if dp-accounting is there, the ratio to it."""
    ours = [_timed(partial(_epsilon, case)) for case in CASES]
    solving = [_timed(partial(_solve, case)) for case in CASES]
    first = [_timed(lambda: next(MODEL.stream({}, seed=SEED)))]
    rows = [
        Row("privacy: ε, orders 2 to 256", max(ours), "ms", EPSILON, "the slowest of 3, uncached"),
        Row("privacy: σ for a target", max(solving), "ms", SIGMA, "the slowest of 3, uncached"),
        Row("privacy: first frame", median(first), "ms", FIRST),
    ]
    if importlib.util.find_spec("dp_accounting") is None:
        print("(dp-accounting is not installed: no ratio to it)", end=" ", file=sys.stderr)
        return rows
    theirs = [_timed(partial(_published, case), 3) for case in CASES]
    ratios = [published / own for published, own in zip(theirs, ours, strict=True)]
    for case in CASES:
        same = math.isclose(_published(case), accountant.epsilon(*case), rel_tol=1e-6)
        assert same, f"the accountants disagree at {case}"
    note = f"{min(ratios):.0f} to {max(ratios):.0f} times as long; {TIMES:g} times is wanted"
    return [*rows, Row("privacy: ε, over dp-accounting", 1 / min(ratios), "×", 1 / TIMES, note)]


def _epsilon(case: tuple[float, float, int, float]) -> float:
    accountant._log_weights.cache_clear()
    return accountant.epsilon(*case)


def _solve(case: tuple[float, float, int, float]) -> None:
    q, sigma, steps, delta = case
    target = accountant.epsilon(q, sigma, steps, delta)
    accountant._log_weights.cache_clear()
    accountant._solved.cache_clear()
    accountant.sigma_for(target, q, steps, delta)


def _published(case: tuple[float, float, int, float]) -> float:
    """The same ε by dp-accounting (which would add fractional orders by default)."""
    from dp_accounting import dp_event, rdp  # type: ignore[import-not-found, unused-ignore]

    q, sigma, steps, delta = case
    counting = rdp.RdpAccountant(orders=[int(order) for order in accountant.ORDERS])
    event = dp_event.PoissonSampledDpEvent(q, dp_event.GaussianDpEvent(sigma))
    counting.compose(event, steps)
    return float(counting.get_epsilon(delta))


def _timed(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The median of a few, in milliseconds."""
    work()
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - begun))
    return median(times)


if __name__ == "__main__":
    for row in measure():
        print(f"{row.what:<50} {row.measured:10.3f} {row.unit:<3} {row.note}")
