from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mission_tui.ledger import keys
from mission_tui.ledger.envelope import seal
from mission_tui.ledger.files import CannotOpenError
from mission_tui.ledger.verdict import NAMES, Verdict
from mission_tui.ledger.verify import Report, as_json, judge, row, verify
from mission_tui.play.events import Event

Write = Callable[[list[Event]], bytes]
HERE = Path("play.ledger.json")


def states(report: Report) -> dict[str, str]:
    return {name: verdict.state for name, verdict in report.verdicts.items()}


def failing(content: bytes) -> list[str]:
    return [name for name, state in states(judge(HERE, content)).items() if state == "fails"]


@pytest.fixture(scope="session")
def sealed(play: list[Event], write: Write, key: keys.SigningKey) -> bytes:
    return seal(write(play), key)


def test_an_honest_ledger_holds(tmp_path: Path, sealed: bytes, play: list[Event]):
    path = tmp_path / "play.ledger.json"
    path.write_bytes(sealed)
    report = verify(path)
    assert states(report) == {
        "parse": "holds",
        "signature": "holds",
        "chain": "holds",
        "binding": "not applicable",
        "replay": "not applicable",
        "witness": "not applicable",
    }
    assert tuple(report.verdicts) == NAMES
    assert report.events == tuple(play)
    assert (report.fails, report.unfinished) == (False, False)


def test_a_play_without_close_is_unfinished_and_holds(
    play: list[Event], write: Write, key: keys.SigningKey
):
    report = judge(HERE, seal(write(play[:-1]), key))
    assert report.verdicts["chain"].state == "holds"
    assert (report.fails, report.unfinished) == (False, True)
    assert "unfinished" in row(report)


def test_every_flipped_bit_fails_a_named_verdict(
    play: list[Event], write: Write, key: keys.SigningKey
):
    sealed = seal(write([*play[:2], replace(play[-1], seq=2, data={"count": 2})]), key)
    assert failing(sealed) == []
    for position in range(len(sealed)):
        for bit in range(8):
            flipped = bytearray(sealed)
            flipped[position] ^= 1 << bit
            assert failing(bytes(flipped)), (position, bit)


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=100), data=st.data())
def test_spliced_bytes_fail(sealed: bytes, content: bytes, data: st.DataObject):
    start = data.draw(st.integers(0, len(sealed)))
    end = data.draw(st.integers(start, len(sealed)))
    spliced = sealed[:start] + content + sealed[end:]
    assert spliced == sealed or failing(spliced)


def test_every_cut_file_fails_parse(sealed: bytes):
    for size in range(len(sealed)):
        assert failing(sealed[:size]) == ["parse"]


# ------------------------------------------------------- forgeries by the holder of the key


def resealed(lines: Sequence[bytes], key: keys.SigningKey) -> bytes:
    return seal(b"".join(lines), key)


@pytest.fixture
def lines(play: list[Event], write: Write) -> list[bytes]:
    return write(play).splitlines(keepends=True)


def test_an_edited_event_breaks_the_chain(lines: list[bytes], key: keys.SigningKey):
    lines[3] = lines[3].replace(b'"value":30', b'"value":31')
    assert failing(resealed(lines, key)) == ["chain"]


def test_a_cut_event_breaks_the_chain(lines: list[bytes], key: keys.SigningKey):
    for index in range(1, len(lines) - 1):
        assert failing(resealed(lines[:index] + lines[index + 1 :], key)) == ["chain"]


def test_an_inserted_event_breaks_the_chain(lines: list[bytes], key: keys.SigningKey):
    for index in range(1, len(lines)):
        assert failing(resealed([*lines[:index], lines[1], *lines[index:]], key)) == ["chain"]


def test_reordered_events_break_the_chain(lines: list[bytes], key: keys.SigningKey):
    lines[2], lines[3] = lines[3], lines[2]
    assert failing(resealed(lines, key)) == ["chain"]


def test_a_rechained_cut_is_caught_by_the_count_or_the_numbers(
    play: list[Event], write: Write, key: keys.SigningKey
):
    cut = [*play[:3], *play[4:]]
    assert failing(seal(write(cut), key)) == ["chain"]
    renumbered = [replace(event, seq=index) for index, event in enumerate(cut)]
    report = judge(HERE, seal(write(renumbered), key))
    assert report.verdicts["chain"] == Verdict(
        "fails", "the close does not count the 5 events before it"
    )


@pytest.mark.parametrize(
    "more",
    [
        Event(7, "note", None, 0, "", {}),
        Event(7, "close", None, 0, "", {"count": 7}),
        Event(7, "header", None, 0, "", {}),
    ],
)
def test_nothing_may_follow_the_close(
    play: list[Event], write: Write, key: keys.SigningKey, more: Event
):
    assert failing(seal(write([*play, more]), key)) == ["chain"]


def test_a_second_header_breaks_the_chain(play: list[Event], write: Write, key: keys.SigningKey):
    second = replace(play[0], seq=3)
    assert failing(seal(write([*play[:3], second]), key)) == ["chain"]


