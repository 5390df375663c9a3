"""Documents with families of edits, over a named text: what a near-duplicate is, is known.

Passages of *Alice's Adventures in Wonderland* (Lewis Carroll 1865, public domain; see
``engine/data/README.md``), 48 words each and none overlapping, are the originals. Copies of
them are exact, or edited word by word. A rare slice holds documents that are all distinct, and
share a template: what boilerplate does to a form, a log line or a camera's still background.

A shingle is three *words* in a row: with w words, w - 2 of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.numerics.randomness import FloatArray, IntArray, permutation, stream

DOCUMENTS: Final = 512
"""Of every corpus."""
LENGTH: Final = 48
"""Words of an original."""
SHINGLE: Final = 3
"""Words of a shingle."""
FEWEST: Final = 16
"""Common originals that a corpus has at least."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a corpus is made of.

    redundancy: share of the documents that copy another, 0..1.
    near: share of the copies that are edited, 0..1; the others are exact.
    edits: mean share of words that an edited copy has changed; from copy to copy the share is
        uniform between 0 and twice that.
    skew: copies go to originals by a Zipf law of this exponent; 0 is evenly.
    rare: share of the documents that belong to the rare slice, none a copy.
    template: share of a rare document's words that all of the slice have in common.
    """

    redundancy: float
    near: float
    edits: float
    skew: float
    rare: float
    template: float


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """Documents in random order.

    ``words`` are numbers in the text's vocabulary; document i has those from ``starts[i]`` on.
    ``family`` (n,) is the original that a document is or copies, ``rare`` (n,) whether it is of
    the slice, ``edited`` (n,) the share of its words that was to be changed.
    """

    words: IntArray
    starts: IntArray
    family: IntArray
    rare: NDArray[np.bool_]
    edited: FloatArray

    def __len__(self) -> int:
        return len(self.starts)


@lru_cache(maxsize=1)
def text() -> tuple[tuple[str, ...], IntArray]:
    """Return the vocabulary, sorted, and the text as numbers in it, word by word."""
    file = resources.files("engine").joinpath("data", "alice.txt")
    found = re.findall(r"[a-z]+(?:'[a-z]+)?", file.read_text(encoding="ascii").lower())
    vocabulary = tuple(sorted(set(found)))
    number = {word: at for at, word in enumerate(vocabulary)}
    return vocabulary, np.array([number[word] for word in found], dtype=np.int64)


@lru_cache(maxsize=4)
def corpus(recipe: Recipe, *, seed: int) -> Corpus:
    """Return the 512 documents of ``recipe``.

    Raises ValueError where fewer than 16 common originals are left.
    """
    copies = round(recipe.redundancy * DOCUMENTS)
    rare = round(recipe.rare * DOCUMENTS)
    common = DOCUMENTS - copies - rare
    if common < FEWEST:
        raise ValueError(f"{common} common originals are left; {FEWEST} are needed")
    _, running = text()
    passages = running[: len(running) // LENGTH * LENGTH].reshape(-1, LENGTH)
    # The template is a passage of its own, the last one drawn.
    drawn = passages[permutation(stream(seed, "corpus", "passages"), len(passages))]
    originals = drawn[: common + rare].copy()
    shared = round(recipe.template * LENGTH)
    originals[common:, :shared] = drawn[-1, :shared]

    share = np.arange(1.0, common + 1.0) ** -recipe.skew
    ladder = np.cumsum(share / share.sum())
    place = stream(seed, "corpus", "copies").random(copies)
    of = np.minimum(np.searchsorted(ladder, place, side="right"), common - 1)
    chance = stream(seed, "corpus", "near").random((2, copies))
    rates = np.where(chance[0] < recipe.near, 2.0 * recipe.edits * chance[1], 0.0)

    order = permutation(stream(seed, "corpus", "order"), DOCUMENTS)
    family = np.concatenate([np.arange(common + rare), of])[order]
    edited = np.concatenate([np.zeros(common + rare), rates])[order]
    words, starts = _edited(originals[family], edited, running, seed)
    return Corpus(words, starts, family, family >= common, edited)


def _edited(
    documents: IntArray, rates: FloatArray, running: IntArray, seed: int
) -> tuple[IntArray, IntArray]:
    """Replace, remove or add to words at random; new words come as often as in the text.

    Returns the words of all documents in one run, and where each begins.
    """
    rng = stream(seed, "corpus", "edits")
    chance, which = rng.random(documents.shape), rng.integers(0, len(running), documents.shape)
    kind = np.floor(3.0 * chance / np.maximum(rates, 1e-12)[:, None])
    counts = np.where(kind == 1.0, 0, np.where(kind == 2.0, 2, 1))
    counts[counts.sum(axis=1) < SHINGLE] = 1
    now = np.where(kind == 0.0, running[which], documents)
    words = np.repeat(now, counts.ravel())
    added = np.cumsum(counts.ravel())[counts.ravel() == 2] - 1
    words[added] = running[which][counts == 2]
    return words, np.concatenate([[0], np.cumsum(counts.sum(axis=1))[:-1]])


def shingles(found: Corpus) -> tuple[IntArray, IntArray]:
    """Return a code for every shingle, document by document, and where each document begins.

    A code is the shingle itself, its three words as the digits of one number.
    """
    size = len(text()[0])
    words = found.words
    code = (words[:-2] * size + words[1:-1]) * size + words[2:]
    inside = np.ones(len(code), dtype=np.bool_)
    for back in (1, 2):  # shingles that reach over the end of a document
        inside[found.starts[1:] - back] = False
    lengths = np.diff(np.append(found.starts, len(words))) - (SHINGLE - 1)
    return code[inside], np.concatenate([[0], np.cumsum(lengths)[:-1]])


def alike(codes: IntArray, starts: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the pairs of documents that share a shingle, and their Jaccard similarities.

    Exact: |A ∩ B| / |A ∪ B| of the sets of shingles (Jaccard 1912). ``first`` < ``second``.
    """
    n = len(starts)
    document = np.repeat(np.arange(n), np.diff(np.append(starts, len(codes))))
    order = np.lexsort((document, codes))
    codes, document = codes[order], document[order]
    once = np.ones(len(codes), dtype=np.bool_)
    once[1:] = (codes[1:] != codes[:-1]) | (document[1:] != document[:-1])
    codes, document = codes[once], document[once]
    sizes = np.bincount(document, minlength=n)
    met = [np.empty(0, dtype=np.int64)]
    here: IntArray = np.arange(len(codes))
    for apart in range(1, n):
        here = here[: np.searchsorted(here, len(codes) - apart)]
        here = here[codes[here] == codes[here + apart]]
        if not len(here):
            break
        met.append(document[here] * n + document[here + apart])
    shared = np.bincount(np.concatenate(met), minlength=n * n)
    pairs = np.flatnonzero(shared)
    first, second = pairs // n, pairs % n
    both = shared[pairs]
    return first, second, both / (sizes[first] + sizes[second] - both)
