from __future__ import annotations

import math
from typing import Any

import pytest

from engine import registry
from engine.contract import SettingError
from engine.models.energy import MODEL
from engine.numerics.memory import Plan, training_memory
from engine.numerics.networks import NAMES, network
from engine.numerics.work import training_work

GLASSES: dict[str, Any] = {"network": "whisper-tiny-encoder", "frozen_bits": "16", "batch": 4}
BEFORE: dict[str, Any] = GLASSES | {"method": "full"}
AFTER: dict[str, Any] = GLASSES | {
    "method": "lora",
    "batch": 1,
    "radio_up": 50.0,
    "battery": 3000.0,
}


def test_the_outcome_has_what_is_declared_and_no_seed_changes_it() -> None:
    outcome = MODEL.evaluate({}, seed=1)
    assert set(outcome.metrics) == {metric.name for metric in MODEL.metrics}
    assert set(outcome.series) == {series.name for series in MODEL.series}
    assert [*MODEL.stream({}, seed=2)] == [outcome]


def test_a_single_linear_layer_costs_what_its_matrix_says() -> None:
    found = network("ds-cnn")
    work = training_work(found, Plan("last", k=1))
    layer = next(layer for layer in found.layers if layer.name == found.classifier)
    assert work.forward == found.macs
    # Nothing before it learns, so its input needs no gradient.
    assert work.backward == layer.weights
    assert work.update == 4 * layer.parameters


@pytest.mark.parametrize("name", [n for n in NAMES if n != "llama-3-70b"])
def test_full_training_costs_about_three_forward_passes(name: str) -> None:
    work = training_work(network(name), Plan("full"))
    assert 2.8 < (work.forward + work.backward) / work.forward <= 3.0


@pytest.mark.parametrize("name", [n for n in NAMES if n != "llama-3-70b"])
def test_biases_need_no_weight_gradients_but_every_input_gradient(name: str) -> None:
    full, bias = (training_work(network(name), Plan(method)) for method in ("full", "bias"))
    found = network(name)
    own = sum(layer.macs for layer in found.layers if layer.weights and not layer.fixed)
    classifier = sum(layer.macs for layer in found.layers if layer.name == found.classifier)
    assert full.backward - bias.backward == own - classifier
    assert bias.kept_moved <= full.kept_moved


def test_a_second_sample_adds_activations_and_no_weights_to_a_step() -> None:
    one, two = (training_work(network("resnet-50"), Plan("full", batch=b)) for b in (1, 2))
    assert one.weights_moved == two.weights_moved
    assert one.update_moved == two.update_moved
    assert two.kept_moved == 2 * one.kept_moved


def test_a_night_is_the_sum_of_counts_times_prices() -> None:
    setting: dict[str, Any] = {"network": "ds-cnn", "batch": 4, "examples": 10, "epochs": 3}
    prices = {"mac_energy": 2.0, "byte_energy": 3.0, "radio_up": 5.0, "radio_down": 7.0}
    more = {"sessions": 2, "syncs": 4, "awake_power": 0.5, "mac_rate": 1e6, "battery": 100.0}
    metrics = MODEL.evaluate({**setting, **prices, **more}, seed=1).metrics
    plan = Plan("full", batch=4, frozen_bits=32, optimizer="adam")
    memory, work = training_memory(network("ds-cnn"), plan), training_work(network("ds-cnn"), plan)
    macs = 2 * 3 * 10 * (work.forward + work.backward)
    moved = 2 * 3 * 3 * (work.weights_moved + work.kept_moved + work.update_moved)
    assert work.kept_moved == 2 * memory.written == 2 * memory.kept
    assert work.update_moved == 2 * (memory.gradients + memory.optimizer) + memory.trained_weights
    assert metrics["macs"] == macs
    assert metrics["moved_bytes"] == moved
    assert metrics["sent_bytes"] == 2 * 4 * memory.trained_weights
    assert metrics["seconds"] == pytest.approx(macs / 1e6)
    joules = macs * 2e-12 + moved * 3e-12 + 4 * memory.trained_weights * 8 * 12e-9
    joules += macs / 1e6 * 0.5
    assert metrics["joules"] == pytest.approx(joules, rel=1e-12)
    assert metrics["battery_share"] == pytest.approx(joules, rel=1e-12)
    assert metrics["mean_power"] == pytest.approx(joules / 86400, rel=1e-12)


def test_the_parts_sum_to_the_joules() -> None:
    outcome = MODEL.evaluate({}, seed=1)
    assert sum(outcome.series["energy"]) == pytest.approx(outcome.metrics["joules"], rel=1e-12)


def test_learning_a_sample_costs_about_three_times_inferring_it_and_less_if_less_learns() -> None:
    ratio = {
        method: MODEL.evaluate(GLASSES | {"method": method, "last_k": 1}, seed=1).metrics[
            "against_inference"
        ]
        for method in ("full", "lora", "bias", "last")
    }
    assert 3.0 < ratio["full"] < 4.0
    assert ratio["last"] < min(ratio["lora"], ratio["bias"]) < ratio["full"]
    # Neither a small rank nor biases alone save the backward pass: memory, not energy.
    assert min(ratio["lora"], ratio["bias"]) > 0.7 * ratio["full"]


def test_a_night_without_sessions_costs_its_syncs_alone() -> None:
    metrics = MODEL.evaluate({"sessions": 0}, seed=1).metrics
    assert metrics["macs"] == metrics["against_inference"] == 0.0
    assert metrics["joules"] > 0.0
    assert MODEL.evaluate({"sessions": 0, "syncs": 0}, seed=1).metrics["joules"] == 0.0


