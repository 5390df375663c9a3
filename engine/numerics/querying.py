"""Pool-based active learning of softmax regressions on digits, several repeats in one matmul.

A pool of images lies there without labels. A *round* scores it with the model that the labels
so far make, asks for the labels of a batch (Settles 2009, *Active Learning Literature Survey*,
§2.3 pool-based sampling, §3.1 uncertainty sampling: least confidence, margin and entropy) and
trains anew. Labels may be wrong, and may be voted for.

Shapes: R repeats (other starts, other labellers, the same pool), n images in the pool, D inputs,
C classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from engine.numerics import softmax
from engine.numerics.digits import CLASSES, split
from engine.numerics.partition import held_out
from engine.numerics.randomness import FloatArray, IntArray, permutation, stream

Strategy: TypeAlias = Literal["random", "margin", "entropy", "least-confidence"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)

REPEATS: Final = 4
"""Repeats that every figure is the mean of: a single path strays by more than strategies differ."""
MOST_VOTES: Final = 9
MOST: Final = 400
"""Labels after which nobody learns on: what is not reached by then counts as never reached."""
PICK_TOLERANCE: Final = 1e-6
"""Score by which a recorded pick may miss the best and still be followed."""

STEPS: Final = 20
"""Steps of every training: the work of a round does not depend on how it goes."""


class PicksDivergedError(ValueError):
    """Recorded picks are not what the strategy would have asked for, within tolerance."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """What may be labelled: ``images`` (n, D) with a column of ones, ``truth`` (n,)."""

    images: FloatArray
    truth: IntArray


@dataclass(frozen=True, slots=True)
class Plan:
    """How labels are asked for.

    Attributes:
        strategy: which images first; ``random`` asks for them in a random order.
        batch: images asked for a round.
        share: of the unlabelled pool that a round scores, drawn at random, 0..1; at least a batch.
        start: images labelled at random before the first round.
        error: chance that one vote is wrong, 0..1: any of the other classes.
        votes: votes an image, the class with most of them is its label.
        ridge: what training adds to the loss, for half the sum of squares of the parameters.
    """

    strategy: Strategy = "margin"
    batch: int = 10
    share: float = 1.0
    start: int = 20
    error: float = 0.0
    votes: int = 1
    ridge: float = 0.003


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """The models after a round.

    Attributes:
        labels: images labelled so far.
        hits: (C,), test images of each class that are right, mean of the repeats.
        asked: (R, labels), which images, in the order in which they were asked for.
        picks: those of this round, repeat after repeat, best first; none where they are random.
    """

    labels: int
    hits: FloatArray
    asked: IntArray
    picks: tuple[int, ...]


@lru_cache(maxsize=16)
def pool(size: int, rare: tuple[int, ...], kept: float, *, seed: int) -> Pool:
    """Return at most ``size`` training digits, of the ``rare`` classes a share of ``kept``."""
    train, _ = split(seed)
    drawn = stream(seed, "labeling", "rare").random(len(train))
    stays = ~np.isin(train.labels, rare) | (drawn < kept)
    found = np.flatnonzero(stays)[:size]
    return Pool(softmax.with_ones(train.images[found]), train.labels[found])


def voted(truth: IntArray, error: float, votes: int, *, seed: int) -> IntArray:
    """Return (R, n): the class with most votes for each image; ties are broken at random.

    A vote is wrong with probability ``error``, and then any of the other classes alike. More
    votes, or a larger error, keep what was drawn before.
    """
    n = len(truth)
    rng = stream(seed, "labeling", "votes")
    wrong = rng.random((MOST_VOTES, REPEATS, n))[:votes] < error
    other = np.floor(rng.random((MOST_VOTES, REPEATS, n))[:votes] * (CLASSES - 1))
    ties = rng.random((REPEATS, n, CLASSES))
    named = np.where(wrong, (truth + 1 + other.astype(np.int64)) % CLASSES, truth)
    counts = (named[..., None] == np.arange(CLASSES)).sum(axis=0)
    return np.asarray(np.argmax(counts + 0.5 * ties, axis=-1), dtype=np.int64)


def label_error(error: float, votes: int, classes: int = CLASSES) -> float:
    """Return the chance that the vote is wrong: a plurality of ``votes``, ties broken at random.

    With k right votes (binomial), the others fall on classes - 1 names alike. The right one wins
    where no other has more than k, and once in j + 1 where j others have as many: counted by
    exponential generating functions, Σ x^i/i! below k and x^k/k! for each tie. For two classes
    and odd votes this is the binomial tail beyond half.
    """
    others = classes - 1
    right = 0.0
    for k in range(votes + 1):
        left = votes - k
        below = [1.0 / math.factorial(i) for i in range(min(k, left + 1))]
        ways = 0.0
        for ties in range(others + 1):
            rest = left - ties * k
            if rest < 0:
                break
            spread = _power(below, others - ties, rest)
            ways += math.comb(others, ties) * spread / math.factorial(k) ** ties / (ties + 1)
        chance = ways * math.factorial(left) / others**left
        right += math.comb(votes, k) * (1.0 - error) ** k * error**left * chance
    return min(1.0, max(0.0, 1.0 - right))


def _power(polynomial: Sequence[float], exponent: int, degree: int) -> float:
    """Return the coefficient of x^degree in polynomial(x)^exponent."""
    product = [1.0] + [0.0] * degree
    for _ in range(exponent):
        product = [
            sum(product[at - i] * c for i, c in enumerate(polynomial) if i <= at)
            for at in range(degree + 1)
        ]
    return product[degree]


def fit(images: FloatArray, labels: IntArray, ridge: float) -> FloatArray:
    """Return (m, D, C): softmax regressions of images (m, n, D), always the same work.

    Twenty accelerated steps (Nesterov's) from zeros on the loss plus ridge/2 a squared
    parameter, preconditioned by a bound on its curvature: H ≤ ½ XᵀX/n for every class (Böhning
    1992, *Multinomial Logistic Regression Algorithm*), so that no step size is chosen. From
    zeros each time: a model depends on what is labelled and not on how it came about.
    """
    inputs = images.shape[-1]
    curvature = images.mT @ images * (0.5 / images.shape[1])
    curvature[:, range(inputs), range(inputs)] += ridge
    inverse = np.linalg.inv(curvature)
    model = ahead = np.zeros((len(images), inputs, CLASSES))
    pace = 1.0
    for _ in range(STEPS):
        slope = softmax.gradient(ahead, images, labels) + ridge * ahead
        moved = ahead - inverse @ slope
        faster = 0.5 * (1.0 + math.sqrt(1.0 + 4.0 * pace * pace))
        ahead = moved + ((pace - 1.0) / faster) * (moved - model)
        model, pace = moved, faster
    return model


def uncertainty(parameters: FloatArray, images: FloatArray, strategy: Strategy) -> FloatArray:
    """Return (m, n): how much the label of each image is wanted.

    ``margin`` is minus the gap between the two likeliest classes, ``least-confidence`` one less
    the likeliest, ``entropy`` in nats (Settles 2009).
    """
    p = softmax.probabilities(parameters, images)
    if strategy == "entropy":
        return -np.asarray(np.sum(p * np.log(np.maximum(p, 1e-300)), axis=-1))
    first = p.max(axis=-1)
    if strategy == "least-confidence":
        return np.asarray(1.0 - first)
    if strategy == "margin":
        np.put_along_axis(p, np.argmax(p, axis=-1)[..., None], -1.0, axis=-1)
        return np.asarray(p.max(axis=-1) - first)
    raise ValueError(f"strategies with a score are {', '.join(STRATEGIES[1:])}, not {strategy!r}")


def query(found: Pool, plan: Plan, *, seed: int, follow: Sequence[int] = ()) -> Iterator[Round]:
    """Yield the start, then the models after each round, until MOST or the whole pool.

    ``follow`` holds recorded picks and is obeyed as far as it reaches; raises
    :class:`PicksDivergedError` where it can't be.
    """
    n = len(found.truth)
    given = voted(found.truth, plan.error, plan.votes, seed=seed)
    order = np.stack([permutation(stream(seed, "labeling", "start", r), n) for r in range(REPEATS)])
    rows, asked = np.arange(REPEATS)[:, None], order[:, : plan.start]
    picks, number, at = np.zeros((REPEATS, 0), dtype=np.int64), 0, 0
    while True:
        model = fit(found.images[asked], given[rows, asked], plan.ridge)
        flat = tuple(map(int, picks.ravel()))
        yield Round(asked.shape[1], measured(model, seed), asked, flat)
        wanted = min(plan.batch, n - asked.shape[1], MOST - asked.shape[1])
        if wanted <= 0:
            return
        if plan.strategy == "random":
            asked = order[:, : asked.shape[1] + wanted]
            continue
        score = uncertainty(model, found.images, plan.strategy)
        score[~_scored(asked, n, plan, number, seed)] = -np.inf
        picks = np.argsort(-score, axis=1, kind="stable")[:, :wanted].astype(np.int64)
        recorded = follow[at : at + picks.size]
        if len(recorded):
            picks = _followed(recorded, picks, score)
        asked = np.concatenate([asked, picks], axis=1)
        number, at = number + 1, at + picks.size


def part(found: Pool, plan: Plan, now: Round, labels: int, *, seed: int) -> FloatArray:
    """Return (C,): the hits if a round had ended after ``labels`` of its images, best first."""
    given = voted(found.truth, plan.error, plan.votes, seed=seed)
    asked = now.asked[:, :labels]
    labelled = given[np.arange(REPEATS)[:, None], asked]
    model = fit(found.images[asked], labelled, plan.ridge)
    return measured(model, seed)


def measured(model: FloatArray, seed: int) -> FloatArray:
    """Return (C,): test images of each class that are right, mean of the models."""
    images, labels = held_out(seed)
    right = softmax.right(model, images, labels)
    return np.asarray(right.sum(axis=0) @ np.eye(CLASSES)[labels] / len(model))


def _scored(asked: IntArray, n: int, plan: Plan, number: int, seed: int) -> NDArray[np.bool_]:
    """Return (R, n) of bool: the unlabelled images that this round scores."""
    free = np.ones((REPEATS, n), dtype=np.bool_)
    np.put_along_axis(free, asked, False, axis=1)
    left = n - asked.shape[1]
    many = min(left, max(plan.batch, math.ceil(plan.share * left)))
    if many == left:
        return free
    draw = stream(seed, "labeling", "scored", number).random((REPEATS, n))
    draw[~free] = 2.0
    first = np.argsort(draw, axis=1, kind="stable")[:, :many]
    scored = np.zeros_like(free)
    np.put_along_axis(scored, first, True, axis=1)
    return scored


def _followed(recorded: Sequence[int], best: IntArray, score: FloatArray) -> IntArray:
    """Return recorded picks (R, wanted), if they are as good as the best, each and in order."""
    if len(recorded) != best.size or not 0 <= min(recorded) <= max(recorded) < score.shape[1]:
        raise PicksDivergedError(f"recorded picks {list(recorded)} are no round's")
    picks = np.asarray(recorded, dtype=np.int64).reshape(best.shape)
    ordered = np.sort(picks, axis=1)
    wanted = np.take_along_axis(score, best, axis=1)
    theirs = np.take_along_axis(score, picks, axis=1)
    # Place by place: the set may swap near ties, and a part of the batch is a prefix of it.
    if (ordered[:, 1:] == ordered[:, :-1]).any() or (theirs < wanted - PICK_TOLERANCE).any():
        raise PicksDivergedError(f"recorded picks {list(recorded)} are not among the best")
    return picks
