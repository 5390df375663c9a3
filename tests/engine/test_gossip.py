from __future__ import annotations

import math
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contract import Outcome, SettingError
from engine.models.gossip import MODEL, NEVER
from engine.numerics import mesh, softmax
from engine.numerics.mesh import Mesh, components, lossy, metropolis, modulus
from engine.numerics.partition import deal, mixes

SMALL: dict[str, Any] = {"nodes": 25, "rounds": 3, "radio_range": 30.0, "examples": 10}
AFTER: dict[str, Any] = {**SMALL, "mixes": 6, "link_loss": 0.4, "alpha": 5.0, "radio_range": 45.0}
FRESH = (71101, 71102, 71103)


@pytest.fixture(scope="module")
def frames() -> list[Outcome]:
    return list(MODEL.stream(SMALL, seed=5))


@pytest.mark.parametrize("n", [5, 100, 399])
def test_the_ring_mixes_as_fast_as_its_formula_says(n: int) -> None:
    ring = metropolis(mesh.mesh("ring", n, 0.0, 1))
    assert modulus(ring) == pytest.approx(1 - 2 / 3 * (1 - math.cos(2 * math.pi / n)), abs=1e-12)


def test_a_grid_has_whole_rows_and_the_rest_of_one() -> None:
    grid = mesh.mesh("grid", 11, 0.0, 1)  # 3 wide: 3, 3, 3, 2
    assert grid.links.sum() == 2 * (3 * 2 + 1 + 3 * 2 + 2)
    assert components(grid).max() == 0
    assert grid.degrees.max() == 4


def test_everybody_hearing_everybody_agrees_at_once() -> None:
    whole = metropolis(mesh.mesh("geometric", 30, 2.0, 1))
    np.testing.assert_allclose(whole, 1 / 30)
    assert modulus(whole) == pytest.approx(0.0, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    topology=st.sampled_from(mesh.TOPOLOGIES),
    n=st.integers(3, 60),
    radius=st.floats(0.0, 1.0),
    seed=st.integers(0, 99),
)
def test_metropolis_weights_are_symmetric_and_keep_the_mean(
    topology: mesh.Topology, n: int, radius: float, seed: int
) -> None:
    found = mesh.mesh(topology, n, radius, seed)
    weights = metropolis(found)
    np.testing.assert_array_equal(weights, weights.T)
    np.testing.assert_allclose(weights.sum(axis=0), 1.0, atol=1e-12)
    assert weights.min() >= -1e-15
    assert not found.links.diagonal().any()
    # One eigenvalue of 1 for each part of the mesh.
    parts = components(found).max() + 1
    assert (modulus(weights) > 1 - 1e-9) == (parts > 1)


def test_a_longer_range_only_adds_links() -> None:
    near, far = (mesh.mesh("geometric", 80, radius, 4).links for radius in (0.1, 0.2))
    assert (far | ~near).all()
    assert far.sum() > near.sum()


def test_components_are_what_can_be_reached() -> None:
    links = np.zeros((6, 6), dtype=np.bool_)
    for a, b in ((0, 3), (3, 5), (1, 2)):
        links[a, b] = links[b, a] = True
    assert components(Mesh(links)).tolist() == [0, 1, 1, 0, 2, 0]


def test_the_spectral_bound_holds_at_every_mix_and_is_reached_in_the_end() -> None:
    weights = metropolis(mesh.mesh("geometric", 60, 0.3, 2))
    error, drift = mesh.agree(weights, 0.0, "symmetric", mixes=60, seed=3)
    bound = modulus(weights) ** np.arange(61)
    assert (error <= bound + 1e-12).all()
    assert error[-1] / error[-2] == pytest.approx(modulus(weights), rel=1e-2)
    assert drift < 1e-12


@pytest.mark.parametrize("loss", [0.1, 0.5, 0.9])
def test_symmetric_loss_keeps_the_mean_and_one_way_loss_moves_it(loss: float) -> None:
    weights = metropolis(mesh.mesh("geometric", 60, 0.3, 2))
    _, kept = mesh.agree(weights, loss, "symmetric", mixes=40, seed=3)
    _, moved = mesh.agree(weights, loss, "one-way", mixes=40, seed=3)
    assert kept < 1e-12
    assert moved > 1e-5


