"""Memory of training a network on the device, to the byte.

Static state (Rajbhandari et al. 2020, ZeRO, §3.1): a frozen parameter costs its own bits; a
trained one also a gradient and the optimizer's state. Bytes a trained parameter:

    arithmetic  weight  gradient  SGD  momentum  Adam
    fp32           4        4      0       4       8
    mixed          2        2      4       8      12     (a 32-bit master copy is in the last 3)

Activations (Cai et al. 2020, TinyTL, §3.1): what each layer keeps is in its table
(``networks/tape.py``); nothing is kept before the earliest trained layer, since no gradient
has to pass there. The peak is the largest, over layers, of

    alive while the layer runs + kept so far,

alive being its input, its output and what waits (residuals). In the backward pass the same
room holds the gradients of these tensors, so that "so far" includes the layer itself. The
paper's convention walks the forward pass alone (so far excludes the layer) and looks at
convolutions, linear layers, norms and nonlinearities, not at pooling or sums, as the profiler
published with it does.

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

from engine.numerics.layers import Bools, Ints, Network

Method: TypeAlias = Literal["none", "full", "last", "bias", "norm_last", "lora"]
Optimizer: TypeAlias = Literal["sgd", "momentum", "adam"]
Arithmetic: TypeAlias = Literal["fp32", "mixed"]
Convention: TypeAlias = Literal["full", "paper"]

METHODS: tuple[Method, ...] = get_args(Method)
OPTIMIZERS: tuple[Optimizer, ...] = get_args(Optimizer)
FROZEN_BITS: tuple[int, ...] = (32, 16, 8, 4)

# Bytes of weight and of gradient a trained parameter, and bits of an activation.
_WEIGHT_BYTES: dict[Arithmetic, int] = {"fp32": 4, "mixed": 2}
_VALUE_BITS: dict[Arithmetic, int] = {"fp32": 32, "mixed": 16}
# Bytes of 32-bit state a trained parameter; mixed precision adds the master copy.
_STATE_BYTES: dict[Optimizer, int] = {"sgd": 0, "momentum": 4, "adam": 8}
_MASTER_BYTES: dict[Arithmetic, int] = {"fp32": 0, "mixed": 4}


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
        k: units that ``last`` trains.
        rank: rank of LoRA's adapters.
        targets: roles that LoRA adapts; empty for the network's own choice.
        frozen_bits: bits of a parameter that is not trained.
        batch: samples a step.
        optimizer: whose state a trained parameter has.
        arithmetic: ``fp32``, or ``mixed`` 16/32-bit precision with 16-bit activations.
        recompute_attention: drop the s^2 tensors and compute them again (selective).
        convention: ``full`` accounting, or the ``paper``'s: weights and activations alone,
            32-bit trained and 8-bit frozen parameters (TinyTL, §4.1).
    """

    method: Method
    k: int = 1
    rank: int = 8
    targets: tuple[str, ...] = ()
    frozen_bits: int = 32
    batch: int = 1
    optimizer: Optimizer = "sgd"
    arithmetic: Arithmetic = "fp32"
    recompute_attention: bool = False
    convention: Convention = "full"

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("method", self.method, METHODS),
            ("optimizer", self.optimizer, OPTIMIZERS),
            ("arithmetic", self.arithmetic, get_args(Arithmetic)),
            ("convention", self.convention, get_args(Convention)),
            ("frozen_bits", self.frozen_bits, FROZEN_BITS),
        ):
            if value not in allowed:
                raise ValueError(f"{name}: {value!r} is not allowed; choose one of {allowed}")
        for name, count in (("k", self.k), ("rank", self.rank), ("batch", self.batch)):
            if count < 1:
                raise ValueError(f"{name}: {count} is not allowed; give an integer from 1")


@dataclass(frozen=True, slots=True)
class MemoryBreakdown:
    """Where the bytes of one training step go.

    ``activations`` is the largest amount held at once, kept and working together;
    ``kept_by_block`` is what each block keeps (bytes, aligned with ``Network.blocks``) and
    ``kept_by_layer`` each layer. ``inference`` is the memory of a forward pass alone, all
    parameters at ``frozen_bits``. Everything is in bytes but ``trained_parameters``.
    """

    frozen_weights: int
    trained_weights: int
    gradients: int
    optimizer: int
    activations: int
    trained_parameters: int
    kept_by_layer: tuple[int, ...]
    kept_by_block: tuple[int, ...]
    inference: int

    @property
    def weights(self) -> int:
        """Frozen and trained weights together."""
        return self.frozen_weights + self.trained_weights

    @property
    def kept(self) -> int:
        """All that is kept from the forward to the backward pass."""
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
    """What a plan trains: own parameters and whether the weight is trained, a layer."""

    parameters: Ints
    weight: Bools
    adapter: Ints