@pytest.mark.parametrize("count", [None, 5, 7, 6.0, "6", True])
def test_a_close_that_counts_wrong_breaks_the_chain(
    play: list[Event], write: Write, key: keys.SigningKey, count: object
):
    close = replace(play[-1], data={"count": count})
    assert failing(seal(write([*play[:-1], close]), key)) == ["chain"]


# -------------------------------------------------------------------- forgeries by others


def test_another_keys_signature_is_not_the_players(play: list[Event], write: Write):
    assert failing(seal(write(play), keys.generate())) == ["signature"]


def test_a_borrowed_key_id_does_not_help(
    play: list[Event], write: Write, key: keys.SigningKey, sealed: bytes
):
    other = keys.generate()
    forged = seal(write(play), other).replace(other.key_id.encode(), key.key_id.encode())
    assert failing(forged) == ["signature"]


def test_a_signature_of_another_play_does_not_fit(
    play: list[Event], write: Write, key: keys.SigningKey, sealed: bytes
):
    fields = json.loads(seal(write(play[:-1]), key))
    fields["signatures"] = json.loads(sealed)["signatures"]
    forged = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    assert failing(forged) == ["signature"]


@pytest.mark.parametrize("public", [None, 3, "", "zz" * 32, "ab" * 31, "AB" * 32, " " + "ab" * 32])
def test_a_header_without_a_key_fails_the_signature(
    play: list[Event], write: Write, key: keys.SigningKey, public: object
):
    header = replace(play[0], data={"public_key": public})
    assert failing(seal(write([header, *play[1:]]), key)) == ["signature"]


# ------------------------------------------------------------------- what is asked of others


def test_binding_and_replay_are_asked_about_a_play_that_holds(sealed: bytes, play: list[Event]):
    asked: list[tuple[Event, ...]] = []

    def judge_of(verdict: Verdict) -> Callable[[Sequence[Event]], Verdict]:
        return lambda events: asked.append(tuple(events)) or verdict

    bound, replayed = Verdict("fails", "another mission"), Verdict("marginal", "close")
    report = judge(HERE, sealed, binding=judge_of(bound), replay=judge_of(replayed))
    assert asked == [tuple(play)] * 2
    assert (report.verdicts["binding"], report.verdicts["replay"]) == (bound, replayed)
    assert report.fails


def test_what_can_not_be_judged_is_not_asked(
    lines: list[bytes], key: keys.SigningKey, sealed: bytes
):
    def never(events: Sequence[Event]) -> Verdict:
        raise AssertionError("asked")

    holds = Verdict("holds", "")
    broken = judge(
        HERE, resealed(lines[:2] + lines[3:], key), binding=lambda _: holds, replay=never
    )
    assert states(broken)["binding"] == "holds"
    assert states(broken)["replay"] == "not applicable"
    unread = judge(HERE, sealed[:-1], binding=never, replay=never)
    assert states(unread) == dict.fromkeys(NAMES, "not applicable") | {"parse": "fails"}


# ------------------------------------------------------------------------------ odd files


def test_what_is_no_regular_file_can_not_be_opened(tmp_path: Path, sealed: bytes):
    file, link, fifo = tmp_path / "file", tmp_path / "link", tmp_path / "fifo"
    file.write_bytes(sealed)
    link.symlink_to(file)
    os.mkfifo(fifo)
    for odd in (link, fifo, tmp_path, tmp_path / "missing", Path("a\0b"), Path("/dev/null")):
        with pytest.raises(CannotOpenError) as caught:
            verify(odd)
        assert "\n" not in str(caught.value)


def test_a_file_beyond_the_cap_fails_parse(tmp_path: Path):
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(10**12)  # sparse: reading it whole would end the machine
    assert states(verify(path))["parse"] == "fails"


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\0" * 1000, b"[" * 100_000])
def test_garbage_fails_parse(content: bytes):
    assert failing(content) == ["parse"]


# ---------------------------------------------------------------------------------- showing


def test_a_row_is_one_line_that_a_terminal_only_prints(
    play: list[Event], write: Write, key: keys.SigningKey
):
    evil = "\x1b]52;c;eA==\x07\n\u202e\x9b2J"

    def bound(events: Sequence[Event]) -> Verdict:
        return Verdict("fails", f"the student is {evil}")

    report = judge(Path(f"/tmp/{evil}.json"), seal(write(play), key), binding=bound)
    shown = row(report)
    assert shown.isprintable()
    assert "binding fails" in shown
    assert "signature holds" in shown
    assert "the student is" in shown


def test_a_long_file_name_hides_no_verdict(sealed: bytes):
    shown = row(judge(Path("x" * 5000), sealed[:-1]))
    assert "parse fails" in shown
    assert "witness not applicable" in shown


def test_json_has_every_verdict(sealed: bytes):
    found = json.loads(json.dumps(as_json(judge(HERE, sealed))))
    assert found["verdicts"]["chain"] == {
        "state": "holds",
        "reason": "7 events follow from each other",
    }
    assert list(found["verdicts"]) == list(NAMES)
    assert (found["file"], found["fails"], found["unfinished"]) == (str(HERE), False, False)
