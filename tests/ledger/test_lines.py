from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mission_tui.ledger import strict
from mission_tui.ledger.lines import encode_line, parse_line, parse_lines, read_lines
from mission_tui.ledger.strict import ParseError
from mission_tui.play.events import Event

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
events = st.builds(
    Event,
    seq=st.integers(0, 2**40),
    kind=texts,
    part=st.none() | texts,
    mono_ms=st.integers(0, 2**40),
    wall=texts,
    data=st.dictionaries(texts, values, max_size=4),
)
EVENT = Event(0, "header", None, 0, "2026-01-01T00:00:00Z", {})
LINE = encode_line(EVENT, "")


@settings(max_examples=150, deadline=None)
@given(event=events, prev=texts)
def test_every_event_reads_back_as_it_was_written(event: Event, prev: str):
    raw = encode_line(event, prev)
    line = parse_line(raw)
    assert (line.event, line.prev, line.raw) == (event, prev, raw)
    assert b"\n" not in raw
    assert raw.isascii()


@settings(max_examples=150, deadline=None)
@given(junk=st.binary(max_size=200))
def test_junk_is_refused_with_one_sentence(junk: bytes):
    with pytest.raises(ParseError) as caught:
        read_lines(junk)
    assert "\n" not in str(caught.value)


def test_a_line_is_the_documented_bytes():
    assert LINE == (
        b'{"data":{},"kind":"header","mono_ms":0,"part":null,"prev":"","seq":0,'
        b'"wall":"2026-01-01T00:00:00Z"}'
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"a":1,"a":1}', "'a' twice"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":-Infinity}', "-Infinity"),
        (b'{"a":1e999}', "too large"),
        (b'{"a":18446744073709551616}', "64 bits"),
        (b'{"a":-9223372036854775809}', "64 bits"),
        (b'{"a":' + b"9" * 5000 + b"}", "64 bits"),
        (b'{"a":"\\ud83d"}', "surrogate"),
        (b'{"a":"\xc3\xbc"}', "ASCII"),
        (b'{"a": 1}', "one form"),
        (b'{"a":1.0e1}', "one form"),
        (b'{"a":"\\u0041"}', "one form"),
        (b'{"b":1,"a":1}', "one form"),
        (b"[]", "data that is not an object"),
        (b"{", "not JSON"),
    ],
)
def test_what_two_readers_could_see_differently_is_refused(data: bytes, said: str):
    bad = LINE.replace(b'"data":{}', b'"data":' + data)
    with pytest.raises(ParseError, match=said) as caught:
        read_lines(LINE + b"\n" + bad + b"\n")
    assert str(caught.value).startswith("line 2 ")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", b"1"),
        ("mono_ms", b"-1"),
        ("mono_ms", b"1.5"),
        ("mono_ms", b"true"),
        ("part", b"0"),
        ("prev", b"null"),
        ("seq", b'"0"'),
        ("seq", b"false"),
        ("wall", b"0"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(field: str, value: bytes):
    fields = {name: json.dumps(item).encode() for name, item in json.loads(LINE).items()}
    fields[field] = value
    raw = b"{" + b",".join(b'"%b":%b' % (n.encode(), v) for n, v in fields.items()) + b"}"
    with pytest.raises(ParseError, match=field):
        parse_line(raw)


@pytest.mark.parametrize(
    "raw",
    [
        LINE.replace(b'"seq":0,', b""),
        LINE.replace(b'"seq":0', b'"seq":0,"signed":true'),
        b"[]",
        b"",
    ],
)
def test_missing_and_additional_fields_are_refused(raw: bytes):
    with pytest.raises(ParseError):
        parse_line(raw)


@pytest.mark.parametrize(
    "hostile",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"[]{}" * 100_000,
        b'"' + b'\\"' * 1_000_000,
        b'["' + b'\\"[' * 500_000,
        b"[" * 40 + b'"' + b"\\" * 1_000_001,
        b"9" * 1_000_000,
        b"[" + b"1," * 300_000 + b"1]",
    ],
    ids=lambda raw: raw[:6].decode(),
)
def test_hostile_shapes_are_refused_without_recursion(hostile: bytes):
    with pytest.raises(ParseError):
        parse_line(hostile)


def test_nesting_up_to_the_limit_is_read_and_one_more_is_not():
    inner = strict.MAX_DEPTH - 2  # the line and its data are two levels

    def nested(levels: int) -> Event:
        return replace(EVENT, data={"a": json.loads("[" * levels + "]" * levels), "b": "[[[["})

    assert parse_line(encode_line(nested(inner), "")).event == nested(inner)
    with pytest.raises(ValueError, match="nested deeper"):
        encode_line(nested(inner + 1), "")


@pytest.mark.parametrize(
    "data",
    [{"a": float("nan")}, {"a": 2**64}, {"a": "\ud800"}, {"a": {1, 2}}, {"a": object()}],
)
def test_what_could_not_be_read_back_is_never_written(data: dict[str, object]):
    with pytest.raises(ValueError, match="can't be saved"):
        encode_line(replace(EVENT, data=data), "")


@pytest.mark.parametrize("payload", [b"", b"\n", LINE, LINE + b"\n\n", LINE + b"\r\n"])
def test_a_play_is_whole_lines_and_nothing_else(payload: bytes):
    with pytest.raises(ParseError):
        parse_lines(payload)


def test_a_play_begins_with_a_header():
    with pytest.raises(ParseError, match="line 1 is not a header"):
        read_lines(encode_line(replace(EVENT, kind="enter"), "") + b"\n")


def test_a_play_beyond_the_cap_is_refused():
    with pytest.raises(ParseError, match="larger"):
        read_lines(b" " * strict.MAX_BYTES + b"\n")


def test_unknown_kinds_are_kept():
    later = replace(EVENT, kind="telepathy", seq=1)
    payload = LINE + b"\n" + encode_line(later, "") + b"\n"
    assert read_lines(payload) == [EVENT, later]
