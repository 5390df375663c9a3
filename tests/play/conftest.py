"""A play of the first mission on the edge track, driven without the engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mission_tui.content.load import MissionFile
from mission_tui.content.schema import Mission
from mission_tui.play import actions as do
from mission_tui.play.actions import Action, Instant, Recorded
from mission_tui.play.events import Event
from mission_tui.play.seeds import root_of_student
from mission_tui.play.session import Session

TERMS = {"weights": 0.0, "gradients": 0.0, "optimizer": 0.0, "activations": 1.0}


def through_json(event: Event) -> Event:
    """An event as it comes back from a file, whose lines sort their keys."""
    fields = {name: getattr(event, name) for name in Event.__slots__}
    found: dict[str, Any] = json.loads(json.dumps(fields, sort_keys=True))
    return Event(**found)


class Play:
    """A session with its events, and the shortest way to each screen."""

    def __init__(self, mission: Mission) -> None:
        header = {"seed_root": root_of_student("ada"), "attempt": 1}
        self.mission = mission
        self.events = [Event(0, "header", None, 0, "w", header)]
        self.session = Session.begin(mission, header)

    def do(self, *actions: Action) -> Play:
        for action in actions:
            for event in self.session.decide(action, Instant(len(self.events), "w")):
                self.events.append(event)
                self.session = self.session.apply(event)
        return self

    def seal(self, **changed: Any) -> do.Seal:
        fields: dict[str, Any] = {
            "lock": "least",
            "value": 2e8,
            "low": 1e8,
            "high": 3e8,
            "sure": None,
            "mechanism": "activations",
            "latency_ms": 9000,
            "edits": 1,
        }
        return do.Seal(**{**fields, **changed})

    def outcome(self, peak: float = 5e8, accuracy: float = 70.0) -> Recorded:
        metrics = {"peak_memory": peak, "accuracy": accuracy, "amplification": 4.0}
        return Recorded(metrics, {"memory": (1.0, 2.0)})

    def run(self, peak: float = 5e8, accuracy: float = 70.0) -> Play:
        self.do(do.Commit())
        assert self.session.in_flight
        return self.do(do.Finish(self.session.in_flight.number, self.outcome(peak, accuracy)))

    def truths(self, value: float = 2e8) -> dict[str, do.Truth]:
        return {"least": do.Truth(value, "activations", dict(TERMS))}

    def claim(self, **changed: Any) -> do.Claim:
        fields: dict[str, Any] = {
            "metric": "peak_memory",
            "runs": (1, 2),
            "control": "batch",
            "direction": "fell",
            "amount": "300",
            "unit": "MB",
            "mechanism": "activations",
            "answer": "",
            "terms": {**TERMS, "activations": -3e8},
        }
        return do.Claim(**{**fields, **changed})

    def to(self, screen: str) -> Play:
        """Play on, legally, to a screen."""
        order = ("briefing", "lock", "workbench", "reveal", "claim", "debrief")
        while self.session.at.screen != screen:
            following = order[order.index(self.session.at.screen) + 1]
            if following == "workbench" and self.session.next_lock:
                self.do(self.seal())
            if following == "reveal" and self.session.distinct_left:
                self.run(5e8).do(do.Turn("batch", 4, 0)).run(2e8)
            if following == "debrief" and not self.session.state.claims:
                self.do(self.claim())
            self.do(do.Enter(following, self.truths() if following == "reveal" else None))
        return self

    @property
    def recorded(self) -> tuple[Event, ...]:
        """The events as a ledger gives them back."""
        return tuple(map(through_json, self.events))


NewPlay = Callable[[], Play]


@pytest.fixture(scope="session")
def edge(shipped: MissionFile) -> Mission:
    return shipped.tracks["edge"]


@pytest.fixture
def play(edge: Mission) -> Play:
    return Play(edge)


@pytest.fixture(scope="session")
def budgeted(edge: Mission) -> Mission:
    """The same mission with a budget of three runs."""
    part = edge.parts["memory"].model_copy(update={"kind": "budgeted", "runs": 3})
    return edge.model_copy(update={"parts": {"memory": part}})


@pytest.fixture(scope="session")
def two_parts(edge: Mission) -> Mission:
    """The same part twice, in a row."""
    part = edge.parts["memory"]
    again = part.model_copy(update={"order": 2})
    return edge.model_copy(update={"parts": {"memory": part, "again": again}})


@pytest.fixture(scope="session")
def play_of() -> Callable[[Mission], Play]:
    return Play
