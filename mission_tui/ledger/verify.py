"""Separate verdicts on a ledger; never one "valid" flag."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mission_tui.ledger import strict
from mission_tui.ledger.chain import is_unfinished, judge_chain
from mission_tui.ledger.envelope import Envelope, open_envelope, pae
from mission_tui.ledger.files import read_regular
from mission_tui.ledger.keys import fingerprint, verifies
from mission_tui.ledger.lines import Line, parse_lines
from mission_tui.ledger.verdict import NAMES, Verdict
from mission_tui.play.events import Event
from mission_tui.text import clean_line

Judge = Callable[[Sequence[Event]], Verdict]

_NOT_JUDGED: Final = Verdict("not applicable", "not asked for")
_NO_WITNESS: Final = Verdict("not applicable", "no receipt from a witness")


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in one file. ``events`` is empty if it could not be parsed."""

    path: Path
    verdicts: Mapping[str, Verdict]
    """By name, in the order of :data:`mission_tui.ledger.verdict.NAMES`."""
    unfinished: bool
    events: tuple[Event, ...]

    @property
    def fails(self) -> bool:
        """Whether any verdict fails: exit code 1."""
        return any(verdict.state == "fails" for verdict in self.verdicts.values())


def verify(path: Path, *, binding: Judge | None = None, replay: Judge | None = None) -> Report:
    """Judge the ledger ``path``. Raises CannotOpenError if it is no regular file to read.

    ``binding`` is asked about every play that parses, ``replay`` about those whose chain
    holds too.
    """
    content = read_regular(path, strict.MAX_BYTES + 1)
    return judge(path, content, binding=binding, replay=replay)


def judge(
    path: Path, content: bytes, *, binding: Judge | None = None, replay: Judge | None = None
) -> Report:
    """Like :func:`verify`, for the content of a file that was read already."""
    try:
        envelope = open_envelope(content)
        lines = parse_lines(envelope.payload)
    except strict.ParseError as error:
        unread = Verdict("not applicable", "the ledger can't be read")
        verdicts = dict.fromkeys(NAMES, unread) | {"parse": Verdict("fails", str(error))}
        return Report(path, verdicts, unfinished=False, events=())
    events = tuple(line.event for line in lines)
    chain = judge_chain(lines)
    if chain.state == "fails":
        replayed = Verdict("not applicable", "the chain is broken")
    else:
        replayed = replay(events) if replay else _NOT_JUDGED
    verdicts = {
        "parse": Verdict("holds", f"{len(lines)} events are well-formed"),
        "signature": judge_signature(envelope, lines),
        "chain": chain,
        "binding": binding(events) if binding else _NOT_JUDGED,
        "replay": replayed,
        "witness": _NO_WITNESS,
    }
    return Report(path, verdicts, unfinished=is_unfinished(lines), events=events)


def judge_signature(envelope: Envelope, lines: Sequence[Line]) -> Verdict:
    """Whether the key that the header names made these bytes; not who held that key."""
    named = lines[0].event.data.get("public_key")
    try:
        public = bytes.fromhex(named) if isinstance(named, str) else b""
    except ValueError:
        public = b""
    if len(public) != 32 or public.hex() != named:
        return Verdict("fails", "the header names no public key")
    if envelope.key_id != fingerprint(public):
        return Verdict("fails", "it is signed with another key than the header names")
    if not verifies(public, envelope.signature, pae(envelope.payload)):
        return Verdict("fails", "the signature does not match: the play was changed after signing")
    return Verdict("holds", f"made with the key {envelope.key_id[:16]}")


def row(report: Report) -> str:
    """One line, safe to draw: the file, its verdicts, and the reasons of what does not hold."""
    cells = [f"{name} {verdict.state}" for name, verdict in report.verdicts.items()]
    if report.unfinished:
        cells.append("unfinished")
    reasons = [
        f"{name}: {verdict.reason}"
        for name, verdict in report.verdicts.items()
        if verdict.state not in {"holds", "not applicable"}
    ]
    shown = [clean_line(report.path), " · ".join(cells), *map(clean_line, reasons)]
    return clean_line("  ".join(shown), 1_000)


def as_json(report: Report) -> dict[str, Any]:
    """The report as JSON values; texts are as the ledger has them, so escape or clean them."""
    return {
        "file": str(report.path),
        "fails": report.fails,
        "unfinished": report.unfinished,
        "events": len(report.events),
        "verdicts": {
            name: {"state": verdict.state, "reason": verdict.reason}
            for name, verdict in report.verdicts.items()
        },
    }