def training_memory(network: Network, plan: Plan, *, inference_batch: int = 1) -> MemoryBreakdown:
    """Account for one training step of ``network`` under ``plan``.

    ``inference_batch`` is the batch of the forward pass that :attr:`MemoryBreakdown.inference`
    and the amplification refer to. Raises ValueError if the plan does not fit the network:
    more units than it has, an unknown role, no norms for ``norm_last``.
    """
    if inference_batch < 1:
        raise ValueError(f"inference_batch: {inference_batch} is not allowed; give at least 1")
    trained = trained_parts(network, plan)
    adapters = int(trained.adapter.sum())
    own = int(trained.parameters.sum())
    count = own + adapters
    paper = plan.convention == "paper"
    frozen_bits = 8 if paper else plan.frozen_bits
    weight_bytes = 4 if paper else _WEIGHT_BYTES[plan.arithmetic]
    state_bytes = _STATE_BYTES[plan.optimizer] + _MASTER_BYTES[plan.arithmetic]
    value_bits = _VALUE_BITS[plan.arithmetic]

    kept = _kept_bytes(network, plan, trained, value_bits)
    alive = plan.batch * network.live * (value_bits // 8)
    if paper:
        activations = (alive + np.cumsum(kept) - kept)[network.profiled]
    else:
        activations = alive + np.cumsum(kept)
    by_block = np.zeros(len(network.blocks), dtype=np.int64)
    np.add.at(by_block, network.block_of, kept)
    working = int(network.live.max()) * inference_batch * value_bits // 8
    return MemoryBreakdown(
        frozen_weights=_whole_bytes(network.parameters - own, frozen_bits),
        trained_weights=count * weight_bytes,
        gradients=0 if paper else count * weight_bytes,
        optimizer=0 if paper else count * state_bytes,
        activations=int(activations.max()),
        trained_parameters=count,
        kept_by_layer=tuple(kept.tolist()),
        kept_by_block=tuple(by_block.tolist()),
        inference=_whole_bytes(network.parameters, frozen_bits) + working,
    )


def trained_parts(network: Network, plan: Plan) -> Trained:
    """What ``plan`` trains in each layer of ``network``. Raises ValueError if it does not fit."""
    nothing = np.zeros(len(network.layers), dtype=np.bool_)
    weight, bias, adapted = nothing, nothing, nothing
    if plan.method == "full":
        weight = bias = ~nothing
    elif plan.method == "last":
        if plan.k > network.units:
            raise ValueError(
                f"k: {plan.k} is not allowed; {network.name} has {network.units} {network.unit}s"
            )
        weight = bias = network.unit_of >= network.units - plan.k
    elif plan.method == "bias" and network.has_biases:
        weight, bias = network.classifies, ~nothing
    elif plan.method in ("bias", "norm_last"):
        if not network.norms.any():
            raise ValueError(f"method: {plan.method} needs norms, {network.name} has none")
        weight = bias = network.norms | network.classifies
    elif plan.method == "lora":
        targets = plan.targets or network.targets
        unknown = set(targets) - network.roles
        if unknown:
            raise ValueError(
                f"targets: {', '.join(sorted(unknown))} not in {network.name}; "
                f"choose among {', '.join(sorted(network.roles))}"
            )
        adapted = network.adapted(targets)
    free = ~network.fixed
    weight = weight & free & (network.weights > 0)
    own = network.weights * weight + network.biases * (bias & free)
    return Trained(own, weight | adapted, plan.rank * network.spans * adapted)


def _kept_bytes(network: Network, plan: Plan, trained: Trained, value_bits: int) -> Ints:
    """Bytes that each layer keeps; a tensor that several need counts for the first."""
    kept = np.zeros(len(network.layers), dtype=np.int64)
    learns = (trained.parameters + trained.adapter) > 0
    if not learns.any():
        return kept
    # A gradient passes through a layer iff something before it learns.
    passes = np.concatenate(([False], np.logical_or.accumulate(learns)[:-1]))
    where = network.kept_layer
    active = np.where(network.kept_for_weight, trained.weight[where], passes[where])
    if plan.recompute_attention:
        active &= ~network.kept_recomputable
    rows = np.flatnonzero(active)
    _, first = np.unique(network.kept_tensor[rows], return_index=True)
    rows = rows[first]
    bits = network.kept_elements[rows] * network.kept_bits(value_bits)[rows] * plan.batch
    np.add.at(kept, where[rows], -(-bits // 8))
    # LoRA's intermediate: rank elements at every position of an adapted matrix.
    intermediate = plan.rank * network.positions * (trained.adapter > 0)
    return kept + intermediate * plan.batch * (value_bits // 8)


def _whole_bytes(elements: int, bits: int) -> int:
    return -(-elements * bits // 8)
