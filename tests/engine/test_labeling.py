from __future__ import annotations

import math
from functools import cache
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import registry
from engine.contract import Control, Outcome, PathDependent, SettingError
from engine.models.labeling import MODEL
from engine.numerics.digits import TEST
from engine.numerics.querying import MOST, REPEATS, PicksDivergedError
from engine.numerics.randomness import FloatArray

SMALL: dict[str, Any] = {"pool": 150, "labels": 55, "target": 75.0}
"""Three rounds of ten, and a smaller one."""
NOISY: dict[str, Any] = {**SMALL, "label_error": 0.2, "votes": 3, "scored_share": 0.4}
PRICED: dict[str, Any] = {
    **SMALL,
    "fee": 0.25,
    "votes": 3,
    "true_labels": 40.0,
    "true_pool": 2e6,
    "scored_share": 0.25,
    "score_cost": 1e-4,
    "train_cost": 7.0,
}


@pytest.fixture(scope="module")
def frames() -> list[Outcome]:
    return list(MODEL.stream(NOISY, seed=5))


def test_it_is_registered_and_follows_picks() -> None:
    assert registry.model("labeling") is MODEL
    assert isinstance(MODEL, PathDependent)


def test_dollars_are_exact() -> None:
    found = MODEL.evaluate(PRICED, seed=5).metrics
    assert found["rounds_run"] == 4
    assert found["labels_used"] == 55
    assert found["labels_bought"] == 55 * 40 * 3
    assert found["cost_fees"] == pytest.approx(55 * 40 * 3 * 0.25, rel=1e-12)
    assert found["cost_scoring"] == pytest.approx(4 * 2e6 * 0.25 * 1e-4, rel=1e-12)
    assert found["cost_training"] == pytest.approx(5 * 7.0, rel=1e-12)
    parts = ("cost_fees", "cost_scoring", "cost_training")
    assert found["cost_total"] == pytest.approx(sum(found[part] for part in parts), rel=1e-12)


def test_random_labels_need_no_scoring_and_one_training() -> None:
    found = MODEL.evaluate({**PRICED, "strategy": "random"}, seed=5).metrics
    assert found["cost_scoring"] == 0
    assert found["cost_training"] == 7.0
    assert found["labels_saved"] == 1
    assert found["net_saving"] == 0
    assert found["accuracy"] == found["random_accuracy"]


def test_a_saving_is_what_random_labels_cost_more() -> None:
    found = MODEL.evaluate(PRICED, seed=5).metrics
    ours, theirs = found["labels_to_target"], found["random_labels_to_target"]
    a_label, a_round = 40 * 3 * 0.25, 2e6 * 0.25 * 1e-4 + 7.0
    cost = a_label * ours + a_round * (ours - 20) / 10 + 7.0
    assert found["cost_to_target"] == pytest.approx(cost, rel=1e-12)
    assert found["random_cost_to_target"] == pytest.approx(a_label * theirs + 7.0, rel=1e-12)
    assert found["net_saving"] == pytest.approx(a_label * theirs + 7.0 - cost, rel=1e-9)
    assert found["labels_saved"] == pytest.approx(theirs / ours, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    budget=st.floats(1.0, 3000.0),
    batch=st.integers(5, 40),
    fee=st.sampled_from([0.01, 0.2, 1.0]),
    strategy=st.sampled_from(["random", "margin"]),
)
def test_a_budget_is_kept_and_used_up(budget: float, batch: int, fee: float, strategy: str) -> None:
    """Only the start is bought whatever it costs."""
    asked = {**PRICED, "labels": 60, "strategy": strategy, "batch": batch, "fee": fee}
    first = next(iter(MODEL.stream(asked, seed=5))).metrics
    found = MODEL.evaluate({**asked, "budget": budget}, seed=5).metrics
    label, a_round = 120 * fee, 57.0 if strategy == "margin" else 0.0
    assert found["cost_total"] <= max(budget * (1 + 2e-9), first["cost_total"])
    if 20 < found["labels_used"] < 60:
        another = label if (found["labels_used"] - 20) % batch else label + a_round
        assert found["cost_total"] + another > budget * (1 - 1e-9)


