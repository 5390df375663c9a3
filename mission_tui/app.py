"""The game in the terminal: which screen comes next, and where its events go.

The first frame loads nothing heavy: the missions, numpy and plotext come in a thread behind the
title.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from textual import events, on, work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen
from textual.timer import Timer

from mission_tui import paths, profile
from mission_tui.screens import messages
from mission_tui.screens import preview as preview_screen
from mission_tui.screens.small import SMALLEST, SmallScreen
from mission_tui.screens.theme import NIGHT
from mission_tui.screens.title import TitleScreen
from mission_tui.text import clean, clean_line
from mission_tui.widgets.masthead import Masthead

if TYPE_CHECKING:
    from mission_tui.authoring.preview import Source
    from mission_tui.content.load import MissionFile
    from mission_tui.content.schema import Mission
    from mission_tui.ledger.plays import OpenPlay
    from mission_tui.play.actions import Truth
    from mission_tui.play.debriefing import Debrief
    from mission_tui.play.events import Event
    from mission_tui.play.game import Game
    from mission_tui.play.session import Session
    from mission_tui.screens.missions import Waiting
    from mission_tui.screens.replay_film import Film

IDLE_AFTER: Final = 30.0
"""Seconds without a key after which time counts as idle."""
DRAFTS: Final = 2.0
"""Seconds within which a moved slider or a draft is on disk."""
POLL: Final = 0.4
"""Seconds between two looks at a file that is previewed."""
PROGRESS: Final = 0.5
"""Seconds between two words on how far the engine is with the truths."""
FAREWELL: Final = 1.0
"""Seconds that a terminal has to take its last bytes when the program is told to stop."""


class MissionApp(App[None]):
    """Mission TUI."""

    TITLE = "Mission TUI"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    MORE_HELP: ClassVar[str] = ""
    """Help on every screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help", key_display="?", priority=True),
        Binding("f1", "help", "Help", show=False),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True),
    ]

    def __init__(
        self,
        saves: Path,
        *,
        mission: str | None = None,
        track: str | None = None,
        student: str | None = None,
        driver: str = "human",
        seed: int | None = None,
    ) -> None:
        # NO_COLOR: the toolkit picks its filter now, and only with ansi colours is it the one
        # that sends none (the other sends 24-bit greys, which turn black on black here).
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.register_theme(NIGHT)
        self.theme = "ansi-dark" if self.no_color else NIGHT.name
        self._saves = saves
        self._asked = (mission, track)
        self._student = student or ""
        self._driver_name, self._seed = driver, seed
        self.sealed: Path | None = None
        """The ledger that was signed last."""
        self._missions: dict[str, MissionFile] = {}
        self._problems: list[str] = []
        self._loaded = False
        self._waiting = False  # the player is past the title and the missions are still loading
        self._play: OpenPlay | None = None
        self._entered = self._touched = time.monotonic()
        self._idle = 0.0
        self._later: Timer | None = None
        self._said: str | None = None
        self._offered = False  # another place, for a play that is not being saved
        self._travelling = False
        self._answered: set[str] = set()
        """Missions whose question was answered in an earlier play."""
        self._debrief: Debrief | None = None

    # -- starting --------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Show the first screen, then load behind it."""
        self._open()
        self._handle_signals()

    def _open(self) -> None:
        self._student = self._student or profile.remembered()
        self.push_screen(TitleScreen())
        self.call_after_refresh(self._load)

    @work(thread=True, exclusive=True, group="load")
    def _load(self) -> None:
        from mission_tui.content.load import MissionError
        from mission_tui.content.shelf import fetch

        found: dict[str, MissionFile] = {}
        problems: list[str] = []
        for path in _mission_paths(self._asked[0]):
            try:
                mission = fetch(path)
            except MissionError as error:
                problems += [str(problem) for problem in error.problems]
            except OSError as error:
                problems.append(f"{path}: {error.strerror}")
            else:
                found[mission.id] = mission
        if not found and not problems:
            problems.append(f"no missions in {paths.missions_dir()}")
        self.call_from_thread(self._have, found, problems)
        import plotext  # noqa: F401  (drawn with later; loading it now keeps the first chart quick)

        import mission_tui.screens.workbench  # noqa: F401

    def _have(self, missions: dict[str, MissionFile], problems: list[str]) -> None:
        self._missions, self._problems, self._loaded = missions, problems, True
        if self._waiting:
            self._waiting = False
            self._after_title()

    # -- from the title to a play ----------------------------------------------------------

    @on(messages.Begin)
    def _begin(self) -> None:
        if self._loaded:
            self._after_title()
        elif not self._waiting:
            self._waiting = True

    def _after_title(self) -> None:
        if not self._student:
            from mission_tui.screens.who import WhoScreen

            self.switch_screen(WhoScreen())
            return
        mission, track = self._asked
        self._asked = (None, None)
        found = self._missions.get(Path(mission).stem) if mission else None
        if found and track and track in found.tracks:
            self._start(found.tracks[track], anew=False)
        elif found:
            self._choose_persona(found)
        else:
            self._home()

    @on(messages.Named)
    def _named(self, message: messages.Named) -> None:
        self._student = message.student
        profile.remember(message.student)
        self._after_title()

    @on(messages.Rename)
    def _rename(self) -> None:
        from mission_tui.screens.who import WhoScreen

        self.switch_screen(WhoScreen(self._student))

    @on(messages.Home)
    def _home(self) -> None:
        from mission_tui.ledger import enrolment
        from mission_tui.screens.missions import MissionsScreen

        if not self._may_leave():
            return
        self._leave_play()
        missions = list(self._missions.values())
        waiting, finished = self._plays()
        whose = enrolment.says(self._student) if self._seed is None else ""
        screen = MissionsScreen(self._student, missions, waiting, finished, self._problems, whose)
        self.switch_screen(screen)

    @on(messages.MissionChosen)
    def _mission_chosen(self, message: messages.MissionChosen) -> None:
        self._choose_persona(self._missions[message.mission])

    def _choose_persona(self, mission: MissionFile) -> None:
        from mission_tui.screens.persona import PersonaScreen

        self.switch_screen(PersonaScreen(mission))

    @on(messages.TrackChosen)
    def _track_chosen(self, message: messages.TrackChosen) -> None:
        self._start(self._missions[message.mission].tracks[message.track])

    def _start(self, mission: Mission, *, anew: bool = True) -> None:
        """Begin a play; not ``anew``: go on with an open one, where there is one."""
        from mission_tui.ledger import plays
        from mission_tui.ledger.lockfile import HeldError

        if self._play is not None:
            return  # a key pressed twice is one play
        who = (self._student, self._driver_name)
        try:
            if anew or self._seed is not None or self._driver_name != "human":
                opened = plays.start(self._saves, mission, *who, self._seed)
            else:
                opened = plays.resume_or_start(self._saves, mission, *who)
        except (plays.PlayError, HeldError) as error:
            self._tell(str(error))
            return
        self._opened(opened)

    @on(messages.ResumeChosen)
    def _resume(self, message: messages.ResumeChosen) -> None:
        from mission_tui.ledger import plays
        from mission_tui.ledger.lockfile import HeldError

        if self._play is not None:
            return
        try:
            opened = plays.resume(message.path, self._find)
        except (plays.PlayError, HeldError) as error:
            self._tell(str(error))
            return
        self._opened(opened)

    def _opened(self, opened: OpenPlay) -> None:
        self._play = opened
        self._offered = False
        opened.on_record = self._recorded
        self._entered = self._touched = time.monotonic()
        self._idle = 0.0
        self._check_saved()
        self._prepare(opened)

    @work(thread=True, exclusive=True, group="travel")
    def _prepare(self, opened: OpenPlay) -> None:
        """Compute what the screen's texts quote; then show it."""
        at = opened.game.session.at
        if at.screen == "briefing":
            from mission_tui.ledger import history

            self._answered = history.answered(self._saves, opened.game.session.header["student"])
        elif at.screen == "debrief":
            self._gather(opened)
        elif at.part is not None:
            _compute_figures(opened)
        self.call_from_thread(self._show)

    def _find(self, mission: str, track: str) -> Mission | None:
        found = self._missions.get(mission)
        return found.tracks.get(track) if found else None

    def _plays(self) -> tuple[list[Waiting], list[str]]:
        """The student's own plays: those that can be resumed, and a line for each finished one."""
        from mission_tui.ledger import plays
        from mission_tui.screens.missions import Waiting

        waiting, finished = [], []
        for saved in plays.saved_plays(self._saves, self._student):
            mission = self._find(saved.mission, saved.track)
            if mission is None or not saved.by_person:
                continue
            when = saved.saved[:16].replace("T", " ")
            where = f"{mission.title} · {mission.persona.name}"
            if saved.closed:
                self._seal_late(saved.path)
                word = "passed" if saved.passed else "not every part passed"
                finished.append(f"{where} · {word} · {when} UTC")
            else:
                waiting.append(Waiting(saved.path, f"{where} · {saved.screen} · {when} UTC"))
        return waiting, finished

    def _seal_late(self, path: Path) -> None:
        """Sign a play that was closed, and whose process died before the ledger was written."""
        from mission_tui.ledger import plays

        if not plays.ledger_of(path).exists():
            try:
                plays.seal_closed(path)
            except plays.PlayError as error:
                self._tell(str(error))

    # -- in a play -------------------------------------------------------------------------

    def _show(self) -> None:
        """Show the screen of the step where the play is."""
        if self._play is None:
            return  # left while a thread was at work for it
        screen = self._screen_of(self._play.game)
        while isinstance(self.screen, ModalScreen):
            self.pop_screen()  # else the panel is replaced, and the old screen stays under it
        self.switch_screen(screen)
        self.screen.call_after_refresh(self._check_saved)

    def _screen_of(self, game: Game) -> Screen[Any]:
        """The screen of the step where a game is; the others are not loaded before their time."""
        match game.session.at.screen:
            case "briefing":
                from mission_tui.screens.briefing import BriefingScreen

                return BriefingScreen(game, self._find, self._answered)
            case "lock":
                from mission_tui.screens.lock import LockScreen

                return LockScreen(game)
            case "workbench" if game.session.follows_sliders:
                from mission_tui.screens.live import LiveScreen

                return LiveScreen(game)
            case "workbench":
                from mission_tui.screens.budgeted import BudgetedScreen

                return BudgetedScreen(game)
            case "reveal":
                from mission_tui.screens.reveal import RevealScreen

                return RevealScreen(game)
            case "claim":
                from mission_tui.screens.claim import ClaimScreen

                return ClaimScreen(game)
            case "talks":
                from mission_tui.screens.talks import TalksScreen

                return TalksScreen(game)
            case "decision":
                from mission_tui.screens.decision import DecisionScreen

                return DecisionScreen(game)
            case _:
                from mission_tui.screens.debrief import DebriefScreen

                return DebriefScreen(game, self._debrief)

    @on(messages.Go)
    def _go(self, message: messages.Go) -> None:
        """Go to another screen; the way to a reveal asks the engine, in a thread."""
        from mission_tui.screens.step import StepScreen

        if self._play is None or self._travelling:
            return
        if refusal := self._play.game.session.barred(message.screen):
            words = f"{refusal[0].upper()}{refusal[1:]}."
            if isinstance(self.screen, StepScreen):
                self.screen.say(words)
            return
        self._travelling = True
        self._travel(self._play, message.screen)

    @work(thread=True, exclusive=True, group="travel")
    def _travel(self, opened: OpenPlay, screen: str) -> None:
        from mission_tui.play.queries import NoAnswer

        try:
            if screen == "reveal":
                self._ask_engine(opened)
            truths = opened.game.truths() if screen == "reveal" else None
            if screen == "debrief":
                self._gather(opened)
            else:
                _compute_figures(opened)
        except NoAnswer as error:
            self._travelling = False
            self.call_from_thread(self._tell, f"This mission can't answer its own lock: {error}")
            return
        self.call_from_thread(self._arrive, opened, screen, truths)

    def _gather(self, opened: OpenPlay) -> None:
        """Read and compute what a debrief is told from, away from the screen."""
        from mission_tui.ledger import history
        from mission_tui.play import debriefing

        session = opened.game.session
        student, play = session.header["student"], session.header["play_id"]
        bets = history.bets(self._saves, student, but=play)
        self._debrief = debriefing.gather(session, bets)

    def _ask_engine(self, opened: OpenPlay) -> None:
        """Ask, one by one, what the truths need: of a fleet that takes seconds, and it shows."""
        from mission_tui.play.evaluate import outcome

        requests = opened.game.truth_requests()
        started = told = time.monotonic()
        for done, request in enumerate(requests):
            now = time.monotonic()
            if done and now - told > PROGRESS:
                told = now
                left = (now - started) / done * (len(requests) - done)
                of = f"{done} of {len(requests)}, about {left:.0f} s left"
                words = f"◌ The engine works out the truth: {of}"
                self.call_from_thread(self._progress, words)
            outcome(request)

    def _progress(self, words: str) -> None:
        from mission_tui.screens.step import StepScreen

        if isinstance(self.screen, StepScreen):
            self.screen.say(words)

    def _arrive(self, opened: OpenPlay, screen: str, truths: dict[str, Truth] | None) -> None:
        from mission_tui.play.session import Refused
        from mission_tui.screens.step import StepScreen

        self._travelling = False
        if opened is not self._play:
            return
        now = time.monotonic()
        self._count_idle(now)
        total, idle = now - self._entered, self._idle
        try:
            opened.game.go(screen, round((total - idle) * 1000), round(idle * 1000), truths)
        except Refused as refusal:  # something was done while the engine was asked
            if isinstance(self.screen, StepScreen):
                self.screen.say(f"Not now: {refusal}.")
            return
        self._entered, self._idle = now, 0.0
        self._show()

    @on(messages.Draft)
    def _draft(self) -> None:
        """Something moved that is not recorded yet: have it on disk within two seconds."""
        if self._later is None:
            self._later = self.set_timer(DRAFTS * 0.75, self._save_drafts)

    def _save_drafts(self) -> None:
        self._later = None
        if self._play is not None:
            self._play.game.settle()
            self._play.journal.flush()
            self._check_saved()

    @on(messages.CloseAndSign)
    def _sign(self) -> None:
        from mission_tui.ledger.plays import PlayError
        from mission_tui.play.actions import Close
        from mission_tui.screens.debrief import DebriefScreen

        assert self._play is not None
        if not self._play.game.session.closed:
            self._play.game.act(Close())
        try:
            path = self._play.seal()
        except PlayError as error:
            self._tell(str(error))
            return
        self.sealed = path
        if isinstance(self.screen, DebriefScreen):
            self.screen.signed(path)

    def _recorded(self, _: Event) -> None:
        self._check_saved()
        self._draft()

    def _check_saved(self) -> None:
        """Show or clear the banner, where the journal says that it is in memory alone."""
        unsaved = self._play.journal.unsaved if self._play else None
        for masthead in self.screen.query(Masthead):
            masthead.unsaved = unsaved is not None
        if unsaved and unsaved != self._said:
            self.notify(
                clean_line(unsaved, 300),
                title="Unsaved",
                severity="error",
                timeout=12,
                markup=False,
            )
        self._said = unsaved

    def _may_leave(self) -> bool:
        """Whether the play is on disk; if it is not, another place is offered once."""
        from mission_tui.screens.step import StepScreen

        if self._play is None:
            return True
        if isinstance(self.screen, StepScreen):
            self.screen.settle()
        self._play.game.settle()
        if self._play.journal.flush() or self._offered:
            return True
        self._offered = True
        self._check_saved()
        self.action_elsewhere()
        return False

    def _leave_play(self) -> None:
        if self._play is not None:
            self._play.on_record = None  # there may be no screen any more to tell it on
            self._play.game.settle()
            self._play.journal.close()
            self._play = None

    # -- everywhere ------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Keep the clock of active and idle time; what is pasted is made safe to draw."""
        if isinstance(event, events.Paste):
            event = events.Paste(clean(event.text))
        if isinstance(event, (events.Key, events.MouseDown, events.MouseScrollDown)):
            self._count_idle(time.monotonic())
        await super().on_event(event)

    def _count_idle(self, now: float) -> None:
        quiet = now - self._touched
        if quiet > IDLE_AFTER:
            self._idle += quiet - IDLE_AFTER
        self._touched = now

    def on_resize(self, event: events.Resize) -> None:
        """Cover the game while the terminal is too small for it."""
        small = event.size.width < SMALLEST[0] or event.size.height < SMALLEST[1]
        covered = isinstance(self.screen, SmallScreen)
        if small and not covered:
            self.push_screen(SmallScreen())
        elif covered and not small:
            self.pop_screen()

    def action_help(self) -> None:
        """Help for this screen and for what has the focus, with every key that works."""
        from mission_tui.screens.decision import Paragraph
        from mission_tui.screens.help import HelpScreen
        from mission_tui.screens.prose import ProseInput

        if isinstance(self.screen, HelpScreen):
            self.screen.dismiss()
            return
        if isinstance(self.screen, SmallScreen):
            return
        if isinstance(self.focused, ProseInput):
            self.focused.insert_text_at_cursor("?")  # in prose a question mark is text
            return
        if isinstance(self.focused, Paragraph):
            self.focused.insert("?")
            return
        texts = [self.screen.HELP or "## Mission TUI"]
        if self.focused is not None and self.focused.HELP:
            texts.append(self.focused.HELP)
        if self.MORE_HELP:
            texts.insert(0, self.MORE_HELP)
        keys = [
            (self.get_key_display(active.binding), active.binding.description)
            for active in self.screen.active_bindings.values()
            if active.enabled and active.binding.show and active.binding.description
        ]
        self.push_screen(HelpScreen(texts, list(dict.fromkeys(keys))))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette offers what the screen's own keys do now, each once, help, and the way out.

        Nothing of the toolkit's: its themes, panels and pictures are not this game's.
        """
        offered = {each.action for each in Screen.BINDINGS if isinstance(each, Binding)}
        for active in screen.active_bindings.values():
            binding = active.binding
            own = active.node is screen and binding.action not in offered
            if active.enabled and own and binding.description:
                offered.add(binding.action)
                run = partial(screen.run_action, binding.action)
                key = f"Key: {self.get_key_display(binding)}"
                yield SystemCommand(binding.description, key, run)
        if self._play is not None:
            words = "Keep this play in another folder from now on"
            yield SystemCommand("Save elsewhere", words, self.action_elsewhere)
        yield SystemCommand("Help", "What this screen is for, and its keys", self.action_help)
        yield SystemCommand("Quit", "Leave the game; the play is kept", self.action_quit)

    def action_elsewhere(self) -> None:
        """Ask for another folder, and go on saving there."""
        from mission_tui.screens.elsewhere import ElsewhereScreen

        if self._play is None:
            return
        suggested = paths.state_dir() / "saves"
        self.push_screen(ElsewhereScreen(self._play.journal.unsaved or "", suggested), self._move)

    def _move(self, folder: Path | None) -> None:
        if folder is None or self._play is None:
            return
        from mission_tui.ledger.lockfile import HeldError

        data = self._play.game.session.header
        path = paths.journal_path(folder, data["student"], data["play_id"])
        left_behind = self._play.journal.path
        try:
            moved = self._play.journal.move_to(path)
        except (FileExistsError, HeldError) as error:
            self._tell(str(error))
            return
        if moved:
            with contextlib.suppress(OSError):  # the copy is stale: it must not be resumed
                left_behind.rename(left_behind.with_suffix(".jsonl.moved"))
            self.clear_notifications()  # "unsaved" is over
            self.notify(f"Saved in {clean_line(path.parent, 200)}", markup=False)
        self._check_saved()

    def _tell(self, sentence: str) -> None:
        self.notify(clean_line(sentence, 300), severity="error", timeout=12, markup=False)

    async def action_quit(self) -> None:
        """Leave; everything is saved, or the player knows that it is not."""
        if self._may_leave():
            played = self._play is not None
            self._leave_play()
            self.exit(
                message="Saved. mission-tui resumes it where you stopped." if played else None
            )

    def on_unmount(self) -> None:
        """Let other sessions in, however the app ends."""
        self._leave_play()

    def _handle_exception(self, error: Exception) -> None:
        """A bug ends the game with one sentence; the toolkit would print a traceback."""
        if self.is_headless:  # tests want the exception itself
            super()._handle_exception(error)
            return
        from mission_tui import crash

        self._leave_play()
        self.exit(return_code=1, message=f"mission-tui: {clean_line(crash.sentence(error), 400)}")

    def _handle_signals(self) -> None:
        """A dropped line (SIGHUP) or a stop (SIGTERM) saves, restores the terminal, and ends.

        The toolkit dies of SIGHUP without cleaning up, so both are handled here.
        """
        import asyncio

        loop = asyncio.get_running_loop()
        for name in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(name, self._die, name)

    def _die(self, received: signal.Signals) -> None:
        self._leave_play()
        # A terminal that is hung up or stopped (Ctrl+S) takes no bytes: then no farewell.
        last_resort = threading.Timer(FAREWELL, os._exit, (128 + received,))
        last_resort.daemon = True
        last_resort.start()
        try:
            if self._driver is not None:
                self._driver.stop_application_mode()
                self._driver.close()  # waits until the thread that writes has written it all
        finally:
            os._exit(128 + received)


class PreviewApp(MissionApp):
    """A mission while it is written: the game at one part, read again at each save of its file.

    The play is in memory alone. What is wrong with the file stands over the last good version.
    """

    MORE_HELP = preview_screen.HELP
    CSS = "Toast { width: 1fr; max-width: 100%; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "pass_by", "Let the reference go on", show=False, priority=True),
        Binding("ctrl+r", "again(0)", "Begin the part anew", show=False, priority=True),
        Binding("ctrl+b", "again(-1)", "The part before", show=False, priority=True),
        Binding("ctrl+t", "track", "Next track", show=False, priority=True),
        Binding("f2", "problems", "What is wrong with the file", show=False, priority=True),
        Binding("f3", "sliders", "The sliders as TOML", show=False, priority=True),
    ]

    def __init__(self, path: Path, *, track: str | None = None, part: str | None = None) -> None:
        super().__init__(path.parent)
        self._path, self._track, self._part = path, track, part
        self._source: Source | None = None
        self._reading = False

    def _open(self) -> None:
        self.push_screen(preview_screen.PreviewScreen(self._path.name))
        self.call_after_refresh(self._read)
        self.set_interval(POLL, self._poll)

    # -- the file --------------------------------------------------------------------------

    def _poll(self) -> None:
        if self._source is not None and not self._reading and self._source.changed():
            self._read()

    def _read(self) -> None:
        self._reading = True
        if self._play is not None:
            self._play.game.settle()
        self._read_file(self._session)

    @property
    def _session(self) -> Session | None:
        return self._play.game.session if self._play is not None else None

    @work(thread=True, group="read")
    def _read_file(self, before: Session | None) -> None:
        from mission_tui.authoring import preview

        if self._source is None:
            self._source = preview.Source(self._path)
        session, words = None, ""
        mission = self._shown_mission() if self._source.read() else None
        try:
            if mission is not None and before is None:
                session = preview.begun(mission, self._asked_part(mission))
            elif mission is not None and before is not None:
                session, words = preview.went_over(before, mission)
        except (ValueError, LookupError, ArithmeticError) as error:
            self._source.problems = (f"{self._path.name}: the engine refuses it: {error}",)
        self.call_from_thread(self._have_read, before, session, words)

    def _asked_part(self, mission: Mission) -> str | None:
        return self._part if self._part in mission.parts else None

    def _shown_mission(self) -> Mission | None:
        """The last good version, for the track that is shown."""
        good = self._source.good if self._source else None
        if good is None:
            return None
        if self._track is None or self._track not in good.tracks:
            self._track = next(iter(good.tracks))
        return good.tracks[self._track]

    def _have_read(self, before: Session | None, session: Session | None, words: str) -> None:
        self._reading = False
        assert self._source is not None
        if session is not None and before is not self._session:
            self._read()  # something was done meanwhile
            return
        self.clear_notifications()
        if session is not None:
            self._rehearse(session, words)
        elif isinstance(self.screen, preview_screen.PreviewScreen):
            self.screen.show(self._source.problems)
        else:
            problems = preview_screen.notice(self._source.problems)
            title = "As saved it can't be played; the last good version stands"
            self.notify(problems, title=title, severity="error", timeout=86_400, markup=False)

    # -- the play --------------------------------------------------------------------------

    def _rehearse(self, session: Session, words: str) -> None:
        """Show a play that is held in memory alone."""
        from mission_tui.authoring.preview import Rehearsal

        self._play = None
        self._opened(cast("OpenPlay", Rehearsal(session)))  # the same shape, kept nowhere
        said = words or "^n lets the reference go on, F3 writes the sliders as TOML, ? says more."
        if self._source is None or not self._source.problems:
            self.notify(said, title="Preview", timeout=3, markup=False)

    def action_pass_by(self) -> None:
        """The reference does this screen, and goes on."""
        if self._play is None or self._travelling or isinstance(self.screen, ModalScreen):
            return
        self._travelling = True
        self.notify("◌ The reference plays this screen …", timeout=60)
        self._play.game.settle()
        self._pass_by(self._play)

    @work(thread=True, group="rehearse")
    def _pass_by(self, play: OpenPlay) -> None:
        from mission_tui.authoring import preview

        after, words = play.game.session, ""
        try:
            after = preview.passed_by(after)
        except ValueError as error:
            words = str(error)
        self.call_from_thread(self._passed_by, play, after, words)

    def _passed_by(self, play: OpenPlay, session: Session, words: str) -> None:
        self._travelling = False
        if play is not self._play:
            return
        self.clear_notifications()
        if words:
            self._tell(words)
        else:
            self._rehearse(session, f"The reference went on to the {session.at.screen}.")

    def action_again(self, by: int) -> None:
        """This part from its lock, or the one before; before the first part the briefing."""
        mission = self._shown_mission()
        if self._play is None or mission is None:
            return
        names = [None, *(name for name, _ in mission.ordered)]
        here = self._play.game.session.at
        at = names.index(here.part) if here.part in names else 0
        if here.part is None and here.screen != "briefing":
            at = len(names) - 1
        self._begin_at(mission, names[max(0, at + by)])

    def action_track(self) -> None:
        """The same part on the file's next track."""
        good = self._source.good if self._source else None
        if self._play is None or self._shown_mission() is None or good is None:
            return
        tracks = list(good.tracks)
        self._track = tracks[(tracks.index(self._track or "") + 1) % len(tracks)]
        self._begin_at(good.tracks[self._track], self._play.game.session.at.part)

    def _begin_at(self, mission: Mission, part: str | None) -> None:
        if not self._travelling:
            self._travelling = True
            self._begin_part(mission, part if part in mission.parts else None)

    @work(thread=True, group="rehearse")
    def _begin_part(self, mission: Mission, part: str | None) -> None:
        """Begin a part; what is carried to it asks the engine."""
        from mission_tui.authoring import preview

        session = preview.begun(mission, part)
        self.call_from_thread(self._begun, session, f"{mission.persona.name}, from the start.")

    def _begun(self, session: Session, words: str) -> None:
        self._travelling = False
        self._rehearse(session, words)

    # -- what a preview says ---------------------------------------------------------------

    def action_problems(self) -> None:
        """Everything that is wrong with the file."""
        from mission_tui.screens.panel import PanelScreen

        if not isinstance(self.screen, ModalScreen) and self._source is not None:
            words = "\n".join(self._source.problems) or "Nothing: the schema holds."
            self.push_screen(PanelScreen(self._path.name, words))

    def action_sliders(self) -> None:
        """The sliders as lines of the file."""
        from mission_tui.authoring.preview import as_toml
        from mission_tui.screens.panel import PanelScreen

        if self._play is None or isinstance(self.screen, ModalScreen):
            return
        game = self._play.game
        title = f"[parts.{game.session.part_id}.default] or .reference"
        self.push_screen(PanelScreen(title, as_toml(game.setting)))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette has the preview's own keys too."""
        for binding in PreviewApp.BINDINGS:
            assert isinstance(binding, Binding)
            run = partial(self.run_action, binding.action)
            yield SystemCommand(binding.description, f"key {binding.key}", run)
        yield from super().get_system_commands(screen)

    @on(messages.CloseAndSign)
    def _never_signed(self, message: messages.CloseAndSign) -> None:
        message.prevent_default()
        self._tell("A preview is never saved or signed. ^r begins the part anew, ^q leaves.")

    @on(messages.Home)
    async def _never_home(self, message: messages.Home) -> None:
        message.prevent_default()
        await self.action_quit()

    def action_elsewhere(self) -> None:
        """A preview is kept nowhere."""
        self._tell("A preview is never saved.")

    async def action_quit(self) -> None:
        """Leave; there is nothing to save."""
        self._leave_play()
        self.exit()


class ReplayApp(MissionApp):
    """A recorded play as a film; nothing is played, and no ledger is written."""

    def __init__(self, film: Film) -> None:
        super().__init__(Path())
        self._film = film

    def _open(self) -> None:
        from mission_tui.screens.replay import ReplayScreen

        self.push_screen(ReplayScreen(self._film))


def _compute_figures(opened: OpenPlay) -> None:
    """Have the engine compute, away from the screen, the figures that a part's texts quote."""
    from mission_tui.play import wording

    session = opened.game.session
    wording.given(session.mission, session.part, session.seed)


def _mission_paths(asked: str | None) -> tuple[Path, ...]:
    from mission_tui.content.load import files

    installed = files(paths.missions_dir())
    given = Path(asked) if asked else None
    if given is not None and given.suffix == ".toml":
        return (*installed, given)
    return installed
