"""The replay: a recorded play as a film, with the play's state at each event beside its list.

What takes time is done in threads that may be left behind at any moment: they are daemons, so that
leaving never waits for the engine, which can't be interrupted in mid-run. The toolkit's own thread
workers are waited for at the end of the program.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from threading import Event as Flag
from threading import Thread
from typing import ClassVar, Final

from textual import events, on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from engine.contract import Outcome
from mission_tui.play import debriefing, evaluate, score
from mission_tui.play.debriefing import Debrief
from mission_tui.play.evaluate import Request
from mission_tui.play.events import Event as PlayEvent
from mission_tui.play.session import Session
from mission_tui.screens import instruments, replay_pages, replay_words
from mission_tui.screens.instruments import Shown
from mission_tui.screens.panel import PanelScreen
from mission_tui.screens.replay_bench import ODD, Bench, Stage, stage
from mission_tui.screens.replay_film import Figure, Film, Mark, NotKept, Seen, Stamp, Takes
from mission_tui.screens.replay_mark import MarkScreen
from mission_tui.screens.replay_pages import Worth
from mission_tui.screens.replay_reel import Reel, Sought, Stamps, Strip
from mission_tui.text import clean, clean_line
from mission_tui.widgets.cells import Canvas, CellGrid, fit
from mission_tui.widgets.gauge import Gauges
from mission_tui.widgets.keybar import KeyBar
from mission_tui.widgets.masthead import Masthead

BROAD: Final = 120
"""Columns from which figures and words stand beside the play's state."""
EVERY: Final = 0.1
"""Seconds between two drawings of the charts while a key is held, and between two reports."""
PAGE: Final = 10
"""Events that a page goes."""
VIEWS: Final = ("state", "figures", "words", "points")
JUMPS: Final = {
    "l": "lock",
    "r": "run",
    "c": "claim",
    "m": "move",
    "d": "decision",
    "n": "note",
}
_ABOUT: Final = {
    "lock": "locks",
    "run": "parts",
    "run_end": "parts",
    "run_cancel": "parts",
    "control": "control",
    "claim": "claims",
    "move": "table",
}
"""Which criterion an event is about, as a rule."""
_WORST: Final = ("fails", "marginal", "holds")


class Views(CellGrid):
    """What can stand beside the list, the one that does in front; at right, what it is."""

    DEFAULT_CSS = "Views { height: 1; }"

    class Picked(Message):
        """A view was clicked."""

        def __init__(self, view: str) -> None:
            super().__init__()
            self.view = view

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._now = self._says = ""
        self._offered: tuple[str, ...] = VIEWS

    def show(self, now: str, offered: tuple[str, ...], says: str) -> None:
        """Show the view that is open."""
        self._now, self._offered, self._says = now, offered, says
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw at the new size."""
        self._draw()

    def on_click(self, event: events.Click) -> None:
        """A click opens a view."""
        end = 0
        for view in self._offered:
            end += len(view) + 1
            if event.x < end:
                self.post_message(self.Picked(view))
                return

    def _draw(self) -> None:
        width, height = self.size
        if not width or not height:
            return
        canvas = Canvas(width, height)
        x = 0
        for view in self._offered:
            here = view == self._now
            canvas.put(x, 0, f"{'▌' if here else ' '}{view}", "strong" if here else "muted")
            x += len(view) + 1
        room = width - x - 1
        if room > 8:
            canvas.put_right(width, 0, fit(clean_line(self._says), room), "secondary")
        self.display_canvas(canvas)


class ReplayScreen(Screen[None]):
    """Events at left, the state of the play at right, what recomputing found at each."""

    CSS_PATH = "replay.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (BROAD, "-broad")]  # noqa: RUF012
    HELP = """\
## The replay
A recorded play as a film. **← →** (or **k j**) go one event, **PgUp PgDn** ten, **Home End** to the
ends; a click on the strip goes there. **l r c m d n** jump to the next lock, run, claim, move,
decision, note; with **Shift** to the one before. **x** jumps to the next figure that differs.

