"""The table in words: what is asked, what a move would say, and what its answer comes to.

The screens and the plain mode tell the same. What is private to a party (weights, reserves,
aspirations, its floor) is never told, but as far as its own counter-offer or reply shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from mission_tui.content.schema import Part, Stakeholder, Want
from mission_tui.play import talks
from mission_tui.play.actions import Instant, Move
from mission_tui.play.claims import metric_of
from mission_tui.play.session import Refused, Run, Session
from mission_tui.play.talks import Held, Kind, Said, Stand, Table
from mission_tui.units import show, show_change

STANDING: Final[Mapping[str | None, str]] = {
    None: "○ open",
    "met": "● met",
    "traded": "◆ traded",
    "disproved": "■ disproved",
    "waived": "▲ waived",
    "left": "× left",
}
"""How a party stands, with a mark: colour alone never says it."""
MEANS: Final[Mapping[Kind, str]] = {
    "meet": "this run is all they ask",
    "trade": "worth enough, or a counter",
    "disprove": "as good as it gets, and fails",
    "waive": "drop a want, carry its risk",
}
"""What each move says, in half a line."""


PROOF: Final = (
    "A proof: every slider at the end that favours them most, what another party asks kept, and "
    "it still fails."
)
"""What Disprove has to show, before anything of the demand's own bound is known."""
NO_DISTANCE: Final = 1e-6
"""As a share of a demand: a promise of ε is kept to within the accountant's own search."""


@dataclass(frozen=True, slots=True)
class Risk:
    """A want that was waived: what must still be kept, and who owns the risk."""

    party: str
    words: str
    owner: str


def refusal(session: Session, move: Move) -> str | None:
    """Why the rules would not take a move now; None where they would. Nothing is said by it."""
    try:
        session.decide(move, Instant(session.mono_ms, ""))
    except Refused as refused:
        return str(refused)
    return None


def measure(part: Part, want: Want, value: float) -> str:
    """A figure of a want, with its unit."""
    return show(value, metric_of(part, want.metric).unit)


def room(part: Part, want: Want, held: Held) -> str:
    """How far a run is from a demand; what the accounting itself rounds is no distance."""
    if held.room is None:
        return ""
    if abs(held.room) <= NO_DISTANCE * abs(held.demand):
        return "±0"
    return show_change(held.room, metric_of(part, want.metric).unit)


def sign(want: Want) -> str:
    """Which way a limit on a want points."""
    return "≥" if want.more else "≤"


def standing(stand: Stand) -> str:
    """How a party stands, in a word: marks are not for reading aloud."""
    return stand.settled or "open"


def asked(part: Part, party: Stakeholder, demand: Mapping[str, float]) -> str:
    """A demand on a line: each want and its limit."""
    return ", ".join(
        f"{want.label} {sign(want)} {measure(part, want, demand[name])}"
        for name, want in party.wants.items()
        if name in demand
    )


def patience(party: Stakeholder, stand: Stand) -> str:
    """How many refusals a party still takes, as marks and in words."""
    left = talks.patience_left(party, stand)
    return f"patience {'●' * left}{'○' * (party.patience - left)} {left}"


def turns(table: Table) -> str:
    """The turns that are left, as marks and in words."""
    marks = "●" * table.turns_left + "○" * table.turns
    return f"TURNS {marks} {table.turns_left} of {talks.TURNS} left"


def speech(part: Part, table: Table, name: str) -> str:
    """The last that a party said: its opening, a reply, or that it is open again."""
    party = part.stakeholders[name]
    words = party.opening
    for turn in table.said:
        if turn.party == name:
            words = reply(part, turn)
        elif name in turn.answer.reopened:
            words = party.replies.reopened
    return words


def reply(part: Part, turn: Said) -> str:
    """A party's answer in its own words."""
    words: str = getattr(part.stakeholders[turn.party].replies, turn.answer.reply)
    return words


def offer(part: Part, table: Table, name: str, kind: Kind, run: int) -> str:
    """What a move with a run would say, and what it costs."""
    party = part.stakeholders[name]
    match kind:
        case "meet":
            words = f"run #{run} gives you all that you ask."
        case "trade":
            words = f"run #{run} may not be all that you ask; is it worth enough to you?"
        case _:
            words = f"run #{run} is as good as it gets, and it still fails."
    return f"To the {party.name}: {words}\n\n{cost(party, table.stands[name], table)}"


def proof(part: Part, table: Table, name: str, run: Run) -> tuple[str, ...]:
    """How far a run is from disproving a demand, a line each.

    Until a Disprove was refused only what a proof is; from then on what that refusal tells of one
    run is told of any: which sliders are loose, and whether what the proof leans on is kept.
    """
    party, stand = part.stakeholders[name], table.stands[name]
    tried = any(turn.party == name and turn.kind == "disprove" for turn in table.said)
    if not tried or run.outcome is None:
        return (PROOF,)
    bound, metrics = party.bound, run.outcome.metrics
    if bound is None:
        return ("What they ask has no bound: no run can disprove it.",)
    loose = [slider for slider, at in bound.corner.items() if run.setting.get(slider) != at]
    held, of = len(bound.corner) - len(loose), len(bound.corner)
    names = " and ".join(part.sliders[slider].label for slider in loose)
    move = f"; {names} could still move" if loose else ""
    lines = [f"Proof with #{run.number}: {held} of {of} sliders at the favourable end{move}."]
    if bound.under is not None:
        other = part.stakeholders[bound.under]
        broken = talks.lacking(other, table.stands[bound.under].demand, metrics)
        labels = " and ".join(other.wants[want].label for want in broken)
        word = f"breaks {labels}" if broken else "does"
        lines.append(f"It must keep what the {other.name} asks, and {word}.")
    want = party.wants[bound.want]
    if not loose and talks.good(want, metrics[want.metric], stand.demand[bound.want]):
        lines.append(f"It gives the {want.label} that it would disprove.")
    return tuple(lines)


