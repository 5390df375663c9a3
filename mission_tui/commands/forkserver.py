"""``mission-tui forkserver``: one loaded program for a lab server. For administrators."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mission_tui.text import clean_line
from mission_tui.usage import DONE, UsageError

if TYPE_CHECKING:
    from mission_tui.forkserver.session import Play


def add(commands: Any, play: Play) -> None:
    """Put the command on the command line; ``play`` runs what a session is asked for."""
    parser = commands.add_parser(
        "forkserver", help="load the game once, and fork each session from that (a service)"
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    serve = actions.add_parser("serve", help="on a Unix socket; as root, for all users")
    serve.add_argument("socket", metavar="SOCKET", type=Path)
    serve.add_argument(
        "--per-user", type=int, metavar="N", help="sessions of one user at once (default: 4)"
    )
    serve.set_defaults(run=_serve, play=play)

    script = actions.add_parser("script", help="print what students start, as a shell script")
    script.add_argument("socket", metavar="SOCKET", type=Path)
    script.set_defaults(run=_script)


def _serve(arguments: argparse.Namespace) -> int:
    import signal

    from mission_tui.forkserver import server, warm

    per_user = server.PER_USER if arguments.per_user is None else arguments.per_user
    if per_user < 1:
        raise UsageError("--per-user wants a number from 1 on")
    _check_place()
    warm.warm()
    try:
        found = server.Server(arguments.socket.absolute(), arguments.play, per_user)
    except server.ForkServerError as error:
        raise UsageError(clean_line(str(error), 400)) from None
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: found.stop())
    print(clean_line(f"listening at {found.path}", 400), flush=True)
    found.serve()
    return DONE


def _check_place() -> None:
    """Refuse what would let one student's file run in another's session."""
    import os

    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            raise UsageError("standard input, output and errors must be open") from None
    if os.geteuid() != 0:
        return
    for each in sys.path:
        try:
            found = Path(each or ".").stat()
        except OSError:
            continue
        if found.st_uid != 0 or found.st_mode & 0o022:
            place = clean_line(Path(each or ".").absolute(), 200)
            raise UsageError(f"Python would load from {place}, which is not root's alone")


def _script(arguments: argparse.Namespace) -> int:
    import shlex

    from mission_tui.forkserver import client

    words = [sys.executable, "-I", "-S", client.__file__, str(arguments.socket.absolute())]
    print("#!/bin/sh")
    print(
        "PYTHONOPTIMIZE=2 PYTHONNODEBUGRANGES=1 MALLOC_ARENA_MAX=1 exec "
        + shlex.join(words)
        + ' "$@"'
    )
    return DONE
