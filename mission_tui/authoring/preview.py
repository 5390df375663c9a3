"""A mission under edit: its last good version, what is wrong with the file, and a play of it.

The play is held in memory alone: nothing of a preview is ever saved, signed or graded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from engine.contract import SettingError, Value
from mission_tui.content import space
from mission_tui.content.load import (
    TRACKS_FILE,
    MissionError,
    MissionFile,
    load,
    mission_hash,
)
from mission_tui.content.schema import Mission
from mission_tui.play import bots, evaluate, locks
from mission_tui.play.actions import Recorded
from mission_tui.play.events import Event
from mission_tui.play.game import Clock, Game
from mission_tui.play.session import PartState, Refused, Run, Session, Step
from mission_tui.play.start import Who, header

STUDENT: Final = "preview"
"""Whose seeds a preview has: the same ones each time, so only the file changes what is seen."""
MARK: Final = "PREVIEW"

_Stamp = tuple[int, int, int] | None


class Source:
    """A mission file and the ``tracks.toml`` beside it, read again whenever either changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.good: MissionFile | None = None
        """The last version that loaded."""
        self.problems: tuple[str, ...] = ()
        """What is wrong with the file as it stands: ``file:line: key: message``."""
        self._seen: tuple[_Stamp, _Stamp] | None = None

    def changed(self) -> bool:
        """Whether a file was saved since :meth:`read` last looked."""
        return self._stamps() != self._seen

    def read(self) -> bool:
        """Read the file; True where it loads. The last good version stays where it does not."""
        self._seen = self._stamps()
        try:
            self.good = load(self.path)
        except MissionError as error:
            self.problems = tuple(str(problem) for problem in error.problems)
        except OSError as error:
            self.problems = (f"{self.path.name}: {error.strerror or error}",)
        else:
            self.problems = ()
        return not self.problems

    def _stamps(self) -> tuple[_Stamp, _Stamp]:
        return _stamp(self.path), _stamp(self.path.with_name(TRACKS_FILE))


def _stamp(path: Path) -> _Stamp:
    """Time, size and inode: editors replace a file as often as they write into it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


@dataclass
class Nowhere:
    """Where a preview's events go: a list that ends with it."""

    events: list[Event] = field(default_factory=list)
    unsaved: None = None

    def flush(self) -> bool:
        """Nothing waits to be written."""
        return True

    def close(self) -> None:
        """Nothing is open."""


class Rehearsal:
    """A play in memory, with the shape of one that is saved."""

    def __init__(self, session: Session) -> None:
        self.journal = Nowhere()
        self.game = Game(session, self.journal.events.append, Clock())
        self.on_record: object = None


def marked(mission: Mission) -> Mission:
    """The mission with a title that says what this is, on the head of every screen."""
    return mission.model_copy(update={"title": f"{MARK}  {mission.title}"})


def begun(mission: Mission, part: str | None) -> Session:
    """A play at a part's lock, or at the briefing. What is carried is as the reference has it.

    Raises KeyError for a part that the mission lacks.
    """
    who = Who(STUDENT, "preview", "")
    fresh = Session.begin(marked(mission), header(mission, who, datetime.now(UTC)).data)
    if part is None:
        return fresh
    order = mission.parts[part].order
    if mission.parts[part].carried:
        for name, giver in mission.ordered:
            if giver.carry is not None and giver.order < order:
                state = _played(fresh, name)
                fresh = replace(fresh, parts={**fresh.parts, name: state})
    return _at(fresh, Step("lock", part))


def went_over(session: Session, mission: Mission) -> tuple[Session, str]:
    """The play in a new version of its mission or on another track, and a word on what is left.

    Where only texts changed, nothing is lost. Else sliders stand where they may still stand,
    predictions count where they may still be sealed, and runs are gone.
    """
    title = marked(mission)
    same_track = mission.track == session.mission.track
    if same_track and mission_hash(title).rules == mission_hash(session.mission).rules:
        return replace(session, mission=title), "Texts as saved."
    part = session.at.part
    if part is None or part not in mission.parts:
        if session.at.screen == "briefing":
            return begun(mission, None), "As saved."
        last = mission.ordered[-1][0]
        return begun(mission, last), "The rules changed: at the last part's lock."
    fresh = begun(mission, part)
    before, state, new = session.parts[part], fresh.parts[part], fresh.part_of(part)
    setting = {name: _kept(fresh, part, name, before.setting) for name in new.sliders}
    sealed = {
        name: before.sealed[name]
        for name, lock in new.locks.items()
        if name in before.sealed and locks.refusal(lock, before.sealed[name]) is None
    }
    state = replace(state, setting=setting, sealed=sealed)
    fresh = replace(fresh, parts={**fresh.parts, part: state})
    if session.at.screen == "lock":
        return fresh, "As saved."
    if sealed.keys() != new.locks.keys():
        return fresh, "The rules changed, and so did a lock: seal it again, or ^n."
    words = "The rules changed: runs are gone." if before.runs else "As saved."
    return _at(fresh, Step("workbench", part)), words


def passed_by(session: Session) -> Session:
    """The play after the reference has done this screen and gone on.

    Raises ValueError with a sentence where the mission does not let it: that is the author's to
    repair. The engine may take seconds.
    """
    if session.at.screen == "debrief":
        return session
    game = Game(session, lambda _: None, Clock(session.mono_ms))
    try:
        while game.session.at == session.at and not game.session.closed:
            bots.step(game, bots.Reference())
    except (Refused, LookupError, ValueError, ArithmeticError) as error:
        raise ValueError(f"the reference can't do this {session.at.screen}: {error}") from None
    return game.session


def as_toml(setting: Mapping[str, Value]) -> str:
    """Sliders as lines for ``[parts.<id>.default]`` or ``[parts.<id>.reference]``."""
    return "\n".join(
        f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in setting.items()
    )


def _at(session: Session, step: Step) -> Session:
    return replace(session, at=step, furthest=session.steps.index(step))


def _played(session: Session, part_id: str) -> PartState:
    """A part with one run, the reference's."""
    part, state = session.mission.parts[part_id], session.parts[part_id]
    request = evaluate.Request.at(part, part.reference, session.seed_of(part_id))
    outcome = evaluate.outcome(request)
    met = {each.id: each.met for each in session.readings_of(part_id, outcome.metrics)}
    run = Run(1, dict(part.reference), 0, Recorded.of(outcome), met)
    return replace(state, runs=(run,))


def _kept(session: Session, part_id: str, slider: str, before: Mapping[str, Value]) -> Value:
    """Where a slider stood, if it can stand there now; else its default."""
    part = session.mission.parts[part_id]
    try:
        return space.check_on_grid(part, slider, before[slider])
    except (KeyError, SettingError):
        return part.default[slider]
