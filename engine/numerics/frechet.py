"""The Fréchet distance between two Gaussians, on whatever the rows are (pixels, here).

D. C. Dowson and B. V. Landau 1982, *The Fréchet distance between multivariate normal
distributions*, J. Multivariate Analysis 12, 450-455: its square, as everybody reports it. On
the features of an Inception network it would be called FID (Heusel et al. 2017); on pixels it
is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.numerics.randomness import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """A mean (D,) and a covariance (D, D), symmetric and of no negative eigenvalue."""

    mean: FloatArray
    covariance: FloatArray


def moments(rows: FloatArray) -> Moments:
    """Mean and covariance (over n, not n - 1) of the rows (n, D); ValueError without rows."""
    if rows.ndim != 2 or not len(rows):
        raise ValueError(f"give rows (n, D) and at least one, not {rows.shape}")
    mean = rows.mean(axis=0)
    centred = rows - mean
    return Moments(mean, centred.T @ centred / len(rows))


def blended(first: Moments, second: Moments, share: float) -> Moments:
    """Moments of a mixture that draws from ``second`` with chance ``share``, else ``first``.

    Within and between: (1-s)S₁ + sS₂ + s(1-s)dd', with d = m₁ - m₂. ValueError outside 0..1.
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"a share lies in 0..1, got {share}")
    apart = first.mean - second.mean
    within = (1.0 - share) * first.covariance + share * second.covariance
    between = share * (1.0 - share) * np.outer(apart, apart)
    return Moments((1.0 - share) * first.mean + share * second.mean, within + between)


def distance(first: Moments, second: Moments) -> float:
    """|m₁-m₂|² + Tr(S₁ + S₂ - 2(S₁^½ S₂ S₁^½)^½), in squared units of the rows; never negative.

    Rounding leaves about 1e-7 between equal covariances that are singular.
    """
    apart = first.mean - second.mean
    root = _root(first)
    shared = np.linalg.eigvalsh(root @ second.covariance @ root)
    traces = np.trace(first.covariance) + np.trace(second.covariance)
    found = apart @ apart + traces - 2.0 * np.sqrt(np.maximum(shared, 0.0)).sum()
    return max(0.0, float(found))


@lru_cache(maxsize=16)
def _root(of: Moments) -> FloatArray:
    """The symmetric root of a covariance; one that much is compared with is taken once."""
    values, vectors = np.linalg.eigh(of.covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)
