"""What an instructor knows beside the ledgers: the roster, the course, the witness's receipts."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from mission_tui.ledger import course as courses
from mission_tui.ledger import receipts, strict
from mission_tui.ledger import roster as rosters
from mission_tui.ledger.course import Course
from mission_tui.ledger.receipts import Receipt
from mission_tui.ledger.roster import Roster


class DeskError(Exception):
    """A roster, a course or receipts that can't be used; one sentence."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What verdicts are given by; whatever is None is not asked about.

    ``course`` has its secret where the course's own folder was given. ``receipts`` are by play
    id; only those of ``witness_key`` (hex) count.
    """

    roster: Roster | None = None
    course: Course | None = None
    receipts: Mapping[str, tuple[Receipt, ...]] = field(default_factory=dict)
    witness_key: str | None = None

    def known(self, play: object) -> tuple[Receipt, ...]:
        """The receipts of a play that count: those of the witness whose key is known."""
        found = self.receipts.get(str(play), ())
        return tuple(receipt for receipt in found if receipt.witness == self.witness_key)

    def about(self, *ledgers: bytes) -> Desk:
        """The same with no receipts but those of these ledgers: what another process is sent.

        A class's receipts are many, and each ledger needs its own alone.
        """
        if not self.receipts:
            return self
        found: dict[str, tuple[Receipt, ...]] = {}
        for content in ledgers:
            play = _play_of(content)
            if play is None:
                return self  # an odd header: let the verdict find out
            if play in self.receipts:
                found[play] = self.receipts[play]
        return replace(self, receipts=found)


def _play_of(content: bytes) -> str | None:
    """The play that a ledger's first line names; nothing of it is checked. None: not readable."""
    if not content.startswith(_START):
        return ""  # no ledger, so it has no receipts
    try:
        begin = base64.b64decode(content[len(_START) : len(_START) + _PEEK].partition(b'"')[0])
        return str(strict.decode(begin.partition(b"\n")[0])["data"]["play_id"])
    except (ValueError, LookupError, TypeError):
        return None


_START: Final = b'{"payload":"'
_PEEK: Final = 65_536
"""Base64 digits, a multiple of four: a header is far shorter."""


def opened(
    roster: Path | None = None,
    course: Path | None = None,
    receipt: Path | None = None,
    witness: str | None = None,
) -> Desk | None:
    """The desk of what was given, or None where nothing was. Raises DeskError.

    A course's folder brings its roster, unless another is given. The witness's key is the one
    given, else the course's, else the one in the witness's own folder.
    """
    if roster is None and course is None and receipt is None:
        return None
    try:
        held = courses.load(course) if course is not None else None
        if roster is None and course is not None and (course / "roster.toml").is_file():
            roster = course / "roster.toml"
        students = rosters.load(roster) if roster is not None else None
        found = receipts.read(receipt) if receipt is not None else {}
        key = witness or (held.witness if held is not None else None)
        if key is None and receipt is not None and (receipt / "key.pub").is_file():
            key = receipts.public_of(receipt)
    except (courses.CourseError, rosters.RosterError, receipts.ReceiptError) as error:
        raise DeskError(str(error)) from None
    if held is not None and students is not None and students.course != held.id:
        raise DeskError(f"the roster is of {students.course!r} and the course is {held.id!r}")
    return Desk(students, held, found, key)
