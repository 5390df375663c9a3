"""Replay of runs that take their time: stopped ones, and those that record what they picked.

The small fleet is really computed, so a forgery is held against physics and not against a stub.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mission_tui.content.schema import Mission
from mission_tui.ledger.replay import Replay, replay
from mission_tui.play import actions as do
from mission_tui.play import evaluate
from mission_tui.play.events import Event
from tests.play.fleets import ROUNDS, Desk, small_fleet


@pytest.fixture(scope="module")
def mission() -> Mission:
    return small_fleet()


@pytest.fixture
def desk(mission: Mission) -> Desk:
    return Desk(mission).at_workbench()


def changed(events: tuple[Event, ...], kind: str, **data: Any) -> list[Event]:
    """The events with the last one of a kind forged; what stood in ``outcome`` is kept."""
    found = list(events)
    at = max(n for n, event in enumerate(found) if event.kind == kind)
    before = found[at].data
    if "outcome" in data:
        data["outcome"] = {**before["outcome"], **data["outcome"]}
    found[at] = replace(found[at], data={**before, **data})
    return found


def differing(found: Replay) -> set[str]:
    """The figures that are not what they were."""
    return {row.field for row in found.rows if row.state == "fails"}


def test_a_run_stopped_in_mid_run_is_replayed_for_exactly_its_rounds(desk: Desk) -> None:
    desk.stopped(3)
    desk.turned(local_epochs=2).run()
    found = replay(desk.mission, desk.recorded)
    assert (found.rules.state, found.physics.state) == ("holds", "holds"), found
    seq = next(event.seq for event in desk.events if event.kind == "run_cancel")
    compared = {row.field for row in found.rows if row.seq == seq}
    assert {"accuracy", "bytes_sent", "accuracy[3]"} <= compared
    assert "accuracy[4]" not in compared


@pytest.mark.parametrize("rounds", [2, 4, ROUNDS])
def test_a_stopped_run_of_other_rounds_is_found_out(desk: Desk, rounds: int) -> None:
    desk.stopped(3)
    found = replay(desk.mission, changed(desk.recorded, "run_cancel", rounds=rounds))
    assert found.rules.state == "holds"
    assert found.physics.state == "fails"
    assert "accuracy" in differing(found) or "outcome" in differing(found)


def test_a_stopped_run_of_rounds_that_it_never_had_is_found_out(desk: Desk) -> None:
    desk.stopped(3)
    found = replay(desk.mission, changed(desk.recorded, "run_cancel", rounds=ROUNDS + 1))
    assert found.physics.state == "fails"
    assert "no round 7" in found.physics.reason


def test_a_stopped_run_that_claims_more_than_it_reached_is_found_out(desk: Desk) -> None:
    run = desk.stopped(3)
    assert run.outcome is not None
    metrics = {**run.outcome.metrics, "accuracy": run.outcome.metrics["accuracy"] + 5}
    found = replay(desk.mission, changed(desk.recorded, "run_cancel", outcome={"metrics": metrics}))
    assert found.physics.state == "fails"
    assert differing(found) == {"accuracy"}


def test_a_stopped_run_passed_off_as_one_that_ended_is_found_out(desk: Desk) -> None:
    desk.run()
    desk.turned(local_epochs=2).stopped(5)
    events = list(desk.recorded)
    last = events[-1]
    number, outcome = last.data["number"], last.data["outcome"]
    specs = desk.session.readings(outcome["metrics"])
    met = {reading.id: reading.met for reading in specs}
    data = {"number": number, "outcome": outcome, "met": met, "passed": all(met.values())}
    events[-1] = replace(last, kind="run_end", data=data)
    found = replay(desk.mission, events)
    assert found.rules.state == "holds"
    assert found.physics.state == "fails"


def test_a_claim_about_stopped_runs_is_computed_again_for_their_rounds(desk: Desk) -> None:
    desk.run()
    desk.stopped(2)
    desk.turned(local_epochs=2).stopped(2)
    desk.run()
    desk.game.go("reveal", 0, 0)
    desk.game.go("claim", 0, 0)
    draft, terms = desk.game.draft("accuracy", 2, 3), desk.game.terms("accuracy", (2, 3))
    desk.game.claim(draft, (2, 3), terms.largest, "")
    found = replay(desk.mission, desk.recorded)
    assert found.physics.state == "holds", found.physics
    assert any(row.kind == "claim" for row in found.rows)
    whole = evaluate.explain(
        "accuracy",
        desk.session.request(desk.session.state.runs[1].setting),
        desk.session.request(desk.session.state.runs[2].setting),
    )
    forged = replay(desk.mission, changed(desk.recorded, "claim", terms=dict(whole.terms)))
    assert forged.fails


def test_a_resumed_run_replays(desk: Desk) -> None:
    desk.game.begin_run()
    again = desk.died()
    again.game.resume_run()
    assert not replay(again.mission, again.recorded).fails


# -- picks -----------------------------------------------------------------------------------


@pytest.fixture(params=["ended", "stopped"])
def choosy(request: pytest.FixtureRequest, desk: Desk) -> Desk:
    """A run that asked the clients with the largest losses, and recorded whom."""
    desk.turned(selection="power-of-choice", participation=4, local_epochs=2)
    run = desk.run() if request.param == "ended" else desk.stopped(4)
    assert run.outcome is not None
    assert run.outcome.picks
    return desk


def outcome_event(desk: Desk) -> Event:
    return next(event for event in desk.recorded if event.kind in {"run_end", "run_cancel"})


def test_recorded_picks_are_followed(choosy: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, ...]] = []
    again = evaluate.again.__wrapped__

    def spied(request: evaluate.Request, picks: tuple[int, ...], rounds: int | None) -> Any:
        asked.append(picks)
        return again(request, picks, rounds)

    monkeypatch.setattr(evaluate, "again", spied)
    found = replay(choosy.mission, choosy.recorded)
    assert not found.fails, found.physics
    assert asked == [tuple(outcome_event(choosy).data["outcome"]["picks"])]


FORGERIES: dict[str, Callable[[list[int]], list[int]]] = {
    "others": lambda picks: [(pick + 1) % 20 for pick in picks],
    "one exchanged in the last round": lambda picks: [
        *picks[:-1],
        next(client for client in range(20) if client not in picks[-4:]),
    ],
    "none": lambda picks: [],
    "fewer": lambda picks: picks[:-4],
    "a client that there is not": lambda picks: [*picks[:-1], 99],
    "a negative one": lambda picks: [-1, *picks[1:]],
    "more than rounds": lambda picks: [*picks, *picks],
    "enormous": lambda picks: [10**30, *picks[1:]],
}


@pytest.mark.parametrize(
    "name",
    sorted(FORGERIES),
)
def test_forged_picks_are_found_out(choosy: Desk, name: str) -> None:
    event = outcome_event(choosy)
    picks = FORGERIES[name](list(event.data["outcome"]["picks"]))
    found = replay(choosy.mission, changed(choosy.recorded, event.kind, outcome={"picks": picks}))
    assert found.fails, found


def test_a_pick_that_is_not_among_the_best_is_not_followed(choosy: Desk) -> None:
    run = choosy.session.state.runs[0]
    assert run.outcome is not None
    request, picks = choosy.session.request(run.setting), run.outcome.picks
    assert evaluate.again(request, picks, run.rounds).picks == picks
    with pytest.raises(ValueError, match="pick"):
        evaluate.again(request, tuple(FORGERIES["others"](list(picks))), run.rounds)


def test_picks_of_a_run_that_makes_none_are_found_out(desk: Desk) -> None:
    desk.run()
    found = replay(desk.mission, changed(desk.recorded, "run_end", outcome={"picks": [1, 2, 3]}))
    assert found.fails


def test_picks_of_a_model_that_makes_none_are_found_out(shipped: Any) -> None:
    mission = shipped.tracks["edge"]
    part = mission.parts["memory"]
    with pytest.raises(ValueError, match="makes no picks"):
        evaluate.again(evaluate.Request.at(part, part.default, part.seeds[0]), (1,), None)


def test_the_truth_of_a_lock_is_computed_again(desk: Desk) -> None:
    desk.run()
    desk.turned(local_epochs=2).run()
    desk.game.go("reveal", 0, 0)
    assert not replay(desk.mission, desk.recorded).fails
    (name,) = desk.session.state.truths
    truth = desk.session.state.truths[name]
    assert isinstance(truth, do.Truth)
    forged = {**desk.recorded[-1].data}
    forged["truths"] = {name: {**forged["truths"][name], "value": float(truth.value) + 30.0}}
    found = replay(desk.mission, [*desk.recorded[:-1], replace(desk.recorded[-1], data=forged)])
    assert found.fails
