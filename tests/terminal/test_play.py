"""The game in a real pseudo-terminal: played whole, killed, resumed, signed."""

from __future__ import annotations

import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from mission_tui.content.load import MissionFile
from mission_tui.ledger import plays
from mission_tui.play.actions import Seal
from tests.terminal import playing
from tests.terminal.playing import MISSION, events, halve_batch, journal, kinds, record_run
from tests.terminal.screen import CTRL_O, CTRL_Q, ENTER, UP, Terminal, environment

Game = Callable[..., Terminal]


@pytest.fixture
def game(tmp_path: Path) -> Game:
    """Opens the game in this test's own home, once or again."""
    return lambda *arguments: Terminal(*arguments, env=environment(tmp_path))


def command(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mission_tui", *arguments],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def on_disk(saves: Path, kind: str, count: int) -> Callable[[], bool]:
    """Whether a journal holds so many events of a kind."""
    return lambda: kinds(journal(saves)).count(kind) >= count


def test_play_killed_in_the_workbench_resumes_there_finishes_verifies_and_replays(
    game: Game, tmp_path: Path
) -> None:
    saves = tmp_path / "saves"
    with game() as terminal:
        playing.to_briefing(terminal)
        playing.to_workbench(terminal)
        record_run(terminal, 1)
        halve_batch(terminal)
        terminal.until(on_disk(saves, "control", 1), "the sweep on disk")
        before = terminal.quiet().text
        assert terminal.kill(signal.SIGKILL) == -signal.SIGKILL
    assert kinds(journal(saves)).count("run_end") == 1

    with game() as terminal:
        terminal.wait("Enter").press(ENTER)
        terminal.wait("WHERE YOU STOPPED").press("1")
        terminal.wait("Back at the bench", gone=("measuring",)).quiet()
        # All but the coach's line is as it was: sliders, map, chart, gauges, runs. The focus is
        # on the slider that moved last.
        assert "▌Batch" in terminal.text
        rows = [each.replace("▌", " ").splitlines()[:22] for each in (terminal.text, before)]
        assert rows[0] == rows[1]
        terminal.press(UP).wait("▌Method")
        record_run(terminal, 2)
        ledger = playing.finish(terminal)
        terminal.press(CTRL_Q)
        assert terminal.end() == 0

    verified = command(tmp_path, "verify", str(ledger))
    assert verified.returncode == 0, verified.stdout
    assert "fails" not in verified.stdout
    assert "unfinished" not in verified.stdout
    for name in ("parse", "signature", "chain", "binding", "replay"):
        assert f"{name} holds" in verified.stdout
    replayed = command(tmp_path, "replay", str(ledger))
    assert replayed.returncode == 0
    assert "rules holds" in replayed.stdout
    assert "physics holds" in replayed.stdout
    assert verified.stderr == replayed.stderr == ""


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGHUP])
def test_signal_in_the_workbench_saves_restores_the_terminal_and_ends(
    game: Game, tmp_path: Path, by: signal.Signals
) -> None:
    with game("play", MISSION, "--track", "edge", "--student", "ada") as terminal:
        cooked = termios.tcgetattr(terminal.child.child_fd)
        terminal.wait("Enter").press(ENTER)
        playing.to_workbench(terminal)
        halve_batch(terminal)
        before = len(terminal.raw)
        assert terminal.kill(by) == 128 + by  # as a shell reports a death by signal
        farewell = bytes(terminal.raw[before:])
        assert b"\x1b[?1049l" in farewell  # the alternate screen is left
        assert b"\x1b[?25h" in farewell  # the cursor is shown
        assert b"\x1b[?1000l" in farewell  # the mouse is let go
        modes = termios.tcgetattr(terminal.child.child_fd)
        assert modes[3] & (termios.ECHO | termios.ICANON) == cooked[3] & (
            termios.ECHO | termios.ICANON
        )
    saved = journal(tmp_path / "saves")
    assert kinds(saved)[-1] == "control"  # the sweep in progress was written
    assert not saved.with_name(saved.name + ".lock").exists()
    with game() as terminal:
        terminal.wait("Enter").press(ENTER)
        terminal.wait("student id").type("ada").press(ENTER)
        terminal.wait("WHERE YOU STOPPED").press("1")
        terminal.wait("Back at the bench" if "run" in kinds(saved) else "BROKEN", "16 samples")


def test_dropped_line_saves_and_lets_the_next_session_in(game: Game, tmp_path: Path) -> None:
    with game("play", MISSION, "--track", "edge", "--student", "ada") as terminal:
        terminal.wait("Enter").press(ENTER)
        playing.to_workbench(terminal)
        halve_batch(terminal)
        assert terminal.hang_up() == 128 + signal.SIGHUP
    saved = journal(tmp_path / "saves")
    assert kinds(saved)[-1] == "control"
    assert not saved.with_name(saved.name + ".lock").exists()


def test_run_cut_off_by_a_kill_is_executed_again_and_not_charged_again(
    game: Game, tmp_path: Path, wall: MissionFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISSION_TUI_STATE", str(tmp_path / "state"))
    saves = tmp_path / "saves"
    with plays.start(saves, wall.tracks["edge"], "ada", "human") as opened:
        play = opened.game
        play.go("lock", 0, 0)
        play.act(Seal("least", 4e8, 3e8, 5e8, None, "activations", 0, 0))
        play.go("workbench", 0, 0)
        play.run()
        play.turn("batch", 16)
        play.run()
    saved = journal(saves)
    whole = saved.read_bytes().splitlines(keepends=True)
    cut = max(n for n, event in enumerate(events(saved)) if event["kind"] == "run")
    saved.write_bytes(b"".join(whole[: cut + 1]))

    with game() as terminal:
        terminal.wait("Enter").press(ENTER)
        terminal.wait("student id").type("ada").press(ENTER)
        terminal.wait("WHERE YOU STOPPED").press("1")
        terminal.wait("RUN #2 RECORDED", "#1", "#2", "16 samples")
        playing.finish(terminal)
    after = kinds(saved)
    assert after[: cut + 3] == [*kinds(saved)[: cut + 1], "run_resume", "run_end"]
    assert after.count("run") == 2
    again = next(e for e in events(saved)[cut:] if e["kind"] == "run_end")
    assert again["data"]["outcome"] == _line(whole[cut + 1])["data"]["outcome"]


def test_play_left_with_a_key_waits_among_the_missions(game: Game, tmp_path: Path) -> None:
    with game("play", MISSION, "--track", "edge", "--student", "ada") as terminal:
        terminal.wait("Enter").press(ENTER)
        playing.to_workbench(terminal)
        playing.halve_batch(terminal)
        terminal.press(CTRL_O).wait("WHERE YOU STOPPED").press("1")
        terminal.wait("16 samples", "OVER")
        terminal.press(CTRL_Q)
        assert terminal.end() == 0
        assert b"\x1b[?1049l" in terminal.raw


def _line(raw: bytes) -> dict[str, dict[str, object]]:
    import json

    found: dict[str, dict[str, object]] = json.loads(raw)
    return found
