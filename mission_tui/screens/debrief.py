"""The debrief: what was predicted, what was reached, the law; then the ledger is signed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Label, Static

from mission_tui.content.schema import Part
from mission_tui.play import parley, wording
from mission_tui.play.game import Game
from mission_tui.screens.messages import CloseAndSign, Home
from mission_tui.screens.step import StepScreen
from mission_tui.text import clean, clean_line
from mission_tui.units import show_change
from mission_tui.widgets.keybar import KeyBar


class DebriefScreen(StepScreen):
    """One block a part, and the one key that signs."""

    CSS_PATH = "debrief.tcss"
    HELP = """\
## Debrief
**Enter** closes the play and signs its ledger: the file that you hand in. Anyone can check it
with `mission-tui verify`, and compute it again with `mission-tui replay`.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "sign", "Sign / home"),
    ]

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        self._signed = False

    def compose(self) -> ComposeResult:
        """Every part, then the law."""
        yield self.masthead()
        with VerticalScroll(id="debrief"):
            for name, part in self.game.session.mission.ordered:
                yield Label(clean_line(part.title).upper(), classes="heading", markup=False)
                yield Static("\n".join(self._rows(name, part)), markup=False)
                yield from self._parties(name, part)
                yield Static(clean_line(part.law), classes="law", markup=False)
                yield Static(clean_line(part.law_source), classes="source", markup=False)
            yield from self._decided()
            yield Static("Enter closes the play and signs its ledger.", id="ledger", markup=False)
        yield KeyBar()

    def _rows(self, name: str, part: Part) -> Iterator[str]:
        session = self.game.session
        state = session.parts[name]
        for lock_id, judgement in session.judgements(name).items():
            lock, sealed = part.locks[lock_id], state.sealed[lock_id]
            told = wording.lock_figures(part, lock, sealed, state.truths[lock_id])
            hit = "hit" if judgement.value_right else "miss"
            why = "hit" if judgement.mechanism_right else "miss"
            yield clean(
                f"prediction  {told['value']}, engine {told['truth']}   value {hit}, why {why}"
            )
        best = session.best_run(name)
        word = "PASSED" if session.passed(name) else "MISSED"
        runs = f"{len(state.runs)} run{'s' if len(state.runs) != 1 else ''}"
        yield clean(f"workbench   {word} in {runs}")
        if best and best.outcome:
            yield clean(f"stands      #{best.number}  {wording.setting(part, best.setting)}")
            for reading in session.readings_of(name, best.outcome.metrics):
                unit = wording.metric_unit(part, reading.metric)
                room = show_change(reading.headroom or 0.0, unit)
                label = part.specs[reading.id].label
                yield clean(f"            {label}: {reading.word}, {room} of room")
        verified = [filed for filed in state.claims if filed.verified]
        tries = f"{len(state.claims)} attempt{'s' if len(state.claims) != 1 else ''}"
        yield clean(f"claim       {'verified' if verified else 'not verified'} in {tries}")
        answer = next((filed.claim.answer for filed in reversed(state.claims)), "")
        if answer:
            yield clean(f"you wrote   “{clean_line(answer, 300)}”")

    def _parties(self, name: str, part: Part) -> Iterator[Static]:
        """How each party of a negotiated part was settled, and what became of it."""
        session = self.game.session
        table = session.parts[name].table
        if table is None:
            return
        for party, who in part.stakeholders.items():
            stand = table.stands[party]
            words = f"{clean_line(who.name)}  {parley.unheard(stand)}"
            yield Static(words, classes="party", markup=False)
            ending = parley.ending(who, stand)
            yield Static(self._of(name, ending), classes="ending", markup=False)
        for risk in parley.risks(part, table):
            owner = f"; owner: {risk.owner}" if risk.owner else ""
            words = clean_line(f"▲ RESIDUAL RISK: {risk.words} must still hold{owner}")
            yield Static(words, classes="risk", markup=False)

    def _of(self, name: str, text: str) -> str:
        """A text of a part with its figures filled in; the engine is asked for no others."""
        session = self.game.session
        figures = {}
        if "{" in text:
            figures = wording.given(session.mission, session.part_of(name), session.seed_of(name))
        return clean(wording.fill(text, figures))

    def _decided(self) -> Iterator[Static | Label]:
        """The decision, and the paragraph that defends it."""
        session = self.game.session
        decision, made = session.mission.decision, session.decision
        if decision is None or made is None:
            return
        figures = wording.constants(session.mission)
        yield Label("THE DECISION", classes="heading")
        question = wording.fill(decision.question, figures)
        yield Static(clean(question), classes="question", markup=False)
        chosen = wording.fill(decision.options[made.choice], figures)
        yield Static(clean_line(f"◆ {chosen}"), classes="party", markup=False)
        yield Static(clean(made.text), classes="ending", markup=False)

    @property
    def is_signed(self) -> bool:
        """Whether the ledger is written."""
        return self._signed

    def signed(self, path: Path) -> None:
        """Show where the ledger is and how anyone can check it."""
        self._signed = True
        self.refresh_bindings()
        where = clean_line(path, 300)
        self.query_one("#ledger", Static).update(
            f"◼ SIGNED\n{where}\n\nCheck it:  mission-tui verify {where}\n\n"
            "Enter goes back to the missions."
        )
        self.query_one("#debrief", VerticalScroll).scroll_end(animate=False)

    def action_sign(self) -> None:
        """Sign; once signed, go home."""
        self.post_message(Home() if self._signed else CloseAndSign())
