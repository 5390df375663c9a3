"""Who plays on this account: the student id, remembered from one start to the next."""

from __future__ import annotations

import json
from pathlib import Path

from mission_tui.paths import state_dir
from mission_tui.text import clean_line


def remembered() -> str:
    """The student id given last, or nothing."""
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    if not isinstance(found, dict) or not isinstance(found.get("student"), str):
        return ""
    return clean_line(found["student"], 64)


def remember(student: str) -> None:
    """Best effort: a machine that keeps nothing just asks again."""
    try:
        _file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _file().write_text(json.dumps({"student": student}), encoding="utf-8")
    except OSError:
        return


def _file() -> Path:
    return state_dir() / "profile.json"