@pytest.mark.parametrize("metric", ["joules", "battery_share", "mean_power", "seconds", "macs"])
def test_the_terms_of_a_change_sum_to_it(metric: str) -> None:
    terms = MODEL.explain(metric, BEFORE, AFTER, seed=1)
    declared = next(each.terms for each in MODEL.metrics if each.name == metric)
    assert tuple(terms.terms) == declared
    before, after = (MODEL.evaluate(s, seed=1).metrics[metric] for s in (BEFORE, AFTER))
    assert (terms.before, terms.after) == (pytest.approx(before), pytest.approx(after))
    assert sum(terms.terms.values()) == pytest.approx(after - before)
    assert terms.change < 0


def test_what_runs_again_costs_arithmetic_time_and_traffic() -> None:
    plain, again = GLASSES | {"sessions": 2}, GLASSES | {"sessions": 2, "recompute": "best"}
    for metric in ("seconds", "macs"):
        terms = MODEL.explain(metric, plain, again, seed=1)
        assert {name for name, moved in terms.terms.items() if moved} == {"again"}
        assert 0.15 < terms.change / terms.before < 1 / 3
    joules = MODEL.explain("joules", plain, again, seed=1).terms
    moved = {name for name, change in joules.items() if change}
    # What crosses a cut between blocks is what the next block's norm would keep: no byte more.
    assert moved == {"again", "weights_moved", "awake"}


def test_training_nothing_costs_nothing() -> None:
    metrics = MODEL.evaluate(GLASSES | {"method": "none", "syncs": 9}, seed=1).metrics
    assert metrics["joules"] == metrics["macs"] == metrics["sent_bytes"] == 0.0
    assert metrics["inference_joules"] > 0.0


def test_layer_wise_work_is_the_mean_of_its_turns() -> None:
    found = network("ds-cnn")
    whole, turns = (training_work(found, Plan(method)) for method in ("full", "layerwise"))
    blocks = len(found.blocks)
    trained = [sum(la.macs for la in found.layers if la.block == b) for b in range(blocks)]
    # Behind the block that learns, every layer passes a gradient on to it.
    through = [sum(la.macs for la in found.layers if la.block > b) for b in range(blocks)]
    inside = 0
    for b in range(blocks):
        _first, *rest = [la.macs for la in found.layers if la.block == b and la.weights]
        inside += sum(rest)
    assert turns.backward == (sum(trained) + sum(through) + inside) // blocks
    assert turns.update == whole.update


def test_a_share_of_the_channels_costs_its_share_of_the_weight_gradients() -> None:
    found = network("ds-cnn")
    every, eighth = (training_work(found, Plan("sparse", k=10, channels=c)) for c in (1, 8))
    chosen = [la for la in found.layers if la.role in found.targets and la.d_out]
    whole = sum(la.macs for la in chosen if la.name != found.classifier)
    assert every.backward - eighth.backward == whole * 7 // 8


def test_a_cheaper_bit_moves_the_radio_alone() -> None:
    terms = MODEL.explain("joules", {}, {"radio_up": 10.0}, seed=1).terms
    assert {name for name, moved in terms.items() if moved} == {"radio"}


def test_a_metric_without_terms_cant_be_explained() -> None:
    with pytest.raises(ValueError, match="has no terms"):
        MODEL.explain("sent_bytes", {}, AFTER, seed=1)


def test_more_layers_than_the_network_has_are_refused() -> None:
    with pytest.raises(SettingError, match="whisper-tiny-encoder has 4") as refused:
        MODEL.evaluate(GLASSES | {"method": "last", "last_k": 5}, seed=1)
    assert refused.value.control == "last_k"


BAD: list[Any] = [math.nan, math.inf, -math.inf, None, [], True, "nonsense", -1, 1e18]


@pytest.mark.parametrize("control", MODEL.controls, ids=lambda control: control.name)
@pytest.mark.parametrize("value", BAD, ids=repr)
def test_a_wrong_value_is_refused_at_the_border(control: Any, value: Any) -> None:
    for ask in (
        lambda s: MODEL.evaluate(s, seed=1),
        lambda s: [*MODEL.stream(s, seed=1)],
        lambda s: MODEL.explain("joules", {}, s, seed=1),
    ):
        with pytest.raises(SettingError) as refused:
            ask({control.name: value})
        assert refused.value.control == control.name


def test_adaptation_and_energy_mean_the_same_by_the_same_name() -> None:
    own, theirs = (
        {c.name: c for c in registry.model(n).controls} for n in ("energy", "adaptation")
    )
    shared = own.keys() & theirs.keys()
    assert len(shared) == 13
    for name in shared:
        ours, other = own[name], theirs[name]
        assert (ours.kind, ours.unit, ours.default) == (other.kind, other.unit, other.default)
        assert (ours.choices, ours.scale) == (other.choices, other.scale)
        assert ours.low <= other.low <= other.high <= ours.high


def test_adaptation_and_energy_share_no_name_of_a_metric_or_series() -> None:
    both = [registry.model(name) for name in ("energy", "adaptation")]
    names = [each.name for model in both for each in model.metrics]
    names += [each.name for model in both for each in model.series]
    assert len(names) == len(set(names))
    joined = registry.model("adaptation+energy")
    setting: dict[str, Any] = {"network": "ds-cnn", "examples": 10, "epochs": 1}
    metrics = joined.evaluate(setting, seed=1).metrics
    assert metrics["update_bytes"] * 2 == metrics["sent_bytes"]
