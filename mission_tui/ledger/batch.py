"""Many ledgers at once: over any executor, and on from where it stopped.

What was found is kept in a file of JSON lines. A row of it stands for a file whose name, size,
time and content are as they were, judged by the same program with the same knowledge; any other
is judged anew. A line that a crash tore is passed over.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mission_tui.ledger.collector import Collected
from mission_tui.ledger.files import open_regular, read_regular, write_all

Row = dict[str, Any]
"""What one file comes to, as JSON values."""
Task = Callable[..., Row]
"""Is called with a file's path, its content, and what ``knowing`` gives for it."""
_LONGEST: Final = 1_000_000_000


class Done:
    """The rows of an earlier run, and the file to which this run's are added.

    ``by`` is a digest of all that rows depend on beside the files. Raises CannotOpenError.
    """

    def __init__(self, path: Path | None, by: str) -> None:
        self._path, self._by = path, by
        self._rows: dict[str, Mapping[str, Any]] = {}
        if path is None or not os.path.lexists(path):
            return
        for line in read_regular(path, _LONGEST).split(b"\n"):
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict) and isinstance(found.get("row"), dict):
                self._rows[str(found.get("file"))] = found

    def row(self, file: Collected) -> Row | None:
        """The row of an unchanged file, or None."""
        found = self._rows.get(str(file.path))
        if found is None or {name: found.get(name) for name in _KEY} != self._key(file):
            return None
        row: Row = found["row"]
        return row

    def add(self, file: Collected, row: Row) -> None:
        """Keep a row. Raises OSError."""
        if self._path is None:
            return
        line = json.dumps({**self._key(file), "row": row}) + "\n"
        fd = open_regular(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            size = os.fstat(fd).st_size
            torn = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
            write_all(fd, (b"\n" if torn else b"") + line.encode("ascii"))
        finally:
            os.close(fd)

    def _key(self, file: Collected) -> dict[str, Any]:
        return {
            "by": self._by,
            "file": str(file.path),
            "mtime": file.mtime_ns,
            "sha256": hashlib.sha256(file.content).hexdigest(),
            "size": len(file.content),
        }


_KEY: Final = ("by", "file", "mtime", "sha256", "size")


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
        row = None if file.problem else done.row(file)
        if file.problem or row is not None:
            under_way.append((file, row))
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
    done.add(file, row)
    return row
