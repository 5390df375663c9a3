"""A ledger's points as Gradescope reads them (Autograder Specifications, "Output format").

The score at the top stands instead of the tests' sum, so points given by hand count. How many
points there are is the assignment's own setting there: only a test has a ``max_score``. A row that
awaits a person gets no points from a machine, and says so to student and instructor.
"""

from __future__ import annotations

import json
from typing import Any

from mission_tui.grading.grade import Graded
from mission_tui.text import clean, clean_line


def results(graded: Graded) -> dict[str, Any]:
    """The content of ``results.json`` for one file."""
    row = graded.row
    held = list(graded.held)
    tests = [
        {
            "name": clean_line(name, 100),
            "score": round(0.0 if held else each.points, 2),
            "max_score": round(each.of, 2),
            "output": clean(_why(graded, name), 2_000),
            "output_format": "text",
        }
        for name, each in graded.criteria.items()
    ]
    total = 0.0 if held or graded.total is None else graded.total
    return {
        "score": round(total, 2),
        "output": clean("\n".join(_said(graded)), 4_000),
        "output_format": "text",
        "tests": tests,
        "extra_data": {
            "play": clean_line(row.play_id),
            "sha256": row.sha256,
            "of": graded.of,
            "by_rubric": graded.by_rubric,
            "verdicts": {name: verdict.state for name, verdict in row.verdicts.items()},
            "flags": [clean_line(flag) for flag in graded.flags],
            "held": [clean_line(reason) for reason in held],
        },
    }


def written(graded: Graded) -> bytes:
    """The file, as bytes."""
    return json.dumps(results(graded), indent=2, ensure_ascii=True).encode("ascii") + b"\n"


def _why(graded: Graded, name: str) -> str:
    each = graded.criteria[name]
    events = ", ".join(map(str, each.seqs[:40]))
    lines = [each.why, f"events: {events}" if events else "no event earned points"]
    lines += [change.says for change in graded.changes if change.criterion == name]
    return "\n".join(lines)


def _said(graded: Graded) -> list[str]:
    row = graded.row
    lines = []
    if graded.held:
        lines.append(f"Held back for a person to look at: {'; '.join(graded.held)}.")
    lines += [
        f"{name} {verdict.state}: {verdict.reason}"
        for name, verdict in row.verdicts.items()
        if verdict.state not in {"holds", "not applicable"}
    ]
    lines += [change.says for change in graded.changes]
    if row.unfinished:
        lines.append("The play is unfinished: it counts as far as it goes.")
    if row.problem and row.events:  # else a verdict says it
        lines.append(row.problem)
    for state in ("holds", "not applicable"):
        if named := [name for name, verdict in row.verdicts.items() if verdict.state == state]:
            lines.append(f"{state.capitalize()}: {', '.join(named)}.")
    return lines
