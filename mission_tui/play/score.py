"""The score of a play under a rubric, with what earned each point.

A pure function of the session, the rubric and the solver record. It reads no clock and no
judgement of a prediction, so neither speed nor a right guess can be worth a point.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import tomli
from pydantic import Field, StringConstraints, ValidationError

from mission_tui.content.schema import Table
from mission_tui.play import wording, worth
from mission_tui.play.badges import comparisons
from mission_tui.play.events import Event
from mission_tui.play.proof import Record
from mission_tui.play.regret import objective, regret
from mission_tui.play.session import Session
from mission_tui.text import clean_line

DEFAULT: Final = Path(__file__).resolve().parent.parent / "rubric.toml"
VARIABLE: Final = "MISSION_TUI_RUBRIC"
_LARGEST: Final = 65_536

Criterion = Literal["locks", "parts", "claims", "control", "table", "value"]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Points: TypeAlias = Annotated[float, Field(ge=0, le=1000)]


class RubricError(ValueError):
    """A rubric that can't be used; one sentence."""


class PointsOf(Table):
    """What each criterion is worth at most."""

    locks: Points
    parts: Points
    claims: Points
    control: Points
    table: Points
    value: Points


class PartsRule(Table):
    """``missed`` is the share of a part's points that a missed part earns at a regret of 0."""

    missed: Share


class ClaimsRule(Table):
    """``later`` is the share for a claim that was verified, but not at the first attempt."""

    later: Share


class ControlRule(Table):
    """``enough`` is how many controlled comparisons earn all of a part's points."""

    enough: int = Field(ge=1, le=50)


class TableRule(Table):
    """The share of a party's points by how it was settled."""

    met: Share
    traded: Share
    disproved: Share
    waived: Share
    left: Share
    open: Share


class Rank(Table):
    """What a share of the points from ``from`` on is called."""

    from_: Share = Field(alias="from")
    name: Annotated[str, StringConstraints(min_length=1, max_length=40)]


class Rubric(Table):
    """A rubric, as its file says it."""

    schema_: Literal[1] = Field(alias="schema")
    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    points: PointsOf
    parts: PartsRule
    claims: ClaimsRule
    control: ControlRule
    table: TableRule
    ranks: tuple[Rank, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """What earned points: the kind of an event and what it is about.

    ``name`` is a lock's id, a run's or claim's number (from 1), or a party's id.
    """

    kind: Literal["lock", "run", "claim", "move"]
    part: str
    name: str


@dataclass(frozen=True, slots=True)
class Earned:
    """Points of one criterion in one part: so many of so many, why, and by which events."""

    criterion: Criterion
    part: str
    points: float
    of: float
    why: str
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """All that was earned. Criteria that a mission has nothing for are not in it."""

    rubric: str
    earned: tuple[Earned, ...]
    rank: str

    @property
    def points(self) -> float:
        """Points earned."""
        return sum(each.points for each in self.earned)

    @property
    def of(self) -> float:
        """Points that could be earned."""
        return sum(each.of for each in self.earned)

    @property
    def share(self) -> float:
        """Points earned as a share of those that could be."""
        return self.points / self.of if self.of else 0.0


def rubric(path: Path | None = None) -> Rubric:
    """The rubric at ``path``, else at ``$MISSION_TUI_RUBRIC``, else the one that ships.

    Raises :class:`RubricError` with one sentence.
    """
    chosen = os.environ.get(VARIABLE)
    where = path or (Path(chosen) if chosen else DEFAULT)
    try:
        with where.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        raise RubricError(f"{where.name} can't be read: {error.strerror}") from None
    if len(raw) > _LARGEST:
        raise RubricError(f"{where.name} is larger than {_LARGEST:,} bytes")
    try:
        tree = tomli.loads(raw.decode("utf-8"))
        if isinstance(tree.get("ranks"), list):
            tree["ranks"] = tuple(tree["ranks"])
        return Rubric.model_validate(tree)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(step) for step in first["loc"])
        raise RubricError(clean_line(f"{where.name}: {key}: {first['msg']}", 300)) from None
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML
        raise RubricError(clean_line(f"{where.name}: not TOML: {error}", 300)) from None


def score(session: Session, by: Rubric, record: Record | None = None) -> Score:
    """What a play earned so far."""
    earned = tuple(
        each
        for find in (_locks, _parts, _claims, _control, _table, _value)
        for each in find(session, by, record)
        if each.of > 0
    )
    found = Score(by.name, earned, "")
    ranks = sorted(by.ranks, key=lambda rank: rank.from_, reverse=True)
    rank = next((rank.name for rank in ranks if found.share >= rank.from_ - 1e-9), "")
    return Score(by.name, earned, rank)


def lines(found: Score, session: Session) -> Iterator[str]:
    """A score in words: the total, then a row for each criterion and part."""
    rank = f" · {found.rank}" if found.rank else ""
    yield clean_line(f"{found.points:.0f} of {found.of:.0f} points{rank} · {found.rubric}", 74)
    for each in found.earned:
        title = session.mission.parts[each.part].title
        words = clean_line(f"{title}: {each.why}", 150)
        yield f"{each.criterion:8}{each.points:5.1f} of {each.of:4.1f}  {words}"


