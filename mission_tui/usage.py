"""What every command shares: its exit codes, and the error that is one sentence."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
FAILS: Final = 1
USAGE: Final = 2


class UsageError(Exception):
    """The command line is wrong, or a file can't be opened. The text is one sentence."""
