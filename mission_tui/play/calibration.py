"""Calibration: whether a student's bands and "sure" mean what they say. Shown, never scored.

A band is an 80 % interval, so over many locks four bands in five should hold the truth. A lock
that the student has met before (the same lock on the same track) is not counted again: its truth
had been seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import comb
from typing import Any, Final

from mission_tui.play.events import Event
from mission_tui.play.session import Session

FROM: Final = 10
"""Locks from which on calibration is shown: of fewer, luck alone says more."""
AIM: Final = 0.8
"""The share of bands that should hold the truth."""
_LUCK: Final = 0.05
"""The share of luck cut off at each end, when a count is held against :data:`AIM`."""
_WIDE: Final = 30
"""Columns of a bar from 0 to 100 %."""


@dataclass(frozen=True, slots=True)
class Bet:
    """One lock that was sealed and revealed.

    A number has ``in_band``, a choice has ``sure`` and ``right``. ``lock`` says which lock it
    is: mission, track, part, lock.
    """

    lock: tuple[str, str, str, str]
    right: bool
    in_band: bool | None = None
    sure: bool | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    held: int
    of: int

    @property
    def value(self) -> float:
        """The share, 0 where there is nothing to share."""
        return self.held / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Bands that held the truth, and choices that were right, sure and unsure apart."""

    bands: Share
    sure: Share
    unsure: Share

    @property
    def locks(self) -> int:
        """Locks counted."""
        return self.bands.of + self.sure.of + self.unsure.of

    @property
    def shown(self) -> bool:
        """Whether there are enough locks to say anything."""
        return self.locks >= FROM


def calibration(bets: Iterable[Bet]) -> Calibration:
    """Count bets, oldest first; each lock once, as it was first met."""
    first: dict[tuple[str, str, str, str], Bet] = {}
    for bet in bets:
        first.setdefault(bet.lock, bet)
    met = first.values()
    held = [bet.in_band for bet in met if bet.in_band is not None]
    chosen = [bet for bet in met if bet.in_band is None and bet.sure is not None]
    sure = [bet.right for bet in chosen if bet.sure]
    unsure = [bet.right for bet in chosen if not bet.sure]
    return Calibration(*(Share(sum(found), len(found)) for found in (held, sure, unsure)))


def bets_of(session: Session) -> tuple[Bet, ...]:
    """The bets of a play, as far as they are revealed."""
    mission = session.mission
    return tuple(
        Bet(
            (mission.id, mission.track, name, lock),
            judged.value_right,
            judged.in_band,
            session.parts[name].sealed[lock].sure,
        )
        for name, _ in mission.ordered
        for lock, judged in session.judgements(name).items()
    )


def bets_in(events: Iterable[Event]) -> tuple[Bet, ...]:
    """The bets that a record holds. It may be anybody's: what is not well-formed is left out."""
    mission = track = ""
    sure: dict[tuple[str, str], bool] = {}
    found: dict[tuple[str, str, str, str], Bet] = {}
    for event in events:
        data = event.data
        if event.kind == "header":
            mission, track = str(data.get("mission")), str(data.get("track"))
        elif event.kind == "lock" and isinstance(data.get("sure"), bool):
            sure[str(event.part), str(data.get("lock"))] = data["sure"]
        elif event.kind == "enter" and isinstance(data.get("judged"), Mapping):
            for name, judged in data["judged"].items():
                where = (mission, track, str(event.part), str(name))
                bet = _bet(where, judged, sure.get(where[2:]))
                if bet is not None:
                    found.setdefault(where, bet)
    return tuple(found.values())


def lines(found: Calibration) -> Iterator[str]:
    """Calibration in words, with a bar a row; before there are enough locks, how many there are."""
    if not found.shown:
        one = "" if found.locks == 1 else "s"
        seen = f"so far you have sealed and seen {found.locks} different lock{one}."
        yield f"Shown from {FROM} locks on: {seen}"
        return
    yield f"over {found.locks} different locks of all your plays; it is never scored"
    if found.bands.of:
        yield f"{'bands that held the truth':26}{_bar(found.bands, AIM)}"
        yield verdict(found.bands)
    for label, share in (("sure of a choice", found.sure), ("unsure of one", found.unsure)):
        if share.of:
            yield f"{label:26}{_bar(share)}"


def verdict(bands: Share) -> str:
    """Bands against the aim, as far as so few can say: luck is given its due."""
    few, many = luck(bands.of)
    if bands.held < few:
        return f"the aim │ is 80 %; {few} to {many} could be luck: widen your bands"
    if bands.held > many:
        return f"the aim │ is 80 %; {few} to {many} could be luck: dare narrower bands"
    return f"the aim │ is 80 %; {few} to {many} of {bands.of} are as good as that"


def luck(count: int) -> tuple[int, int]:
    """The fewest and the most hits of so many bands that :data:`AIM` explains.

    Binomial, exact: at most :data:`_LUCK` of all luck lies beyond each end.
    """
    chances = [comb(count, k) * AIM**k * (1 - AIM) ** (count - k) for k in range(count + 1)]
    few = next(k for k in range(count + 1) if sum(chances[: k + 1]) > _LUCK)
    many = next(k for k in range(count, -1, -1) if sum(chances[k:]) > _LUCK)
    return few, many


def _bar(share: Share, aim: float | None = None) -> str:
    full = round(share.value * _WIDE)
    cells = ["█" if n < full else "·" for n in range(_WIDE)]
    if aim is not None:
        cells[round(aim * _WIDE)] = "│"
    return f"{''.join(cells)} {share.held} of {share.of}, {share.value * 100:.0f} %"


def _bet(where: tuple[str, str, str, str], judged: Any, sure: bool | None) -> Bet | None:
    if not isinstance(judged, Mapping) or not isinstance(judged.get("value_right"), bool):
        return None
    in_band = judged.get("in_band")
    held = in_band if isinstance(in_band, bool) else None
    return Bet(where, judged["value_right"], held, sure)
