"""Many ledgers at once: over any executor, and on from where it stopped.

What was found is kept in a file of JSON lines. A row of it stands for a content, whatever the file
is called now, judged by the same program with the same knowledge (:func:`stamp`); any other is
judged anew. A line that a crash tore is passed over.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mission_tui.content.load import files as mission_files
from mission_tui.ledger.collector import Collected
from mission_tui.ledger.desk import Desk
from mission_tui.ledger.files import open_regular, read_regular, write_all
from mission_tui.paths import missions_dir
from mission_tui.play.proof import proof_path
from mission_tui.play.start import facts

Row = dict[str, Any]
"""What one file comes to, as JSON values; ``file`` is its path."""
Task = Callable[..., Row]
"""Is called with a file's path, its content, and what ``knowing`` gives for it."""
_LONGEST: Final = 1_000_000_000


def digest(content: bytes) -> str:
    """What a content is known by."""
    return hashlib.sha256(content).hexdigest()


def stamp(desk: Desk | None, *said: str) -> str:
    """A digest of what rows hang on besides their files: the program and what it computes with,
    the installed missions, what the desk knows, and what else was ``said``.
    """
    parts = [json.dumps([facts(), _known(desk), said]).encode()]
    for path in mission_files(missions_dir()):
        for each in (path, proof_path(path.stem), path.with_name("tracks.toml")):
            try:
                parts.append(each.read_bytes())
            except OSError:
                parts.append(b"")
    return digest(b"".join(hashlib.sha256(part).digest() for part in parts))


def _known(desk: Desk | None) -> list[object]:
    """What a desk knows, so that it can be compared; the course's secret by its digest."""
    if desk is None:
        return []
    course, roster = desk.course, desk.roster
    lines = [receipt.line() for play in sorted(desk.receipts) for receipt in desk.receipts[play]]
    secret = course.secret if course is not None else None
    return [
        [roster.course, repr(roster.students)] if roster is not None else None,
        [course.id, course.key] if course is not None else None,
        digest(secret) if secret is not None else None,
        digest(b"".join(lines)),
        desk.witness_key,
    ]


class Done:
    """The rows of earlier runs by their content's digest, and the file that more are added to.

    ``by`` is the rows' :func:`stamp`. Raises CannotOpenError.
    """

    def __init__(self, path: Path | None, by: str) -> None:
        self._path, self._by = path, by
        self._rows: dict[str, Row] = {}
        if path is None or not os.path.lexists(path):
            return
        for line in read_regular(path, _LONGEST).split(b"\n"):
            try:
                kept = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if (
                isinstance(kept, dict)
                and kept.get("by") == by
                and isinstance(kept.get("row"), dict)
            ):
                self._rows[str(kept.get("sha256"))] = kept["row"]

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, sha256: str) -> Row | None:
        """The row of a content, or None where it is not done."""
        return self._rows.get(sha256)

    def add(self, sha256: str, row: Row) -> None:
        """Keep a row. Raises OSError."""
        if self._path is None:
            return
        line = json.dumps({"by": self._by, "sha256": sha256, "row": row}) + "\n"
        fd = open_regular(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            size = os.fstat(fd).st_size
            torn = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
            write_all(fd, (b"\n" if torn else b"") + line.encode("ascii"))
        finally:
            os.close(fd)


@dataclass(frozen=True, slots=True)
class Judged:
    """A file and its row; ``row`` is None where the file was not read (``file.problem``)."""

    file: Collected
    row: Row | None


def judge_all(
    files: Iterable[Collected],
    task: Task,
    executor: Executor | None,
    done: Done,
    ahead: int = 4,
    knowing: Callable[[bytes], tuple[Any, ...]] = lambda _: (),
) -> Iterator[Judged]:
    """Judge files in their order: in this process, or up to ``ahead`` at once on an executor.

    No more than ``ahead`` contents are held at a time. ``task`` must be picklable for processes.
    """
    under_way: deque[tuple[Collected, Future[Row] | Row | None]] = deque()
    for file in files:
        row = None if file.problem else done.row(digest(file.content))
        if file.problem or row is not None:
            under_way.append((file, row and {**row, "file": str(file.path)}))
        elif executor is None:
            found = task(file.path, file.content, *knowing(file.content))
            under_way.append((file, _kept(done, file, found)))
        else:
            more = knowing(file.content)
            under_way.append((file, executor.submit(task, file.path, file.content, *more)))
        while under_way and (len(under_way) >= ahead or executor is None):
            yield _next(under_way, done)
    while under_way:
        yield _next(under_way, done)


def _next(under_way: deque[tuple[Collected, Future[Row] | Row | None]], done: Done) -> Judged:
    file, found = under_way.popleft()
    if isinstance(found, Future):
        return Judged(file, _kept(done, file, found.result()))
    return Judged(file, found)


def _kept(done: Done, file: Collected, row: Row) -> Row:
    done.add(digest(file.content), row)
    return row
