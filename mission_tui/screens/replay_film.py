"""A recorded play as a film: what its screen is given, and the session at each of its events.

The screen knows neither ledgers nor graders: whoever opens it hands in plain, frozen data and the
functions that recompute and that keep a mark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from mission_tui.content.schema import Mission
from mission_tui.play.events import Event
from mission_tui.play.session import IllegalPlay, Session

EVERY: Final = 50
"""Events from one kept session to the next; those between are applied anew."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """One verdict on the ledger: its name, its state, and one sentence."""

    name: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of an event as recorded, and as computed again; ``state`` as of a verdict."""

    field: str
    recorded: float | str
    recomputed: float | str
    state: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What recomputing came to at one event; with the last one comes the verdict."""

    seq: int
    figures: tuple[Figure, ...] = ()
    verdict: Stamp | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Points that a grader gave for a criterion, with the reason. ``at`` is as it is shown."""

    criterion: str
    points: float
    reason: str
    by: str
    at: str
    event: int | None = None


@dataclass(frozen=True, slots=True)
class Receipted:
    """A sealed prediction, by its event's number, and the witness's receipt for it.

    ``when`` is "before the reveal", "late" or "none"; ``at`` is when it was signed, as it is shown.
    """

    seq: int
    when: str
    at: str = ""


class NotKept(Exception):
    """A mark that was not taken; one sentence. Nothing has changed."""


@dataclass(frozen=True)
class Film:
    """All that the replay screen is given.

    Without a ``mission`` (``why`` says in one sentence why there is none) events are listed as they
    stand in the file. ``recompute`` gives what differs, event by event; it may take minutes, so it
    is asked in a thread. ``mark`` keeps points for a criterion, with a reason and the number of
    the event they are about, and gives all marks that count; it raises :class:`NotKept`.
    ``marked_in`` says where marks go, ``notice`` what is wrong with those that are there;
    ``notes`` are what should be known of the ledger and fails nothing; ``receipts`` has each
    prediction where a witness's receipts of the play are known.
    """

    name: str
    events: tuple[Event, ...]
    stamps: tuple[Stamp, ...]
    mission: Mission | None = None
    why: str = ""
    recompute: Callable[[], Iterator[Seen]] | None = None
    marks: Mapping[str, Mark] = field(default_factory=dict)
    mark: Callable[[str, float, str, int], Mapping[str, Mark]] | None = None
    marked_in: str = ""
    notice: str = ""
    notes: tuple[str, ...] = ()
    receipts: tuple[Receipted, ...] = ()


class Takes:
    """The sessions of a film. One thread goes :meth:`over` them once; any may ask :meth:`at`.

    Each fiftieth session is kept and the ones between are made from it, so that a step is quick
    and a long play is no burden on memory.
    """

    def __init__(self, mission: Mission, events: tuple[Event, ...]) -> None:
        self._events = events
        self._kept: list[Session] = [Session.begin(mission, events[0].data)]
        self._last: tuple[int, Session] = (0, self._kept[0])
        self.done = 0
        """The number of the last event that is known to follow from the rules."""
        self.broken: IllegalPlay | None = None
        """The first event that the rules would not have given; no session is beyond it."""

    def over(self) -> Iterator[int]:
        """Hold every event against the rules; gives its number once its session can be asked for.

        It ends at the first event that breaks them.
        """
        session = self._kept[0]
        for event in self._events[1:]:
            try:
                session = session.checked(event)
            except IllegalPlay as error:
                self.broken = error
                return
            if (self.done + 1) % EVERY == 0:
                self._kept.append(session)
            self.done += 1
            yield self.done

    def at(self, place: int) -> Session | None:
        """The session after the event at ``place``; None where it is not known (yet)."""
        if not 0 <= place <= self.done:
            return None
        start, session = self._last
        if not start <= place < start + EVERY:
            start = place // EVERY * EVERY
            session = self._kept[place // EVERY]
        for event in self._events[start + 1 : place + 1]:
            session = session.apply(event)
        self._last = (place, session)
        return session

    @property
    def last(self) -> Session:
        """The session after the last event that follows from the rules."""
        found = self.at(self.done)
        assert found is not None
        return found
