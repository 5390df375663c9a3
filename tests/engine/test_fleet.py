from __future__ import annotations

import math
from itertools import islice
from typing import Any

import numpy as np
import pytest

from engine.contract import Model, Outcome, SettingError
from engine.models.fleet import CEILING, MODEL
from engine.numerics.federated import PicksDivergedError

SMALL: dict[str, Any] = {
    "clients": 12,
    "participation": 4,
    "examples": 20,
    "rounds": 6,
    "local_epochs": 2,
}
LOSSY: dict[str, Any] = {**SMALL, "reliability": 0.6, "alpha": 0.3}
TRUE: dict[str, Any] = {"fleet_size": 500_000, "update_bytes": 4096, "joules_per_step": 2.0} | {
    "joules_per_byte": 1e-3,
    "battery": 1000.0,
    "price": 0.09,
}
SINGLE = {"personalised_accuracy", "local_accuracy"}


@pytest.fixture(scope="module")
def frames() -> list[Outcome]:
    return list(MODEL.stream(LOSSY, seed=5))


def test_it_is_a_model() -> None:
    assert isinstance(MODEL, Model)
    ids = [mechanism.id for mechanism in MODEL.mechanisms]
    assert {term for metric in MODEL.metrics for term in metric.terms} == set(ids)


def test_there_is_a_frame_before_the_first_round_and_after_each(frames: list[Outcome]) -> None:
    assert len(frames) == 1 + SMALL["rounds"]
    for number, frame in enumerate(frames):
        assert frame.metrics["rounds_run"] == number
        assert {len(frame.series[s.name]) for s in MODEL.series if not s.labels} == {number + 1}


def test_the_last_frame_is_the_outcome_and_the_same_request_gives_the_same_bits(
    frames: list[Outcome],
) -> None:
    assert frames[-1] == MODEL.evaluate(LOSSY, seed=5)


def test_the_outcome_has_every_metric_and_series_that_is_declared(frames: list[Outcome]) -> None:
    declared = {metric.name for metric in MODEL.metrics}
    assert set(frames[-1].metrics) == declared
    assert set(frames[-1].series) == {series.name for series in MODEL.series}
    assert all(set(frame.metrics) == declared - SINGLE for frame in frames[:-1])


def test_a_frame_is_what_was_known_then(frames: list[Outcome]) -> None:
    shorter = MODEL.evaluate({**LOSSY, "rounds": 3}, seed=5)
    assert frames[3].series == shorter.series
    assert frames[3].metrics == {k: v for k, v in shorter.metrics.items() if k not in SINGLE}


def test_the_curves_belong_to_their_metrics(frames: list[Outcome]) -> None:
    last = frames[-1]
    assert last.metrics["accuracy"] == pytest.approx(np.mean(last.series["accuracy"][-5:]))
    assert last.metrics["iid_loss"] == pytest.approx(np.mean(last.series["iid_loss"][-5:]))
    assert last.series["bytes"][-1] == last.metrics["bytes_sent"]
    assert last.series["wasted_joules"][-1] == last.metrics["wasted_joules"]
    counts = np.array(last.series["accuracy"]) * 360 / 100
    np.testing.assert_allclose(counts, counts.round(), atol=1e-9)


def test_bytes_joules_and_dollars_are_exact() -> None:
    metrics = MODEL.evaluate({**SMALL, **TRUE}, seed=1).metrics
    devices = 6 * 500_000 * 4 / 12
    steps = 2 * 2  # two passes of two batches
    assert metrics["bytes_sent"] == pytest.approx(devices * 4096, rel=1e-12)
    assert metrics["joules"] == pytest.approx(devices * (steps * 2.0 + 4.096), rel=1e-12)
    assert metrics["dollars"] == pytest.approx(devices * 4096 / 1e9 * 0.09, rel=1e-12)
    assert metrics["communication_ratio"] == pytest.approx(4.096 / 8.0, rel=1e-12)
    assert metrics["battery_share"] == pytest.approx(100 * 12.096 / 1000, rel=1e-12)


def test_scaffold_sends_its_variate_too() -> None:
    plain, twice = (
        MODEL.evaluate({**SMALL, "method": method}, seed=1).metrics["bytes_sent"]
        for method in ("fedavg", "scaffold")
    )
    assert twice == 2 * plain


def test_a_cap_buys_rounds() -> None:
    a_round = 500_000 * 4 / 12 * 4096
    metrics = MODEL.evaluate({**SMALL, **TRUE, "byte_cap": 3.5 * a_round}, seed=1).metrics
    assert metrics["rounds_run"] == 3
    free = MODEL.evaluate({**SMALL, **TRUE, "rounds": 3}, seed=1).metrics
    assert metrics == free


