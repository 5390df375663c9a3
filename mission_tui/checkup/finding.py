"""One thing that was looked at, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "fault"]
"""A note is worth knowing and stops nothing; a fault keeps something from working."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``found`` is what is there; ``todo`` one sentence on what to do, where anything is."""

    name: str
    level: Level
    found: str
    todo: str = ""
