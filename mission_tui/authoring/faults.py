"""What is wrong with a mission's play, and the line that says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mission_tui.content import lines as where
from mission_tui.content.load import Problem

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a resolved mission.

    ``key`` is its path there. ``message`` says what is wrong and what would be right, and is the
    same wherever the same is wrong; ``detail`` says it with this seed's figures.
    """

    key: Key
    message: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A fault, on a track, where it was seen: ``small, seed 4``; empty where it always is."""

    fault: Fault
    track: str
    at: str = ""


def problems(path: Path, seen: Iterable[Seen]) -> tuple[Problem, ...]:
    """Every fault once a line of the file, with the tracks and seeds where it was seen."""
    lines = where.key_lines(path.read_text(encoding="utf-8"))
    groups: dict[tuple[int, Key, str], list[Seen]] = {}
    for each in seen:
        line, key = _place(lines, each.track, each.fault.key)
        groups.setdefault((line, key, each.fault.message), []).append(each)
    return tuple(
        sorted(
            Problem(path.name, line, ".".join(key), f"{message}{_where(held)}")
            for (line, key, message), held in groups.items()
        )
    )


def _where(held: list[Seen]) -> str:
    tracks = ", ".join(dict.fromkeys(each.track for each in held))
    first = held[0]
    words = [tracks]
    if first.at:
        more = f" and {len(held) - 1} more" if len(held) > 1 else ""
        words.append(f"{first.at}{more}")
    shown = f": {first.fault.detail}" if first.fault.detail else ""
    return f"{shown} ({'; '.join(words)})"


def _place(lines: Mapping[Key, int], track: str, key: Key) -> tuple[int, Key]:
    """The line and path where the file says a key: the overlay's own, where it says more of it.

    The longest known part of the path decides; of two as long the overlay's, which wins in play.
    """
    overlay = ("tracks", track, *key)
    shared, own = _known(lines, key), _known(lines, overlay) - 2
    path = overlay if own >= max(shared, 1) or not shared else key
    return where.line_of(dict(lines), path), path


def _known(lines: Mapping[Key, int], key: Key) -> int:
    return max((n for n in range(len(key) + 1) if key[:n] in lines), default=0)
