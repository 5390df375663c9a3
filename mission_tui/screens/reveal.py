"""The reveal: the prediction beside the truth, and why."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Label, Static

from mission_tui.play import bands, wording
from mission_tui.screens.step import StepScreen
from mission_tui.text import clean, clean_line
from mission_tui.units import show
from mission_tui.widgets.band import Band, Bet
from mission_tui.widgets.keybar import KeyBar
from mission_tui.widgets.more import More


class RevealScreen(StepScreen):
    """Each lock of the part: your band, the truth on it, and the explanation that is yours."""

    CSS_PATH = "reveal.tcss"
    HELP = """\
## The reveal
Your band is drawn beside what the engine computed on your machine, with your data. Being wrong
costs nothing here: **a surprise is where the lesson is**. **PgDn** and the arrows scroll.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "onward", "Make a claim"),
        Binding("b", "back", "Workbench"),
    ]

    def compose(self) -> ComposeResult:
        """One block a lock, then the lesson."""
        session = self.game.session
        part = session.part
        yield self.masthead()
        with VerticalScroll(id="reveal"):
            for name, judgement in session.judgements(session.part_id).items():
                lock, sealed = part.locks[name], session.state.sealed[name]
                truth = session.state.truths[name]
                figures = wording.given(session.mission, part, session.seed)
                figures |= wording.lock_figures(part, lock, sealed, truth)
                yield Label("YOU SAID, THE ENGINE SAYS", classes="heading")
                if sealed.low is not None and sealed.high is not None:
                    unit = wording.lock_unit(part, lock)
                    band = Band(
                        lambda figure, unit=unit: show(figure, unit),  # type: ignore[misc]
                        reach=bands.reach(lock, unit),
                    )
                    value, true = float(sealed.value), float(truth.value)
                    band.place(Bet(value, sealed.low, sealed.high, true))
                    yield band
                else:
                    words = f"you: {figures['value']}   ·   engine: {figures['truth']}"
                    yield Static(clean_line(words), markup=False)
                marks = [("value", judgement.value_right), ("why", judgement.mechanism_right)]
                if judgement.in_band is not None:
                    marks.insert(1, ("band", judgement.in_band))
                said = "   ".join(f"{'●' if right else '○'} {mark}" for mark, right in marks)
                yield Static(f"{said}      (hit ●  miss ○)", classes="marks", markup=False)
                why = clean_line(part.mechanisms[truth.mechanism])
                ask = clean_line(lock.why.ask)
                yield Static(f"{ask}  {why}", classes="why", markup=False)
                cell = getattr(lock.cells, judgement.cell)
                told = clean(wording.fill(cell, figures))
                yield Static(told, classes="explanation", markup=False)
            yield Label("WHAT STANDS BEHIND IT", classes="heading")
            yield Static(self.told(part.lesson), classes="lesson", markup=False)
        yield More("#reveal")
        yield KeyBar()

    def action_onward(self) -> None:
        """On to the claim."""
        self.go("claim")

    def action_back(self) -> None:
        """Back to the workbench for more runs."""
        self.go("workbench")
