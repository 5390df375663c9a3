"""What a part hands on: one of three classes, and what each means to a later part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mission_tui.content.schema import Carried, Carry, Mission, Number
from mission_tui.ledger.replay import replay
from mission_tui.play import actions as do
from mission_tui.play import evaluate, locks, wording
from mission_tui.play.actions import Recorded
from mission_tui.play.evaluate import Request
from mission_tui.play.session import Session
from tests.play.fleets import Desk

CLASSES = {
    "full": "large",
    "last3": "medium",
    "last1": "medium",
    "bias": "small",
    "lora2": "small",
    "lora8": "medium",
    "lora32": "large",
}
EPOCHS = {"small": 2, "medium": 3, "large": 4}
PASSES = {"peak_memory": 1e6, "accuracy": 100.0}


def brought(size: str) -> Carried:
    number = Number(value=EPOCHS[size], unit="passes", label="Passes", source="a scenario")
    reference = {"batch": 2} if size == "large" else {}
    return Carried(label=f"{size} update", fixed={"epochs": number}, reference=reference)


@pytest.fixture(scope="session")
def mission(two_parts: Mission) -> Mission:
    """The same part twice: the first hands its method on, the second has as many passes."""
    carry = Carry(slider="tuning", classes=CLASSES, missed="medium")
    first = two_parts.parts["memory"].model_copy(update={"carry": carry})
    second = two_parts.parts["again"].model_copy(
        update={"carried": {size: brought(size) for size in ("small", "medium", "large")}}
    )
    return two_parts.model_copy(update={"parts": {"memory": first, "again": second}})


@pytest.fixture
def play(mission: Mission, play_of: Callable[[Mission], Any]) -> Any:
    return play_of(mission).to("workbench")


def onward(play: Any) -> Any:
    """To the second part's workbench."""
    while play.session.distinct_left:
        play.tried({"batch": 64}, peak_memory=9e9)
        play.tried({"batch": 32}, peak_memory=9e9)
    play.do(do.Enter("reveal", play.truths()), do.Enter("claim"), play.claim(), do.Enter("lock"))
    assert play.session.part_id == "again"
    return play.do(play.seal(), do.Enter("workbench"))


def epochs(session: Session) -> Any:
    return dict(session.request().setting)["epochs"]


@pytest.mark.parametrize(("tuning", "size"), [(t, s) for t, s in CLASSES.items() if t != "full"])
def test_the_class_is_that_of_the_run_that_passes(play: Any, tuning: str, size: str) -> None:
    play.tried({"tuning": tuning}, **PASSES)
    onward(play)
    assert play.session.brought_to("again") == size
    assert epochs(play.session) == EPOCHS[size]
    assert Session.replayed(play.mission, play.recorded) == play.session


def test_of_several_that_pass_the_one_with_the_most_room_is_handed_on(play: Any) -> None:
    play.tried({"tuning": "bias"}, peak_memory=1.5e8, accuracy=95.0)
    play.tried({"tuning": "lora32"}, peak_memory=1e6, accuracy=100.0)
    play.tried({"tuning": "last1"}, peak_memory=1.59e8, accuracy=88.1)
    assert onward(play).session.brought_to("again") == "large"


def test_a_part_that_nothing_passed_hands_on_what_a_miss_comes_to(play: Any) -> None:
    play.tried({"tuning": "bias"}, peak_memory=1.0, accuracy=0.0)
    play.tried({"tuning": "lora2"}, peak_memory=9e9, accuracy=100.0)
    assert onward(play).session.brought_to("again") == "medium"
    assert epochs(play.session) == EPOCHS["medium"]


def test_a_run_that_was_stopped_hands_nothing_on(
    mission: Mission, play_of: Callable[[Mission], Any]
) -> None:
    first = mission.parts["memory"].model_copy(update={"kind": "budgeted", "runs": 5})
    changed = mission.model_copy(update={"parts": {**mission.parts, "memory": first}})
    play = play_of(changed).to("workbench").do(do.Turn("tuning", "bias", 0), do.Commit())
    play.do(do.Cancel(1, 2, Recorded(dict(PASSES), {})))
    assert onward(play).session.brought_to("again") == "medium"


def test_the_part_that_hands_on_is_not_changed_by_what_it_hands_on(
    play: Any, mission: Mission
) -> None:
    play.tried({"tuning": "bias"}, **PASSES)
    assert play.session.brought_to("again") == "small"
    assert play.session.part is mission.parts["memory"]
    assert epochs(play.session) == mission.parts["memory"].fixed["epochs"].value


