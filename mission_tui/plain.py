"""The same play, line by line: for screen readers, pipes, and proof that no rule is a screen's.

Each answer comes first, then its context: ``batch 8. peak memory 1.2 GB, over by 0.4 GB``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from textwrap import fill as wrapped
from typing import Final, TextIO

from engine.contract import Outcome, Value
from mission_tui.content import space
from mission_tui.content.schema import Lock, Part
from mission_tui.play import (
    badges,
    bands,
    coach,
    debriefing,
    evaluate,
    flips,
    parley,
    quoted,
    recall,
    tables,
    talks,
    wording,
)
from mission_tui.play.actions import Close, Decide, Hint, Move, Pin, Seal, Unpin
from mission_tui.play.calibration import Bet
from mission_tui.play.claims import metric_of
from mission_tui.play.evaluate import Request
from mission_tui.play.game import Game
from mission_tui.play.recall import Find
from mission_tui.play.session import Refused, Run
from mission_tui.text import clean, clean_line
from mission_tui.units import UnitError, parse, show, show_change

WIDTH: Final = 78
QUIET: Final = 1.0
"""Seconds that the engine may compute without a word on how far it is."""
LONGEST: Final = 2000
"""Characters that the paragraph of a decision may have."""
YES: Final = frozenset({"y", "yes"})
SKIP: Final = "skip it"
"""What passes over a recall question; no option's id has a space."""
HELP: Final = """\
<slider> <value>   move a slider, for example: batch 8
run                record the sliders as a numbered run
status             the sliders and the specs as they stand
sliders            what each slider can be
runs               every run so far
why                the law, with its terms at the last setting
diff A B           two runs beside each other
probe              what one step of each slider changes; on a budget, one step as a run
code               the last run's code; code CODE sets the sliders by one
hint               the next hint
pin N, unpin N     keep a run as a baseline, or let it go
done               go on: to the table if there is one, else to the truth
quit               leave; the play is saved and resumes here"""
TABLE_HELP: Final = """\
status             who asks what, how they stand, and the design on the table
show N             what run N gives of what each party asks
runs               every run so far
meet WHO N         run N gives them all that they ask
trade WHO N        run N is worth enough to them; else they counter
disprove WHO N     run N proves that they ask what can't be had
waive WHO          drop one of their wants: give the number that must still hold, and an owner
said               all that was said
pin N, unpin N     only a pinned run may be shown to them
bench              back to the workbench for another run
done               go on, once the table is closed
quit               leave; the play is saved and resumes here
WHO is a party's number. A move costs a turn, and a refusal its patience."""


class Left(Exception):
    """The player left. Everything is saved."""


