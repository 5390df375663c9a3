"""Sessions that are forked for clients on real pseudo-terminals, with a toy for the game."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pexpect
import pytest

from mission_tui.forkserver import client
from mission_tui.forkserver.server import STARTS, ForkServerError, Server

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 10.0


class Toy:
    """A server of toys, as a process of its own."""

    def __init__(self, path: Path, per_user: int = 4, **more: Any) -> None:
        self.path = path
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.forkserver.toy", str(path), str(per_user)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            **more,
        )
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def client(self, *words: str, **more: Any) -> pexpect.spawn:
        arguments = ["-I", "-S", client.__file__, str(self.path), *words]
        env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **more.pop("env", {})}
        return pexpect.spawn(sys.executable, arguments, env=env, timeout=PATIENCE, **more)

    def told(self, **more: Any) -> dict[str, Any]:
        child = self.client("play", "tell", **more)
        child.expect(r"\{.*\}")
        found: dict[str, Any] = json.loads(child.match.group())
        assert _ended(child) == 7
        return found


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toy]:
    running = Toy(tmp_path_factory.mktemp("toy") / "socket", per_user=32)
    yield running
    running.process.terminate()
    assert running.process.wait(PATIENCE) == 0
    assert not running.path.exists()


def _ended(child: pexpect.spawn) -> int | None:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def _until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def _waiting(toy: Toy, told: Path) -> tuple[pexpect.spawn, int]:
    child = toy.client("play", "wait", str(told))
    child.expect(r"waiting (\d+)\s")
    return child, int(child.match.group(1))


def test_a_session_has_its_clients_words_folder_environment_and_no_more(
    toy: Toy, tmp_path: Path
) -> None:
    env = {"HOME": "/nowhere", "ODD": "a\x01b=ü", "TZ": "XYZ-3"}
    found = toy.told(cwd=str(tmp_path), env=env)
    assert found["words"] == ["play", "tell"]
    assert found["folder"] == str(tmp_path)
    assert env.items() <= found["environment"].items()
    assert set(found["environment"]) <= {"PATH", "LANG", "LC_CTYPE", *env}
    assert found["zone"] == "XYZ"
    assert found["own session"]
    assert found["ignored"] == []
    # Its terminal, the line to the client, and what names the folder that is listed: no server's.
    assert len(found["open"]) <= 4
    assert found["open"][:3] == [0, 1, 2]


def test_a_session_is_its_clients_in_user_umask_and_limits(toy: Toy) -> None:
    def lower() -> None:
        import resource

        os.umask(0o027)
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 300))

    found = toy.told(preexec_fn=lower)
    assert found["umask"] == 0o027
    assert found["files"] == [200, 300]
    assert found["user"] == [[os.getuid()] * 3, [os.getgid()] * 3, sorted(os.getgroups())]


def test_sessions_do_not_throw_the_same_dice(toy: Toy) -> None:
    assert toy.told()["dice"] != toy.told()["dice"]


def test_what_is_typed_reaches_the_session_and_its_code_comes_back(toy: Toy) -> None:
    child = toy.client("play", "type")
    child.sendline("42")
    assert _ended(child) == 42


def test_a_killed_session_leaves_the_terminal_as_it_was(toy: Toy) -> None:
    child = toy.client("play", "raw")
    child.expect("the session was stopped; what was saved is there")
    assert b"\x1b[?1049l\x1b[?25h" in child.before
    assert child.getecho()
    assert _ended(child) == 1
    assert _ended(toy.client("play", "crash")) == 1


def test_signals_to_the_client_reach_the_session(toy: Toy, tmp_path: Path) -> None:
    told = tmp_path / "told"
    child, session = _waiting(toy, told)
    for columns in (90, 100, 110):
        child.setwinsize(30, columns)
        _until(lambda size=columns: told.exists() and f"WINCH {size}" in told.read_text())
    os.kill(child.pid, signal.SIGTERM)
    _ended(child)
    assert "SIGTERM 110" in told.read_text()
    _until(lambda: not Path(f"/proc/{session}").exists())


@pytest.mark.parametrize("how", ["killed", "hung up"])
def test_a_session_whose_client_has_gone_is_hung_up(toy: Toy, tmp_path: Path, how: str) -> None:
    told = tmp_path / "told"
    child, session = _waiting(toy, told)
    if how == "killed":
        os.kill(child.pid, signal.SIGKILL)
    else:
        child.close(force=False)
    _until(lambda: not Path(f"/proc/{session}").exists())
    if how == "killed":  # else its terminal has no size to be told any more
        assert "SIGHUP" in told.read_text()


def test_a_resize_reaches_the_session_where_sh_is_bash(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its ``read`` starts again after a signal, and the trap would wait."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    (tmp_path / "sh").symlink_to(bash)
    copy = tmp_path / "client.py"
    copy.write_text(Path(client.__file__).read_text().replace("/bin/sh", str(tmp_path / "sh")))
    monkeypatch.setattr(client, "__file__", str(copy))
    told = tmp_path / "told"
    child, _ = _waiting(toy, told)
    for columns in (90, 100, 110):
        child.setwinsize(30, columns)
        _until(lambda size=columns: told.exists() and f"WINCH {size}" in told.read_text())
    child.close(force=True)
    child = toy.client("play", "type")
    child.sendline("42")
    assert _ended(child) == 42
    child = toy.client("play", "raw")
    child.expect("the session was stopped")
    assert _ended(child) == 1


def test_what_is_still_being_sent_at_the_end_is_sent(toy: Toy, tmp_path: Path) -> None:
    assert _ended(toy.client("play", "late", str(tmp_path / "sent"))) == 0
    assert (tmp_path / "sent").exists()


def test_descriptors_that_the_client_holds_are_in_nobodys_way(toy: Toy) -> None:
    def hold() -> None:
        for _ in range(6):
            os.dup(0)  # the connection would get the number that the shell reads

    child = toy.client("play", "type", preexec_fn=hold)
    child.sendline("42")
    assert _ended(child) == 42


def test_a_session_has_no_descriptor_of_its_server(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        toy = Toy(tmp_path / "socket", pass_fds=[log.fileno()])
        try:
            assert len(toy.told()["open"]) <= 4
        finally:
            toy.process.terminate()
            toy.process.wait(PATIENCE)


@pytest.mark.parametrize("how", ["{} 2>&-", "{} & wait $!"])
def test_a_client_without_a_whole_terminal_of_its_own_plays_by_itself(toy: Toy, how: str) -> None:
    words = [sys.executable, "-I", "-S", client.__file__, str(toy.path), "play", "tell"]
    command = f"set -m; {how.format(shlex.join(words))}; echo code $?"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = pexpect.spawn("/bin/bash", ["-c", command], env=env, timeout=PATIENCE)
    child.expect(r"code (\d+)")
    assert child.match.group(1) != b"7"
    child.close()


def test_one_user_may_not_begin_without_end(tmp_path: Path) -> None:
    toy = Toy(tmp_path / "socket", per_user=1)
    begun = 0
    for _ in range(3 * STARTS):
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE)
            line.connect(str(toy.path))
            with suppress(OSError):
                socket.send_fds(line, [b"%08x" % 400], [0, 1, 2])
                line.settimeout(0.3)
                try:
                    line.recv(1)
                except TimeoutError:  # a session that waits for the rest
                    begun += 1
    assert 0 < begun <= STARTS
    toy.process.terminate()
    toy.process.wait(PATIENCE)


def test_sessions_outlive_their_server(tmp_path: Path) -> None:
    toy = Toy(tmp_path / "socket")
    told = tmp_path / "told"
    child, _ = _waiting(toy, told)
    toy.process.terminate()
    assert toy.process.wait(PATIENCE) == 0
    child.setwinsize(30, 90)
    _until(lambda: told.exists() and "WINCH 90" in told.read_text())
    child.close(force=True)


def test_one_user_gets_so_many_sessions_and_then_the_program_by_itself(tmp_path: Path) -> None:
    toy = Toy(tmp_path / "socket", per_user=1)
    child, session = _waiting(toy, tmp_path / "told")
    further = toy.client("play", "tell", cwd=str(ROOT), env={"PYTHONPATH": str(ROOT)})
    further.expect("mission-tui: .*tell")  # the real program knows no such mission
    assert _ended(further) == 2
    child.close(force=True)
    _until(lambda: not Path(f"/proc/{session}").exists())
    _until(lambda: toy.told()["words"])
    toy.process.terminate()
    toy.process.wait(PATIENCE)


@pytest.mark.parametrize("words", [["--version"], ["missions"]])
def test_what_is_no_game_is_run_by_the_program_itself(toy: Toy, words: list[str]) -> None:
    child = toy.client(*words, env={"PYTHONPATH": str(ROOT)})
    assert _ended(child) == 0


def test_without_a_server_the_program_plays_by_itself(tmp_path: Path) -> None:
    arguments = ["-I", "-S", client.__file__, str(tmp_path / "none"), "play", "nothing"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = pexpect.spawn(sys.executable, arguments, env=env, timeout=PATIENCE)
    child.expect("no mission .*nothing|nothing")
    assert _ended(child) == 2


@pytest.mark.parametrize(
    "sent", [b"", b"garbage!", b"00000004", b"ffffffff", b"00000003a\0b", b"-0000001"]
)
def test_a_client_that_makes_no_sense_gets_no_session(toy: Toy, sent: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE)
        line.connect(str(toy.path))
        socket.send_fds(line, [sent or b"0"], [0, 1, 2])
        line.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            assert line.recv(100) == b""
    assert toy.told()["words"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_server_of_root_becomes_who_connects() -> None:
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        here.chmod(0o711)  # a folder of pytest's lets nobody in
        toy = Toy(here / "socket")
        try:
            found = _told_to_nobody(toy, here / "told")
        finally:
            toy.process.terminate()
            toy.process.wait(PATIENCE)
    user, group, groups = found["user"]
    assert user == [65_534] * 3
    assert group == [54_321] * 3
    assert 0 not in groups
    assert found["ignored"] == []


def _told_to_nobody(toy: Toy, told: Path) -> dict[str, Any]:
    told.touch()
    told.chmod(0o666)
    process = os.fork()
    if process == 0:  # a client who is nobody; a terminal is not asked for
        try:
            os.setgroups([12_345])
            os.setresgid(54_321, 54_321, 54_321)
            os.setresuid(65_534, 65_534, 65_534)
            with told.open("wb") as out:
                for number in (1, 2):
                    os.dup2(out.fileno(), number)
            client._session(str(toy.path), ["play", "tell"])
            os.read(client._LINE, 100)
        finally:
            os._exit(0)
    os.waitpid(process, 0)
    found: dict[str, Any] = json.loads(told.read_text())
    return found


def test_a_place_where_something_else_is_or_listens_is_refused(toy: Toy, tmp_path: Path) -> None:
    for path, why in ((toy.path, "another server listens"), (tmp_path, "no socket")):
        with pytest.raises(ForkServerError, match=why):
            Server(path, lambda _: 0)
    with pytest.raises(ForkServerError, match="can't listen"):
        Server(tmp_path / "no" / "folder", lambda _: 0)


def test_a_socket_that_a_killed_server_left_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    server = Server(path, lambda _: 0)
    mode = stat.S_IMODE(path.stat().st_mode)
    assert mode == (0o777 if os.geteuid() == 0 else 0o600)
    server._line.close()
