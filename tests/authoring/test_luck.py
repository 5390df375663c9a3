from __future__ import annotations

from itertools import pairwise
from math import comb

import pytest

from mission_tui.authoring import draws, luck
from mission_tui.content import space
from mission_tui.content.load import load
from tests.authoring.conftest import HERE


@pytest.mark.parametrize(("runs", "share"), [(10, 0.022), (15, 0.015), (8, 0.028)])
def test_the_share_that_luck_allows_lets_one_guesser_in_five_through(
    runs: int, share: float
) -> None:
    most = luck.allowed(runs)
    assert most == pytest.approx(share, abs=5e-4)
    assert 1 - (1 - most) ** runs == pytest.approx(0.2)


@pytest.mark.parametrize(("found", "tried"), [(0, 40), (1, 40), (7, 200), (39, 40)])
def test_a_bound_leaves_one_chance_in_twenty(found: int, tried: int) -> None:
    def chance(low: int, high: int, p: float) -> float:
        ways = range(low, high + 1)
        return sum(comb(tried, k) * p**k * (1 - p) ** (tried - k) for k in ways)

    assert chance(0, found, luck.at_most(found, tried)) == pytest.approx(0.05, abs=1e-6)
    if found:
        assert chance(found, tried, luck.at_least(found, tried)) == pytest.approx(0.05, abs=1e-6)


def test_none_of_many_is_at_most_three_of_as_many() -> None:
    assert luck.at_most(0, 500) == pytest.approx(3 / 500, rel=0.01)
    assert luck.at_least(0, 500) == 0.0
    assert luck.at_most(5, 5) == 1.0


def test_strata_cover_the_grid_and_all_of_it_is_a_sample_too() -> None:
    part = load(HERE / "fair.toml").tracks["edge"].parts["climb"]
    assert draws.size(part) == 21 * 21 * 3
    drawn = list(draws.stratified(part, 63, 1))
    per_x = [sum(setting["x"] == x for setting in drawn) for x in space.values(part, "x")]
    assert per_x == [3] * 21
    assert drawn == list(draws.stratified(part, 63, 1)) != list(draws.stratified(part, 63, 2))
    whole = list(draws.stratified(part, 9999, 1))
    assert whole == list(space.grid(part, tuple(part.sliders)))


def test_steps_end_with_the_grid() -> None:
    part = load(HERE / "fair.toml").tracks["edge"].parts["climb"]
    assert space.ordered(part) == ("x", "y")
    assert draws.moved(part, {**part.default, "x": 19}, "x", 2) == {**part.default, "x": 20}
    assert draws.moved(part, {**part.default, "x": 20}, "x", 2) is None
    assert draws.thinned(range(21), 5) == (0, 5, 10, 15, 20)
    assert all(a < b for a, b in pairwise(draws.thinned(range(21), 8)))
