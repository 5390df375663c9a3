"""What the fleet teaches comes out of its physics: on seeds that no setting was chosen on.

The margins are well inside what ``benchmarks/fleet_emergence.py`` prints over many seeds.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from engine.models.fleet import MODEL
from engine.numerics.randomness import FloatArray

pytestmark = pytest.mark.soak

SEEDS = range(2000, 2004)
EDGE = {"alpha": 0.1, "local_epochs": 2, "learning_rate": 0.2, "rounds": 40}
FAILING = {**EDGE, "reliability": 0.7, "correlated": True}
SILOS = {"clients": 20, "participation": 20, "examples": 100, "batch": 20, "rounds": 30} | {
    "learning_rate": 0.5,
    "alpha": 0.1,
}


@cache
def _measured(items: tuple[tuple[str, Any], ...]) -> dict[str, FloatArray]:
    runs = [MODEL.evaluate(dict(items), seed=seed).metrics for seed in SEEDS]
    return {name: np.array([run[name] for run in runs]) for name in runs[0]}


def at(setting: dict[str, Any], **changes: Any) -> dict[str, FloatArray]:
    """Every metric, one entry a seed; measured once a setting."""
    return _measured(tuple(sorted({**setting, **changes}.items())))


def test_unlike_data_slow_the_fleet_and_make_it_jump() -> None:
    found = at(EDGE)
    assert (found["accuracy"] < found["iid_accuracy"]).all()
    assert (found["rounds_to_target"] > found["iid_rounds_to_target"]).all()
    assert found["rounds_ratio"].mean() > 2
    assert (found["jitter"] > 1.5 * found["iid_jitter"]).all()


def test_the_less_alike_the_more_a_personal_model_gains() -> None:
    few = {"participation": 5, "rounds": 20}
    unlike, alike = at(few, alpha=0.05), at(few, alpha=100.0)
    assert (unlike["personalised_accuracy"] > unlike["accuracy"] + 8).all()
    assert (unlike["local_accuracy"] > unlike["accuracy"] + 5).all()
    assert (alike["local_accuracy"] < alike["accuracy"] - 15).all()
    assert abs(alike["personalised_accuracy"] - alike["accuracy"]).max() < 4


def test_more_local_work_costs_accuracy_and_more_of_it_where_data_differ() -> None:
    few, many = at(SILOS, local_epochs=1), at(SILOS, local_epochs=20)
    lost = few["accuracy"] - many["accuracy"]
    twin = few["iid_accuracy"] - many["iid_accuracy"]
    assert lost.mean() > 1.5
    assert (lost - twin).mean() > 0.5  # the excess is drift


def test_scaffold_undoes_drift_and_does_nothing_else() -> None:
    plain, corrected = (at(SILOS, method=method) for method in ("fedavg", "scaffold"))
    assert (corrected["accuracy"] - plain["accuracy"]).mean() > 1.5
    gap = corrected["iid_accuracy"] - corrected["accuracy"]
    assert gap.mean() < (plain["iid_accuracy"] - plain["accuracy"]).mean() / 2
    assert abs((corrected["iid_accuracy"] - plain["iid_accuracy"]).mean()) < 0.7


def test_losses_that_follow_the_data_take_its_classes_away() -> None:
    clean, alike, worst = at(EDGE), at(EDGE, reliability=0.7), at(FAILING)
    assert (worst["slice_recall"] < clean["slice_recall"] - 10).all()
    assert worst["slice_recall"].mean() < alike["slice_recall"].mean() - 20
    assert abs(worst["link_success"] - alike["link_success"]).max() < 6  # as many are lost


def test_preferring_reliable_clients_raises_success_and_loses_the_slice() -> None:
    worst, preferring = at(FAILING), at(FAILING, selection="reliable")
    assert (preferring["link_success"] > worst["link_success"] + 10).all()
    assert (preferring["slice_recall"] < worst["slice_recall"]).all()
    assert (worst["slice_recall"] - preferring["slice_recall"]).mean() > 10


def test_power_of_choice_repairs_some_of_the_slice_and_wastes_more() -> None:
    worst, choosing = at(FAILING), at(FAILING, selection="power-of-choice")
    gain = choosing["slice_recall"] - worst["slice_recall"]
    assert gain.mean() > 5
    assert choosing["slice_recall"].mean() < at(EDGE)["slice_recall"].mean()
    assert (choosing["wasted_joules"] > worst["wasted_joules"]).all()
