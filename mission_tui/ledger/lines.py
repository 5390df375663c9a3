"""One event, one line: how a play is written, and how it is read from strangers."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from mission_tui.ledger import strict
from mission_tui.ledger.strict import ParseError
from mission_tui.play.events import Event

_COUNT: Final = "an integer from 0 up"
_FIELDS: Final = {
    "data": ((dict,), "an object"),
    "kind": ((str,), "text"),
    "mono_ms": ((int,), _COUNT),
    "part": ((str, type(None)), "text or null"),
    "prev": ((str,), "text"),
    "seq": ((int,), _COUNT),
    "wall": ((str,), "text"),
}
_in_order: Final = itemgetter("seq", "kind", "part", "mono_ms", "wall", "data", "prev")


@dataclass(frozen=True, slots=True)
class Line:
    """An event as it stands in a file. ``raw`` is the line without its newline."""

    event: Event
    prev: str
    raw: bytes


def encode_line(event: Event, prev: str) -> bytes:
    """The line of ``event``, without its newline, after the line with hash ``prev``.

    Raises ValueError for an event that :func:`parse_line` would refuse: what is saved can
    always be read.
    """
    fields = {
        "data": event.data,
        "kind": event.kind,
        "mono_ms": event.mono_ms,
        "part": event.part,
        "prev": prev,
        "seq": event.seq,
        "wall": event.wall,
    }
    try:
        raw = strict.encode(fields)
        parse_line(raw)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"the event {event.kind!r} can't be saved: {error}") from None
    return raw


def parse_line(raw: bytes) -> Line:
    """Read one line, given without its newline. Raises ParseError."""
    fields = strict.decode(raw)
    if not isinstance(fields, dict):
        raise ParseError("is not a JSON object")
    if fields.keys() != _FIELDS.keys():
        raise ParseError(f"does not have exactly the fields {', '.join(sorted(_FIELDS))}")
    seq, kind, part, mono_ms, wall, data, prev = _in_order(fields)
    if not (
        type(seq) is type(mono_ms) is int
        and type(kind) is type(wall) is type(prev) is str
        and type(data) is dict
        and (part is None or type(part) is str)
        and seq >= 0
        and mono_ms >= 0
    ):
        raise ParseError(_odd(fields))
    return Line(Event(seq, kind, part, mono_ms, wall, data), prev, raw)


def _odd(fields: dict[str, Any]) -> str:
    """Which field is not what it must be."""
    return next(
        f"has a {name} that is not {wanted}"
        for name, (types, wanted) in _FIELDS.items()
        if type(fields[name]) not in types or (wanted is _COUNT and fields[name] < 0)
    )


def parse_lines(payload: bytes) -> list[Line]:
    """Read a whole play strictly; line 1 is the header. Raises ParseError with the line."""
    if len(payload) > strict.MAX_BYTES:
        raise ParseError(f"the play is larger than {strict.MAX_BYTES:,} bytes")
    if not payload.endswith(b"\n"):
        raise ParseError("the play does not end with a whole line")
    lines = []
    for number, raw in enumerate(payload[:-1].split(b"\n"), start=1):
        try:
            lines.append(parse_line(raw))
        except ParseError as error:
            raise ParseError(f"line {number} {error}") from None
    if lines[0].event.kind != "header":
        raise ParseError("line 1 is not a header")
    return lines


def read_lines(payload: bytes) -> list[Event]:
    """The events of a whole play, read as strictly as :func:`parse_lines`. Raises ParseError."""
    return [line.event for line in parse_lines(payload)]
