"""Badges for good practice: pure functions of a play. None is for speed or worth a point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from mission_tui.play import bands, wording
from mission_tui.play.claims import Evidence, differing
from mission_tui.play.session import PartState, Run, Session

_ENOUGH: Final = 3
"""Comparisons, and bands, from which on a habit shows."""
_MOSTLY: Final = 0.75
"""The share of runs that must be controlled comparisons."""


@dataclass(frozen=True, slots=True)
class Badge:
    """What was done well, and where it shows."""

    id: str
    title: str
    why: str


def earned(session: Session) -> tuple[Badge, ...]:
    """The badges of a play, in a fixed order."""
    return tuple(badge for find in _ALL for badge in find(session))


def hint_costs(session: Session) -> str | None:
    """What the next hint costs, before it is opened; None where it costs nothing any more."""
    if session.next_hint is None or any(state.hints for state in session.parts.values()):
        return None
    return "The first hint costs the badge Unaided, and no points"


def comparisons(state: PartState) -> tuple[tuple[int, int], ...]:
    """The controlled comparisons of a part: a run, and the last earlier one but one slider away.

    A setting that was run before adds none.
    """
    found: list[tuple[int, int]] = []
    seen: list[Run] = []
    for run in _ended(state):
        if any(run.setting == before.setting for before in seen):
            continue
        for before in reversed(seen):
            if len(differing(_evidence(before), _evidence(run))) == 1:
                found.append((before.number, run.number))
                break
        seen.append(run)
    return tuple(found)


def _one_thing(session: Session) -> Iterator[Badge]:
    states = session.parts.values()
    pairs = sum(len(comparisons(state)) for state in states)
    settings = sum(len({tuple(sorted(r.setting.items())) for r in _ended(s)}) for s in states)
    chances = settings - sum(1 for state in states if _ended(state))
    if pairs >= _ENOUGH and pairs >= _MOSTLY * chances:
        why = f"{pairs} of {chances} new runs changed one thing against an earlier one"
        yield Badge("one-thing", "One thing at a time", why)


def _calibrated(session: Session) -> Iterator[Badge]:
    bets = [
        (part, part.locks[lock], session.parts[name].sealed[lock], judged.in_band)
        for name, part in session.mission.ordered
        for lock, judged in session.judgements(name).items()
        if judged.in_band is not None
    ]
    told = all(
        sealed.low is not None
        and sealed.high is not None
        and bands.telling(lock, wording.lock_unit(part, lock), sealed.low, sealed.high)
        for part, lock, sealed, _ in bets
    )
    if len(bets) >= _ENOUGH and told and all(held for *_, held in bets):
        each = (bands.telling_words(lock, wording.lock_unit(part, lock)) for part, lock, *_ in bets)
        widest = " or ".join(dict.fromkeys(each))
        why = f"all {len(bets)} bands held the truth, and none was wider than {widest}"
        yield Badge("calibrated", "Knew what you knew", why)


def _stopped(session: Session) -> Iterator[Badge]:
    for name, part in session.mission.ordered:
        runs = session.parts[name].runs
        for run in runs:
            if run.outcome is None or run.rounds is None:
                continue
            failing = [r.id for r in session.readings_of(name, run.outcome.metrics) if not r.met]
            later = any(r.number > run.number and r.setting != run.setting for r in runs)
            if failing and later:
                label = part.specs[failing[0]].label
                why = f"#{run.number} was stopped while its {label} was broken; another was tried"
                yield Badge("stopped", "Stopped what was lost", why)
                return


def _proof(session: Session) -> Iterator[Badge]:
    for name, part in session.mission.ordered:
        table = session.parts[name].table
        for party, stand in (table.stands if table else {}).items():
            if stand.settled == "disproved":
                why = f"what the {part.stakeholders[party].name} asked can't be had, by a bound"
                yield Badge("proof", "Proof found", why)
                return


def _signed_nothing(session: Session) -> Iterator[Badge]:
    tables = [state.table for state in session.parts.values() if state.table is not None]
    if tables and all(table.won for table in tables):
        yield Badge("all-heard", "All heard", "every party is settled, and nothing was waived")


def _unaided(session: Session) -> Iterator[Badge]:
    offered = any(part.hints for part in session.mission.parts.values())
    opened = any(state.hints for state in session.parts.values())
    if offered and not opened and all(session.passed(name) for name in session.parts):
        yield Badge("unaided", "Unaided", "every part passed, and no hint was opened")


def _said_and_held(session: Session) -> Iterator[Badge]:
    claims = [state.claims for state in session.parts.values()]
    if claims and all(filed and filed[0].verified for filed in claims):
        yield Badge("said", "Said and held", "every first claim was verified")


def _turning_point(session: Session) -> Iterator[Badge]:
    flips = [
        filed.claim.flip
        for state in session.parts.values()
        for filed in state.claims
        if filed.verified and filed.claim.flip is not None
    ]
    if flips:
        yield Badge("turning-point", "Knows where it turns", "a verified claim says when it flips")


_ALL: Final[tuple[Callable[[Session], Iterator[Badge]], ...]] = (
    _one_thing,
    _calibrated,
    _stopped,
    _proof,
    _signed_nothing,
    _said_and_held,
    _turning_point,
    _unaided,
)


def _ended(state: PartState) -> list[Run]:
    return [run for run in state.runs if run.ended]


def _evidence(run: Run) -> Evidence:
    return Evidence(run.number, run.setting, {}, run.rounds)
