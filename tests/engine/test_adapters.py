from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import registry
from engine.contract import SettingError
from engine.models.adapters import MODEL
from engine.numerics.lru import Zipf, hit_rate, simulated_hit_rate, zipf

BEFORE: dict[str, Any] = {"rank": 64, "storage": "NVMe 4"}
AFTER: dict[str, Any] = {"method": "bias", "storage": "NVMe 5", "cache": 6e9, "skew": 1.1}


def exact(n: int, exponent: float) -> Zipf:
    weights = np.arange(1.0, n + 1.0) ** -exponent
    return Zipf(np.ones(n), weights / weights.sum())


@pytest.mark.parametrize(("exponent", "published"), [(0.8, 0.378), (1.0, 0.577)])
def test_ches_approximation_agrees_with_a_simulated_cache(
    exponent: float, published: float
) -> None:
    found = hit_rate(zipf(1000, exponent), 100)
    assert found == pytest.approx(published, abs=5e-4)
    simulated = simulated_hit_rate(
        1000, exponent, 100, requests=300_000, warm_up=20_000, seed=90001
    )
    assert found == pytest.approx(simulated, abs=2e-3)


@pytest.mark.parametrize(
    ("n", "exponent", "capacity"),
    [(1_000_000, 0.8, 300), (300_000, 1.0, 3_000), (100_000, 0.5, 50_000), (2_000, 1.2, 50)],
)
def test_binned_ranks_give_what_single_ranks_give(n: int, exponent: float, capacity: int) -> None:
    law = zipf(n, exponent)
    assert len(law.items) <= 2000
    assert law.items.sum() == n
    assert law.items @ law.each == pytest.approx(1.0)
    assert hit_rate(law, capacity) == pytest.approx(
        hit_rate(exact(n, exponent), capacity), abs=1e-6
    )


def test_a_cache_of_nothing_a_cache_of_everything_and_even_demand() -> None:
    assert hit_rate(zipf(500, 1.0), 0) == 0.0
    assert hit_rate(zipf(500, 1.0), 500) == 1.0
    assert hit_rate(zipf(50_000, 0.0), 500) == pytest.approx(0.01)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(10, 1_000_000), exponent=st.floats(0.0, 2.0), share=st.floats(0.001, 0.9))
def test_a_larger_cache_hits_more_and_never_less_than_its_share(
    n: int, exponent: float, share: float
) -> None:
    small, large = (hit_rate(zipf(n, exponent), n * part) for part in (share, share * 1.1))
    assert 0.0 < share - 1e-9 <= small < large <= 1.0


@pytest.mark.parametrize("call", [lambda: zipf(0, 1.0), lambda: zipf(10, math.nan)])
def test_no_items_and_no_exponent_are_refused(call: Any) -> None:
    with pytest.raises(ValueError, match="not"):
        call()
    with pytest.raises(ValueError, match="capacity"):
        hit_rate(zipf(10, 1.0), math.nan)


def test_the_outcome_has_what_is_declared_and_no_seed_changes_it() -> None:
    outcome = MODEL.evaluate({}, seed=1)
    assert set(outcome.metrics) == {metric.name for metric in MODEL.metrics}
    assert set(outcome.series) == {series.name for series in MODEL.series}
    assert [*MODEL.stream({}, seed=2)] == [outcome]


def test_bytes_of_an_adapter_and_of_a_million_are_exact() -> None:
    metrics = MODEL.evaluate({"rank": 16}, seed=1).metrics
    assert metrics["adapter_bytes"] == 131_072_000
    assert metrics["library_bytes"] == 131_072_000 * 10**6
    assert metrics["slots"] == 10e9 // 131_072_000
    assert metrics["spare"] == 80e9 - 4e9 - 70_553_706_496 / 2 - 10e9
    assert metrics["together"] == metrics["spare"] // (2048 * 80 * 2 * 1024 * 2)


@pytest.mark.parametrize(
    ("kept", "parameters"),
    [
        ({"method": "none"}, 0),
        ({"method": "full"}, 70_553_706_496),
        ({"method": "last", "last_k": 1}, 855_654_400),
        ({"method": "last", "last_k": 3}, 3 * 855_654_400),
        ({"method": "bias"}, (2 * 80 + 1) * 8192),
        ({"method": "lora", "rank": 16}, 65_536_000),
        ({"method": "layerwise"}, 70_553_706_496),
    ],
)
def test_a_customer_keeps_what_the_method_trained(kept: dict[str, Any], parameters: int) -> None:
    metrics = MODEL.evaluate(kept, seed=1).metrics
    assert metrics["adapter_bytes"] == 2 * parameters
    assert metrics["library_bytes"] == 2 * parameters * 10**6
    plan = {"network": "llama-3-70b", "frozen_bits": "4"} | kept
    assert registry.evaluate("adaptation", plan, seed=1).metrics["trained_parameters"] == parameters


