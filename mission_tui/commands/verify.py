"""``mission-tui verify``: named verdicts on ledgers and on folders of them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mission_tui.text import clean_line
from mission_tui.usage import DONE, FAILS, USAGE, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Executor

    from mission_tui.ledger.batch import Row, Task
    from mission_tui.ledger.collector import Collected
    from mission_tui.ledger.desk import Desk
    from mission_tui.progress import Progress

MANY: Final = 8
"""Ledgers from which on a replay is worth another process."""


def add(commands: Any) -> None:
    """Put the command on the command line."""
    verify = commands.add_parser("verify", help="check ledgers: one row a file, named verdicts")
    verify.add_argument("files", nargs="+", metavar="FILE|DIR", type=Path)
    verify.add_argument("--json", action="store_true")
    knowledge_options(verify)
    verify.add_argument(
        "--workers", type=int, metavar="N", help="processes (default: one a core for many files)"
    )
    verify.add_argument(
        "--resume", type=Path, metavar="FILE", help="keep rows there, and go on from them"
    )
    verify.add_argument("--no-replay", action="store_true", help="leave out what takes long")
    verify.set_defaults(run=_verify)


def knowledge_options(parser: argparse.ArgumentParser) -> None:
    """What an instructor knows beside the ledgers: :func:`knowledge` reads it."""
    parser.add_argument("--roster", type=Path, metavar="FILE", help="who holds which key")
    parser.add_argument(
        "--course", type=Path, metavar="DIR", help="the course's folder, or its course.toml"
    )
    parser.add_argument(
        "--receipts", type=Path, metavar="FILE|DIR", help="the witness's folder, or receipts"
    )
    parser.add_argument("--witness", metavar="HEX", help="the witness's public key")


def knowledge(arguments: argparse.Namespace) -> Desk | None:
    """The desk of the options. Raises UsageError."""
    from mission_tui.ledger import desk, receipts

    if arguments.witness is not None and not receipts.is_hex(arguments.witness, 64):
        raise UsageError("--witness wants the 64 hex digits of the witness's public key")
    try:
        return desk.opened(
            arguments.roster, arguments.course, arguments.receipts, arguments.witness
        )
    except desk.DeskError as error:
        raise UsageError(str(error)) from None


def _verify(arguments: argparse.Namespace) -> int:
    import json
    from functools import partial

    from mission_tui.ledger import batch, verify
    from mission_tui.ledger.files import CannotOpenError
    from mission_tui.progress import Progress

    if arguments.workers is not None and arguments.workers < 1:
        raise UsageError("--workers wants a number from 1 on")
    desk = knowledge(arguments)
    replayed = not arguments.no_replay
    by = batch.stamp(desk, "verify", str(replayed)) if arguments.resume is not None else ""
    try:
        done = batch.Done(arguments.resume, by)
    except CannotOpenError as error:
        raise UsageError(str(error)) from None
    rows: list[Row] = []
    code = DONE
    workers = _workers(arguments, replayed)
    with _executor(workers) as executor, Progress("replaying, event") as told:
        task: Task
        if executor is not None:
            task = partial(judged, replayed=replayed)
        else:
            task = partial(_judged_here, replayed=replayed, progress=told)

        def knowing(content: bytes) -> tuple[Desk | None]:
            return (desk.about(content) if desk is not None else None,)

        files = _files(arguments.files, _own(arguments))
        for found in batch.judge_all(files, task, executor, done, 2 * workers + 1, knowing):
            row = found.row
            if row is None:
                code = USAGE
                print(f"mission-tui: {clean_line(found.file.problem, 400)}", file=sys.stderr)
                row = _unread(found.file)
            if row is None:
                continue
            rows.append(row)
            if not arguments.json:
                print(verify.row_of(row))
            if row["fails"] and code != USAGE:
                code = FAILS
    if arguments.json:
        print(json.dumps(rows, indent=2))
    return code


def _unread(file: Collected) -> Row | None:
    """The row of a file that was not read; None where there is no such file."""
    import os

    from mission_tui.ledger import judge, verify

    if "\0" in str(file.path) or not os.path.lexists(file.path):
        return None
    reason = str(file.problem).removeprefix(str(file.path)).strip()  # the row names the file
    return verify.as_json(judge.unread(file.path, reason))


def _own(arguments: argparse.Namespace) -> list[Path]:
    """What the desk itself reads or writes: in a folder it is nobody's hand-in."""
    named = (arguments.roster, arguments.course, arguments.receipts, arguments.resume)
    return [path for path in named if path is not None]


def judged(path: Path, content: bytes, desk: Desk | None, *, replayed: bool) -> Row:
    """The row of one file: what another process is asked for."""
    from mission_tui.ledger import judge, verify

    return verify.as_json(judge.judge_content(path, content, None, desk, replayed=replayed))


def _judged_here(
    path: Path, content: bytes, desk: Desk | None, *, replayed: bool, progress: Progress
) -> Row:
    from mission_tui.ledger import judge, verify

    report = judge.judge_content(path, content, progress, desk, replayed=replayed)
    return verify.as_json(report)


def _files(named: Sequence[Path], own: Sequence[Path]) -> Iterator[Collected]:
    """The named files, and those in the named folders but one's own."""
    from mission_tui.ledger import collector
    from mission_tui.ledger.collector import Collected
    from mission_tui.ledger.files import CannotOpenError, read_regular
    from mission_tui.ledger.strict import MAX_BYTES

    for path in named:
        try:
            if path.is_dir() and not path.is_symlink():
                yield from collector.collect(path, own)
            else:
                content = read_regular(path, MAX_BYTES + 1)
                yield Collected(path, content, None, path.lstat().st_mtime_ns)
        except (CannotOpenError, ValueError) as error:
            yield Collected(path, b"", str(error))


def _workers(arguments: argparse.Namespace, replayed: bool) -> int:
    import os

    if arguments.workers is not None:
        return int(arguments.workers)
    many = len(arguments.files) >= MANY or any(path.is_dir() for path in arguments.files)
    return (os.cpu_count() or 1) if replayed and many else 1


def _executor(workers: int) -> Any:
    """An executor as a context, or a context of None for this process."""
    from contextlib import nullcontext

    if workers == 1:
        nothing: nullcontext[Executor | None] = nullcontext(None)
        return nothing
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Not forked: a thread of numpy's or of the progress line would be copied half-way.
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
