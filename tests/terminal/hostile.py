"""Texts that a terminal would obey, in every place where strangers can write, on every screen.

:func:`plant` sets up a home with hostile missions and with plays that wait at each screen;
:func:`tour` opens them one after the other in a real pseudo-terminal; :func:`foreign` reads the
bytes that came out.
"""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from mission_tui.content.load import MissionError, load
from mission_tui.content.schema import Mission
from mission_tui.ledger import plays
from mission_tui.play import actions as do
from mission_tui.play import bots
from mission_tui.play.game import Game
from tests.terminal.screen import (
    CTRL_O,
    CTRL_P,
    CTRL_Q,
    DOWN,
    END,
    ENTER,
    ESCAPE,
    HOME,
    RIGHT,
    Terminal,
    environment,
)
from tests.ui import tabled

HOSTILE: Final = (
    "\x1b]52;c;QUJD\x07\u202eevil\u2066\x9b2J\x9d52\x9c\u200b"
    "\x1bc\x1b[6n\x1bPq\x1b\\[red]x[/red]\x00end"
)
SHORT: Final = "\x1bc\u202e\x9b2J"
"""For texts that may not be long."""
SCREENS: Final = (
    "briefing", "lock", "workbench", "reveal", "claim", "bench of part 2", "talks", "decision",
    "debrief",
)  # fmt: skip

_ESCAPE: Final = re.compile(
    r"\x1b(?:\[(?:[0-9;:]*[mH]|\?[0-9;]*[hl]|\?[0-9]+\$p|[<>=][0-9;]*u)|\]22;[a-z]+\x07)"
)
"""What this program's toolkit writes: colours, cursor, modes, the pointer's shape."""
_ORDINARY: Final = frozenset("\r\n")
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def foreign(raw: bytes) -> list[str]:
    """Each piece of a terminal's input that is neither plain text nor the toolkit's own."""
    rest = _ESCAPE.sub("", raw.decode("utf-8", "backslashreplace"))
    return [
        repr(rest[at : at + 12])
        for at, character in enumerate(rest)
        if character not in _ORDINARY and unicodedata.category(character) in _UNSAFE
    ]


# -- what strangers wrote ----------------------------------------------------------------------

_TEXT: Final = re.compile(r'(?P<before>(?:=|\{|,|\[)\s*)(?P<text>"(?:[^"\\\n]|\\.)*")')


def hostile(source: Path, folder: Path) -> tuple[Path, int]:
    """A copy of a mission in which every text that may be hostile is; and how many texts are.

    Texts that the loader refuses then (ids, units, what is counted) are given back.
    """
    path = folder / source.name
    lines = source.read_text("utf-8").split("\n")
    ways = [2] * len(lines)
    for _ in range(20):
        path.write_text("\n".join(map(_written, lines, ways)), "utf-8")
        try:
            load(path)
        except MissionError as error:
            for problem in error.problems:
                at = problem.line - 1
                ways[at] = max(0, ways[at] - 1)
                if lines[at].startswith("["):  # a problem of a whole table stands at its name
                    for below in range(at + 1, len(lines)):
                        if lines[below].startswith("["):
                            break
                        ways[below] = max(0, ways[below] - 1)
            continue
        return path, sum(_written(line, way) != line for line, way in zip(lines, ways, strict=True))
    raise AssertionError(f"{source.name} never loads")


def _written(line: str, way: int) -> str:
    evil = ("", SHORT, HOSTILE)[way]
    escaped = "".join(f"\\u{ord(character):04X}" for character in evil)
    if not evil or line.startswith(("#", "unit = ")):  # a unit's problem stands where it is used
        return line
    if '"""' in line:
        return line.replace('= """', f'= """{escaped}')
    return _TEXT.sub(lambda found: f'{found["before"]}{found["text"][:-1]}{escaped}"', line)


def _first_part(game: Game, to: str) -> None:
    if to == "briefing":
        return
    game.go("lock", 0, 0)
    if to == "lock":
        return
    game.act(do.Seal("least", 2e8, 1e8, 4e8, None, "gradients", 0, 0))
    game.go("workbench", 0, 0)
    game.run()
    game.turn("batch", 4)
    game.run()
    if to == "workbench":
        return
    game.go("reveal", 0, 0)
    if to == "reveal":
        return
    game.go("claim", 0, 0)
    game.act(do.Note("answer", HOSTILE))


def stop(game: Game, to: str) -> None:
    """Play the table's mission up to a screen; whatever is written on the way is hostile."""
    match to:
        case "bench of part 2":
            tabled.play_to_bench(game)
        case "talks":
            tabled.play_to_talks(game)
            game.act(replace(bots.waiver(game.session, "officer"), owner=HOSTILE))
        case "decision" | "debrief":
            tabled.play_to_decision(game)
            game.act(do.Note("decision", HOSTILE))
            if to == "debrief":
                game.act(do.Decide("wait", HOSTILE + "long " * 1_000))
                game.go("debrief", 0, 0)
        case _:
            _first_part(game, to)


