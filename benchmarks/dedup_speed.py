"""Milliseconds of deduplication: signatures, another cut of the bands, and the whole model.

How signatures stand beside a published library, where that is installed.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import mission_tui  # noqa: F401  (sets the thread counts before numpy loads)

# isort: split
import numpy as np

from benchmarks.result import Row, median
from engine.models.dedup import MODEL
from engine.numerics import corpus, minhash

SEED: Final = 1
REPEATS: Final = 7
RECUT: Final = 30.0  # ms
WHOLE: Final = 100.0  # ms
TIMES: Final = 3.0
"""How much faster than the published library is wanted."""
VIDEO: Final = {"redundancy": 0.75, "near": 0.7, "edits": 0.03, "skew": 0.5, "template": 0.55}


def measure() -> list[Row]:
    """Another cut, the whole model, and if datasketch is there, the ratio of signatures to it."""
    next(iter(MODEL.stream(VIDEO, seed=SEED)))  # the corpus and its signatures are kept
    cuts = [_timed(partial(_recut, cut)) for cut in minhash.BANDS]
    whole = [_elapsed(partial(MODEL.evaluate, VIDEO, seed=SEED + at)) for at in range(1, 6)]
    found = corpus.corpus(corpus.Recipe(0.5, 0.5, 0.05, 1.0, 0.08, 0.5), seed=SEED)
    ours = _timed(lambda: minhash.signatures(*corpus.shingles(found), seed=SEED))
    rows = [
        Row("dedup: bands cut again, to the accounts", max(cuts), "ms", RECUT, "the slowest of 6"),
        Row("dedup: a new corpus and both trainings", median(whole), "ms", WHOLE),
        Row("dedup: 128 MinHash of 512 documents", ours, "ms"),
    ]
    if importlib.util.find_spec("datasketch") is None:
        print("(datasketch is not installed: no ratio to it)", end=" ", file=sys.stderr)
        return rows
    from datasketch import MinHash  # type: ignore[import-not-found, unused-ignore]

    words = np.array(corpus.text()[0])
    documents = [list(words[part]) for part in np.split(found.words, found.starts[1:])]
    shingles = [
        [" ".join(three).encode() for three in zip(d, d[1:], d[2:], strict=False)]
        for d in documents
    ]
    theirs = _timed(lambda: list(MinHash.bulk(shingles, num_perm=minhash.HASHES)))
    note = f"{theirs / ours:.0f} times as long; {TIMES:g} times is wanted"
    return [*rows, Row("dedup: signatures, over datasketch", ours / theirs, "×", 1 / TIMES, note)]


def _recut(cut: str) -> None:
    next(iter(MODEL.stream({**VIDEO, "bands": cut}, seed=SEED)))


def _timed(work: Callable[[], object]) -> float:
    """The median of a few, in milliseconds, after a first that does not count."""
    work()
    return median(_elapsed(work) for _ in range(REPEATS))


def _elapsed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - begun)


if __name__ == "__main__":
    for row in measure():
        print(f"{row.what:<50} {row.measured:10.3f} {row.unit:<3} {row.note}")
