"""kill -9 at random moments of a play, many times over, and what the disk holds afterwards.

A writer saves events as fast as it can and tells of each one that was acknowledged. It is a fork
of a process that has the journal loaded, so that a life takes milliseconds and a kill may strike
anywhere: while the play is opened or begun, in a write, in a sync, while its ledger is replaced.
``python -m tests.ledger.kills FOLDER COUNT SEED`` prints the counts as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from mission_tui.ledger import keys
from mission_tui.ledger.chain import longest_prefix
from mission_tui.ledger.envelope import open_envelope, seal
from mission_tui.ledger.files import write_whole
from mission_tui.ledger.journal import Journal
from mission_tui.ledger.lines import parse_lines
from mission_tui.play.events import Event

ROOT: Final = Path(__file__).resolve().parents[2]
KINDS: Final = ("lock", "control", "run", "run_end", "note")
LIVES: Final = 12
"""Kills of one play, before another begins: an old play takes long to open."""
LONGEST: Final = 0.03
"""Seconds that a life may take."""
SEALED: Final = 7
"""Every so many events the ledger is written anew."""


@dataclass(frozen=True, slots=True)
class Killed:
    """What many kills left: how often, what had been acknowledged, what was not there after."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    corrupt: int = 0
    torn: int = 0
    """Journals with half a line at their end, which recovery set aside: nothing was lost."""
    ledgers: int = 0
    """Times that a ledger stood there after a kill, and was read whole."""


def run(folder: Path, count: int, seed: int) -> Killed:
    """Kill so many writers, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.ledger.kills", str(folder), str(count), str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return Killed(**json.loads(done.stdout))


def event(play: int, seq: int) -> Event:
    """The event that a play has at a place, always the same: its text says where it belongs."""
    if seq == 0:
        return Event(0, "header", None, 0, "", {"play": play})
    size = (seq * 37 + play * 101) % 3_000
    return Event(seq, KINDS[seq % 5], None, seq, "", {"play": play, "text": f"{seq}" + "x" * size})


def _write(path: Path, play: int, told: int, key: keys.SigningKey) -> None:
    """A writer's life; it ends with its death."""
    journal = Journal.open(path) if path.exists() else Journal.create(path, event(play, 0))
    os.write(told, b"%d\n" % (journal.next_seq - 1))
    if journal.recovery:
        journal.append(Event(journal.next_seq, "recovered", None, 0, "", journal.recovery.data()))
    while True:
        seq = journal.next_seq
        if journal.append(event(play, seq)):
            os.write(told, b"%d\n" % seq)
        if seq % SEALED == 0:
            write_whole(path.with_suffix(".ledger.json"), seal(journal.payload, key))


def _killed(path: Path, play: int, after: float, key: keys.SigningKey) -> int:
    """One life. Gives the last ``seq`` that was acknowledged, or -1."""
    hears, told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(hears)
            _write(path, play, told, key)
        finally:
            os._exit(3)  # a writer never ends by itself
    os.close(told)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with os.fdopen(hears, "rb") as heard:
        said = heard.read().splitlines()
    if not os.WIFSIGNALED(status):
        raise RuntimeError(f"the writer ended by itself, after {said[-1:]}")
    return int(said[-1]) if said else -1


def _found(path: Path, play: int, last: int) -> Killed:
    """What the disk holds beside what was acknowledged before."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Killed(lost=last + 1)
    lines, end = longest_prefix(content)
    lost = max(0, last + 1 - len(lines))
    wrong = any(
        line.event.kind != "recovered" and line.event != event(play, seq)
        for seq, line in enumerate(lines)
    )
    torn = content[end:]
    wrong |= b"\n" in torn  # whole lines that do not follow: nobody writes such
    ledgers = 0
    sealed = path.with_suffix(".ledger.json")
    if sealed.exists():
        ledgers = 1
        payload = open_envelope(sealed.read_bytes()).payload
        parse_lines(payload)
        wrong |= not content.startswith(payload)
    return Killed(lost=lost, corrupt=int(wrong), torn=bool(torn), ledgers=ledgers)


def _all(folder: Path, count: int, seed: int) -> Killed:
    dice = random.Random(seed)
    key = keys.from_private(bytes(range(32)))
    key.sign(b"")  # loads what signing needs before the first fork
    total = Killed()
    play, lives, known = 0, 0, -1
    for _ in range(count):
        # A play that died before its header was acknowledged was never there for its player.
        if lives == LIVES or (lives and known < 0):
            play, lives, known = play + 1, 0, -1
        path = folder / f"{play}" / "play.jsonl"
        last = _killed(path, play, dice.uniform(0, LONGEST), key)
        new = max(0, last - known)
        known, lives = max(known, last), lives + 1
        found = _found(path, play, known)
        total = Killed(
            total.kills + 1,
            total.acknowledged + new,
            total.lost + found.lost,
            total.corrupt + found.corrupt,
            total.torn + found.torn,
            total.ledgers + found.ledgers,
        )
    return total


if __name__ == "__main__":
    print(json.dumps(asdict(_all(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))))  # noqa: T201
