"""How error falls with examples: err(n) = e∞ + a·n^-β, measured on the digits and fitted.

The law is that of Hestness et al. 2017 (Deep Learning Scaling is Predictable, Empirically),
ε(m) ~ α·m^β + γ, arXiv:1712.00409: they find exponents of 0.07 to 0.35 on
large tasks. A softmax regression on digits is easier.

Where the curve begins decides. Over 144 fresh draws a power law from 10 examples on is rejected
(χ² of 66 on 5 degrees of freedom: so few say hardly anything, their "small data region"); from 20
on it fits (3 on 4), with an exponent of 0.93 ± 0.02 that sixteen draws stray from by 0.06.
Training longer or in larger steps takes up to 0.1 off, and less training adds up to as much. So
one decimal is all that is honest, and :func:`exponent` gives no more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from engine.numerics import softmax
from engine.numerics.digits import CLASSES, load
from engine.numerics.randomness import FloatArray, permutation, stream

SIZES: Final = (20, 40, 80, 160, 320, 640, 1280)
"""Examples to learn from: as few as the law still describes."""
TEST: Final = 360
DRAWS: Final = 16
STEPS: Final = 300
BATCH: Final = 16
RATE: Final = 2.0
"""Of the first step; it falls to nothing in a straight line."""
EXPONENTS: Final = np.arange(5, 301) / 100.0
"""What :func:`fitted` tries: 0.05 to 3.00."""
_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """err(n) = ``floor`` + ``scale`` · n^-``exponent``, in shares of one."""

    floor: float
    scale: float
    exponent: float

    def error(self, n: float) -> float:
        """The error after ``n`` examples, n > 0."""
        return self.floor + self.scale * math.pow(n, -self.exponent)


@dataclass(frozen=True, slots=True)
class Curve:
    """A fit, what it was fitted to, and how far the draws let one trust it.

    ``errors`` are means over the draws, with their standard ``spread``; ``uncertainty`` is the
    standard error of the exponent, from leaving one draw out after the other (the jackknife of
    Quenouille and Tukey). It knows nothing of the recipe by which they are trained.
    """

    law: PowerLaw
    errors: tuple[float, ...]
    spread: tuple[float, ...]
    uncertainty: float


def fitted(sizes: FloatArray, errors: FloatArray, spread: FloatArray) -> PowerLaw:
    """Fit e∞ + a·n^-β by weighted least squares, e∞ ≥ 0, β to the nearest hundredth.

    For each β of :data:`EXPONENTS` the other two are linear and solved for; the best β stays,
    the smaller one of two that are equal. ``spread`` is the standard error of each entry of
    ``errors``, of which only the proportions count. Raises ValueError for fewer than three sizes,
    or a spread that is not above 0.
    """
    if len(sizes) < 3 or not np.all(spread > 0.0):
        raise ValueError("three sizes or more are fitted, each with a spread above 0")
    weight = 1.0 / np.square(spread)
    x = sizes[None, :] ** -EXPONENTS[:, None]  # (exponents, sizes)
    w, wx, wy = weight.sum(), x @ weight, float(weight @ errors)
    wxx, wxy = np.square(x) @ weight, x @ (weight * errors)
    floor = (wxx * wy - wx * wxy) / (w * wxx - np.square(wx))
    floor = np.maximum(floor, 0.0)
    scale = (wxy - floor * wx) / wxx  # the best one beside that floor
    left = np.square(errors - floor[:, None] - scale[:, None] * x) @ weight
    best = int(np.argmin(left))
    return PowerLaw(float(floor[best]), float(scale[best]), float(EXPONENTS[best]))


def measured(seed: int, draws: int = DRAWS) -> FloatArray:
    """Return (draws, sizes): test errors of softmax regressions, shares of 360 digits.

    Each draw sets 360 other digits aside; smaller training sets are prefixes of larger ones.
    All take the same number of steps of the same size.
    """
    digits = load()
    images = softmax.with_ones(digits.images)
    orders = [permutation(stream(seed, "learning curve", k), len(digits)) for k in range(draws)]
    chosen = np.empty((draws, len(SIZES), STEPS, BATCH), dtype=np.int64)
    for draw, order in enumerate(orders):
        for at, size in enumerate(SIZES):
            rng = stream(seed, "learning curve", draw, size)
            chosen[draw, at] = order[TEST + rng.integers(size, size=(STEPS, BATCH))]
    chosen = np.ascontiguousarray(chosen.reshape(-1, STEPS, BATCH).swapaxes(0, 1))
    learners = np.zeros((draws * len(SIZES), images.shape[1], CLASSES))
    for step, batch in enumerate(chosen):
        rate = RATE * (1.0 - step / STEPS)
        softmax.step(learners, images[batch], digits.labels[batch], rate)
    errors = np.empty((draws, len(SIZES)))
    for draw, order in enumerate(orders):
        mine = learners[draw * len(SIZES) : (draw + 1) * len(SIZES)]
        test = order[:TEST]
        errors[draw] = 1.0 - softmax.correct(mine, images[test], digits.labels[test]) / TEST
    return errors


def curve(errors: FloatArray) -> Curve:
    """Fit the means of ``errors`` (draws, sizes), with the uncertainty of the exponent.

    Every size weighs as its relative error does: over many draws the errors of one size spread in
    proportion to their mean, and to weigh by the spread of a few draws adds noise to the fit.
    """
    draws = len(errors)
    sizes = np.array(SIZES, dtype=np.float64)
    means = errors.mean(axis=0)
    law = fitted(sizes, means, means)
    others = (errors.sum(axis=0) - errors) / (draws - 1)
    without = np.array([fitted(sizes, other, other).exponent for other in others])
    variance = (draws - 1) / draws * np.square(without - without.mean()).sum()
    spread = errors.std(axis=0, ddof=1) / math.sqrt(draws)
    return Curve(law, tuple(means.tolist()), tuple(spread.tolist()), float(np.sqrt(variance)))


@cache
def digits_curve() -> Curve:
    """The curve of the digits: measured once a process, the same in every one."""
    return curve(measured(_SEED))


def exponent() -> float:
    """β of the digits, to the one decimal that the draws and the recipe allow."""
    return round(digits_curve().law.exponent, 1)
