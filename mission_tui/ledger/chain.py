"""The hash chain: each line names the hash of the line before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from mission_tui.ledger.lines import Line, parse_line
from mission_tui.ledger.strict import ParseError
from mission_tui.ledger.verdict import Verdict


def link(raw: bytes) -> str:
    """The ``prev`` of the line after ``raw`` (a line without its newline)."""
    return hashlib.sha256(b"evt\0" + raw).hexdigest()


def longest_prefix(content: bytes) -> tuple[list[Line], int]:
    """The whole, chained lines that ``content`` begins with, and the bytes they take."""
    lines: list[Line] = []
    start, prev = 0, ""
    while (end := content.find(b"\n", start)) >= 0:
        raw = content[start:end]
        try:
            line = parse_line(raw)
        except ParseError:
            break
        is_header = line.event.kind == "header"
        if line.prev != prev or line.event.seq != len(lines) or is_header != (not lines):
            break
        lines.append(line)
        start, prev = end + 1, link(raw)
    return lines, start


def judge_chain(lines: Sequence[Line]) -> Verdict:
    """Hashes, numbers and ``close``. A play without ``close`` is unfinished, and holds."""
    prev = ""
    for index, line in enumerate(lines):
        number, event = index + 1, line.event
        if event.seq != index:
            return Verdict("fails", f"line {number} is numbered {event.seq} instead of {index}")
        if line.prev != prev:
            before = f"line {index}" if index else "the start"
            return Verdict("fails", f"line {number} does not follow from {before}")
        if event.kind == "header" and index:
            return Verdict("fails", f"line {number} is a second header")
        if event.kind == "close":
            if number != len(lines):
                return Verdict("fails", f"line {number + 1} comes after the close")
            count = event.data.get("count")
            if type(count) is not int or count != index:
                return Verdict("fails", f"the close does not count the {index} events before it")
        prev = link(line.raw)
    return Verdict("holds", f"{len(lines)} events follow from each other")


def is_unfinished(lines: Sequence[Line]) -> bool:
    """Whether the play has no ``close``."""
    return not lines or lines[-1].event.kind != "close"
