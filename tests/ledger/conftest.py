"""A small play, as the tests of this room need it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mission_tui.ledger import keys
from mission_tui.ledger.chain import link
from mission_tui.ledger.lines import encode_line
from mission_tui.play.events import Event

Write = Callable[[list[Event]], bytes]


@pytest.fixture(scope="session")
def key() -> keys.SigningKey:
    return keys.from_private(bytes(range(32)))


@pytest.fixture(scope="session")
def play(key: keys.SigningKey) -> list[Event]:
    """header, enter, lock, control, run, run_end, close"""
    steps: list[tuple[str, str | None, dict[str, object]]] = [
        ("header", None, {"format": 1, "public_key": key.public_hex, "student": "ada"}),
        ("enter", "observe", {}),
        ("lock", "observe", {"lock": "bytes", "value": 4.2e6, "confidence": 0.8}),
        ("control", "observe", {"name": "rounds", "value": 30}),
        ("run", "observe", {"number": 1, "setting": {"rounds": 30, "name": "ü\n"}}),
        ("run_end", "observe", {"number": 1, "metrics": {"accuracy": 0.91}}),
        ("close", None, {"count": 6, "outcome": {"passed": ["observe"]}}),
    ]
    return [
        Event(seq, kind, part, seq * 1000, "2026-01-01T00:00:00Z", data)
        for seq, (kind, part, data) in enumerate(steps)
    ]


@pytest.fixture(scope="session")
def write() -> Write:
    """The journal bytes of events, chained; their numbers are taken as they are."""

    def chained(events: list[Event]) -> bytes:
        payload, prev = b"", ""
        for event in events:
            raw = encode_line(event, prev)
            payload += raw + b"\n"
            prev = link(raw)
        return payload

    return chained
