"""What no model lets in: every control of every registered model, at every door."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest

from engine import registry
from engine.contract import Control, Model, SettingError

DOORS = ("evaluate", "stream", "explain before", "explain after")
WRONG: tuple[Any, ...] = (math.nan, math.inf, -math.inf, None, [], (), {}, b"1", 1j, "nonsense")


def knock(model: Model, door: str, setting: Any) -> None:
    """Hand ``setting`` in at one door; a stream is asked for its first frame."""
    if door == "evaluate":
        model.evaluate(setting, seed=1)
    elif door == "stream":
        next(model.stream(setting, seed=1))
    else:
        metric = next(metric.name for metric in model.metrics if metric.terms)
        sides = (setting, {}) if door == "explain before" else ({}, setting)
        model.explain(metric, *sides, seed=1)


def refused(control: Control) -> Iterator[Any]:
    """Values that ``control`` must refuse: of no type, of the wrong one, and out of its range."""
    yield from WRONG
    if control.kind == "choice":
        yield from (0, True, "", control.choices[0].upper() + " ", ",".join(control.choices))
    elif control.kind == "switch":
        yield from (0, 1, "true", 0.0)
    else:
        yield from (True, str(control.low), -(10**400), 10**400)
        yield from (math.nextafter(control.low, -math.inf), math.nextafter(control.high, math.inf))
        if control.kind == "integer":
            yield control.low + 0.5


CONTROLS = [
    pytest.param(registry.model(name), control, id=f"{name}-{control.name}")
    for name in registry.names()
    for control in registry.model(name).controls
]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("model", "control"), CONTROLS)
def test_a_wrong_value_is_refused_in_one_clear_sentence(
    model: Model, control: Control, door: str
) -> None:
    for value in refused(control):
        with pytest.raises(SettingError) as found:
            knock(model, door, {control.name: value})
        error = found.value
        assert error.control == control.name
        assert error.value is value or error.value == value
        said = str(error)
        assert said.startswith(f"{control.name}: ")
        assert "is not allowed; " in said
        assert "\n" not in said
        # It says what would be right: the choices, or the range.
        if control.kind == "choice":
            assert all(choice in said for choice in control.choices)
        elif control.kind == "switch":
            assert "true or false" in said
        else:
            assert f"{control.low:g} to {control.high:g}" in said


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", registry.names())
def test_an_unknown_control_is_refused_with_those_that_are_known(name: str, door: str) -> None:
    model = registry.model(name)
    for unknown in ("speed", "", model.controls[0].name.upper(), f"{model.controls[0].name} "):
        with pytest.raises(SettingError) as found:
            knock(model, door, {unknown: 1})
        assert found.value.control == unknown
        assert all(control.name in str(found.value) for control in model.controls)


ZEROES = [
    ("fleet", "clients"),
    ("fleet", "rounds"),
    ("fleet", "participation"),
    ("fleet", "batch"),
    ("fleet", "alpha"),
    ("privacy", "clients"),
    ("privacy", "epsilon"),
    ("privacy", "alpha"),
    ("privacy", "sampling"),
    ("privacy", "rounds"),
    ("gossip", "nodes"),
    ("gossip", "rounds"),
    ("adapters", "adapters"),
    ("adapters", "rank"),
    ("adaptation", "batch"),
    ("adaptation", "examples"),
    ("energy", "battery"),
    ("energy", "mac_rate"),
]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("name", "control"), ZEROES)
def test_no_clients_no_budget_and_no_battery_are_refused(
    name: str, control: str, door: str
) -> None:
    model = registry.model(name)
    if control not in {each.name for each in model.controls}:
        pytest.fail(f"{name} has no control {control}: name what may not be zero in it")
    with pytest.raises(SettingError) as found:
        knock(model, door, {control: 0})
    assert found.value.control == control


@pytest.mark.parametrize("name", registry.names())
def test_an_unknown_metric_is_no_setting_error_but_says_so(name: str) -> None:
    with pytest.raises(ValueError) as found:
        registry.explain(name, "beauty", {}, {}, seed=1)
    assert not isinstance(found.value, SettingError)
    assert "beauty" in str(found.value)


def test_an_unknown_model_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(registry.UnknownModelError) as found:
        registry.evaluate("perpetuum", {}, seed=1)
    assert all(name in str(found.value) for name in registry.names())
