"""``mission-tui grade``: a folder of ledgers as a table, a report and gradebooks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mission_tui.commands.verify import knowledge, knowledge_options
from mission_tui.text import clean_line
from mission_tui.usage import DONE, FAILS, USAGE, UsageError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from mission_tui.grading.grade import Graded
    from mission_tui.grading.row import Job, Row


def add(commands: Any) -> None:
    """Put the command on the command line."""
    grade = commands.add_parser("grade", help="grade a folder of ledgers: one row a file")
    grade.add_argument("folder", metavar="DIR", type=Path, help="a folder, or one ledger")
    knowledge_options(grade)
    grade.add_argument("--rubric", type=Path, metavar="F", help="what each criterion is worth")
    grade.add_argument(
        "--overrides",
        type=Path,
        metavar="F",
        action="append",
        default=[],
        help="points given by hand; signed marks beside ledgers are found without it",
    )
    grade.add_argument(
        "--grader",
        metavar="HEX",
        action="append",
        default=[],
        help="a public key that may sign overrides, besides your own",
    )
    grade.add_argument("--mission", metavar="ID", help="only this mission's plays")
    grade.add_argument("--csv", type=Path, metavar="F", help="write the table there")
    grade.add_argument("--html", type=Path, metavar="F", help="write the class report there")
    grade.add_argument(
        "--canvas",
        type=Path,
        nargs=2,
        metavar=("IN", "OUT"),
        help="fill in a gradebook that Canvas exported",
    )
    grade.add_argument("--column", metavar="NAME", help="of --canvas: the assignment's column")
    grade.add_argument(
        "--gradescope",
        type=Path,
        metavar="F",
        help="write results.json there; into a folder, one a ledger",
    )
    grade.add_argument("--resume", type=Path, metavar="F", help="keep rows that are done there")
    grade.add_argument("--workers", type=int, metavar="N", help="processes (default: one a core)")
    grade.add_argument("--dask", metavar="ADDRESS", help="a Dask scheduler, for mission-tui[dask]")
    grade.add_argument("--no-replay", action="store_true", help="recompute nothing")
    grade.add_argument(
        "--patience",
        type=float,
        default=600.0,
        metavar="S",
        help="seconds that one replay may take (default: 600)",
    )
    grade.add_argument("--json", action="store_true", help="the rows as JSON")
    grade.set_defaults(run=_grade)


def _grade(arguments: argparse.Namespace) -> int:
    from mission_tui.grading import grade, overrides

    if arguments.canvas and not arguments.column:
        raise UsageError("--canvas wants the assignment's column: --column NAME")
    job = _job(arguments)
    where: Path = arguments.folder
    if not where.exists() and not where.is_symlink():
        raise UsageError(f"{where} can't be opened: there is no such file or folder")
    graders = (*overrides.own_keys(), *map(_public, arguments.grader))
    try:
        overrides.gather(arguments.overrides, [], graders)  # said before hours of replay, not after
        rows = _rows(arguments, where, job)
        base = where if where.is_dir() else where.parent
        given = overrides.gather(arguments.overrides, [base / row.file for row in rows], graders)
    except overrides.OverridesError as error:
        raise UsageError(str(error)) from None
    for left in given.left:
        _say(f"not applied: {left}")
    if arguments.mission is not None:
        rows = [row for row in rows if row.mission == arguments.mission or not row.mission]
    found = grade.graded(rows, given, job.desk.roster if job.desk else None)
    plays = {row.play_id for row in rows}
    unknown = {each.override.play for each in given.given} - plays
    if unknown and arguments.mission is None:
        _say(f"no ledger here is of {len(unknown)} play(s) that have overrides: {sorted(unknown)}")
    notes = _written(arguments, found, job)
    if arguments.json:
        _print_json(found)
    else:
        for each in found:
            print(line(each))
    for note in notes:
        _say(note)
    if not any(row.opened for row in rows):
        return USAGE
    return FAILS if any(row.fails for row in rows) else DONE


def _job(arguments: argparse.Namespace) -> Job:
    from mission_tui.grading.row import Job
    from mission_tui.play import score

    if arguments.patience <= 0:
        raise UsageError("--patience wants seconds, more than none")
    try:
        by = score.rubric(arguments.rubric)
    except score.RubricError as error:
        raise UsageError(str(error)) from None
    return Job(by, not arguments.no_replay, arguments.patience, knowledge(arguments))


def _own(arguments: argparse.Namespace) -> list[Path]:
    """The files that the desk itself reads or writes: they are nobody's hand-in."""
    named = ["roster", "course", "receipts", "rubric", "csv", "html", "gradescope", "resume"]
    found = [getattr(arguments, name) for name in named if getattr(arguments, name) is not None]
    return [*found, *arguments.overrides, *(arguments.canvas or [])]


