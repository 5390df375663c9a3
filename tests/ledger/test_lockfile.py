from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mission_tui.ledger import lockfile
from mission_tui.ledger.lockfile import HeldError, PlayLock

BOOT, HOST = "this-boot", "this-host"


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lockfile, "_boot", lambda: BOOT)
    monkeypatch.setattr(lockfile.socket, "gethostname", lambda: HOST)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ada" / "play.jsonl.lock"


@pytest.fixture
def no_flock(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "")

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.fixture
def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-S", "-c", ""])
    child.wait()
    return child.pid


def name(path: Path, boot: str, host: str, pid: object) -> None:
    path.parent.mkdir(exist_ok=True)
    named = {"boot": boot, "host": host, "pid": pid}
    path.write_text(json.dumps(named, separators=(",", ":")))


def test_a_second_session_is_told_who_holds_the_play(path: Path):
    lock = PlayLock.take(path)
    with pytest.raises(HeldError, match=f"process {os.getpid()} on {HOST}") as caught:
        PlayLock.take(path)
    assert str(path) in str(caught.value)
    lock.release()
    PlayLock.take(path).release()


def test_release_leaves_no_file_and_can_be_repeated(path: Path):
    lock = PlayLock.take(path)
    lock.release()
    lock.release()
    assert not path.exists()


def test_a_late_release_does_not_free_the_next_session(path: Path):
    first = PlayLock.take(path)
    path.unlink()  # someone followed the advice to delete it
    second = PlayLock.take(path)
    first.release()
    with pytest.raises(HeldError):
        PlayLock.take(path)
    second.release()


def test_a_lock_that_its_holder_removes_meanwhile_is_taken_anew(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Else two sessions could each hold a lock: one on the file, one on the removed one."""
    real, removed = fcntl.flock, []

    def slow(fd: int, how: int) -> None:
        if not removed:
            removed.append(path.unlink())
        real(fd, how)

    monkeypatch.setattr(fcntl, "flock", slow)
    lock = PlayLock.take(path)
    with pytest.raises(HeldError):
        PlayLock.take(path)
    lock.release()


@pytest.mark.parametrize(
    ("boot", "host"), [(BOOT, HOST), (BOOT, "a-container"), ("earlier-boot", HOST)]
)
def test_a_lock_of_a_session_that_is_gone_is_taken_over(path: Path, boot: str, host: str):
    name(path, boot, host, os.getpid())  # flock is free, so whoever wrote this is gone
    lock = PlayLock.take(path)
    assert json.loads(path.read_text()) == {"boot": BOOT, "host": HOST, "pid": os.getpid()}
    lock.release()


def test_a_session_on_another_host_is_believed(path: Path):
    name(path, "its-boot", "other-host", 7)
    with pytest.raises(HeldError, match="process 7 on other-host"):
        PlayLock.take(path)


@pytest.mark.parametrize("content", ["", "junk", "[]", "[" * 9000, '{"pid": 1}', "\0" * 50])
def test_a_lock_file_that_no_session_wrote_keeps_nobody_out(path: Path, content: str):
    path.parent.mkdir()
    path.write_text(content)
    PlayLock.take(path).release()


@pytest.mark.usefixtures("no_flock")
def test_without_flock_a_live_process_holds(path: Path):
    lock = PlayLock.take(path)
    with pytest.raises(HeldError):
        PlayLock.take(path)
    lock.release()
    PlayLock.take(path).release()


@pytest.mark.usefixtures("no_flock")
def test_without_flock_a_dead_process_does_not_hold(path: Path, dead_pid: int):
    for pid in (dead_pid, "x", True, -1, 2**40):
        name(path, BOOT, HOST, pid)
        PlayLock.take(path).release()


def test_a_full_disk_still_locks_by_flock(path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr(os, "pwrite", full)
    lock = PlayLock.take(path)
    with pytest.raises(HeldError):
        PlayLock.take(path)
    lock.release()


def test_a_link_in_place_of_the_lock_is_not_followed(path: Path, tmp_path: Path):
    path.parent.mkdir()
    (tmp_path / "precious").write_text("keep")
    path.symlink_to(tmp_path / "precious")
    with pytest.raises(OSError):
        PlayLock.take(path)
    assert (tmp_path / "precious").read_text() == "keep"
