"""Settings to try: all of a grid or a stratified draw of it, and the neighbours of one."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import TypeVar

from engine.contract import Value
from mission_tui.content import space
from mission_tui.content.schema import Part

Thing = TypeVar("Thing")


def size(part: Part) -> int:
    """How many settings a part's grid has."""
    return prod(len(space.values(part, slider)) for slider in part.sliders)


def stratified(part: Part, count: int, seed: int) -> Iterator[dict[str, Value]]:
    """One setting from each of ``count`` equal stretches of the grid; all of a smaller grid.

    The grid is walked with its last slider quickest, so the strata part the first sliders.
    """
    grid = {slider: space.values(part, slider) for slider in part.sliders}
    total = size(part)
    if count >= total:
        yield from space.grid(part, tuple(part.sliders))
        return
    dice = random.Random(seed)
    for n in range(count):
        place = dice.randrange(n * total // count, (n + 1) * total // count)
        setting: dict[str, Value] = {}
        for slider in reversed(grid):
            place, at = divmod(place, len(grid[slider]))
            setting[slider] = grid[slider][at]
        yield {slider: setting[slider] for slider in grid}


def thinned(things: Sequence[Thing], count: int) -> tuple[Thing, ...]:
    """At most ``count`` of them, evenly spread, with the first and the last."""
    if len(things) <= count:
        return tuple(things)
    return tuple(things[round(n * (len(things) - 1) / (count - 1))] for n in range(count))


def along(
    part: Part, setting: Mapping[str, Value], slider: str, count: int
) -> Iterator[dict[str, Value]]:
    """``setting`` with one slider elsewhere: at every option, or at ``count`` steps at most."""
    grid = space.values(part, slider)
    shown = thinned(grid, count) if slider in space.ordered(part) else grid
    yield from ({**setting, slider: value} for value in shown if value != setting[slider])


def moved(
    part: Part, setting: Mapping[str, Value], slider: str, steps: int
) -> dict[str, Value] | None:
    """``setting`` with an ordered slider so many steps on; at the end of its grid at most.

    None where it stands at that end already.
    """
    grid = space.values(part, slider)
    here = grid.index(setting[slider])
    there = min(max(here + steps, 0), len(grid) - 1)
    return None if there == here else {**setting, slider: grid[there]}
