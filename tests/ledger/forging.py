"""Forgeries of every kind that we could think of, and what a verifier says of each.

One class: a course with a secret and a roster, a witness, an honest play with its receipts. A
forger changes it (:data:`FORGERIES`) as somebody without the key, as the key's holder who edits
lines, or as the key's holder who makes the whole play anew by the rules. What can't be caught
from the file and the desk is in a table of its own (:data:`UNCAUGHT`): each of these passes.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from mission_tui.content.load import load
from mission_tui.content.schema import Mission
from mission_tui.ledger import course, desk, judge, keys, receipts, strict
from mission_tui.ledger.chain import link
from mission_tui.ledger.desk import Desk
from mission_tui.ledger.envelope import open_envelope, seal
from mission_tui.ledger.lines import encode_line, parse_lines
from mission_tui.ledger.receipts import Receipt
from mission_tui.ledger.verify import Report
from mission_tui.play import actions as do
from mission_tui.play import seeds
from mission_tui.play.events import Event
from mission_tui.play.session import Refused, Session
from mission_tui.play.start import Who
from tests.conftest import WALL
from tests.grading import players
from tests.play.conftest import through_json

DAY: Final = datetime(2026, 10, 1, 9, tzinfo=UTC)
KEY: Final = keys.from_private(bytes(range(32)))
OTHER: Final = keys.from_private(b"o" * 32)
WITNESS: Final = keys.from_private(b"w" * 32)
Events = list[Event]


@cache
def mission() -> Mission:
    """The mission of the tests, on its smallest track."""
    return load(WALL / "memory-wall.toml").tracks["tiny"]


@dataclass(frozen=True)
class Room:
    """What the instructor has: a course's folder, and another course of somebody else's."""

    folder: Path
    bobs: str
    """The seed that the course gave another student."""
    elsewhere: Mapping[str, Any]
    """Ada's enrolment in a course that somebody made by themselves."""

    @classmethod
    def at(cls, home: Path) -> Room:
        """Set up anew."""
        course.new(home / "course", "ml")
        course.enrol(home / "course", "ada", KEY.public_hex, now=DAY)
        bob = course.enrol(home / "course", "bob", "bb" * 32, now=DAY).enrolled
        course.new(home / "own", "ml")
        own = course.enrol(home / "own", "ada", KEY.public_hex, now=DAY).enrolled
        fields = {"id": "ml", "key": own.key, "issued": own.issued, "signature": own.signature}
        return cls(home / "course", bob.seed_root, {"course": fields, "seed_root": own.seed_root})

    def desk(self, found: Sequence[Receipt]) -> Desk:
        """Everything that an instructor can know."""
        known = desk.opened(course=self.folder)
        assert known is not None
        by_play: dict[str, tuple[Receipt, ...]] = {}
        for receipt in found:
            by_play[receipt.play] = (*by_play.get(receipt.play, ()), receipt)
        return replace(known, receipts=by_play, witness_key=WITNESS.public_hex)

    def honest(self, seed: int, driver: str = "human") -> Case:
        """A play of ada's, as a simulated person plays."""
        token = course.enrol(self.folder, "ada", KEY.public_hex, now=DAY)
        who = Who("ada", driver, KEY.public_hex, 1 + seed % 2, enrolled=token.enrolled)
        player = players.Simulated(players.REASONER, random.Random(seed))
        events = player.play(mission(), seed, who)
        timed = [replace(e, wall=moment(e.mono_ms / 1000)) for e in map(through_json, events)]
        data = {**timed[0].data, "play_id": f"20261001T090000Z-{seed:08x}"}
        return Case(self, [replace(timed[0], data=data), *timed[1:]], random.Random(seed))


def moment(seconds: float) -> str:
    """A time on the day."""
    return receipts.now_utc(DAY + timedelta(seconds=seconds))


