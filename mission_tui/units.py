"""Quantities as people read and write them: SI prefixes, explicit units, three digits.

MB is 10^6 bytes and MiB is 2^20. Percentages differ by *points*.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
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
    | {"weeks", "faults", "visits", "people", "changes", "votes", "images", "items", "pixels"}
)
_POINTS: Final = frozenset({"points", "points/pass"})
_UNSCALED: Final = frozenset({"%", "×", "nat"}) | _POINTS | _COUNTED
_RATES: Final = ("1/", "$/")
"""How units of *a* something begin: ``1/week``, ``$/vote``. No thousandth of one is spoken of."""
MOST_MORE: Final = 3
"""Digits that are added to three, at most, so that two figures which differ are seen to."""
_MONEY: Final = {"thousand $": 1e3, "million $": 1e6, "billion $": 1e9, "trillion $": 1e12}
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
    if base == "$" and unit in _MONEY:
        return _MONEY[unit]
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
    if unit in _MONEY:
        return "$"
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
    if places <= 0 and abs(rounded) >= 1000:
        return f"{rounded:,.0f}"
    return f"{rounded:.{max(0, min(places, 6))}f}"


def show(value: float, unit: str) -> str:
    """``value`` in ``unit``, with the prefix that reads best: ``show(4.2e9, "B") == "4.20 GB"``."""
    return _split(value, unit).text


def change(before: float, after: float, unit: str) -> tuple[str, str, str]:
    """Two values and the difference between them, as they stand beside each other.

    The difference is that of the two as they are written, so a reader who subtracts finds it.
    Where rounding the two may be more than a quarter of it, they get more digits: 96.98 % and
    96.93 %, not 97.0 % and 96.9 %. A value that is written exactly gets none.
    """
    first, second = _split(before, unit), _split(after, unit)
    for more in range(MOST_MORE + 1):
        ends = [end if end.exact else _split(end.of, unit, more) for end in (first, second)]
        rounded = max((end.step for end in ends if not end.exact), default=0.0)
        moved = ends[1].value - ends[0].value
        off = sum(end.step / 2 for end in ends if not end.exact)
        last = more == MOST_MORE and abs(moved) > rounded / 2
        if before == after or abs(moved) >= 3.999 * off > 0 or last or not off:
            step = rounded or min(end.step for end in ends)
            return ends[0].text, ends[1].text, _difference(moved, step, unit)
    return first.text, second.text, show_change(after - before, unit)


def _difference(moved: float, step: float, unit: str) -> str:
    """A signed difference of what is written: no finer than that, and of three digits or so."""
    if abs(moved) < step / 2:
        return show_change(0.0, unit)
    unit = "points" if unit == "%" else unit
    found = _split(abs(moved), unit)
    size = abs(moved) / found.scale
    three = max(2 - math.floor(math.log10(size)), 1 if unit in _POINTS else 0)
    places = max(0, min(round(-math.log10(step / found.scale)), three))
    sign = "+" if moved > 0 else "−"
    after = f" {unit}" if places and unit in _COUNTED else found.after  # 1.0 weeks, 1 week
    return f"{sign}{found.before}{size:,.{places}f}{after}"


@dataclass(frozen=True, slots=True)
class _Written:
    """A value in writing: what stands before and after its number, and what one of it is."""

    of: float
    before: str
    number: str
    after: str
    scale: float

    @property
    def text(self) -> str:
        return f"{self.before}{self.number}{self.after}"

    @property
    def places(self) -> int:
        """Digits behind the point."""
        return len(self.number.partition(".")[2])

    @property
    def value(self) -> float:
        """What a reader takes it for."""
        size = float(self.number.replace(",", "")) * self.scale
        return -size if self.before.startswith("−") else size

    @property
    def exact(self) -> bool:
        """Whether nothing was rounded off."""
        return math.isclose(self.value, self.of, rel_tol=1e-12, abs_tol=1e-12)

    @property
    def step(self) -> float:
        """One of the last digit; of a large number, of the last of its first three."""
        if self.places or "," not in self.number:
            return self.scale * 10.0**-self.places
        digit = self.number.replace(",", "")
        return self.scale * 10.0 ** (len(digit) - len(digit.rstrip("0")))


_BRIEF: Final = (
    ("points", "pts"),
    ("weeks", "wk"),
    ("week", "wk"),
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


def _split(value: float, unit: str, more: int = 0) -> _Written:
    """A value in writing, with ``more`` digits than usual."""
    if value < 0:
        found = _split(-value, unit, more)
        return replace(found, of=value, before=f"−{found.before}")
    significant = 3 + more
    if unit == "%":
        close = 98 < value < 100 and round(value, 1) != round(value, 2)
        return _Written(value, "", f"{value:.{max(1 + more, 1 + close)}f}", " %", 1.0)
    if unit == "×":
        return _Written(value, "", digits(value, significant), "×", 1.0)
    if unit in _POINTS:
        return _Written(value, "", _points(value, more), f" {unit}", 1.0)
    if unit == "$":
        scale, prefix = _prefix(value, "") if value >= 1e6 else (1.0, "")
        word = f" {_COUNTS[prefix]}".rstrip()
        return _Written(value, "$", digits(value / scale, significant), word, scale)
    if unit.startswith(_RATES):
        before, of = unit.split("/", 1)
        return _Written(
            value, before.removeprefix("1"), digits(value, significant), f" a {of}", 1.0
        )
    if unit == "s" and (long := _long(value)) is not None:
        scale = _TIMES[long]
        return _Written(value, "", digits(value / scale, significant), f" {long}", scale)
    if unit in _COUNTED:
        whole = f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.0f}"
        number = whole if value == round(value) else digits(value, significant)
        one = value == 1 and not unit.endswith("/s")
        return _Written(value, "", number, f" {_singular(unit) if one else unit}", 1.0)
    scale, prefix = (1.0, "") if unit in _UNSCALED else _prefix(value, unit)
    after = f" {_COUNTS[prefix]}".rstrip() if unit == "" else f" {prefix}{unit}"
    return _Written(value, "", digits(value / scale, significant), after, scale)


def _points(value: float, more: int = 0) -> str:
    """One decimal; two of less than a point, which would be rounded to hardly anything."""
    return f"{value:.{(2 if 0.005 <= abs(value) < 0.995 else 1) + more}f}"


def _long(seconds: float) -> str | None:
    """The unit in which so many seconds read best, if it is not the second."""
    return next((unit for least, unit in _LONG if abs(seconds) >= least), None)


def _singular(unit: str) -> str:
    """One of what is counted: pass, mix, sample."""
    return unit[:-2] if unit.endswith(("sses", "xes")) else unit.removesuffix("s")


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
    if unit == "$" and abs(change) >= 999_500:
        scale, prefix = _prefix(change, "")
        return _written(abs(change) / scale), f"{_COUNTS[prefix]} $"
    if unit in _UNSCALED or unit == "$" or unit.startswith(_RATES):
        return _written(abs(change)), unit
    if unit == "s" and (long := _long(change)) is not None:
        return _written(abs(change) / _TIMES[long]), long
    scale, prefix = _prefix(change, unit)
    return _written(abs(change) / scale), prefix + unit


def _written(size: float) -> str:
    """Three significant digits, or every digit before the point: no rounding that is not seen."""
    return digits(size) if size < 999.5 else f"{size:.0f}"


def stated(number: str, unit: str) -> str:
    """What :func:`amount` gave, as :func:`show` would write it: ``stated("4.65", "million $")``."""
    whole, point, decimals = number.partition(".")
    if whole.isascii() and whole.isdecimal() and 5 <= len(whole) <= 15:
        number = f"{int(whole):,}{point}{decimals}"
    if unit == "$" or unit in _MONEY:
        return f"${number} {unit.removesuffix('$')}".rstrip()
    if unit.startswith(_RATES):
        money, of = unit.split("/", 1)
        return f"{money.removeprefix('1')}{number} a {of}"
    if unit == "×":
        return f"{number}×"
    return f"{number} {unit}".rstrip()


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