def test_a_failed_link_leaves_a_node_its_own_value() -> None:
    weights = metropolis(mesh.mesh("ring", 5, 0.0, 1))
    draws = np.ones((5, 5))
    draws[0, 1] = 0.0
    one_way = lossy(weights, draws, 0.5, "one-way")
    assert one_way[0, 1] == 0.0
    assert one_way[0, 0] == pytest.approx(2 / 3)
    assert one_way[1, 0] == weights[1, 0]
    both = lossy(weights, draws, 0.5, "symmetric")
    assert both[0, 1] == both[1, 0] == 0.0
    np.testing.assert_allclose(both.sum(axis=0), 1.0)


def test_all_alike_and_fully_mixed_is_one_model_and_alone_is_without_mixes() -> None:
    clients = deal(mixes(12, 1.0, seed=3), 10, seed=3)
    whole = metropolis(mesh.mesh("geometric", 12, 2.0, 3))
    plan = mesh.Plan(local_epochs=1, batch=10, learning_rate=0.3, mixes=1)
    last = list(islice(mesh.learn(clients, whole, plan, seed=3), 4))[-1]
    assert mesh.disagreement(last.mixed) < 1e-12
    assert mesh.disagreement(last.alone) > 0.5
    lonely = mesh.Plan(local_epochs=1, batch=10, learning_rate=0.3, mixes=0)
    alone = list(islice(mesh.learn(clients, whole, lonely, seed=3), 4))[-1]
    np.testing.assert_array_equal(alone.mixed, alone.alone)
    np.testing.assert_array_equal(alone.alone, last.alone)


def test_one_full_batch_step_and_a_full_mix_is_gradient_descent_on_all_data() -> None:
    clients = deal(mixes(9, 0.5, seed=4), 8, seed=4)
    whole = metropolis(mesh.mesh("geometric", 9, 2.0, 4))
    plan = mesh.Plan(local_epochs=1, batch=8, learning_rate=0.2, mixes=1)
    last = list(islice(mesh.learn(clients, whole, plan, seed=4), 5))[-1]
    pooled = np.zeros((1, 65, 10))
    for _ in range(5):
        softmax.step(pooled, clients.images.reshape(1, -1, 65), clients.labels.reshape(1, -1), 0.2)
    np.testing.assert_allclose(last.mixed, np.repeat(pooled, 9, axis=0), atol=1e-12)


def test_the_last_frame_is_the_outcome_and_every_round_has_one(frames: list[Outcome]) -> None:
    assert len(frames) == 3
    assert frames[-1] == MODEL.evaluate(SMALL, seed=5)
    for number, frame in enumerate(frames, 1):
        assert set(frame.metrics) == {metric.name for metric in MODEL.metrics}
        assert set(frame.series) == {series.name for series in MODEL.series}
        assert len(frame.series["learning"]) == number
    assert frames[1].series["learning"] == frames[2].series["learning"][:2]


def test_bytes_and_joules_are_counts_times_prices(frames: list[Outcome]) -> None:
    metrics = frames[-1].metrics
    sent, degree = 3 * 2 * 5424.0, metrics["degree"]
    assert metrics["sent_bytes"] == sent
    assert metrics["received_bytes"] == pytest.approx(sent * degree)
    bits = 2 * 5424 * 8
    joules = bits * (50e-9 + 100e-12 * 30.0**2 + degree * 50e-9)
    assert metrics["joules"] == pytest.approx(joules, rel=1e-12)
    assert metrics["power"] == pytest.approx(joules / 86400, rel=1e-12)
    assert sum(frames[-1].series["energy"]) == pytest.approx(joules, rel=1e-12)


def test_a_mesh_in_pieces_says_so_and_never_agrees() -> None:
    metrics = MODEL.evaluate({**SMALL, "radio_range": 5.0}, seed=5).metrics
    assert metrics["components"] > 1
    assert metrics["largest"] < 100
    assert metrics["modulus"] == 1.0
    assert metrics["halving_mixes"] == NEVER


def test_mixing_beats_learning_alone_on_all_digits_on_every_fresh_seed() -> None:
    for seed in FRESH:
        metrics = MODEL.evaluate({}, seed=seed).metrics
        assert metrics["gain"] > 35
        assert metrics["gain_own"] > 0


