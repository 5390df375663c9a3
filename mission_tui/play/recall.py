"""What earlier plays hand over: a few words for the briefing, and a question about a law.

A header's ``carried`` maps each other mission that the student has finished to a snapshot of its
newest finished play. It is words alone: no seed and no run depends on it. Snapshots come from
files that anyone may have written, so all is read defensively and cleaned.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from mission_tui.content.schema import Mission, Recall, Size
from mission_tui.play import parley, wording
from mission_tui.play.actions import Recall as Answer
from mission_tui.play.events import Event
from mission_tui.play.session import Session
from mission_tui.text import clean_line

Find = Callable[[str, str], Mission | None]
"""Gives the installed mission of an id and a track, or None."""

MISSIONS: Final = 8
"""Missions that a header carries at most, the newest ones."""
WAIVERS: Final = 6
"""Waivers that are carried of one play at most."""
TOLD: Final = 2
"""Missions that a briefing tells about at most."""
SECONDS: Final = 60
"""What the question should take; nothing happens when it takes longer."""
_ID: Final = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """A recall question: its own mission, and its words with their figures filled in."""

    mission: str
    title: str
    question: str
    options: Mapping[str, str]
    answer: str
    explanation: str

    def answered(self, option: str | None, latency_ms: int) -> Answer:
        """The action for an option's id, or for a question that was skipped (None)."""
        right = None if option is None else option == self.answer
        return Answer(self.mission, option, right, latency_ms)


def snapshot(events: Sequence[Event], find: Find) -> dict[str, Any] | None:
    """What a finished play hands over; None for one that is not finished, or a program's.

    ``decision`` and ``class`` are None where there was none (or its mission is not installed).
    """
    if not events or events[-1].kind != "close":
        return None
    head, close = events[0].data, events[-1].data
    if str(head.get("driver")).startswith("bot:"):
        return None
    decision = None
    waivers: list[dict[str, Any]] = []
    for event in events:
        if event.kind == "decision" and isinstance(event.data.get("choice"), str):
            decision = clean_line(event.data["choice"], _ID)
        elif event.kind == "move" and event.data.get("settled") == "waived":
            threshold = event.data.get("threshold")
            if not _is_number(threshold):
                continue
            named = {name: clean_line(event.data.get(name, ""), _ID) for name in _WAIVER}
            waivers.append({**named, "part": clean_line(event.part, _ID), "threshold": threshold})
    mission, track = clean_line(head.get("mission"), _ID), clean_line(head.get("track"), _ID)
    outcome = close.get("outcome")
    parts = outcome if isinstance(outcome, Mapping) else {}
    return {
        "track": track,
        "play_id": clean_line(head.get("play_id"), 64),
        "closed": clean_line(events[-1].wall, _ID),
        "passed": bool(parts) and all(_passed(part) for part in parts.values()),
        "decision": decision,
        "waivers": waivers[:WAIVERS],
        "class": _class(events, parts, find(mission, track)),
    }


def carried(plays: Iterable[tuple[str, dict[str, Any]]], mission: str) -> dict[str, Any]:
    """The header's ``carried``: of each other mission its newest finished play.

    ``plays`` are pairs of a mission's id and a snapshot, in any order.
    """
    newest: dict[str, dict[str, Any]] = {}
    for played, found in plays:
        if played != mission and (
            played not in newest or found["closed"] > newest[played]["closed"]
        ):
            newest[played] = found
    latest = sorted(newest.items(), key=lambda pair: (pair[1]["closed"], pair[0]), reverse=True)
    return dict(latest[:MISSIONS])


def asked(session: Session, find: Find, answered: Collection[str] = ()) -> Asked | None:
    """The question that opens this briefing: of the newest mission finished that has one.

    None where there is none, or where it was answered or skipped in this play. ``answered`` are the
    missions whose question was answered in the student's other plays: it is not asked again.
    """
    if session.recalled is not None:
        return None
    for mission_id, snap in _newest(session):
        if mission_id in answered:
            continue
        mission = find(mission_id, str(snap.get("track")))
        if mission is not None and mission.recall is not None:
            return _asked(mission, mission.recall)
    return None


