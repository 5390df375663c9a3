"""The debrief in words, block by block: the screen and the plain mode tell the same.

What a block holds is safe to draw, and its rows are at most :data:`WIDTH` columns wide where they
are meant to keep their columns; other texts may be broken anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from mission_tui.content.schema import Part, Stakeholder
from mission_tui.play import badges, calibration, parley, proof, score, talks, wording, worth
from mission_tui.play.calibration import Bet
from mission_tui.play.proof import Record, Solved
from mission_tui.play.regret import objective, regret
from mission_tui.play.session import Run, Session
from mission_tui.play.start import seed_says
from mission_tui.text import clean, clean_line
from mission_tui.units import brief

Kind = Literal[
    "heading",
    "rows",
    "chart",
    "explanation",
    "party",
    "ending",
    "risk",
    "question",
    "law",
    "source",
]
WIDTH: Final = 74
MOST_RUNS: Final = 12
"""Rows of the regret by run at most."""
KNOWING: Final = frozenset({"reference", "accept", "refuse"})
"""Bots that know the engine's answers: nobody races them, and the histogram leaves them out."""
EDGES: Final = (0.0, 0.05, 0.15, 0.3, 0.5, 1.0, float("inf"))
"""Where the bins of the bots' histogram begin and end, in regret."""
_BAR: Final = 20
_SAME: Final = 0.005
"""Worths that are shown alike."""


