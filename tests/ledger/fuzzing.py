"""Ledgers and missions made odd in every way that dice think of, and what they do to a reader.

A reader may refuse anything with one sentence. It may not raise anything else, take longer than
a second, or let a character through that a terminal would obey.
"""

from __future__ import annotations

import contextlib
import copy
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

from mission_tui.content.load import MissionError, load
from mission_tui.content.schema import Mission
from mission_tui.grading import row as rows
from mission_tui.ledger import judge, keys, plays
from mission_tui.ledger.chain import link
from mission_tui.ledger.desk import Desk
from mission_tui.ledger.envelope import seal
from mission_tui.ledger.lines import encode_line
from mission_tui.ledger.lockfile import HeldError
from mission_tui.ledger.verify import as_json, row_of
from mission_tui.play import actions as do
from mission_tui.play import score
from mission_tui.play.actions import Instant
from mission_tui.play.events import Event
from mission_tui.play.game import Game
from mission_tui.play.session import Session
from mission_tui.play.start import Who, header
from tests.conftest import WALL
from tests.grading import players
from tests.play.conftest import through_json
from tests.play.fleets import Desk as Fleet
from tests.play.fleets import small_fleet
from tests.ui import tabled

SLOW: Final = 1.0
"""Seconds of work after which a reader hangs."""
PATIENCE: Final = 30
KEY: Final = keys.from_private(bytes(range(32)))
HOSTILE: Final = "\x1b]52;c;QUJD\x07\u202eevil\u2066\x9b2J\x9d52\x9c\u200b[red]x[/red]\x00end"
ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64 - 1, -(2**63), 0.5, -0.0, 1e308, 5e-324,
    "", " ", "\x00", HOSTILE, "é" * 300, "x" * 20_000, "9" * 5_000, "NaN", "../../etc/passwd",
    "0001-01-01T00:00:00+23:59", "bot:\x1b[2J", "ab" * 32, [], {}, [[]], [None], {"": None},
    ["a"] * 2_000, list(range(2_000)), {str(n): n for n in range(500)}, {"screen": "reveal"},
)  # fmt: skip


# -- what is made odd --------------------------------------------------------------------------


@cache
def honest() -> tuple[tuple[Mission, tuple[Event, ...]], ...]:
    """A play of each kind of part: live, budgeted with a run that was stopped, at the table."""
    wall = load(WALL / "memory-wall.toml").tracks["tiny"]
    who = Who("ada", "human", KEY.public_hex, chosen_seed=3)
    lived = players.Simulated(players.REASONER, random.Random(3)).play(wall, 3, who)
    fleet = Fleet(small_fleet()).at_workbench()
    fleet.run()
    fleet.turned(local_epochs=2).stopped(3)
    table = tabled.mission()
    first = header(table, who, datetime(2026, 1, 1, tzinfo=UTC))
    talked = [first]
    game = Game(
        Session.begin(table, first.data),
        talked.append,
        lambda: Instant(1_000 * len(talked), "2026-01-01T00:00:00.000+00:00"),
    )
    tabled.play_to_decision(game)
    game.act(do.Decide("wait", "They were told."))
    game.go("debrief", 0, 0)
    game.act(do.Close())
    plain = tuple(map(through_json, lived)), fleet.recorded, tuple(map(through_json, talked))
    keyed = tuple(
        (replace(e[0], data={**e[0].data, "public_key": KEY.public_hex}), *e[1:]) for e in plain
    )
    return ((wall, keyed[0]), (fleet.mission, keyed[1]), (table, keyed[2]))


@contextmanager
def installed() -> Iterator[None]:
    """The missions of these plays are the installed ones."""
    known = {(mission.id, mission.track): mission for mission, _ in honest()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "find", lambda mission, track: known.get((mission, track)))
        yield


def sealed(events: list[Event]) -> bytes:
    """A ledger of events, chained and signed as they are; half of a ledger where that can't be."""
    content, prev = b"", ""
    for event in events:
        try:
            raw = encode_line(event, prev)
        except ValueError:  # the writer refuses it: nobody with our program can have made it
            break
        content, prev = content + raw + b"\n", link(raw)
    return seal(content, KEY)


