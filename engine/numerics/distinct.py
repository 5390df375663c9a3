"""The distinct values of an array, without ``numpy.ma``.

``np.unique`` loads numpy's masked arrays when it is first called: more than 1 MB in every session
of a lab server, and nothing here is masked.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Kind = TypeVar("Kind", bound=np.generic)


def distinct(values: NDArray[Kind]) -> NDArray[Kind]:
    """Return the values of an array without NaN, each once, in rising order."""
    ordered = np.sort(values, axis=None)
    first = np.ones(len(ordered), dtype=np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]
