"""The way through the game with keys, as a player goes it: to the lock, the bench, the claim."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.terminal import PATIENCE, Terminal
from mission_tui.content.load import load
from mission_tui.content.schema import Mission
from mission_tui.paths import missions_dir

MISSION: Final = "vol2-11-edge-intelligence"
TRACK: Final = "edge"
STUDENT: Final = "bench"

TITLE: Final = "under pressure"
LOCK: Final = "YOUR NUMBER"
BENCH: Final = "Record"
REVEAL: Final = "THE ENGINE SAYS"
CLAIM: Final = "CLAIM"


def mission() -> Mission:
    """The mission and track that the sessions play."""
    return load(missions_dir() / f"{MISSION}.toml").tracks[TRACK]


def session(
    home: Path,
    columns: int = 80,
    rows: int = 24,
    extra: dict[str, str] | None = None,
    starter: Sequence[str] = ("-m", "mission_tui"),
) -> Terminal:
    """A session of the game that has just been started, straight into the mission."""
    command = ["play", MISSION, "--track", TRACK, "--student", STUDENT]
    return Terminal(command, home, columns, rows, extra, starter)


def advance(terminal: Terminal, key: str, text: str) -> None:
    """Press ``key`` until ``text`` shows; again after a while, since some screens take two."""
    for _ in range(int(PATIENCE / 2)):
        terminal.press(key)
        end = terminal.heard + 2.0
        while not terminal.has(text) and terminal.read(end - terminal.heard):
            continue
        if terminal.has(text):
            return
    terminal.wait_for(text, 0.0)


def to_lock(terminal: Terminal) -> None:
    """From the start to the first lock."""
    terminal.wait_for(TITLE)
    terminal.settle()
    advance(terminal, "enter", "INCOMING")
    advance(terminal, "enter", "Your machine")
    advance(terminal, "enter", LOCK)
    terminal.settle()


def to_bench(terminal: Terminal) -> None:
    """From a lock to the workbench: a number, its band, a reason, the seal."""
    terminal.press(*"300")
    terminal.settle(0.1)
    terminal.press("up", "up", "up", "up")
    terminal.settle(0.1)
    terminal.press("enter")
    terminal.wait_for("number of a reason")
    terminal.press("1")
    terminal.settle(0.1)
    advance(terminal, "enter", "for good")
    advance(terminal, "enter", "SEALED")
    terminal.settle(0.1)
    advance(terminal, "enter", BENCH)
    terminal.settle()


def to_claim(terminal: Terminal) -> None:
    """From the workbench to the claim, over the runs that it wants and the reveal."""
    for number in range(1, mission().parts["memory"].distinct_runs + 1):
        terminal.press("right")
        terminal.settle(0.2)
        terminal.press("enter")
        terminal.wait_for(f"RUN #{number} RECORDED")
    terminal.settle(0.2)
    advance(terminal, "ctrl+g", "Before you leave")
    advance(terminal, "enter", REVEAL)
    terminal.settle(0.2)
    advance(terminal, "enter", CLAIM)
    terminal.settle()
