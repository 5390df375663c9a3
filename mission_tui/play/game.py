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
from mission_tui.play import claims, evaluate, locks, queries
from mission_tui.play.actions import Action, Instant, Recorded
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

    def claim(
        self, draft: claims.Draft, runs: tuple[int, int], mechanism: str, answer: str
    ) -> None:
        """File a claim: the drafted sentence, the student's why, and the law's own terms."""
        terms = self.terms(draft.metric, runs)
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
            )
        )

    def _take(self, action: Action) -> None:
        for event in self.session.decide(action, self._clock()):
            self._record(event)
            self.session = self.session.apply(event)