**v** (or **1** to **4**) opens another view: the *state* of the play with the instruments as the
student saw them, the *figures* as recorded and as computed again, the student's own *words* beside
the runs that they cite, the *points*. **Space** and **b** scroll a long page, **i** shows the next
instrument, **w** says why each verdict is what it is, and which receipt each prediction has.

**g** gives points by hand, with a reason. They stand in a signed file beside the ledger, which is
never touched.

✓ as recorded · ✗ differs · ≈ would be decided otherwise · ◌ not computed yet · ○ can't be told here
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,j,down", "step(1)", "Step"),
        Binding("left,k,up", "step(-1)", "Step back", show=False),
        Binding("pagedown", f"step({PAGE})", "Ten on", show=False),
        Binding("pageup", f"step(-{PAGE})", "Ten back", show=False),
        Binding("home", "end(0)", "To the start", show=False),
        Binding("end", "end(1)", "To the end", show=False),
        *(
            Binding(key, f"jump('{kind}', 1)", kind.capitalize(), show=kind != "note")
            for key, kind in JUMPS.items()
        ),
        *(
            Binding(key.upper(), f"jump('{kind}', -1)", f"The {kind} before", show=False)
            for key, kind in JUMPS.items()
        ),
        Binding("x", "differing(1)", "Differs"),
        Binding("X", "differing(-1)", "What differs before", show=False),
        Binding("v", "view", "View"),
        *(
            Binding(str(n), f"open('{view}')", f"View: {view}", show=False)
            for n, view in enumerate(VIEWS, 1)
        ),
        Binding("i", "instrument", "Next instrument", show=False),
        Binding("w", "why", "Why these verdicts", show=False),
        Binding("space", "scroll_page(1)", "Scroll the page", show=False),
        Binding("b", "scroll_page(-1)", "Scroll back", show=False),
        Binding("g", "grade", "Grade"),
        Binding("q", "app.quit", "Quit", show=False),
    ]

    def __init__(self, film: Film) -> None:
        super().__init__()
        self._film = film
        self._events = film.events
        self._place = 0
        self._view = "state"
        self._note = ""
        self._why = film.why
        self._stamps = film.stamps
        self._takes: Takes | None = None
        self._figures: dict[int, tuple[Figure, ...]] = {}
        self._states: dict[int, str] = {}
        self._at = 0  # how far recomputing is, as an event's number
        self._known: Debrief | None = None
        self._worths: tuple[Worth, ...] = ()
        self._warm = False
        self._marks: Mapping[str, Mark] = film.marks
        self._outcomes: dict[Request, Outcome | None] = {}
        self._asking: Request | None = None
        self._stop = Flag()
        self._drawn = 0.0
        self._later: Timer | None = None
        self._stops = {kind: _stops(film, kind) for kind in JUMPS.values()}

    # -- layout ------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """A bench for each part is there from the start; the one of the event is shown."""
        film, mission = self._film, self._film.mission
        student = str(film.events[0].data.get("student", ""))
        crumbs: tuple[str, ...] = (film.name,)
        if mission is not None:
            crumbs = (student, mission.title, mission.persona.name)
        yield Masthead(("REPLAY", *(clean_line(crumb, 40) for crumb in crumbs)))
        yield Stamps(film.stamps, id="stamps")
        yield Strip(film.events, id="strip")
        with Horizontal(id="room"):
            yield Reel(film.events, self._said, id="reel")
            with Vertical(id="stage"):
                yield Views(id="views")
                for n in range(len(mission.parts) if mission is not None else 0):
                    assert mission is not None
                    yield Bench(mission.ordered[n][1], id=f"bench-{n}")
                with VerticalScroll(id="page", can_focus=False):
                    yield Static("", id="text", markup=False)
            with Vertical(id="aside"):
                yield Views(id="aside-views")
                with VerticalScroll(id="aside-page", can_focus=False):
                    yield Static("", id="aside-text", markup=False)
        yield Gauges(id="gauges")
        yield Static("", id="said", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the first event; the rest is found out behind it."""
        self._app: App[object] = self.app
        mission = self._film.mission
        if mission is not None:
            try:
                self._takes = Takes(mission, self._events)
                for name in mission.parts:
                    self._takes.last.seed_of(name)
            except ODD as error:
                self._takes = None
                self._why = clean_line(f"The header is not one of this program: {error}", 300)
        self._aside(self._go_over)
        if self._film.recompute is not None:
            self._aside(self._recompute)
        self._show()

    def on_unmount(self) -> None:
        """Threads end at their next look; nobody waits for them."""
        self._stop.set()

    def on_resize(self, event: events.Resize) -> None:
        """Another width shows other things."""
        self.call_after_refresh(self._show)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A jump is offered where the play has such an event."""
        if action == "jump":
            return bool(self._stops[str(parameters[0])])
        if action == "differing":
            return bool(self._differing())
        if action == "grade":
            return self._film.mark is not None
        return True

    # -- threads -----------------------------------------------------------------------------

    def _aside(self, work: Callable[[], None]) -> None:
        Thread(target=work, name="replay", daemon=True).start()

    def _tell(self, what: Callable[..., None], *arguments: object) -> None:
        """From a thread: have the screen take something, if it is still there."""
        if not self._stop.is_set():
            with suppress(RuntimeError):  # the program has just ended
                self._app.call_from_thread(what, *arguments)

    def _go_over(self) -> None:
        """Hold the events against the rules, then compute what texts and points are made of."""
        told = time.monotonic()
        takes = self._takes
        if takes is not None:
            for _ in takes.over():
                if self._stop.is_set():
                    return
                if time.monotonic() - told > EVERY:
                    told = time.monotonic()
                    self._tell(self._show)
            self._tell(self._have_takes)
        try:
            known = debriefing.gather(takes.last) if takes is not None else _rubric_alone()
        except ODD as error:
            known = Debrief(problem=clean_line(f"the record can't be scored: {error}", 300))
        self._tell(self._have_score, known)

    def _have_takes(self) -> None:
        broken = self._takes.broken if self._takes is not None else None
        if broken is not None:
            self._states[broken.event.seq] = "fails"
        self._show()

    def _have_score(self, known: Debrief) -> None:
        self._known = known
        self._warm = self._takes is not None and (known.rubric is not None or not known.problem)
        session = self._takes.last if self._takes is not None else None
        try:
            self._worths = replay_pages.worths(session, known, self._events)
        except ODD as error:
            self._known = Debrief(problem=clean_line(f"the record can't be scored: {error}", 300))
        self._show()

    def _recompute(self) -> None:
        """Compute again, event by event; what was found is told a few times a second."""
        waiting: list[Seen] = []
        told = time.monotonic()
        for seen in self._seen():
            if self._stop.is_set():
                return
            waiting.append(seen)
            if time.monotonic() - told > EVERY or seen.verdict is not None:
                told = time.monotonic()
                self._tell(self._have_seen, waiting)
                waiting = []
        if waiting:
            self._tell(self._have_seen, waiting)

    def _seen(self) -> Iterator[Seen]:
        """What recomputing finds; a record that it breaks on fails, as it does for the judge."""
        assert self._film.recompute is not None
        seq = 0
        try:
            for seen in self._film.recompute():
                seq = seen.seq
                yield seen
        except ODD as error:
            yield Seen(seq, (), Stamp("replay", "fails", f"the record is unreadable: {error}"))

    def _have_seen(self, found: Sequence[Seen]) -> None:
        for seen in found:
            self._at = seen.seq
            if seen.figures:
                self._figures[seen.seq] = seen.figures
                states = {figure.state for figure in seen.figures}
                worst = next((state for state in _WORST if state in states), "fails")
                if self._states.get(seen.seq) != "fails":
                    self._states[seen.seq] = worst
            if seen.verdict is not None:
                verdict = seen.verdict
                self._stamps = tuple(verdict if s.name == verdict.name else s for s in self._stamps)
        self.refresh_bindings()
        self._show()

    def _ask(self, request: Request) -> None:
        """Have the engine compute what a moment showed: one at a time, the last one asked next."""
        if self._asking is None:
            self._asking = request
            self._aside(lambda: self._answer(request))

    def _answer(self, request: Request) -> None:
        try:
            found: Outcome | None = evaluate.outcome(request)
        except ODD:
            found = None
        self._tell(self._answered, request, found)

    def _answered(self, request: Request, found: Outcome | None) -> None:
        self._asking = None
        self._outcomes[request] = found
        self._show()

    # -- showing -----------------------------------------------------------------------------

    @property
    def place(self) -> int:
        """The event that is shown, as its place in the file."""
        return self._place

    @property
    def is_settled(self) -> bool:
        """Whether nothing is being computed any more, and all of it is drawn."""
        return (
            self._known is not None
            and self._asking is None
            and self._later is None
            and all(stamp.state in replay_pages.MARKS for stamp in self._stamps)
        )

    @property
    def _session(self) -> Session | None:
        """The session at the event; past a broken rule the last one before it."""
        takes = self._takes
        if takes is None:
            return None
        return takes.at(min(self._place, takes.done) if takes.broken else self._place)

    def _go(self, place: int, note: str = "") -> None:
        place = max(0, min(place, len(self._events) - 1))
        self._note = note
        if place != self._place:
            self._place = place
            self.query_one("#page", VerticalScroll).scroll_home(animate=False)
        self._show()

    def _show(self) -> None:
        """Labels at once; the pictures at most ten times a second."""
        if not self.is_mounted or not self.is_running:
            return
        marked = frozenset(m.event for m in self._marks.values() if m.event is not None)
        self.query_one(Reel).show(self._place, self._states, marked)
        self.query_one(Strip).show(self._place, self._states)
        progress = f"{self._at}/{len(self._events) - 1}"
        self.query_one(Stamps).show(self._stamps, progress)
        self.query_one("#said", Static).update(self._told(), layout=False)
        wait = self._drawn + EVERY - time.monotonic()
        if wait <= 0:
            self._draw()
        elif self._later is None:
            self._later = self.set_timer(wait, self._draw)

    def _said(self, event: PlayEvent) -> str:
        """An event in words; where there is no mission to name things its kind stands before."""
        words = replay_words.said(self._film.mission, event)
        if self._film.mission is not None:
            return words
        return clean_line(f"{event.kind}  {words}", 140)

    def _told(self) -> str:
        """The event in words, and what recomputing found."""
        event = self._events[self._place]
        mission = self._film.mission
        part = mission.parts.get(str(event.part)) if mission is not None else None
        where = f"{clean_line(part.title, 40)} · " if part is not None else ""
        found = replay_pages.summary(self._figures.get(event.seq, ()))
        broken = self._takes.broken if self._takes is not None else None
        if broken is not None and broken.event.seq <= event.seq:
            found = clean_line(f"✗ the rules are broken: {broken}", 300)
        room = 2 * max(40, self.size.width - 2) - 12  # two rows, so that what was found is seen
        lines = [fit(f"#{event.seq}  {where}{self._said(event)}", room)]
        lines.append(self._note or found or clean_line(self._why, 300))
        return clean("\n".join(lines))

    def _draw(self) -> None:
        """The view: the instruments, or a page."""
        self._drawn, self._later = time.monotonic(), None
        if not self.is_running:
            return
        broad = self.size.width >= BROAD
        session = self._session
        view = "state" if broad else self._view
        bench = self._bench(session) if view == "state" else None
        for each in self.query(Bench):
            each.display = each is bench
        self.query_one("#page").display = bench is None
        gauges = self.query_one(Gauges)
        gauges.display = bench is not None
        says = ""
        if bench is not None and session is not None:
            says = self._draw_bench(bench, session)
        else:
            self._write("#text", self._page(view, session))
        offered = ("state",) if broad else VIEWS
        self.query_one("#views", Views).show(view, offered, says)
        if broad:
            beside = "figures" if self._view == "state" else self._view
            self.query_one("#aside-views", Views).show(beside, VIEWS[1:], "")
            self._write("#aside-text", self._page(beside, session))

    def _write(self, where: str, text: str) -> None:
        page = self.query_one(where, Static)
        if str(page.content) != text:
            page.update(text)

    def _bench(self, session: Session | None) -> Bench | None:
        """The bench of the part, where the play is at its workbench."""
        if session is None or session.at.screen != "workbench" or self._film.mission is None:
            return None
        names = [name for name, _ in self._film.mission.ordered]
        return self.query_one(f"#bench-{names.index(session.part_id)}", Bench)

    def _draw_bench(self, bench: Bench, session: Session) -> str:
        """The instruments of a moment; gives what they are, in a few words."""
        try:
            now = stage(session)
        except ODD:
            return "the record lacks its figures"
        shown, says = self._shown(now), now.says
        event = self._events[self._place]
        moved = str(event.data.get("control")) if event.kind == "control" else None
        figures = replay_pages.quoted(session, session.part_id, warm=self._warm)
        whole = bench.show(session, now, shown, moved, figures)
        try:
            readings = instruments.readings(session, shown.metrics if shown is not None else {})
            self.query_one(Gauges).show(tuple(readings))
        except ODD:
            whole = False
        if not whole:
            says = "the record lacks its figures"
        return f"{says} i▸" if bench.hides else says

    def _shown(self, now: Stage) -> Shown | None:
        if now.ask is None:
            return now.shown
        if now.ask not in self._outcomes:
            self._ask(now.ask)
        return self._outcomes.get(now.ask)

    def _page(self, view: str, session: Session | None) -> str:
        event = self._events[self._place]
        try:
            match view:
                case "figures":
                    return replay_pages.figures(
                        session, event, self._figures.get(event.seq, ()), self._pending(event.seq)
                    )
                case "words" if session is not None:
                    return replay_pages.reflections(session, warm=self._warm)
                case "points":
                    problem = self._known.problem if self._known is not None else ""
                    return replay_pages.points(
                        self._worths, self._marks, self._film.marked_in, self._film.notice, problem
                    )
                case "state" if session is not None:
                    return replay_pages.scene(session, warm=self._warm)
        except ODD as error:
            return clean(f"The record can't be shown so: {error}\n\n{replay_pages.listed(event)}")
        if self._takes is not None:
            return "◌ The play is being rebuilt up to here …"
        own = replay_words.passages(event) if view == "words" else ()
        return clean("\n\n".join(own) or f"{self._why}\n\n{replay_pages.listed(event)}", 20_000)

    def _pending(self, seq: int) -> str:
        """Why an event has no figures beside each other."""
        if self._film.recompute is None:
            return self._why or "Nothing is computed again here."
        if any(stamp.state not in replay_pages.MARKS for stamp in self._stamps) and seq > self._at:
            return "◌ Recomputing is on its way here …"
        return "Nothing was measured at this event."

    # -- keys --------------------------------------------------------------------------------

    def action_step(self, by: int) -> None:
        """So many events on or back."""
        self._go(self._place + by)

    def action_end(self, last: int) -> None:
        """To the first event or the last."""
        self._go((len(self._events) - 1) * last)

    def action_jump(self, kind: str, by: int) -> None:
        """To the next event of a kind, or to the one before."""
        self._seek(self._stops[kind], by, kind)

    def action_differing(self, by: int) -> None:
        """To the next event whose figures differ, or to the one before."""
        self._seek(self._differing(), by, "figure that differs")

    def _differing(self) -> list[int]:
        wrong = {seq for seq, state in self._states.items() if state in {"fails", "marginal"}}
        return [place for place, event in enumerate(self._events) if event.seq in wrong]

    def _seek(self, places: Sequence[int], by: int, what: str) -> None:
        at = bisect_right(places, self._place) if by > 0 else bisect_left(places, self._place) - 1
        if 0 <= at < len(places):
            self._go(places[at])
        else:
            self._go(self._place, f"There is no {what} {'after' if by > 0 else 'before'} this.")

    def action_view(self) -> None:
        """The next view."""
        offered = VIEWS[1:] if self.size.width >= BROAD else VIEWS
        at = offered.index(self._view) + 1 if self._view in offered else 1
        self.action_open(offered[at % len(offered)])

    def action_open(self, view: str) -> None:
        """Open a view."""
        self._view = view
        for page in ("#page", "#aside-page"):
            self.query_one(page, VerticalScroll).scroll_home(animate=False)
        self._draw()

    def action_instrument(self) -> None:
        """The next instrument that did not fit."""
        bench = self._bench(self._session)
        if bench is not None:
            bench.turn()
            self.call_after_refresh(self._draw)

    def action_scroll_page(self, by: int) -> None:
        """Scroll what is longer than its place."""
        broad = self.size.width >= BROAD
        page = self.query_one("#aside-page" if broad else "#page", VerticalScroll)
        page.scroll_relative(y=by * max(1, page.size.height - 1), animate=False)

    def action_why(self) -> None:
        """Each verdict with its reason."""
        words = replay_pages.verdicts(self._film, self._stamps, self._why)
        self.app.push_screen(PanelScreen("Verdicts", words))

    @on(Bench.Fitted)
    def _fitted(self) -> None:
        self._draw()

    @on(Sought)
    def _sought(self, message: Sought) -> None:
        self._go(message.place)

    @on(Views.Picked)
    def _picked(self, message: Views.Picked) -> None:
        self.action_open(message.view)

    # -- points ------------------------------------------------------------------------------

    def action_grade(self) -> None:
        """Give points for a criterion; it begins at the one that the event is about."""
        if not self._worths:
            known = self._known
            words = known.problem if known is not None else "the score is still being computed"
            self._go(self._place, clean_line(f"No points can be given: {words}", 200))
            return
        event = self._events[self._place]
        about = f"#{event.seq} {replay_words.said(self._film.mission, event)}"
        first = _ABOUT.get(event.kind, "")
        marks = self._marks
        self.app.push_screen(MarkScreen(about, self._worths, marks, first, self._keep))

    def _keep(self, criterion: str, points: float, reason: str) -> str | None:
        if self._film.mark is None:
            return "Marks are kept nowhere here."
        seq = self._events[self._place].seq
        try:
            self._marks = self._film.mark(criterion, points, reason, seq)
        except NotKept as refusal:
            return str(refusal)
        self._go(self._place, f"◼ {criterion} {points:g}, kept and signed: {self._film.marked_in}")
        return None


def _stops(film: Film, kind: str) -> list[int]:
    """Where a jump stops. Of a run that is where it came out, or where it began and never did."""
    places = [n for n, event in enumerate(film.events) if event.kind == kind]
    if kind != "run":
        return places
    ended = {
        (event.part, _number(event.data)): n
        for n, event in enumerate(film.events)
        if event.kind in {"run_end", "run_cancel"}
    }
    begun = ((n, (film.events[n].part, _number(film.events[n].data))) for n in places)
    return sorted({*ended.values(), *(n for n, run in begun if run not in ended)})


def _number(data: object) -> str:
    return str(data.get("number")) if isinstance(data, Mapping) else ""


def _rubric_alone() -> Debrief:
    """What a play without its mission can be graded by: the rubric's criteria."""
    try:
        return Debrief(rubric=score.rubric())
    except score.RubricError as error:
        return Debrief(problem=str(error))
