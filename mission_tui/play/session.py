"""The rules of play as a pure reducer.

``session.decide(action, at)`` gives the events that an action causes, or refuses it with one
sentence. ``session.apply(event)`` gives the session after an event. Same events, same session:
the game, the plain driver, the bots and the replayer are four drivers of this one object. It
draws nothing, computes no physics and reads no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from math import isfinite
from typing import Any, Final, Literal, assert_never

from engine.contract import SettingError, Value
from mission_tui.content import space
from mission_tui.content.schema import Alarm, Failure, Lock, Mission, Part, Size
from mission_tui.play import actions as do
from mission_tui.play import claims, locks, seeds, talks
from mission_tui.play.actions import Action, Instant, Recorded
from mission_tui.play.evaluate import Request
from mission_tui.play.events import Event
from mission_tui.play.specs import Reading, failure, readings, worst_share

Screen = Literal["briefing", "lock", "workbench", "talks", "reveal", "claim", "decision", "debrief"]
PART_SCREENS: Final[tuple[Screen, ...]] = ("lock", "workbench", "talks", "reveal", "claim")
_LENGTHS: Final = {0.25: "a quarter of a slider", 0.5: "half a slider", 1.0: "a whole slider"}


class Refused(Exception):
    """The rules forbid it. The text is one sentence for the player."""


class IllegalPlay(ValueError):
    """A record that the rules could not have produced, at one event."""

    def __init__(self, event: Event, reason: str) -> None:
        self.event = event
        self.reason = reason
        super().__init__(f"event {event.seq} ({event.kind}): {reason}")


@dataclass(frozen=True, slots=True)
class Step:
    """Where a play is: a screen, and the part it belongs to."""

    screen: Screen
    part: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """A committed run. ``outcome`` is None while it is in flight."""

    number: int
    setting: Mapping[str, Value]
    cost: int
    outcome: Recorded | None = None
    met: Mapping[str, bool] = field(default_factory=dict)
    rounds: int | None = None

    @property
    def ended(self) -> bool:
        """Whether the run came to its own end (a cancelled run did not)."""
        return self.outcome is not None and self.rounds is None

    @property
    def passed(self) -> bool:
        """Whether the run came to its end and meets every spec."""
        return self.ended and all(self.met.values())


@dataclass(frozen=True, slots=True)
class Filed:
    """A claim as it was filed, and the sentence for each check that failed."""

    claim: do.Claim
    failed: Mapping[str, str]

    @property
    def verified(self) -> bool:
        """Whether every check held."""
        return not self.failed


@dataclass(frozen=True, slots=True)
class PartState:
    """What has happened in one part."""

    setting: Mapping[str, Value]
    sealed: Mapping[str, do.Seal] = field(default_factory=dict)
    runs: tuple[Run, ...] = ()
    truths: Mapping[str, do.Truth] = field(default_factory=dict)
    claims: tuple[Filed, ...] = ()
    pins: tuple[int, ...] = ()
    hints: tuple[str, ...] = ()
    hinted_ms: tuple[int, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    table: talks.Table | None = None


@dataclass(frozen=True)
class Session:
    """One play at one moment. Make it with :meth:`begin`, move it with decide and apply."""

    mission: Mission
    header: Mapping[str, Any]
    seq: int = 1
    mono_ms: int = 0
    at: Step = field(default_factory=lambda: Step("briefing", None))
    furthest: int = 0
    parts: Mapping[str, PartState] = field(default_factory=dict)
    decision: do.Decide | None = None
    recalled: do.Recall | None = None
    closed: bool = False

    @classmethod
    def begin(cls, mission: Mission, header: Mapping[str, Any]) -> Session:
        """The session after its header."""
        parts = {
            name: PartState(
                dict(part.default), table=talks.opened(part) if part.stakeholders else None
            )
            for name, part in mission.ordered
        }
        return cls(mission, header, parts=parts)

    # -- questions that a driver may ask ---------------------------------------------------

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every step of this mission, in order."""
        inner = (
            Step(screen, name)
            for name, _ in self.mission.ordered
            for screen in self.screens_of(name)
        )
        end: tuple[Screen, ...] = ("debrief",)
        if self.mission.decision is not None:
            end = ("decision", "debrief")
        return (Step("briefing", None), *inner, *(Step(screen, None) for screen in end))

    def screens_of(self, part_id: str) -> tuple[Screen, ...]:
        """The screens of a part, in order: talks only where there is somebody to talk to."""
        parties = self.mission.parts[part_id].stakeholders
        return tuple(screen for screen in PART_SCREENS if parties or screen != "talks")

    @property
    def part(self) -> Part:
        """The part being played (the first one before any, the last one after all)."""
        return self.part_of(self.part_id)

    def part_of(self, part_id: str) -> Part:
        """A part, with what an earlier one hands on to it filled in."""
        part, brought = self.mission.parts[part_id], self.brought_to(part_id)
        return part.given_class(brought) if brought else part

    def brought_to(self, part_id: str) -> Size | None:
        """The class that is handed on to a part by the last one before it that carries any.

        It is that of its best passing run, or what a miss comes to.
        """
        taker = self.mission.parts[part_id]
        giver = self.mission.giver_of(part_id)
        if giver is None or not taker.carried:
            return None
        carry, best = self.mission.parts[giver].carry, self.best_run(giver)
        assert carry is not None  # it would be no giver
        if best is None or not best.passed:
            return carry.missed
        return carry.classes[str(best.setting[carry.slider])]

    @property
    def part_id(self) -> str:
        """The id of :attr:`part`."""
        if self.at.part is not None:
            return self.at.part
        names = [name for name, _ in self.mission.ordered]
        return names[0] if self.at.screen == "briefing" else names[-1]

    @property
    def state(self) -> PartState:
        """What has happened in the part being played."""
        return self.parts[self.part_id]

    @property
    def seed(self) -> int:
        """The seed of the part being played."""
        return self.seed_of(self.part_id)

    def seed_of(self, part_id: str) -> int:
        """The seed of a part, drawn from its deck."""
        return seeds.seed_for(
            self.header["seed_root"],
            self.mission.id,
            part_id,
            self.mission.parts[part_id],
            self.header["attempt"],
        )

    def request(self, setting: Mapping[str, Value] | None = None) -> Request:
        """What to ask the engine for the sliders as they stand, or at ``setting``."""
        return Request.at(self.part, self.state.setting if setting is None else setting, self.seed)

    def request_of(self, run: Run) -> Request:
        """What to ask the engine for a run: of one that was stopped, just the rounds it did."""
        stopped = {} if not run.rounds else {"rounds": run.rounds}
        return self.request({**run.setting, **(stopped if self.goes_in_rounds else {})})

    @property
    def goes_in_rounds(self) -> bool:
        """Whether a run of this part comes round by round, so that it can be stopped."""
        return space.engine_control(self.part, "rounds") is not None

    @property
    def next_lock(self) -> tuple[str, Lock] | None:
        """The first lock of the part that is not sealed yet."""
        for name, lock in self.part.locks.items():
            if name not in self.state.sealed:
                return name, lock
        return None

    @property
    def in_flight(self) -> Run | None:
        """The run that has begun and not come to an end."""
        return next((run for run in self.state.runs if run.outcome is None), None)

    @property
    def runs_left(self) -> int | None:
        """Runs that the budget still holds; None where runs are free."""
        if self.part.kind == "live":
            return None
        return (self.part.runs or 0) - sum(run.cost for run in self.state.runs)

    def readings(self, metrics: Mapping[str, float]) -> tuple[Reading, ...]:
        """The part's specs at an outcome."""
        return self.readings_of(self.part_id, metrics)

    def readings_of(self, part_id: str, metrics: Mapping[str, float]) -> tuple[Reading, ...]:
        """The specs of any part at an outcome."""
        return readings(self.mission, self.mission.parts[part_id], metrics)

    def failure(self, metrics: Mapping[str, float]) -> Failure | Alarm | None:
        """What an outcome of this part is called where it fails; None where nothing does."""
        return failure(self.mission, self.part, metrics)

    def passed(self, part_id: str) -> bool:
        """Whether a run of a part meets every spec; with stakeholders, whether they are won."""
        table = self.parts[part_id].table
        if table is not None:
            return table.won
        return any(run.passed for run in self.parts[part_id].runs)

    @property
    def follows_sliders(self) -> bool:
        """Whether the instruments show the sliders as they stand, or the last committed run."""
        return self.part.kind == "live"

    @property
    def last_run(self) -> Run | None:
        """The last run that has something to show: one that ended or was stopped."""
        return next((run for run in reversed(self.state.runs) if run.outcome is not None), None)

    def best_run(self, part_id: str) -> Run | None:
        """The run that stands: the one on the table, else the one with the most room.

        Room is counted at a run's tightest spec.
        """
        part = self.mission.parts[part_id]
        table = self.parts[part_id].table
        if table is not None and table.run is not None:
            return self.parts[part_id].runs[table.run - 1]
        ended = [run for run in self.parts[part_id].runs if run.ended and run.outcome]
        return max(
            ended,
            key=lambda run: (
                run.passed,
                worst_share(self.mission, part, run.outcome.metrics if run.outcome else {}),
                -run.number,
            ),
            default=None,
        )

    def evidence(self) -> dict[int, claims.Evidence]:
        """The runs of this part that a claim may cite; one that was stopped as so many rounds."""
        return {
            run.number: claims.Evidence(run.number, run.setting, run.outcome.metrics, run.rounds)
            for run in self.state.runs
            if run.outcome is not None
        }

    def citable(self) -> tuple[Run, ...]:
        """The runs that may be cited at the table: pinned, and come to their end."""
        return tuple(run for run in self.state.runs if run.ended and run.number in self.state.pins)

    def judgements(self, part_id: str) -> dict[str, locks.Judgement]:
        """The part's predictions beside their truths, once revealed."""
        state = self.parts[part_id]
        if not state.truths:
            return {}
        return locks.judged(self.part_of(part_id), state.sealed, state.truths)

    @property
    def next_hint(self) -> str | None:
        """The first hint of this part that was not opened yet."""
        return next((hint for hint in self.part.hints if hint not in self.state.hints), None)

    def baseline(self, setting: Mapping[str, Value]) -> Run | None:
        """What ``setting`` is seen against: the newest pin, else the last run elsewhere."""
        ended = {run.number: run for run in self.state.runs if run.ended}
        pinned = [ended[number] for number in self.state.pins if number in ended]
        known = pinned or list(ended.values())
        return next((run for run in reversed(known) if run.setting != setting), None)

    @property
    def claims_left(self) -> int:
        """Claims that may still be filed in this part."""
        if any(filed.verified for filed in self.state.claims):
            return 0
        return self.part.claim.attempts - len(self.state.claims)

    @property
    def distinct_left(self) -> int:
        """Runs, different from all before, that the part still asks for."""
        return max(0, self.part.distinct_runs - len(self.different))

    @property
    def different(self) -> tuple[Run, ...]:
        """The runs that count as different: each is apart from those that counted before it."""
        found: list[Run] = []
        for run in self.state.runs:
            if run.ended and not any(
                not space.counts(self.part, run.setting, each.setting) for each in found
            ):
                found.append(run)
        return tuple(found)

    @property
    def elsewhere(self) -> str:
        """Where a run that is still asked for has to be, in words."""
        apart = self.part.apart
        if apart is None:
            return "at another setting"
        if apart > 1:
            return f"{apart:.2g} choices or sliders' lengths away in all"
        along = len(space.ordered(self.part))
        length = _LENGTHS.get(apart, f"{apart:.2g} of a slider")
        ways = ["another choice"] if along < len(self.part.sliders) else []
        return " or ".join([*ways, f"{length} away"] if along else ways)

    @property
    def next_step(self) -> Step | None:
        """The step after the present one, whether or not it is open yet."""
        here = self.steps.index(self.at)
        return self.steps[here + 1] if here + 1 < len(self.steps) else None

    def barred(self, screen: str) -> str | None:
        """Why the player can't go to a screen of this part (or on to the next); None if free."""
        try:
            self._step_to(screen)
        except Refused as refusal:
            return str(refusal)
        return None

    # -- the two functions that are the rules ----------------------------------------------

    def decide(self, action: Action, at: Instant) -> tuple[Event, ...]:
        """The events that ``action`` causes now. Raises :class:`Refused` with a sentence."""
        if self.closed:
            raise Refused("this play is closed")
        part, results = self._results(action)
        event_data = {**do.data(action), **results}
        return (Event(self.seq, action.kind, part, at.mono_ms, at.wall, event_data),)

    def apply(self, event: Event) -> Session:
        """The session after ``event``. Kinds that this version doesn't know change nothing."""
        moved = replace(self, seq=self.seq + 1, mono_ms=event.mono_ms)
        action = do.read(event)
        match action:
            case None | do.Leave() | do.Recover() | do.Restart():
                return moved
            case do.Enter():
                return moved._entered(action)
            case do.Close():
                return replace(moved, closed=True)
            case do.Decide():
                return replace(moved, decision=action)
            case do.Recall():
                return replace(moved, recalled=action)
            case _:
                return moved._with_part(_applied(self.part, self.state, action, event))

    @classmethod
    def replayed(cls, mission: Mission, events: tuple[Event, ...]) -> Session:
        """Feed recorded events to the rules and demand the same events.

        Raises :class:`IllegalPlay` at the first event that the rules would not have given.
        """
        session = cls.begin(mission, events[0].data)
        for event in events[1:]:
            session = session.checked(event)
        return session

    def checked(self, event: Event) -> Session:
        """The session after ``event``, if the rules give that event. Raises IllegalPlay."""
        try:
            action = do.read(event)
            if event.mono_ms < self.mono_ms:
                raise IllegalPlay(event, "its clock runs backwards")
            if action is not None:
                given = self.decide(action, Instant(event.mono_ms, event.wall))
                if not _same(given[0], event):
                    raise IllegalPlay(event, _difference(given[0], event))
            elif event.seq != self.seq or event.kind == "header":
                raise IllegalPlay(event, f"the rules await event {self.seq}, and no second header")
            return self.apply(event)
        except (Refused, do.UnreadableAction) as refusal:
            raise IllegalPlay(event, str(refusal)) from None
        except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            if isinstance(error, IllegalPlay):
                raise
            raise IllegalPlay(event, f"unreadable: {error}") from None

    # -- how each action is decided --------------------------------------------------------

    def _results(self, action: Action) -> tuple[str | None, dict[str, Any]]:
        """The part that the event belongs to, and what the rules add to the action."""
        here = self.at.part
        match action:
            case do.Enter():
                return self._enter(action)
            case do.Leave():
                if action.screen != self.at.screen or min(action.active_ms, action.idle_ms) < 0:
                    raise Refused(f"this is the {self.at.screen}, and time runs forward")
                return here, {}
            case do.Recover():
                if action.kept_events != self.seq or action.torn_bytes < 1:
                    raise Refused("a recovery keeps the events before it, and something was torn")
                return here, {}
            case do.Note():
                return here, {}
            case do.Seal():
                return here, self._seal(action)
            case do.Turn():
                return here, self._turn(action)
            case do.Commit():
                return here, self._commit()
            case do.Finish():
                return here, self._finish(action)
            case do.Cancel():
                self._flying(action.number)
                if self.part.kind == "live":
                    raise Refused("a free run can't be cancelled")
                if action.rounds < 0:
                    raise Refused("a run is stopped after a round that it has done")
                return here, {}
            case do.Restart():
                self._flying(action.number)
                return here, {}
            case do.Pin():
                self._cited(action.number)
                return here, {}
            case do.Unpin():
                if action.number not in self.state.pins:
                    raise Refused(f"run #{action.number} is not pinned")
                return here, {}
            case do.Hint():
                if action.hint != self.next_hint:
                    raise Refused("hints come one after the other")
                return here, {"stage": len(self.state.hints) + 1}
            case do.Claim():
                return here, self._claim(action)
            case do.Move():
                return here, self._move(action)
            case do.Decide():
                return None, self._decide(action)
            case do.Recall():
                return None, self._recall(action)
            case do.Close():
                return None, self._close()
            case _:
                assert_never(action)

    def _enter(self, action: do.Enter) -> tuple[str | None, dict[str, Any]]:
        step = self._step_to(action.screen)
        if step.screen != "reveal":
            if action.truths is not None:
                raise Refused("truths come with the reveal alone")
            return step.part, {}
        part, state = self.part_of(step.part or ""), self.parts[step.part or ""]
        if action.truths is None or action.truths.keys() != part.locks.keys():
            raise Refused("a reveal brings the truth of every lock")
        if state.truths and dict(state.truths) != action.truths:
            raise Refused("the truth was revealed before, and it was another")
        found = locks.judged(part, state.sealed, action.truths)
        return step.part, {
            "judged": {name: asdict(j) | {"cell": j.cell} for name, j in found.items()}
        }

    def _step_to(self, screen: str) -> Step:
        """The step that ``screen`` means from here: one of this part's, or the next one on."""
        here = self.steps.index(self.at)
        nearby = [
            n
            for n, step in enumerate(self.steps)
            if step.screen == screen
            and (n in (here, here + 1) or (step.part is not None and step.part == self.at.part))
        ]
        if not nearby:
            raise Refused(f"there is no way to {screen} from here")
        target = nearby[-1] if nearby[-1] <= here + 1 else nearby[0]
        for n in range(here, target):
            self._leave_for(n + 1)
        if self.steps[target].screen == "lock" and target < here:
            raise Refused("a sealed lock can't be changed")
        return self.steps[target]

    def _leave_for(self, target: int) -> None:
        """Raise unless the step before ``target`` has been done."""
        done = self.steps[target - 1]
        if done == self.at and self.in_flight:
            raise Refused("a run is in flight; let it end first")
        if target <= self.furthest:
            return
        if done.screen == "decision" and self.decision is None:
            raise Refused("decide first: the paragraph is the one that you must write")
        if done.part is None:
            return
        state, part = self.parts[done.part], self.mission.parts[done.part]
        if done.screen == "lock" and state.sealed.keys() != part.locks.keys():
            raise Refused("seal your prediction first: the instruments unlock with it")
        if done.screen == "workbench" and self.distinct_left and self.runs_left != 0:
            left, many = self.distinct_left, self.distinct_left > 1
            if part.apart is None:
                raise Refused(f"record {left} more run{'s' * many} {self.elsewhere} first")
            what = "strategies" if many else "strategy"
            raise Refused(f"record {left} more {what} first: {self.elsewhere} counts")
        if done.screen == "talks" and state.table is not None and not state.table.over:
            raise Refused(
                f"the table is still open: {state.table.turns_left} moves are left, "
                "and a waiver ends any argument"
            )
        if done.screen == "reveal" and not state.truths:
            raise Refused("see your prediction beside the truth first")
        if done.screen == "claim" and not state.claims:
            raise Refused("file a claim first")

    def _seal(self, action: do.Seal) -> dict[str, Any]:
        self._on("lock")
        lock = self.part.locks.get(action.lock)
        if lock is None:
            raise Refused("there is no such lock in this part")
        if action.lock in self.state.sealed:
            raise Refused("a sealed lock can't be changed")
        if refusal := locks.refusal(lock, action):
            raise Refused(refusal)
        return {}

    def _turn(self, action: do.Turn) -> dict[str, Any]:
        self._on("workbench")
        try:
            value = space.check_on_grid(self.part, action.control, action.to)
        except SettingError as error:
            raise Refused(str(error)) from None
        before = self.state.setting[action.control]
        if value == before:
            raise Refused(f"{action.control} stands there already")
        return {"from": before}

    def _commit(self) -> dict[str, Any]:
        self._on("workbench")
        if self.in_flight:
            raise Refused("one run at a time: a run is in flight")
        if self.runs_left == 0:
            raise Refused("no runs left: the best one stands")
        cost = 0 if self.part.kind == "live" else 1
        return {
            "number": len(self.state.runs) + 1,
            "setting": dict(self.state.setting),
            "cost": cost,
            "seed": self.seed,
        }

    def _finish(self, action: do.Finish) -> dict[str, Any]:
        self._flying(action.number)
        found = self.readings(action.outcome.metrics)
        if any(reading.value is None for reading in found):
            raise Refused("the outcome lacks a metric that a spec needs")
        met = {reading.id: reading.met for reading in found}
        return {"met": met, "passed": all(met.values())}

    def _claim(self, action: do.Claim) -> dict[str, Any]:
        self._on("claim")
        if any(_same_claim(filed.claim, action) for filed in self.state.claims):
            raise Refused("you have filed that very claim already")
        if self.claims_left <= 0:
            verified = any(filed.verified for filed in self.state.claims)
            raise Refused("your claim stands" if verified else "no attempts left")
        failed = claims.verdict(self.part, action, self.evidence())
        return {"failed": failed, "verified": not failed}

    def _move(self, action: do.Move) -> dict[str, Any]:
        self._on("talks")
        part, table = self.part, self.state.table
        if table is None or action.party not in part.stakeholders:
            raise Refused("there is no such party at the table")
        kind = next((kind for kind in talks.KINDS if kind == action.move), None)
        if kind is None:
            raise Refused("choose one of " + ", ".join(talks.KINDS))
        if table.turns_left <= 0:
            raise Refused("no move is left: the table is closed")
        if table.stands[action.party].settled:
            raise Refused("that party is settled, or has left the table")
        if kind == "waive":
            self._waive(action, table)
            run = None
        else:
            run = self._at_the_table(action)
            if kind != "disprove" and (broken := talks.broken_waiver(part, table, run)):
                party, want = (part.stakeholders[broken[0]], broken[1])
                raise Refused(
                    f"run #{run.number} breaks your own waiver on {party.wants[want].label}"
                )
        found = asdict(talks.answer(part, table, action.party, kind, run))
        named = {name: list(found[name]) for name in ("lacking", "loose", "reopened")}
        return {**found, **named, "turn": table.turns + 1}  # as a file gives it back

    def _at_the_table(self, action: do.Move) -> talks.Cited:
        """The run that a move cites: pinned, and come to its end."""
        if action.want is not None or action.threshold is not None or action.owner:
            raise Refused("only a waiver names a threshold and an owner")
        for run in self.citable():
            if run.number == action.run and run.outcome is not None:
                return talks.Cited(run.number, run.setting, run.outcome.metrics)
        raise Refused("cite a run that is pinned and came to its end")

    def _waive(self, action: do.Move, table: talks.Table) -> None:
        """Raise unless a waiver says all that it must."""
        want = self.part.stakeholders[action.party].wants.get(action.want or "")
        if want is None:
            raise Refused("name the want that you waive")
        if action.run is not None:
            raise Refused("a waiver cites no run")
        if action.threshold is None or not isfinite(action.threshold):
            raise Refused("give the threshold that the design must still keep")
        if not action.owner.strip():
            raise Refused("a risk has an owner: say who")
        if table.run is not None:
            lies = self.state.runs[table.run - 1].outcome
            if lies and not talks.good(want, lies.metrics[want.metric], action.threshold):
                raise Refused(f"the design on the table, run #{table.run}, breaks that threshold")

    def _decide(self, action: do.Decide) -> dict[str, Any]:
        self._on("decision")
        decision = self.mission.decision
        if decision is None or action.choice not in decision.options:
            raise Refused("choose one of the options")
        if self.decision is not None:
            raise Refused("the decision is made")
        if not action.text.strip():
            raise Refused("defend it: the paragraph is the one that you must write")
        return {}

    def _recall(self, action: do.Recall) -> dict[str, Any]:
        self._on("briefing")
        carried = self.header.get("carried")
        if not isinstance(carried, Mapping) or action.mission not in carried:
            raise Refused("only a mission that was finished before asks again")
        if self.recalled is not None:
            raise Refused("you have answered that already")
        if (action.answer is None) != (action.right is None):
            raise Refused("what is skipped is neither right nor wrong")
        if action.latency_ms < 0:
            raise Refused("time runs forward")
        return {}

    def _close(self) -> dict[str, Any]:
        if self.at.screen != "debrief":
            raise Refused("a play closes from its debrief")
        outcome: dict[str, dict[str, Any]] = {}
        for name in self.mission.parts:
            best = self.best_run(name)
            outcome[name] = {
                "locks": len(self.parts[name].sealed),
                "passed": self.passed(name),
                "best_run": best.number if best else None,
                "claim_verified": any(filed.verified for filed in self.parts[name].claims),
            }
            table = self.parts[name].table
            if table is not None:
                outcome[name]["parties"] = {
                    party: stand.settled or "open" for party, stand in table.stands.items()
                }
        return {"count": self.seq, "outcome": outcome}

    def _on(self, screen: Screen) -> None:
        if self.at.screen != screen:
            raise Refused(f"that belongs to the {screen}, and this is the {self.at.screen}")

    def _flying(self, number: int) -> None:
        run = self.in_flight
        if run is None or run.number != number:
            raise Refused(f"run #{number} is not in flight")

    def _cited(self, number: int) -> None:
        if number not in {run.number for run in self.state.runs if run.outcome is not None}:
            raise Refused(f"there is no run #{number} to cite")

    # -- how each event changes the session ------------------------------------------------

    def _entered(self, action: do.Enter) -> Session:
        step = self._step_to(action.screen)
        furthest = max(self.furthest, self.steps.index(step))
        moved = replace(self, at=step, furthest=furthest)
        if action.truths is not None and step.part is not None:
            return moved._with_part(replace(moved.state, truths=dict(action.truths)))
        return moved

    def _with_part(self, state: PartState) -> Session:
        return replace(self, parts={**self.parts, self.part_id: state})


