"""A ledger held against the installed missions: all six verdicts, or a replay in detail."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from mission_tui.content.load import MissionError, files, load, mission_hash
from mission_tui.content.schema import Mission
from mission_tui.ledger import verify
from mission_tui.ledger.replay import Replay, Told, missing_version, replay
from mission_tui.ledger.verdict import Verdict
from mission_tui.paths import missions_dir
from mission_tui.play import seeds
from mission_tui.play.events import FORMAT, Event

Report = verify.Report


class Unreadable(ValueError):
    """A ledger that can't be replayed; one sentence."""


def verify_ledger(path: Path, told: Told | None = None) -> Report:
    """All verdicts on one file. Raises CannotOpenError if it is no file that can be read."""
    return verify.verify(path, binding=binding, replay=lambda events: _replayed(events, told)[0])


def replay_ledger(path: Path, told: Told | None = None) -> Replay:
    """Both layers of one file. Raises CannotOpenError, or :class:`Unreadable` with a sentence."""
    report = verify.verify(path)
    if not report.events:
        raise Unreadable(f"{path.name}: {report.verdicts['parse'].reason}")
    verdict, found = _replayed(report.events, told)
    if found is None:
        raise Unreadable(f"{path.name}: {verdict.state}: {verdict.reason}")
    return found


def binding(events: Sequence[Event]) -> Verdict:
    """Whether a play belongs to the installed mission, and its seed to its student."""
    data = events[0].data
    mission = find(str(data.get("mission")), str(data.get("track")))
    if mission is None:
        return Verdict("not replayable here", f"mission {data.get('mission')!r} is not installed")
    hashes, installed = data.get("mission_hash"), mission_hash(mission)
    if not isinstance(hashes, dict) or hashes.get("rules") != installed.rules:
        return Verdict("fails", "it was played by other rules than the installed mission's")
    root, made = data.get("seed_root"), data.get("seed")
    notes = [] if hashes.get("texts") == installed.texts else ["texts were edited since"]
    if made == "student":
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
    return Verdict("holds", "; ".join(["this mission, this student's data", *notes]))


@cache
def _installed() -> dict[str, dict[str, Mission]]:
    found: dict[str, dict[str, Mission]] = {}
    for path in files(missions_dir()):
        try:
            mission = load(path)
        except (MissionError, OSError):
            continue  # `check` and `missions` say what is wrong with it
        found[mission.id] = dict(mission.tracks)
    return found


def find(mission: str, track: str) -> Mission | None:
    """The installed mission of an id and a track, or None."""
    return _installed().get(mission, {}).get(track)


def _replayed(events: Sequence[Event], told: Told | None = None) -> tuple[Verdict, Replay | None]:
    data = events[0].data
    if data.get("format") != FORMAT:
        return Verdict("not replayable here", f"its format is {data.get('format')!r}"), None
    mission = find(str(data.get("mission")), str(data.get("track")))
    if mission is None:
        return Verdict("not replayable here", "its mission is not installed"), None
    hashes = data.get("mission_hash")
    if not isinstance(hashes, dict) or hashes.get("rules") != mission_hash(mission).rules:
        return Verdict("not replayable here", "its mission had other rules"), None
    if reason := missing_version(mission, events[0]):
        return Verdict("not replayable here", reason), None
    try:
        found = replay(mission, events, told)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Verdict("fails", f"the header is not one of this program: {error}"), None
    return found.verdict, found
