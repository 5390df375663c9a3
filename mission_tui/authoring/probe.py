"""One part at one seed, with what was carried to it: asked setting by setting, and remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.contract import Value
from mission_tui.content.schema import Mission, Part, Size
from mission_tui.play import bots, talks
from mission_tui.play.evaluate import Request, accounts, outcome
from mission_tui.play.game import Clock, Game
from mission_tui.play.proof import NO_CLASS
from mission_tui.play.regret import objective
from mission_tui.play.session import Session
from mission_tui.play.specs import Reading, readings

Spot = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """How a bot came out in one part: whether it won, the objective reached, and where it ran."""

    won: bool
    reached: float
    runs: tuple[Mapping[str, Value], ...]


@dataclass
class Probe:
    """A part, a class that was handed on (``-`` for none) and a seed. ``tried`` is all it asked.

    ``accounted`` is what accounting alone ruled out, as far as it knows the metrics there.
    ``others`` are the same part and seed with other classes: what one asks all learn, since the
    engine shares what classes don't change.
    """

    mission: Mission
    part_id: str
    size: str
    seed: int
    part: Part = field(init=False)
    tried: dict[Spot, Mapping[str, float]] = field(default_factory=dict)
    accounted: dict[Spot, Mapping[str, float]] = field(default_factory=dict)
    others: list[Probe] = field(default_factory=list)

    def __post_init__(self) -> None:
        part = self.mission.parts[self.part_id]
        sizes: dict[str, Size] = {name: name for name in part.carried}
        self.part = part.given_class(sizes[self.size]) if self.size != NO_CLASS else part

    def spot(self, setting: Mapping[str, Value]) -> Spot:
        """A setting as a key: the sliders' values in their order."""
        return tuple(setting[slider] for slider in self.part.sliders)

    def setting(self, spot: Spot) -> dict[str, Value]:
        """The setting of a key."""
        return dict(zip(self.part.sliders, spot, strict=True))

    def metrics(self, setting: Mapping[str, Value]) -> Mapping[str, float]:
        """What the engine gives there; it is asked once."""
        spot = self.spot(setting)
        if spot not in self.tried:
            for each in (self, *self.others):
                found = outcome(Request.at(each.part, setting, each.seed)).metrics
                each.tried[spot] = dict(found)
        return self.tried[spot]

    def broken(self, setting: Mapping[str, Value]) -> tuple[Reading, ...]:
        """The specs that a setting breaks."""
        found = readings(self.mission, self.part, self.metrics(setting))
        return tuple(reading for reading in found if not reading.met)

    def passes(self, setting: Mapping[str, Value]) -> bool:
        """Whether one run there is all it takes: it meets every spec, or makes a deal alone.

        Nothing is learnt where accounting alone says no.
        """
        if not self.part.stakeholders:
            return not self._out_of_account(setting) and not self.broken(setting)
        run = talks.Cited(1, setting, self.metrics(setting))
        return bots.deal(self.part, talks.opened(self.part), [run]) is not None

    def _out_of_account(self, setting: Mapping[str, Value]) -> bool:
        spot = self.spot(setting)
        if spot in self.tried:
            return False
        known = accounts(Request.at(self.part, setting, self.seed))
        found = readings(self.mission, self.part, known)
        out = any(reading.value is not None and not reading.met for reading in found)
        if out:
            self.accounted[spot] = known
        return out

    def objective(self, setting: Mapping[str, Value]) -> float:
        """What the part is scored by (:mod:`mission_tui.play.regret`)."""
        return objective(self.mission, self.part, self.metrics(setting))

    @property
    def best(self) -> tuple[dict[str, Value], float]:
        """The best setting that was tried, and its objective."""
        scores = {
            spot: objective(self.mission, self.part, metrics)
            for spot, metrics in self.tried.items()
        }
        spot = max(scores, key=lambda at: scores[at])
        return self.setting(spot), scores[spot]

    def guessed(self, player: bots.Random) -> bool:
        """Whether one who draws settings without looking passes, as :meth:`played` would say.

        Where there is no table, one run that meets every spec is all it takes.
        """
        return any(self.passes(setting) for setting in player.settings(self._begun().session))

    def played(self, player: bots.Bot) -> Played:
        """Let a bot play this part alone, by the rules, to the end of its talks."""
        game = self._begun()
        bots.play(game, player, until="reveal")
        session = game.session
        runs = [run.setting for run in session.parts[self.part_id].runs if run.ended]
        for setting in runs:
            self.metrics(setting)
        best = session.best_run(self.part_id)
        metrics = best.outcome.metrics if best is not None and best.outcome is not None else None
        reached = (
            self.objective(self.part.default)
            if metrics is None
            else objective(self.mission, self.part, metrics)
        )
        return Played(session.passed(self.part_id), reached, tuple(runs))

    def _begun(self) -> Game:
        """A play of this part alone. Locks and claims are left out: neither decides who wins."""
        alone: dict[str, Any] = {"locks": {}, "seeds": (self.seed,), "carry": None}
        part = self.part.model_copy(update=alone)
        mission = self.mission.model_copy(update={"parts": {self.part_id: part}, "decision": None})
        header = {"seed_root": "00" * 32, "attempt": 1}
        return Game(Session.begin(mission, header), lambda _: None, Clock())


def family(mission: Mission, part_id: str, sizes: Sequence[str], seed: int) -> list[Probe]:
    """A probe for each class of a part, which share what they learn."""
    probes = [Probe(mission, part_id, size, seed) for size in sizes]
    for probe in probes:
        probe.others = [each for each in probes if each is not probe]
    return probes
