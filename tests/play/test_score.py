"""The score: what earns points, by which events, and what never does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mission_tui.content.schema import Mission
from mission_tui.play import actions as do
from mission_tui.play import score, worth
from mission_tui.play.proof import Record, Solved
from mission_tui.play.score import RubricError, Source
from tests.play.conftest import Play

PlayOf = Callable[[Mission], Play]


def points(play: Play, record: Record | None = None) -> dict[str, float]:
    found: dict[str, float] = {}
    for each in score.score(play.session, score.rubric(), record).earned:
        found[each.criterion] = found.get(each.criterion, 0.0) + each.points
    return found


def test_a_play_earns_by_what_it_did(play: Play) -> None:
    play.to("debrief")  # two runs that differ in the batch alone; neither passes
    by = score.rubric()
    found = score.score(play.session, by)
    assert {each.criterion for each in found.earned} == {"locks", "parts", "claims", "control"}
    assert points(play)["locks"] == by.points.locks
    assert points(play)["control"] == pytest.approx(by.points.control / 3)
    assert found.of == by.points.locks + by.points.parts + by.points.claims + by.points.control
    told = list(score.lines(found, play.session))
    assert told[0].startswith(f"{found.points:.0f} of {found.of:.0f} points")
    assert any("#1→#2" in line for line in told)


def test_each_point_names_the_events_that_earned_it(play: Play) -> None:
    play.to("debrief")
    for each in score.score(play.session, score.rubric()).earned:
        assert (each.points > 0) <= bool(each.sources)
        for source in each.sources:
            seqs = score.seqs(source, play.recorded)
            assert seqs
            assert all(play.recorded[n].part == "memory" for n in seqs)
    claims = [n for n, e in enumerate(play.recorded) if e.kind == "claim"]
    assert score.seqs(Source("claim", "memory", "1"), play.recorded) == (claims[0],)


def test_neither_speed_nor_a_right_prediction_is_worth_a_point(edge: Mission) -> None:
    quick, slow = Play(edge), Play(edge)
    quick.do(do.Enter("lock")).do(quick.seal(value=2e8, latency_ms=1, edits=0))
    slow.do(do.Enter("lock")).do(
        slow.seal(value=9.0, low=8.0, high=10.0, mechanism="weights", latency_ms=10**7, edits=99)
    )
    quick.to("debrief")
    slow.session = replace(slow.session, mono_ms=10**8)
    slow.to("debrief")
    right = [each.session.judgements("memory")["least"] for each in (quick, slow)]
    assert (right[0].cell, right[1].cell) == ("both", "neither")
    assert points(quick) == points(slow)


def test_a_missed_part_earns_by_its_regret_where_there_is_a_record(play: Play) -> None:
    play.to("debrief")
    by, seed = score.rubric(), play.session.seed_of("memory")
    assert points(play)["parts"] == 0.0
    best = play.session.best_run("memory")
    assert best
    assert best.outcome
    reached = score.objective(play.mission, play.mission.parts["memory"], best.outcome.metrics)
    solved = Solved(best=reached + 0.5, default=reached - 0.5, setting={}, exact=True)
    record = Record({("memory", "-", seed): solved}, {}, {})
    assert points(play, record)["parts"] == pytest.approx(by.points.parts * by.parts.missed / 2)


def test_parties_earn_by_how_they_settled_and_a_waiver_little(
    table: Mission, play_of: PlayOf
) -> None:
    met, waived = play_of(table), play_of(table)
    for each in (met, waived):
        each.to("workbench").tried({"batch": 1}, peak_memory=1.5e8, amplification=3.0, accuracy=85,
                                   trained_parameters=2.5e6)  # fmt: skip
        each.run(2e8)
        each.do(do.Turn("batch", 4, 0)).run(3e8).to("talks")
    met.do(do.Move("clerk", "meet", 1), do.Move("coach", "meet", 1))
    waived.do(waived.waive("clerk"), waived.waive("coach"))
    by = score.rubric()
    assert points(met)["table"] == pytest.approx(by.points.table)
    assert points(waived)["table"] == pytest.approx(by.points.table * by.table.waived)
    assert points(waived)["value"] == 0.0
    assert points(met)["value"] == pytest.approx(by.points.value)
    assert worth.made(met.session, "memory") == worth.best(met.session, "memory", None)
    best = worth.best(waived.session, "memory", None)
    assert best
    assert best.run == 1


def test_an_instructor_replaces_the_rubric(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.toml"
    text = score.DEFAULT.read_text(encoding="utf-8")
    own.write_text(text.replace("locks = 10 ", "locks = 0 "), encoding="utf-8")
    monkeypatch.setenv(score.VARIABLE, str(own))
    play.to("debrief")
    assert "locks" not in points(play)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("schema = 1", "name"),
        ("=", "not TOML"),
        ("\udcff", "not TOML"),
    ],
)
def test_a_rubric_that_is_none_is_refused_in_a_sentence(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RubricError, match=said):
        score.rubric(path)
    with pytest.raises(RubricError, match="can't be read"):
        score.rubric(tmp_path / "none.toml")


def test_no_rubric_can_pay_for_speed(tmp_path: Path) -> None:
    path = tmp_path / "speed.toml"
    text = score.DEFAULT.read_text(encoding="utf-8")
    path.write_text(text.replace("[points]", "[points]\nspeed = 50"), encoding="utf-8")
    with pytest.raises(RubricError, match=r"points\.speed"):
        score.rubric(path)
