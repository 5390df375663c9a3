"""The folder of saves: where it is, and whether it keeps what it is given."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mission_tui.checkup.finding import Finding
from mission_tui.ledger.files import open_regular, why

LEAST: Final = 10_000_000
"""Bytes without which a play may not be saved to its end: a ledger and its journal."""
AMPLE: Final = 50_000_000
SLOW: Final = 0.050
"""Seconds of a write to disk that are felt: a step of a slider is to be echoed in as many."""
_TRIES: Final = 9
_PATIENCE: Final = 0.3
_LINE: Final = b"x" * 400 + b"\n"
_NETWORK: Final = re.compile(r"nfs|cifs|smb|9p|afs|lustre|gpfs|ceph|gluster|beegfs|sshfs")


def findings(saves: Path) -> Iterator[Finding]:
    """Where, on what, and how well. Leaves the folder as it was."""
    if not os.path.lexists(saves):
        yield _not_yet(saves)
        return
    if not saves.is_dir():
        todo = "Name a folder: --saves, or $MISSION_TUI_SAVES."
        yield Finding("saves", "fault", f"{saves} is no folder", todo)
        return
    path = saves / f".doctor-{secrets.token_hex(6)}.tmp"
    try:
        fd = open_regular(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    except OSError as error:
        todo = "Make it yours to write, or name another: --saves, or $MISSION_TUI_SAVES."
        yield Finding("saves", "fault", f"{saves} takes no file: {why(error)}", todo)
        return
    try:
        yield Finding("saves", "ok", f"{saves}, writable, on {_system(saves) or 'a file system'}")
        yield _room(saves)
        yield _writing(fd)
        yield _locking(path, fd)
    finally:
        os.close(fd)
        path.unlink(missing_ok=True)


def _not_yet(saves: Path) -> Finding:
    """A folder that is made at the first play, if it can be."""
    above = next(folder for folder in saves.parents if os.path.lexists(folder))
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return Finding("saves", "ok", f"{saves}, made at the first play; not tried before")
    todo = "Name another: --saves, or $MISSION_TUI_SAVES."
    return Finding("saves", "fault", f"{saves} can't be made: {above} takes no folder", todo)


def _room(saves: Path) -> Finding:
    state = os.statvfs(saves)
    free = state.f_bavail * state.f_frsize
    said = f"{_size(free)} free (a quota may allow less)"
    if free < LEAST:
        todo = "Make room, or name another folder: a play takes up to 10 MB."
        return Finding("room", "fault", said, todo)
    if free < AMPLE:
        return Finding("room", "note", said, "Make room soon: 50 MB are ample for a course.")
    return Finding("room", "ok", said)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _writing(fd: int) -> Finding:
    """A line written and made durable, as at each step of a play."""
    sync = getattr(os, "fdatasync", os.fsync)
    took: list[float] = []
    until = time.monotonic() + _PATIENCE
    try:
        while len(took) < _TRIES and (not took or time.monotonic() < until):
            before = time.perf_counter()
            os.write(fd, _LINE)
            sync(fd)
            took.append(time.perf_counter() - before)
    except OSError as error:
        todo = "Play goes on in memory alone until the disk takes it: repair that first."
        return Finding("writing", "fault", f"a line can't be written: {why(error)}", todo)
    median = statistics.median(took)
    said = f"a line is on disk in {median * 1e3:.1f} ms (median of {len(took)})"
    if median > SLOW:
        return Finding("writing", "note", said, "Runs and locks will be felt to wait for the disk.")
    return Finding("writing", "ok", said)


def _locking(path: Path, fd: int) -> Finding:
    """Two sessions of one play are kept apart by flock, else by a file that names its holder."""
    todo = "Don't open one play in two sessions at once: only a note in a file keeps them apart."
    try:
        other = open_regular(path, os.O_RDWR)
    except OSError as error:
        return Finding("locks", "note", f"can't be tried: {why(error)}", todo)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return Finding("locks", "ok", "work here: a play can't be open in two sessions")
        return Finding("locks", "note", f"don't work here: {why(error)}", todo)
    finally:
        os.close(other)
    return Finding("locks", "note", "two holders of one lock at once: it keeps nobody out", todo)


def _system(saves: Path) -> str:
    """The kind of file system, as Linux tells; with a word where it is a network's."""
    try:
        lines = Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines()
        device = saves.stat().st_dev
    except OSError:
        return ""
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in reversed(lines):
        mount, _, of = line.partition(" - ")
        if mount.split()[2:3] == [number] and of:
            kind = of.split()[0]
            return f"{kind}, over a network" if _NETWORK.search(kind) else kind
    return ""