def test_an_exact_budget_buys_what_it_was_made_for() -> None:
    whole = MODEL.evaluate(PRICED, seed=5).metrics
    again = MODEL.evaluate({**PRICED, "labels": 150, "budget": whole["cost_total"]}, seed=5)
    assert again.metrics["labels_used"] == whole["labels_used"]
    assert again.metrics["accuracy"] == whole["accuracy"]


def test_prices_move_no_accuracy_and_no_labels_to_target() -> None:
    plain = MODEL.evaluate({**SMALL, "votes": 3}, seed=5)
    priced = MODEL.evaluate(PRICED | {"scored_share": 1.0}, seed=5)
    for name in ("accuracy", "slice_recall", "labels_to_target", "random_labels_to_target"):
        assert plain.metrics[name] == priced.metrics[name]


def test_the_last_frame_is_the_evaluation(frames: list[Outcome]) -> None:
    assert frames[-1] == MODEL.evaluate(NOISY, seed=5)
    assert [frame.rounds for frame in frames] == [(done, 4) for done in range(5)]
    for earlier, later in pairwise(frames):
        for name, values in earlier.series.items():
            if name != "cost_split":
                assert values == later.series[name][: len(values)]
        assert earlier.picks == later.picks[: len(earlier.picks)]


def test_a_frame_has_all_that_is_declared(frames: list[Outcome]) -> None:
    for frame in frames:
        assert set(frame.metrics) == {metric.name for metric in MODEL.metrics}
        assert set(frame.series) == {series.name for series in MODEL.series}
    last = frames[-1]
    assert list(last.series["labels"]) == [20, 30, 40, 50, 55]
    assert last.series["accuracy"][-1] == last.metrics["accuracy"]
    assert sum(last.series["cost_split"]) == pytest.approx(last.metrics["cost_total"])
    ids = {mechanism.id for mechanism in MODEL.mechanisms}
    assert all(set(metric.terms) <= ids for metric in MODEL.metrics)


def test_right_votes_are_the_clean_run() -> None:
    one = MODEL.evaluate({**SMALL, "label_error": 0.0, "votes": 1}, seed=5)
    many = MODEL.evaluate({**SMALL, "label_error": 0.0, "votes": 9}, seed=5)
    for name in ("accuracy", "slice_recall", "clean_accuracy", "labels_to_target"):
        assert one.metrics[name] == many.metrics[name]
    assert one.metrics["accuracy"] == one.metrics["clean_accuracy"]
    assert one.metrics["steps_multiplier"] == one.metrics["theory_multiplier"] == 1
    assert one.metrics["label_error_left"] == 0
    assert many.metrics["cost_fees"] == 9 * one.metrics["cost_fees"]


def test_the_clean_twin_is_the_run_without_errors(frames: list[Outcome]) -> None:
    clean = MODEL.evaluate({**NOISY, "label_error": 0.0}, seed=5)
    assert frames[-1].series["clean_accuracy"] == clean.series["accuracy"]
    assert frames[-1].metrics["clean_labels_to_target"] == clean.metrics["labels_to_target"]
    ratio = frames[-1].metrics["labels_to_target"] / clean.metrics["labels_to_target"]
    assert frames[-1].metrics["steps_multiplier"] == pytest.approx(ratio)


def test_what_a_target_takes_does_not_depend_on_the_budget() -> None:
    few, many = (MODEL.evaluate({**SMALL, "labels": n}, seed=5).metrics for n in (23, 110))
    for name in ("labels_to_target", "random_labels_to_target", "net_saving", "labels_saved"):
        assert few[name] == many[name]
    assert (few["target_reached"], many["target_reached"]) == (0, 1)


def test_a_target_out_of_reach_takes_the_whole_pool() -> None:
    found = MODEL.evaluate({**SMALL, "target": 99.0, "batch": 40}, seed=5).metrics
    assert found["labels_to_target"] == found["random_labels_to_target"] == 150
    assert found["target_reached"] == 0


def test_formulas_by_hand() -> None:
    found = MODEL.evaluate({**SMALL, "label_error": 0.05, "target": 90.0}, seed=5).metrics
    hypotheses = 650 * 32 * math.log(2)
    assert found["theory_multiplier"] == pytest.approx(1 / (1 - 0.05 * 10 / 9) ** 2)
    assert found["label_error_left"] == pytest.approx(5.0)
    assert found["bound_clean"] == pytest.approx((hypotheses + math.log(20)) / 0.1)
    assert found["bound_noisy"] == pytest.approx((hypotheses + math.log(40)) / 0.02)


