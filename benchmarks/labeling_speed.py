"""Milliseconds of a labelling run of thirty rounds with its random twin, and of its frames."""

from __future__ import annotations

import time
from typing import Any, Final

import mission_tui  # noqa: F401  (sets the thread counts before numpy loads)

# isort: split
import itertools

from benchmarks.result import Row, median
from engine.models.labeling import MODEL

SEEDS: Final = range(1, 4)
FIRST: Final = 100.0  # ms
WHOLE: Final = 1000.0  # ms
THIRTY: Final = {"labels": 320}
NOISY: Final = {"labels": 320, "label_error": 0.05}


def measure() -> list[Row]:
    """Each seed is new, so that nothing is remembered; the digits are loaded once a process."""
    MODEL.evaluate({"labels": 20, "pool": 100}, seed=0)
    first, second, gap, whole = _streamed(THIRTY, 0)
    noisy = _streamed(NOISY, 100)[3]
    return [
        Row("labeling: first frame", first, "ms", FIRST, "before the first round"),
        Row("labeling: frame of the first round", second, "ms", FIRST),
        Row("labeling: longest wait for a frame", gap, "ms", FIRST),
        Row("labeling: 30 rounds and the random twin", whole, "ms", WHOLE, "as streamed"),
        Row("labeling: the same with the clean twin", noisy, "ms", None, "5 % of labels wrong"),
    ]


def _streamed(setting: dict[str, Any], offset: int) -> tuple[float, float, float, float]:
    """Medians of the first two frames, the longest wait between two and the whole, in ms."""
    rows = []
    for seed in SEEDS:
        begun = time.perf_counter()
        at = [time.perf_counter() - begun for _ in MODEL.stream(setting, seed=seed + offset)]
        waits = [later - earlier for earlier, later in itertools.pairwise(at)]
        rows.append((at[0], at[1], max(waits), at[-1]))
    first, second, gap, whole = (1e3 * median(column) for column in zip(*rows, strict=True))
    return first, second, gap, whole


if __name__ == "__main__":
    for row in measure():
        print(f"{row.what:<50} {row.measured:10.3f} {row.unit:<3} {row.note}")
