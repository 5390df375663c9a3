"""A ledger held against the installed missions: all six verdicts, or a replay in detail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mission_tui.content.load import MissionError, MissionHash, files, load, mission_hash
from mission_tui.content.schema import Mission
from mission_tui.ledger import enrolment, verify, witnessed
from mission_tui.ledger.files import read_regular
from mission_tui.ledger.replay import Replay, Told, missing_version, replay
from mission_tui.ledger.strict import MAX_BYTES
from mission_tui.ledger.verdict import NAMES, Verdict
from mission_tui.paths import missions_dir
from mission_tui.play import seeds
from mission_tui.play.events import FORMAT, Event
from mission_tui.play.start import facts

if TYPE_CHECKING:
    from mission_tui.ledger.desk import Desk

Report = verify.Report

_COMPARED: Final = frozenset({"program", "numpy"})
"""Facts of the header that are held against this machine's."""


class Unreadable(ValueError):
    """A ledger that can't be replayed; one sentence."""


class NotHere(ValueError):
    """A play that this installation can't compute again; why, in half a sentence."""


def verify_ledger(
    path: Path, told: Told | None = None, desk: Desk | None = None, *, replayed: bool = True
) -> Report:
    """All verdicts on one file. Raises CannotOpenError if it is no file that can be read.

    ``replayed`` False leaves out what takes long.
    """
    return judge_content(path, read_regular(path, MAX_BYTES + 1), told, desk, replayed=replayed)


def judge_content(
    path: Path,
    content: bytes,
    told: Told | None = None,
    desk: Desk | None = None,
    *,
    replayed: bool = True,
) -> Report:
    """Like :func:`verify_ledger`, for the content of a file that was read already."""
    report = verify.judge(
        path,
        content,
        binding=lambda events: binding(events, desk),
        replay=(lambda events: _replayed(events, told)[0]) if replayed else None,
        desk=desk,
    )
    return replace(report, notes=notes(report.events)) if report.events else report


def predictions(report: Report, desk: Desk | None) -> tuple[witnessed.Sealed, ...]:
    """Each prediction beside its receipt, where there are receipts of this play that hold."""
    if desk is None or report.verdicts["witness"].state not in {"holds", "marginal"}:
        return ()  # there are none, or of another play
    return witnessed.predictions(report.events, desk.known(report.events[0].data.get("play_id")))


def unread(path: Path, reason: str) -> Report:
    """The report on a file that could not be read: it fails to parse, and why."""
    unknown = Verdict("not applicable", "the ledger can't be read")
    verdicts = dict.fromkeys(NAMES, unknown) | {"parse": Verdict("fails", reason)}
    return Report(path, verdicts, unfinished=False, events=())


def notes(events: Sequence[Event]) -> tuple[str, ...]:
    """What fails nothing and should be known: who drove, a chosen seed, other versions there."""
    data = events[0].data
    found = []
    driver = str(data.get("driver"))
    if driver.startswith("bot:"):
        found.append(f"played by {driver}")
    if data.get("seed") == "chosen":
        found.append("the seed was chosen")
    for name, here in facts().items():
        if name in _COMPARED and data.get(name) != here:
            found.append(f"{name} {data.get(name)} there, {here} here")
    mission = find(str(data.get("mission")), str(data.get("track")))
    if mission is not None and (reason := missing_version(mission, events[0])):
        found.append(reason)
    return tuple(found)


def replay_ledger(path: Path, told: Told | None = None) -> Replay:
    """Both layers of one file. Raises CannotOpenError, or :class:`Unreadable` with a sentence."""
    report = verify.verify(path)
    if not report.events:
        raise Unreadable(f"{path.name}: {report.verdicts['parse'].reason}")
    verdict, found = _replayed(report.events, told)
    if found is None:
        raise Unreadable(f"{path.name}: {verdict.state}: {verdict.reason}")
    return found


