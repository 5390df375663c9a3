"""Collecting ledgers from folders that others can write to.

In tests a student's symbolic link made a collector read a private file, and a FIFO hung it. So
nothing is followed, nothing is waited for, and what is no plain file of whoever owns its folder
is not read: each gives one sentence in the place of its content.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mission_tui.ledger.files import CannotOpenError, why
from mission_tui.ledger.strict import MAX_BYTES

DEEPEST: Final = 16
"""Folders within folders."""
_LEDGER: Final = ".ledger.json"
_OF_PLAYS: Final = (".jsonl.lock", ".jsonl.torn", ".receipts.jsonl", ".queue.jsonl", ".jsonl")
"""What stands in the place of a ledger's ending beside it, or beside its journal, the last."""
_OF_FILES: Final = (".marks.toml", ".marks.toml.sig")
"""What a grader's marks add to the name of the file that they are about."""
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_KINDS: Final = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True, slots=True)
class Collected:
    """One name of a folder: its content, or one sentence (``problem``) why it was not read."""

    path: Path
    content: bytes
    problem: str | None = None
    mtime_ns: int = 0


def collect(folder: Path, but: Sequence[Path] = ()) -> Iterator[Collected]:
    """Every file of a folder and the folders in it, by name, one at a time.

    Left out are hidden names, what this program itself writes beside a play that is there (its
    journal, receipts, lock, marks), and ``but``: files and folders that the desk reads or writes.
    Whatever else there is has its place here, whatever its name ends in. Raises CannotOpenError
    where ``folder`` itself is none that can be read.
    """
    try:
        fd = os.open(folder, _FOLDER)
    except OSError as error:
        raise CannotOpenError(f"{folder} can't be opened: {why(error)}") from None
    except ValueError:
        raise CannotOpenError(f"{str(folder)!r} is no file name") from None
    own = frozenset(path.resolve() for path in but)
    return _walk(fd, folder, folder.resolve(), own, DEEPEST)


def read(path: Path) -> Collected:
    """One file, read as carefully as :func:`collect` does."""
    try:
        fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (OSError, ValueError):
        return Collected(path, b"", f"{path} can't be opened: there is no such folder")
    try:
        return _read(fd, path)
    finally:
        os.close(fd)


def is_beside(name: str, names: frozenset[str]) -> bool:
    """Whether a name is of what this program writes beside another of a folder's ``names``."""
    for ending in _OF_FILES:
        if name.endswith(ending) and name.removesuffix(ending) in names:
            return True
    for ending in _OF_PLAYS:
        if name.endswith(ending):
            play = name.removesuffix(ending)
            return play + _LEDGER in names or (ending != ".jsonl" and f"{play}.jsonl" in names)
    return False


def _walk(
    folder: int, path: Path, real: Path, own: frozenset[Path], depth: int
) -> Iterator[Collected]:
    try:
        names = frozenset(os.listdir(folder))
        for name in sorted(names):
            inner = path / name
            if name.startswith(".") or real / name in own:
                continue
            if is_beside(name, names) and _is(stat.S_ISREG, folder, name):
                continue
            if name.endswith(_LEDGER) or not _is(stat.S_ISDIR, folder, name):
                yield _read(folder, inner)
                continue
            try:
                fd = os.open(name, _FOLDER, dir_fd=folder)
            except OSError as error:
                yield Collected(inner, b"", f"{inner} can't be opened: {why(error)}")
                continue
            if depth == 0:
                os.close(fd)
                yield Collected(inner, b"", f"{inner} is too deep: {DEEPEST} folders are enough")
                continue
            yield from _walk(fd, inner, real / name, own, depth - 1)
    finally:
        os.close(folder)


def _is(kind: Callable[[int], bool], folder: int, name: str) -> bool:
    """Whether a name is of a kind (of :mod:`stat`); a link is none but a link."""
    try:
        return kind(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _read(folder: int, path: Path) -> Collected:
    try:
        return _opened(folder, path)
    except OSError as error:
        return Collected(path, b"", f"{path} can't be opened: {why(error)}")
    except ValueError:  # a NUL character in the name
        return Collected(path, b"", f"{str(path)!r} is no file name")


def _opened(folder: int, path: Path) -> Collected:
    # Looked at before it is opened, since opening a device may do something; and again after,
    # since it may be another by then.
    before = os.stat(path.name, dir_fd=folder, follow_symlinks=False)
    if problem := _problem(before, os.fstat(folder)):
        return Collected(path, b"", f"{path} {problem}")
    fd = os.open(path.name, _FILE, dir_fd=folder)
    with os.fdopen(fd, "rb") as file:
        state = os.fstat(fd)
        if problem := _problem(state, os.fstat(folder)):
            return Collected(path, b"", f"{path} {problem}")
        content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise OSError(errno.EFBIG, "it grew beyond the limit while it was read")
        return Collected(path, content, None, state.st_mtime_ns)


def _problem(state: os.stat_result, folder: os.stat_result) -> str | None:
    """What is wrong with a file, as the end of a sentence; None where nothing is."""
    if not stat.S_ISREG(state.st_mode):
        return f"is {_KINDS.get(stat.S_IFMT(state.st_mode), 'no regular file')} and no file"
    if state.st_uid not in {folder.st_uid, os.geteuid()}:
        return "belongs to somebody else than its folder does"
    if state.st_nlink != 1:
        return "has another name elsewhere (a hard link)"
    if state.st_size == 0:
        return "is empty"
    if state.st_size > MAX_BYTES:
        return f"is larger than {MAX_BYTES:,} bytes"
    return None
