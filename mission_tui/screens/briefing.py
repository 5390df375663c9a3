"""The briefing: the track's crisis, arriving as a transmission."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.timer import Timer
from textual.widgets import Static

from mission_tui.play import wording
from mission_tui.play.game import Game
from mission_tui.screens.step import StepScreen
from mission_tui.text import clean, clean_line
from mission_tui.widgets.keybar import KeyBar

_STEP: Final = 6
"""Characters a tick: the whole transmission takes about three seconds."""
_TICK: Final = 1 / 25


class BriefingScreen(StepScreen):
    """The transmission types itself; any key shows it whole, and the next one goes on."""

    CSS_PATH = "briefing.tcss"
    HELP = """\
## Briefing
The crisis that you were called for. **Enter** shows it at once, **Enter** again goes on.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "onward", "Go on"),
    ]

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        mission = game.session.mission
        self._text = clean(wording.fill(mission.crisis.text, wording.constants(mission)))
        self._shown = 0
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Sender, title, the words as they come."""
        crisis = self.game.session.mission.crisis
        yield self.masthead()
        with VerticalScroll(id="briefing", can_focus=False):
            yield Static(f"◢◤ INCOMING  {clean_line(crisis.sender)}", id="sender", markup=False)
            yield Static(clean_line(crisis.title), id="crisis", markup=False)
            yield Static("", id="text", markup=False)
            yield Static("", id="after", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Type, unless motion is not wanted."""
        if self.app.animation_level == "none":
            self._finish()
        else:
            self._timer = self.set_interval(_TICK, self._type)

    def _type(self) -> None:
        self._shown += _STEP
        if self._shown >= len(self._text):
            self._finish()
        else:
            self.query_one("#text", Static).update(self._text[: self._shown] + "▌")

    def _finish(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._shown = len(self._text)
        self.query_one("#text", Static).update(self._text)
        machine = self.game.session.mission.persona.machine
        self.query_one("#after", Static).update(f"Your machine: {clean_line(machine)}")

    def action_onward(self) -> None:
        """Show it whole first, then go on."""
        if self._shown < len(self._text):
            self._finish()
        else:
            self.go("lock")

    def on_click(self, event: events.Click) -> None:
        """A click is Enter."""
        event.stop()
        self.action_onward()
