"""May a play be computed again here, and which missions are read to tell."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mission_tui.content import load as loading
from mission_tui.content.load import MissionFile
from mission_tui.ledger import judge
from mission_tui.ledger.judge import NotHere
from mission_tui.play.events import Event
from mission_tui.play.start import Who, header
from tests.conftest import WALL


@pytest.fixture(scope="module")
def first(wall: MissionFile) -> Event:
    return header(wall.tracks["edge"], Who("ada", "human", "ab" * 32), datetime.now(UTC))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The tests' missions in a folder of their own."""
    folder = tmp_path / "missions"
    shutil.copytree(WALL, folder)
    monkeypatch.setenv("MISSION_TUI_MISSIONS", str(folder))
    judge._installed.cache_clear()
    yield folder
    judge._installed.cache_clear()


def of(first: Event, **changed: Any) -> Event:
    return replace(first, data={**first.data, **changed})


def test_a_play_of_an_installed_mission_may_be_computed_again(
    first: Event, wall: MissionFile
) -> None:
    assert judge.replayable(first) == wall.tracks["edge"]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"format": 2}, "its format is 2"),
        ({"format": "1"}, "its format is '1'"),
        ({"mission": "vol9-99"}, "its mission is not installed"),
        ({"mission": "../wall/memory-wall"}, "its mission is not installed"),
        ({"mission": None}, "its mission is not installed"),
        ({"track": "sea"}, "its mission is not installed"),
        ({"mission_hash": {"rules": "00" * 32}}, "its mission had other rules"),
        ({"mission_hash": None}, "its mission had other rules"),
        ({"models": {}}, "was version None and is version"),
        ({"models": None}, "was version None and is version"),
    ],
)
def test_what_may_not_be_says_why(first: Event, changed: dict[str, Any], why: str) -> None:
    with pytest.raises(NotHere, match=why):
        judge.replayable(of(first, **changed))


def test_other_texts_are_no_obstacle(first: Event) -> None:
    hashes = {**first.data["mission_hash"], "texts": "00" * 32}
    assert judge.replayable(of(first, mission_hash=hashes))


def test_a_mission_is_read_when_it_is_asked_for_and_once(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (installed / "broken.toml").write_text("schema = [")
    read: list[str] = []

    def load(path: Path) -> MissionFile:
        read.append(path.name)
        return loading.load(path)

    monkeypatch.setattr(judge, "load", load)
    for _ in range(3):
        assert judge.find("memory-wall", "edge") is not None
        assert judge.find("memory-wall", "sea") is None
        for odd in ("broken", "tracks", "none", "../missions/memory-wall", "", "x" * 9_999, "\0"):
            assert judge.find(odd, "edge") is None
    assert read == ["memory-wall.toml", "broken.toml"]
