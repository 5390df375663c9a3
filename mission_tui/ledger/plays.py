"""Plays on disk: start one, find those that wait, go on with one, seal one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mission_tui import paths
from mission_tui.content.load import mission_hash
from mission_tui.content.schema import Mission
from mission_tui.ledger import enrolment, envelope, history, judge, keys
from mission_tui.ledger.chain import link, longest_prefix
from mission_tui.ledger.files import CannotOpenError, read_regular, why
from mission_tui.ledger.journal import Journal
from mission_tui.ledger.lockfile import HeldError
from mission_tui.ledger.receipts import Head, Witness
from mission_tui.play import evaluate
from mission_tui.play.actions import Recover
from mission_tui.play.events import FORMAT, Event
from mission_tui.play.game import Clock, Game
from mission_tui.play.session import IllegalPlay, Session
from mission_tui.play.start import Who, header

Find = Callable[[str, str], Mission | None]
"""Gives the installed mission of an id and a track, or None."""

_WITNESSED: Final = frozenset({"lock", "close"})
"""Events after which a witness is asked for a receipt, where there is one."""


class PlayError(Exception):
    """A play that can't be started, resumed or sealed; one sentence. Nothing is lost."""


@dataclass(frozen=True, slots=True)
class SavedPlay:
    """A play on disk, as its journal tells. ``passed`` is what its close says, if it has one."""

    path: Path
    student: str
    mission: str
    track: str
    driver: str
    attempt: int
    closed: bool
    passed: bool
    screen: str
    part: str | None
    saved: str

    @property
    def by_person(self) -> bool:
        """Whether somebody plays it, on screen or line by line: either goes on with the other."""
        return not self.driver.startswith("bot:")


class OpenPlay(AbstractContextManager["OpenPlay"]):
    """A game and the journal that it records to. Leaving the context releases the journal."""

    def __init__(self, session: Session, journal: Journal) -> None:
        self.game = Game(session, self.record, Clock(journal.events[-1].mono_ms))
        self.journal = journal
        self.on_record: Callable[[Event], None] | None = None
        """Told of each event once the journal has taken it."""
        self._witness = Witness.of_environment()
        if self._witness is not None:
            self._witness.catch_up(journal.path)

    def record(self, event: Event) -> None:
        """Take an event to the journal, then tell whoever listens."""
        saved = self.journal.append(event)
        if saved and self._witness is not None and event.kind in _WITNESSED:
            self._ask(self._witness)
        if self.on_record is not None:
            self.on_record(event)

    def _ask(self, witness: Witness) -> None:
        """Ask for a receipt of the play as it is on disk now; its answer is not waited for."""
        last = self.journal.payload[:-1].rpartition(b"\n")[2]
        play = str(self.journal.events[0].data.get("play_id"))
        witness.ask(self.journal.path, Head(play, link(last), len(self.journal.events)))

    def __exit__(self, *_: object) -> None:
        self.journal.close()

    def seal(self) -> Path:
        """Sign the play and write its ledger beside the journal; returns the ledger's path.

        Raises :class:`PlayError` with one sentence; the journal is untouched.
        """
        return _write_ledger(self.journal)


def start(
    saves: Path, mission: Mission, student: str, driver: str, chosen_seed: int | None = None
) -> OpenPlay:
    """Begin a play. A disk that takes nothing gives ``journal.unsaved``, not an error.

    Raises :class:`PlayError` where there is no key to sign with.
    """
    attempt = 1 + sum(
        (saved.mission, saved.track) == (mission.id, mission.track)
        for saved in saved_plays(saves, student)
    )
    try:
        public_key = keys.ensure_public()
    except keys.KeyFileError as error:
        raise PlayError(str(error)) from None
    handed = history.carried(saves, student, mission.id, judge.find)
    course = enrolment.for_play(student, public_key)
    enrolled = course.enrolled if course is not None else None
    who = Who(student, driver, public_key, attempt, chosen_seed, handed, enrolled)
    first = header(mission, who, datetime.now(UTC))
    journal = Journal.create(paths.journal_path(saves, student, first.data["play_id"]), first)
    return OpenPlay(Session.begin(mission, first.data), journal)


