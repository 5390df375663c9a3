"""A small multilayer perceptron that learns with any part of itself frozen.

ReLU between layers, softmax cross-entropy at the end, all in float64. A step is written flat,
into buffers made once: at these sizes numpy's cost is the number of calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

import numpy as np

from engine.numerics.randomness import FloatArray, IntArray, normals, permutation

Optimizer: TypeAlias = Literal["sgd", "momentum", "adam"]
OPTIMIZERS: tuple[Optimizer, ...] = get_args(Optimizer)

MOMENTUM = 0.9  # Polyak 1964, in the form of Sutskever et al. 2013 without Nesterov's step
ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON = 0.9, 0.999, 1e-8  # Kingma & Ba 2015, algorithm 1


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Weights, each (d_in, d_out), and biases, each (d_out,), from the input on."""

    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of the input and of every layer."""
        return (len(self.weights[0]), *(len(bias) for bias in self.biases))

    @property
    def depth(self) -> int:
        """Number of layers that hold weights."""
        return len(self.weights)


@dataclass(frozen=True, slots=True)
class Trained:
    """Which tensors learn: one flag a layer, and the rank of the LoRA pair beside each weight.

    ``rows`` narrows a weight that learns to these of its inputs; empty, or an empty entry, does
    not.
    """

    weights: tuple[bool, ...]
    biases: tuple[bool, ...]
    rank: int = 0
    rows: tuple[tuple[int, ...], ...] = ()


def train_none(depth: int) -> Trained:
    """Freeze everything."""
    return Trained((False,) * depth, (False,) * depth)


def train_full(depth: int) -> Trained:
    """Train every weight and bias."""
    return train_last(depth, depth)


def train_last(depth: int, layers: int) -> Trained:
    """Train weights and biases of the last ``layers`` layers, 1..depth."""
    if not 1 <= layers <= depth:
        raise ValueError(f"train 1 to {depth} layers, not {layers}")
    flags = (False,) * (depth - layers) + (True,) * layers
    return Trained(flags, flags)


def train_bias(depth: int) -> Trained:
    """Train all biases and the weights of the last layer.

    This is TinyTL's bias-only setting (Cai et al. 2020): the classifier always learns.
    """
    return Trained((False,) * (depth - 1) + (True,), (True,) * depth)


def train_lora(depth: int, rank: int) -> Trained:
    """Train a pair B·A of ``rank`` beside every weight, which stays frozen as do the biases.

    Hu et al. 2021, §4.1. A layer narrower than ``rank`` takes the rank it can.
    """
    if rank < 1:
        raise ValueError(f"a LoRA pair has rank 1 or more, not {rank}")
    return Trained((False,) * depth, (False,) * depth, rank)


def train_only(depth: int, layer: int) -> Trained:
    """Train weights and biases of one layer, 0..depth - 1."""
    if not 0 <= layer < depth:
        raise ValueError(f"layers are 0 to {depth - 1}, not {layer}")
    flags = tuple(i == layer for i in range(depth))
    return Trained(flags, flags)


def train_sparse(network: Network, layers: int, channels: int) -> Trained:
    """Train the last ``layers`` biases, and one in ``channels`` inputs of their weights.

    Sparse update (Lin et al. 2022). Chosen are the inputs with the largest weights; the
    last layer, the classifier, learns whole.
    """
    if channels < 1:
        raise ValueError(f"one in 1 or more channels learns, not one in {channels}")
    flags = train_last(network.depth, layers).weights
    rows: list[tuple[int, ...]] = []
    for i, weight in enumerate(network.weights):
        if not flags[i] or channels == 1 or i == network.depth - 1:
            rows.append(())
            continue
        largest = np.argsort(-np.square(weight).sum(axis=1), kind="stable")
        rows.append(tuple(sorted(largest[: -(-len(weight) // channels)].tolist())))
    return Trained(flags, flags, rows=tuple(rows))


def initial(widths: tuple[int, ...], rng: np.random.Generator) -> Network:
    """Draw a network: normal weights of variance 2/d_in (He et al. 2015, eq. 10), zero biases."""
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"widths name an input and at least one layer, got {widths}")
    pairs = tuple(pairwise(widths))
    return Network(
        tuple(normals(rng, pair) * np.sqrt(2.0 / pair[0]) for pair in pairs),
        tuple(np.zeros(width) for width in widths[1:]),
    )


def logits(network: Network, images: FloatArray) -> FloatArray:
    """Return the scores (n, classes) of ``images`` (n, d)."""
    hidden = images
    for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        hidden = hidden @ weight + bias
        if layer < network.depth - 1:
            np.maximum(hidden, 0.0, out=hidden)
    return hidden


def correct(network: Network, images: FloatArray, labels: IntArray) -> int:
    """Return how many of ``images`` (n, d) are given their label; ties go to the lower class."""
    return int(np.count_nonzero(np.argmax(logits(network, images), axis=1) == labels))


def loss(network: Network, images: FloatArray, labels: IntArray) -> float:
    """Return the mean softmax cross-entropy, in nats."""
    scores = logits(network, images)
    scores -= scores.max(axis=1, keepdims=True)
    picked = scores[np.arange(len(labels)), labels]
    return float(np.mean(np.log(np.exp(scores).sum(axis=1)) - picked))


def quantized(network: Network, bits: int, trained: Trained) -> Network:
    """Round the frozen weights to ``bits``; what learns and the biases stay as they are.

    Symmetric uniform, a scale an output channel: w → s·round(w/s), s = max|w|/(2^(bits-1) - 1)
    (Jacob et al. 2018, eq. 1 with zero point 0; by channel as in Krishnamoorthi 2018).
    At 32 bits the weights are taken as they are. Raises :class:`ValueError` outside 2..32.
    """
    if not 2 <= bits <= 32:
        raise ValueError(f"weights are held in 2 to 32 bits, not {bits}")
    if bits == 32:
        return network
    levels = 2 ** (bits - 1) - 1
    weights = []
    for weight, learns in zip(network.weights, trained.weights, strict=True):
        if learns:
            weights.append(weight)
            continue
        scale = np.abs(weight).max(axis=0) / levels
        scale[scale == 0.0] = 1.0
        weights.append(np.rint(weight / scale) * scale)
    return Network(tuple(weights), network.biases)


class _Buffers:
    """Arrays of one batch size: scores, gradients and LoRA products of every layer."""

    def __init__(self, rows: int, widths: tuple[int, ...], ranks: tuple[int, ...]) -> None:
        self.z = [np.empty((rows, width)) for width in widths[1:]]
        self.g = [np.empty((rows, width)) for width in widths[1:]]
        self.alive = [np.empty((rows, width), dtype=bool) for width in widths[1:]]
        self.spare = [np.empty((rows, width)) for width in widths]
        self.u = [np.empty((rows, rank)) for rank in ranks]
        self.gu = [np.empty((rows, rank)) for rank in ranks]
        self.row = np.empty((rows, 1))


class Learner:
    """A network in training. What is trained lies in one flat vector, the rest is frozen.

    Args:
        network: where it starts; copied, never changed.
        trained: which tensors learn.
        optimizer: ``sgd``, ``momentum`` (heavy ball) or ``adam``.
        rng: draws the A of LoRA, normal of variance 1/d_in; B starts at zero. Needed by LoRA.
    """

    def __init__(
        self,
        network: Network,
        trained: Trained,
        optimizer: Optimizer,
        rng: np.random.Generator | None = None,
    ) -> None:
        if trained.rank and rng is None:
            raise ValueError("LoRA needs a stream to draw its A from")
        if optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizers are {', '.join(OPTIMIZERS)}, not {optimizer!r}")
        if not len(trained.weights) == len(trained.biases) == network.depth:
            raise ValueError(f"{trained} does not fit {network.depth} layers")
        self._widths = network.widths
        self._trained = trained
        self._optimizer = optimizer
        self._layers = range(network.depth)
        self._last = network.depth - 1
        self._rows = [np.array(rows, dtype=np.intp) for rows in trained.rows]
        self._ranks = tuple(min(trained.rank, *pair) for pair in pairwise(self._widths))
        starts: list[FloatArray] = []
        for i in self._layers:
            if trained.weights[i]:
                chosen = self._chosen(i)
                weight = network.weights[i]
                starts.append(weight if chosen is None else weight[chosen])
            if trained.biases[i]:
                starts.append(network.biases[i])
            if trained.rank and rng is not None:
                d_in, d_out = network.weights[i].shape
                starts.append(normals(rng, (d_in, self._ranks[i])) / np.sqrt(d_in))
                starts.append(np.zeros((self._ranks[i], d_out)))
        # How far backward must go: the earliest layer that learns anything.
        self._lowest = next(
            (i for i in self._layers if trained.weights[i] or trained.biases[i] or trained.rank),
            network.depth,
        )
        self.parameters = np.concatenate([start.ravel() for start in starts] or [np.empty(0)])
        self.gradient = np.zeros_like(self.parameters)
        self._m = np.zeros_like(self.parameters)
        self._v = np.zeros_like(self.parameters)
        self._spare = np.zeros_like(self.parameters)
        self.updates = 0
        self._weights = list(network.weights)
        self._parts: list[FloatArray | None] = [None] * network.depth
        self._biases = list(network.biases)
        self._a: list[FloatArray] = []
        self._b: list[FloatArray] = []
        self._gradients_w: list[FloatArray | None] = [None] * network.depth
        self._gradients_bias: list[FloatArray | None] = [None] * network.depth
        self._gradients_a: list[FloatArray] = []
        self._gradients_b: list[FloatArray] = []
        self._bind()
        self._buffers: dict[int, _Buffers] = {}

    def _bind(self) -> None:
        """Make the trained tensors and their gradients views into the flat vectors."""
        at = 0

        def views(shape: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
            nonlocal at
            size = int(np.prod(shape))
            pair = tuple(
                flat[at : at + size].reshape(shape) for flat in (self.parameters, self.gradient)
            )
            at += size
            return pair[0], pair[1]

        for i in self._layers:
            if self._trained.weights[i]:
                chosen = self._chosen(i)
                if chosen is None:
                    self._weights[i], self._gradients_w[i] = views(self._weights[i].shape)
                else:
                    self._weights[i] = self._weights[i].copy()
                    shape = (len(chosen), self._widths[i + 1])
                    self._parts[i], self._gradients_w[i] = views(shape)
            if self._trained.biases[i]:
                self._biases[i], self._gradients_bias[i] = views(self._biases[i].shape)
            if self._trained.rank:
                d_in, d_out = self._weights[i].shape
                for shape, tensors, gradients in (
                    ((d_in, self._ranks[i]), self._a, self._gradients_a),
                    ((self._ranks[i], d_out), self._b, self._gradients_b),
                ):
                    tensor, gradient = views(shape)
                    tensors.append(tensor)
                    gradients.append(gradient)

    def _chosen(self, i: int) -> IntArray | None:
        """Inputs of layer ``i`` whose weights learn; None for all."""
        return self._rows[i] if self._rows and len(self._rows[i]) else None

    def _place(self) -> None:
        """Put weights that learn in part where the layers read them."""
        for i, part in enumerate(self._parts):
            if part is not None:
                self._weights[i][self._rows[i]] = part

    def network(self) -> Network:
        """Return the network as it is now, LoRA merged into the weights (copies)."""
        self._place()
        weights = tuple(weight.copy() for weight in self._weights)
        for weight, a, b in zip(weights, self._a, self._b, strict=False):
            weight += a @ b
        return Network(weights, tuple(bias.copy() for bias in self._biases))

    def differentiate(self, images: FloatArray, targets: FloatArray) -> None:
        """Put the gradient of the mean cross-entropy into :attr:`gradient`.

        ``images`` is (n, d); ``targets`` is (n, classes), a one in each row.
        """
        rows = len(images)
        buffers = self._buffers.get(rows)
        if buffers is None:
            buffers = self._buffers[rows] = _Buffers(rows, self._widths, self._ranks)
        weights, lora = self._weights, bool(self._a)
        matmul, total = np.matmul, np.add.reduce

        if self._rows:
            self._place()
        hidden = images
        for i in self._layers:
            z = buffers.z[i]
            matmul(hidden, weights[i], out=z)
            if lora:
                matmul(hidden, self._a[i], out=buffers.u[i])
                matmul(buffers.u[i], self._b[i], out=buffers.spare[i + 1])
                z += buffers.spare[i + 1]
            z += self._biases[i]
            if i < self._last:
                np.maximum(z, 0.0, out=z)
            hidden = z

        g = buffers.g[self._last]
        row = buffers.row
        np.maximum.reduce(hidden, axis=1, keepdims=True, out=row)
        np.subtract(hidden, row, out=g)
        np.exp(g, out=g)
        total(g, axis=1, keepdims=True, out=row)
        g /= row
        g -= targets
        if rows > 1:
            g *= 1.0 / rows

        for i in range(self._last, self._lowest - 1, -1):
            below = buffers.z[i - 1] if i else images
            g = buffers.g[i]
            gw, gb = self._gradients_w[i], self._gradients_bias[i]
            if gw is not None:
                chosen = self._chosen(i)
                matmul((below if chosen is None else below[:, chosen]).T, g, out=gw)
            if gb is not None:
                total(g, axis=0, out=gb)
            if lora:
                matmul(g, self._b[i].T, out=buffers.gu[i])
                matmul(buffers.u[i].T, g, out=self._gradients_b[i])
                matmul(below.T, buffers.gu[i], out=self._gradients_a[i])
            if i > self._lowest:
                down = buffers.g[i - 1]
                matmul(g, weights[i].T, out=down)
                if lora:
                    matmul(buffers.gu[i], self._a[i].T, out=buffers.spare[i])
                    down += buffers.spare[i]
                np.greater(below, 0.0, out=buffers.alive[i - 1])
                down *= buffers.alive[i - 1]

    def step(self, images: FloatArray, targets: FloatArray, learning_rate: float) -> None:
        """Take one optimizer step on a minibatch, shapes as in :meth:`differentiate`."""
        self.differentiate(images, targets)
        self.updates += 1
        gradient, spare = self.gradient, self._spare
        if self._optimizer == "sgd":
            np.multiply(gradient, learning_rate, out=spare)
        elif self._optimizer == "momentum":
            self._m *= MOMENTUM
            self._m += gradient
            np.multiply(self._m, learning_rate, out=spare)
        else:
            # Kingma & Ba 2015, algorithm 1 in the reordered form at the end of §2.
            self._m *= ADAM_BETA1
            np.multiply(gradient, 1.0 - ADAM_BETA1, out=spare)
            self._m += spare
            self._v *= ADAM_BETA2
            np.multiply(gradient, gradient, out=spare)
            spare *= 1.0 - ADAM_BETA2
            self._v += spare
            t = self.updates
            rate = learning_rate * np.sqrt(1.0 - ADAM_BETA2**t) / (1.0 - ADAM_BETA1**t)
            np.sqrt(self._v, out=spare)
            spare += ADAM_EPSILON
            np.divide(self._m, spare, out=spare)
            spare *= rate
        self.parameters -= spare

    def epoch(
        self,
        images: FloatArray,
        targets: FloatArray,
        batch: int,
        learning_rate: float,
        rng: np.random.Generator,
    ) -> None:
        """Go once over (n, d) ``images`` in a random order; the last batch may be smaller."""
        order = permutation(rng, len(images))
        images, targets = images[order], targets[order]
        for at in range(0, len(images), batch):
            self.step(images[at : at + batch], targets[at : at + batch], learning_rate)


def one_hot(labels: IntArray, classes: int) -> FloatArray:
    """Return (n, classes) with a one in each row."""
    return np.eye(classes)[labels]
