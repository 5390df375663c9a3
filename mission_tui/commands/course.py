"""``mission-tui course``: set a course up, enrol students, show it. For the instructor."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from mission_tui.text import clean_line
from mission_tui.usage import DONE, UsageError


def add(commands: Any) -> None:
    """Put the command on the command line."""
    course = commands.add_parser("course", help="set up a course and enrol students")
    actions = course.add_subparsers(metavar="ACTION", required=True)

    new = actions.add_parser("new", help="make a course's folder: keep it to yourself")
    new.add_argument("folder", metavar="DIR", type=Path)
    new.add_argument("--id", required=True, help="for example mlsys-2026")
    new.add_argument("--title", default="")
    new.set_defaults(run=_new)

    enrol = actions.add_parser("enrol", help="put a student's key on the roster; print the token")
    enrol.add_argument("folder", metavar="DIR", type=Path)
    enrol.add_argument("--student", required=True, metavar="ID")
    enrol.add_argument("--key", required=True, metavar="HEX", help="what mission-tui keys shows")
    enrol.add_argument("--name", default="")
    enrol.add_argument("--uid", type=int, metavar="N", help="their account on the lab server")
    enrol.set_defaults(run=_enrol)

    show = actions.add_parser("show", help="who is enrolled, and with which key")
    show.add_argument("folder", metavar="DIR", type=Path)
    show.set_defaults(run=_show)


def _new(arguments: argparse.Namespace) -> int:
    from mission_tui.ledger import course

    try:
        made = course.new(arguments.folder, arguments.id, arguments.title)
    except course.CourseError as error:
        raise UsageError(str(error)) from None
    print(clean_line(f"made {arguments.folder}: {made.title}", 400))
    print(f"course key  {made.key}")
    print("Keep secret and key to yourself, and a copy of them in a safe place; course.toml may")
    print("be shown. Now: mission-tui course enrol DIR --student ID --key HEX")
    return DONE


def _enrol(arguments: argparse.Namespace) -> int:
    from mission_tui.ledger import course, roster

    try:
        token = course.enrol(
            arguments.folder,
            arguments.student,
            arguments.key,
            arguments.name,
            uid=arguments.uid,
        )
    except (course.CourseError, roster.RosterError) as error:
        raise UsageError(str(error)) from None
    if sys.stdout.isatty():
        print("Give the student this line; there it is kept by: mission-tui keys enrol -")
    print(token.token())
    return DONE


def _show(arguments: argparse.Namespace) -> int:
    from mission_tui.ledger import course, roster

    try:
        found = course.load(arguments.folder)
        students = course.roster_of(arguments.folder).students
    except (course.CourseError, roster.RosterError) as error:
        raise UsageError(str(error)) from None
    print(clean_line(f"{found.id}  {found.title}", 300))
    print(f"course key  {found.key}")
    print(f"witness     {found.witness or 'none named in course.toml'}")
    print(f"students    {len(students)}")
    for student in students:
        print(clean_line(f"{student.id}  {student.name}", 300))
        for key in student.keys:
            until = f"to {key.until}" if key.until is not None else "on"
            print(f"  {key.public}  from {key.since} {until}")
    return DONE