def test_a_replay_follows_recorded_picks(frames: list[Outcome]) -> None:
    picks = frames[-1].picks
    assert len(picks) >= 2 * REPEATS * 40  # of the run and of its clean twin
    assert list(MODEL.followed(NOISY, seed=5, picks=picks)) == frames
    begun = frames[2].picks  # a run that was stopped
    assert list(islice(MODEL.followed(NOISY, seed=5, picks=begun), 3)) == frames[:3]


@pytest.mark.parametrize("at", [0, REPEATS * 10, -1])
def test_forged_picks_are_refused(frames: list[Outcome], at: int) -> None:
    """A pick of the run's first round, one of its twin's, and the last."""
    forged = list(frames[-1].picks)
    forged[at] = next(image for image in range(150) if image not in forged)
    with pytest.raises(PicksDivergedError):
        list(MODEL.followed(NOISY, seed=5, picks=forged))
    with pytest.raises(PicksDivergedError):
        list(MODEL.followed(NOISY, seed=5, picks=frames[-1].picks[:-1]))


def test_random_labels_are_no_picks() -> None:
    assert MODEL.evaluate({**SMALL, "strategy": "random"}, seed=5).picks == ()


AFTER: dict[str, Any] = {
    **PRICED,
    "pool": 180,
    "label_error": 0.4,
    "votes": 5,
    "strategy": "entropy",
    "batch": 15,
    "target": 78.0,
    "labels": 70,
    "budget": 8000.0,
}


@pytest.mark.parametrize("metric", [metric for metric in MODEL.metrics if metric.terms])
def test_terms_sum_to_the_change(metric: Any) -> None:
    before, after = (MODEL.evaluate(s, seed=5).metrics[metric.name] for s in (PRICED, AFTER))
    terms = MODEL.explain(metric.name, PRICED, AFTER, seed=5)
    assert terms.before == pytest.approx(before)
    assert terms.after == pytest.approx(after)
    assert tuple(terms.terms) == metric.terms
    assert sum(terms.terms.values()) == pytest.approx(after - before, abs=1e-8)
    assert terms.change != 0


@pytest.mark.parametrize(
    ("metric", "change", "term"),
    [
        ("accuracy", {"label_error": 0.3}, "noise"),
        ("accuracy", {"strategy": "random"}, "strategy"),
        ("accuracy", {"labels": 80}, "budget"),
        ("accuracy", {"budget": 1500.0}, "budget"),
        ("slice_recall", {"slice_share": 0.1}, "data"),
        ("labels_saved", {"batch": 40}, "batch"),
        ("labels_to_target", {"scored_share": 0.05}, "coverage"),
        ("labels_saved", {"target": 80.0}, "target"),
        ("steps_multiplier", {"label_error": 0.3}, "noise"),
        ("cost_total", {"fee": 1.0}, "fees"),
        ("cost_total", {"true_pool": 1e8}, "scoring"),
        ("net_saving", {"train_cost": 90.0}, "training"),
    ],
)
def test_one_control_moves_the_term_that_it_belongs_to(
    metric: str, change: dict[str, Any], term: str
) -> None:
    found = MODEL.explain(metric, PRICED, {**PRICED, **change}, seed=5)
    assert {name for name, moved in found.terms.items() if moved} == {term}
    assert found.largest == term


def test_a_metric_without_terms_cant_be_explained() -> None:
    with pytest.raises(ValueError, match="has no terms"):
        MODEL.explain("random_accuracy", SMALL, AFTER, seed=5)


BAD: list[Any] = [math.nan, math.inf, -math.inf, None, [], True, "nonsense", -1, 1e18]


@pytest.mark.parametrize("control", MODEL.controls, ids=lambda control: control.name)
@pytest.mark.parametrize("value", BAD, ids=repr)
def test_a_wrong_value_is_refused_at_the_border(control: Control, value: Any) -> None:
    for ask in (
        lambda s: MODEL.evaluate(s, seed=1),
        lambda s: next(iter(MODEL.stream(s, seed=1))),
        lambda s: next(iter(MODEL.followed(s, seed=1, picks=(1,)))),
        lambda s: MODEL.explain("cost_total", SMALL, s, seed=1),
    ):
        with pytest.raises(SettingError) as refused:
            ask({**SMALL, control.name: value})
        assert refused.value.control == control.name


