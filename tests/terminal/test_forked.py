"""The game itself, forked from a loaded server: by keys, with a client that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mission_tui.forkserver import client
from tests.terminal import playing
from tests.terminal.playing import journal, record_run
from tests.terminal.screen import CTRL_Q, ENTER, PATIENCE, Terminal, environment

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.soak


@pytest.fixture
def socket(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "socket"
    command = [sys.executable, "-m", "mission_tui", "forkserver", "serve", str(path)]
    env = os.environ | {"TEXTUAL_ANIMATIONS": "none"}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline().startswith(b"listening")
        yield path
        server.terminate()


def session(socket: Path, home: Path) -> Terminal:
    env = environment(home)
    del env["TEXTUAL_ANIMATIONS"]  # the toolkit has read it: in the server
    return Terminal(env=env, program=(sys.executable, "-I", "-S", client.__file__, str(socket)))


def player(saves: Path) -> int:
    """The process that plays, as its lock names it."""
    saved = journal(saves)
    return int(json.loads(saved.with_name(saved.name + ".lock").read_bytes())["pid"])


def gone(process: int) -> None:
    end = time.monotonic() + PATIENCE
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_forked_play_survives_its_client_and_is_finished_and_holds(
    socket: Path, tmp_path: Path
) -> None:
    with session(socket, tmp_path) as terminal:
        playing.to_briefing(terminal)
        playing.to_workbench(terminal)
        record_run(terminal, 1)
        playing.halve_batch(terminal)
        process = player(terminal.saves)
        assert process != terminal.child.pid
        os.kill(terminal.child.pid, signal.SIGKILL)
        gone(process)

    with session(socket, tmp_path) as terminal:
        terminal.wait("Enter").press(ENTER)
        terminal.wait("WHERE YOU STOPPED").press("1")
        terminal.wait("Record", "#1", "16 samples", gone=("measuring",)).quiet()
        terminal.resize(100, 30).wait("Record").resize(80, 24).wait("Record").quiet()
        record_run(terminal, 2)
        ledger = playing.finish(terminal)
        terminal.press(CTRL_Q)
        assert terminal.end() == 0
        assert b"\x1b[?1049l" in terminal.raw

    verified = subprocess.run(
        [sys.executable, "-m", "mission_tui", "verify", str(ledger)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout
    assert "replay holds" in verified.stdout


def test_a_forked_play_is_stopped_with_its_client(socket: Path, tmp_path: Path) -> None:
    with session(socket, tmp_path) as terminal:
        playing.to_briefing(terminal)
        playing.to_workbench(terminal)
        process = player(terminal.saves)
        assert terminal.kill(signal.SIGTERM) != 0
        gone(process)
        assert terminal.raw.rstrip().endswith(b"saved is there") or b"\x1b[?1049l" in terminal.raw
    lock = journal(tmp_path / "saves").with_name(journal(tmp_path / "saves").name + ".lock")
    assert not lock.exists()
