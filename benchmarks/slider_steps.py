"""What a slider step costs: bytes to the terminal, and how soon label and charts follow."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from benchmarks import game
from benchmarks.result import Row, percentile
from benchmarks.terminal import Terminal
from mission_tui.content import space
from mission_tui.content.schema import Part
from mission_tui.play import wording

BYTES: Final = {(80, 24): 1500.0, (120, 30): 2200.0}
ECHO: Final = 50.0  # ms
CHART: Final = 150.0  # ms
HOLD_SECONDS: Final = 3.0
HOLD_RATE: Final = 30.0  # keys a second
HOLD_CPU: Final = 35.0  # % of a core
BEHIND: Final = 3
"""Keys by which a label may lag before it counts as skipped."""


@dataclass(frozen=True, slots=True)
class Step:
    """One key on one slider: from the slider that has the focus, to the value that it shows."""

    focus: int
    key: str
    slider: str
    shown: str


class Walk:
    """Where the sliders stand, and the next steps; every setting is a new one to the engine."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._names = list(part.sliders)
        self._grids = [space.values(part, name) for name in self._names]
        self._at = [
            grid.index(part.default[name])
            for name, grid in zip(self._names, self._grids, strict=True)
        ]

    def sweeps(self) -> Iterator[Step]:
        """Every slider in turn to its farther end, then every slider to its other end."""
        for _ in range(2):
            for n, grid in enumerate(self._grids):
                last = len(grid) - 1
                yield from self._sweep(n, 1 if self._at[n] <= last / 2 else -1)

    def snake(self) -> Iterator[Step]:
        """Through the whole grid from a corner of it, one step at a time (a Gray code).

        The slider with the most stops moves most.
        """
        order = sorted(range(len(self._grids)), key=lambda n: len(self._grids[n]))
        return self._snake(order)

    def _snake(self, order: list[int]) -> Iterator[Step]:
        if not order:
            return
        n, *faster = order
        by = 1 if self._at[n] == 0 else -1
        yield from self._snake(faster)
        for _ in range(len(self._grids[n]) - 1):
            yield self._step(n, by)
            yield from self._snake(faster)

    def _sweep(self, n: int, by: int) -> Iterator[Step]:
        while 0 <= self._at[n] + by < len(self._grids[n]):
            yield self._step(n, by)

    def _step(self, n: int, by: int) -> Step:
        self._at[n] += by
        name, value = self._names[n], self._grids[n][self._at[n]]
        shown = wording.slider_value(self._part, name, value)
        return Step(n, "right" if by > 0 else "left", self._part.sliders[name].label, shown)


class Sliders:
    """The sliders on a terminal's screen: moves the focus, and reads labels."""

    def __init__(self, terminal: Terminal, part: Part) -> None:
        self._terminal = terminal
        self._focus = 0
        self._rows: dict[str, int] = {}
        for use in part.sliders.values():
            rows = [
                y for y, line in enumerate(terminal.lines) if use.label in line and "◂" in line[:40]
            ] or [y for y, line in enumerate(terminal.lines) if use.label in line]
            self._rows[use.label] = rows[0]

    def focus(self, step: Step) -> Iterator[int]:
        """Bring the focus to the step's slider; yields the bytes that each move of it cost."""
        by, self._focus = step.focus - self._focus, step.focus
        for _ in range(abs(by)):  # one at a time: a second key in a burst is lost
            before = self._terminal.received
            self._terminal.press("down" if by > 0 else "up")
            self._terminal.settle()
            yield self._terminal.received - before

    def turn(self, step: Step) -> None:
        """One step: with its key where the focus is, else with the wheel, which moves no focus."""
        if step.focus == self._focus:
            self._terminal.press(step.key)
        else:
            self._terminal.wheel(5, self._rows[step.slider], up=step.key == "right")

    def shows(self, step: Step) -> bool:
        """Whether the label of the step's slider shows the step's value."""
        line = self._terminal.line(self._rows[step.slider])
        after = line.partition(step.slider)[2].lstrip(" ◂")
        return after.startswith(f"{step.shown} ")


