"""Softmax regression for many learners at once: parameters (m, D, C), one matmul a step.

Shapes: m learners, n examples each, D inputs, C classes. Images are (m, n, D), or (n, D) when
all learners see the same; labels are (m, n) or (n,). A bias is a column of ones in the images,
see :func:`with_ones`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.numerics.randomness import FloatArray, IntArray


def with_ones(images: FloatArray) -> FloatArray:
    """Return images (..., D) with a column of ones after them: (..., D + 1)."""
    return np.concatenate([images, np.ones((*images.shape[:-1], 1))], axis=-1)


def probabilities(parameters: FloatArray, images: FloatArray) -> FloatArray:
    """Return (m, n, C): the softmax of the scores, safe from overflow."""
    scores = images @ parameters
    return _softmax(scores).T.reshape(scores.shape)


def loss(parameters: FloatArray, images: FloatArray, labels: IntArray) -> FloatArray:
    """Return (m,): each learner's mean cross-entropy, in nats."""
    scores = images @ parameters
    scores -= scores.max(axis=-1, keepdims=True)
    picked = np.take_along_axis(scores, _per_learner(scores, labels)[..., None], axis=-1)[..., 0]
    return np.asarray(np.mean(np.log(np.exp(scores).sum(axis=-1)) - picked, axis=-1))


def gradient(parameters: FloatArray, images: FloatArray, labels: IntArray) -> FloatArray:
    """Return (m, D, C): the gradient of :func:`loss`, Xᵀ(p - y)/n."""
    return _scaled_gradient(parameters, images, labels, 1.0)


def step(
    parameters: FloatArray, images: FloatArray, labels: IntArray, learning_rate: float
) -> None:
    """Move ``parameters`` in place by one step of gradient descent."""
    parameters -= _scaled_gradient(parameters, images, labels, learning_rate)


def correct(parameters: FloatArray, images: FloatArray, labels: IntArray) -> IntArray:
    """Return (m,): how many examples are given their label; ties go to the lower class."""
    return np.asarray(right(parameters, images, labels).sum(axis=-1), dtype=np.int64)


def right(parameters: FloatArray, images: FloatArray, labels: IntArray) -> NDArray[np.bool_]:
    """Return (m, n): which examples are given their label; ties go to the lower class."""
    return np.asarray(np.argmax(images @ parameters, axis=-1) == labels)


def _scaled_gradient(
    parameters: FloatArray, images: FloatArray, labels: IntArray, scale: float
) -> FloatArray:
    scores = images @ parameters
    errors = _softmax(scores)
    count = errors.shape[1]
    errors.reshape(-1)[_per_learner(scores, labels).ravel() * count + np.arange(count)] -= 1.0
    errors *= scale / images.shape[-2]
    return images.mT @ errors.T.reshape(scores.shape)


def _softmax(scores: FloatArray) -> FloatArray:
    """Return (C, every example) for scores (..., C).

    Classes come first, because numpy reduces over a short last axis five times as slowly.
    """
    p = np.ascontiguousarray(scores.reshape(-1, scores.shape[-1]).T)
    p -= np.maximum.reduce(p, axis=0)
    np.exp(p, out=p)
    p /= np.add.reduce(p, axis=0)
    return p


def _per_learner(scores: FloatArray, labels: IntArray) -> IntArray:
    """Return the labels as (m, n)."""
    if labels.shape == scores.shape[:-1]:  # asked first: broadcasting costs as much as a softmax
        return labels
    return np.broadcast_to(labels, scores.shape[:-1])
