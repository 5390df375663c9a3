"""The student's side of the witness: play never waits, and nothing that was sealed is forgotten."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mission_tui.content.load import MissionFile
from mission_tui.ledger import plays, receipts
from mission_tui.ledger.chain import link
from mission_tui.ledger.lockfile import PlayLock
from mission_tui.ledger.receipts import Head, NoAnswer
from mission_tui.ledger.witness import Quota, Server, Witness
from mission_tui.play import bots

HEAD = Head("20260101T000000Z-00000000", "ab" * 32, 7)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("MISSION_TUI_STATE", str(tmp_path / "state"))
    listening = Server(Witness(tmp_path / "witness"), tmp_path / "open" / "witness")
    monkeypatch.setenv(receipts.VARIABLE, str(listening.path))
    thread = threading.Thread(target=listening.serve)
    thread.start()
    yield listening
    listening.stop()
    thread.join(5)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "saves" / "ada" / f"{HEAD.play}.jsonl"


def until(holds: Callable[[], object]) -> bool:
    """Wait for what a thread does."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.01)
    return False


def idle() -> bool:
    """Whether no thread is asking a witness any more."""
    return not any(thread.name == "receipts" for thread in threading.enumerate())


def test_a_receipt_is_kept_beside_the_journal(server: Server, journal: Path) -> None:
    witness = receipts.Witness.of_environment()
    assert witness is not None
    witness.ask(journal, HEAD)
    assert until(idle)
    (receipt,) = receipts.kept(journal)
    assert receipt.is_for(HEAD)
    assert receipt.holds
    assert not receipt.late
    assert receipts.waiting(journal) == ()
    assert [path.name for path in journal.parent.iterdir()] == [f"{HEAD.play}.receipts.jsonl"]
    assert stat.S_IMODE(receipts.copies(journal).stat().st_mode) == 0o600
    assert receipts.read(journal.parent) == {HEAD.play: (receipt,)}


def test_no_witness_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(receipts.VARIABLE, raising=False)
    assert receipts.Witness.of_environment() is None


def test_what_can_not_be_sent_is_queued_and_sent_late(server: Server, journal: Path) -> None:
    nowhere = receipts.Witness(str(server.path) + ".gone")
    second = replace(HEAD, count=9)
    nowhere.ask(journal, HEAD)
    nowhere.ask(journal, second)
    assert until(idle)
    assert receipts.waiting(journal) == (HEAD, second)
    assert receipts.kept(journal) == ()
    third = replace(HEAD, count=11)
    receipts.Witness(str(server.path)).ask(journal, third)
    assert until(idle)
    found = {receipt.count: receipt.late for receipt in receipts.kept(journal)}
    assert found == {7: True, 9: True, 11: False}
    assert receipts.waiting(journal) == ()


def test_queues_of_other_plays_are_sent_unless_their_session_lives(
    server: Server, journal: Path
) -> None:
    nowhere = receipts.Witness(str(server.path) + ".gone")
    one, two = (journal.with_name(f"{name}.jsonl") for name in ("one", "two"))
    for path in (one, two):
        nowhere.ask(path, replace(HEAD, play=path.stem))
    assert until(idle)
    lock = PlayLock.take(two.with_name(two.name + ".lock"))
    receipts.Witness(str(server.path)).catch_up(journal)
    assert until(idle)
    assert [receipt.late for receipt in receipts.kept(one)] == [True]
    assert receipts.kept(two) == ()
    assert receipts.waiting(two)
    lock.release()


def test_a_refusal_is_not_asked_for_again(server: Server, journal: Path) -> None:
    (server.path.parent.parent / "witness" / "plays" / HEAD.play).write_text("4711~uid")
    receipts.Witness(str(server.path)).ask(journal, HEAD)
    assert until(idle)
    assert receipts.kept(journal) == receipts.waiting(journal) == ()


def test_what_is_beyond_the_quota_of_a_day_waits_and_nothing_is_lost(
    tmp_path: Path, journal: Path
) -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    desk = Witness(tmp_path / "witness", lambda: now[0], Quota(receipts=2))
    listening = Server(desk, tmp_path / "open" / "witness")
    thread = threading.Thread(target=listening.serve)
    thread.start()
    heads = [replace(HEAD, count=count) for count in range(7, 12)]
    nowhere = receipts.Witness(str(listening.path) + ".gone")
    for head in heads:
        nowhere.ask(journal, head)
    assert until(idle)
    for day, left in enumerate([3, 1, 0], start=1):
        receipts.Witness(str(listening.path)).catch_up(journal)
        assert until(idle)
        assert len(receipts.waiting(journal)) == left
        now[0] = datetime(2026, 1, 1 + day, tzinfo=UTC)
    found = receipts.kept(journal)
    assert [receipt.count for receipt in found] == [head.count for head in heads]
    assert [receipt.at[8:10] for receipt in found] == ["01", "01", "02", "02", "03"]
    listening.stop()
    thread.join(5)


def test_garbage_in_the_queue_is_passed_over(server: Server, journal: Path) -> None:
    journal.parent.mkdir(parents=True)
    queue = journal.with_suffix(".queue.jsonl")
    good = json.dumps({"count": 7, "head": HEAD.head, "play": HEAD.play}, separators=(",", ":"))
    queue.write_bytes(
        b'{}\n[]\n\xff\n{"count":1,"head":"x","play":"../x"}\n' + good.encode() + b"\n{"
    )
    assert receipts.waiting(journal) == (HEAD,)
    receipts.Witness(str(server.path)).catch_up(journal)
    assert until(idle)
    assert [receipt.late for receipt in receipts.kept(journal)] == [True]


