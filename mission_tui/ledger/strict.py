"""JSON with exactly one way to write each value, read from strangers.

Python's own reader takes duplicate keys (the last wins), NaN, infinities, lone surrogates,
integers of any size and nesting that ends in RecursionError, and drops how a text was spaced.
Each of these lets two readers see two things in one signed file, so each is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

MAX_BYTES: Final = 5_000_000
MAX_DEPTH: Final = 32
_SMALLEST: Final = -(2**63)
_LARGEST: Final = 2**64 - 1

_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER: Final = b"0" * 19  # any shorter one fits in 64 bits


class ParseError(ValueError):
    """Bytes that are refused; one sentence."""


def encode(value: object) -> bytes:
    """The one way to write ``value``: sorted keys, no spaces, ASCII.

    Raises TypeError or ValueError for what JSON does not have (NaN, sets, ...).
    """
    return _ENCODER.encode(value).encode("ascii")


def decode(raw: bytes) -> Any:
    """The value whose :func:`encode` is exactly ``raw``. Raises ParseError."""
    if len(raw) > MAX_BYTES:
        raise ParseError(f"is larger than {MAX_BYTES:,} bytes")
    if not raw.isascii():
        raise ParseError("holds bytes outside ASCII")
    if _is_deeper(raw):
        raise ParseError(f"is nested deeper than {MAX_DEPTH} levels, or its brackets don't match")
    try:
        value = _DECODER.decode(raw.decode("ascii"))
    except ParseError:
        raise
    except json.JSONDecodeError as error:
        raise ParseError(f"is not JSON ({error.msg}, character {error.pos + 1})") from None
    except ValueError:  # an integer with more digits than Python converts
        raise ParseError("holds an integer beyond 64 bits") from None
    if _LONG_NUMBER in raw.translate(_DIGITS):
        _check_integers(value)
    try:
        if b"\\ud" in raw:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        again = encode(value)
    except UnicodeEncodeError:
        raise ParseError("holds half of a surrogate pair") from None
    except ValueError:
        raise ParseError("holds a number that is too large") from None
    if again != raw:
        raise ParseError("is valid JSON but not in the one form that this program writes")
    return value


def _is_deeper(raw: bytes) -> bool:
    """Whether brackets outside of strings nest beyond the limit: linear, without recursion."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return False
    rest = _STRING.sub(b"", raw).translate(_BRACKETS, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        if not rest:
            return False
        rest = rest.replace(b"[]", b"")  # one level less everywhere
    return bool(rest)


def _check_integers(value: object) -> None:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            _check_integers(item)
    elif isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        raise ParseError("holds an integer beyond 64 bits")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        for name, _ in pairs:
            if name not in found:
                raise ParseError(f"has the key {name[:40]!r} twice")
            del found[name]
    return found


def _refuse_constant(name: str) -> None:
    raise ParseError(f"holds {name}, which is no number")


def _plain(value: object) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


_ENCODER: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, default=_plain
)
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant
)