@dataclass(frozen=True)
class Case:
    """An honest play, and dice for whoever forges it."""

    room: Room
    events: Events
    dice: random.Random

    @property
    def lines(self) -> list[bytes]:
        """Its journal."""
        return payload(self.events).splitlines(keepends=True)

    @property
    def receipts(self) -> list[Receipt]:
        """The witness's: one a second after each lock, and one after the close."""
        lines, found, last = self.lines, [], receipts.FIRST
        for at, event in enumerate(self.events):
            if event.kind in {"lock", "close"}:
                play, head = self.events[0].data["play_id"], link(lines[at][:-1])
                when = moment(event.mono_ms / 1000 + 1)
                one = Receipt(play, head, at + 1, 1000, None, when, False, last, WITNESS.public_hex)
                found.append(one.signed(WITNESS))
        return found

    def at(self, kind: str) -> int:
        """The place of one of the events of a kind."""
        return self.dice.choice([n for n, e in enumerate(self.events) if e.kind == kind])

    def with_data(self, at: int, **changed: Any) -> Events:
        """The events with one's data changed."""
        event = self.events[at]
        one = replace(event, data={**event.data, **changed})
        return [*self.events[:at], one, *self.events[at + 1 :]]

    def header(self, **changed: Any) -> Events:
        """The events with another header."""
        return self.with_data(0, **changed)

    def replayed(self, change: Callable[[Event, do.Action], do.Action | None]) -> Events:
        """The play made anew by the rules, with some actions changed or left out (None)."""
        return made(mission(), self.events, change)


def payload(events: Sequence[Event]) -> bytes:
    """A journal of events, chained; their numbers are taken as they are."""
    content, prev = b"", ""
    for event in events:
        raw = encode_line(event, prev)
        content, prev = content + raw + b"\n", link(raw)
    return content


def signed(events: Sequence[Event], key: keys.SigningKey = KEY) -> bytes:
    """The ledger of events, numbered, counted and chained anew."""
    numbered = []
    for seq, event in enumerate(events):
        count = {"count": seq} if event.kind == "close" and "count" in event.data else {}
        numbered.append(replace(event, seq=seq, data={**event.data, **count}))
    return seal(payload(numbered), key)


def made(
    played: Mission, events: Sequence[Event], change: Callable[[Event, do.Action], Any]
) -> Events:
    """A play decided anew by the rules of a mission, whatever a forger's actions are."""
    session = Session.begin(played, events[0].data)
    found = [events[0]]
    for event in events[1:]:
        action = do.read(event)
        if action is None or (action := change(event, action)) is None:
            continue
        try:
            given = session.decide(action, do.Instant(event.mono_ms, event.wall))[0]
        except Refused:
            continue
        found.append(through_json(given))
        session = session.apply(given)
    return found


# -- forgeries ---------------------------------------------------------------------------------

