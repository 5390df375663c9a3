"""The working save of a play: append-only, one event a line, durable when it matters.

A journal keeps all its bytes in memory too and always writes them at their own place in the
file. So after any failure the same bytes are written again to the same place: nothing is lost,
doubled or reordered, whatever a failed call left behind.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mission_tui.ledger.chain import link, longest_prefix
from mission_tui.ledger.files import (
    CannotOpenError,
    open_regular,
    private_folder,
    read_regular,
    sync_folder,
    why,
    write_all,
)
from mission_tui.ledger.lines import encode_line
from mission_tui.ledger.lockfile import HeldError, PlayLock
from mission_tui.play.events import ACKNOWLEDGED, Event

_sync: Final[Callable[[int], None]] = getattr(os, "fdatasync", os.fsync)  # macOS has fsync alone


@dataclass(frozen=True, slots=True)
class Recovery:
    """What :meth:`Journal.open` set aside: all from the first broken line on."""

    kept_events: int
    torn_bytes: int
    torn_sha256: str
    torn_file: str

    def data(self) -> dict[str, Any]:
        """The ``data`` of the ``recovered`` event that the caller appends."""
        return {
            "kept_events": self.kept_events,
            "torn_bytes": self.torn_bytes,
            "torn_sha256": self.torn_sha256,
        }


class Journal:
    """One open play; made by :meth:`create` or :meth:`open`, used by one thread at a time.

    ``unsaved`` is None, or one sentence that says why the newest events are in memory alone.
    ``recovery`` is None, or what was set aside when the play was opened: then the caller
    appends a ``recovered`` event with ``recovery.data()``, unless ``is_closed``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.unsaved: str | None = None
        self.recovery: Recovery | None = None
        self._events: list[Event] = []
        self._raw = bytearray()  # every line, with newlines: what the file is to hold
        self._prev = ""
        self._written = 0  # bytes of _raw handed to the kernel
        self._durable = 0  # bytes of _raw on disk
        self._tail = b""  # torn bytes in the file after the lines that were kept
        self._tail_start = 0
        self._fd: int | None = None
        self._lock: PlayLock | None = None

    @classmethod
    def create(cls, path: Path, header: Event) -> Journal:
        """Begin a play with its header. A full or read-only disk gives ``unsaved``, no error.

        Raises FileExistsError if there is such a play, HeldError if another session is making
        it, ValueError if ``header`` is none.
        """
        journal = cls(path)
        journal._record(header)
        with contextlib.suppress(OSError):  # saving tries again, and reports
            journal._take_lock()
        if os.path.lexists(path):
            journal._release()
            raise FileExistsError(errno.EEXIST, "there is such a play already", str(path))
        journal._save(durably=True)
        return journal

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Go on with a play: the longest valid prefix of its file (see ``recovery``).

        The rest is appended to ``<name>.torn`` before the file is cut. Raises HeldError if
        another session has it open, CannotOpenError if it can't be read or holds no play; the
        file is then left as it is.
        """
        journal = cls(path)
        if not path.parent.is_dir():
            raise CannotOpenError(f"{path} can't be opened: there is no such folder")
        with contextlib.suppress(OSError):  # a read-only place can still be read
            journal._take_lock()
        try:
            content = read_regular(path)
            lines, end = longest_prefix(content)
            if not lines:
                raise CannotOpenError(f"{path} holds no play: its first line is not a header")
        except CannotOpenError:
            journal._release()
            raise
        journal._events = [line.event for line in lines]
        journal._raw += content[:end]
        journal._prev = link(lines[-1].raw)
        journal._written = journal._durable = end
        if tail := content[end:]:
            journal._tail, journal._tail_start = tail, end
            journal.recovery = Recovery(
                kept_events=len(lines),
                torn_bytes=len(tail),
                torn_sha256=hashlib.sha256(tail).hexdigest(),
                torn_file=_torn(path).name,
            )
            journal._save(durably=True)
        return journal

    @property
    def events(self) -> tuple[Event, ...]:
        """Every event of the play, saved or not."""
        return tuple(self._events)

    @property
    def payload(self) -> bytes:
        """Every line of the play, saved or not: the bytes to seal."""
        return bytes(self._raw)

    @property
    def next_seq(self) -> int:
        """The ``seq`` that the next event must have."""
        return len(self._events)

    @property
    def is_closed(self) -> bool:
        """Whether the play has its ``close``, after which no event can come."""
        return bool(self._events) and self._events[-1].kind == "close"

    def append(self, event: Event) -> bool:
        """Add an event and save all that is not saved yet, in order.

        Acknowledged kinds are on disk at return; others are with the kernel (safe from
        kill -9) and on disk after :meth:`flush`, which the app calls within 2 s. False means
        that it is in memory alone, and ``unsaved`` says why. Raises ValueError only for an
        event that does not fit here.
        """
        self._record(event)
        return self._save(durably=event.kind in ACKNOWLEDGED)

    def flush(self) -> bool:
        """Put everything on disk; without system calls when it is there. False: ``unsaved``."""
        if self._durable == len(self._raw) and not self._tail:
            return True
        return self._save(durably=True)

    def move_to(self, path: Path) -> bool:
        """Save the whole play at ``path`` and go on there; the old file stays as it is.

        False if that fails too: the play stays where it was, and ``unsaved`` says why.
        Raises FileExistsError if ``path`` is taken, HeldError if another session has it.
        """
        other = Journal(path)
        other._raw = self._raw
        with contextlib.suppress(OSError):
            other._take_lock()
        if os.path.lexists(path):
            other._release()
            raise FileExistsError(errno.EEXIST, "there is such a file already", str(path))
        if not other._save(durably=True):
            with contextlib.suppress(OSError):
                path.unlink()
            other._release()
            self.unsaved = other.unsaved
            return False
        self._release()
        self.path, self.unsaved, self._tail = path, None, b""
        self._fd, self._lock = other._fd, other._lock
        self._written = self._durable = len(self._raw)
        return True

    def close(self) -> bool:
        """Flush, and let other sessions in. False if events are in memory alone."""
        saved = self.flush()
        self._release()
        return saved

    def _record(self, event: Event) -> None:
        if event.seq != len(self._events):
            raise ValueError(f"event {event.seq} given where {len(self._events)} is next")
        if (event.kind == "header") != (not self._events):
            raise ValueError("a play begins with its one header")
        if self.is_closed:
            raise ValueError("the play is closed")
        raw = encode_line(event, self._prev)
        self._raw += raw + b"\n"
        self._prev = link(raw)
        self._events.append(event)

    def _save(self, *, durably: bool) -> bool:
        try:
            fd = self._attach()
            self._set_tail_aside(fd)
            self._write(fd)
            if (durably or self.unsaved) and self._durable < self._written:
                _sync(fd)
                self._durable = self._written
        except HeldError as error:
            return self._fail(str(error))
        except OSError as error:
            return self._fail(f"This play is not being saved: {why(error)} ({self.path}).")
        self.unsaved = None
        return True

    def _fail(self, reason: str) -> bool:
        # A failed sync may have dropped pages that it then calls clean: attaching anew makes
        # all since the last good one be written again.
        self._detach()
        self.unsaved = reason
        return False

    def _attach(self) -> int:
        """The file; opened and compared at first, after a failure, and if others touched it.

        A file that was deleted or cut is made whole again from memory; a file that holds
        anything else is left alone (OSError).
        """
        if self._fd is not None:
            now = os.fstat(self._fd)
            if now.st_nlink and now.st_size == self._written:
                return self._fd
            self._detach()
        if self._lock is None:
            self._take_lock()
        private_folder(self.path.parent)
        try:
            fd = open_regular(self.path, os.O_RDWR)
        except FileNotFoundError:
            fd = open_regular(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        self._fd = fd
        sync_folder(self.path.parent)
        size = os.fstat(fd).st_size
        found = os.pread(fd, size, 0)
        expected = self._raw
        if self._tail:
            expected = self._raw[: self._tail_start] + self._tail
        if len(found) != size or not expected.startswith(found):
            raise OSError(errno.EEXIST, "the file was changed by another program")
        self._written = self._durable = min(self._durable, size)
        return fd

    def _set_tail_aside(self, fd: int) -> None:
        if not self._tail:
            return
        torn = open_regular(_torn(self.path), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            write_all(torn, self._tail)
        finally:
            os.close(torn)
        sync_folder(self.path.parent)
        os.ftruncate(fd, self._tail_start)
        _sync(fd)
        self._tail = b""

    def _write(self, fd: int) -> None:
        pending = bytes(self._raw[self._written :])
        if not pending:
            return
        count = os.pwrite(fd, pending, self._written)
        if count != len(pending):
            os.ftruncate(fd, self._written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._written += count

    def _take_lock(self) -> None:
        self._lock = PlayLock.take(self.path.with_name(self.path.name + ".lock"))

    def _detach(self) -> None:
        if self._fd is not None:
            with contextlib.suppress(OSError):
                os.close(self._fd)
            self._fd = None

    def _release(self) -> None:
        self._detach()
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _torn(path: Path) -> Path:
    return path.with_name(path.name + ".torn")
