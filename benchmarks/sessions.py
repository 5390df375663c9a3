"""Twenty students on one server: memory of each session and what it costs to leave them alone.

Each plays with its own keys in its own home, on a pseudo-terminal, and stands at the workbench
when it is measured: the largest screen, with the engine loaded. ``$MISSION_TUI_SESSIONS`` asks
for another number, for example 4 for a quick look.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks import game
from benchmarks.result import Row, median
from benchmarks.terminal import ROOT, Terminal

SESSIONS: Final = int(os.environ.get("MISSION_TUI_SESSIONS", "20"))
SECONDS: Final = 10.0
MEMORY: Final = 40.0  # MB of proportional share, each
CPU: Final = 0.2  # % of a core, each
LEAN: Final = {"PYTHONOPTIMIZE": "2", "PYTHONNODEBUGRANGES": "1"}
"""How docs/administrators.md starts the game on a server: without docstrings in memory."""


def measure() -> list[Row]:
    """As it comes, then as it is installed for many."""
    return [
        *_rows("as it comes", {}, SECONDS),
        *_rows("as on a server", LEAN, SECONDS),
    ]


def _rows(how: str, extra: dict[str, str], seconds: float) -> list[Row]:
    _compile(extra)
    with ExitStack() as open_, tempfile.TemporaryDirectory() as home:
        sessions: list[Terminal] = []
        for number in range(SESSIONS):
            terminal = open_.enter_context(game.session(Path(home) / str(number), extra=extra))
            game.to_lock(terminal)
            game.to_bench(terminal)
            sessions.append(terminal)
        for terminal in sessions:
            terminal.settle(1.0 if terminal is sessions[-1] else 0.0)
        memory = [terminal.memory() for terminal in sessions]
        cpu = [terminal.cpu() for terminal in sessions]
        received = [terminal.received for terminal in sessions]
        sessions[0].watch(seconds)
        shares = [
            100 * (terminal.cpu() - before) / seconds
            for terminal, before in zip(sessions, cpu, strict=True)
        ]
        for terminal in sessions:
            terminal.watch(0.0)
        sent = sum(terminal.received for terminal in sessions) - sum(received)
    shared = [each["Pss"] / 1e6 for each in memory]
    own = median(each["Anonymous"] / 1e6 for each in memory)
    what = f"{SESSIONS} sessions {how}"
    return [
        Row(f"{what}: PSS each, median", median(shared), "MB", MEMORY, f"{own:.0f} MB its own"),
        Row(f"{what}: PSS, the largest", max(shared), "MB", MEMORY),
        Row(f"{what}: PSS of all", sum(shared), "MB"),
        Row(f"{what}: idle CPU each, median", median(shares), "%", CPU, f"over {seconds:.0f} s"),
        Row(f"{what}: idle CPU, the busiest", max(shares), "%", CPU),
        Row(f"{what}: bytes while idle, all", float(sent), "B", 0.0),
    ]


def _compile(extra: dict[str, str]) -> None:
    """Have the bytecode on disk, as an installation does: sessions read it, and never write."""
    subprocess.run(
        [sys.executable, "-m", "mission_tui", "missions"],
        env=os.environ | extra | {"PYTHONDONTWRITEBYTECODE": ""},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        check=True,
    )
