"""A server whose sessions do simple things, as their second word says."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
import termios
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from mission_tui.forkserver.server import Server


def play(words: Sequence[str]) -> int:
    """``play WHAT``: the session."""
    what = words[1]
    if what == "tell":
        _say(json.dumps(_facts(words)))
        return 7
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "raw":  # as the game does: keys unseen, another screen, and then its death
        mode = termios.tcgetattr(0)
        mode[3] &= ~termios.ECHO
        termios.tcsetattr(0, termios.TCSANOW, mode)
        _say("\x1b[?1049h\x1b[?25l")
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "crash":
        raise RuntimeError("no such thing")
    if what == "late":
        threading.Thread(target=_send, args=(Path(words[2]),)).start()
        return 0
    if what == "wait":
        return _wait(Path(words[2]))
    return int(sys.stdin.readline())


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _facts(words: Sequence[str]) -> dict[str, object]:
    mask = os.umask(0)
    return {
        "words": list(words),
        "folder": str(Path.cwd()),
        "umask": mask,
        "user": [os.getresuid(), os.getresgid(), os.getgroups()],
        "files": resource.getrlimit(resource.RLIMIT_NOFILE),
        "environment": dict(os.environ),
        "zone": time.tzname[0],
        "dice": random.random(),
        "open": sorted(int(each.name) for each in Path("/proc/self/fd").iterdir())[:-1],
        "own session": os.getsid(0) == os.getpid(),
        "ignored": [
            name.name
            for name in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
            if signal.getsignal(name) not in (signal.SIG_DFL, signal.default_int_handler)
        ],
    }


def _send(told: Path) -> None:
    time.sleep(0.3)
    told.touch()


def _wait(told: Path) -> int:
    """Write down the signals that come; TERM and HUP end it."""

    def write(number: int, _: object) -> None:
        with told.open("a") as file:
            file.write(f"{signal.Signals(number).name} {os.get_terminal_size(0).columns}\n")
        if number != signal.SIGWINCH:
            os._exit(0)

    for name in (signal.SIGWINCH, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(name, write)
    _say(f"waiting {os.getpid()}")
    while True:
        time.sleep(60)


if __name__ == "__main__":
    server = Server(Path(sys.argv[1]), play, int(sys.argv[2]))
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    _say("listening")
    server.serve()
