"""Softmax regression for many learners at once: parameters (m, D, C), one matmul a step.

Shapes: m learners, n examples each, D inputs, C classes. Images are (m, n, D), or (n, D) when
all learners see the same; labels are (m, n) or (n,). A bias is a column of ones in the images,
see :func:`with_ones`.
"""

from __future__ import annotations

import numpy as np

from engine.numerics.randomness import FloatArray, IntArray


def with_ones(images: FloatArray) -> FloatArray:
    """Return images (..., D) with a column of ones after them: (..., D + 1)."""
    return np.concatenate([images, np.ones((*images.shape[:-1], 1))], axis=-1)


def probabilities(parameters: FloatArray, images: FloatArray) -> FloatArray:
    """Return (m, n, C): the softmax of the scores, safe from overflow."""
    scores = images @ parameters
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    return scores


def loss(parameters: FloatArray, images: FloatArray, labels: IntArray) -> FloatArray:
    """Return (m,): each learner's mean cross-entropy, in nats."""
    scores = images @ parameters
    scores -= scores.max(axis=-1, keepdims=True)
    picked = np.take_along_axis(scores, _per_learner(scores, labels)[..., None], axis=-1)[..., 0]
    return np.asarray(np.mean(np.log(np.exp(scores).sum(axis=-1)) - picked, axis=-1))


def gradient(parameters: FloatArray, images: FloatArray, labels: IntArray) -> FloatArray:
    """Return (m, D, C): the gradient of :func:`loss`, Xᵀ(p - y)/n."""
    errors = probabilities(parameters, images)
    errors -= np.eye(parameters.shape[-1])[_per_learner(errors, labels)]
    errors /= images.shape[-2]
    return np.swapaxes(images, -1, -2) @ errors


def step(
    parameters: FloatArray, images: FloatArray, labels: IntArray, learning_rate: float
) -> None:
    """Move ``parameters`` in place by one step of gradient descent."""
    parameters -= learning_rate * gradient(parameters, images, labels)


def correct(parameters: FloatArray, images: FloatArray, labels: IntArray) -> IntArray:
    """Return (m,): how many examples are given their label; ties go to the lower class."""
    chosen = np.argmax(images @ parameters, axis=-1)
    return np.asarray(np.count_nonzero(chosen == labels, axis=-1), dtype=np.int64)


def _per_learner(scores: FloatArray, labels: IntArray) -> IntArray:
    """Return the labels as (m, n)."""
    return np.broadcast_to(labels, scores.shape[:-1])
