"""The class view tells simulated clickers from simulated reasoners that it was not chosen on."""

from __future__ import annotations

from pathlib import Path

import pytest

from mission_tui.content.load import load
from mission_tui.grading import clicker
from mission_tui.grading.features import Features, features
from tests.grading import players

pytestmark = pytest.mark.soak

WALL = Path(__file__).parent.parent / "wall" / "memory-wall.toml"


def scores(habit: players.Habit, seed: int) -> list[float]:
    """Fifty players on the two tracks that the signs were not chosen on."""
    found = []
    for track in ("cloud", "tiny"):
        mission = players.three_parts(load(WALL).tracks[track])
        for events in players.plays(habit, mission, 25, seed):
            value = clicker.score(features(events))
            assert value is not None
            found.append(value)
    return found


def test_players_that_the_signs_were_not_chosen_on_are_told_apart() -> None:
    reasoners, clickers = scores(players.OTHER_REASONER, 11), scores(players.OTHER_CLICKER, 12)
    assert (len(reasoners), len(clickers)) == (50, 50)
    assert players.auc(reasoners, clickers) >= 0.95


def test_no_sign_decides_alone() -> None:
    slow = Features("human", 4, lock_latency=90.0, reading=60.0, run_gap=60.0)
    quick = Features("human", 4, lock_latency=2.0, reading=1.0, run_gap=1.0)
    does = {"controlled": 1.0, "verified": 1.0, "confounded": 0.0, "repeated": 0.0}
    assert (clicker.score(slow), clicker.score(quick)) == (1.0, 0.0)
    tidy = Features("human", 4, lock_latency=2.0, reading=1.0, run_gap=1.0, **does)
    found = clicker.score(tidy)
    assert found is not None
    assert found > 0.6  # who is quick and works cleanly is no clicker


def test_a_ledger_that_says_too_little_has_no_score_and_a_bots_says_so() -> None:
    assert clicker.score(Features("human", 1, lock_latency=2.0)) is None
    assert "too few runs" in clicker.says(features([]))
    mission = players.three_parts(load(WALL).tracks["tiny"])
    (events,) = players.plays(players.CLICKER, mission, 1, 7)
    found = features(events)
    assert clicker.says(found).startswith(f"{clicker.score(found):.2f} ")
    events[0].data["driver"] = "bot:\x1b[2Jreference"
    assert clicker.says(features(events)).startswith("a program's play (bot:")
    assert "\x1b" not in clicker.says(features(events))