def cost(party: Stakeholder, stand: Stand, table: Table) -> str:
    """What a move costs, whatever the answer, and what a refusal would."""
    left = talks.patience_left(party, stand)
    refusal = (
        "a refusal, and they leave for good" if left == 1 else f"a refusal, 1 of {left} patience"
    )
    return f"It costs 1 of {_count(table.turns_left, 'turn')}; {refusal}."


def waiver(part: Part, table: Table, name: str, want: str, threshold: float, owner: str) -> str:
    """What a waiver would sign, and what it costs."""
    party = part.stakeholders[name]
    held = party.wants[want]
    return (
        f"To the {party.name}: {held.label} is waived. Every later design keeps {held.label} "
        f"{sign(held)} {measure(part, held, threshold)}, and {owner} owns the risk.\n\n"
        f"It costs 1 of {_count(table.turns_left, 'turn')}, ends the argument, and wins nothing."
    )


def facts(session: Session, turn: Said) -> Iterator[str]:
    """What an answer comes to, a line each: what lacked, what is loose, who is open again."""
    part, table, answer = session.part, session.state.table, turn.answer
    party = part.stakeholders[turn.party]
    if table is None:
        return
    if answer.accepted:
        yield from _accepted(part, party, turn)
        for other in answer.reopened:
            again = part.stakeholders[other]
            yield f"The {again.name} is open again: “{again.replies.reopened}”"
    else:
        yield from _refused(session, party, turn)
    if answer.reply == "countered":
        yield f"They ask now: {asked(part, party, answer.demand)}."
    elif answer.settled == "left":
        yield f"The {party.name} has left the table for good."
    if table.over and table.said and table.said[-1] is turn:
        yield "The table is closed: " + ("all are heard." if table.won else "it is not won.")


def risks(part: Part, table: Table) -> tuple[Risk, ...]:
    """Every waiver that was signed: the residual risk of the design."""
    found = []
    for turn in table.said:
        for want, threshold in turn.waived.items():
            party = part.stakeholders[turn.party]
            held = party.wants[want]
            words = f"{held.label} {sign(held)} {measure(part, held, threshold)}"
            found.append(Risk(party.name, words, turn.owner))
    return tuple(found)


def stands_as(party: Stakeholder, stand: Stand) -> str:
    """How a party stands, with its mark; of a waiver with the want that was waived."""
    words = unheard(stand) if stand.settled is None else STANDING[stand.settled]
    if stand.settled != "waived" or not stand.kept or len(stand.kept) == len(party.wants):
        return words
    return f"{words}: {' and '.join(party.wants[want].label for want in stand.kept)}"


def ending(party: Stakeholder, stand: Stand) -> str:
    """What became of it; a party that was still open when the table closed went unheard."""
    words: str = getattr(party.endings, stand.settled or "left")
    return words


def unheard(stand: Stand) -> str:
    """How a party stands once the table is closed."""
    return "○ not settled" if stand.settled is None else STANDING[stand.settled]


def _accepted(part: Part, party: Stakeholder, turn: Said) -> Iterator[str]:
    if turn.answer.settled in {"met", "traded"}:
        yield f"Run #{turn.run} lies on the table."
    elif turn.answer.settled == "waived":
        for want, threshold in turn.waived.items():
            held = party.wants[want]
            limit = f"{held.label} {sign(held)} {measure(part, held, threshold)}"
            yield f"Every later design keeps {limit}. It ends the argument and wins nothing."
    elif party.bound is not None:
        yield party.bound.text
        if party.bound.under is not None:
            other = part.stakeholders[party.bound.under]
            yield f"It stays withdrawn as long as the {other.name} keeps that demand."


def _refused(session: Session, party: Stakeholder, turn: Said) -> Iterator[str]:
    part, answer = session.part, turn.answer
    if answer.loose:
        loose = " and ".join(part.sliders[name].label for name in answer.loose)
        yield f"That is no proof: {loose} could still move in their favour."
        return
    run = session.state.runs[turn.run - 1] if turn.run else None
    metrics = run.outcome.metrics if run and run.outcome else {}
    leans = party.bound.under if party.bound else None
    proof = answer.reply == "no_proof" or turn.kind == "disprove"
    if leans and (proof or not party.wants.keys() >= set(answer.lacking)) and answer.lacking:
        other = part.stakeholders[leans]
        wants = " and ".join(other.wants[name].label for name in answer.lacking)
        yield f"That is no proof: it breaks what the {other.name} asks, {wants}."
    elif answer.lacking:
        for name in answer.lacking:
            want = party.wants[name]
            value = measure(part, want, metrics[want.metric])
            yield f"#{turn.run} lacks {want.label}: {value}."
    elif party.bound is None:
        yield "Runs that did not work prove nothing, and what they ask has no bound."
    else:
        yield f"#{turn.run} gives what you would disprove."


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
