"""What Gradescope reads: points by criterion, and none from a machine for what awaits a person."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from mission_tui.grading import grade, gradescope
from mission_tui.grading.overrides import Gathered
from mission_tui.grading.row import Row, unread
from mission_tui.ledger.verdict import Verdict


def test_points_a_test_each_with_events_and_reasons(rows: Sequence[Row]) -> None:
    (each,) = grade.graded(rows[:1], Gathered(), None)
    found = json.loads(gradescope.written(each))
    assert found["score"] == pytest.approx(each.total, abs=0.01)
    assert found["max_score"] == each.of == sum(test["max_score"] for test in found["tests"])
    assert sum(test["score"] for test in found["tests"]) == pytest.approx(found["score"], abs=0.03)
    locks = next(test for test in found["tests"] if test["name"] == "locks")
    assert "events: 3" in locks["output"]
    assert found["output"] == "Every verdict holds."


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
    assert "it is a folder" in found["output"]
