"""The witness: what it signs, what it refuses, and that nobody can hold it up."""

from __future__ import annotations

import base64
import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mission_tui.ledger import keys, receipts, strict, witness
from mission_tui.ledger.chain import link
from mission_tui.ledger.envelope import seal
from mission_tui.ledger.receipts import Head
from mission_tui.ledger.witness import BLOCK, Asker, Quota, Server, Witness, WitnessError
from mission_tui.play.events import Event

Write = Callable[[list[Event]], bytes]
ROOT = Path(__file__).resolve().parents[2]
HEAD = Head("20260101T000000Z-00000000", "ab" * 32, 7)
ADA, BOB = Asker(1000), Asker(1001)
START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Witness:
    return Witness(tmp_path / "witness", clock)


def asked(desk: Witness, request: bytes | dict[str, Any], asker: Asker = ADA) -> dict[str, Any]:
    raw = request if isinstance(request, bytes) else strict.encode(request)
    answer = desk.answer(raw, asker)
    assert b"\n" not in answer
    found: dict[str, Any] = json.loads(answer)
    return found


def submission(ledger: bytes) -> dict[str, Any]:
    return {"want": "submit", "ledger": base64.b64encode(ledger).decode()}


@pytest.fixture
def ledger(play: list[Event], write: Write, key: keys.SigningKey) -> bytes:
    return made(play, write, key, HEAD.play)


def made(play: list[Event], write: Write, key: keys.SigningKey, play_id: str) -> bytes:
    header = Event(0, "header", None, 0, "", {**play[0].data, "play_id": play_id})
    return seal(write([header, *play[1:]]), key)


# -- receipts ----------------------------------------------------------------------------------


def test_a_receipt_is_signed_and_names_the_one_before(desk: Witness, clock: Clock) -> None:
    first = receipts.of(asked(desk, HEAD.request(late=False))["receipt"])
    clock.now += timedelta(milliseconds=1500)
    second = receipts.of(asked(desk, HEAD.request(late=True))["receipt"])
    assert first.is_for(HEAD)
    assert (first.uid, first.student, first.late, second.late) == (1000, None, False, True)
    assert (first.at, second.at) == (
        "2026-01-01T00:00:00.000+00:00",
        "2026-01-01T00:00:01.500+00:00",
    )
    assert first.previous == receipts.FIRST
    assert first.holds
    assert second.holds
    assert first.witness == desk.public_hex == receipts.public_of(desk.folder)
    log = (desk.folder / receipts.LOG).read_bytes().split(b"\n")
    assert log[:-1] == [first.line(), second.line()]
    assert receipts.read(desk.folder) == {HEAD.play: (first, second)}
    assert witness.broken_link(desk.folder) == (2, None)
    assert stat.S_IMODE(desk.folder.stat().st_mode) == 0o700


def test_a_changed_log_is_noticed(desk: Witness) -> None:
    for _ in range(3):
        asked(desk, HEAD.request(late=False))
    log = desk.folder / receipts.LOG
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0] + lines[2])
    assert witness.broken_link(desk.folder) == (2, 2)
    log.write_bytes(lines[0] + lines[1].replace(b'"count":7', b'"count":8') + lines[2])
    assert witness.broken_link(desk.folder) == (3, 2)


def test_a_clock_that_is_set_back_does_not_undo_the_order(desk: Witness, clock: Clock) -> None:
    first = asked(desk, HEAD.request(late=False))["receipt"]
    clock.now -= timedelta(hours=1)
    assert asked(desk, HEAD.request(late=False))["receipt"]["at"] == first["at"]


def test_the_log_goes_on_after_a_torn_line_and_a_new_process(desk: Witness, clock: Clock) -> None:
    asked(desk, HEAD.request(late=False))
    with (desk.folder / receipts.LOG).open("ab") as log:
        log.write(b'{"at":"2026')
    asked(Witness(desk.folder, clock), HEAD.request(late=False))
    assert witness.broken_link(desk.folder) == (2, None)


def test_several_processes_share_a_log(desk: Witness, clock: Clock) -> None:
    others = [desk, *(Witness(desk.folder, clock) for _ in range(3))]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: asked(others[n % 4], HEAD.request(late=False)), range(40)))
    assert witness.broken_link(desk.folder) == (40, None)


