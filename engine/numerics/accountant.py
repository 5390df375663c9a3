"""What Gaussian noise on sampled updates promises: Rényi differential privacy at integer orders.

Every bound here is an upper bound on ε ("RDP bound"), under add/remove adjacency of one user,
Poisson sampling and a fixed denominator: the mechanism of :mod:`engine.numerics.private`.
All sums are taken in the log domain, so that no σ overflows.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from engine.numerics.randomness import FloatArray

LOWEST_ORDER = 2
HIGHEST_ORDER = 256
ORDERS: FloatArray = np.arange(LOWEST_ORDER, HIGHEST_ORDER + 1, dtype=np.float64)
ORDERS.flags.writeable = False

# log σ between which sigma_for looks: noise that hides nothing, noise that leaves nothing.
_LEAST, _MOST = math.log(1e-2), math.log(1e7)
_ROUGH = 0.02

# One entry a pair 2 ≤ k ≤ a, row after row of the triangle: the terms of each order's sum.
# Small integers: every session of a lab server holds them.
_A, _K = ((index + LOWEST_ORDER).astype(np.int16) for index in np.tril_indices(len(ORDERS)))
_ROW = _A - LOWEST_ORDER
_START = np.flatnonzero(_K == LOWEST_ORDER)


def rdp(q: float, sigma: float, steps: int) -> FloatArray:
    """Return (255,): R(a) of ``steps`` sampled Gaussian releases at the orders 2…256, in nats.

    Mironov, Talwar and Zhang 2019, *Rényi Differential Privacy of the Sampled Gaussian
    Mechanism*, §3.3: R(a) = 1/(a-1) · log Σ_k C(a,k)(1-q)^(a-k) q^k exp((k²-k)/(2σ²)) a release;
    q = 1 gives a/(2σ²) (Mironov 2017, *Rényi Differential Privacy*, corollary 3). Releases add.

    Args:
        q: chance that a user is sampled, 0 < q ≤ 1.
        sigma: noise multiplier: standard deviation over the sensitivity, above 0.
        steps: releases, 1 or more.

    Raises :class:`ValueError` outside these ranges, NaN and infinities included.
    """
    _check(q, steps)
    if not 0.0 < sigma < math.inf:
        raise ValueError(f"a noise multiplier is above 0 and finite, not {sigma}")
    return steps * _one_release(q, sigma)


def epsilon(q: float, sigma: float, steps: int, delta: float) -> float:
    """Return the ε that ``steps`` releases keep to at ``delta``: the best of the orders.

    Canonne, Kamath and Steinke 2020, *The Discrete Gaussian for Differential Privacy*,
    proposition 12: ε = R(a) + log(1-1/a) - log(δa)/(a-1). Arguments and errors are those of
    :func:`rdp`, and 0 < ``delta`` < 1.
    """
    _check_delta(delta)
    return max(0.0, float(_bounds(rdp(q, sigma, steps), delta).min()))


def epsilons(q: float, sigma: float, steps: int, delta: float) -> FloatArray:
    """Return (steps,): :func:`epsilon` after each of ``steps`` releases, of one evaluation."""
    _check_delta(delta)
    after = np.arange(1.0, steps + 1.0)[:, None] * rdp(q, sigma, steps) / steps
    return np.asarray(np.maximum(0.0, _bounds(after, delta).min(axis=1)))


def sigma_for(epsilon: float, q: float, steps: int, delta: float) -> float:
    """Return the least noise multiplier that keeps to ``epsilon``, to 1 part in 10^10.

    What comes back is the end of the last bracket that keeps the promise.
    Raises :class:`ValueError` for arguments out of range, and for an ``epsilon`` so small that
    no noise reaches it at orders up to 256.
    """
    _check(q, steps)
    _check_delta(delta)
    if not 0.0 < epsilon < math.inf:
        raise ValueError(f"epsilon is above 0 and finite, not {epsilon}")
    return _solved(float(epsilon), float(q), int(steps), float(delta))


@lru_cache(maxsize=256)
def _solved(target: float, q: float, steps: int, delta: float) -> float:
    """Bracket σ roughly with all orders, then exactly with the order that is best there.

    ε is the least over the orders, so the least σ is too; one order costs a hundredth of all.
    """

    def bounds(log_sigma: float, order: int | None = None) -> FloatArray:
        return _bounds(steps * _one_release(q, math.exp(log_sigma), order), delta, order)

    low = high = 0.0
    while bounds(high).min() > target:
        if high > _MOST:
            raise ValueError(
                f"epsilon {target} is below what orders up to {HIGHEST_ORDER} can show"
            )
        low, high = high, high + 1.0
    while low == high or bounds(low).min() <= target:
        if low < _LEAST:
            return math.exp(low)
        low, high = low - 1.0, low
    while high - low > _ROUGH:
        middle = (low + high) / 2.0
        low, high = (low, middle) if bounds(middle).min() <= target else (middle, high)
    order = -1
    while (best := int(np.argmin(bounds(high)))) != order:
        order, under = best, low
        while high - under > 1e-10:
            middle = (under + high) / 2.0
            kept = bounds(middle, order)[0] <= target
            under, high = (under, middle) if kept else (middle, high)
    return math.exp(high)


def _one_release(q: float, sigma: float, order: int | None = None) -> FloatArray:
    """R(a) of one release at all orders, or at the one with that index alone."""
    rows = slice(None) if order is None else slice(order, order + 1)
    orders = ORDERS[rows]
    if q == 1.0:
        return orders / (2.0 * sigma * sigma)
    pairs = slice(None) if order is None else slice(_START[order], _START[order] + order + 1)
    # The binomial weights sum to 1, so that Σ w·e^x = 1 + Σ w·(e^x - 1): what is left has no
    # terms at k = 0 and 1, and a tiny q loses no digits beside the 1.
    x = ORDERS * (ORDERS - 1.0) / (2.0 * sigma * sigma)
    logs = _log_weights(q)[pairs] + (x + np.log(-np.expm1(-x)))[_K[pairs] - LOWEST_ORDER]
    starts = _START[rows] - _START[rows][0]
    peak = np.maximum.reduceat(logs, starts)
    logs -= peak[_ROW[pairs] - _ROW[pairs][0]]
    np.exp(logs, out=logs)
    total = peak + np.log(np.add.reduceat(logs, starts))
    return np.asarray(np.logaddexp(0.0, total) / (orders - 1.0))


@lru_cache(maxsize=8)
def _log_weights(q: float) -> FloatArray:
    """Return log C(a,k)(1-q)^(a-k) q^k of every pair."""
    weights = np.asarray(_log_choose() + _K * math.log(q) + (_A - _K) * math.log1p(-q))
    weights.flags.writeable = False
    return weights


@lru_cache(maxsize=1)
def _log_choose() -> FloatArray:
    log_factorial = np.array([math.lgamma(n + 1.0) for n in range(HIGHEST_ORDER + 1)])
    return np.asarray(log_factorial[_A] - log_factorial[_K] - log_factorial[_A - _K])


def _bounds(divergences: FloatArray, delta: float, order: int | None = None) -> FloatArray:
    """The ε of each order, which may be below 0 and then means 0."""
    orders = ORDERS if order is None else ORDERS[order : order + 1]
    return np.asarray(
        divergences + np.log1p(-1.0 / orders) - np.log(delta * orders) / (orders - 1.0)
    )


def _check(q: float, steps: int) -> None:
    if not 0.0 < q <= 1.0:
        raise ValueError(f"a sampling rate is above 0 and at most 1, not {q}")
    if not 1 <= steps < math.inf or steps != int(steps):
        raise ValueError(f"steps are a whole number from 1, not {steps}")


def _check_delta(delta: float) -> None:
    if not 0.0 < delta < 1.0:
        raise ValueError(f"delta lies strictly between 0 and 1, not {delta}")