def answers_with(tmp_path: Path, answer: bytes | None) -> tuple[str, socket.socket]:
    """A witness that says always the same, or nothing at all."""
    path = tmp_path / "odd"
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.bind(str(path))
    line.listen()

    def serve() -> None:
        try:
            while True:
                other, _ = line.accept()
                if answer is None:
                    time.sleep(0.5)
                else:
                    with other:
                        other.recv(10_000)
                        other.sendall(answer)
        except OSError:
            return

    threading.Thread(target=serve, daemon=True).start()
    return str(path), line


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\n",
        b"{}\n",
        b"garbage\n",
        b"[" * 9000,
        b'{"receipt":{}}\n',
        b'{"error":7}\n',
        b"x" * 20_000,
    ],
)
def test_an_odd_witness_gives_one_sentence(tmp_path: Path, answer: bytes) -> None:
    where, line = answers_with(tmp_path, answer)
    with line, pytest.raises(NoAnswer) as caught:
        receipts.exchange(where, [HEAD.request(late=False)])
    assert "\n" not in str(caught.value)


def test_a_silent_witness_is_not_waited_for(
    tmp_path: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "PATIENCE", 0.2)
    where, line = answers_with(tmp_path, None)
    began = time.monotonic()
    receipts.Witness(where).ask(journal, HEAD)
    assert time.monotonic() - began < 0.1
    assert until(idle)
    assert time.monotonic() - began < 1.5
    assert receipts.waiting(journal) == (HEAD,)
    line.close()


@pytest.mark.parametrize("host", ["", "-oProxyCommand=x", "a b", "a;b", "\n", "$(x)"])
def test_what_is_no_host_is_never_given_to_ssh(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoAnswer, match="no host name"):
        receipts.exchange(f"ssh:{host}", [b"x"])


def test_ssh_is_started_without_a_shell_and_asks_nothing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for ssh writes down how it was called, and is the forced command itself."""
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(
        f"#!{os.sys.executable}\n"
        "import sys; from pathlib import Path\n"
        f"sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})\n"
        f"Path({str(tmp_path / 'called')!r}).write_text(repr(sys.argv[1:]))\n"
        "from mission_tui.ledger import witness as w\n"
        f"w.converse(w.Witness(Path({str(tmp_path / 'witness')!r})), w.Asker(1, 'ada'), 0, 1)\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(receipts, "SSH_PATIENCE", 30.0)
    (answer,) = receipts.exchange("ssh:ada@lab.example", [HEAD.request(late=False)])
    assert isinstance(answer, receipts.Receipt)
    assert answer.student == "ada"
    called = (tmp_path / "called").read_text()
    assert called.endswith("'--', 'ada@lab.example']")
    assert "'BatchMode=yes'" in called


def test_ssh_that_fails_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoAnswer, match="ssh can't be started"):
        receipts.exchange("ssh:lab", [HEAD.request(late=False)])
    (tmp_path / "ssh").write_text("#!/bin/sh\nexit 255\n")
    (tmp_path / "ssh").chmod(0o755)
    with pytest.raises(NoAnswer, match=r"can't be reached .*ssh ended with 255"):
        receipts.exchange("ssh:lab", [HEAD.request(late=False)])


# -- a play that is witnessed ------------------------------------------------------------------


def test_each_lock_and_the_close_get_a_receipt(
    server: Server, tmp_path: Path, wall: MissionFile
) -> None:
    saves = tmp_path / "saves"
    with plays.start(saves, wall.tracks["edge"], "ada", "bot:reference") as opened:
        bots.play(opened.game, bots.Reference())
        lines = opened.journal.payload.splitlines()
        path = opened.journal.path
        kinds = [event.kind for event in opened.journal.events]
    assert until(idle)
    wanted = [n + 1 for n, kind in enumerate(kinds) if kind in {"lock", "close"}]
    found = receipts.kept(path)
    assert [receipt.count for receipt in found] == wanted
    assert all(receipt.head == link(lines[receipt.count - 1]) for receipt in found)
    assert [saved.path for saved in plays.saved_plays(saves, "ada")] == [path]


def test_a_play_goes_on_without_its_witness_and_the_next_session_tells_it(
    server: Server, tmp_path: Path, wall: MissionFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    saves, mission = tmp_path / "saves", wall.tracks["edge"]
    monkeypatch.setenv(receipts.VARIABLE, str(tmp_path / "gone"))
    with plays.start(saves, mission, "ada", "bot:reference") as opened:
        bots.play(opened.game, bots.Reference())
        path = opened.journal.path
    assert until(idle)
    assert len(receipts.waiting(path)) == 2
    monkeypatch.setenv(receipts.VARIABLE, str(server.path))
    with plays.start(saves, mission, "ada", "bot:reference"):
        assert until(idle)
    assert receipts.waiting(path) == ()
    assert [receipt.late for receipt in receipts.kept(path)] == [True, True]


def test_what_is_not_on_disk_is_not_witnessed(
    server: Server, tmp_path: Path, wall: MissionFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receipt for a head that is lost with the process would contradict the play."""
    with plays.start(tmp_path / "saves", wall.tracks["edge"], "ada", "bot:reference") as opened:
        monkeypatch.setattr(opened.journal, "_save", lambda *, durably: False)
        bots.play(opened.game, bots.Reference())
        path = opened.journal.path
    assert until(idle)
    assert receipts.kept(path) == receipts.waiting(path) == ()