def _public(key: str) -> str:
    try:
        raw = bytes.fromhex(key)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise UsageError("--grader wants a public key: 64 hex digits")
    return raw.hex()


def _rows(arguments: argparse.Namespace, where: Path, job: Job) -> list[Row]:
    import os
    from contextlib import ExitStack

    from mission_tui.grading import grade
    from mission_tui.ledger.batch import Done
    from mission_tui.ledger.files import CannotOpenError, why
    from mission_tui.progress import Progress

    workers = os.cpu_count() or 1 if arguments.workers is None else arguments.workers
    if workers < 1:
        raise UsageError("--workers wants a number from 1 on")
    with ExitStack() as stack:
        done = None
        if arguments.resume is not None:
            try:
                done = Done(arguments.resume, grade.stamp(job))
            except CannotOpenError as error:
                raise UsageError(str(error)) from None
        if arguments.dask is not None:
            try:
                pool: Executor | None = stack.enter_context(grade.dask(arguments.dask))
            except ImportError:
                raise UsageError("--dask needs an extra: pip install 'mission-tui[dask]'") from None
            except (OSError, ValueError) as error:
                raise UsageError(f"no Dask scheduler at {arguments.dask}: {error}") from None
        else:
            # Without replay a process takes longer to start than a class takes to read.
            alone = not (where.is_dir() and (job.replay or arguments.workers))
            pool = stack.enter_context(grade.pool(1 if alone else workers))
        told = stack.enter_context(Progress("grading, file"))
        try:
            rows = list(grade.rows(grade.collect(where, _own(arguments)), job, pool, done, told))
        except CannotOpenError as error:
            raise UsageError(str(error)) from None
        except OSError as error:  # of everything else there is a row
            raise UsageError(f"{arguments.resume} can't be written: {why(error)}") from None
    if not rows:
        raise UsageError(f"{where} holds no files to grade")
    return rows


def _written(arguments: argparse.Namespace, found: Sequence[Graded], job: Job) -> list[str]:
    """Write what was asked for; what is to be said about it."""
    notes: list[str] = []
    if arguments.csv is not None:
        from mission_tui.grading import csvs

        _write(arguments.csv, csvs.written(found).encode("utf-8"))
    if arguments.html is not None:
        notes += _html(arguments, found, job)
    if arguments.gradescope is not None:
        _gradescope(arguments.gradescope, found)
    if arguments.canvas:
        notes += _canvas(arguments, found)
    held = sum(bool(each.held) for each in found)
    if held:
        notes.append(f"{held} of {len(found)} files await a person: see the column held")
    return notes


def _html(arguments: argparse.Namespace, found: Sequence[Graded], job: Job) -> list[str]:
    from datetime import UTC, datetime

    from mission_tui.grading import report

    notes = [f"Rubric: {job.rubric.name}."]
    if not job.replay:
        notes.append("Nothing was recomputed (--no-replay): figures are as the ledgers have them.")
    made = report.Report(found, datetime.now(UTC), report.title_of(arguments.folder), tuple(notes))
    _write(arguments.html, report.written(made).encode("utf-8"))
    return []


def _gradescope(where: Path, found: Sequence[Graded]) -> None:
    from mission_tui.grading import gradescope
    from mission_tui.paths import file_name

    if not where.is_dir():
        if len(found) != 1:
            raise UsageError(
                f"--gradescope names one file and there are {len(found)} ledgers: name a folder"
            )
        _write(where, gradescope.written(found[0]))
        return
    for each in found:
        _write(where / f"{file_name(each.row.file)}.results.json", gradescope.written(each))


