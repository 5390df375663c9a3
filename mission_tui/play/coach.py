"""The coach: what it notices in a session. It says so and never fines; nothing is recorded."""

from __future__ import annotations

from typing import Final

from mission_tui.content.schema import Lock
from mission_tui.play import wording
from mission_tui.play.session import Run, Session

HURRIED_MS: Final = 3000
"""Two hints within this time: the first was hardly tried."""
READ_MS: Final = 1000
"""Milliseconds that …"""
READ_WORDS: Final = 12
"""… so many words take at least: 720 words a minute, about three times the pace of silent reading
in English (238 a minute for non-fiction; Brysbaert 2019, a meta-analysis of 190 studies)."""


def after_run(session: Session) -> str | None:
    """About the last run and the one before it: two sliders at once, or nothing new."""
    runs = session.state.runs
    if not runs:
        return None
    last = runs[-1]
    again = _same(runs[:-1], last)
    if again is not None:
        return f"Run #{again.number} was this very setting."
    if len(runs) > 1:
        moved = [name for name in last.setting if last.setting[name] != runs[-2].setting[name]]
        if len(moved) > 1:
            return f"{len(moved)} sliders moved since #{runs[-2].number}: which one did it?"
    return None


def after_hint(session: Session) -> str | None:
    """About two hints in a row that left no time to try the first."""
    opened = session.state.hinted_ms
    if len(opened) > 1 and opened[-1] - opened[-2] < HURRIED_MS:
        return "Two hints in one breath: try the first before the next."
    return None


def after_seal(session: Session) -> str | None:
    """About a lock of this part that was sealed faster than it can be read."""
    for name, sealed in session.state.sealed.items():
        if sealed.latency_ms < reading_ms(session, session.part.locks[name]):
            return "Sealed faster than it reads."
    return None


def reading_ms(session: Session, lock: Lock) -> float:
    """The least time that a lock's prompt and facts take to read, in milliseconds."""
    figures = wording.constants(session.mission)
    words = " ".join(wording.fill(text, figures) for text in (lock.prompt, *lock.facts)).split()
    return READ_MS * len(words) / READ_WORDS


def _same(before: tuple[Run, ...], last: Run) -> Run | None:
    """An earlier run at the same setting that came to its end."""
    return next((run for run in before if run.ended and run.setting == last.setting), None)
