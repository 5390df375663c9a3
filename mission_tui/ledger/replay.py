"""Replay: the rules exactly, the physics within tolerance.

The rules are fed each recorded action *with the recorded outcomes* and must give the same
events: that catches illegal play and forged results of rules. Then what the engine measured is
computed again and compared: accounting within 1e-9 of its value, a measured metric within its
own tolerance (one test sample), because numpy's last bits differ between machines.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from engine import registry
from engine.contract import Outcome
from mission_tui.content.schema import Mission
from mission_tui.ledger.verdict import State, Verdict
from mission_tui.play import actions as do
from mission_tui.play import evaluate, flips, locks
from mission_tui.play.claims import metric_of
from mission_tui.play.events import Event
from mission_tui.play.session import IllegalPlay, Session
from mission_tui.play.start import facts
from mission_tui.text import clean_line

EXACT: Final = 1e-9
"""Relative difference that accounting may show on another machine."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of the record beside the same figure computed now."""

    seq: int
    kind: str
    field: str
    recorded: float | str
    recomputed: float | str
    state: State


@dataclass(frozen=True, slots=True)
class Replay:
    """Both layers of one play."""

    rules: Verdict
    physics: Verdict
    rows: tuple[Row, ...] = ()
    recorded_on: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """The two layers as the one verdict of a report."""
        if self.rules.state != "holds":
            return self.rules
        return self.physics

    @property
    def fails(self) -> bool:
        """Whether either layer fails."""
        return "fails" in (self.rules.state, self.physics.state)

    def as_json(self) -> dict[str, Any]:
        """The two layers apart, every compared figure, and both environments."""
        return {
            "rules": asdict(self.rules),
            "physics": {**asdict(self.physics), "rows": [asdict(row) for row in self.rows]},
            "environment": {"recorded": dict(self.recorded_on), "here": facts()},
        }

    def lines(self) -> Iterator[str]:
        """The same for people: the verdicts, then each figure that differs."""
        yield clean_line(f"rules    {self.rules.state}: {self.rules.reason}", 300)
        yield clean_line(f"physics  {self.physics.state}: {self.physics.reason}", 300)
        for row in self.rows:
            if row.state != "holds":
                figures = f"recorded {row.recorded}, recomputed {row.recomputed}"
                yield clean_line(f"  event {row.seq} {row.kind} {row.field}: {figures}", 300)


Told = Callable[[int, int], None]
"""Is told how many of how many events are done."""


def replay(mission: Mission, events: Sequence[Event], told: Told | None = None) -> Replay:
    """Replay a play against the installed mission, whose hash must have been compared before."""
    recorded_on = {name: events[0].data.get(name) for name in facts()}
    session = Session.begin(mission, events[0].data)
    rows: list[Row] = []
    for event in events[1:]:
        before = session
        if told is not None:
            told(event.seq, len(events))
        try:
            session = session.checked(event)
            rows += compared(before, event)
        except IllegalPlay as error:
            rules = Verdict("fails", str(error))
            skipped = Verdict("not applicable", "the rules were broken before")
            return Replay(rules, skipped, tuple(rows), recorded_on)
    rules = Verdict("holds", f"{len(events)} events follow from the rules")
    return Replay(rules, judge_physics(rows), tuple(rows), recorded_on)


def missing_version(mission: Mission, first: Event) -> str | None:
    """Why this program can't compute a play again: a model of another version. None if it can."""
    versions = first.data.get("models")
    for model, here in evaluate.versions(mission).items():
        then = versions.get(model) if isinstance(versions, Mapping) else None
        if then != here:
            return f"model {model} was version {then} and is version {here} here"
    return None


def judge_physics(rows: Sequence[Row]) -> Verdict:
    """What the compared figures of a whole play come to.

    *fails* where a figure differs, *marginal* where all agree within their tolerance and a limit
    would be decided otherwise.
    """
    wrong = [row for row in rows if row.state == "fails"]
    if wrong:
        first = wrong[0]
        reason = (
            f"{len(wrong)} of {len(rows)} figures differ; first at event {first.seq}, "
            f"{first.field}: recorded {first.recorded}, recomputed {first.recomputed}"
        )
        return Verdict("fails", reason)
    marginal = [row for row in rows if row.state == "marginal"]
    if marginal:
        first = marginal[0]
        return Verdict("marginal", f"event {first.seq}: {first.field} would be decided otherwise")
    return Verdict("holds", f"{len(rows)} figures recomputed")


