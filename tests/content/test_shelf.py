from __future__ import annotations

import gc
import shutil
import weakref
from pathlib import Path

import pytest

from mission_tui.content.load import MissionError, MissionFile, load, mission_hash
from mission_tui.content.shelf import Shelf, fetch, shelved


@pytest.mark.parametrize(
    "name", ["vol1-03-ml-workflow", "vol1-09-data-selection", "vol2-11-edge-intelligence"]
)
def test_a_mission_comes_back_as_it_was_put_away(missions: Path, name: str) -> None:
    file = load(missions / f"{name}.toml")
    back = shelved(file)
    assert list(back.tracks) == list(file.tracks)
    assert len(back.tracks) == len(file.tracks)
    for track, mission in file.tracks.items():
        assert back.tracks[track] == mission
        assert repr(back.tracks[track]) == repr(mission)  # 1 and 1.0 are equal, and print apart
        assert mission_hash(back.tracks[track]) == mission_hash(mission)


def test_a_mission_is_one_while_it_is_held_and_gone_when_it_is_not(wall: MissionFile) -> None:
    shelf = Shelf(wall.tracks)
    held = shelf["edge"]
    assert shelf["edge"] is held
    gone = weakref.ref(held)
    del held
    gc.collect()
    assert gone() is None
    assert shelf["edge"] == wall.tracks["edge"]


def test_a_track_that_there_is_not_is_a_key_error(wall: MissionFile) -> None:
    shelf = Shelf(wall.tracks)
    assert shelf.get("nowhere") is None
    with pytest.raises(KeyError):
        shelf["nowhere"]


def test_a_mission_is_read_again_when_its_file_or_the_personas_have_changed(
    tmp_path: Path,
) -> None:
    for name in ("memory-wall.toml", "tracks.toml"):
        shutil.copy(Path(__file__).parents[1] / "wall" / name, tmp_path)
    path = tmp_path / "memory-wall.toml"
    first = fetch(path)
    assert fetch(path) is first
    for changed in (path, tmp_path / "tracks.toml"):
        changed.write_text(changed.read_text() + "# changed\n")
        again = fetch(path)
        assert again is not first
        first = again
    path.write_text("id = 1\n")
    with pytest.raises(MissionError):
        fetch(path)
