"""Folders that others can write to: nothing is followed, nothing is waited for."""

from __future__ import annotations

import os
import socket
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest

from mission_tui.ledger import batch, collector
from mission_tui.ledger.batch import Done
from mission_tui.ledger.files import CannotOpenError
from mission_tui.ledger.strict import MAX_BYTES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "handed in"
    made.mkdir()
    return made


def test_every_odd_file_gives_one_sentence_within_a_second(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("private")
    (folder / "a.ledger.json").write_bytes(b"good")
    (folder / "b link.ledger.json").symlink_to(secret)
    os.mkfifo(folder / "c pipe.ledger.json")
    (folder / "d empty.ledger.json").touch()
    (folder / "e hard.ledger.json").hardlink_to(secret)
    (folder / "f folder.ledger.json").mkdir()
    with (folder / "g huge.ledger.json").open("wb") as file:
        file.truncate(10**12)
    (folder / "h folder link").symlink_to(tmp_path)
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(folder / "i socket"))
    (folder / "j dangling").symlink_to(tmp_path / "none")
    (folder / "k brackets.ledger.json").write_bytes(b"[" * 100_000)
    (folder / "\x1b[2Jl").write_bytes(b"good")
    began = time.monotonic()
    found = {item.path.name: item for item in collector.collect(folder)}
    assert time.monotonic() - began < 1
    read = {name: len(item.content) for name, item in found.items() if item.problem is None}
    assert read == {"a.ledger.json": 4, "k brackets.ledger.json": 100_000, "\x1b[2Jl": 4}
    said = {name: item.problem for name, item in found.items() if item.problem is not None}
    for name, words in {
        "b link.ledger.json": "symbolic link",
        "c pipe.ledger.json": "a pipe",
        "d empty.ledger.json": "is empty",
        "e hard.ledger.json": "hard link",
        "f folder.ledger.json": "a folder",
        "g huge.ledger.json": "larger than",
        "h folder link": "symbolic link",
        "i socket": "a socket",
        "j dangling": "symbolic link",
    }.items():
        assert words in str(said.pop(name))
    assert said == {}
    assert all(item.content == b"" for item in found.values() if item.problem)


def test_folders_in_folders_are_read_and_neighbours_left_out(folder: Path) -> None:
    (folder / "ada").mkdir()
    for name in (
        "p.ledger.json",
        "p.jsonl",
        "p.receipts.jsonl",
        "p.queue.jsonl",
        "p.jsonl.torn",
        "p.jsonl.lock",
        "p.ledger.json.marks.toml",
        "p.ledger.json.marks.toml.sig",
        ".p.tmp",
    ):
        (folder / "ada" / name).write_text("x")
    assert [item.path for item in collector.collect(folder)] == [folder / "ada" / "p.ledger.json"]


def test_nothing_handed_in_vanishes_by_its_name(folder: Path, tmp_path: Path) -> None:
    alone = (
        "20260101T000000Z-00000000.jsonl",  # a journal in the place of a ledger
        "ada.csv",
        "bob.html",
        "eve.receipts.jsonl",
        "kim.ledger.jsonl",
        "lee.old",
        "max.toml",
        "mia.ledger.json.marks.toml",
        "noa.ledger.json.sig",
        "ona.lock",
        "pia.tmp",
        "ray.ledger.json",
        "ray.marks.toml",
        "sue.torn",
    )
    for name in alone:
        (folder / name).write_text("x")
    (folder / "ray.jsonl").symlink_to(tmp_path)  # the program writes no links
    (folder / "uma.csv").mkdir()
    (folder / "uma.csv" / "x.ledger.json").write_text("x")
    found = [str(item.path.relative_to(folder)) for item in collector.collect(folder)]
    assert found == sorted([*alone, "ray.jsonl", "uma.csv/x.ledger.json"])


def test_an_open_plays_journal_has_one_row(folder: Path) -> None:
    for name in ("p.jsonl", "p.jsonl.lock", "p.jsonl.torn", "p.receipts.jsonl", "p.queue.jsonl"):
        (folder / name).write_text("x")
    assert [item.path.name for item in collector.collect(folder)] == ["p.jsonl"]


