"""A folder as it is really handed in, through the program itself: a row a file, and what it says.

Honest ledgers, forgeries of each kind that a student can make alone, and whatever else lies in
such a folder. Expected is every verdict of every file, exactly.
"""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mission_tui.content.load import MissionFile
from mission_tui.ledger import envelope, keys
from mission_tui.ledger.verdict import NAMES
from mission_tui.play.events import Event
from tests.grading import classroom

WALL = Path(__file__).parents[1] / "wall"
STRANGER = keys.from_private(bytes(range(1, 33)))
HOLDS = ("holds", "holds", "holds", "holds", "holds", "not applicable")
"""What an honest play comes to, where nobody asked for receipts."""
NO_LEDGER = ("fails", *("not applicable",) * 5)


def grade(folder: Path, *options: object, state: Path) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own, which must not wait for anything."""
    environment = {
        **os.environ,
        "MISSION_TUI_MISSIONS": str(WALL),
        "MISSION_TUI_STATE": str(state),
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "mission_tui", "grade", folder, *options]
    return subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=False,
        cwd=Path(__file__).parents[2],
    )


def at(events: Sequence[Event], kind: str) -> int:
    """Where the first event of a kind stands."""
    return next(n for n, event in enumerate(events) if event.kind == kind)


def changed(events: Sequence[Event], place: int, **data: object) -> list[Event]:
    """The play with other data in one event."""
    found = list(events)
    found[place] = replace(found[place], data={**found[place].data, **data})
    return found


@pytest.fixture(scope="module")
def plays(wall: MissionFile) -> dict[str, list[Event]]:
    """The plays of two students."""
    return {
        name: classroom.play(wall.tracks["tiny"], name, seed)
        for seed, name in ((0, "ada"), (1, "bob"))
    }


def forged(plays: dict[str, list[Event]]) -> dict[str, tuple[bytes, tuple[str, ...]]]:
    """Forged ledgers, and the verdicts on each; most are signed anew with the student's key."""
    ada = plays["ada"]
    honest = classroom.sealed(ada)
    flipped = bytearray(honest)
    flipped[len(b'{"payload":"')] ^= 1  # the first letter of the first event
    header = ada[0].data
    end = at(ada, "run_end")
    outcome = ada[end].data["outcome"]
    better = {name: value * 0.5 for name, value in outcome["metrics"].items()}
    lock = at(ada, "lock")
    no, na = "fails", "not applicable"
    ok = "holds"
    return {
        "bit": (bytes(flipped), NO_LEDGER),
        "signature": (bytes(_other_signature(honest)), (ok, no, ok, ok, ok, na)),
        "stranger": (_signed_by(STRANGER, ada), (ok, no, ok, ok, ok, na)),
        "swapped": (_swapped(honest), (ok, ok, no, ok, na, na)),
        "result": (
            classroom.sealed(changed(ada, end, outcome={**outcome, "metrics": better})),
            (ok, ok, ok, ok, no, na),
        ),
        "run cut out": (
            classroom.sealed([e for n, e in enumerate(ada) if n not in {end - 1, end}]),
            (ok, ok, ok, ok, no, na),
        ),
        "lock cut out": (
            classroom.sealed([e for n, e in enumerate(ada) if n != lock]),
            (ok, ok, ok, ok, no, na),
        ),
        "other's seed": (
            classroom.sealed(changed(ada, 0, student="eve")),
            (ok, ok, ok, no, ok, na),
        ),
        "other rules": (
            classroom.sealed(
                changed(ada, 0, mission_hash={**header["mission_hash"], "rules": "0" * 64})
            ),
            (ok, ok, ok, no, "not replayable here", na),
        ),
        "no mission": (
            classroom.sealed(changed(ada, 0, mission="nowhere")),
            (ok, ok, ok, "not replayable here", "not replayable here", na),
        ),
    }  # fmt: skip


