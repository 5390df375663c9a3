"""The instructor's own Canvas gradebook, exported as CSV, with one column filled in.

Nothing else is touched: lines of students who have no points, and lines that are no students, are
written back byte for byte (a new column adds an empty cell to them). Canvas knows students by its
own ``ID`` and by ``SIS Login ID``, and takes new columns by their header; the line that begins
with "Points Possible" says what a column is worth (gradebook_importer.rb of Canvas).
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mission_tui.grading.csvs import number
from mission_tui.text import clean_line

LARGEST: Final = 20_000_000
POSSIBLE: Final = "Points Possible"
MATCHED: Final = ("SIS Login ID", "SIS User ID", "ID", "Student")
"""The columns that a student is looked up by, the surest first."""
_NEWLINES: Final = ("\r\n", "\n", "\r")


class CanvasError(ValueError):
    """A gradebook that can't be filled in; one sentence."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The gradebook as it is to be written, and who was not found on either side."""

    content: bytes
    filled: tuple[str, ...]
    without_line: tuple[str, ...]
    """Students with points of whom the gradebook has no line."""
    doubtful: tuple[str, ...]
    """Students whom several lines of the gradebook could be: none was filled in."""
    possible: float


@dataclass(frozen=True, slots=True)
class _Line:
    raw: str
    cells: tuple[str, ...]


def fill(
    content: bytes,
    column: str,
    shares: Mapping[str, float],
    names: Mapping[str, str],
    possible: float,
) -> Filled:
    """Fill in ``column`` with each student's share of the points.

    ``shares`` maps student ids to a share of what could be earned, ``names`` to the roster's names.
    A column that is there keeps its points possible; else it is added, worth ``possible``.
    Raises :class:`CanvasError`.
    """
    text, mark = _text(content)
    delimiter = _delimiter(text)
    lines = list(_lines(text, delimiter))
    if not lines or not {"Student", "ID"} <= {cell.strip() for cell in lines[0].cells}:
        raise CanvasError("the first line has no Student and ID: it is no exported gradebook")
    head = [cell.strip() for cell in lines[0].cells]
    at = _place(head, column)
    worth = possible
    points_line = next((n for n, line in enumerate(lines) if _is_points(line)), None)
    if at is not None and points_line is not None:
        worth = _worth(_cell(lines[points_line], at), column, possible)
    where, doubtful = _matches(lines, head, shares, names)
    out = io.StringIO()
    for n, line in enumerate(lines):
        new: str | None = None
        if n in where:
            new = number(shares[where[n]] * worth)
        elif at is None and n == 0:
            new = column
        elif at is None and n == points_line:
            new = number(worth)
        out.write(_written(line, at, new, delimiter))
    filled = tuple(where.values())
    without = tuple(s for s in shares if s not in filled and s not in doubtful)
    return Filled(mark + out.getvalue().encode("utf-8"), filled, without, doubtful, worth)


def _text(content: bytes) -> tuple[str, bytes]:
    """The gradebook's text, and the byte order mark that it began with."""
    if len(content) > LARGEST:
        raise CanvasError(f"the gradebook is larger than {LARGEST:,} bytes")
    mark = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
    try:
        return content[len(mark) :].decode("utf-8"), mark
    except UnicodeDecodeError:
        raise CanvasError(
            "the gradebook is not UTF-8: export it anew, don't save it over"
        ) from None


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return ";" if first.count(";") > first.count(",") else ","


def _lines(text: str, delimiter: str) -> Iterator[_Line]:
    """Every record with the text that it was read from."""
    taken: list[str] = []

    def source() -> Iterator[str]:
        for line in text.splitlines(keepends=True) if "\n" not in text else _by_newline(text):
            taken.append(line)
            yield line

    try:
        for cells in csv.reader(source(), delimiter=delimiter, strict=True):
            yield _Line("".join(taken), tuple(cells))
            taken.clear()
    except csv.Error as error:
        raise CanvasError(clean_line(f"the gradebook is no CSV: {error}", 200)) from None


