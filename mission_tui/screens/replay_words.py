"""What happened at an event, in words: its ids become the mission's own labels.

Every sentence is safe to draw. What can't be read as its kind says is shown as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mission_tui.content.check import PLACEHOLDER
from mission_tui.content.schema import Lock, Mission, Part
from mission_tui.play import actions as do
from mission_tui.play import wording
from mission_tui.play.claims import metric_of
from mission_tui.play.events import Event
from mission_tui.play.session import Run
from mission_tui.text import clean, clean_line
from mission_tui.units import show, stated

LONGEST: Final = 400
_HOW: Final = {"meet": "meets", "trade": "trades with", "disprove": "disproves", "waive": "waives"}


def clock(ms: int) -> str:
    """A time of the play: ``4:07``, from an hour on ``1:04:07``."""
    seconds = min(ms // 1000, 359_999)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours}:{minutes:02}:{seconds % 60:02}"
    return f"{minutes}:{seconds % 60:02}"


def said(mission: Mission | None, event: Event) -> str:
    """One event in words, on one line."""
    try:
        words = _said(mission, event) if mission is not None else None
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError):
        words = None
    return clean_line(raw(event) if words is None else words, LONGEST)


def raw(event: Event) -> str:
    """An event as it stands in the file: names and values."""
    found: Any = event.data
    pairs = found.items() if isinstance(found, Mapping) else ()
    return " · ".join(f"{name} {_bare(value)}" for name, value in pairs) or "–"


def passages(event: Event) -> tuple[str, ...]:
    """What a student wrote in their own words at an event, with its line breaks."""
    found = (event.data.get(name) for name in ("text", "answer"))
    return tuple(clean(text) for text in found if isinstance(text, str) and text.strip())


def hollow(text: str, figures: Mapping[str, str]) -> str:
    """A text of the mission with what is known filled in, and an ellipsis for what is not."""
    return PLACEHOLDER.sub(lambda found: figures.get(found[1], "…"), text)


def lock_name(part: Part, name: str) -> str:
    """What a lock asks about, in a word or two: its metric's label, else its id."""
    lock = part.locks[name]
    metric = getattr(lock.truth, "metric", None)
    return part.metrics.get(str(metric), name)


def mechanism(part: Part, name: str) -> str:
    """A mechanism's short label."""
    return part.mechanisms[name].partition(": ")[0]


def bet(part: Part, lock: Lock, sealed: do.Seal) -> str:
    """A prediction with its band, or how sure it was, and its reason."""
    words = wording.lock_answer(part, lock, sealed.value)
    if sealed.low is not None and sealed.high is not None:
        low, high = (wording.lock_answer(part, lock, end) for end in (sealed.low, sealed.high))
        words += f" ({low} to {high})"
    elif sealed.sure is not None:
        words += " (sure)" if sealed.sure else " (not sure)"
    return f"{words}: {mechanism(part, sealed.mechanism)}"


def claimed(part: Part, claim: do.Claim) -> str:
    """A claim's sentence."""
    first, second = claim.runs
    by = "" if claim.direction == "did not move" else f" by {stated(claim.amount, claim.unit)}"
    words = (
        f"{part.metrics[claim.metric]} {claim.direction}{by} from #{first} to #{second}, "
        f"{wording.changed(part, claim.control)}: {mechanism(part, claim.mechanism)}"
    )
    if claim.flip is not None:
        slider, value = claim.flip.control, claim.flip.value
        at = "never" if value == "never" else wording.slider_value(part, slider, value)
        words += f"; flips at {part.sliders[slider].label} {at}"
    return words


def figures(part: Part, run: Run, most: int = 3) -> str:
    """A run's figures that may be claimed about, as recorded."""
    if run.outcome is None:
        return "in flight"
    return _figures(part, run.outcome, most)


def _figures(part: Part, outcome: do.Recorded, most: int = 3) -> str:
    return ", ".join(
        f"{part.metrics.get(name, name)} {show(outcome.metrics[name], metric_of(part, name).unit)}"
        for name in part.claim.metrics[:most]
    )


def _bare(value: object) -> str:
    if isinstance(value, Mapping):
        return "{…}" if value else "{}"
    if isinstance(value, (list, tuple)):
        return "[…]" if value else "[]"
    return "–" if value is None else str(value)[:LONGEST]


