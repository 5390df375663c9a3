"""The workbench of a live part: the instruments follow the sliders, and runs are free."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from textual import on, work
from textual.timer import Timer

from engine.contract import Outcome, Value
from mission_tui.play import coach, evaluate, tables
from mission_tui.play.evaluate import Request
from mission_tui.play.game import Game
from mission_tui.play.session import Run
from mission_tui.screens.compare import SensitivityScreen
from mission_tui.screens.instruments import Shown
from mission_tui.screens.workbench import WorkbenchScreen
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


class LiveScreen(WorkbenchScreen):
    """Charts follow the sliders, and Enter records a numbered run."""

    @property
    def HELP(self) -> str:  # type: ignore[override]
        """What is on this screen, and what its keys do."""
        return f"""\
## The workbench
**↑ ↓** choose a slider, **← →** move it, or type a value. The instruments follow. {self.exactly}

**Enter** records a run: free, numbered, and what your claim will cite. Change *one* slider
between two runs if you want to claim anything from them. **w** shows which term of the law moved,
**d** the last run beside the one before.{self.other_views} **a** shows what failed, in full.

**s** tries one step of each slider and tells what it would change. **t** lists every run with its
code; **c** takes a code and sets the sliders by it.
"""

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

    @property
    def shown(self) -> Shown | None:
        """The sliders as they stand."""
        return self._seen

    @property
    def shown_at(self) -> Mapping[str, Value]:
        """Where the sliders stand."""
        return self.game.setting

    @property
    def ghost(self) -> Run | None:
        """The newest pin, else the last run elsewhere."""
        return self.game.session.baseline(self.game.setting)

    def on_mount(self) -> None:
        """The crisis is the first thing seen: the default, and what it breaks."""
        self._account()
        if self.game.restart_run() is not None:
            self._again()
        elif self.game.session.state.runs:
            self.say("Back at the bench: everything is where you left it.")
        else:
            remark = coach.after_seal(self.game.session)
            crisis = remark or "This is the setting that failed."
            self.say(f"{crisis} Move a slider; Enter records a run.")

    # -- moving ------------------------------------------------------------------------------

    @on(Slider.Changed)
    def _hurried(self) -> None:
        now = time.monotonic()
        self._fast, self._moved_at = now - self._moved_at < FAST, now

    def sliders_moved(self) -> None:
        """Labels now, charts soon."""
        self.say("Enter records this setting as a run.")
        self._account()

    def _account(self) -> None:
        """Accounting now, charts soon, and the measurement in a thread once keys rest."""
        first = next(iter(evaluate.stream(self.game.session.request(self.game.setting))))
        if self._seen is not None and self._late is None and not self._waits:
            # For a moment the last measurement stands; then the gauge says that it waits.
            self._late = self.set_timer(LATE, self._is_late)
        kept = self._seen.metrics if self._seen and not self._waits else {}
        self._seen = Outcome({**kept, **first.metrics}, first.series)
        self.show_gauges(self._seen)
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
            self.show_gauges(found)
            self._draw()
            self.draw_charts()
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

    def _draw(self) -> None:
        """The memory map: accounting alone, so it follows every step."""
        self._drawn, self._later = time.monotonic(), None
        self.draw_maps()

    def draw_charts(self, shown: Shown | None = None) -> None:
        """Drawn once a step, with the measurement; half a point would be drawn twice."""
        if self._known is not None:
            super().draw_charts(shown or self._known)

    # -- runs --------------------------------------------------------------------------------

    def _again(self) -> None:
        """A run that a dead process left in flight is executed again."""
        run = self.game.session.in_flight
        if run is not None:
            self.say(f"Run #{run.number} was unfinished; it is executed again.")
            self.launch(run, self.game.session.request(run.setting))

    def launch(self, run: Run, request: Request) -> None:
        """Execute a run in a thread; the screen goes on meanwhile."""
        self._fly(run, request)

    @work(thread=True, group="run")
    def _fly(self, run: Run, request: Request) -> None:
        found = evaluate.outcome(request)
        self.app.call_from_thread(self._landed, run, found)

    def _landed(self, run: Run, found: Outcome) -> None:
        if not self.is_running:
            return  # the play was left in mid-run; it is executed again when it is resumed
        landed = self.game.end_run(run, found)
        self.show_runs()
        self._draw()
        self.draw_charts()
        if self._seen is not None:
            self.show_gauges(self._seen)
        self.say(f"◼ RUN #{landed.number} RECORDED{self._how_it_ended(landed)}")

    def _how_it_ended(self, run: Run) -> str:
        """What follows the run's number; it fits on what is left of a line of 78 cells."""
        session = self.game.session
        asked, done = session.part.distinct_runs, len(session.different)
        left, apart = session.distinct_left, session.part.apart is not None
        if remark := coach.after_run(session):
            return f", {done} of {asked}. {remark}" if left and apart else f". {remark}"
        word = "meets every spec" if run.passed else "breaks a spec"
        counts = run.number in {each.number for each in session.different}
        if not left:
            return f": it {word}. ^g goes on."
        if not apart:
            return f": it {word}. {left} more {session.elsewhere}, then ^g."
        if counts:
            return f": it {word}. {done} of {asked} different strategies."
        return f". Still {done} of {asked}: {session.elsewhere} counts."

    def all_hold(self) -> None:
        """What is said where nothing fails: a setting is recorded once."""
        here = [run for run in self.game.session.state.runs if run.setting == self.game.setting]
        words = "Enter records it."
        if here and here[-1].ended:
            onward = "" if self.game.session.distinct_left else " ^g goes on."
            words = f"Recorded as run #{here[-1].number}.{onward}"
        self.alarm("● ALL SPECS HOLD", words)

    # -- sensitivity -------------------------------------------------------------------------

    def action_sensitivity(self) -> None:
        """What each step of each slider would change, from where they stand."""
        self.take_sliders()
        self.say("◌ The engine tries one step of each slider …")
        self._try_steps()

    @work(thread=True, exclusive=True, group="steps")
    def _try_steps(self) -> None:
        session = self.game.session
        here = evaluate.outcome(session.request(self.game.setting))
        words = tables.sensitivity(session, here.metrics, self.game.sensitivity())
        self.app.call_from_thread(self._tried, words)

    def _tried(self, words: str) -> None:
        if self.is_running:
            self.say("")
            self.app.push_screen(SensitivityScreen("Sensitivity", words))
