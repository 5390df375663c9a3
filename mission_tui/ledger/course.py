"""A course: the instructor's folder, from which students are enrolled.

``course.toml`` may be shown. ``secret`` (32 random bytes) and ``key`` (Ed25519) are the
instructor's alone: who has the secret can compute each student's seed before the play, who has
the key can enrol. ``roster.toml`` says who holds which key.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from mission_tui.ledger import keys
from mission_tui.ledger import roster as rosters
from mission_tui.ledger.enrolment import Enrolment, message, same_id
from mission_tui.ledger.files import (
    CannotOpenError,
    new_beside,
    private_folder,
    read_regular,
    sync_folder,
    why,
    write_whole,
)
from mission_tui.ledger.lockfile import HeldError, PlayLock
from mission_tui.ledger.roster import Key, Roster, RosterError, Student, quoted
from mission_tui.text import clean_line

SCHEMA: Final = 1
_SECRET: Final = 32
_LONGEST: Final = 64_000
_HEX: Final = frozenset("0123456789abcdef")


class CourseError(Exception):
    """A course folder that can't be made or used; one sentence."""


@dataclass(frozen=True, slots=True)
class Course:
    """A course as ``course.toml`` tells it; with its folder also its ``secret``.

    ``witness`` is the public key (hex) of the witness whose receipts count, or None.
    """

    id: str
    title: str
    key: str
    witness: str | None = None
    secret: bytes | None = field(default=None, repr=False)

    def seed_root(self, student: str) -> str | None:
        """The root of a student's seeds, hex; None without the secret."""
        return None if self.secret is None else seed_root(self.secret, student)


def seed_root(secret: bytes, student: str) -> str:
    """HMAC-SHA256 of the student's id, as hex."""
    return hmac.new(secret, same_id(student).encode("utf-8"), hashlib.sha256).hexdigest()


def new(folder: Path, id: str, title: str = "") -> Course:
    """Make a course's folder (0700). Raises CourseError, also where there is one already."""
    id, title = _text(id, "the id", 64), _text(title or id, "the title", 120)
    try:
        private_folder(folder)
        if next(folder.iterdir(), None) is not None:
            raise CourseError(f"{folder} is not empty; name a new folder for the course")
        _write_new(folder / "secret", os.urandom(_SECRET))
        key = keys.make_private(folder / "key")
        course = Course(id, title, key.public_hex)
        _write_new(folder / "roster.toml", rosters.write(Roster(id, ())).encode("utf-8"))
        _write_new(folder / "course.toml", _written(course).encode("utf-8"))
    except (OSError, keys.KeyFileError) as error:
        raise CourseError(f"the course can't be made: {_said(error)}") from None
    return load(folder)


def load(path: Path) -> Course:
    """The course of a folder with its secret, or the public part of a ``course.toml``.

    Raises CourseError.
    """
    if not path.is_dir():
        return _public(path)
    course = _public(path / "course.toml")
    if not os.path.lexists(path / "secret"):
        return course  # a copy for somebody who checks and does not enrol
    _check_closed(path, "secret")
    try:
        secret = read_regular(path / "secret", _SECRET + 1)
    except CannotOpenError as error:
        raise CourseError(str(error)) from None
    if len(secret) != _SECRET:
        raise CourseError(f"{path / 'secret'} is not a course secret of {_SECRET} bytes")
    return replace(course, secret=secret)


def roster_of(folder: Path) -> Roster:
    """The roster of a course's folder. Raises RosterError."""
    return rosters.load(folder / "roster.toml")


