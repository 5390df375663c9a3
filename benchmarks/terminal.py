"""A real pseudo-terminal around a child, a screen that reads it, and what it cost.

The terminal is a modern one: 24-bit colour (more bytes than 256 colours), and it answers that
it has synchronized output, as most do. Children get a home of their own, so that nothing of
this user's is read or written.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import pexpect
import pyte

ROOT: Final = Path(__file__).resolve().parent.parent
QUIET: Final = 0.3
"""Seconds without a byte after which an update counts as over."""
PATIENCE: Final = 20.0
"""Seconds after which something that was to appear counts as missing."""

KEYS: Final = {
    "enter": b"\r",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "ctrl+g": b"\x07",
    "ctrl+q": b"\x11",
}
_ASKS_SYNC: Final = b"\x1b[?2026$p"
_HAS_SYNC: Final = b"\x1b[?2026;2$y"


class BrokenMeasurementError(Exception):
    """The child did not do what the measurement needs; the text has the screen."""


class Terminal(AbstractContextManager["Terminal"]):
    """Runs ``python -m MODULE ARGUMENTS`` on a pseudo-terminal of ``columns`` × ``rows``.

    Another ``starter`` than ``-m`` gets the command instead.

    Attributes:
        begun: when the child was started (``time.perf_counter``).
        received: bytes that it wrote so far.
        heard: when the last of them came.
    """

    def __init__(
        self,
        command: Sequence[str],
        home: Path,
        columns: int = 80,
        rows: int = 24,
        extra: dict[str, str] | None = None,
        starter: Sequence[str] = ("-m",),
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.received = 0
        self.begun = self.heard = time.perf_counter()
        self._child = pexpect.spawn(
            sys.executable,
            [*starter, *command],
            dimensions=(rows, columns),
            env=_environment(home) | (extra or {}),
            cwd=str(ROOT),
        )

    @property
    def pid(self) -> int:
        """The child's process id."""
        return int(self._child.pid)

    @property
    def lines(self) -> list[str]:
        """The screen as text, a string a row."""
        return [self.line(y) for y in range(self._screen.lines)]

    def line(self, y: int) -> str:
        """Row ``y`` of the screen."""
        row = self._screen.buffer[y]
        return "".join(row[x].data for x in range(self._screen.columns))

    def press(self, *keys: str) -> None:
        """Send keys: names of :data:`KEYS`, or text to be typed."""
        os.write(self._child.child_fd, b"".join(KEYS.get(key, key.encode()) for key in keys))

    def wheel(self, x: int, y: int, *, up: bool) -> None:
        """Turn the mouse wheel one notch over cell (``x``, ``y``), both from 0."""
        os.write(self._child.child_fd, f"\x1b[<{64 if up else 65};{x + 1};{y + 1}M".encode())

    def read(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for bytes and show them; False if there were none."""
        descriptor = self._child.child_fd
        chunks: list[bytes] = []
        while select.select([descriptor], [], [], 0.0 if chunks else max(0.0, seconds))[0]:
            try:
                chunk = os.read(descriptor, 65536)
            except OSError:  # Linux: the child has closed its end
                chunk = b""
            if not chunk:
                if not chunks:
                    raise self._broken("the program ended")
                break
            self.heard = time.perf_counter()
            chunks.append(chunk)
        data = b"".join(chunks)
        self.received += len(data)
        if _ASKS_SYNC in data:
            os.write(descriptor, _HAS_SYNC)
        if data:
            self._stream.feed(data)
        return bool(data)

    def wait_until(self, shows: Callable[[], bool], what: str, patience: float = PATIENCE) -> float:
        """Read until ``shows`` holds; returns when the bytes that made it so came.

        Raises :class:`BrokenMeasurementError` when it does not happen.
        """
        end = time.perf_counter() + patience
        while not shows():
            left = end - time.perf_counter()
            if left <= 0:
                raise self._broken(f"{what} did not appear")
            self.read(left)
        return self.heard

    def wait_for(self, text: str, patience: float = PATIENCE) -> float:
        """Read until ``text`` is on the screen; returns when it came."""
        return self.wait_until(lambda: self.has(text), repr(text), patience)

    def has(self, text: str) -> bool:
        """Whether a row of the screen contains ``text``."""
        return any(text in line for line in self.lines)

    def settle(self, quiet: float = QUIET, patience: float = PATIENCE) -> None:
        """Read until nothing has come for ``quiet`` seconds."""
        end = time.perf_counter() + patience
        while self.read(quiet):
            if time.perf_counter() > end:
                raise self._broken("the screen does not come to rest")

    def watch(self, seconds: float) -> int:
        """Read for ``seconds``; returns how many bytes came."""
        before, end = self.received, time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)
        return self.received - before

    def cpu(self) -> float:
        """Seconds of processor time that the child has used, all its threads together."""
        return cpu_of(self.pid)

    def memory(self) -> dict[str, int]:
        """The child's memory, as :func:`memory_of` has it."""
        return memory_of(self.pid)

    def __exit__(self, *_: object) -> None:
        """Stop the child and wait for it."""
        self._child.kill(signal.SIGTERM)
        end = time.perf_counter() + 2.0
        while self._child.isalive() and time.perf_counter() < end:
            try:
                self.read(0.02)
            except BrokenMeasurementError:
                break
        self._child.close(force=True)

    def _broken(self, what: str) -> BrokenMeasurementError:
        shown = "\n".join(line.rstrip() for line in self.lines).strip("\n")
        return BrokenMeasurementError(f"{what}; the screen:\n{shown}")


def cpu_of(process: int) -> float:
    """Seconds of processor time that a process has used, all its threads together (Linux)."""
    return time.clock_gettime((~process << 3) | 2)


def memory_of(process: int) -> dict[str, int]:
    """A process's memory in bytes: ``Rss``, ``Pss`` (shared pages divided among sharers) and
    ``Anonymous`` (no file's)."""
    found: dict[str, int] = {}
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in ("Pss", "Rss", "Anonymous"):
            found[name] = int(rest.split()[0]) * 1024
    return found


def _environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "VIRTUAL_ENV") if name in os.environ}
    return kept | {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "MISSION_TUI_STATE": str(home / "state"),
        "MISSION_TUI_SAVES": str(home / "saves"),
    }
