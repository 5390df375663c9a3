from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.numerics.accountant import ORDERS, epsilon, epsilons, rdp, sigma_for

# dp-accounting (Google) with the integer orders 2…256.
PUBLISHED = [
    (0.01, 1.0, 1000, 1e-5, 2.107753),
    (0.01, 1.1, 10000, 1e-5, 5.654308),
    (0.01, 4.0, 10000, 1e-5, 1.035490),
    (256 / 60000, 1.1, 14062, 1e-5, 2.596981),
    (0.1, 1.0, 100, 1e-5, 7.972922),
    (0.1, 2.0, 100, 1e-5, 2.586652),
    (0.2, 1.0, 50, 1e-3, 8.845072),
    (1.0, 5.0, 20, 1e-5, 4.161912),
    (1e-4, 0.6, 2000, 1e-7, 2.684420),
]


@pytest.mark.parametrize(("q", "sigma", "steps", "delta", "published"), PUBLISHED)
def test_epsilon_is_the_published_one_to_six_digits(
    q: float, sigma: float, steps: int, delta: float, published: float
) -> None:
    assert epsilon(q, sigma, steps, delta) == pytest.approx(published, abs=5.1e-7)


@pytest.mark.parametrize(("q", "sigma", "steps", "delta", "_"), PUBLISHED)
def test_the_noise_for_an_epsilon_is_the_noise_that_gave_it(
    q: float, sigma: float, steps: int, delta: float, _: float
) -> None:
    spent = epsilon(q, sigma, steps, delta)
    assert sigma_for(spent, q, steps, delta) == pytest.approx(sigma, rel=1e-8)


def test_the_moments_are_those_of_the_sum_written_out() -> None:
    q, sigma, order = 0.05, 0.9, 7
    total = sum(
        math.comb(order, k) * (1 - q) ** (order - k) * q**k * math.exp((k * k - k) / (2 * sigma**2))
        for k in range(order + 1)
    )
    found = rdp(q, sigma, 3)[np.flatnonzero(order == ORDERS)]
    assert found == pytest.approx([3 * math.log(total) / (order - 1)], rel=1e-12)


def test_sampling_everybody_is_the_plain_gaussian() -> None:
    np.testing.assert_allclose(rdp(1.0, 2.0, 5), 5 * ORDERS / 8.0, rtol=1e-15)
    np.testing.assert_allclose(rdp(1 - 1e-12, 2.0, 5), 5 * ORDERS / 8.0, rtol=1e-9)


def test_a_tiny_sampling_rate_keeps_its_digits() -> None:
    # R(2) = log(1 + q²(e^(1/σ²) - 1)), which is q²(e - 1) to 1 part in 10^12 here.
    assert rdp(1e-7, 1.0, 1)[0] == pytest.approx(1e-14 * math.expm1(1.0), rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(
    q=st.floats(1e-4, 1.0),
    sigma=st.floats(0.3, 20.0),
    steps=st.integers(1, 5000),
    delta=st.floats(1e-9, 1e-2),
)
def test_privacy_is_lost_by_sampling_and_steps_and_won_by_noise_and_delta(
    q: float, sigma: float, steps: int, delta: float
) -> None:
    spent = epsilon(q, sigma, steps, delta)
    less, more = spent * (1 - 1e-12), spent * (1 + 1e-12)  # the last bits are rounding's
    assert epsilon(min(1.0, q * 1.3), sigma, steps, delta) >= less
    assert epsilon(q, sigma, steps + 7, delta) >= less
    assert epsilon(q, sigma * 1.1, steps, delta) <= more
    assert epsilon(q, sigma, steps, delta * 2) <= more


@settings(max_examples=20, deadline=None)
@given(
    target=st.floats(0.3, 30.0),
    q=st.floats(1e-4, 1.0),
    steps=st.integers(1, 5000),
    delta=st.floats(1e-9, 1e-2),
)
def test_the_noise_found_keeps_to_the_target_and_hardly_less_would_not(
    target: float, q: float, steps: int, delta: float
) -> None:
    sigma = sigma_for(target, q, steps, delta)
    assert epsilon(q, sigma, steps, delta) <= target
    assert epsilon(q, sigma * 0.999, steps, delta) > target or sigma < 0.011


def test_the_gauge_after_each_release_is_epsilon_there() -> None:
    gauge = epsilons(0.1, 1.5, 30, 1e-4)
    assert gauge == pytest.approx([epsilon(0.1, 1.5, t, 1e-4) for t in range(1, 31)], rel=1e-12)


def test_extreme_noise_neither_overflows_nor_goes_below_nothing() -> None:
    assert math.isfinite(epsilon(0.5, 1e-2, 1000, 1e-5))
    assert epsilon(0.5, 1e-2, 1000, 1e-5) > 1e6
    assert epsilon(0.01, 1e6, 1, 0.5) == 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 0.0, -1.0])
def test_what_is_no_probability_no_noise_and_no_target_is_refused(bad: float) -> None:
    calls: list[Any] = [
        lambda: epsilon(bad, 1.0, 10, 1e-5),
        lambda: epsilon(0.1, bad, 10, 1e-5),
        lambda: epsilon(0.1, 1.0, bad, 1e-5),  # type: ignore[arg-type]
        lambda: epsilon(0.1, 1.0, 10, bad),
        lambda: sigma_for(bad, 0.1, 10, 1e-5),
        lambda: sigma_for(1.0, bad, 10, 1e-5),
        lambda: sigma_for(1.0, 0.1, bad, 1e-5),  # type: ignore[arg-type]
        lambda: sigma_for(1.0, 0.1, 10, bad),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="not"):
            call()


def test_more_than_everybody_half_a_step_and_certain_failure_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 1"):
        epsilon(1.01, 1.0, 10, 1e-5)
    with pytest.raises(ValueError, match="whole number"):
        epsilon(0.1, 1.0, 1.5, 1e-5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="strictly between"):
        epsilon(0.1, 1.0, 10, 1.0)


def test_an_epsilon_that_no_order_can_show_is_refused() -> None:
    with pytest.raises(ValueError, match="below what orders"):
        sigma_for(1e-3, 0.1, 10, 1e-9)