def test_whole_models_are_not_served_at_all_and_blocks_hardly() -> None:
    block: dict[str, Any] = {"method": "last", "last_k": 1}
    for cache in (0.0, 10e9, 60e9):
        whole = MODEL.evaluate({"method": "full", "cache": cache}, seed=1)
        assert whole.metrics["served"] == whole.metrics["hit_rate"] == 0.0
        assert max(whole.series["served_by_cache"]) == 0.0
    best = max(MODEL.evaluate(block, seed=1).series["served_by_cache"])
    assert 0.0 < best < 0.2 * max(MODEL.evaluate({"rank": 8}, seed=1).series["served_by_cache"])


def test_where_nothing_is_personal_nothing_is_swapped() -> None:
    metrics = MODEL.evaluate({"method": "none"}, seed=1).metrics
    assert metrics["hit_rate"] == 100.0
    assert metrics["mean_swap"] == metrics["swap_share"] == metrics["storage_rate"] == 0.0
    assert metrics["served"] > MODEL.evaluate({"rank": 1}, seed=1).metrics["served"]


def test_only_lora_adds_arithmetic() -> None:
    slow: dict[str, Any] = {"peak_rate": 1e12, "reply": 4096, "skew": 2.0}
    step = 2 * 70_553_706_496 / 1e12
    for kept, added in (({"method": "bias"}, 0.0), ({"rank": 16}, 2 * 65_536_000 / 1e12)):
        parts = MODEL.evaluate(slow | kept, seed=1).series["token_parts"]
        assert sum(parts[:4]) == pytest.approx(step + added)


def test_adaptation_and_adapters_are_one_model_when_joined() -> None:
    setting: dict[str, Any] = {"network": "llama-3-70b", "method": "lora", "rank": 32}
    setting |= {
        "arithmetic": "mixed",
        "frozen_bits": "4",
        "batch": 2,
        "examples": 10,
        "epochs": 1,
        "cache": 12e9,
    }
    metrics = registry.evaluate("adaptation+adapters", setting, seed=1).metrics
    assert metrics["adapter_bytes"] == 2 * metrics["trained_parameters"]
    terms = registry.explain(
        "adaptation+adapters", "served", setting, setting | {"rank": 8}, seed=1
    )
    assert sum(terms.terms.values()) == pytest.approx(terms.change)
    adaptation, adapters = (
        {mechanism.id for mechanism in registry.model(name).mechanisms}
        for name in ("adaptation", "adapters")
    )
    assert not adaptation & adapters


def test_the_tiers_share_all_requests_and_the_parts_are_the_time_of_a_token() -> None:
    outcome = MODEL.evaluate({}, seed=1)
    assert sum(outcome.series["tiers"]) == pytest.approx(100.0)
    assert sum(outcome.series["token_parts"]) == pytest.approx(outcome.metrics["token_time"])
    assert outcome.metrics["served"] == pytest.approx(1 / outcome.metrics["token_time"])


def test_a_swap_takes_its_bytes_over_each_link_it_crosses() -> None:
    only_storage = {"cache": 1e9, "dram_cache": 0.0, "skew": 0.0, "rank": 16}
    fixed = {"host_fixed": 1e-3, "storage_fixed": 2e-3}
    outcome = MODEL.evaluate({**only_storage, **fixed}, seed=1)
    missed = 1 - outcome.metrics["hit_rate"] / 100
    swap = 1e-3 + 131_072_000 / 50e9 + 2e-3 + 131_072_000 / 7e9
    assert outcome.metrics["mean_swap"] == pytest.approx(missed * swap)
    assert outcome.metrics["storage_rate"] == pytest.approx(100 * missed)


def test_the_best_cache_is_neither_the_smallest_nor_the_largest() -> None:
    for rank in (4, 16, 64):
        series = MODEL.evaluate({"rank": rank}, seed=1).series
        best = int(np.argmax(series["served_by_cache"]))
        assert 0 < best < len(series["served_by_cache"]) - 1
        assert series["served_by_cache"][-1] < 0.5 * series["served_by_cache"][best]
        assert list(series["hit_by_cache"]) == sorted(series["hit_by_cache"])