def answered_in(events: Iterable[Event]) -> set[str]:
    """The missions whose question was answered in a record; one that was skipped may come again."""
    return {
        str(event.data.get("mission"))
        for event in events
        if event.kind == "recall" and isinstance(event.data.get("answer"), str)
    }


def last_time(session: Session, find: Find) -> Iterator[str]:
    """What the student decided and signed in the missions finished last, a line each."""
    for mission_id, snap in _newest(session)[:TOLD]:
        mission = find(mission_id, str(snap.get("track")))
        title = mission.title if mission else clean_line(mission_id, _ID)
        persona = f" as {mission.persona.name}" if mission else ""
        word = "passed" if snap.get("passed") is True else "not every part passed"
        yield clean_line(f"Last time, in {title}{persona}, {word}:", 74)
        size = snap.get("class")
        if size in ("small", "medium", "large"):
            yield clean_line(f"· you handed on: {_label(mission, size)}", 74)
        choice = snap.get("decision")
        if isinstance(choice, str):
            yield clean_line(f"· you decided: {_choice(mission, choice)}", 150)
        for waiver in _list(snap.get("waivers"))[:TOLD]:
            if isinstance(waiver, Mapping):
                yield clean_line(f"· you waived: {_waiver(mission, waiver)}", 150)


_WAIVER: Final = ("party", "want", "owner")


def _newest(session: Session) -> list[tuple[str, Mapping[str, Any]]]:
    """The snapshots that the header carries, newest first; a file's lines sort their keys."""
    held = session.header.get("carried")
    found = [
        (str(name), snap)
        for name, snap in (held.items() if isinstance(held, Mapping) else ())
        if isinstance(snap, Mapping)
    ]
    return sorted(found, key=lambda pair: (str(pair[1].get("closed")), pair[0]), reverse=True)


def _asked(mission: Mission, recall: Recall) -> Asked:
    figures = wording.constants(mission)
    return Asked(
        mission.id,
        mission.title,
        wording.fill(recall.question, figures),
        {name: wording.fill(words, figures) for name, words in recall.options.items()},
        recall.answer,
        wording.fill(recall.explanation, figures),
    )


def _choice(mission: Mission | None, choice: str) -> str:
    options = mission.decision.options if mission and mission.decision else {}
    words = options.get(choice, choice)
    return wording.fill(words, wording.constants(mission)) if mission else words


def _waiver(mission: Mission | None, waiver: Mapping[str, Any]) -> str:
    part = mission.parts.get(str(waiver.get("part"))) if mission else None
    party = part.stakeholders.get(str(waiver.get("party"))) if part else None
    want = party.wants.get(str(waiver.get("want"))) if party else None
    owner, threshold = str(waiver.get("owner", "")), waiver.get("threshold", 0.0)
    if part is None or want is None or not _is_number(threshold):
        return f"{waiver.get('want')}; owner: {owner}"
    limit = f"{want.label} {parley.sign(want)} {parley.measure(part, want, float(threshold))}"
    return f"{limit} was to hold; owner: {owner}"


def _class(
    events: Sequence[Event], parts: Mapping[str, Any], mission: Mission | None
) -> str | None:
    """The class that the play handed on, where its mission is installed and has one."""
    for name, part in mission.ordered if mission else ():
        if part.carry is None:
            continue
        found = parts.get(name)
        best = found.get("best_run") if isinstance(found, Mapping) else None
        if best is None or not _passed(found):
            return part.carry.missed
        for event in events:
            if event.kind != "run" or event.part != name or event.data.get("number") != best:
                continue
            setting = event.data.get("setting")
            if isinstance(setting, Mapping):
                return part.carry.classes.get(str(setting.get(part.carry.slider)))
    return None


def _label(mission: Mission | None, size: Size) -> str:
    """What a class means to the first part that it is handed on to."""
    parts = mission.ordered if mission else ()
    return next((part.carried[size].label for _, part in parts if size in part.carried), size)


def _passed(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("passed") is True


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else ()


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
