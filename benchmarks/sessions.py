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
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import game
from benchmarks.result import Row, median
from benchmarks.terminal import ROOT, Terminal, cpu_of, memory_of
from mission_tui.forkserver import client

SESSIONS: Final = int(os.environ.get("MISSION_TUI_SESSIONS", "20"))
SECONDS: Final = 10.0
MEMORY: Final = 40.0
"""MB of proportional share, each: for sessions of a lab server, which are forked."""
CPU: Final = 0.2  # % of a core, each
LEAN: Final = {"PYTHONOPTIMIZE": "2", "PYTHONNODEBUGRANGES": "1", "MALLOC_ARENA_MAX": "1"}
"""How docs/administrators.md starts the game on a server: without docstrings in memory."""


def measure() -> list[Row]:
    """As it comes, then as it is installed for many: each by itself, and forked from a server."""
    return [
        *_rows("as it comes", {}),
        *_rows("as on a server", LEAN),
        *_forked("from a fork server", LEAN),
    ]


def _rows(how: str, extra: dict[str, str]) -> list[Row]:
    _compile(extra)

    def own(terminal: Terminal) -> tuple[int, ...]:
        return (terminal.pid,)

    with tempfile.TemporaryDirectory() as home:
        return _measured(how, partial(game.session, extra=extra), own, Path(home), None)


def _forked(how: str, extra: dict[str, str]) -> list[Row]:
    """A session is its client and what was forked for it, and bears its share of the server."""
    _compile(extra)
    with tempfile.TemporaryDirectory() as home:
        socket = Path(home) / "socket"
        command = [sys.executable, "-m", "mission_tui", "forkserver", "serve", str(socket)]
        command += ["--per-user", str(SESSIONS)]
        with subprocess.Popen(
            command, env=os.environ | extra, cwd=ROOT, stdout=subprocess.PIPE
        ) as server:
            assert server.stdout is not None
            server.stdout.readline()  # it listens

            def both(terminal: Terminal) -> tuple[int, ...]:
                return (terminal.pid, _forked_for(server.pid, terminal))

            starter = ("-I", "-S", client.__file__, str(socket))
            start = partial(game.session, extra=extra, starter=starter)
            try:
                return _measured(how, start, both, Path(home), server.pid)
            finally:
                server.terminate()


def _forked_for(server: int, terminal: Terminal) -> int:
    """The session that was forked for a client: its terminal is the client's."""
    theirs = Path(f"/proc/{terminal.pid}/fd/1").stat().st_rdev
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return next(int(n) for n in children if Path(f"/proc/{n}/fd/1").stat().st_rdev == theirs)


def _measured(
    how: str,
    start: Callable[[Path], Terminal],
    processes: Callable[[Terminal], tuple[int, ...]],
    home: Path,
    server: int | None,
) -> list[Row]:
    with ExitStack() as open_:
        sessions: list[Terminal] = []
        titles: list[float] = []
        for number in range(SESSIONS):
            terminal = open_.enter_context(start(home / str(number)))
            titles.append(terminal.wait_for(game.TITLE) - terminal.begun)
            game.to_lock(terminal)
            game.to_bench(terminal)
            sessions.append(terminal)
        for terminal in sessions:
            terminal.settle(1.0 if terminal is sessions[-1] else 0.0)
        each = [processes(terminal) for terminal in sessions]
        memory = [[memory_of(process) for process in found] for found in each]
        of_server = memory_of(server)["Pss"] if server else 0
        cpu = [sum(map(cpu_of, found)) for found in each]
        received = [terminal.received for terminal in sessions]
        sessions[0].watch(SECONDS)
        shares = [
            100 * (sum(map(cpu_of, found)) - before) / SECONDS
            for found, before in zip(each, cpu, strict=True)
        ]
        for terminal in sessions:
            terminal.watch(0.0)
        sent = sum(terminal.received for terminal in sessions) - sum(received)
    shared = [(sum(one["Pss"] for one in found) + of_server / SESSIONS) / 1e6 for found in memory]
    what = f"{SESSIONS} sessions {how}"
    budget = MEMORY if server else None
    anonymous = median(sum(one["Anonymous"] for one in found) / 1e6 for found in memory)
    note = f"{anonymous:.0f} MB of no file"
    if server:
        note += f"; client {median(found[0]['Pss'] / 1e6 for found in memory):.1f} MB"
        note += f", server {of_server / 1e6:.0f} MB, a share of which is in each"
    return [
        Row(f"{what}: PSS each, median", median(shared), "MB", budget, note),
        Row(f"{what}: PSS, the largest", max(shared), "MB", budget),
        Row(f"{what}: PSS of all", sum(shared), "MB"),
        Row(f"{what}: from the command to the title, median", 1e3 * median(titles), "ms"),
        Row(f"{what}: idle CPU each, median", median(shares), "%", CPU, f"over {SECONDS:.0f} s"),
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