def _said(mission: Mission, event: Event) -> str | None:
    data = event.data
    if event.kind == "header":
        made = f"attempt {data.get('attempt')}, {data.get('driver')}"
        return f"{data.get('student')} begins {mission.title}: {mission.persona.name} ({made})"
    action = do.read(event)
    part = mission.parts[event.part] if event.part is not None else None
    match action:
        case do.Enter():
            return _entered(part, action)
        case do.Leave():
            idle = f", idle {clock(action.idle_ms)}" if action.idle_ms >= 1000 else ""
            return f"leaves the {action.screen} after {clock(action.active_ms)}{idle}"
        case do.Recall():
            if action.answer is None:
                return f"skips the question of {action.mission}"
            word = "right" if action.right else "wrong"
            return f"recalls {action.mission}: {action.answer}, {word}"
        case do.Recover():
            torn = f"{action.torn_bytes:,} bytes were torn"
            return f"a crash: {action.kept_events} events kept, {torn}"
        case do.Decide():
            options = mission.decision.options if mission.decision else {}
            chosen = hollow(options[action.choice], wording.constants(mission))
            return f"decides “{chosen}”: {action.text}"
        case do.Close():
            outcome = data["outcome"]
            passed = sum(each["passed"] is True for each in outcome.values())
            return f"closes: {passed} of {len(outcome)} parts passed"
        case do.Note():
            return f"drafts {action.field}: {action.text}"
    if part is None:
        return None
    if isinstance(action, do.Hint):
        text = hollow(part.hints[action.hint], wording.constants(mission))
        return f"opens hint {data['stage']}: {text}"
    return _in_part(part, event, action)


def _entered(part: Part | None, action: do.Enter) -> str:
    where = f" of {part.title}" if part is not None else ""
    words = f"goes to the {action.screen}{where}"
    if action.truths and part is not None:
        truths = (
            f"{lock_name(part, name)} {wording.lock_answer(part, part.locks[name], truth.value)}"
            for name, truth in action.truths.items()
        )
        words += f"; the engine says {', '.join(truths)}"
    return words


def _in_part(part: Part, event: Event, action: do.Action | None) -> str | None:
    data = event.data
    match action:
        case do.Seal():
            lock = part.locks[action.lock]
            return f"seals {lock_name(part, action.lock)} {bet(part, lock, action)}"
        case do.Turn():
            before, after = (
                wording.slider_value(part, action.control, value)
                for value in (data["from"], action.to)
            )
            return f"{part.sliders[action.control].label}: {before} → {after}"
        case do.Commit():
            setting = {name: data["setting"][name] for name in part.sliders}
            return f"commits #{data['number']}: {wording.setting_bare(part, setting)}"
        case do.Finish():
            word = "passes" if data["passed"] is True else "fails"
            return f"#{action.number} {word}: {_figures(part, action.outcome)}"
        case do.Cancel():
            after = f"after {action.rounds} rounds"
            return f"stops #{action.number} {after}: {_figures(part, action.outcome)}"
        case do.Restart():
            return f"#{action.number} is executed again"
        case do.Pin():
            return f"pins #{action.number}"
        case do.Unpin():
            return f"lets #{action.number} go"
        case do.Claim():
            word = "verified" if data["verified"] is True else "not verified"
            return f"claims, {word}: {claimed(part, action)}"
        case do.Move():
            return _moved(part, data, action)
    return None


def _moved(part: Part, data: Mapping[str, Any], action: do.Move) -> str:
    party = part.stakeholders[action.party]
    word = "accepted" if data["accepted"] is True else "refused"
    if action.move == "waive" and action.want is not None and action.threshold is not None:
        want = party.wants[action.want]
        limit = f"{'≥' if want.more else '≤'} "
        limit += show(action.threshold, metric_of(part, want.metric).unit)
        return f"waives {want.label} of the {party.name}, keeps {limit}; owner: {action.owner}"
    return f"{_HOW[action.move]} the {party.name} with #{action.run}: {word}"


def failures(part: Part, failed: Mapping[str, str]) -> Iterator[str]:
    """Which checks of a claim failed, a line each."""
    for check, words in failed.items():
        yield f"✗ {check}: {wording.with_labels(part, words)}"
