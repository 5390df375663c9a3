"""Write ``digits.npz`` from scikit-learn's copy of the UCI handwritten digits.

Run once, in an environment of its own that has scikit-learn (the game does not need it)::

    python engine/data/make_digits.py

It keeps the images as they are, 8×8 counts of 0..16, and writes the SHA-256 sums of the file
and of the arrays to the standard output, for README.md.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits  # type: ignore[import-not-found]


def main() -> None:
    """Write the archive beside this script and show its sums."""
    digits = load_digits()
    images = digits.data.astype(np.uint8)
    labels = digits.target.astype(np.uint8)
    if images.shape != (1797, 64) or not np.array_equal(images, digits.data):
        raise ValueError("these are not the 1,797 digits of 8×8 whole counts")
    target = Path(__file__).with_name("digits.npz")
    np.savez_compressed(target, images=images, labels=labels)
    for name, data in (
        ("digits.npz", target.read_bytes()),
        ("images", images.tobytes()),
        ("labels", labels.tobytes()),
    ):
        sys.stdout.write(f"{hashlib.sha256(data).hexdigest()}  {name}\n")


if __name__ == "__main__":
    main()
