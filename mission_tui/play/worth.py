"""What the parties of a table privately get out of a design, and the value left on the table.

The worth of a deal is the mean of the parties' utilities (0 at their reserves, 1 at their
aspirations); one whose reserve is broken gets 0. Who proved a demand impossible needs no
signature of that party, and still must not take from it: see :func:`best`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.contract import Value
from mission_tui.content.schema import Part, Stakeholder
from mission_tui.play import evaluate, talks
from mission_tui.play.evaluate import Request
from mission_tui.play.proof import Record, Solved
from mission_tui.play.session import Session


@dataclass(frozen=True, slots=True)
class Deal:
    """A design at the table, and what it is worth. ``run`` is None for the solver's design."""

    run: int | None
    setting: Mapping[str, Value]
    worth: float


@dataclass(frozen=True, slots=True)
class Proof:
    """What a demand's bound comes to: the want, its value at the bound's corner, and a verdict."""

    want: str
    value: float
    holds: bool


def solved(session: Session, part_id: str, record: Record | None) -> Solved | None:
    """What the solver knows of a part as it was played: its seed, and the class handed to it."""
    if record is None:
        return None
    return record.at(part_id, session.brought_to(part_id), session.seed_of(part_id))


def worth(part: Part, metrics: talks.Metrics) -> float:
    """The mean of the parties' utilities."""
    parties = part.stakeholders.values()
    return sum(talks.utility(party, metrics) or 0.0 for party in parties) / len(parties)


def made(session: Session, part_id: str) -> Deal | None:
    """The deal on the table; None where no party agreed to a design."""
    table = session.parts[part_id].table
    if table is None or table.run is None:
        return None
    run = session.parts[part_id].runs[table.run - 1]
    metrics = run.outcome.metrics if run.outcome else {}
    return Deal(run.number, run.setting, worth(session.part_of(part_id), metrics))


def best(session: Session, part_id: str, record: Record | None) -> Deal | None:
    """The best deal known: among the player's own runs, the solver's design, and the one made.

    A design is a deal where every party would sign it. Whom was disproved signs nothing, and loses
    nothing by it: of its other wants a deal gives as much as the one that was made, or as it asks;
    where none was made, as much as it can live with.
    """
    part, table = session.part_of(part_id), session.parts[part_id].table
    if table is None:
        return None
    own = made(session, part_id)
    lies = session.parts[part_id].runs[own.run - 1].outcome if own and own.run else None
    proven = [
        (want, lies.metrics[want.metric] if lies else want.reserve)
        for name, party in part.stakeholders.items()
        if table.stands[name].settled == "disproved"
        for wanted, want in party.wants.items()
        if party.bound is None or wanted != party.bound.want
    ]
    deals = [own] if own else []
    for number, setting, metrics in _designs(session, part_id, record):
        if not _all_sign(session, part_id, metrics):
            continue
        values = [(want, metrics[want.metric], limit) for want, limit in proven]
        if all(talks.good(w, v, limit) or talks.good(w, v, w.asks) for w, v, limit in values):
            deals.append(Deal(number, setting, worth(part, metrics)))
    return max(deals, key=_by_worth, default=None)


def provable(session: Session, part_id: str, name: str) -> Proof | None:
    """Whether a party's public demand could be disproved; None where it has no bound.

    It is the run that the author's gate makes: the reference, with the bound's corner.
    """
    part = session.part_of(part_id)
    party = part.stakeholders[name]
    if party.bound is None:
        return None
    setting = {**part.reference, **party.bound.corner}
    seed = session.seed_of(part_id)
    metrics = evaluate.outcome(Request.at(part, setting, seed)).metrics
    want = party.wants[party.bound.want]
    value = metrics[want.metric]
    other = part.stakeholders[party.bound.under] if party.bound.under else None
    kept = other is None or not talks.lacking(other, talks.asks(other), metrics)
    return Proof(party.bound.want, value, kept and not talks.good(want, value, want.asks))


def warm(session: Session, record: Record | None) -> None:
    """Have the engine compute the solver's designs once, away from any screen."""
    for name, part in session.mission.ordered:
        if part.stakeholders:
            best(session, name, record)
            for party in part.stakeholders:
                provable(session, name, party)


def _designs(
    session: Session, part_id: str, record: Record | None
) -> Iterator[tuple[int | None, Mapping[str, Value], talks.Metrics]]:
    for run in session.parts[part_id].runs:
        if run.ended and run.outcome is not None:
            yield run.number, run.setting, run.outcome.metrics
    found = solved(session, part_id, record)
    if found is not None:
        part, seed = session.part_of(part_id), session.seed_of(part_id)
        yield None, found.setting, evaluate.outcome(Request.at(part, found.setting, seed)).metrics


def _by_worth(deal: Deal) -> tuple[float, bool]:
    return deal.worth, deal.run is not None


def _all_sign(session: Session, part_id: str, metrics: talks.Metrics) -> bool:
    """Whether every party would sign a design, but those that were disproved."""
    table = session.parts[part_id].table
    return table is not None and all(
        table.stands[name].settled == "disproved" or _signs(party, metrics)
        for name, party in session.part_of(part_id).stakeholders.items()
    )


def _signs(party: Stakeholder, metrics: talks.Metrics) -> bool:
    """Whether a party would sign a design: all that it asks, or worth enough to it."""
    value = talks.utility(party, metrics)
    asked = talks.lacking(party, talks.asks(party), metrics)
    return not asked or (value is not None and value >= party.floor)
