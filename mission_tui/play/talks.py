"""The table: parties that disagree, four moves, and what each of them comes to.

One design lies on the table. *Meet* and *Trade* put a pinned run there; *Disprove* shows with
exact accounting that a want can't be had; *Waive* writes down a risk and ends an argument without
winning it. Weights, reserves, aspirations and floors are the party's own: a refused trade is
answered with a counter-offer, and that is how they show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from engine.contract import Value
from mission_tui.content.schema import Part, Stakeholder, Want

Kind: TypeAlias = Literal["meet", "trade", "disprove", "waive"]
Settled: TypeAlias = Literal["met", "traded", "disproved", "waived", "left"]
KINDS: Final[tuple[Kind, ...]] = ("meet", "trade", "disprove", "waive")
WON: Final[frozenset[str]] = frozenset({"met", "traded", "disproved"})
"""The ways of settling that win: a waived want was not met, and a party that left was not heard."""
TURNS: Final = 6
"""Moves that a table has, all parties together."""

Metrics: TypeAlias = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Stand:
    """Where one party stands.

    ``demand`` maps wants to what is asked of each now. ``kept`` is what the design on the table
    must keep so that an agreement holds: of a want that was waived, the threshold signed for.
    ``leaned`` is what another party demanded when a want was disproved under it.
    """

    demand: Mapping[str, float]
    settled: Settled | None = None
    refusals: int = 0
    kept: Mapping[str, float] | None = None
    leaned: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Cited:
    """A run as evidence at the table."""

    number: int
    setting: Mapping[str, Value]
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class Answer:
    """What a move comes to: the party's reply, its demand from now on, and who is open again.

    ``lacking`` names the wants that a run leaves unmet (for a proof those of the party that it
    leans on); ``loose`` the sliders that are not at their favourable end, so that a run proves
    nothing.
    """

    accepted: bool
    reply: str
    settled: Settled | None
    demand: Mapping[str, float]
    lacking: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
    reopened: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """One turn: what was said to whom, with which run or which waiver, and the answer."""

    party: str
    answer: Answer
    run: int | None
    waived: Mapping[str, float]
    kind: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The parties' stands, the run that lies on the table, and the turns that are gone."""

    stands: Mapping[str, Stand]
    run: int | None = None
    turns: int = 0
    said: tuple[Said, ...] = ()

    @property
    def open(self) -> tuple[str, ...]:
        """The parties that are not settled."""
        return tuple(name for name, stand in self.stands.items() if stand.settled is None)

    @property
    def turns_left(self) -> int:
        """Moves that are left."""
        return TURNS - self.turns

    @property
    def over(self) -> bool:
        """Whether there is nobody left to talk to, or no turn left to do it."""
        return not self.open or self.turns_left <= 0

    @property
    def won(self) -> bool:
        """Whether every party is settled, and none by a waiver or by leaving."""
        return all(stand.settled in WON for stand in self.stands.values())


@dataclass(frozen=True, slots=True)
class Held:
    """A want against a run: what is demanded, and what the run gives (None without a run)."""

    want: str
    metric: str
    demand: float
    more: bool
    value: float | None

    @property
    def room(self) -> float | None:
        """Distance to the demand, in the metric's unit: positive is room, negative is lacking."""
        if self.value is None:
            return None
        return self.value - self.demand if self.more else self.demand - self.value

    @property
    def met(self) -> bool:
        """Whether the run gives what is demanded."""
        return self.room is not None and self.room >= 0


def opened(part: Part) -> Table:
    """The table as it is found: every party asks what it asks in public."""
    return Table({name: Stand(asks(party)) for name, party in part.stakeholders.items()})


def asks(party: Stakeholder) -> dict[str, float]:
    """A party's public demand."""
    return {name: want.asks for name, want in party.wants.items()}


def good(want: Want, value: float, limit: float) -> bool:
    """Whether a value is at a limit or on its better side."""
    return value >= limit if want.more else value <= limit


def lacking(party: Stakeholder, demand: Mapping[str, float], metrics: Metrics) -> tuple[str, ...]:
    """The wants of a demand that a run leaves unmet, in the file's order."""
    return tuple(  # a ledger's lines sort their keys, a demand's among them
        name
        for name, want in party.wants.items()
        if name in demand and not good(want, metrics[want.metric], demand[name])
    )


def held(
    party: Stakeholder, demand: Mapping[str, float], metrics: Metrics | None
) -> tuple[Held, ...]:
    """Every want of a demand against a run, in the file's order."""
    known = metrics or {}
    return tuple(
        Held(name, want.metric, demand[name], want.more, known.get(want.metric))
        for name, want in party.wants.items()
        if name in demand
    )


def patience_left(party: Stakeholder, stand: Stand) -> int:
    """Refused moves that a party still takes, the last of which it answers by leaving."""
    return max(0, party.patience - stand.refusals)


def utility(party: Stakeholder, metrics: Metrics) -> float | None:
    """What a run is worth to a party: 0 at its reserves, 1 at its aspirations.

    None where some want is below its reserve: that is not for sale.
    """
    total = weight = 0.0
    for want in party.wants.values():
        value = metrics[want.metric]
        if not good(want, value, want.reserve):
            return None
        share = (value - want.reserve) / (want.aspire - want.reserve)
        total += want.weight * min(1.0, share)
        weight += want.weight
    return total / weight


