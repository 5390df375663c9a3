"""What an untouched session costs: bytes and processor time, screen by screen."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks import bare_app, game
from benchmarks.result import Row
from benchmarks.terminal import Terminal

SECONDS: Final = 5.0
BYTES: Final = 0.0
CPU: Final = 0.2  # % of a core


def measure() -> list[Row]:
    """Bring one session to each screen, then leave them all alone, beside a bare app."""
    with ExitStack() as open_, tempfile.TemporaryDirectory() as home:

        def started(name: str) -> Terminal:
            return open_.enter_context(game.session(Path(home) / name))

        bare = open_.enter_context(Terminal(["benchmarks.bare_app"], Path(home) / "bare"))
        bare.wait_for(bare_app.HELLO)
        sessions = {"bare app": bare}
        sessions["title"] = started("title")
        sessions["title"].wait_for(game.TITLE)
        for name in ("lock", "workbench", "claim"):
            sessions[name] = started(name)
            game.to_lock(sessions[name])
        for name in ("workbench", "claim"):
            game.to_bench(sessions[name])
        game.to_claim(sessions["claim"])
        for terminal in sessions.values():
            terminal.settle(1.0)
        received = {name: terminal.received for name, terminal in sessions.items()}
        cpu = {name: terminal.cpu() for name, terminal in sessions.items()}
        bare.watch(SECONDS)
        rows = []
        for name, terminal in sessions.items():
            share = 100 * (terminal.cpu() - cpu[name]) / SECONDS
            terminal.watch(0.0)
            sent = float(terminal.received - received[name])
            game_row = terminal is not bare
            rows += [
                Row(
                    f"idle {name}: bytes in {SECONDS:.0f} s", sent, "B", BYTES if game_row else None
                ),
                Row(f"idle {name}: CPU", share, "%", CPU if game_row else None),
            ]
    return rows
