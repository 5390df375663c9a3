from __future__ import annotations

import math
from typing import Any

import pytest

from engine import registry
from engine.contract import Outcome, SettingError
from engine.models.adaptation import MODEL

SMALL = {"network": "ds-cnn", "examples": 40, "epochs": 1, "strength": 1.0}
BEFORE = {**SMALL, "method": "full", "batch": 8}
AFTER = {**SMALL, "method": "bias", "batch": 2, "optimizer": "sgd", "frozen_bits": "8"}
ACCOUNTING = {
    "peak_memory",
    "inference_memory",
    "amplification",
    "trained_parameters",
    "extra_compute",
    "update_bytes",
}


@pytest.fixture(scope="module")
def frames() -> list[Outcome]:
    return list(MODEL.stream(BEFORE, seed=5))


def test_the_last_frame_is_the_outcome(frames: list[Outcome]) -> None:
    assert frames[-1] == registry.evaluate("adaptation", BEFORE, seed=5)


def test_the_first_frame_is_the_accounting_alone(frames: list[Outcome]) -> None:
    assert len(frames) == 2
    assert set(frames[0].metrics) == ACCOUNTING
    assert set(frames[0].series) == {"memory", "kept_by_block"}


def test_the_outcome_has_every_metric_and_series_that_is_declared(frames: list[Outcome]) -> None:
    assert set(frames[-1].metrics) == {metric.name for metric in MODEL.metrics}
    assert set(frames[-1].series) == {series.name for series in MODEL.series}
    for name in ACCOUNTING:
        assert frames[-1].metrics[name] == frames[0].metrics[name]
        assert next(metric for metric in MODEL.metrics if metric.name == name).exact


def test_the_memory_map_sums_to_the_peak(frames: list[Outcome]) -> None:
    outcome = frames[-1]
    assert sum(outcome.series["memory"]) == outcome.metrics["peak_memory"]
    assert outcome.metrics["amplification"] == pytest.approx(
        outcome.metrics["peak_memory"] / outcome.metrics["inference_memory"]
    )
    assert outcome.series["learning"][-1] == outcome.metrics["accuracy"]


def test_the_seed_changes_what_is_measured_and_never_the_accounting(
    frames: list[Outcome],
) -> None:
    other = MODEL.evaluate(BEFORE, seed=6)
    assert other.series["learning"] != frames[-1].series["learning"]
    assert {name: other.metrics[name] for name in ACCOUNTING} == dict(frames[0].metrics)


def test_the_same_request_gives_the_same_bits(frames: list[Outcome]) -> None:
    assert MODEL.evaluate(BEFORE, seed=5) == frames[-1]


@pytest.mark.parametrize("metric", ["peak_memory", "accuracy"])
def test_the_terms_of_a_change_sum_to_it(metric: str) -> None:
    terms = MODEL.explain(metric, BEFORE, AFTER, seed=5)
    declared = next(each.terms for each in MODEL.metrics if each.name == metric)
    assert tuple(terms.terms) == declared
    before, after = (MODEL.evaluate(s, seed=5).metrics[metric] for s in (BEFORE, AFTER))
    assert (terms.before, terms.after) == (pytest.approx(before), pytest.approx(after))
    assert sum(terms.terms.values()) == pytest.approx(after - before, abs=1e-9)
    assert terms.change != 0


def test_nothing_changed_is_nothing_to_explain() -> None:
    for metric in ("peak_memory", "accuracy"):
        assert set(MODEL.explain(metric, BEFORE, BEFORE, seed=5).terms.values()) == {0.0}


def test_one_control_moves_the_term_that_it_belongs_to() -> None:
    terms = MODEL.explain("accuracy", BEFORE, {**BEFORE, "strength": 0.2}, seed=5).terms
    assert {name for name, moved in terms.items() if moved} == {"domain"}
    batch = MODEL.explain("peak_memory", BEFORE, {**BEFORE, "batch": 1}, seed=5).terms
    assert {name for name, moved in batch.items() if moved} == {"activations"}


def test_recomputing_saves_activations_and_costs_arithmetic_and_no_accuracy() -> None:
    plain = MODEL.evaluate(SMALL, seed=1)
    again = MODEL.evaluate({**SMALL, "recompute": "best"}, seed=1)
    assert again.metrics["peak_memory"] < plain.metrics["peak_memory"]
    assert again.metrics["accuracy"] == plain.metrics["accuracy"]
    assert plain.metrics["extra_compute"] == 0.0 < again.metrics["extra_compute"] < 34.0
    assert sum(again.series["kept_by_block"]) < sum(plain.series["kept_by_block"])
    terms = MODEL.explain("peak_memory", SMALL, {**SMALL, "recompute": "best"}, seed=1).terms
    assert {name for name, moved in terms.items() if moved} == {"activations"}


def test_a_layer_wise_job_sends_everything_and_holds_one_block() -> None:
    full = MODEL.evaluate(SMALL, seed=1).metrics
    turns = MODEL.evaluate({**SMALL, "method": "layerwise"}, seed=1).metrics
    assert turns["update_bytes"] == full["update_bytes"]
    assert turns["peak_memory"] < full["peak_memory"]


@pytest.mark.parametrize(
    ("change", "term"),
    [({"arithmetic": "int8"}, "rounding"), ({"method": "sparse", "last_k": 9}, "capacity")],
)
def test_new_ways_to_train_belong_to_their_terms(change: dict[str, Any], term: str) -> None:
    terms = MODEL.explain("accuracy", BEFORE, {**BEFORE, **change}, seed=5).terms
    assert {name for name, moved in terms.items() if moved} == {term}


def test_a_metric_without_terms_cant_be_explained() -> None:
    with pytest.raises(ValueError, match="has no terms"):
        MODEL.explain("amplification", BEFORE, AFTER, seed=5)


BAD: list[Any] = [math.nan, math.inf, -math.inf, None, [], True, "nonsense", -1, 10**9, 0.123]


@pytest.mark.parametrize("control", MODEL.controls, ids=lambda control: control.name)
@pytest.mark.parametrize("value", BAD, ids=repr)
def test_a_wrong_value_is_refused_at_the_border(control: Any, value: Any) -> None:
    if (control.kind, value) == ("number", 0.123) or (control.kind, value) == ("switch", True):
        return
    for ask in (
        lambda s: MODEL.evaluate(s, seed=1),
        lambda s: MODEL.explain("accuracy", s, BEFORE, seed=1),
        lambda s: MODEL.explain("peak_memory", BEFORE, s, seed=1),
    ):
        with pytest.raises(SettingError) as refused:
            ask({**SMALL, control.name: value})
        assert refused.value.control == control.name


def test_an_unknown_control_is_refused() -> None:
    with pytest.raises(SettingError, match="known controls: network"):
        MODEL.evaluate({"speed": 1}, seed=1)


def test_more_layers_than_the_network_has_are_refused() -> None:
    with pytest.raises(SettingError, match="ds-cnn has") as refused:
        MODEL.evaluate({**SMALL, "method": "last", "last_k": 60}, seed=1)
    assert (refused.value.control, refused.value.value) == ("last_k", 60)


def test_layers_that_are_not_asked_for_do_not_matter() -> None:
    many = MODEL.evaluate({**SMALL, "method": "bias", "last_k": 60}, seed=1)
    assert (
        many.metrics["peak_memory"]
        == MODEL.evaluate({**SMALL, "method": "bias"}, seed=1).metrics["peak_memory"]
    )
