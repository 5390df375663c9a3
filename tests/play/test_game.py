from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.contract import Outcome
from mission_tui.content.schema import Mission
from mission_tui.play import actions as do
from mission_tui.play.actions import Instant
from mission_tui.play.events import Event
from mission_tui.play.game import Game
from mission_tui.play.session import Refused, Session

OUTCOME = Outcome({"peak_memory": 5e8, "accuracy": 70.0, "amplification": 4.0})


class Table:
    """A game at the workbench, its events, and a clock that ticks 10 ms a look."""

    def __init__(self, session: Session) -> None:
        self.events: list[Event] = []
        self.ticks = 0
        self.game = Game(session, self.record, self.clock)

    def record(self, event: Event) -> None:
        self.events.append(event)

    def clock(self) -> Instant:
        self.ticks += 10
        return Instant(self.ticks, "w")

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


@pytest.fixture
def table(edge: Mission, play_of: Callable[[Mission], Any]) -> Table:
    return Table(play_of(edge).to("workbench").session)


def test_a_sweep_over_one_slider_is_one_event(table: Table) -> None:
    for value in (16, 8, 4, 2):
        table.game.turn("batch", value)
    assert table.events == []
    assert table.game.setting["batch"] == 2
    table.game.settle()
    (event,) = table.events
    assert (event.kind, event.data["to"]) == ("control", 2)
    assert event.data["from"] == table.game.session.part.default["batch"]
    assert event.data["dwell_ms"] > 0


def test_another_slider_settles_the_first(table: Table) -> None:
    table.game.turn("batch", 2)
    table.game.turn("optimizer", "sgd")
    table.game.begin_run()
    assert [(e.kind, e.data.get("control")) for e in table.events] == [
        ("control", "batch"),
        ("control", "optimizer"),
        ("run", None),
    ]
    assert table.events[-1].data["setting"] == table.game.setting


def test_a_sweep_that_comes_back_leaves_no_event(table: Table) -> None:
    start = table.game.setting["batch"]
    table.game.turn("batch", 1)
    table.game.turn("batch", start)
    table.game.settle()
    assert table.events == []


@pytest.mark.parametrize("value", [3, True, "8", None])
def test_a_slider_that_cant_stand_there_is_refused_and_leaves_no_event(
    table: Table, value: Any
) -> None:
    before = table.game.setting
    with pytest.raises(Refused):
        table.game.turn("batch", value)
    table.game.settle()
    assert table.game.setting == before
    assert table.events == []


def test_a_slider_turned_before_the_lock_is_refused_at_once(
    edge: Mission, play_of: Callable[[Mission], Any]
) -> None:
    play = play_of(edge).to("lock")
    table = Table(play.session)
    with pytest.raises(Refused, match="workbench"):
        table.game.turn("batch", 2)
    table.game.act(play.seal())
    assert table.kinds == ["lock"]


def test_a_refused_action_leaves_no_event(table: Table) -> None:
    before = table.game.session
    for action in (do.Close(), do.Pin(4), do.Finish(1, do.Recorded.of(OUTCOME))):
        with pytest.raises(Refused):
            table.game.act(action)
    with pytest.raises(Refused):
        table.game.go("reveal", 1, 1)
    assert table.events == []
    assert table.game.session is before


def test_an_event_is_safe_before_the_session_changes(
    edge: Mission, play_of: Callable[[Mission], Any]
) -> None:
    seen: list[int] = []
    game = Game(play_of(edge).to("workbench").session, lambda _: None, lambda: Instant(0, "w"))
    game._record = lambda event: seen.append(len(game.session.state.runs))
    game.begin_run()
    assert seen == [0]
    assert len(game.session.state.runs) == 1


def test_a_record_that_fails_leaves_the_session_as_it_was(
    edge: Mission, play_of: Callable[[Mission], Any]
) -> None:
    def full(_: Event) -> None:
        raise OSError("disk full")

    game = Game(play_of(edge).to("workbench").session, full, lambda: Instant(0, "w"))
    before = game.session
    with pytest.raises(OSError, match="disk full"):
        game.begin_run()
    assert game.session is before


def test_a_run_is_recorded_before_it_is_computed(table: Table) -> None:
    run = table.game.begin_run()
    assert table.kinds == ["run"]
    ended = table.game.end_run(run, OUTCOME)
    assert table.kinds == ["run", "run_end"]
    assert ended.outcome is not None
    assert ended.outcome.metrics == dict(OUTCOME.metrics)


def test_a_run_left_in_flight_is_resumed_once(table: Table) -> None:
    assert table.game.resume_run() is None
    table.game.begin_run()
    run = table.game.resume_run()
    assert table.kinds == ["run", "run_resume", "run_end"]
    assert run is not None
    assert run.ended


def test_going_on_leaves_and_enters(table: Table) -> None:
    table.game.end_run(table.game.begin_run(), OUTCOME)
    table.game.turn("batch", 1)
    table.game.end_run(table.game.begin_run(), OUTCOME)
    table.game.go("reveal", 700, 30)
    leave, enter = table.events[-2:]
    assert (leave.data["screen"], leave.data["active_ms"]) == ("workbench", 700)
    assert set(enter.data["truths"]) == {"least"}
    with pytest.raises(Refused, match="two different runs"):
        table.game.draft("peak_memory", 1, 1)
