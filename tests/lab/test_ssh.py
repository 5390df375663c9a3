"""The game on a lab server: lines that drop, and the witness as a forced command."""

from __future__ import annotations

import base64
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mission_tui.forkserver import client
from mission_tui.ledger import receipts, strict
from mission_tui.ledger.receipts import VARIABLE, Head, Receipt
from tests.lab import server as lab
from tests.lab.server import HOST, ROOT, Server
from tests.terminal import playing
from tests.terminal.playing import MISSION, journal, kinds, record_run
from tests.terminal.screen import CTRL_Q, ENTER, PATIENCE, Terminal, environment

pytestmark = pytest.mark.skipif(bool(why := lab.missing()), reason=why or "-")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path) as running:
        yield running


def connected(server: Server, *options: str) -> Terminal:
    """The game over a line with a terminal at its end."""
    program = (*server.ssh("-tt", *options), str(server.program))
    return Terminal(env=environment(server.home), program=program)


def eventually(holds: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.02)


def lock_file(server: Server) -> Path:
    saved = journal(server.saves)
    return saved.with_name(saved.name + ".lock")


def game_of(server: Server) -> int:
    """The process that plays, as its lock names it."""
    return int(json.loads(lock_file(server).read_bytes())["pid"])


def running(pid: int) -> bool:
    return (
        Path(f"/proc/{pid}/cmdline").exists()
        and b"mission_tui" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )


def ended(server: Server, pid: int) -> None:
    """The game notices by itself that nobody is there, and gives the play free."""
    eventually(lambda: not running(pid), "the end of a game whose line has dropped")
    assert not lock_file(server).exists()


def signed(answer: subprocess.CompletedProcess[bytes]) -> Receipt:
    """The receipt that the one line of an answer holds."""
    (line,) = answer.stdout.splitlines()
    return receipts.of(strict.decode(line)["receipt"])


def resume(terminal: Terminal, *shown: str) -> None:
    terminal.wait("Enter").press(ENTER)
    terminal.wait("WHERE YOU STOPPED").press("1")
    terminal.wait("Record", *shown, gone=("measuring",)).quiet()


@pytest.mark.soak
def test_lines_that_drop_in_mid_run_lose_nothing_and_the_play_is_finished_and_holds(
    server: Server,
) -> None:
    # The student's machine is gone: the client is killed with a run just committed.
    with connected(server) as terminal:
        playing.to_briefing(terminal)
        playing.to_workbench(terminal)
        record_run(terminal, 1)
        playing.halve_batch(terminal)
        game = game_of(server)
        before = kinds(journal(server.saves))
        terminal.press(ENTER)
        lab.kill(terminal.child.pid)
        ended(server, game)
    after = kinds(journal(server.saves))
    assert after[: len(before)] == before
    assert after.count("control") == 1  # the slider's way was written, if only at the end

    # Over a second connection all is there; then the server's own process of it dies.
    with connected(server) as terminal:
        resume(terminal, "#1", "16 samples")
        if "run" not in after[len(before) :]:  # the key itself was lost with the line
            record_run(terminal, 2)
        terminal.wait("#2")
        game = game_of(server)
        terminal.press(ENTER)
        lab.kill(lab.session_of(game))
        ended(server, game)
        assert terminal.end() != 0

    # One connection that outlives its sessions: the first is lost, the next goes over the same.
    control = server.home / "control"
    shared = ("-o", f"ControlPath={control}")
    with (
        (server.home / "master.log").open("wb") as log,
        subprocess.Popen(
            server.ssh("-M", "-N", *shared), stdin=subprocess.DEVNULL, stderr=log
        ) as master,
    ):
        try:
            eventually(control.exists, "the shared connection")
            with connected(server, *shared) as terminal:
                resume(terminal, "#1", "#2")
                game = game_of(server)
                lab.kill(terminal.child.pid)
                ended(server, game)
            assert master.poll() is None
            with connected(server, *shared) as terminal:
                resume(terminal, "#1", "#2")
                ledger = playing.finish(terminal)
                terminal.press(CTRL_Q)
                assert terminal.end() == 0
        finally:
            master.terminate()

    recorded = kinds(journal(server.saves))
    assert recorded.count("run") == recorded.count("run_end")
    assert "recovered" not in recorded  # no line was torn
    verified = server.run(str(server.program), "verify", str(ledger))
    said = verified.stdout.decode()
    assert verified.returncode == 0, said
    for verdict in ("parse", "signature", "chain", "binding", "replay"):
        assert f"{verdict} holds" in said


