"""Listens for clients, and forks a session for each, which belongs to whoever connected.

The server itself reads nothing that a client sends: it asks the kernel who connects, forks, and
the child gives up the server's rights before it reads a byte.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import stat
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Final

from mission_tui.forkserver import session

BACKLOG: Final = 128
PER_USER: Final = 4
"""Sessions that one user may have here at once; a further one is started by itself."""


class ForkServerError(Exception):
    """Why there can be no server at a place; one sentence."""


class Server:
    """Sessions for everybody when it runs as root, else for its own user alone."""

    def __init__(self, path: Path, play: session.Play, per_user: int = PER_USER) -> None:
        """Listen at ``path``; a session is a command line that ``play`` runs.

        Raises :class:`ForkServerError`.
        """
        self.path, self._play, self._per_user = path, play, per_user
        self._sessions: dict[int, int] = {}  # process -> user
        self._stopped = False
        self._line = _listening(path)

    def serve(self) -> None:
        """Until :meth:`stop`: sessions that are open then go on by themselves."""
        awake, wake = socket.socketpair()
        for end in (awake, wake, self._line):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake up
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        with selectors.DefaultSelector() as ready, awake, wake:
            ready.register(self._line, selectors.EVENT_READ)
            ready.register(awake, selectors.EVENT_READ)
            while not self._stopped:
                ready.select()
                with suppress(BlockingIOError):
                    awake.recv(4096)
                self._reap()
                self._accept(awake, wake, ready)
            signal.set_wakeup_fd(-1)
        self._line.close()
        with suppress(OSError):
            self.path.unlink()

    def stop(self) -> None:
        """End :meth:`serve`, from a signal's handler."""
        self._stopped = True

    def _reap(self) -> None:
        while self._sessions:
            try:
                process, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._sessions.clear()
                return
            if not process:
                return
            self._sessions.pop(process, None)

    def _accept(self, *not_for_sessions: socket.socket | selectors.BaseSelector) -> None:
        try:
            line, _ = self._line.accept()
        except OSError:  # gone again, or woken by a child's end
            return
        with line:
            who = session.peer(line)
            if os.geteuid() != 0 and who.uid != os.geteuid():
                return
            if Counter(self._sessions.values())[who.uid] >= self._per_user:
                return
            try:
                process = os.fork()
            except OSError:  # no memory, or too many processes
                return
            if process == 0:
                signal.set_wakeup_fd(-1)
                for end in (self._line, *not_for_sessions):
                    end.close()
                line.setblocking(True)
                session.run(line, who, self._play)
            self._sessions[process] = who.uid


def _listening(path: Path) -> socket.socket:
    """A socket at ``path``: for everybody if this is root, else for this user alone."""
    line = socket.socket(socket.AF_UNIX)
    try:
        if stat.S_ISSOCK(path.lstat().st_mode):
            with socket.socket(socket.AF_UNIX) as other, suppress(ConnectionRefusedError):
                other.connect(str(path))
                raise ForkServerError(f"another server listens at {path}")
            path.unlink()  # left by one that was killed
        else:
            raise ForkServerError(f"{path} is there, and no socket")
    except FileNotFoundError:
        pass
    before = os.umask(0o000 if os.geteuid() == 0 else 0o177)
    try:
        line.bind(str(path))
    except OSError as error:
        raise ForkServerError(f"can't listen at {path}: {error.strerror or error}") from None
    finally:
        os.umask(before)
    line.listen(BACKLOG)
    return line
