from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.numerics import minhash
from engine.numerics.minhash import BANDS, HASHES
from engine.numerics.randomness import IntArray

FRESH = (82301, 82302, 82303)
SIZE = 60  # shingles of a set
PAIRS = 400


def pairs(shared: int, *, at: int = 0) -> tuple[IntArray, IntArray, float]:
    """400 pairs of sets that share so many of 60 shingles, no two pairs any; their Jaccard."""
    fresh = 2 * SIZE - shared
    base = at + np.arange(PAIRS)[:, None] * fresh
    one = base + np.arange(SIZE)
    other = base + np.r_[0:shared, SIZE:fresh]
    codes = np.stack([one, other], axis=1).reshape(-1)
    return codes, np.arange(0, len(codes), SIZE), shared / fresh


def signed(shared: int, seed: int) -> tuple[minhash.Words, IntArray, float]:
    codes, starts, similar = pairs(shared)
    return minhash.signatures(codes, starts, seed=seed), np.arange(0, 2 * PAIRS, 2), similar


@pytest.mark.parametrize("seed", FRESH)
@pytest.mark.parametrize("shared", [12, 30, 48])
def test_signatures_estimate_jaccard_without_bias_and_with_the_binomials_spread(
    shared: int, seed: int
) -> None:
    found, first, similar = signed(shared, seed)
    estimates = minhash.similarity(found, first, first + 1)
    spread = math.sqrt(similar * (1 - similar) / HASHES)
    assert abs(estimates.mean() - similar) < 4 * spread / math.sqrt(PAIRS)
    # The deviation of a deviation from n normals is about 1/√(2n) of it.
    assert estimates.std(ddof=1) == pytest.approx(spread, rel=4 / math.sqrt(2 * PAIRS))


def test_one_pair_is_estimated_without_bias_over_hash_functions() -> None:
    codes, starts, similar = pairs(40, at=10**9)
    codes, starts = codes[: 2 * SIZE], starts[:2]
    estimates = [
        float(minhash.similarity(minhash.signatures(codes, starts, seed=seed), *pair)[0])
        for seed in range(70_000, 70_200)
        for pair in [(np.array([0]), np.array([1]))]
    ]
    spread = math.sqrt(similar * (1 - similar) / HASHES)
    assert abs(float(np.mean(estimates)) - similar) < 4 * spread / math.sqrt(200)
    assert float(np.std(estimates, ddof=1)) == pytest.approx(spread, rel=4 / math.sqrt(400))


@pytest.mark.parametrize("seed", FRESH[:2])
@pytest.mark.parametrize("shared", [10, 20, 30, 38, 44, 50, 55, 58])
def test_candidates_follow_the_s_curve_at_every_cut(shared: int, seed: int) -> None:
    found, first, similar = signed(shared, seed)
    for bands, rows in BANDS.values():
        expected = 1 - (1 - similar**rows) ** bands
        met = minhash.meet(minhash.keys(found, bands, rows), first, first + 1).mean()
        error = math.sqrt(expected * (1 - expected) / PAIRS)
        assert abs(met - expected) <= 4 * error + 1 / PAIRS, (bands, rows, similar)


def test_the_s_curve_is_its_formula_and_steepest_about_its_threshold() -> None:
    grid = np.linspace(0, 1, 2001)
    for bands, rows in BANDS.values():
        curve = minhash.probability(grid, bands, rows)
        assert curve[0] == 0.0
        assert curve[-1] == 1.0
        assert (np.diff(curve) >= 0).all()
        steepest = grid[np.argmax(np.diff(curve))]
        assert abs(steepest - minhash.threshold(bands, rows)) < 0.06
    assert minhash.threshold(16, 8) == pytest.approx(2**-0.5)
    assert minhash.probability(np.array(0.8), 20, 5) == pytest.approx(0.99964, abs=1e-5)


def test_a_key_is_shared_by_equal_bands_alone() -> None:
    found = np.arange(4 * HASHES, dtype=np.uint64).reshape(4, HASHES)
    found[1, 8:16] = found[0, 8:16]
    found[2, 9:17] = found[0, 9:17]  # eight in a row, but over two bands
    found[3, :8] = found[0, 7::-1]  # the same values in another order
    key = minhash.keys(found, 16, 8)
    assert key.shape == (4, 16)
    assert (key[0] == key[1]).tolist() == [False, True] + [False] * 14
    assert not (key[0] == key[2]).any()
    assert not (key[0] == key[3]).any()


def test_components_of_hand_made_cases() -> None:
    def of(n: int, *edges: tuple[int, int]) -> list[int]:
        ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
        return minhash.components(n, ends[:, 0], ends[:, 1]).tolist()

    assert of(4) == [0, 1, 2, 3]
    assert of(6, (5, 3), (3, 1), (4, 2)) == [0, 1, 2, 1, 2, 1]
    assert of(5, (0, 1), (1, 2), (2, 3), (3, 4)) == [0] * 5
    assert of(4, (2, 2), (3, 0), (0, 3)) == [0, 1, 2, 0]


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_components_are_what_a_walk_reaches(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 14))
    node = st.integers(0, n - 1)
    edges = data.draw(st.lists(st.tuples(node, node), max_size=20))
    reach = np.eye(n, dtype=np.bool_)
    for a, b in edges:
        reach[a, b] = reach[b, a] = True
    for _ in range(n):
        reach = reach @ reach
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
    found = minhash.components(n, ends[:, 0], ends[:, 1])
    np.testing.assert_array_equal(found, reach.argmax(axis=1))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(sorted(BANDS)))
def test_groups_are_the_components_of_all_candidate_pairs(seed: int, cut: str) -> None:
    rng = np.random.default_rng(seed)
    found = rng.integers(0, 3, (12, HASHES)).astype(np.uint64)
    for copy in range(6, 12):  # some alike, in part
        part = rng.integers(0, HASHES)
        found[copy, :part] = found[rng.integers(0, copy), :part]
    key = minhash.keys(found, *BANDS[cut])
    first, second = np.triu_indices(12, 1)
    met = minhash.meet(key, first, second)
    expected = minhash.components(12, first[met], second[met])
    np.testing.assert_array_equal(minhash.groups(key), expected)


def test_what_is_no_run_of_documents_or_no_cut_is_refused() -> None:
    codes = np.arange(5)
    for starts in ([], [1, 3], [0, 2, 2], [0, 5]):
        with pytest.raises(ValueError, match="shingle"):
            minhash.signatures(codes, np.array(starts, dtype=np.int64), seed=1)
    found = minhash.signatures(codes, np.array([0, 2]), seed=1)
    for bands, rows in ((0, 1), (1, 0), (43, 3)):
        with pytest.raises(ValueError, match="bands"):
            minhash.keys(found, bands, rows)
