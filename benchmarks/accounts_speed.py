"""Milliseconds of what a slider waits for, at its largest."""

from __future__ import annotations

import time
from typing import Any, Final

import mission_tui  # noqa: F401  (sets the thread counts before numpy loads)

# isort: split
from benchmarks.result import Row, median
from engine import registry

REPEATS: Final = 5
BUDGET: Final = 50.0  # ms
FIRST: Final = 100.0  # ms
MIX: Final = 100.0  # ms
MILLION: Final = 10**6
LLAMA: Final = {"network": "llama-3-70b", "arithmetic": "mixed", "frozen_bits": "4"}


def measure() -> list[Row]:
    """The adapters of a million customers, and the largest network trained in every costly way."""
    settings = [
        {"adapters": MILLION, "skew": 0.5 + 0.1 * at, "cache": 1e9 * (1 + at)}
        for at in range(REPEATS)
    ]
    times = [_evaluated("adapters", setting) for setting in settings]
    note = f"max {max(times):.1f} ms, another skew and cache each time"
    rows = [Row("adapters: a million", median(times), "ms", BUDGET, note)]
    changes: tuple[dict[str, str], ...] = ({}, {"recompute": "best"}, {"method": "layerwise"})
    for change in changes:
        words = ", ".join(map(str, change.values())) or "full"
        setting = LLAMA | change
        times = [_first("adaptation", setting) for _ in range(REPEATS)]
        rows.append(Row(f"adaptation, Llama, {words}: first frame", median(times), "ms", FIRST))
        times = [_evaluated("energy", setting) for _ in range(REPEATS)]
        rows.append(Row(f"energy, Llama, {words}", median(times), "ms", BUDGET))
    mixes = [{"randomisation": 0.1 * at, "owned": 2500} for at in range(1, REPEATS + 1)]
    times = [_evaluated("mixture", mix) for mix in mixes]
    note = f"max {max(times):.0f} ms, other rain in the simulator each time"
    rows.append(Row("mixture: every mix of one simulator", median(times), "ms", MIX, note))
    return rows


def _evaluated(model: str, setting: dict[str, Any]) -> float:
    begun = time.perf_counter()
    registry.evaluate(model, setting, seed=1)
    return 1e3 * (time.perf_counter() - begun)


def _first(model: str, setting: dict[str, Any]) -> float:
    begun = time.perf_counter()
    next(iter(registry.stream(model, setting, seed=1)))
    return 1e3 * (time.perf_counter() - begun)


if __name__ == "__main__":
    for row in measure():
        print(f"{row.what:<50} {row.measured:10.3f} {row.unit:<3} {row.note}")