def compared(session: Session, event: Event) -> Iterator[Row]:
    """What the engine measured in one event, beside what it measures now.

    ``session`` is the play before the event, which must follow from it by the rules
    (:meth:`~mission_tui.play.session.Session.checked`). Nothing where nothing was measured.
    """
    match do.read(event):
        case do.Finish() as action:
            again = yield from _again(session, event, action, None)
            if again is None:
                return
            met = {reading.id: reading.met for reading in session.readings(again.metrics)}
            for name, recorded in event.data["met"].items():
                if recorded != met[name]:
                    words = (str(recorded), str(met[name]))
                    yield Row(event.seq, event.kind, f"met.{name}", *words, "marginal")
        case do.Cancel() as action:
            yield from _again(session, event, action, action.rounds)
        case do.Enter(truths=truths) if truths:
            for name, truth in truths.items():
                part = session.part_of(str(event.part))
                seed = session.seed_of(str(event.part))
                again_truth = locks.truth(session.mission, part, part.locks[name], seed)
                metric = part.locks[name].why.metric
                value = getattr(part.locks[name].truth, "metric", None)
                slack = _tolerance(session, value) if value else 0.0
                where = f"truths.{name}"
                yield _row(event, f"{where}.value", truth.value, again_truth.value, slack)
                yield _row(event, f"{where}.mechanism", truth.mechanism, again_truth.mechanism, 0)
                yield from _terms(session, event, where, metric, truth.terms, again_truth.terms)
        case do.Claim() as action:
            cited = {run.number: run for run in session.state.runs if run.outcome is not None}
            first, second = (cited.get(number) for number in action.runs)
            if first is None or second is None or not metric_of(session.part, action.metric).terms:
                return  # the rules refused it already
            again_terms = evaluate.explain(
                action.metric, session.request_of(first), session.request_of(second)
            )
            yield from _terms(
                session, event, "terms", action.metric, action.terms, again_terms.terms
            )
            if action.flip is not None:
                turns = flips.turns(session, action.metric, action.runs, action.flip.control)
                recorded, found = str(list(action.flip.turns)), str(list(turns))
                yield _row(event, "flip.turns", recorded, found, 0.0)


def _again(
    session: Session, event: Event, action: do.Finish | do.Cancel, rounds: int | None
) -> Generator[Row, None, Outcome | None]:
    """Execute a run again, obeying its picks and as far as it went, and compare. Gives it."""
    run = session.state.runs[action.number - 1]
    try:
        found = evaluate.again(session.request(run.setting), action.outcome.picks, rounds)
    except (LookupError, ValueError, ArithmeticError) as error:
        yield Row(event.seq, event.kind, "run", "as recorded", str(error), "fails")
        return None
    recorded = action.outcome
    yield from _outcome(session, event, recorded, found.metrics, found.series, found.picks)
    return found


def _outcome(
    session: Session,
    event: Event,
    recorded: do.Recorded,
    metrics: Mapping[str, float],
    series: Mapping[str, tuple[float, ...]],
    picks: tuple[int, ...],
) -> Iterator[Row]:
    if recorded.metrics.keys() != metrics.keys() or recorded.series.keys() != series.keys():
        yield Row(event.seq, event.kind, "outcome", "other figures", "the model's", "fails")
        return
    if recorded.picks != picks:
        yield Row(event.seq, event.kind, "picks", str(recorded.picks), str(picks), "fails")
    for name, value in recorded.metrics.items():
        yield _row(event, name, value, metrics[name], _tolerance(session, name))
    slack = {s.name: s.tolerance for s in registry.model(session.part.model).series}
    for name, values in recorded.series.items():
        if len(values) != len(series[name]):
            yield Row(event.seq, event.kind, name, len(values), len(series[name]), "fails")
            continue
        for n, (value, again) in enumerate(zip(values, series[name], strict=True)):
            yield _row(event, f"{name}[{n}]", value, again, slack[name])


def _terms(
    session: Session,
    event: Event,
    where: str,
    metric: str,
    recorded: Mapping[str, float],
    again: Mapping[str, float],
) -> Iterator[Row]:
    if recorded.keys() != again.keys():
        yield Row(event.seq, event.kind, where, "other terms", "the model's", "fails")
        return
    slack = 2 * _tolerance(session, metric)  # a term is a difference of two evaluations
    for name, value in recorded.items():
        yield _row(event, f"{where}.{name}", value, again[name], slack)


def _row(event: Event, name: str, recorded: do.Scalar, again: do.Scalar, slack: float) -> Row:
    if isinstance(recorded, str) or isinstance(again, str):
        same = recorded == again
        return Row(
            event.seq, event.kind, name, str(recorded), str(again), "holds" if same else "fails"
        )
    same = abs(recorded - again) <= max(slack * (1 + EXACT), EXACT * abs(again))
    return Row(event.seq, event.kind, name, recorded, again, "holds" if same else "fails")


def _tolerance(session: Session, metric: str) -> float:
    return metric_of(session.part, metric).tolerance