@dataclass(frozen=True, slots=True)
class Block:
    """A few lines of the debrief. ``kind`` says what they are, for a screen to style."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Debrief:
    """What a debrief is told from besides the session: earlier bets, solver record, rubric.

    ``problem`` says why there is no rubric.
    """

    bets: tuple[Bet, ...] = ()
    record: Record | None = None
    rubric: score.Rubric | None = None
    problem: str = ""


def gather(session: Session, bets: Sequence[Bet] = ()) -> Debrief:
    """Read what a debrief needs, and have the engine compute what its texts quote.

    It may take a while (a fleet's figures take seconds after a resume): for a thread. ``bets``
    are those of the student's other plays.
    """
    record = proof.load_record(session.mission)
    worth.warm(session, record)
    for name, _ in session.mission.ordered:
        wording.given(session.mission, session.part_of(name), session.seed_of(name))
    try:
        return Debrief(tuple(bets), record, score.rubric())
    except score.RubricError as error:
        return Debrief(tuple(bets), record, None, str(error))


def blocks(session: Session, known: Debrief) -> Iterator[Block]:
    """The whole debrief: each part, the decision, what it was worth, calibration, badges."""
    for name, part in session.mission.ordered:
        yield Block("heading", clean_line(part.title).upper())
        yield from predictions(session, name)
        yield Block("rows", "\n".join(_workbench(session, name, part)))
        yield from regrets(session, name, known.record)
        yield from parties(session, name, known.record)
        yield Block("law", clean_line(part.law))
        yield Block("source", clean_line(part.law_source))
    yield from decided(session)
    yield from scored(session, known)
    yield Block("heading", "CALIBRATION")
    found = calibration.calibration((*known.bets, *calibration.bets_of(session)))
    yield Block("chart", "\n".join(calibration.lines(found)))
    yield from practised(session)
    yield Block("heading", "THE LEDGER")
    yield Block("rows", clean_line(seed_says(session.header)))


def predictions(session: Session, name: str) -> Iterator[Block]:
    """Each lock beside its truth, with the explanation of its cell."""
    part, state = session.part_of(name), session.parts[name]
    figures = wording.given(session.mission, part, session.seed_of(name))
    for lock_id, judgement in session.judgements(name).items():
        lock, sealed = part.locks[lock_id], state.sealed[lock_id]
        told = wording.lock_figures(part, lock, sealed, state.truths[lock_id])
        hit = "hit" if judgement.value_right else "miss"
        why = "hit" if judgement.mechanism_right else "miss"
        yield Block(
            "rows",
            clean(f"prediction  {told['value']}, engine {told['truth']}   value {hit}, why {why}"),
        )
        if judgement.in_band is not None:
            word = "held the truth" if judgement.in_band else "did not hold the truth"
            yield Block("rows", clean(f"            band {told['low']} to {told['high']}: {word}"))
        cell = getattr(lock.cells, judgement.cell)
        yield Block("explanation", clean(wording.fill(cell, figures | told)))


def regrets(session: Session, name: str, record: Record | None) -> Iterator[Block]:
    """Regret by run against the solver's best, and what the bots came to."""
    solved = worth.solved(session, name, record)
    if solved is None or record is None:
        yield Block("rows", "regret      no solver record of these rules: nothing to race")
        return
    ended = [run for run in session.parts[name].runs if run.ended and run.outcome is not None]
    if not ended:
        yield Block("rows", "regret      no run came to its end")
        return
    found = {run.number: _regret(session, name, run, solved) for run in ended}
    yield Block("chart", "\n".join(_by_run(session, name, found)))
    size = session.brought_to(name)
    plays = record.regrets.get((name, size or proof.NO_CLASS), {})
    bots = [value for bot, each in plays.items() if bot not in KNOWING for value in each]
    if bots:
        best = session.best_run(name)
        mine = found[best.number] if best and best.number in found else min(found.values())
        yield Block("chart", "\n".join(_histogram(bots, mine)))


def parties(session: Session, name: str, record: Record | None) -> Iterator[Block]:
    """How each party was settled, what it privately wanted, and what was left on the table."""
    part, table = session.part_of(name), session.parts[name].table
    if table is None:
        return
    lies = session.parts[name].runs[table.run - 1].outcome if table.run is not None else None
    for party, who in part.stakeholders.items():
        stand = table.stands[party]
        stands = clean_line(parley.stands_as(who, stand))
        yield Block("party", f"{clean_line(who.name)}  {stands}")
        yield Block("ending", _told(session, name, parley.ending(who, stand)))
        rows = _wanted(part, who, lies.metrics if lies else None, stand.settled)
        yield Block("rows", clean("\n".join(rows)))
        yield Block("rows", clean("\n".join(_provable(session, name, party))))
    yield Block("rows", clean("\n".join(_left(session, name, record))))
    for risk in parley.risks(part, table):
        owner = f"; owner: {risk.owner}" if risk.owner else ""
        words = clean_line(f"▲ RESIDUAL RISK: {risk.words} must still hold{owner}")
        yield Block("risk", words)


def decided(session: Session) -> Iterator[Block]:
    """The decision, and the paragraph that defends it."""
    decision, made = session.mission.decision, session.decision
    if decision is None or made is None:
        return
    figures = wording.deciding(session)
    yield Block("heading", "THE DECISION")
    yield Block("question", clean(wording.fill(decision.question, figures)))
    chosen = wording.fill(decision.options[made.choice], figures)
    yield Block("party", clean_line(f"◆ {chosen}"))
    yield Block("ending", clean(made.text))


def scored(session: Session, known: Debrief) -> Iterator[Block]:
    """The score under the rubric, a row for each thing that earned points."""
    yield Block("heading", "SCORE")
    if known.rubric is None:
        why = known.problem or "no rubric"
        yield Block("rows", clean_line(f"There is no score: {why}", 300))
        return
    found = score.score(session, known.rubric, known.record)
    yield Block("rows", clean("\n".join(score.lines(found, session))))


def practised(session: Session) -> Iterator[Block]:
    """The badges; nothing where there are none."""
    found = badges.earned(session)
    if found:
        yield Block("heading", "GOOD PRACTICE")
        rows = (f"◆ {badge.title}: {badge.why}" for badge in found)
        yield Block("rows", clean("\n".join(rows)))


def _workbench(session: Session, name: str, part: Part) -> Iterator[str]:
    state, best = session.parts[name], session.best_run(name)
    yield clean(f"workbench   {wording.came_to_in(session, name)}")
    if best and best.outcome:
        yield clean(f"stands      #{best.number}  {wording.setting(part, best.setting)}")
        for reading in session.readings_of(name, best.outcome.metrics):
            unit = wording.metric_unit(part, reading.metric)
            room = wording.room(reading.headroom or 0.0, unit)
            label = part.specs[reading.id].label
            yield clean(f"            {label}: {reading.word}, {room}")
    verified = [filed for filed in state.claims if filed.verified]
    tries = f"{len(state.claims)} attempt{'s' if len(state.claims) != 1 else ''}"
    word = f"{'verified' if verified else 'not verified'} in {tries}"
    yield clean(f"claim       {word if state.claims else 'none was filed'}")
    answer = next((filed.claim.answer for filed in reversed(state.claims)), "")
    if answer:
        yield clean(f"you wrote   “{clean_line(answer, 300)}”")


def _regret(session: Session, name: str, run: Run, solved: Solved) -> float:
    assert run.outcome is not None  # only runs that came to their end are asked about
    part = session.mission.parts[name]
    reached = objective(session.mission, part, run.outcome.metrics)
    return regret(solved.best, reached, solved.default)


def _by_run(session: Session, name: str, found: dict[int, float]) -> Iterator[str]:
    """A bar a run: 0 is the best there is, 1 where the default stands."""
    yield "REGRET BY RUN   0 the solver's best · 1 the default"
    if session.parts[name].table is not None:
        yield "of the limits' room alone; what the parties got stands below"
    shown = list(found)
    if len(shown) > MOST_RUNS:
        closer = [n for n in shown if all(found[n] < found[m] for m in shown if m < n)]
        shown = closer[-MOST_RUNS:]
        yield f"the {len(shown)} of {len(found)} runs that came closer than all before"
    best = session.best_run(name)
    for number in shown:
        full = round(min(1.0, found[number]) * _BAR)
        bar = "█" * full + ("▸" if found[number] > 1 else "")
        stands = "  ◂ stands" if best and best.number == number else ""
        yield f"{f'#{number}':>4} {found[number]:6.2f} {bar:{_BAR + 1}}{stands}"


def _histogram(bots: Sequence[float], mine: float) -> Iterator[str]:
    """What the bots' plays came to, a bar a bin, with the player's own place."""
    beaten = sum(value > mine for value in bots)
    yield f"WHAT BOTS REACHED   {len(bots)} plays of programs that do not know the answer"
    for low, high in pairwise(EDGES):
        count = sum(low <= value < high for value in bots)
        full = round(count / len(bots) * _BAR)
        bar = "█" * full or ("▏" if count else "")
        name = f"{low:.2f}–{high:.2f}" if high < EDGES[-1] else f"{low:.2f} and more"
        here = "  ◂ you" if low <= mine < high else ""
        yield f"{name:>13} {bar:{_BAR + 1}} {count / len(bots) * 100:3.0f} %{here}"
    yield f"You came closer than {beaten} of {len(bots)}."


def _provable(session: Session, name: str, party: str) -> Iterator[str]:
    """Whether what a party asked could be disproved, and with which run."""
    part, found = session.part_of(name), worth.provable(session, name, party)
    who = part.stakeholders[party]
    if found is None or who.bound is None:
        yield "  could not be disproved: what they ask has no bound"
        return
    want = who.wants[found.want]
    at_best, asks = (brief(parley.measure(part, want, v)) for v in (found.value, want.asks))
    word = "could be disproved" if found.holds else "could not be disproved"
    yield f"  {word}: {want.label} at best {at_best}, asked {parley.sign(want)} {asks}"
    for slider, at in who.bound.corner.items():
        yield f"  · at {part.sliders[slider].label}: {wording.slider_value(part, slider, at)}"
    if who.bound.under is not None:
        yield f"  · with all that the {part.stakeholders[who.bound.under].name} asks"


def _wanted(
    part: Part,
    who: Stakeholder,
    metrics: talks.Metrics | None,
    settled: talks.Settled | None = None,
) -> Iterator[str]:
    """What a party kept to itself: reserve, aspiration and weight of each want, and its floor."""
    total = sum(want.weight for want in who.wants.values())
    yield "  privately: at worst · asked · at best · weight · got"
    for want in who.wants.values():
        reserve, asks, aspire = (
            brief(parley.measure(part, want, value))
            for value in (want.reserve, want.asks, want.aspire)
        )
        got = brief(parley.measure(part, want, metrics[want.metric])) if metrics else "–"
        weight = f"{want.weight / total * 100:.0f} %"
        yield f"  {clean_line(want.label)}: {reserve} · {asks} · {aspire} · {weight} · {got}"
    utility = talks.utility(who, metrics) if metrics else None
    if settled == "disproved":
        yield f"  signs from {who.floor:.2f} of 1 on; no signature is owed: it was disproved"
        worse = [
            want.label
            for want in who.wants.values()
            if metrics and not talks.good(want, metrics[want.metric], want.reserve)
        ]
        if worse:
            yield f"  worse than they can live with: {', '.join(worse)}"
        return
    if metrics is None:
        worth_now = "no design was agreed on"
    elif utility is None:
        worth_now = "this design is below what they can live with"
    else:
        worth_now = f"this design is worth {utility:.2f}"
    yield f"  signs from {who.floor:.2f} of 1 on; {worth_now}"


def _left(session: Session, name: str, record: Record | None) -> Iterator[str]:
    """The value left on the table: the deal against the best one known."""
    made, best = worth.made(session, name), worth.best(session, name, record)
    if best is None:
        yield "value       no deal, and none known among your runs that all would sign"
    elif made is None:
        whose = _whose(best)
        yield f"value       no deal; {whose} was worth {best.worth:.2f} of 1 to them together"
    elif (left := best.worth - made.worth) < _SAME:
        yield f"value       the deal is worth {made.worth:.2f} of 1 to them, the best that is known"
    else:
        yield f"value       the deal is worth {made.worth:.2f} of 1 to them, {left:.2f} was left:"
        words = wording.setting(session.part_of(name), best.setting)
        yield f"            {_whose(best)}, worth {best.worth:.2f}  {words}"


def _whose(deal: worth.Deal) -> str:
    return f"your run #{deal.run}" if deal.run is not None else "the solver's design"


def _told(session: Session, name: str, text: str) -> str:
    """A text of a part with its figures filled in; the engine is asked for no others."""
    figures = {}
    if "{" in text:
        figures = wording.given(session.mission, session.part_of(name), session.seed_of(name))
    return clean(wording.fill(text, figures))


def plain(found: Iterable[Block]) -> Iterator[str]:
    """The blocks as lines for a stream: a heading stands for itself, a blank line before it."""
    for block in found:
        if block.kind == "heading":
            yield ""
        yield from block.text.split("\n")
