"""keys, course, witness, submit and verify, as they are typed."""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from mission_tui import cli, profile
from mission_tui.commands import course, keys, submit, verify, witness
from mission_tui.content.load import MissionFile
from mission_tui.ledger import course as courses
from mission_tui.ledger import desk, plays, receipts
from mission_tui.ledger import keys as signing
from mission_tui.ledger import witness as witnesses
from mission_tui.ledger.envelope import open_envelope, seal
from mission_tui.ledger.lines import encode_line, parse_lines
from mission_tui.play import bots
from mission_tui.usage import UsageError

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., "tuple[int, str, str]"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one of these commands in this process; gives exit code, output and errors."""
    parser = cli.Parser(prog="mission-tui")
    parser.set_defaults(saves=None)
    commands = parser.add_subparsers(parser_class=cli.Parser)
    for module in (course, keys, submit, verify, witness):
        module.add(commands)

    def command(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        error = ""
        try:
            arguments = parser.parse_args([str(word) for word in words])
            code = arguments.run(arguments)
        except UsageError as said:
            code, error = 2, str(said)
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capsys.readouterr()
        return code, out, err + error

    return command


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MISSION_TUI_STATE", str(tmp_path / "state"))
    monkeypatch.delenv(receipts.VARIABLE, raising=False)
    return tmp_path / "state"


@pytest.fixture
def ledger(tmp_path: Path, wall: MissionFile) -> Path:
    """A bot's signed play, as ada."""
    with plays.start(tmp_path / "saves", wall.tracks["edge"], "ada", "bot:reference") as opened:
        bots.play(opened.game, bots.Reference())
        return opened.seal()


# -- keys and courses --------------------------------------------------------------------------


def test_from_a_new_key_to_an_enrolled_play(run: Run, tmp_path: Path, wall: MissionFile) -> None:
    assert "No key yet" in run("keys")[1]
    assert run("keys", "make")[0] == 0
    public = signing.ensure_public()
    assert public in run("keys", "show")[1]
    folder = tmp_path / "course"
    assert run("course", "new", folder, "--id", "ml")[0] == 0
    code, token, _ = run(
        "course", "enrol", folder, "--student", "ada", "--key", public, "--name", "Ada"
    )
    assert (code, token.count("\n")) == (0, 1)
    (tmp_path / "token").write_text(token)
    assert run("keys", "enrol", tmp_path / "token")[0] == 0
    assert "course      ml, as ada" in run("keys")[1]
    assert profile.remembered() == "ada"
    assert public in run("course", "show", folder)[1]
    for student, made in (("ada", "course"), ("bob", "student")):
        with plays.start(tmp_path / "saves", wall.tracks["edge"], student, "human") as opened:
            assert opened.game.session.header["seed"] == made
    code, said, _ = run("keys", "rotate")
    assert code == 0
    assert "not enrolled in ml" in said
    assert "another key" in run("keys")[1]


