"""The pages of a replay: what a screen of the play said, the figures, the reflections, the points.

Each page is plain text, safe to draw; a screen breaks its lines where it must.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine import registry
from mission_tui.content.schema import Part
from mission_tui.play import debriefing, parley, score, wording
from mission_tui.play.claims import metric_of
from mission_tui.play.debriefing import Debrief
from mission_tui.play.events import Event
from mission_tui.play.score import Earned
from mission_tui.play.session import Filed, Run, Session
from mission_tui.screens import replay_words as words
from mission_tui.screens.replay_film import Figure, Film, Mark, Stamp
from mission_tui.text import clean, clean_line
from mission_tui.units import brief, change, show
from mission_tui.widgets.cells import fit

MARKS: Final[Mapping[str, str]] = {
    "holds": "✓",
    "fails": "✗",
    "marginal": "≈",
    "not applicable": "–",
    "not replayable here": "○",
}
"""A sign for each state of a verdict or a figure; nothing is said by colour alone."""
FACTS: Final = ("program", "python", "numpy", "blas", "cpu")
_MOST: Final = 200
"""Rows of figures at most; what differs comes first."""
_NAME: Final = 17
"""Columns of a figure's name."""
_ABOUT: Final = 16
"""Columns of what a prediction is about: its line then fits into 80."""
_PLACE: Final = re.compile(r"(.+)\[\d+\]\Z")


# -- the state of the play ---------------------------------------------------------------------


def scene(session: Session, *, warm: bool) -> str:
    """What the screen was about where the play is now, other than a workbench.

    ``warm`` says that the figures which the mission's texts quote are computed already.
    """
    match session.at.screen:
        case "briefing":
            lines = _header(session)
        case "lock":
            lines = _locks(session, warm=warm)
        case "talks":
            lines = _table(session, warm=warm)
        case "reveal":
            lines = _reveal(session, warm=warm)
        case "claim":
            lines = _claims(session, session.part_id, warm=warm)
        case "decision":
            lines = _decision(session, warm=warm)
        case _:
            lines = _ending(session)
    return clean("\n".join(lines), 20_000)


def listed(event: Event) -> str:
    """An event as it stands in the file, a line a name."""
    found: Any = event.data
    pairs = found.items() if isinstance(found, Mapping) else ()
    lines = [f"event {event.seq}  {event.kind}  part {event.part or '–'}  {event.wall}", ""]
    for name, value in pairs:
        words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        lines.append(f"{name}: {words}")
    return clean("\n".join(clean_line(line, 1_000) for line in lines), 20_000)


def _header(session: Session) -> Iterator[str]:
    data, mission = session.header, session.mission
    yield f"{mission.title}: {mission.persona.name}"
    yield f"student   {data.get('student')}"
    yield f"played    by {data.get('driver')}, attempt {data.get('attempt')}"
    made = {"student": "from the student's name, no course", "course": "issued by a course"}
    yield f"seed      {made.get(str(data.get('seed')), data.get('seed'))}"
    yield f"play      {data.get('play_id')}"
    yield ""
    for name in FACTS:
        yield f"{name:<9} {data.get(name)}"
    models = data.get("models")
    if isinstance(models, Mapping):
        yield f"models    {', '.join(f'{name} v{version}' for name, version in models.items())}"


def _locks(session: Session, *, warm: bool) -> Iterator[str]:
    part = session.part
    known = quoted(session, session.part_id, warm=warm)
    yield "The instruments are locked: nothing was seen yet."
    for name, lock in part.locks.items():
        yield ""
        yield words.hollow(lock.prompt.strip(), known)
        sealed = session.state.sealed.get(name)
        if sealed is None:
            yield "◇ not sealed yet"
            continue
        yield f"◆ SEALED  {words.bet(part, lock, sealed)}"
        yield f"  after {sealed.latency_ms / 1000:.0f} s, {sealed.edits} edits"
    yield from _drafts(session, session.part_id)


