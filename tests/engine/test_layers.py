"""The layer tables: every published total, and what is alive while a layer runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.numerics.layers import Network, lora_parameters
from engine.numerics.networks import NAMES, network
from engine.numerics.networks.transformers import gpt


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("mobilenetv2", 3_504_872),
        ("proxylessnas-mobile", 4_080_512),
        ("resnet-50", 25_557_032),
        ("ds-cnn", 22_604),
        ("whisper-tiny-encoder", 8_208_384),
        ("llama-3-70b", 70_553_706_496),
    ],
)
def test_architecture_gives_published_parameter_count(name: str, parameters: int) -> None:
    assert network(name).parameters == parameters


@pytest.mark.parametrize(
    ("name", "macs"),
    [
        ("mobilenetv2", 300_774_272),
        ("proxylessnas-mobile", 320_427_584),
        ("resnet-50", 4_089_184_256),
    ],
)
def test_architecture_gives_published_macs_at_224(name: str, macs: int) -> None:
    assert network(name).macs == macs


def test_llama_macs_a_token_are_its_matrices_and_its_attention() -> None:
    sequence = 16
    llama = network("llama-3-70b", sequence=sequence)
    tables_and_gains = 128256 * 8192 + (2 * 80 + 1) * 8192
    attention = 80 * 2 * sequence * 8192
    assert llama.macs == sequence * (llama.parameters - tables_and_gains + attention)


def test_fewer_classes_change_only_the_classifier() -> None:
    whole, small = network("proxylessnas-mobile"), network("proxylessnas-mobile", classes=102)
    assert whole.parameters - small.parameters == (1000 - 102) * (1280 + 1)
    assert whole.layers[:-1] == small.layers[:-1]


def test_smaller_images_leave_parameters_alone_and_quarter_the_convolutions() -> None:
    large, small = network("mobilenetv2"), network("mobilenetv2", resolution=112)
    assert small.parameters == large.parameters
    head = 1280 * 1000
    # 7x7 becomes 4x4, so that the last stages shrink by less than four.
    assert (large.macs - head) / 4 < small.macs - head < (large.macs - head) / 3


def test_small_images_that_divide_evenly_cost_exactly_four_times_less() -> None:
    large, small = network("resnet-50", resolution=448), network("resnet-50", resolution=224)
    head = 2048 * 1000
    assert large.macs - head == 4 * (small.macs - head)


def test_convnets_count_weighted_layers_and_transformers_blocks() -> None:
    units = {name: (network(name).unit, network(name).units) for name in NAMES}
    assert units == {
        "mobilenetv2": ("layer", 53),
        "proxylessnas-mobile": ("layer", 62),
        "resnet-50": ("layer", 54),
        "ds-cnn": ("layer", 10),
        "whisper-tiny-encoder": ("block", 4),
        "llama-3-70b": ("block", 80),
    }


@pytest.mark.parametrize("name", NAMES)
def test_layers_read_only_what_has_been_written_at_the_size_it_was_written(name: str) -> None:
    net = network(name)
    size = {"input": net.sample}
    for layer in net.layers:
        assert layer.inputs == sum(size[tensor] for tensor in layer.reads)
        assert layer.name not in size
        size[layer.name] = layer.outputs
        for keep in layer.keeps:
            assert size.get(keep.tensor, keep.elements) == keep.elements


@pytest.mark.parametrize("name", NAMES)
def test_a_matrix_has_as_many_weights_as_its_sides_say(name: str) -> None:
    for layer in network(name).layers:
        if layer.kind in ("conv", "dwconv", "linear"):
            assert layer.weights == layer.d_in * layer.d_out
            assert layer.macs == layer.d_in * layer.outputs


def _alive(net: Network, layer: str) -> int:
    return int(net.live[[each.name for each in net.layers].index(layer)])


def test_largest_working_memory_of_proxylessnas_is_input_and_output_at_112_pixels() -> None:
    assert network("proxylessnas-mobile").live.max() == 64 * 112**2


def test_residual_waits_while_its_branch_runs() -> None:
    net = network("mobilenetv2")
    assert _alive(net, "24-2.depthwise") == (24 + 2 * 144) * 56**2
    assert _alive(net, "24-1.expand") == (16 + 96) * 112**2


def test_queries_and_residual_wait_while_keys_are_computed() -> None:
    width, sequence = 64, 10
    net = gpt(1, width, 4, sequence)
    # x, its norm, q and k.
    assert _alive(net, "block-1.k") == 4 * width * sequence
    # x, q, k, v and the scores.
    assert _alive(net, "block-1.scores") == 4 * width * sequence + 4 * sequence**2


def test_lora_counts_of_the_papers() -> None:
    gpt3 = [(12288, 12288)] * (2 * 96)
    assert lora_parameters(gpt3, 1) == 4_718_592
    assert lora_parameters(gpt3, 4) == 18_874_368
    assert lora_parameters([(768, 768)] * (2 * 12), 8) == 294_912


def test_lora_on_grouped_query_attention_counts_the_narrow_keys_and_values() -> None:
    matrices = network("llama-3-70b").matrices(("q", "k", "v", "o"))
    assert len(matrices) == 320
    assert matrices[:4] == ((8192, 8192), (8192, 1024), (8192, 1024), (8192, 8192))
    assert lora_parameters(matrices, 16) == 65_536_000
    assert round(2 * lora_parameters(matrices, 16) / 1e6, 1) == 131.1


@given(st.integers(1, 512), st.integers(1, 512), st.integers(1, 64))
def test_lora_count_is_linear_in_rank(d_in: int, d_out: int, rank: int) -> None:
    assert lora_parameters([(d_in, d_out)], rank) == rank * lora_parameters([(d_in, d_out)], 1)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 16))
def test_gpt_has_twelve_squares_a_block(blocks: int, heads: int, size: int) -> None:
    width = heads * size
    # 4 width^2 of attention, 8 of the MLP; 9 widths of biases, 4 of the norms.
    assert gpt(blocks, width, heads, 8).parameters == blocks * (12 * width**2 + 13 * width)


def test_same_network_is_built_once() -> None:
    assert network("llama-3-70b", sequence=64) is network("llama-3-70b", sequence=64)


@pytest.mark.parametrize(
    ("name", "size", "complaint"),
    [
        ("alexnet", {}, "alexnet"),
        ("ds-cnn", {"sequence": 3}, "sequence"),
        ("mobilenetv2", {"classes": 0}, "classes"),
        ("whisper-tiny-encoder", {"frames": 3}, "even"),
    ],
)
def test_unknown_networks_and_sizes_are_refused(
    name: str, size: dict[str, int], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        network(name, **size)


def test_gpt_whose_heads_do_not_divide_its_width_is_refused() -> None:
    with pytest.raises(ValueError, match="divide"):
        gpt(1, 10, 3, 8)
