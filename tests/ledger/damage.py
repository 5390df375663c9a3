"""Every prefix of a journal, and every single flipped bit of a ledger."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from mission_tui.ledger.files import CannotOpenError
from mission_tui.ledger.journal import Journal
from mission_tui.ledger.verify import judge
from mission_tui.play.events import Event


def prefixes(folder: Path, content: bytes, events: Sequence[Event]) -> tuple[int, int]:
    """How many prefixes of a journal there are, and from how many not every whole line came back.

    A prefix without one whole line holds no play: it must be refused and left as it is.
    """
    ends = [0, *itertools.accumulate(len(line) for line in content.splitlines(keepends=True))]
    wrong = 0
    path = folder / "play.jsonl"
    for size in range(len(content) + 1):
        path.write_bytes(content[:size])
        whole = sum(end <= size for end in ends) - 1
        try:
            journal = Journal.open(path)
        except CannotOpenError:
            wrong += whole > 0 or path.read_bytes() != content[:size]
            continue
        journal.close()
        torn = path.with_name("play.jsonl.torn")
        kept = path.read_bytes() + (torn.read_bytes() if torn.exists() else b"")
        wrong += journal.events != tuple(events[:whole]) or kept != content[:size]
        torn.unlink(missing_ok=True)
    return len(content) + 1, wrong


def flips(content: bytes) -> tuple[int, int]:
    """How many single bits a ledger has, and with how many of them flipped no verdict fails."""
    accepted = 0
    for position in range(len(content)):
        for bit in range(8):
            flipped = bytearray(content)
            flipped[position] ^= 1 << bit
            accepted += not judge(Path("flipped"), bytes(flipped)).fails
    return 8 * len(content), accepted