def counter(party: Stakeholder) -> dict[str, float]:
    """The counter-offer: the heaviest want as asked, the lightest given up to its reserve."""
    by_weight = sorted(party.wants, key=lambda name: party.wants[name].weight)
    demand = asks(party)
    if len(by_weight) > 1:
        demand[by_weight[0]] = party.wants[by_weight[0]].reserve
    return demand


def answer(part: Part, table: Table, name: str, kind: Kind, run: Cited | None) -> Answer:
    """What a party answers to a move. The rules have checked that the move is possible.

    ``run`` is the evidence; a waiver needs none.
    """
    party, stand = part.stakeholders[name], table.stands[name]
    if kind == "waive" or run is None:
        return Answer(True, "waived", "waived", stand.demand)
    if kind == "disprove":
        return _proof(part, table, name, run)
    unmet = lacking(party, stand.demand, run.metrics)
    if not unmet:
        return _agreed(part, table, name, "met", run)
    if kind == "meet":
        return _refused(party, stand, "not_met", stand.demand, unmet)
    worth = utility(party, run.metrics)
    if worth is not None and worth >= party.floor:
        return _agreed(part, table, name, "traded", run)
    return _refused(party, stand, "countered", counter(party), unmet)


def after(
    part: Part,
    table: Table,
    name: str,
    found: Answer,
    run: int | None,
    waived: Mapping[str, float],
    kind: str = "",
    owner: str = "",
) -> Table:
    """The table after an answer. ``waived`` holds a waiver's threshold, by its want.

    ``kind`` and ``owner`` (of a waiver's risk) are kept with what was said.
    """
    party, stand = part.stakeholders[name], table.stands[name]
    kept: Mapping[str, float] | None = None
    leaned: Mapping[str, float] | None = None
    match found.settled:
        case "met":
            kept = stand.demand
        case "traded":
            kept = {want: party.wants[want].reserve for want in party.wants}
        case "waived":
            kept = waived
        case "disproved" if party.bound is not None and party.bound.under is not None:
            leaned = table.stands[party.bound.under].demand
        case _:
            pass
    moved = replace(
        stand,
        demand=found.demand,
        settled=found.settled,
        refusals=stand.refusals + (not found.accepted),
        kept=kept,
        leaned=leaned,
    )
    stands = {**table.stands, name: moved}
    for other in found.reopened:
        stands[other] = replace(stands[other], settled=None, kept=None, leaned=None)
    lies = run if found.settled in ("met", "traded") else table.run
    turn = Said(name, found, run, waived, kind, owner)
    return Table(stands, lies, table.turns + 1, (*table.said, turn))


def broken_waiver(part: Part, table: Table, run: Cited) -> tuple[str, str] | None:
    """The party and want whose waiver a run would break: no design on the table may."""
    for name, stand in table.stands.items():
        if stand.settled == "waived" and stand.kept:
            for want, limit in stand.kept.items():
                held = part.stakeholders[name].wants[want]
                if not good(held, run.metrics[held.metric], limit):
                    return name, want
    return None


def _agreed(part: Part, table: Table, name: str, how: Settled, run: Cited) -> Answer:
    """An agreement, and the others that it breaks: there is one design on the table."""
    reopened = []
    for other, stand in table.stands.items():
        if other == name or stand.settled is None:
            continue
        party = part.stakeholders[other]
        if stand.settled in ("met", "traded") and not _holds(party, stand, run.metrics):
            reopened.append(other)
        leans_on = party.bound.under if party.bound else None
        leaned = stand.leaned if stand.settled == "disproved" and leans_on == name else None
        if leaned and lacking(part.stakeholders[name], leaned, run.metrics):
            reopened.append(other)  # the proof leaned on a demand that was just given up
    demand = table.stands[name].demand
    return Answer(True, how, how, demand, reopened=tuple(reopened))


def _holds(party: Stakeholder, stand: Stand, metrics: Metrics) -> bool:
    """Whether an agreement survives another design."""
    if lacking(party, stand.kept or {}, metrics):
        return False
    worth = utility(party, metrics)
    return stand.settled == "met" or (worth is not None and worth >= party.floor)


def _refused(
    party: Stakeholder,
    stand: Stand,
    reply: str,
    demand: Mapping[str, float],
    unmet: tuple[str, ...] = (),
    loose: tuple[str, ...] = (),
) -> Answer:
    gone = stand.refusals + 1 >= party.patience
    return Answer(False, "left" if gone else reply, "left" if gone else None, demand, unmet, loose)


def _proof(part: Part, table: Table, name: str, run: Cited) -> Answer:
    """Whether a run proves that a want can't be had: it must stand at the favourable corner.

    It must also meet what the party that the bound leans on demands, and still fail the want;
    and that party must not have traded its demand away. "None of my runs worked" is no proof.
    """
    party, stand = part.stakeholders[name], table.stands[name]
    bound = party.bound
    if bound is None:
        return _refused(party, stand, "no_proof", stand.demand)
    loose = tuple(slider for slider, at in bound.corner.items() if run.setting.get(slider) != at)
    if loose:
        return _refused(party, stand, "no_proof", stand.demand, loose=loose)
    if bound.under is not None:
        other, held = part.stakeholders[bound.under], table.stands[bound.under]
        given_up = held.demand if held.settled == "traded" else {}
        if breaks := lacking(other, held.demand, run.metrics) or tuple(given_up):
            return _refused(party, stand, "no_proof", stand.demand, breaks)
    want = party.wants[bound.want]
    if good(want, run.metrics[want.metric], stand.demand[bound.want]):
        return _refused(party, stand, "no_proof", stand.demand)
    return Answer(True, "disproved", "disproved", stand.demand, (bound.want,))
