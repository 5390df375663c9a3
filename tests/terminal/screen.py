"""A real pseudo-terminal with the game in it, and what its screen shows.

pexpect holds the pseudo-terminal, pyte reads the bytes as a terminal would. Nothing here sleeps
for luck: a test waits until the screen shows a text, or until the program has been quiet.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

import pexpect
import pyte

PATIENCE: Final = 20.0
"""Seconds after which a screen that does not come is a failure: far more than any takes."""
ENTER: Final = "\r"
ESCAPE: Final = "\x1b"
TAB: Final = "\t"
UP: Final = "\x1b[A"
DOWN: Final = "\x1b[B"
RIGHT: Final = "\x1b[C"
LEFT: Final = "\x1b[D"
END: Final = "\x1b[F"
HOME: Final = "\x1b[H"
CTRL_F: Final = "\x06"
CTRL_G: Final = "\x07"
CTRL_O: Final = "\x0f"
CTRL_P: Final = "\x10"
CTRL_Q: Final = "\x11"


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a session at a plain terminal sees: no motion, nothing of this machine's user."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "TEXTUAL_ANIMATIONS": "none",
        "MISSION_TUI_STATE": str(home / "state"),
        "MISSION_TUI_SAVES": str(home / "saves"),
        "MISSION_TUI_MISSIONS": os.environ["MISSION_TUI_MISSIONS"],
        **more,
    }


class Terminal:
    """``python -m mission_tui`` (or another command) in a pseudo-terminal."""

    def __init__(
        self,
        *arguments: str,
        env: Mapping[str, str],
        columns: int = 80,
        rows: int = 24,
        program: tuple[str, ...] = (sys.executable, "-m", "mission_tui"),
    ) -> None:
        self.raw = bytearray()
        self.saves = Path(env["MISSION_TUI_SAVES"])
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        command, *rest = (*program, *arguments)
        self.child = pexpect.spawn(
            command, rest, env=dict(env), dimensions=(rows, columns), timeout=PATIENCE
        )
        self.child.delaybeforesend = None

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self.child.close(force=True)

    @property
    def text(self) -> str:
        """The screen's rows, without the blanks at their ends."""
        return "\n".join(row.rstrip() for row in self.screen.display)

    def shows(self, *texts: str) -> bool:
        """Whether each text stands somewhere on the screen."""
        seen = self.text
        return all(text in seen for text in texts)

    def wait(self, *texts: str, gone: tuple[str, ...] = ()) -> Terminal:
        """Wait until the screen shows every text, and none of ``gone``."""
        return self.until(
            lambda: self.shows(*texts) and not any(self.shows(text) for text in gone),
            f"{texts} (gone: {gone})",
        )

    def until(self, holds: Callable[[], bool], what: str, patience: float = PATIENCE) -> Terminal:
        """Read until ``holds()``; fails with the screen as it stands."""
        end = time.monotonic() + patience
        while not holds():
            if time.monotonic() > end or not self._read(0.1):
                assert holds(), f"never came: {what}\n{self.text}"
        return self

    def quiet(self, seconds: float = 0.4) -> Terminal:
        """Wait until nothing was written for so long."""
        end = time.monotonic() + PATIENCE
        since, size = time.monotonic(), len(self.raw)
        while time.monotonic() - since < seconds and time.monotonic() < end:
            self._read(0.05)
            if len(self.raw) != size:
                since, size = time.monotonic(), len(self.raw)
        return self

    def bytes_within(self, seconds: float) -> int:
        """How many bytes the program writes in so many seconds."""
        before, end = len(self.raw), time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._read(left)
        return len(self.raw) - before

    def press(self, *keys: str) -> Terminal:
        """Send keys, each by itself: a terminal's escape sequences must not run together."""
        for key in keys:
            self.child.send(key)
            self._read(0.01)
        return self

    def move(self, key: str) -> Terminal:
        """Send a key that moves the focus, and wait until it has: the toolkit gives the next key
        to whatever has the focus when that key arrives."""
        self.quiet(0.1)
        before = len(self.raw)
        self.press(key)
        return self.until(lambda: len(self.raw) > before, f"something after {key!r}")

    def type(self, text: str) -> Terminal:
        """Send a text as if typed."""
        self.child.send(text)
        return self

    def resize(self, columns: int, rows: int) -> Terminal:
        """Another size, as a window manager sets it."""
        self.screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)
        return self

    def end(self) -> int:
        """Wait for the program's end; returns its exit status, negative for a signal."""
        end = time.monotonic() + PATIENCE
        while self.child.isalive():
            assert time.monotonic() < end, f"it does not end\n{self.text}"
            self._read(0.05)
        while self._read(0.05):  # what it wrote last
            pass
        if self.child.signalstatus is not None:
            return -int(self.child.signalstatus)
        return int(self.child.exitstatus or 0)

    def kill(self, by: signal.Signals) -> int:
        """Send a signal and wait for the end."""
        os.kill(self.child.pid, by)
        return self.end()

    def hang_up(self) -> int:
        """Drop the line, as a lost SSH session does; returns the exit status."""
        os.close(self.child.child_fd)
        self.child.child_fd, self.child.closed = -1, True
        self.child.ptyproc.fd, self.child.ptyproc.closed = -1, True
        end = time.monotonic() + PATIENCE
        while self.child.isalive():
            assert time.monotonic() < end, "it does not end when its line drops"
            time.sleep(0.02)
        return int(self.child.exitstatus or 0)

    def _read(self, seconds: float) -> bool:
        """Read what is there; False at the end of the stream."""
        try:
            found = self.child.read_nonblocking(65_536, timeout=seconds)
        except pexpect.TIMEOUT:
            return True
        except (pexpect.EOF, OSError):
            return False
        self.raw += found
        self._stream.feed(found)
        return True
