"""The briefing: what was left behind, then the track's crisis, arriving as a transmission."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from mission_tui.play import recall, wording
from mission_tui.play.game import Game
from mission_tui.play.recall import Find
from mission_tui.screens.step import StepScreen
from mission_tui.text import clean, clean_line
from mission_tui.widgets.choices import Choices
from mission_tui.widgets.keybar import KeyBar

_STEP: Final = 6
"""Characters a tick: the whole transmission takes about three seconds."""
_TICK: Final = 1 / 25


class BriefingScreen(StepScreen):
    """The transmission types itself; any key shows it whole, and the next one goes on.

    Where a mission was finished before, its decision, its waivers and its recall question come
    first, on a page of their own.
    """

    CSS_PATH = "briefing.tcss"
    HELP = """\
## Briefing
The crisis that you were called for. **Enter** shows it at once, **Enter** again goes on.

After another mission a page comes first: what you decided there, and one question that it left
you. **A number** answers it, **Esc** skips it. It is recorded and never scored.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "onward", "Go on"),
        Binding("escape", "skip", "Skip it"),
    ]

    def __init__(
        self, game: Game, find: Find = lambda *_: None, answered: Collection[str] = ()
    ) -> None:
        """``answered`` are the missions whose question was answered in another play."""
        super().__init__(game)
        session = game.session
        self._asked = recall.asked(session, find, answered)
        self._past = [] if session.recalled else list(recall.last_time(session, find))
        self._before = bool(self._asked or self._past)
        self._since = time.monotonic()
        mission = game.session.mission
        self._text = clean(wording.fill(mission.crisis.text, wording.constants(mission)))
        self._shown = 0
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Sender, title, the words as they come."""
        crisis = self.game.session.mission.crisis
        yield self.masthead()
        if self._before:
            with VerticalScroll(id="before", can_focus=False):
                yield from self._page()
        with VerticalScroll(id="briefing", can_focus=False):
            yield Static(f"◢◤ INCOMING  {clean_line(crisis.sender)}", id="sender", markup=False)
            yield Static(clean_line(crisis.title), id="crisis", markup=False)
            yield Static("", id="text", markup=False)
            yield Static("", id="after", markup=False)
        yield KeyBar()

    def _page(self) -> Iterator[Widget]:
        """What was decided and signed before, and the question that it left."""
        if self._past:
            yield Static(clean("\n".join(self._past)), id="past", markup=False)
        if self._asked is not None:
            title = clean_line(self._asked.title)
            heading = f"BEFORE YOU START: A MINUTE FOR {title.upper()}"
            yield Static(clean_line(heading, 70), id="recall", markup=False)
            yield Static(clean(self._asked.question), id="question", markup=False)
            yield Choices(list(self._asked.options.items()), id="options")
            words = "A number answers, Esc skips. It is never scored."
            yield Static(words, id="answer", markup=False)

    def on_mount(self) -> None:
        """What was before, if anything was; else the transmission."""
        if self._before:
            self.query_one("#briefing").display = False
            if self._asked is not None:
                self.set_focus(self.query_one("#options", Choices))
        else:
            self._transmit()

    @on(Choices.Chosen)
    def _answered(self, message: Choices.Chosen) -> None:
        """Record the first answer, and explain; what is answered stays."""
        if self._asked is None or self.game.session.recalled is not None:
            return
        message.choices.is_closed = True
        self.game.act(self._asked.answered(message.option, self._latency))
        right = self._asked.options[self._asked.answer]
        word = "● Yes." if message.option == self._asked.answer else f"○ It is: {right}"
        told = f"{clean_line(word)}\n{clean(self._asked.explanation)}\n\nEnter goes on."
        self.query_one("#answer", Static).update(told)
        self.refresh_bindings()
        self.set_focus(None)
        self.query_one("#before").scroll_end(animate=False)

    @property
    def _latency(self) -> int:
        return round((time.monotonic() - self._since) * 1000)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A question waits for an answer, or to be skipped; only then is there a way on."""
        waits = self._waits
        if action == "skip":
            return waits
        return not waits if action == "onward" else True

    @property
    def _waits(self) -> bool:
        return self._before and self._asked is not None and self.game.session.recalled is None

    def action_skip(self) -> None:
        """Skip the question; that is recorded, too."""
        if self._asked is not None:
            self.game.act(self._asked.answered(None, self._latency))
            self._turn_page()

    def _turn_page(self) -> None:
        """From what was before to the transmission."""
        self._before = False
        self.set_focus(None)
        self.query_one("#before").display = False
        self.query_one("#briefing").display = True
        self.refresh_bindings()
        self._transmit()

    def _transmit(self) -> None:
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
        if self._before:
            self._turn_page()
        elif self._shown < len(self._text):
            self._finish()
        else:
            self.go("lock")

    def on_click(self, event: events.Click) -> None:
        """A click is Enter."""
        event.stop()
        if not self._waits:
            self.action_onward()
