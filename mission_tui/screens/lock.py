"""The lock: a prediction, sealed before any instrument exists."""

from __future__ import annotations

import time
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Input, Label, Static

from mission_tui.content.schema import Lock
from mission_tui.play import bands, wording
from mission_tui.play.actions import Seal
from mission_tui.play.game import Game
from mission_tui.play.locks import value_refusal
from mission_tui.play.session import Refused
from mission_tui.screens.prose import FieldInput
from mission_tui.screens.step import StepScreen
from mission_tui.text import clean, clean_line
from mission_tui.units import UnitError, parse, show
from mission_tui.widgets.band import Band, Bet
from mission_tui.widgets.choices import Choices
from mission_tui.widgets.keybar import KeyBar

ASKED: Final = {
    "#number": "your number",
    "#option": "your answer",
    "#sure": "how sure",
    "#why": "the reason",
}
"""What a lock asks for, in its order."""


_OF_A_NUMBER: Final = """\
1. **Type your number** ({example}). Nothing is filled in for you.
2. **↑ ↓** widen and narrow its band. Stop where you would bet four to one that the truth is inside.
3. **Enter**, then one **number key** for the reason.
"""
_OF_A_CHOICE: Final = """\
1. One **number key** for your answer. Nothing is chosen for you.
2. **Enter**, then one for **how sure** you are: sure is a bet of four to one.
3. **Enter**, then one for the **reason**. **Shift+Tab** goes back.
"""
_OF_THE_SEAL: Final = """\
4. **Enter** says it back, and **Enter** again seals it; **Esc** changes it. Once sealed it can't be
   changed, and it is never graded: only that you committed counts. The instruments unlock with it.
"""
_SEALED: Final = """\
It is sealed, and can't be changed now. **Enter** goes on to the workbench.
"""


