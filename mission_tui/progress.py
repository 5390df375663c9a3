"""How far a long command is, on the terminal's error stream: what is done, and the time left.

Nothing is said in a pipe, nor within the first second; the line is wiped when it is over.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Final, Self, TextIO

PATIENCE: Final = 1.0
"""Seconds without a word."""
EVERY: Final = 0.2
_WIPE: Final = "\r\x1b[K"


class Progress:
    """``with Progress("replaying") as told: … told(3, 20)``."""

    def __init__(self, what: str, out: TextIO | None = None) -> None:
        self._what = what
        self._out = out or sys.stderr
        self._began = time.monotonic()
        self._told = self._began + PATIENCE - EVERY
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._out.write(_WIPE)
            self._out.flush()

    def __call__(self, done: int, total: int | None = None) -> None:
        """So much is done, of so much where that is known."""
        now = time.monotonic()
        if now - self._told < EVERY or not self._out.isatty():
            return
        self._told, self._shown = now, True
        words = f"{self._what}: {done}"
        if total:
            left = (now - self._began) / max(1, done) * (total - done)
            words += f" of {total}, about {left:.0f} s left"
        self._out.write(f"{_WIPE}{words}")
        self._out.flush()
