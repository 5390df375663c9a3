"""The debrief: what was predicted, reached and settled, and the law; then the ledger is signed."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from mission_tui.play import debriefing
from mission_tui.play.debriefing import Debrief
from mission_tui.play.game import Game
from mission_tui.screens.messages import CloseAndSign, Home
from mission_tui.screens.step import StepScreen
from mission_tui.text import clean_line
from mission_tui.widgets.keybar import KeyBar
from mission_tui.widgets.more import More


class DebriefScreen(StepScreen):
    """One block after the other (the rules word them), and the one key that signs."""

    CSS_PATH = "debrief.tcss"
    HELP = """\
## Debrief
**Enter** closes the play and signs its ledger: the file that you hand in. Anyone can check it
with `mission-tui verify`, and compute it again with `mission-tui replay`. The arrows scroll.

**Regret** is what you left of what could be gained: 0 at the best that the solver found, 1 at the
default. **Calibration** is over all your plays, and never scored. Speed and right predictions
earn no points.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "sign", "Sign / home"),
    ]

    def __init__(self, game: Game, known: Debrief | None = None) -> None:
        super().__init__(game)
        self._known = known or Debrief()
        self._signed = False

    def compose(self) -> ComposeResult:
        """Every part, the decision, and what it came to."""
        yield self.masthead()
        with VerticalScroll(id="debrief"):
            for block in debriefing.blocks(self.game.session, self._known):
                yield Static(block.text, classes=block.kind, markup=False)
        yield More("#debrief")
        words = "Arrows scroll. Enter closes the play and signs its ledger."
        yield Static(words, id="ledger", markup=False)
        yield KeyBar()

    @property
    def is_signed(self) -> bool:
        """Whether the ledger is written."""
        return self._signed

    def signed(self, path: Path) -> None:
        """Show where the ledger is and how anyone can check it."""
        self._signed = True
        self.refresh_bindings()
        where = clean_line(path, 300)
        self.query_one("#ledger", Static).update(
            f"◼ SIGNED\n{where}\n\nCheck it:  mission-tui verify {where}\n\n"
            "Enter goes back to the missions."
        )

    def action_sign(self) -> None:
        """Sign; once signed, go home."""
        self.post_message(Home() if self._signed else CloseAndSign())
