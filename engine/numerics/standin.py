"""A real small adaptation: what a choice of memory buys, measured on a stand-in.

A perceptron of 5,018 parameters learns the clean digits, then adapts to a user's shifted ones
with part of itself frozen, the same parts as the memory accounting freezes at the true scale.
Accuracies are counts of 360 held-out shifted digits. What emerges, over which seeds, and what
does not is printed by ``benchmarks/standin_emergence.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias, get_args

import numpy as np

from engine.numerics import mlp
from engine.numerics.digits import CLASSES, PIXELS, TRAIN, Digits, split
from engine.numerics.mlp import Learner, Network, Optimizer, Trained
from engine.numerics.quantized import QuantizedLearner
from engine.numerics.randomness import FloatArray, permutation, stream
from engine.numerics.shifts import Shift, shifted

Method: TypeAlias = Literal["none", "bias", "last", "lora", "full", "sparse", "layerwise"]
METHODS: tuple[Method, ...] = get_args(Method)

WIDTHS = (PIXELS, 48, 32, CLASSES)
DEPTH = len(WIDTHS) - 1

_PRETRAIN_EPOCHS = 12
_PRETRAIN_BATCH = 32
_PRETRAIN_RATE = 4e-3  # Adam, falling in a straight line

# Steps of one example with everything trained: see learning_rate_for.
_BASE_RATES: dict[Optimizer, float] = {"sgd": 1.4e-2, "momentum": 1.4e-3, "adam": 3e-3}
_GENTLENESS: dict[Shift, float] = {"habits": 1.0, "dust": 0.15, "accent": 1.0, "ear": 0.15}


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What one adaptation did; every ``correct`` counts digits of ``size`` held-out ones.

    Attributes:
        correct: shifted digits, after adapting.
        correct_before: shifted digits, before, frozen weights already rounded.
        correct_clean: clean digits, before.
        correct_kept: clean digits, after: what was not forgotten.
        size: test digits.
        updates: optimizer steps taken.
        curve: accuracy on the shifted digits, 0..1, before and after each epoch.
    """

    correct: int
    correct_before: int
    correct_clean: int
    correct_kept: int
    size: int
    updates: int
    curve: tuple[float, ...]

    @property
    def accuracy(self) -> float:
        """Accuracy on the shifted digits after adapting, 0..1."""
        return self.correct / self.size

    @property
    def accuracy_before(self) -> float:
        """Accuracy on the shifted digits before, 0..1."""
        return self.correct_before / self.size

    @property
    def accuracy_clean(self) -> float:
        """Accuracy on the clean digits before, 0..1."""
        return self.correct_clean / self.size

    @property
    def accuracy_kept(self) -> float:
        """Accuracy on the clean digits after adapting, 0..1."""
        return self.correct_kept / self.size


def trained_by(
    method: Method, *, depth: int, rank: int, channels: int = 1, network: Network | None = None
) -> Trained:
    """Return the tensors that ``method`` trains, of layer-wise training all of them.

    ``depth`` is read by last and sparse, ``rank`` by lora; sparse takes one in ``channels`` of
    the inputs of ``network``'s weights, the largest.
    """
    if method == "none":
        return mlp.train_none(DEPTH)
    if method == "bias":
        return mlp.train_bias(DEPTH)
    if method == "last":
        return mlp.train_last(DEPTH, depth)
    if method == "lora":
        return mlp.train_lora(DEPTH, rank)
    if method in ("full", "layerwise"):
        return mlp.train_full(DEPTH)
    if method == "sparse":
        if network is None:
            raise ValueError("sparse chooses by the weights: give the network")
        return mlp.train_sparse(network, depth, channels)
    raise ValueError(f"methods are {', '.join(METHODS)}, not {method!r}")