def _reveal(session: Session, *, warm: bool) -> Iterator[str]:
    part, state = session.part, session.state
    if warm:
        for block in debriefing.predictions(session, session.part_id):
            yield block.text
            yield ""
        return
    for name, judgement in session.judgements(session.part_id).items():
        lock, truth = part.locks[name], state.truths[name]
        yield f"prediction  {words.bet(part, lock, state.sealed[name])}"
        answer = wording.lock_answer(part, lock, truth.value)
        yield f"engine      {answer}: {words.mechanism(part, truth.mechanism)}"
        hit = "hit" if judgement.value_right else "miss"
        why = "hit" if judgement.mechanism_right else "miss"
        yield f"            value {hit}, why {why}"


def _table(session: Session, *, warm: bool) -> Iterator[str]:
    part, table = session.part, session.state.table
    known = quoted(session, session.part_id, warm=warm)
    if table is None:
        return
    yield parley.turns(table)
    for name, party in part.stakeholders.items():
        stand = table.stands[name]
        yield ""
        yield f"{parley.STANDING[stand.settled]}  {party.name}"
        yield f"  asks {parley.asked(part, party, stand.demand)}"
        yield f"  “{words.hollow(parley.speech(part, table, name).strip(), known)}”"
    for turn in table.said[-1:]:
        yield ""
        for fact in parley.facts(session, turn):
            yield words.hollow(fact, known)


def _claims(session: Session, part_id: str, *, warm: bool) -> Iterator[str]:
    part, state = session.part_of(part_id), session.parts[part_id]
    yield words.hollow(part.claim.question.strip(), quoted(session, part_id, warm=warm))
    for number, filed in enumerate(state.claims, 1):
        yield ""
        yield from _claim(session, part_id, number, filed)
    if not state.claims:
        yield ""
        yield "◇ no claim was filed yet"
        yield from _drafts(session, part_id)


def _claim(session: Session, part_id: str, number: int, filed: Filed) -> Iterator[str]:
    """A claim, what the student wrote, and the two runs that it cites."""
    part, state = session.part_of(part_id), session.parts[part_id]
    word = "✓ VERIFIED" if filed.verified else "✗ NOT VERIFIED"
    yield f"CLAIM {number}  {word}"
    yield words.claimed(part, filed.claim)
    yield from words.failures(part, filed.failed)
    if filed.claim.answer.strip():
        yield f"“{filed.claim.answer.strip()}”"
    cited = {run.number: run for run in state.runs}
    first, second = (cited.get(each) for each in filed.claim.runs)
    if first is not None and second is not None:
        yield from _between(part, first, second)


def _between(part: Part, first: Run, second: Run) -> Iterator[str]:
    """Two runs beside each other: what was moved, and what moved."""
    yield f"  #{first.number} → #{second.number}"
    for name, use in part.sliders.items():
        before, after = first.setting[name], second.setting[name]
        if before != after:
            ends = (wording.slider_value(part, name, value) for value in (before, after))
            yield f"  {use.label}: {' → '.join(ends)}"
    if first.outcome is None or second.outcome is None:
        return
    for name, label in part.metrics.items():
        if name not in first.outcome.metrics or name not in second.outcome.metrics:
            continue
        unit = metric_of(part, name).unit
        start, end = first.outcome.metrics[name], second.outcome.metrics[name]
        before, after, moved = change(start, end, unit)
        yield f"  {label}: {before} → {after}  ({moved})"


def _decision(session: Session, *, warm: bool) -> Iterator[str]:
    decision, made = session.mission.decision, session.decision
    if decision is None:
        return
    last, _ = session.mission.ordered[-1]
    known = quoted(session, last, warm=warm)
    if made is not None:  # what it was first: the runs that it speaks of stand below it
        yield f"◆ {words.hollow(decision.options[made.choice], known)}"
        yield from ("", f"“{made.text.strip()}”", "")
        for name, _ in session.mission.ordered:
            yield from _runs(session, name)
        yield ""
    yield words.hollow(decision.question.strip(), known)
    yield ""
    for name, option in decision.options.items():
        mark = "◆" if made is not None and made.choice == name else "◇"
        yield f"{mark} {words.hollow(option, known)}"
    if made is None:
        yield ""
        yield from _drafts(session, last)


