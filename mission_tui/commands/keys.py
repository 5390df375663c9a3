"""``mission-tui keys``: show this user's key, make it, change it, enrol it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mission_tui.text import clean_line
from mission_tui.usage import DONE, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


def add(commands: Any) -> None:
    """Put the command on the command line."""
    keys = commands.add_parser("keys", help="your key: show it, make it, change it, enrol it")
    keys.set_defaults(run=_show)
    actions = keys.add_subparsers(metavar="ACTION")
    actions.add_parser("show", help="what the key is, where, and in which course").set_defaults(
        run=_show
    )
    actions.add_parser("make", help="make the key now, not at the first play").set_defaults(
        run=_make
    )
    actions.add_parser("rotate", help="begin a new key; the old one is kept").set_defaults(
        run=_rotate
    )
    enrol = actions.add_parser("enrol", help="keep the token that your instructor gave you")
    enrol.add_argument("token", metavar="TOKENFILE", help="the file, or - for standard input")
    enrol.set_defaults(run=_enrol)


def _show(_: argparse.Namespace) -> int:
    from mission_tui.ledger import keys

    with _one_sentence():
        public = keys.public_if_any()
    if public is None:
        print("No key yet: it is made at the first play, or by mission-tui keys make.")
        return DONE
    _print(public)
    return DONE


def _make(_: argparse.Namespace) -> int:
    from mission_tui.ledger import keys

    with _one_sentence():
        public = keys.ensure_public()
    _print(public)
    return DONE


def _rotate(_: argparse.Namespace) -> int:
    from mission_tui.ledger import enrolment, keys

    with _one_sentence():
        if keys.public_if_any() is None:
            raise UsageError("there is no key to change yet; mission-tui keys make makes one")
        key, old = keys.rotate()
    _print(key.public_hex)
    print(f"old key     {clean_line(old, 400)} (plays begun with it are still signed with it)")
    found = enrolment.current()
    if found is not None:
        course = clean_line(found.course, 64)
        print(f"The new key is not enrolled in {course}: give your instructor the public key.")
    else:
        print("A course that knows your old key needs the new one: ask to be enrolled anew.")
    return DONE


def _enrol(arguments: argparse.Namespace) -> int:
    from mission_tui import profile
    from mission_tui.ledger import enrolment
    from mission_tui.ledger.files import CannotOpenError, read_regular

    with _one_sentence():
        try:
            if arguments.token == "-":
                token = sys.stdin.buffer.read(enrolment.LONGEST + 1)
            else:
                token = read_regular(Path(arguments.token), enrolment.LONGEST + 1)
        except CannotOpenError as error:
            raise UsageError(str(error)) from None
        found = enrolment.parse(token.strip())
        enrolment.keep(found)
    profile.remember(found.student)
    print(clean_line(f"Enrolled in {found.course} as {found.student}.", 300))
    print(clean_line(f"You play as {found.student}; under another name there is no course.", 300))
    return DONE


def _print(public: str) -> None:
    from mission_tui.ledger import enrolment, keys

    found = enrolment.current()
    course = "none: the seed follows from your name"
    if found is not None:
        course = f"{found.course}, as {found.student}, since {found.issued}"
        if found.public_key != public:
            course += " (with another key: ask to be enrolled anew)"
    print(f"public key  {public}")
    print(f"fingerprint {keys.fingerprint(bytes.fromhex(public))}")
    print(f"kept in     {clean_line(keys.keys_dir(), 400)}")
    print(f"course      {clean_line(course, 400)}")


def _one_sentence() -> Any:
    from contextlib import contextmanager

    from mission_tui.ledger.enrolment import EnrolmentError
    from mission_tui.ledger.keys import KeyFileError

    @contextmanager
    def said() -> Iterator[None]:
        try:
            yield
        except (KeyFileError, EnrolmentError) as error:
            raise UsageError(str(error)) from None

    return said()