def learning_rate_for(
    shift: Shift,
    method: Method,
    *,
    depth: int = 1,
    rank: int = 4,
    channels: int = 1,
    batch: int = 8,
    optimizer: Optimizer = "adam",
) -> float:
    """Return base(optimizer) · √batch · part(method) · gentleness(shift), when none is given.

    The square root of the batch keeps the variance of what an epoch adds (Krizhevsky 2014). The
    less is trained, the larger the best step: part is 1 for all layers and one more for each
    layer left frozen, 3 for biases, and 4/√rank for LoRA, whose product B·A grows with its rank
    (after Kalajdzievski 2023). One in c channels takes √c times the step of all of them, and a
    layer that learns alone, for a third of the steps, twice. Dust and ear want small steps: a
    bright haze makes large ones unstable, as inputs far from zero mean do (LeCun et al. 1998).
    Bases, parts and gentleness are rounded from searches on seeds that no test uses.
    """
    part = {
        "none": 1.0,
        "bias": float(DEPTH),
        "last": 1.0 + DEPTH - depth,
        "lora": 4.0 / math.sqrt(rank),
        "full": 1.0,
        "sparse": (1.0 + DEPTH - depth) * (math.sqrt(channels) if depth > 1 else 1.0),
        "layerwise": 2.0,
    }[method]
    return _BASE_RATES[optimizer] * math.sqrt(batch) * part * _GENTLENESS[shift]


@lru_cache(maxsize=64)
def pretrained(seed: int) -> Network:
    """Return the network that learned the clean training digits of ``seed`` (Adam, 12 epochs)."""
    train, _ = split(seed)
    targets = mlp.one_hot(train.labels, CLASSES)
    learner = mlp.Learner(
        mlp.initial(WIDTHS, stream(seed, "standin", "initial")), mlp.train_full(DEPTH), "adam"
    )
    order = stream(seed, "standin", "pretrain")
    for epoch in range(_PRETRAIN_EPOCHS):
        rate = _PRETRAIN_RATE * (1.0 - epoch / _PRETRAIN_EPOCHS)
        learner.epoch(train.images, targets, _PRETRAIN_BATCH, rate, order)
    return learner.network()


@lru_cache(maxsize=16)
def _domain(shift: Shift, strength: float, seed: int) -> tuple[Digits, Digits]:
    """Return the user's digits: 1,437 to learn from, in random order, and 360 to be judged on."""
    train, test = split(seed)
    order = permutation(stream(seed, "standin", "examples"), TRAIN)
    return (
        shifted(shift, strength, train, seed=seed, part="train").take(order),
        shifted(shift, strength, test, seed=seed, part="test"),
    )