def test_the_curves_reach_to_half_of_hbm_whatever_is_set() -> None:
    for setting in ({}, {"frozen_bits": "16"}, {"method": "full"}):
        series = MODEL.evaluate(setting, seed=1).series
        assert (series["cache_sizes"][0], series["cache_sizes"][-1]) == (0.0, 40e9)
    at_8 = series["cache_sizes"].index(8e9)
    here = MODEL.evaluate({"cache": 8e9}, seed=1)
    assert here.series["served_by_cache"][at_8] == here.metrics["served"]
    assert here.series["hit_by_cache"][at_8] == here.metrics["hit_rate"]


def test_a_million_adapters_swap_more_than_a_thousand() -> None:
    few, many = (MODEL.evaluate({"adapters": n}, seed=1).metrics for n in (1000, 10**6))
    assert many["swap_share"] > 5 * few["swap_share"]
    assert many["served"] < 0.9 * few["served"]


def test_one_link_for_all_swaps_bounds_what_is_served() -> None:
    hidden = {"overlap": 1.0, "reply": 4, "rank": 64}
    metrics = MODEL.evaluate(hidden, seed=1).metrics
    assert metrics["served"] == pytest.approx(4 / metrics["mean_swap"])


@pytest.mark.parametrize("setting", [{"frozen_bits": "16"}, {"cache": 60e9}, {"cache": 0.0}])
def test_what_does_not_fit_serves_nothing(setting: dict[str, Any]) -> None:
    metrics = MODEL.evaluate(setting, seed=1).metrics
    assert metrics["served"] == metrics["together"] == 0.0
    blamed = {
        "frozen_bits": "base_weights",
        "cache": "sequences" if setting.get("cache") else "adapters",
    }
    terms = MODEL.explain("served", {}, setting, seed=1)
    assert terms.largest == blamed[next(iter(setting))]
    assert sum(terms.terms.values()) == pytest.approx(terms.change)


def test_what_a_customer_keeps_moves_the_hit_rate_by_its_size() -> None:
    terms = MODEL.explain("hit_rate", {"method": "full"}, {"method": "bias"}, seed=1)
    assert terms.largest == "adapter_size"
    assert terms.terms["adapter_size"] == terms.change > 10.0


@pytest.mark.parametrize("metric", ["served", "token_time", "mean_swap", "hit_rate"])
def test_the_terms_of_a_change_sum_to_it(metric: str) -> None:
    terms = MODEL.explain(metric, BEFORE, AFTER, seed=1)
    declared = next(each.terms for each in MODEL.metrics if each.name == metric)
    assert tuple(terms.terms) == declared
    before, after = (MODEL.evaluate(s, seed=1).metrics[metric] for s in (BEFORE, AFTER))
    assert (terms.before, terms.after) == (pytest.approx(before), pytest.approx(after))
    assert sum(terms.terms.values()) == pytest.approx(after - before)
    assert terms.change != 0


def test_a_faster_drive_moves_the_storage_term_alone() -> None:
    terms = MODEL.explain("served", {}, {"storage": "NVMe 5"}, seed=1)
    assert terms.largest == "storage"
    assert terms.terms["storage"] > 0
    assert {name for name, moved in terms.terms.items() if abs(moved) > 1e-9} == {"storage"}


def test_a_metric_without_terms_cant_be_explained() -> None:
    with pytest.raises(ValueError, match="has no terms"):
        MODEL.explain("slots", {}, AFTER, seed=1)


BAD: list[Any] = [math.nan, math.inf, -math.inf, None, [], True, "nonsense", -1, 1e18]


@pytest.mark.parametrize("control", MODEL.controls, ids=lambda control: control.name)
@pytest.mark.parametrize("value", BAD, ids=repr)
def test_a_wrong_value_is_refused_at_the_border(control: Any, value: Any) -> None:
    for ask in (
        lambda s: MODEL.evaluate(s, seed=1),
        lambda s: [*MODEL.stream(s, seed=1)],
        lambda s: MODEL.explain("served", {}, s, seed=1),
    ):
        with pytest.raises(SettingError) as refused:
            ask({control.name: value})
        assert refused.value.control == control.name
