"""The workbench of a budgeted part: only committed runs move the instruments.

A run streams in round by round, at a pace that can be watched; it can be paused, and stopped.
It opens on the crisis as it was found: the default, which is no run and costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Event
from typing import ClassVar, Final

from textual import work
from textual.binding import Binding, BindingType

from engine.contract import Outcome, Value
from mission_tui.play import coach, evaluate, wording
from mission_tui.play.evaluate import Request
from mission_tui.play.game import Game, Neighbour
from mission_tui.play.session import Run
from mission_tui.screens import instruments
from mission_tui.screens.compare import ProbeScreen
from mission_tui.screens.instruments import Shown
from mission_tui.screens.workbench import WorkbenchScreen

EVERY: Final = 0.1
"""Seconds between two drawings while rounds come in."""
LINE: Final = 78
"""Cells of the coach's line on the narrowest screen that all of the bench is made for."""
WATCHABLE: Final = 1.5
"""Seconds that a run takes at least, so that it can be watched, and stopped in time."""


class BudgetedScreen(WorkbenchScreen):
    """Enter commits a run that is charged at once, and the charts move with it alone."""

    @property
    def HELP(self) -> str:  # type: ignore[override]
        """What is on this screen, and what its keys do."""
        streams = ""
        if self.game.session.goes_in_rounds:
            streams = """
While it runs, **Space** holds it and **x** stops it where it is: still charged, citable as so many
rounds, and never a pass."""
        return f"""\
## The workbench, on a budget
**↑ ↓** choose a slider, **← →** move it, or type a value. Nothing else moves until **Enter**
commits the setting as a run. A run is charged before its first round, and never refunded.
{self.exactly}
{streams}
**p** pins the last run, as a baseline and as evidence; **d** compares it with the run before, **w**
shows the law's terms.{self.other_views} **a** shows what failed, in full.

**s** commits a probe: one step of one slider, as a run like any other; the sliders stay. **t**
lists every run with its code; **c** takes a code and sets the sliders by it.

When the budget is spent, the best run stands.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "run", "Commit"),
        Binding("x", "stop", "Stop"),
        Binding("space", "hold", "Hold"),
    ]

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        self._frame: Outcome | None = None
        self._run: Run | None = None
        self._stop, self._go = Event(), Event()
        self._began = self._drawn = 0.0
        self._held = self._paused = 0.0

    @property
    def shown(self) -> Shown | None:
        """The run that streams in, else the last one, else the crisis as it was found."""
        last = self.game.session.last_run
        if self._run is None and last is not None:
            return last.outcome
        return self._frame

    @property
    def shown_at(self) -> Mapping[str, Value]:
        """The setting of the run that is shown; the crisis stands at the default."""
        session = self.game.session
        run = self._run or session.last_run
        return run.setting if run else session.part.default

    @property
    def ghost(self) -> Run | None:
        """The newest pin, else the run before the one that is shown."""
        session = self.game.session
        shown = self._run or session.last_run
        return session.baseline(shown.setting) if shown else None

    @property
    def is_under_way(self) -> bool:
        """Whether a committed run streams in."""
        return self._run is not None

    @property
    def rounds_seen(self) -> int:
        """How many rounds of it have come in."""
        frame = self._frame
        return frame.rounds[0] if frame is not None and frame.rounds is not None else 0

    def on_mount(self) -> None:
        """What is shown first: a run to be taken up, the last run, or the crisis."""
        session = self.game.session
        unfinished = self.game.restart_run()
        if unfinished is not None:
            self.launch(unfinished, session.request(unfinished.setting))
            self.say(f"Run #{unfinished.number} was unfinished: it is executed again, not charged.")
        elif session.last_run is not None:
            self._show_all()
            self.sliders_moved()
        else:
            remark = coach.after_seal(session)
            if remark:
                self.say(f"{remark} The crisis as it was found; Enter commits a run.")
            else:
                self.say("The crisis as it was found. Move the sliders; Enter commits a run.")
            self.launch(None, session.request(session.part.default))

    def on_unmount(self) -> None:
        """A run that is left in flight is executed again when the play is resumed."""
        self._run = None
        self._stop.set()
        self._go.set()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Stopping and holding are for a run that is under way."""
        if action in {"stop", "hold"}:
            return self._run is not None and self.game.session.goes_in_rounds
        commits = {"run", "pin", "why", "diff", "hint", "sensitivity", "code", "onward"}
        if action in commits and self._run is not None:
            return None
        return super().check_action(action, parameters)

    # -- sliders -----------------------------------------------------------------------------

    def sliders_moved(self) -> None:
        """Only the labels move; say what a commit would change, and what it would cost."""
        session = self.game.session
        left, last = session.runs_left or 0, session.last_run
        if not left:
            shown = f" The charts show #{last.number}." if last else ""
            self.say(f"No runs are left: the best one stands.{shown}")
            return
        words = f"Enter commits run #{len(session.state.runs) + 1}, {left} left"
        stood = last.setting if last else session.part.default
        room = LINE - len(words) - len(": .")
        moved = instruments.moves(session.part, stood, self.game.setting, room)
        same = f"as #{last.number} was" if last else "as it was found"
        self.say(f"{words}: {moved or same}.")

    # -- a run -------------------------------------------------------------------------------

    def action_sensitivity(self) -> None:
        """Choose one step of one slider; it is committed as a run, and the sliders stay."""
        self.take_sliders()
        if self.game.session.runs_left == 0:
            self.say("No runs left: the best one stands.")
            return
        self.app.push_screen(ProbeScreen(self.game), self._probe)

    def _probe(self, to: Neighbour | None) -> None:
        if to is not None:
            self.commit(lambda: self.game.begin_probe(to))

    def launch(self, run: Run | None, request: Request) -> None:
        """Stream a run in, or the crisis as it was found (None), which costs nothing."""
        self._stop.set()  # the crisis may still be streaming in
        self._run, self._frame = run, None
        self._stop, self._go = Event(), Event()
        self._go.set()
        self._began, self._held = time.monotonic(), 0.0
        self.refresh_bindings()
        if run is not None:
            self.say(f"Run #{run.number} is charged. Space holds it, x stops it.")
        self._fly(run, request, self._stop, self._go)

    @work(thread=True, group="flight")
    def _fly(self, run: Run | None, request: Request, stop: Event, go: Event) -> None:
        """Compute round by round, no quicker than it can be watched."""
        hurried = self.app.animation_level == "none"
        started, frame = time.monotonic(), None
        for frame in evaluate.stream(request):
            if stop.is_set():
                break
            self.app.call_from_thread(self._round, run, frame)
            if frame.rounds is not None and not hurried:
                done, total = frame.rounds
                early = started + self._held + WATCHABLE * done / total - time.monotonic()
                stop.wait(max(0.0, early))
            go.wait()
        stopped = stop.is_set()
        self.app.call_from_thread(self._landed, run, None if stopped else frame)

    def _round(self, run: Run | None, frame: Outcome) -> None:
        """A round is done: draw it, at most ten times a second."""
        if not self.is_running or run is not self._run:
            return
        self._frame = frame
        now = time.monotonic()
        if now - self._drawn < EVERY:
            return
        self._drawn = now
        self._show_frame(frame)

    def _show_frame(self, frame: Outcome) -> None:
        self.draw_maps()
        self.draw_charts(frame)
        self.show_gauges(frame)

    def show_gauges(self, shown: Shown) -> None:
        """While rounds come in, how far it is stands where the failure would stand."""
        super().show_gauges(shown)
        frame = self._frame
        if self._run is not None and frame is shown and frame.rounds is not None:
            done, total = frame.rounds
            spent = time.monotonic() - self._began - self._held
            left = spent / done * (total - done) if done else WATCHABLE
            held = not self._go.is_set()
            title = f"{'‖ HELD' if held else '◌ RUN'} #{self._run.number}  round {done} of {total}"
            words = "Space lets it go on." if held else f"about {left:.0f} s left"
            meter = "━" * round(26 * done / max(1, total))
            self.alarm(title, f"{meter.ljust(26, '┄')}\n{words}\nx stops it, charged all the same")

    def _landed(self, run: Run | None, found: Outcome | None) -> None:
        """A run came to its end, or was stopped after the last round that was shown."""
        if not self.is_running or run is not self._run:
            return  # the play was left in mid-run; it is executed again when it is resumed
        partial = self._frame
        if run is None:  # the crisis as it was found
            self._frame = found or partial
            self._show_all()
            return
        if found is not None:
            landed = self.game.end_run(run, found)
        elif partial is not None:
            landed = self.game.cancel_run(run, partial)
        else:
            return
        self._run = None
        self._frame = None
        self.refresh_bindings()
        self.show_runs()
        self._show_all()
        self._tell(landed)

    def _tell(self, run: Run) -> None:
        session = self.game.session
        left = session.runs_left or 0
        runs = f"{left} run{'s' if left != 1 else ''} left"
        if run.rounds is not None:
            words = (
                f"◼ RUN #{run.number} STOPPED after {run.rounds} rounds: charged, no pass. {runs}."
            )
        elif left and (remark := coach.after_run(session)):
            words = f"◼ RUN #{run.number} RECORDED, {left} left. {remark}"
        elif run.passed:
            words = f"◼ RUN #{run.number} RECORDED: it meets every spec. {runs}, ^g goes on."
        elif left:
            words = f"◼ RUN #{run.number} RECORDED: it breaks a spec. {runs}."
        else:
            words = f"◼ RUN #{run.number} RECORDED. {wording.spent_says(session)} ^g goes on."
        self.say(words)

    def _show_all(self) -> None:
        shown = self.shown
        if shown is not None:
            self.draw_maps()
            self.draw_charts(shown)
            self.show_gauges(shown)

    def all_hold(self) -> None:
        """The run that is shown holds."""
        self.alarm("● ALL SPECS HOLD", "This run holds. ^g goes on.")

    def action_hold(self) -> None:
        """Hold the run where it is, or let it go on. No event: the engine just waits."""
        if self._run is None:
            return
        if self._go.is_set():
            self._go.clear()
            self._paused = time.monotonic()
        else:
            self._held += time.monotonic() - self._paused
            self._go.set()
        if self._frame is not None:
            self._show_frame(self._frame)

    def action_stop(self) -> None:
        """Stop the run after the last round that was shown."""
        if self._run is not None and self._frame is not None:
            self._show_frame(self._frame)
            self._stop.set()
            self._go.set()
