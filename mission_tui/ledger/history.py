"""What a student's earlier plays tell the next one: their bets, and what they hand over.

Journals are files that anyone may have written: what can't be read is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mission_tui import paths
from mission_tui.ledger.chain import longest_prefix
from mission_tui.ledger.files import CannotOpenError, read_regular
from mission_tui.ledger.strict import MAX_BYTES
from mission_tui.play import calibration, recall
from mission_tui.play.calibration import Bet
from mission_tui.play.events import Event
from mission_tui.play.recall import Find
from mission_tui.text import clean_line

_MOST: Final = 200
"""Plays that are looked at, the newest: a folder of thousands must not hold up a start."""


def journals(saves: Path, student: str) -> list[Path]:
    """The files of a student's folder that may be journals, oldest first."""
    folder = paths.student_dir(saves, student)
    beside = (".receipts.jsonl", ".queue.jsonl")
    return sorted(path for path in folder.glob("*.jsonl") if not path.name.endswith(beside))


def events_of(saves: Path, student: str) -> Iterator[tuple[Event, ...]]:
    """The student's own plays, oldest first, programs' plays left out."""
    for path in journals(saves, student)[-_MOST:]:
        try:
            lines, _ = longest_prefix(read_regular(path, MAX_BYTES))
        except CannotOpenError:
            continue
        events = tuple(line.event for line in lines)
        if not events or events[0].data.get("student") != student:
            continue
        if not str(events[0].data.get("driver")).startswith("bot:"):
            yield events


def bets(saves: Path, student: str, but: str = "") -> tuple[Bet, ...]:
    """Every bet of the student's plays, oldest first; the play with the id ``but`` left out."""
    return tuple(
        bet
        for events in events_of(saves, student)
        if events[0].data.get("play_id") != but
        for bet in calibration.bets_in(events)
    )


def answered(saves: Path, student: str) -> set[str]:
    """The missions whose question of the next briefing was answered in any play."""
    found = (recall.answered_in(events) for events in events_of(saves, student))
    return set().union(*found)


def carried(saves: Path, student: str, mission: str, find: Find) -> dict[str, Any]:
    """What a new play of ``mission`` carries in its header (:mod:`mission_tui.play.recall`)."""
    found = []
    for events in events_of(saves, student):
        played = clean_line(events[0].data.get("mission"), 40)
        snap = recall.snapshot(events, find) if played != mission else None
        if snap is not None:
            found.append((played, snap))
    return recall.carried(found, mission)
