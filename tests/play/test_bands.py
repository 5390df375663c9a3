"""The steps of a band: by factors, or of percentages and signed numbers by distance."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_tui.content.schema import Lock, Mission
from mission_tui.play import bands
from mission_tui.play.actions import Seal
from mission_tui.play.locks import value_refusal


@pytest.fixture(scope="module")
def quantity(edge: Mission) -> Lock:
    return edge.parts["memory"].locks["least"]


@pytest.fixture(scope="module")
def signed(quantity: Lock) -> Lock:
    return quantity.model_copy(update={"within": 0.15})


def test_a_share_ends_at_nothing_and_at_all(signed: Lock) -> None:
    assert bands.around(signed, "%", 97.1, 1.0) == (96.1, 98.1)
    assert bands.around(signed, "%", 97.1, 5.0) == (92.1, 100.0)
    assert bands.around(signed, "%", 0.4, 1.0) == (0.0, 1.4)
    assert bands.around(signed, "%", 100.0, 0.5) == (99.5, 100.0)
    assert bands.around(signed, "%", 130.0, 5.0) == (125.0, 135.0)  # what can be over 100 is


def test_a_share_with_a_factor_ends_at_all_too(quantity: Lock) -> None:
    assert bands.around(quantity, "%", 80.0, 1.5)[1] == 100.0
    assert bands.around(quantity, "B", 80.0, 1.25) == (64.0, 100.0)


def test_a_difference_may_span_zero(signed: Lock) -> None:
    low, high = bands.around(signed, "points", 0.3, 1.0)
    assert low < 0 < high
    assert bands.around(signed, "points", 0.0, 0.2) == (-0.2, 0.2)
    assert bands.words(signed, "points", 0.2) == "±0.2 points"
    assert bands.words(signed, "%", 1.0) == "±1 point"


def test_money_with_a_sign_goes_by_steps_of_its_own_size(signed: Lock) -> None:
    money = signed.model_copy(update={"within": 12_000.0})
    widths = bands.steps(money, "$")
    assert widths[:4] == (0.0, 1_000.0, 2_000.0, 5_000.0)
    assert bands.words(money, "$", 5_000.0) == "±$5,000"
    assert bands.reach(money, "$") == 50_000.0


@given(st.floats(-1e3, 1e3), st.sampled_from(["%", "points", "$", "weeks"]))
def test_every_step_is_wider_and_holds_the_value(signed: Lock, value: float, unit: str) -> None:
    found = [bands.around(signed, unit, value, width) for width in bands.steps(signed, unit)]
    for (low, high), (lower, higher) in pairwise(found):
        assert lower <= low <= high <= higher
    for low, high in found[1:]:
        sealed = Seal("l", value, low, high, None, "a", 0, 0)
        assert value_refusal(signed, sealed) is None


@given(st.floats(1e-3, 1e12))
def test_every_step_of_a_factor_can_be_sealed(quantity: Lock, value: float) -> None:
    for width in bands.steps(quantity, "B")[1:]:
        low, high = bands.around(quantity, "B", value, width)
        assert value_refusal(quantity, Seal("l", value, low, high, None, "a", 0, 0)) is None
        assert bands.telling(quantity, "B", low, high) == (width <= 2.0)


def test_a_band_tells_something_within_five_points(signed: Lock) -> None:
    assert bands.telling(signed, "points", -4.0, 6.0)
    assert not bands.telling(signed, "points", -4.1, 6.0)
    assert bands.telling_words(signed, "points") == "±5 points"
