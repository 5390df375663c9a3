"""What emerges when the stand-in adapts, over many seeds: print the table.

    OPENBLAS_NUM_THREADS=1 python benchmarks/standin_emergence.py [first seed] [seeds] [shift ...]

Each cell is the accuracy on 360 held-out shifted digits, in per cent: mean ± standard deviation
over the seeds (lowest..highest). The rates are the rule's, and in the last block the best of
five multiples of it, to see which differences are more than a badly chosen rate.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from engine.numerics import mlp
from engine.numerics.shifts import SHIFTS
from engine.numerics.standin import adapt, learning_rate_for, pretrained

STRENGTH = {"habits": 0.7, "dust": 0.8, "accent": 0.6, "ear": 0.85}
METHODS: dict[str, dict[str, Any]] = {
    "none": {"method": "none"},
    "bias": {"method": "bias"},
    "last 1": {"method": "last", "depth": 1},
    "last 2": {"method": "last", "depth": 2},
    "full": {"method": "full"},
    "layerwise": {"method": "layerwise"},
    **{f"sparse 1/{c}": {"method": "sparse", "depth": 3, "channels": c} for c in (2, 4, 8)},
    **{f"lora {rank}": {"method": "lora", "rank": rank} for rank in (1, 2, 4, 8, 16)},
}
BATCHES = (2, 4, 8, 16, 32, 64)
BITS = (32, 16, 8, 4, 3, 2)


def accuracies(shift: Any, seeds: range, **choices: Any) -> np.ndarray:
    """Accuracy of every seed, in per cent."""
    return np.array(
        [100.0 * adapt(shift, STRENGTH[shift], seed=seed, **choices).accuracy for seed in seeds]
    )


def cell(found: np.ndarray) -> str:
    """Mean ± deviation (lowest..highest)."""
    return f"{found.mean():4.0f} ±{found.std():3.0f} ({found.min():.0f}..{found.max():.0f})"


def line(name: str, cells: list[str]) -> None:
    """Print one row of a table."""
    print(f"{name:<18}" + "".join(f"{text:<20}" for text in cells), flush=True)


def best_rate(shift: Any, seeds: range, choices: dict[str, Any]) -> str:
    """Return the cell of the multiple of the rule's rate that does best on average."""
    rule = learning_rate_for(shift, **choices)
    tried = {
        times: accuracies(shift, seeds, learning_rate=rule * times, **choices)
        for times in (0.25, 0.5, 1.0, 2.0, 4.0)
    }
    times = max(tried, key=lambda t: float(tried[t].mean()))
    return f"{cell(tried[times])} ×{times:g}"


def table(shift: Any, seeds: range) -> None:
    """Print every block for one shift."""
    print(f"\n## {shift}, strength {STRENGTH[shift]:g}, seeds {seeds.start}..{seeds.stop - 1}")
    line("batch 8, adam", [])
    for name, choices in METHODS.items():
        line(f"  {name}", [cell(accuracies(shift, seeds, **choices))])
    line("optimizer, batch", [str(batch) for batch in BATCHES])
    for name in ("bias", "last 1", "lora 2", "lora 8", "full"):
        for optimizer in mlp.OPTIMIZERS:
            row = [
                cell(accuracies(shift, seeds, batch=batch, optimizer=optimizer, **METHODS[name]))
                for batch in BATCHES
            ]
            line(f"  {name} {optimizer}", row)
    line("frozen bits", [str(bits) for bits in BITS])
    for name in ("none", "bias", "last 1", "lora 2", "lora 8"):
        row = [cell(accuracies(shift, seeds, frozen_bits=bits, **METHODS[name])) for bits in BITS]
        line(f"  {name}", row)
    line("8-bit graph", ["no graph", "scaled", "unscaled", "unscaled, ×10", "unscaled, ×100"])
    for optimizer in mlp.OPTIMIZERS:
        graph: dict[str, Any] = {"optimizer": optimizer, "eight_bit": True}
        rate = learning_rate_for(shift, "full", optimizer=optimizer)
        found = [
            accuracies(shift, seeds, optimizer=optimizer),
            accuracies(shift, seeds, **graph),
            *(
                accuracies(shift, seeds, **graph, scaling=False, learning_rate=times * rate)
                for times in (1, 10, 100)
            ),
        ]
        line(f"  full {optimizer}", [cell(each) for each in found])
    line("at the best rate", [])
    for name, choices in METHODS.items():
        if name != "none":
            line(f"  {name}", [best_rate(shift, seeds, choices)])


def main() -> None:
    """Print the tables of the seeds and shifts asked for."""
    first = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    seeds = range(first, first + count)
    begun = time.perf_counter()
    for seed in seeds:
        pretrained(seed)
    each = (time.perf_counter() - begun) / count
    print(f"pretraining {1e3 * each:.0f} ms a seed")
    for shift in sys.argv[3:] or SHIFTS:
        table(shift, seeds)


if __name__ == "__main__":
    main()
