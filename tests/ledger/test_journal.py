from __future__ import annotations

import errno
import itertools
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mission_tui.ledger import journal as journal_module
from mission_tui.ledger.chain import judge_chain
from mission_tui.ledger.files import CannotOpenError
from mission_tui.ledger.journal import Journal
from mission_tui.ledger.lines import parse_lines, read_lines
from mission_tui.ledger.lockfile import HeldError
from mission_tui.play.events import ACKNOWLEDGED, Event
from tests.ledger.faults import CODES, OF_A_JOURNAL, faults

Write = Callable[[list[Event]], bytes]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ada" / "play.jsonl"


def fill(path: Path, play: list[Event]) -> Journal:
    journal = Journal.create(path, play[0])
    for event in play[1:]:
        journal.append(event)
    return journal


def test_a_play_is_saved_as_its_chained_lines(path: Path, play: list[Event], write: Write):
    journal = fill(path, play)
    assert path.read_bytes() == write(play) == journal.payload
    assert judge_chain(parse_lines(journal.payload)).state == "holds"


def test_a_play_goes_on_where_it_was_left(path: Path, play: list[Event], write: Write):
    fill(path, play[:3]).close()
    journal = Journal.open(path)
    assert journal.events == tuple(play[:3])
    assert (journal.next_seq, journal.recovery, journal.is_closed) == (3, None, False)
    for event in play[3:]:
        assert journal.append(event)
    assert path.read_bytes() == write(play)
    assert journal.is_closed


def test_files_are_closed_to_others(path: Path, play: list[Event]):
    before = os.umask(0)
    try:
        journal = fill(path, play[:2])
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in path.parent.iterdir())
    journal.close()


def test_a_students_folder_that_others_could_enter_is_closed(path: Path, play: list[Event]):
    path.parent.mkdir(mode=0o755)
    fill(path, play)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_an_existing_play_is_never_begun_anew(path: Path, play: list[Event], write: Write):
    fill(path, play).close()
    with pytest.raises(FileExistsError):
        Journal.create(path, play[0])
    assert path.read_bytes() == write(play)
    Journal.open(path).close()  # and its lock was given back


@pytest.mark.parametrize("wrong", [0, 2])
def test_an_event_out_of_order_is_refused(path: Path, play: list[Event], wrong: int):
    journal = fill(path, play[:1])
    with pytest.raises(ValueError):
        journal.append(play[wrong])
    assert journal.events == (play[0],)


def test_nothing_comes_after_the_close(path: Path, play: list[Event]):
    journal = fill(path, play)
    with pytest.raises(ValueError, match="closed"):
        journal.append(Event(7, "note", None, 0, "", {}))


# ----------------------------------------------------------------- when bytes reach the disk


def test_only_acknowledged_kinds_wait_for_the_disk(
    path: Path, play: list[Event], monkeypatch: pytest.MonkeyPatch
):
    synced: list[int] = []
    monkeypatch.setattr(journal_module, "_sync", lambda fd: synced.append(os.fstat(fd).st_size))
    journal = Journal.create(path, play[0])
    for event in play[1:]:
        synced.clear()
        journal.append(event)
        assert bool(synced) == (event.kind in ACKNOWLEDGED)
        assert path.stat().st_size == len(journal.payload)  # with the kernel in any case


def test_flush_syncs_what_was_batched_and_then_rests(
    path: Path, play: list[Event], monkeypatch: pytest.MonkeyPatch
):
    journal = fill(path, play[:4])  # ends with a control
    synced: list[int] = []
    monkeypatch.setattr(journal_module, "_sync", lambda fd: synced.append(fd))
    assert journal.flush()
    assert len(synced) == 1

    def refuse(*_: object) -> None:
        raise AssertionError("a system call while idle")

    for name in ("pwrite", "fstat", "ftruncate", "open", "fsync"):
        monkeypatch.setattr(os, name, refuse)
    assert journal.flush()
    assert len(synced) == 1
    monkeypatch.undo()


# ------------------------------------------------------------------------------ broken files


def test_every_prefix_of_a_journal_is_recovered(tmp_path: Path, play: list[Event], write: Write):
    content = write(play[:4])
    ends = [0, *itertools.accumulate(len(line) for line in content.splitlines(keepends=True))]
    for size in range(len(content) + 1):
        path = tmp_path / f"{size}.jsonl"
        path.write_bytes(content[:size])
        whole = sum(end <= size for end in ends) - 1
        if whole == 0:
            with pytest.raises(CannotOpenError, match="holds no play"):
                Journal.open(path)
            assert path.read_bytes() == content[:size]
            continue
        journal = Journal.open(path)
        journal.close()
        assert journal.events == tuple(play[:whole])
        assert path.read_bytes() == content[: ends[whole]]
        torn = path.with_name(f"{size}.jsonl.torn")
        if tail := content[ends[whole] : size]:
            assert torn.read_bytes() == tail
            assert journal.recovery is not None
            assert journal.recovery.data()["torn_bytes"] == len(tail)
            assert journal.recovery.kept_events == whole
        else:
            assert not torn.exists()
            assert journal.recovery is None