def test_reach_and_mixes_help_less_each_time_and_pieces_hurt() -> None:
    def mean(**changes: Any) -> float:
        setting = {"nodes": 49, "side": 70.0, **changes}  # as dense as a hundred on 100 m
        found = [MODEL.evaluate(setting, seed=seed).metrics["accuracy"] for seed in FRESH]
        return float(np.mean(found))

    once, often, most = (mean(mixes=mixes) for mixes in (1, 4, 16))
    assert once + 5 < often < most
    assert most - often < often - once
    pieces, whole = mean(radio_range=9.0), mean(radio_range=30.0)
    assert pieces + 20 < whole


def test_much_mixing_far_around_helps_everybody_and_costs_each_what_is_its_own() -> None:
    for seed in FRESH:
        near = {"nodes": 49, "side": 70.0, "radio_range": 40.0}
        once, often = (MODEL.evaluate({**near, "mixes": m}, seed=seed).metrics for m in (1, 16))
        assert often["accuracy"] > once["accuracy"]
        assert often["accuracy_own"] < once["accuracy_own"]


def test_users_with_few_classes_do_better_alone_on_what_is_their_own() -> None:
    own = [MODEL.evaluate({"alpha": 0.05}, seed=seed).metrics["gain_own"] for seed in FRESH]
    assert np.mean(own) < -3


@pytest.mark.parametrize("metric", ["accuracy", "gain_own", "disagreement", "joules", "power"])
def test_the_terms_of_a_change_sum_to_it(metric: str) -> None:
    terms = MODEL.explain(metric, SMALL, AFTER, seed=5)
    declared = next(each.terms for each in MODEL.metrics if each.name == metric)
    assert tuple(terms.terms) == declared
    before, after = (MODEL.evaluate(s, seed=5).metrics[metric] for s in (SMALL, AFTER))
    assert (terms.before, terms.after) == (pytest.approx(before), pytest.approx(after))
    assert sum(terms.terms.values()) == pytest.approx(after - before, abs=1e-9)
    assert terms.change != 0


def test_one_control_moves_the_term_that_it_belongs_to() -> None:
    terms = MODEL.explain("accuracy", SMALL, {**SMALL, "mixes": 8}, seed=5).terms
    assert {name for name, moved in terms.items() if moved} == {"mixing"}
    prices = MODEL.explain("joules", SMALL, {**SMALL, "amplifier": 10.0}, seed=5).terms
    assert {name for name, moved in prices.items() if moved} == {"amplifier"}


def test_a_metric_without_terms_cant_be_explained() -> None:
    with pytest.raises(ValueError, match="has no terms"):
        MODEL.explain("modulus", SMALL, AFTER, seed=5)


def test_the_seed_moves_what_is_measured(frames: list[Outcome]) -> None:
    other = MODEL.evaluate(SMALL, seed=6)
    assert other.series["learning"] != frames[-1].series["learning"]


@pytest.mark.parametrize(
    "call",
    [
        lambda: mesh.mesh("ring", 2, 0.1, 1),
        lambda: mesh.mesh("ring", 401, 0.1, 1),
        lambda: mesh.mesh("star", 9, 0.1, 1),
        lambda: mesh.mesh("geometric", 9, math.nan, 1),
    ],
)
def test_a_mesh_out_of_range_is_refused(call: Any) -> None:
    with pytest.raises(ValueError, match="not"):
        call()


BAD: list[Any] = [math.nan, math.inf, -math.inf, None, [], True, "nonsense", -1, 1e18]


@pytest.mark.parametrize("control", MODEL.controls, ids=lambda control: control.name)
@pytest.mark.parametrize("value", BAD, ids=repr)
def test_a_wrong_value_is_refused_at_the_border(control: Any, value: Any) -> None:
    for ask in (
        lambda s: MODEL.evaluate(s, seed=1),
        lambda s: next(iter(MODEL.stream(s, seed=1))),
        lambda s: MODEL.explain("joules", SMALL, s, seed=1),
    ):
        with pytest.raises(SettingError) as refused:
            ask({**SMALL, control.name: value})
        assert refused.value.control == control.name