def _runs(session: Session, part_id: str) -> Iterator[str]:
    """The runs of a part, a line each; the one that stands is named."""
    part, best = session.part_of(part_id), session.best_run(part_id)
    yield f"{part.title}: {'passed' if session.passed(part_id) else 'missed'}"
    for run in session.parts[part_id].runs:
        word = "✓" if run.passed else "✗" if run.ended else "‖" if run.outcome else "◌"
        stands = "  ◂ stands" if best is not None and best.number == run.number else ""
        yield f"  {word} #{run.number} {wording.setting_bare(part, run.setting)}{stands}"
        yield f"      {words.figures(part, run)}"


def _ending(session: Session) -> Iterator[str]:
    yield "◼ CLOSED" if session.closed else "The debrief: the play is not closed yet."
    for name, part in session.mission.ordered:
        state, best = session.parts[name], session.best_run(name)
        yield ""
        yield f"{part.title}: {'PASSED' if session.passed(name) else 'MISSED'}"
        sealed = f"{len(state.sealed)} of {len(part.locks)} predictions sealed"
        yield f"  {sealed}, {len(state.runs)} runs"
        if best is not None:
            yield f"  #{best.number} stands: {words.figures(part, best)}"
        verified = any(filed.verified for filed in state.claims)
        tries = f"{len(state.claims)} attempt{'' if len(state.claims) == 1 else 's'}"
        yield f"  claim {'verified' if verified else 'not verified'} in {tries}"
        if state.table is not None:
            for party, stand in state.table.stands.items():
                yield f"  {part.stakeholders[party].name}: {parley.standing(stand)}"


def _drafts(session: Session, part_id: str) -> Iterator[str]:
    for name, text in session.parts[part_id].notes.items():
        yield f"draft of {name}: “{text.strip()}”"


def quoted(session: Session, part_id: str, *, warm: bool) -> Mapping[str, str]:
    """The figures that a part's texts may quote; before they are computed, the constants."""
    if not warm:
        return wording.constants(session.mission)
    return wording.given(session.mission, session.part_of(part_id), session.seed_of(part_id))


# -- reflections -------------------------------------------------------------------------------


def reflections(session: Session, *, warm: bool) -> str:
    """All that the student wrote so far, the last first, beside the runs that it is about."""
    lines: list[str] = []
    if session.decision is not None:
        lines += ["THE DECISION", *_decision(session, warm=warm), ""]
    for name, part in reversed(session.mission.ordered):
        state = session.parts[name]
        if state.claims or state.notes:
            lines += [part.title.upper(), *_claims(session, name, warm=warm), ""]
    return clean("\n".join(lines) or "Nothing was claimed or decided yet.", 40_000)


# -- figures -----------------------------------------------------------------------------------


def figures(session: Session | None, event: Event, found: Sequence[Figure], state: str) -> str:
    """The recorded figures of an event beside the recomputed ones; what differs comes first.

    ``state`` says how far recomputing is, where nothing has come yet.
    """
    if not found:
        return clean(f"#{event.seq} {event.kind}\n\n{state}")
    units = _units(session, event)
    wrong = [each for each in found if each.state != "holds"]
    count = f"{len(wrong)} of {len(found)} differ" if wrong else f"all {len(found)} as recorded"
    rows = [f"   {'':<{_NAME}} {'recorded':>11} {'recomputed':>11}"]
    rows += [_row(each, units) for each in wrong[:_MOST]]
    rows += _grouped([each for each in found if each.state == "holds"], units)
    return clean(f"#{event.seq} {event.kind}: {count}\n" + "\n".join(rows[: _MOST + 1]), 40_000)