def _by_newline(text: str) -> Iterator[str]:
    """Lines ended by LF alone: other separators are parts of names."""
    return iter(io.StringIO(text, newline="\n"))


def _place(head: Sequence[str], column: str) -> int | None:
    """Where the column stands: by its whole header, else without Canvas's number behind it."""
    exact = [n for n, cell in enumerate(head) if cell == column]
    bare = [n for n, cell in enumerate(head) if _bare(cell) == column and cell != column]
    found = exact or bare
    if len(found) > 1:
        raise CanvasError(clean_line(f"the gradebook has several columns called {column!r}", 200))
    if found and found[0] < 1 + max(
        n for n, cell in enumerate(head) if cell in (*MATCHED, "Section")
    ):
        raise CanvasError(clean_line(f"{column!r} is a column about the students", 200))
    return found[0] if found else None


def _bare(cell: str) -> str:
    """``Mission 1 (123)`` is Canvas's name of the assignment ``Mission 1``."""
    name, open_, number_ = cell.rpartition(" (")
    return name if open_ and number_.endswith(")") and number_[:-1].isdigit() else cell


def _is_points(line: _Line) -> bool:
    return bool(line.cells) and POSSIBLE in line.cells[0]


def _worth(cell: str, column: str, possible: float) -> float:
    if "read only" in cell:
        raise CanvasError(clean_line(f"Canvas computes {column!r} itself: name another", 200))
    try:
        found = float(cell.strip().replace(",", "."))
    except ValueError:
        return possible
    return found if math.isfinite(found) and found > 0 else possible


def _matches(
    lines: Sequence[_Line],
    head: Sequence[str],
    shares: Mapping[str, float],
    names: Mapping[str, str],
) -> tuple[dict[int, str], tuple[str, ...]]:
    """Which line is which student's. Who could be several lines is none of them."""
    found: dict[str, list[int]] = {}
    students = [(n, line) for n, line in enumerate(lines) if n and not _is_points(line)]
    for key in MATCHED:
        if key not in head:
            continue
        at = head.index(key)
        by_cell: dict[str, list[int]] = {}
        for n, line in students:
            if cell := _cell(line, at).strip():
                by_cell.setdefault(cell, []).append(n)
        for student in shares:
            if student in found:
                continue
            wanted = {student} if key != "Student" else _forms(names.get(student, ""))
            if hits := sorted({n for form in wanted for n in by_cell.get(form, [])}):
                found[student] = hits
    owners: dict[int, list[str]] = {}
    for student, hits in found.items():
        for n in hits:
            owners.setdefault(n, []).append(student)
    sure = {
        hits[0]: student
        for student, hits in found.items()
        if len(hits) == 1 and len(owners[hits[0]]) == 1
    }
    return sure, tuple(student for student in found if student not in sure.values())


def _forms(name: str) -> set[str]:
    """A roster's name as Canvas may write it: ``Ada Lovelace``, ``Lovelace, Ada``."""
    first, _, last = name.strip().rpartition(" ")
    return {name.strip(), f"{last}, {first}"} if first else {name.strip()} - {""}


def _cell(line: _Line, at: int) -> str:
    return line.cells[at] if at < len(line.cells) else ""


def _written(line: _Line, at: int | None, new: str | None, delimiter: str) -> str:
    body, end = line.raw, ""
    for newline in _NEWLINES:
        if body.endswith(newline):
            body, end = body.removesuffix(newline), newline
            break
    if at is None:
        if not line.cells:
            return line.raw
        return body + delimiter + _quoted(new or "", delimiter) + end
    if new is None:
        return line.raw
    cells = [*line.cells, *[""] * (at + 1 - len(line.cells))]
    cells[at] = new
    return _quoted_row(cells, delimiter) + end


def _quoted(cell: str, delimiter: str) -> str:
    return _quoted_row([cell], delimiter) if cell else ""


def _quoted_row(cells: Sequence[str], delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerow(cells)  # quotes both
    return out.getvalue().removesuffix("\r\n")
