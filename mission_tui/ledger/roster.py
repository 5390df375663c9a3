"""The roster: which student holds which key, from when until when.

A TOML file that an instructor reads and edits::

    schema = 1
    course = "mlsys-2026"

    [[students]]
    id = "ada"
    name = "Ada L."
    uid = 1001                # optional: her account on the lab server (id -u ada)

    [[students.keys]]
    public = "9f…"            # 64 hex digits
    from = 2026-09-01
    until = 2026-10-12        # the last day; without it the key is in use
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, TypeGuard

from mission_tui.ledger.enrolment import same_id
from mission_tui.ledger.files import CannotOpenError, read_regular
from mission_tui.text import clean_line

SCHEMA: Final = 1
LONGEST: Final = 4_000_000
"""Bytes; about 20,000 students."""
MOST_UID: Final = 2**32 - 1
_HEX: Final = frozenset("0123456789abcdef")


class RosterError(Exception):
    """A roster that can't be used; one sentence."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key (hex), and the first and last day on which it is its student's."""

    public: str
    since: date
    until: date | None = None

    def covers(self, on: date) -> bool:
        """Whether the key is its student's on a day."""
        return self.since <= on and (self.until is None or on <= self.until)


@dataclass(frozen=True, slots=True)
class Student:
    """One student. ``name`` may be empty; ``uid`` is the account on the lab server, if known."""

    id: str
    name: str
    keys: tuple[Key, ...]
    uid: int | None = None


