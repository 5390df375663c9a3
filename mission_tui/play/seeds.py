"""Seeds: drawn from a part's vetted deck by a keyed hash, so that neighbours rarely share one."""

from __future__ import annotations

import hashlib
import hmac

from mission_tui.content.schema import Part


def root_of_student(student: str) -> str:
    """The root seed of a student without a course, as hex: it follows from the id."""
    return hashlib.sha256(b"student\0" + student.encode()).hexdigest()


def root_chosen(seed: int) -> str:
    """The root seed that someone chose, as hex: not the student's own, and the ledger says so."""
    return hashlib.sha256(b"chosen\0" + str(seed).encode()).hexdigest()


def seed_for(root: str, mission: str, part_id: str, part: Part, attempt: int) -> int:
    """``deck[HMAC-SHA256(root, mission ‖ part ‖ attempt) mod n]``.

    ``root`` is hex; the fields are separated by a NUL so that no two plays share a message.
    Raises ValueError where ``root`` is not hex.
    """
    message = "\0".join((mission, part_id, str(attempt))).encode()
    digest = hmac.new(bytes.fromhex(root), message, hashlib.sha256).digest()
    return part.seeds[int.from_bytes(digest, "big") % len(part.seeds)]
