"""The workbench: sliders at left, instruments at right, specs below. It opens on the failure.

What both kinds of part share. :mod:`mission_tui.screens.live` follows the sliders,
:mod:`mission_tui.screens.budgeted` shows committed runs as they stream in.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, Final
from weakref import WeakKeyDictionary

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Static

from engine.contract import Value
from mission_tui.content import space
from mission_tui.content.schema import Bars as BarsShape
from mission_tui.content.schema import Curve, Frontier
from mission_tui.content.schema import MemoryMap as MapShape
from mission_tui.play import badges, coach
from mission_tui.play.actions import Hint, Pin, Unpin
from mission_tui.play.evaluate import Request
from mission_tui.play.game import Game
from mission_tui.play.session import Refused, Run
from mission_tui.play.wording import fill, unmet_says
from mission_tui.screens import instruments
from mission_tui.screens.compare import CodeScreen, DifferenceScreen
from mission_tui.screens.instruments import Shown
from mission_tui.screens.leaving import LeavingScreen
from mission_tui.screens.messages import Draft
from mission_tui.screens.panel import PanelScreen
from mission_tui.screens.step import StepScreen
from mission_tui.text import clean, clean_line
from mission_tui.widgets.advisory import Advisory
from mission_tui.widgets.bars import Bars
from mission_tui.widgets.chart import Chart, Plot
from mission_tui.widgets.gauge import Gauges
from mission_tui.widgets.keybar import KeyBar
from mission_tui.widgets.memory_map import MemoryMap
from mission_tui.widgets.slider import Slider

WIDE = 100
"""Columns from which the run table shows each run's setting."""
BROAD = 120
"""Columns from which the second instrument stands beside the first."""
VAST = 160
"""Columns from which there is room to spare."""


NARROW: Final = 29
"""Columns of the run table before it is laid out."""
LOOSE: Final = 8
"""Rows for the failure's name, its text and two runs. Where sliders leave fewer, no blank rows
stand between these."""

_last_focus: WeakKeyDictionary[Game, dict[str, str]] = WeakKeyDictionary()
"""The slider that had the focus, by part of a play: coming back makes a new workbench."""


class Bench(Horizontal):
    """The columns; tells the screen how much room they have."""

    class Fitted(Message):
        """The room is another one."""

    def on_resize(self, event: events.Resize) -> None:
        """Other instruments may fit."""
        self.post_message(self.Fitted())


