"""What reaches the terminal, byte by byte: colours, hostile texts, sizes, and silence."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.conftest import WALL
from tests.terminal import playing
from tests.terminal.playing import MISSION
from tests.terminal.screen import ENTER, Terminal, environment

COLOUR = re.compile(rb"\x1b\[[0-9;]*\b(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])\b[0-9;]*m")
TRUE_COLOUR = re.compile(rb"\x1b\[[0-9;]*\b[34]8[;:]2[;:]")
HOSTILE = "\x1b]52;c;QUJD\x07\u202eevil\u2066\x9b2J\x9d52\x9c[red]x[/red]\x00end"
FOREIGN = (b"\x1b]52", b"\xc2\x9b", b"\xc2\x9d", b"\xe2\x80\xae", b"\xe2\x81\xa6", b"\x00")
"""Pieces of HOSTILE that a terminal would obey."""


def to_bench(terminal: Terminal) -> Terminal:
    terminal.wait("Enter").press(ENTER)
    playing.to_workbench(terminal)
    return terminal


def play_edge(home: Path, **environ: str) -> Terminal:
    env = environment(home, **environ)
    return Terminal("play", MISSION, "--track", "edge", "--student", "ada", env=env)


def test_no_color_sends_no_colour_at_all(tmp_path: Path) -> None:
    with play_edge(tmp_path, NO_COLOR="1") as terminal:
        to_bench(terminal).press("w").wait("Esc closes").quiet()
        assert b"\x1b[" in terminal.raw
        assert COLOUR.findall(bytes(terminal.raw)) == []


def test_terminal_of_256_colours_gets_no_24_bit_colour(tmp_path: Path) -> None:
    with play_edge(tmp_path) as terminal:
        to_bench(terminal).quiet()
        assert COLOUR.search(bytes(terminal.raw))  # the pattern finds what it looks for
        assert TRUE_COLOUR.findall(bytes(terminal.raw)) == []


def test_terminal_of_true_colour_gets_256_colours_unless_it_asks_for_more(tmp_path: Path) -> None:
    """One look everywhere, in frames a third smaller; TEXTUAL_COLOR_SYSTEM asks for more."""
    with play_edge(tmp_path / "plain", COLORTERM="truecolor") as terminal:
        terminal.wait("Enter").quiet()
        assert not TRUE_COLOUR.search(bytes(terminal.raw))
    more = {"COLORTERM": "truecolor", "TEXTUAL_COLOR_SYSTEM": "truecolor"}
    with play_edge(tmp_path / "more", **more) as terminal:
        terminal.wait("Enter").quiet()
        assert TRUE_COLOUR.search(bytes(terminal.raw))


def test_idle_screens_send_nothing(tmp_path: Path) -> None:
    with play_edge(tmp_path) as terminal:
        terminal.wait("Enter").quiet(1.0)
        sent = {"title": terminal.bytes_within(2.0)}
        terminal.press(ENTER).wait("INCOMING").press(ENTER).wait("YOUR NUMBER").quiet(1.0)
        sent["lock"] = terminal.bytes_within(2.0)
        assert sent == {"title": 0, "lock": 0}


def test_idle_workbench_sends_nothing(tmp_path: Path) -> None:
    with play_edge(tmp_path) as terminal:
        to_bench(terminal).quiet(1.0)
        assert terminal.bytes_within(2.0) == 0


def test_small_terminal_is_told_so_and_grows_back(tmp_path: Path) -> None:
    env = environment(tmp_path)
    with Terminal(env=env, columns=40, rows=10) as terminal:
        terminal.wait("too small", "72 × 20")
        terminal.resize(80, 24).wait("Enter", gone=("too small",)).press(ENTER)
        terminal.wait("student id")


def test_hostile_student_id_and_answer_never_reach_the_terminal(tmp_path: Path) -> None:
    env = environment(tmp_path)
    hostile = (
        HOSTILE.replace("\x00", "") + "long " * 2_000
    )  # no program can be given a zero byte as argument
    arguments = ("play", MISSION, "--track", "edge", "--student", hostile)
    with Terminal(*arguments, env=env) as terminal:
        to_bench(terminal)
        playing.record_run(terminal, 1)
        playing.halve_batch(terminal)
        playing.record_run(terminal, 2)
        terminal.press("\x07").wait("Before you leave").press(ENTER)
        terminal.wait("THE ENGINE SAYS").press(ENTER).wait("YOUR CLAIM")
        # Terminals take the escape itself out of what is pasted; the rest goes through.
        text = HOSTILE.replace("\x1b", "").replace("\x00", "")
        terminal.press("a", "\x1b[B", "b").wait("fell by").move("\t").press("4").wait("4 ◆")
        terminal.move("\t").type(f"\x1b[200~{text}\x1b[201~").wait("evil")
        terminal.type(f"\x1b[200~{'long ' * 2000}\x1b[201~").quiet()
        terminal.press("\x06").wait("VERIFIED").press(ENTER).wait("signs its ledger")
        terminal.press(ENTER).wait("SIGNED").press(ENTER).wait("MISSIONS").quiet()
        assert "evil" in str(playing.events(playing.journal(terminal.saves))[-4:])
        assert [piece for piece in FOREIGN if piece in terminal.raw] == []


def test_hostile_mission_title_never_reaches_the_terminal(tmp_path: Path) -> None:
    copied = tmp_path / "missions"
    shutil.copytree(WALL, copied)
    path = copied / f"{MISSION}.toml"
    toml = path.read_text("utf-8")
    escaped = "".join(f"\\u{ord(c):04X}" for c in HOSTILE.replace("\x00", ""))
    path.write_text(toml.replace('title = "Edge Intelligence"', f'title = "{escaped}"', 1), "utf-8")
    env = environment(tmp_path, MISSION_TUI_MISSIONS=str(copied))
    with Terminal("--saves", str(tmp_path / "saves"), env=env) as terminal:
        terminal.wait("Enter").press(ENTER).wait("student id").type("ada").press(ENTER)
        terminal.wait("MISSIONS").quiet()
        shown = terminal.text
        assert [piece for piece in FOREIGN if piece in terminal.raw] == []
    # Either the mission is drawn with its controls defused, or it is refused with a sentence.
    assert "evil" in shown or "title" in shown


@pytest.mark.parametrize("stop", ["title", "lock"])
def test_ctrl_c_does_not_break_the_screen(tmp_path: Path, stop: str) -> None:
    with play_edge(tmp_path) as terminal:
        terminal.wait("Enter")
        if stop == "lock":
            terminal.press(ENTER).wait("INCOMING").press(ENTER).wait("YOUR NUMBER")
        terminal.press("\x03").quiet()
        assert not terminal.shows("Traceback")
        terminal.press("\x11")
        assert terminal.end() == 0
