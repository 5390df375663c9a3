"""What a grader says instead of the rubric: points for a criterion, with a reason each.

They are kept apart from the ledger, in a TOML file beside it, and signed with the grader's own key
(``<file>.sig``: 128 hex digits, Ed25519 over the file's exact bytes). A file that was not signed
with this key, or was changed since, is shown and never added to: it may come from anybody.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import tomli

from mission_tui.ledger import keys
from mission_tui.ledger.files import (
    CannotOpenError,
    new_beside,
    read_regular,
    sync_folder,
    why,
    write_whole,
)
from mission_tui.text import clean_line

SCHEMA: Final = 1
LARGEST: Final = 1_000_000
"""Bytes that a file of marks may have."""
MOST: Final = 1_000.0
"""Points that a criterion may be given, as in a rubric."""
LONGEST: Final = 2_000
"""Characters of a reason."""
_HEAD: Final = """\
# Points given by hand, each with its reason: they stand instead of the rubric's. Of two for one
# play and criterion the later one counts. Signed with the grader's key: {name}.sig
"""

Signed = Literal["new", "mine", "not mine"]


class MarksError(ValueError):
    """Marks that can't be read or kept; one sentence."""


@dataclass(frozen=True, slots=True)
class Override:
    """Points for one criterion of one play, why, by whom, and when (aware, to the second).

    ``event`` is the number of the event that the grader looked at, where there was one.
    """

    play: str
    criterion: str
    points: float
    reason: str
    by: str
    at: datetime
    event: int | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """A file of overrides, in the order in which they were made.

    ``signed`` is ``"mine"`` where this user's key signed exactly these bytes, ``"new"`` where there
    is no file.
    """

    path: Path
    overrides: tuple[Override, ...] = ()
    signed: Signed = "new"
    key: str = ""
    """The public key (hex) that the file names."""

    def standing(self, play: str) -> dict[str, Override]:
        """What counts for a play, by criterion: of two overrides the later one."""
        return {each.criterion: each for each in self.overrides if each.play == play}


@dataclass(frozen=True)
class Grader:
    """Who marks one play, and where the marks go. ``now`` gives the time, aware."""

    path: Path
    play: str
    by: str
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC), repr=False)

    def give(self, criterion: str, points: float, reason: str, event: int | None = None) -> Marks:
        """Add an override, durable and signed when this returns. Raises :class:`MarksError`."""
        at = self.now().astimezone(UTC).replace(microsecond=0)
        return add(self.path, Override(self.play, criterion, points, reason, self.by, at, event))


def marks_path(ledger: Path) -> Path:
    """Where the marks of a ledger are kept: ``<ledger>.marks.toml``, beside it."""
    return ledger.with_name(f"{ledger.name}.marks.toml")


def signature_path(path: Path) -> Path:
    """Where the signature of a file of marks is kept."""
    return path.with_name(f"{path.name}.sig")


def load(path: Path) -> Marks:
    """The marks in a file; none where there is no file. Raises :class:`MarksError`."""
    if not path.is_symlink() and not path.exists():
        return Marks(path)
    try:
        content = read_regular(path, LARGEST + 1)
    except CannotOpenError as error:
        raise MarksError(str(error)) from None
    overrides, key = parse(content, path.name)
    return Marks(path, overrides, "mine" if _is_mine(path, content) else "not mine", key)


def add(path: Path, override: Override) -> Marks:
    """Add one override to a file and sign it. Raises :class:`MarksError`, and changes nothing.

    A file that this user's key did not sign is not added to.
    """
    if problem := refusal(override):
        raise MarksError(problem)
    before = load(path)
    if before.signed == "not mine":
        raise MarksError(
            f"{path} is not signed with your key, or was changed since: "
            "move it away, or name another file with --marks"
        )
    try:
        keys.ensure_public()
        key = keys.load()
    except keys.KeyFileError as error:
        raise MarksError(str(error)) from None
    overrides = (*before.overrides, override)
    content = written(overrides, key.public_hex, path.name)
    if len(content) > LARGEST:
        raise MarksError(f"{path} is full: name another file with --marks")
    signature = key.sign(content).hex().encode("ascii") + b"\n"
    beside: Path | None = None
    try:
        beside = new_beside(signature_path(path), signature)  # a full disk is met before a change
        write_whole(path, content)
        beside.replace(signature_path(path))
        sync_folder(path.parent)
    except OSError as error:
        if beside is not None:
            beside.unlink(missing_ok=True)
        raise MarksError(f"the marks can't be kept: {why(error)} ({path})") from None
    return Marks(path, overrides, "mine", key.public_hex)


