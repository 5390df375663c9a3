"""One file, one row, whatever the file is; and each point with the events that earned it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mission_tui.grading import grade
from mission_tui.grading.row import Job, Row, of_content, of_file
from mission_tui.ledger.verdict import NAMES
from mission_tui.play import score
from mission_tui.play.events import Event
from tests.grading import classroom

Plays = dict[str, list[Event]]


def test_a_row_says_who_played_what_and_which_events_earned_each_point(
    rows: Sequence[Row], plays: Plays
) -> None:
    row = rows[0]
    assert (row.student, row.mission, row.track, row.attempt) == ("ada", "memory-wall", "tiny", 1)
    assert {name: v.state for name, v in row.verdicts.items()} == {
        **dict.fromkeys(("parse", "signature", "chain", "binding"), "holds"),
        **dict.fromkeys(("replay", "witness"), "not applicable"),
    }
    kinds = {"locks": {"lock"}, "claims": {"claim"}, "control": {"run", "run_end"}}
    for each in row.points:
        assert (each.points > 0) <= bool(each.seqs)
        found = {plays["ada"][seq].kind for seq in each.seqs}
        assert found <= kinds.get(each.criterion, {"run", "run_end"})
        assert all(plays["ada"][seq].part == each.part for seq in each.seqs)
    assert {each.criterion for each in row.points} == {"locks", "parts", "claims", "control"}


def test_predictions_and_what_the_class_view_needs_are_in_the_row(
    rows: Sequence[Row], plays: Plays
) -> None:
    for row in rows:
        (made,) = row.predictions
        lock = next(e.data for e in plays[row.student] if e.kind == "lock")
        assert (made.said, made.low, made.high) == (lock["value"], lock["low"], lock["high"])
        (part,) = row.parts
        assert part.part == "memory"
        assert part.minutes is not None
        assert 0 < len(part.runs) <= sum(e.kind == "run" for e in plays[row.student])
        assert part.claims
        assert row.stopped == ("", "")


def test_a_replay_holds_and_is_given_up_when_patience_ends(plays: Plays, job: Job) -> None:
    content = classroom.sealed(plays["ada"])
    held = of_content(content, "ada", replace(job, replay=True))
    assert held.verdicts["replay"].state == "holds", held.verdicts
    late = of_content(content, "ada", replace(job, replay=True, patience=0.0))
    assert late.verdicts["replay"].state == "not replayable here"
    assert "longer than 0 s" in late.verdicts["replay"].reason
    assert late.points == held.points


def test_points_end_where_the_rules_forbid_an_event(plays: Plays, job: Job) -> None:
    events = list(plays["ada"])
    at = next(n for n, event in enumerate(events) if event.kind == "claim")
    forged = replace(events[at], data={**events[at].data, "failed": {}, "verified": "so it is"})
    events[at] = forged
    row = of_content(classroom.sealed(events), "forged", replace(job, replay=True))
    assert row.verdicts["chain"].state == "holds"  # the forger made it anew
    assert row.verdicts["replay"].state == "fails"
    assert f"event {at}" in row.problem
    assert sum(each.points for each in row.points if each.criterion == "claims") == 0
    assert sum(each.points for each in row.points if each.criterion == "locks") > 0


def test_a_play_of_another_mission_has_a_row_without_points(plays: Plays, job: Job) -> None:
    events = list(plays["ada"])
    events[0] = replace(events[0], data={**events[0].data, "mission": "elsewhere"})
    row = of_content(classroom.sealed(events), "other", job)
    assert row.verdicts["binding"].state == "not replayable here"
    assert (row.points, row.problem) == ((), "its mission is not installed, so it has no points")
    (result,) = grade.graded([row], grade.Gathered(), None)
    assert "binding not replayable here" in result.held
    assert result.total is None


def test_garbage_has_a_row_each_and_none_takes_long(tmp_path: Path, job: Job) -> None:
    where = tmp_path / "handed-in"
    where.mkdir()
    names = classroom.garbage(where)
    began = time.monotonic()
    rows = {name: of_file(file, name, job) for file, name in grade.collect(where)}
    assert time.monotonic() - began < len(names)
    assert sorted(rows) == names
    for row in rows.values():
        assert row.verdicts["parse"].state == "fails"
        assert set(row.verdicts) == set(NAMES)
    reasons = {name: row.verdicts["parse"].reason for name, row in rows.items()}
    assert reasons["fifo.ledger.json"] == "it is a pipe and no file"
    assert reasons["link.ledger.json"] == "it is a symbolic link and no file"
    assert reasons["folder.ledger.json"] == "it is a folder and no file"
    assert reasons["empty.ledger.json"] == "it is empty"
    assert "nested deeper" in reasons["brackets.ledger.json"]
    assert "larger than" in reasons["large.ledger.json"]
    ((gone, name),) = grade.collect(where / "gone.ledger.json")
    vanished = of_file(gone, name, job)
    assert "no such file" in vanished.verdicts["parse"].reason
    assert not vanished.opened


@given(st.binary(max_size=200))
def test_any_bytes_have_a_row(content: bytes) -> None:
    job = Job(score.rubric(score.DEFAULT), replay=False)
    assert of_content(content, "any", job).verdicts["parse"].state == "fails"


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from(
            "student mission track attempt driver seed seed_root mission_hash play_id".split()
        ),
        st.none() | st.integers(-3, 3) | st.text(max_size=5) | st.just({}) | st.just([1]),
        max_size=4,
    )
)
def test_any_header_has_a_row(plays: Plays, data: dict[str, object]) -> None:
    events = [replace(plays["ada"][0], data={**plays["ada"][0].data, **data}), *plays["ada"][1:4]]
    job = Job(score.rubric(score.DEFAULT), replay=False)
    row = of_content(classroom.sealed(events), "any", job)
    assert row.verdicts["parse"].state == "holds", row
