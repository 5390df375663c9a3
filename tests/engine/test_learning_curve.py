from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.numerics import learning_curve, softmax
from engine.numerics.digits import load
from engine.numerics.learning_curve import SIZES, PowerLaw, curve, fitted, measured
from engine.numerics.randomness import permutation, stream

FRESH = (88301, 88302, 88303)
N = np.array(SIZES, dtype=np.float64)


@pytest.fixture(scope="module")
def fresh() -> list[np.ndarray]:
    return [measured(seed) for seed in FRESH]


# --- the fit -------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    floor=st.floats(0, 0.1),
    scale=st.floats(0.1, 5),
    hundredths=st.integers(20, 150),
    rise=st.floats(-0.5, 0.5),
)
def test_the_fit_finds_the_law_that_a_curve_was_made_by(
    floor: float, scale: float, hundredths: int, rise: float
) -> None:
    law = PowerLaw(floor, scale, hundredths / 100)
    found = fitted(N, np.array([law.error(n) for n in SIZES]), 0.01 * N**rise)
    assert found.exponent == law.exponent
    assert found.floor == pytest.approx(floor, abs=1e-9)
    assert found.scale == pytest.approx(scale, rel=1e-7)


def test_a_floor_is_never_below_nothing() -> None:
    below = fitted(N, N**-0.5 - 0.02, np.full(len(N), 0.01))
    assert below.floor == 0.0
    assert below.exponent > 0.5  # what the floor may not explain, the slope does


def test_the_fit_is_the_least_of_the_weighted_squares() -> None:
    rng = np.random.default_rng(3)
    errors = np.array([PowerLaw(0.03, 3.0, 0.8).error(n) for n in SIZES])
    errors += 0.01 * rng.standard_normal(len(N))
    spread = 0.002 + 0.01 * rng.random(len(N))

    def left(law: PowerLaw) -> float:
        at = np.array([law.error(n) for n in SIZES])
        return float(np.square((errors - at) / spread).sum())

    best = fitted(N, errors, spread)
    for nudged in (0.999, 1.001):
        assert left(best) < left(PowerLaw(best.floor * nudged, best.scale, best.exponent))
        assert left(best) < left(PowerLaw(best.floor, best.scale * nudged, best.exponent))
    for exponent in (best.exponent - 0.01, best.exponent + 0.01):
        others = [
            left(PowerLaw(floor, scale, exponent))
            for floor in best.floor * np.linspace(0.5, 1.5, 41)
            for scale in best.scale * np.linspace(0.8, 1.2, 81)
        ]
        assert left(best) < min(others)


def test_the_jackknife_says_how_far_the_exponent_strays() -> None:
    rng = np.random.default_rng(4)
    mean = np.array([PowerLaw(0.03, 3.0, 0.8).error(n) for n in SIZES])
    spread = 0.1 * mean
    found = [curve(mean + spread * rng.standard_normal((16, len(N)))) for _ in range(60)]
    strayed = np.std([each.law.exponent for each in found])
    said = np.median([each.uncertainty for each in found])
    assert 0.6 < said / strayed < 1.7
    assert np.mean([each.law.exponent for each in found]) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(
    ("sizes", "spread"), [([1.0, 2.0], [0.1, 0.1]), ([1.0, 2.0, 4.0], [0.1, 0.0, 0.1])]
)
def test_what_cant_be_fitted_is_refused(sizes: list[float], spread: list[float]) -> None:
    with pytest.raises(ValueError, match="three sizes"):
        fitted(np.array(sizes), np.array(sizes), np.array(spread))


# --- the digits ----------------------------------------------------------------------------------


def test_one_draw_and_size_is_an_ordinary_softmax_regression() -> None:
    digits, size = load(), 160
    order = permutation(stream(7, "learning curve", 0), len(digits))
    test, pool = order[:360], order[360 : 360 + size]
    rng = stream(7, "learning curve", 0, size)
    batches = rng.integers(size, size=(learning_curve.STEPS, learning_curve.BATCH))
    model = np.zeros((1, 65, 10))
    images = softmax.with_ones(digits.images)
    for step, batch in enumerate(batches):
        rate = learning_curve.RATE * (1 - step / learning_curve.STEPS)
        softmax.step(model, images[pool[batch]], digits.labels[pool[batch]], rate)
    right = softmax.correct(model, images[test], digits.labels[test])[0]
    assert measured(7, draws=1)[0, SIZES.index(size)] == pytest.approx(1 - right / 360, abs=1e-12)


def test_error_falls_with_every_doubling(fresh: list[np.ndarray]) -> None:
    mean = np.mean([errors.mean(axis=0) for errors in fresh], axis=0)
    assert (np.diff(mean) < 0).all()
    assert mean[0] > 0.25
    assert mean[-1] < 0.06


def test_the_law_describes_the_digits_within_what_the_draws_say(fresh: list[np.ndarray]) -> None:
    for errors in fresh:
        found = curve(errors)
        at = np.array([found.law.error(n) for n in SIZES])
        strayed = np.abs(at - np.array(found.errors)) / np.array(found.spread)
        assert strayed.max() < 3


def test_the_exponent_is_nine_tenths_give_or_take_two(fresh: list[np.ndarray]) -> None:
    for errors in fresh:
        found = curve(errors)
        assert 0.7 < found.law.exponent < 1.15
        assert 0.02 < found.law.floor < 0.05
        assert 0.02 < found.uncertainty < 0.12
    pooled = curve(np.concatenate(fresh))
    assert pooled.law.exponent == pytest.approx(0.93, abs=0.12)
    assert pooled.law.exponent == pytest.approx(learning_curve.exponent(), abs=0.15)


def test_so_few_examples_that_they_say_hardly_anything_are_off_the_law(
    fresh: list[np.ndarray],
) -> None:
    # From 20 on it describes the digits; ten do better than it says.
    law = curve(np.concatenate(fresh)).law
    assert law.error(10.0) > 0.6  # 53 % is measured


def test_a_misread_digit_moves_the_exponent_by_less_than_what_is_rounded_away() -> None:
    errors = measured(learning_curve._SEED)
    for size in range(len(SIZES)):
        other = errors.copy()
        other[0, size] += 1 / learning_curve.TEST
        assert round(curve(other).law.exponent, 1) == learning_curve.exponent()


def test_the_curve_is_measured_once() -> None:
    assert learning_curve.digits_curve() is learning_curve.digits_curve()
