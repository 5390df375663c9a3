"""The design space of a part: what its sliders may be, and what that means to the engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import floor, log

from engine import registry
from engine.contract import Control, SettingError, Value
from mission_tui.content.schema import Part, Slider


def engine_control(part: Part, slider: str) -> Control | None:
    """The engine's control that a slider moves, or None for a bundle of several."""
    controls = {control.name: control for control in registry.model(part.model).controls}
    return controls.get(slider)


def values(part: Part, slider: str) -> tuple[Value, ...]:
    """Every value on a slider's grid, from its low end to its high end."""
    use = part.sliders[slider]
    if use.options:
        return tuple(use.options)
    control = engine_control(part, slider)
    if control is None:
        raise SettingError(slider, "", "a slider without options must be a control of the model")
    if control.kind == "choice":
        return control.choices
    if control.kind == "switch":
        return (False, True)
    return steps(control, use)


def nearest(part: Part, slider: str, value: Value) -> Value:
    """The value on the grid that is nearest to ``value`` (itself for a choice)."""
    grid = values(part, slider)
    if value in grid or isinstance(value, (str, bool)):
        return value
    return min(grid, key=lambda on_grid: abs(float(on_grid) - float(value)))


def engine_setting(part: Part, setting: Mapping[str, Value]) -> dict[str, Value]:
    """What the engine is asked: the scenario, then the default, then ``setting``.

    ``setting`` maps sliders, or engine controls by name, to values. A later value wins.
    Raises :class:`SettingError` for a slider's unknown option or an unknown name.
    """
    asked: dict[str, Value] = {name: number.value for name, number in part.fixed.items()}
    for name, value in (part.default | dict(setting)).items():
        asked |= _meaning(part, name, value)
    return asked


def check_on_grid(part: Part, slider: str, value: object) -> Value:
    """Return ``value`` if the slider can stand there, else raise :class:`SettingError`."""
    if slider not in part.sliders:
        raise SettingError(slider, value, "known sliders: " + ", ".join(part.sliders))
    grid = values(part, slider)
    for on_grid in grid:
        if on_grid == value and isinstance(on_grid, bool) == isinstance(value, bool):
            return on_grid
    if isinstance(grid[0], str):
        raise SettingError(slider, value, "choose one of " + ", ".join(map(str, grid)))
    raise SettingError(slider, value, f"give a step from {grid[0]} to {grid[-1]}")


def grid(part: Part, over: tuple[str, ...]) -> Iterator[dict[str, Value]]:
    """Every combination of the values of the sliders named."""
    for combination in product(*(values(part, slider) for slider in over)):
        yield dict(zip(over, combination, strict=True))


def distance(part: Part, one: Mapping[str, Value], other: Mapping[str, Value]) -> float:
    """How far apart two settings are, summed over the sliders: each is 1 from end to end.

    Options and switches have no order: another one is 1 away.
    """
    along = ordered(part)
    return sum(
        _way(values(part, name), one[name], other[name])
        if name in along
        else float(one[name] != other[name])
        for name in part.sliders
    )


def ordered(part: Part) -> tuple[str, ...]:
    """The sliders that move along numbers."""
    return tuple(
        name for name in part.sliders if not isinstance(values(part, name)[0], (str, bool))
    )


def unlike(part: Part, seen: Sequence[Mapping[str, Value]]) -> dict[str, Value] | None:
    """A setting of the ends and middles of the sliders that is apart from all seen, if any is."""
    coarse = {name: values(part, name) for name in part.sliders}
    for name in ordered(part):
        grid = coarse[name]
        coarse[name] = (grid[0], grid[-1], grid[len(grid) // 2])
    for combination in product(*coarse.values()):
        setting = dict(zip(part.sliders, combination, strict=True))
        if all(counts(part, setting, other) for other in seen):
            return setting
    return None


def counts(part: Part, setting: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    """Whether a run at a setting is a different one beside a run at another."""
    far = distance(part, setting, other)
    return far > 0 if part.apart is None else far >= part.apart - 1e-9


def _way(grid: Sequence[Value], one: Value, other: Value) -> float:
    return abs(grid.index(one) - grid.index(other)) / max(1, len(grid) - 1)


def _meaning(part: Part, name: str, value: Value) -> dict[str, Value]:
    use = part.sliders.get(name)
    if use is None or not use.options:
        return {name: value}
    option = use.options.get(str(value))
    if option is None:
        raise SettingError(name, value, "choose one of " + ", ".join(use.options))
    return dict(option.sets) or {name: value}


def steps(control: Control, use: Slider) -> tuple[float | int, ...]:
    """Where a slider over numbers may stand, from its low end to its high end."""
    low = control.low if use.low is None else use.low
    high = control.high if use.high is None else use.high
    step = control.step if use.step is None else use.step
    whole = control.kind == "integer"
    if control.scale == "log":
        count = floor(log(high / low) / log(step) + 1e-9)
        points = [low * step**n for n in range(count + 1)]
    else:
        count = floor((high - low) / step + 1e-9)
        points = [low + step * n for n in range(count + 1)]
    rounded = (round(point) if whole else float(f"{point:.12g}") for point in points)
    return tuple(dict.fromkeys(rounded))  # small whole numbers stand nearer than a fine step
