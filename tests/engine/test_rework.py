from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.numerics import rework
from engine.numerics.randomness import FloatArray

# The drunkard's walk between home (0) and bar (4): Grinstead and Snell, example 11.2.1.
DRUNKARD = np.array([[0.0, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.0]])


@st.composite
def chains(draw: Any) -> FloatArray:
    """Chains of one to six states that each leave with a chance of a tenth or more."""
    states = draw(st.integers(1, 6))
    row = st.lists(st.integers(0, 10), min_size=states, max_size=states)
    weights = np.array([draw(row) for _ in range(states)], dtype=np.float64)
    leaves = np.array([draw(st.integers(1, 10)) for _ in range(states)]) / 10
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), 1.0) * (1.0 - leaves[:, None])


def test_one_stage_that_repeats_is_a_geometric_series() -> None:
    chain = np.array([[0.75]])
    assert rework.visits(chain) == pytest.approx([4.0])
    assert rework.times(chain, np.array([3.0])) == pytest.approx([12.0])


def test_two_stages_by_hand() -> None:
    # The second sends back to the first one time in five: 1/(1 - 0.2) visits to either.
    chain = np.array([[0.0, 1.0], [0.2, 0.0]])
    assert rework.visits(chain) == pytest.approx([1.25, 1.25])
    assert rework.visits(chain, start=1) == pytest.approx([0.25, 1.25])
    assert rework.times(chain, np.array([2.0, 1.0])) == pytest.approx([3.75, 1.75])


def test_the_drunkards_walk_is_the_published_one() -> None:
    # N = [[3/2, 1, 1/2], [1, 2, 1], [1/2, 1, 3/2]], so t = (3, 4, 3).
    assert rework.visits(DRUNKARD, 1) == pytest.approx([1.0, 2.0, 1.0])
    assert rework.times(DRUNKARD, np.ones(3)) == pytest.approx([3.0, 4.0, 3.0])


@pytest.mark.parametrize(
    ("chain", "why"),
    [
        ([[0.0, 1.0]], "square"),
        (np.zeros((0, 0)), "square"),
        ([[-0.1]], "chances"),
        ([[np.nan]], "chances"),
        ([[0.6, 0.6], [0.0, 0.0]], "chances"),
        ([[1.0]], "state 0 never"),
        ([[0.5, 0.0], [0.0, 1.0]], "state 1 never"),
        ([[0.5, 0.2, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]], "state 1 never"),
    ],
)
def test_what_is_no_absorbing_chain_is_refused(chain: Any, why: str) -> None:
    for ask in (rework.visits, lambda c: rework.walks(c, 1, 1, "walk")):
        with pytest.raises(ValueError, match=why):
            ask(np.array(chain))


@settings(max_examples=60, deadline=None)
@given(chains())
def test_visits_times_durations_is_the_time(chain: FloatArray) -> None:
    durations = 1.0 + np.arange(len(chain))
    for start, time in enumerate(rework.times(chain, durations)):
        assert rework.visits(chain, start) @ durations == pytest.approx(time, rel=1e-9)
    series = sum(np.linalg.matrix_power(chain, n)[0] for n in range(400))
    np.testing.assert_allclose(rework.visits(chain), series, rtol=1e-9, atol=1e-12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(chains(), st.integers(0, 10**6), st.floats(0.0, 1.0))
def test_simulated_walks_agree_with_the_oracle(chain: FloatArray, seed: int, spread: float) -> None:
    durations = 1.0 + np.arange(len(chain))
    walked = rework.walks(chain, 2000, seed, "walk")
    factors = rework.lognormal(spread, walked.shape, seed, "weeks")
    for lengths in (walked @ durations, (walked * factors) @ durations):
        error = lengths.std(ddof=1) / np.sqrt(len(lengths))
        expected = rework.times(chain, durations)[0]
        assert abs(lengths.mean() - expected) <= 5 * error + 1e-9
    assert (walked[:, 0] >= 1).all()


def test_a_walk_is_the_same_however_many_walk_beside_it() -> None:
    few, many = (rework.walks(DRUNKARD, n, 7, "walk") for n in (50, 400))
    np.testing.assert_array_equal(few, many[:50])
    assert (many != rework.walks(DRUNKARD, 400, 8, "walk")).any()


def test_more_rework_never_shortens_a_walk_of_the_same_draws() -> None:
    shorter, longer = (rework.walks(np.array([[p]]), 500, 3, "walk") for p in (0.3, 0.5))
    assert (longer >= shorter).all()
    assert longer.sum() > shorter.sum()


def test_log_normal_factors_have_mean_one_and_their_spread() -> None:
    factors = rework.lognormal(0.5, (20000, 3), 5, "weeks")
    assert factors.mean() == pytest.approx(1.0, abs=5 * 0.533 / np.sqrt(60000))
    assert np.log(factors).std() == pytest.approx(0.5, rel=0.02)
    np.testing.assert_array_equal(rework.lognormal(0.0, (4, 2), 5, "weeks"), 1.0)


def test_faults_go_back_to_where_they_were_made() -> None:
    # Half of the passes are faulty; of their faults 0.4 are found in stage 1, the rest in 2.
    chain, finds = rework.returning(3, 0.5, {0: np.array([0.0, 0.4, 0.6])})
    assert finds[0] == pytest.approx([0.0, 0.2, 0.3 / 0.8])
    assert chain == pytest.approx(np.array([[0.0, 1.0, 0.0], [0.2, 0.0, 0.8], [0.375, 0.0, 0.0]]))
    # Half of the passes end well, so two are begun on average.
    assert rework.visits(chain)[0] == pytest.approx(2.0)


def test_a_stage_that_finds_its_own_fault_repeats_itself() -> None:
    chain, _ = rework.returning(2, 0.5, {0: np.array([1.0, 0.0])})
    assert rework.visits(chain) == pytest.approx([2.0, 1.0])


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.0, 0.95),
    st.lists(st.integers(0, 9), min_size=6, max_size=6),
    st.lists(st.integers(0, 9), min_size=4, max_size=4),
)
def test_every_pass_ships_or_comes_back(chance: float, early: list[int], late: list[int]) -> None:
    found = {0: np.array(early, dtype=np.float64), 2: np.array([0, 0, *late], dtype=np.float64)}
    every = sum(shares.sum() for shares in found.values())
    if every == 0:
        return
    chain, finds = rework.returning(6, chance, {at: s / every for at, s in found.items()})
    visits = rework.visits(chain)
    assert visits[5] * (1.0 - chain[5].sum()) == pytest.approx(1.0)
    # What comes back is begun again: visits to a stage balance what enters it.
    assert visits[0] == pytest.approx(1.0 + float(visits @ finds[0]))
    assert visits[2] == pytest.approx(visits[1] * chain[1, 2] + float(visits @ finds[2]))


@pytest.mark.parametrize("chance", [-0.1, 1.0, float("nan")])
def test_a_pass_that_always_fails_is_refused(chance: float) -> None:
    with pytest.raises(ValueError, match="less than 1"):
        rework.returning(2, chance, {0: np.array([0.0, 1.0])})