def test_a_cap_below_one_round_leaves_the_untrained_model() -> None:
    frames = list(MODEL.stream({**SMALL, **TRUE, "byte_cap": 1.0}, seed=1))
    assert len(frames) == 1
    assert frames[0].metrics["rounds_run"] == frames[0].metrics["bytes_sent"] == 0
    assert frames[0].metrics["accuracy"] < 20


def test_wasted_joules_are_those_of_the_updates_that_were_counted_as_lost(
    frames: list[Outcome],
) -> None:
    metrics = frames[-1].metrics
    lost = 1 - metrics["link_success"] / 100
    assert 0 < lost < 1
    assert (lost * 24) == pytest.approx(round(lost * 24))
    assert metrics["wasted_joules"] == pytest.approx(lost * metrics["joules"], rel=1e-12)
    assert MODEL.evaluate(SMALL, seed=5).metrics["wasted_joules"] == 0


def test_wasted_joules_are_one_minus_p_of_all_in_expectation() -> None:
    setting: dict[str, Any] = {
        "clients": 100,
        "participation": 50,
        "examples": 10,
        "rounds": 40,
        "batch": 10,
    } | {
        "local_epochs": 1,
        "reliability": 0.7,
    }
    wasted = [
        run["wasted_joules"] / run["joules"]
        for run in (MODEL.evaluate(setting, seed=seed).metrics for seed in (71, 72))
    ]
    assert np.mean(wasted) == pytest.approx(0.3, abs=5 * math.sqrt(0.21 / 4000))


def test_links_change_neither_the_data_nor_who_is_asked() -> None:
    better = MODEL.evaluate({**LOSSY, "reliability": 0.65}, seed=5).metrics
    worse = MODEL.evaluate(LOSSY, seed=5).metrics
    assert better["local_accuracy"] == worse["local_accuracy"]
    assert better["link_success"] >= worse["link_success"]


def test_one_full_batch_step_of_all_clients_is_its_own_twin() -> None:
    setting = {**SMALL, "participation": 12, "batch": 20, "local_epochs": 1, "rounds": 20}
    outcome = MODEL.evaluate({**setting, "learning_rate": 0.5, "alpha": 0.05}, seed=3)
    assert outcome.series["accuracy"] == outcome.series["iid_accuracy"]
    assert outcome.series["loss"] == pytest.approx(outcome.series["iid_loss"], rel=1e-9)


def test_alike_clients_need_no_twin() -> None:
    metrics = MODEL.evaluate({"alpha": 100.0, "rounds": 20}, seed=3).metrics
    assert metrics["accuracy"] == pytest.approx(metrics["iid_accuracy"], abs=2.5)


def test_recall_of_the_slice_is_of_its_classes() -> None:
    last = MODEL.evaluate({**SMALL, "slice": "0-1", "rounds": 1}, seed=5)
    low, high = sorted(last.series["recall"][:2])
    # one round and the untrained model, which calls everything a 0: a mean of two rounds
    assert low / 2 <= last.metrics["slice_recall"] <= (high + 100) / 2
    assert last.series["slice_recall"][-1] == pytest.approx((low + high) / 2, abs=(high - low) / 2)


def test_rounds_to_the_target_are_read_off_the_curve() -> None:
    outcome = MODEL.evaluate({**SMALL, "alpha": 10.0, "rounds": 20, "target": 60}, seed=5)
    first = next(t for t, a in enumerate(outcome.series["accuracy"]) if t and a >= 60)
    assert outcome.metrics["rounds_to_target"] == first > 1
    assert outcome.metrics["target_reached"] == 1
    missed = MODEL.evaluate({**SMALL, "target": 99}, seed=5).metrics
    assert (missed["rounds_to_target"], missed["target_reached"]) == (7, 0)


def test_divergence_is_said_and_every_number_stays_finite() -> None:
    wild: dict[str, Any] = {
        "method": "fedprox",
        "proximal": 10.0,
        "learning_rate": 0.5,
        "local_epochs": 20,
    }
    frames = list(MODEL.stream({**SMALL, **wild, "byte_cap": 0}, seed=5))
    last = frames[-1]
    assert last.metrics["diverged"] == 1
    assert last.series["loss"][-1] == CEILING
    assert last.series["accuracy"][-1] == last.series["accuracy"][0]  # a broken network's
    assert last.metrics["joules"] > 0
    assert len(frames) == 7


PICKY: dict[str, Any] = {**LOSSY, "selection": "power-of-choice"}


def test_a_replay_follows_recorded_picks() -> None:
    outcome = MODEL.evaluate(PICKY, seed=5)
    assert len(outcome.picks) == 6 * 4
    *_, again = MODEL.followed(PICKY, seed=5, picks=outcome.picks)
    assert again == outcome
    forged = outcome.picks[:4] + tuple(sorted(set(range(12)) - set(outcome.picks[4:8])))[:4]
    with pytest.raises(PicksDivergedError):
        list(islice(MODEL.followed(PICKY, seed=5, picks=forged), 4))