def adapt(
    shift: Shift,
    strength: float,
    *,
    method: Method = "full",
    depth: int = 1,
    rank: int = 4,
    channels: int = 1,
    frozen_bits: int = 16,
    eight_bit: bool = False,
    scaling: bool = True,
    batch: int = 8,
    optimizer: Optimizer = "adam",
    examples: int = 200,
    epochs: int = 4,
    learning_rate: float | None = None,
    seed: int,
) -> Adaptation:
    """Adapt the stand-in to a user's digits and measure it.

    Args:
        shift: how the user's digits differ, see :mod:`engine.numerics.shifts`.
        strength: how much, 0..1.
        method: what learns. ``layerwise`` divides each epoch's examples among the layers, from
            the first on; each begins with a fresh optimizer and is frozen, and rounded, after.
        depth: layers from the end that ``last`` and ``sparse`` train, 1..3.
        rank: rank of ``lora``'s pairs; the output layer takes at most 10.
        channels: ``sparse`` trains one in so many inputs of a weight.
        frozen_bits: width the frozen weights are rounded to; what learns stays float64.
        eight_bit: learn in a graph of 8-bit weights and activations (``lora``: over 8-bit
            weights alone).
        scaling: scale the gradients of that graph, see :mod:`engine.numerics.quantized`.
        batch: examples a step; at most ``examples`` matter.
        optimizer: ``sgd``, ``momentum`` or ``adam``.
        examples: shifted training digits, 1..1437; fewer are a prefix of more.
        epochs: passes over them.
        learning_rate: step of the first epoch, which falls in a straight line from epoch to
            epoch; None takes :func:`learning_rate_for`.
        seed: which split, starting network, user and order.

    A rate so large that training diverges gives what a broken network scores, about chance.
    Raises :class:`ValueError` for anything outside these ranges.
    """
    if not 1 <= examples <= TRAIN:
        raise ValueError(f"there are 1 to {TRAIN} examples to adapt on, not {examples}")
    if batch < 1 or epochs < 1:
        raise ValueError(f"a batch and the epochs are 1 or more, got {batch} and {epochs}")
    trained = trained_by(
        method, depth=depth, rank=rank, channels=channels, network=pretrained(seed)
    )
    batch = min(batch, examples)
    if optimizer not in mlp.OPTIMIZERS:
        raise ValueError(f"optimizers are {', '.join(mlp.OPTIMIZERS)}, not {optimizer!r}")
    pool, test = _domain(shift, strength, seed)
    if learning_rate is None:
        learning_rate = learning_rate_for(
            shift,
            method,
            depth=depth,
            rank=rank,
            channels=channels,
            batch=batch,
            optimizer=optimizer,
        )
    if not 0.0 < learning_rate < math.inf:
        raise ValueError(f"a learning rate is above 0 and finite, not {learning_rate}")
    if eight_bit:
        frozen_bits = min(frozen_bits, 8)

    _, clean = split(seed)
    images, targets = pool.images[:examples], mlp.one_hot(pool.labels[:examples], CLASSES)
    order = stream(seed, "standin", "order")
    rates = [learning_rate * (1.0 - epoch / epochs) for epoch in range(epochs)]

    def learner_of(network: Network, part: Trained) -> Learner:
        if eight_bit and not part.rank:
            return QuantizedLearner(network, part, optimizer, images, scaling=scaling)
        return Learner(network, part, optimizer, stream(seed, "standin", "lora"))

    # At rest nothing of a layer-wise network learns; a layer is unrounded in its own turn alone.
    resting = mlp.train_none(DEPTH) if method == "layerwise" else trained
    learner = learner_of(mlp.quantized(pretrained(seed), frozen_bits, resting), resting)
    counts = [_correct(learner, test)]
    before = _correct(learner, clean)
    updates = 0
    with np.errstate(over="ignore", invalid="ignore"):
        for rate in rates if method != "none" else ():
            if method == "layerwise":
                network = learner.network()
                turns = np.array_split(permutation(order, examples), DEPTH)
                for layer, turn in enumerate(turns):
                    learner = learner_of(network, mlp.train_only(DEPTH, layer))
                    _steps(learner, images[turn], targets[turn], batch, rate)
                    updates += learner.updates
                    network = mlp.quantized(learner.network(), frozen_bits, resting)
                learner = learner_of(network, resting)
            else:
                learner.epoch(images, targets, batch, rate, order)
            counts.append(_correct(learner, test))
        kept = _correct(learner, clean)
    return Adaptation(
        correct=counts[-1],
        correct_before=counts[0],
        correct_clean=before,
        correct_kept=kept,
        size=len(test),
        updates=updates + learner.updates,
        curve=tuple(count / len(test) for count in counts),
    )


def _correct(learner: Learner, digits: Digits) -> int:
    """How many digits the network has right as it would run: in its graph, if it has one."""
    if isinstance(learner, QuantizedLearner):
        return learner.correct(digits.images, digits.labels)
    return mlp.correct(learner.network(), digits.images, digits.labels)


def _steps(
    learner: Learner, images: FloatArray, targets: FloatArray, batch: int, rate: float
) -> None:
    for at in range(0, len(images), batch):
        learner.step(images[at : at + batch], targets[at : at + batch], rate)
