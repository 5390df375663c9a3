from __future__ import annotations

import math

import numpy as np
import pytest

from engine.numerics import simulator
from engine.numerics.digits import Digits, load
from engine.numerics.rain import CONTRAST_LOST, VEIL, Rain, rain, rained
from engine.numerics.randomness import FloatArray
from engine.numerics.simulator import displaced, fitted, parts, simulated


def test_pool_real_and_test_share_no_digit_and_leave_none_out() -> None:
    for seed in (1, 2):
        found = parts(seed)
        assert [len(part) for part in found] == [simulator.POOL, simulator.REAL, simulator.TEST]
        together = np.concatenate([part.images for part in found])
        assert sorted(map(bytes, together)) == sorted(map(bytes, load().images))
    assert not np.array_equal(parts(1)[0].images, parts(2)[0].images)


def test_the_simulator_learns_from_the_pool_alone() -> None:
    pool, real, _ = parts(3)
    other = fitted(real)
    again = fitted(Digits(pool.images.copy(), pool.labels.copy()))
    found = fitted(pool)
    np.testing.assert_array_equal(found.means, again.means)
    assert not np.allclose(found.centre, other.centre)


def test_class_means_and_the_spread_within_are_those_of_the_pool() -> None:
    pool, _, _ = parts(4)
    found = fitted(pool)
    scores = (pool.images - found.centre) @ found.components
    for each in range(10):
        np.testing.assert_allclose(
            found.means[each], scores[pool.labels == each].mean(axis=0), atol=1e-12
        )
    within = scores - found.means[pool.labels]
    np.testing.assert_allclose(found.root @ found.root.T, within.T @ within / 490, atol=1e-10)
    np.testing.assert_allclose(found.components.T @ found.components, np.eye(24), atol=1e-10)


def test_renders_look_like_their_class_and_fewer_are_the_first_of_more() -> None:
    found = fitted(parts(5)[0])
    images, labels = simulated(found, 3000, seed=5)
    few, their_labels = simulated(found, 37, seed=5)
    np.testing.assert_allclose(few, images[:37], atol=1e-12)
    np.testing.assert_array_equal(their_labels, labels[:37])
    assert np.bincount(labels).tolist() == [300] * 10
    assert images.min() >= 0.0
    assert images.max() <= 1.0
    scores = (images - found.centre) @ found.components
    for each in range(10):  # clipping to paper and ink moves a mean, but not as far as another
        away = np.linalg.norm(scores[labels == each].mean(axis=0) - found.means, axis=1)
        assert away.argmin() == each


def test_a_class_too_few_is_refused() -> None:
    pool, _, _ = parts(1)
    with pytest.raises(ValueError, match="every class"):
        fitted(pool.take(np.flatnonzero(pool.labels != 3)))


def test_a_displacement_moves_whole_pixels_and_mixes_half_ones() -> None:
    images = parts(1)[0].images[:5]
    square = images.reshape(5, 8, 8)
    one = np.zeros_like(square)
    one[:, :, 1:] = square[:, :, :-1]
    two = np.zeros_like(square)
    two[:, :, 2:] = square[:, :, :-2]
    np.testing.assert_array_equal(displaced(images, 0.0), images)
    np.testing.assert_array_equal(displaced(images, 1.0), one.reshape(5, 64))
    np.testing.assert_array_equal(displaced(images, 2.0), two.reshape(5, 64))
    half = 0.5 * (square + one)
    np.testing.assert_allclose(displaced(images, 0.5), half.reshape(5, 64), atol=1e-15)


@pytest.mark.parametrize("pixels", [-0.1, 2.1, math.nan])
def test_a_displacement_out_of_range_is_refused(pixels: float) -> None:
    with pytest.raises(ValueError, match="displacement"):
        displaced(np.zeros((1, 64)), pixels)


def still(force: list[float]) -> Rain:
    """Rain without streaks or grain."""
    nothing: FloatArray = np.zeros((len(force), 64))
    return Rain(np.array(force), nothing, nothing)


def test_no_rain_changes_nothing() -> None:
    images = parts(1)[0].images[:4]
    np.testing.assert_array_equal(rained(images, rain(4, seed=1, part="x"), 0.0), images)
    np.testing.assert_array_equal(rained(images, still([0.0] * 4), 1.0), images)


def test_contrast_goes_and_the_veil_is_thickest_below() -> None:
    ink, paper = np.full((1, 64), 0.5), np.zeros((1, 64))  # black ink would be clipped
    for strength in (0.3, 0.6):
        dark, light = (rained(each, still([0.5]), strength)[0] for each in (ink, paper))
        np.testing.assert_allclose(dark - light, 0.5 * (1.0 - CONTRAST_LOST * 0.5 * strength))
        assert light.mean() == pytest.approx(VEIL * 0.5 * strength)
        assert (np.diff(light.reshape(8, 8)[:, 0]) > 0).all()


def test_fewer_drops_are_the_first_of_more_and_parts_get_their_own() -> None:
    few, many = rain(7, seed=3, part="a"), rain(500, seed=3, part="a")
    for name in ("force", "streaks", "grain"):
        np.testing.assert_array_equal(getattr(few, name), getattr(many, name)[:7])
        assert not np.array_equal(getattr(few, name), getattr(rain(7, seed=3, part="b"), name))
    assert many.force.mean() == pytest.approx(0.5, abs=0.05)
    assert many.grain.mean() == pytest.approx(0.0, abs=0.03)
    assert many.grain.std() == pytest.approx(1.0, abs=0.02)
    assert many.streaks.min() == 0.0
    assert 0.0 < many.streaks.max() <= 1.0
    wet = rained(np.zeros((500, 64)), many, 1.0)
    assert wet.min() >= 0.0
    assert wet.max() <= 1.0


@pytest.mark.parametrize("strength", [-0.1, 1.1, math.nan])
def test_rain_out_of_range_is_refused(strength: float) -> None:
    with pytest.raises(ValueError, match="rain"):
        rained(np.zeros((1, 64)), still([1.0]), strength)


def test_rain_for_other_images_is_refused() -> None:
    with pytest.raises(ValueError, match="images"):
        rained(np.zeros((2, 64)), still([1.0]), 0.5)
