"""Time to the first frame of the title, beside the bare app: A B A B, medians."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from benchmarks import bare_app, game
from benchmarks.result import Row, median
from benchmarks.terminal import Terminal

PAIRS: Final = 9
BUDGET: Final = 1.3


def measure() -> list[Row]:
    """Start both in turn; the first pair only warms the caches of files."""
    times: dict[str, list[float]] = {"mission_tui": [], "benchmarks.bare_app": []}
    texts = {"mission_tui": game.TITLE, "benchmarks.bare_app": bare_app.HELLO}
    with tempfile.TemporaryDirectory() as home:
        for turn in range(PAIRS + 1):
            for module, text in texts.items():
                with Terminal([module], Path(home)) as terminal:
                    taken = terminal.wait_for(text) - terminal.begun
                    if turn:
                        times[module].append(taken)
    title, bare = times.values()
    ratio = median(title) / median(bare)
    note = f"title {1e3 * median(title):.0f} ms, bare app {1e3 * median(bare):.0f} ms, {PAIRS} each"
    return [Row("first frame of the title / bare app", ratio, "×", BUDGET, note)]
