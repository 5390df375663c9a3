"""The figures that the ledger has to hold, each measured: a row for each promise of its design.

``python -m benchmarks figures --quick`` takes minutes and counts about as the tests do;
without ``--quick`` it counts as ``make soak`` does, which takes a good part of an hour. Every row
is measured by the routine that the tests use (``tests/ledger``, ``tests/terminal``).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import mission_tui  # noqa: F401  (sets the thread counts before numpy loads)
from benchmarks.result import Row
from benchmarks.terminal import ROOT
from mission_tui.content.load import load
from tests.conftest import WALL
from tests.ledger import damage, elsewhere, faults, forging, fuzzing, golden, kills
from tests.terminal import hostile

RATIO: Final = 1.2
"""Times the recorded engine time that a replay may take."""


def measure(quick: bool = False) -> Iterator[Row]:
    """Each row of the table, in its order."""
    with _home() as home:
        yield _kills(home, 300 if quick else 3_000)
        yield _failing(home, 9 if quick else 1)
        yield from _damage(home, quick)
        yield from _forgeries(home, 1 if quick else 60)
        yield _elsewhere(home, 2 if quick else 125)
        yield from _trust()
        yield _replay()
        yield from _fuzzed(home, 150 if quick else 8_000, 150 if quick else 2_000)
        yield _bytes(home, quick)


@contextmanager
def _home() -> Iterator[Path]:
    """A folder of its own: on the disk of this folder, as plays are, and not in memory."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".figures-") as folder:
        yield Path(folder)


def _new(home: Path, name: str) -> Path:
    folder = home / name
    folder.mkdir(parents=True)
    return folder


def _kills(home: Path, count: int) -> Row:
    found = kills.run(_new(home, "kills"), count, seed=11)
    note = f"{found.acknowledged:,} events acknowledged, {found.ledgers:,} ledgers read whole after"
    return Row(
        f"events lost or files corrupt, {count:,} × kill -9",
        found.lost + found.corrupt,
        "",
        0,
        note,
    )


def _failing(home: Path, step: int) -> Row:
    mission = load(WALL / "memory-wall.toml").tracks["edge"]
    folder, plays, bad = _new(home, "failing"), 0, 0
    for code in faults.CODES:
        for repeat in (1, 3, faults.FOR_EVER):
            found = faults.every(folder, mission, code, repeat, step)
            plays += len(found)
            bad += sum(bool(each.crash or each.silent) for each in found)
    each = "every" if step == 1 else f"every {step}th"
    note = f"{plays:,} plays: {each} call, 5 ways to fail, once, three times, for ever"
    return Row("plays that crashed or lost in silence, n-th file call failing", bad, "", 0, note)


def _damage(home: Path, quick: bool) -> list[Row]:
    events = forging.Room.at(_new(home, "room")).honest(1).events[: 6 if quick else None]
    content = forging.payload(events)
    tried, wrong = damage.prefixes(_new(home, "prefixes"), content, events)
    kind = "live-recovered" if quick else "live-unfinished"
    ledger = (golden.FOLDER / f"{kind}.{golden.NUMBER}.json").read_bytes()
    bits, accepted = damage.flips(ledger)
    return [
        Row("journal prefixes not recovered", wrong, "", 0, f"of {tried:,}"),
        Row("single-bit flips of a ledger accepted", accepted, "", 0, f"of {bits:,}"),
    ]


def _forgeries(home: Path, plays: int) -> list[Row]:
    room = forging.Room.at(_new(home, "forgeries"))
    found = forging.tried(room, forging.FORGERIES, range(1, plays + 1))
    missed = [each.kind.name for each in found if not each.caught]
    note = (
        f"of {len(found):,}: {len(forging.FORGERIES)} kinds, {plays} plays each; {missed[:3] or ''}"
    )
    return [
        Row("forgeries missed, of the kinds in scope", len(missed), "", 0, note.rstrip("; ")),
        Row("kinds that nothing can catch", len(forging.UNCAUGHT), "", None, "docs/security.md"),
    ]


def _elsewhere(home: Path, count: int) -> Row:
    folder = _new(home, "elsewhere")
    elsewhere.write(folder, count)
    found = elsewhere.judged(folder)
    versions = sorted({each.numpy for each in found})
    note = f"of {sum(each.judged for each in found):,}: {len(found)} settings of CPU and BLAS, "
    note += f"numpy {' and '.join(versions)}"
    if len(versions) == 1:
        note += f" alone (${elsewhere.OTHER_NUMPY} names a folder with another)"
    tampered = sum(len(each.tampered) for each in found)
    return Row("honest ledgers called tampered", tampered, "", 0, note)


