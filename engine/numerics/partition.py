"""Whose data is whose: digits dealt to clients by a Dirichlet law, and links that may follow.

Shapes: K clients with n examples each, C classes, D inputs (64 pixels and a one).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.numerics.digits import CLASSES, SIDE, split
from engine.numerics.randomness import FloatArray, IntArray, normals, permutation, stream
from engine.numerics.softmax import with_ones

_TRIES = 16  # of a gamma variate; one succeeds with 95 % or more
_STEEPNESS = 4.5  # log-odds between a client with none of the slice and one with nothing else


@dataclass(frozen=True, slots=True, eq=False)
class Clients:
    """What the clients hold: images (K, n, D) with a column of ones, labels (K, n)."""

    images: FloatArray
    labels: IntArray

    def shares(self) -> FloatArray:
        """Return (K, C): the share of each class in each client's examples."""
        return np.asarray(np.eye(CLASSES)[self.labels].mean(axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class _Pool:
    """Training images with ones, sorted by label; class c is at ``first[c]:first[c + 1]``."""

    images: FloatArray
    first: IntArray


@lru_cache(maxsize=4)
def _pool(seed: int) -> _Pool:
    """Return the 1,437 training digits of ``seed`` and their one-pixel shifts, 7,185 in all."""
    train, _ = split(seed)
    square = np.pad(train.images.reshape(-1, SIDE, SIDE), ((0, 0), (1, 1), (1, 1)))
    moved = [
        square[:, row : row + SIDE, column : column + SIDE]
        for row, column in ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))
    ]
    images = np.concatenate(moved).reshape(-1, SIDE * SIDE)
    labels = np.tile(train.labels, len(moved))
    order = np.argsort(labels, kind="stable")
    first = np.searchsorted(labels[order], np.arange(CLASSES + 1))
    return _Pool(with_ones(images[order]), first.astype(np.int64))


@lru_cache(maxsize=4)
def held_out(seed: int) -> tuple[FloatArray, IntArray]:
    """Return the 360 test images (360, D) of ``seed`` with ones, and their labels."""
    _, test = split(seed)
    return with_ones(test.images), test.labels


def log_gammas(rng: np.random.Generator, shape: float, size: tuple[int, ...]) -> FloatArray:
    """Return logarithms of Gamma(``shape``, 1) variates.

    Marsaglia and Tsang 2000, *A simple method for generating gamma variables*, with their §6
    for shapes below one: Gamma(a) = Gamma(a + 1) · U^(1/a). In logarithms, since U^(1/a)
    underflows for small a. Always draws the same amount, so that shapes move the variates
    without shuffling them.
    """
    x = normals(rng, (_TRIES, *size))
    u = np.maximum(rng.random((_TRIES, *size)), 2.0**-54)
    lifted = np.log(np.maximum(rng.random(size), 2.0**-54)) / shape
    d = shape + 1.0 - 1.0 / 3.0
    v = (1.0 + x / np.sqrt(9.0 * d)) ** 3
    log_v = np.log(np.maximum(v, 2.0**-1000))
    accepted = (v > 0.0) & (np.log(u) < 0.5 * x * x + d - d * v + d * log_v)
    which = np.argmax(accepted, axis=0)[None]
    return np.asarray(np.log(d) + np.take_along_axis(log_v, which, axis=0)[0] + lifted)


def mixes(clients: int, alpha: float, *, seed: int) -> FloatArray:
    """Return (K, C): each client's class probabilities, Dirichlet with ``alpha`` a class.

    Hsu, Qi and Brown 2019, §3, write Dir(α·p) with a prior p over classes: with a uniform p
    their α is C times this one. C clients in a row have one draw's shares, each moved on by one
    class: each is Dirichlet still, since the law is symmetric, and the fleet as a whole holds
    the classes alike, as the parts of a balanced collection do. Without that, how rare a class
    happens to be in the whole fleet drowns what its distribution over clients does.
    """
    rng, draws = stream(seed, "fleet", "mixes"), -(-clients // CLASSES)
    logs = log_gammas(rng, alpha, (draws, CLASSES))
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    drawn = weights / weights.sum(axis=1, keepdims=True)
    moved = (np.arange(CLASSES) - np.arange(CLASSES)[:, None]) % CLASSES
    return np.asarray(drawn[:, moved].reshape(-1, CLASSES)[:clients])


def deal(mix: FloatArray, examples: int, *, seed: int) -> Clients:
    """Give each client ``examples`` digits whose classes follow its row of ``mix`` (K, C).

    Drawn with replacement within a class: without it, late clients get what is left and their
    mix is not honoured. One draw decides an example's class and one which of the class it is,
    so that another mix changes only the examples whose class changes.
    """
    pool = _pool(seed)
    shape = (len(mix), examples)
    place = stream(seed, "fleet", "classes").random(shape)
    edges = np.cumsum(mix, axis=1)[:, None, :-1]
    labels = np.count_nonzero(place[..., None] >= edges, axis=-1).astype(np.int64)
    within = stream(seed, "fleet", "examples").random(shape)
    first, size = pool.first[labels], np.diff(pool.first)[labels]
    return Clients(pool.images[first + np.floor(within * size).astype(np.int64)], labels)


def shuffled(clients: Clients, *, seed: int) -> Clients:
    """Return the same examples dealt alike: shuffled over all clients.

    Shuffling, rather than drawing anew, keeps what the fleet as a whole knows: if few clients
    hold a class, it is as rare here.
    """
    size, n, inputs = clients.images.shape
    order = permutation(stream(seed, "fleet", "shuffle"), size * n)
    images = clients.images.reshape(-1, inputs)[order].reshape(size, n, inputs)
    return Clients(images, clients.labels.reshape(-1)[order].reshape(size, n))


def reliabilities(share: FloatArray, mean: float, *, correlated: bool) -> FloatArray:
    """Return (K,): the probability that each client's update arrives; their mean is ``mean``.

    ``share`` (K,) is how much of each client's data belongs to the slice. Uncorrelated, all
    links are alike. Correlated, the log-odds of a link fall in a straight line with the share,
    by 4.5 from none to all (say from .9 to .09), about a middle that is solved by bisection.
    """
    if not correlated or mean >= 1.0:
        return np.full(len(share), mean)
    low, high = -40.0, 40.0 + _STEEPNESS
    for _ in range(80):
        middle = 0.5 * (low + high)
        if np.mean(_logistic(middle - _STEEPNESS * share)) < mean:
            low = middle
        else:
            high = middle
    return _logistic(high - _STEEPNESS * share)


def _logistic(x: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))
