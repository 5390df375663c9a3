"""What a verifier says about one aspect of a ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

State = Literal["holds", "fails", "not applicable", "not replayable here", "marginal"]
NAMES: Final = ("parse", "signature", "chain", "binding", "replay", "witness")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A state and one sentence; the sentence may quote the ledger, so clean it to draw it."""

    state: State
    reason: str