def ledger(dice: random.Random) -> bytes:
    """One odd ledger."""
    (_, events) = dice.choices(honest(), (8, 1, 1))[0]
    way = dice.choices((_bytes, _payload, _values, _events, _noise), (2, 2, 6, 3, 1))[0]
    return way(list(copy.deepcopy(events)), dice)


def spoilt(content: bytes, dice: random.Random) -> bytes:
    """Bytes with some flipped, cut out, doubled or put in."""
    found = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 5, 50))):
        at, size = dice.randrange(len(found) + 1), dice.choice((1, 1, 4, 100))
        match dice.randrange(5):
            case 0 if found:
                found[at % len(found)] ^= 1 << dice.randrange(8)
            case 1:
                del found[at : at + size]
            case 2:
                found[at:at] = found[at : at + size]
            case 3:
                found[at:at] = dice.choice(
                    (b"[" * 3_000, b"{", b'"', b"\n", b"\0", b"NaN", b"1e999", b"\\ud800", b"=" * 3)
                )
            case _:
                found[at : at + size] = dice.randbytes(size)
    return bytes(found)


def _bytes(events: list[Event], dice: random.Random) -> bytes:
    return spoilt(sealed(events), dice)


def _payload(events: list[Event], dice: random.Random) -> bytes:
    content = b""
    prev = ""
    for event in events:
        raw = encode_line(event, prev)
        content, prev = content + raw + b"\n", link(raw)
    return seal(spoilt(content, dice)[:3_000_000], KEY)


def _values(events: list[Event], dice: random.Random) -> bytes:
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        at = 0 if dice.random() < 0.35 else dice.randrange(len(events))
        events[at] = replace(events[at], data=_odd(dict(events[at].data), dice))
    return sealed(events)


def _odd(data: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """An object with one value, however deep, made odd; or with a key more or less."""
    here: Any = data
    while True:
        if isinstance(here, list) and here:
            key: Any = dice.randrange(len(here))
        elif isinstance(here, dict) and here:
            key = dice.choice(sorted(here))
        else:
            return data
        inner = here[key]
        if isinstance(inner, dict | list) and inner and dice.random() < 0.7:
            here = inner
            continue
        match dice.randrange(8):
            case 0 if isinstance(here, dict):
                del here[key]
            case 1 if isinstance(here, dict):
                here[dice.choice(("extra", HOSTILE, ""))] = copy.deepcopy(dice.choice(ODD))
            case 2 if type(inner) in (int, float):
                here[key] = inner * dice.choice((-1, 2, 10, 1_000_000)) % 2**62
            case _:
                here[key] = copy.deepcopy(dice.choice(ODD))
        return data


def _events(events: list[Event], dice: random.Random) -> bytes:
    for _ in range(dice.choice((1, 1, 2, 6))):
        at = dice.randrange(1, max(2, len(events)))
        if at >= len(events):
            break
        match dice.randrange(7):
            case 0:
                del events[at]
            case 1:
                events.insert(at, dice.choice(events[1:] or events))
            case 2:
                other = dice.randrange(1, len(events))
                events[at], events[other] = events[other], events[at]
            case 3:
                kind = dice.choice(("", "claim", "run", "move", "close", "\x1b[2J", "future"))
                events[at] = replace(events[at], kind=kind)
            case 4:
                events[at] = replace(events[at], part=dice.choice((None, "", "privacy", HOSTILE)))
            case 5:
                events[at] = replace(events[at], wall=dice.choice(("", HOSTILE, "9999-99")))
            case _:
                events[at] = replace(events[at], mono_ms=dice.choice((0, 2**62, 1)))
    if dice.random() < 0.8:
        events = [replace(event, seq=n) for n, event in enumerate(events)]
    return sealed(events)


def _noise(events: list[Event], dice: random.Random) -> bytes:
    size = dice.choice((0, 1, 100, 100_000))
    return dice.choice(
        (b"[" * size + b"\n", b'{"a":' * size, dice.randbytes(size), b" " * size, b"\n" * size,
         b'{"payload":"' + b"A" * size + b'"}\n', b'"' + b"\\" * size)
    )  # fmt: skip


def mission_text(dice: random.Random) -> bytes:
    """One odd mission file."""
    path = dice.choice((WALL / "memory-wall.toml", tabled.FOLDER / "table.toml"))
    content = path.read_bytes()
    if dice.random() < 0.3:
        return spoilt(content, dice)
    lines = content.decode().split("\n")
    for _ in range(dice.choice((1, 1, 2, 8))):
        at = dice.randrange(len(lines))
        name, equals, _ = lines[at].partition(" = ")
        odd = dice.choice(
            ('""', "-1", "0", "1e308", "nan", "inf", "true", "[]", "{}", '"{nothing}"', '"{0.a}"',
             '"\\u001B]52;c;QUJD\\u0007\\u202E"', f'"{"x" * 5_000}"', "9" * 400, "[[[[[[]]]]]]",
             "[" * 2_000, "1979-05-27", f"[{', '.join('1' * 3_000)}]", '"{' * 200 + '"')
        )  # fmt: skip
        match dice.randrange(5):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, dice.choice(lines))
            case 2:
                lines.insert(at, f"[{'.'.join('a' * dice.choice((3, 400)))}]")
            case _ if equals:
                lines[at] = f"{name} = {odd}"
            case _:
                lines[at] = f"{dice.choice(('x', 'a.b', 'low', 'id'))} = {odd}"
    return "\n".join(lines).encode()