def _other_signature(honest: bytes) -> bytes:
    found = json.loads(honest)
    signature = found["signatures"][0]
    signature["sig"] = signature["sig"][:10] + ("A" if signature["sig"][10] != "A" else "B") + (
        signature["sig"][11:]
    )  # fmt: skip
    return json.dumps(found, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _swapped(honest: bytes) -> bytes:
    lines = envelope.open_envelope(honest).payload.split(b"\n")
    lines[5], lines[6] = lines[6], lines[5]
    return envelope.seal(b"\n".join(lines), classroom.KEY)


def _signed_by(key: keys.SigningKey, events: Sequence[Event]) -> bytes:
    """Somebody else's ledger with one's own signature: the header names another key."""
    return envelope.seal(envelope.open_envelope(classroom.sealed(events)).payload, key)


def odd(folder: Path, elsewhere: Path) -> list[str]:
    """What else may lie in such a folder, and can't be read as it should; what each is called."""
    secret = elsewhere / "secret"
    secret.write_bytes(b"private")
    made: dict[str, Callable[[Path], object]] = {
        "hard.ledger.json": lambda path: path.hardlink_to(secret),
        "huge.ledger.json": lambda path: os.truncate(
            os.open(path, os.O_CREAT | os.O_WRONLY), 10**12
        ),
        "into.ledger.json": lambda path: path.symlink_to("/dev/zero"),
        "nul.ledger.json": lambda path: path.write_bytes(b"\0" * 1000),
        "utf.ledger.json": lambda path: path.write_bytes(b"\xff\xfe{\x00}\x00"),
    }
    for name, make in made.items():
        make(folder / name)
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(folder / "s"))
    return [*made, "s"]


def test_each_file_has_its_row_its_verdicts_and_the_exit_code_says_that_something_fails(
    plays: dict[str, list[Event]], tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    expected: dict[str, tuple[str, ...]] = {}
    for name, events in plays.items():
        classroom.hand_in(folder, name, events)
        expected[f"{name}.ledger.json"] = HOLDS
    (folder / "deep" / "er").mkdir(parents=True)
    half = at(plays["bob"], "claim")
    classroom.hand_in(folder / "deep" / "er", "half", plays["bob"][:half])
    expected["deep/er/half.ledger.json"] = HOLDS
    for name, (content, verdicts) in forged(plays).items():
        (folder / f"{name}.ledger.json").write_bytes(content)
        expected[f"{name}.ledger.json"] = verdicts
    (folder / "cut.ledger.json").write_bytes(classroom.sealed(plays["ada"])[:-300])
    nothing = [*classroom.garbage(folder), *odd(folder, tmp_path), "cut.ledger.json"]
    expected |= dict.fromkeys(nothing, NO_LEDGER)

    table, page = tmp_path / "t.csv", tmp_path / "r.html"
    began = time.monotonic()
    done = grade(
        folder, "--json", "--csv", table, "--html", page, "--workers", 1, state=tmp_path / "state"
    )
    took = time.monotonic() - began
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    rows = {row["file"]: row for row in json.loads(done.stdout)}
    states = {
        file: tuple(row["verdicts"][name]["state"] for name in NAMES) for file, row in rows.items()
    }
    assert states == expected
    assert took < 60
    # the table has the same rows and verdicts
    lines = list(csv.DictReader(table.open(newline="")))
    assert len(lines) == len(expected)
    assert {line["file"].lstrip("'"): tuple(line[n] for n in NAMES) for line in lines} == expected
    # what fails, or can't be told, is held back; points stand where a play can be read
    for file, row in rows.items():
        doubtful = [
            n for n, s in zip(NAMES, states[file], strict=True) if s not in {HOLDS[0], HOLDS[5]}
        ]
        assert [reason.partition(" ")[0] for reason in row["held"]][: len(doubtful)] == doubtful
        assert bool(row["held"]) == bool(doubtful)
        assert (row["total"] is None) == (file in nothing or file.split(".")[0] in {
            "bit", "other rules", "no mission",
        })  # fmt: skip
    assert rows["deep/er/half.ledger.json"]["unfinished"]
    assert not any("private" in text for text in (done.stdout, page.read_text(), table.read_text()))
    waiting = sum(bool(row["held"]) for row in rows.values())
    assert f"{waiting} of {len(rows)} files await a person" in done.stderr


def test_exit_codes_of_honest_folders_and_of_what_nobody_can_open(
    plays: dict[str, list[Event]], tmp_path: Path
) -> None:
    honest, closed = tmp_path / "honest", tmp_path / "closed"
    honest.mkdir()
    closed.mkdir()
    classroom.hand_in(honest, "ada", plays["ada"])
    os.mkfifo(closed / "pipe.ledger.json")
    (closed / "link.ledger.json").symlink_to(honest / "ada.ledger.json")
    found = [
        grade(where, "--workers", 1, state=tmp_path / "state").returncode
        for where in (honest, closed, tmp_path / "nowhere")
    ]
    assert found == [0, 2, 2]