def _applied(part: Part, state: PartState, action: Action, event: Event) -> PartState:
    """A part's state after one of the actions that belong to parts."""
    match action:
        case do.Seal():
            return replace(state, sealed={**state.sealed, action.lock: action})
        case do.Turn():
            return replace(state, setting={**state.setting, action.control: action.to})
        case do.Commit():
            found = event.data
            # In the sliders' own order: a ledger's lines sort their keys.
            setting = {name: found["setting"][name] for name in state.setting}
            run = Run(found["number"], setting, found["cost"])
            return replace(state, runs=(*state.runs, run))
        case do.Finish() | do.Cancel():
            rounds = action.rounds if isinstance(action, do.Cancel) else None
            met = dict(event.data.get("met", {}))
            runs = tuple(
                replace(run, outcome=action.outcome, met=met, rounds=rounds)
                if run.number == action.number
                else run
                for run in state.runs
            )
            return replace(state, runs=runs)
        case do.Pin():
            kept = tuple(number for number in state.pins if number != action.number)
            return replace(state, pins=(*kept, action.number))
        case do.Unpin():
            return replace(state, pins=tuple(n for n in state.pins if n != action.number))
        case do.Hint():
            when = (*state.hinted_ms, event.mono_ms)
            return replace(state, hints=(*state.hints, action.hint), hinted_ms=when)
        case do.Note():
            return replace(state, notes={**state.notes, action.field: action.text})
        case do.Move() if state.table is not None:
            found = event.data
            answer = talks.Answer(
                found["accepted"],
                found["reply"],
                found["settled"],
                dict(found["demand"]),
                tuple(found["lacking"]),
                tuple(found["loose"]),
                tuple(found["reopened"]),
            )
            waived: dict[str, float] = {}
            if action.want is not None and action.threshold is not None:
                waived[action.want] = action.threshold
            table = talks.after(
                part,
                state.table,
                action.party,
                answer,
                action.run,
                waived,
                action.move,
                action.owner,
            )
            return replace(state, table=table)
        case do.Claim():
            filed = Filed(action, dict(event.data["failed"]))
            return replace(state, claims=(*state.claims, filed))
        case _:
            raise TypeError(f"{action} changes no part")


def _same(given: Event, recorded: Event) -> bool:
    return given == recorded and _alike(given.data, recorded.data)


def _alike(given: Any, recorded: Any) -> bool:
    """Equality that tells true from 1: Python's own does not."""

    def kinds(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: kinds(item) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [kinds(item) for item in value]
        return isinstance(value, bool)

    return bool(given == recorded) and bool(kinds(given) == kinds(recorded))


def _same_claim(filed: do.Claim, other: do.Claim) -> bool:
    """Whether two claims say the same; the answer beside them is another matter."""
    return replace(filed, answer="", terms={}) == replace(other, answer="", terms={})


def _difference(given: Event, recorded: Event) -> str:
    """Which field of an event the rules would have written otherwise."""
    for name in ("seq", "kind", "part"):
        if getattr(given, name) != getattr(recorded, name):
            return f"{name} is {getattr(recorded, name)!r}, by the rules {getattr(given, name)!r}"
    for name in given.data.keys() | recorded.data.keys():
        if not _alike(given.data.get(name), recorded.data.get(name)):
            return f"{name} is not what the rules give"
    return "not what the rules give"
