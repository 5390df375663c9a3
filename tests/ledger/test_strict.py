"""The quick way to read a line says what the slow way says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mission_tui.ledger import strict
from mission_tui.ledger.strict import MAX_BYTES, ParseError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)
PIECES = st.sampled_from(
    [b"NaN", b"-Infinity", b"1e999", b"0", b"-", b"9" * 19, b"9" * 5000, b"18446744073709551616",
     b'"a":1,', b"\\ud800", b'"', b"[", b"]", b" ", b"\xff", b"1.0", b",", b'{"a":1,"a":1}']
)  # fmt: skip


def outcome(read: Any, raw: bytes) -> object:
    try:
        return json.dumps(read(raw))
    except ParseError as error:
        return str(error)


@settings(max_examples=400)
@given(value=VALUES, piece=PIECES, data=st.data())
def test_both_ways_agree_on_anything(value: object, piece: bytes, data: st.DataObject) -> None:
    raw = json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")
    at = data.draw(st.integers(0, len(raw)))
    for one in (raw, raw[:at] + piece + raw[at:], piece):
        assert outcome(strict.decode, one) == outcome(
            lambda given: strict._decode_slowly(given, MAX_BYTES), one
        )


@given(value=st.integers(-(2**70), 2**70))
@example(2**64 - 1)
@example(2**64)
@example(-(2**63))
@example(-(2**63) - 1)
def test_integers_of_64_bits_are_read_and_no_others(value: int) -> None:
    fits = -(2**63) <= value < 2**64
    for raw in (b"%d", b"[%d]", b'{"a":%d}', b"[1,%d]"):
        if fits:
            strict.decode(raw % value)
        else:
            with pytest.raises(ParseError, match="64 bits"):
                strict.decode(raw % value)


@pytest.mark.parametrize(
    "raw",
    [b'{"a":1,"a":1}', b"NaN", b"[Infinity]", b"1e999", b'"\\ud800"', b"[" * 33 + b"]" * 33, b"",
     b" 1", b"1 ", b"1 2", b'{"b":1,"a":1}', b"1E5", b'"\\u0061"', b"-0", b"[1,]"],
)  # fmt: skip
def test_what_has_another_form_is_refused(raw: bytes) -> None:
    if raw == b"-0":  # an integer that comes back as 0
        assert strict.encode(json.loads(raw)) != raw
    with pytest.raises(ParseError):
        strict.decode(raw)
