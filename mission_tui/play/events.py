"""Events: what a play is made of, and all that a ledger holds.

An event stores an action *and* its result. ``seq`` counts from 0 (the header); the journal
adds ``prev``, the hash of the line before. Names here are the names in the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

FORMAT: Final = 1

KINDS: Final = frozenset(
    "header enter leave lock control run run_end run_cancel run_resume pin unpin hint claim "
    "move decision note recall recovered close".split()
)

ACKNOWLEDGED: Final = frozenset(
    "header lock run run_end run_cancel run_resume move claim decision close".split()
)
"""Kinds that must be on disk (``fdatasync``) before the screen shows their effect."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a play.

    ``kind`` outside :data:`KINDS` is kept and shown, and never scored. ``part`` is the part's
    id, or None outside of parts. ``mono_ms`` is milliseconds on a monotonic clock since this
    play was first opened; ``wall`` is UTC in ISO 8601. ``data`` holds JSON values only: ids,
    never labels.
    """

    seq: int
    kind: str
    part: str | None
    mono_ms: int
    wall: str
    data: Mapping[str, Any]
