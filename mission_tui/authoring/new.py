"""A first mission file: valid, commented, playable, and the author's own to change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final

from mission_tui.authoring import jsonschema
from mission_tui.content.load import TRACKS_FILE, load_personas
from mission_tui.text import clean_line

KINDS: Final = ("live", "budgeted", "talks")
SCHEMA_FILE: Final = "mission.schema.json"
_TRACKS: Final = "tracks"
_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_LONGEST_TITLE: Final = 24
_SECTION: Final = re.compile(r"^#%% (.*)\n", re.MULTILINE)


class NewError(ValueError):
    """A mission that can't be begun; one sentence."""


def create(mission: str, kind: str, folder: Path) -> tuple[Path, ...]:
    """Write the file of a new mission, and what it needs beside it where that is not there.

    Returns what was written, the mission first. Raises :class:`NewError` for a bad id or kind
    and where the file exists, :class:`~mission_tui.content.load.MissionError` where the
    ``tracks.toml`` that is there can't be read, :class:`OSError` where nothing can be written.
    """
    if not _ID.fullmatch(mission) or mission == _TRACKS:
        shown = clean_line(mission, 60)
        raise NewError(f"{shown!r} is no id: use a-z, 0-9, _ and -, for example memory-wall")
    if kind not in KINDS:
        raise NewError(f"{clean_line(kind, 60)!r} is no kind; known: {', '.join(KINDS)}")
    path, tracks = folder / f"{mission}.toml", folder / TRACKS_FILE
    if path.exists() or path.is_symlink():
        raise NewError(f"{path} is there already; nothing was written over")
    track = "edge"
    if tracks.exists():
        track = next(iter(load_personas(tracks).tracks))
    wanted = [
        (path, _filled(kind, mission, track)),
        (tracks, _filled(_TRACKS, mission, track)),
        (folder / SCHEMA_FILE, jsonschema.written()),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(target for target, text in wanted if _written(target, text))


def _written(path: Path, text: str) -> bool:
    """Write a file that is not there; what is there stays as it is."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def _filled(name: str, mission: str, track: str) -> str:
    """The template's sections of one kind of file, with the author's names in it."""
    words = mission.replace("-", " ").replace("_", " ").strip() or mission
    title = (words[0].upper() + words[1:])[:_LONGEST_TITLE].strip()
    text = "".join(body for names, body in _sections() if name in names)
    for mark, value in (("@ID@", mission), ("@TITLE@", title), ("@TRACK@", track)):
        text = text.replace(mark, value)
    return text


def _sections() -> Iterator[tuple[list[str], str]]:
    """The sections of the template: the kinds of file that each belongs to, and its text."""
    template = files(__package__).joinpath("template.toml").read_text(encoding="utf-8")
    _, *found = _SECTION.split(template)
    for names, body in zip(found[::2], found[1::2], strict=True):
        yield names.split(), body
