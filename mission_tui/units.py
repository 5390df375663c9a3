"""Quantities as people read and write them: SI prefixes, explicit units, three digits.

MB is 10^6 bytes and MiB is 2^20. Percentages differ by *points*.
"""

from __future__ import annotations

import math
import re
from typing import Final

_SI: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_LARGE: Final = ((1e24, "Y"), (1e21, "Z"), (1e18, "E"), (1e15, "P"), *_SI)
_SMALL: Final = ((1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
_ARITHMETIC: Final = frozenset({"FLOP", "FLOP/s"})
"""Units that grow past tera: training is counted in zetta."""
_PREFIX: Final = {
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Z": 1e21,
    "Y": 1e24,
    "m": 1e-3,
    "µ": 1e-6,
    "u": 1e-6,
    "n": 1e-9,
}
_BINARY: Final = {"KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30}
_COUNTS: Final = {"T": "trillion", "G": "billion", "M": "million", "k": "thousand", "": ""}
_COUNTED: Final = frozenset(
    {"bit", "samples", "epochs", "nights", "passes", "rounds", "clients", "devices", "nodes"}
    | {"sequences", "islands", "labels", "tokens", "tok/s", "users", "mixes"}
    | {"weeks", "faults", "visits", "people", "changes"}
)
_POINTS: Final = frozenset({"points", "points/pass"})
_UNSCALED: Final = frozenset({"%", "×"}) | _POINTS | _COUNTED
_TIMES: Final = {"min": 60.0, "h": 3600.0, "days": 86400.0}
_LONG: Final = ((72 * 3600.0, "days"), (7200.0, "h"), (120.0, "min"))
"""Seconds from which a time reads better in another unit."""
_NUMBER: Final = re.compile(
    r"\s*([+-]?\d+(?:[_, ]\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?)\s*(\S*)\s*$", re.IGNORECASE
)


class UnitError(ValueError):
    """Text that is no quantity in the unit that was asked for."""


def factor(unit: str, base: str) -> float:
    """How many ``base`` one ``unit`` is: ``factor("MB", "B") == 1e6``. Raises UnitError."""
    if unit == base:
        return 1.0
    if base == "B" and unit in _BINARY:
        return _BINARY[unit]
    if base == "s" and unit in _TIMES:
        return _TIMES[unit]
    if not base and unit in _COUNTS:
        return _PREFIX[unit]
    prefix = unit.removesuffix(base) if base and unit.endswith(base) else None
    if prefix is None or prefix not in _PREFIX:
        raise UnitError(f"{unit!r} is not a unit of {base or 'a count'}")
    return _PREFIX[prefix]


def base_of(unit: str) -> str:
    """The unit without its prefix: MB, kB and GiB are all B."""
    if unit in _BINARY:
        return "B"
    if unit in _TIMES:
        return "s"
    if len(unit) > 1 and unit[0] in "kMGTmµun" and unit[1:] in {"B", "s", "J", "W", "B/s", "MAC"}:
        return unit[1:]
    if len(unit) > 1 and unit[0] in "kMGTPEZY" and unit[1:] in _ARITHMETIC:
        return unit[1:]
    return unit


def digits(value: float, significant: int = 3) -> str:
    """``value`` with three significant digits and never an exponent."""
    if abs(value) < 5e-7:  # beyond six places nothing is written
        return "0"
    places = significant - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    places = significant - 1 - math.floor(math.log10(abs(rounded))) if rounded else places
    if places <= 0 and abs(rounded) >= 10**significant:
        return f"{rounded:,.0f}"
    return f"{rounded:.{max(0, min(places, 6))}f}"


def show(value: float, unit: str) -> str:
    """``value`` in ``unit``, with the prefix that reads best: ``show(4.2e9, "B") == "4.20 GB"``."""
    return f"−{_show(-value, unit)}" if value < 0 else _show(value, unit)


_BRIEF: Final = (
    ("points", "pts"),
    ("weeks", "wk"),
    ("faults", ""),
    ("thousand", "k"),
    ("million", "M"),
    ("billion", "G"),
)


def brief(shown: str) -> str:
    """What :func:`show` wrote, for a narrow column: ``pts``, and letters for thousands.

    Faults are left to the label beside them.
    """
    for word, letter in _BRIEF:
        shown = shown.replace(f" {word}", f" {letter}".rstrip())
    return shown


def _show(value: float, unit: str) -> str:
    if unit == "%":
        close = 98 < value < 100 and round(value, 1) != round(value, 2)
        return f"{value:.2f} %" if close else f"{value:.1f} %"
    if unit == "×":
        return f"{digits(value)}×"
    if unit in _POINTS:
        return f"{_points(value)} {unit}"
    if unit == "$":
        return f"${_money(value)}"
    if unit == "s" and (long := _long(value)) is not None:
        return f"{digits(value / _TIMES[long])} {long}"
    if unit in _COUNTED:
        whole = f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.0f}"
        number = whole if value == round(value) else digits(value)
        one = value == 1 and not unit.endswith("/s")
        return f"{number} {_singular(unit) if one else unit}"
    scale, prefix = _prefix(value, unit)
    if unit == "":
        return f"{digits(value / scale)} {_COUNTS[prefix]}".rstrip()
    return f"{digits(value / scale)} {prefix}{unit}"


def _points(value: float) -> str:
    """One decimal; two of less than a point, which would be rounded to hardly anything."""
    return f"{value:.2f}" if 0.005 <= abs(value) < 0.995 else f"{value:.1f}"


def _long(seconds: float) -> str | None:
    """The unit in which so many seconds read best, if it is not the second."""
    return next((unit for least, unit in _LONG if abs(seconds) >= least), None)


def _singular(unit: str) -> str:
    """One of what is counted: pass, mix, sample."""
    return unit[:-2] if unit.endswith(("sses", "xes")) else unit.removesuffix("s")


def _money(size: float) -> str:
    if size >= 1e6:
        scale, prefix = _prefix(size, "")
        return f"{digits(size / scale)} {_COUNTS[prefix]}"
    return digits(size)


def show_in(value: float, unit: str) -> str:
    """``value`` (base units) written in exactly ``unit``: "MB", not what reads best."""
    base = base_of(unit)
    if unit == base:
        return show(value, unit)
    return f"{digits(value / factor(unit, base))} {unit}"


def show_change(change: float, unit: str) -> str:
    """A signed difference: percentages differ by points."""
    change = 0.0 if abs(change) < 5e-7 and unit == "" else change
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    if unit == "%":
        return f"{sign}{_points(abs(change))} points"
    return sign + show(abs(change), unit)


def amount(change: float, unit: str) -> tuple[str, str]:
    """The magnitude of a change as a number and its unit, apart: ``("4.20", "GB")``."""
    if unit == "%":
        return _points(abs(change)), "points"
    if unit in _UNSCALED or unit == "$":
        return _written(abs(change)), unit
    if unit == "s" and (long := _long(change)) is not None:
        return _written(abs(change) / _TIMES[long]), long
    scale, prefix = _prefix(change, unit)
    return _written(abs(change) / scale), prefix + unit


def _written(size: float) -> str:
    """Three significant digits, or every digit before the point: no rounding that is not seen."""
    return digits(size) if size < 999.5 else f"{size:.0f}"


def half_step(number: str) -> float:
    """Half a unit of the last written digit: ``half_step("4.20") == 0.005``."""
    _, _, decimals = number.partition(".")
    return 0.5 * 10.0 ** -len(decimals)


def parse(text: str, unit: str) -> float:
    """Read ``"512 MB"``, ``"0.5GB"`` or a bare ``"512"`` (then in ``unit``); returns base units.

    Raises :class:`UnitError` with one sentence.
    """
    if not text.strip():
        raise UnitError(f"write a number, for example 12.5 {unit}".rstrip())
    found = _NUMBER.match(text.replace("−", "-"))  # a minus as we print it
    if not found:
        raise UnitError(f"{text.strip()!r} is not a number; write for example 12.5 {unit}".rstrip())
    value = float(re.sub(r"[_, ]", "", found[1]))
    if not math.isfinite(value):
        raise UnitError(f"{text.strip()!r} is too large")
    base = base_of(unit)
    written = _canonical(found[2], base) if found[2] else unit
    try:
        return value * factor(written, base)
    except UnitError:
        raise UnitError(
            f"{found[2]!r} is not a unit here; write for example 12.5 {unit}".rstrip()
        ) from None


def _canonical(written: str, base: str) -> str:
    """Forgive case and a missing base: ``gb`` and ``G`` are GB where bytes are asked for."""
    if not base:
        return next((prefix for prefix, word in _COUNTS.items() if word == written), written)
    if base != "B":
        return written if written == base else {"x": "×", "points": "%"}.get(written, written)
    by_case = {u.lower(): u for u in ("B", "kB", "MB", "GB", "TB", *_BINARY)}
    lower = written.lower()
    return by_case.get(lower) or by_case.get(lower + "b") or written


def _prefix(value: float, unit: str) -> tuple[float, str]:
    size = abs(value)
    large = _LARGE if unit in _ARITHMETIC else _SI
    table = large if unit in {"", "B"} or size >= 1 or size == 0 else _SMALL
    for scale, prefix in table:
        # 999.6 kB reads better as 1.00 MB: compare after rounding to three digits.
        if size >= scale * 0.9995:
            return scale, prefix
    return table[-1]