def test_a_play_belongs_to_the_account_that_asks_first(desk: Witness) -> None:
    assert "receipt" in asked(desk, HEAD.request(late=False))
    for other in (BOB, Asker(1000, "bob"), Asker(1000, "1000")):
        assert "another account's" in asked(desk, HEAD.request(late=False), other)["error"]
    assert "receipt" in asked(desk, HEAD.request(late=False))


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"\xff\x00",
        b"{}",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"want":"receipt"}',
        b'{"want":"everything"}',
        b'{"want":"submit","ledger":7}',
        b'{"want":"submit","ledger":"%%%"}',
        b'{"ledger":"","want":"submit"}',
        b'{ "want" : "receipt" }',
        strict.encode({"want": "receipt", "late": 0, "play": "p", "head": "ab" * 32, "count": 1}),
        *(
            strict.encode(
                {"want": "receipt", "late": False, "play": "p", "head": "ab" * 32, "count": 1} | odd
            )
            for odd in (
                {"play": "../../key"},
                {"play": ""},
                {"play": "."},
                {"play": "x" * 81},
                {"play": "a\n"},
                {"play": 7},
                {"head": "AB" * 32},
                {"head": None},
                {"count": 0},
                {"count": True},
                {"count": 1.0},
                {"count": 10**12},
                {"uid": 0},
            )
        ),
    ],
)
def test_garbage_gets_one_sentence_and_no_receipt(desk: Witness, request_: bytes) -> None:
    answer = asked(desk, request_)
    assert answer.keys() == {"error"}
    assert not (desk.folder / receipts.LOG).exists()
    assert list((desk.folder / "plays").iterdir()) == []


