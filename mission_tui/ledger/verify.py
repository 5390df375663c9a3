"""Separate verdicts on a ledger; never one "valid" flag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mission_tui.ledger import strict
from mission_tui.ledger.chain import is_unfinished, judge_chain, link
from mission_tui.ledger.enrolment import same_id
from mission_tui.ledger.envelope import Envelope, open_envelope, pae
from mission_tui.ledger.files import read_regular
from mission_tui.ledger.keys import fingerprint, verifies
from mission_tui.ledger.lines import Line, parse_lines
from mission_tui.ledger.verdict import NAMES, Verdict
from mission_tui.ledger.witnessed import by_another, moment_of, predictions
from mission_tui.play.events import Event
from mission_tui.text import clean_line

if TYPE_CHECKING:
    from mission_tui.ledger.desk import Desk
    from mission_tui.ledger.receipts import Receipt

Judge = Callable[[Sequence[Event]], Verdict]

_NOT_JUDGED: Final = Verdict("not applicable", "not asked for")
_NO_WITNESS: Final = Verdict("not applicable", "no receipt from a witness")


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in one file. ``events`` is empty if it could not be parsed."""

    path: Path
    verdicts: Mapping[str, Verdict]
    """By name, in the order of :data:`mission_tui.ledger.verdict.NAMES`."""
    unfinished: bool
    events: tuple[Event, ...]
    notes: tuple[str, ...] = ()
    """What a reader should know and what fails nothing: a bot's play, another numpy."""

    @property
    def fails(self) -> bool:
        """Whether any verdict fails: exit code 1."""
        return any(verdict.state == "fails" for verdict in self.verdicts.values())


def verify(
    path: Path,
    *,
    binding: Judge | None = None,
    replay: Judge | None = None,
    desk: Desk | None = None,
) -> Report:
    """Judge the ledger ``path``. Raises CannotOpenError if it is no regular file to read.

    ``binding`` is asked about every play that parses, ``replay`` about those whose chain
    holds too. ``desk`` is what an instructor knows beside the file: roster and receipts.
    """
    content = read_regular(path, strict.MAX_BYTES + 1)
    return judge(path, content, binding=binding, replay=replay, desk=desk)


def judge(
    path: Path,
    content: bytes,
    *,
    binding: Judge | None = None,
    replay: Judge | None = None,
    desk: Desk | None = None,
) -> Report:
    """Like :func:`verify`, for the content of a file that was read already."""
    try:
        envelope = open_envelope(content)
        lines = parse_lines(envelope.payload)
    except strict.ParseError as error:
        unread = Verdict("not applicable", "the ledger can't be read")
        verdicts = dict.fromkeys(NAMES, unread) | {"parse": Verdict("fails", str(error))}
        return Report(path, verdicts, unfinished=False, events=())
    events = tuple(line.event for line in lines)
    chain = judge_chain(lines)
    if chain.state == "fails":
        replayed = Verdict("not applicable", "the chain is broken")
    else:
        replayed = replay(events) if replay else _NOT_JUDGED
    verdicts = {
        "parse": Verdict("holds", f"{len(lines)} events are well-formed"),
        "signature": judge_signature(envelope, lines, desk),
        "chain": chain,
        "binding": binding(events) if binding else _NOT_JUDGED,
        "replay": replayed,
        "witness": judge_witness(lines, desk) if desk else _NO_WITNESS,
    }
    return Report(path, verdicts, unfinished=is_unfinished(lines), events=events)


def judge_signature(envelope: Envelope, lines: Sequence[Line], desk: Desk | None = None) -> Verdict:
    """Whether the key that the header names made these bytes; not who held that key.

    With a roster, also whether it was that student's on the day on which the play began.
    """
    named = lines[0].event.data.get("public_key")
    try:
        public = bytes.fromhex(named) if isinstance(named, str) else b""
    except ValueError:
        public = b""
    if len(public) != 32 or public.hex() != named:
        return Verdict("fails", "the header names no public key")
    if envelope.key_id != fingerprint(public):
        return Verdict("fails", "it is signed with another key than the header names")
    if not verifies(public, envelope.signature, pae(envelope.payload)):
        return Verdict("fails", "the signature does not match: the play was changed after signing")
    made = f"made with the key {envelope.key_id[:16]}"
    if desk is None or desk.roster is None:
        return Verdict("holds", made)
    student, on = str(lines[0].event.data.get("student")), _day(lines[0].event)
    if on is None:
        return Verdict("fails", f"{made}, and the header has no date to look it up by")
    holder = desk.roster.holder(public.hex(), on)
    if holder is None:
        ever = desk.roster.ever(public.hex())
        of = "nobody's on the roster" if ever is None else f"not in use by {ever.id} on {on}"
        return Verdict("fails", f"{made}, which is {of}")
    if same_id(holder.id) != same_id(student):
        return Verdict("fails", f"{made}, which is {holder.id}'s and not {student}'s")
    return Verdict("holds", f"{made}, which was {holder.id}'s on {on}")