Forge = Callable[[Case], "bytes | tuple[bytes, list[Receipt]]"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of forgery: the verdict that catches it, and the state that it gives."""

    name: str
    by: str
    """Who can do it: ``anybody`` or ``holder`` of the key."""
    caught: str
    state: str
    forge: Forge
    witnessed: bool = False
    """Whether it is caught by receipts alone."""


FORGERIES: Final[list[Kind]] = []
UNCAUGHT: Final[list[Kind]] = []


def forgery(
    name: str,
    caught: str,
    state: str = "fails",
    *,
    by: str = "holder",
    witnessed: bool = False,
) -> Callable[[Forge], Forge]:
    """Adds a kind to the table."""

    def add(forge: Forge) -> Forge:
        FORGERIES.append(Kind(name, by, caught, state, forge, witnessed))
        return forge

    return add


def uncaught(name: str) -> Callable[[Forge], Forge]:
    """Adds a kind to the table of those that pass."""

    def add(forge: Forge) -> Forge:
        UNCAUGHT.append(Kind(name, "holder", "", "holds", forge))
        return forge

    return add


def _edited(case: Case) -> list[bytes]:
    """One figure of one line changed, the line's form kept."""
    lines = case.lines
    at = case.dice.randrange(1, len(lines) - 1)
    fields = json.loads(lines[at])
    fields["mono_ms"] += case.dice.randint(1, 9)
    lines[at] = strict.encode(fields) + b"\n"
    return lines


# by anybody, without the key


@forgery("a bit flipped", "signature", by="anybody")
def _(case: Case) -> bytes:
    content = bytearray(signed(case.events))
    while True:  # a flip inside a digit of the payload, so that the file still reads
        at = case.dice.randrange(20, len(content) // 2)
        flipped = bytearray(content)
        flipped[at] ^= 1 << case.dice.randrange(7)
        try:
            parse_lines(open_envelope(bytes(flipped)).payload)
        except strict.ParseError:
            continue
        return bytes(flipped)


@forgery("a file cut short", "parse", by="anybody")
def _(case: Case) -> bytes:
    content = signed(case.events)
    return content[: case.dice.randrange(1, len(content))]


@forgery("something put into the envelope", "parse", by="anybody")
def _(case: Case) -> bytes:
    fields = json.loads(signed(case.events)) | {"note": "signed"}
    return strict.encode(fields) + b"\n"


@forgery("an edited line under the old signature", "signature", by="anybody")
def _(case: Case) -> bytes:
    fields = json.loads(signed(case.events))
    fields["payload"] = base64.b64encode(b"".join(_edited(case))).decode()
    return strict.encode(fields) + b"\n"


@forgery("another play's signature", "signature", by="anybody")
def _(case: Case) -> bytes:
    fields = json.loads(signed(case.events))
    fields["signatures"] = json.loads(signed(case.events[:-1]))["signatures"]
    return strict.encode(fields) + b"\n"


@forgery("signed again with another key", "signature", by="anybody")
def _(case: Case) -> bytes:
    return signed(case.events, OTHER)


@forgery("another key's signature under the player's key id", "signature", by="anybody")
def _(case: Case) -> bytes:
    return signed(case.events, OTHER).replace(OTHER.key_id.encode(), KEY.key_id.encode())


@forgery("another's play signed as one's own, with one's own key in its header", "signature")
def _(case: Case) -> bytes:
    return signed(case.header(public_key=OTHER.public_hex), OTHER)


# by the holder of the key, lines as they were


@forgery("a line edited", "chain")
def _(case: Case) -> bytes:
    return seal(b"".join(_edited(case)), KEY)


@forgery("a line cut out", "chain")
def _(case: Case) -> bytes:
    lines = case.lines
    del lines[case.dice.randrange(1, len(lines) - 1)]
    return seal(b"".join(lines), KEY)


@forgery("a line put in", "chain")
def _(case: Case) -> bytes:
    lines = case.lines
    lines.insert(case.dice.randrange(1, len(lines)), case.dice.choice(lines))
    return seal(b"".join(lines), KEY)


@forgery("two lines in another order", "chain")
def _(case: Case) -> bytes:
    lines = case.lines
    a, b = case.dice.sample(range(1, len(lines)), 2)
    lines[a], lines[b] = lines[b], lines[a]
    return seal(b"".join(lines), KEY)


@forgery("an event cut out and the chain made anew", "chain")
def _(case: Case) -> bytes:
    at = case.dice.randrange(1, len(case.events) - 1)
    rest = [*case.events[:at], *case.events[at + 1 :]]
    return seal(payload([replace(e, seq=n) for n, e in enumerate(rest)]), KEY)


@forgery("events after the close", "chain")
def _(case: Case) -> bytes:
    return signed([*case.events, replace(case.events[-2])])


# by the holder of the key, the whole chain made anew


@forgery("a run's metric changed", "replay")
def _(case: Case) -> bytes:
    at = case.at("run_end")
    outcome = case.events[at].data["outcome"]
    name = case.dice.choice(sorted(outcome["metrics"]))
    worth = outcome["metrics"][name]
    metrics = {**outcome["metrics"], name: worth * case.dice.choice([0.5, 1.2]) + 1.0}
    return signed(case.with_data(at, outcome={**outcome, "metrics": metrics}))


@forgery("a run's curve changed", "replay")
def _(case: Case) -> bytes:
    at = case.at("run_end")
    outcome = case.events[at].data["outcome"]
    name = case.dice.choice(sorted(outcome["series"]))
    values = list(outcome["series"][name])
    values[case.dice.randrange(len(values))] += 5.0
    series = {**outcome["series"], name: values}
    return signed(case.with_data(at, outcome={**outcome, "series": series}))


@forgery("a failed run that says it passed", "replay")
def _(case: Case) -> bytes:
    at = case.at("run_end")
    data = case.events[at].data
    met = {name: not value for name, value in data["met"].items()}
    return signed(case.with_data(at, met=met, passed=not data["passed"]))


@forgery("better metrics, and all that the rules make of them", "replay")
def _(case: Case) -> bytes:
    def better(_: Event, action: do.Action) -> do.Action:
        if not isinstance(action, do.Finish):
            return action
        metrics = {**action.outcome.metrics, "accuracy": 99.0, "peak_memory": 1e5}
        return replace(action, outcome=replace(action.outcome, metrics=metrics))

    return signed(case.replayed(better))


@forgery("a run's setting changed", "replay")
def _(case: Case) -> bytes:
    at = case.at("run")
    setting = case.events[at].data["setting"]
    other = {**setting, "batch": 2 if setting["batch"] != 2 else 4}
    return signed(case.with_data(at, setting=other))


@forgery("a run left out, so that its number is free", "replay")
def _(case: Case) -> bytes:
    first = next(n for n, e in enumerate(case.events) if e.kind == "run")
    return signed([*case.events[:first], *case.events[first + 2 :]])


@forgery("a claim's verdict changed", "replay")
def _(case: Case) -> bytes:
    at = case.at("claim")
    verified = not case.events[at].data["verified"]
    return signed(case.with_data(at, verified=verified))


@forgery("a claim's terms changed", "replay")
def _(case: Case) -> bytes:
    at = case.at("claim")
    terms = dict(case.events[at].data["terms"])
    name = case.dice.choice(sorted(terms))
    terms[name] = terms[name] * 3 + 1e6
    return signed(case.with_data(at, terms=terms))


@forgery("a truth changed to what was predicted", "replay")
def _(case: Case) -> bytes:
    lock = next(e.data for e in case.events if e.kind == "lock")

    def kinder(_: Event, action: do.Action) -> do.Action:
        if isinstance(action, do.Enter) and action.truths:
            truths = {
                name: replace(truth, value=lock["value"], mechanism=lock["mechanism"])
                for name, truth in action.truths.items()
            }
            return replace(action, truths=truths)
        return action

    return signed(case.replayed(kinder))


@forgery("a prediction judged right that was wrong", "replay")
def _(case: Case) -> bytes:
    at = next(n for n, e in enumerate(case.events) if e.data.get("judged"))
    judged = {
        name: {**said, "value_right": not said["value_right"]}
        for name, said in case.events[at].data["judged"].items()
    }
    return signed(case.with_data(at, judged=judged))


@forgery("a prediction sealed after its reveal", "replay")
def _(case: Case) -> bytes:
    at = next(n for n, e in enumerate(case.events) if e.kind == "lock")
    reveal = next(n for n, e in enumerate(case.events) if e.data.get("truths"))
    events = case.events
    late = replace(events[at], mono_ms=events[reveal].mono_ms)
    return signed([*events[:at], *events[at + 1 : reveal + 1], late, *events[reveal + 1 :]])


@forgery("a second seal of a prediction", "replay")
def _(case: Case) -> bytes:
    at = next(n for n, e in enumerate(case.events) if e.kind == "lock")
    return signed([*case.events[: at + 1], *case.events[at:]])


@forgery("a result at the end that no run reached", "replay")
def _(case: Case) -> bytes:
    outcome = {
        part: {**said, "passed": not said["passed"]}
        for part, said in case.events[-1].data["outcome"].items()
    }
    return signed(case.with_data(len(case.events) - 1, outcome=outcome))


@forgery("a clock that runs backwards", "replay")
def _(case: Case) -> bytes:
    at = case.dice.randrange(3, len(case.events) - 1)
    late = replace(case.events[at], mono_ms=case.events[-1].mono_ms + 60_000)
    return signed([*case.events[:at], late, *case.events[at + 1 :]])


@forgery("played by other rules, under the installed mission's hash", "replay")
def _(case: Case) -> bytes:
    part = mission().parts["memory"]
    easier = {
        name: spec.model_copy(
            update={"at_least": 0.0} if spec.at_most is None else {"at_most": 1e12}
        )
        for name, spec in part.specs.items()
    }
    parts = {"memory": part.model_copy(update={"specs": easier})}
    other = mission().model_copy(update={"parts": parts})
    return signed(made(other, case.events, lambda _, action: action))


@forgery("another mission's file", "binding")
def _(case: Case) -> bytes:
    hashes = {**case.events[0].data["mission_hash"], "rules": "ab" * 32}
    return signed(case.header(mission_hash=hashes))


@forgery("another track's play", "binding")
def _(case: Case) -> bytes:
    return signed(case.header(track="cloud"))


@forgery("another student's seed", "binding")
def _(case: Case) -> bytes:
    return signed(case.header(seed_root=case.room.bobs))


@forgery("a seed of one's choice, as if it were the course's", "binding")
def _(case: Case) -> bytes:
    return signed(case.header(seed_root=f"{case.dice.getrandbits(256):064x}"))


@forgery("another student's name", "binding")
def _(case: Case) -> bytes:
    return signed(case.header(student="bob"))


@forgery("an edited enrolment", "binding")
def _(case: Case) -> bytes:
    data = {**case.events[0].data["course"], "issued": "2026-01-01T00:00:00+00:00"}
    return signed(case.header(course=data))


@forgery("an enrolment in a course of one's own making", "binding")
def _(case: Case) -> bytes:
    return signed(case.header(**case.room.elsewhere))


@forgery("a play outside of the course", "binding", "marginal")
def _(case: Case) -> bytes:
    root = seeds.root_of_student("ada")
    return signed(case.header(course=None, seed="student", seed_root=root))


@forgery("a play before the key was the student's", "signature")
def _(case: Case) -> bytes:
    early = (DAY - timedelta(days=3)).isoformat(timespec="milliseconds")
    return signed([replace(case.events[0], wall=early), *case.events[1:]])


@forgery("another model's version", "replay", "not replayable here")
def _(case: Case) -> bytes:
    models = {name: version + 1 for name, version in case.events[0].data["models"].items()}
    return signed(case.header(models=models))


# caught by receipts alone: everything else about them is as it should be


def _foreseen(case: Case) -> Events:
    """The prediction made anew when its truth is known."""
    truths = next(e.data["truths"] for e in case.events if e.data.get("truths"))

    def wiser(_: Event, action: do.Action) -> do.Action:
        if not isinstance(action, do.Seal):
            return action
        truth = truths[action.lock]
        value = truth["value"] * case.dice.uniform(0.95, 1.05)
        return replace(
            action, value=value, low=value / 1.2, high=value * 1.2, mechanism=truth["mechanism"]
        )

    return case.replayed(wiser)


def _relabelled(case: Case) -> Events:
    """A program's play that says it was a person's."""
    return case.header(driver="human" if case.events[0].data["driver"] != "human" else "plain")


def _retimed(case: Case) -> Events:
    """Times made up: an hour's play that says it took a day."""
    return [replace(e, wall=moment(20 * e.mono_ms / 1000), mono_ms=20 * e.mono_ms)
            for e in case.events]  # fmt: skip


def _first_attempt(case: Case) -> Events:
    """Another number of the attempt."""
    return case.header(attempt=case.events[0].data["attempt"] + 1)


def _no_help(case: Case) -> Events:
    """Hints and last words left out, or a pause where there were none."""
    kept = case.replayed(lambda _, action: None if isinstance(action, do.Hint) else action)
    if len(kept) != len(case.events):
        return kept
    return [replace(e, mono_ms=e.mono_ms + 1) if n > 1 else e for n, e in enumerate(case.events)]


def _rewritten(case: Case) -> Events:
    """The answer written anew after the marks were out."""
    return case.replayed(
        lambda _, action: (
            replace(action, answer="As in the model solution.")
            if isinstance(action, do.Claim)
            else action
        )
    )


CONSISTENT: Final[dict[str, Callable[[Case], Events]]] = {
    "a prediction changed after its reveal": _foreseen,
    "a bot's play relabelled as a person's": _relabelled,
    "times made up": _retimed,
    "another number of the attempt": _first_attempt,
    "hints left out": _no_help,
    "an answer written anew": _rewritten,
}
"""Plays that follow from the rules and were not played so. Receipts tell; nothing else can."""


def _with_receipts(change: Callable[[Case], Events]) -> Forge:
    return lambda case: signed(change(case))


def _without(change: Callable[[Case], Events]) -> Forge:
    return lambda case: (signed(change(case)), [])


for _name, _change in CONSISTENT.items():
    forgery(f"{_name}, with receipts", "witness", witnessed=True)(_with_receipts(_change))
    if _change is not _first_attempt:  # other data follow from it: replay tells, 15 times in 16
        uncaught(f"{_name}, without receipts")(_without(_change))


@forgery("a play cut off before its close, with receipts", "witness", "marginal", witnessed=True)
def _(case: Case) -> bytes:
    return signed(case.events[: case.dice.randrange(4, len(case.events) - 1)])


@forgery("a receipt with an earlier time", "witness", witnessed=True)
def _(case: Case) -> tuple[bytes, list[Receipt]]:
    found = case.receipts
    found[0] = replace(found[0], at=moment(-60))
    return signed(case.events), found


@forgery("a late receipt passed off as in time", "witness", witnessed=True)
def _(case: Case) -> tuple[bytes, list[Receipt]]:
    found = case.receipts
    late = replace(found[0], late=True, signature="").signed(WITNESS)
    return signed(case.events), [replace(late, late=False), *found[1:]]


@forgery("another play's receipt", "witness", witnessed=True)
def _(case: Case) -> tuple[bytes, list[Receipt]]:
    found = case.receipts
    other = replace(found[0], play="20261001T090000Z-ffffffff", signature="").signed(WITNESS)
    return signed(case.events), [replace(other, play=found[0].play), *found[1:]]


@forgery("receipts by a witness of one's own", "witness", "not applicable", witnessed=True)
def _(case: Case) -> tuple[bytes, list[Receipt]]:
    own = [
        replace(one, witness=OTHER.public_hex, signature="").signed(OTHER) for one in case.receipts
    ]
    return signed(_foreseen(case)), own


# -- what passes -------------------------------------------------------------------------------


@uncaught("receipts left out of the folder")
def _(case: Case) -> tuple[bytes, list[Receipt]]:
    return signed(case.events), []


@uncaught("other facts of the machine (only said in a note)")
def _(case: Case) -> tuple[bytes, list[Receipt]]:
    return signed(case.header(cpu="another", python="3.99", numpy="9.9")), []


@uncaught("a figure changed by less than replay tolerates")
def _(case: Case) -> tuple[bytes, list[Receipt]]:
    def slightly(_: Event, action: do.Action) -> do.Action:
        if not isinstance(action, do.Finish):
            return action
        metrics = {**action.outcome.metrics}
        metrics["peak_memory"] *= 1 + 1e-12
        return replace(action, outcome=replace(action.outcome, metrics=metrics))

    return signed(case.replayed(slightly)), []


@uncaught("truths that were looked up before the play, with receipts")
def _(case: Case) -> tuple[bytes, list[Receipt]]:
    events = _foreseen(case)
    return signed(events), replace(case, events=events).receipts


@uncaught("a play that somebody else played with the student's key, with receipts")
def _(case: Case) -> tuple[bytes, list[Receipt]]:
    return signed(case.events), case.receipts


# -- judging -----------------------------------------------------------------------------------


def judged(case: Case, forged: bytes | tuple[bytes, list[Receipt]]) -> Report:
    """All verdicts by an instructor who knows everything there is to know."""
    content, found = forged if isinstance(forged, tuple) else (forged, case.receipts)
    return judge.judge_content(Path("play.ledger.json"), content, desk=case.room.desk(found))


def states(report: Report) -> dict[str, str]:
    """The verdicts' states by name."""
    return {name: verdict.state for name, verdict in report.verdicts.items()}


@dataclass(frozen=True, slots=True)
class Tried:
    """How one forgery of a kind fared."""

    kind: Kind
    seed: int
    states: Mapping[str, str]
    reason: str = ""

    @property
    def caught(self) -> bool:
        """Whether the named verdict has the named state."""
        return self.states[self.kind.caught] == self.kind.state


def tried(room: Room, kinds: Sequence[Kind], plays: Sequence[int]) -> list[Tried]:
    """One forgery of each kind of each play."""
    found = []
    for seed in plays:
        for kind in kinds:
            case = room.honest(seed)
            report = judged(case, kind.forge(case))
            reason = report.verdicts[kind.caught].reason if kind.caught else ""
            found.append(Tried(kind, seed, states(report), reason))
    return found
