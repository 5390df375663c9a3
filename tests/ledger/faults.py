"""A disk that fails: the n-th file call of a play, for every n, and what the play says of it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from mission_tui.content.schema import Mission
from mission_tui.ledger import journal as journal_module
from mission_tui.ledger import plays, verify
from mission_tui.play import actions as do
from mission_tui.play.events import Event
from mission_tui.play.game import Game

SHORT: Final = 0
"""In place of an error's number: the call writes a part of what it was given."""
CODES: Final = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, SHORT)
OF_A_JOURNAL: Final = ("pwrite", "write", "ftruncate", "fsync", "fdatasync", "open", "fstat")
"""The calls of an open journal; a whole play makes more."""
CALLS: Final = (
    *OF_A_JOURNAL, "rename", "replace", "link", "unlink", "mkdir", "chmod", "flock"
)  # fmt: skip
FOR_EVER: Final = 1_000_000


class Faults:
    """Makes the n-th call (and ``repeat - 1`` more) of the file calls fail."""

    def __init__(
        self,
        patch: pytest.MonkeyPatch,
        number: int,
        code: int,
        repeat: int,
        calls: Sequence[str] = CALLS,
    ) -> None:
        self.count = 0
        self.number, self.code, self.repeat = number, code, repeat
        for name in calls:
            home = fcntl if name == "flock" else os
            patch.setattr(home, name, self._wrapped(name, getattr(home, name)))
        patch.setattr(journal_module, "_sync", os.fdatasync)

    @property
    def struck(self) -> bool:
        """Whether a call failed yet."""
        return self.count >= self.number

    def _wrapped(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **more: object) -> object:
            self.count += 1
            if self.number <= self.count < self.number + self.repeat:
                if self.code != SHORT:
                    raise OSError(self.code, os.strerror(self.code))
                if name in {"pwrite", "write"}:
                    fd, data, *rest = args
                    assert isinstance(data, (bytes, memoryview))
                    return real(fd, data[: len(data) // 2 + 1], *rest)
            return real(*args, **more)

        return call


@contextlib.contextmanager
def faults(number: int, code: int, repeat: int, calls: Sequence[str] = CALLS) -> Iterator[Faults]:
    """The file calls of this process, failing as asked, for as long as the context lasts."""
    with pytest.MonkeyPatch.context() as patch:
        yield Faults(patch, number, code, repeat, calls)


@dataclass(frozen=True, slots=True)
class Struck:
    """How a play went on a disk on which call ``number`` failed."""

    number: int
    struck: bool
    crash: str | None = None
    """What was raised that is not one sentence for a player."""
    silent: int = 0
    """Events that were called saved and were not on disk, or that no ledger has in the end."""


def played(game: Game) -> None:
    """A short play of the mission of the tests: a prediction, two runs, a claim, the close."""
    game.go("lock", 0, 0)
    game.act(do.Seal("least", 4e8, 3e8, 6e8, None, "activations", 1_000, 1))
    game.go("workbench", 0, 0)
    game.run()
    game.turn("batch", 16)
    game.run()
    game.go("reveal", 0, 0)
    game.go("claim", 0, 0)
    game.act(do.Note("answer", "kept"))
    game.claim(game.draft("peak_memory", 1, 2), (1, 2), "activations", "Kept for the way back.")
    game.go("debrief", 0, 0)
    game.act(do.Close())


def strike(saves: Path, mission: Mission, number: int, code: int, repeat: int) -> Struck:
    """Begin, play, close and sign a play while call ``number`` fails; then let calls work."""
    silent = 0
    with faults(number, code, repeat) as fault:
        try:
            opened = plays.start(saves, mission, "ada", "human")
        except plays.PlayError:
            return Struck(number, fault.struck)  # it says why it can't begin: nothing was played
        except Exception as error:
            return Struck(number, fault.struck, f"start: {error!r}")
        journal = opened.journal

        def recorded(_: Event) -> None:
            nonlocal silent
            if journal.unsaved is None:
                silent += journal.path.read_bytes() != journal.payload

        opened.on_record = recorded
        try:
            played(opened.game)
            with contextlib.suppress(plays.PlayError):
                opened.seal()
        except Exception as error:
            return Struck(number, fault.struck, f"play: {error!r}", silent)
    try:
        silent += not journal.flush() or journal.unsaved is not None
        report = verify.verify(opened.seal())
        journal.close()
    except Exception as error:
        return Struck(number, fault.struck, f"afterwards: {error!r}", silent)
    silent += report.fails or report.unfinished or report.events != journal.events
    silent += journal.path.read_bytes() != journal.payload
    return Struck(number, fault.struck, None, silent)


def every(folder: Path, mission: Mission, code: int, repeat: int, step: int = 1) -> list[Struck]:
    """Strike at each ``step``-th call, until a play has no call left that could fail."""
    found: list[Struck] = []
    number = 1
    while not found or found[-1].struck:
        saves = folder / f"{code}-{repeat}-{number}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MISSION_TUI_STATE", str(saves / "state"))
            found.append(strike(saves / "saves", mission, number, code, repeat))
        number += step
    return found
