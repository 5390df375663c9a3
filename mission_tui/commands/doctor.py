"""``mission-tui doctor``: what this machine and terminal can do, and what to do about the rest."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, Final

from mission_tui.text import clean_line
from mission_tui.usage import DONE, FAILS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mission_tui.checkup.finding import Finding

COLUMNS: Final = 79
_LEVEL: Final = 7
_NAME: Final = 12


def add(commands: Any) -> None:
    """Put the command on the command line."""
    doctor = commands.add_parser("doctor", help="what this machine and terminal can do")
    doctor.add_argument("--json", action="store_true")
    doctor.add_argument("--saves", metavar="DIR", default=argparse.SUPPRESS, help="try this folder")
    doctor.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from mission_tui.checkup import terminal

    with terminal.asked(sys.stdin, sys.stdout) as answer:
        found = list(_findings(getattr(arguments, "saves", None), answer))
    faults = sum(each.level == "fault" for each in found)
    if arguments.json:
        import json

        said = [
            {"name": each.name, "level": each.level, "found": each.found, "todo": each.todo}
            for each in found
        ]
        print(json.dumps({"faults": faults, "findings": said}, indent=2))
    else:
        for each in found:
            for line in _rows(each):
                _print(line)
        notes = sum(each.level == "note" for each in found)
        _print(f"{_count(faults, 'fault')}, {_count(notes, 'note')}.")
    return FAILS if faults else DONE


def _findings(saves: str | None, answer: Any) -> Iterator[Finding]:
    from mission_tui import paths
    from mission_tui.checkup import installed, machine, player, storage, terminal

    yield from machine.findings()
    yield from installed.findings()
    yield from terminal.findings(answer)
    yield from storage.findings(paths.saves_dir(saves))
    yield from player.findings()


def _rows(each: Finding) -> Sequence[str]:
    """A finding as rows of the table."""
    import textwrap

    told = f"{each.found.rstrip('.')}. {each.todo}" if each.todo else each.found
    return textwrap.wrap(
        clean_line(told, 600),
        COLUMNS,
        initial_indent=f"{each.level:<{_LEVEL}}{clean_line(each.name):<{_NAME}}",
        subsequent_indent=" " * (_LEVEL + _NAME),
        break_on_hyphens=False,
    )


def _print(line: str) -> None:
    """A locale that lacks a character is a finding, and no reason to say nothing."""
    encoding = sys.stdout.encoding or "ascii"
    print(line.encode(encoding, "replace").decode(encoding, "replace"))


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
