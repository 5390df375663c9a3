"""What receipts say of a play: each prediction beside its receipt, and who had them taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from mission_tui.play.events import Event
from mission_tui.text import clean_line

if TYPE_CHECKING:
    from mission_tui.ledger.receipts import Receipt
    from mission_tui.ledger.roster import Roster

When = Literal["before the reveal", "late", "none"]

SKEW: Final = timedelta(seconds=60)
"""How far the player's clock may stand from the witness's: beyond, a receipt came too late."""
_NO_TIME: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A prediction, by its event's number, and the receipt that shows it.

    ``receipt`` is the first one in time, else the first that came late, else None.
    """

    seq: int
    when: When
    receipt: Receipt | None


def predictions(events: Sequence[Event], known: Sequence[Receipt]) -> tuple[Sealed, ...]:
    """Each sealed prediction of a play beside its receipt, in the order of play.

    A receipt shows a prediction *before the reveal* where its head holds the prediction and not
    the reveal, it was asked for when it came to be, and it was signed neither after one that holds
    the reveal nor more than :data:`SKEW` after the reveal by the
    player's clock. ``known`` are the witness's, for heads that are this play's: whether they are,
    :func:`~mission_tui.ledger.verify.judge_witness` says.
    """
    reveals: dict[str | None, int] = {}
    for place, event in enumerate(events):
        if event.kind == "enter" and event.data.get("screen") == "reveal":
            reveals.setdefault(event.part, place)
    found = []
    for place, event in enumerate(events):
        if event.kind != "lock":
            continue
        reveal = reveals.get(event.part, len(events))
        between = sorted(
            (each for each in known if place < each.count <= reveal), key=lambda each: each.moment
        )
        ends = [each.moment for each in known if each.count > reveal]
        if reveal < len(events):
            ends.append(_with_skew(events[reveal]))
        end = min(ends, default=_NO_TIME)
        first = next((each for each in between if not each.late and each.moment <= end), None)
        if first is not None:
            found.append(Sealed(event.seq, "before the reveal", first))
        elif between:
            found.append(Sealed(event.seq, "late", between[0]))
        else:
            found.append(Sealed(event.seq, "none", None))
    return tuple(found)


def by_another(known: Sequence[Receipt], student: str, roster: Roster) -> str | None:
    """Half a sentence where the receipts were taken by another account than the student's.

    Over SSH a receipt names its student, and its account is the witness's own: that is not asked
    here. None where the roster does not tell.
    """
    mine = roster.student(student)
    if mine is None:
        return None
    for uid in sorted({each.uid for each in known if each.student is None}):
        owners = roster.accounts(uid)
        if mine in owners or (mine.uid is None and not owners):
            continue
        whose = f" ({owners[0].id}'s)" if owners else ""
        own = f", which is not {mine.id}'s" + (f" ({mine.uid})" if mine.uid is not None else "")
        return clean_line(f"receipts were taken by account {uid}{whose}{own}", 300)
    return None


def moment_of(event: Event) -> datetime | None:
    """When an event was, by the player's clock; None where it has no date."""
    try:
        found = datetime.fromisoformat(event.wall)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the year 1 of a place east of Greenwich
        return None


def _with_skew(reveal: Event) -> datetime:
    """The last moment, by the witness's clock, that counts as before a reveal."""
    shown = moment_of(reveal)
    return _NO_TIME if shown is None or shown > _NO_TIME - SKEW else shown + SKEW
