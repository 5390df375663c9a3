"""Panels about settings: two runs beside each other, what a step changes, a code, a probe."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from mission_tui.play import tables
from mission_tui.play.game import Game, Neighbour
from mission_tui.play.session import Run
from mission_tui.screens.panel import PanelScreen
from mission_tui.screens.prose import ProseInput
from mission_tui.text import clean, clean_line
from mission_tui.widgets.choices import Choices


class DifferenceScreen(PanelScreen):
    """Two runs beside each other; ``a`` and ``b`` change which two."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "other(0)", "Another first run"),
        Binding("b", "other(1)", "Another second run"),
    ]

    def __init__(self, game: Game, before: Run, after: Run) -> None:
        super().__init__("", "")
        self._game = game
        self._runs = [run for run in game.session.state.runs if run.outcome is not None]
        self._ends = [self._runs.index(before), self._runs.index(after)]

    def on_mount(self) -> None:
        """The two that were asked for."""
        self._draw()

    def action_other(self, end: int) -> None:
        """The next run at one of the two ends, passing over the other one's."""
        count = len(self._runs)
        for step in range(1, count):
            at = (self._ends[end] + step) % count
            if at != self._ends[1 - end]:
                self._ends[end] = at
                break
        self._draw()

    def _draw(self) -> None:
        first, second = (self._runs[end] for end in self._ends)
        panel = self.query_one("#panel")
        panel.border_title = f"From run #{first.number} to #{second.number}"
        more = "a, b: other runs · " if len(self._runs) > 2 else ""
        panel.border_subtitle = f"{more}Esc closes"
        words = tables.difference(self._game.session, first, second)
        self.query_one("#panel Static", Static).update(clean(words))


class SensitivityScreen(PanelScreen):
    """What one step of each slider would change."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "dismiss", "Close")]


class ProbeScreen(ModalScreen[Neighbour | None]):
    """Which step of which slider to commit as a run."""

    CSS_PATH = "compare.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,s", "dismiss", "Leave it")]

    def __init__(self, game: Game) -> None:
        super().__init__()
        self._game = game
        self._steps = game.neighbours()

    def compose(self) -> ComposeResult:
        """The steps, a key each."""
        session = self._game.session
        left = session.runs_left or 0
        options = [(str(n), tables.step(session.part, to)) for n, to in enumerate(self._steps)]
        with VerticalScroll(id="panel", can_focus=False) as panel:
            panel.border_title = "Probe: one step of one slider"
            panel.border_subtitle = "Esc leaves it"
            yield Static(f"It costs a run, like any other; {left} left.\n", markup=False)
            yield Choices(options, id="steps")

    def on_mount(self) -> None:
        """Keys choose at once."""
        self.query_one(Choices).focus()

    @on(Choices.Chosen)
    def _chosen(self, event: Choices.Chosen) -> None:
        self.dismiss(self._steps[int(event.option)])


class CodeScreen(ModalScreen[str | None]):
    """The last run's code, and a line to type one in."""

    CSS_PATH = "compare.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Leave it")]

    def __init__(self, game: Game) -> None:
        super().__init__()
        self._game = game

    def compose(self) -> ComposeResult:
        """The last run's code above, the line below."""
        with VerticalScroll(id="panel", can_focus=False) as panel:
            panel.border_title = "Run code"
            panel.border_subtitle = "Enter sets the sliders · Esc leaves them"
            yield Static(clean_line(tables.last_code(self._game.session)), markup=False)
            yield ProseInput(placeholder="a code: sets the sliders", max_length=40, id="code")

    def on_mount(self) -> None:
        """Straight to the line; nothing blinks."""
        line = self.query_one("#code", Input)
        line.cursor_blink = False
        line.focus()

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        self.dismiss(event.value if event.value.strip() else None)
