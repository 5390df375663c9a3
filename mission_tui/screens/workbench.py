"""The workbench: sliders at left, instruments at right, specs below. It opens on the failure."""

from __future__ import annotations

import time
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Static

from engine.contract import Outcome
from mission_tui.content import space
from mission_tui.play import evaluate, wording
from mission_tui.play.actions import Hint, Pin, Unpin
from mission_tui.play.evaluate import Request
from mission_tui.play.game import Game
from mission_tui.play.session import Refused, Run
from mission_tui.screens import instruments
from mission_tui.screens.messages import Draft
from mission_tui.screens.panel import PanelScreen
from mission_tui.screens.step import StepScreen
from mission_tui.text import clean, clean_line
from mission_tui.widgets.chart import Chart, Plot, table
from mission_tui.widgets.gauge import Gauges
from mission_tui.widgets.keybar import KeyBar
from mission_tui.widgets.memory_map import MemoryMap
from mission_tui.widgets.slider import Slider

EVERY: Final = 0.1
"""Seconds between two drawings of the charts while a key is held; labels follow every step."""
FAST: Final = 0.15
"""Keys that come closer than this are a held key or a hurry."""
REST: Final = 0.1
"""After a hurry the stand-in is measured when no key has come for this long …"""
SELDOM: Final = 0.5
"""… or when it was not measured for this long."""
LATE: Final = 0.25
"""Seconds after which a measurement that is still under way is shown as such."""


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
        self._known: Outcome | None = None  # the last one that was measured whole
        self._waits = True  # for a measurement, long enough that the gauge says so
        self._late: Timer | None = None
        self._measuring: Request | None = None
        self._measured_at = 0.0
        self._due: Timer | None = None
        self._fast = False  # keys come faster than measurements are worth
        self._moved_at = 0.0
        self._drawn = 0.0
        self._later: Timer | None = None
        self._said = ""
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
                    yield Chart(Plot(empty="measuring …"), id="frontier")
            yield Static("", id="runs", markup=False)
        yield Gauges(id="gauges")
        yield Static(self.told(part.stand_in), id="stand-in", markup=False)
        yield Static("", id="coach", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """The crisis is the first thing seen: the default, and what it breaks."""
        self.set_focus(self.query(Slider).first())
        self._show_runs()
        self._account()
        if self.game.session.state.runs:
            self.say("Back at the bench: everything is where you left it.")
        else:
            self.say("This is the setting that failed. Move a slider; Enter records a run.")

    # -- moving ----------------------------------------------------------------------------

    @on(Slider.Changed)
    def _moved(self) -> None:
        now = time.monotonic()
        self._fast, self._moved_at = now - self._moved_at < FAST, now
        if self._take_sliders():
            self.say("Enter records this setting as a run.")

    def _take_sliders(self) -> bool:
        """Take the sliders as they stand; messages of a key just pressed may still be queued."""
        moved = False
        for slider in self.query(Slider):
            name = slider.spec.id
            value = space.nearest(self.game.session.part, name, slider.value)
            if self.game.setting[name] != value:
                self.game.turn(name, value)
                moved = True
        if moved:
            self.post_message(Draft())
            self._account()
        return moved

    def action_slider(self, by: int) -> None:
        """The next slider up or down."""
        sliders = list(self.query(Slider))
        here = sliders.index(self.focused) if isinstance(self.focused, Slider) else 0
        self.set_focus(sliders[(here + by) % len(sliders)])

    def _account(self) -> None:
        """Accounting now, charts soon, and the measurement in a thread once keys rest."""
        first = next(iter(evaluate.stream(self.game.session.request(self.game.setting))))
        if self._seen is not None and self._late is None and not self._waits:
            # For a moment the last measurement stands; then the gauge says that it waits.
            self._late = self.set_timer(LATE, self._is_late)
        kept = self._seen.metrics if self._seen and not self._waits else {}
        self._seen = Outcome({**kept, **first.metrics}, first.series)
        self._show_gauges(self._seen)
        wait = self._drawn + EVERY - time.monotonic()
        if wait <= 0:
            self._draw()
        elif self._later is None:
            self._later = self.set_timer(wait, self._draw)
        self._want_measurement()

    def _want_measurement(self) -> None:
        """Measure now; while keys come fast, when they rest, or at least twice a second.

        The engine holds the interpreter: measuring at every step of a held key would starve
        the labels, and none of those measurements would be looked at.
        """
        if self._measuring is not None or self._due is not None:
            return
        now = time.monotonic()
        due = min(self._moved_at + REST, self._measured_at + SELDOM) - now if self._fast else 0.0
        if due > 0:
            self._due = self.set_timer(due, self._measure_if_due)
            return
        self._measured_at = now
        self._measuring = self.game.session.request(self.game.setting)
        self._measure(self._measuring)

    def _measure_if_due(self) -> None:
        self._due = None
        self._fast = time.monotonic() - self._moved_at < REST
        self._want_measurement()

    @work(thread=True, group="measure")
    def _measure(self, request: Request) -> None:
        found = evaluate.outcome(request)
        self.app.call_from_thread(self._measured, request, found)

    def _measured(self, request: Request, found: Outcome) -> None:
        """Show a measurement, unless the sliders have moved on: then measure where they are."""
        self._measuring = None
        if not self.is_running:
            return
        if request == self.game.session.request(self.game.setting):
            self._on_time()
            self._seen = self._known = found
            self._show_gauges(found)
            self._draw()
            self._draw_chart()
        else:
            self._want_measurement()

    def _is_late(self) -> None:
        """The measurement takes long enough to be noticed: show that it is under way."""
        self._late, self._waits = None, True
        if self._seen is not None:
            self._account()

    def _on_time(self) -> None:
        self._waits = False
        if self._late is not None:
            self._late.stop()
            self._late = None

    # -- showing ---------------------------------------------------------------------------

    def _draw(self) -> None:
        """The memory map: accounting alone, so it follows every step."""
        self._drawn, self._later = time.monotonic(), None
        if self._seen is not None:
            for widget in self.query(MemoryMap):
                widget.show(instruments.memory(self.game.session, self._seen, self._ghost()))

    def _draw_chart(self) -> None:
        """The chart: drawn once a step, with the measurement; half a point would be drawn twice."""
        if self._known is not None and self.query(Chart):
            plot = instruments.frontier(self.game.session, self._known.metrics, self._ghost())
            for chart in self.query(Chart):
                chart.show(plot)

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
            title.update(words[0], layout=False)
            self.query_one("#alarm-text", Static).update(words[1], layout=False)

    def _show_runs(self) -> None:
        session = self.game.session
        self.query_one("#strip", Static).update(clean(instruments.runs(session, whole=False)))
        self.query_one("#runs", Static).update(clean(instruments.runs(session, whole=True)))

    def _ghost(self) -> Run | None:
        return self.game.session.baseline(self.game.setting)

    def say(self, words: str) -> None:
        """The coach's line."""
        words = clean_line(words)
        if words != self._said:
            self._said = words
            self.query_one("#coach", Static).update(words, layout=False)

    # -- commands --------------------------------------------------------------------------

    def action_run(self) -> None:
        """Commit the sliders as a run; it is on disk before anything is computed."""
        self._take_sliders()
        try:
            run = self.game.begin_run()
        except Refused as refusal:
            self.say(f"{str(refusal).capitalize()}.")
            return
        self._show_runs()
        self._fly(run, self.game.session.request(run.setting))

    @work(thread=True, group="run")
    def _fly(self, run: Run, request: Request) -> None:
        found = evaluate.outcome(request)
        self.app.call_from_thread(self._landed, run, found)

    def _landed(self, run: Run, found: Outcome) -> None:
        if not self.is_running:
            return  # the play was left in mid-run; it is executed again when it is resumed
        landed = self.game.end_run(run, found)
        self._show_runs()
        self._draw()
        self._draw_chart()
        left = self.game.session.distinct_left
        word = "meets every spec" if landed.passed else "breaks a spec"
        after = f"{left} more at another setting, then ^g." if left else "^g goes on."
        self.say(f"◼ RUN #{landed.number} RECORDED: it {word}. {after}")

    def action_pin(self) -> None:
        """Pin the last run as the baseline, or let it go."""
        session = self.game.session
        ended = [run.number for run in session.state.runs if run.ended]
        if not ended:
            self.say("Record a run first; then it can be pinned.")
            return
        last = ended[-1]
        pinned = last in session.state.pins
        self.game.act(Unpin(last) if pinned else Pin(last))
        self.say(f"Run #{last} {'let go' if pinned else 'pinned as the baseline'}.")
        self._show_runs()
        self._draw()
        self._draw_chart()

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
        lines += ["", *instruments.memory_rows(self._seen), "", "The scenario"]
        lines += wording.scenario(self.game.session.mission, self.game.session.part)
        self.app.push_screen(PanelScreen("Behind the charts", "\n".join(lines)))

    def action_onward(self) -> None:
        """On to the reveal, or back to where the workbench was left from."""
        self.go("claim" if self.game.session.state.truths else "reveal")
