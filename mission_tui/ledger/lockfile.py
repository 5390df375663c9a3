"""Two sessions of one play are kept apart.

``flock`` decides where it works; the kernel drops it with the process, so kill -9 leaves
nothing behind. Beside it the file names its holder (host, process, boot), which decides on
file systems without ``flock``, and tells sessions of two hosts on one network home apart when
``flock`` is local to each. Without ``flock`` two sessions that start within the same
millisecond can both get in.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from pathlib import Path
from typing import Any, Final

from mission_tui.ledger import strict
from mission_tui.ledger.files import open_regular, private_folder

_NO_FLOCK: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.ENOTSUP})
_LONGEST: Final = 4_096


class HeldError(Exception):
    """Another session has this play open; one sentence."""


class PlayLock:
    """The right to write one play, held until :meth:`release` or the process's end."""

    def __init__(self, path: Path, fd: int) -> None:
        self._path = path
        self._fd = fd

    @classmethod
    def take(cls, path: Path) -> PlayLock:
        """Lock by the file ``path``. Raises HeldError, or OSError if no lock can be made."""
        private_folder(path.parent)
        while True:
            fd = open_regular(path, os.O_RDWR | os.O_CREAT)
            try:
                kernel_decides = _flock(fd, path)
                if not _is_still(path, fd):  # the holder removed it between open and flock
                    os.close(fd)
                    continue
                holder = _holder(fd)
                if holder and _may_live(holder, kernel_decides):
                    raise HeldError(_sentence(holder, path))
                _name_holder(fd, kernel_decides)
            except BaseException:
                os.close(fd)
                raise
            return cls(path, fd)

    def release(self) -> None:
        """Give the play free for other sessions; a second call does nothing."""
        if self._fd < 0:
            return
        try:
            if _is_still(self._path, self._fd):
                self._path.unlink()
        except OSError:
            pass  # the file stays and names a process that soon is no more
        finally:
            os.close(self._fd)
            self._fd = -1


def _flock(fd: int, path: Path) -> bool:
    """Whether the kernel decides. Raises HeldError when it has decided for another."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _NO_FLOCK:
            return False
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            raise HeldError(_sentence(_holder(fd), path)) from None
        raise
    return True


def _is_still(path: Path, fd: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(fd))
    except FileNotFoundError:
        return False


def _holder(fd: int) -> dict[str, Any]:
    """Who the file names; {} for nobody or for what no session wrote."""
    try:
        found = strict.decode(os.pread(fd, _LONGEST, 0))
    except strict.ParseError:
        return {}
    return found if isinstance(found, dict) else {}


def _may_live(holder: dict[str, Any], kernel_decides: bool) -> bool:
    if holder.get("boot") == _boot():
        return not kernel_decides and _is_running(holder.get("pid"))
    return holder.get("host") != socket.gethostname()  # same host: that boot has ended


def _is_running(pid: object) -> bool:
    if type(pid) is not int or not 0 < pid < 2**31:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _name_holder(fd: int, kernel_decides: bool) -> None:
    named = strict.encode({"boot": _boot(), "host": socket.gethostname(), "pid": os.getpid()})
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, named, 0)
    except OSError:
        if not kernel_decides:  # on a full disk flock alone still keeps others out
            raise


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:  # not Linux
        return ""


def _sentence(holder: dict[str, Any], path: Path) -> str:
    host, pid = str(holder.get("host", "?"))[:80], str(holder.get("pid", "?"))[:20]
    return (
        f"This play is open in another session (process {pid} on {host}): "
        f"leave it there first, or delete {path} if that session is gone."
    )
