"""One student's session, in a process that was forked from the loaded server."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
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

PATIENCE: Final = 5
"""Seconds that a client has, all in all, to say what it wants."""
LARGEST: Final = 4_000_000
"""Bytes of a request: an environment and a command line together have at most this."""
_PEERGROUPS: Final = 59  # Linux 4.13; Python's socket has no name for it
_MOST_GROUPS: Final = 256  # Python asks for 1,024 bytes at most
_KEYCTL: Final = {"x86_64": 250, "aarch64": 219, "riscv64": 219, "ppc64le": 271, "s390x": 280}
_JOIN_SESSION_KEYRING: Final = 1
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
    """Who connected, as the kernel knows it: process, user, group, further groups."""

    pid: int
    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client wants: its three descriptors, and where and how it was started."""

    descriptors: tuple[int, int, int]
    folder: bytes
    umask: int
    words: tuple[str, ...]
    environment: dict[bytes, bytes]


def peer(line: socket.socket) -> Peer:
    """Who is at the other end. Raises OSError, also for more groups than can be asked for."""
    found = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII"))
    groups = line.getsockopt(socket.SOL_SOCKET, _PEERGROUPS, 4 * _MOST_GROUPS)
    pid, uid, gid = struct.unpack("iII", found)
    return Peer(pid, uid, gid, struct.unpack(f"{len(groups) // 4}I", groups))


def run(line: socket.socket, who: Peer, play: Play) -> NoReturn:
    """Become the session of ``who``, play what they want, and end the process."""
    try:
        _begin_anew(line)
        become(who)
        wanted = receive(line)
        _move_in(wanted, who)
        signal.alarm(0)
        line.sendall(client.ACCEPTED + b"%d\n" % os.getpid())
        threading.Thread(target=_listen, args=(line,), daemon=True).start()
        code = _played(play, wanted.words)
        line.sendall(b"%d\n" % (code & 0xFF))
        os._exit(code & 0xFF)
    except (OSError, RequestError):
        pass  # nobody is there to be told
    finally:
        os._exit(1)


def _begin_anew(line: socket.socket) -> None:
    """Let go of the server's signals, terminal, files and keys; and don't take for ever."""
    for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.set_wakeup_fd(-1)
    signal.alarm(PATIENCE)
    os.setsid()  # signals to the server's terminal are not for the session
    os.closerange(3, line.fileno())
    os.closerange(line.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
    line.setblocking(True)


def become(who: Peer) -> None:
    """Give up the server's rights for good: from here on all is done as ``who``.

    Before a byte of theirs is read. Raises OSError where that can't be done.
    """
    _new_keyring()  # the server's, which a change of user does not take away
    if os.geteuid() == 0:
        os.setgroups(who.groups)
        os.setresgid(who.gid, who.gid, who.gid)
        os.setresuid(who.uid, who.uid, who.uid)
        _new_keyring()  # theirs, and not shared with the next
        if os.getresgid() != (who.gid,) * 3:
            raise PermissionError("the session is not its group's")
    if os.getresuid() != (who.uid,) * 3:
        raise PermissionError("the session is not its user's")


def _new_keyring() -> None:
    """An empty session keyring in the place of the one that was inherited (keyctl(2))."""
    number = _KEYCTL.get(platform.machine())
    if number is None:
        return
    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(number, _JOIN_SESSION_KEYRING, None, 0, 0, 0) < 0:
        why = ctypes.get_errno()
        if why not in (errno.ENOSYS, errno.EPERM):  # a kernel or a container without keys
            raise OSError(why, "the server's keys can't be given up")


def receive(line: socket.socket) -> Request:
    """What the client wants. Raises RequestError, and OSError where the line breaks."""
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
    if words and words[0] not in client.GAME:
        raise RequestError("no game")
    input_, output, errors = descriptors
    return Request((input_, output, errors), folder, mask, words, environment)


def _move_in(wanted: Request, who: Peer) -> None:
    """Take the client's terminal, folder, environment and limits for the server's."""
    for number, descriptor in enumerate(wanted.descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    if who.pid <= 0:
        raise RequestError("from elsewhere: its limits can't be had")
    for limit in _LIMITS:
        # Theirs, where they are lower: raising a limit needs rights that were given up.
        soft, hard = resource.prlimit(who.pid, limit)
        most = resource.getrlimit(limit)[1]
        if most != resource.RLIM_INFINITY:
            hard = most if hard == resource.RLIM_INFINITY else min(hard, most)
            soft = hard if soft == resource.RLIM_INFINITY else min(soft, hard)
        resource.setrlimit(limit, (soft, hard))
    os.umask(wanted.umask)
    try:
        os.chdir(wanted.folder)
    except OSError:
        os.chdir("/")
    os.environb.clear()
    os.environb.update(wanted.environment)
    time.tzset()
    for name, number, mode, errors in (
        ("stdin", 0, "r", "strict"),
        ("stdout", 1, "w", "strict"),
        ("stderr", 2, "w", "backslashreplace"),
    ):
        stream = open(number, mode, encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _listen(line: socket.socket) -> None:
    """Until the client has gone: its terminal has, too."""
    with suppress(OSError):
        while line.recv(16):
            continue
    os.kill(os.getpid(), signal.SIGHUP)


def _played(play: Play, words: tuple[str, ...]) -> int:
    """Play, and end as a program does: what is still being sent is sent."""
    try:
        code = play(words)
    except SystemExit as ended:  # argparse
        code = 0 if ended.code is None else ended.code if isinstance(ended.code, int) else 1
    except BaseException as error:  # the client is still there, and is owed a sentence
        from mission_tui import crash

        code = 1
        with suppress(OSError, ValueError):
            sys.stderr.write(f"mission-tui: {crash.sentence(error)}\n")
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    for thread in threading.enumerate():  # the last receipts
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    return code
