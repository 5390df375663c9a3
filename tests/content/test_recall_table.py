"""The recall question of a mission: checked like any table, each fault at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mission_tui.content.load import MissionError, load

WALL = Path(__file__).parent.parent / "wall"
TABLE = """
[recall]
question = "What is kept within {learning_slice}?"
answer = "inputs"
explanation = "They wait for the backward pass."
options = { inputs = "Layer inputs.", labels = "Labels." }

[parts.memory]
"""


def written(folder: Path, old: str = "", new: str = "") -> Path:
    """The wall with a recall table in which ``old`` is ``new``."""
    assert old in TABLE
    words = (WALL / "memory-wall.toml").read_text(encoding="utf-8")
    path = folder / "memory-wall.toml"
    table = TABLE.replace(old, new, 1) if old else TABLE
    path.write_text(words.replace("\n[parts.memory]\n", table, 1), encoding="utf-8")
    (folder / "tracks.toml").write_bytes((WALL / "tracks.toml").read_bytes())
    return path


def test_a_recall_table_loads_on_every_track(tmp_path: Path) -> None:
    for mission in load(written(tmp_path)).tracks.values():
        assert mission.recall
        assert mission.recall.answer in mission.recall.options


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ('answer = "inputs"', 'answer = "weights"', "recall.answer", "'weights' is no option"),
        ('answer = "inputs"\n', "", "recall.answer", "is missing"),
        (', labels = "Labels."', "", "recall.options", "at least 2"),
        ("{learning_slice}", "{peak_memory}", "recall.question", "can't be filled"),
        ("What is", "What is" * 60, "recall.question", "at most 320"),
        ("explanation =", "explained =", "recall.explained", "no such key"),
    ],
)
def test_faults_are_told_at_their_place(
    tmp_path: Path, old: str, new: str, key: str, said: str
) -> None:
    with pytest.raises(MissionError) as raised:
        load(written(tmp_path, old, new))
    found = {problem.key: problem.message for problem in raised.value.problems}
    assert said in found[key]


def test_the_shipped_mission_asks_a_question(missions: Path) -> None:
    for mission in load(missions / "vol2-11-edge-intelligence.toml").tracks.values():
        assert mission.recall is not None