def resume(path: Path, find: Find) -> OpenPlay:
    """Go on with a play at the event where it stopped.

    Raises :class:`PlayError` where this program can't go on with it,
    :class:`~mission_tui.ledger.lockfile.HeldError` where another session has it open.
    """
    try:
        journal = Journal.open(path)
    except CannotOpenError as error:
        raise PlayError(str(error)) from None
    try:
        session = Session.replayed(_mission_of(journal.events[0], find), journal.events)
    except (PlayError, IllegalPlay) as error:
        journal.close()
        raise PlayError(f"{path.name} can't be resumed: {error}") from None
    opened = OpenPlay(session, journal)
    if journal.recovery and not journal.is_closed:
        opened.game.act(Recover(**journal.recovery.data()))
    return opened


def seal_closed(path: Path) -> Path:
    """Sign a play that was closed before: its journal is whole, its ledger was never written.

    Raises as :meth:`OpenPlay.seal` does.
    """
    try:
        journal = Journal.open(path)
    except (CannotOpenError, HeldError) as error:
        raise PlayError(str(error)) from None
    try:
        return _write_ledger(journal)
    finally:
        journal.close()


def ledger_of(journal: Path) -> Path:
    """Where the ledger of a journal stands."""
    return journal.with_suffix(".ledger.json")


def _write_ledger(journal: Journal) -> Path:
    path = ledger_of(journal.path)
    try:
        begun_with = str(journal.events[0].data.get("public_key"))
        envelope.write_ledger(path, journal.payload, keys.load_for(begun_with))
    except OSError as error:
        raise PlayError(f"the ledger can't be written: {why(error)} ({path})") from None
    except (ValueError, keys.KeyFileError) as error:
        raise PlayError(str(error)) from None
    return path


def resume_or_start(saves: Path, mission: Mission, student: str, driver: str) -> OpenPlay:
    """Go on with the student's last open play of this mission and track, or begin one.

    For somebody who plays, not for bots. Raises as :func:`start` and :func:`resume` do.
    """
    for saved in saved_plays(saves, student):
        same = (saved.mission, saved.track) == (mission.id, mission.track)
        if same and saved.by_person and not saved.closed:
            try:
                return resume(saved.path, lambda *_: mission)
            except PlayError:
                continue  # of other rules, or torn: it is kept, and a new play begins
    return start(saves, mission, student, driver)


def saved_plays(saves: Path, student: str) -> tuple[SavedPlay, ...]:
    """The plays of a student, newest first. Files that are no plays are left alone."""
    found = (_saved(path) for path in reversed(history.journals(saves, student)))
    return tuple(play for play in found if play is not None and play.student == student)


def _mission_of(first: Event, find: Find) -> Mission:
    data = first.data
    if data.get("format") != FORMAT:
        raise PlayError(f"its format is {data.get('format')!r} and this program writes {FORMAT}")
    mission = find(str(data.get("mission")), str(data.get("track")))
    if mission is None:
        raise PlayError(f"the mission {data.get('mission')!r} is not installed")
    root, attempt = data.get("seed_root"), data.get("attempt")
    if not isinstance(root, str) or not isinstance(attempt, int) or not _is_hex(root):
        raise PlayError("its header has no seed")
    hashes = data.get("mission_hash")
    if not isinstance(hashes, Mapping) or hashes.get("rules") != mission_hash(mission).rules:
        raise PlayError("the mission's rules have changed since; start it anew")
    versions = data.get("models")
    for model, here in evaluate.versions(mission).items():
        if not isinstance(versions, Mapping) or versions.get(model) != here:
            raise PlayError(f"the model {model} has another version now; start it anew")
    return mission


def _saved(path: Path) -> SavedPlay | None:
    try:
        lines, _ = longest_prefix(read_regular(path))
    except CannotOpenError:
        return None
    if not lines:
        return None
    data = lines[0].event.data
    entered = next(
        (line.event for line in reversed(lines) if line.event.kind == "enter"), lines[0].event
    )
    try:
        return SavedPlay(
            path,
            str(data["student"]),
            str(data["mission"]),
            str(data["track"]),
            str(data["driver"]),
            int(data["attempt"]),
            lines[-1].event.kind == "close",
            _passed(lines[-1].event),
            str(entered.data.get("screen", "briefing")),
            entered.part,
            lines[-1].event.wall,
        )
    except (KeyError, TypeError, ValueError):
        return None


def _is_hex(text: str) -> bool:
    try:
        bytes.fromhex(text)
    except ValueError:
        return False
    return True


def _passed(last: Event) -> bool:
    """Whether a play's close says that every part was passed."""
    outcome = last.data.get("outcome")
    parts = list(outcome.values()) if isinstance(outcome, Mapping) else []
    return bool(parts) and all(
        isinstance(part, Mapping) and part.get("passed") is True for part in parts
    )
