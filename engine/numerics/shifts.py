"""Four honest ways in which a user's data leaves the data a model was trained on.

Each takes digits and a strength in 0..1 (0 changes nothing) and gives digits as that user's
device would see them. What the user *is* comes from ``seed`` alone, so that training and test
digits of one seed shift alike; what varies from image to image is drawn from the stream of
``part``.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np

from engine.numerics.digits import CLASSES, SIDE, Digits
from engine.numerics.randomness import FloatArray, IntArray, normals, permutation, stream

Shift: TypeAlias = Literal["habits", "dust", "accent", "ear"]
SHIFTS: tuple[Shift, ...] = get_args(Shift)

# At strength 1. Chosen so that effects show (benchmarks/standin_emergence.py), not from a source.
DUST_CONTRAST_LOST = 0.75  # share of the contrast
DUST_HAZE = 0.85  # brightness of the haze, where ink is 1
DUST_NOISE = 0.04  # standard deviation
ACCENT_ROTATION = 45.0  # degrees
ACCENT_SLANT = 0.4  # columns a row
ACCENT_JITTER = 6.0  # degrees, standard deviation from image to image
EAR_LOSS = 0.8  # share of the level
EAR_BLUR = 1.25  # standard deviation of the Gaussian, pixels
EAR_NOISE = 0.025  # standard deviation
HABITS_SKEW = 1.4  # exponent of the Zipf law of the user's classes


def shifted(shift: Shift, strength: float, digits: Digits, *, seed: int, part: str) -> Digits:
    """Return ``digits`` as the user ``seed`` meets them.

    ``part`` names what the digits are for (``train``, ``test``), so that their noise is
    independent. Raises :class:`ValueError` for an unknown shift or a strength outside 0..1.
    """
    if not 0.0 <= strength <= 1.0:
        raise ValueError(f"the strength of a shift lies in 0..1, got {strength}")
    rng = stream(seed, "shift", shift, part)
    if shift == "dust":
        return Digits(_dust(digits.images, strength, rng), digits.labels.copy())
    if shift == "accent":
        return Digits(_accent(digits.images, strength, rng), digits.labels.copy())
    if shift == "ear":
        return Digits(_ear(digits.images, strength, rng), digits.labels.copy())
    if shift == "habits":
        return _habits(digits, strength, rng, stream(seed, "shift", shift, "user"))
    raise ValueError(f"shifts are {', '.join(SHIFTS)}, not {shift!r}")


def _dust(images: FloatArray, strength: float, rng: np.random.Generator) -> FloatArray:
    """Contrast lost, a bright haze over all, and grain: x → (1 - a)x + h + noise, in 0..1."""
    noise = normals(rng, images.shape) * (DUST_NOISE * strength)
    hazy = (1.0 - DUST_CONTRAST_LOST * strength) * images + DUST_HAZE * strength
    return np.clip(hazy + noise, 0.0, 1.0)


def _accent(images: FloatArray, strength: float, rng: np.random.Generator) -> FloatArray:
    """Rotation and slant about the middle, a little different on every image.

    Backward mapping with bilinear resampling; outside the image there is no ink.
    """
    turn = ACCENT_ROTATION + ACCENT_JITTER * normals(rng, len(images))
    angle = np.deg2rad(strength * turn)[:, None]
    middle = (SIDE - 1) / 2.0
    row, column = (axis.ravel() - middle for axis in np.mgrid[0:SIDE, 0:SIDE].astype(np.float64))
    rows = np.cos(angle) * row - np.sin(angle) * column
    columns = np.sin(angle) * row + np.cos(angle) * column + strength * ACCENT_SLANT * rows
    return _bilinear(images, rows + middle, columns + middle)


def _bilinear(images: FloatArray, rows: FloatArray, columns: FloatArray) -> FloatArray:
    """Sample (n, 64) images at (n, 64) positions, zero outside."""
    n = len(images)
    padded = np.zeros((n, SIDE + 2, SIDE + 2))
    padded[:, 1:-1, 1:-1] = images.reshape(n, SIDE, SIDE)
    rows = np.clip(rows + 1.0, 0.0, SIDE + 1.0)
    columns = np.clip(columns + 1.0, 0.0, SIDE + 1.0)
    top = np.minimum(np.floor(rows), SIDE).astype(np.int64)
    left = np.minimum(np.floor(columns), SIDE).astype(np.int64)
    down, right = rows - top, columns - left
    which = np.arange(n)[:, None]
    upper = padded[which, top, left] * (1.0 - right) + padded[which, top, left + 1] * right
    lower = padded[which, top + 1, left] * (1.0 - right) + padded[which, top + 1, left + 1] * right
    return upper * (1.0 - down) + lower * down


def _ear(images: FloatArray, strength: float, rng: np.random.Generator) -> FloatArray:
    """Gaussian blur and a lower level, as in a sealed canal, and a little sensor noise.

    Ink that spreads beyond the edge is lost.
    """
    if strength == 0.0:
        return images.copy()
    width = EAR_BLUR * strength
    place = np.arange(SIDE, dtype=np.float64)
    kernel = np.exp(-0.5 * ((place[:, None] - place) / width) ** 2)
    kernel /= np.exp(-0.5 * (np.arange(-SIDE, SIDE + 1) / width) ** 2).sum()
    blurred = kernel @ images.reshape(-1, SIDE, SIDE) @ kernel.T
    heard = (1.0 - EAR_LOSS * strength) * blurred.reshape(images.shape)
    return np.clip(heard + normals(rng, images.shape) * (EAR_NOISE * strength), 0.0, 1.0)


def _habits(
    digits: Digits, strength: float, rng: np.random.Generator, user: np.random.Generator
) -> Digits:
    """The user's own mix of classes, own hand and own names.

    Classes are drawn with replacement by a Zipf law over an order of the user's own. The
    first ``round(10 · strength)`` of that order the user writes mirrored and calls by the name
    of the next: what no image of the common data shows.
    """
    order = permutation(user, CLASSES)
    share = np.empty(CLASSES)
    share[order] = np.arange(1.0, CLASSES + 1.0) ** (-HABITS_SKEW * strength)
    weight = np.cumsum(share[digits.labels])
    drawn = np.searchsorted(weight, rng.random(len(digits)) * weight[-1], side="right")
    own = order[: round(CLASSES * strength)]
    name: IntArray = np.arange(CLASSES)
    name[own] = np.roll(own, -1)
    images, labels = digits.images[drawn].reshape(-1, SIDE, SIDE), digits.labels[drawn]
    mirrored = np.isin(labels, own)[:, None, None]
    images = np.where(mirrored, images[:, :, ::-1], images)
    return Digits(images.reshape(-1, SIDE * SIDE), name[labels])
