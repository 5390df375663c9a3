"""The band around a predicted number: how wide it may be made, step by step, and in which words.

A quantity is divided and multiplied. What carries a sign (a lock with a declared ±) is added to and
taken from, and percentages by points: otherwise a band could neither span zero nor be narrow at
97 %. What a prediction records is the two ends, whichever way they were made.
"""

from __future__ import annotations

import math
from typing import Final

from mission_tui.content.schema import Lock
from mission_tui.units import brief, digits, show

FACTORS: Final = (1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
"""The value divided and multiplied by one of these; the first is no band yet."""
POINTS: Final = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
"""So many points to either side."""
TELLING: Final = 4.0
"""High over low of a band that still says something; one in points may be ±5."""
_FAR: Final = POINTS.index(5.0)
_WHOLE: Final = 100.0


def steps(lock: Lock, unit: str) -> tuple[float, ...]:
    """The widths of a lock's band, from none on; ``unit`` is what its numbers are kept in."""
    if lock.within is None:
        return FACTORS
    if unit in {"%", "points"}:
        return POINTS
    tenth = 10.0 ** (math.floor(math.log10(lock.within)) - 1)  # of its declared ±
    return tuple(tenth * 10.0 * step for step in POINTS)


def around(lock: Lock, unit: str, value: float, width: float) -> tuple[float, float]:
    """The ends of the band of one of the :func:`steps`; a share ends at 0 and at 100 %."""
    if lock.within is None:
        low, high = sorted((value / width, value * width))
    else:
        low, high = round(value - width, 9), round(value + width, 9)
    if unit == "%" and 0.0 <= value <= _WHOLE:
        low, high = max(0.0, low), min(_WHOLE, high)
    return low, high


def words(lock: Lock, unit: str, width: float) -> str:
    """A width, as it stands beside the value."""
    if lock.within is None:
        return f"÷{width:g} to ×{width:g}"
    if unit in {"%", "points"}:
        return f"±{width:g} point{'' if width == 1 else 's'}"
    return f"±{brief(show(width, unit))}"


def reach(lock: Lock, unit: str) -> float | None:
    """How far a scale goes to either side of a value at least; None where it is logarithmic."""
    return None if lock.within is None else steps(lock, unit)[_FAR]


def telling(lock: Lock, unit: str, low: float, high: float) -> bool:
    """Whether a band is narrow enough to say something."""
    widest = reach(lock, unit)
    if widest is not None:
        return high - low <= 2 * widest * (1 + 1e-9)
    return 0 < abs(high) <= TELLING * abs(low) and (low > 0) == (high > 0)


def telling_words(lock: Lock, unit: str) -> str:
    """The widest band that still says something."""
    widest = reach(lock, unit)
    return f"×{digits(TELLING, 1)}" if widest is None else words(lock, unit, widest)
