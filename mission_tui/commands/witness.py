"""``mission-tui witness``: sign, on the server, when plays had which head. For administrators."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mission_tui.text import clean_line
from mission_tui.usage import DONE, FAILS, UsageError

if TYPE_CHECKING:
    from mission_tui.ledger.witness import Quota


def add(commands: Any) -> None:
    """Put the command on the command line."""
    witness = commands.add_parser("witness", help="take submissions and sign receipts (a service)")
    actions = witness.add_subparsers(metavar="ACTION", required=True)

    serve = actions.add_parser("serve", help="on a Unix socket; the kernel tells who connects")
    serve.add_argument("folder", metavar="DIR", type=Path)
    serve.add_argument(
        "--socket", type=Path, metavar="PATH", help="default: DIR.socket/witness, beside DIR"
    )
    _quota_options(serve)
    serve.set_defaults(run=_serve)

    stdin = actions.add_parser("stdin", help="on standard input, as an SSH forced command")
    stdin.add_argument("folder", metavar="DIR", type=Path)
    stdin.add_argument("--student", required=True, metavar="ID", help="whose SSH key this is")
    _quota_options(stdin)
    stdin.set_defaults(run=_stdin)

    show = actions.add_parser("show", help="the witness's key, and whether its log is whole")
    show.add_argument("folder", metavar="DIR", type=Path)
    show.set_defaults(run=_show)


def _quota_options(parser: argparse.ArgumentParser) -> None:
    """What one account may have; the defaults are :class:`~mission_tui.ledger.witness.Quota`'s."""
    for name, what in (
        ("receipts", "receipts that one account is given a day (default: 2000)"),
        ("plays", "new plays that one account may show a day (default: 200)"),
        ("megabytes", "submissions that are kept of one account (default: 200)"),
    ):
        parser.add_argument(f"--{name}", type=int, metavar="N", help=what)


def _quota(arguments: argparse.Namespace) -> Quota:
    from mission_tui.ledger.witness import Quota

    given = {name: getattr(arguments, name) for name in ("receipts", "plays", "megabytes")}
    for name, number in given.items():
        if number is not None and number < 1:
            raise UsageError(f"--{name} wants a number from 1 on")
    usual = Quota()
    stored = usual.stored if given["megabytes"] is None else given["megabytes"] * 1_000_000
    return Quota(given["receipts"] or usual.receipts, given["plays"] or usual.plays, stored)


def _serve(arguments: argparse.Namespace) -> int:
    import signal

    from mission_tui.ledger import witness

    folder: Path = arguments.folder.absolute()
    path = arguments.socket or folder.with_name(folder.name + ".socket") / "witness"
    try:
        service = witness.Witness(folder, quota=_quota(arguments))
        server = witness.Server(service, path.absolute())
    except witness.WitnessError as error:
        raise UsageError(str(error)) from None

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    print(clean_line(f"listening at {server.path}", 400))
    print(f"witness key {service.public_hex}", flush=True)
    try:
        server.serve()
    except KeyboardInterrupt:
        return DONE
    finally:
        server.stop()
    return DONE


def _stdin(arguments: argparse.Namespace) -> int:
    from mission_tui.ledger import witness

    student = arguments.student
    if not student or student != clean_line(student, 64):
        raise UsageError("--student wants an id of 1 to 64 printable characters")
    try:
        service = witness.Witness(arguments.folder.absolute(), quota=_quota(arguments))
    except witness.WitnessError as error:
        raise UsageError(str(error)) from None
    asker = witness.Asker(os.getuid(), student)
    witness.converse(service, asker, sys.stdin.fileno(), sys.stdout.fileno())
    return DONE


def _show(arguments: argparse.Namespace) -> int:
    from mission_tui.ledger import receipts, witness

    folder: Path = arguments.folder
    try:
        public = receipts.public_of(folder)
        count, broken = (
            witness.broken_link(folder) if (folder / receipts.LOG).exists() else (0, None)
        )
    except receipts.ReceiptError as error:
        raise UsageError(str(error)) from None
    print(f"witness key {public}")
    if broken is not None:
        print(f"receipts    {count}; line {broken} does not follow: the log was changed")
        return FAILS
    print(f"receipts    {count}; each follows from the one before")
    return DONE