# -- who reads it ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong with one odd file; ``number`` is the place in its seed's dice."""

    what: str
    seed: int
    number: int
    said: str


def read_ledger(content: bytes, folder: Path) -> None:
    """Verify, replay, grade and resume it. Raises what should not be."""
    path = folder / "odd.ledger.json"
    report = judge.judge_content(path, content, desk=Desk())
    assert row_of(as_json(report)).isprintable()
    row = rows.of_bytes(content, "odd", _job())
    assert "went wrong" not in row.problem, row.problem
    if not report.events or len(content) > 400_000:
        return
    saved = folder / "saves" / "ada" / "20260101T000000Z-00000000.jsonl"
    saved.parent.mkdir(parents=True, exist_ok=True)
    lines, prev = b"", ""
    for event in report.events:
        raw = encode_line(event, prev)
        lines, prev = lines + raw + b"\n", link(raw)
    saved.write_bytes(lines)
    plays.saved_plays(folder / "saves", "ada")
    with contextlib.suppress(plays.PlayError, HeldError):  # each is one sentence
        plays.resume(saved, judge.find).journal.close()
    for left in saved.parent.iterdir():
        left.unlink()


def read_mission(content: bytes, folder: Path) -> None:
    """Load and check it. Raises what should not be."""
    path = folder / "odd.toml"
    if not (folder / "tracks.toml").exists():
        (folder / "tracks.toml").write_bytes((WALL / "tracks.toml").read_bytes())
    path.write_bytes(content)
    refused: MissionError | None = None
    try:
        load(path)
    except MissionError as error:
        refused = error
    if refused is not None:
        assert refused.problems
        assert all(str(problem).isprintable() for problem in refused.problems)


@cache
def _job() -> rows.Job:
    return rows.Job(score.rubric(score.DEFAULT), replay=False, desk=Desk())


def fuzz(
    make: Callable[[random.Random], bytes],
    read: Callable[[bytes, Path], None],
    folder: Path,
    count: int,
    seed: int,
) -> list[Fault]:
    """Read so many odd files; what went wrong, if anything did."""
    found = []
    with installed(), _alarm():
        for number in range(count):
            content = make(random.Random(f"{seed}/{number}"))
            began = time.process_time()
            signal.alarm(PATIENCE)
            try:
                read(content, folder)
            except Exception as error:
                found.append(Fault("raised", seed, number, repr(error)[:300]))
            signal.alarm(0)
            if (took := time.process_time() - began) > SLOW:
                found.append(Fault("slow", seed, number, f"{took:.1f} s"))
    return found


@contextmanager
def _alarm() -> Iterator[None]:
    def rings(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"still reading after {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, rings)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
