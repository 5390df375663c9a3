"""The decision: one option, and the paragraph that defends it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widgets import Label, Static, TextArea

from mission_tui.content.schema import Decision
from mission_tui.play import parley, quoted, wording
from mission_tui.play.actions import Decide, Note
from mission_tui.play.game import Game
from mission_tui.play.session import Refused
from mission_tui.screens.step import StepScreen
from mission_tui.text import clean
from mission_tui.units import show
from mission_tui.widgets.choices import Choices
from mission_tui.widgets.keybar import KeyBar

PARAGRAPH: Final = "decision.paragraph"
"""The note in which the paragraph's draft is saved."""
LONGEST: Final = 2000
"""Characters that a paragraph may have."""
DRAFTED: Final = 1.0
"""Seconds after which what is being written is saved."""
FIRST: Final = "Press the number of an option: then you write, and defend it."
WRITE: Final = "Now write, and defend it. Ctrl+F shows it back; Shift+Tab: the question."


class Paragraph(TextArea):
    """The student's own words; Tab leaves it."""

    HELP = """\
### The paragraph
Write in your own words. It is saved as it grows, kept in the ledger, and graded by no machine.
"""

    def on_paste(self, event: events.Paste) -> None:
        """The toolkit lets a paste go on from here to the app, which would send it back."""
        event.stop()