class WorkbenchScreen(StepScreen):
    """Sliders, instruments, specs, runs; what a key does to the session is asked of the Game."""

    CSS_PATH = "workbench.tcss"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-narrow"),
        (WIDE, "-wide"),
        (BROAD, "-broad"),
        (VAST, "-vast"),
    ]

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "slider(-1)", "Slider above", show=False),
        Binding("down", "slider(1)", "Slider below", show=False),
        Binding("enter", "run", "Record"),
        Binding("v", "view", "View"),
        Binding("w", "why", "Why"),
        Binding("t", "table", "Table"),
        Binding("d", "diff", "Diff"),
        Binding("p", "pin", "Pin"),
        Binding("h", "hint", "Hint"),
        Binding("s", "sensitivity", "Sensitivity: one step of each slider", show=False),
        Binding("c", "code", "Run code", show=False),
        Binding("a", "advisory", "What failed, in full", show=False),
        Binding("ctrl+g", "onward", "Done"),
    ]

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        self._said = ""
        self._alarm = ("", "")
        self._listed = ""
        self._view, self._views = 0, 1
        self._warned = False  # of what the first hint costs

    # -- what the two kinds of workbench say for themselves -----------------------------------

    @property
    @abstractmethod
    def shown(self) -> Shown | None:
        """What the instruments show, if there is anything yet."""

    @property
    @abstractmethod
    def shown_at(self) -> Mapping[str, Value]:
        """The setting of what is shown."""

    @property
    @abstractmethod
    def ghost(self) -> Run | None:
        """The run that what is shown is seen against."""

    @property
    @abstractmethod
    def HELP(self) -> str:  # type: ignore[override]
        """What this bench has, as the app asks for a screen's help."""

    @abstractmethod
    def sliders_moved(self) -> None:
        """The sliders stand somewhere else; the game knows it already."""

    @abstractmethod
    def launch(self, run: Run, request: Request) -> None:
        """Have the engine execute a run that was committed."""

    # -- layout ------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Everything is there from the start; what is shown first fills it."""
        part, setting = self.game.session.part, self.game.setting
        first = [name for name, shape in part.instruments.items() if not shape.beside]
        second = [name for name, shape in part.instruments.items() if shape.beside]
        yield self.masthead()
        with Bench(id="bench"):
            with Vertical(id="left"):
                for name in part.sliders:
                    yield Slider(instruments.slider_spec(part, name), setting[name], id=name)
                yield Static("", id="alarm", markup=False)
                yield Advisory(id="alarm-text")
                yield Static("", id="strip", markup=False)
            with Vertical(id="right"):
                yield from map(self._instrument, first)
            with Vertical(id="beside"):
                yield from map(self._instrument, second)
        yield Gauges(instruments.readings(self.game.session, {}), id="gauges")
        yield Static(self.told(part.stand_in), id="stand-in", markup=False)
        yield Static("", id="coach", markup=False)
        yield KeyBar()

    def _instrument(self, name: str) -> MemoryMap | Chart | Bars:
        """An instrument; which are in sight is known when their room is."""
        shape, id = self.game.session.part.instruments[name], f"instrument-{name}"
        widget: MemoryMap | Chart | Bars
        match shape:
            case MapShape():
                widget = MemoryMap(id=id)
            case BarsShape():
                widget = Bars(id=id)
            case _:
                widget = Chart(Plot(empty="measuring …"), id=id)
        widget.display = False
        return widget

    def on_mount(self) -> None:
        """Keys go to the sliders: to the one that had them last."""
        self.set_class(not self.has_second, "-single")
        kept = _last_focus.get(self.game, {}).get(self.game.session.part_id)
        name = kept or instruments.last_moved(self.game.session, self.game.setting)
        self.set_focus(self.query_one(f"#{name}", Slider))
        self.show_runs()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember which slider it is, for when the bench is come back to."""
        if isinstance(event.widget, Slider):
            kept = _last_focus.setdefault(self.game, {})
            kept[self.game.session.part_id] = event.widget.spec.id

    @property
    def exactly(self) -> str:
        """What the figures of this part stand on, for its help."""
        part, words = self.game.session.part, []
        if any(isinstance(shape, MapShape) for shape in part.instruments.values()):
            words.append("The memory map is exact accounting at the machine's true scale.")
        if stands := self.told(part.stand_in).strip():
            words.append(f"The figures stand on this: {stands}.")
        return " ".join(words)

    @property
    def other_views(self) -> str:
        """A sentence on the key that shows the other instruments, where there are any."""
        return f" **v** shows the next of {self._views} views." if self._views > 1 else ""

    @property
    def has_second(self) -> bool:
        """Whether the part has instruments of the second column."""
        return any(shape.beside for shape in self.game.session.part.instruments.values())

    def on_resize(self, event: events.Resize) -> None:
        """The run table says more where there is room."""
        self.show_runs()

    @on(Bench.Fitted)
    def show_view(self) -> None:
        """Show as many instruments as can be read; the others are other views."""
        part, room = self.game.session.part, self.query_one("#bench").size.height
        first, second = instruments.views(part, room)
        both = bool(second) and self.size.width >= BROAD
        self._views = max(len(first), len(second)) if both else len(first) + len(second)
        self._view %= self._views
        if both:
            seen = (*first[self._view % len(first)], *second[self._view % len(second)])
        else:
            seen = (*first, *second)[self._view]
        for name in part.instruments:
            self.query_one(f"#instrument-{name}").display = name in seen
        self.set_class(not both and self._view >= len(first), "-beside")
        self.set_class(room < 3 * len(part.sliders) + LOOSE, "-tight")
        self.query_one(KeyBar).rename("view", f"View {self._view + 1}/{self._views}")
        self.refresh_bindings()

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Another view is offered where there is one."""
        if action == "view":
            return self._views > 1
        return True

    # -- moving ------------------------------------------------------------------------------

    def take_sliders(self) -> bool:
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
            self.sliders_moved()
        return moved

    def action_slider(self, by: int) -> None:
        """The next slider up or down; at the ends there is none, as in a list of choices."""
        sliders = list(self.query(Slider))
        here = sliders.index(self.focused) if isinstance(self.focused, Slider) else 0
        self.set_focus(sliders[min(max(here + by, 0), len(sliders) - 1)])

    # -- showing -----------------------------------------------------------------------------

    def draw_maps(self) -> None:
        """The memory map: accounting alone, so it can follow every step."""
        shown = self.shown
        if shown is None or "memory" not in shown.series:
            return
        session = self.game.session
        for widget in self.query(MemoryMap):
            widget.show(instruments.memory(session, shown, self.ghost, self.shown_at))

    def draw_charts(self, shown: Shown | None = None) -> None:
        """The charts and bars, from what is shown or from ``shown``."""
        shown = shown or self.shown
        if shown is None:
            return
        session, ghost = self.game.session, self.ghost
        for name, shape in session.part.instruments.items():
            if isinstance(shape, (Frontier, Curve)):
                plot = instruments.plot(session, shape, shown, ghost, self.shown_at)
                self.query_one(f"#instrument-{name}", Chart).show(plot)
            elif isinstance(shape, BarsShape):
                listed = instruments.bar_list(session, shape, shown, ghost)
                self.query_one(f"#instrument-{name}", Bars).show(listed)

    def show_gauges(self, shown: Shown) -> None:
        """Every spec, and what the outcome is called where it fails."""
        session = self.game.session
        self.query_one(Gauges).show(instruments.readings(session, shown.metrics))
        failure = session.failure(shown.metrics)
        if failure is not None:
            figures = self.figures | instruments.figures(session, shown.metrics)
            title, text = clean_line(failure.title), clean(fill(failure.text, figures))
            self.alarm(f"▲ {title}", text, broken=True)
        elif any(reading.value is None for reading in session.readings(shown.metrics)):
            self.alarm("◌ measuring", "the stand-in is learning …")
        else:
            self.all_hold()

    def all_hold(self) -> None:
        """What is said where nothing fails."""
        self.alarm("● ALL SPECS HOLD", "Enter records it.")

    def alarm(self, title: str, text: str, *, broken: bool = False) -> None:
        """The failure's name and its words, or what goes on instead."""
        if (title, text) == self._alarm:
            return
        before, self._alarm = self._alarm, (title, text)
        label = self.query_one("#alarm", Static)
        label.set_class(broken, "-broken")
        if title != before[0]:
            label.update(title, layout=False)
        self.query_one("#alarm-text", Advisory).tell(text)

    def show_runs(self) -> None:
        """The runs so far, a line each."""
        wide, vast = self.size.width >= WIDE, self.size.width >= VAST
        strip = self.query_one("#strip", Static)
        width = strip.content_size.width or NARROW
        figures = 3 if vast else 2 if wide else 1
        words = clean(instruments.runs(self.game.session, width, figures))
        if words != self._listed:
            self._listed = words
            strip.update(words)

    def say(self, words: str) -> None:
        """The coach's line."""
        words = clean_line(words)
        if words != self._said:
            self._said = words
            self.query_one("#coach", Static).update(words, layout=False)

    # -- commands ----------------------------------------------------------------------------

    @on(Slider.Changed)
    def _moved(self) -> None:
        self.take_sliders()

    def action_run(self) -> None:
        """Commit the sliders as a run: charged and on disk before anything is computed."""
        self.take_sliders()
        self.commit(self.game.begin_run)

    def commit(self, begin: Callable[[], Run]) -> None:
        """Begin a run and launch it; where the rules refuse one, say why."""
        try:
            run = begin()
        except Refused as refusal:
            self.say(f"{str(refusal).capitalize()}.")
            return
        self.show_runs()
        self.launch(run, self.game.session.request(run.setting))

    def action_view(self) -> None:
        """The other instruments, where not all of them can be read at once."""
        self._view += 1
        self.show_view()

    def action_advisory(self) -> None:
        """All of what the advisory says, which may be more than its box holds."""
        title, text = self._alarm
        self.app.push_screen(PanelScreen(title, text))

    def action_pin(self) -> None:
        """Pin the last run as the baseline, or let it go."""
        session = self.game.session
        last = session.last_run
        if last is None:
            self.say("Record a run first; then it can be pinned.")
            return
        pinned = last.number in session.state.pins
        self.game.act(Unpin(last.number) if pinned else Pin(last.number))
        self.say(f"Run #{last.number} {'let go' if pinned else 'pinned as the baseline'}.")
        self.show_runs()
        self.draw_maps()
        self.draw_charts()

    def action_hint(self) -> None:
        """The next hint; opening one is recorded, and never fined. The first says what it costs."""
        session = self.game.session
        hint = session.next_hint
        costs = badges.hint_costs(session)
        if costs is not None and not self._warned:
            self._warned = True
            self.say(f"{costs}; h again opens it.")
            return
        if hint is not None:
            self.game.act(Hint(hint))
        if remark := coach.after_hint(self.game.session):
            self.say(remark)
        opened = self.game.session.state.hints
        words = "\n\n".join(
            f"{n}. {self.told(session.part.hints[h])}" for n, h in enumerate(opened, 1)
        )
        self.app.push_screen(PanelScreen("Hints", words or "There are none here."))

    def action_why(self) -> None:
        """The law, with its terms since the baseline."""
        if not self.game.session.follows_sliders and self.game.session.last_run is None:
            self.say("The law explains a run: commit one first.")
            return
        self.say("◌ The engine takes the change apart …")
        self._explain()

    @work(thread=True, exclusive=True, group="why")
    def _explain(self) -> None:
        words = instruments.why(self.game)
        self.app.call_from_thread(self._explained, words)

    def _explained(self, words: str) -> None:
        if self.is_running:
            self.say("")
            self.app.push_screen(PanelScreen("Why", words))

    def action_table(self) -> None:
        """The numbers behind the charts."""
        if self.shown is not None:
            words = instruments.table(self.game.session, self.shown, self.ghost, self.shown_at)
            self.app.push_screen(PanelScreen("Behind the charts", words))

    def action_diff(self) -> None:
        """The last run beside the baseline (the newest pin, else the run before), or other two."""
        session = self.game.session
        last = session.last_run
        before = session.baseline(last.setting) if last else None
        if last is None or before is None:
            self.say("A difference needs two runs at different settings.")
            return
        self.app.push_screen(DifferenceScreen(self.game, before, last))

    @abstractmethod
    def action_sensitivity(self) -> None:
        """What one step of a slider changes: free where charts follow sliders, else a run."""

    def action_code(self) -> None:
        """The last run's code, and a line to set the sliders by one."""
        self.take_sliders()
        self.app.push_screen(CodeScreen(self.game), self._coded)

    def _coded(self, code: str | None) -> None:
        if code is None:
            return
        try:
            self.game.turn_to(code)
        except Refused as refusal:
            self.say(f"No: {refusal}.")
            return
        for slider in self.query(Slider):
            value = self.game.setting[slider.spec.id]
            slider.value = float(value) if isinstance(value, (int, float)) else value
        self.post_message(Draft())
        self.sliders_moved()
        self.say("The sliders stand where that code says.")

    def action_onward(self) -> None:
        """On to what follows, or back to where the workbench was left from.

        What a part comes to that is left unmet is said first, the first time.
        """
        session = self.game.session
        following = session.next_step
        assert following is not None
        if session.state.truths:
            self.go("claim")
            return
        unmet = unmet_says(session)
        if unmet is None or session.barred(following.screen):
            self.go(following.screen)
            return
        self.app.push_screen(LeavingScreen(unmet), self._answered)

    def _answered(self, leaves: bool | None) -> None:
        following = self.game.session.next_step
        if leaves and following is not None:
            self.go(following.screen)
