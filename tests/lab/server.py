"""A real OpenSSH server on loopback, as an ordinary process with everything in one folder."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

from tests.terminal.screen import PATIENCE, environment

ROOT: Final = Path(__file__).resolve().parents[2]
SEPARATION: Final = Path("/run/sshd")
"""Where Debian's server wants an empty folder when it runs as root."""
HOST: Final = "lab"
LEAN: Final = {"PYTHONOPTIMIZE": "2", "PYTHONNODEBUGRANGES": "1", "MALLOC_ARENA_MAX": "1"}
"""How docs/administrators.md has a server start the game."""


def missing() -> str:
    """Why there can be no server here; empty where there can."""
    for program in ("sshd", "ssh", "ssh-keygen"):
        if not _program(program):
            return f"no {program} is installed"
    if os.geteuid() == 0 and not SEPARATION.is_dir():
        try:
            SEPARATION.mkdir(mode=0o755)
        except OSError:
            return f"sshd as root wants {SEPARATION}"
    return ""


class Server:
    """Runs until the ``with`` ends: a player's key opens a shell, Ada's only the witness.

    ``program`` is the game as an administrator would put it on the server: a short script.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.saves = home / "saves"
        self.witness = home / "witness"
        self.program = _script(
            home / "mission-tui",
            _assignments(environment(home, PYTHONPATH=str(ROOT), LC_ALL="C.UTF-8", **LEAN)),
            f'exec {shlex.quote(sys.executable)} -m mission_tui "$@"',
        )
        for name in ("host", "player", "ada"):
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(home / name))
        forced = shlex.join([str(self.program), "witness", "stdin", str(self.witness)])
        (home / "authorized_keys").write_text(
            (home / "player.pub").read_text()
            + f'restrict,command="{forced} --student ada" '
            + (home / "ada.pub").read_text()
        )
        self.port = _free_port()
        self.log = home / "sshd.log"
        config = {
            "ListenAddress": "127.0.0.1",
            "Port": self.port,
            "HostKey": home / "host",
            "AuthorizedKeysFile": home / "authorized_keys",
            "AuthenticationMethods": "publickey",
            "PermitRootLogin": "prohibit-password",
            "PidFile": "none",
            "PrintMotd": "no",
            "StrictModes": "no",
            "UseDNS": "no",
            "UsePAM": "no",
        }
        _settings(home / "sshd_config", config)
        (home / "known_hosts").write_text(
            f"[127.0.0.1]:{self.port} {(home / 'host.pub').read_text()}"
        )
        for name in ("player", "ada"):
            client = {
                "HostName": "127.0.0.1",
                "Port": self.port,
                "User": getpass.getuser(),
                "IdentityFile": home / name,
                "IdentitiesOnly": "yes",
                "IdentityAgent": "none",
                "BatchMode": "yes",
                "StrictHostKeyChecking": "yes",
                "UserKnownHostsFile": home / "known_hosts",
                "LogLevel": "ERROR",
            }
            _settings(home / f"{name}.ssh", client)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        sshd = _program("sshd")
        command = [sshd, "-D", "-f", str(self.home / "sshd_config"), "-E", str(self.log)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, "sshd does not answer"
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(PATIENCE)

    def ssh(self, *options: str, key: str = "player") -> tuple[str, ...]:
        """The command line of a client, up to what it is to run."""
        return (_program("ssh"), "-F", str(self.home / f"{key}.ssh"), *options, HOST)

    def run(
        self, *command: str, key: str = "player", standard_input: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command on the server without a terminal."""
        return subprocess.run(
            [*self.ssh("-T", key=key), shlex.join(command)],
            input=standard_input,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )

    def client_of(self, key: str) -> Path:
        """A folder for PATH whose ``ssh`` goes to this server with this key."""
        folder = self.home / f"bin-{key}"
        folder.mkdir(exist_ok=True)
        _script(
            folder / "ssh",
            f'exec {_program("ssh")} -F {shlex.quote(str(self.home / key))}.ssh "$@"',
        )
        return folder

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as line:
                return line.recv(4) == b"SSH-"
        except OSError:
            return False


def parent(pid: int) -> int:
    """The process that started ``pid``."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def name(pid: int) -> str:
    """What a process is called."""
    return Path(f"/proc/{pid}/comm").read_text().strip()


def session_of(pid: int) -> int:
    """The server's own process above ``pid``: the one that serves this connection."""
    while not name(pid).startswith("sshd"):
        pid = parent(pid)
        assert pid > 1, "no server above"
    return pid


def kill(pid: int) -> None:
    """As a lost machine does it: nothing can be said any more."""
    os.kill(pid, signal.SIGKILL)


def _program(name: str) -> str:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin") or ""


def _script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("#!/bin/sh", *lines, "")))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def _assignments(variables: Mapping[str, str]) -> str:
    # The terminal's own name comes over the line, as it does for a student.
    said = (f"{name}={shlex.quote(text)}" for name, text in variables.items() if name != "TERM")
    return "export " + " ".join(said)


def _settings(path: Path, settings: Mapping[str, object]) -> None:
    path.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))


def _run(program: str, *arguments: str) -> None:
    subprocess.run([_program(program), *arguments], check=True, stdin=subprocess.DEVNULL)


def _free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])
