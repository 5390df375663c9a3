from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.numerics.frechet import Moments, blended, distance, moments
from engine.numerics.randomness import FloatArray, normals, stream


def drawn(seed: int, rows: int = 40, width: int = 6) -> FloatArray:
    rng = stream(seed, "frechet", "test")
    spread = normals(rng, (width, width))
    return normals(rng, (rows, width)) @ spread + normals(rng, width)


def test_the_distance_of_anything_to_itself_is_nothing() -> None:
    for rows in (40, 3):  # three rows: a covariance of rank two
        own = moments(drawn(1, rows))
        assert distance(own, own) == pytest.approx(0.0, abs=1e-6)


def test_means_that_are_d_apart_are_d_squared_apart() -> None:
    rows = drawn(2)
    step = np.array([3.0, 0.0, -4.0, 0.0, 0.0, 0.0])
    assert distance(moments(rows), moments(rows + step)) == pytest.approx(25.0, abs=1e-9)


def test_twice_the_spread_in_64_dimensions_is_64() -> None:
    one, two = (Moments(np.zeros(64), scale**2 * np.eye(64)) for scale in (1.0, 2.0))
    assert distance(one, two) == pytest.approx(64.0, rel=1e-12)


def test_covariances_with_the_same_axes_are_as_far_as_their_spreads() -> None:
    axes = np.linalg.qr(drawn(3, 6))[0]
    a, b = np.array([1.0, 4, 9, 0, 2, 5]), np.array([2.0, 1, 0, 3, 2, 7])
    first, second = (Moments(np.zeros(6), (axes * s) @ axes.T) for s in (a, b))
    wanted = ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    assert distance(first, second) == pytest.approx(wanted, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0.1, 10.0))
def test_the_distance_is_symmetric_never_negative_and_goes_with_the_unit(
    one: int, other: int, scale: float
) -> None:
    a, b = drawn(one), drawn(other)
    there = distance(moments(a), moments(b))
    assert there >= 0.0
    assert distance(moments(b), moments(a)) == pytest.approx(there, rel=1e-6, abs=1e-6)
    scaled = distance(moments(scale * a), moments(scale * b))
    assert scaled == pytest.approx(scale**2 * there, rel=1e-6, abs=1e-5)


def test_a_blend_has_the_moments_of_the_rows_together() -> None:
    a, b = drawn(4, 30), drawn(5, 10)
    both = moments(np.concatenate([a, b]))
    blend = blended(moments(a), moments(b), 0.25)
    np.testing.assert_allclose(blend.mean, both.mean, atol=1e-12)
    np.testing.assert_allclose(blend.covariance, both.covariance, atol=1e-12)


@pytest.mark.parametrize("share", [-0.01, 1.01, float("nan")])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    own = moments(drawn(1))
    with pytest.raises(ValueError, match="share"):
        blended(own, own, share)


def test_no_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="rows"):
        moments(np.zeros((0, 3)))
