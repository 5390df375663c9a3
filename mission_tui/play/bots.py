"""Players that are programs: they drive the same Session, and their ledgers say so.

``reference`` knows the engine's answers, the mission's reference solution and what each party
privately wants: it shows that a part can be won. ``accept`` plays as well and signs a waiver for
whatever is asked, ``refuse`` calls everything impossible: both must lose at a table. ``random``
knows nothing: it shows what luck alone reaches. Three search without understanding: ``climber``
turns one slider, ``descent`` one after the other, ``sweep`` looks wherever looking is cheap and
commits once. They know of a run what a player sees of it, and never ask about one not made.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Final, Protocol

from engine.contract import Outcome, Value
from mission_tui.content import space
from mission_tui.content.schema import Lock, Part
from mission_tui.play import locks, talks
from mission_tui.play.actions import Close, Decide, Instant, Move, Pin, Seal
from mission_tui.play.claims import Evidence, differing
from mission_tui.play.evaluate import Request, explain, outcome, stream
from mission_tui.play.game import Game
from mission_tui.play.regret import objective
from mission_tui.play.session import Refused, Run, Session

OWNER: Final = "a bot, which owns nothing"
"""Whom a bot's waivers name: nobody should take them for a person's."""
PARAGRAPH: Final = "A bot decided this: it took an option and weighed nothing."
FREE_RUNS: Final = 12
"""Runs that a searching bot makes where they are free."""
FREE_LOOKS: Final = 60
"""Settings that ``sweep`` turns through where the instruments follow the sliders."""
GLANCE: Final = 1
"""Rounds after which ``sweep`` has seen enough of a run that it only looks at."""


class Bot(Protocol):
    """How a program plays: what it predicts, tries, brings to the table, says and claims."""

    name: str

    def predict(self, session: Session, name: str, lock: Lock) -> Seal:
        """The prediction for one lock."""
        ...

    def settings(self, session: Session) -> Iterator[Mapping[str, Value]]:
        """The settings to run, in order."""
        ...

    def stops(self, session: Session) -> int | None:
        """After how many rounds the run that just began is stopped; None lets it end."""
        ...

    def pins(self, session: Session) -> Sequence[int]:
        """The runs to pin before the talks."""
        ...

    def move(self, session: Session) -> Move:
        """The next move at the table."""
        ...

    def claim(self, session: Session) -> tuple[str, tuple[int, int], str]:
        """A metric, two runs and a mechanism."""
        ...

    def decide(self, session: Session) -> Decide:
        """The decision, and its paragraph."""
        ...


class Reference:
    """Plays the mission's reference solution, and changes one thing at a time."""

    name = "reference"

    def predict(self, session: Session, name: str, lock: Lock) -> Seal:
        """The truth, with a band of ten per cent or of the lock's own ±."""
        truth = locks.truth(session.mission, session.part, lock, session.seed)
        if isinstance(truth.value, str):
            return Seal(name, truth.value, None, None, True, truth.mechanism, 0, 0)
        value = float(truth.value)
        slack = max(abs(value) * 0.1, lock.within or 0.0)
        return Seal(name, value, value - slack, value + slack, None, truth.mechanism, 0, 0)

    def settings(self, session: Session) -> Iterator[Mapping[str, Value]]:
        """The reference, the bounds' corners, the reference with one slider back, the default.

        The reference comes first, so that a small budget suffices; a live part opens on its
        default, where the crisis is.
        """
        part = session.part
        back = (
            {**part.reference, slider: value}
            for slider, value in part.default.items()
            if value != part.reference[slider]
        )
        wanted = [part.reference, *_corners(part), *back, part.default]
        if part.kind == "live":
            wanted.insert(0, part.default)
        tried: list[Mapping[str, Value]] = []
        for setting in wanted:
            if setting not in tried:
                tried.append(setting)
                yield setting

    def stops(self, session: Session) -> int | None:  # noqa: ARG002
        """Never."""
        return None

    def pins(self, session: Session) -> Sequence[int]:
        """The runs that a deal can be made with; where there is none, every run."""
        table = session.state.table
        way = deal(session.part, table, _cited(session.state.runs)) if table else None
        cited = dict.fromkeys(move.run for move in way or () if move.run is not None)
        return list(cited) or _ended(session)

    def move(self, session: Session) -> Move:
        """The next step to a deal; where there is no deal, what is accepted; else a waiver."""
        table = session.state.table
        assert table is not None
        runs = _cited(session.citable())
        if way := deal(session.part, table, runs):
            return way[0]
        for move, found in _accepted(session.part, table, runs):
            if not found.reopened:
                return move
        return waiver(session, table.open[0])

    def claim(self, session: Session) -> tuple[str, tuple[int, int], str]:
        """The controlled pair with the largest move of the first metric that may be claimed."""
        metric = session.part.claim.metrics[0]
        runs = session.evidence()
        first, second = max(
            (pair for pair in combinations(runs.values(), 2) if len(differing(*pair)) == 1),
            key=lambda pair: abs(pair[1].metrics[metric] - pair[0].metrics[metric]),
        )
        terms = explain(metric, _request(session, first), _request(session, second))
        return metric, (first.number, second.number), terms.largest

    def decide(self, session: Session) -> Decide:
        """The first option."""
        return Decide(_options(session)[0], PARAGRAPH)


