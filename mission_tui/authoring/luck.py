"""Luck: which share of a design space may pass before guessing does, and how sure a count is."""

from __future__ import annotations

from math import exp, lgamma, log, log1p
from typing import Final

GUESSED: Final = 0.2
"""How often blind guessing may pass a budgeted part."""
CONFIDENCE: Final = 0.95
"""Of the bounds, one-sided."""


def allowed(runs: int) -> float:
    """The largest share p that may pass with so many runs: ``1 − (1−p)^n ≤ 0.2``."""
    return float(1.0 - (1.0 - GUESSED) ** (1.0 / runs))


def at_most(found: int, tried: int) -> float:
    """The upper bound of a share of which ``found`` of ``tried`` were seen.

    Clopper and Pearson 1934 (exact, one-sided, at least 95 %; compared in Thulin 2013,
    arXiv:1303.1288): the p at which ``found`` or fewer have a chance of 5 %. For none of n that
    is about 3/n. Stratified draws vary no more than independent ones, so the bound holds.
    """
    return 1.0 if found >= tried else _root(found, tried, 1.0 - CONFIDENCE)


def at_least(found: int, tried: int) -> float:
    """The lower bound, likewise: the p at which ``found`` or more have a chance of 5 %."""
    return 0.0 if found <= 0 else _root(found - 1, tried, CONFIDENCE)


def _root(most: int, tried: int, chance: float) -> float:
    """The p at which ``most`` or fewer of ``tried`` have a given chance; it falls with p."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _so_few(most, tried, middle) > chance:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _so_few(most: int, tried: int, share: float) -> float:
    """The binomial chance of ``most`` or fewer."""
    return sum(
        exp(
            lgamma(tried + 1)
            - lgamma(k + 1)
            - lgamma(tried - k + 1)
            + k * log(share)
            + (tried - k) * log1p(-share)
        )
        for k in range(most + 1)
    )
