"""Runs that stream, in a real pseudo-terminal: stopped, held, resized, killed in mid-run."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.terminal.playing import events, journal, kinds, ledger
from tests.terminal.screen import CTRL_F, CTRL_G, CTRL_Q, DOWN, ENTER, LEFT, TAB, UP, Terminal
from tests.terminal.screen import environment as plain_environment

MISSIONS = Path(__file__).parents[1] / "missions"
Game = Callable[..., Terminal]


def environment(tmp_path: Path) -> Mapping[str, str]:
    """With the tests' missions, and with motion: runs take as long as a person needs."""
    return plain_environment(tmp_path, MISSION_TUI_MISSIONS=str(MISSIONS)) | {
        "TEXTUAL_ANIMATIONS": "full"
    }


@pytest.fixture
def game(tmp_path: Path) -> Game:
    """Opens the game in this test's own home: at a new play, or at its missions."""
    return lambda *asked, **more: Terminal(*asked, env=environment(tmp_path), **more)


NEW = ("play", "small-fleet", "--track", "edge", "--student", "ada")


def to_workbench(terminal: Terminal) -> None:
    """Title, briefing, lock: ends where the crisis has streamed in."""
    terminal.wait("Enter").press(ENTER)
    terminal.wait("INCOMING").press(ENTER).wait("Your machine").press(ENTER)
    terminal.wait("YOUR NUMBER").type("30").wait(" 30")
    terminal.press(UP, UP).wait("┣").move(ENTER).press("1").wait("1 ◆")
    terminal.press(ENTER).wait("for good").press(ENTER).wait("SEALED")
    terminal.press(ENTER).wait("Enter commits a run", "BROKEN")


def finish(
    terminal: Terminal, *, runs: tuple[int, ...], says: tuple[str, str], why: str = "1"
) -> None:
    """A run each, one slider step apart; a claim about the first two; the signed ledger."""
    for number in runs:
        terminal.press(LEFT).quiet(0.2).press(ENTER).wait(f"RUN #{number} RECORDED")
    terminal.press(CTRL_G).wait("Before you leave").press(ENTER)
    terminal.wait("THE ENGINE SAYS").press(ENTER).wait("YOUR CLAIM")
    terminal.press("a", DOWN, "b").wait(says[0])
    terminal.move(TAB).press(why).wait(f"{why} ◆").press(CTRL_F)
    terminal.until(lambda: terminal.shows(says[1]) or terminal.shows("attempts"), says[1])
    terminal.press(CTRL_G).wait("signs its ledger").press(ENTER).wait("SIGNED")
    terminal.press(CTRL_Q)
    assert terminal.end() == 0


def replays(tmp_path: Path) -> bool:
    """Whether the ledger that a play left verifies, its runs executed again."""
    verified = subprocess.run(
        [sys.executable, "-m", "mission_tui", "verify", str(ledger(tmp_path / "saves"))],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout
    return "replay holds" in verified.stdout


def runs_charged(tmp_path: Path) -> list[str]:
    """What the journal says of runs, in order."""
    return [kind for kind in kinds(journal(tmp_path / "saves")) if kind.startswith("run")]


@pytest.mark.soak
def test_run_that_is_held_goes_on_and_run_that_is_stopped_is_charged_and_replays(
    game: Game, tmp_path: Path
) -> None:
    with game(*NEW) as terminal:
        to_workbench(terminal)
        terminal.press(LEFT).wait("19 passes")
        terminal.press(ENTER).wait("RUN #1  round")
        assert runs_charged(tmp_path) == ["run"]  # on disk before the first round is shown
        terminal.press(" ").wait("HELD #1")
        held = terminal.quiet().text
        assert held == terminal.quiet().text
        terminal.press("x").wait("STOPPED after", "9 runs left")
        stopped = events(journal(tmp_path / "saves"))[-1]
        assert stopped["kind"] == "run_cancel"
        assert f"STOPPED after {stopped['data']['rounds']} rounds" in terminal.text
        assert 0 < stopped["data"]["rounds"] < 60
        # Runs #1 and #2: what a stopped run shows is confounded by the rounds it did not do.
        finish(terminal, runs=(2, 3), says=("rounds done", "confounded by rounds"))
    assert replays(tmp_path)


@pytest.mark.soak
def test_run_killed_in_the_middle_is_executed_again_and_not_charged_again(
    game: Game, tmp_path: Path
) -> None:
    with game(*NEW) as terminal:
        to_workbench(terminal)
        terminal.press(ENTER).wait("RUN #1  round")
        assert terminal.kill(signal.SIGKILL) == -signal.SIGKILL
    assert runs_charged(tmp_path) == ["run"]
    with game() as terminal:
        terminal.wait("Enter").press(ENTER)
        terminal.wait("student id").type("ada").press(ENTER)
        terminal.wait("WHERE YOU STOPPED").press("1")
        terminal.wait("executed again").wait("RUN #1 RECORDED", "9 runs left")
        assert runs_charged(tmp_path) == ["run", "run_resume", "run_end"]
        finish(terminal, runs=(2,), says=("Local epochs", "Enter goes on"), why="6")
    assert replays(tmp_path)


@pytest.mark.soak
def test_resizing_in_mid_run_changes_no_event(game: Game, tmp_path: Path) -> None:
    with game(*NEW, columns=120, rows=36) as terminal:
        to_workbench(terminal)
        terminal.press(ENTER).wait("RUN #1  round")
        for columns, rows in ((80, 24), (60, 18), (100, 30), (200, 60), (80, 24)):
            terminal.resize(columns, rows)
        terminal.wait("RUN #1 RECORDED")
        assert runs_charged(tmp_path) == ["run", "run_end"]
        finish(terminal, runs=(2,), says=("Local epochs", "Enter goes on"), why="6")
    assert replays(tmp_path)