@dataclass(frozen=True)
class Roster:
    """The students of a course, in the file's order."""

    course: str
    students: tuple[Student, ...]
    _by_id: Mapping[str, Student] = field(init=False, repr=False, compare=False)
    _by_key: Mapping[str, tuple[Student, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_key: dict[str, tuple[Student, ...]] = {}
        for student in self.students:
            for public in {key.public for key in student.keys}:
                by_key[public] = (*by_key.get(public, ()), student)
        object.__setattr__(self, "_by_id", {same_id(each.id): each for each in self.students})
        object.__setattr__(self, "_by_key", by_key)

    def student(self, id: str) -> Student | None:
        """The student of an id, or None. Ids that differ only in normalisation are one."""
        return self._by_id.get(same_id(id))

    def accounts(self, uid: int) -> tuple[Student, ...]:
        """Whose account it is on the lab server: several may share one."""
        return tuple(student for student in self.students if student.uid == uid)

    def holder(self, public_hex: str, on: date) -> Student | None:
        """Whose key it is on a day; None where it is nobody's."""
        for student in self._by_key.get(public_hex, ()):
            if any(key.public == public_hex and key.covers(on) for key in student.keys):
                return student
        return None

    def ever(self, public_hex: str) -> Student | None:
        """Whose key it is or was on any day."""
        return next(iter(self._by_key.get(public_hex, ())), None)


def load(path: Path) -> Roster:
    """Read a roster. Raises RosterError."""
    try:
        content = read_regular(path, LONGEST + 1)
    except CannotOpenError as error:
        raise RosterError(str(error)) from None
    try:
        return parse(content)
    except RosterError as error:
        raise RosterError(f"{path.name}: {error}") from None


def parse(content: bytes) -> Roster:
    """Read a roster's bytes. Raises RosterError."""
    import tomli

    if len(content) > LONGEST:
        raise RosterError(f"it is larger than {LONGEST:,} bytes")
    try:
        fields = tomli.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomli.TOMLDecodeError, RecursionError) as error:
        raise RosterError(f"it is no TOML: {clean_line(error, 120)}") from None
    _only(fields, {"schema", "course", "students"}, "the roster")
    if fields.get("schema") != SCHEMA:
        raise RosterError(f"schema must be {SCHEMA}")
    course, students = fields.get("course"), fields.get("students", [])
    if not isinstance(course, str) or not course:
        raise RosterError("course must be the course's id")
    if not isinstance(students, list):
        raise RosterError("students must be [[students]] tables")
    roster = Roster(course, tuple(_student(each, n) for n, each in enumerate(students, start=1)))
    _check_apart(roster)
    return roster


def write(roster: Roster) -> str:
    """The roster as TOML."""
    lines = [
        "# Who holds which key: mission-tui course enrol writes this file anew and keeps what it",
        "# says, but no comments. You may edit it: dates are days in UTC, until is the last one.",
        f"schema = {SCHEMA}",
        f"course = {quoted(roster.course)}",
    ]
    for student in roster.students:
        lines += ["", "[[students]]", f"id = {quoted(student.id)}"]
        if student.name:
            lines.append(f"name = {quoted(student.name)}")
        if student.uid is not None:
            lines.append(f"uid = {student.uid}")
        for key in student.keys:
            lines += ["", "[[students.keys]]", f'public = "{key.public}"', f"from = {key.since}"]
            if key.until is not None:
                lines.append(f"until = {key.until}")
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """A TOML basic string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _student(fields: Any, number: int) -> Student:
    where = f"student {number}"
    if not isinstance(fields, dict):
        raise RosterError(f"{where} must be a [[students]] table")
    _only(fields, {"id", "name", "uid", "keys"}, where)
    id, name, found = fields.get("id"), fields.get("name", ""), fields.get("keys", [])
    uid = fields.get("uid")
    if not isinstance(id, str) or not id:
        raise RosterError(f"{where} needs an id")
    where = f"student {clean_line(id, 40)!r}"
    if not isinstance(name, str):
        raise RosterError(f"{where}: name must be text")
    if not isinstance(found, list):
        raise RosterError(f"{where}: keys must be [[students.keys]] tables")
    if uid is not None and (type(uid) is not int or not 0 <= uid <= MOST_UID):
        raise RosterError(f"{where}: uid must be the number of an account, as id -u gives it")
    return Student(id, name, tuple(_key(each, where) for each in found), uid)


def _key(fields: Any, where: str) -> Key:
    if not isinstance(fields, dict):
        raise RosterError(f"{where}: keys must be [[students.keys]] tables")
    _only(fields, {"public", "from", "until"}, where)
    public, since, until = fields.get("public"), fields.get("from"), fields.get("until")
    if not isinstance(public, str) or len(public) != 64 or set(public) - _HEX:
        raise RosterError(f"{where}: public must be 64 hex digits (0-9, a-f)")
    if not _is_day(since):
        raise RosterError(f"{where}: from must be a date, for example 2026-09-01")
    if not (until is None or _is_day(until)):
        raise RosterError(f"{where}: until must be a date, for example 2026-12-31")
    if until is not None and until < since:
        raise RosterError(f"{where}: a key ends before it begins")
    return Key(public, since, until)


def _check_apart(roster: Roster) -> None:
    ids = [same_id(student.id) for student in roster.students]
    if len(set(ids)) != len(ids):
        twice = next(id for id in ids if ids.count(id) > 1)
        raise RosterError(f"student {clean_line(twice, 40)!r} is there twice")
    held: dict[str, list[tuple[Key, str]]] = {}
    for student in roster.students:
        for key in student.keys:
            for other, id in held.setdefault(key.public, []):
                if id != student.id and (other.covers(key.since) or key.covers(other.since)):
                    two = f"{clean_line(id, 40)!r} and {clean_line(student.id, 40)!r}"
                    raise RosterError(f"the key {key.public[:16]} belongs to {two} on the same day")
            held[key.public].append((key, student.id))


def _only(fields: Mapping[str, Any], known: set[str], where: str) -> None:
    if odd := sorted(fields.keys() - known):
        raise RosterError(f"{where} has the unknown key {clean_line(odd[0], 40)!r}")


def _is_day(value: object) -> TypeGuard[date]:
    return isinstance(value, date) and not isinstance(value, datetime)
