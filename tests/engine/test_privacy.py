from __future__ import annotations

import math
from itertools import islice
from typing import Any

import numpy as np
import pytest

from engine.contract import Outcome, SettingError
from engine.models.privacy import MODEL
from engine.numerics import softmax
from engine.numerics.accountant import epsilon, sigma_for
from engine.numerics.partition import deal, mixes
from engine.numerics.private import PARAMETERS, Plan, learn, signal_to_noise

SMALL: dict[str, Any] = {"clients": 40, "rounds": 3, "examples": 10, "local_epochs": 1}
AFTER: dict[str, Any] = {**SMALL, "epsilon": 50.0, "clip": 1.0, "clients": 300, "rounds": 8}
FRESH = (72101, 72102, 72103)


@pytest.fixture(scope="module")
def frames() -> list[Outcome]:
    return list(MODEL.stream(SMALL, seed=5))


def mean(metric: str, **changes: Any) -> float:
    return float(np.mean([MODEL.evaluate(changes, seed=s).metrics[metric] for s in FRESH]))


def test_everybody_without_clip_or_noise_is_gradient_descent_on_all_data() -> None:
    clients = deal(mixes(12, 0.5, seed=4), 8, seed=4)
    plan = Plan(1.0, clip=1e9, noise=0.0, local_epochs=1, batch=8, learning_rate=0.2)
    last = list(islice(learn(clients, plan, seed=4), 5))[-1]
    pooled = np.zeros((1, 65, 10))
    for _ in range(5):
        softmax.step(pooled, clients.images.reshape(1, -1, 65), clients.labels.reshape(1, -1), 0.2)
    np.testing.assert_allclose(last.parameters[0], pooled[0], atol=1e-12)
    np.testing.assert_array_equal(last.parameters[0], last.parameters[1])
    assert (last.cohort, last.clipped, last.noise) == (12, 0.0, 0.0)


def test_no_client_moves_the_model_by_more_than_the_clip_over_qk() -> None:
    clients = deal(mixes(30, 0.1, seed=4), 10, seed=4)
    plan = Plan(0.2, clip=0.1, noise=0.0, learning_rate=1.0)
    before = np.zeros((65, 10))
    for now in islice(learn(clients, plan, seed=4), 6):
        moved = np.linalg.norm(now.parameters[0] - before)
        assert moved <= now.cohort * 0.1 / (0.2 * 30) + 1e-12
        assert now.signal == pytest.approx(moved)
        assert now.clipped == (1.0 if now.cohort else 0.0)
        before = now.parameters[0]


def test_the_denominator_is_fixed_however_many_come() -> None:
    clients = deal(mixes(20, 100.0, seed=6), 10, seed=6)
    plan = Plan(0.1, clip=1e-6, noise=0.0)
    rounds = list(islice(learn(clients, plan, seed=6), 40))
    cohorts = [now.cohort for now in rounds]
    assert min(cohorts) == 0 < max(cohorts)
    for now in rounds:  # clipped to a millionth, updates are all as long, and nearly parallel
        assert now.signal <= now.cohort * 1e-6 / 2.0 * (1 + 1e-9)
    assert max(now.signal for now in rounds) > 1e-6


@pytest.mark.parametrize(("aggregation", "voices"), [("central", 1), ("local", None)])
def test_noise_is_as_long_as_its_deviation_says(aggregation: Any, voices: int | None) -> None:
    clients = deal(mixes(50, 100.0, seed=6), 5, seed=6)
    plan = Plan(0.4, clip=0.5, noise=3.0, aggregation=aggregation, local_epochs=1)
    for now in islice(learn(clients, plan, seed=6), 10):
        expected = 3.0 * 0.5 * math.sqrt((voices or now.cohort) * PARAMETERS) / (0.4 * 50)
        assert now.noise == pytest.approx(expected, rel=0.12)


def test_the_twin_is_what_no_noise_would_have_been() -> None:
    clients = deal(mixes(30, 1.0, seed=4), 10, seed=4)
    noisy, quiet = (
        list(islice(learn(clients, Plan(0.3, clip=0.5, noise=z), seed=4), 4))[-1]
        for z in (5.0, 0.0)
    )
    np.testing.assert_array_equal(noisy.parameters[1], quiet.parameters[0])
    assert noisy.cohort == quiet.cohort


def test_the_bound_is_m_over_z_root_d_and_refuses_nothing_at_all() -> None:
    assert signal_to_noise(1000, 2.0, 2500) == 10.0
    for bad in ((0, 1, 1), (1, 0, 1), (1, 1, 0), (math.nan, 1, 1)):
        with pytest.raises(ValueError, match="above 0"):
            signal_to_noise(*bad)


def test_the_last_frame_is_the_outcome_and_every_round_has_one(frames: list[Outcome]) -> None:
    assert len(frames) == 3
    assert frames[-1] == MODEL.evaluate(SMALL, seed=5)
    for number, frame in enumerate(frames, 1):
        assert set(frame.metrics) == {metric.name for metric in MODEL.metrics}
        assert set(frame.series) == {series.name for series in MODEL.series}
        assert len(frame.series["gauge"]) == number
        assert frame.series["gauge"][-1] == frame.metrics["epsilon_spent"]


def test_the_gauge_rises_to_the_promise_and_not_above_it(frames: list[Outcome]) -> None:
    gauge = frames[-1].series["gauge"]
    assert list(gauge) == sorted(gauge)
    assert 1.0 - 1e-6 < gauge[-1] <= 1.0
    metrics = frames[-1].metrics
    assert epsilon(0.1, metrics["noise"], 3, metrics["delta"]) == pytest.approx(gauge[-1])


