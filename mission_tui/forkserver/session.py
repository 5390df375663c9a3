"""One student's session, in a process that was forked from the loaded server."""

from __future__ import annotations

import os
import resource
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NoReturn

from mission_tui.forkserver import client

PATIENCE: Final = 5.0
"""Seconds that a client has to say what it wants."""
LARGEST: Final = 4_000_000
"""Bytes of a request: an environment and a command line together have at most this."""
_LIMITS: Final = (
    resource.RLIMIT_CPU,
    resource.RLIMIT_FSIZE,
    resource.RLIMIT_DATA,
    resource.RLIMIT_STACK,
    resource.RLIMIT_CORE,
    resource.RLIMIT_NOFILE,
    resource.RLIMIT_AS,
    resource.RLIMIT_NPROC,
)


Play = Callable[[Sequence[str]], int]
"""What runs a command line, and returns its exit code."""


class RequestError(Exception):
    """A client that does not say what this program understands."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who connected, as the kernel knows it: process, user, group."""

    pid: int
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Request:
    """What a client wants: its three descriptors, and where and how it was started."""

    descriptors: tuple[int, int, int]
    folder: bytes
    umask: int
    words: tuple[str, ...]
    environment: dict[bytes, bytes]


def peer(line: socket.socket) -> Peer:
    """Who is at the other end."""
    found = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return Peer(*struct.unpack("3i", found))


def run(line: socket.socket, who: Peer, play: Play) -> NoReturn:
    """Become the session of ``who``, play what they want, and end the process."""
    code = 1
    try:
        become(who)
        line.settimeout(PATIENCE)
        wanted = receive(line)
        line.settimeout(None)
        _move_in(wanted, who)
        line.sendall(client.ACCEPTED + b"%d\n" % os.getpid())
        threading.Thread(target=_listen, args=(line,), daemon=True).start()
        code = _played(play, wanted.words)
        line.sendall(b"%d\n" % code)
    except (OSError, RequestError):
        pass  # nobody is there to be told
    finally:
        os._exit(code)


def become(who: Peer) -> None:
    """Give up the server's rights for good: from here on all is done as ``who``.

    Before a byte of theirs is read. Raises OSError where that can't be done.
    """
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN if number == signal.SIGPIPE else signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()  # signals to the server's terminal are not for the session
    if os.geteuid() == 0 and who.uid != 0:
        os.setgroups(_groups(who))
        os.setresgid(who.gid, who.gid, who.gid)
        os.setresuid(who.uid, who.uid, who.uid)
    if os.getresuid() != (who.uid,) * 3:
        raise PermissionError("the session is not its user's")


def _groups(who: Peer) -> list[int]:
    import pwd

    try:
        return os.getgrouplist(pwd.getpwuid(who.uid).pw_name, who.gid)
    except KeyError:  # a user without an entry
        return [who.gid]


def receive(line: socket.socket) -> Request:
    """What the client wants. Raises RequestError, and OSError when it takes too long."""
    head, descriptors, _, _ = socket.recv_fds(line, 8, 3)
    try:
        left = int(head, 16)
    except ValueError:
        raise RequestError("no length") from None
    if len(head) != 8 or len(descriptors) != 3 or not 0 < left <= LARGEST:
        raise RequestError("no descriptors, or too long")
    parts = []
    while left:
        part = line.recv(min(left, 65536))
        if not part:
            raise RequestError("cut short")
        parts.append(part)
        left -= len(part)
    fields = b"".join(parts).split(b"\0")
    try:
        version, folder, umask, count = fields[:4]
        end = 4 + int(count)
        words = tuple(os.fsdecode(word) for word in fields[4:end])
        pairs = (each.partition(b"=") for each in fields[end:])
        environment = {name: value for name, _, value in pairs if name}
        mask = int(umask) & 0o777
    except ValueError:
        raise RequestError("fields are missing") from None
    if version != client.VERSION:
        raise RequestError("another version")
    input_, output, errors = descriptors
    return Request((input_, output, errors), folder, mask, words, environment)


def _move_in(wanted: Request, who: Peer) -> None:
    """Take the client's terminal, folder, environment and limits for the server's."""
    for number, descriptor in enumerate(wanted.descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    for name in _LIMITS:
        # Theirs, where they are lower: raising a limit needs rights that were given up.
        soft, hard = resource.prlimit(who.pid, name)
        most = resource.getrlimit(name)[1]
        if most != resource.RLIM_INFINITY:
            hard = most if hard == resource.RLIM_INFINITY else min(hard, most)
            soft = hard if soft == resource.RLIM_INFINITY else min(soft, hard)
        resource.setrlimit(name, (soft, hard))
    os.umask(wanted.umask)
    try:
        os.chdir(wanted.folder)
    except OSError:
        os.chdir("/")
    os.environb.clear()
    os.environb.update(wanted.environment)
    time.tzset()
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(  # type: ignore[misc]  # noqa: SIM115
        2, "w", encoding="utf-8", errors="backslashreplace", closefd=False
    )


def _listen(line: socket.socket) -> None:
    """Until the client has gone: its terminal has, too."""
    with suppress(OSError):
        while line.recv(16):
            continue
    os.kill(os.getpid(), signal.SIGHUP)


def _played(play: Play, words: tuple[str, ...]) -> int:
    try:
        code = play(words)
    except SystemExit as ended:  # argparse
        code = ended.code if isinstance(ended.code, int) else 1
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return code
