"""The desk's table as CSV: a row a file, the columns in an order that stays.

A spreadsheet computes what begins with ``=``, ``+``, ``-`` or ``@``, and names and files come from
students. So a text that begins so, with a tab or a carriage return, gets an apostrophe before it
(OWASP, "CSV Injection"). Numbers are numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final

from mission_tui.grading.grade import Graded
from mission_tui.grading.overrides import CRITERIA
from mission_tui.ledger.verdict import NAMES
from mission_tui.text import clean_line

_COMPUTED: Final = tuple("=+-@\t\r\n＝＋－＠")
_EACH: Final = ("", "_of", "_by_rubric", "_events")

COLUMNS: Final = (
    *("file", "student", "name", "mission", "track", "attempt", "play", "driver", "seed"),
    *NAMES,
    *("unfinished", "events"),
    *(f"{criterion}{each}" for criterion in CRITERIA for each in _EACH),
    *("total", "total_of", "total_by_rubric", "rank", "rubric"),
    *("flags", "held", "overrides", "reasons", "problem", "sha256"),
)
"""Every column, always. ``…_events`` are the numbers of the events that earned the points."""


def written(found: Sequence[Graded]) -> str:
    """The whole table."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")  # RFC 4180
    table.writerow(COLUMNS)
    for each in found:
        table.writerow([cells(each)[column] for column in COLUMNS])
    return out.getvalue()


def cells(graded: Graded) -> dict[str, str]:
    """The cells of one row by column."""
    row = graded.row
    reasons = [
        f"{name}: {verdict.reason}"
        for name, verdict in row.verdicts.items()
        if verdict.state not in {"holds", "not applicable"}
    ]
    found = {
        "file": text(row.file),
        "student": text(row.student),
        "name": text(graded.name),
        "mission": text(row.mission),
        "track": text(row.track),
        "attempt": str(row.attempt or ""),
        "play": text(row.play_id),
        "driver": text(row.driver),
        "seed": text(row.seed),
        **{name: verdict.state for name, verdict in row.verdicts.items()},
        "unfinished": "yes" if row.unfinished else "",
        "events": str(row.events or ""),
        "total": number(graded.total),
        "total_of": number(graded.of),
        "total_by_rubric": number(graded.by_rubric),
        "rank": text(row.rank),
        "rubric": text(row.rubric),
        "flags": text("; ".join(graded.flags)),
        "held": text("; ".join(graded.held)),
        "overrides": text("; ".join(change.says for change in graded.changes), 2_000),
        "reasons": text("; ".join(reasons), 1_000),
        "problem": text(row.problem),
        "sha256": row.sha256,
    }
    for name in CRITERIA:
        own = graded.criteria.get(name)
        found[name] = number(own.points if own else None)
        found[f"{name}_of"] = number(own.of if own else None)
        found[f"{name}_by_rubric"] = number(own.by_rubric if own else None)
        found[f"{name}_events"] = " ".join(map(str, own.seqs)) if own else ""
    return found


def number(value: float | None) -> str:
    """Points with two decimals at most; nothing where there are none."""
    return "" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


def text(value: object, limit: int = 400) -> str:
    """A text as a cell that no spreadsheet computes."""
    raw = str(value)
    cleaned = clean_line(raw, limit)
    return f"'{cleaned}" if cleaned.startswith(_COMPUTED) or raw.startswith(_COMPUTED) else cleaned