def _trust() -> list[Row]:
    """What ``python -m benchmarks trust_speed`` prints: by the shipped missions, so apart."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "trust_speed", "--json"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if "MISSION_TUI" not in name},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = json.loads(done.stdout)
    return [Row(**{k: v for k, v in row.items() if k != "holds"}) for row in rows]


_TIMED: Final = """
import json, sys, time
import tests.conftest
from engine import registry
from pathlib import Path

spent, depth = 0.0, 0
def timed(call):
    def inner(*given, **more):
        global spent, depth
        depth += 1
        began = time.process_time()
        try:
            return call(*given, **more)
        finally:
            depth -= 1
            if depth == 0:
                spent += time.process_time() - began
    return inner
for name in ("evaluate", "accounts", "explain"):
    setattr(registry, name, timed(getattr(registry, name)))

from mission_tui.content.load import load
from mission_tui.ledger.replay import replay
from mission_tui.ledger.lines import read_lines
from mission_tui.play.actions import Instant
from mission_tui.play.game import Game
from mission_tui.play.session import Session
from mission_tui.play.start import Who, header
from tests.conftest import WALL
from tests.ledger import faults, forging, golden

mission = load(WALL / "memory-wall.toml").tracks["edge"]
path = Path(sys.argv[2])
if sys.argv[1] == "play":
    events = [header(mission, Who("ada", "human", "00" * 32), golden.DAY)]
    session = Session.begin(mission, events[0].data)
    game = Game(session, events.append, lambda: Instant(len(events), "w"))
    registry.evaluate("adaptation", {}, seed=12_345)  # what is made once a process
    spent = 0.0
    faults.played(game)
    path.write_bytes(forging.payload(list(map(forging.through_json, events))))
    print(json.dumps(spent))
else:
    events = read_lines(path.read_bytes())
    registry.evaluate("adaptation", {}, seed=12_345)
    began = time.process_time()
    found = replay(mission, events)
    taken = time.process_time() - began
    assert found.verdict.state == "holds", found.verdict
    print(json.dumps(taken))
"""


def _replay() -> Row:
    """A play's engine time, and the time of its whole replay, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "play.jsonl"
        recorded, replayed = (
            min(_said(what, journal) for _ in range(3)) for what in ("play", "replay")
        )
    note = f"{replayed:.3f} s of replay for {recorded:.3f} s of engine, nothing remembered"
    return Row("replay beside the recorded engine time", replayed / recorded, "×", RATIO, note)


def _said(what: str, journal: Path) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _TIMED, what, str(journal)],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(done.stdout))


def _fuzzed(home: Path, ledgers: int, missions: int) -> list[Row]:
    folder = _new(home, "fuzzed")
    found = fuzzing.fuzz(fuzzing.ledger, fuzzing.read_ledger, folder, ledgers, 0)
    more = fuzzing.fuzz(fuzzing.mission_text, fuzzing.read_mission, folder, missions, 0)
    what = f"tracebacks or hangs over {fuzzing.SLOW:g} s"
    return [
        Row(f"{what}, {ledgers:,} odd ledgers", len(found), "", 0, str(found[0]) if found else ""),
        Row(f"{what}, {missions:,} odd missions", len(more), "", 0, str(more[0]) if more else ""),
    ]


def _bytes(home: Path, quick: bool) -> Row:
    env = hostile.plant(_new(home, "hostile"))
    count, sent = 0, 0
    sizes = [(80, 24)] if quick else [(72, 20), (80, 24), (120, 40), (200, 60)]
    pieces: list[str] = []
    for columns, rows in sizes:
        raw, _ = hostile.tour(env, len(hostile.SCREENS), columns, rows)
        pieces += hostile.foreign(raw)
        count, sent = count + len(hostile.SCREENS), sent + len(raw)
    if not quick:
        raw, _ = hostile.film(home / "hostile", env)
        pieces += hostile.foreign(raw)
        count, sent = count + 1, sent + len(raw)
    note = f"{count} screens, {sent:,} bytes of a real pseudo-terminal; {pieces[:1] or ''}"
    return Row("foreign bytes that reached a terminal", len(pieces), "", 0, note.rstrip("; "))
