from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.contract import Value
from mission_tui.content import space
from mission_tui.content.check import SIZES
from mission_tui.content.load import MissionFile, load
from mission_tui.content.schema import Mission, Part, Size
from mission_tui.ledger.replay import replay
from mission_tui.play import bots, talks
from mission_tui.play.actions import Instant
from mission_tui.play.evaluate import Request, outcome
from mission_tui.play.events import Event
from mission_tui.play.game import Game
from mission_tui.play.session import Session
from mission_tui.play.specs import readings
from mission_tui.play.start import Who, header
from mission_tui.play.talks import Cited
from tests.play.fleets import PART, small_fleet

TABLE = Path(__file__).parent.parent / "missions" / "table.toml"
ONE = ("edge", *(pytest.param(t, marks=pytest.mark.soak) for t in ("cloud", "mobile", "tiny")))
"""One track in each run of the tests, the others in the long one."""


def played(mission: Mission, bot: str, seed: int) -> tuple[Session, tuple[Event, ...]]:
    who = Who("ada", f"bot:{bot}", "00" * 32, chosen_seed=seed)
    events = [header(mission, who, datetime(2026, 1, 1, tzinfo=UTC))]
    session = Session.begin(mission, events[0].data)
    game = Game(session, events.append, lambda: Instant(0, "w"))
    bots.play(game, bots.bot(bot, seed))
    return game.session, tuple(events)


@pytest.mark.parametrize("track", ONE)
def test_the_reference_passes_and_its_claims_are_verified(shipped: MissionFile, track: str) -> None:
    session, events = played(shipped.tracks[track], "reference", 1)
    assert session.closed
    for name, state in session.parts.items():
        assert session.passed(name)
        assert [filed.failed for filed in state.claims] == [{}]
        assert {j.cell for j in session.judgements(name).values()} == {"both"}
        assert all(j.in_band is not False for j in session.judgements(name).values())
    assert Session.replayed(session.mission, events) == session


@pytest.mark.soak
@pytest.mark.parametrize("track", ONE)
def test_random_play_is_legal(shipped: MissionFile, track: str) -> None:
    session, events = played(shipped.tracks[track], "random", 7)
    assert session.closed
    assert Session.replayed(session.mission, events) == session


@pytest.mark.soak
def test_a_random_play_follows_from_its_seed(shipped: MissionFile) -> None:
    first, second, other = (played(shipped.tracks["tiny"], "random", n)[0] for n in (3, 3, 4))
    assert first.parts == second.parts
    assert first.parts != other.parts


@pytest.mark.parametrize("name", bots.NAMES)
def test_every_bot_says_its_own_name(name: str) -> None:
    assert bots.bot(name, 0).name == name


def test_no_other_bot_is_known() -> None:
    with pytest.raises(KeyError):
        bots.bot("genius", 0)


@pytest.mark.parametrize("track", ONE)
def test_the_default_breaks_and_the_reference_holds_on_every_seed_of_the_deck(
    shipped: MissionFile, track: str
) -> None:
    part = shipped.tracks[track].parts["memory"]
    for seed in part.seeds:
        default, reference = (
            readings(shipped.tracks[track], part, outcome(Request.at(part, setting, seed)).metrics)
            for setting in (part.default, part.reference)
        )
        assert not all(reading.met for reading in default), seed
        assert {r.id: r.headroom for r in reference if not r.met} == {}, seed


@pytest.mark.parametrize("track", ONE)
@pytest.mark.parametrize("size", SIZES)
def test_budgeted_parts_open_broken_and_can_be_won_whatever_was_carried(
    shipped: MissionFile, track: str, size: Size
) -> None:
    mission = shipped.tracks[track]
    for part in (mission.parts[name].given_class(size) for name in ("converge", "privacy")):
        seed = part.seeds[SIZES.index(size)]
        corners = [dict(party.bound.corner) for party in part.stakeholders.values() if party.bound]
        settings = [part.default, part.reference, *({**part.reference, **c} for c in corners)]
        found = [outcome(Request.at(part, setting, seed)).metrics for setting in settings]
        assert not all(r.met for r in readings(mission, part, found[0]))
        if part.stakeholders:
            pairs = enumerate(zip(settings, found, strict=True), 1)
            cited = [Cited(n, setting, metrics) for n, (setting, metrics) in pairs]
            table = talks.opened(part)
            assert bots.deal(part, table, cited[1:]), "no way to a deal"
            assert bots.deal(part, table, cited[:1]) is None, "the default makes one"
        else:
            assert {r.id: r.headroom for r in readings(mission, part, found[1]) if not r.met} == {}


@pytest.mark.parametrize("track", ONE)
def test_every_slider_moves_a_metric(shipped: MissionFile, track: str) -> None:
    for part in shipped.tracks[track].parts.values():
        for slider in part.sliders:
            reached = {
                tuple(
                    outcome(
                        Request.at(part, {**part.reference, slider: value}, part.seeds[0])
                    ).metrics[metric]
                    for metric in part.metrics
                )
                for value in space.values(part, slider)[:4]
            }
            assert len(reached) > 1, slider


# -- budgets ---------------------------------------------------------------------------------


