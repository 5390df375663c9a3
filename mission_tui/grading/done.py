"""Rows that are done, kept in a file, so that a run that was cut short goes on where it was.

One JSON line a row, with the key that it was made by: the file's content, the rubric, the
program's version, what is installed and what is known. Another of any of these is another row.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from pydantic import TypeAdapter, ValidationError

from mission_tui import __version__
from mission_tui.content.load import files
from mission_tui.grading.row import Job, Row
from mission_tui.ledger.desk import Desk
from mission_tui.ledger.files import open_regular, read_regular
from mission_tui.paths import missions_dir
from mission_tui.play.proof import proof_path
from mission_tui.play.start import facts

_FORMAT: Final = "1"
_ROW: Final = TypeAdapter(Row)


def stamp(job: Job) -> str:
    """What, besides its content, the row of a file hangs on."""
    found = hashlib.sha256()
    for path in files(missions_dir()):
        for each in (path, proof_path(path.stem), path.with_name("tracks.toml")):
            try:
                found.update(hashlib.sha256(each.read_bytes()).digest())
            except OSError:
                found.update(b"-")
    said = [
        _FORMAT,
        __version__,
        job.rubric.model_dump_json(by_alias=True),
        str(job.replay),
        _known(job.desk),
        facts(),
        found.hexdigest(),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _known(desk: Desk | None) -> list[object]:
    """What a desk knows, so that it can be compared; not the course's secret itself."""
    if desk is None:
        return []
    course = desk.course
    lines = [line for play in sorted(desk.receipts) for line in desk.receipts[play]]
    held = hashlib.sha256(b"".join(receipt.line() for receipt in lines)).hexdigest()
    secret = course is not None and course.secret is not None
    who = repr(desk.roster.students) if desk.roster is not None else ""
    named = [course.id, course.key] if course is not None else []
    return [who, named, secret, held, desk.witness_key]


class Done:
    """The file of done rows. Lines that can't be read are left alone: their files are done anew."""

    def __init__(self, path: Path, job: Job) -> None:
        self._path, self._stamp = path, stamp(job)
        self._rows: dict[str, str] = {}
        self._out: IO[str] | None = None

    def __enter__(self) -> Self:
        """Read what is done. Raises CannotOpenError for what is no regular file, or OSError."""
        if self._path.exists() or self._path.is_symlink():
            content = read_regular(self._path)
            for line in content.decode("utf-8", "replace").splitlines():
                try:
                    kept = json.loads(line)
                    if kept["stamp"] == self._stamp:
                        self._rows[kept["sha256"]] = json.dumps(kept["row"])
                except (ValueError, LookupError, TypeError, RecursionError):
                    continue
            torn = bool(content) and not content.endswith(b"\n")
        else:
            torn = False
        fd = open_regular(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._out = os.fdopen(fd, "a", encoding="utf-8")
        if torn:
            self._out.write("\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        if self._out is not None:
            self._out.close()

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, sha256: str) -> Row | None:
        """The row of a content, if it is done."""
        kept = self._rows.get(sha256)
        if kept is None:
            return None
        try:
            return _ROW.validate_json(kept, strict=True)
        except ValidationError:
            return None

    def keep(self, row: Row) -> None:
        """Keep a row; one without a content can't be known again."""
        if not row.sha256 or self._out is None:
            return
        kept = _ROW.dump_python(row, mode="json")
        line = {"stamp": self._stamp, "sha256": row.sha256, "row": kept}
        self._out.write(json.dumps(line) + "\n")
        self._out.flush()