def seqs(source: Source, events: Sequence[Event]) -> tuple[int, ...]:
    """The numbers (``seq``) of the events in a record that a source means."""
    of_part = [event for event in events if event.part == source.part]
    if source.kind == "claim":
        claims = [event.seq for event in of_part if event.kind == "claim"]
        return tuple(claims[int(source.name) - 1 : int(source.name)])
    if source.kind == "run":
        number = int(source.name)
        kinds = ("run", "run_end", "run_cancel")
        return tuple(e.seq for e in of_part if e.kind in kinds and e.data.get("number") == number)
    key = "lock" if source.kind == "lock" else "party"
    found = [e.seq for e in of_part if e.kind == source.kind and e.data.get(key) == source.name]
    return tuple(found)


def _locks(session: Session, by: Rubric, _: Record | None) -> Iterator[Earned]:
    for name, part in session.mission.ordered:
        sealed = session.parts[name].sealed
        each = by.points.locks / len(session.mission.parts)
        share = len(sealed) / len(part.locks) if part.locks else 1.0
        words = f"{len(sealed)} of {len(part.locks)} predictions sealed"
        sources = tuple(Source("lock", name, lock) for lock in sealed)
        yield Earned("locks", name, each * share, each, words, sources)


def _parts(session: Session, by: Rubric, record: Record | None) -> Iterator[Earned]:
    for name, part in session.mission.ordered:
        each = by.points.parts / len(session.mission.parts)
        best = session.best_run(name)
        sources = (Source("run", name, str(best.number)),) if best else ()
        if session.passed(name):
            yield Earned("parts", name, each, each, "passed", sources)
            continue
        solved = worth.solved(session, name, record)
        if best is None or best.outcome is None:
            yield Earned("parts", name, 0.0, each, "missed, with no run that came to its end")
        elif solved is None:
            words = "missed; no solver record says by how much"
            yield Earned("parts", name, 0.0, each, words, sources)
        else:
            reached = objective(session.mission, part, best.outcome.metrics)
            left = regret(solved.best, reached, solved.default)
            share = by.parts.missed * max(0.0, 1.0 - left) if isfinite(left) else 0.0
            words = f"{wording.came_to(session, name)}, at a regret of {left:.2f} (#{best.number})"
            yield Earned("parts", name, each * share, each, words, sources)


def _claims(session: Session, by: Rubric, _: Record | None) -> Iterator[Earned]:
    for name in session.parts:
        each = by.points.claims / len(session.parts)
        filed = session.parts[name].claims
        held = next((n for n, claim in enumerate(filed, 1) if claim.verified), None)
        if held is None:
            words = "no claim was verified" if filed else "no claim was filed"
            yield Earned("claims", name, 0.0, each, words)
            continue
        share = 1.0 if held == 1 else by.claims.later
        words = f"claim verified at attempt {held}"
        yield Earned("claims", name, each * share, each, words, (Source("claim", name, str(held)),))


def _control(session: Session, by: Rubric, _: Record | None) -> Iterator[Earned]:
    for name in session.parts:
        each = by.points.control / len(session.parts)
        pairs = comparisons(session.parts[name])[: by.control.enough]
        share = len(pairs) / by.control.enough
        shown = ", ".join(f"#{first}→#{second}" for first, second in pairs)
        words = f"one thing changed: {shown}" if pairs else "no run changed one thing alone"
        runs = dict.fromkeys(number for pair in pairs for number in pair)
        sources = tuple(Source("run", name, str(number)) for number in runs)
        yield Earned("control", name, each * share, each, words, sources)


def _table(session: Session, by: Rubric, _: Record | None) -> Iterator[Earned]:
    tables = [(name, state.table) for name, state in session.parts.items() if state.table]
    for name, table in tables:
        each = by.points.table / len(tables) / len(table.stands)
        for party, stand in table.stands.items():
            settled = stand.settled or "open"
            share: float = getattr(by.table, settled)
            who = session.mission.parts[name].stakeholders[party].name
            sources = (Source("move", name, party),)
            yield Earned("table", name, each * share, each, f"{who} {settled}", sources)


def _value(session: Session, by: Rubric, record: Record | None) -> Iterator[Earned]:
    names = [name for name, state in session.parts.items() if state.table]
    for name in names:
        each = by.points.value / len(names)
        made, best = worth.made(session, name), worth.best(session, name, record)
        if made is None:
            yield Earned("value", name, 0.0, each, "no design was agreed on")
            continue
        share = made.worth / best.worth if best and best.worth > 0 else 0.0
        words = f"the deal is worth {made.worth:.2f} to them"
        if best and best.worth > made.worth:
            words += f", the best known {best.worth:.2f}"
        yield Earned(
            "value", name, each * share, each, words, (Source("run", name, str(made.run)),)
        )
