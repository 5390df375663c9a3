"""The plain mode: the same play as the game's, line by line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mission_tui.cli import main
from mission_tui.content import space
from mission_tui.content.load import MissionFile
from mission_tui.text import clean_line
from tests.terminal import playing
from tests.terminal.playing import MISSION, events, journal, kinds
from tests.terminal.screen import CTRL_G, DOWN, ENTER, LEFT, Terminal, environment

Plain = Callable[..., tuple[int, str, str]]
TO_LOCK = ("",)
LOCK = ("400", "200", "800", "4", "yes")
CLAIM = ("1", "1 2", "4", "it keeps what it read")


@pytest.fixture
def saves(tmp_path: Path) -> Path:
    return tmp_path / "saves"


@pytest.fixture
def plain(
    saves: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Plain:
    """Plays with these lines on stdin; gives exit code, output, errors."""

    def play(*lines: str, track: str = "edge", student: str = "ada") -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        command = ["play", MISSION, "--track", track, "--student", student, "--plain"]
        code = main([*command, "--saves", str(saves)])
        return (code, *capsys.readouterr())

    return play


def comparable(path: Path) -> list[tuple[str, Any, dict[str, Any]]]:
    """What must not depend on the driver: all but clocks, counts of edits, and who drove.

    A note is an autosaved draft: the plain mode has no drafts.
    """
    clocks = {"active_ms", "idle_ms", "latency_ms", "dwell_ms", "edits", "play_id", "driver"}
    found = []
    for event in events(path):
        data = {name: value for name, value in event["data"].items() if name not in clocks}
        if event["kind"] == "close":
            del data["count"]  # it counts the notes
        if event["kind"] != "note":
            found.append((event["kind"], event["part"], data))
    return found


@pytest.mark.parametrize(("track", "persona"), [("edge", "2"), ("cloud", "1")])
def test_plain_and_the_game_leave_the_same_events_for_the_same_answers(
    plain: Plain,
    saves: Path,
    tmp_path: Path,
    wall: MissionFile,
    monkeypatch: pytest.MonkeyPatch,
    track: str,
    persona: str,
) -> None:
    monkeypatch.setenv("MISSION_TUI_STATE", str(tmp_path / "state"))
    part = wall.tracks[track].parts["memory"]
    batches = list(space.values(part, "batch"))
    batch = batches[batches.index(part.default["batch"]) - 1]
    code, out, _ = plain(
        *TO_LOCK, *LOCK, "run", f"batch {batch}", "run", "done", "", *CLAIM, "", track=track
    )
    assert code == 0, out
    by_plain = journal(saves)

    downs = list(part.sliders).index("batch")
    elsewhere = tmp_path / "elsewhere"
    with Terminal(env=environment(tmp_path, MISSION_TUI_SAVES=str(elsewhere))) as terminal:
        playing.to_briefing(terminal, persona=persona)
        playing.to_workbench(terminal, wider=4)
        playing.record_run(terminal, 1)
        for name in list(part.sliders)[1 : downs + 1]:
            terminal.press(DOWN).wait(f"▌{part.sliders[name].label}")
        terminal.press(LEFT).wait(f"{batch} samples ▸")
        playing.record_run(terminal, 2)
        terminal.press(CTRL_G).wait("Before you leave").press(ENTER)
        terminal.wait("THE ENGINE SAYS").press(ENTER).wait("YOUR CLAIM")
        playing.claim(terminal, answer=CLAIM[-1])
        terminal.press(ENTER).wait("signs its ledger").press(ENTER).wait("SIGNED")
    by_game = journal(elsewhere)

    assert events(by_plain)[0]["data"]["driver"] == "plain"
    assert events(by_game)[0]["data"]["driver"] == "human"
    assert json.dumps(comparable(by_plain)) == json.dumps(comparable(by_game))
    assert "Verified." in out


def test_whole_play_prints_the_ledger_last_and_it_verifies(
    plain: Plain, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = plain(
        *TO_LOCK, *LOCK, "run", "batch 2", "run", "done", "", *CLAIM, "", track="tiny"
    )
    assert code == 0, err
    path = out.splitlines()[-1]
    assert path.endswith(".ledger.json")
    assert main(["verify", path]) == 0
    assert main(["replay", path]) == 0


def test_part_that_is_left_unmet_says_what_follows_and_the_way_back_is_open(
    plain: Plain, saves: Path
) -> None:
    bench = ("run", "batch 2", "run", "done")
    back = ("bench", "batch 16", "run", "done")
    code, out, _ = plain(*TO_LOCK, *LOCK, *bench, *back, *CLAIM, "")
    assert code == 0, out
    before, _, after = " ".join(out.split()).partition("The engine says")
    missed = "No run meets every limit, so this part is missed: #2 breaks"
    assert missed in before
    assert missed in after
    assert kinds(journal(saves)).count("run") == 3
    assert kinds(journal(saves))[-1] == "close"


def test_nothing_follows_before_the_part_can_be_left(plain: Plain) -> None:
    _, out, _ = plain(*TO_LOCK, *LOCK, "run", "done")
    assert "No: record 1 more run" in out
    assert "this part is missed" not in out


def test_debrief_counts_the_bets_of_all_plays(plain: Plain) -> None:
    """One lock a track: the same one again is not counted twice."""
    for track, count in (("edge", 1), ("tiny", 2), ("tiny", 2)):
        bench = ("run", "batch 2", "run", "done", "")
        code, out, _ = plain(*TO_LOCK, *LOCK, *bench, *CLAIM, "", track=track)
        assert code == 0, out
        assert f"you have sealed and seen {count} different lock" in out


def test_end_of_input_saves_and_the_next_start_resumes(plain: Plain, saves: Path) -> None:
    code, _, err = plain(*TO_LOCK, *LOCK, "run", "batch 16")
    assert code == 0
    assert err.startswith("Saved: ")
    left = kinds(journal(saves))
    assert left[-1] == "control"
    code, out, err = plain("status", "run", "done", "", *CLAIM, "")
    assert code == 0, err
    assert "16" in out.split("Sliders:")[1].splitlines()[0]
    assert "Seal it?" not in out
    assert kinds(journal(saves))[: len(left)] == left
    assert kinds(journal(saves))[-1] == "close"


def test_end_of_input_in_mid_lock_seals_nothing(plain: Plain, saves: Path) -> None:
    for lines in ((), ("",), ("", "400"), ("", *LOCK[:-1])):
        code, _, err = plain(*lines)
        assert (code, err.count("\n")) == (0, 1)
    assert "lock" not in kinds(journal(saves))


def test_run_cut_off_is_executed_again(plain: Plain, saves: Path) -> None:
    plain(*TO_LOCK, *LOCK, "run")
    path = journal(saves)
    lines = path.read_bytes().splitlines(keepends=True)
    assert kinds(path)[-1] == "run_end"
    path.write_bytes(b"".join(lines[:-1]))
    _, out, _ = plain("status")
    assert "Run #1 was unfinished" in out
    assert kinds(path)[-3:] == ["run", "run_resume", "run_end"]


def test_torn_journal_is_recovered_and_played_on(plain: Plain, saves: Path) -> None:
    plain(*TO_LOCK, *LOCK, "run")
    path = journal(saves)
    path.write_bytes(path.read_bytes() + b'{"data":{"to')
    code, _, err = plain("status")
    assert code == 0, err
    assert kinds(path)[-1] == "recovered"
    assert path.with_name(path.name + ".torn").read_bytes() == b'{"data":{"to'


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("fly", "type help"),
        ("batch", "No: "),
        ("batch many", "No: "),
        ("batch nan", "No: "),
        ("batch 1e999", "No: "),
        ("tuning everything", "No: tuning can be"),
        ("run fast", "type help"),
        ("pin 7", "No: there is no run #7"),
        ("unpin 1", "No: run #1 is not pinned"),
        ("pin ²", "type help"),
        ("pin " + "9" * 5000, ""),
        ("done", "No: record"),
        ("help", "quit"),
        ("\x1b]52;c;QUJD\x07", "type help"),
    ],
)
def test_odd_line_in_the_workbench_is_answered_in_a_sentence(
    plain: Plain, saves: Path, line: str, answer: str
) -> None:
    code, out, _ = plain(*TO_LOCK, *LOCK, line)
    assert code == 0
    said = out.split("help for what you can do.")[1]
    assert answer in said
    assert "\x1b" not in out
    assert "\x07" not in out
    assert kinds(journal(saves))[-1] == "enter"  # nothing happened


@pytest.mark.parametrize("number", ["", "many", "nan", "inf", "1e999", "12 parsecs", "-5"])
def test_odd_number_in_the_lock_is_asked_again(plain: Plain, saves: Path, number: str) -> None:
    _, out, _ = plain(*TO_LOCK, number, *LOCK, "quit", *LOCK)
    assert "lock" in kinds(journal(saves)) or "No: " in out


def test_number_that_is_none_is_asked_again_at_once(plain: Plain, saves: Path) -> None:
    plain(*TO_LOCK, "many", "12 parsecs", *LOCK)
    assert "lock" in kinds(journal(saves))


def test_band_that_does_not_hold_its_value_is_refused_and_asked_again(
    plain: Plain, saves: Path
) -> None:
    _, out, _ = plain(*TO_LOCK, "400", "500", "600", "4", "yes", *LOCK)
    assert "No: " in out
    (sealed,) = [event for event in events(journal(saves)) if event["kind"] == "lock"]
    assert sealed["data"]["low"] == 2e8


def test_no_to_the_seal_asks_again_and_counts_the_edit(plain: Plain, saves: Path) -> None:
    plain(*TO_LOCK, *LOCK[:-1], "no", *LOCK)
    (sealed,) = [event for event in events(journal(saves)) if event["kind"] == "lock"]
    assert sealed["data"]["edits"] == 1


def test_claim_is_told_what_is_wrong_with_it_and_tried_again(plain: Plain, saves: Path) -> None:
    bench = ("run", "batch 16", "run", "optimizer sgd", "run", "done", "")
    wrong = ("1", "x y", "1", "1 9", "1", "1 3", "4", "")
    code, out, _ = plain(*TO_LOCK, *LOCK, *bench, *wrong, "yes", *CLAIM, "")
    assert code == 0
    assert "No: give two run numbers" in out
    assert "No: choose two different runs" in out
    assert "confounded by" in out
    assert "Verified." in out
    assert kinds(journal(saves)).count("claim") == 2


def test_student_with_a_hostile_name_is_kept_apart_and_never_drawn_raw(
    plain: Plain, saves: Path
) -> None:
    hostile = "\x1b]52;c;QUJD\x07../../etc" + "x" * 10_000
    code, out, err = plain(*TO_LOCK, *LOCK, student=hostile)
    assert code == 0
    assert "\x1b" not in out + err
    assert journal(saves).parent.parent == saves
    assert events(journal(saves))[0]["data"]["student"] == clean_line(hostile, 64)


def test_play_open_in_another_session_is_one_line_and_exit_2(
    plain: Plain, saves: Path, wall: MissionFile
) -> None:
    from mission_tui.ledger import plays

    with plays.start(saves, wall.tracks["edge"], "ada", "plain"):
        code, out, err = plain("")
        assert (code, out) == (2, "")
        assert err.startswith("mission-tui: This play is open in another session")
        assert err.count("\n") == 1


def test_changed_rules_leave_the_old_play_alone(
    plain: Plain, saves: Path, wall: MissionFile
) -> None:
    plain(*TO_LOCK, *LOCK)
    path = journal(saves)
    whole = path.read_bytes()
    rules = events(path)[0]["data"]["mission_hash"]["rules"]
    path.write_bytes(b"x" + whole)  # no play at all
    code, _, err = plain("")
    assert code == 0, err  # a new one is begun beside it
    assert path.read_bytes() == b"x" + whole
    assert rules