def summary(found: Sequence[Figure]) -> str:
    """The figures of an event in half a line."""
    wrong = [each for each in found if each.state != "holds"]
    if not wrong:
        return f"✓ {len(found)} figures recomputed as recorded" if found else ""
    first = wrong[0]
    more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    ends = f"recorded {_number(first.recorded)}, recomputed {_number(first.recomputed)}"
    return clean_line(f"{MARKS.get(first.state, '✗')} {first.field}: {ends}{more}", 300)


def _grouped(found: Sequence[Figure], units: Mapping[str, str]) -> Iterator[str]:
    """Figures that hold: a series is one row, however many rounds it has."""
    counts: dict[str, int] = {}
    for each in found:
        if series := _PLACE.match(each.field):
            counts[series[1]] = counts.get(series[1], 0) + 1
    told: set[str] = set()
    for each in found:
        series = _PLACE.match(each.field)
        if series is None:
            yield _row(each, units)
        elif series[1] not in told:
            told.add(series[1])
            yield f" ✓ {clean_line(series[1], _NAME):<{_NAME}} {f'{counts[series[1]]} values':>23}"


def _row(each: Figure, units: Mapping[str, str]) -> str:
    unit = units.get(each.field)
    ends = [_shown(value, unit) for value in (each.recorded, each.recomputed)]
    if each.state != "holds" and ends[0] == ends[1]:
        ends = [_number(each.recorded), _number(each.recomputed)]  # what units round away
    mark = MARKS.get(each.state, "✗")
    left, right = (clean_line(end, 24) for end in ends)
    name = clean_line(each.field, 60)
    if len(name) > _NAME:  # it has a line of its own
        return f" {mark} {name}\n   {'':<{_NAME}} {left:>11} {right:>11}"
    return f" {mark} {name:<{_NAME}} {left:>11} {right:>11}"


def _units(session: Session | None, event: Event) -> dict[str, str]:
    """The unit of each figure that is a metric or a lock's value of the event's part."""
    if session is None or event.part not in session.mission.parts:
        return {}
    part = session.mission.parts[event.part]
    units = {metric.name: metric.unit for metric in registry.model(part.model).metrics}
    for name, lock in part.locks.items():
        if lock.kind == "number":
            units[f"truths.{name}.value"] = wording.lock_unit(part, lock)
    return units


def _shown(value: float | str, unit: str | None) -> str:
    if isinstance(value, str):
        return value
    return brief(show(value, unit)) if unit is not None else f"{value:.6g}"


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.10g}"


# -- verdicts and points -----------------------------------------------------------------------


RECEIPTS: Final[Mapping[str, str]] = {"before the reveal": "✓", "late": "≈", "none": "–"}
"""A sign for each way in which a prediction came to the witness."""


def verdicts(film: Film, stamps: Sequence[Stamp], why: str) -> str:
    """The six verdicts with their reasons, each prediction beside its receipt, and what should be
    known besides.
    """
    lines = []
    for stamp in stamps:
        mark = MARKS.get(stamp.state, "◌")
        lines.append(f"{mark} {stamp.name:<10} {stamp.state}\n    {stamp.reason}")
        if stamp.name == "witness":
            lines += _receipts(film)
    lines += [f"· {note}" for note in film.notes]
    return clean("\n".join([*lines, *(["", why] if why else [])]), 8_000)


def _receipts(film: Film) -> Iterator[str]:
    """A line for each prediction: its event, what it is about, and when the witness had it."""
    locks = {event.seq: event for event in film.events if event.kind == "lock"}
    for each in film.receipts:
        data, part = locks[each.seq].data, None
        if film.mission is not None:
            part = film.mission.parts.get(str(locks[each.seq].part))
        name = str(data.get("lock"))
        if part is not None and name in part.locks:
            name = words.lock_name(part, name)
        said = f"{each.when}, {each.at}" if each.at else "no receipt before the reveal"
        mark = RECEIPTS.get(each.when, "–")
        about = fit(clean_line(name), _ABOUT)
        yield f"    {mark} {f'#{each.seq}':<4} {about:<{_ABOUT}} {said}"


