"""A simulator of digits: fitted on real ones, a little displaced, and dry.

Each class is a Gaussian in the first 24 principal components, with one covariance for all
classes (the model of linear discriminant analysis: Fisher 1936). Its camera is mounted a
fraction of a pixel to the side, which is the part of the gap that no randomisation mends.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from engine.numerics.digits import CLASSES, PIXELS, SIDE, Digits, load
from engine.numerics.randomness import FloatArray, IntArray, normals, permutation, stream

POOL: Final = 500
"""Digits that the simulator is fitted on, and that nothing else sees."""
REAL: Final = 400
"""Digits that may be learnt from."""
TEST: Final = 897
"""Digits of the field test."""
COMPONENTS: Final = 24
FARTHEST: Final = 2.0
"""Pixels that the simulator may be displaced by, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Simulator:
    """Centre (64,), components (64, 24), class means (10, 24), a root of the covariance."""

    centre: FloatArray
    components: FloatArray
    means: FloatArray
    root: FloatArray


@lru_cache(maxsize=16)
def parts(seed: int) -> tuple[Digits, Digits, Digits]:
    """Return (pool, real, test): 500, 400 and 897 digits that share none, drawn by ``seed``."""
    digits = load()
    order = permutation(stream(seed, "simulator", "split"), len(digits))
    cuts = np.split(order, (POOL, POOL + REAL))
    pool, real, test = (digits.take(each) for each in cuts)
    return pool, real, test


def fitted(pool: Digits) -> Simulator:
    """Fit class means and the covariance within classes in the first components of ``pool``.

    Raises ValueError where a class is missing.
    """
    if len(np.unique(pool.labels)) < CLASSES:
        raise ValueError("a simulator needs every class")
    centre = pool.images.mean(axis=0)
    centred = pool.images - centre
    _, vectors = np.linalg.eigh(centred.T @ centred)
    components = vectors[:, ::-1][:, :COMPONENTS]
    # eigh leaves a component's sign to the library: its largest entry is to be positive.
    largest = np.abs(components).argmax(axis=0)
    components = components * np.sign(components[largest, np.arange(COMPONENTS)])
    scores = centred @ components
    means = np.stack([scores[pool.labels == each].mean(axis=0) for each in range(CLASSES)])
    within = scores - means[pool.labels]
    covariance = within.T @ within / (len(pool) - CLASSES)
    return Simulator(centre, components, means, np.linalg.cholesky(covariance))


def simulated(simulator: Simulator, count: int, *, seed: int) -> tuple[FloatArray, IntArray]:
    """Return ``count`` images (n, 64) in 0..1 and their labels: dry, not displaced.

    Classes come in rounds of ten, each in a random order; the first n of more are those of n.
    """
    rounds = -(-count // CLASSES)
    order = stream(seed, "simulator", "labels").random((rounds, CLASSES))
    labels = np.argsort(order, axis=1, kind="stable").reshape(-1)[:count].astype(np.int64)
    draws = normals(stream(seed, "simulator", "draws"), (count, COMPONENTS))
    scores = simulator.means[labels] + draws @ simulator.root.T
    return np.clip(simulator.centre + scores @ simulator.components.T, 0.0, 1.0), labels


def displaced(images: FloatArray, pixels: float) -> FloatArray:
    """Images (n, 64) moved to the right by ``pixels`` (0..2), between pixels in a straight line.

    Nothing comes in from the left. Raises ValueError outside the range.
    """
    if not 0.0 <= pixels <= FARTHEST:
        raise ValueError(f"a displacement lies in 0..{FARTHEST:g} pixels, got {pixels}")
    whole = math.floor(pixels)
    part = pixels - whole
    wide = np.zeros((len(images), SIDE, SIDE + whole + 1))
    wide[:, :, whole + 1 :] = images.reshape(-1, SIDE, SIDE)
    moved = (1.0 - part) * wide[:, :, 1 : SIDE + 1] + part * wide[:, :, :SIDE]
    return np.asarray(moved.reshape(-1, PIXELS))