def plant(home: Path, screens: tuple[str, ...] = SCREENS) -> dict[str, str]:
    """A home with hostile missions and plays; gives the environment to open the game with."""
    folder = home / "missions"
    folder.mkdir(parents=True)
    (folder / "tracks.toml").write_bytes((tabled.FOLDER / "tracks.toml").read_bytes())
    path, count = hostile(tabled.FOLDER / "table.toml", folder)
    assert count > 100, count
    (folder / "odd\x1b]52;c;QQ==\x07.toml").write_text(f'schema = "{SHORT[1:2]}"\n', "utf-8")
    env = environment(home, MISSION_TUI_MISSIONS=str(folder))
    mission: Mission = load(path).tracks["edge"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MISSION_TUI_STATE", env["MISSION_TUI_STATE"])
        for to in screens:
            with plays.start(home / "saves", mission, "ada", "human") as opened:
                stop(opened.game, to)
    return env


# -- seeing it ---------------------------------------------------------------------------------

MARKS: Final[Mapping[str, str]] = {
    "briefing": "INCOMING",
    "lock": "YOUR NUMBER",
    "reveal": "THE ENGINE SAYS",
    "claim": "YOUR CLAIM",
    "debrief": "signs its ledger",
}
"""Words that stand on a screen, and tell that it was shown."""


def film(home: Path, env: Mapping[str, str]) -> tuple[bytes, str]:
    """The replay screen over a signed play of the hostile mission, stepped through."""
    ledger = signed(home, env)
    with Terminal("replay", str(ledger), env=env, columns=120, rows=40) as terminal:
        terminal.until(lambda: len(terminal.raw) > 2_000, "the replay").quiet(0.6)
        for keys in (*[(RIGHT,)] * 6, (END,), (HOME,), ("n",), ("n",), ("?",), (ESCAPE,)):
            terminal.press(*keys).quiet(0.12)
        seen = terminal.text
        terminal.press(CTRL_Q).quiet(0.1)
    return bytes(terminal.raw), seen


def signed(home: Path, env: Mapping[str, str]) -> Path:
    """A whole play of the hostile mission, by a hostile name, signed."""
    mission = load(home / "missions" / "table.toml").tracks["edge"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MISSION_TUI_STATE", env["MISSION_TUI_STATE"])
        with plays.start(home / "signed", mission, HOSTILE, "human") as opened:
            stop(opened.game, "debrief")
            opened.game.act(do.Close())
            return opened.seal()


def spoken(home: Path, env: Mapping[str, str]) -> dict[str, bytes]:
    """What the commands print about such a ledger and such missions, as to a terminal."""
    ledger = signed(home, env)
    found = {}
    for command in (
        ("verify", "--no-replay", str(ledger)),
        ("grade", "--no-replay", "--workers", "1", str(ledger.parent)),
        ("missions",),
        ("check", str(home / "missions" / "table.toml"), "--schema"),
        ("keys",),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "mission_tui", *command],
            env=dict(env),
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert b"Traceback" not in done.stderr, (command, done.stderr)
        found[command[0]] = done.stdout + done.stderr
    return found


def tour(
    env: Mapping[str, str], count: int, columns: int = 80, rows: int = 24
) -> tuple[bytes, str]:
    """Open each play that waits, and help and panels on each.

    Gives every byte that the terminal was sent, and what a person saw.
    """
    seen: list[str] = []
    with Terminal(env=env, columns=columns, rows=rows) as terminal:

        def look(settle: float = 0.3) -> None:
            terminal.quiet(settle)
            seen.append(terminal.text)

        terminal.wait("Enter").press(ENTER)
        terminal.until(
            lambda: terminal.shows("student id") or terminal.shows("signed in as"),
            "who plays, or the plays",
        )
        if terminal.shows("student id"):  # the first tour of a home
            terminal.type("ada").press(ENTER)
        for number in range(1, count + 1):
            terminal.wait("WHERE YOU STOPPED")
            look(0.15)
            terminal.press(str(number)).until(
                lambda: not terminal.shows("WHERE YOU STOPPED"), f"play {number} opens"
            )
            look()
            for keys in ((DOWN,), ("w",), (ESCAPE,), ("?",), (ESCAPE,)):
                terminal.press(*keys)
                look(0.12)
            if number == count:
                terminal.press(CTRL_P).type("e")
                look()
                terminal.press(ESCAPE).quiet(0.15)
            terminal.press(CTRL_O)
            if not _back(terminal):
                break
        terminal.press(CTRL_Q)
        terminal.quiet(0.1)
    return bytes(terminal.raw), "\n".join(seen)


def _back(terminal: Terminal) -> bool:
    try:
        terminal.until(lambda: terminal.shows("WHERE YOU STOPPED"), "the missions", 8.0)
    except AssertionError:
        return False
    return True
