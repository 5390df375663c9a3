"""``mission-tui submit``: hand ledgers in to the witness, and get receipts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mission_tui.text import clean_line
from mission_tui.usage import DONE, FAILS, UsageError

if TYPE_CHECKING:
    from mission_tui.ledger.receipts import Receipt


def add(commands: Any) -> None:
    """Put the command on the command line."""
    submit = commands.add_parser("submit", help="hand ledgers in, where a server takes them")
    submit.add_argument("ledgers", nargs="*", metavar="LEDGER", type=Path)
    submit.add_argument("--student", help="whose ledgers, where none is named")
    submit.add_argument(
        "--to", metavar="WHERE", help="a socket's path or ssh:HOST; else $MISSION_TUI_WITNESS"
    )
    submit.add_argument(
        "--saves", metavar="DIR", default=argparse.SUPPRESS, help="where plays are kept"
    )
    submit.set_defaults(run=_submit)


def _submit(arguments: argparse.Namespace) -> int:
    import os

    from mission_tui.ledger import receipts

    where = arguments.to or os.environ.get(receipts.VARIABLE)
    if not where:
        raise UsageError(
            f"no server is named: set {receipts.VARIABLE} as your instructor says, or use --to"
        )
    ledgers = arguments.ledgers or _own(arguments)
    if not ledgers:
        print("Nothing to hand in: there is no signed ledger yet.")
        return DONE
    code = DONE
    for path in ledgers:
        try:
            receipt, kept = _sent(path, where)
        except receipts.NoAnswer as error:
            code = FAILS
            print(f"mission-tui: {clean_line(f'{path}: {error}', 400)}", file=sys.stderr)
            continue
        when = receipt.at[:19].replace("T", " ")
        print(f"{clean_line(path, 400)}  received {when} UTC")
        if kept is not None:
            print(f"  receipt kept in {clean_line(kept, 400)}")
    return code


def _sent(path: Path, where: str) -> tuple[Receipt, Path | None]:
    """Hand one ledger in. Raises NoAnswer, also where the server refuses it; UsageError."""
    import base64

    from mission_tui.ledger import receipts, strict
    from mission_tui.ledger.files import CannotOpenError, read_regular

    try:
        content = read_regular(path, strict.MAX_BYTES + 1)
    except CannotOpenError as error:
        raise UsageError(str(error)) from None
    if len(content) > strict.MAX_BYTES:
        raise UsageError(f"{path} is larger than {strict.MAX_BYTES:,} bytes")
    ledger = base64.b64encode(content).decode("ascii")
    (answer,) = receipts.exchange(where, [strict.encode({"want": "submit", "ledger": ledger})])
    if isinstance(answer, str):
        raise receipts.NoAnswer(answer)
    journal = _journal(path)
    if not journal.exists():
        return answer, None
    receipts.keep(journal, answer)
    return answer, receipts.copies(journal)


def _journal(ledger: Path) -> Path:
    return ledger.with_name(ledger.name.removesuffix(".ledger.json") + ".jsonl")


def _own(arguments: argparse.Namespace) -> list[Path]:
    """The student's signed ledgers; one that was handed in before is not kept twice there."""
    from mission_tui import paths, profile

    student = clean_line(arguments.student or profile.remembered(), 64)
    if not student:
        raise UsageError("whose ledgers? name them, or use --student ID")
    folder = paths.student_dir(paths.saves_dir(getattr(arguments, "saves", None)), student)
    return sorted(folder.glob("*.ledger.json"))
