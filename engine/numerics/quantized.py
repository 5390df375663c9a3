"""Learning in a graph of 8-bit weights and activations, and the scaling that makes it work.

In a quantized graph (Jacob et al. 2018, eq. 1) a weight is held as W/s_w, a whole number from
-127 to 127, and an activation as x/s_x. Seen in these units a weight is about a hundred times as
large and its gradient a hundred times as small, by 1/s_w and s_w, differently in each channel; a
bias is in units of s_w·s_x, smaller still. Plain SGD then hardly moves them. Quantization-aware
scaling (Lin et al. 2022, "On-Device Training Under 256KB Memory", §2.1) multiplies

    the gradient of a weight by s_w^-2, of a bias by s_w^-2 · s_x^-2,

which restores the ratio of the two: a step of SGD is what it would be without the graph. Adam
divides the size of the gradient away, scaled or not, so that the scaling does nothing for it.

As in the training code published with that paper, what learns is kept beyond the grid and
rounded where it is used, the gradient passes the rounding as if it were not there and stops where
an activation is cut off, and the classifier is not quantized.
"""

from __future__ import annotations

import numpy as np

from engine.numerics.mlp import Learner, Network, Optimizer, Trained
from engine.numerics.randomness import FloatArray, IntArray

LEVELS = 127


class QuantizedLearner(Learner):
    """A :class:`Learner` in an 8-bit graph; its parameters are in units of the grid.

    Args:
        network: where it starts.
        trained: which tensors learn; no LoRA.
        optimizer: as of :class:`Learner`.
        images: (n, d), what the ranges of the activations are taken from.
        scaling: whether gradients are scaled.
    """

    def __init__(
        self,
        network: Network,
        trained: Trained,
        optimizer: Optimizer,
        images: FloatArray,
        *,
        scaling: bool,
    ) -> None:
        if trained.rank:
            raise ValueError("LoRA's adapters do not live in the 8-bit graph")
        last = network.depth - 1
        self._scale_w = [_scale(np.abs(w).max(axis=0)) for w in network.weights]
        self._scale_w[last] = np.ones_like(self._scale_w[last])
        self._scale_x: list[float] = []
        hidden = images
        for weight, bias in zip(network.weights, network.biases, strict=True):
            self._scale_x.append(float(_scale(np.abs(hidden).max())))
            hidden = np.maximum(hidden @ weight + bias, 0.0)
        self._scale_b = [w * x for w, x in zip(self._scale_w, self._scale_x, strict=True)]
        self._scale_b[last] = np.ones_like(self._scale_b[last])
        self._scaling = scaling
        grid = Network(
            tuple(w / s for w, s in zip(network.weights, self._scale_w, strict=True)),
            tuple(b / s for b, s in zip(network.biases, self._scale_b, strict=True)),
        )
        super().__init__(grid, trained, optimizer)

    def network(self) -> Network:
        """The network as the graph computes it: weights on their grid, in their own units."""
        self._place()
        weights, biases = self._rounded()
        return Network(tuple(w.copy() for w in weights), tuple(b.copy() for b in biases))

    def correct(self, images: FloatArray, labels: IntArray) -> int:
        """How many of ``images`` the graph gives their label, activations rounded too."""
        *_, scores = self._forward(images, *self._rounded())
        return int(np.count_nonzero(np.argmax(scores, axis=1) == labels))

    def differentiate(self, images: FloatArray, targets: FloatArray) -> None:
        """As :meth:`Learner.differentiate`, in the units of the grid and scaled if asked."""
        self._place()
        weights, biases = self._rounded()
        *inputs, scores = self._forward(images, weights, biases)
        g = np.exp(scores - scores.max(axis=1, keepdims=True))
        g /= g.sum(axis=1, keepdims=True)
        g = (g - targets) / len(images)
        for i in range(self._last, self._lowest - 1, -1):
            gw, gb = self._gradients_w[i], self._gradients_bias[i]
            power = -1 if self._scaling else 1  # s from the change of units, and then s**-2
            if gw is not None:
                chosen = self._chosen(i)
                below = inputs[i] if chosen is None else inputs[i][:, chosen]
                np.multiply(below.T @ g, self._scale_w[i] ** power, out=gw)
            if gb is not None:
                np.multiply(g.sum(axis=0), self._scale_b[i] ** power, out=gb)
            if i > self._lowest:
                most = LEVELS * self._scale_x[i]
                g = (g @ weights[i].T) * ((inputs[i] > 0.0) & (inputs[i] < most))

    def _rounded(self) -> tuple[list[FloatArray], list[FloatArray]]:
        weights, biases = list(self._weights), list(self._biases)
        for i in range(self._last):
            grid = np.clip(np.rint(weights[i]), -LEVELS, LEVELS)
            weights[i], biases[i] = (
                grid * self._scale_w[i],
                np.rint(biases[i]) * self._scale_b[i],
            )
        return weights, biases

    def _forward(
        self, images: FloatArray, weights: list[FloatArray], biases: list[FloatArray]
    ) -> list[FloatArray]:
        """What each layer reads, and the scores."""
        inputs, hidden = [], images
        for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            scale = self._scale_x[i]
            inputs.append(np.clip(np.rint(hidden / scale), -LEVELS, LEVELS) * scale)
            hidden = inputs[-1] @ weight + bias
            if i < self._last:
                hidden = np.maximum(hidden, 0.0)
        return [*inputs, hidden]


def _scale(largest: FloatArray) -> FloatArray:
    """The step of a grid that reaches ``largest`` (Krishnamoorthi 2018, by channel)."""
    scale = np.asarray(largest, dtype=np.float64) / LEVELS
    found: FloatArray = np.where(scale == 0.0, 1.0, scale)
    return found
