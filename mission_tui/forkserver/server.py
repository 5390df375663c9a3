"""Listens for clients, and forks a session for each, which belongs to whoever connected.

The server itself reads nothing that a client sends: it asks the kernel who connects, forks, and
the child gives up the server's rights before it reads a byte.
"""

from __future__ import annotations

import errno
import os
import selectors
import signal
import socket
import stat
import time
from collections import Counter, deque
from contextlib import suppress
from pathlib import Path
from typing import Final

from mission_tui.forkserver import session

BACKLOG: Final = 128
PER_USER: Final = 4
"""Sessions that one user may have here at once; a further one is started by itself."""
STARTS: Final = 4
WITHIN: Final = 10.0
"""So many times :data:`PER_USER` sessions may be begun within so many seconds by one user."""
BREATH: Final = 0.1
"""Seconds to wait where the system has nothing left to give."""


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
        self._starts: dict[int, deque[float]] = {}  # user -> when, the last few
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
                self._accept()
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

    def _accept(self) -> None:
        try:
            line, _ = self._line.accept()
        except OSError as error:  # gone again, or woken by a child's end
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                time.sleep(BREATH)
            return
        with line:
            try:
                who = session.peer(line)
                if not self._may_start(who.uid):
                    return
                process = os.fork()
            except OSError:  # no memory, too many processes, or more groups than can be known
                return
            if process == 0:
                session.run(line, who, self._play)
            self._sessions[process] = who.uid

    def _may_start(self, user: int) -> bool:
        if os.geteuid() not in (0, user):
            return False
        if Counter(self._sessions.values())[user] >= self._per_user:
            return False
        starts = self._starts.setdefault(user, deque(maxlen=STARTS * self._per_user))
        now = time.monotonic()
        if len(starts) == starts.maxlen and now - starts[0] < WITHIN:
            return False
        starts.append(now)
        return True


def _listening(path: Path) -> socket.socket:
    """A socket at ``path``: for everybody if this is root, else for this user alone."""
    line = socket.socket(socket.AF_UNIX)
    try:
        if stat.S_ISSOCK(path.lstat().st_mode):
            with socket.socket(socket.AF_UNIX) as other, suppress(ConnectionRefusedError):
                other.settimeout(1.0)
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
