"""Memory of training a network on the device, to the byte.

Static state (Rajbhandari et al. 2020, ZeRO, §3.1): a frozen parameter costs its own bits; a
trained one also a gradient and the optimizer's state. Bytes a trained parameter:

    arithmetic  weight  gradient  SGD  momentum  Adam
    fp32           4        4      0       4       8
    mixed          2        2      4       8      12     (a 32-bit master copy is in the last 3)
    int8           4        4      0       4       8     (activations and frozen weights 8 bits)

``int8`` trains a quantized graph: what is trained is kept in 32 bits and rounded where it is used,
as the training code published with Lin et al. 2022 does (the paper keeps one byte).

Activations (Cai et al. 2020, TinyTL, §3.1): what each layer keeps is in its table
(``networks/tape.py``); nothing is kept before the earliest trained layer, since no gradient
has to pass there. The peak is the largest, over layers, of

    alive while the layer runs + kept so far,

alive being its input, its output and what waits (residuals). In the backward pass the same
room holds the gradients of these tensors, so that "so far" includes the layer itself. The
paper's convention walks the forward pass alone (so far excludes the layer) and looks at
convolutions, linear layers, norms and nonlinearities, not at pooling or sums, as the profiler
published with it does.

Sparse update (Lin et al. 2022, "On-Device Training Under 256KB Memory"): biases of the
last units, and of the matrices among them (the roles that LoRA would adapt, which leaves
depthwise kernels out) the share of the input channels that is chosen; the layer keeps that
share of its input. The task's classifier, if it is among them, is trained whole. The share is
taken of a kernel's rows, rounded up; of a 3-channel stem it is no whole channel.

Layer-wise training: the blocks learn one after the other against the network's own loss, all
others frozen. Gradients, state and kept inputs are then one block's: the largest, not the sum.
The later blocks still keep what the passing gradient needs (masks, or a GELU's input).

Recomputation: see :mod:`engine.numerics.checkpointing`.

LoRA (Hu et al. 2021): an adapted matrix is frozen, but the gradient of A needs its input and
the gradient of B the rank-dimensional intermediate. The rank shrinks gradients and optimizer
state; of the activations it touches that intermediate alone.

Left out: the inputs' token numbers, scale factors of quantized weights, running statistics of
norms, work space of kernels, a decoder's cache, fragmentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from engine.numerics.checkpointing import (
    RECOMPUTE,
    Kept,
    Recompute,
    Segments,
    best,
    price,
    segments,
    uniform,
    whole,
)
from engine.numerics.distinct import distinct
from engine.numerics.layers import Bools, Ints, Network

Method: TypeAlias = Literal[
    "none", "full", "last", "bias", "norm_last", "lora", "sparse", "layerwise"
]
Optimizer: TypeAlias = Literal["sgd", "momentum", "adam"]
Arithmetic: TypeAlias = Literal["fp32", "mixed", "int8"]
Convention: TypeAlias = Literal["full", "paper"]

METHODS: tuple[Method, ...] = get_args(Method)
OPTIMIZERS: tuple[Optimizer, ...] = get_args(Optimizer)
FROZEN_BITS: tuple[int, ...] = (32, 16, 8, 4)
CHANNELS: tuple[int, ...] = (1, 2, 4, 8)

# Bytes of weight and of gradient a trained parameter, and bits of an activation.
_WEIGHT_BYTES: dict[Arithmetic, int] = {"fp32": 4, "mixed": 2, "int8": 4}
_VALUE_BITS: dict[Arithmetic, int] = {"fp32": 32, "mixed": 16, "int8": 8}
# Bytes of 32-bit state a trained parameter; mixed precision adds the master copy.
_STATE_BYTES: dict[Optimizer, int] = {"sgd": 0, "momentum": 4, "adam": 8}
_MASTER_BYTES: dict[Arithmetic, int] = {"fp32": 0, "mixed": 4, "int8": 0}


@dataclass(frozen=True, slots=True)
class Plan:
    """How a network is trained.

    Attributes:
        method: what is trained.
            ``none``: nothing, inference alone.
            ``full``: everything but constants.
            ``last``: the last ``k`` units: weighted layers (each with its norm) of a convnet,
            the classifier being the first; blocks of a transformer, without embedding, final
            norm and head.
            ``bias``: the biases of every layer and the classifier (TinyTL-B). A network
            without any bias (Llama) trains its norm gains: the nearest thing that it has.
            ``norm_last``: gains and shifts of the norms, and the classifier.
            ``lora``: adapters of rank ``rank`` on the matrices whose roles are ``targets``.
            ``sparse``: of the last ``k`` units all biases, and one in ``channels`` input
            channels of the matrices whose roles are ``targets``.
            ``layerwise``: everything, one block after the other.
        k: units that ``last`` trains and that ``sparse`` reaches back to.
        rank: rank of LoRA's adapters.
        channels: 1, 2, 4 or 8; see ``sparse``.
        targets: roles that LoRA adapts; empty for the network's own choice.
        frozen_bits: bits of a parameter that is not trained.
        batch: samples a step.
        optimizer: whose state a trained parameter has.
        arithmetic: ``fp32``, ``mixed`` 16/32-bit precision with 16-bit activations, or ``int8``.
        recompute_attention: drop the s^2 tensors and compute them again (selective).
        recompute: how segments are chosen that run again, ``none`` to keep everything. Ignored
            by ``layerwise``, which keeps one block's inputs anyway.
        convention: ``full`` accounting, or the ``paper``'s: weights and activations alone,
            32-bit trained and 8-bit frozen parameters (TinyTL, §4.1).
    """

    method: Method
    k: int = 1
    rank: int = 8
    channels: int = 1
    targets: tuple[str, ...] = ()
    frozen_bits: int = 32
    batch: int = 1
    optimizer: Optimizer = "sgd"
    arithmetic: Arithmetic = "fp32"
    recompute_attention: bool = False
    recompute: Recompute = "none"
    convention: Convention = "full"

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("method", self.method, METHODS),
            ("optimizer", self.optimizer, OPTIMIZERS),
            ("arithmetic", self.arithmetic, get_args(Arithmetic)),
            ("convention", self.convention, get_args(Convention)),
            ("frozen_bits", self.frozen_bits, FROZEN_BITS),
            ("channels", self.channels, CHANNELS),
            ("recompute", self.recompute, RECOMPUTE),
        ):
            if value not in allowed:
                raise ValueError(f"{name}: {value!r} is not allowed; choose one of {allowed}")
        for name, count in (("k", self.k), ("rank", self.rank), ("batch", self.batch)):
            if count < 1:
                raise ValueError(f"{name}: {count} is not allowed; give an integer from 1")

    @property
    def resting_bits(self) -> int:
        """Bits of a parameter that is not trained: an 8-bit graph has none wider."""
        if self.convention == "paper":
            return 8
        return min(self.frozen_bits, 8) if self.arithmetic == "int8" else self.frozen_bits


@dataclass(frozen=True, slots=True)
class MemoryBreakdown:
    """Where the bytes of one training step go.

    ``activations`` is the largest amount held at once, kept and working together;
    ``kept_by_block`` is what each block keeps then (bytes, aligned with ``Network.blocks``) and
    ``kept_by_layer`` each layer. ``written`` is all that a step keeps for its backward pass: more
    than is held at once where segments run again. ``segments`` counts these. ``inference`` is
    the memory of a forward pass alone, all parameters at rest. ``trained_parameters``
    and their bytes ``update`` are those of the whole job; where the blocks take turns,
    everything else is that of the block that needs most. Everything is in bytes but
    ``trained_parameters`` and ``segments``.
    """

    frozen_weights: int
    trained_weights: int
    gradients: int
    optimizer: int
    activations: int
    trained_parameters: int
    update: int
    kept_by_layer: tuple[int, ...]
    kept_by_block: tuple[int, ...]
    written: int
    segments: int
    again: tuple[bool, ...]
    inference: int

    @property
    def weights(self) -> int:
        """Frozen and trained weights together."""
        return self.frozen_weights + self.trained_weights

    @property
    def kept(self) -> int:
        """All that is kept from the forward to the backward pass at the same time."""
        return sum(self.kept_by_layer)

    @property
    def peak(self) -> int:
        """Memory that training needs."""
        return self.weights + self.gradients + self.optimizer + self.activations

    @property
    def amplification(self) -> float:
        """Training memory over inference memory."""
        return self.peak / self.inference


@dataclass(frozen=True, slots=True)
class Trained:
    """What a plan trains in each layer.

    ``weights`` and ``biases`` count its own parameters, ``adapter`` those of its adapter;
    ``whole`` says that its weight, if it is trained, is trained with all input channels.
    """

    weights: Ints
    biases: Ints
    adapter: Ints
    whole: Bools

    @property
    def parameters(self) -> Ints:
        """Trained parameters of each layer, without adapters."""
        return self.weights + self.biases

    @property
    def learns(self) -> Bools:
        """Whether each layer trains anything."""
        return (self.parameters + self.adapter) > 0

    @property
    def passes(self) -> Bools:
        """Whether a gradient travels through each layer: iff something before it learns."""
        return np.concatenate(([False], np.logical_or.accumulate(self.learns)[:-1]))

    def only(self, chosen: Bools) -> Trained:
        """The same in the chosen layers, nothing in the others."""
        return Trained(
            self.weights * chosen, self.biases * chosen, self.adapter * chosen, self.whole
        )


def training_memory(network: Network, plan: Plan, *, inference_batch: int = 1) -> MemoryBreakdown:
    """Account for one training step of ``network`` under ``plan``.

    ``inference_batch`` is the batch of the forward pass that :attr:`MemoryBreakdown.inference`
    and the amplification refer to. Raises ValueError if the plan does not fit the network:
    more units than it has, an unknown role, no norms for ``norm_last``.
    """
    return max(turns(network, plan, inference_batch=inference_batch), key=lambda each: each.peak)


def turns(network: Network, plan: Plan, *, inference_batch: int = 1) -> list[MemoryBreakdown]:
    """The accounts of what takes turns: every trained block of ``layerwise``, else one alone."""
    if inference_batch < 1:
        raise ValueError(f"inference_batch: {inference_batch} is not allowed; give at least 1")
    trained = trained_parts(network, plan)
    paper = plan.convention == "paper"
    weight_bytes = 4 if paper else _WEIGHT_BYTES[plan.arithmetic]
    state_bytes = _STATE_BYTES[plan.optimizer] + _MASTER_BYTES[plan.arithmetic]
    value_bits = _VALUE_BITS[plan.arithmetic]
    resting = _whole_bytes(network.parameters, plan.resting_bits)
    working = int(network.live.max()) * inference_batch * value_bits // 8
    total = int((trained.parameters + trained.adapter).sum())
    found = []
    for turn in trained_turns(network, plan, trained):
        own, adapters = int(turn.parameters.sum()), int(turn.adapter.sum())
        count = own + adapters
        held = _held(network, plan, turn, value_bits)
        by_block = np.zeros(len(network.blocks), dtype=np.int64)
        np.add.at(by_block, network.block_of, held.held_by_layer)
        found.append(
            MemoryBreakdown(
                frozen_weights=_whole_bytes(network.parameters - own, plan.resting_bits),
                trained_weights=count * weight_bytes,
                gradients=0 if paper else count * weight_bytes,
                optimizer=0 if paper else count * state_bytes,
                activations=held.activations,
                trained_parameters=total,
                update=total * weight_bytes,
                kept_by_layer=tuple(held.held_by_layer.tolist()),
                kept_by_block=tuple(by_block.tolist()),
                written=held.written,
                segments=len(held.starts),
                again=tuple(held.again.tolist()),
                inference=resting + working,
            )
        )
    return found


def trained_turns(network: Network, plan: Plan, trained: Trained) -> list[Trained]:
    """What trains together: block by block under ``layerwise``, else everything at once."""
    if plan.method != "layerwise":
        return [trained]
    blocks = distinct(network.block_of[trained.learns])
    return [trained.only(network.block_of == block) for block in blocks]


def trained_parts(network: Network, plan: Plan) -> Trained:
    """What ``plan`` trains in each layer of ``network``. Raises ValueError if it does not fit."""
    nothing = np.zeros(len(network.layers), dtype=np.bool_)
    weight, bias, adapted, entire = nothing, nothing, nothing, ~nothing
    if plan.method in ("last", "sparse") and plan.k > network.units:
        raise ValueError(
            f"k: {plan.k} is not allowed; {network.name} has {network.units} {network.unit}s"
        )
    reached = network.unit_of >= network.units - plan.k
    targets = plan.targets or network.targets
    unknown = set(targets) - network.roles
    if plan.method in ("lora", "sparse") and unknown:
        raise ValueError(
            f"targets: {', '.join(sorted(unknown))} not in {network.name}; "
            f"choose among {', '.join(sorted(network.roles))}"
        )
    if plan.method in ("full", "layerwise"):
        weight = bias = ~nothing
    elif plan.method == "last":
        weight = bias = reached
    elif plan.method == "sparse":
        weight, bias = reached & network.adapted(targets), reached
        entire = network.classifies | (plan.channels == 1)
    elif plan.method == "bias" and network.has_biases:
        weight, bias = network.classifies, ~nothing
    elif plan.method in ("bias", "norm_last"):
        if not network.norms.any():
            raise ValueError(f"method: {plan.method} needs norms, {network.name} has none")
        weight = bias = network.norms | network.classifies
    elif plan.method == "lora":
        adapted = network.adapted(targets)
    free = ~network.fixed
    rows = np.array([layer.d_in for layer in network.layers], dtype=np.int64)
    part = -(-rows // plan.channels) * np.array([layer.d_out for layer in network.layers])
    weights = np.where(entire, network.weights, part) * (weight & free)
    return Trained(
        weights, network.biases * (bias & free), plan.rank * network.spans * adapted, entire
    )


def _held(network: Network, plan: Plan, trained: Trained, value_bits: int) -> Segments:
    """What is held and written, in the segments that ``plan`` chooses."""
    kept = _kept(network, plan, trained, value_bits)
    scale = plan.batch * value_bits // 8
    paper = plan.convention == "paper"
    if plan.recompute == "none" or plan.method == "layerwise":
        return whole(network, kept, scale, paper)
    costs = price(network, kept, scale, paper)
    choose = uniform if plan.recompute == "uniform" else best
    return segments(network, kept, costs, choose(costs))


def _kept(network: Network, plan: Plan, trained: Trained, value_bits: int) -> Kept:
    """The tensors kept; one that several layers need counts for the first, at its largest."""
    passes = trained.passes
    where = network.kept_layer
    for_weight = network.kept_for_weight
    weight = (trained.weights > 0) | (trained.adapter > 0)
    active = np.where(for_weight, weight[where], passes[where])
    if plan.recompute_attention:
        active &= ~network.kept_recomputable
    rows = np.flatnonzero(active)
    entire = (trained.whole[where] | ~for_weight)[rows]
    elements = network.kept_elements[rows]
    elements = np.where(entire, elements, -(-elements // plan.channels))
    sizes = -(-elements * network.kept_bits(value_bits)[rows] * plan.batch // 8)
    numbers = network.kept_tensor[rows]
    first = np.full(len(network.kept_tensor), len(rows))
    np.minimum.at(first, numbers, np.arange(len(rows)))
    largest = np.zeros(len(network.kept_tensor), dtype=np.int64)
    np.maximum.at(largest, numbers, sizes)
    full = np.zeros(len(network.kept_tensor), dtype=np.bool_)
    np.logical_or.at(full, numbers, entire)
    number = numbers[first[numbers] == np.arange(len(rows))]
    chosen = rows[first[number]]
    # LoRA's intermediate: rank elements at every position of an adapted matrix.
    lora = np.flatnonzero(trained.adapter)
    intermediate = plan.rank * network.positions[lora] * plan.batch * (value_bits // 8)
    return Kept(
        layer=np.concatenate((where[chosen], lora)),
        made=np.concatenate((network.kept_made[chosen], lora)),
        size=np.concatenate((largest[number], intermediate)),
        whole=np.concatenate(
            (network.kept_values[chosen] & full[number], np.zeros(len(lora), bool))
        ),
    )


def _whole_bytes(elements: int, bits: int) -> int:
    return -(-elements * bits // 8)