def _values(control: Control) -> st.SearchStrategy[Any]:
    if control.kind == "choice":
        return st.sampled_from(control.choices)
    if control.kind == "integer":
        return st.integers(int(control.low), int(control.high))
    if control.scale == "log":
        return st.sampled_from([control.low, control.high, control.default])
    return st.floats(control.low, control.high)


@settings(max_examples=10, deadline=None)
@given(
    setting=st.fixed_dictionaries({control.name: _values(control) for control in MODEL.controls}),
    seed=st.integers(0, 2**32),
)
def test_whatever_the_border_lets_in_comes_out_finite(setting: dict[str, Any], seed: int) -> None:
    asked = {**setting, "pool": 100 + setting["pool"] % 60}
    found = MODEL.evaluate(asked, seed=seed).metrics
    for name in ("accuracy", "slice_recall", "random_accuracy", "clean_accuracy"):
        assert 0 <= found[name] <= 100
    assert asked["start"] <= found["labels_used"] <= max(asked["labels"], asked["start"])
    for whose in ("", "random_", "clean_"):
        assert asked["start"] <= found[f"{whose}labels_to_target"] <= min(MOST, 160)
    assert found["label_error_left"] <= 100 * asked["label_error"] + 1e-9


# What emerges, on seeds that no setting was chosen on; margins well inside what is seen.

FRESH = range(8101, 8105)
POINT = 100 / TEST


@cache
def _measured(items: tuple[tuple[str, Any], ...]) -> dict[str, FloatArray]:
    runs = [MODEL.evaluate(dict(items), seed=seed).metrics for seed in FRESH]
    return {name: np.array([run[name] for run in runs]) for name in runs[0]}


def at(**setting: Any) -> dict[str, FloatArray]:
    """Every metric, one entry a seed; measured once a setting."""
    return _measured(tuple(sorted(setting.items())))


def test_margin_saves_labels_and_entropy_loses_the_cold_start() -> None:
    margin, entropy = at(labels=70), at(labels=70, strategy="entropy")
    assert margin["labels_saved"].mean() > 1.25
    assert (entropy["labels_to_target"] > margin["labels_to_target"] + 10).all()
    assert (margin["accuracy"] > entropy["accuracy"] + 1).all()
    assert entropy["accuracy"].mean() < margin["random_accuracy"].mean() + 1


def test_a_large_batch_gives_the_gain_away() -> None:
    small, large = at(labels=70), at(labels=70, batch=50)
    assert (small["accuracy"] > large["accuracy"] + 0.5).all()  # the same labels are paid for
    assert large["accuracy"].mean() < large["random_accuracy"].mean() + 1.5


def test_wrong_labels_cost_more_than_theory_and_far_less_than_the_rumour() -> None:
    noisy = at(labels=60, label_error=0.05, target=85.0)
    assert (noisy["steps_multiplier"] < 2.5).all()
    voted = at(labels=60, label_error=0.05, votes=3, target=85.0)
    assert voted["steps_multiplier"].mean() < noisy["steps_multiplier"].mean() - 0.05


def test_looking_for_a_rare_slice_finds_it() -> None:
    rare = at(labels=100, slice_share=0.2, target=60.0)
    assert (rare["slice_recall"] > rare["random_slice_recall"] + 10).all()
    assert (rare["accuracy"] > rare["random_accuracy"] + 3).all()


PETABYTE: dict[str, Any] = {
    "slice_share": 0.2,
    "target": 85.0,
    "true_pool": 1e9,
    "score_cost": 1e-5,
    "fee": 5.0,
    "true_labels": 50.0,
    "train_cost": 100.0,
    "budget": 50_000.0,
    "labels": 400,
}


@pytest.mark.soak
def test_scoring_everything_often_costs_more_than_it_saves_and_a_tenth_does_not() -> None:
    whole = {b: at(**PETABYTE, batch=b)["net_saving"] for b in (5, 20, 40)}
    tenth = {b: at(**PETABYTE, batch=b, scored_share=0.1)["net_saving"] for b in (10, 80)}
    assert (whole[5] < whole[20]).all()  # the knee is inside
    assert (whole[5] < whole[40]).all()
    assert whole[5].mean() < 0 < tenth[10].mean()
    assert (tenth[10] > tenth[80]).all()
    assert (tenth[10] > whole[40]).all()
