"""Enrolment: what a course signs to bind a student, a key and a seed.

The seed's root is HMAC-SHA256(course secret, student id), so that nobody without the secret knows
another student's data before that student plays, and nobody chooses their own. The token holds
that one root, never the secret. It travels in the header of each play, so a ledger shows by
itself that the course signed it.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mission_tui import paths
from mission_tui.ledger import keys
from mission_tui.ledger.files import CannotOpenError, private_folder, read_regular, write_whole
from mission_tui.play.start import Enrolled
from mission_tui.text import clean_line

TYPE: Final = "mission-tui enrolment v1"
LONGEST: Final = 4_096
"""Bytes of a token: one line, far shorter than this."""
_TEXTS: Final = ("course", "issued", "student")
_HEX: Final = {"key": 64, "public_key": 64, "seed_root": 64, "signature": 128}


class EnrolmentError(Exception):
    """A token that is none, or not for here; one sentence."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A course's word for one student's key. ``key`` is the course's public key, hex."""

    course: str
    key: str
    issued: str
    signature: str
    student: str
    public_key: str
    seed_root: str

    @property
    def message(self) -> bytes:
        """The bytes that the course signs."""
        return message(self.course, self.issued, self.public_key, self.seed_root, self.student)

    @property
    def holds(self) -> bool:
        """Whether the signature is the named course key's; not whose key that is."""
        signature = bytes.fromhex(self.signature)
        return keys.verifies(bytes.fromhex(self.key), signature, self.message)

    @property
    def enrolled(self) -> Enrolled:
        """What a header takes of it."""
        return Enrolled(self.course, self.key, self.issued, self.signature, self.seed_root)

    def token(self) -> str:
        """One line of JSON, to be handed to the student."""
        fields = {
            "type": TYPE,
            **{name: getattr(self, name) for name in (*_TEXTS, *_HEX)},
        }
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def message(course: str, issued: str, public_key: str, seed_root: str, student: str) -> bytes:
    """The bytes that bind student, key and seed to a course."""
    fields = {
        "course": course,
        "issued": issued,
        "public_key": public_key,
        "seed_root": seed_root,
        "student": same_id(student),
    }
    written = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return TYPE.encode("ascii") + b"\0" + written.encode("ascii")


def same_id(student: str) -> str:
    """A student id in the one form in which ids are compared and hashed (NFC)."""
    return unicodedata.normalize("NFC", student)


def parse(token: bytes) -> Enrolment:
    """Read a token strictly; does not check its signature. Raises EnrolmentError."""
    if len(token) > LONGEST:
        raise EnrolmentError("this is no enrolment token: it is too long")
    try:
        fields = json.loads(token)
    except (ValueError, RecursionError):
        raise EnrolmentError("this is no enrolment token: it is not one line of JSON") from None
    if not isinstance(fields, dict) or fields.get("type") != TYPE:
        raise EnrolmentError(f"this is no enrolment token: it is not of the type {TYPE}")
    return _read(fields)


def of_header(data: Mapping[str, Any]) -> Enrolment | None:
    """The enrolment that a play's header claims; None where it claims none.

    Raises EnrolmentError where the claim is malformed.
    """
    course = data.get("course")
    if course is None:
        return None
    if not isinstance(course, Mapping) or course.keys() != {"id", "key", "issued", "signature"}:
        raise EnrolmentError("the header's course is malformed")
    claimed = {name: data.get(name) for name in ("student", "public_key", "seed_root")}
    return _read(
        {
            **claimed,
            "course": course["id"],
            **{n: course[n] for n in ("key", "issued", "signature")},
        }
    )


def keep(enrolment: Enrolment) -> Path:
    """Keep a token for the plays to come. Raises EnrolmentError where it is not for this key."""
    if enrolment.public_key != keys.ensure_public():
        raise EnrolmentError(
            "this token is for another key than the one on this machine: "
            "mission-tui keys shows yours, and your instructor enrols it"
        )
    if not enrolment.holds:
        raise EnrolmentError("this token was changed since the course signed it")
    path = file()
    private_folder(path.parent)
    write_whole(path, enrolment.token().encode("ascii") + b"\n")
    return path


def current() -> Enrolment | None:
    """This user's enrolment; None where there is none, or none that can be read.

    Its signature was checked when it was kept, and is checked again wherever a ledger is verified.
    """
    try:
        return parse(read_regular(file(), LONGEST + 1))
    except (CannotOpenError, EnrolmentError):
        return None


def for_play(student: str, public_key: str) -> Enrolment | None:
    """The enrolment under which a play by ``student`` with this key counts, or None."""
    found = current()
    if found is None or found.public_key != public_key:
        return None
    return found if same_id(found.student) == same_id(student) else None


def says(student: str) -> str:
    """One sentence for the player: whose data the plays of ``student`` here will have."""
    found = current()
    if found is None:
        if file().exists():
            return f"No course: {file()} can't be read, so the seed follows from your name."
        return "No course: the seed follows from your name."
    course = clean_line(found.course, 40)
    if same_id(found.student) != same_id(student):
        enrolled = clean_line(found.student, 40)
        return f"No course: in {course} you are {enrolled}, so here the seed follows from the name."
    try:
        mine = keys.public_if_any()
    except keys.KeyFileError:
        mine = None
    if found.public_key != mine:
        return f"No course: your key is not the one enrolled in {course}; ask to be enrolled anew."
    return f"Course {course}: the seed is your own, by your enrolment."


def file() -> Path:
    """Where the enrolment is kept; it may not exist."""
    return paths.state_dir() / "enrolment.json"


def _read(fields: Mapping[str, Any]) -> Enrolment:
    for name in _TEXTS:
        value = fields.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= 200:
            raise EnrolmentError(f"the enrolment has no {name}")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:  # half of a surrogate pair
            raise EnrolmentError(f"the enrolment's {name} is no text") from None
    for name, length in _HEX.items():
        value = fields.get(name)
        if not isinstance(value, str) or len(value) != length or set(value) - _DIGITS:
            raise EnrolmentError(f"the enrolment's {name} is not {length} hex digits")
    return Enrolment(**{name: fields[name] for name in (*_TEXTS, *_HEX)})


_DIGITS: Final = frozenset("0123456789abcdef")