def test_a_class_changes_the_scenario_the_reference_and_the_words(
    play: Any, mission: Mission
) -> None:
    play.tried({"tuning": "lora32"}, **PASSES)
    part, as_written = onward(play).session.part, mission.parts["again"]
    assert part.fixed["epochs"].value == EPOCHS["large"]
    assert {k: v for k, v in part.fixed.items() if k != "epochs"} == {
        k: v for k, v in as_written.fixed.items() if k != "epochs"
    }
    assert part.reference == {**as_written.reference, "batch": 2}
    assert part.default == as_written.default
    assert wording.given(play.mission, part, play.session.seed)["carried"] == "large update"
    assert "carried" not in wording.given(play.mission, as_written, play.session.seed)


def test_a_mission_whose_parts_hand_nothing_on_brings_nothing(two_parts: Mission) -> None:
    session = Session.begin(two_parts, {"seed_root": "00", "attempt": 1})
    assert session.brought_to("again") is None
    assert session.part_of("again") is two_parts.parts["again"]


def test_a_part_that_nothing_is_carried_to_is_itself_in_every_class(two_parts: Mission) -> None:
    part = two_parts.parts["again"]
    assert part.given_class("small") is part


def test_the_physics_of_the_second_part_is_that_of_its_class(mission: Mission) -> None:
    """With the engine: truths, runs and replay ask for what was carried."""
    desk = Desk(mission)
    desk.game.go("lock", 0, 0)
    seal(desk)
    desk.game.go("workbench", 0, 0)
    desk.run()
    for slider, value in desk.session.part.reference.items():
        desk.game.turn(slider, value)
    assert desk.run().passed
    assert desk.session.brought_to("again") == "small"
    desk.game.go("reveal", 0, 0)
    desk.game.go("claim", 0, 0)
    claim(desk)
    desk.game.go("lock", 0, 0)
    seal(desk)
    desk.game.go("workbench", 0, 0)
    run = desk.run()
    part = desk.session.part
    asked = evaluate.outcome(Request.at(part, run.setting, desk.session.seed))
    other = evaluate.outcome(Request.at(mission.parts["again"], run.setting, desk.session.seed))
    assert run.outcome is not None
    assert run.outcome.metrics["accuracy"] == asked.metrics["accuracy"]
    assert asked.metrics["accuracy"] != other.metrics["accuracy"]  # 2 passes are not 4
    desk.game.turn("batch", 4)
    desk.run()
    desk.game.go("reveal", 0, 0)
    assert desk.session.state.truths["least"] == locks.truth(
        mission, part, part.locks["least"], desk.session.seed
    )
    found = replay(mission, desk.recorded)
    assert not found.fails, found
    # Another class is another outcome: forge which of the first part's runs had passed.
    events = [
        replace(event, data={**event.data, "met": forged_met(event), "passed": False})
        if event.kind == "run_end" and event.data["passed"]
        else event
        for event in desk.recorded
    ]
    assert replay(mission, events).fails


def forged_met(event: Any) -> dict[str, bool]:
    return dict.fromkeys(event.data["met"], False)


def seal(desk: Desk) -> None:
    (name, lock) = desk.session.next_lock or ("", None)
    assert lock is not None
    desk.game.act(do.Seal(name, 1.0, 0.5, 9.0, None, lock.mechanisms[0], 1, 1))


def claim(desk: Desk) -> None:
    draft = desk.game.draft("peak_memory", 1, 2)
    desk.game.claim(draft, (1, 2), "activations", "")


def test_a_part_gets_what_the_last_one_before_it_hands_on(mission: Mission) -> None:
    carry = mission.parts["memory"].carry
    assert carry is not None
    taker = mission.parts["again"]
    between = mission.parts["memory"].model_copy(
        update={"order": 2, "carry": carry.model_copy(update={"missed": "large"})}
    )
    parts = {
        "memory": mission.parts["memory"],
        "between": between,
        "again": taker.model_copy(update={"order": 3}),
    }
    chained = mission.model_copy(update={"parts": parts})
    session = Session.begin(chained, {"seed_root": "00", "attempt": 1})
    assert chained.giver_of("again") == "between"
    assert session.brought_to("again") == "large"
    assert session.brought_to("memory") is None
