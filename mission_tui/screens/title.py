"""The title: the first frame, before anything heavy is loaded."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Static

from mission_tui.screens.messages import Begin
from mission_tui.widgets.keybar import KeyBar

LOGO = """\
█▄ ▄█ █ ▄▀▀▀ ▄▀▀▀ █ ▄▀▀▄ █▄  █
█ ▀ █ █  ▀▀▄  ▀▀▄ █ █  █ █ ▀▄█
▀   ▀ ▀ ▀▀▀  ▀▀▀  ▀  ▀▀  ▀   ▀"""

SKY = """\
      ·            .                    *                 ·              .
 .            *             ·                   .                 *            ·
         ·            .              *      ·         .       ·          *"""

GROUND = """\
 *         .          ·          .        ·               *       .
     ·           *           .          *       ·      .              ·      ."""


class TitleScreen(Screen[None]):
    """Name, promise, and the one key that starts."""

    CSS_PATH = "title.tcss"
    HELP = """\
## Mission TUI
You take a post in a company whose machine-learning system is in trouble. Each part of a mission
goes **lock** (you seal a prediction), **workbench** (you move sliders and record runs), **reveal**
(your prediction beside the truth), **claim** (what moved, and why). **Enter** starts.

Everything works by keys; the line at the bottom names them, and **?** says more on every screen.
All is saved as you go: **Ctrl+O** leaves a play, **Ctrl+Q** the game.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "begin", "Begin"),
    ]

    def compose(self) -> ComposeResult:
        """A still sky: nothing moves, so an idle title sends no bytes."""
        with Vertical(id="title"):
            yield Static(SKY, classes="sky", markup=False)
            yield Static(LOGO, id="logo", markup=False)
            yield Static("machine-learning systems, under pressure", id="tagline")
            yield Static(
                "Four personas. Each mission a crisis.\n"
                "Seal a prediction. Then the instruments unlock.",
                id="promise",
            )
            with Horizontal(id="start"):
                yield Static("Enter", id="enter")
            yield Static(GROUND, classes="sky", markup=False)
        yield KeyBar()

    def action_begin(self) -> None:
        """Go on."""
        self.post_message(Begin())

    def on_click(self, event: events.Click) -> None:
        """A click anywhere starts too."""
        event.stop()
        self.action_begin()