def judge_witness(lines: Sequence[Line], desk: Desk) -> Verdict:
    """Whether receipts show each prediction before its reveal.

    A receipt whose head is not the chain's means that another play was shown to the witness than
    was handed in.
    """
    header = lines[0].event.data
    found = desk.receipts.get(str(header.get("play_id")), ())
    if not found:
        return _NO_WITNESS
    if desk.witness_key is None:
        return Verdict("not applicable", "there are receipts, but no witness's key is known")
    known = [receipt for receipt in found if receipt.witness == desk.witness_key]
    if not known:
        return Verdict("not applicable", "its receipts are from another witness")
    closed = not is_unfinished(lines)
    cut = False
    for receipt in known:
        if not receipt.holds:
            return Verdict("fails", "a receipt was changed since the witness signed it")
        if receipt.student is not None and same_id(receipt.student) != same_id(
            str(header.get("student"))
        ):
            return Verdict("fails", f"the witness knows this play as {receipt.student}'s")
        if receipt.count > len(lines):
            if closed:
                return Verdict("fails", f"the witness saw {receipt.count} lines, and it has fewer")
            cut = True
        elif link(lines[receipt.count - 1].raw) != receipt.head:
            at = f"at {receipt.at} its first {receipt.count} lines were others"
            return Verdict("fails", f"another play was shown to the witness: {at}")
    if cut:
        return Verdict("marginal", "the witness saw more of this play than is here")
    verdict = _in_time([line.event for line in lines], known)
    if desk.roster is None or verdict.state == "not applicable":
        return verdict
    said = by_another(known, str(header.get("student")), desk.roster)
    return verdict if said is None else Verdict("marginal", f"{verdict.reason}; {said}")


def _in_time(events: Sequence[Event], known: Sequence[Receipt]) -> Verdict:
    whens = Counter(each.when for each in predictions(events, known))
    if not whens:
        return Verdict("not applicable", "nothing was predicted yet")
    missing, late = whens["none"], whens["late"]
    all_of_them = f"{whens.total()} prediction{'' if whens.total() == 1 else 's'}"
    of = f"of {all_of_them}"
    if missing or late:
        said = [f"{late} {of} came to the witness late"] if late else []
        if missing:
            have = "has" if missing == 1 else "have"
            said.append(f"{missing} {of} {have} no receipt from before the reveal")
        return Verdict("marginal", "; ".join(said))
    return Verdict("holds", f"{all_of_them} witnessed before the reveal")


def _day(event: Event) -> date | None:
    moment = moment_of(event)
    return None if moment is None else moment.date()


def row(report: Report) -> str:
    """One line, safe to draw: the file, its verdicts, and the reasons of what does not hold."""
    return row_of(as_json(report))


def row_of(found: Mapping[str, Any]) -> str:
    """The same of what :func:`as_json` gave."""
    verdicts = found["verdicts"].items()
    cells = [f"{name} {verdict['state']}" for name, verdict in verdicts]
    if found["unfinished"]:
        cells.append("unfinished")
    reasons = [
        f"{name}: {verdict['reason']}"
        for name, verdict in verdicts
        if verdict["state"] not in {"holds", "not applicable"}
    ]
    told = [*reasons, *found["notes"]]
    shown = [clean_line(found["file"]), " · ".join(cells), *map(clean_line, told)]
    return clean_line("  ".join(shown), 1_000)


def as_json(report: Report) -> dict[str, Any]:
    """The report as JSON values; texts are as the ledger has them, so escape or clean them."""
    return {
        "file": str(report.path),
        "fails": report.fails,
        "unfinished": report.unfinished,
        "events": len(report.events),
        "verdicts": {
            name: {"state": verdict.state, "reason": verdict.reason}
            for name, verdict in report.verdicts.items()
        },
        "notes": list(report.notes),
    }
