"""``mission-tui replay``: a recorded play as a film on a terminal, else as lines or JSON."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mission_tui.commands.verify import knowledge, knowledge_options
from mission_tui.text import clean_line
from mission_tui.usage import DONE, FAILS, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mission_tui.content.schema import Mission
    from mission_tui.grading.marks import Grader, Marks
    from mission_tui.ledger.desk import Desk
    from mission_tui.ledger.verify import Report
    from mission_tui.play.events import Event
    from mission_tui.screens.replay_film import Film, Mark, Receipted, Seen


def add(commands: Any) -> None:
    """Add the command to the command line."""
    replay = commands.add_parser("replay", help="see a play again, recomputed beside its record")
    replay.add_argument("file", metavar="FILE", type=Path)
    how = replay.add_mutually_exclusive_group()
    how.add_argument("--plain", action="store_true", help="print what differs; no screen")
    how.add_argument("--json", action="store_true", help="both layers, with every figure")
    knowledge_options(replay)
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
    desk = knowledge(arguments)
    if arguments.json or arguments.plain or not screen:
        return _print(arguments.file, desk, as_json=arguments.json)
    return _show(arguments.file, arguments.marks, arguments.by, desk)


def _print(path: Path, desk: Desk | None, *, as_json: bool) -> int:
    """The two layers; with a desk also what the other verdicts come to."""
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
    fields, lines, fails = replayed.as_json(), [*replayed.lines()], replayed.fails
    if desk is not None:
        report = judge.verify_ledger(path, desk=desk, replayed=False)
        fields |= _known_json(report, desk)
        lines += _known_lines(report, desk)
        fails = fails or report.fails
    print(json.dumps(fields, indent=2) if as_json else "\n".join(lines))
    return FAILS if fails else DONE


def _known_json(report: Report, desk: Desk) -> dict[str, Any]:
    """The verdicts but the replay's own, and each prediction's receipt."""
    from dataclasses import asdict

    verdicts = {name: asdict(v) for name, v in report.verdicts.items() if name != "replay"}
    return {"verdicts": verdicts, "receipts": [asdict(each) for each in _receipts(report, desk)]}


def _known_lines(report: Report, desk: Desk) -> Iterator[str]:
    for name, verdict in report.verdicts.items():
        if name != "replay":
            yield clean_line(f"{name} {verdict.state}: {verdict.reason}", 300)
    for each in _receipts(report, desk):
        when = f"{each.when}, {each.at}" if each.at else each.when
        yield clean_line(f"event {each.seq} lock: receipt {when}", 300)


def _receipts(report: Report, desk: Desk | None) -> tuple[Receipted, ...]:
    """Each prediction beside its receipt, as it is shown."""
    from mission_tui.ledger import judge
    from mission_tui.screens.replay_film import Receipted

    return tuple(
        Receipted(
            each.seq,
            each.when,
            f"{each.receipt.moment:%Y-%m-%d %H:%M:%S} UTC" if each.receipt is not None else "",
        )
        for each in judge.predictions(report, desk)
    )


def _fails(sentence: str) -> int:
    print(f"mission-tui: {clean_line(sentence, 400)}", file=sys.stderr)
    return FAILS


def _show(path: Path, marks: Path | None, by: str | None, desk: Desk | None) -> int:
    from mission_tui.ledger import judge
    from mission_tui.ledger.files import CannotOpenError

    try:
        report = judge.verify_ledger(path, desk=desk, replayed=False)
    except CannotOpenError as error:
        raise UsageError(str(error)) from None
    if not report.events:
        return _fails(f"{path.name}: {report.verdicts['parse'].reason}")
    # One look on every terminal: the toolkit reads this when it is imported.
    os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "256")
    from mission_tui.app import ReplayApp

    app = ReplayApp(film(report, marks, by, desk))
    app.run()
    return app.return_code or DONE


def film(
    report: Report, marks: Path | None = None, by: str | None = None, desk: Desk | None = None
) -> Film:
    """What the replay screen is given for a ledger that was read.

    ``desk`` is what the report was made with: its receipts stand beside the predictions.
    """
    from mission_tui.grading import marks as kept
    from mission_tui.screens.replay_film import Film, Stamp

    path, events = report.path, report.events
    data = events[0].data
    mission, why = _mission(events[0])
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
        receipts=_receipts(report, desk),
    )


def _mission(header: Event) -> tuple[Mission | None, str]:
    """The mission that a play can be shown by; where there is none, why, in one sentence."""
    from mission_tui.ledger import judge

    try:
        return judge.replayable(header), ""
    except judge.NotHere as reason:
        return None, clean_line(f"No charts: {reason}. Events are listed as they stand.", 300)


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
            compared = list(layers.compared(before, event))
        except IllegalPlay as error:
            yield Seen(event.seq, (), Stamp("replay", "fails", str(error)))
            return
        rows += compared
        figures = (Figure(row.field, row.recorded, row.recomputed, row.state) for row in compared)
        yield Seen(event.seq, tuple(figures))
    verdict = layers.judge_physics(rows)
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