class ValueInput(FieldInput):
    """The field of the number; its arrows widen and narrow the band instead of scrolling."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "screen.widen(1)", "Wider band"),
        Binding("down", "screen.widen(-1)", "Narrower"),
    ]


class LockScreen(StepScreen):
    """Type the value, widen its band with the arrows, one key for the why, Enter to seal."""

    CSS_PATH = "lock.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (27, "-tall")]  # noqa: RUF012

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "seal", "Next / seal / unlock", priority=True),
        Binding("escape", "change", "Change", show=False),
    ]

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        self._name: str | None = None
        self._lock: Lock | None = None
        self._next()
        self._width = 0
        self._edits = 0
        self._asked = False  # whether the seal has been asked for, and not yet confirmed
        self._started = time.monotonic()
        self._sure: bool | None = None

    @property
    def HELP(self) -> str:  # type: ignore[override]
        """What this kind of lock wants, as the app asks for a screen's help."""
        lock = self._lock
        if lock is None:
            return f"## The lock\n{_SEALED}"
        if lock.kind == "choice":
            return f"## The lock\n{_OF_A_CHOICE}{_OF_THE_SEAL}"
        example = f"`12.5 {lock.unit}`, or `12.5` alone" if lock.unit else "`12.5`"
        if lock.within is not None:
            example += "; below zero with a minus"
        return f"## The lock\n{_OF_A_NUMBER.format(example=example)}{_OF_THE_SEAL}"

    def compose(self) -> ComposeResult:
        """The question above, the three gestures below."""
        session = self.game.session
        yield self.masthead()
        if self._lock is not None:
            with Vertical(id="foot"):
                yield Static("", id="said", markup=False)
                yield Static("", id="more", markup=False)
        with VerticalScroll(id="lock", can_focus=False):
            yield Static(self.told(session.part.objective), id="objective", markup=False)
            if self._lock is None:
                yield Static("◼ SEALED", id="seal", markup=False)
                for name, sealed in session.state.sealed.items():
                    yield Static(self._words(name, sealed), classes="sealed", markup=False)
                yield Static(
                    "It can't be changed now, and it is never graded.\n"
                    "Enter unlocks the workbench.",
                    id="said",
                    markup=False,
                )
            else:
                yield from self._question(self._lock)
        yield KeyBar()

    def _question(self, lock: Lock) -> ComposeResult:
        part = self.game.session.part
        yield Label("PREDICT, BEFORE ANY INSTRUMENT UNLOCKS", classes="heading")
        yield Static(self.told(lock.prompt), id="prompt", markup=False)
        facts = "\n".join(f"· {self.told(fact)}" for fact in lock.facts)
        yield Static(facts, id="facts", markup=False)
        if lock.kind == "number":
            with Horizontal(id="number"):
                yield Label("YOUR NUMBER", classes="ask")
                yield ValueInput(placeholder=f"a number, in {lock.unit}", max_length=24, id="value")
                yield Label("", id="band-words")
            unit = wording.lock_unit(part, lock)
            reach = bands.reach(lock, unit)
            yield Band(lambda figure: show(figure, unit), reach=reach, id="band")
        else:
            yield Label("YOUR ANSWER", classes="ask")
            yield Choices(
                [(o, clean_line(t)) for o, t in lock.options.items()], id="option", shared=True
            )
            yield Label("HOW SURE", classes="ask")
            yield Choices([("sure", "sure"), ("unsure", "not sure")], id="sure", shared=True)
        yield Label(clean_line(lock.why.ask), classes="why", markup=False)
        yield Choices([(m, part.mechanisms[m]) for m in lock.mechanisms], id="why", shared=True)

    def _next(self) -> None:
        self._name, self._lock = self.game.session.next_lock or (None, None)

    def _words(self, name: str, sealed: Seal) -> str:
        part = self.game.session.part
        lock = part.locks[name]
        answer, low, high = (
            wording.lock_answer(part, lock, figure)
            for figure in (sealed.value, sealed.low, sealed.high)
        )
        band = f", between {low} and {high}" if sealed.low is not None else ""
        why = part.mechanisms[sealed.mechanism].partition(":")[0]
        return clean_line(f"You say {answer}{band}; {why}")

    def on_mount(self) -> None:
        """The first gesture has the cursor; nothing blinks."""
        for field in self.query(Input):
            field.cursor_blink = False
            self.set_focus(field)
        if not self.query(Input) and self.query(Choices):
            self.set_focus(self.query(Choices).first())

    # -- what is out of sight --------------------------------------------------------------

    @on(events.Mount)
    def _watch_layout(self) -> None:
        self.screen_layout_refresh_signal.subscribe(self, self._say_more)

    def _say_more(self, _: Screen[object]) -> None:
        """Name what the screen is too low for, and the keys that show it."""
        for more in self.query("#more").results(Static):  # none once all is sealed
            sheet = self.query_one("#lock", VerticalScroll)
            top = sheet.scroll_offset.y
            bottom = top + sheet.size.height
            asked = ((name, row) for at, name in ASKED.items() for row in self.query(at))
            hidden = [name for name, row in asked if row.virtual_region.bottom > bottom]
            signs = [f"▼ PgDn: {', '.join(hidden)}"] if hidden else []
            signs += ["▲ PgUp: the question"] if top > 0 else []
            words = "   ".join(signs)
            if words != more.content:  # to say something is another layout
                more.update(words)
                more.display = bool(words)

    # -- the band --------------------------------------------------------------------------

    @on(Input.Changed, "#value")
    def _edited(self) -> None:
        self._edits += 1
        self._asked = False
        self._draw()

    def action_widen(self, by: int) -> None:
        """One step wider or narrower."""
        if self._lock is None:
            return
        self._asked = False
        last = len(bands.steps(self._lock, self._unit)) - 1
        self._width = max(0, min(last, self._width + by))
        self._draw()

    @property
    def _unit(self) -> str:
        """What the lock's numbers are kept in."""
        assert self._lock is not None
        return wording.lock_unit(self.game.session.part, self._lock)

    def _bet(self) -> Bet | None:
        """What is typed so far, or None. Raises nothing: half a number is no mistake yet."""
        lock = self._lock
        if lock is None or lock.kind != "number":
            return None
        try:
            value = parse(self.query_one("#value", Input).value, lock.unit)
        except UnitError:
            return None
        width = bands.steps(lock, self._unit)[self._width]
        return Bet(value, *bands.around(lock, self._unit, value, width))

    def _draw(self) -> None:
        bet = self._bet()
        self.query_one("#band", Band).place(bet)
        words = "↑ widens the band"
        if self._lock is not None and self._width:
            width = bands.steps(self._lock, self._unit)[self._width]
            words = bands.words(self._lock, self._unit, width)
        self.query_one("#band-words", Label).update(words if bet else "")
        self.say("Would you bet four to one that the truth lies inside?" if bet else "")

    # -- sealing ---------------------------------------------------------------------------

    @on(Choices.Chosen, "#sure")
    def _confidence(self, event: Choices.Chosen) -> None:
        self._sure = event.option == "sure"

    @on(Choices.Chosen)
    def _another(self) -> None:
        self._asked = False

    @on(Choices.Chosen, "#why")
    def _why(self) -> None:
        self._asked = False
        self.say("Enter goes on to the seal. Shift+Tab goes back to your number.")

    async def action_seal(self) -> None:
        """Go on to what is missing, or seal."""
        if self._lock is None:
            self.go("workbench")
            return
        why = self.query_one("#why", Choices)
        if isinstance(self.focused, Choices) and self.focused.chosen is None:
            if self.focused.was_moved:
                self.focused.action_choose()
            else:  # a second Enter from habit seals nothing
                self.say("Press the number of a line, or the arrows and Enter.")
            return
        sealed = self._sealed(why.chosen)
        if sealed is None:
            return
        if not self._asked:
            self._asked = True
            assert self._name is not None
            self.say(
                f"{self._words(self._name, sealed)}.\nEnter seals it for good; Esc changes it."
            )
            return
        try:
            self.game.act(sealed)
        except Refused as refusal:
            self._asked = False
            self.say(f"Not yet: {refusal}.")
            return
        self._next()
        self._width = self._edits = 0
        self._asked, self._sure, self._started = False, None, time.monotonic()
        await self.recompose()
        self.on_mount()
        self.refresh_bindings()

    def _sealed(self, mechanism: str | None) -> Seal | None:
        """The prediction as it stands, or None and a word on what is missing."""
        lock, name = self._lock, self._name
        assert lock is not None
        assert name is not None
        latency = round((time.monotonic() - self._started) * 1000)
        why = self.query_one("#why", Choices)
        if lock.kind == "number":
            field = self.query_one("#value", Input)
            try:
                parse(field.value, lock.unit)
            except UnitError as error:
                self.say(f"{str(error)[0].upper()}{str(error)[1:]}.")
                self.set_focus(field)
                return None
            bet = self._bet()
            assert bet is not None
            sealed = Seal(
                name, bet.value, bet.low, bet.high, None, mechanism or "", latency, self._edits
            )
            if refusal := value_refusal(lock, sealed):
                self.say(f"{refusal[0].upper()}{refusal[1:]}.")
                self.set_focus(field)
                return None
            if mechanism is None:
                self.say("Now press the number of a reason. Shift+Tab goes back to your number.")
                self.set_focus(why)
                return None
            return sealed
        option = self.query_one("#option", Choices)
        sure = self.query_one("#sure", Choices)
        for choices in (option, sure, why):
            if choices.chosen is None:
                self.say("Choose one: press its number.")
                self.set_focus(choices)
                return None
        assert option.chosen is not None
        assert mechanism is not None
        return Seal(name, option.chosen, None, None, self._sure, mechanism, latency, self._edits)

    def action_change(self) -> None:
        """Not yet: back to the first field."""
        self._asked = False
        self.say("Nothing is sealed. Change what you like.")
        self.on_mount()

    def say(self, words: str) -> None:
        """Said beneath the question, whatever its length; what has the focus stays in sight."""
        self.query_one("#said", Static).update(clean(words))
        if self.focused is not None:
            self.call_after_refresh(self.focused.scroll_visible, animate=False)