def test_a_full_disk_is_said_and_leaves_the_log_whole(
    desk: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(desk, HEAD.request(late=False))

    def full(fd: int, data: bytes) -> None:
        os.write(fd, data[:20])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(witness, "write_all", full)
        answer = asked(desk, HEAD.request(late=False))
    assert answer == {"again": True, "error": "the witness can't write: the disk is full"}
    assert "receipt" in asked(desk, HEAD.request(late=False))
    assert witness.broken_link(desk.folder) == (2, None)


# -- submissions -------------------------------------------------------------------------------


def test_a_ledger_is_stored_once_a_content_and_never_overwritten(
    desk: Witness, ledger: bytes, play: list[Event], write: Write, key: keys.SigningKey
) -> None:
    payload = write([Event(0, "header", None, 0, "", {**play[0].data, "play_id": HEAD.play})])
    cut = seal(payload, key)
    for content in (ledger, ledger, cut, ledger, cut):
        assert "receipt" in asked(desk, submission(content), Asker(1000, "ada"))
    stored = desk.folder / "submissions" / "ada"
    found = {path.name: path.read_bytes() for path in stored.iterdir()}
    assert found == {f"{HEAD.play}.ledger.json": ledger, f"{HEAD.play}.2.ledger.json": cut}
    assert {stat.S_IMODE(path.stat().st_mode) for path in stored.iterdir()} == {0o600}
    last = receipts.of(asked(desk, submission(cut), Asker(1000, "ada"))["receipt"])
    assert (last.count, last.head) == (1, link(payload[:-1]))


def test_contents_of_one_play_have_an_end(
    desk: Witness, play: list[Event], write: Write, key: keys.SigningKey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(witness, "VERSIONS", 2)
    said = []
    for n in range(3):
        data = {**play[0].data, "play_id": HEAD.play, "n": n}
        said.append(
            asked(desk, submission(seal(write([Event(0, "header", None, 0, "", data)]), key)))
        )
    assert ["receipt" in answer for answer in said] == [True, True, False]
    assert "2 different contents" in said[-1]["error"]


@pytest.mark.parametrize(
    "student", ["ada", "..", "../../etc", "1000~uid", "a/b", "-rf", "Ren\u00e9e"]
)
def test_each_account_has_a_folder_of_its_own(
    desk: Witness, ledger: bytes, student: str, tmp_path: Path
) -> None:
    outside = sorted(tmp_path.iterdir())
    assert "receipt" in asked(desk, submission(ledger), Asker(1000, student))
    (folder,) = (desk.folder / "submissions").iterdir()
    assert folder.name != Asker(1000).folder
    assert [path.name for path in folder.iterdir()] == [f"{HEAD.play}.ledger.json"]
    assert sorted(tmp_path.iterdir()) == outside


@pytest.mark.parametrize("play_id", ["../key", "", 7, None, "x/y", "\x1b[2J"])
def test_a_hostile_play_id_is_refused(
    desk: Witness, play: list[Event], write: Write, key: keys.SigningKey, play_id: object
) -> None:
    header = Event(0, "header", None, 0, "", {**play[0].data, "play_id": play_id})
    answer = asked(desk, submission(seal(write([header]), key)))
    assert "no play id" in answer["error"]


# -- what one account may have -----------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path, clock: Clock) -> Witness:
    """A witness that gives little."""
    return Witness(tmp_path / "small", clock, Quota(receipts=3, plays=2, stored=6 * BLOCK))


def head(play: int) -> Head:
    return Head(f"20260101T000000Z-{play:08x}", "ab" * 32, 7)


def test_a_day_has_an_end_of_receipts_and_tomorrow_has_more(
    small: Witness, tmp_path: Path, clock: Clock
) -> None:
    said = [asked(small, HEAD.request(late=False)) for _ in range(4)]
    assert ["receipt" in answer for answer in said] == [True] * 3 + [False]
    assert said[3] == {
        "again": True,
        "error": "this account has had 3 receipts today, which is all that this witness gives: "
        "try again tomorrow",
    }
    other = Witness(small.folder, clock, Quota(receipts=3))  # another process: SSH starts many
    assert asked(other, HEAD.request(late=False))["again"] is True
    assert "receipt" in asked(small, head(1).request(late=False), BOB)
    clock.now += timedelta(days=1)
    assert "receipt" in asked(small, HEAD.request(late=True))
    assert witness.broken_link(small.folder) == (5, None)


def test_a_day_has_an_end_of_new_plays(small: Witness, clock: Clock) -> None:
    said = [asked(small, head(play).request(late=False)) for play in range(3)]
    assert ["receipt" in answer for answer in said] == [True, True, False]
    assert "2 new plays today" in said[2]["error"]
    assert "receipt" in asked(small, head(1).request(late=False))  # a play of before goes on
    assert len(list((small.folder / "plays").iterdir())) == 2
    clock.now += timedelta(days=1)
    assert "receipt" in asked(small, head(2).request(late=False))


def test_submissions_take_no_more_than_their_room(
    tmp_path: Path, clock: Clock, play: list[Event], write: Write, key: keys.SigningKey
) -> None:
    roomy = Witness(tmp_path / "roomy", clock, Quota(stored=6 * BLOCK))

    def stored() -> int:
        files = [path.stat().st_size for path in (roomy.folder / "submissions").rglob("*.json")]
        return sum(-(-size // BLOCK) * BLOCK for size in files)

    data = {**play[0].data, "play_id": HEAD.play}
    said = []
    contents = [
        seal(write([Event(0, "header", None, 0, "", {**data, "x": "y" * length})]), key)
        for length in (100, 4_500, 7_500, 101)
    ]
    assert [-(-len(content) // BLOCK) for content in contents] == [1, 2, 3, 1]
    for content in [*contents, contents[0]]:
        said.append(asked(roomy, submission(content)))
        assert stored() <= 6 * BLOCK
    assert ["error" in answer for answer in said] == [False, False, False, True, False], said
    assert "the 0.0246 MB" in said[3]["error"]
    assert "ask whoever runs it" in said[3]["error"]
    assert "again" not in said[3]  # tomorrow it would be the same


def test_what_is_refused_makes_no_more_plays(
    tmp_path: Path, clock: Clock, play: list[Event], write: Write, key: keys.SigningKey
) -> None:
    """Whoever has no room for submissions can't fill the list of plays instead."""
    full = Witness(tmp_path / "full", clock, Quota(plays=2, stored=1))
    for number in range(5):
        answer = asked(full, submission(made(play, write, key, head(number).play)))
        assert "error" in answer
    assert len(list((full.folder / "plays").iterdir())) == 2
    assert not list((full.folder / "submissions").rglob("*.json"))


@pytest.mark.parametrize("kept", [b"", b"2026-01-01", b"2026-01-01 x y", b"\xff" * 99, b"0 9 9\n"])
def test_a_count_that_a_crash_tore_begins_anew(small: Witness, kept: bytes) -> None:
    (small.folder / "accounts" / ADA.folder).write_bytes(kept)
    said = [asked(small, HEAD.request(late=False)) for _ in range(4)]
    assert ["receipt" in answer for answer in said] == [True] * 3 + [False]


def test_many_at_once_get_no_more_than_one_by_one(small: Witness, clock: Clock) -> None:
    several = [small, Witness(small.folder, clock, Quota(receipts=3))]
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda n: asked(several[n % 2], HEAD.request(late=False)), range(12)))
    assert sum("receipt" in answer for answer in said) == 3


# -- over a socket -----------------------------------------------------------------------------


@pytest.fixture
def server(desk: Witness, tmp_path: Path) -> Iterator[Server]:
    listening = Server(desk, tmp_path / "open" / "witness", patience=0.5)
    thread = threading.Thread(target=listening.serve)
    thread.start()
    yield listening
    listening.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert not listening.path.exists()


def connected(server: Server) -> socket.socket:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(5)
    line.connect(str(server.path))
    return line


def test_the_kernel_tells_who_asks(server: Server) -> None:
    (answer,) = receipts.exchange(str(server.path), [HEAD.request(late=False)])
    assert isinstance(answer, receipts.Receipt)
    assert (answer.uid, answer.student) == (os.getuid(), None)
    assert answer.holds
    assert stat.S_IMODE(server.path.stat().st_mode) == 0o666
    assert stat.S_IMODE(server.path.parent.stat().st_mode) == 0o755


def test_many_requests_go_over_one_line(server: Server, ledger: bytes) -> None:
    requests = [
        HEAD.request(late=False),
        strict.encode(submission(ledger)),
        HEAD.request(late=True),
        b"?",
    ]
    answers = receipts.exchange(str(server.path), requests)
    assert [isinstance(answer, receipts.Receipt) for answer in answers] == [True] * 3 + [False]


def test_a_large_ledger_goes_through_and_a_request_beyond_the_limit_is_refused(
    server: Server,
    play: list[Event],
    write: Write,
    key: keys.SigningKey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(witness, "_LONGEST", 800_000)
    header = {**play[0].data, "play_id": HEAD.play}
    big = seal(write([Event(0, "header", None, 0, "", {**header, "x": "y" * 400_000})]), key)
    (answer,) = receipts.exchange(str(server.path), [strict.encode(submission(big))])
    assert isinstance(answer, receipts.Receipt)
    with pytest.raises(receipts.NoAnswer, match=r"too long|hung up|can't be reached"):
        receipts.exchange(str(server.path), [b"x" * 1_500_000])
    (answer,) = receipts.exchange(str(server.path), [HEAD.request(late=False)])
    assert isinstance(answer, receipts.Receipt)


def test_slow_clients_hold_nobody_up_and_are_let_go(server: Server) -> None:
    silent = [connected(server) for _ in range(3)]
    for line in silent:
        line.sendall(b'{"want":"rec')
    began = time.monotonic()
    (answer,) = receipts.exchange(str(server.path), [HEAD.request(late=False)])
    assert isinstance(answer, receipts.Receipt)
    assert time.monotonic() - began < 0.5
    for line in silent:
        with line:
            assert line.recv(100) == b""
    assert time.monotonic() - began < 3


def test_a_client_that_drips_is_let_go_too(server: Server) -> None:
    with connected(server) as line:
        began = time.monotonic()
        try:
            while time.monotonic() - began < 5:
                line.sendall(b"x")
                time.sleep(0.05)
        except OSError:
            pass
        assert time.monotonic() - began < 3


def test_one_account_can_not_take_every_line(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witness, "CONNECTIONS_EACH", 2)
    held = [connected(server) for _ in range(2)]
    for line in held:  # an answer shows that the line was taken
        line.sendall(HEAD.request(late=False) + b"\n")
        assert b"receipt" in line.recv(4096)
    with connected(server) as line:
        assert b"busy" in line.recv(4096)
    with pytest.raises(receipts.NoAnswer, match=r"busy|can't be reached"):
        receipts.exchange(str(server.path), [HEAD.request(late=False)])
    for line in held:
        line.close()


def test_a_client_that_is_killed_in_the_middle_hurts_nobody(server: Server) -> None:
    for _ in range(3):
        line = connected(server)
        line.sendall(HEAD.request(late=False)[:20])
        line.close()
    line = connected(server)
    line.sendall(HEAD.request(late=False) + b"\n")
    line.close()  # it does not take its answer
    (answer,) = receipts.exchange(str(server.path), [HEAD.request(late=False)])
    assert isinstance(answer, receipts.Receipt)


def test_a_second_witness_and_an_open_folder_are_refused(
    server: Server, desk: Witness, tmp_path: Path
) -> None:
    with pytest.raises(WitnessError, match="another witness listens"):
        Server(desk, server.path)
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose").chmod(0o777)
    with pytest.raises(WitnessError, match="can't write to"):
        Server(desk, tmp_path / "loose" / "witness")
    (tmp_path / "open" / "file").write_text("mine")
    with pytest.raises(WitnessError, match="no socket"):
        Server(desk, tmp_path / "open" / "file")
    assert (tmp_path / "open" / "file").read_text() == "mine"


def test_a_socket_that_a_dead_witness_left_is_taken_over(desk: Witness, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(str(tmp_path / "open" / "witness"))
    left.close()
    server = Server(desk, tmp_path / "open" / "witness")
    server.stop()


def test_a_path_too_long_for_a_socket_is_said(desk: Witness, tmp_path: Path) -> None:
    with pytest.raises((WitnessError, OSError)) as caught:
        Server(desk, tmp_path / ("x" * 120) / "witness")
    assert isinstance(caught.value, WitnessError)


# -- over standard input, as SSH gives it ------------------------------------------------------


def test_the_same_over_standard_input(desk: Witness, ledger: bytes) -> None:
    program = (
        "import sys; from pathlib import Path; from mission_tui.ledger import witness as w; "
        "w.converse(w.Witness(Path(sys.argv[1])), w.Asker(7, 'ada'), 0, 1, 5.0)"
    )
    requests = b"\n".join([HEAD.request(late=True), strict.encode(submission(ledger)), b"?", b""])
    done = subprocess.run(
        [sys.executable, "-c", program, str(desk.folder)],
        input=requests + b'{"half',
        capture_output=True,
        cwd=ROOT,
        check=False,
        timeout=30,
    )
    assert done.stderr == b""
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [next(iter(answer)) for answer in answers] == ["receipt", "receipt", "error"]
    assert {answer["receipt"]["student"] for answer in answers[:2]} == {"ada"}
    assert answers[0]["receipt"]["late"]
    assert witness.broken_link(desk.folder) == (2, None)


def test_a_witness_killed_in_mid_request_forgets_no_receipt_that_it_gave(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from mission_tui.ledger import witness as w; "
        "w.converse(w.Witness(Path(sys.argv[1])), w.Asker(7, 'ada'), 0, 1, 5.0)"
    )
    folder, given = tmp_path / "witness", []
    for round_ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"".join(HEAD.request(late=False) + b"\n" for _ in range(400)))
        process.stdin.flush()
        given += [process.stdout.readline() for _ in range(10 + round_)]
        process.kill()
        process.stdin.close()
        given += process.stdout.readlines()
        process.stdout.close()
        process.wait()
    kept = set((folder / receipts.LOG).read_bytes().split(b"\n"))
    whole = [answer for answer in given if answer.endswith(b"\n")]
    assert len(whole) >= 21
    for answer in whole:
        assert answer.removeprefix(b'{"receipt":').removesuffix(b"}\n") in kept
    asked(Witness(folder), HEAD.request(late=False), Asker(7, "ada"))
    assert witness.broken_link(folder)[1] is None