class DecisionScreen(StepScreen):
    """The question and its options, the paragraph, and beside them the designs that stand."""

    CSS_PATH = "decision.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-tall")]  # noqa: RUF012
    HELP = """\
## The decision
Press the **number** of an option: that goes on to the paragraph. Write there, and defend it: it is
the one text of this mission that you must write. No machine grades it. **Ctrl+F** shows what will
be filed, and **Ctrl+F** again files it for good; **Esc** changes it. **Tab** goes on to what stands
(the arrows scroll it), **Shift+Tab** back to the question; letters always go to the paragraph.

Beside it stands each **number** that you wrote, and what it equals: a figure of a run that stands,
is pinned, or is named (`#4`, of the last part unless you name another), a difference of two (for a
number with a unit), a limit, this page, or the scenario. Equal is all that it says. Whoever reads
your paragraph sees the same.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "Next field"),
        Binding("ctrl+f", "file", "Decide", priority=True),
        Binding("escape", "change", "Change it", priority=True),
        Binding("ctrl+g", "onward", "Go on", priority=True),
    ]

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        self._later: Timer | None = None
        self._asked = False  # whether it was asked for, and not confirmed yet
        self._figures = wording.deciding(game.session)

    @property
    def _decision(self) -> Decision:
        decision = self.game.session.mission.decision
        assert decision is not None  # a mission without one has no such step
        return decision

    def _filled(self, text: str) -> str:
        return clean(wording.fill(text, self._figures))

    def compose(self) -> ComposeResult:
        """The question and its options above; the paragraph, and beside it what stands."""
        decision, made = self._decision, self.game.session.decision
        yield self.masthead()
        with VerticalScroll(id="top", can_focus=False):
            yield Static(self._filled(decision.question), id="question", markup=False)
            if decision.facts:
                facts = "\n".join(f"· {self._filled(fact)}" for fact in decision.facts)
                yield Static(facts, id="facts", markup=False)
            yield Label("YOU DECIDE", classes="heading")
            options = [(o, self._filled(words)) for o, words in decision.options.items()]
            yield Choices(options, id="options", chosen=made.choice if made else None, shared=True)
        with Horizontal(id="decision"):
            with Vertical(id="left"):
                yield Label("AND DEFEND IT", classes="heading")
                yield Static(self._filled(decision.ask), id="ask", markup=False)
                yield Paragraph(
                    clean(made.text if made else self._note()),
                    id="paragraph",
                    soft_wrap=True,
                    tab_behavior="focus",
                    show_line_numbers=False,
                    read_only=made is not None,
                )
            with VerticalScroll(id="right"):
                yield Label("YOUR NUMBERS", classes="heading", id="numbers-heading")
                yield Static("", id="numbers", markup=False)
                yield Label("WHAT STANDS", classes="heading")
                yield Static(clean("\n".join(self._standing())), id="stands", markup=False)
        yield Static("", id="said", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """The options first; nothing blinks."""
        self.query_one(Paragraph).cursor_blink = False
        self._show_numbers()
        if self._is_made:
            self._decided()
        else:
            self.set_focus(self.query_one("#options", Choices))
            self.say(FIRST)

    def _note(self) -> str:
        return self.game.session.state.notes.get(PARAGRAPH, "")

    def _standing(self) -> Iterator[str]:
        """The design that stands of each part, and what it came to."""
        session = self.game.session
        for name, part in session.mission.ordered:
            best = session.best_run(name)
            yield f"{part.title}: {wording.came_to(session, name)}"
            if best is None or best.outcome is None:
                yield "  nothing"
                yield ""
                continue
            yield f"  #{best.number} {wording.setting(part, best.setting)}"
            for reading in session.readings_of(name, best.outcome.metrics):
                label = part.specs[reading.id].label
                value = show(reading.value or 0.0, wording.metric_unit(part, reading.metric))
                yield f"  {label} {value}, {reading.word}"
            table = session.parts[name].table
            if table is not None:
                for party, who in part.stakeholders.items():
                    yield f"  {who.name}: {parley.stands_as(who, table.stands[party])}"
                for risk in parley.risks(part, table):
                    yield f"  at risk: {risk.words}"
            yield ""

    # -- writing -------------------------------------------------------------------------------

    @on(Choices.Chosen)
    def _chosen(self) -> None:
        self._set_asked(False)
        self.say(WRITE)
        self.set_focus(self.query_one(Paragraph))

    def on_key(self, event: events.Key) -> None:
        """What is typed beside the paragraph belongs to it: nothing typed here is lost."""
        paragraph = self.query_one(Paragraph)
        if not event.is_printable or event.character is None or paragraph.read_only:
            return
        event.stop()
        event.prevent_default()
        self.set_focus(paragraph)
        paragraph.insert(event.character)

    @on(events.DescendantFocus)
    def _make_room(self) -> None:
        """While it is written, a low screen leaves the question's rows to the paragraph."""
        options = self.query_one("#options", Choices)
        self.set_class(self.focused is not options and not self._is_made, "-writing")

    @property
    def _is_made(self) -> bool:
        return self.game.session.decision is not None

    @on(TextArea.Changed)
    def _writing(self) -> None:
        if self._asked:
            self.action_change()
        if self._later is None:
            self._later = self.set_timer(DRAFTED, self._save)

    def _show_numbers(self) -> None:
        """Each number of the paragraph, and in which of the cited runs it is found."""
        found = quoted.resolved(self.game.session, self._text())
        self.query_one("#numbers-heading").display = bool(found)
        numbers = self.query_one("#numbers", Static)
        numbers.display = bool(found)
        numbers.update(clean("\n".join(figure.words for figure in found) + "\n"))

    def _save(self) -> None:
        """Save the draft, unless it is saved or filed already."""
        self._later = None
        self._show_numbers()
        text = self._text()
        if self.game.session.decision is None and text != self._note():
            self.game.act(Note(PARAGRAPH, text))

    def _text(self) -> str:
        return clean(self.query_one(Paragraph).text, LONGEST)

    # -- filing --------------------------------------------------------------------------------

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """What can't be done now is not offered."""
        made = self.game.session.decision is not None
        match action:
            case "onward":
                return made
            case "file":
                return not made
            case "change":
                return self._asked and not made
            case _:
                return True

    def action_file(self) -> None:
        """Go to what is missing, say it back, and file it."""
        choice, text = self.query_one("#options", Choices).chosen, self._text()
        if choice is None:
            self.say("Choose first: press the number of an option.")
            self.set_focus(self.query_one("#options", Choices))
            return
        if not text.strip():
            self.say("Defend it: the paragraph is the one that you must write.")
            self.set_focus(self.query_one(Paragraph))
            return
        if not self._asked:
            self._ask_back(choice, text)
            return
        self._save()
        try:
            self.game.act(Decide(choice, text.strip()))
        except Refused as refusal:
            self._set_asked(False)
            self.say(f"Not yet: {refusal}.")
            return
        self._set_asked(False)
        self._decided()

    def _ask_back(self, choice: str, text: str) -> None:
        """Show what will be filed: the option below, and the paragraph with all the room."""
        self._set_asked(True)
        self.set_focus(self.query_one(Paragraph))
        words = self._filled(self._decision.options[choice])
        count = len(text.split())
        self.say(
            f"You decide: {words}. {count} word{'s' if count != 1 else ''}, as they stand above.\n"
            "Ctrl+F again files it for good. Esc changes it."
        )

    def _set_asked(self, asked: bool) -> None:
        self._asked = asked
        self.set_class(asked, "-asked")
        self.refresh_bindings()

    def _decided(self) -> None:
        self.remove_class("-writing")
        self.query_one(Paragraph).read_only = True
        self.query_one("#options", Choices).is_closed = True
        self.refresh_bindings()
        self.set_focus(self.query_one("#right"))
        self.say("◼ DECIDED. It stands in your ledger.  Ctrl+G goes on to the debrief.")

    def action_change(self) -> None:
        """Not yet."""
        self._set_asked(False)
        self.say("Nothing is filed. Change what you like.")

    def action_onward(self) -> None:
        """On to the debrief, once it is decided."""
        following = self.game.session.next_step
        assert following is not None
        self.go(following.screen)

    def say(self, words: str) -> None:
        """Said beneath it."""
        self.query_one("#said", Static).update(clean(words))

    def settle(self) -> None:
        """The paragraph's draft."""
        self._save()