def measure() -> list[Row]:
    """Step through the workbench at both sizes; at the larger, hold a key as well."""
    rows: list[Row] = []
    part = game.mission().parts["memory"]
    for size, budget in BYTES.items():
        with tempfile.TemporaryDirectory() as home, game.session(Path(home), *size) as terminal:
            game.to_lock(terminal)
            game.to_bench(terminal)
            sliders, walk = Sliders(terminal, part), Walk(part)
            rows += _steps(terminal, sliders, walk, f"{size[0]}×{size[1]}", budget)
            rows += _hold(terminal, sliders, walk, f"{size[0]}×{size[1]}")
    return rows


def _steps(terminal: Terminal, sliders: Sliders, walk: Walk, size: str, budget: float) -> list[Row]:
    """One key at a time, each until the screen is quiet again."""
    sent: list[float] = []
    moves: list[int] = []
    echoes: list[float] = []
    lasts: list[float] = []
    by_slider: dict[str, list[float]] = {}
    for step in walk.sweeps():
        moves += sliders.focus(step)
        before, begun = terminal.received, time.perf_counter()
        sliders.turn(step)
        seen = terminal.wait_until(partial(sliders.shows, step), f"{step.slider} {step.shown}")
        terminal.settle()
        sent.append(terminal.received - before)
        by_slider.setdefault(step.slider, []).append(sent[-1])
        echoes.append(1e3 * (seen - begun))
        lasts.append(1e3 * (terminal.heard - begun))
    means = ", ".join(f"{name} {sum(b) / len(b):.0f}" for name, b in by_slider.items())
    return [
        Row(
            f"slider step {size}: bytes, mean",
            sum(sent) / len(sent),
            "B",
            budget,
            f"{means}; most {max(sent):.0f}; {len(sent)} steps",
        ),
        Row(
            f"slider step {size}: label, p95",
            percentile(echoes, 0.95),
            "ms",
            ECHO,
            f"p50 {percentile(echoes, 0.5):.0f} ms",
        ),
        Row(
            f"slider step {size}: charts and accuracy, p95",
            percentile(lasts, 0.95),
            "ms",
            CHART,
            f"p50 {percentile(lasts, 0.5):.0f} ms, to the last byte",
        ),
        Row(
            f"focus to another slider {size}: bytes, mean",
            sum(moves) / len(moves),
            "B",
            None,
            f"{len(moves)} moves",
        ),
    ]


def _hold(terminal: Terminal, sliders: Sliders, walk: Walk, size: str) -> list[Row]:
    """Keys at a steady rate over settings that the engine has mostly not seen."""
    steps = list(islice(walk.snake(), round(HOLD_SECONDS * HOLD_RATE)))
    list(sliders.focus(steps[0]))
    cpu, sent, begun = terminal.cpu(), terminal.received, time.perf_counter()
    late = skipped = 0
    waiting: list[Step] = []
    for made, step in enumerate(steps, start=1):
        sliders.turn(step)
        late += bool(waiting)
        waiting.append(step)
        skipped += len(waiting) > BEHIND
        waiting = waiting[-BEHIND:]
        end = begun + made / HOLD_RATE
        while (left := end - time.perf_counter()) > 0:
            terminal.read(left)
            waiting = [step for step in waiting if not sliders.shows(step)]
    share = 100 * (terminal.cpu() - cpu) / (time.perf_counter() - begun)
    rate = (terminal.received - sent) / (time.perf_counter() - begun)
    terminal.settle()
    skipped += sum(not sliders.shows(step) for step in waiting)
    return [
        Row(
            f"key held at {HOLD_RATE:.0f} Hz {size}: CPU",
            share,
            "%",
            HOLD_CPU,
            f"{rate / 1e3:.1f} kB/s; of a core, the engine's share in it",
        ),
        Row(
            f"key held at {HOLD_RATE:.0f} Hz {size}: labels skipped",
            float(skipped),
            "",
            0.0,
            f"of {len(steps)}; {late} came after the next key",
        ),
    ]
