"""Rework as an absorbing Markov chain: what a walk costs on average, and what walks come to.

A chain is the matrix Q of its transient states: ``chain[i, j]`` is the chance that a visit to
state i is followed by one to state j; what a row lacks to 1 is the chance of absorption. The
average is exact, N = (I - Q)^-1 with N[i, j] visits to j of a walk from i and t = N τ (Grinstead
and Snell, Introduction to Probability, §11.2). Beside it stand simulated walks, that must agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from engine.numerics.randomness import FloatArray, IntArray, normals, stream

_ROUNDING: Final = 1e-12


def checked(chain: FloatArray) -> FloatArray:
    """``chain`` as float64, known to be one whose every walk ends.

    Raises ValueError for what is no square matrix of chances, or where some state never leads
    to absorption.
    """
    chain = np.asarray(chain, dtype=np.float64)
    if chain.ndim != 2 or chain.shape[0] != chain.shape[1] or not chain.size:
        raise ValueError(f"a chain is a square matrix, not {chain.shape}")
    leaves = 1.0 - chain.sum(axis=1)
    if not np.all(chain >= 0.0) or not np.all(leaves >= -_ROUNDING):
        raise ValueError("a row holds chances: none negative, their sum at most 1")
    ends = leaves > _ROUNDING
    for _ in range(len(chain)):
        ends = ends | (chain[:, ends].sum(axis=1) > 0.0)
    if not ends.all():
        raise ValueError(f"state {int(np.argmin(ends))} never leads to absorption")
    return chain


def visits(chain: FloatArray, start: int = 0) -> FloatArray:
    """Expected visits to each state of a walk from ``start``: that row of (I - Q)^-1."""
    chain = checked(chain)
    unit = np.zeros(len(chain))
    unit[start] = 1.0
    return np.asarray(np.linalg.solve(np.eye(len(chain)) - chain.T, unit))


def times(chain: FloatArray, durations: FloatArray) -> FloatArray:
    """Expected time to absorption from each state, t = (I - Q)^-1 τ, in the durations' unit."""
    chain = checked(chain)
    return np.asarray(np.linalg.solve(np.eye(len(chain)) - chain, durations))


def walks(chain: FloatArray, number: int, seed: int, *names: str | int) -> IntArray:
    """Visits to each state of ``number`` simulated walks from state 0: number × states.

    The n-th step of a walk obeys the same draw whatever the chain and the number of walks, so
    that two chains differ by what they do and hardly by luck.
    """
    chain = checked(chain)
    states = len(chain)
    passed = np.cumsum(chain, axis=1)
    # Rounding is no way out of a state that has none.
    passed[passed > 1.0 - _ROUNDING] = 1.0
    columns = np.ascontiguousarray(passed.T)
    seen = np.zeros(number * states, dtype=np.int64)
    walking = np.arange(number)
    at = np.zeros(number, dtype=np.int64)
    step = 0
    while len(walking):
        seen[walking * states + at] += 1
        draws = stream(seed, *names, step).random(int(walking[-1]) + 1)[walking]
        following = np.zeros(len(at), dtype=np.int64)
        for column in columns:
            following += column[at] <= draws
        walking, at = walking[following < states], following[following < states]
        step += 1
    return seen.reshape(number, states)


def lognormal(spread: float, shape: tuple[int, int], seed: int, *names: str | int) -> FloatArray:
    """Log-normal factors of mean 1, exp(spread · z - spread² / 2), of ``shape``."""
    drawn = normals(stream(seed, *names), shape)
    return np.asarray(np.exp(spread * drawn - spread * spread / 2.0))


def returning(
    stages: int, chance: float, found: Mapping[int, FloatArray]
) -> tuple[FloatArray, Mapping[int, FloatArray]]:
    """The chain of a line of stages where faults send the work back to where they were made.

    ``found[origin][stage]`` is the share of all faults that were made in stage ``origin`` and
    are found in ``stage``; all shares sum to 1. With probability ``chance`` (below 1) a pass
    from the first stage to the last carries a fault. A stage finds what it finds of those that
    got so far, and every visit draws anew: a walk has no memory.

    Returns the chain, and for each origin the chance that a visit to a stage finds its fault.
    """
    if not 0.0 <= chance < 1.0:
        raise ValueError(f"a chance from 0 to less than 1, not {chance}")
    every = sum(found.values(), np.zeros(stages))
    arriving = 1.0 - chance * (np.cumsum(every) - every)
    finds = {origin: chance * shares / arriving for origin, shares in found.items()}
    chain = np.zeros((stages, stages))
    for origin, at in finds.items():
        chain[:, origin] += at
    onward = 1.0 - chain.sum(axis=1)
    # In one statement a stage may both lead on and lead back to itself.
    chain[np.arange(stages - 1), np.arange(1, stages)] += onward[:-1]
    return chain, finds
