"""What a student starts on a lab server: hands its terminal to a forked session, and waits.

Run by path, as ``python -I -S client.py SOCKET [COMMAND LINE]``. Where there is no server, or it
refuses, or something else than the game is asked for, it becomes the program itself.

To the server it sends its three descriptors with eight hex digits, the length of what follows:
:data:`VERSION`, the folder, the umask, the number of words, the words, then the environment as
``NAME=value``, with zero bytes between them. Back comes :data:`ACCEPTED` and the session's process
id in a line, and at the end the exit code in another.

Somebody has to hold the student's place until then, and a shell does it in a tenth of the memory
that Python takes: so the client becomes one (:data:`_WAIT`).
"""

import os
import socket
import struct
import sys
from contextlib import suppress

VERSION = b"mission-tui session 1"
ACCEPTED = b"+"
GAME = ("play", "replay")
"""Commands that a session is forked for, beside the game itself."""
PATIENCE = 10.0
"""Seconds that a server may take to accept."""

_LINE = 9
"""The descriptor that the shell reads: the connection to the session."""
_WAIT = """
for name in WINCH TERM HUP INT; do
  trap "told=yes; kill -$name $1 2>/dev/null" $name
done
trap '' TSTP
while :; do
  told=
  read -r code <&9 && exit "$code"
  [ "$told" ] || break
done
stty sane
printf '\\033[?1000l\\033[?1003l\\033[?1006l\\033[?2004l\\033[?1004l\\033[?1049l\\033[?25h\\033[0m'
echo 'mission-tui: the session was stopped; what was saved is there' >&2
exit 1
"""
"""Signals go on to the session, and wake ``read`` up. An end without an exit code is a death:
then what the session had set on the terminal is undone here."""


def main(words: list[str]) -> None:
    """Run one command line, whose first word is the server's socket; becomes what runs it."""
    path, command = words[0], words[1:]
    if _is_game(command):
        with suppress(OSError, ValueError):
            session = _session(path, command)
            os.execv("/bin/sh", ["sh", "-c", _WAIT, "mission-tui", str(session)])
    os.execv(sys.executable, [sys.executable, "-P", "-m", "mission_tui", *command])


def _is_game(command: list[str]) -> bool:
    """Whether a session is worth forking: the game, on a terminal, set up as it usually is."""
    if command and command[0] not in GAME:
        return False
    if any(name.startswith("TEXTUAL_") for name in os.environ):
        return False  # the toolkit read these when the server started
    return os.isatty(0) and os.isatty(1)


def _session(path: str, command: list[str]) -> int:
    """The process id of a session that has this terminal; its connection is :data:`_LINE`.

    Raises OSError or ValueError where there is none.
    """
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE)
        line.connect(path)
        found = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        if struct.unpack("3i", found)[1] not in (0, os.getuid()):
            raise PermissionError("whoever else listens there is not given this terminal")
        request = _request(command)
        socket.send_fds(line, [b"%08x" % len(request)], [0, 1, 2])
        line.sendall(request)
        answer = b""
        while not answer.endswith(b"\n"):
            received = line.recv(1)
            if not received:
                raise ConnectionRefusedError("no session")
            answer += received
        if not answer.startswith(ACCEPTED):
            raise ValueError("another version")
        line.settimeout(None)
        os.dup2(line.fileno(), _LINE)
    return int(answer[len(ACCEPTED) :])


def _request(command: list[str]) -> bytes:
    umask = os.umask(0o077)
    os.umask(umask)
    environment = [name + b"=" + value for name, value in os.environb.items()]
    words = [os.fsencode(word) for word in command]
    numbers = [b"%d" % umask, b"%d" % len(words)]
    here = os.getcwdb()  # noqa: PTH109
    return b"\0".join([VERSION, here, *numbers, *words, *environment])


if __name__ == "__main__":
    main(sys.argv[1:])
