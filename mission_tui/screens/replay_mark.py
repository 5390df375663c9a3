"""Points by hand: for which criterion, how many, and why. A reason is required."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from mission_tui.screens.prose import FieldInput, ProseInput
from mission_tui.screens.replay_film import Mark
from mission_tui.screens.replay_pages import Worth
from mission_tui.text import clean, clean_line
from mission_tui.widgets.choices import Choices

Keep = Callable[[str, float, str], str | None]
"""Keeps points for a criterion with a reason; gives one sentence where they were not kept."""


class MarkScreen(ModalScreen[bool]):
    """True where a mark was kept. What was not kept stays in the fields."""

    CSS_PATH = "replay_mark.tcss"
    HELP = """\
## Points by hand
It begins at the criterion that the event is about: type the **points**, **Tab** to the reason;
**Enter** in either keeps them. **Shift+Tab** goes back to the criteria: a number chooses another.
What you give stands instead of the rubric's points, which stay beside it. It is saved at once,
apart from the ledger, and signed with your key.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", "Leave it"),
    ]

    def __init__(
        self,
        about: str,
        offered: Sequence[Worth],
        marks: Mapping[str, Mark],
        first: str,
        keep: Keep,
    ) -> None:
        super().__init__()
        self._about, self._offered, self._marks, self._keep = about, offered, marks, keep
        names = [each.criterion for each in offered]
        self._first = names.index(first) if first in names else 0

    def compose(self) -> ComposeResult:
        """The criteria with what they earned, then two fields."""
        options = [(each.criterion, self._option(each)) for each in self._offered]
        with VerticalScroll(id="panel", can_focus=False) as panel:
            panel.border_title = "Points by hand"
            panel.border_subtitle = "Tab next · ⇧Tab criterion · Enter keeps and signs · Esc leaves"
            yield Static(clean_line(self._about, 64), id="about", markup=False)
            yield Choices(options, id="criteria")
            yield Static("", id="earned", markup=False)
            with Horizontal(classes="field"):
                yield Label("POINTS", classes="ask")
                yield FieldInput(max_length=8, id="points")
                yield Label("", id="of", markup=False)
            with Horizontal(classes="field"):
                yield Label("REASON", classes="ask")
                yield ProseInput(max_length=400, id="reason", placeholder="required")
            yield Static("", id="problem", markup=False)

    def on_mount(self) -> None:
        """At the criterion that the event is about; nothing blinks."""
        for field in self.query(Input):
            field.cursor_blink = False
        self.query_one(Choices).choose(self._first)

    @property
    def _chosen(self) -> Worth:
        return self._offered[self.query_one(Choices).cursor or 0]

    def _option(self, each: Worth) -> str:
        given = "–" if each.points is None else f"{each.points:.1f}"
        mark = self._marks.get(each.criterion)
        by_hand = f"  ⇒ {mark.points:.1f} by hand" if mark is not None else ""
        return f"{each.criterion:<8} {given:>5} of {each.of:.1f}{by_hand}"

    @on(Choices.Chosen)
    def _chose(self) -> None:
        """What it earned, and by what; the fields begin with what stands."""
        each = self._chosen
        mark = self._marks.get(each.criterion)
        self.query_one("#earned", Static).update(clean("\n".join(each.why[:2])))
        self.query_one("#of", Label).update(f"of {each.of:.1f}")
        stands = mark.points if mark is not None else each.points
        self.query_one("#points", Input).value = "" if stands is None else f"{stands:g}"
        self.query_one("#reason", Input).value = clean_line(mark.reason, 400) if mark else ""
        self.query_one("#problem", Static).update("")
        self.query_one("#points", Input).focus()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        """Keep them, or say why not."""
        problem = self._take()
        if problem is None:
            self.dismiss(True)
        else:
            self.query_one("#problem", Static).update(clean_line(problem, 300))

    def _take(self) -> str | None:
        each = self._chosen
        try:
            points = float(self.query_one("#points", Input).value.replace(",", "."))
        except ValueError:
            points = math.nan
        if not 0 <= points <= each.of:
            self.query_one("#points", Input).focus()
            return f"Points are a number from 0 to {each.of:g}."
        reason = clean_line(self.query_one("#reason", Input).value, 400)
        if not reason:
            self.query_one("#reason", Input).focus()
            return "Say why: points without a reason are not kept."
        return self._keep(each.criterion, points, reason)
