"""Near-duplicates by MinHash signatures that are cut into bands.

Two sets agree in one MinHash value with the probability of their Jaccard similarity s
(Broder 1997, *On the resemblance and containment of documents*), so that P values estimate s
without bias and with a standard deviation of √(s(1 - s)/P). Cut into b bands of r rows, two
signatures meet in at least one band with probability 1 - (1 - s^r)^b (Leskovec, Rajaraman and
Ullman, *Mining of Massive Datasets*, chapter 3).

Shapes: n documents, P hash functions. A document is a run of ``codes``, one a shingle, which
begins at its entry of ``starts``.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.numerics.randomness import FloatArray, IntArray, stream

HASHES: Final = 128
"""P: hash functions of a signature."""

BANDS: Final[dict[str, tuple[int, int]]] = {
    f"{bands}x{rows}": (bands, rows)
    for bands, rows in ((64, 2), (32, 4), (25, 5), (16, 8), (8, 16), (4, 32))
}
"""How 128 values are cut into bands of rows; 25 × 5 leaves three values over."""

Words: TypeAlias = NDArray[np.uint64]

_AT_ONCE: Final = 4  # hash functions whose values stay in the cache together


def signatures(codes: IntArray, starts: IntArray, *, seed: int) -> Words:
    """Return (n, P): the least of each hash function over each document's shingles.

    Codes are scattered over 64 bits by the finalizer of SplitMix64 (Steele, Lea and Flood
    2014), then hashed by x → (a·x + b) mod 2^64 with odd a (Dietzfelbinger et al. 1997), a and
    b from ``seed``. Raises ValueError where a document has no shingle.
    """
    ends = np.append(starts[1:], len(codes))
    if len(starts) == 0 or starts[0] != 0 or not np.all(starts < ends):
        raise ValueError("documents follow each other, each with a shingle at least")
    rng = stream(seed, "minhash")
    factor = rng.integers(0, 2**64, HASHES, dtype=np.uint64) | np.uint64(1)
    offset = rng.integers(0, 2**64, HASHES, dtype=np.uint64)
    scattered = _scattered(codes.astype(np.uint64))
    found = np.empty((HASHES, len(starts)), dtype=np.uint64)
    for at in range(0, HASHES, _AT_ONCE):
        some = slice(at, at + _AT_ONCE)
        hashed = scattered * factor[some, None]
        hashed += offset[some, None]
        np.minimum.reduceat(hashed, starts, axis=1, out=found[some])
    return np.ascontiguousarray(found.T)


def similarity(signed: Words, first: IntArray, second: IntArray) -> FloatArray:
    """Return the share of hash functions in which each pair of documents agrees."""
    return np.asarray((signed[first] == signed[second]).mean(axis=-1))


def keys(signed: Words, bands: int, rows: int) -> Words:
    """Return (n, b): one word a band, the same for two documents iff the band's rows are.

    (But for a collision of 64 bits.) Raises ValueError where P values are too few.
    """
    if bands < 1 or rows < 1 or bands * rows > signed.shape[1]:
        raise ValueError(f"{signed.shape[1]} values are not {bands} bands of {rows} rows")
    odd = 2 * np.arange(1, rows + 1, dtype=np.uint64) + np.uint64(1)
    weights = _scattered(odd) | np.uint64(1)
    cut = signed[:, : bands * rows].reshape(len(signed), bands, rows)
    return np.asarray(_scattered(cut) @ weights)


def probability(similar: FloatArray, bands: int, rows: int) -> FloatArray:
    """The S-curve 1 - (1 - s^r)^b: the chance that a pair becomes a candidate."""
    return np.asarray(1.0 - (1.0 - np.asarray(similar) ** rows) ** bands)


def threshold(bands: int, rows: int) -> float:
    """(1/b)^(1/r): about where the S-curve is steepest."""
    return float((1.0 / bands) ** (1.0 / rows))


def meet(key: Words, first: IntArray, second: IntArray) -> NDArray[np.bool_]:
    """Which pairs of documents share a band: the candidates among them."""
    met = np.zeros(len(first), dtype=np.bool_)
    for band in np.ascontiguousarray(key.T):  # by bands: a quarter of the time of all at once
        met |= band[first] == band[second]
    return met


def groups(key: Words) -> IntArray:
    """Return (n,): the connected components of the candidate pairs, each called by its first.

    Whoever shares a band belongs together, and so do those who belong with the same third.
    """
    order = np.argsort(key, axis=0, kind="stable")
    ordered = np.take_along_axis(key, order, axis=0)
    same = ordered[1:] == ordered[:-1]
    # Neighbours in sorted order suffice: a bucket is a chain of them.
    return components(len(key), order[:-1][same], order[1:][same])


def components(n: int, first: IntArray, second: IntArray) -> IntArray:
    """Return (n,): the least document that each of n can reach over the edges given."""
    label: IntArray = np.arange(n)
    while True:
        low = np.minimum(label[first], label[second])
        reached = label.copy()
        np.minimum.at(reached, first, low)
        np.minimum.at(reached, second, low)
        while not np.array_equal(reached, closer := reached[reached]):
            reached = closer
        if np.array_equal(reached, label):
            return label
        label = reached


def _scattered(x: Words) -> Words:
    """The finalizer of SplitMix64, a one-to-one map of 64 bits."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
