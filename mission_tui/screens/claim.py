"""The claim: two runs, one sentence that fills itself, and the student's why."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widgets import Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from mission_tui.play import flips, wording
from mission_tui.play.actions import Note, Scalar
from mission_tui.play.claims import STILL, Draft, metric_of
from mission_tui.play.game import Game
from mission_tui.play.session import Refused
from mission_tui.screens.prose import ProseInput
from mission_tui.screens.step import StepScreen
from mission_tui.text import clean, clean_line
from mission_tui.units import show
from mission_tui.widgets.choices import Choices
from mission_tui.widgets.keybar import KeyBar

ANSWER = "claim.answer"
"""The note in which the answer's draft is saved."""
DRAFTED: Final = 1.0
"""Seconds after which what is being written is saved."""


class ClaimScreen(StepScreen):
    """Choose from which run to which, and why. The numbers come from the runs."""

    CSS_PATH = "claim.tcss"
    HELP = """\
## The claim
**↑ ↓** move over your runs, **a** marks where the comparison starts and **b** where it ends.
**m** changes the metric. Then **Tab** to the reasons, and press a number. **Ctrl+F** files it.

A claim is checked, not judged: the runs exist, *only one* control differs between them, the
sign and the number are theirs, and the reason is the largest term of the law. You have several
attempts; **w** goes back to the workbench for a better pair of runs. **Ctrl+G** goes on once one
is filed, and so does **Enter** once it is verified.

Of a metric that is exact accounting you may add **where it would flip**: a slider and the value
past which the same comparison turns round, as in `batch 8`, or `batch never`. It is right within
one step of where the engine finds it; a claim whose flip point is wrong is not verified.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "finish", "Go on", priority=True),
        Binding("tab", "app.focus_next", "Next field"),
        Binding("a", "mark(0)", "From"),
        Binding("b", "mark(1)", "To"),
        Binding("m", "metric", "Metric"),
        Binding("ctrl+f", "file", "File", priority=True),
        Binding("w", "back", "Workbench"),
        Binding("ctrl+g", "onward", "Go on", priority=True),
    ]

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        self._runs: list[int | None] = [None, None]
        self._later: Timer | None = None
        self._metric = 0

    def compose(self) -> ComposeResult:
        """The question; runs at left, the sentence and the why at right."""
        session = self.game.session
        yield self.masthead()
        yield Static(self.told(session.part.claim.question), id="question", markup=False)
        with Horizontal(id="claim"):
            with Vertical(id="left"):
                yield Label("YOUR RUNS", classes="heading")
                yield OptionList(*self._options(), id="runs", markup=False)
            with VerticalScroll(id="right", can_focus=False):
                yield Label("YOUR CLAIM", classes="heading")
                yield Static("", id="sentence", markup=False)
                yield Label("BECAUSE", classes="heading")
                yield Choices((), id="why", shared=True)
                yield ProseInput(
                    value=clean_line(session.state.notes.get(ANSWER, ""), 300),
                    placeholder="your answer (optional)",
                    max_length=300,
                    id="answer",
                )
                with Horizontal(id="flips"):
                    yield Label("FLIPS IF", classes="heading")
                    yield ProseInput(max_length=60, id="flip")
                yield Static("", id="said", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Start on the runs."""
        for line in self.query(Input):
            line.cursor_blink = False
        filed = self.game.session.state.claims
        if filed:  # a claim that was filed before the play was left
            self._runs = list(filed[-1].claim.runs)
            self._metric = self.game.session.part.claim.metrics.index(filed[-1].claim.metric)
        self._offer_why()
        if filed:
            self.query_one("#why", Choices).chosen = filed[-1].claim.mechanism
        self._draw()
        if filed:
            self._show_verdict()
        self.set_focus(self.query_one("#runs", OptionList))

    @property
    def _metric_id(self) -> str:
        metrics = self.game.session.part.claim.metrics
        return metrics[self._metric % len(metrics)]

    def _options(self) -> list[Option]:
        session = self.game.session
        part = session.part
        metric = metric_of(part, self._metric_id)
        options = []
        for number, run in session.evidence().items():
            mark = "a" if self._runs[0] == number else "b" if self._runs[1] == number else " "
            value = show(run.metrics[metric.name], metric.unit)
            words = wording.setting(part, run.setting)
            row = f"{mark} #{number:<2} {value:>8} {words}"
            options.append(Option(clean(row), str(number)))
        return options

    def _offer_why(self) -> None:
        part = self.game.session.part
        terms = metric_of(part, self._metric_id).terms
        self.query_one("#why", Choices).offer([(term, part.mechanisms[term]) for term in terms])
        passed = self.game.flips_along(self._metric_id)
        line = self.query_one("#flip", Input)
        self.query_one("#flips").display = bool(passed)
        if passed:
            label = clean_line(part.sliders[passed[0]].label, 40)
            line.placeholder = f"{label} … or never"

    def _flip(self) -> tuple[str, Scalar] | None:
        """The flip point as it is written, if there is any. Raises Refused where it says none."""
        line = self.query_one("#flip", Input)
        text = clean_line(line.value, 60)
        if not self.query_one("#flips").display or not text.strip():
            return None
        return flips.read(self.game.session.part, text)

    def _draft(self) -> Draft | None:
        first, second = self._runs
        if first is None or second is None:
            return None
        try:
            return self.game.draft(self._metric_id, first, second)
        except Refused:
            return None

    def _draw(self) -> None:
        runs = self.query_one("#runs", OptionList)
        at = runs.highlighted
        runs.set_options(self._options())
        runs.highlighted = at if at is not None else 0 if runs.option_count else None
        part = self.game.session.part
        label = part.metrics[self._metric_id]
        draft = self._draft()
        if draft is None:
            words = f"{label} … when … went from … to …\n\nMark two runs with a and b."
        else:
            why = self.query_one("#why", Choices).chosen
            words = sentence(self.game, draft, label, part.mechanisms[why] if why else "…")
            try:
                flip = self._flip()
            except Refused:
                flip = None  # it is still being written; filing says what it lacks
            claims = self.game.session.state.claims
            if flip is None and claims and self._is_over() and (held := claims[-1].claim.flip):
                flip = held.control, held.value
            if flip is not None:
                words += f"\n{flip_words(self.game, *flip)}"
        self.query_one("#sentence", Static).update(clean(words))

    def action_mark(self, end: int) -> None:
        """Mark the run under the cursor as where the comparison starts or ends."""
        runs = self.query_one("#runs", OptionList)
        if runs.highlighted is None:
            return
        number = int(runs.get_option_at_index(runs.highlighted).id or 0)
        self._runs[end] = number
        if self._runs[1 - end] == number:
            self._runs[1 - end] = None
        self.say("")  # what was said was about another pair
        self._draw()

    @on(OptionList.OptionSelected)
    def _selected(self) -> None:
        """Enter or a click marks whichever end is still open."""
        if self._is_over():
            self.action_onward()
        else:
            self.action_mark(0 if self._runs[0] is None else 1)

    def action_metric(self) -> None:
        """The next metric that may be claimed about."""
        self._metric += 1
        self._offer_why()
        self._draw()

    @on(Choices.Chosen)
    def _why(self) -> None:
        self._draw()
        self.say("Ctrl+F files it.")

    @on(Input.Submitted)
    def _written(self) -> None:
        self.action_file()

    @on(events.DescendantFocus, "#flip")
    def _explain_flip(self) -> None:
        """What the field wants, before anything stands in it: it says too little by itself."""
        if not self._is_over() and not self.query_one("#flip", Input).value:
            label = self.query_one("#flip", Input).placeholder.partition(" …")[0]
            self.say(
                f"Optional: past which value it would turn round. {label} and a number, or never."
            )

    @on(Input.Changed, "#flip")
    def _flipping(self) -> None:
        self._draw()

    @on(Input.Changed, "#answer")
    def _writing(self) -> None:
        if self._later is None:
            self._later = self.set_timer(DRAFTED, self._draft_answer)

    @on(Input.Blurred, "#answer")
    def _draft_answer(self) -> None:
        """Save the answer's draft, unless it is saved or filed already."""
        self._later = None
        state = self.game.session.state
        text = clean_line(self.query_one("#answer", Input).value, 300)
        known = {state.notes.get(ANSWER, ""), *(filed.claim.answer for filed in state.claims)}
        if text not in known:
            self.game.act(Note(ANSWER, text))

    def action_file(self) -> None:
        """File the claim, and show what the checks say."""
        if self._is_over():
            self.action_onward()
            return
        draft, why = self._draft(), self.query_one("#why", Choices).chosen
        first, second = self._runs
        if draft is None or first is None or second is None:
            self.say("Mark two runs first: a and b.")
            return
        if why is None:
            self.say("And why? Tab to the reasons and press a number.")
            self.set_focus(self.query_one("#why", Choices))
            return
        answer = clean_line(self.query_one("#answer", Input).value, 300)
        try:
            flip = self._flip()
        except Refused as refusal:
            self.say(f"Not yet: {refusal}.")
            self.set_focus(self.query_one("#flip", Input))
            return
        walks = ", and walks it to where it turns" if flip else ""
        self.say(f"◌ The engine checks it{walks} …")
        self._check(draft, (first, second), why, answer, flip)

    @work(thread=True, exclusive=True, group="check")
    def _check(
        self,
        draft: Draft,
        runs: tuple[int, int],
        why: str,
        answer: str,
        flip: tuple[str, Scalar] | None,
    ) -> None:
        """Ask the engine away from the screen: a fleet takes seconds. Then it knows."""
        self.game.terms(draft.metric, runs)
        if flip is not None:
            self.game.turns(draft.metric, runs, flip[0])
        self.app.call_from_thread(self._file, draft, runs, why, answer, flip)

    def _file(
        self,
        draft: Draft,
        runs: tuple[int, int],
        why: str,
        answer: str,
        flip: tuple[str, Scalar] | None,
    ) -> None:
        if not self.is_running:
            return
        try:
            self.game.claim(draft, runs, why, answer, flip)
        except Refused as refusal:
            self.say(f"{refusal}.")
            return
        self.refresh_bindings()
        self._show_verdict()

    def _show_verdict(self) -> None:
        session = self.game.session
        filed = session.state.claims[-1]
        self.query_one("#why", Choices).is_closed = self._is_over()
        if filed.verified:
            held = "reason and flip point" if filed.claim.flip else "and reason"
            comma = "," if filed.claim.flip else ""
            words = f"◆ VERIFIED: runs, control, sign, number{comma} {held} hold."
            self.say(f"{words}\nEnter goes on.")
            self.set_focus(self.query_one("#runs", OptionList))
            return
        part = session.part
        reasons = "\n".join(
            f"○ {check}: {wording.with_labels(part, reason)}"
            for check, reason in filed.failed.items()
        )
        left = session.claims_left
        more = f"{left} more attempt{'s' if left != 1 else ''}." if left else "No attempts left."
        self.say(f"{reasons}\n{more}  {'Ctrl+G' if left else 'Enter'} goes on.")

    def _is_over(self) -> bool:
        return bool(self.game.session.state.claims) and self.game.session.claims_left <= 0

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """What can't be done now is not offered."""
        claims = self.game.session.state.claims
        if action == "onward":
            return bool(claims)
        if action == "finish":
            return self._is_over()
        return not self._is_over() if action in {"file", "mark", "metric"} else True

    def action_finish(self) -> None:
        """Enter goes on, wherever the focus is, once no claim can be filed any more."""
        self.action_onward()

    def action_onward(self) -> None:
        """On to what follows, once a claim is filed."""
        following = self.game.session.next_step
        if following is not None:
            self.go(following.screen)

    def action_back(self) -> None:
        """Back to the workbench for another pair of runs."""
        self.go("workbench")

    def say(self, words: str) -> None:
        """Said beneath the claim, and brought into view where the sentence is long."""
        said = self.query_one("#said", Static)
        said.update(clean(words))
        if words:
            self.call_after_refresh(said.scroll_visible, animate=False)

    def settle(self) -> None:
        """The answer's draft."""
        self._draft_answer()


def flip_words(game: Game, control: str, value: Scalar) -> str:
    """Where it would flip, as the claim says it."""
    return clean_line(f"It {flips.words(game.session.part, control, value)}.", 120)


def sentence(game: Game, draft: Draft, label: str, why: str) -> str:
    """The drafted sentence, and a warning where more than one slider differs."""
    part = game.session.part
    if not draft.changed:
        return "These two runs have the same setting: nothing can be claimed from them."
    if not draft.control:
        return "One of these runs was stopped, and nothing else differs: that shows no cause."
    before, after = (
        wording.slider_value(part, draft.control, value)
        for value in (draft.before, draft.after)
        if value is not None
    )
    moved = (
        f"{draft.direction} by {draft.amount} {draft.unit}"
        if draft.direction != STILL
        else f"did not move (by {draft.amount} {draft.unit})"
    )
    words = clean_line(
        f"{label} {moved} when "
        f"{part.sliders[draft.control].label} went from {before} to {after}, because {why}.",
        300,
    )
    if len(draft.changed) > 1:
        names = ", ".join(wording.changed(part, name) for name in draft.changed)
        words += f"\n⚠ {len(draft.changed)} controls differ: {clean_line(names)}"
    return words
