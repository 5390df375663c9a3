"""The table: who asks what, the run that is shown to them, and four things to say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from mission_tui.content.schema import Stakeholder
from mission_tui.play import parley, talks, wording
from mission_tui.play.actions import Move, Pin
from mission_tui.play.claims import metric_of
from mission_tui.play.game import Game
from mission_tui.play.session import Refused, Run
from mission_tui.play.talks import Kind
from mission_tui.screens.panel import PanelScreen
from mission_tui.screens.prose import FieldInput
from mission_tui.screens.step import StepScreen
from mission_tui.text import clean, clean_line
from mission_tui.units import UnitError, brief, parse
from mission_tui.widgets import gauge
from mission_tui.widgets.cells import fit
from mission_tui.widgets.choices import Choices
from mission_tui.widgets.gauge import Gauges
from mission_tui.widgets.keybar import KeyBar

BROAD: Final = 120
"""Columns from which runs and words stand beside the parties, not below them."""
TALL: Final = 36
"""Rows from which every party's words are shown in full."""
ROWS: Final = 3
"""Rows that the chosen party's words have where there are fewer; another one's have one."""
_WITH_RUN: Final = ("meet", "trade", "disprove")


@dataclass(frozen=True, slots=True)
class Seat:
    """What is shown of one party. ``rows`` is how many its words may have (None: all)."""

    number: int
    name: str
    standing: str
    patience: str
    words: str
    readings: tuple[gauge.Reading, ...]
    chosen: bool
    rows: int | None


class Party(Vertical):
    """One party: its name and how it stands, what it last said, what it asks."""

    @dataclass
    class Pressed(Message):
        """A party was clicked."""

        number: int

    def __init__(self, number: int) -> None:
        super().__init__(classes="party")
        self._number = number
        self._seat: Seat | None = None

    def compose(self) -> ComposeResult:
        """A row, some rows, a gauge a want."""
        yield Static("", classes="name", markup=False)
        yield Static("", classes="words", markup=False)
        yield Gauges()

    def show(self, seat: Seat) -> None:
        """Show a party."""
        self._seat = seat
        self.set_class(seat.chosen, "-chosen")
        self._draw()

    def on_resize(self) -> None:
        """Words are broken anew."""
        self._draw()

    def on_click(self) -> None:
        """A click chooses this party."""
        self.post_message(self.Pressed(self._number))

    def _draw(self) -> None:
        seat, width = self._seat, self.content_size.width
        if seat is None or width < 2:
            return
        mark = "▸" if seat.chosen else " "
        name = f"{mark}{seat.number} {clean_line(seat.name, 24).upper()}"
        standing, patience = clean_line(seat.standing), clean_line(seat.patience)
        self.query_one(".name", Static).update(f"{name:<28} {standing:<14} {patience}")
        self.query_one(".words", Static).update(
            shortened(clean_line(f"“{seat.words}”", 900), width - 3, seat.rows, self)
        )
        self.query_one(Gauges).show(seat.readings)


def shortened(words: str, width: int, rows: int | None, widget: Vertical) -> str:
    """Words broken to a width and cut to so many rows; an ellipsis says that there is more."""
    lines = [line.plain.rstrip() for line in Text(words).wrap(widget.app.console, max(8, width))]
    if rows is not None and len(lines) > rows:
        lines = [*lines[: rows - 1], fit(" ".join(lines[rows - 1 :]), max(8, width))]
    return "\n".join(lines)


