"""A small class, as the tests of this room need it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mission_tui.content.load import MissionFile
from mission_tui.grading import grade
from mission_tui.grading.row import Job, Row, of_file
from mission_tui.play import score
from mission_tui.play.events import Event
from tests.grading import classroom


@pytest.fixture(scope="session")
def plays(wall: MissionFile) -> dict[str, list[Event]]:
    """Plays of four students on one track."""
    return {
        name: classroom.play(wall.tracks["tiny"], name, seed)
        for seed, name in enumerate(("ada", "bob", "eve", "kim"))
    }


@pytest.fixture(scope="session")
def job() -> Job:
    """Graded by the rubric that ships, and nothing is recomputed."""
    return Job(score.rubric(score.DEFAULT), replay=False)


@pytest.fixture
def folder(tmp_path: Path, plays: dict[str, list[Event]]) -> Path:
    """What the four handed in."""
    found = tmp_path / "handed-in"
    found.mkdir()
    for name, events in plays.items():
        classroom.hand_in(found, name, events)
    return found


@pytest.fixture
def rows(folder: Path, job: Job) -> Sequence[Row]:
    """Their rows."""
    return [of_file(file, name, job) for file, name in grade.collect(folder)]
