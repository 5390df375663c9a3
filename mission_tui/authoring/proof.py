"""The proof file, as the gate writes it; :mod:`mission_tui.play.proof` reads it for players."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from errno import EACCES
from pathlib import Path
from typing import Any, Final

from mission_tui import __version__
from mission_tui.content.load import MissionFile, mission_hash
from mission_tui.content.schema import Mission
from mission_tui.play.evaluate import versions
from mission_tui.play.proof import SCHEMA, fresh, proof_path
from mission_tui.play.start import PROGRAM

GATE: Final = 2
"""Moves when the gate's questions do: what an older one found is asked again."""


def path_of(file: MissionFile) -> Path:
    """Where a mission file's proof lies: beside it."""
    return proof_path(file.id, file.path.parent)


def read(file: MissionFile) -> dict[str, Any]:
    """The tracks of a proof file that still hold: of these rules, these models and this gate."""
    try:
        tree = json.loads(path_of(file).read_text(encoding="utf-8"))
        if tree.get("gate") != GATE:
            return {}
        found = {track: fresh(tree, mission) for track, mission in file.tracks.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}
    return {track: dict(held) for track, held in found.items() if held is not None}


def stamp(mission: Mission) -> dict[str, Any]:
    """What a track's findings hold for."""
    return {"rules": mission_hash(mission).rules, "models": versions(mission)}


def check_writable(file: MissionFile) -> None:
    """Raise PermissionError where the proof file can't be written."""
    if not os.access(file.path.parent, os.W_OK | os.X_OK):
        raise PermissionError(EACCES, "its proof can't be written there", str(file.path.parent))


def write(file: MissionFile, tracks: Mapping[str, Any]) -> None:
    """Write what was found, whole or not at all. Raises OSError where that can't be done."""
    tree = {
        "schema": SCHEMA,
        "gate": GATE,
        "mission": file.id,
        "program": f"{PROGRAM} {__version__}",
        "tracks": dict(tracks),
    }
    path = path_of(file)
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        draft.write_text(_text(tree), encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _text(tree: Mapping[str, Any]) -> str:
    """JSON that a reviewer can read and a diff can show: what holds no tables is one line."""
    return _lines(tree, "") + "\n"


def _lines(value: Any, indent: str) -> str:
    if not isinstance(value, Mapping) or not any(isinstance(v, Mapping) for v in value.values()):
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            inner = f",\n{indent} ".join(_line(each) for each in value)
            return f"[\n{indent} {inner}\n{indent}]"
        return _line(value)
    rows = (f"{_line(name)}: {_lines(held, indent + ' ')}" for name, held in value.items())
    inner = f",\n{indent} ".join(rows)
    return f"{{\n{indent} {inner}\n{indent}}}"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
