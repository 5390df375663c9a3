"""What a selection of documents teaches: each document carries a digit, and so do its copies.

The stand-in for training on a corpus. An original carries a digit of its own; an exact copy the
same image; an edited copy the same digit, written a little differently. Documents of the rare
slice carry the rare classes, which no other document does. So a duplicate teaches nothing new,
and a rare document that is removed is missed.

Learners are softmax regressions (650 parameters) by plain stochastic gradient descent, several
at once that differ in the order of the documents alone; what is measured is their mean. Two
courses at the same seed take the documents that both have in the same order, so that they
differ by what was selected.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.numerics import softmax
from engine.numerics.corpus import DOCUMENTS, Corpus
from engine.numerics.digits import CLASSES, SIDE, split
from engine.numerics.distinct import distinct
from engine.numerics.randomness import FloatArray, IntArray, normals, permutation, stream

RARE: Final = (8, 9)
"""The classes that the rare slice carries, and nothing else does."""
LEARNERS: Final = 6
BATCH: Final = 16
RATE: Final = 0.25
"""Step of gradient descent."""
DISPLACED: Final = 5.0
"""Pixels, standard deviation, that a copy moves its digit by, times its share of edited words."""


PASSES: Final = 8
"""Over the whole corpus: how long a course is, whatever was selected."""
MARKS: Final[IntArray] = distinct(
    BATCH * np.round(PASSES * DOCUMENTS / BATCH * np.linspace(0.0, 1.0, 29) ** 1.5)
).astype(np.int64)
"""Documents seen when a learner is judged: often at first."""


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """How learning went, at each of the k :data:`MARKS`: means of the learners.

    ``recall`` (k, C) on each class and ``accuracy`` (k,) on the held-out digits are in per
    cent; ``unique`` (k,) is how many different originals had been seen, themselves or copied.
    """

    accuracy: FloatArray
    recall: FloatArray
    unique: FloatArray

    def at(self, seen: float) -> tuple[float, float]:
        """Accuracy and mean recall of the rare classes after ``seen`` documents, in per cent."""
        rare = self.recall[:, list(RARE)].mean(axis=1)
        return float(np.interp(seen, MARKS, self.accuracy)), float(np.interp(seen, MARKS, rare))

    @property
    def best(self) -> FloatArray:
        """The highest accuracy so far (k,), of means over three marks in a row.

        A single mark is a step of stochastic descent, some of them lucky.
        """
        ends = np.concatenate([self.accuracy[:1], self.accuracy, self.accuracy[-1:]])
        return np.maximum.accumulate((ends[:-2] + ends[1:-1] + ends[2:]) / 3.0)

    def until(self, accuracy: float) -> float | None:
        """Documents seen when :attr:`best` reaches ``accuracy`` (per cent); None if never.

        In a straight line between two marks.
        """
        best = self.best
        if best[-1] < accuracy:
            return None
        at = int(np.argmax(best >= accuracy))
        if at == 0:
            return float(MARKS[0])
        part = (accuracy - best[at - 1]) / (best[at] - best[at - 1])
        return float(MARKS[at - 1] + part * (MARKS[at] - MARKS[at - 1]))


def carried(found: Corpus, *, seed: int) -> tuple[FloatArray, IntArray]:
    """Return the image (n, 65; the last is one) and the label that each document carries."""
    train, _ = split(seed)
    rng = stream(seed, "selection", "digits")
    rare = np.isin(train.labels, RARE)
    common_digits = _by_turns(train.labels, ~rare, rng)
    rare_digits = _by_turns(train.labels, rare, rng)
    commons = int(found.family[~found.rare].max()) + 1
    digit = np.where(
        found.rare,
        rare_digits[np.maximum(found.family - commons, 0) % len(rare_digits)],
        common_digits[np.minimum(found.family, commons - 1) % len(common_digits)],
    )
    moves = normals(stream(seed, "selection", "moves"), (2, len(found)))
    moves *= DISPLACED * found.edited
    return softmax.with_ones(_moved(train.images[digit], *moves)), train.labels[digit]


def _by_turns(labels: IntArray, wanted: NDArray[np.bool_], rng: np.random.Generator) -> IntArray:
    """The digits wanted, in random order but class after class in turn."""
    order = permutation(rng, len(labels))
    order = order[wanted[order]]
    turn = np.empty(len(order), dtype=np.int64)
    for label in range(CLASSES):
        mine = labels[order] == label
        turn[mine] = np.arange(np.count_nonzero(mine))
    return order[np.argsort(turn, kind="stable")]


def _moved(images: FloatArray, down: FloatArray, right: FloatArray) -> FloatArray:
    """Images (n, 64) moved by less than a pixel either way, bilinearly; from outside comes 0."""
    square = np.pad(images.reshape(-1, SIDE, SIDE), ((0, 0), (1, 1), (1, 1)))
    inner = slice(1, 1 + SIDE)
    for axis, amount in ((1, down), (2, right)):
        part = np.clip(np.abs(amount), 0.0, 1.0)[:, None, None]
        ahead = np.roll(square, 1, axis=axis)
        behind = np.roll(square, -1, axis=axis)
        square = (1.0 - part) * square + part * np.where(amount[:, None, None] > 0, ahead, behind)
    return np.asarray(square[:, inner, inner].reshape(len(images), -1))


def course(
    images: FloatArray,
    labels: IntArray,
    family: IntArray,
    chosen: NDArray[np.bool_],
    *,
    seed: int,
) -> Course:
    """Learn from the ``chosen`` (n,) documents, pass after pass, and be judged at the marks.

    Raises ValueError where nothing is chosen.
    """
    order = _taken(chosen, seed)
    test, truth = _held_out(seed)
    of_class = np.eye(CLASSES)[truth]
    judged = LEARNERS * np.maximum(of_class.sum(axis=0), 1.0)
    parameters = np.zeros((LEARNERS, images.shape[1], CLASSES))
    recall = np.empty((len(MARKS), CLASSES))
    right = np.empty(len(MARKS))
    done = 0
    for mark, until in enumerate(MARKS.tolist()):
        for at in range(done, until, BATCH):
            now = order[:, at : at + BATCH]
            softmax.step(parameters, images[now], labels[now], RATE)
        done = until
        learners = softmax.right(parameters, test, truth).sum(axis=0)
        recall[mark] = 100.0 * (learners @ of_class) / judged
        right[mark] = 100.0 * learners.sum() / (LEARNERS * len(truth))
    return Course(right, recall, _unique(family, order))


def _taken(chosen: NDArray[np.bool_], seed: int) -> IntArray:
    """(learners, documents seen): which document each learner takes when."""
    size = int(np.count_nonzero(chosen))
    if not size:
        raise ValueError("choose a document at least")
    total = int(MARKS[-1])
    orders = _orders(len(chosen), seed)
    # As many passes over the documents chosen as fill the course: its own orders, then again.
    order = orders[chosen[orders]].reshape(LEARNERS, -1)
    return order[:, np.arange(total) % order.shape[1]]


def _unique(family: IntArray, order: IntArray) -> FloatArray:
    met = np.zeros(len(MARKS))
    for taken in order:
        _, first = np.unique(family[taken], return_index=True)
        met += np.searchsorted(np.sort(first), MARKS, side="left")
    return met / len(order)


@lru_cache(maxsize=4)
def _held_out(seed: int) -> tuple[FloatArray, IntArray]:
    _, test = split(seed)
    return softmax.with_ones(test.images), test.labels


@lru_cache(maxsize=8)
def _orders(n: int, seed: int) -> IntArray:
    """(learners, passes, n): in which order each learner would take n documents.

    The passes come again when they are used up, as they are by a small selection.
    """
    draws = stream(seed, "selection", "orders").random((2 * PASSES, LEARNERS, n))
    return np.argsort(draws, axis=2, kind="stable").transpose(1, 0, 2).astype(np.int64)
