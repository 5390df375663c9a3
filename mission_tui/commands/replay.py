"""``mission-tui replay``: a recorded play as a film on a terminal, else as lines or JSON."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mission_tui.text import clean_line
from mission_tui.usage import DONE, FAILS, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mission_tui.content.schema import Mission
    from mission_tui.grading.marks import Grader, Marks
    from mission_tui.ledger.verify import Report
    from mission_tui.play.events import Event
    from mission_tui.screens.replay_film import Film, Mark, Seen


def add(commands: Any) -> None:
    """Add the command to the command line."""
    replay = commands.add_parser("replay", help="see a play again, recomputed beside its record")
    replay.add_argument("file", metavar="FILE", type=Path)
    how = replay.add_mutually_exclusive_group()
    how.add_argument("--plain", action="store_true", help="print what differs; no screen")
    how.add_argument("--json", action="store_true", help="both layers, with every figure")
    replay.add_argument(
        "--marks",
        type=Path,
        metavar="F",
        help="where points by hand are kept (default: FILE.marks.toml, beside the ledger)",
    )
    replay.add_argument("--by", metavar="NAME", help="who grades (default: this user)")
    replay.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show one ledger; where there is no terminal, print it."""
    screen = sys.stdin.isatty() and sys.stdout.isatty()
    if arguments.json or arguments.plain or not screen:
        return _print(arguments.file, as_json=arguments.json)
    return _show(arguments.file, arguments.marks, arguments.by)


def _print(path: Path, *, as_json: bool) -> int:
    import json

    from mission_tui.ledger import judge
    from mission_tui.ledger.files import CannotOpenError
    from mission_tui.progress import Progress

    try:
        with Progress("replaying, event") as told:
            replayed = judge.replay_ledger(path, told)
    except CannotOpenError as error:
        raise UsageError(str(error)) from None
    except judge.Unreadable as error:
        return _fails(str(error))
    if as_json:
        print(json.dumps(replayed.as_json(), indent=2))
    else:
        for line in replayed.lines():
            print(line)
    return FAILS if replayed.fails else DONE


def _fails(sentence: str) -> int:
    print(f"mission-tui: {clean_line(sentence, 400)}", file=sys.stderr)
    return FAILS


def _show(path: Path, marks: Path | None, by: str | None) -> int:
    from mission_tui.ledger import judge
    from mission_tui.ledger.files import CannotOpenError

    try:
        report = judge.verify_ledger(path, replayed=False)
    except CannotOpenError as error:
        raise UsageError(str(error)) from None
    if not report.events:
        return _fails(f"{path.name}: {report.verdicts['parse'].reason}")
    # One look on every terminal: the toolkit reads this when it is imported.
    os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "256")
    from mission_tui.app import ReplayApp

    app = ReplayApp(film(report, marks, by))
    app.run()
    return app.return_code or DONE


def film(report: Report, marks: Path | None = None, by: str | None = None) -> Film:
    """What the replay screen is given for a ledger that was read."""
    from mission_tui.grading import marks as kept
    from mission_tui.ledger import judge
    from mission_tui.screens.replay_film import Film, Stamp

    path, events = report.path, report.events
    data = events[0].data
    why = _why_not(path)
    mission = None if why else judge.find(str(data.get("mission")), str(data.get("track")))
    grader = kept.Grader(marks or kept.marks_path(path), str(data.get("play_id", "")), _name(by))
    found, notice = _found(grader)
    stamps = [Stamp(name, v.state, v.reason) for name, v in report.verdicts.items()]
    under_way = Stamp("replay", "under way", "it is being computed")
    here = under_way if mission is not None else Stamp("replay", "not replayable here", why)
    return Film(
        name=clean_line(path.name, 80),
        events=events,
        stamps=tuple(here if stamp.name == "replay" else stamp for stamp in stamps),
        mission=mission,
        why=why,
        recompute=(lambda: seen(mission, events)) if mission is not None else None,
        marks=found,
        mark=_marking(grader),
        marked_in=clean_line(grader.path.name, 120),
        notice=notice,
        notes=report.notes,
    )


class _Begins(Exception):
    """The replay has begun, so nothing keeps this program from it."""


def _why_not(path: Path) -> str:
    """Why this installation can't replay a ledger, in one sentence; empty where it can.

    The judge is asked to, and stopped before it computes anything.
    """
    from mission_tui.ledger import judge

    def told(*_: int) -> None:
        raise _Begins

    try:
        judge.replay_ledger(path, told)
    except _Begins:
        return ""
    except judge.Unreadable as error:
        reason = str(error).removeprefix(f"{path.name}: ").removeprefix("not replayable here: ")
        return clean_line(f"No charts: {reason}. Events are listed as they stand.", 300)
    return ""  # a header alone: there is nothing to compute


def seen(mission: Mission, events: Sequence[Event]) -> Iterator[Seen]:
    """Recompute a play event by event; the verdict comes with the last."""
    from mission_tui.ledger import replay as layers
    from mission_tui.play.session import IllegalPlay, Session
    from mission_tui.screens.replay_film import Figure, Seen, Stamp

    rows: list[layers.Row] = []
    session = Session.begin(mission, events[0].data)
    for event in events[1:]:
        before = session
        try:
            session = session.checked(event)
            compared = list(layers._compared(before, event))
        except IllegalPlay as error:
            yield Seen(event.seq, (), Stamp("replay", "fails", str(error)))
            return
        rows += compared
        figures = (Figure(row.field, row.recorded, row.recomputed, row.state) for row in compared)
        yield Seen(event.seq, tuple(figures))
    verdict = layers._physics(rows)
    yield Seen(events[-1].seq, (), Stamp("replay", verdict.state, verdict.reason))


def _name(by: str | None) -> str:
    """Who grades: as given, else as this user is known to the game or to the machine."""
    import getpass

    from mission_tui import profile

    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without an entry
        user = "grader"
    return clean_line(by or profile.remembered() or user, 64) or "grader"


def _found(grader: Grader) -> tuple[Mapping[str, Mark], str]:
    """The marks that are there already, and what is to be said of them."""
    from mission_tui.grading import marks as kept

    try:
        found = kept.load(grader.path)
    except kept.MarksError as error:
        return {}, clean_line(f"▲ {error}", 300)
    if found.signed != "not mine":
        return _as_marks(grader, found), ""
    words = "is not signed with your key, or was changed since. It counts for nothing here:"
    lines = [clean_line(f"▲ {grader.path.name} {words}", 300)]
    lines += [
        clean_line(f"  {name} {each.points:g} by {each.by}: {each.reason}", 200)
        for name, each in found.standing(grader.play).items()
    ]
    return {}, "\n".join(lines[:9])


def _marking(grader: Grader) -> Callable[[str, float, str, int], Mapping[str, Mark]]:
    from mission_tui.grading import marks as kept
    from mission_tui.screens.replay_film import NotKept

    def mark(criterion: str, points: float, reason: str, event: int) -> Mapping[str, Mark]:
        try:
            return _as_marks(grader, grader.give(criterion, points, reason, event))
        except kept.MarksError as error:
            raise NotKept(str(error)) from None

    return mark


def _as_marks(grader: Grader, found: Marks) -> Mapping[str, Mark]:
    """What counts for the play, as the screen shows it."""
    from mission_tui.screens.replay_film import Mark

    return {
        name: Mark(
            clean_line(each.criterion, 40),
            each.points,
            clean_line(each.reason, 400),
            clean_line(each.by, 64),
            f"{each.at:%Y-%m-%d %H:%M} UTC",
            each.event,
        )
        for name, each in found.standing(grader.play).items()
    }
