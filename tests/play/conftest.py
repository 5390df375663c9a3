"""A play of a live part on the edge track (memory-wall), driven without the engine.

The table is made by hand upon it: a clerk who minds memory and a coach who minds what is learnt.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mission_tui.content.load import MissionFile
from mission_tui.content.schema import (
    Bound,
    Decision,
    Endings,
    Mission,
    Replies,
    Stakeholder,
    Want,
)
from mission_tui.play import actions as do
from mission_tui.play.actions import Action, Instant, Recorded
from mission_tui.play.events import Event
from mission_tui.play.seeds import root_of_student
from mission_tui.play.session import Session
from mission_tui.play.talks import Table

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
        metrics["trained_parameters"] = 1.5e6
        return Recorded(metrics, {"memory": (1.0, 2.0)})

    def run(self, peak: float = 5e8, accuracy: float = 70.0) -> Play:
        self.do(do.Commit())
        assert self.session.in_flight
        return self.do(do.Finish(self.session.in_flight.number, self.outcome(peak, accuracy)))

    def tried(self, turned: dict[str, Any] | None = None, **metrics: float) -> Play:
        """A run with these sliders and metrics, pinned."""
        for slider, value in (turned or {}).items():
            if self.session.state.setting[slider] != value:
                self.do(do.Turn(slider, value, 0))
        known = {
            "peak_memory": 5e8,
            "accuracy": 50.0,
            "amplification": 6.0,
            "trained_parameters": 1e6,
        }
        self.do(do.Commit())
        assert self.session.in_flight
        number = self.session.in_flight.number
        return self.do(do.Finish(number, Recorded({**known, **metrics}, {})), do.Pin(number))

    @property
    def table(self) -> Table:
        """The table of the part being played."""
        assert self.session.state.table is not None
        return self.session.state.table

    def said(self) -> dict[str, Any]:
        """What the last event holds."""
        return dict(self.events[-1].data)

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
        while self.session.at.screen != screen:
            here, step = self.session.at.screen, self.session.next_step
            assert step is not None
            if here == "lock" and self.session.next_lock:
                self.do(self.seal())
            if here == "workbench" and self.session.distinct_left:
                self.run(5e8).do(do.Turn("batch", 4, 0)).run(2e8)
            if here == "talks" and not self.table.over:
                self.do(*(self.waive(party) for party in self.table.open))
            if here == "claim" and not self.session.state.claims:
                self.do(self.claim())
            if here == "decision" and self.session.decision is None:
                self.do(do.Decide("small", "Because of run #2."))
            self.do(do.Enter(step.screen, self.truths() if step.screen == "reveal" else None))
        return self

    def waive(self, party: str, **changed: Any) -> do.Move:
        """A waiver of a party's first want, so loose that it binds nothing."""
        want, given = next(iter(self.session.part.stakeholders[party].wants.items()))
        fields: dict[str, Any] = {
            "want": want,
            "threshold": -1e30 if given.more else 1e30,
            "owner": "the fleet's lead",
        }
        return do.Move(party, "waive", **{**fields, **changed})

    @property
    def recorded(self) -> tuple[Event, ...]:
        """The events as a ledger gives them back."""
        return tuple(map(through_json, self.events))


NewPlay = Callable[[], Play]


@pytest.fixture(scope="session")
def edge(wall: MissionFile) -> Mission:
    """The tests' mission on the edge track."""
    return wall.tracks["edge"]


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


REPLIES = Replies(**dict.fromkeys(Replies.model_fields, "So be it."))
ENDINGS = Endings(**dict.fromkeys(Endings.model_fields, "Weeks later."))
CLERK = Stakeholder(
    name="Clerk of bytes",
    opening="It must fit.",
    floor=0.5,
    wants={
        "bytes": Want(
            metric="peak_memory", label="peak", asks=2e8, reserve=4e8, aspire=1e8, weight=0.75
        ),
        "growth": Want(
            metric="amplification", label="growth", asks=4.0, reserve=8.0, aspire=2.0, weight=0.25
        ),
    },
    replies=REPLIES,
    endings=ENDINGS,
)
COACH = Stakeholder(
    name="Coach",
    opening="It must learn.",
    patience=2,
    floor=0.4,
    wants={
        "skill": Want(
            metric="accuracy", label="skill", asks=80.0, reserve=70.0, aspire=90.0, weight=0.5
        ),
        "breadth": Want(
            metric="trained_parameters",
            label="breadth",
            asks=2e6,
            reserve=1e6,
            aspire=3e6,
            weight=0.5,
        ),
    },
    bound=Bound(
        want="breadth", under="clerk", corner={"tuning": "full", "batch": 1}, text="Too few fit."
    ),
    replies=REPLIES,
    endings=ENDINGS,
)


@pytest.fixture(scope="session")
def table(edge: Mission) -> Mission:
    """The same mission with a budget of eight runs, two parties and a decision."""
    part = edge.parts["memory"].model_copy(
        update={
            "kind": "budgeted",
            "runs": 8,
            "scenario": "concession",
            "stakeholders": {"clerk": CLERK, "coach": COACH},
        }
    )
    decision = Decision(
        question="Which update?",
        options={"small": "Biases alone.", "large": "All of it."},
        ask="Say what it costs whom.",
    )
    return edge.model_copy(update={"parts": {"memory": part}, "decision": decision})


@pytest.fixture(scope="session")
def play_of() -> Callable[[Mission], Play]:
    return Play
