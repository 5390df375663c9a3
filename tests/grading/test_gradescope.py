"""What Gradescope reads: points by criterion, and none from a machine for what awaits a person."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mission_tui.grading import grade, gradescope
from mission_tui.grading.marks import Override
from mission_tui.grading.overrides import Gathered, Given
from mission_tui.grading.row import Row, unread
from mission_tui.ledger.verdict import Verdict


def test_points_a_test_each_with_events_and_reasons(rows: Sequence[Row]) -> None:
    (each,) = grade.graded(rows[:1], Gathered(), None)
    found = json.loads(gradescope.written(each))
    assert found["score"] == pytest.approx(each.total, abs=0.01)
    assert found["extra_data"]["of"] == each.of == sum(t["max_score"] for t in found["tests"])
    assert sum(test["score"] for test in found["tests"]) == pytest.approx(found["score"], abs=0.03)
    locks = next(test for test in found["tests"] if test["name"] == "locks")
    assert "events: 3" in locks["output"]
    assert found["output"] == (
        "Holds: parse, signature, chain, binding.\nNot applicable: replay, witness."
    )


def test_only_what_the_specification_names_is_written(rows: Sequence[Row]) -> None:
    """Autograder Specifications, "Output format": only a test has a ``max_score``."""
    whole = {
        "score", "execution_time", "output", "output_format", "test_output_format",
        "test_name_format", "visibility", "stdout_visibility", "extra_data", "tests", "leaderboard",
    }  # fmt: skip
    test = {
        "score", "max_score", "status", "name", "name_format", "number", "output",
        "output_format", "tags", "visibility", "extra_data",
    }  # fmt: skip
    for row in (*rows, unread("x", "it is a folder")):
        (each,) = grade.graded([row], Gathered(), None)
        found = json.loads(gradescope.written(each))
        assert set(found) <= whole
        assert {"score", "tests"} <= set(found)  # one of them at least
        assert all(set(one) <= test for one in found["tests"])
        formats = {found["output_format"], *(one["output_format"] for one in found["tests"])}
        assert formats <= {"text", "simple_format", "html", "md", "ansi"}


def test_the_score_stands_instead_of_the_tests_sum(rows: Sequence[Row]) -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    given = Override(rows[0].play_id, "total", 7.25, "spoken to", "G", at)
    (each,) = grade.graded(rows[:1], Gathered((Given(given, "f", True),)), None)
    found = gradescope.results(each)
    assert found["score"] == 7.25 != sum(test["score"] for test in found["tests"])
    assert "→ 7.25 by G" in found["output"]


def test_what_fails_is_held_back_and_says_so(rows: Sequence[Row]) -> None:
    forged = replace(
        rows[0], verdicts={**rows[0].verdicts, "chain": Verdict("fails", "line 3 \x1b[2J is odd")}
    )
    (each,) = grade.graded([forged], Gathered(), None)
    found = gradescope.results(each)
    assert found["score"] == 0
    assert all(test["score"] == 0 for test in found["tests"])
    assert found["output"].startswith("Held back for a person to look at: chain fails.")
    assert "\x1b" not in json.dumps(found, ensure_ascii=False)
    assert found["extra_data"]["by_rubric"] == each.by_rubric != 0


def test_garbage_has_a_result_too() -> None:
    (each,) = grade.graded([unread("x", "it is a folder", opened=False)], Gathered(), None)
    found = gradescope.results(each)
    assert (found["score"], found["tests"]) == (0, [])
    assert found["output"].count("it is a folder") == 1
