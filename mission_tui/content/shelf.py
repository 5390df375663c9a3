"""Missions put away: a session plays one, and should not hold what is installed beside it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from weakref import WeakValueDictionary

from mission_tui.content.load import TRACKS_FILE, MissionFile, load
from mission_tui.content.schema import Mission


class Shelf(Mapping[str, Mission]):
    """Missions by track, packed: one is unpacked when it is asked for, in milliseconds, and is
    gone again when nobody holds it. What was loaded is what comes back, whatever has happened to
    the file since.
    """

    def __init__(self, missions: Mapping[str, Mission]) -> None:
        self._packed = {
            track: zlib.compress(mission.model_dump_json(by_alias=True).encode())
            for track, mission in missions.items()
        }
        self._held: WeakValueDictionary[str, Mission] = WeakValueDictionary()

    def __getitem__(self, track: str) -> Mission:
        """The mission of a track: the same one for as long as somebody holds it."""
        mission = self._held.get(track)
        if mission is None:
            mission = Mission.model_validate_json(zlib.decompress(self._packed[track]))
            self._held[track] = mission
        return mission

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


def shelved(file: MissionFile) -> MissionFile:
    """The same file with its missions put away."""
    return replace(file, tracks=Shelf(file.tracks))


_FETCHED: dict[Path, tuple[object, MissionFile]] = {}


def fetch(path: Path) -> MissionFile:
    """:func:`load`, put away; a file that has not changed since is not read again.

    Raises as :func:`load` does.
    """
    state = [_state(each) for each in (path, path.with_name(TRACKS_FILE))]
    known = _FETCHED.get(path)
    if known is None or known[0] != state:
        known = _FETCHED[path] = (state, shelved(load(path)))
    return known[1]


def _state(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
