"""The UCI handwritten digits: real images small enough to learn from in milliseconds.

E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning
Repository, 1998, CC BY 4.0. See ``engine/data/README.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from engine.numerics.randomness import FloatArray, IntArray, permutation, stream

SIDE = 8
PIXELS = SIDE * SIDE
CLASSES = 10
TRAIN = 1437
TEST = 360


@dataclass(frozen=True, slots=True, eq=False)
class Digits:
    """Images (n, 64) of float64 in 0..1, row by row, and labels (n,); both read-only."""

    images: FloatArray
    labels: IntArray

    def __post_init__(self) -> None:
        if self.images.shape != (len(self.labels), PIXELS):
            raise ValueError(f"{self.images.shape} images for {len(self.labels)} labels")
        self.images.flags.writeable = False
        self.labels.flags.writeable = False

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.integer]) -> Digits:
        """Return a copy of the examples at ``indices``, in that order."""
        return Digits(self.images[indices], self.labels[indices])


def load() -> Digits:
    """Return all 1,797 digits, in the order of the source.

    They are read again at every call, in milliseconds: what is drawn from them is kept, and a
    session should not hold them twice.
    """
    with (
        resources.files("engine").joinpath("data", "digits.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as archive,
    ):
        return Digits(archive["images"] / 16.0, archive["labels"].astype(np.int64))


@lru_cache(maxsize=16)
def split(seed: int) -> tuple[Digits, Digits]:
    """Return (train, test): 1,437 and 360 digits that share none, drawn by ``seed``."""
    digits = load()
    order = permutation(stream(seed, "digits", "split"), len(digits))
    return digits.take(order[:TRAIN]), digits.take(order[TRAIN:])
