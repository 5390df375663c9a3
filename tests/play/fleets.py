"""A budgeted part over a fleet so small that a run takes a tenth of a second; really computed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from mission_tui.content.load import load
from mission_tui.content.schema import Mission
from mission_tui.play import actions as do
from mission_tui.play import evaluate
from mission_tui.play.actions import Instant
from mission_tui.play.events import Event
from mission_tui.play.game import Game
from mission_tui.play.session import Run, Session
from mission_tui.play.start import Who, header
from tests.play.conftest import through_json

MISSION = Path(__file__).parent.parent / "missions" / "small-fleet.toml"
PART = "converge"
ROUNDS = 6


def small_fleet(**changed: Any) -> Mission:
    """The mission of the tests with 20 clients and 6 rounds; ``changed`` goes into its part."""
    mission = load(MISSION).tracks["edge"]
    part = mission.parts[PART]
    scenario = part.fixed["fleet_size"]
    sizes = {"clients": 20, "examples": 60, "rounds": ROUNDS, "byte_cap": 0.0}
    fixed = {name: scenario.model_copy(update={"value": value}) for name, value in sizes.items()}
    high = {"local_epochs": 8.0, "participation": 10.0}
    sliders = {
        name: slider.model_copy(update={"high": high.get(name)})
        for name, slider in part.sliders.items()
    }
    update = {
        "runs": 4,
        "fixed": {**part.fixed, **fixed},
        "sliders": sliders,
        "default": {"local_epochs": 8, "participation": 10, "selection": "reliable"},
        "reference": {"local_epochs": 2, "participation": 5, "selection": "random"},
        **changed,
    }
    locks = {
        name: lock.model_copy(
            update={
                "truth": lock.truth.model_copy(
                    update={"first": {"selection": "random"}, "second": {"selection": "reliable"}}
                ),
                "why": lock.why.model_copy(
                    update={"first": {"selection": "random"}, "second": {"selection": "reliable"}}
                ),
            }
        )
        for name, lock in part.locks.items()
    }
    smaller = part.model_copy(update={"locks": locks, **update})
    return mission.model_copy(update={"parts": {PART: smaller}})


class Desk:
    """A game with the engine behind it, and what it recorded."""

    def __init__(self, mission: Mission, events: Iterable[Event] = ()) -> None:
        who = Who("ada", "human", "00" * 32, chosen_seed=5)
        self.mission = mission
        self.events = list(events) or [header(mission, who, datetime(2026, 1, 1, tzinfo=UTC))]
        session = Session.replayed(mission, tuple(self.events))
        self.game = Game(session, self.events.append, lambda: Instant(len(self.events), "w"))

    @property
    def session(self) -> Session:
        """The game's session."""
        return self.game.session

    @property
    def recorded(self) -> tuple[Event, ...]:
        """The events as a ledger gives them back."""
        return tuple(map(through_json, self.events))

    def died(self) -> Desk:
        """The play as another process finds it."""
        return Desk(self.mission, self.recorded)

    def at_workbench(self) -> Desk:
        """Seal anything, and sit down."""
        self.game.go("lock", 0, 0)
        while self.session.next_lock:
            name, lock = self.session.next_lock
            self.game.act(
                do.Seal(name, 1.0, -9.0, 9.0, None, lock.mechanisms[0], latency_ms=1, edits=1)
            )
        self.game.go("workbench", 0, 0)
        return self

    def turned(self, **setting: Any) -> Desk:
        """The sliders, there."""
        for slider, value in setting.items():
            self.game.turn(slider, value)
        return self

    def run(self) -> Run:
        """A run to its end."""
        return self.game.run()

    def stopped(self, after: int) -> Run:
        """A run that is stopped after so many rounds."""
        run = self.game.begin_run()
        frames = evaluate.stream(self.session.request(run.setting))
        partial = next(islice(frames, after, None))  # the first frame is before any round
        assert partial.rounds == (after, ROUNDS)
        return self.game.cancel_run(run, partial)