def _canvas(arguments: argparse.Namespace, found: Sequence[Graded]) -> list[str]:
    from mission_tui.grading import canvas, grade
    from mission_tui.ledger.files import CannotOpenError, read_regular

    missions = sorted({each.row.mission for each in found if each.total is not None})
    if len(missions) > 1:
        raise UsageError(
            f"--canvas fills in one column and there are plays of {', '.join(missions)}: "
            "name one with --mission"
        )
    best = grade.best(found)
    source, target = arguments.canvas
    try:
        filled = canvas.fill(
            read_regular(source, canvas.LARGEST + 1),
            arguments.column,
            {student: each.share or 0.0 for student, each in best.items()},
            {student: each.name for student, each in best.items()},
            max((each.of or 0.0 for each in best.values()), default=0.0) or 100.0,
        )
    except (canvas.CanvasError, CannotOpenError) as error:
        raise UsageError(str(error)) from None
    _write(target, filled.content)
    notes = [
        f"filled in {len(filled.filled)} of {len(best)} students, out of "
        f"{filled.possible:g} points, as {clean_line(arguments.column)}"
    ]
    if filled.without_line:
        notes.append("no line in the gradebook: " + ", ".join(filled.without_line))
    if filled.doubtful:
        notes.append(
            "several lines in the gradebook, none filled in: " + ", ".join(filled.doubtful)
        )
    waiting = {e.row.student for e in found if e.held and e.row.student} - best.keys()
    if waiting:
        notes.append("held back, not filled in: " + ", ".join(sorted(waiting)))
    return notes


def _write(path: Path, content: bytes) -> None:
    from mission_tui.ledger.files import why, write_whole

    try:
        write_whole(path, content)
    except OSError as error:
        raise UsageError(f"{path} can't be written: {why(error)}") from None


def line(graded: Graded) -> str:
    """One line, safe to draw: file, student, points, flags, and what does not hold."""
    from mission_tui.grading.csvs import number

    row = graded.row
    total = (
        "no points" if graded.total is None else f"{number(graded.total)} of {number(graded.of)}"
    )
    verdicts = [
        f"{name} {verdict.state}: {verdict.reason}"
        for name, verdict in row.verdicts.items()
        if verdict.state not in {"holds", "not applicable"}
    ]
    cells = [
        clean_line(row.file, 100),
        clean_line(row.student, 60) or "–",
        clean_line(f"{row.mission} {row.track}", 80),
        total,
        *(clean_line(flag, 200) for flag in graded.flags),
        *(clean_line(change.says, 300) for change in graded.changes),
        *(clean_line(verdict, 200) for verdict in verdicts),
        *([clean_line(row.problem, 200)] if row.problem and row.events else []),
    ]
    return clean_line(" · ".join(cell for cell in cells if cell.strip()), 1_500)


def _print_json(found: Sequence[Graded]) -> None:
    import json

    print(json.dumps([as_json(each) for each in found], indent=2, ensure_ascii=True))


def as_json(graded: Graded) -> dict[str, Any]:
    """A row as JSON values; texts are as the ledger has them, so escape or clean them."""
    from dataclasses import asdict

    row = graded.row
    return {
        **{name: value for name, value in asdict(row).items() if name not in {"parts", "points"}},
        "points": [asdict(each) for each in row.points],
        "criteria": {name: asdict(each) for name, each in graded.criteria.items()},
        "total": graded.total,
        "total_by_rubric": graded.by_rubric,
        "of": graded.of,
        "overrides": [
            {
                "criterion": change.criterion,
                "before": change.before,
                "after": change.after,
                "by": change.given.override.by,
                "at": change.given.override.at.isoformat(),
                "reason": change.given.override.reason,
                "signed": change.given.signed,
                "file": change.given.source,
            }
            for change in graded.changes
        ],
        "flags": list(graded.flags),
        "held": list(graded.held),
        "fails": row.fails,
    }


def _say(message: str) -> None:
    print(f"mission-tui: {clean_line(message, 600)}", file=sys.stderr)