@pytest.mark.parametrize("garbage", [b"\0" * 300, b"{}\n", b"x\ny\n", b"[" * 50_000 + b"\n"])
def test_garbage_after_the_lines_is_kept_beside(
    path: Path, play: list[Event], write: Write, garbage: bytes
):
    fill(path, play[:3]).close()
    torn = path.with_name("play.jsonl.torn")
    torn.write_bytes(b"from before;")
    path.write_bytes(path.read_bytes() + garbage)
    journal = Journal.open(path)
    assert torn.read_bytes() == b"from before;" + garbage
    assert journal.recovery is not None
    note = Event(3, "recovered", None, 5, "", journal.recovery.data())
    assert journal.append(note)
    assert path.read_bytes() == write([*play[:3], note])


def test_lines_after_an_edited_one_are_set_aside_not_deleted(
    path: Path, play: list[Event], write: Write
):
    fill(path, play).close()
    edited = write(play).replace(b'"value":30', b'"value":31')
    path.write_bytes(edited)
    journal = Journal.open(path)
    assert journal.next_seq == 4  # the edited line, 3, is well-formed; line 4 does not follow it
    rest = path.with_name("play.jsonl.torn").read_bytes()
    assert path.read_bytes() + rest == edited


def test_what_is_no_play_is_left_alone(path: Path, tmp_path: Path):
    path.parent.mkdir()
    for content in (b"", b"hello\n"):
        path.write_bytes(content)
        with pytest.raises(CannotOpenError):
            Journal.open(path)
        assert path.read_bytes() == content
    with pytest.raises(CannotOpenError):
        Journal.open(tmp_path / "nobody" / "play.jsonl")
    assert not (tmp_path / "nobody").exists()


def test_links_and_fifos_are_not_opened(path: Path, play: list[Event], tmp_path: Path):
    fill(path, play).close()
    link, fifo = path.with_name("link.jsonl"), path.with_name("fifo.jsonl")
    link.symlink_to(path)
    os.mkfifo(fifo)
    for odd in (link, fifo):
        with pytest.raises(CannotOpenError):
            Journal.open(odd)


# ---------------------------------------------------------------------------------- failures


@pytest.mark.parametrize("repeat", [1, 3, 1_000])
@pytest.mark.parametrize("code", CODES)
def test_no_failing_call_crashes_or_loses_anything(
    tmp_path: Path, play: list[Event], write: Write, code: int, repeat: int
):
    content = write(play)
    for number in itertools.count(1):
        path = tmp_path / str(number) / "play.jsonl"
        with faults(number, code, repeat, OF_A_JOURNAL) as fault:
            journal = Journal.create(path, play[0])
            for index, event in enumerate(play[1:], start=2):
                saved = journal.append(event)
                assert saved == (journal.unsaved is None)
                if saved:  # never said without being so
                    assert path.read_bytes() == write(play[:index])
        assert journal.events == tuple(play)
        if journal.unsaved:
            assert journal.unsaved.endswith(".")
        assert journal.flush()  # calls work again
        assert journal.unsaved is None
        assert path.read_bytes() == content
        journal.close()
        if not fault.struck:
            break
    assert number > 20


@pytest.mark.parametrize("code", CODES)
def test_no_failing_call_loses_a_torn_tail(
    tmp_path: Path, play: list[Event], write: Write, code: int
):
    for number in itertools.count(1):
        path = tmp_path / str(number) / "play.jsonl"
        fill(path, play[:3]).close()
        path.write_bytes(path.read_bytes() + b"torn")
        with faults(number, code, 1, OF_A_JOURNAL) as fault:
            try:
                journal = Journal.open(path)
            except CannotOpenError:  # it could not even be read, and is untouched
                assert path.read_bytes() == write(play[:3]) + b"torn"
                continue
            journal.append(play[3])
        assert journal.flush()
        assert path.read_bytes() == write(play[:4])
        assert path.with_name("play.jsonl.torn").read_bytes().endswith(b"torn")
        journal.close()
        if not fault.struck:
            break
    assert number > 15


def test_after_a_failed_sync_the_same_bytes_are_written_again(
    path: Path, play: list[Event], monkeypatch: pytest.MonkeyPatch
):
    """A failed sync may drop pages and call them clean: a second sync alone proves nothing."""
    journal = fill(path, play[:2])
    journal.flush()
    start = len(journal.payload)

    def fail(fd: int) -> None:
        raise OSError(errno.EIO, "")

    with monkeypatch.context() as patch:
        patch.setattr(journal_module, "_sync", fail)
        assert not journal.append(play[2])
    written: list[tuple[bytes, int]] = []
    real = os.pwrite
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda fd, d, at: written.append((d, at)) or real(fd, d, at))
        assert journal.flush()
    assert written == [(journal.payload[start:], start)]


