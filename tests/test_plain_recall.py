"""The plain mode after another mission: what was left there, and the question, line by line."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mission_tui.cli import main
from mission_tui.content.load import load
from mission_tui.content.schema import Mission
from mission_tui.ledger import judge
from mission_tui.screens.lock import LockScreen
from tests.terminal.playing import MISSION, events, kinds
from tests.test_plain import comparable
from tests.ui.playing import on, shows
from tests.ui.test_recall import QUESTION, second_mission


@pytest.fixture
def saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the plays of these tests lie; what is installed is what lies beside it."""

    def find(mission: str, track: str) -> Mission | None:
        path = tmp_path / "missions" / f"{mission}.toml"
        return load(path).tracks.get(track) if path.exists() else None

    monkeypatch.setattr(judge, "find", find)
    return tmp_path / "saves"


def journal(saves: Path) -> Path:
    """The journal of the second mission."""
    (found,) = (p for p in saves.rglob("*.jsonl") if events(p)[0]["data"]["mission"] == MISSION)
    return found


@contextmanager
def as_before(saves: Path) -> Iterator[Path]:
    """The same saves, without any play of the second mission."""
    again = saves.with_name("again")
    shutil.copytree(saves, again)
    journal(again).unlink()
    yield again


def plain(monkeypatch: pytest.MonkeyPatch, saves: Path, *lines: str) -> None:
    """Play the second mission with these lines on stdin."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    command = ["play", MISSION, "--track", "edge", "--student", "ada", "--plain"]
    assert main([*command, "--saves", str(saves)]) == 0


@pytest.mark.parametrize(
    ("key", "line", "answer", "told"),
    [
        ("2", "2", "inputs", "Yes."),
        ("1", "weights", "weights", "It is: Layer inputs, for every sample."),
        ("escape", "3", None, "Press Enter to go on"),
    ],
)
async def test_plain_and_the_game_leave_the_same_recall(
    saves: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    key: str,
    line: str,
    answer: str | None,
    told: str,
) -> None:
    async with second_mission(tmp_path, monkeypatch) as (_, pilot):
        await shows(pilot, "A MINUTE FOR A TABLE")
        await pilot.press(key)
        await pilot.press("enter", "enter")
        await on(pilot, LockScreen)
    by_game: list[Any] = comparable(journal(saves))
    with as_before(saves) as again:
        capsys.readouterr()
        plain(monkeypatch, again, line, "")
        out = capsys.readouterr().out
        by_plain = comparable(journal(again))
    assert "Last time, in A table" in out
    assert "you waived" in out
    assert told in out.partition("3. skip it")[2]
    assert [kind for kind, _, _ in by_plain] == ["header", "recall", "leave", "enter"]
    assert by_plain[1][2]["answer"] == answer
    assert json.dumps(by_plain) == json.dumps(by_game[: len(by_plain)])


async def test_question_is_asked_again_only_if_it_was_not_answered(
    saves: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with second_mission(tmp_path, monkeypatch):
        pass
    with as_before(saves) as again:
        plain(monkeypatch, again, "9", "nothing")  # no options, so it is asked again
        assert "recall" not in kinds(journal(again))
        plain(monkeypatch, again, "1")
        capsys.readouterr()
        plain(monkeypatch, again)
        out = capsys.readouterr().out
        assert kinds(journal(again)).count("recall") == 1
    assert "Last time" not in out
    assert "Incoming from" in out


async def test_without_a_question_what_was_decided_is_told_all_the_same(
    saves: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rest = QUESTION[QUESTION.index("\n\n# -- one short") + 1 :]
    async with second_mission(tmp_path, monkeypatch, rest):
        pass
    with as_before(saves) as again:
        capsys.readouterr()
        plain(monkeypatch, again, "")
        out = capsys.readouterr().out
        assert "recall" not in kinds(journal(again))
    assert "you decided" in out
    assert "a minute for" not in out
