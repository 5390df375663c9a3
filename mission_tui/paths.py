"""Where things are kept: state, saves, missions, and the file names of a play."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._@+-]+")
_LONGEST: Final = 64
"""Characters of a file name made from an id, before the hash."""


def state_dir() -> Path:
    """``$MISSION_TUI_STATE``, else this user's state directory. It may not exist yet."""
    if chosen := os.environ.get("MISSION_TUI_STATE"):
        return _absolute(chosen)
    import platformdirs

    return platformdirs.user_state_path("mission-tui", appauthor=False)


def saves_dir(option: str | None = None) -> Path:
    """Where plays are kept; it may not exist yet.

    ``option`` (``--saves``), else ``$MISSION_TUI_SAVES``, else ``saves/`` of the checkout that
    the program runs from if that belongs to the user, else ``saves/`` of :func:`state_dir`.
    """
    if chosen := option or os.environ.get("MISSION_TUI_SAVES"):
        return _absolute(chosen)
    checkout = checkout_dir()
    if checkout is not None and _is_mine(checkout):
        return checkout / "saves"
    return state_dir() / "saves"


def missions_dir() -> Path:
    """``$MISSION_TUI_MISSIONS``, else the missions of the checkout that the program runs from,
    else the installed ones.
    """
    if chosen := os.environ.get("MISSION_TUI_MISSIONS"):
        return _absolute(chosen)
    return (checkout_dir() or _PACKAGE) / "missions"


def checkout_dir() -> Path | None:
    """The checkout that holds this package (``pyproject.toml`` and ``missions/`` beside it)."""
    beside = _PACKAGE.parent
    found = (beside / "pyproject.toml").is_file() and (beside / "missions").is_dir()
    return beside if found else None


def student_dir(saves: Path, student: str) -> Path:
    """The folder of one student's plays."""
    return saves / file_name(student)


def journal_path(saves: Path, student: str, play_id: str) -> Path:
    """``<saves>/<student>/<play id>.jsonl``: the working save."""
    return student_dir(saves, student) / f"{file_name(play_id)}.jsonl"


def ledger_path(saves: Path, student: str, play_id: str) -> Path:
    """``<saves>/<student>/<play id>.ledger.json``: the signed ledger."""
    return student_dir(saves, student) / f"{file_name(play_id)}.ledger.json"


def file_name(identity: str) -> str:
    """An id as one safe file name: the id itself when it is plain, else readable plus a hash.

    Plain is 1 to 64 of ``A-Z a-z 0-9 . _ @ + -``, beginning with a letter, digit or ``_``.
    Anything else loses accents, gets ``_`` for what remains odd, and ends in ``~`` and 12 hex
    digits of the id's SHA-256. A plain name has no ``~``, so no two ids share a name. Ids that
    differ only in Unicode normalisation are one id.
    """
    identity = unicodedata.normalize("NFC", identity)
    bare = "".join(
        character
        for character in unicodedata.normalize("NFKD", identity)
        if not unicodedata.combining(character)
    )
    name = _UNSAFE.sub("_", bare)[:_LONGEST].lstrip(".-@+") or "_"
    if name == identity:
        return name
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{name}~{digest[:12]}"


def _absolute(path: str) -> Path:
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:  # ~nobody/ names no home: take it literally
        return Path(path).absolute()


def _is_mine(checkout: Path) -> bool:
    saves = checkout / "saves"
    folder = saves if saves.is_dir() else checkout
    return folder.stat().st_uid == os.geteuid() and os.access(folder, os.W_OK | os.X_OK)