def test_the_true_size_is_accounted_with_its_own_noise() -> None:
    setting = {**SMALL, "fleet": 10_000, "cohort": 1_000, "update_parameters": 640_000}
    metrics = MODEL.evaluate(setting, seed=5).metrics
    noise = sigma_for(1.0, 0.1, 3, 10_000**-1.1)
    assert metrics["true_noise"] == noise
    assert metrics["bound"] == pytest.approx(1000 / (noise * 800))
    assert metrics["run_bound"] == pytest.approx(math.sqrt(3) * metrics["bound"])
    assert metrics["client_passes"] == 3 * 1000 * 1
    assert metrics["standin_passes"] == pytest.approx(3 * 0.1 * 40 * 1)


def test_local_noise_has_no_amplification_and_only_the_root_of_the_crowd() -> None:
    setting = {**SMALL, "aggregation": "local", "fleet": 10_000, "cohort": 1_000}
    metrics = MODEL.evaluate(setting, seed=5).metrics
    assert metrics["true_noise"] == sigma_for(1.0, 1.0, 3, 10_000**-1.1)
    assert metrics["bound"] == pytest.approx(math.sqrt(1000) / (metrics["true_noise"] * 1000))


def test_a_promise_costs_more_the_smaller_it_is() -> None:
    ladder = [mean("accuracy", epsilon=e) for e in (0.3, 1.0, 4.0)]
    assert ladder[0] + 15 < ladder[1]
    assert ladder[1] + 4 < ladder[2]
    assert ladder[2] < mean("accuracy_noise_free", epsilon=4.0)


def test_a_crowd_pays_for_the_noise() -> None:
    crowd = [mean("price", clients=k) for k in (100, 200, 1000)]
    assert crowd[0] > crowd[1] + 8 > crowd[2] + 12
    assert crowd[2] < 3


def test_the_best_clip_norm_is_well_below_the_median_norm_and_neither_end_is_good() -> None:
    norm = mean("update_norm")
    best, tiny, twice, huge = (mean("accuracy", clip=c) for c in (0.5, 0.03, 2 * norm, 10 * norm))
    assert norm > 0.8
    assert best > tiny + 3
    assert best > twice + 8
    assert twice > huge + 15


def test_local_noise_leaves_nothing_where_central_noise_leaves_most() -> None:
    assert mean("accuracy", aggregation="local") < 30
    assert mean("accuracy") > 60


@pytest.mark.parametrize("metric", ["accuracy", "price", "slice_recall", "bound", "run_bound"])
def test_the_terms_of_a_change_sum_to_it(metric: str) -> None:
    after = {**AFTER, "cohort": 50_000, "update_parameters": 5_000, "alpha": 10.0}
    terms = MODEL.explain(metric, SMALL, after, seed=5)
    declared = next(each.terms for each in MODEL.metrics if each.name == metric)
    assert tuple(terms.terms) == declared
    before, later = (MODEL.evaluate(s, seed=5).metrics[metric] for s in (SMALL, after))
    assert (terms.before, terms.after) == (pytest.approx(before), pytest.approx(later))
    assert sum(terms.terms.values()) == pytest.approx(later - before, abs=1e-9)
    assert terms.change != 0


def test_one_control_moves_the_term_that_it_belongs_to() -> None:
    terms = MODEL.explain("accuracy", SMALL, {**SMALL, "epsilon": 20.0}, seed=5).terms
    assert {name for name, moved in terms.items() if moved} == {"promise"}


def test_a_metric_without_terms_cant_be_explained() -> None:
    with pytest.raises(ValueError, match="has no terms"):
        MODEL.explain("noise", SMALL, AFTER, seed=5)


def test_more_users_a_round_than_there_are_is_refused() -> None:
    with pytest.raises(SettingError, match="the fleet has 100 users") as refused:
        MODEL.evaluate({**SMALL, "fleet": 100, "cohort": 101}, seed=5)
    assert refused.value.control == "cohort"


def test_the_seed_moves_what_is_measured_and_never_the_accounting(frames: list[Outcome]) -> None:
    other = MODEL.evaluate(SMALL, seed=6)
    assert other.series["learning"] != frames[-1].series["learning"]
    exact = {metric.name for metric in MODEL.metrics if metric.exact}
    assert {n: other.metrics[n] for n in exact} == {n: frames[-1].metrics[n] for n in exact}


@pytest.mark.parametrize("epsilon_", [0.1, 50.0])
@pytest.mark.parametrize("fleet", [20, 10**10])
@pytest.mark.parametrize("aggregation", ["central", "local"])
def test_every_corner_of_the_promise_has_its_noise(
    epsilon_: float, fleet: int, aggregation: str
) -> None:
    corner = {"epsilon": epsilon_, "fleet": fleet, "cohort": 20, "aggregation": aggregation}
    for rounds in (1, 100):
        asked = {**SMALL, **corner, "rounds": rounds, "clients": 20}
        assert next(iter(MODEL.stream(asked, seed=1))).metrics["true_noise"] > 0


BAD: list[Any] = [math.nan, math.inf, -math.inf, None, [], True, "nonsense", -1, 0.0, 1e18]


@pytest.mark.parametrize("control", MODEL.controls, ids=lambda control: control.name)
@pytest.mark.parametrize("value", BAD, ids=repr)
def test_a_wrong_value_is_refused_at_the_border(control: Any, value: Any) -> None:
    for ask in (
        lambda s: MODEL.evaluate(s, seed=1),
        lambda s: next(iter(MODEL.stream(s, seed=1))),
        lambda s: MODEL.explain("bound", SMALL, s, seed=1),
    ):
        with pytest.raises(SettingError) as refused:
            ask({**SMALL, control.name: value})
        assert refused.value.control == control.name