def test_other_selections_record_no_picks(frames: list[Outcome]) -> None:
    assert frames[-1].picks == ()


AFTER: dict[str, Any] = {
    "alpha": 1.0,
    "reliability": 0.9,
    "correlated": True,
    "selection": "reliable",
    "participation": 6,
    "clients": 15,
    "rounds": 9,
    "local_epochs": 5,
    "method": "scaffold",
    "target": 70,
    **TRUE,
}
EXPLAINED = tuple(metric.name for metric in MODEL.metrics if metric.terms)


@pytest.mark.parametrize("metric", EXPLAINED)
def test_the_terms_of_a_change_sum_to_it(metric: str) -> None:
    after = {**LOSSY, **AFTER}
    terms = MODEL.explain(metric, LOSSY, after, seed=5)
    assert tuple(terms.terms) == next(m.terms for m in MODEL.metrics if m.name == metric)
    old, new = (MODEL.evaluate(s, seed=5).metrics[metric] for s in (LOSSY, after))
    assert (terms.before, terms.after) == (pytest.approx(old), pytest.approx(new))
    assert sum(terms.terms.values()) == pytest.approx(new - old, rel=1e-9, abs=1e-9)


def test_nothing_changed_is_nothing_to_explain() -> None:
    for metric in EXPLAINED:
        assert set(MODEL.explain(metric, LOSSY, LOSSY, seed=5).terms.values()) == {0.0}


@pytest.mark.parametrize(
    ("metric", "change", "moved"),
    [
        ("accuracy", {"alpha": 10.0}, {"heterogeneity"}),
        ("accuracy", {"reliability": 0.3}, {"links"}),
        ("accuracy", {"participation": 1}, {"averaging"}),
        ("accuracy", {"rounds": 2}, {"rounds"}),
        ("accuracy", {"local_epochs": 9}, {"updates", "drift"}),
        ("global_loss", {"selection": "power-of-choice"}, {"selection"}),
        ("bytes_sent", {"participation": 8}, {"cohort"}),
        ("bytes_sent", {"method": "scaffold"}, {"size"}),
        ("joules", {"local_epochs": 9}, {"local_work"}),
        ("joules", {"rounds": 9}, {"rounds"}),
        ("wasted_joules", {"reliability": 0.3}, {"links"}),
    ],
)
def test_one_control_moves_the_terms_that_it_belongs_to(
    metric: str, change: dict[str, Any], moved: set[str]
) -> None:
    terms = MODEL.explain(metric, LOSSY, {**LOSSY, **change}, seed=5).terms
    assert {name for name, amount in terms.items() if amount} == moved


def test_drift_is_what_the_twin_does_not_do() -> None:
    after = {**LOSSY, "local_epochs": 9}
    terms = MODEL.explain("accuracy", LOSSY, after, seed=5)
    old, new = (MODEL.evaluate(s, seed=5).metrics["iid_accuracy"] for s in (LOSSY, after))
    assert terms.terms["updates"] == pytest.approx(new - old)


def test_a_metric_without_terms_cant_be_explained() -> None:
    with pytest.raises(ValueError, match="has no terms"):
        MODEL.explain("jitter", SMALL, LOSSY, seed=5)


BAD: list[Any] = [math.nan, math.inf, -math.inf, None, [], "nonsense", -1, 10**20, "1"]


@pytest.mark.parametrize("control", MODEL.controls, ids=lambda control: control.name)
@pytest.mark.parametrize("value", BAD, ids=repr)
def test_a_wrong_value_is_refused_at_the_border(control: Any, value: Any) -> None:
    for ask in (
        lambda s: MODEL.evaluate(s, seed=1),
        lambda s: MODEL.explain("accuracy", s, SMALL, seed=1),
        lambda s: MODEL.explain("joules", SMALL, s, seed=1),
    ):
        with pytest.raises(SettingError) as refused:
            ask({**SMALL, control.name: value})
        assert refused.value.control == control.name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clients", 0),
        ("participation", 0),
        ("batch", 0),
        ("rounds", 0),
        ("alpha", 0.0),
        ("alpha", 1e3),
        ("reliability", 0.0),
        ("reliability", 1.01),
        ("learning_rate", 0.0),
    ],
)
def test_what_makes_no_fleet_is_refused(name: str, value: float) -> None:
    with pytest.raises(SettingError) as refused:
        MODEL.evaluate({name: value}, seed=1)
    assert refused.value.control == name


def test_more_clients_a_round_than_there_are_is_refused() -> None:
    with pytest.raises(SettingError, match="there are 12 clients"):
        MODEL.evaluate({**SMALL, "participation": 13}, seed=1)