@pytest.mark.parametrize("runs", [2, 3, 5, 10])
@pytest.mark.parametrize("bot", ["reference", "random"])
def test_no_bot_makes_more_runs_than_its_budget(bot: str, runs: int) -> None:
    session, events = played(small_fleet(runs=runs), bot, 3)
    assert session.closed
    assert 2 <= len(session.parts[PART].runs) <= runs
    assert Session.replayed(session.mission, events) == session


@pytest.mark.parametrize("runs", [2, 4])
def test_a_small_budget_suffices_for_the_reference_and_a_claim_that_holds(runs: int) -> None:
    mission = small_fleet(runs=runs)
    session, events = played(mission, "reference", 3)
    state = session.parts[PART]
    assert state.runs[0].setting == mission.parts[PART].reference
    assert [filed.failed for filed in state.claims] == [{}]
    assert not replay(mission, events).fails


# -- tables ----------------------------------------------------------------------------------

CORNER: dict[str, Value] = {"tuning": "full", "batch": 1}


def at_a_table(table: Mission, scenario: str) -> Mission:
    """The clerk and the coach with demands that the engine's own figures make what is said."""
    part = table.parts["memory"].model_copy(
        update={"seeds": (table.parts["memory"].seeds[0],) * 16}
    )

    def at(setting: dict[str, Value]) -> Any:
        return outcome(Request.at(part, setting, part.seeds[0])).metrics

    reference, corner = at(dict(part.reference)), at({**part.reference, **CORNER})
    clerk, coach = part.stakeholders["clerk"], part.stakeholders["coach"]
    wanted = {"asks": reference["accuracy"] - 1, "reserve": reference["accuracy"] - 9}
    trained = {"asks": 1.0, "reserve": 0.0, "aspire": corner["trained_parameters"]}
    limit, floor = reference["peak_memory"] * 1.05, 0.4
    if scenario == "concession":
        wanted["asks"], floor = 99.9, 0.1
    if scenario == "infeasible":
        everything = corner["trained_parameters"]
        trained = {"asks": everything * 1.5, "reserve": everything * 1.2, "aspire": everything * 2}
        limit = corner["peak_memory"] * 1.05
    clerks = {
        "bytes": clerk.wants["bytes"].model_copy(
            update={"asks": limit, "reserve": limit * 2, "aspire": 0.0}
        )
    }
    coachs = {
        "skill": coach.wants["skill"].model_copy(update={**wanted, "aspire": 100.0}),
        "breadth": coach.wants["breadth"].model_copy(update=trained),
    }
    parties = {
        "clerk": clerk.model_copy(update={"wants": clerks}),
        "coach": coach.model_copy(update={"wants": coachs, "floor": floor}),
    }
    changed = part.model_copy(update={"stakeholders": parties, "scenario": scenario})
    return table.model_copy(update={"parts": {"memory": changed}})


SCENARIOS = {
    "feasible": {"clerk": "met", "coach": "met"},
    "concession": {"clerk": "met", "coach": "traded"},
    "infeasible": {"clerk": "met", "coach": "disproved"},
}


def settled(session: Session) -> dict[str, str | None]:
    table = session.parts["memory"].table
    assert table is not None
    return {name: stand.settled for name, stand in table.stands.items()}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_reference_wins_every_table(table: Mission, scenario: str) -> None:
    session, events = played(at_a_table(table, scenario), "reference", 1)
    assert settled(session) == SCENARIOS[scenario]
    assert session.passed("memory")
    assert session.decision is not None
    assert [filed.failed for filed in session.parts["memory"].claims] == [{}]
    assert not replay(session.mission, events).fails


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("bot", ["accept", "refuse"])
def test_signing_everything_and_refusing_everything_lose_every_table(
    table: Mission, bot: str, scenario: str
) -> None:
    session, events = played(at_a_table(table, scenario), bot, 1)
    assert session.closed
    assert not session.passed("memory")
    how = set(settled(session).values())
    assert how == {"waived"} if bot == "accept" else how <= {"left", "disproved", None}
    assert not replay(session.mission, events).fails


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("seed", range(4))
def test_random_talk_is_legal(table: Mission, scenario: str, seed: int) -> None:
    session, events = played(at_a_table(table, scenario), "random", seed)
    assert session.closed
    assert Session.replayed(session.mission, events) == session


def test_random_talk_makes_every_move(table: Mission) -> None:
    made = {
        event.data["move"]
        for seed in range(8)
        for event in played(at_a_table(table, "concession"), "random", seed)[1]
        if event.kind == "move"
    }
    assert made == set(talks.KINDS)


def test_the_reference_runs_and_pins_no_more_than_the_deal_takes(table: Mission) -> None:
    session, _ = played(at_a_table(table, "infeasible"), "reference", 1)
    state, part = session.parts["memory"], session.part_of("memory")
    assert state.runs[0].setting == part.reference
    assert state.runs[1].setting == {**part.reference, **CORNER}
    assert state.table is not None
    assert state.table.turns == len(part.stakeholders)
    assert set(state.pins) <= {1, 2}


