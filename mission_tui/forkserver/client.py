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
import termios
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = b"mission-tui session 1"
ACCEPTED = b"+"
GAME = ("play", "replay")
"""Commands that a session is forked for, beside the game itself."""
PATIENCE = 3.0
"""Seconds that a server may take to accept."""

_LINE = 9
"""The descriptor that the shell reads: the connection to the session."""
_SHELL = "/bin/sh"
_WAIT = """
for name in WINCH TERM HUP INT; do
  trap "told=yes; kill -$name $1 2>/dev/null" $name
done
trap '' TSTP QUIT
kill -WINCH $1 2>/dev/null  # the terminal may have another size since the session began
if [ "$BASH_VERSION" ]; then
  { read -r code <&9 && exit "$code"; exit 250; } &
  while :; do
    told=
    wait $!
    code=$?
    [ "$told" ] || break
  done
  [ "$code" = 250 ] || exit "$code"
else
  while :; do
    told=
    read -r code <&9 && exit "$code"
    [ "$told" ] || break
  done
fi
stty "$2" || stty sane
printf '\\033[<u\\033[?1000l\\033[?1003l\\033[?1006l\\033[?1015l\\033[?1016l\\033[?2004l'
printf '\\033[?1004l\\033[?2048l\\033[?7h\\033[?1049l\\033[?25h\\033[0m'
echo 'mission-tui: the session was stopped; what was saved is there' >&2
exit 1
"""
"""Signals go on to the session, and wake the shell up (bash sleeps through them in ``read``, and
not in ``wait``). An end without an exit code is a death: then what the session had set on the
terminal is undone here, where ``$2`` is what it was before."""


def main(words: list[str]) -> None:
    """Run one command line, whose first word is the server's socket; becomes what runs it."""
    path, command = words[0], words[1:]
    if _is_game(command):
        with suppress(OSError, ValueError, termios.error):
            before = _state(termios.tcgetattr(0))
            session = _session(path, command)
            os.execv(_SHELL, ["sh", "-c", _WAIT, "mission-tui", str(session), before])
        with suppress(OSError):
            os.close(_LINE)  # a session that nobody waits for ends
    os.execv(sys.executable, [sys.executable, "-P", "-m", "mission_tui", *command])


def _is_game(command: list[str]) -> bool:
    """Whether a session is worth forking: the game, on a terminal, set up as it usually is."""
    if command and command[0] not in GAME:
        return False
    if any(name.startswith("TEXTUAL_") or name == "ESCDELAY" for name in os.environ):
        return False  # the toolkit read these when the server started
    if not (os.isatty(0) and os.isatty(1)):
        return False
    try:
        os.fstat(2)
        return os.tcgetpgrp(0) == os.getpgrp()  # in the background it would read another's keys
    except OSError:
        return False


def _state(mode: "list[Any]") -> str:
    """A terminal's settings in the words of ``stty -g``."""
    flags, characters = mode[:4], mode[6]
    codes = [code if isinstance(code, int) else code[0] for code in characters]
    return ":".join(f"{number:x}" for number in (*flags, *codes))


def _session(path: str, command: list[str]) -> int:
    """The process id of a session that has this terminal; its connection is :data:`_LINE`.

    Raises OSError or ValueError where there is none.
    """
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE)
        line.connect(path)
        found = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII"))
        if struct.unpack("iII", found)[1] not in (0, os.getuid()):
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
        if line.fileno() == _LINE:
            os.set_inheritable(line.detach(), True)
        else:
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
