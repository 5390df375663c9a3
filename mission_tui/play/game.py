"""A play in progress: the Session, its clock, and where its events go.

Every driver (the screens, the plain mode, the bots) plays through this one object, so that
each leaves the same events for the same choices.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.contract import Outcome, Terms, Value
from mission_tui.content import space
from mission_tui.play import actions as do
from mission_tui.play import claims, evaluate, flips, locks, queries, runcode
from mission_tui.play.actions import Action, Instant, Recorded, Scalar
from mission_tui.play.evaluate import Request
from mission_tui.play.events import Event
from mission_tui.play.session import Refused, Run, Session
from mission_tui.play.start import instant

Record = Callable[[Event], None]
"""Takes an event to safety: it returns when the event is acknowledged."""


class Clock:
    """A play's clock: monotonic milliseconds since the play was first opened, and the wall."""

    def __init__(self, already_ms: int = 0) -> None:
        self._zero = time.monotonic() - already_ms / 1000

    def __call__(self) -> Instant:
        """Now."""
        return instant(round((time.monotonic() - self._zero) * 1000), datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A setting one step away: which slider moved, which way, and to where."""

    control: str
    up: bool
    to: Value


@dataclass(frozen=True, slots=True)
class _Sweep:
    """A slider on the move: coalesced to one event when something else happens."""

    control: str
    to: Value
    since_ms: int


class Game:
    """Drives one Session: decides, records, applies, in that order."""

    def __init__(self, session: Session, record: Record, clock: Callable[[], Instant]) -> None:
        self.session = session
        self._record = record
        self._clock = clock
        self._sweep: _Sweep | None = None
        self._turns: dict[tuple[str, str, tuple[int, int], str], tuple[Scalar, ...]] = {}

    @property
    def setting(self) -> dict[str, Value]:
        """The sliders as they stand, a sweep in progress included."""
        moving = {self._sweep.control: self._sweep.to} if self._sweep else {}
        return {**self.session.state.setting, **moving}

    def act(self, action: Action) -> None:
        """Take an action. Raises :class:`Refused`, and then nothing has changed."""
        self.settle()
        self._take(action)

    def turn(self, control: str, to: Value) -> None:
        """Move a slider. A sweep over one slider is one event, recorded when it settles.

        Raises :class:`Refused` where the slider can't stand there.
        """
        if self.session.at.screen != "workbench":
            raise Refused(f"sliders belong to the workbench, not to the {self.session.at.screen}")
        try:
            value = space.check_on_grid(self.session.part, control, to)
        except ValueError as error:
            raise Refused(str(error)) from None
        if self._sweep and self._sweep.control != control:
            self.settle()
        since = self._sweep.since_ms if self._sweep else self._clock().mono_ms
        self._sweep = _Sweep(control, value, since)

    def settle(self) -> None:
        """Record the sweep in progress, if there is one and it led anywhere."""
        sweep, self._sweep = self._sweep, None
        if sweep and self.session.state.setting[sweep.control] != sweep.to:
            self._take(do.Turn(sweep.control, sweep.to, self._clock().mono_ms - sweep.since_ms))

    def begin_run(self) -> Run:
        """Commit the sliders as a run: durable and charged before anything is computed."""
        self.act(do.Commit())
        run = self.session.in_flight
        assert run is not None
        return run

    def end_run(self, run: Run, outcome: Outcome) -> Run:
        """Record how a run came out."""
        self.act(do.Finish(run.number, Recorded.of(outcome)))
        return self.session.state.runs[run.number - 1]

    def cancel_run(self, run: Run, partial: Outcome) -> Run:
        """Stop a run where it is: charged all the same, and citable as so many rounds."""
        done = partial.rounds[0] if partial.rounds else 0
        self.act(do.Cancel(run.number, done, Recorded.of(partial)))
        return self.session.state.runs[run.number - 1]

    def restart_run(self) -> Run | None:
        """Take up the run that a dead process left in flight; it is not charged again."""
        run = self.session.in_flight
        if run is not None:
            self.act(do.Restart(run.number))
        return run

    # -- settings near and known -----------------------------------------------------------

    def neighbours(self) -> tuple[Neighbour, ...]:
        """Every setting that is one slider's step from where the sliders stand."""
        found = []
        for name in self.session.part.sliders:
            grid = space.values(self.session.part, name)
            here = grid.index(self.setting[name])
            found += [
                Neighbour(name, by > 0, grid[here + by])
                for by in (-1, 1)
                if 0 <= here + by < len(grid)
            ]
        return tuple(found)

    def begin_probe(self, to: Neighbour) -> Run:
        """Commit a setting one step away as an ordinary run; the sliders stand where they stood.

        Raises :class:`Refused` where no run can be committed, and then nothing has moved.
        """
        self.settle()
        if to not in self.neighbours():
            raise Refused("a probe is one step of one slider")
        if self.session.in_flight:
            raise Refused("one run at a time: a run is in flight")
        if self.session.runs_left == 0:
            raise Refused("no runs left: the best one stands")
        before = self.session.state.setting[to.control]
        self.act(do.Turn(to.control, to.to, 0))
        run = self.begin_run()
        self.act(do.Turn(to.control, before, 0))
        return run

    def sensitivity(self) -> tuple[tuple[Neighbour, Outcome], ...]:
        """What each step of each slider would give, free of charge: where charts follow sliders.

        The engine is asked once a neighbour. Raises :class:`Refused` where a probe costs a run.
        """
        if not self.session.follows_sliders:
            raise Refused("a probe costs a run here: choose a slider and a direction")
        stands = self.setting
        return tuple(
            (to, evaluate.outcome(self.session.request({**stands, to.control: to.to})))
            for to in self.neighbours()
        )

    def turn_to(self, code: str) -> None:
        """Set the sliders to what a run code stands for. Raises :class:`Refused`."""
        if self.session.at.screen != "workbench":
            raise Refused(f"sliders belong to the workbench, not to the {self.session.at.screen}")
        for control, value in runcode.read(self.session, code).items():
            if self.setting[control] != value:
                self.turn(control, value)
        self.settle()

    def run(self) -> Run:
        """Commit the sliders, compute, and record: for drivers that can wait."""
        run = self.begin_run()
        return self.end_run(run, evaluate.outcome(self.session.request(run.setting)))

    def resume_run(self, outcome: Outcome | None = None) -> Run | None:
        """Execute again the run that a dead process left in flight; it is not charged again.

        ``outcome`` is what the engine gave for it, where the driver has asked already.
        """
        run = self.restart_run()
        if run is None:
            return None
        found = outcome or evaluate.outcome(self.session.request(run.setting))
        return self.end_run(run, found)

    def truth_requests(self) -> list[Request]:
        """What :meth:`truths` will ask the engine; none once they are revealed."""
        session = self.session
        if session.state.truths:
            return []
        asked = (
            Request.at(session.part, setting, session.seed)
            for lock in session.part.locks.values()
            for setting in queries.settings(session.part, lock.truth)
        )
        return list(dict.fromkeys(asked))

    def truths(self) -> dict[str, do.Truth]:
        """What the engine answers to the locks of this part; once revealed, what it answered."""
        session = self.session
        if session.state.truths:
            return dict(session.state.truths)
        return {
            name: locks.truth(session.mission, session.part, lock, session.seed)
            for name, lock in session.part.locks.items()
        }

    def go(
        self,
        screen: str,
        active_ms: int,
        idle_ms: int,
        truths: dict[str, do.Truth] | None = None,
    ) -> None:
        """Leave the present screen for another.

        The way to a reveal asks the engine, unless the driver has asked already (``truths``).
        """
        if refusal := self.session.barred(screen):
            raise Refused(refusal)
        if screen == "reveal" and truths is None:
            truths = self.truths()
        self.act(do.Leave(self.session.at.screen, active_ms, idle_ms))
        self.act(do.Enter(screen, truths))

    def why(self, metric: str) -> tuple[Run | None, Terms]:
        """The law's terms from the baseline (None is the default) to what the instruments show.

        They show the sliders as they stand, or the last run where runs are budgeted.
        """
        session = self.session
        last = None if session.follows_sliders else session.last_run
        base = session.baseline(last.setting if last else self.setting)
        start = session.request_of(base) if base else session.request(session.part.default)
        if last is not None:
            end = session.request_of(last)
        else:
            end = session.request(self.setting) if session.follows_sliders else start
        return base, evaluate.explain(metric, start, end)

    def draft(self, metric: str, first: int, second: int) -> claims.Draft:
        """The sentence that two runs fill. Raises :class:`Refused` for runs that can't."""
        runs = self.session.evidence()
        if first not in runs or second not in runs or first == second:
            raise Refused("choose two different runs")
        return claims.draft(self.session.part, metric, runs[first], runs[second])

    def terms(self, metric: str, runs: tuple[int, int]) -> Terms:
        """The law's terms between two runs. For a fleet the engine takes seconds to find them."""
        first, second = (self.session.state.runs[number - 1] for number in runs)
        return evaluate.explain(
            metric, self.session.request_of(first), self.session.request_of(second)
        )

    def flips_along(self, metric: str) -> tuple[str, ...]:
        """The sliders along which a claim about a metric may say where it flips."""
        part = self.session.part
        return tuple(name for name in part.sliders if not claims.passable(part, metric, name))

    def turns(self, metric: str, runs: tuple[int, int], control: str) -> tuple[Scalar, ...]:
        """Where the change between two runs turns as a slider goes on: asked once, then known."""
        asked = (self.session.part_id, metric, runs, control)
        if asked not in self._turns:
            self._turns[asked] = flips.turns(self.session, metric, runs, control)
        return self._turns[asked]

    def claim(
        self,
        draft: claims.Draft,
        runs: tuple[int, int],
        mechanism: str,
        answer: str,
        flip: tuple[str, Scalar] | None = None,
    ) -> None:
        """File a claim: the drafted sentence, the student's why, and the law's own terms.

        ``flip`` is the slider and the value at which it would turn, if that is claimed too; the
        engine's own turning points go with it.
        """
        terms = self.terms(draft.metric, runs)
        turning = None
        if flip is not None:
            turning = do.Flip(*flip, self.turns(draft.metric, runs, flip[0]))
        self.act(
            do.Claim(
                draft.metric,
                runs,
                draft.control,
                draft.direction,
                draft.amount,
                draft.unit,
                mechanism,
                answer,
                dict(terms.terms),
                turning,
            )
        )

    def _take(self, action: Action) -> None:
        for event in self.session.decide(action, self._clock()):
            self._record(event)
            self.session = self.session.apply(event)
