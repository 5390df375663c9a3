"""Four personas: the same mission on four machines, each with its own crisis."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Label, Static

from mission_tui.content.load import MissionFile
from mission_tui.screens.messages import Home, TrackChosen
from mission_tui.text import clean_line
from mission_tui.widgets.choices import Choices
from mission_tui.widgets.keybar import KeyBar
from mission_tui.widgets.masthead import Masthead


class Posts(Choices):
    """The four posts; Enter stands in the key bar."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", "Take the post")]


class PersonaScreen(Screen[None]):
    """Pick who you are going to be."""

    CSS_PATH = "persona.tcss"
    HELP = """\
## Personas
Arrows look, **Enter** or a **number** takes the post. The physics is the same for all four; the
machine, the crisis and the right answers are not.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "home", "Missions"),
    ]

    shown: reactive[int] = reactive(0)

    def __init__(self, mission: MissionFile) -> None:
        super().__init__()
        self._mission = mission
        self._tracks = list(mission.tracks.values())

    def compose(self) -> ComposeResult:
        """The four names, and below them the one that the cursor is on."""
        yield Masthead((self._mission.title, "Who will you be?"))
        with Vertical(id="persona"):
            yield Label("TAKE A POST", classes="heading")
            yield Posts(
                [(m.track, f"{m.persona.name:<15} {m.persona.role}") for m in self._tracks],
                id="choices",
            )
            yield Static(id="card", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Look at the first one; nobody is chosen yet."""
        choices = self.query_one(Choices)
        choices.cursor = 0
        self.set_focus(choices)
        self.watch(choices, "cursor", self._look)

    def _look(self, cursor: int | None) -> None:
        mission = self._tracks[cursor or 0]
        persona = mission.persona
        rows = (
            ("“" + persona.motto + "”", ""),
            ("", ""),
            ("machine", persona.machine),
            ("north star", persona.north_star),
            ("adversary", persona.adversary),
            ("", ""),
            ("tonight", mission.crisis.title),
        )
        lines = (
            f"{clean_line(name):<11} {clean_line(text)}" if text else clean_line(name)
            for name, text in rows
        )
        self.query_one("#card", Static).update("\n".join(lines))

    @on(Choices.Chosen)
    def _chosen(self, event: Choices.Chosen) -> None:
        self.post_message(TrackChosen(self._mission.id, event.option))

    def action_home(self) -> None:
        """Back to the missions."""
        self.post_message(Home())