class Accept(Reference):
    """Plays the reference's runs, and signs whatever is asked at the table."""

    name = "accept"

    def move(self, session: Session) -> Move:
        """A waiver for the first party that still asks for something."""
        table = session.state.table
        assert table is not None
        return waiver(session, table.open[0])


class Refuse(Reference):
    """Plays the reference's runs, pins them all, and calls every demand impossible."""

    name = "refuse"

    def pins(self, session: Session) -> Sequence[int]:
        """Every run that came to its end."""
        return _ended(session)

    def move(self, session: Session) -> Move:
        """One pinned run after the other as the proof, to one party after the other."""
        table = session.state.table
        assert table is not None
        party, at_hand = table.open[0], session.citable()
        if not at_hand:
            return waiver(session, party)
        run = at_hand[table.stands[party].refusals % len(at_hand)]
        return Move(party, "disprove", run.number)


class Random:
    """Guesses everything, from a seed."""

    name = "random"

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def predict(self, session: Session, name: str, lock: Lock) -> Seal:
        """A number within a decade and a half of what the default comes to, or any option."""
        mechanism = self._dice.choice(lock.mechanisms)
        if lock.kind == "choice":
            option = self._dice.choice(sorted(lock.options))
            return Seal(name, option, None, None, self._dice.random() < 0.5, mechanism, 0, 0)
        start = outcome(session.request(session.part.default)).metrics[lock.why.metric]
        value = (abs(start) or 1.0) * 10 ** self._dice.uniform(-1.5, 1.5)
        return Seal(name, value, value / 2, value * 2, None, mechanism, 0, 0)

    def settings(self, session: Session) -> Iterator[Mapping[str, Value]]:
        """Settings drawn evenly from the grid: as many as the part has runs, or six."""
        for _ in range(session.runs_left or 6):
            yield {
                slider: self._dice.choice(space.values(session.part, slider))
                for slider in session.part.sliders
            }

    def stops(self, session: Session) -> int | None:  # noqa: ARG002
        """Never."""
        return None

    def pins(self, session: Session) -> Sequence[int]:
        """Any of the runs that came to their end."""
        ended = _ended(session)
        return self._dice.sample(ended, self._dice.randint(0, len(ended)))

    def move(self, session: Session) -> Move:
        """Any move that the rules allow: a waiver of each open party always is one."""
        table = session.state.table
        assert table is not None
        possible = [waiver(session, party) for party in table.open]
        possible += [
            Move(party, kind, run.number)
            for party in table.open
            for kind in talks.KINDS
            for run in session.citable()
        ]
        return self._dice.choice([move for move in possible if _allowed(session, move)])

    def claim(self, session: Session) -> tuple[str, tuple[int, int], str]:
        """Any metric, any two runs, any mechanism."""
        metric = self._dice.choice(session.part.claim.metrics)
        first, second = self._dice.sample(sorted(session.evidence()), 2)
        return metric, (first, second), self._dice.choice(sorted(session.part.mechanisms))

    def decide(self, session: Session) -> Decide:
        """Any option."""
        return Decide(self._dice.choice(_options(session)), PARAGRAPH)


class Climber(Random):
    """Turns one slider, drawn from a seed, and stays where it came out best."""

    name = "climber"

    def settings(self, session: Session) -> Iterator[Mapping[str, Value]]:
        """The default, then along one slider towards what is better, in ever smaller strides."""
        start = dict(session.part.default)
        yield start
        slider = self._dice.choice(sorted(session.part.sliders))
        left = (session.runs_left or FREE_RUNS) - 1
        for setting, _ in zip(_along(session, start, slider), range(left), strict=False):
            yield setting

    def pins(self, session: Session) -> Sequence[int]:
        """Every run that came to its end."""
        return _ended(session)