def test_a_table_that_cant_be_won_is_still_left(table: Mission) -> None:
    """Where the reference finds no deal it takes what is accepted, and waives the rest."""
    mission = at_a_table(table, "infeasible")
    part = mission.parts["memory"]
    coach = part.stakeholders["coach"].model_copy(update={"bound": None})
    hopeless = part.model_copy(update={"stakeholders": {**part.stakeholders, "coach": coach}})
    changed = mission.model_copy(update={"parts": {"memory": hopeless}})
    session, events = played(changed, "reference", 1)
    assert settled(session) == {"clerk": "met", "coach": "waived"}
    assert session.closed
    assert not session.passed("memory")
    assert Session.replayed(changed, events) == session


# -- the table of the tests, behind a live part, and played by privacy's accountant ----------------

DECLARED = {"edge": "infeasible", "mobile": "concession", "cloud": "feasible"}


@pytest.fixture(scope="module")
def tracks() -> dict[str, Mission]:
    return dict(load(TABLE).tracks)


@pytest.mark.parametrize("track", DECLARED)
def test_the_reference_alone_wins_the_declared_scenario(
    tracks: dict[str, Mission], track: str
) -> None:
    mission = tracks[track]
    assert mission.parts["privacy"].scenario == DECLARED[track]
    won = {}
    for name in ("reference", "accept", "refuse"):
        session, events = played(mission, name, 2)
        assert session.closed
        assert session.passed("memory")
        won[name] = session.passed("privacy")
        assert events[-1].data["outcome"]["privacy"]["passed"] == won[name]
        if name == "reference":
            assert not replay(mission, events).fails
    assert won == {"reference": True, "accept": False, "refuse": False}


@pytest.mark.parametrize("track", DECLARED)
def test_the_scenario_is_settled_as_it_is_declared(tracks: dict[str, Mission], track: str) -> None:
    session, _ = played(tracks[track], "reference", 3)
    table = session.parts["privacy"].table
    assert table is not None
    how = sorted(str(stand.settled) for stand in table.stands.values())
    assert (
        how
        == {
            "infeasible": ["disproved", "met"],
            "concession": ["met", "traded"],
            "feasible": ["met", "met"],
        }[DECLARED[track]]
    )


@pytest.mark.parametrize("track", DECLARED)
def test_a_random_play_with_a_table_replays(tracks: dict[str, Mission], track: str) -> None:
    session, events = played(tracks[track], "random", 11)
    assert session.closed
    assert Session.replayed(session.mission, events) == session


# -- the way to a deal -------------------------------------------------------------------------

MEETS_CLERK = {"peak_memory": 2e8, "amplification": 4.0, "accuracy": 0.0, "trained_parameters": 1}
MEETS_COACH = {"peak_memory": 9e8, "amplification": 9.0, "accuracy": 80, "trained_parameters": 2e6}
BOTH = {**MEETS_COACH, "peak_memory": 2e8, "amplification": 4.0}


def way(part: Part, *outcomes: dict[str, float]) -> list[tuple[str, str, int | None]] | None:
    runs = [Cited(n + 1, {}, metrics) for n, metrics in enumerate(outcomes)]
    found = bots.deal(part, talks.opened(part), runs)
    return None if found is None else [(move.party, move.move, move.run) for move in found]


def test_a_deal_is_the_shortest_way_that_ends_won(table: Mission) -> None:
    part = table.parts["memory"]
    assert way(part, BOTH) == [("clerk", "meet", 1), ("coach", "meet", 1)]
    # Run #1 would do for the clerk, and the coach's own run would reopen that.
    assert way(part, MEETS_CLERK, MEETS_COACH, BOTH) == [
        ("clerk", "meet", 1),
        ("coach", "meet", 3),
    ]


def test_there_is_no_deal_where_one_run_breaks_what_the_other_keeps(table: Mission) -> None:
    part = table.parts["memory"]
    assert way(part, MEETS_CLERK, MEETS_COACH) is None
    assert way(part) is None


def test_a_proof_and_a_design_are_a_deal_in_any_order(table: Mission) -> None:
    part = table.parts["memory"]
    proof = Cited(1, CORNER, {**MEETS_CLERK, "accuracy": 20.0})
    found = bots.deal(part, talks.opened(part), [proof])
    assert found is not None
    assert {(move.party, move.move) for move in found} == {("clerk", "meet"), ("coach", "disprove")}
    cheap = Cited(2, {}, {**MEETS_CLERK, "peak_memory": 2.2e8})
    assert bots.deal(part, talks.opened(part), [cheap]) is None
    assert bots.deal(part, talks.opened(part), [cheap, proof]) is not None


def test_a_waiver_never_asks_for_more_than_the_design_gives(table: Mission) -> None:
    session, events = played(at_a_table(table, "concession"), "accept", 1)
    part = session.part_of("memory")
    waivers = [event.data for event in events if event.kind == "move"]
    assert {waiver["party"] for waiver in waivers} == set(part.stakeholders)
    for waiver in waivers:
        want = part.stakeholders[waiver["party"]].wants[waiver["want"]]
        assert waiver["threshold"] == want.asks  # no design lies on the table
        assert waiver["owner"]