def test_what_the_desk_reads_and_writes_is_left_out(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.ledger.json").write_text("x")
    (folder / "ml").mkdir()
    for name in ("roster.toml", "rows.jsonl", "ml/roster.toml", "ml/secret"):
        (folder / name).write_text("x")
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    for but in (
        [folder / "roster.toml", folder / "rows.jsonl", folder / "ml"],
        [Path("handed in/roster.toml"), Path("link/rows.jsonl"), Path("handed in/../link/ml/")],
        [folder, tmp_path, folder / "roster.toml", folder / "rows.jsonl", folder / "ml"],
    ):
        for where in (folder, Path("handed in")):
            found = [item.path.name for item in collector.collect(where, but)]
            assert found == ["a.ledger.json"], but


def test_folders_without_end_come_to_one(folder: Path) -> None:
    deep = folder
    for _ in range(collector.DEEPEST + 3):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (found,) = collector.collect(folder)
    assert "too deep" in str(found.problem)


def test_a_folder_that_is_none_can_not_be_opened(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    (folder / "file").touch()
    for odd in (tmp_path / "none", tmp_path / "link", folder / "file", Path("a\0b")):
        with pytest.raises(CannotOpenError):
            list(collector.collect(odd))


def test_one_file_is_read_as_carefully(folder: Path, tmp_path: Path) -> None:
    (folder / "good").write_bytes(b"good")
    (folder / "link").symlink_to(folder / "good")
    assert collector.read(folder / "good").content == b"good"
    for odd in (folder / "link", folder / "none", tmp_path / "none" / "x", folder / "a\0b"):
        assert collector.read(odd).problem


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_somebody_elses_file_is_not_read(folder: Path) -> None:
    os.chown(folder, 1000, 1000)
    for name, owner in (("ada's", 1000), ("ours", os.geteuid()), ("bob's", 1001)):
        (folder / name).write_bytes(b"x")
        os.chown(folder / name, owner, owner)
    found = {item.path.name: item.problem for item in collector.collect(folder)}
    assert found.pop("bob's") is not None
    assert found == {"ada's": None, "ours": None}


def test_a_file_that_grows_while_it_is_read_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "x").write_bytes(b"x" * (MAX_BYTES + 1))
    monkeypatch.setattr(collector, "_problem", lambda *_: None)
    assert "grew" in str(collector.read(folder / "x").problem)


# -- many at once ------------------------------------------------------------------------------


def length(path: Path, content: bytes) -> batch.Row:
    return {"file": str(path), "length": len(content)}


@pytest.fixture(params=[None, 3])
def executor(request: pytest.FixtureRequest) -> Executor | None:
    return ThreadPoolExecutor(request.param) if request.param else None


def test_rows_come_in_the_order_of_the_files(folder: Path, executor: Executor | None) -> None:
    for n in range(20):
        (folder / f"{n:02}").write_bytes(b"x" * (20 - n))
    (folder / "05").unlink()
    (folder / "05").touch()
    found = list(batch.judge_all(collector.collect(folder), length, executor, Done(None, "")))
    assert [each.file.path.name for each in found] == [f"{n:02}" for n in range(20)]
    assert [each.row["length"] if each.row else None for each in found] == [
        None if n == 5 else 20 - n for n in range(20)
    ]


def test_what_is_done_is_not_done_again_unless_it_changed(
    folder: Path, tmp_path: Path, executor: Executor | None
) -> None:
    asked: list[str] = []

    def task(path: Path, content: bytes) -> batch.Row:
        asked.append(path.name)
        return length(path, content)

    def run(by: str = "1") -> list[int]:
        asked.clear()
        done = Done(tmp_path / "rows", by)
        rows = batch.judge_all(collector.collect(folder), task, executor, done)
        return [each.row["length"] for each in rows if each.row]

    for name in "abc":
        (folder / name).write_bytes(name.encode())
    assert (run(), sorted(asked)) == ([1, 1, 1], ["a", "b", "c"])
    assert (run(), asked) == ([1, 1, 1], [])
    (folder / "b").write_bytes(b"B")  # the same size
    assert (run(), asked) == ([1, 1, 1], ["b"])
    os.utime(folder / "c", (1, 1))
    (folder / "a").rename(folder / "A")
    assert (run(), asked) == ([1, 1, 1], [])  # a content is judged once, whatever it is called
    (folder / "d").write_bytes(b"dd")
    assert (run(), asked) == ([1, 1, 1, 2], ["d"])
    assert (run("2"), sorted(asked)) == ([1, 1, 1, 2], ["A", "b", "c", "d"])
    assert (run("2"), asked) == ([1, 1, 1, 2], [])


def test_a_run_that_died_goes_on(folder: Path, tmp_path: Path) -> None:
    for n in range(5):
        (folder / str(n)).write_bytes(b"%d" % n)

    def dies(path: Path, content: bytes) -> batch.Row:
        if path.name == "3":
            raise KeyboardInterrupt
        return length(path, content)

    with pytest.raises(KeyboardInterrupt):
        list(batch.judge_all(collector.collect(folder), dies, None, Done(tmp_path / "rows", "")))
    with (tmp_path / "rows").open("ab") as file:
        file.write(b'{"file": "torn')
    asked: list[str] = []

    def task(path: Path, content: bytes) -> batch.Row:
        asked.append(path.name)
        return length(path, content)

    for _ in range(2):
        done = Done(tmp_path / "rows", "")
        found = list(batch.judge_all(collector.collect(folder), task, None, done))
        assert len(found) == 5
    assert asked == ["3", "4"]


def test_few_contents_are_held_at_a_time(folder: Path) -> None:
    for n in range(50):
        (folder / f"{n:02}").write_bytes(b"x")
    read = 0

    def counted() -> object:
        nonlocal read
        for item in collector.collect(folder):
            read += 1
            yield item

    with ThreadPoolExecutor(2) as pool:
        most = 0
        for given, _ in enumerate(batch.judge_all(counted(), length, pool, Done(None, "")), 1):  # type: ignore[arg-type]
            most = max(most, read - given)
    assert most < 5