class TalksScreen(StepScreen):
    """Choose a party and a run, then say one of four things. What will be said is shown first."""

    CSS_PATH = "talks.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (BROAD, "-broad")]  # noqa: RUF012
    HELP = """\
## The table
Every party must be settled. There is **one design on the table**, and six turns for all.
**Tab** (or its number) chooses the party, **↑ ↓** the run; its gauges show what that run gives
of what the party asks. Then say one thing; you see it before **Enter** sends it.

- **m Meet**: this run gives you all that you ask.
- **t Trade**: it is not all, and worth enough to you. They sign, or they counter with what
  matters most to them and what they would give for it.
- **d Disprove**: it can't be had. Only exact accounting is a proof, from a run where *every*
  slider that moves it stands at its favourable end, and that keeps what another party asks. After
  a first try it says of each run how far it is from that.
- **w Waive**: a want is dropped; you type the number that must still hold (`12.5 %`), and who owns
  the risk. It ends an argument and **wins nothing**, and every later design must keep that number.

Each costs a turn. A refusal costs that party's patience, and with the last of it they leave for
good. A new design on the table opens again whatever agreement it breaks. Only a pinned run may
be shown: **p** pins. **b** goes back to the workbench for another run.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", priority=True),
        Binding("enter", "take", "Go on", priority=True),
        Binding("escape", "change", "Change it", priority=True),
        Binding("m", "say('meet')", "Meet"),
        Binding("t", "say('trade')", "Trade"),
        Binding("d", "say('disprove')", "Disprove"),
        Binding("w", "waive", "Waive"),
        Binding("tab", "party(1)", "Party", priority=True),
        Binding("tab", "field(1)", "Next field", priority=True),
        Binding("shift+tab", "party(-1)", "Party before", show=False, priority=True),
        Binding("shift+tab", "field(-1)", "Field before", show=False, priority=True),
        Binding("p", "pin", "Pin"),
        Binding("i", "full", "In full"),
        Binding("b", "back", "Bench"),
        Binding("ctrl+g", "onward", "Go on", priority=True),
    ]

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        self._names = tuple(game.session.part.stakeholders)
        self._party = next(iter(self._table.open), self._names[0])
        self._draft: Move | None = None
        self._form = False  # whether a waiver is being written
        self._heard = False  # whether the last answer is on show
        self._looked_at: int | None = None  # the run under the cursor

    @property
    def _table(self) -> talks.Table:
        table = self.game.session.state.table
        assert table is not None  # a part without parties has no talks
        return table

    def compose(self) -> ComposeResult:
        """The parties, then the runs and what is said."""
        yield self.masthead()
        yield Static("", id="turns", markup=False)
        with Horizontal(id="room"):
            with VerticalScroll(id="parties", can_focus=False):
                for number in range(1, len(self._names) + 1):
                    yield Party(number)
            with Horizontal(id="below"):
                with Vertical(id="shown"):
                    yield Label("RUNS  ● pinned  ◆ on the table", classes="heading")
                    yield OptionList(id="runs", markup=False)
                with VerticalScroll(id="talk", can_focus=False):
                    yield Label("", id="whom", classes="heading", markup=False)
                    yield Static("", id="speech", markup=False)
                    yield Static("", id="facts", markup=False)
                    with Vertical(id="waiver"):
                        yield Choices((), id="want", shared=True)
                        with Horizontal(classes="field"):
                            yield Label("STILL KEPT", classes="ask")
                            yield FieldInput(max_length=24, id="threshold")
                        with Horizontal(classes="field"):
                            yield Label("RISK OWNER", classes="ask")
                            yield FieldInput(
                                placeholder="a role, or you", max_length=40, id="owner"
                            )
                    yield Static("", id="log", markup=False)
        yield Static("", id="coach", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """The runs have the cursor; the design on the table, or the best, is shown first."""
        for field in self.query(Input):
            field.cursor_blink = False
        self._list_runs()
        self._show()
        self.set_focus(self.query_one("#runs", OptionList))
        if not self.game.session.citable():
            self.say("Only a pinned run may be shown to them: p pins the run under the cursor.")
        elif not self._table.over:
            self.say("Tab: whom you talk to. ↑ ↓: the run they see. i: all that they said.")

    def on_resize(self, event: events.Resize) -> None:
        """More is shown where there is room."""
        self._list_runs()
        self._show()

    # -- showing -------------------------------------------------------------------------------

    @property
    def _shown(self) -> Run | None:
        """The run under the cursor."""
        runs = self.query_one("#runs", OptionList)
        if runs.highlighted is None:
            return None
        number = int(runs.get_option_at_index(runs.highlighted).id or 0)
        return self.game.session.state.runs[number - 1]

    def _list_runs(self) -> None:
        """The runs that came to their end; the cursor stays, or starts at the best to show."""
        session, box = self.game.session, self.query_one("#runs", OptionList)
        ended = [run for run in session.state.runs if run.ended]
        at = box.highlighted
        if at is None:
            best = self._table.run or next((r.number for r in session.citable()[::-1]), None)
            at = next((n for n, run in enumerate(ended) if run.number == best), 0)
        rows = (Option(self._row(run, n == at), str(run.number)) for n, run in enumerate(ended))
        box.set_options(rows)
        box.highlighted = at if ended else None

    def _row(self, run: Run, here: bool) -> str:
        """One run: whether the cursor is on it, whether it is pinned, whether it is the design."""
        part, state = self.game.session.part, self.game.session.state
        width = max(16, self.query_one("#runs", OptionList).size.width - 2)
        words = wording.setting if self.size.width >= BROAD else wording.setting_bare
        pinned = "●" if run.number in state.pins else "○"
        design = "◆" if run.number == self._table.run else " "
        row = f"{'▸' if here else ' '}{pinned} #{run.number:<2}{design}"
        return fit(clean(row + words(part, run.setting)), width)

    def _mark_runs(self) -> None:
        """The cursor as a mark: without colours its bar can't be told."""
        box = self.query_one("#runs", OptionList)
        ended = [run for run in self.game.session.state.runs if run.ended]
        for n, run in enumerate(ended[: box.option_count]):
            box.replace_option_prompt_at_index(n, self._row(run, n == box.highlighted))

    def _show(self) -> None:
        """Everything but the list of runs."""
        session, table = self.game.session, self._table
        lies = "nothing yet"
        if table.run is not None:
            setting = session.state.runs[table.run - 1].setting
            lies = f"#{table.run} {wording.setting(session.part, setting)}"
        words = f"{parley.turns(table)}    ◆ ON THE TABLE  {clean_line(lies)}"
        self.query_one("#turns", Static).update(words)
        tall = self.size.height >= TALL
        for number, (name, party) in enumerate(zip(self._names, self.query(Party), strict=True), 1):
            party.show(self._seat(number, name, tall=tall))
        self._show_talk()
        self.refresh_bindings()

    def _seat(self, number: int, name: str, *, tall: bool) -> Seat:
        session, table, run = self.game.session, self._table, self._shown
        party, stand = session.part.stakeholders[name], table.stands[name]
        metrics = run.outcome.metrics if run and run.outcome else None
        chosen = name == self._party
        return Seat(
            number,
            party.name,
            parley.STANDING[None] if stand.settled is None else parley.stands_as(party, stand),
            parley.patience(party, stand) if stand.settled is None else "",
            self.told(parley.speech(session.part, table, name)),
            tuple(self._reading(party, held) for held in talks.held(party, stand.demand, metrics)),
            chosen,
            None if tall else ROWS if chosen else 1,
        )

    def _reading(self, party: Stakeholder, held: talks.Held) -> gauge.Reading:
        """A want as a gauge: what the run gives of it, what is asked, and in which word."""
        part = self.game.session.part
        want, metric = party.wants[held.want], metric_of(part, held.metric)
        limit = brief(f"{parley.sign(want)} {parley.measure(part, want, held.demand)}")
        tag = "" if metric.exact else "stand-in"
        if held.value is None or held.room is None:
            return gauge.Reading(want.label, "–", limit, role="muted", tag=tag)
        share = held.value / held.demand if held.demand > 0 and held.value >= 0 else None
        return gauge.Reading(
            want.label,
            brief(parley.measure(part, want, held.value)),
            limit,
            brief(parley.room(part, want, held)),
            share,
            "holds" if held.met else "lacks",
            "good" if held.met else "bad",
            tag,
            at_least=held.more,
        )

    def _show_talk(self) -> None:
        """What may be said, what will be, or what was answered."""
        session, table = self.game.session, self._table
        log = self.query_one("#log", Static)
        log.update(self.told("\n".join(["SAID SO FAR", *self._log()])))
        log.display = bool(table.said) and self.size.width >= BROAD and not self._form
        party = session.part.stakeholders[self._party]
        self.query_one("#waiver").display = self._form and self._draft is None
        talk = self.query_one("#talk")
        heard = self._heard and self._draft is None and not self._form
        talk.set_class(heard, "-heard")
        talk.set_class(self._draft is not None, "-draft")
        if self._draft is not None:
            self._tell("YOU SAY", self._drafted(self._draft), "Enter sends it. Esc changes it.")
        elif self._form:
            self._tell(f"WAIVE A WANT OF THE {party.name}".upper(), "", "")
        elif heard and table.said:
            turn = table.said[-1]
            answers = session.part.stakeholders[turn.party]
            title = f"◂ {answers.name.upper()}, TURN {table.turns}"
            spoken = self.told(f"“{parley.reply(session.part, turn)}”")
            self._tell(title, spoken, self.told("\n".join(parley.facts(session, turn))))
        elif table.over:
            self._tell("THE TABLE IS CLOSED", "\n".join(self._standings()), "^g goes on.")
        elif table.stands[self._party].settled:
            standing = parley.stands_as(party, table.stands[self._party])
            self._tell(party.name.upper(), standing, "Tab turns to the other party.")
        else:
            run = f" WITH #{self._shown.number}" if self._shown else ""
            keys = zip("mtdw", talks.KINDS, strict=True)
            lines = [f"{key}  {kind.capitalize():<9} {parley.MEANS[kind]}" for key, kind in keys]
            stand = table.stands[self._party]
            near = self._proof(self._shown) if self._shown else ""
            words = near or parley.cost(party, stand, table)  # a draft tells its cost again
            self._tell(f"SAY TO THE {party.name.upper()}{run}", "\n".join(lines), words)

    def _proof(self, run: Run) -> str:
        """How far a run is from disproving the party, once a try has been answered."""
        lines = parley.proof(self.game.session.part, self._table, self._party, run)
        return "" if lines == (parley.PROOF,) else "\n".join(lines)

    def _log(self) -> Iterator[str]:
        """Every turn so far, where there is room for it."""
        part = self.game.session.part
        for number, turn in enumerate(self._table.said, 1):
            shown = f", #{turn.run}" if turn.run else ", a waiver"
            yield f"{number}  {part.stakeholders[turn.party].name}{shown}"
            yield f"   “{parley.reply(part, turn)}”"

    def _tell(self, title: str, speech: str, facts: str) -> None:
        self.query_one("#whom", Label).update(clean_line(title))
        for name, words in (("speech", speech), ("facts", facts)):
            label = self.query_one(f"#{name}", Static)
            label.update(clean(words))
            label.display = bool(words)

    def _standings(self) -> Iterator[str]:
        for name, party in self.game.session.part.stakeholders.items():
            yield f"{parley.stands_as(party, self._table.stands[name])}  {party.name}"

    def _drafted(self, move: Move) -> str:
        part, table = self.game.session.part, self._table
        kind = next(kind for kind in talks.KINDS if kind == move.move)
        if move.run is not None:
            words = parley.offer(part, table, move.party, kind, move.run)
            if kind == "disprove":
                run = self.game.session.state.runs[move.run - 1]
                words = words.replace("\n\n", "\n") + "\n"
                words += "\n".join(parley.proof(part, table, move.party, run))
            return words
        assert move.want is not None
        assert move.threshold is not None
        return parley.waiver(part, table, move.party, move.want, move.threshold, move.owner)

    # -- choosing ------------------------------------------------------------------------------

    def action_party(self, by: int) -> None:
        """Turn to another party."""
        here = self._names.index(self._party)
        self._turn_to(self._names[(here + by) % len(self._names)])

    def action_field(self, by: int) -> None:
        """The next field of a waiver, or the one before."""
        fields = [self.query_one(f"#{name}") for name in ("want", "threshold", "owner")]
        here = fields.index(self.focused) if self.focused in fields else -by
        self.set_focus(fields[(here + by) % len(fields)])

    def _turn_to(self, name: str) -> None:
        self._party = name
        self._draft, self._heard = None, False
        self._close_form()
        self.say("")
        self._show()
        number = self._names.index(name)
        list(self.query(Party))[number].scroll_visible(animate=False)

    @on(Party.Pressed)
    def _pressed(self, event: Party.Pressed) -> None:
        self._turn_to(self._names[event.number - 1])

    def on_key(self, event: events.Key) -> None:
        """A digit turns to that party."""
        if self._form or not (event.character or "").isdecimal():
            return
        number = int(event.character or 0)
        if 1 <= number <= len(self._names):
            event.stop()
            self._turn_to(self._names[number - 1])

    @on(OptionList.OptionSelected)
    def _what(self) -> None:
        """Enter says nothing by itself."""
        self.say("^g goes on." if self._table.over else "Say what? m, t, d or w.")

    @on(OptionList.OptionHighlighted)
    def _another_run(self) -> None:
        """What was to be said was about another run, and an answer has been read."""
        run = self._shown
        if run is None:
            return
        if run.number != self._looked_at:
            self._looked_at, self._heard = run.number, False
            self._mark_runs()
        if self._draft is not None and self._draft.run not in (None, run.number):
            self._draft = None
            self.say("Another run: say it again.")
        self._show()

    def action_pin(self) -> None:
        """Pin the run under the cursor: only then may it be shown to them."""
        if self._shown is not None:
            self.game.act(Pin(self._shown.number))
            self.say(f"Run #{self._shown.number} is pinned.")
            self._list_runs()
            self._show()

    def action_full(self) -> None:
        """All that the party asks and has said."""
        session, table = self.game.session, self._table
        part, party = session.part, session.part.stakeholders[self._party]
        lines = [f"“{party.opening}”", "", f"asks  {parley.asked(part, party, talks.asks(party))}"]
        if table.stands[self._party].demand != talks.asks(party):
            lines.append(f"now   {parley.asked(part, party, table.stands[self._party].demand)}")
        for number, turn in enumerate(table.said, 1):
            if turn.party == self._party:
                with_run = f" with #{turn.run}" if turn.run else ""
                lines += ["", f"TURN {number}{with_run}", f"“{parley.reply(part, turn)}”"]
                lines += [f"· {fact}" for fact in parley.facts(session, turn)]
            elif self._party in turn.answer.reopened:
                lines += ["", f"TURN {number}, to another", f"“{party.replies.reopened}”"]
        self.app.push_screen(PanelScreen(party.name, self.told("\n".join(lines))))

    # -- saying --------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What can't be done now is not offered."""
        if not self.is_mounted:
            return True
        writing = self._form or self._draft is not None
        match action:
            case "send":
                return self._draft is not None
            case "take" | "field":
                return self._form and self._draft is None
            case "change":
                return writing
            case "say" | "waive":
                return not writing and not self._table.over and self._party in self._table.open
            case "party":
                return not writing
            case "pin":
                run = self._shown
                return not writing and run is not None and run.number not in self._pins
            case "full" | "back":
                return not writing
            case "onward":
                return not writing and self._table.over
            case _:
                return True

    @property
    def _pins(self) -> tuple[int, ...]:
        return self.game.session.state.pins

    def action_say(self, kind: Kind) -> None:
        """Show what would be said with the run under the cursor."""
        run = self._shown
        if run is None:
            self.say("Nothing to show: b goes back to the workbench for a run.")
            return
        if run.number not in self._pins:
            self.say(f"Run #{run.number} is not pinned; p pins it, then they will look at it.")
            return
        self._offer(Move(self._party, kind, run.number))

    def _offer(self, move: Move) -> None:
        """Show what would be sent, or say why it can't be."""
        if refusal := parley.refusal(self.game.session, move):
            self.say(f"No: {refusal}.")
            return
        self._draft, self._heard = move, False
        self.say("")
        self._show()

    def action_waive(self) -> None:
        """Write a waiver."""
        part, run = self.game.session.part, self._shown
        party, stand = part.stakeholders[self._party], self._table.stands[self._party]
        metrics = run.outcome.metrics if run and run.outcome else None
        offered = []
        for held in talks.held(party, stand.demand, metrics):
            want = party.wants[held.want]
            limit = f"{parley.sign(want)} {parley.measure(part, want, held.demand)}"
            gives = (
                f", #{run.number} gives {parley.measure(part, want, held.value)}"
                if (run and held.value is not None)
                else ""
            )
            offered.append((held.want, f"{want.label} {limit}{gives}"))
        self._form, self._draft, self._heard = True, None, False
        want_box = self.query_one("#want", Choices)
        want_box.offer(offered)
        for field in self.query(Input):
            field.value = ""
        self.say("Which want? Press its number.")
        self._show()
        self.set_focus(want_box)

    @on(Choices.Chosen, "#want")
    def _want_chosen(self, event: Choices.Chosen) -> None:
        want = self.game.session.part.stakeholders[self._party].wants[event.option]
        unit = metric_of(self.game.session.part, want.metric).unit
        field = self.query_one("#threshold", Input)
        example = parley.measure(self.game.session.part, want, want.asks)
        field.placeholder = f"{parley.sign(want)} a number{f', in {unit}' if unit else ''}"
        self.say(f"Type a number that later designs must keep, as in {example}; then Enter.")
        self.set_focus(field)

    def action_send(self) -> None:
        """Send what is shown."""
        assert self._draft is not None
        try:
            self.game.act(self._draft)
        except Refused as refusal:
            self._draft = None
            self.say(f"Not said: {refusal}.")
            self._show()
            return
        self._draft, self._heard = None, True
        self._looked_at = self._shown.number if self._shown else None
        self._close_form()
        self._list_runs()
        self._show()
        table = self._table
        if table.over:
            self.say("^g goes on to your prediction and the truth.")
        elif table.stands[self._party].settled:
            self.say("Tab turns to the other party; b: the workbench, for another run.")
        else:
            self.say("Say more, or b: the workbench, for another run.")

    def action_take(self) -> None:
        """Take the waiver as written, or go to what is missing."""
        part = self.game.session.part
        want_box = self.query_one("#want", Choices)
        threshold, owner = self.query_one("#threshold", Input), self.query_one("#owner", Input)
        if want_box.chosen is None:
            want_box.action_choose()
            if want_box.chosen is None:
                self.say("Which want? Press its number.")
                self.set_focus(want_box)
            return
        want = part.stakeholders[self._party].wants[want_box.chosen]
        try:
            limit = parse(threshold.value, metric_of(part, want.metric).unit)
        except UnitError as error:
            self.say(f"{str(error)[0].upper()}{str(error)[1:]}.")
            self.set_focus(threshold)
            return
        if not owner.value.strip():
            self.say("A risk has an owner: say who.")
            self.set_focus(owner)
            return
        name = clean_line(owner.value, 40)
        self._offer(Move(self._party, "waive", None, want_box.chosen, limit, name))
        if self._draft is not None:
            self.set_focus(self.query_one("#runs", OptionList))

    def action_change(self) -> None:
        """Not yet: back to what may be said, or to the waiver."""
        if self._draft is not None:
            self._draft = None
        else:
            self._close_form()
        self.say("Nothing was said.")
        self._show()
        field = self.query_one("#threshold" if self._form else "#runs")
        self.set_focus(field)

    def _close_form(self) -> None:
        self._form = False
        self.set_focus(self.query_one("#runs", OptionList))

    def action_back(self) -> None:
        """Back to the workbench for more runs."""
        self.go("workbench")

    def action_onward(self) -> None:
        """On to the reveal, once the table is closed."""
        following = self.game.session.next_step
        assert following is not None
        self.go(following.screen)

    def say(self, words: str) -> None:
        """The coach's line."""
        self.query_one("#coach", Static).update(clean_line(words))
