"""The workbench: sliders at left, instruments at right, specs below. It opens on the failure."""

from __future__ import annotations

import time
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Footer, Static

from engine.contract import Outcome
from mission_tui.content import space
from mission_tui.play import evaluate
from mission_tui.play.actions import Hint, Pin, Unpin
from mission_tui.play.evaluate import Request
from mission_tui.play.game import Game
from mission_tui.play.session import Refused, Run
from mission_tui.screens import instruments
from mission_tui.screens.messages import Draft
from mission_tui.screens.panel import PanelScreen
from mission_tui.screens.step import StepScreen
from mission_tui.text import clean, clean_line
from mission_tui.widgets.chart import Chart, table
from mission_tui.widgets.gauge import Gauges
from mission_tui.widgets.memory_map import MemoryMap
from mission_tui.widgets.slider import Slider

EVERY: Final = 0.1
"""Seconds between two drawings of the charts while a key is held; labels follow every step."""


class WorkbenchScreen(StepScreen):
    """Live: charts follow the sliders, and Enter records a numbered run."""

    CSS_PATH = "workbench.tcss"
    HELP = """\
## The workbench
**↑ ↓** choose a slider, **← →** move it, or type a value. The memory map is exact accounting at
the machine's true scale; the accuracy is *measured on a stand-in*, a small network that is really
adapted to shifted digits while you watch.

**Enter** records a run: free, numbered, and what your claim will cite. Change *one* slider
between two runs if you want to claim anything from them. **w** shows which term of the law moved.
"""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (120, "-broad")]  # noqa: RUF012

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "slider(-1)", "Slider above", show=False),
        Binding("down", "slider(1)", "Slider below", show=False),
        Binding("enter", "run", "Record run"),
        Binding("w", "why", "Why"),
        Binding("t", "table", "Table"),
        Binding("p", "pin", "Pin"),
        Binding("h", "hint", "Hint"),
        Binding("ctrl+g", "onward", "Done"),
    ]

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        self._seen: Outcome | None = None
        self._measuring: Request | None = None
        self._drawn = 0.0
        self._later: Timer | None = None
        self._alarm = ("", "")

    def compose(self) -> ComposeResult:
        """Everything is there from the start; the first evaluation fills it."""
        part, setting = self.game.session.part, self.game.setting
        yield self.masthead()
        with Horizontal(id="bench"):
            with Vertical(id="left"):
                for name in part.sliders:
                    yield Slider(instruments.slider_spec(part, name), setting[name], id=name)
                yield Static("", id="alarm", markup=False)
                yield Static("", id="alarm-text", markup=False)
                yield Static("", id="strip", markup=False)
            with Vertical(id="right"):
                if "memory_map" in part.instruments:
                    yield MemoryMap(id="map")
                if "frontier" in part.instruments:
                    yield Chart(id="frontier")
            yield Static("", id="runs", markup=False)
        yield Gauges(id="gauges")
        yield Static("", id="coach", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """The crisis is the first thing seen: the default, and what it breaks."""
        self.set_focus(self.query(Slider).first())
        self._show_runs()
        self._account()
        if self.game.session.state.runs:
            self._coach("Back at the bench: everything is where you left it.")
        else:
            self._coach("This is the setting that failed. Move a slider; Enter records a run.")

    # -- moving ----------------------------------------------------------------------------

    @on(Slider.Changed)
    def _moved(self, event: Slider.Changed) -> None:
        name = event.slider.spec.id
        value = space.nearest(self.game.session.part, name, event.value)
        self.game.turn(name, value)
        self.post_message(Draft())
        self._account()

    def action_slider(self, by: int) -> None:
        """The next slider up or down."""
        sliders = list(self.query(Slider))
        here = sliders.index(self.focused) if isinstance(self.focused, Slider) else 0
        self.set_focus(sliders[(here + by) % len(sliders)])

    def _account(self) -> None:
        """Accounting now, charts soon, and the measurement in a thread."""
        request = self.game.session.request(self.game.setting)
        self._seen = next(iter(evaluate.stream(request)))
        self._show_gauges(self._seen)
        wait = self._drawn + EVERY - time.monotonic()
        if wait <= 0:
            self._draw()
        elif self._later is None:
            self._later = self.set_timer(wait, self._draw)
        if self._measuring is None:
            self._measuring = request
            self._measure(request)

    @work(thread=True, group="measure")
    def _measure(self, request: Request) -> None:
        found = evaluate.outcome(request)
        self.app.call_from_thread(self._measured, request, found)

    def _measured(self, request: Request, found: Outcome) -> None:
        """Show a measurement, unless the sliders have moved on: then measure where they are."""
        self._measuring = None
        if not self.is_mounted:
            return
        wanted = self.game.session.request(self.game.setting)
        if request == wanted:
            self._seen = found
            self._show_gauges(found)
            self._draw()
        else:
            self._measuring = wanted
            self._measure(wanted)

    # -- showing ---------------------------------------------------------------------------

    def _draw(self) -> None:
        self._drawn, self._later = time.monotonic(), None
        if self._seen is None:
            return
        session, ghost = self.game.session, self._ghost()
        for widget in self.query(MemoryMap):
            widget.show(instruments.memory(session, self._seen, ghost))
        for chart in self.query(Chart):
            chart.show(instruments.frontier(session, self._seen.metrics, ghost))

    def _show_gauges(self, outcome: Outcome) -> None:
        session = self.game.session
        self.query_one(Gauges).show(instruments.readings(session, outcome.metrics))
        broken = [r for r in session.readings(outcome.metrics) if r.value is not None and not r.met]
        if broken:
            failure = session.part.specs[broken[0].id].failure
            words = (f"▲ {clean_line(failure.title)}", self.told(failure.text))
        elif any(r.value is None for r in session.readings(outcome.metrics)):
            words = ("◌ measuring", "the stand-in is learning …")
        else:
            words = ("● ALL SPECS HOLD", "Enter records it.")
        if words != self._alarm:
            self._alarm = words
            title = self.query_one("#alarm", Static)
            title.set_class(bool(broken), "-broken")
            title.update(words[0])
            self.query_one("#alarm-text", Static).update(words[1])

    def _show_runs(self) -> None:
        session = self.game.session
        self.query_one("#strip", Static).update(clean(instruments.runs(session, whole=False)))
        self.query_one("#runs", Static).update(clean(instruments.runs(session, whole=True)))

    def _ghost(self) -> Run | None:
        return self.game.session.baseline(self.game.setting)

    def _coach(self, words: str) -> None:
        self.query_one("#coach", Static).update(clean_line(words))

    # -- commands --------------------------------------------------------------------------

    def action_run(self) -> None:
        """Commit the sliders as a run; it is on disk before anything is computed."""
        try:
            run = self.game.begin_run()
        except Refused as refusal:
            self._coach(f"{str(refusal).capitalize()}.")
            return
        self._show_runs()
        self._fly(run, self.game.session.request(run.setting))

    @work(thread=True, group="run")
    def _fly(self, run: Run, request: Request) -> None:
        found = evaluate.outcome(request)
        self.app.call_from_thread(self._landed, run, found)

    def _landed(self, run: Run, found: Outcome) -> None:
        landed = self.game.end_run(run, found)
        if not self.is_mounted:
            return
        self._show_runs()
        self._draw()
        left = self.game.session.distinct_left
        word = "meets every spec" if landed.passed else "breaks a spec"
        after = f"{left} more at another setting, then ^g." if left else "^g goes on."
        self._coach(f"◼ RUN #{landed.number} RECORDED: it {word}. {after}")

    def action_pin(self) -> None:
        """Pin the last run as the baseline, or let it go."""
        session = self.game.session
        ended = [run.number for run in session.state.runs if run.ended]
        if not ended:
            self._coach("Record a run first; then it can be pinned.")
            return
        last = ended[-1]
        pinned = last in session.state.pins
        self.game.act(Unpin(last) if pinned else Pin(last))
        self._coach(f"Run #{last} {'let go' if pinned else 'pinned as the baseline'}.")
        self._show_runs()
        self._draw()

    def action_hint(self) -> None:
        """The next hint; opening one is recorded, and never fined."""
        session = self.game.session
        hint = session.next_hint
        if hint is not None:
            self.game.act(Hint(hint))
        opened = self.game.session.state.hints
        words = "\n\n".join(
            f"{n}. {self.told(session.part.hints[h])}" for n, h in enumerate(opened, 1)
        )
        self.app.push_screen(PanelScreen("Hints", words or "There are none here."))

    @work(thread=True, exclusive=True, group="why")
    def action_why(self) -> None:
        """The law, with its terms since the baseline."""
        words = instruments.why(self.game)
        self.app.call_from_thread(self.app.push_screen, PanelScreen("Why", words))

    def action_table(self) -> None:
        """The numbers behind the charts."""
        if self._seen is None:
            return
        plot = instruments.frontier(self.game.session, self._seen.metrics, self._ghost())
        rows = table(plot)
        widths = [max(len(row[n]) for row in rows) for n in range(3)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            for row in rows
        ]
        lines += ["", *instruments.memory_rows(self._seen)]
        self.app.push_screen(PanelScreen("Behind the charts", "\n".join(lines)))

    def action_onward(self) -> None:
        """On to the reveal, or back to where the workbench was left from."""
        self.go("claim" if self.game.session.state.truths else "reveal")
