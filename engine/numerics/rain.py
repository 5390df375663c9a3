"""Rain on digits: what a real camera sees and a simulator may forget.

Four things happen at once, each in proportion to how hard it rains on that image: contrast is
lost, spray lays a veil that is thickest near the ground, drops draw bright slanted streaks, and
the sensor adds grain. The amounts are chosen so that effects show, not from a source.

Draws come from a stream for each ingredient, so that the first n of more are those of n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.numerics.digits import PIXELS, SIDE
from engine.numerics.randomness import FloatArray, stream

# In the hardest rain there is; paper is 0 and ink 1.
CONTRAST_LOST: Final = 0.5  # share of the contrast
VEIL: Final = 0.4  # mean brightness of the spray
VEIL_SLOPE: Final = 0.8  # the lowest row gets 1 + this much of it, the highest 1 - this much
STREAK: Final = 0.8  # brightness of a streak
STREAKS: Final = 2  # an image
GRAIN: Final = 0.08  # standard deviation

_ROWS: Final = np.arange(SIDE, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Rain:
    """What falls on n images, before anybody says how hard it rains.

    ``force`` (n,) is uniform in 0..1: an image's share of the hardest rain. ``streaks``
    (n, 64) are 0..1 and ``grain`` (n, 64) has mean 0 and variance 1: the
    difference of two uniform draws, which costs a tenth of a normal one.
    """

    force: FloatArray
    streaks: FloatArray
    grain: FloatArray


def rain(count: int, *, seed: int, part: str) -> Rain:
    """Draw the rain of ``count`` images; ``part`` names what they are for."""
    force = stream(seed, "rain", part, "force").random(count)
    where = stream(seed, "rain", part, "streaks").random((count, 4, STREAKS, 1))
    top = 12.0 * where[:, 0] - 2.0
    slant = 0.25 + 0.25 * where[:, 1]
    first, length = 8.0 * where[:, 2] - 2.0, 3.0 + 3.0 * where[:, 3]
    on = (first <= _ROWS) & (first + length >= _ROWS)
    middle = np.where(on, top - slant * _ROWS, -9.0)[..., None]  # where there is none: far off
    lit = np.abs(_ROWS - middle[:, 0])
    for streak in range(1, STREAKS):
        np.minimum(lit, np.abs(_ROWS - middle[:, streak]), out=lit)
    streaks = np.maximum(0.0, 1.0 - lit).reshape(count, PIXELS)
    pairs = stream(seed, "rain", part, "grain").random((count, 2, PIXELS))
    grain = math.sqrt(6.0) * (pairs[:, 0] - pairs[:, 1])
    return Rain(force, streaks, grain)


def rained(images: FloatArray, falling: Rain, strength: float) -> FloatArray:
    """Images (n, 64) in rain of up to ``strength`` (0..1): each gets its own share of it.

    Strength 0 changes nothing. Raises ValueError outside 0..1 or where n differs.
    """
    if not 0.0 <= strength <= 1.0:
        raise ValueError(f"rain lies in 0..1, got {strength}")
    if len(images) != len(falling.force):
        raise ValueError(f"rain for {len(falling.force)} images, not for {len(images)}")
    if strength == 0.0:
        return images
    force = (strength * falling.force)[:, None]
    slope = np.repeat(1.0 + VEIL_SLOPE * (2.0 * _ROWS / (SIDE - 1) - 1.0), SIDE)
    wet = (1.0 - CONTRAST_LOST * force) * images
    wet += force * (VEIL * slope)
    np.maximum(wet, STREAK * force * falling.streaks, out=wet)
    wet += (GRAIN * force) * falling.grain
    return np.clip(wet, 0.0, 1.0, out=wet)
