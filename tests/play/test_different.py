"""Runs that count as different: by default any other setting, else a distance apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.contract import Value
from mission_tui.content import space
from mission_tui.content.schema import Mission
from mission_tui.play import actions as do
from mission_tui.play.session import Refused


@pytest.fixture
def strategies(edge: Mission, play_of: Callable[[Mission], Any]) -> Any:
    """A play that asks for three strategies, half a slider apart."""
    part = edge.parts["memory"].model_copy(update={"distinct_runs": 3, "apart": 0.5})
    return play_of(edge.model_copy(update={"parts": {"memory": part}})).to("lock")


def test_a_distance_sums_what_each_slider_moves(edge: Mission) -> None:
    part = edge.parts["memory"]
    here = part.default | {"batch": 32}
    assert space.distance(part, here, here) == 0.0
    assert space.distance(part, here, here | {"batch": 64}) == pytest.approx(1 / 6)
    assert space.distance(part, here, here | {"tuning": "bias"}) == 1.0
    far = here | {"batch": 1, "tuning": "bias", "optimizer": "sgd"}
    assert space.distance(part, far, here) == pytest.approx(2 + 5 / 6)


def test_without_a_distance_any_other_setting_counts(play: Any) -> None:
    play.to("workbench").tried().tried()
    assert play.session.distinct_left == 1
    play.tried({"batch": 64})
    assert [run.number for run in play.session.different] == [1, 3]
    assert play.session.distinct_left == 0


def test_nudges_of_one_strategy_count_once(strategies: Any) -> None:
    play = strategies.do(strategies.seal(), do.Enter("workbench"))
    play.tried().tried({"batch": 64}).tried({"batch": 16})
    assert [run.number for run in play.session.different] == [1]
    play.tried({"batch": 4})
    play.tried({"batch": 8})
    assert [run.number for run in play.session.different] == [1, 4]
    with pytest.raises(Refused, match="another choice or half a slider away"):
        play.do(do.Enter("reveal", play.truths()))
    play.tried({"tuning": "bias"})
    assert play.session.distinct_left == 0
    play.do(do.Enter("reveal", play.truths()))


def test_there_is_a_setting_unlike_those_seen_until_there_is_none(strategies: Any) -> None:
    part, seen = strategies.session.part, list[dict[str, Value]]()
    while (setting := space.unlike(part, seen)) is not None:
        assert all(space.distance(part, setting, other) >= 0.5 - 1e-9 for other in seen)
        seen.append(setting)
    assert len(seen) == 7 * 3 * 3
