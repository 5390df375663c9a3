"""Trust, measured: verifying a class's ledgers, what it takes in memory, saving one event."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import mission_tui  # noqa: F401  (sets the thread counts before numpy loads)
from benchmarks.result import Row, percentile
from mission_tui.content.load import load
from mission_tui.ledger import judge, keys
from mission_tui.ledger.chain import link
from mission_tui.ledger.envelope import open_envelope, seal
from mission_tui.ledger.journal import Journal
from mission_tui.ledger.lines import encode_line
from mission_tui.ledger.strict import MAX_BYTES
from mission_tui.paths import missions_dir
from mission_tui.play import bots
from mission_tui.play.events import Event
from mission_tui.play.game import Clock, Game
from mission_tui.play.session import Session
from mission_tui.play.start import Who, header

LEDGERS: Final = 300
EVENTS: Final = 200
SAVED: Final = 1_000
MISSION: Final = "vol2-11-edge-intelligence.toml"


def measure() -> list[Row]:
    """The budgets are those of the design's "Figures to hold"."""
    key = keys.generate()
    played = _played(key)
    content = _ledger(played, key, lambda n, _: n >= EVENTS)
    judge.judge_content(Path("warm"), content, replayed=False)
    began = time.process_time()
    for _ in range(LEDGERS):
        report = judge.judge_content(Path("ledger"), content, replayed=False)
    taken = time.process_time() - began
    alone = _json_alone(content)
    states = {name: verdict.state for name, verdict in report.verdicts.items()}
    assert states["parse"] == states["signature"] == states["chain"] == "holds", states
    assert states["binding"] == "holds", report.verdicts["binding"]
    note = f"{len(content):,} bytes each, CPU time; its JSON read and written alone: {alone:.2f} s"
    warm = _ledger(played, key, lambda n, _: n == 1)  # missions are read once a process
    # A third more in base64, and room for the envelope.
    longest = _ledger(played, key, lambda _, size: size > MAX_BYTES * 3 // 4 - 20_000)
    saved, bare = _saved(played[:EVENTS])
    disk = f"a bare write and sync here: p50 {percentile(bare, 0.5):.2g} ms"
    disk += f", p99 {percentile(bare, 0.99):.2g} ms"
    return [
        Row(f"verify {LEDGERS} ledgers of {EVENTS} events, no replay", taken, "s", 2.0, note),
        Row("verify: memory for such a ledger", _memory(content, warm), "MB", 50.0),
        Row(
            "verify: memory for the longest ledger there can be",
            _memory(longest, warm),
            "MB",
            None,
            f"{len(longest):,} bytes",
        ),
        Row("save an event (acknowledged), p50", percentile(saved, 0.5), "ms"),
        Row("save an event (acknowledged), p99", percentile(saved, 0.99), "ms", 2.0, disk),
    ]


def _played(key: keys.SigningKey) -> list[Event]:
    """A play of the first part of the first mission, by a bot: events as they come in class."""
    mission = load(missions_dir() / MISSION).tracks["edge"]
    who = Who("ada", "bot:reference", key.public_hex)
    first = header(mission, who, datetime.now(UTC))
    events = [first]
    game = Game(Session.begin(mission, first.data), events.append, Clock(0))
    player = bots.Reference()
    while not any(event.kind == "claim" for event in events):
        bots.step(game, player)
    return events


def _ledger(played: list[Event], key: keys.SigningKey, enough: Callable[[int, int], bool]) -> bytes:
    """The play's own events over and over, chained, until there are enough."""
    payload, prev, seq = b"", "", 0
    while not enough(seq, len(payload)):
        event = played[0] if seq == 0 else played[1 + (seq - 1) % (len(played) - 1)]
        raw = encode_line(replace(event, seq=seq), prev)
        payload, prev, seq = payload + raw + b"\n", link(raw), seq + 1
    return seal(payload, key)


def _json_alone(content: bytes) -> float:
    """CPU seconds to read and write the JSON of so many ledgers, and nothing else."""
    payload = open_envelope(content).payload
    lines = payload.decode("ascii").splitlines()
    began = time.process_time()
    for _ in range(LEDGERS):
        for line in lines:
            json.dumps(json.loads(line), sort_keys=True, separators=(",", ":"))
    return time.process_time() - began


def _saved(events: list[Event]) -> tuple[list[float], list[float]]:
    """Milliseconds that the journal takes for each of many acknowledged events.

    In turns with the same bytes written and synced to a file of their own: what the disk takes.
    """
    taken, bare = [], []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        journal = Journal.create(Path(folder) / "ada" / "play.jsonl", events[0])
        with (Path(folder) / "bare").open("wb", buffering=0) as file:
            for n in range(1, SAVED + 1):
                event = replace(events[1 + (n - 1) % (len(events) - 1)], seq=n, kind="lock")
                size = len(journal.payload)
                began = time.perf_counter()
                saved = journal.append(event)
                taken.append((time.perf_counter() - began) * 1e3)
                assert saved
                line = journal.payload[size:]
                began = time.perf_counter()
                file.write(line)
                os.fdatasync(file.fileno())
                bare.append((time.perf_counter() - began) * 1e3)
        journal.close()
    return taken, bare


def _memory(content: bytes, warm: bytes) -> float:
    """MB by which a fresh process grows at its peak when it reads and judges a ledger.

    The kernel's own count of the peak, begun anew before (Linux): that of getrusage is inherited.
    """
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from mission_tui.ledger import judge\n"
        "def peak():\n"
        "    text = Path('/proc/self/status').read_text()\n"
        "    return int(text.partition('VmHWM:')[2].split()[0])\n"
        "judge.verify_ledger(Path(sys.argv[2]), replayed=False)\n"
        "Path('/proc/self/clear_refs').write_text('5')\n"
        "before = peak()\n"
        "judge.verify_ledger(Path(sys.argv[1]), replayed=False)\n"
        "print(peak() - before)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path, small = Path(folder) / "ledger", Path(folder) / "small"
        path.write_bytes(content)
        small.write_bytes(warm)
        done = subprocess.run(
            [sys.executable, "-c", program, str(path), str(small)],
            capture_output=True,
            check=True,
            text=True,
        )
    return int(done.stdout) / 1e3
