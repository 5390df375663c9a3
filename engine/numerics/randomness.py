"""Named random streams that give the same numbers on every machine.

Of numpy's generators only ``random()`` and ``integers()`` of PCG64 are relied on; normals and
permutations are built from them here, because numpy reserves the right to change the streams
of its own distributions (NEP 19).
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Wichura 1988, algorithm AS241 (PPND16), Applied Statistics 37 (3), 477-484. Numerator and
# denominator coefficients, highest power first, of the middle, the tail and the far tail.
_MIDDLE = (
    (
        2509.0809287301226727,
        33430.575583588128105,
        67265.770927008700853,
        45921.953931549871457,
        13731.693765509461125,
        1971.5909503065514427,
        133.14166789178437745,
        3.3871328727963666080,
    ),
    (
        5226.4952788528545610,
        28729.085735721942674,
        39307.895800092710610,
        21213.794301586595867,
        5394.1960214247511077,
        687.18700749205790830,
        42.313330701600911252,
        1.0,
    ),
)
_TAIL = (
    (
        7.74545014278341407640e-4,
        2.27238449892691845833e-2,
        2.41780725177450611770e-1,
        1.27045825245236838258,
        3.64784832476320460504,
        5.76949722146069140550,
        4.63033784615654529590,
        1.42343711074968357734,
    ),
    (
        1.05075007164441684324e-9,
        5.47593808499534494600e-4,
        1.51986665636164571966e-2,
        1.48103976427480074590e-1,
        6.89767334985100004550e-1,
        1.67638483018380384940,
        2.05319162663775882187,
        1.0,
    ),
)
_FAR = (
    (
        2.01033439929228813265e-7,
        2.71155556874348757815e-5,
        1.24266094738807843860e-3,
        2.65321895265761230930e-2,
        2.96560571828504891230e-1,
        1.78482653991729133580,
        5.46378491116411436990,
        6.65790464350110377720,
    ),
    (
        2.04426310338993978564e-15,
        1.42151175831644588870e-7,
        1.84631831751005468180e-5,
        7.86869131145613259100e-4,
        1.48753612908506148525e-2,
        1.36929880922735805310e-1,
        5.99832206555887937690e-1,
        1.0,
    ),
)


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator that belongs to ``seed`` and ``names``.

    The names are hashed with BLAKE2b (not ``hash()``, which changes between processes), so
    that streams under different names are independent and adding one moves no other.
    Raises :class:`ValueError` for a negative seed or when no name is given.
    """
    if seed < 0:
        raise ValueError(f"a seed is not negative, got {seed}")
    if not names:
        raise ValueError("name the stream")
    text = "\x1f".join(f"{type(name).__name__}:{name}" for name in names)
    digest = hashlib.blake2b(text.encode("utf-8"), digest_size=16).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


def inverse_normal(p: FloatArray) -> FloatArray:
    """Quantile of the standard normal, any shape, for 0 < p < 1.

    Wichura 1988, AS241 (PPND16): about 1 part in 10^16.
    Raises :class:`ValueError` outside the open interval.
    """
    p = np.asarray(p, dtype=np.float64)
    if not np.all((p > 0.0) & (p < 1.0)):
        raise ValueError("probabilities lie strictly between 0 and 1")
    q = p - 0.5
    r = 0.180625 - q * q
    middle = _ratio(_MIDDLE, r) * q
    edge = np.sqrt(-np.log(np.minimum(p, 1.0 - p)))
    tail = np.where(edge <= 5.0, _ratio(_TAIL, edge - 1.6), _ratio(_FAR, edge - 5.0))
    return np.where(np.abs(q) <= 0.425, middle, np.copysign(tail, q))


def normals(rng: np.random.Generator, shape: int | tuple[int, ...]) -> FloatArray:
    """Draw standard normals of ``shape`` by the inverse CDF of ``rng.random()``."""
    # random() may give 0 (never 1): half of its step keeps the quantile finite.
    return inverse_normal(np.maximum(rng.random(shape), 2.0**-54))


def permutation(rng: np.random.Generator, n: int) -> IntArray:
    """Return 0..n-1 in a random order: the stable argsort of n draws of ``random()``."""
    return np.argsort(rng.random(n), kind="stable").astype(np.int64)


def _ratio(pair: tuple[tuple[float, ...], tuple[float, ...]], r: FloatArray) -> FloatArray:
    """Evaluate one rational approximation at ``r`` by Horner's rule."""
    above, below = (np.zeros_like(r), np.zeros_like(r))
    for a, b in zip(*pair, strict=True):
        above = above * r + a
        below = below * r + b
    return above / below