def refusal(override: Override) -> str | None:
    """Why an override can't be taken; None where it can."""
    if not override.play:
        return "the ledger names no play"
    if not math.isfinite(override.points) or not 0 <= override.points <= MOST:
        return f"points are a number from 0 to {MOST:,.0f}"
    if not override.reason.strip():
        return "say why: points without a reason are not kept"
    if len(override.reason) > LONGEST:
        return f"a reason has at most {LONGEST:,} characters"
    if not override.criterion or not override.by.strip():
        return "an override names its criterion and its grader"
    return None


def written(overrides: Iterable[Override], key: str, name: str) -> bytes:
    """A file of marks, as it is signed."""
    lines = [_HEAD.format(name=clean_line(name, 100)), f"schema = {SCHEMA}", f"key = {_text(key)}"]
    for each in overrides:
        lines += [
            "",
            "[[override]]",
            f"play = {_text(each.play)}",
            f"criterion = {_text(each.criterion)}",
            f"points = {float(each.points)!r}",
            f"reason = {_text(each.reason)}",
            f"by = {_text(each.by)}",
            f"at = {each.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        ]
        if each.event is not None:
            lines.append(f"event = {each.event}")
    return ("\n".join(lines) + "\n").encode("utf-8")


def parse(content: bytes, name: str) -> tuple[tuple[Override, ...], str]:
    """The overrides of a file, and the key that it names. Raises :class:`MarksError`."""
    if len(content) > LARGEST:
        raise MarksError(f"{name} is larger than {LARGEST:,} bytes")
    try:
        tree = tomli.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise MarksError(clean_line(f"{name}: not TOML: {error}", 300)) from None
    if tree.get("schema") != SCHEMA:
        raise MarksError(f"{name}: schema must be {SCHEMA}")
    rows: Any = tree.get("override", [])
    if not isinstance(rows, list):
        raise MarksError(f"{name}: overrides are tables: [[override]]")
    return tuple(_override(row, n, name) for n, row in enumerate(rows, 1)), str(tree.get("key", ""))


def _override(row: Any, number: int, name: str) -> Override:
    where = f"{name}: override {number}"
    if not isinstance(row, Mapping):
        raise MarksError(f"{where} is no table")
    for key in ("play", "criterion", "reason", "by"):
        if not isinstance(row.get(key), str):
            raise MarksError(f"{where}: {key} must be text")
    points, at, event = row.get("points"), row.get("at"), row.get("event")
    if isinstance(points, bool) or not isinstance(points, (int, float)):
        raise MarksError(f"{where}: points must be a number")
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise MarksError(f"{where}: at must be a date and time with its zone")
    if event is not None and (type(event) is not int or event < 0):
        raise MarksError(f"{where}: event must be an event's number")
    try:
        value = float(points)
    except OverflowError:
        raise MarksError(f"{where}: points must be a number") from None
    reason, by = row["reason"], row["by"]
    found = Override(row["play"], row["criterion"], value, reason, by, at, event)
    if problem := refusal(found):
        raise MarksError(f"{where}: {problem}")
    return found


def _is_mine(path: Path, content: bytes) -> bool:
    """Whether this user's own key signed these bytes; without a key or a signature, no."""
    if not (keys.keys_dir() / "ed25519").exists():
        return False
    try:
        said = read_regular(signature_path(path), 200).decode("ascii")
        return keys.verifies(keys.load().public, bytes.fromhex(said.strip()), content)
    except (CannotOpenError, ValueError, keys.KeyFileError):
        return False


def _text(text: str) -> str:
    """A TOML basic string: JSON's, and DEL written as an escape too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
