"""Segments that run again: against Chen et al. 2016, a plain walk, and every other choice."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.numerics.checkpointing import Costs, Kept, best, price, segments, uniform
from engine.numerics.layers import Network
from engine.numerics.memory import Method, Plan, training_memory
from engine.numerics.networks import NAMES, network
from engine.numerics.networks.tape import Shape, Tape
from engine.numerics.work import training_work


def chain(sizes: list[int]) -> Network:
    """Linear layers in a row, between tensors of these sizes: each keeps its input."""
    tape = Tape(Shape((1,), sizes[0]))
    out = "input"
    for number, size in enumerate(sizes[1:]):
        tape.begin(f"{number}")
        tape.count()
        out = tape.linear("linear", out, size)
    return tape.network("chain", unit="layer", targets=("linear",))


def costs_of(net: Network) -> tuple[Kept, Costs]:
    """Every layer keeps its input of one byte an element."""
    places = np.arange(len(net.layers))
    sizes = np.array([layer.inputs for layer in net.layers])
    kept = Kept(places, places - 1, sizes, np.ones(len(places), dtype=bool))
    return kept, price(net, kept, 1)


def by_hand(sizes: list[int], starts: tuple[int, ...]) -> int:
    """What segments of a chain need, played through with a set of tensors in memory."""
    count = len(sizes) - 1
    if len(starts) == 1:
        return max(sum(sizes[: i + 1]) + sizes[i] + sizes[i + 1] for i in range(count))
    held = set(starts)
    most = 0
    for number, (start, end) in reversed(
        list(enumerate(zip(starts, (*starts[1:], count), strict=True)))
    ):
        kept = {t for t in held if t <= start}
        for i in range(start, end):
            kept.add(i)
            memory = sum(sizes[t] for t in kept)
            if number < len(starts) - 1:  # runs again: the output, and the gradient that waits
                most = max(most, memory + sizes[i + 1] + sizes[end])
            most = max(most, memory + sizes[i] + sizes[i + 1])  # the gradients of both
    return most


lengths = st.lists(st.integers(1, 60), min_size=3, max_size=14)


@given(lengths, st.data())
def test_a_segmentation_needs_what_a_walk_with_the_tensors_in_hand_says(
    sizes: list[int], data: st.DataObject
) -> None:
    _, costs = costs_of(chain(sizes))
    inner = data.draw(st.sets(st.integers(1, len(sizes) - 2)))
    starts = (0, *sorted(inner))
    assert costs.peak(starts) == by_hand(sizes, starts)


@given(lengths)
def test_the_best_segments_never_need_more_than_uniform_ones_or_than_none(
    sizes: list[int],
) -> None:
    _, costs = costs_of(chain(sizes))
    found = costs.peak(best(costs))
    assert found <= costs.plain
    for k in range(1, len(sizes)):
        assert found <= costs.peak(uniform(costs, k))


@settings(max_examples=40)
@given(st.lists(st.integers(1, 60), min_size=3, max_size=9))
def test_the_best_segments_are_the_best_of_all(sizes: list[int]) -> None:
    _, costs = costs_of(chain(sizes))
    inner = range(1, len(sizes) - 1)
    every = itertools.chain.from_iterable(
        itertools.combinations(inner, many) for many in range(len(sizes) - 1)
    )
    assert costs.peak(best(costs)) == min(by_hand(sizes, (0, *cuts)) for cuts in every)


@pytest.mark.parametrize("n", [16, 36, 64, 100])
def test_equal_layers_need_k_and_n_over_k_at_best_two_roots(n: int) -> None:
    _, costs = costs_of(chain([5] * (n + 1)))
    # k + n/k as in Chen et al. 2016, and the gradient that is on its way.
    for k in range(2, n + 1):
        if n % k == 0:
            assert costs.peak(uniform(costs, k)) == 5 * (k + n // k + 1)
    assert costs.peak(uniform(costs)) == 5 * (2 * math.isqrt(n) + 1)
    assert costs.plain == 5 * (n + 2)


@pytest.mark.parametrize("n", [16, 36, 64, 100])
def test_equal_layers_in_segments_that_grow_shorter_need_about_the_root_of_2_n(n: int) -> None:
    _, costs = costs_of(chain([5] * (n + 1)))
    found = best(costs)
    widths = np.diff((*found, n))
    half = len(widths) // 2
    assert widths[:half].mean() > widths[half:].mean()
    assert math.sqrt(2 * n) <= costs.peak(found) / 5 <= math.sqrt(2 * n) + 3


@given(lengths)
def test_what_is_held_by_layer_sums_to_less_than_the_peak(sizes: list[int]) -> None:
    net = chain(sizes)
    kept, costs = costs_of(net)
    for starts in (best(costs), uniform(costs)):
        found = segments(net, kept, costs, starts)
        assert found.activations == costs.peak(starts)
        assert 0 < found.held_by_layer.sum() <= found.activations
        # All that a layer keeps is written once, in whichever segment it is.
        assert found.written == sum(sizes[:-1])
        assert found.again.sum() == starts[-1]


def test_more_segments_than_layers_are_refused() -> None:
    _, costs = costs_of(chain([1, 1, 1]))
    with pytest.raises(ValueError, match="segments: 3"):
        uniform(costs, 3)


# Whole networks


def test_sizes_matter_on_proxylessnas() -> None:
    # MB a sample, without the weights. Equally long segments need twice what fitted ones do.
    net = network("proxylessnas-mobile", classes=102)
    plan = Plan("full", convention="paper")
    by = {
        how: training_memory(net, replace(plan, recompute=how)).activations / 1e6
        for how in ("none", "uniform", "best")
    }
    assert by == pytest.approx({"none": 44.4, "uniform": 19.7, "best": 7.9}, abs=0.05)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", ["full", "bias", "lora", "sparse", "last"])
def test_fitted_segments_never_need_more(name: str, method: Method) -> None:
    net = network(name)
    plan = Plan(method, k=3, channels=2, batch=2, arithmetic="mixed")
    plain, even, fitted = (
        training_memory(net, replace(plan, recompute=how)) for how in ("none", "uniform", "best")
    )
    assert fitted.peak <= min(plain.peak, even.peak)
    assert fitted.kept <= fitted.activations
    assert (fitted.segments == 1) == (not any(fitted.again)) == (fitted.peak == plain.peak)


def test_biases_of_a_relu_network_keep_bits_so_that_no_segment_saves_anything() -> None:
    net = network("resnet-50")
    plan = Plan("bias", batch=8)
    assert training_memory(net, replace(plan, recompute="best")).segments == 1
    even, plain = (training_memory(net, replace(plan, recompute=r)) for r in ("uniform", "none"))
    assert even.peak > plain.peak


@pytest.mark.parametrize("name", ["resnet-50", "proxylessnas-mobile", "whisper-tiny-encoder"])
def test_running_again_costs_at_most_a_third_of_full_training(name: str) -> None:
    net = network(name)
    for how in ("uniform", "best"):
        work = training_work(net, Plan("full", recompute=how))
        assert 0.15 < work.again / (work.forward + work.backward) < 0.34


def test_full_checkpointing_of_a_transformer_keeps_a_block_input_a_block() -> None:
    # Korthikanti et al. 2022: 2sbh bytes a block, once one block is let run again.
    net = network("llama-3-70b")
    plan = Plan("full", arithmetic="mixed", recompute="best")
    it = training_memory(net, plan)
    block = 2 * 512 * 8192
    assert it.segments > 20
    starts = [kept for kept in it.kept_by_block[1:-1] if kept == block]
    assert len(starts) >= 20
