"""Whose plays these are: the state folder, the key, the course, the witness."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from mission_tui import paths, profile
from mission_tui.checkup.finding import Finding
from mission_tui.ledger import enrolment, keys, receipts, strict
from mission_tui.ledger.files import why


def findings() -> Iterator[Finding]:
    """Reads alone: no key is made, no receipt is asked for."""
    folder = paths.state_dir()
    if os.path.lexists(folder):
        yield _closed(folder)
    else:
        yield Finding("state", "ok", f"{folder}, made at the first play")
    public, key = _key()
    yield key
    yield _course(public)
    yield _witness()


def _closed(folder: Path) -> Finding:
    """The folder of key, name and enrolment should be this user's alone."""
    quoted = shlex.quote(str(folder))
    try:
        state = folder.stat()
    except OSError as error:
        todo = "Name another: $MISSION_TUI_STATE."
        return Finding("state", "fault", f"{folder} can't be used: {why(error)}", todo)
    mode = stat.S_IMODE(state.st_mode)
    if not stat.S_ISDIR(state.st_mode):
        return Finding(
            "state", "fault", f"{folder} is no folder", "Name another: $MISSION_TUI_STATE."
        )
    if state.st_uid != os.geteuid():
        todo = "Keep it in a folder of your own: $MISSION_TUI_STATE."
        return Finding("state", "fault", f"{folder} belongs to another user", todo)
    todo = f"Run: chmod 700 {quoted}"
    if mode & 0o022:
        return Finding("state", "fault", f"others can write to {folder} ({mode:04o})", todo)
    if mode & 0o077:
        return Finding("state", "note", f"others can look into {folder} ({mode:04o})", todo)
    return Finding("state", "ok", f"{folder} ({mode:04o})")


def _key() -> tuple[str | None, Finding]:
    """The public half of the key, if there is one that can sign."""
    file = keys.keys_dir() / "ed25519"
    if not os.path.lexists(file):
        return None, Finding("key", "ok", "none yet: it is made at the first play")
    try:
        key = keys.load()
    except keys.KeyFileError as error:
        said, _, todo = str(error).partition("; ")
        return None, Finding("key", "fault", said, _sentence(todo or "Repair it, then look again"))
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent)]
    said = f"fingerprint {key.key_id[:16]}… (file {modes[0]:04o}, folder {modes[1]:04o})"
    return key.public_hex, Finding("key", "ok", said)


def _course(public: str | None) -> Finding:
    file = enrolment.file()
    if not os.path.lexists(file):
        return Finding("course", "ok", "none: the seed follows from the name")
    anew = "Ask to be enrolled anew: mission-tui keys shows your key."
    found = enrolment.current()
    if found is None:
        return Finding("course", "fault", f"{file} can't be read, so plays have no course", anew)
    said = f"{found.course}, as {found.student}, since {found.issued}"
    if not found.holds:
        return Finding("course", "fault", f"{said}; changed since the course signed it", anew)
    if found.public_key != public:
        return Finding("course", "fault", f"{said}; but for another key than the one here", anew)
    name = profile.remembered()
    if name and enrolment.same_id(name) != enrolment.same_id(found.student):
        todo = f"Play as {found.student}: under another name there is no course."
        return Finding("course", "note", f"{said}; the last to play was {name}", todo)
    return Finding("course", "ok", said)


def _witness() -> Finding:
    """Whether the witness answers at all; it is asked for nothing, and signs nothing."""
    where = os.environ.get(receipts.VARIABLE)
    if not where:
        return Finding("witness", "ok", f"none (${receipts.VARIABLE} is not set)")
    try:
        receipts.exchange(where, [strict.encode({"want": "nothing"})])
    except receipts.NoAnswer as error:
        todo = "Play goes on without; tell your administrator, or unset the variable."
        return Finding("witness", "fault", str(error), f"${receipts.VARIABLE}: {todo}")
    return Finding("witness", "ok", f"{where} answers")


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.startswith("run: ") else ".")
