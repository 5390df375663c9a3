"""Golden ledgers: one small play of each kind, signed with a key made for it, and kept for ever.

``python -m tests.ledger.golden`` writes those that are missing. One that is there is never
written again: when a model's version or a mission of the tests moves, give the new one a number
(``NUMBER``) and keep the old.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from mission_tui.content.load import load
from mission_tui.content.schema import Mission
from mission_tui.ledger import course, keys
from mission_tui.ledger.chain import link
from mission_tui.ledger.envelope import seal
from mission_tui.ledger.lines import encode_line
from mission_tui.play import actions as do
from mission_tui.play import bots
from mission_tui.play.actions import Instant
from mission_tui.play.events import FORMAT, Event
from mission_tui.play.game import Game
from mission_tui.play.session import Session
from mission_tui.play.start import Who, header
from tests.conftest import WALL
from tests.grading import players
from tests.play.conftest import through_json
from tests.play.fleets import Desk as Fleet
from tests.play.fleets import small_fleet
from tests.ui import tabled

FOLDER: Final = Path(__file__).parent / "goldens" / f"v{FORMAT}"
NUMBER: Final = 1
KEY: Final = keys.from_private(base64.b16decode("601D" * 16))
DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def missions() -> dict[tuple[str, str], Mission]:
    """The missions that these plays are of, by id and track."""
    wall = load(WALL / "memory-wall.toml").tracks["tiny"]
    found = (wall, small_fleet(), tabled.mission())
    return {(mission.id, mission.track): mission for mission in found}


def _game(mission: Mission, who: Who) -> tuple[Game, list[Event]]:
    events = [header(mission, who, DAY)]
    session = Session.begin(mission, events[0].data)
    when = "2026-01-01T00:00:00.000+00:00"
    return Game(session, events.append, lambda: Instant(1_000 * len(events), when)), events


def _lived(who: Who, habit: players.Habit = players.REASONER) -> list[Event]:
    mission = missions()["memory-wall", "tiny"]
    return players.Simulated(habit, random.Random(1)).play(mission, 1, who)


def _who(driver: str = "human", **more: Any) -> Who:
    return Who("golden", driver, KEY.public_hex, **more)


def _live() -> Sequence[Event]:
    return _lived(_who())


def _plain() -> Sequence[Event]:
    return _lived(_who("plain"))


def _chosen() -> Sequence[Event]:
    return _lived(_who(chosen_seed=5))


def _attempt() -> Sequence[Event]:
    return _lived(_who(attempt=3))


def _enrolled() -> Sequence[Event]:
    with TemporaryDirectory() as home:
        course.new(Path(home) / "course", "golden-course")
        token = course.enrol(Path(home) / "course", "golden", KEY.public_hex, now=DAY)
    return _lived(_who(enrolled=token.enrolled))


def _bot() -> Sequence[Event]:
    game, events = _game(missions()["memory-wall", "tiny"], _who("bot:reference"))
    bots.play(game, bots.Reference())
    return events


def _unfinished() -> Sequence[Event]:
    return _lived(_who())[:9]


def _recovered() -> Sequence[Event]:
    game, events = _game(missions()["memory-wall", "tiny"], _who())
    game.go("lock", 0, 0)
    game.act(do.Recover(len(events), 12, "ab" * 32))
    game.act(do.Note("answer", "ü \u202e \x00 後"))
    return events


def _stopped() -> Sequence[Event]:
    fleet = Fleet(small_fleet(), [header(small_fleet(), _who(chosen_seed=5), DAY)]).at_workbench()
    fleet.stopped(3)
    fleet.turned(local_epochs=2).run()
    fleet.turned(local_epochs=4).game.begin_run()
    fleet = fleet.died()
    fleet.game.resume_run()
    return fleet.events


def _table() -> Sequence[Event]:
    game, events = _game(tabled.mission(), _who())
    tabled.play_to_decision(game)
    game.act(do.Decide("wait", "They were told why."))
    game.go("debrief", 0, 0)
    game.act(do.Close())
    return events


KINDS: Final[dict[str, Callable[[], Sequence[Event]]]] = {
    "live-human": _live,
    "live-plain": _plain,
    "live-bot": _bot,
    "live-chosen-seed": _chosen,
    "live-third-attempt": _attempt,
    "live-enrolled": _enrolled,
    "live-unfinished": _unfinished,
    "live-recovered": _recovered,
    "budgeted-stopped-and-resumed": _stopped,
    "table-decided": _table,
}


def sealed(events: Sequence[Event]) -> bytes:
    """The ledger of events, signed with the goldens' key."""
    content, prev = b"", ""
    for event in map(through_json, events):
        data = {**event.data, "public_key": KEY.public_hex} if event.seq == 0 else event.data
        raw = encode_line(replace(event, data=data), prev)
        content, prev = content + raw + b"\n", link(raw)
    return seal(content, KEY)


def main() -> None:
    """Write the goldens that are not there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for kind, play in KINDS.items():
        path = FOLDER / f"{kind}.{NUMBER}.json"
        if not path.exists():
            path.write_bytes(sealed(play()))


if __name__ == "__main__":
    main()
