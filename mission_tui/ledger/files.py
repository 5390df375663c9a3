"""Opening and writing files that strangers, crashes and full disks may have touched."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path
from typing import Final

_SENTENCES: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the folder is read-only",
    errno.EIO: "the disk reports an error",
    errno.EACCES: "access is not permitted",
    errno.EPERM: "access is not permitted",
    errno.ENOENT: "there is no such file or folder",
    errno.ELOOP: "it is a symbolic link",
}


class CannotOpenError(Exception):
    """A file that can't be opened or is no regular file; one sentence."""


def why(error: OSError) -> str:
    """What went wrong, in words for a player: ``the disk is full``."""
    known = _SENTENCES.get(error.errno or 0)
    return known or (error.strerror or str(error)).lower()


def open_regular(path: Path, flags: int) -> int:
    """A file descriptor of the regular file ``path``; never follows a link, never waits.

    Raises OSError; a FIFO, device, socket or folder is refused as one.
    """
    fd = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is not a regular file")
    return fd


def read_regular(path: Path, limit: int | None = None) -> bytes:
    """The bytes of the regular file ``path``, at most ``limit``. Raises CannotOpenError."""
    try:
        fd = open_regular(path, os.O_RDONLY)
        with os.fdopen(fd, "rb") as file:
            return file.read(-1 if limit is None else limit)
    except OSError as error:
        raise CannotOpenError(f"{path} can't be opened: {why(error)}") from None
    except ValueError:  # a NUL character in the path
        raise CannotOpenError(f"{str(path)!r} is no file name") from None


def private_folder(path: Path) -> None:
    """Make ``path`` if need be, and close a folder of one's own to others (0700)."""
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another session was faster
            path.mkdir(mode=0o700)
        sync_folder(path.parent)
    state = path.stat()
    if stat.S_IMODE(state.st_mode) & 0o077 and state.st_uid == os.geteuid():
        path.chmod(0o700)


def sync_folder(path: Path) -> None:
    """Make new names in the folder durable, where the file system can."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    """Write every byte at the file's position and make them durable. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.fsync(fd)


def new_beside(path: Path, data: bytes) -> Path:
    """A new, durable 0600 file in the folder of ``path``, to be linked or renamed to it."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    fd = open_regular(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        write_all(fd, data)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    return beside


def write_whole(path: Path, data: bytes) -> None:
    """Replace ``path`` (0600) by ``data``: all of it or, on OSError, none of it."""
    beside = new_beside(path, data)
    try:
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
