from __future__ import annotations

import math
from typing import Any

import pytest

from engine import registry
from engine.contract import Control, Model, Outcome, SettingError, Terms, complete

WHOLE = Control("n", "samples", "integer", "", 4, 1, 64)
REAL = Control("r", "", "number", "", 0.5, 0.0, 1.0)
PICK = Control("p", "", "choice", "", "a", choices=("a", "b"))
FLAG = Control("f", "", "switch", "", False)


@pytest.mark.parametrize(
    ("control", "value", "checked"),
    [
        (WHOLE, 8.0, 8),
        (WHOLE, 64, 64),
        (REAL, 1, 1.0),
        (REAL, 0.25, 0.25),
        (PICK, "b", "b"),
        (FLAG, True, True),
    ],
)
def test_a_value_comes_back_as_the_controls_type(
    control: Control, value: Any, checked: Any
) -> None:
    assert control.checked(value) == checked
    assert type(control.checked(value)) is type(checked)


@pytest.mark.parametrize("control", [WHOLE, REAL, PICK, FLAG])
@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, None, "c", [], {}, -1, 65, 1.5, b"a"]
)
def test_a_value_out_of_place_names_the_control_the_value_and_what_is_allowed(
    control: Control, value: Any
) -> None:
    with pytest.raises(SettingError) as refused:
        control.checked(value)
    assert refused.value.control == control.name
    assert refused.value.allowed in str(refused.value)
    assert repr(value) in str(refused.value)


@pytest.mark.parametrize("control", [WHOLE, REAL])
def test_true_is_no_number_and_one_is_no_switch(control: Control) -> None:
    with pytest.raises(SettingError):
        control.checked(True)
    with pytest.raises(SettingError):
        FLAG.checked(1)


def test_a_setting_is_filled_in_and_an_unknown_name_refused() -> None:
    assert complete((WHOLE, REAL), {"r": 1}) == {"n": 4, "r": 1.0}
    with pytest.raises(SettingError, match="known controls: n, r"):
        complete((WHOLE, REAL), {"speed": 1})


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nothing_infinite_leaves_the_engine(bad: float) -> None:
    with pytest.raises(ArithmeticError, match="metric m"):
        Outcome({"m": bad})
    with pytest.raises(ArithmeticError, match="series s"):
        Outcome({}, {"s": (1.0, bad)})


def test_an_outcome_cant_be_changed() -> None:
    source = {"m": 1}
    outcome = Outcome(source)
    source["m"] = 2
    assert outcome.metrics["m"] == 1.0
    with pytest.raises(TypeError):
        outcome.metrics["m"] = 3.0  # type: ignore[index]


@pytest.mark.parametrize(
    ("after", "terms", "largest"),
    [
        (2.0, {"a": 1.0, "b": 4.0, "c": -3.0}, "b"),
        (-2.0, {"a": 1.0, "b": 4.0, "c": -7.0}, "c"),
        (-2.0, {"a": 9.0, "b": -11.0, "c": 0.0}, "b"),
        (4.0, {"a": 2.0, "b": 2.0}, "a"),
        (0.0, {"a": 1.0, "b": -1.0}, "a"),
        (0.0, {"a": 1.0, "b": -3.0, "c": 2.0}, "b"),
    ],
)
def test_the_largest_term_pulls_the_way_of_the_change(
    after: float, terms: dict[str, float], largest: str
) -> None:
    assert Terms("m", 0.0, after, terms).largest == largest


@pytest.mark.parametrize("name", registry.names())
def test_every_model_keeps_the_contract(name: str) -> None:
    model = registry.model(name)
    assert isinstance(model, Model)
    assert model.name == name
    assert model.version >= 1
    assert model.sources
    mechanisms = {mechanism.id for mechanism in model.mechanisms}
    assert all(set(metric.terms) <= mechanisms for metric in model.metrics)
    for names in (model.controls, model.metrics, model.series):
        assert len({each.name for each in names}) == len(names)
    assert complete(model.controls, {}) == {c.name: c.default for c in model.controls}


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(registry.UnknownModelError, match="known: adaptation"):
        registry.model("magic")