def binding(events: Sequence[Event], desk: Desk | None = None) -> Verdict:
    """Whether a play belongs to the installed mission, and its seed to its student.

    A course's enrolment is checked by the key that it names; with a desk that key is the known
    course's, the student is on the roster, and the seed is derived again.
    """
    data = events[0].data
    mission = find(str(data.get("mission")), str(data.get("track")))
    if mission is None:
        return Verdict("not replayable here", f"mission {data.get('mission')!r} is not installed")
    hashes, installed = data.get("mission_hash"), _hash_of(mission)
    if not isinstance(hashes, dict) or hashes.get("rules") != installed.rules:
        return Verdict("fails", "it was played by other rules than the installed mission's")
    root, made = data.get("seed_root"), data.get("seed")
    notes = [] if hashes.get("texts") == installed.texts else ["texts were edited since"]
    course = desk.course if desk is not None else None
    if (made == "course") != (data.get("course") is not None):
        return Verdict("fails", "its header contradicts itself about the course")
    if made == "course":
        enrolled = _enrolled(data, desk)
        if enrolled.state != "holds":
            return enrolled
        notes.append(enrolled.reason)
    elif made == "student":
        if root != seeds.root_of_student(str(data.get("student"))):
            return Verdict("fails", "the seed is not this student's")
    elif made == "chosen":
        notes.append("the seed was chosen")
    else:
        return Verdict("fails", f"the seed says it was made by {made!r}")
    attempt = data.get("attempt")
    if type(attempt) is not int or attempt < 1:
        return Verdict("fails", "the attempt is no count")
    if attempt > 1:
        notes.append(f"attempt {attempt}")
    driver = str(data.get("driver"))
    if driver.startswith("bot:"):
        notes.append(f"played by {driver}")
    if course is not None and made != "course":
        return Verdict("marginal", "; ".join([f"it was not played in {course.id}", *notes]))
    return Verdict("holds", "; ".join(["this mission, this student's data", *notes]))


def _enrolled(data: Mapping[str, Any], desk: Desk | None) -> Verdict:
    """Whether a course gave this student this seed; the reason is a note where it holds."""
    try:
        claimed = enrolment.of_header(data)
    except enrolment.EnrolmentError as error:
        return Verdict("fails", str(error))
    if claimed is None or not claimed.holds:
        return Verdict("fails", "student, key or seed are not what the course signed")
    course = desk.course if desk is not None else None
    if course is None:
        whose = f"by {claimed.course}, whose key {claimed.key[:16]} is not known here"
    elif (course.id, course.key) != (claimed.course, claimed.key):
        return Verdict("fails", f"the enrolment is not by the key of {course.id}")
    else:
        whose = f"in {course.id}"
        derived = course.seed_root(claimed.student)
        if derived is not None and derived != claimed.seed_root:
            return Verdict("fails", "the seed is not the one that the course's secret gives")
    roster = desk.roster if desk is not None else None
    if roster is not None and roster.student(claimed.student) is None:
        return Verdict("fails", f"{claimed.student} is not on the roster")
    return Verdict("holds", f"enrolled {whose}")


class _Missions:
    """What is installed, by id: a file is read when its mission is first asked for, and kept.

    A mission's id is its file's name, which :func:`~mission_tui.content.load.load` sees to. A
    ledger may name anything, so its name is looked up here and never made a path.
    """

    def __init__(self, folder: Path) -> None:
        self._files = {path.stem: path for path in files(folder)}
        self._read: dict[str, Mapping[str, Mission]] = {}

    def tracks(self, mission: str) -> Mapping[str, Mission]:
        """A mission on each of its tracks; nothing where it is not installed or can't be read."""
        if mission not in self._files:
            return {}
        if mission not in self._read:
            try:
                self._read[mission] = load(self._files[mission]).tracks
            except (MissionError, OSError):  # `check` and `missions` say what is wrong with it
                self._read[mission] = {}
        return self._read[mission]


@cache
def _installed() -> _Missions:
    return _Missions(missions_dir())


_hashes: Final[dict[int, tuple[Mission, MissionHash]]] = {}
"""By identity, and the mission with it, so that its number is nobody else's."""


def _hash_of(mission: Mission) -> MissionHash:
    """A mission's hashes: taken once, not once a ledger."""
    found = _hashes.get(id(mission))
    if found is None:
        found = _hashes[id(mission)] = (mission, mission_hash(mission))
    return found[1]


def find(mission: str, track: str) -> Mission | None:
    """The installed mission of an id and a track, or None."""
    return _installed().tracks(mission).get(track)


def replayable(header: Event) -> Mission:
    """The installed mission by which a play may be computed again here.

    That takes this program's format, the mission with the very rules that the header names, and
    its models in the versions of then. Raises :class:`NotHere`.
    """
    data = header.data
    if data.get("format") != FORMAT:
        raise NotHere(f"its format is {data.get('format')!r}")
    mission = find(str(data.get("mission")), str(data.get("track")))
    if mission is None:
        raise NotHere("its mission is not installed")
    hashes = data.get("mission_hash")
    if not isinstance(hashes, dict) or hashes.get("rules") != _hash_of(mission).rules:
        raise NotHere("its mission had other rules")
    if reason := missing_version(mission, header):
        raise NotHere(reason)
    return mission


def _replayed(events: Sequence[Event], told: Told | None = None) -> tuple[Verdict, Replay | None]:
    try:
        mission = replayable(events[0])
    except NotHere as reason:
        return Verdict("not replayable here", str(reason)), None
    try:
        found = replay(mission, events, told)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        return Verdict("fails", f"the header is not one of this program: {error}"), None
    return found.verdict, found
