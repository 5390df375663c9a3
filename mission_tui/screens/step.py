"""What the screens of a play share: the masthead, the footer, and leaving for another screen."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from mission_tui.play import wording
from mission_tui.play.game import Game
from mission_tui.screens.messages import Go, Home
from mission_tui.text import clean, clean_line
from mission_tui.widgets.masthead import Masthead


class StepScreen(Screen[None]):
    """A screen over one step of one play. It shows the session and computes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "home", "Save & leave", show=False),
    ]

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """The toolkit repaints the whole screen when the focus moves; widgets show their own focus."""

    def __init__(self, game: Game) -> None:
        super().__init__()
        self.game = game

    def masthead(self) -> Masthead:
        """Where this step is in its mission and part."""
        session = self.game.session
        mission, at = session.mission, session.at
        crumbs = (mission.title, mission.persona.name)
        if at.part is None:
            return Masthead((*crumbs, at.screen.capitalize()))
        screens = session.screens_of(at.part)
        title = f"{session.part.order} {session.part.title}"
        return Masthead((*crumbs, title), screens, screens.index(at.screen))

    def told(self, text: str) -> str:
        """A text of the mission with its figures filled in, safe to draw."""
        return clean(wording.fill(text, self.figures))

    @cached_property
    def figures(self) -> dict[str, str]:
        """What this part's texts may quote. A screen is over one part: it is asked once."""
        session = self.game.session
        return wording.given(session.mission, session.part, session.seed)

    def say(self, words: str) -> None:
        """Tell the player something that is no event."""
        self.notify(clean_line(words), severity="warning", markup=False)

    def settle(self) -> None:
        """Record what is being written, before the play is left."""

    def go(self, screen: str) -> None:
        """Ask the app for another screen."""
        self.post_message(Go(screen))

    def action_home(self) -> None:
        """Leave; the play is saved."""
        self.post_message(Home())