def test_a_token_comes_through_a_pipe(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("course", "new", tmp_path / "course", "--id", "ml")
    public = signing.ensure_public()
    token = run("course", "enrol", tmp_path / "course", "--student", "ada", "--key", public)[1]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(token.encode())))
    assert run("keys", "enrol", "-")[0] == 0


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "rotate"),
        ("keys", "enrol", "none"),
        ("keys", "enrol", ROOT / "README.md"),
        ("course", "show", "none"),
        ("course", "new", ROOT, "--id", "ml"),
        ("course", "enrol", "none", "--student", "ada", "--key", "aa"),
        ("witness", "show", "none"),
        ("witness", "stdin", "none", "--student", "a\x1b"),
        ("submit", "x"),
        ("verify", "--witness", "xy", "x"),
        ("verify", "--workers", "0", "x"),
        ("verify", "--roster", "none", "x"),
        ("verify", "--resume", ROOT, "x"),
    ],
)
def test_bad_input_is_one_sentence(
    run: Run, words: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err
    assert "\n" not in err.strip()


# -- verify ------------------------------------------------------------------------------------


def test_a_folder_of_honest_forged_and_garbage_files(
    run: Run, ledger: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    good = ledger.read_bytes()
    (folder / "a good.ledger.json").write_bytes(good)
    (folder / "b flipped.ledger.json").write_bytes(good.replace(b"A", b"B", 1))
    (folder / "c deep.ledger.json").write_bytes(b"[" * 100_000)
    assert run("verify", folder / "a good.ledger.json")[0] == 0
    code, out, err = run("verify", "--no-replay", folder)
    assert (code, err) == (1, "")
    names = ("a good", "b flipped", "c deep")
    for row, name in zip(out.splitlines(), names, strict=True):
        assert row.startswith(f"{folder / name}.ledger.json parse ")
    os.mkfifo(folder / "d pipe.ledger.json")
    (folder / "e link.ledger.json").symlink_to(ledger)
    (folder / "f empty.ledger.json").touch()
    code, out, err = run("verify", "--no-replay", "--json", folder)
    assert (code, err.count("\n")) == (2, 3)
    rows = json.loads(out)
    assert [row["fails"] for row in rows] == [False] + [True] * 5
    assert [row["file"] for row in rows] == [str(path) for path in sorted(folder.iterdir())]
    assert [row["verdicts"]["parse"] for row in rows[3:]] == [
        {"state": "fails", "reason": "is a pipe and no file"},
        {"state": "fails", "reason": "is a symbolic link and no file"},
        {"state": "fails", "reason": "is empty"},
    ]
    assert {len(row["verdicts"]) for row in rows} == {6}
    code, out, err = run("verify", "--no-replay", folder, folder / "none")
    assert (code, err.count("\n")) == (2, 4)
    assert len(out.splitlines()) == 6
    assert "is a pipe and no file" in out.splitlines()[3]


def test_what_verify_itself_reads_and_writes_is_no_row(
    run: Run, ledger: Path, tmp_path: Path
) -> None:
    folder, rows = tmp_path / "in", tmp_path / "in" / "rows.jsonl"
    folder.mkdir()
    (folder / "a.ledger.json").write_bytes(ledger.read_bytes())
    (folder / "roster.toml").write_text('schema = 1\ncourse = "ml"\n')
    words = ("verify", "--json", "--no-replay", "--roster", folder / "roster.toml")
    for _ in range(2):
        _, out, _ = run(*words, "--resume", rows, "--receipts", folder, folder)
        assert [row["file"] for row in json.loads(out)] == [str(folder / "a.ledger.json")]
    _, out, _ = run(*words, folder)
    assert [row["file"] for row in json.loads(out)][1:] == [str(rows)]


def test_verify_resumes(run: Run, ledger: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    words = ("verify", "--json", "--no-replay", "--resume", rows, ledger)
    first = run(*words)
    assert first[0] == 0
    kept = rows.read_bytes()
    edited = kept.replace(b"events are well-formed", b"events were well-formed")
    rows.write_bytes(edited)
    assert "were well-formed" in run(*words)[1]  # it came from there
    assert rows.read_bytes() == edited
    assert "are well-formed" in run(*words[:2], *words[3:])[1]  # with replay it is another row


def test_what_another_process_is_asked_can_be_sent_there(ledger: Path, tmp_path: Path) -> None:
    courses.new(tmp_path / "course", "ml")
    knowledge = desk.opened(course=tmp_path / "course")
    task = partial(verify.judged, desk=knowledge, replayed=False)
    sent = pickle.loads(pickle.dumps(task))  # noqa: S301  (made here)
    assert sent(ledger, ledger.read_bytes()) == task(ledger, ledger.read_bytes())


@pytest.mark.soak  # two interpreters start
def test_verify_over_processes_says_the_same(run: Run, ledger: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for n in range(3):
        (folder / f"{n}.ledger.json").write_bytes(ledger.read_bytes())
    here = run("verify", "--json", "--no-replay", folder)
    assert here == run("verify", "--json", "--no-replay", "--workers", 2, folder)
    assert len(json.loads(here[1])) == 3


# -- the witness and what is handed in ---------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    """A witness as a process of its own; gives its folder."""
    program = (
        "import argparse, sys\n"
        "from mission_tui.commands import witness\n"
        "parser = argparse.ArgumentParser()\n"
        "witness.add(parser.add_subparsers())\n"
        "arguments = parser.parse_args()\n"
        "sys.exit(arguments.run(arguments))\n"
    )
    folder = tmp_path / "witness"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "witness", "serve", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("listening at")
    assert receipts.public_of(folder) in process.stdout.readline()
    yield folder
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert not (tmp_path / "witness.socket" / "witness").exists()


def test_what_is_handed_in_can_be_verified_with_its_receipts(
    run: Run, served: Path, tmp_path: Path, wall: MissionFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = tmp_path / "witness.socket" / "witness"
    monkeypatch.setenv(receipts.VARIABLE, str(where))
    with plays.start(tmp_path / "saves", wall.tracks["edge"], "ada", "bot:reference") as opened:
        bots.play(opened.game, bots.Reference())
        path = opened.seal()
    code, out, err = run("submit", path, tmp_path / "none")
    assert code == 2
    code, out, err = run("submit", "--student", "ada", "--saves", tmp_path / "saves")
    assert (code, err) == (0, "")
    assert "received 20" in out
    (stored,) = (served / "submissions").rglob("*.ledger.json")
    assert stored.read_bytes() == path.read_bytes()
    code, out, _ = run("verify", "--json", "--no-replay", "--receipts", served, stored)
    verdict = json.loads(out)[0]["verdicts"]["witness"]
    assert (code, verdict["state"]) == (0, "holds"), verdict
    assert "each follows" in run("witness", "show", served)[1]

    # The prediction is changed afterwards, the chain made anew, and signed with the same key.
    payload, prev = b"", ""
    for line in parse_lines(open_envelope(path.read_bytes()).payload):
        data = dict(line.event.data)
        if line.event.kind == "lock":
            data["latency_ms"] = 1
        raw = encode_line(replace(line.event, data=data), prev)
        payload, prev = payload + raw + b"\n", _link(raw)
    forged = tmp_path / "forged.ledger.json"
    forged.write_bytes(seal(payload, signing.load()))
    code, out, _ = run("verify", "--json", "--no-replay", "--receipts", served, forged)
    verdicts = {name: each["state"] for name, each in json.loads(out)[0]["verdicts"].items()}
    assert code == 1
    assert [name for name, each in verdicts.items() if each == "fails"] == ["witness"]


def test_a_quota_is_an_option_and_its_end_is_said_to_the_student(
    run: Run, ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[object] = []
    monkeypatch.setattr(witnesses.Server, "serve", lambda server: given.append(server._witness))
    for words in ((), ("--receipts", 1, "--plays", 5, "--megabytes", 7)):
        handlers = signal.getsignal(signal.SIGTERM)
        assert run("witness", "serve", tmp_path / "witness", *words)[0] == 0
        signal.signal(signal.SIGTERM, handlers)
    found = [service._quota for service in given]  # type: ignore[attr-defined]
    assert found == [witnesses.Quota(), witnesses.Quota(1, 5, 7_000_000)]
    said = run("witness", "stdin", tmp_path, "--student", "ada", "--plays", 0)
    assert said == (2, "", "--plays wants a number from 1 on")

    server = witnesses.Server(given[1], tmp_path / "open" / "witness")  # type: ignore[arg-type]
    monkeypatch.undo()
    thread = threading.Thread(target=server.serve)
    thread.start()
    content = ledger.read_bytes()
    assert run("submit", "--to", server.path, ledger)[0] == 0
    code, out, err = run("submit", "--to", server.path, ledger)
    assert (code, out) == (1, "")
    assert "has had 1 receipts today" in err
    assert err.count("\n") == 1
    assert ledger.read_bytes() == content
    server.stop()
    thread.join(5)


def test_a_server_that_is_not_there_is_said(run: Run, ledger: Path, tmp_path: Path) -> None:
    code, out, err = run("submit", "--to", tmp_path / "none", ledger)
    assert (code, out) == (1, "")
    assert "can't be reached" in err


def _link(raw: bytes) -> str:
    from mission_tui.ledger.chain import link

    return link(raw)
