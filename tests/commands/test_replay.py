"""``mission-tui replay``: lines where there is no terminal, else a film that passes nothing on."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path

import pytest

from mission_tui.commands import replay
from mission_tui.grading import marks
from mission_tui.ledger import keys
from mission_tui.usage import UsageError
from tests.terminal.screen import ENTER, RIGHT, TAB, Terminal, environment
from tests.ui import replaying
from tests.ui.replaying import forged, sealed
from tests.ui.test_replay import BAD, hostile

PROGRAM = (
    "import argparse, sys\n"
    "from mission_tui.commands import replay\n"
    "parser = argparse.ArgumentParser()\n"
    "replay.add(parser.add_subparsers())\n"
    "arguments = parser.parse_args(sys.argv[1:])\n"
    "sys.exit(arguments.run(arguments))\n"
)
OURS = re.compile(
    rb"\x1b\[[0-9;?>=<]*[ -/]*[@-~]"  # CSI: cursor, colours, modes, queries
    rb"|\x1b\]22;default\x07"  # the pointer's shape
)


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    replay.add(parser.add_subparsers())
    parsed = parser.parse_args(["replay", *map(str, arguments)])
    return int(parsed.run(parsed))


@pytest.mark.parametrize("how", [(), ("--plain",)])
def test_without_a_terminal_the_two_layers_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], how: tuple[str, ...]
) -> None:
    assert run(sealed(tmp_path), *how) == 0
    out, err = capsys.readouterr()
    rules, physics = out.splitlines()
    assert rules.startswith("rules holds: ")
    assert physics.startswith("physics holds: ")
    assert err == ""


def test_what_differs_is_printed_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = sealed(tmp_path, forged("run_end", metrics={"amplification": 9.0}))
    assert run(path, "--plain") == 1
    assert "event 10 run_end amplification: recorded 9.0" in capsys.readouterr().out
    assert run(path, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["rules"]["state"] == "holds"
    assert found["physics"]["state"] == "fails"
    assert {"recorded", "here"} == found["environment"].keys()


def test_file_that_is_no_ledger_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    garbage = tmp_path / "garbage.ledger.json"
    garbage.write_bytes(b"[" * 100_000)
    assert run(garbage) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    with pytest.raises(UsageError, match="no such file"):
        run(tmp_path / "missing.ledger.json")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(UsageError, match="regular"):
        run(tmp_path / "fifo")


def test_film_says_what_the_verifier_says_and_recomputes_the_same(tmp_path: Path) -> None:
    film = replaying.film(sealed(tmp_path, forged("run_end", metrics={"amplification": 9.0})))
    states = {stamp.name: stamp.state for stamp in film.stamps}
    assert list(states) == ["parse", "signature", "chain", "binding", "replay", "witness"]
    assert {states[name] for name in ("parse", "signature", "chain", "binding")} == {"holds"}
    assert film.recompute is not None
    found = list(film.recompute())
    wrong = [(seen.seq, f.field) for seen in found for f in seen.figures if f.state != "holds"]
    assert wrong == [(10, "amplification")]
    assert found[-1].verdict is not None
    assert found[-1].verdict.state == "fails"
    assert all(seen.verdict is None for seen in found[:-1])


def test_what_an_instructor_knows_is_asked_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = sealed(tmp_path / "in")
    folder = replaying.witnessed(path, tmp_path / "witness", uid=7)
    roster = tmp_path / "roster.toml"
    key = f'public = "{keys.ensure_public()}"\nfrom = 2025-01-01\n'
    roster.write_text(
        f'schema = 1\ncourse = "ml"\n[[students]]\nid = "ada"\nuid = 8\n[[students.keys]]\n{key}'
    )
    knowing = ("--roster", roster, "--receipts", folder)
    assert run(path, *knowing) == 0
    out = capsys.readouterr().out
    assert "signature holds: made with the key" in out
    assert "was ada's on 2026-01-01" in out
    assert "witness marginal: 1 prediction witnessed before the reveal; receipts were" in out
    assert "taken by account 7, which is not ada's (8)" in out
    assert "event 3 lock: receipt before the reveal, 2026-01-01 00:00:22 UTC" in out
    assert run(path, "--json", *knowing) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdicts"]["witness"]["state"] == "marginal"
    assert found["receipts"] == [
        {"seq": 3, "when": "before the reveal", "at": "2026-01-01 00:00:22 UTC"}
    ]
    assert found["rules"]["state"] == "holds"
    roster.write_text('schema = 1\ncourse = "ml"\n')
    assert run(path, *knowing) == 1
    assert "signature fails: " in capsys.readouterr().out
    with pytest.raises(UsageError, match="no such file"):
        run(path, "--roster", tmp_path / "none")


def test_marks_go_where_they_are_told_to(tmp_path: Path) -> None:
    path = sealed(tmp_path)
    elsewhere = tmp_path / "mine.toml"
    report = replaying.judge.verify_ledger(path, replayed=False)
    film = replay.film(report, elsewhere, "eve")
    assert film.mark is not None
    assert film.mark("locks", 2.0, "late", 3)["locks"].points == 2.0
    (only,) = marks.load(elsewhere).overrides
    assert (only.play, only.by, only.event) == (replaying.PLAY, "eve", 3)
    assert not marks.marks_path(path).exists()


def foreign(raw: bytes) -> bytes:
    """What is left of a terminal's bytes without the toolkit's own sequences and plain text."""
    rest = OURS.sub(b"", raw)
    return bytes(byte for byte in rest if byte < 0x20 and byte not in b"\r\n\x0f")


def test_nothing_foreign_reaches_a_real_terminal(tmp_path: Path) -> None:
    path = sealed(tmp_path, hostile())
    env = environment(tmp_path, PYTHONPATH=os.pathsep.join(sys.path))
    with Terminal("replay", str(path), env=env, program=(sys.executable, "-c", PROGRAM)) as seen:
        seen.wait("REPLAY", "✓ replay")
        for key in ("3", "l", "1", RIGHT, "2", "c", "4", "3"):
            seen.press(key).quiet(0.1)
        seen.press("g").wait("REASON")
        seen.press("5").wait("POINTS    5").move(TAB).type("why not").wait("why not")
        seen.press(ENTER).wait("kept and signed")
        seen.press("q")
        assert seen.end() == 0
    raw = bytes(seen.raw)
    assert foreign(raw) == b""
    assert b"\x1b]52" not in raw
    assert b"\x1b[31337" not in raw
    written = raw.decode("utf-8", "strict")
    assert not set(written) & set("\x9b\u202e\u2066\u200b\x00")
    assert BAD not in written
    assert "evil" in written
