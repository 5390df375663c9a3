"""Labels while a fleet runs: a run streams in, and sliders are moved all the while."""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import game
from benchmarks.result import Row, percentile
from benchmarks.slider_steps import ECHO, Sliders, Step
from benchmarks.terminal import ROOT, Terminal
from mission_tui.content.load import load
from mission_tui.content.schema import Part
from mission_tui.play import wording

MISSIONS: Final = ROOT / "tests" / "missions"
MISSION: Final = "small-fleet"
RUNS: Final = 6
PAUSE: Final = 0.08
"""Seconds between two keys: about as quick as a person taps."""


def measure() -> list[Row]:
    """Run after run, with a key whenever the one before has shown."""
    part = load(MISSIONS / f"{MISSION}.toml").tracks["edge"].parts["converge"]
    command = ["mission_tui", "play", MISSION, "--track", "edge", "--student", game.STUDENT]
    with (
        tempfile.TemporaryDirectory() as home,
        Terminal(command, Path(home), extra={"MISSION_TUI_MISSIONS": str(MISSIONS)}) as terminal,
    ):
        game.to_lock(terminal)
        terminal.press(*"30")
        terminal.settle(0.1)
        terminal.press("up", "up")
        terminal.settle(0.1)
        terminal.press("enter")
        terminal.wait_for("number of a reason")
        terminal.press("1")
        terminal.settle(0.1)
        game.advance(terminal, "enter", "for good")
        game.advance(terminal, "enter", "SEALED")
        terminal.settle(0.1)
        game.advance(terminal, "enter", "Enter commits a run")
        terminal.settle(1.0)
        return _echoes(terminal, part)


def _echoes(terminal: Terminal, part: Part) -> list[Row]:
    sliders = Sliders(terminal, part)
    echoes: list[float] = []
    at, by = 20, -1
    for number in range(1, RUNS + 1):
        terminal.press("enter")
        terminal.wait_for(f"RUN #{number}  round")
        while terminal.has(f"#{number} in flight"):
            by = 1 if at == 1 else -1 if at == 20 else by
            at += by
            label = part.sliders["local_epochs"].label
            shown = wording.slider_value(part, "local_epochs", at)
            step = Step(0, "right" if by > 0 else "left", label, shown)
            begun = time.perf_counter()
            sliders.turn(step)
            seen = terminal.wait_until(partial(sliders.shows, step), shown)
            echoes.append(1e3 * (seen - begun))
            rest = begun + PAUSE
            while (left := rest - time.perf_counter()) > 0:
                terminal.read(left)
    return [
        Row(
            "slider step while a fleet runs 80×24: label, p95",
            percentile(echoes, 0.95),
            "ms",
            ECHO,
            f"p50 {percentile(echoes, 0.5):.0f} ms, {len(echoes)} steps in {RUNS} runs",
        )
    ]