def enrol(
    folder: Path,
    student: str,
    public: str,
    name: str = "",
    now: datetime | None = None,
    uid: int | None = None,
) -> Enrolment:
    """Put a student's key on the roster from today on, and sign the token for it.

    A key that the student had before ends today; enrolling the same key again gives a new
    token and leaves the roster as it is. ``uid`` is the student's account on the lab server,
    where it is known. Raises CourseError, RosterError.
    """
    student = same_id(_text(student, "the student's id", 64))
    if name:
        name = _text(name, "the name", 120)
    public = public.strip().lower()
    if len(public) != 64 or set(public) - _HEX:
        raise CourseError("the key must be the 64 hex digits that mission-tui keys shows")
    if uid is not None and not 0 <= uid <= rosters.MOST_UID:
        raise CourseError("the uid must be the number of an account, as id -u gives it")
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    course = load(folder)
    if course.secret is None:
        raise CourseError(f"{folder} has no secret: it can check, and not enrol")
    try:
        signing = keys.read_private(folder / "key")
        lock = PlayLock.take(folder / ".enrolling")
    except keys.KeyFileError as error:
        raise CourseError(str(error)) from None
    except HeldError:
        raise CourseError("another enrolment is being written; try again") from None
    except OSError as error:
        raise CourseError(f"the roster can't be written: {why(error)}") from None
    if signing.public_hex != course.key:
        lock.release()
        raise CourseError(f"{folder / 'key'} is not the key that course.toml names")
    try:
        before = roster_of(folder)
        after = with_key(before, student, public, name, moment.date(), uid)
        if after != before:
            write_whole(folder / "roster.toml", rosters.write(after).encode("utf-8"))
    except OSError as error:
        raise CourseError(f"the roster can't be written: {why(error)}") from None
    finally:
        lock.release()
    root = seed_root(course.secret, student)
    issued = moment.isoformat(timespec="seconds")
    signature = signing.sign(message(course.id, issued, public, root, student))
    return Enrolment(course.id, course.key, issued, signature.hex(), student, public, root)


def with_key(
    roster: Roster, id: str, public: str, name: str, today: date, uid: int | None = None
) -> Roster:
    """The roster with a student's key in use from today on. Raises RosterError if it is taken."""
    taken = roster.holder(public, today)
    if taken is not None and same_id(taken.id) != id:
        raise RosterError(
            f"this key is that of {clean_line(taken.id, 40)!r}: a key belongs to one student"
        )
    known = roster.student(id)
    if known is None:
        added = Student(id, name, (Key(public, today),), uid)
        return Roster(roster.course, (*roster.students, added))
    held = known.keys
    if not any(key.public == public and key.until is None and key.covers(today) for key in held):
        ended = (
            replace(key, until=today) if key.until is None and key.since <= today else key
            for key in held
        )
        held = (*ended, Key(public, today))
    uid = known.uid if uid is None else uid
    changed = replace(known, name=name or known.name, keys=tuple(held), uid=uid)
    students = tuple(changed if each is known else each for each in roster.students)
    return Roster(roster.course, students)


def _public(path: Path) -> Course:
    import tomli

    try:
        content = read_regular(path, _LONGEST)
        fields: dict[str, Any] = tomli.loads(content.decode("utf-8"))
    except CannotOpenError as error:
        raise CourseError(str(error)) from None
    except (UnicodeDecodeError, tomli.TOMLDecodeError, RecursionError) as error:
        raise CourseError(f"{path} is no TOML: {clean_line(error, 120)}") from None
    if fields.get("schema") != SCHEMA:
        raise CourseError(f"{path} is no course: schema must be {SCHEMA}")
    for name in ("id", "title", "key"):
        if not isinstance(fields.get(name), str) or not fields[name]:
            raise CourseError(f"{path} is no course: it needs {name}")
    witness = fields.get("witness")
    for name, value in (("key", fields["key"]), ("witness", witness)):
        if value is not None and not is_public(value):
            raise CourseError(f"{path}: {name} must be 64 hex digits")
    return Course(fields["id"], fields["title"], fields["key"], witness)


def is_public(value: object) -> bool:
    """Whether a value is a public key as hex."""
    return isinstance(value, str) and len(value) == 64 and not set(value) - _HEX


def _written(course: Course) -> str:
    return (
        "# A course of mission-tui: this file may be shown; secret and key may not.\n"
        f"schema = {SCHEMA}\n"
        f"id = {quoted(course.id)}\n"
        f"title = {quoted(course.title)}\n"
        f'key = "{course.key}"\n'
        '# witness = "…": the public key of the lab server\'s witness, from: witness show DIR\n'
    )


def _write_new(path: Path, data: bytes) -> None:
    beside = new_beside(path, data)
    try:
        os.link(beside, path)
    finally:
        beside.unlink()
    sync_folder(path.parent)


def _check_closed(folder: Path, name: str) -> None:
    try:
        keys.check_closed(folder / name)
    except keys.KeyFileError as error:
        raise CourseError(str(error)) from None
    except OSError as error:
        raise CourseError(f"{folder / name} can't be opened: {why(error)}") from None


def _text(given: str, what: str, longest: int) -> str:
    if not given or given != clean_line(given, longest):
        raise CourseError(f"{what} must be 1 to {longest} printable characters on one line")
    return given


def _said(error: Exception) -> str:
    return why(error) if isinstance(error, OSError) else str(error)