class Descent(Climber):
    """Coordinate descent: climbs along one slider after the other, each from the best so far."""

    name = "descent"

    def settings(self, session: Session) -> Iterator[Mapping[str, Value]]:
        """The default, then every slider in turn until none of them helps."""
        at = dict(session.part.default)
        yield at
        left = (session.runs_left or FREE_RUNS) - 1
        sliders = sorted(session.part.sliders)
        self._dice.shuffle(sliders)
        each = max(2, left // len(sliders))
        while left > 0:
            start = at
            for slider in sliders:
                way = _along(session, at, slider)
                for setting, _ in zip(way, range(min(each, left)), strict=False):
                    left -= 1
                    yield setting
                    at = max(at, dict(setting), key=lambda s: _score(session, s))
            if at == start:
                return


class Sweep(Climber):
    """Cheats, where that is possible: looks at settings without paying, then commits the best.

    Where the instruments follow the sliders it turns through many. Where runs are budgeted all
    it can do is stop them early, and they are charged all the same.
    """

    name = "sweep"

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._looks = False

    def settings(self, session: Session) -> Iterator[Mapping[str, Value]]:
        """Any settings, to be stopped early; then what looked best, to its end."""
        drawn = super(Climber, self).settings(session)
        if session.runs_left is None:
            part = session.part
            seen: list[Mapping[str, Value]] = [part.default]
            for _ in range(FREE_LOOKS):
                sliders = part.sliders
                seen.append({s: self._dice.choice(space.values(part, s)) for s in sliders})
            yield max(seen, key=lambda setting: _score(session, setting))
            return
        best, most = dict(session.part.default), float("-inf")
        self._looks = True
        for setting, _ in zip(drawn, range(session.runs_left - 1), strict=False):
            yield setting
            partial = _glance(session.request(setting), GLANCE)
            found = objective(session.mission, session.part, partial.metrics)
            if found > most:
                best, most = dict(setting), found
        self._looks = False
        yield best

    def stops(self, session: Session) -> int | None:  # noqa: ARG002
        """As soon as there is something to see, while it only looks."""
        return GLANCE if self._looks else None


NAMES: Final = ("reference", "random", "climber", "descent", "sweep", "accept", "refuse")


def bot(name: str, seed: int) -> Bot:
    """The bot called ``name``. Raises KeyError for any other."""
    match name:
        case "reference":
            return Reference()
        case "random":
            return Random(seed)
        case "climber":
            return Climber(seed)
        case "descent":
            return Descent(seed)
        case "sweep":
            return Sweep(seed)
        case "accept":
            return Accept()
        case "refuse":
            return Refuse()
    raise KeyError(name)


def deal(part: Part, table: talks.Table, runs: Sequence[talks.Cited]) -> tuple[Move, ...] | None:
    """The shortest way of accepted moves to a table that is won, or None where there is none.

    Which party comes first matters: a design that one is given may reopen what another agreed to.
    """
    ways: list[tuple[talks.Table, tuple[Move, ...]]] = [(table, ())]
    seen = []
    while ways:
        now, way = ways.pop(0)
        if now.won:
            return way
        for move, found in _accepted(part, now, runs):
            then = talks.after(part, now, move.party, found, move.run, {})
            if (then.stands, then.run) not in seen:
                seen.append((then.stands, then.run))
                ways.append((then, (*way, move)))
    return None


def waiver(session: Session, party: str) -> Move:
    """A waiver at what the party asks, or at what the design on the table gives if that is less.

    It waives the first want that the design leaves unmet; of several equal ones the first.
    """
    table = session.state.table
    assert table is not None
    wants, demand = session.part.stakeholders[party].wants, table.stands[party].demand
    lies = session.state.runs[table.run - 1].outcome if table.run is not None else None
    metrics = lies.metrics if lies else {}
    unmet = talks.lacking(session.part.stakeholders[party], demand, metrics) if lies else ()
    want = next(iter(unmet or wants))
    threshold = metrics[wants[want].metric] if want in unmet else demand[want]
    return Move(party, "waive", want=want, threshold=threshold, owner=OWNER)


def play(game: Game, player: Bot, until: str | None = None) -> None:
    """Play a game from where it stands to its close, or to the first screen ``until``."""
    while not game.session.closed and game.session.at.screen != until:
        step(game, player)


def step(game: Game, player: Bot) -> None:
    """Do what is next on the screen where a game stands, and go on once that is done.

    A lock, a move at the table, or all runs of a part are one step.
    """
    session = game.session
    match session.at.screen:
        case "briefing":
            game.go("lock", 0, 0)
        case "lock":
            if session.next_lock:
                game.act(player.predict(session, *session.next_lock))
            else:
                game.go("workbench", 0, 0)
        case "workbench":
            _experiment(game, player)
            _on(game)
        case "talks":
            if session.state.table is None or session.state.table.over:
                _on(game)
            else:
                game.act(player.move(session))
        case "reveal":
            _on(game)
        case "claim":
            metric, runs, mechanism = player.claim(session)
            game.claim(game.draft(metric, *runs), runs, mechanism, "")
            _on(game)
        case "decision":
            game.act(player.decide(session))
            _on(game)
        case "debrief":
            game.act(Close())


def _on(game: Game) -> None:
    """Go to the next step."""
    following = game.session.next_step
    assert following is not None
    game.go(following.screen, 0, 0)


def _experiment(game: Game, player: Bot) -> None:
    """Make the player's runs, as far as the budget goes, and pin what it will cite."""
    for setting in player.settings(game.session):
        if game.session.runs_left == 0:
            break
        _run_at(game, setting, player)
    for _ in range(game.session.distinct_left):
        if game.session.runs_left != 0:
            _nudge(game)
    if game.session.part.stakeholders:
        for number in player.pins(game.session):
            game.act(Pin(number))


def _nudge(game: Game) -> None:
    """Run somewhere that counts as different."""
    session = game.session
    setting = space.unlike(session.part, [run.setting for run in session.different])
    if setting is not None:
        _run_at(game, setting)


def _run_at(game: Game, setting: Mapping[str, Value], player: Bot | None = None) -> None:
    for slider, value in setting.items():
        if game.setting[slider] != value:
            game.turn(slider, value)
    rounds = player.stops(game.session) if player is not None else None
    if rounds is None:
        game.run()
        return
    run = game.begin_run()
    game.cancel_run(run, _glance(game.session.request(run.setting), rounds))


@lru_cache(maxsize=64)
def _glance(request: Request, rounds: int) -> Outcome:
    """What a run shows after so many rounds; all of it, where it does not come in rounds."""
    last = None
    for last in stream(request):
        if last.rounds is not None and last.rounds[0] >= rounds:
            break
    assert last is not None
    return last


def _score(session: Session, setting: Mapping[str, Value]) -> float:
    """What a run that was made at ``setting`` is worth; the engine is asked once for both."""
    metrics = outcome(session.request(setting)).metrics
    return objective(session.mission, session.part, metrics)


def _along(
    session: Session, start: Mapping[str, Value], slider: str
) -> Generator[dict[str, Value], None, None]:
    """Settings along one slider, each chosen by how those before it came out.

    ``start`` has been run. Options are tried one after the other; along numbers it strides a
    quarter of the grid, goes on while that helps, and halves the stride where it does not.
    """
    grid = space.values(session.part, slider)
    here = grid.index(start[slider])
    if isinstance(grid[0], (str, bool)):
        yield from ({**start, slider: value} for value in grid if value != grid[here])
        return
    scores = {here: _score(session, start)}
    stride = max(1, len(grid) // 4)
    while stride:
        best = here
        for there in (here + stride, here - stride):
            if 0 <= there < len(grid) and there not in scores:
                setting = {**start, slider: grid[there]}
                yield setting
                scores[there] = _score(session, setting)
                if scores[there] > scores[best]:
                    best = there
        if best == here:
            stride //= 2
        here = best


def _corners(part: Part) -> Iterator[Mapping[str, Value]]:
    """Where each party's want is as good as it gets; other sliders as in the reference."""
    for party in part.stakeholders.values():
        if party.bound is not None:
            yield {**part.reference, **party.bound.corner}


def _accepted(
    part: Part, table: talks.Table, runs: Sequence[talks.Cited]
) -> Iterator[tuple[Move, talks.Answer]]:
    """Every move with a run that a party would accept now."""
    if table.over:
        return
    for party in table.open:
        for kind in talks.KINDS:
            for run in runs:
                if kind == "waive" or (
                    kind != "disprove" and talks.broken_waiver(part, table, run)
                ):
                    continue
                found = talks.answer(part, table, party, kind, run)
                if found.accepted:
                    yield Move(party, kind, run.number), found


def _allowed(session: Session, move: Move) -> bool:
    try:
        session.decide(move, Instant(session.mono_ms, ""))
    except Refused:
        return False
    return True


def _options(session: Session) -> list[str]:
    decision = session.mission.decision
    assert decision is not None
    return list(decision.options)


def _ended(session: Session) -> list[int]:
    return [run.number for run in session.state.runs if run.ended]


def _cited(runs: Iterable[Run]) -> list[talks.Cited]:
    """The runs that came to their end, as evidence at the table."""
    return [
        talks.Cited(run.number, run.setting, run.outcome.metrics)
        for run in runs
        if run.ended and run.outcome is not None
    ]


def _request(session: Session, run: Evidence) -> Request:
    return session.request(run.setting)
