"""What a player can do. A driver makes actions; the Session turns each into one event.

An event's data is the action's fields followed by the results of the rules, so an action can
be read back from its event. Fields that the engine measured (``truths``, ``outcome``,
``terms``) travel in the action: the Session never computes physics.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Any, ClassVar, TypeAlias

from pydantic import TypeAdapter, ValidationError

from engine.contract import Outcome
from mission_tui.play.events import Event

Scalar: TypeAlias = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Instant:
    """When: milliseconds of this play's monotonic clock, and UTC in ISO 8601."""

    mono_ms: int
    wall: str


@dataclass(frozen=True, slots=True)
class Truth:
    """What the engine answers to a lock: its value, the right mechanism, the law's terms."""

    value: Scalar
    mechanism: str
    terms: dict[str, float]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An outcome as an event holds it."""

    metrics: dict[str, float]
    series: dict[str, tuple[float, ...]]
    picks: tuple[int, ...] = ()

    @classmethod
    def of(cls, outcome: Outcome) -> Recorded:
        """The recorded form of what the engine gave."""
        return cls(dict(outcome.metrics), dict(outcome.series), outcome.picks)


@dataclass(frozen=True, slots=True)
class Enter:
    """Go to a screen. Entering a reveal brings the truths of the part's locks."""

    kind: ClassVar = "enter"
    screen: str
    truths: dict[str, Truth] | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave a screen after so much active and idle time."""

    kind: ClassVar = "leave"
    screen: str
    active_ms: int
    idle_ms: int


@dataclass(frozen=True, slots=True)
class Seal:
    """Commit a prediction: a value in the metric's unit with its band, or an option."""

    kind: ClassVar = "lock"
    lock: str
    value: float | str
    low: float | None
    high: float | None
    sure: bool | None
    mechanism: str
    latency_ms: int
    edits: int


@dataclass(frozen=True, slots=True)
class Turn:
    """Move a slider; a coalesced sweep is one action."""

    kind: ClassVar = "control"
    control: str
    to: Scalar
    dwell_ms: int


@dataclass(frozen=True, slots=True)
class Commit:
    """Commit the sliders as a numbered run."""

    kind: ClassVar = "run"


@dataclass(frozen=True, slots=True)
class Finish:
    """A run came to its end with this outcome."""

    kind: ClassVar = "run_end"
    number: int
    outcome: Recorded


@dataclass(frozen=True, slots=True)
class Cancel:
    """A run was stopped after ``rounds`` rounds with this partial outcome."""

    kind: ClassVar = "run_cancel"
    number: int
    rounds: int
    outcome: Recorded


@dataclass(frozen=True, slots=True)
class Restart:
    """A run that a dead process left unfinished is executed again, free of charge."""

    kind: ClassVar = "run_resume"
    number: int


@dataclass(frozen=True, slots=True)
class Pin:
    """Keep a run as a baseline."""

    kind: ClassVar = "pin"
    number: int


@dataclass(frozen=True, slots=True)
class Unpin:
    """Let a pinned run go."""

    kind: ClassVar = "unpin"
    number: int


@dataclass(frozen=True, slots=True)
class Hint:
    """Open the next hint."""

    kind: ClassVar = "hint"
    hint: str


@dataclass(frozen=True, slots=True)
class Flip:
    """Where a claim would turn: as ``control`` passes ``value`` (or "never").

    ``turns`` is where the engine finds that it turns: none, one below, one above.
    """

    control: str
    value: Scalar
    turns: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """State what changed between two runs, and why.

    ``amount`` is the number as written, so that it can be held to its own rounding;
    ``answer`` is the student's line to the part's question (never graded by a machine).
    ``flip`` may be left out, and then the event does not hold it.
    """

    kind: ClassVar = "claim"
    metric: str
    runs: tuple[int, int]
    control: str
    direction: str
    amount: str
    unit: str
    mechanism: str
    answer: str
    terms: dict[str, float]
    flip: Flip | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Say something to a party: meet, trade or disprove with a pinned run, or waive a want.

    A waiver names the want, the threshold that the design must keep, and who owns the risk.
    """

    kind: ClassVar = "move"
    party: str
    move: str
    run: int | None = None
    want: str | None = None
    threshold: float | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Decide:
    """Decide, and defend it in a paragraph (which no machine grades)."""

    kind: ClassVar = "decision"
    choice: str
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """A draft of free text, saved as it grows."""

    kind: ClassVar = "note"
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Recall:
    """Answer the recall question of an earlier mission, or skip it (``answer`` is None).

    ``right`` comes with the answer, because the question is another mission's; it is never
    scored. ``latency_ms`` is from the question's first sight.
    """

    kind: ClassVar = "recall"
    mission: str
    answer: str | None
    right: bool | None
    latency_ms: int


@dataclass(frozen=True, slots=True)
class Recover:
    """A torn journal was cut back to its longest valid part."""

    kind: ClassVar = "recovered"
    kept_events: int
    torn_bytes: int
    torn_sha256: str


@dataclass(frozen=True, slots=True)
class Close:
    """End the play."""

    kind: ClassVar = "close"


Action: TypeAlias = (
    Enter
    | Leave
    | Seal
    | Turn
    | Commit
    | Finish
    | Cancel
    | Restart
    | Pin
    | Unpin
    | Hint
    | Claim
    | Move
    | Decide
    | Note
    | Recall
    | Recover
    | Close
)

_BY_KIND: Mapping[str, type[Action]] = {action.kind: action for action in Action.__args__}


class UnreadableAction(ValueError):
    """An event whose data is not what its kind holds."""


def read(event: Event) -> Action | None:
    """The action that an event records, or None for a kind that this version doesn't know.

    Raises :class:`UnreadableAction` with one sentence.
    """
    action = _BY_KIND.get(event.kind)
    if action is None:
        return None
    if not isinstance(event.data, Mapping):
        raise UnreadableAction(f"{event.kind}: data is no table")
    names = {field.name for field in fields(action)}
    asked = {name: value for name, value in event.data.items() if name in names}
    try:
        found: Action = _adapter(event.kind).validate_json(json.dumps(asked), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise UnreadableAction(f"{event.kind}: {where}: {first['msg']}") from None
    return found


def data(action: Action) -> dict[str, Any]:
    """An action's fields as JSON values."""
    found: dict[str, Any] = _json(asdict(action))
    for name in ("truths", "flip"):  # not there, rather than there and nothing
        if found.get(name, ...) is None:
            del found[name]
    return found


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _json(item) for name, item in value.items()}
    return [_json(item) for item in value] if isinstance(value, (tuple, list)) else value


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(_BY_KIND[kind])