@dataclass(frozen=True, slots=True)
class Worth:
    """One criterion: what the rubric gives of how much, what earned it, and by which events."""

    criterion: str
    points: float | None
    of: float
    why: tuple[str, ...] = ()
    seqs: tuple[int, ...] = ()


def worths(
    session: Session | None, known: Debrief | None, events: Sequence[Event]
) -> tuple[Worth, ...]:
    """Every criterion of the rubric that this play may earn points for.

    Before the score is known (or without a mission) points are None and all criteria are there.
    """
    by = known.rubric if known is not None else None
    if by is None:
        return ()
    offered = {name: getattr(by.points, name) for name in type(by.points).model_fields}
    if session is None:
        return tuple(Worth(name, None, of) for name, of in offered.items())
    earned = score.score(session, by, known.record if known else None).earned
    found = []
    for name in offered:
        mine = [each for each in earned if each.criterion == name]
        if mine:
            found.append(_worth(session, name, mine, events))
    return tuple(found)


def _worth(session: Session, name: str, mine: Sequence[Earned], events: Sequence[Event]) -> Worth:
    seqs = {seq for each in mine for source in each.sources for seq in score.seqs(source, events)}
    why = tuple(f"{session.mission.parts[each.part].title}: {each.why}" for each in mine)
    points, of = sum(each.points for each in mine), sum(each.of for each in mine)
    return Worth(name, points, of, why, tuple(sorted(seqs)))


def points(
    found: Sequence[Worth], marks: Mapping[str, Mark], where: str, notice: str, problem: str
) -> str:
    """The rubric's points beside the grader's, with what earned them and why they were changed."""
    if not found:
        return clean(problem or "◌ The score is being computed …")
    lines = [notice, ""] if notice else []
    for each in found:
        mark = marks.get(each.criterion)
        given = f"{each.points:.1f}" if each.points is not None else "–"
        by_hand = f"  ⇒ {mark.points:.1f} by hand" if mark is not None else ""
        lines.append(f"{each.criterion.upper():<8} {given:>5} of {each.of:.1f}{by_hand}")
        lines += [f"  {reason}" for reason in each.why]
        if each.seqs:
            shown = ", ".join(str(seq) for seq in each.seqs[:12])
            more = f" and {len(each.seqs) - 12} more" if len(each.seqs) > 12 else ""
            word = "events" if len(each.seqs) > 1 else "event"
            lines.append(f"  earned by {word} {shown}{more}")
        if mark is not None:
            lines.append(f"  {clean_line(mark.by, 40)}, {mark.at}: {mark.reason}")
        lines.append("")
    offered = {each.criterion for each in found}
    for name, mark in marks.items():
        if name not in offered:  # by hand in the file, as "total" may be
            lines += [
                f"{name.upper():<8} ⇒ {mark.points:.1f} by hand",
                f"  {mark.by}, {mark.at}: {mark.reason}",
                "",
            ]
    lines += [total(found, marks), f"g gives points; they go to {where}" if where else ""]
    return clean("\n".join(lines), 20_000)


def total(found: Sequence[Worth], marks: Mapping[str, Mark]) -> str:
    """The sum, with and without the grader's marks."""
    if all(each.points is None for each in found):
        return "What the rubric gives can't be told without the mission."
    by_rubric = sum(each.points or 0.0 for each in found)
    of = sum(each.of for each in found)
    told = f"{by_rubric:.1f} of {of:.1f} by the rubric"
    if any(each.criterion in marks for each in found):
        by_hand = sum(
            marks[each.criterion].points if each.criterion in marks else each.points or 0.0
            for each in found
        )
        told += f", {by_hand:.1f} with what was given by hand"
    return told
