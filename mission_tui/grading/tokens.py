"""What was run and claimed, as short digests that can be held against another play's.

Equal digests mean equal settings, or the same claim in the same words. They say nothing else,
and a ledger may be anybody's: what is not well-formed has no digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mission_tui.play.events import Event

WORDS: Final = 5
"""Words from which on a written answer is somebody's own: "it fell" is everybody's."""
_DIGITS: Final = 12
_CLAIMED: Final = ("metric", "control", "direction", "amount", "unit", "mechanism")


def runs(events: Sequence[Event], part: str) -> tuple[str, ...]:
    """A digest for each run of a part, in order: of its setting.

    A sweep is one idea, which many have: of runs that move the same slider the same way (an
    option: any way) only the first has a digest.
    """
    found: list[str] = []
    last: Mapping[str, Any] | None = None
    before: tuple[str, int] | None = None
    for event in events:
        setting = event.data.get("setting")
        if event.kind != "run" or event.part != part or not isinstance(setting, Mapping):
            continue
        way = _way(last, setting) if last is not None else None
        if way is None or way != before:
            found.append(_digest(setting))
        last, before = setting, way
    return tuple(found)


def claims(events: Sequence[Event], part: str) -> tuple[str, ...]:
    """For each claim of a part a digest of what it says; and of its answer, if it has one."""
    found = []
    for event in events:
        if event.kind != "claim" or event.part != part:
            continue
        found.append(_digest([event.data.get(name) for name in _CLAIMED]))
        answer = event.data.get("answer")
        words = "".join(c if c.isalnum() else " " for c in str(answer).casefold()).split()
        if isinstance(answer, str) and len(words) >= WORDS:
            found.append(_digest(words))
    return tuple(found)


def _way(last: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, int] | None:
    """The one slider that moved, and which way; None where it is not one."""
    changed = [name for name in last.keys() | now.keys() if last.get(name) != now.get(name)]
    if len(changed) != 1:
        return None
    old, new = last.get(changed[0]), now.get(changed[0])
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        return changed[0], 1 if new > old else -1
    return changed[0], 0


def _digest(value: object) -> str:
    said = json.dumps(value, sort_keys=True, default=dict)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
