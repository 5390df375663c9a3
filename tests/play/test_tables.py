"""Settings near and known: probes, what a step would change, and runs in columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mission_tui.content.load import load
from mission_tui.content.schema import Mission
from mission_tui.play import evaluate, runcode, tables
from mission_tui.play.actions import Instant
from mission_tui.play.game import Game, Neighbour
from mission_tui.play.session import Refused, Session
from tests.play.conftest import Play

SHIPPED = Path(__file__).parents[2] / "missions"
NewGame = Callable[[Mission], Game]


def at_bench(mission: Mission) -> tuple[Game, Play]:
    play = Play(mission).to("workbench")
    return Game(play.session, play.events.append, lambda: Instant(len(play.events), "w")), play


def test_neighbours_are_one_step_of_one_slider(edge: Mission) -> None:
    game, _ = at_bench(edge)
    default = dict(game.setting)
    assert {(to.control, to.up, to.to) for to in game.neighbours() if to.control == "batch"} == {
        ("batch", False, 16),
        ("batch", True, 64),
    }
    game.turn("batch", 64)  # a sweep in progress counts: the end has one neighbour
    assert [to.to for to in game.neighbours() if to.control == "batch"] == [32]
    for to in game.neighbours():
        moved = {**default, "batch": 64, to.control: to.to}
        assert sum(moved[name] != game.setting[name] for name in moved) == 1


def test_a_probe_is_an_ordinary_run_and_the_sliders_stay(budgeted: Mission) -> None:
    game, play = at_bench(budgeted)
    before = dict(game.setting)
    to = next(to for to in game.neighbours() if to.control == "batch" and not to.up)
    run = game.begin_probe(to)
    assert dict(game.setting) == before
    assert game.session.runs_left == 2
    landed = game.end_run(run, evaluate.outcome(game.session.request(run.setting)))
    assert landed.setting == {**before, "batch": 16}
    assert [event.kind for event in play.events[-4:]] == ["control", "run", "control", "run_end"]
    assert Session.replayed(budgeted, play.recorded).state == game.session.state


def test_a_probe_that_can_not_be_committed_moves_nothing(budgeted: Mission) -> None:
    game, play = at_bench(budgeted)
    to = game.neighbours()[0]
    with pytest.raises(Refused, match="one step of one slider"):
        game.begin_probe(Neighbour("batch", False, 1))
    game.begin_probe(to)
    count = len(play.events)
    with pytest.raises(Refused, match="in flight"):
        game.begin_probe(to)
    assert len(play.events) == count
    game.restart_run()
    game.resume_run()
    game.run()
    game.run()
    count = len(play.events)
    with pytest.raises(Refused, match="no runs left"):
        game.begin_probe(to)
    assert len(play.events) == count


def test_sensitivity_is_free_where_charts_follow_and_refused_where_runs_cost(
    edge: Mission, budgeted: Mission
) -> None:
    game, play = at_bench(edge)
    count = len(play.events)
    found = game.sensitivity()
    assert [to for to, _ in found] == list(game.neighbours())
    assert len(play.events) == count
    here = evaluate.outcome(game.session.request(game.setting)).metrics
    words = tables.sensitivity(game.session, here, found)
    less = next(outcome for to, outcome in found if to.control == "batch" and not to.up)
    assert less.metrics["peak_memory"] < here["peak_memory"]
    assert "Batch ▼ 16 samples" in words
    assert "Peak memory −1.33 GB" in words
    with pytest.raises(Refused, match="costs a run"):
        at_bench(budgeted)[0].sensitivity()


def test_a_code_sets_the_sliders_by_ordinary_moves(edge: Mission) -> None:
    game, play = at_bench(edge)
    wanted = {**game.setting, "batch": 4, "optimizer": "sgd"}
    game.turn_to(runcode.write(game.session, wanted))
    assert game.setting == wanted
    assert [event.kind for event in play.events[-2:]] == ["control", "control"]
    with pytest.raises(Refused, match="typo"):
        game.turn_to("0000-0001")
    assert game.setting == wanted
    assert Session.replayed(edge, play.recorded).state.setting == wanted


def test_every_run_is_listed_with_its_code_and_all_fit(edge: Mission) -> None:
    play = Play(edge).to("workbench")
    assert tables.runs(play.session) == tables.last_code(play.session) == "No run yet."
    play.run(5e8).run(1e8)
    words = tables.runs(play.session)
    code = runcode.write(play.session, play.session.state.setting)
    assert words.count(f"code {code}") == 2
    assert tables.last_code(play.session) == f"Run #2 is {code}"
    assert "Peak memory 500 MB" in words


def test_tables_fit_seventy_columns_on_every_shipped_part() -> None:
    for path in sorted(SHIPPED.glob("vol*.toml")):
        for mission in load(path).tracks.values():
            for name, part in mission.ordered:
                if part.kind != "live":
                    continue
                one = mission.model_copy(update={"parts": {name: part}})
                start = Play(one).session
                request = start.request()
                outcome = evaluate.outcome(request)
                words = tables.sensitivity(
                    start, dict.fromkeys(outcome.metrics, 0.0), [(first(start), outcome)]
                )
                assert max(map(len, words.splitlines())) <= 70


def first(session: Session) -> Neighbour:
    return Game(session, lambda _: None, lambda: Instant(0, "w")).neighbours()[0]