@pytest.mark.soak
def test_a_play_that_is_open_over_one_line_is_refused_over_another(server: Server) -> None:
    with connected(server) as first:
        playing.to_briefing(first)
        playing.to_workbench(first)
        with connected(server) as second:
            second.wait("Enter").press(ENTER)
            second.wait("WHERE YOU STOPPED").press("1")
            second.wait("another session")
            second.press(CTRL_Q)
            assert second.end() == 0
        record_run(first, 1)


@pytest.mark.soak
def test_a_session_that_was_forked_survives_a_line_that_drops(
    server: Server, tmp_path: Path
) -> None:
    socket = tmp_path / "fork"
    command = [sys.executable, "-m", "mission_tui", "forkserver", "serve", str(socket)]
    still = {"TEXTUAL_ANIMATIONS": "none"}  # read by the server, and by no client
    script = server.program.read_text().replace("TEXTUAL_ANIMATIONS", "NO_MATTER")
    own, _, _ = script.rpartition("exec ")
    words = [sys.executable, "-I", "-S", client.__file__, str(socket)]
    server.program.write_text(f'{own}exec {shlex.join(words)} "$@"\n')
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | still, stdout=subprocess.PIPE
    ) as forks:
        assert forks.stdout is not None
        assert forks.stdout.readline().startswith(b"listening")
        try:
            with connected(server) as terminal:
                playing.to_briefing(terminal)
                playing.to_workbench(terminal)
                record_run(terminal, 1)
                game = game_of(server)
                status = Path(f"/proc/{game}/status").read_text()
                assert f"PPid:\t{forks.pid}\n" in status
                lab.kill(terminal.child.pid)
                ended(server, game)
            with connected(server) as terminal:
                resume(terminal, "#1")
                terminal.press(CTRL_Q)
                assert terminal.end() == 0
        finally:
            forks.terminate()


def test_a_forced_command_gives_receipts_takes_a_submission_and_nothing_else(
    server: Server,
) -> None:
    head = Head("20261121T100000Z-0123abcd", "ab" * 32, 3)
    # What the client asks for is not what runs, and there is no terminal to be had.
    answer = server.run("cat", "/etc/passwd", key="ada", standard_input=head.request(False) + b"\n")
    receipt = signed(answer)
    assert (receipt.play, receipt.student, receipt.uid) == (head.play, "ada", os.getuid())
    assert receipt.witness == receipts.public_of(server.witness)
    assert not receipt.late
    assert b"root:" not in answer.stdout

    played = _local(server, "autoplay", MISSION, "--track", "edge", "--student", "ada")
    ledger = Path(played.stdout.strip())
    asked: dict[str, Any] = {
        "want": "submit",
        "ledger": base64.b64encode(ledger.read_bytes()).decode("ascii"),
    }
    answer = server.run("-", key="ada", standard_input=strict.encode(asked) + b"\n")
    receipt = signed(answer)
    assert receipt.student == "ada"
    handed_in = server.witness / "submissions" / "ada" / ledger.name
    assert handed_in.read_bytes() == ledger.read_bytes()
    assert handed_in.stat().st_mode & 0o077 == 0


def test_the_player_has_receipts_by_ssh_and_hands_the_ledger_in(server: Server) -> None:
    variable = {
        VARIABLE: f"ssh:{HOST}",
        "PATH": f"{server.client_of('ada')}:{os.environ['PATH']}",
    }
    arguments = ("autoplay", MISSION, "--track", "edge", "--student", "ada")
    ledger = Path(_local(server, *arguments, **variable).stdout.strip())
    saved = ledger.with_name(ledger.name.removesuffix(".ledger.json") + ".jsonl")
    kept = receipts.kept(saved)
    assert kept, "no receipt came by SSH"
    assert {receipt.student for receipt in kept} == {"ada"}
    submitted = _local(server, "submit", str(ledger), **variable)
    assert "received" in submitted.stdout
    assert len(receipts.kept(saved)) == len(kept) + 1
    assert (server.witness / "submissions" / "ada" / ledger.name).is_file()


def _local(server: Server, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command on the student's own machine."""
    done = subprocess.run(
        [sys.executable, "-m", "mission_tui", *arguments],
        env=environment(server.home, **more),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done
