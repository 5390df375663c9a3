"""Runs that cost something and take their time: stopped, resumed, spent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mission_tui.content.schema import Mission
from mission_tui.play import actions as do
from mission_tui.play import claims, evaluate
from mission_tui.play.session import IllegalPlay, Refused, Session
from mission_tui.play.specs import worst_share
from tests.play.fleets import PART, ROUNDS, Desk, small_fleet


@pytest.fixture(scope="module")
def mission() -> Mission:
    return small_fleet()


@pytest.fixture
def desk(mission: Mission) -> Desk:
    return Desk(mission).at_workbench()


def verdict(desk: Desk, metric: str, runs: tuple[int, int]) -> dict[str, str]:
    """What the rules say to the claim that two runs fill, with the right why."""
    draft, terms = desk.game.draft(metric, *runs), desk.game.terms(metric, runs)
    desk.game.claim(draft, runs, terms.largest, "")
    return dict(desk.session.state.claims[-1].failed)


def to_claim(desk: Desk) -> Desk:
    desk.game.go("reveal", 0, 0)
    desk.game.go("claim", 0, 0)
    return desk


def test_a_stopped_run_is_charged_and_keeps_the_rounds_that_it_did(desk: Desk) -> None:
    run = desk.stopped(3)
    assert (run.rounds, run.ended, desk.session.runs_left) == (3, False, 3)
    assert run.outcome is not None
    assert len(run.outcome.series["accuracy"]) == 3 + 1
    assert Session.replayed(desk.mission, desk.recorded) == desk.session


def test_a_stopped_run_is_explained_as_the_rounds_that_it_did(desk: Desk) -> None:
    run = desk.stopped(2)
    asked = dict(desk.session.request_of(run).setting)
    assert asked["rounds"] == 2
    found = evaluate.outcome(desk.session.request_of(run))
    assert run.outcome is not None
    for name, value in run.outcome.metrics.items():
        assert found.metrics[name] == value, name
    whole = desk.run()
    assert dict(desk.session.request_of(whole).setting)["rounds"] == ROUNDS


def test_a_stopped_run_never_meets_proves_or_passes(mission: Mission) -> None:
    # Specs that anything meets.
    easy = {
        name: spec.model_copy(update={"at_least": 0.0})
        for name, spec in mission.parts[PART].specs.items()
    }
    desk = Desk(small_fleet(specs=easy)).at_workbench()
    desk.stopped(ROUNDS - 1)
    assert not desk.session.passed(PART)
    assert desk.session.best_run(PART) is None
    assert desk.session.baseline({}) is None
    desk.game.act(do.Pin(1))
    assert desk.session.citable() == ()
    desk.run()
    assert desk.session.passed(PART)
    assert desk.session.best_run(PART) == desk.session.state.runs[1]


def test_a_stopped_run_is_no_setting_tried(desk: Desk) -> None:
    desk.stopped(1)
    assert desk.session.distinct_left == 2
    desk.run()
    assert desk.session.distinct_left == 1


def test_two_runs_stopped_alike_are_a_controlled_pair(desk: Desk) -> None:
    desk.run()
    desk.stopped(3)
    desk.turned(local_epochs=2).stopped(3)
    desk.run()
    to_claim(desk)
    assert verdict(desk, "accuracy", (2, 3)) == {}
    assert desk.session.claims_left == 0


def test_a_run_that_was_stopped_earlier_is_confounded_by_its_rounds(desk: Desk) -> None:
    desk.run()
    desk.turned(local_epochs=2).run()
    desk.stopped(2)
    desk.turned(local_epochs=3).stopped(4)
    to_claim(desk)
    assert desk.game.draft("accuracy", 1, 3).changed == ("local_epochs", claims.ROUNDS)
    assert verdict(desk, "accuracy", (1, 3))["control"] == "confounded by rounds"
    assert verdict(desk, "accuracy", (3, 4))["control"] == "confounded by rounds"
    # The same setting to its end and not: what differs is no slider, so there is nothing to claim.
    assert desk.game.draft("accuracy", 2, 3).control == ""
    assert "control" in verdict(desk, "accuracy", (2, 3))


def test_a_claim_cant_name_the_rounds_as_its_control(desk: Desk) -> None:
    desk.run()
    desk.stopped(2)
    draft = desk.game.draft("accuracy", 1, 2)
    claim = do.Claim(
        "accuracy", (1, 2), "rounds", draft.direction, draft.amount, draft.unit, "rounds", "", {}
    )
    found = claims.verdict(desk.session.part, claim, desk.session.evidence())
    assert found["control"] == "rounds is the same in both runs"


def test_a_run_that_a_dead_process_left_is_executed_again_and_not_charged_again(
    desk: Desk,
) -> None:
    desk.game.begin_run()
    found = desk.died()
    assert found.session.runs_left == 3
    run = found.game.resume_run()
    assert run is not None
    assert run.ended
    assert found.session.runs_left == 3
    assert [event.kind for event in found.events[-3:]] == ["run", "run_resume", "run_end"]
    assert Session.replayed(found.mission, found.recorded) == found.session


def test_a_resumed_run_may_be_stopped_too(desk: Desk) -> None:
    run = desk.game.begin_run()
    found = desk.died()
    again = found.game.restart_run()
    assert again == run
    partial = [*evaluate.stream(found.session.request(run.setting))][1]
    found.game.cancel_run(run, partial)
    assert found.session.state.runs[0].rounds == 1
    assert found.session.runs_left == 3


@pytest.mark.parametrize(
    "action",
    [do.Commit(), do.Enter("reveal"), do.Cancel(1, -1, do.Recorded({}, {}))],
)
def test_a_run_in_flight_has_to_land_first(desk: Desk, action: do.Action) -> None:
    desk.game.begin_run()
    with pytest.raises(Refused):
        desk.game.act(action)


def test_a_budget_that_is_spent_leaves_the_best_run_standing(desk: Desk) -> None:
    for epochs in (8, 4, 2, 1):
        desk.turned(local_epochs=epochs).run()
    assert desk.session.runs_left == 0
    with pytest.raises(Refused, match="no runs left: the best one stands"):
        desk.run()
    stands = desk.session.best_run(PART)
    assert stands is not None
    part = desk.mission.parts[PART]
    rooms = {
        run.number: worst_share(desk.mission, part, run.outcome.metrics)
        for run in desk.session.state.runs
        if run.outcome
    }
    assert rooms[stands.number] == max(rooms.values())
    to_claim(desk)
    draft, terms = desk.game.draft("accuracy", 1, 4), desk.game.terms("accuracy", (1, 4))
    desk.game.claim(draft, (1, 4), terms.largest, "")
    desk.game.go("debrief", 0, 0)
    desk.game.act(do.Close())
    told = desk.events[-1].data["outcome"][PART]
    assert (told["passed"], told["best_run"]) == (desk.session.passed(PART), stands.number)
    assert Session.replayed(desk.mission, desk.recorded) == desk.session


def test_a_budget_spent_on_stopped_runs_is_no_dead_end(desk: Desk) -> None:
    for _ in range(4):
        desk.stopped(1)
    assert desk.session.runs_left == 0
    assert desk.session.best_run(PART) is None
    to_claim(desk)
    assert "control" in verdict(desk, "accuracy", (1, 4))
    desk.game.go("debrief", 0, 0)
    desk.game.act(do.Close())
    assert desk.events[-1].data["outcome"][PART]["best_run"] is None


def test_charts_follow_committed_runs_alone(desk: Desk) -> None:
    assert not desk.session.follows_sliders
    assert desk.session.last_run is None
    run = desk.run()
    desk.turned(local_epochs=1)
    assert desk.session.last_run == run
    stopped = desk.stopped(2)
    assert desk.session.last_run == stopped
    base, terms = desk.game.why("accuracy")
    assert base == run
    assert terms.change == pytest.approx(
        stopped.outcome.metrics["accuracy"] - run.outcome.metrics["accuracy"]  # type: ignore[union-attr]
    )


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("run", {"cost": 0}),
        ("run_cancel", {"rounds": -1}),
        ("run_cancel", {"rounds": 2.5}),
        ("run_cancel", {"rounds": True}),
        ("run_cancel", {"number": 2}),
        ("run_cancel", {"met": {"accuracy": True}}),
        ("run_cancel", {"passed": True}),
    ],
)
def test_a_forged_stop_is_illegal_play(desk: Desk, kind: str, change: dict[str, Any]) -> None:
    desk.stopped(2)
    events = list(desk.recorded)
    at = next(n for n, event in enumerate(events) if event.kind == kind)
    events[at] = replace(events[at], data={**events[at].data, **change})
    with pytest.raises(IllegalPlay):
        Session.replayed(desk.mission, tuple(events))


def test_a_resume_that_hides_a_second_charge_is_illegal_play(desk: Desk) -> None:
    desk.game.begin_run()
    desk.game.resume_run()
    events = list(desk.recorded)
    restart = next(n for n, event in enumerate(events) if event.kind == "run_resume")
    # A restart of a run that is not in flight: after it came to its end.
    events[restart], events[restart + 1] = events[restart + 1], events[restart]
    with pytest.raises(IllegalPlay):
        Session.replayed(desk.mission, tuple(events))
