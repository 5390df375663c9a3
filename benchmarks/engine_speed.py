"""Milliseconds an evaluation of the engine, on every track, once its network is pretrained."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final

import mission_tui  # noqa: F401  (sets the thread counts before numpy loads)
from benchmarks import game
from benchmarks.result import Row, median, percentile
from engine import registry
from mission_tui.content import space
from mission_tui.content.load import load
from mission_tui.content.schema import Mission
from mission_tui.paths import missions_dir
from mission_tui.play.evaluate import Request

SAMPLE: Final = 40
"""Grid settings a track, drawn at random, the same ones every time."""
REPEATS: Final = 3
BUDGET: Final = 50.0  # ms
FIRST: Final = 100.0  # ms, the first streamed frame


def measure() -> list[Row]:
    """Every track's default, its reference, and a sample of its grid."""
    rows: list[Row] = []
    every: list[float] = []
    firsts: list[float] = []
    for name, track in load(missions_dir() / f"{game.MISSION}.toml").tracks.items():
        begun = time.perf_counter()
        requests = _requests(track)
        _evaluate(requests[0])
        cold = 1e3 * (time.perf_counter() - begun)
        times = [_timed(_evaluate, request) for request in requests]
        firsts += [_timed(_account, request) for request in requests]
        every += times
        note = (
            f"p95 {percentile(times, 0.95):.1f}, max {max(times):.1f} ms, {len(times)} settings; "
            f"pretraining and first evaluation {cold:.0f} ms"
        )
        rows.append(Row(f"engine {name}: evaluation, median", median(times), "ms", BUDGET, note))
    note = f"max {max(every):.1f} ms of {len(every)} settings"
    first = f"median {median(firsts):.2f}, max {max(firsts):.2f} ms"
    return [
        *rows,
        Row("engine, all tracks: evaluation, p95", percentile(every, 0.95), "ms", None, note),
        Row("engine: accounting (first frame), p95", percentile(firsts, 0.95), "ms", FIRST, first),
    ]


def _requests(track: Mission) -> list[Request]:
    part = track.parts["memory"]
    grid = list(space.grid(part, tuple(part.sliders)))
    sample = random.Random(0).sample(grid, min(SAMPLE, len(grid)))
    settings = [part.default, part.reference, *sample]
    return [Request.at(part, setting, part.seeds[0]) for setting in settings]


def _evaluate(request: Request) -> None:
    registry.evaluate(request.model, dict(request.setting), seed=request.seed)


def _account(request: Request) -> None:
    next(iter(registry.stream(request.model, dict(request.setting), seed=request.seed)))


def _timed(work: Callable[[Request], None], request: Request) -> float:
    """The median of a few, in milliseconds."""
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        work(request)
        times.append(1e3 * (time.perf_counter() - begun))
    return median(times)
