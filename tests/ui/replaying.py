"""A short play with a clock of its own, sealed as a ledger, and the film that is made of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from mission_tui.app import ReplayApp
from mission_tui.commands import replay
from mission_tui.content.load import load
from mission_tui.content.schema import Mission
from mission_tui.ledger import envelope, judge, keys, receipts, witness
from mission_tui.ledger.chain import link
from mission_tui.ledger.desk import Desk
from mission_tui.ledger.lines import encode_line, parse_lines
from mission_tui.paths import missions_dir
from mission_tui.play.actions import Close, Instant, Note, Pin, Seal
from mission_tui.play.events import Event
from mission_tui.play.game import Game
from mission_tui.play.session import Session
from mission_tui.play.start import Who, header
from mission_tui.screens.replay import ReplayScreen
from mission_tui.screens.replay_film import Film
from tests.play.conftest import through_json
from tests.ui.playing import SIZE, Player, until

PLAY = "20260101T000000Z-00000000"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ANSWER = "Layer inputs are kept for the way back."
Change = Callable[[list[Event]], list[Event]]


@cache
def mission() -> Mission:
    """The mission of the tests on the edge track."""
    return load(missions_dir() / "memory-wall.toml").tracks["edge"]


class Tape:
    """A game that is recorded in memory; each event is 7 s after the one before."""

    def __init__(self, student: str = "ada") -> None:
        first = header(mission(), Who(student, "human", keys.ensure_public()), BEGAN)
        self.events = [replace(first, data={**first.data, "play_id": PLAY})]
        session = Session.begin(mission(), self.events[0].data)
        self.game = Game(session, self.events.append, self._clock)

    def _clock(self) -> Instant:
        at = len(self.events)
        return Instant(7_000 * at, f"2026-01-01T00:{at * 7 // 60:02}:{at * 7 % 60:02}.000+00:00")


@cache
def play(student: str = "ada", answer: str = ANSWER) -> tuple[Event, ...]:
    """A whole play: a prediction, two runs that differ in the batch, a claim, the close."""
    tape = Tape(student)
    game = tape.game
    game.go("lock", 65_000, 0)
    game.act(Seal("least", 4e8, 4e8 / 1.5, 6e8, None, "activations", 21_000, 2))
    game.go("workbench", 3_000, 0)
    game.run()
    game.turn("batch", 16)
    game.run()
    game.act(Pin(2))
    game.go("reveal", 90_000, 31_000)
    game.go("claim", 4_000, 0)
    game.act(Note("answer", answer[:12]))
    game.claim(game.draft("peak_memory", 1, 2), (1, 2), "activations", answer)
    game.go("debrief", 1_000, 0)
    game.act(Close())
    return tuple(map(through_json, tape.events))


def sealed(folder: Path, events: Sequence[Event] | None = None, name: str = "ada") -> Path:
    """A ledger of events, chained and signed with this user's key; ``seq`` and count anew."""
    payload, prev = b"", ""
    for seq, event in enumerate(play() if events is None else events):
        data = {**event.data, "count": seq} if event.kind == "close" else dict(event.data)
        if event.kind == "header":
            data["public_key"] = keys.ensure_public()
        raw = encode_line(replace(event, seq=seq, data=data), prev)
        payload += raw + b"\n"
        prev = link(raw)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.ledger.json"
    envelope.write_ledger(path, payload, keys.load())
    return path


def witnessed(ledger: Path, folder: Path, uid: int = 1000, after: float = 1.0) -> Path:
    """A witness's folder with a receipt for the head of each prediction of a ledger.

    It was taken by an account, so many seconds after the prediction.
    """
    payload = envelope.open_envelope(ledger.read_bytes()).payload
    for line in parse_lines(payload):
        if line.event.kind == "lock":
            then = datetime.fromisoformat(line.event.wall) + timedelta(seconds=after)
            head = receipts.Head(PLAY, link(line.raw), line.event.seq + 1)
            witness.Witness(folder, lambda now=then: now).answer(
                head.request(late=False), witness.Asker(uid)
            )
    return folder


def forged(kind: str, **data: Any) -> list[Event]:
    """The play with the last event of a kind changed; an outcome's metrics are added to."""
    events = list(play())
    at = max(n for n, event in enumerate(events) if event.kind == kind)
    before = dict(events[at].data)
    if "metrics" in data:
        outcome = before["outcome"]
        metrics = {**outcome["metrics"], **data.pop("metrics")}
        data["outcome"] = {**outcome, "metrics": metrics}
    events[at] = replace(events[at], data={**before, **data})
    return events


def film(path: Path, desk: Desk | None = None, **changed: Any) -> Film:
    """What the command hands to the screen for a ledger."""
    report = judge.verify_ledger(path, desk=desk, replayed=False)
    return replace(replay.film(report, by="eve", desk=desk), **changed)


@asynccontextmanager
async def shown(
    shown_film: Film, size: tuple[int, int] = SIZE, *, settled: bool = True
) -> AsyncIterator[tuple[ReplayScreen, Player]]:
    """The replay screen over a film."""
    app = ReplayApp(shown_film)
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ReplayScreen) and app.screen.is_mounted)
        screen = app.screen
        assert isinstance(screen, ReplayScreen)
        if settled:
            await rested(pilot, screen)
        yield screen, pilot


async def rested(pilot: Player, screen: ReplayScreen) -> None:
    """Wait until nothing is computed any more and all is drawn."""
    await pilot.pause()
    await until(pilot, lambda: screen.is_settled)


async def press(pilot: Player, screen: ReplayScreen, *pressed: str) -> None:
    """Press keys, and wait until what they show is drawn."""
    await pilot.press(*pressed)
    await rested(pilot, screen)
