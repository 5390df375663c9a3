"""Memory of a session at the workbench: its proportional share (PSS), alone and among five."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks import bare_app, game
from benchmarks.result import Row, median
from benchmarks.terminal import Terminal

CONCURRENT: Final = 5


def measure() -> list[Row]:
    """Without a budget yet: the figures are for the record."""
    with ExitStack() as open_, tempfile.TemporaryDirectory() as home:
        with Terminal(["benchmarks.bare_app"], Path(home) / "bare") as bare:
            bare.wait_for(bare_app.HELLO)
            bare.settle()
            plain = bare.memory()
        sessions: list[Terminal] = []
        alone: dict[str, int] = {}
        for number in range(CONCURRENT):
            terminal = open_.enter_context(game.session(Path(home) / str(number)))
            game.to_lock(terminal)
            game.to_bench(terminal)
            sessions.append(terminal)
            alone = alone or terminal.memory()
        shares = [terminal.memory()["Pss"] / 1e6 for terminal in sessions]
    ratio = f"{alone['Pss'] / plain['Pss']:.2f} × a bare app alone"
    return [
        Row("memory, one session: PSS", alone["Pss"] / 1e6, "MB", None, ratio),
        Row(f"memory, {CONCURRENT} sessions: PSS each, median", median(shares), "MB"),
    ]
