"""A class that hands in: honest ledgers, forged ones, and whatever else lies in such a folder."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mission_tui.content.schema import Mission
from mission_tui.ledger import envelope, keys
from mission_tui.ledger.chain import link
from mission_tui.ledger.lines import encode_line
from mission_tui.play.events import Event
from mission_tui.play.start import Who
from tests.grading import players

KEY = keys.from_private(bytes(range(32)))


def play(mission: Mission, student: str, seed: int = 0, **who: Any) -> list[Event]:
    """A play by a simulated student: every third one clicks."""
    habit = players.CLICKER if seed % 3 == 2 else players.REASONER
    named = Who(student, who.pop("driver", "human"), KEY.public_hex, **who)
    return players.Simulated(habit, random.Random(seed)).play(mission, seed, named)


def sealed(events: Sequence[Event]) -> bytes:
    """The ledger of events: numbered, chained, counted and signed."""
    payload, prev = b"", ""
    for seq, event in enumerate(events):
        data = dict(event.data)
        if event.kind == "close":
            data["count"] = seq
        raw = encode_line(replace(event, seq=seq, data=data), prev)
        payload += raw + b"\n"
        prev = link(raw)
    return envelope.seal(payload, KEY)


def hand_in(folder: Path, name: str, events: Sequence[Event]) -> Path:
    """Write a ledger into a folder."""
    path = folder / f"{name}.ledger.json"
    path.write_bytes(sealed(events))
    return path


def garbage(folder: Path) -> list[str]:
    """What no ledger is, and what each is called."""
    secret = folder.parent / "secret.txt"
    secret.write_text("not yours")
    made: dict[str, Callable[[Path], object]] = {
        "brackets.ledger.json": lambda path: path.write_bytes(b"[" * 100_000 + b"\n"),
        "empty.ledger.json": lambda path: path.write_bytes(b""),
        "fifo.ledger.json": os.mkfifo,
        "folder.ledger.json": lambda path: path.mkdir(),
        "homework.pdf": lambda path: path.write_bytes(b"%PDF-1.7 \x00\xff"),
        "large.ledger.json": lambda path: path.write_bytes(b" " * 5_100_000),
        "link.ledger.json": lambda path: path.symlink_to(secret),
        "=cmd|'!A1'.ledger.json": lambda path: path.write_bytes(b"{}\n"),
    }
    for name, make in made.items():
        make(folder / name)
    return sorted(made)
