"""The missions, and the plays that wait to be resumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Label, Static

from mission_tui.content.load import MissionFile
from mission_tui.screens.messages import MissionChosen, Rename, ResumeChosen
from mission_tui.text import clean_line
from mission_tui.widgets.choices import Choices
from mission_tui.widgets.keybar import KeyBar
from mission_tui.widgets.masthead import Masthead


@dataclass(frozen=True, slots=True)
class Waiting:
    """A play that can be resumed: its file, and one line about it."""

    path: Path
    line: str


class Doors(Choices):
    """A list whose Enter stands in the key bar."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", "Open")]


class MissionsScreen(Screen[None]):
    """Pick a mission, or go on where you stopped."""

    CSS_PATH = "missions.tcss"
    HELP = """\
## Missions
Press the **number** of a play to resume it or of a mission to start it. Every play is saved as
you go: a dropped connection loses nothing.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next_list", "Next list"),
        Binding("n", "rename", "Another name"),
    ]

    def __init__(
        self,
        student: str,
        missions: Sequence[MissionFile],
        waiting: Sequence[Waiting],
        finished: Sequence[str],
        problems: Sequence[str],
        standing: str = "",
    ) -> None:
        """``standing`` is one sentence on whose data the plays here will have."""
        super().__init__()
        self._student = student
        self._missions = missions
        self._waiting = waiting[:9]
        self._finished = finished[:6]
        self._problems = problems
        self._standing = standing

    def compose(self) -> ComposeResult:
        """Plays first: most people come back to something."""
        yield Masthead((f"signed in as {clean_line(self._student, 30)}",))
        whose = f"{clean_line(self._student, 30)} · {clean_line(self._standing)}"
        yield Label(whose if self._standing else "", id="standing", markup=False)
        with VerticalScroll(id="missions", can_focus=False):
            if self._waiting:
                yield Label("WHERE YOU STOPPED", classes="heading")
                yield Doors([(str(w.path), w.line) for w in self._waiting], id="waiting")
            yield Label("MISSIONS", classes="heading")
            yield Doors(
                [(m.id, f"{m.title}  ·  {m.minutes} min  ·  {m.hook}") for m in self._missions],
                id="choices",
                first=len(self._waiting) + 1,
            )
            if self._finished:
                yield Label("SIGNED", classes="heading")
            for line in self._finished:
                yield Static(f"◼ {clean_line(line)}", classes="finished", markup=False)
            for problem in self._problems:
                yield Static(clean_line(problem, 300), classes="problem", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """The cursor starts where most people go."""
        for choices in self.query(Choices):
            choices.cursor = 0
        self.set_focus(self.query(Choices).first())

    def on_key(self, event: events.Key) -> None:
        """A number of the other list is as good."""
        if any(choices.take(event.character or "") for choices in self.query(Choices)):
            event.stop()

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Another list is offered where there is one."""
        return bool(self._waiting) if action == "next_list" else True

    def action_next_list(self) -> None:
        """To the other list."""
        self.focus_next()

    def action_rename(self) -> None:
        """Somebody else sits here now."""
        self.post_message(Rename())

    @on(Choices.Chosen, "#choices")
    def _mission(self, event: Choices.Chosen) -> None:
        self.post_message(MissionChosen(event.option))

    @on(Choices.Chosen, "#waiting")
    def _resume(self, event: Choices.Chosen) -> None:
        self.post_message(ResumeChosen(Path(event.option)))