def test_a_short_write_leaves_no_torn_line_behind(path: Path, play: list[Event], write: Write):
    journal = fill(path, play[:2])
    real = os.pwrite
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "pwrite", lambda fd, data, at: real(fd, data[:20], at))
        assert not journal.append(play[2])
    assert path.read_bytes() == write(play[:2])


def test_saved_again_means_on_disk_again(
    path: Path, play: list[Event], monkeypatch: pytest.MonkeyPatch
):
    """A batched event must not clear the banner of an acknowledged one that is not durable."""
    journal = fill(path, play[:2])

    def fail(fd: int) -> None:
        raise OSError(errno.EIO, "")

    monkeypatch.setattr(journal_module, "_sync", fail)
    assert not journal.append(play[2])  # a lock
    assert not journal.append(play[3])  # a control
    assert journal.unsaved


def test_the_banner_says_what_is_wrong(path: Path, play: list[Event]):
    with faults(1, errno.ENOSPC, 1_000, OF_A_JOURNAL):
        journal = Journal.create(path, play[0])
        assert journal.unsaved == f"This play is not being saved: the disk is full ({path})."


def test_an_unsaved_play_moves_to_another_place(
    path: Path, tmp_path: Path, play: list[Event], write: Write
):
    journal = fill(path, play[:3])
    with pytest.MonkeyPatch.context() as patch:

        def full(*_: object) -> int:
            raise OSError(errno.ENOSPC, "")

        patch.setattr(os, "pwrite", full)
        journal.append(play[3])
        assert not journal.move_to(tmp_path / "also-full" / "play.jsonl")
        assert journal.unsaved
        assert not (tmp_path / "also-full" / "play.jsonl").exists()
    elsewhere = tmp_path / "also-full" / "play.jsonl"  # not any more
    assert journal.move_to(elsewhere)
    assert journal.unsaved is None
    assert journal.path == elsewhere
    assert journal.append(play[4])
    assert elsewhere.read_bytes() == write(play[:5])
    assert path.read_bytes() == write(play[:3])
    Journal.open(path).close()  # the old place is free
    with pytest.raises(HeldError):
        Journal.open(elsewhere)


def test_a_play_never_moves_onto_a_file(path: Path, tmp_path: Path, play: list[Event]):
    taken = tmp_path / "taken.jsonl"
    taken.write_bytes(b"mine")
    journal = fill(path, play[:2])
    with pytest.raises(FileExistsError):
        journal.move_to(taken)
    assert taken.read_bytes() == b"mine"
    assert journal.append(play[2])


def test_a_file_deleted_during_the_play_is_made_whole_again(
    path: Path, play: list[Event], write: Write
):
    journal = fill(path, play[:3])
    path.unlink()
    assert journal.append(play[3])
    assert path.read_bytes() == write(play[:4])
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()
    assert journal.append(play[4])
    assert path.read_bytes() == write(play[:5])


def test_lines_of_another_program_are_not_overwritten(path: Path, play: list[Event]):
    journal = fill(path, play[:3])
    foreign = path.read_bytes() + b"someone else wrote this\n"
    path.write_bytes(foreign)
    assert not journal.append(play[3])
    assert journal.unsaved
    assert "changed by another program" in journal.unsaved
    assert path.read_bytes() == foreign


# ---------------------------------------------------------------------------------- kill -9

CHILD = """
import os, sys
from pathlib import Path
from mission_tui.ledger.journal import Journal
from mission_tui.play.events import Event

path = Path(sys.argv[1])
kinds = ["lock", "control", "run", "run_end", "note"]
if path.exists():
    journal = Journal.open(path)
    if journal.recovery:
        data = journal.recovery.data()
        journal.append(Event(journal.next_seq, "recovered", None, 0, "", data))
else:
    journal = Journal.create(path, Event(0, "header", None, 0, "", {}))
while True:
    seq = journal.next_seq
    kind = kinds[seq % 5]
    assert journal.append(Event(seq, kind, None, 0, "", {"text": "x" * (seq * 37 % 5000)}))
    os.write(1, b"%d\\n" % seq)
"""


def test_kill_9_loses_nothing_that_was_acknowledged(path: Path):
    for turn in range(20):
        child = subprocess.Popen(
            [sys.executable, "-E", "-c", CHILD, str(path)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert child.stdout is not None
        for _ in range(1 + turn * 3):
            child.stdout.readline()
        child.kill()
        told = child.stdout.read().splitlines()  # what it said until it died
        child.wait()
        child.stdout.close()
        content = path.read_bytes()
        journal = Journal.open(path)  # and takes over the dead session's lock
        journal.close()
        if told:
            assert journal.events[int(told[-1])].seq == int(told[-1])
        assert content.startswith(path.read_bytes())
        assert len(read_lines(path.read_bytes())) == journal.next_seq > turn
