"""Points given by hand: after the rubric, with both values, never silently, never a student's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mission_tui.grading import grade, marks
from mission_tui.grading.marks import Override
from mission_tui.grading.overrides import Gathered, Given, OverridesError, gather
from mission_tui.grading.row import Row
from mission_tui.ledger import keys

GRADER, OTHER = keys.from_private(bytes(32)), keys.from_private(bytes(31) + b"x")
AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def override(play: str, criterion: str = "claims", points: float = 7.5, day: int = 1) -> Override:
    return Override(play, criterion, points, "read it", "G. Rader", AT.replace(day=day))


def written(path: Path, *overrides: Override, by: keys.SigningKey | None = None) -> Path:
    content = marks.written(overrides, GRADER.public_hex, path.name)
    path.write_bytes(content)
    if by is not None:
        marks.signature_path(path).write_text(by.sign(content).hex() + "\n")
    return path


def only(row: Row, *given: Given) -> grade.Graded:
    return grade.graded([row], Gathered(given), None)[0]


def test_both_values_and_the_reason_are_shown(rows: Sequence[Row]) -> None:
    row = rows[0]
    before = only(row)
    after = only(row, Given(override(row.play_id), "f", True))
    assert after.criteria["claims"].points == 7.5
    assert after.criteria["claims"].by_rubric == before.criteria["claims"].points
    assert (after.by_rubric, before.total) == (before.total, before.by_rubric)
    assert after.total == pytest.approx(
        (before.total or 0) - before.criteria["claims"].points + 7.5
    )
    (change,) = after.changes
    assert change.says == (
        f"claims: {before.criteria['claims'].points:g} → 7.5 by G. Rader, 2026-05-01: read it"
    )
    unsigned = only(row, Given(override(row.play_id), "f", False))
    assert "not signed" in unsigned.changes[0].says
    assert only(row, Given(override("another play"), "f", True)).changes == ()


def test_of_two_the_later_counts_and_both_are_shown(rows: Sequence[Row]) -> None:
    row = rows[0]
    later, earlier = override(row.play_id, points=3, day=9), override(row.play_id, points=9, day=2)
    after = only(row, Given(later, "a", True), Given(earlier, "b", True))
    assert after.criteria["claims"].points == 3
    assert [change.after for change in after.changes] == [9, 3]


def test_what_the_rubric_does_not_know_is_said_and_changes_nothing(rows: Sequence[Row]) -> None:
    for criterion in ("table", "charm\x1b"):  # this mission has no table
        after = only(rows[0], Given(override(rows[0].play_id, criterion), "f", True))
        assert after.total == after.by_rubric
        assert any("is not applied" in flag for flag in after.flags)


def test_a_total_by_hand_is_a_persons_look_at_what_was_held_back(rows: Sequence[Row]) -> None:
    held = replace(rows[0], driver="bot:reference")
    assert only(held).held == ("played by a program",)
    some = only(held, Given(override(held.play_id, "claims"), "f", True))
    assert some.held
    all_ = only(held, Given(override(held.play_id, "total", 33), "f", True))
    assert (all_.held, all_.total, all_.of) == ((), 33, some.of)
    assert "looked at: played by a program" in all_.flags


def test_a_named_file_may_be_unsigned_and_a_signature_that_is_there_must_hold(
    tmp_path: Path,
) -> None:
    plain = written(tmp_path / "plain.toml", override("p"))
    signed = written(tmp_path / "signed.toml", override("p"), by=GRADER)
    found = gather([plain, signed], [], [GRADER.public_hex])
    assert [each.signed for each in found.given] == [False, True]
    for forged in (
        written(tmp_path / "other.toml", override("p"), by=OTHER),
        written(tmp_path / "edited.toml", override("p"), by=GRADER),
    ):
        if forged.name == "edited.toml":
            forged.write_bytes(forged.read_bytes().replace(b"7.5", b"9.5"))
        with pytest.raises(OverridesError, match="changed after it was signed, or another key"):
            gather([forged], [], [GRADER.public_hex])


def test_marks_beside_a_ledger_count_only_where_a_grader_signed_them(tmp_path: Path) -> None:
    ledgers = [tmp_path / f"{name}.ledger.json" for name in "abcd"]
    written(marks.marks_path(ledgers[0]), override("a"), by=GRADER)
    written(marks.marks_path(ledgers[1]), override("b", points=100))  # a student's own
    written(marks.marks_path(ledgers[2]), override("c", points=100), by=OTHER)
    marks.marks_path(ledgers[3]).symlink_to("/dev/zero")
    found = gather([], ledgers, [GRADER.public_hex])
    assert [each.override.play for each in found.given] == ["a"]
    assert len(found.left) == 3
    assert "not signed by a known grader" in found.left[0]


def test_json_says_the_same(tmp_path: Path) -> None:
    rows = [
        {
            "play": "p",
            "criterion": "claims",
            "points": 7.5,
            "reason": "read it",
            "by": "G. Rader",
            "at": "2026-05-01T12:00:00Z",
        }
    ]
    path = tmp_path / "o.json"
    path.write_text(json.dumps({"override": rows}))
    (found,) = gather([path], [], []).given
    assert found.override == override("p")


@pytest.mark.parametrize(
    "text",
    [
        "[[",
        "schema = 1\n[[override]]\nplay = 3",
        "schema = 1\noverride = 3",
        '{"override": [{"play": "p"}]}',
        '{"override": 3}',
        "[1]",
        "[" * 100_000,
        '{"override": [{"play":"p","criterion":"c","points":1e999,"reason":"r","by":"b",'
        '"at":"2026-01-01T00:00:00Z"}]}',
        '{"override": [{"play":"p","criterion":"c","points":1,"reason":"r","by":"b",'
        '"at":"2026-01-01T00:00:00"}]}',
    ],
)
def test_what_is_no_overrides_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    for name in ("o.toml", "o.json"):
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(OverridesError) as refused:
            gather([path], [], [])
        assert "\n" not in str(refused.value)