class Plain:
    """Plays one game over two text streams.

    ``find`` gives installed missions, for what was played before; ``bets`` the bets of the
    student's other plays, asked for when the debrief needs them; ``answered`` the missions whose
    recall question was answered in another play.
    """

    def __init__(
        self,
        game: Game,
        source: TextIO,
        out: TextIO,
        *,
        find: Find = lambda *_: None,
        bets: Callable[[], Sequence[Bet]] = tuple,
        answered: Collection[str] = (),
    ) -> None:
        self._game = game
        self._source = source
        self._out = out
        self._find = find
        self._bets = bets
        self._answered = answered
        self._entered = time.monotonic()

    def play(self) -> bool:
        """Play to the close. Returns False if the player left before it."""
        try:
            run = self._game.restart_run()
            if run:
                self._game.end_run(run, self._computed(self._game.session.request(run.setting)))
                self._say(f"Run #{run.number} was unfinished; it has been executed again.")
            while not self._game.session.closed:
                self._screen()
        except Left:
            return False
        return True

    def _screen(self) -> None:
        screens: Mapping[str, Callable[[], None]] = {
            "briefing": self._briefing,
            "lock": self._lock,
            "workbench": self._workbench,
            "talks": self._talks,
            "reveal": self._reveal,
            "claim": self._claim,
            "decision": self._decision,
            "debrief": self._debrief,
        }
        screens[self._game.session.at.screen]()

    def _go(self, screen: str) -> None:
        """Leave this screen for another, with the time spent here."""
        spent = round((time.monotonic() - self._entered) * 1000)
        if screen == "reveal" and self._game.session.barred(screen) is None:
            self._ask_engine()
        self._game.go(screen, spent, 0)
        self._entered = time.monotonic()

    def _ask_engine(self) -> None:
        """Ask, one by one, what the truths need, and say how far it is."""
        requests = self._game.truth_requests()
        told = time.monotonic()
        for done, request in enumerate(requests):
            if time.monotonic() - told > QUIET:
                told = time.monotonic()
                self._say(f"The engine works out the truth: {done} of {len(requests)}.")
            evaluate.outcome(request)

    def _computed(self, request: Request) -> Outcome:
        """What the engine computes; of what takes longer than a moment, how far it is."""
        started = told = time.monotonic()
        found = None
        for found in evaluate.stream(request):
            now = time.monotonic()
            if found.rounds is not None and now - told > QUIET:
                told = now
                done, total = found.rounds
                left = (now - started) / max(1, done) * (total - done)
                self._say(f"Round {done} of {total}, about {left:.0f} s left.")
        assert found is not None  # the engine streams one outcome at least
        return found

    def _briefing(self) -> None:
        self._before()
        mission = self._game.session.mission
        figures = wording.constants(mission)
        crisis = mission.crisis
        self._say(f"{mission.title}. {mission.persona.name}: {mission.persona.role}.")
        self._say(f"Incoming from {crisis.sender}: {crisis.title}")
        self._say(wording.fill(crisis.text, figures))
        self._ask("Press Enter to go on")
        self._go("lock")

    def _before(self) -> None:
        """What was decided last time, and the question that it left; once a play."""
        session = self._game.session
        if session.recalled is not None:
            return
        for line in recall.last_time(session, self._find):
            self._say(line)
        asked = recall.asked(session, self._find, self._answered)
        if asked is None:
            return
        since = time.monotonic()
        self._say(f"Before you start, a minute for {clean_line(asked.title)}. It is never scored.")
        option = self._choose(asked.question, {**asked.options, SKIP: SKIP})
        chosen = None if option == SKIP else option
        self._game.act(asked.answered(chosen, round((time.monotonic() - since) * 1000)))
        if chosen is not None:
            right = asked.options[asked.answer]
            self._say("Yes." if chosen == asked.answer else f"It is: {right}")
            self._say(asked.explanation)

    def _lock(self) -> None:
        session = self._game.session
        waiting = session.next_lock
        if waiting is None:
            self._go("workbench")
            return
        name, lock = waiting
        figures = wording.given(session.mission, session.part, session.seed)
        self._say(wording.fill(session.part.objective, figures))
        self._say("Your prediction. It is sealed before any instrument unlocks.")
        self._say(wording.fill(lock.prompt, figures))
        for fact in lock.facts:
            self._say("  " + wording.fill(fact, figures))
        started = time.monotonic()
        edits = 0
        while True:
            sealed = self._prediction(name, lock, started, edits)
            answer, low, high = (
                wording.lock_answer(session.part, lock, figure)
                for figure in (sealed.value, sealed.low, sealed.high)
            )
            band = f", between {low} and {high}" if sealed.low is not None else ""
            self._say(f"You say {answer}{band}; {session.part.mechanisms[sealed.mechanism]}.")
            if self._yes("Seal it? It can't be changed afterwards"):
                self._try(partial(self._game.act, sealed))
                if remark := coach.after_seal(self._game.session):
                    self._say(remark)
                return
            edits += 1

    def _prediction(self, name: str, lock: Lock, started: float, edits: int) -> Seal:
        value: float | str
        low = high = None
        sure = None
        if lock.kind == "choice":
            value = self._choose("Your answer", lock.options)
            sure = self._choose("How sure?", {"sure": "sure", "unsure": "not sure"}) == "sure"
        else:
            value = self._number(f"Your number, in {lock.unit}", lock.unit)
            self._say("Now the band that you would bet four to one on.")
            low, high = self._band(lock, value)
        words = self._game.session.part.mechanisms
        why = self._choose(lock.why.ask, {m: words[m] for m in lock.mechanisms})
        latency = round((time.monotonic() - started) * 1000)
        return Seal(name, value, low, high, sure, why, latency, edits)

    def _band(self, lock: Lock, value: float) -> tuple[float, float]:
        """Both ends of a band; of what is widened by adding, also how far it goes each way."""
        unit = wording.lock_unit(self._game.session.part, lock)
        if lock.within is None:
            return self._number("From", lock.unit), self._number("To", lock.unit)
        while True:
            said = self._ask("From, or how far each way, for example +-2")
            wide = said.removeprefix("±").removeprefix("+-").removeprefix("+/-")
            try:
                found = parse(wide, lock.unit)
            except UnitError as error:
                self._say(f"{error}.")
                continue
            if wide == said:
                return found, self._number("To", lock.unit)
            return bands.around(lock, unit, value, abs(found))

    def _workbench(self) -> None:
        session = self._game.session
        self._say(f"Workbench: {session.part.title}. Type help for what you can do.")
        self._status()
        while self._game.session.at.screen == "workbench":
            words = self._ask(">").split()
            if words:
                self._try(partial(self._command, words[0].lower(), words[1:]))

    def _command(self, verb: str, rest: list[str]) -> None:
        game, part = self._game, self._game.session.part
        slider = slider_named(part, verb)
        if slider is not None:
            self._turn(slider, " ".join(rest))
            return
        match verb, rest:
            case "run", []:
                run = self._run()
                word = "passes" if run.passed else "does not pass"
                self._say(f"Run #{run.number} recorded: it {word}.")
                if remark := coach.after_run(game.session):
                    self._say(remark)
                self._status()
            case "status", []:
                self._status()
            case "sliders", []:
                for slider in part.sliders:
                    offered = (
                        wording.slider_value(part, slider, v) for v in space.values(part, slider)
                    )
                    label = part.sliders[slider].label
                    self._say(f"{label.lower()}: " + ", ".join(offered))
            case "runs", []:
                self._runs()
            case "why", []:
                self._why()
            case "hint", []:
                self._hint()
            case "diff", [first, second] if first.isdecimal() and second.isdecimal():
                self._diff(int(first), int(second))
            case "probe" | "sensitivity", []:
                self._probe()
            case "code", []:
                self._say(tables.last_code(game.session))
            case "code", written:
                game.turn_to("".join(written))
                self._say("Sliders: " + wording.setting(part, game.setting) + ".")
            case "pin" | "unpin", [number] if number.isdecimal():
                game.act(Pin(int(number)) if verb == "pin" else Unpin(int(number)))
                self._say(f"Run #{number} {verb}ned.")
            case "done", []:
                following = game.session.next_step
                assert following is not None  # a workbench is never the last
                screen = "claim" if game.session.state.truths else following.screen
                unmet = wording.unmet_says(game.session)
                if unmet and game.session.barred(screen) is None:
                    self._say(unmet)
                self._go(screen)
            case "help", _:
                self._out.write(HELP + "\n")
            case _:
                self._say(f"{verb} is not something you can do here; type help.")

    def _diff(self, first: int, second: int) -> None:
        runs = {run.number: run for run in self._game.session.state.runs if run.outcome}
        if first not in runs or second not in runs or first == second:
            raise Refused("choose two different runs, for example: diff 1 4")
        words = tables.difference(self._game.session, runs[first], runs[second])
        self._out.write(clean(words) + "\n")

    def _probe(self) -> None:
        """What one step changes: tried for nothing, or committed as a run."""
        game, session = self._game, self._game.session
        if session.follows_sliders:
            here = evaluate.outcome(session.request(game.setting))
            words = tables.sensitivity(session, here.metrics, game.sensitivity())
            self._out.write(clean(words) + "\n")
            return
        if session.runs_left == 0:
            raise Refused("no runs left: the best one stands")
        steps = {str(n): to for n, to in enumerate(game.neighbours(), 1)}
        offered = {n: tables.step(session.part, to) for n, to in steps.items()}
        chosen = self._choose("Which step? It costs a run.", {**offered, "0": "none of them"})
        if chosen not in steps:
            return
        run = game.begin_probe(steps[chosen])
        run = game.end_run(run, self._computed(game.session.request(run.setting)))
        self._say(f"Run #{run.number} recorded: it {'passes' if run.passed else 'does not pass'}.")
        if remark := coach.after_run(game.session):
            self._say(remark)
        self._status()

    def _run(self) -> Run:
        """Commit the sliders; nothing can stop the run here."""
        run = self._game.begin_run()
        return self._game.end_run(run, self._computed(self._game.session.request(run.setting)))

    def _turn(self, slider: str, text: str) -> None:
        session = self._game.session
        part = session.part
        self._game.turn(slider, slider_value(self._game, slider, text))
        self._game.settle()
        value = self._game.setting[slider]
        told = wording.slider_value(part, slider, value)
        self._say(f"{part.sliders[slider].label} {told}.")
        if session.follows_sliders:
            self._specs(evaluate.outcome(self._game.session.request()).metrics)
            self._say(f"({part.stand_in})")

    def _status(self) -> None:
        session = self._game.session
        part, last = session.part, session.last_run
        self._say("Sliders: " + wording.setting(part, self._game.setting) + ".")
        if session.follows_sliders:
            self._specs(evaluate.outcome(session.request(self._game.setting)).metrics)
            return
        if last is not None and last.outcome is not None:
            self._say(f"Run #{last.number}, at {wording.setting(part, last.setting)}:")
            self._specs(last.outcome.metrics)
            self._say(f"({part.stand_in})")
        left = session.runs_left or 0
        self._say(f"{left} run{'' if left == 1 else 's'} left; run commits the sliders.")

    def _specs(self, metrics: Mapping[str, float]) -> None:
        """Every spec at an outcome, then what it is called where it fails."""
        session = self._game.session
        part = session.part
        for reading in session.readings(metrics):
            unit = metric_of(part, reading.metric).unit
            word = f"{reading.word}, {wording.room(reading.headroom or 0.0, unit)}"
            label = part.specs[reading.id].label
            self._say(f"{label} {show(reading.value or 0.0, unit)}: {word}.")
        failure = session.failure(metrics)
        if failure is not None:
            figures = wording.given(session.mission, part, session.seed)
            figures |= wording.measured(part, metrics)
            self._say(f"{failure.title}. {wording.fill(failure.text, figures)}")

    def _runs(self) -> None:
        session = self._game.session
        for run in session.state.runs:
            if run.outcome is None:
                continue
            numbers = ", ".join(
                f"{label} {show(run.outcome.metrics[name], metric_of(session.part, name).unit)}"
                for name, label in session.part.metrics.items()
            )
            passed = "passes" if run.passed else "fails"
            self._say(
                f"#{run.number} {wording.setting(session.part, run.setting)}: {numbers}; {passed}"
            )

    def _why(self) -> None:
        session = self._game.session
        part = session.part
        if not session.follows_sliders and session.last_run is None:
            raise Refused("the law explains a run: commit one first")
        self._say(wording.model_formula(part))
        for metric in part.claim.metrics:
            base, terms = self._game.why(metric)
            unit = metric_of(part, metric).unit
            since = f"run #{base.number}" if base else "the default"
            self._say(f"{part.metrics[metric]}, since {since}:")
            for name, amount in terms.terms.items():
                mark = "  <- the largest" if name == terms.largest else ""
                self._say(f"  {show_change(amount, unit)}  {part.mechanisms[name]}{mark}")

    def _hint(self) -> None:
        session = self._game.session
        hint = session.next_hint
        if hint is None:
            raise Refused("there are no more hints")
        costs = badges.hint_costs(session)
        if costs and not self._yes(f"{costs}. Open it?"):
            return
        self._game.act(Hint(hint))
        if remark := coach.after_hint(self._game.session):
            self._say(remark)
        figures = wording.given(session.mission, session.part, session.seed)
        self._say(wording.fill(session.part.hints[hint], figures))

    # -- the table ---------------------------------------------------------------------------

    @property
    def _table(self) -> talks.Table:
        table = self._game.session.state.table
        assert table is not None  # a part without parties has no talks
        return table

    def _talks(self) -> None:
        part = self._game.session.part
        self._say(f"The table: {part.title}. Type help for what you can do.")
        for number, party in enumerate(part.stakeholders.values(), 1):
            self._say(f"{number}. {party.name}: “{self._told(party.opening)}”")
        self._parties()
        while self._game.session.at.screen == "talks":
            words = self._ask(">").split()
            if words:
                self._try(partial(self._at_the_table, words[0].lower(), words[1:]))

    def _at_the_table(self, verb: str, rest: list[str]) -> None:
        game = self._game
        match verb, rest:
            case "status", []:
                self._parties()
            case "show", [number] if number.isdecimal():
                self._shown(int(number))
            case "runs", []:
                self._runs()
            case "said", []:
                for n, turn in enumerate(self._table.said, 1):
                    self._say(f"Turn {n}:")
                    self._answer(turn)
            case "meet" | "trade" | "disprove", [who, number] if number.isdecimal():
                self._move(Move(self._party(who), verb, int(number)))
            case "waive", [who]:
                self._waive(self._party(who))
            case "pin" | "unpin", [number] if number.isdecimal():
                game.act(Pin(int(number)) if verb == "pin" else Unpin(int(number)))
                self._say(f"Run #{number} {verb}ned.")
            case "bench", []:
                self._go("workbench")
            case "done", []:
                following = game.session.next_step
                assert following is not None  # the talks are never the last
                self._go(following.screen)
            case "help", _:
                self._out.write(TABLE_HELP + "\n")
            case _:
                self._say(f"{verb} is not something you can do here; type help.")

    def _parties(self) -> None:
        """Who asks what, how they stand, and the design on the table."""
        session, table = self._game.session, self._table
        part = session.part
        for number, (name, party) in enumerate(part.stakeholders.items(), 1):
            stand = table.stands[name]
            left = talks.patience_left(party, stand)
            words = parley.standing(stand)
            if stand.settled == "waived":
                words = parley.stands_as(party, stand).partition(" ")[2]  # without its mark
            if stand.settled is None:
                words += f", patience {left}, asks {parley.asked(part, party, stand.demand)}"
            self._say(f"{number}. {party.name}: {words}.")
        lies = "nothing yet"
        if table.run is not None:
            setting = session.state.runs[table.run - 1].setting
            lies = f"run #{table.run}, {wording.setting(part, setting)}"
        self._say(f"On the table: {lies}. {table.turns_left} of {talks.TURNS} turns left.")
        pinned = ", ".join(f"#{run.number}" for run in session.citable())
        self._say(f"Pinned runs: {pinned or 'none; pin N first'}.")

    def _shown(self, number: int) -> None:
        """What a run gives of what each party asks."""
        session = self._game.session
        part = session.part
        run = next((run for run in session.state.runs if run.number == number and run.ended), None)
        if run is None or run.outcome is None:
            raise Refused(f"there is no run #{number} to show")
        self._say(f"Run #{number}, at {wording.setting(part, run.setting)}:")
        for name, party in part.stakeholders.items():
            demand = self._table.stands[name].demand
            for held in talks.held(party, demand, run.outcome.metrics):
                want = party.wants[held.want]
                limit = f"{parley.sign(want)} {parley.measure(part, want, held.demand)}"
                value = parley.measure(part, want, held.value or 0.0)
                word = "holds" if held.met else "lacks"
                self._say(f"{party.name}: {want.label} {value}, {word}, asked {limit}.")
            near = parley.proof(part, self._table, name, run)
            if near != (parley.PROOF,) and self._table.stands[name].settled is None:
                for line in near:
                    self._say(f"{party.name}: {line}")

    def _party(self, word: str) -> str:
        """The party that a player means: its number, its id, or a word of its name."""
        for number, (name, party) in enumerate(self._game.session.part.stakeholders.items(), 1):
            if word.lower() in {str(number), name, *party.name.lower().split()}:
                return name
        known = ", ".join(party.name for party in self._game.session.part.stakeholders.values())
        raise Refused(f"there is no party {word!r}: {known}")

    def _move(self, move: Move) -> None:
        """Say what would be said, then say it."""
        session, table = self._game.session, self._table
        part = session.part
        if refusal := parley.refusal(session, move):
            raise Refused(refusal)
        kind = next(kind for kind in talks.KINDS if kind == move.move)
        if move.run is not None:
            words = parley.offer(part, table, move.party, kind, move.run)
            if kind == "disprove":
                near = parley.proof(part, table, move.party, session.state.runs[move.run - 1])
                words = "\n".join((words, *near))
        else:
            threshold = move.threshold or 0.0
            words = parley.waiver(part, table, move.party, move.want or "", threshold, move.owner)
        self._say(words.replace("\n\n", "\n"))
        if self._yes("Send it?"):
            self._game.act(move)
            self._answer(self._table.said[-1])
            self._parties()
        else:
            self._say("Nothing was said.")

    def _waive(self, name: str) -> None:
        part = self._game.session.part
        party, demand = part.stakeholders[name], self._table.stands[name].demand
        offered = {want: parley.asked(part, party, {want: demand[want]}) for want in party.wants}
        want = self._choose("Which want?", offered)
        unit = metric_of(part, party.wants[want].metric).unit
        asked = f"{party.wants[want].label} {parley.sign(party.wants[want])}"
        within = f", in {unit}" if unit else ""
        threshold = self._number(f"Every later design must still keep {asked}{within}", unit)
        owner = clean_line(self._ask("Who owns the risk?"), 40)
        if not owner:
            raise Refused("a risk has an owner: say who")
        self._move(Move(name, "waive", None, want, threshold, owner))

    def _answer(self, turn: talks.Said) -> None:
        session = self._game.session
        name = session.part.stakeholders[turn.party].name
        self._say(f"{name}: “{self._told(parley.reply(session.part, turn))}”")
        for fact in parley.facts(session, turn):
            self._say(self._told(fact))

    def _told(self, text: str) -> str:
        session = self._game.session
        return wording.fill(text, wording.given(session.mission, session.part, session.seed))

    # -- after the workbench -----------------------------------------------------------------

    def _reveal(self) -> None:
        session = self._game.session
        part = session.part
        figures = wording.given(session.mission, part, session.seed)
        for name, judgement in session.judgements(session.part_id).items():
            lock, sealed = part.locks[name], session.state.sealed[name]
            truth = session.state.truths[name]
            told = figures | wording.lock_figures(part, lock, sealed, truth)
            self._say(f"You said {told['value']}. The engine says {told['truth']}.")
            self._say(wording.fill(getattr(lock.cells, judgement.cell), told))
        self._say(wording.fill(part.lesson, figures))
        said = self._ask("Press Enter to go on; bench goes back to the workbench")
        self._go("workbench" if said.lower() == "bench" else "claim")

    def _claim(self) -> None:
        session = self._game.session
        self._say(session.part.claim.question)
        while self._game.session.claims_left > 0:
            self._try(self._file_claim)
            unsettled = self._game.session.state.claims and self._game.session.claims_left > 0
            if unsettled and not self._yes("Another attempt?"):
                break
        following = self._game.session.next_step
        if following is not None:
            self._try(partial(self._go, following.screen))

    def _file_claim(self) -> None:
        game, part = self._game, self._game.session.part
        self._runs()
        metric = self._choose(
            "About which metric?", {m: part.metrics[m] for m in part.claim.metrics}
        )
        ask = "From which run to which? For example: 1 4"
        if along := game.flips_along(metric):
            label = part.sliders[along[0]].label
            ask += f". Or with where it would flip: 1 4, {label} … (a value, or never)"
        said, _, flipped = self._ask(ask).partition(",")
        cited = said.replace("#", "").split()
        if len(cited) != 2 or not all(word.isdecimal() for word in cited):
            raise Refused("give two run numbers, for example: 1 4")
        runs = (int(cited[0]), int(cited[1]))
        flip = flips.read(part, flipped) if flipped.strip() else None
        draft = game.draft(metric, *runs)
        before, after = (
            "–" if value is None else wording.slider_value(part, draft.control, value)
            for value in (draft.before, draft.after)
        )
        label = part.sliders[draft.control].label if draft.control else "nothing"
        self._say(
            f"{part.metrics[metric]} {draft.direction} by {draft.amount} {draft.unit} "
            f"when {label} went from {before} to {after}, because …"
        )
        if len(draft.changed) > 1:
            names = ", ".join(wording.changed(part, name) for name in draft.changed)
            self._say(f"Careful: these runs differ in {names}.")
        if flip is not None:
            self._say(f"And it {flips.words(part, *flip)}.")
        terms = metric_of(part, metric).terms
        why = self._choose("Because", {m: part.mechanisms[m] for m in terms})
        answer = self._ask("Your answer to the question, in a line (may be empty)")
        game.claim(draft, runs, why, answer, flip)
        filed, session_part = game.session.state.claims[-1], game.session.part
        self._say("Verified." if filed.verified else "Not verified:")
        for check, reason in filed.failed.items():
            self._say(f"  {check}: {wording.with_labels(session_part, reason)}")

    def _decision(self) -> None:
        session = self._game.session
        decision = session.mission.decision
        assert decision is not None  # a mission without one has no such step
        figures = wording.deciding(session)
        if session.decision is None:
            self._say(wording.fill(decision.question, figures))
            for fact in decision.facts:
                self._say("  " + wording.fill(fact, figures))
            options = {o: wording.fill(words, figures) for o, words in decision.options.items()}
            self._try(partial(self._decide, options, wording.fill(decision.ask, figures)))
            return
        self._go("debrief")

    def _decide(self, options: Mapping[str, str], ask: str) -> None:
        choice = self._choose("You decide:", options)
        self._say(f"Defend it, in a paragraph on one line. {ask}")
        text = self._ask("Your paragraph:", LONGEST)
        if not text:
            raise Refused("defend it: the paragraph is the one that you must write")
        for figure in quoted.resolved(self._game.session, text):
            self._say(f"  {figure.words}")
        if self._yes("File it? It can't be changed afterwards"):
            self._game.act(Decide(choice, text))

    def _debrief(self) -> None:
        session = self._game.session
        self._say("The debrief.")
        self._out.flush()  # the engine may need a moment for what it quotes
        known = debriefing.gather(session, self._bets())
        for line in debriefing.plain(debriefing.blocks(session, known)):
            self._say(line)
        self._ask("Press Enter to close the play and sign the ledger")
        self._game.act(Close())

    def _yes(self, question: str) -> bool:
        return self._ask(f"{question} (yes/no)").lower() in YES

    def _choose(self, question: str, options: Mapping[str, str]) -> str:
        ids = list(options)
        self._say(question)
        for number, name in enumerate(ids, start=1):
            self._say(f"  {number}. {options[name]}")
        while True:
            said = self._ask(f"1 to {len(ids)}")
            if said in options:
                return said
            if said.isdecimal() and 1 <= int(said) <= len(ids):
                return ids[int(said) - 1]
            self._say(f"Give a number from 1 to {len(ids)}.")

    def _number(self, question: str, unit: str) -> float:
        while True:
            try:
                return parse(self._ask(question), unit)
            except UnitError as error:
                self._say(f"{error}.")

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except (Refused, UnitError) as refusal:
            self._say(f"No: {refusal}.")

    def _ask(self, question: str, limit: int = 900) -> str:
        self._out.write(clean_line(question) + " ")
        self._out.flush()
        line = self._source.readline()
        if not self._source.isatty():  # nobody's Enter ended the question's line
            self._out.write("\n")
        if not line or line.strip().lower() == "quit":
            raise Left
        return clean_line(line.strip(), limit)

    def _say(self, text: str) -> None:
        for line in clean(text).split("\n"):
            self._out.write(wrapped(line, WIDTH, subsequent_indent="") + "\n")


def slider_named(part: Part, word: str) -> str | None:
    """The slider that a player means: by its id, or by its label's first word."""
    for name, use in part.sliders.items():
        if word in {name, use.label.lower(), use.label.lower().split()[0]}:
            return name
    return None


def slider_value(game: Game, slider: str, text: str) -> Value:
    """What a player typed for a slider: an option's id or label, or a number with its unit.

    Raises :class:`Refused` or :class:`UnitError` with one sentence.
    """
    part = game.session.part
    offered = space.values(part, slider)
    for value in offered:
        if text.lower() in {str(value).lower(), wording.slider_value(part, slider, value).lower()}:
            return value
    if isinstance(offered[0], str):
        raise Refused(f"{slider} can be " + ", ".join(_labels(game, slider)))
    control = space.engine_control(part, slider)
    number = parse(text, control.unit if control else "")
    return space.nearest(part, slider, number)


def _labels(game: Game, slider: str) -> Iterator[str]:
    part = game.session.part
    for value in space.values(part, slider):
        yield wording.slider_value(part, slider, value)
