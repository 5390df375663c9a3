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

from pydantic_core import from_json

MAX_BYTES: Final = 5_000_000
MAX_DEPTH: Final = 32
_SMALLEST: Final = -(2**63)
_LARGEST: Final = 2**64 - 1

_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_NUMBERS: Final = bytes.maketrans(b"123456789[:-", b"000000000,,,")
_LONG_INTEGER: Final = b"," + b"0" * 19  # any shorter one fits in 64 bits; no float begins so


class ParseError(ValueError):
    """Bytes that are refused; one sentence."""


def encode(value: object) -> bytes:
    """The one way to write ``value``: sorted keys, no spaces, ASCII.

    Raises TypeError or ValueError for what JSON does not have (NaN, sets, ...).
    """
    return _ENCODER.encode(value).encode("ascii")


def decode(raw: bytes, limit: int = MAX_BYTES) -> Any:
    """The value whose :func:`encode` is exactly ``raw``. Raises ParseError."""
    if len(raw) <= limit and not _is_deeper(raw) and not _needs_care(raw):
        try:
            # A quicker reader than json; what it reads is written by json's own writer.
            value = from_json(raw)
            if _written(value) == raw:
                return value  # a key that is there twice, NaN or infinity do not come back
        except ValueError:
            pass
    return _decode_slowly(raw, limit)


def _needs_care(raw: bytes) -> bool:
    """Whether ``raw`` may hold what comes back from Python's reader and is refused all the same.

    That is half of a surrogate pair, and an integer beyond 64 bits.
    """
    return b"\\ud" in raw or _LONG_INTEGER in b"," + raw.translate(_NUMBERS)


def _decode_slowly(raw: bytes, limit: int) -> Any:
    """Like :func:`decode`, and says what is wrong."""
    if len(raw) > limit:
        raise ParseError(f"is larger than {limit:,} bytes")
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
    if _LONG_INTEGER in b"," + raw.translate(_NUMBERS):
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


def _written(value: object) -> bytes:
    """Like :func:`encode`, for what was just read: it holds no circles."""
    if _WRITE is None:
        return encode(value)
    return "".join(_WRITE(value, 0)).encode("ascii")


# What JSONEncoder makes anew for every value; Pythons without C speed-ups have none.
_MAKE: Final[Any] = getattr(json.encoder, "c_make_encoder", None)
_WRITE: Final = _MAKE and _MAKE(
    None, _plain, json.encoder.encode_basestring_ascii, None, ":", ",", True, False, False
)
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant
)
