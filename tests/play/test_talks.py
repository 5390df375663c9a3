"""The table: what each move means, and what it comes to. The parties stand in conftest.py."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mission_tui.content.schema import Mission, Part
from mission_tui.play import actions as do
from mission_tui.play import talks
from mission_tui.play.actions import Instant, Recorded
from mission_tui.play.session import IllegalPlay, Refused, Session
from mission_tui.play.talks import Cited

CORNER = {"tuning": "full", "batch": 1}
MEETS_CLERK = {"peak_memory": 2e8, "amplification": 4.0}
MEETS_COACH = {"accuracy": 80.0, "trained_parameters": 2e6}
BOTH = MEETS_CLERK | MEETS_COACH


@pytest.fixture
def part(table: Mission) -> Part:
    return table.parts["memory"]


@pytest.fixture
def sit(table: Mission, play_of: Callable[[Mission], Any]) -> Callable[..., Any]:
    """A play at the table, with a pinned run for each table of metrics given."""

    def seated(*outcomes: dict[str, Any]) -> Any:
        play = play_of(table).to("workbench")
        for n, metrics in enumerate(outcomes):
            turned = metrics.pop("at", {"batch": 2 ** (n + 1)})
            play.tried(turned, **metrics)
        while play.session.distinct_left:
            play.tried({"batch": 64})
        return play.do(do.Enter("talks"))

    return lambda *outcomes: seated(*(dict(metrics) for metrics in outcomes))


def move(party: str, kind: str, run: int | None = 1) -> do.Move:
    return do.Move(party, kind, run)


def refused(play: Any, action: do.Action) -> str:
    before = play.session
    with pytest.raises(Refused) as refusal:
        play.do(action)
    assert play.session is before
    return str(refusal.value)


def replays(play: Any) -> None:
    """The record of a play gives the same session again."""
    assert Session.replayed(play.mission, play.recorded) == play.session


# -- meet ------------------------------------------------------------------------------------


def test_a_run_at_every_ask_meets_and_lies_on_the_table(sit: Any) -> None:
    play = sit(MEETS_CLERK).do(move("clerk", "meet"))
    assert play.said() | {"accepted": True, "reply": "met", "settled": "met", "turn": 1} == (
        play.said()
    )
    stand = play.table.stands["clerk"]
    assert (stand.settled, play.table.run, play.table.open) == ("met", 1, ("coach",))
    replays(play)


@pytest.mark.parametrize(
    ("spoilt", "unmet"),
    [
        ({"peak_memory": 2.01e8}, ["bytes"]),
        ({"amplification": 4.01}, ["growth"]),
        ({"peak_memory": 9e8, "amplification": 9.0}, ["bytes", "growth"]),
    ],
)
def test_a_run_short_of_one_ask_is_not_met_and_costs_a_turn(
    sit: Any, spoilt: dict[str, float], unmet: list[str]
) -> None:
    play = sit(MEETS_CLERK | spoilt).do(move("clerk", "meet"))
    said = play.said()
    assert (said["accepted"], said["reply"], said["settled"]) == (False, "not_met", None)
    assert said["lacking"] == unmet
    assert (play.table.turns, play.table.run) == (1, None)
    assert play.table.stands["clerk"].demand == talks.asks(play.session.part.stakeholders["clerk"])
    replays(play)


def test_what_is_lacking_is_told_in_one_order_whatever_a_ledger_sorted(sit: Any) -> None:
    play = sit({"accuracy": 60.0})
    play.do(move("coach", "trade"), move("coach", "trade"))
    assert play.said()["lacking"] == ["skill", "breadth"]
    replays(play)


# -- trade -----------------------------------------------------------------------------------


def test_a_trade_that_meets_is_a_meet(sit: Any) -> None:
    play = sit(MEETS_CLERK).do(move("clerk", "trade"))
    assert play.table.stands["clerk"].settled == "met"


def test_a_trade_is_accepted_from_the_floor_on(sit: Any) -> None:
    # Each want at 0.4 of the way from reserve to aspiration: just the coach's floor.
    at_the_floor = {"accuracy": 78.0, "trained_parameters": 1.8e6}
    play = sit(at_the_floor | {"accuracy": 77.9}).do(move("coach", "trade"))
    assert play.said()["reply"] == "countered"
    play = sit(at_the_floor).do(move("coach", "trade"))
    assert play.said()["reply"] == "traded"
    assert play.table.run == 1
    replays(play)


def test_no_trade_below_a_reserve_however_much_the_rest_is_worth(sit: Any, part: Part) -> None:
    splendid = {"peak_memory": 1e7, "amplification": 8.01}
    assert talks.utility(part.stakeholders["clerk"], splendid) is None
    play = sit(splendid).do(move("clerk", "trade"))
    assert play.said()["reply"] == "countered"


def test_a_counter_offer_asks_for_the_heaviest_want_and_gives_up_the_lightest(sit: Any) -> None:
    play = sit({"peak_memory": 3.5e8}, {"peak_memory": 2e8, "amplification": 8.0})
    play.do(move("clerk", "trade", 1))
    assert play.said()["demand"] == {"bytes": 2e8, "growth": 8.0}
    assert play.said()["lacking"] == ["bytes", "growth"]
    play.do(move("clerk", "meet", 2))  # the counter-offer is the demand from now on
    assert play.table.stands["clerk"].settled == "met"
    replays(play)


def test_a_party_with_one_want_has_nothing_to_give(part: Part) -> None:
    clerk = part.stakeholders["clerk"]
    single = clerk.model_copy(update={"wants": {"bytes": clerk.wants["bytes"]}})
    assert talks.counter(single) == talks.asks(single)


def test_of_two_wants_as_light_the_first_is_given_up(part: Part) -> None:
    assert talks.counter(part.stakeholders["coach"]) == {"skill": 70.0, "breadth": 2e6}


# -- one design on the table -------------------------------------------------------------------


def test_an_agreement_that_another_design_breaks_is_reopened(sit: Any) -> None:
    play = sit(MEETS_CLERK, MEETS_COACH).do(move("clerk", "meet", 1), move("coach", "meet", 2))
    assert play.said()["reopened"] == ["clerk"]
    assert play.table.open == ("clerk",)
    assert (play.table.run, play.table.won) == (2, False)
    replays(play)


def test_an_agreement_that_another_design_keeps_stands(sit: Any) -> None:
    play = sit(MEETS_CLERK, BOTH).do(move("clerk", "meet", 1), move("coach", "meet", 2))
    assert play.said()["reopened"] == []
    assert play.table.won
    assert play.session.passed("memory")
    assert play.session.best_run("memory").number == 2
    replays(play)


def test_a_trade_stands_as_long_as_its_floor_is_kept(sit: Any) -> None:
    worth = {"peak_memory": 1.5e8, "amplification": 5.0}
    play = sit(worth, worth | MEETS_COACH, {"peak_memory": 3.9e8} | MEETS_COACH)
    play.do(move("clerk", "trade", 1), move("coach", "meet", 2))
    assert play.table.won
    play = sit(worth, worth | MEETS_COACH, {"peak_memory": 3.9e8} | MEETS_COACH)
    play.do(move("clerk", "trade", 1), move("coach", "meet", 3))
    assert play.said()["reopened"] == ["clerk"]


def test_a_reopened_party_can_be_met_again(sit: Any) -> None:
    play = sit(MEETS_CLERK, MEETS_COACH, BOTH)
    play.do(move("clerk", "meet", 1), move("coach", "meet", 2), move("clerk", "meet", 3))
    assert play.table.won
    assert play.table.turns_left == 3


# -- disprove --------------------------------------------------------------------------------


PROOF = MEETS_CLERK | {"at": CORNER, "trained_parameters": 1.9e6, "accuracy": 20.0}


def test_a_corner_that_keeps_the_others_demand_and_fails_the_want_is_a_proof(sit: Any) -> None:
    play = sit(PROOF).do(move("coach", "disprove"))
    said = play.said()
    assert (said["accepted"], said["settled"], said["lacking"]) == (True, "disproved", ["breadth"])
    assert play.table.run is None  # a proof is no design
    play.do(move("clerk", "meet"))
    assert play.table.won
    replays(play)


@pytest.mark.parametrize(
    ("spoilt", "loose", "unmet"),
    [
        ({"at": {"tuning": "bias", "batch": 1}}, ["tuning"], []),
        ({"at": {"tuning": "bias", "batch": 2}}, ["tuning", "batch"], []),
        ({"peak_memory": 2.1e8}, [], ["bytes"]),  # of the clerk, whose demand it leans on
        ({"trained_parameters": 2e6}, [], []),  # it can be had
    ],
)
def test_anything_less_is_no_proof(
    sit: Any, spoilt: dict[str, Any], loose: list[str], unmet: list[str]
) -> None:
    play = sit(PROOF | spoilt).do(move("coach", "disprove"))
    said = play.said()
    assert (said["accepted"], said["reply"]) == (False, "no_proof")
    assert (said["loose"], said["lacking"]) == (loose, unmet)
    replays(play)


def test_none_of_my_runs_worked_is_no_proof_where_there_is_no_bound(sit: Any) -> None:
    play = sit(PROOF | {"peak_memory": 9e9}).do(move("clerk", "disprove"))
    assert play.said()["reply"] == "no_proof"


def test_a_slider_outside_the_corner_may_stand_anywhere(sit: Any) -> None:
    for optimizer in ("sgd", "adam"):
        play = sit(PROOF | {"at": CORNER | {"optimizer": optimizer}})
        assert play.do(move("coach", "disprove")).said()["accepted"]


def test_a_proof_falls_with_the_demand_that_it_leaned_on(sit: Any) -> None:
    traded = {"peak_memory": 2.2e8, "amplification": 4.0}
    play = sit(PROOF, traded).do(move("coach", "disprove", 1), move("clerk", "trade", 2))
    assert play.said()["reply"] == "traded"
    assert play.said()["reopened"] == ["coach"]
    assert play.table.open == ("coach",)
    assert not play.table.won
    replays(play)


def test_a_proof_cant_lean_on_a_demand_that_was_traded_away_before(sit: Any) -> None:
    traded = {"peak_memory": 2.2e8, "amplification": 4.0}
    play = sit(PROOF, traded).do(move("clerk", "trade", 2), move("coach", "disprove", 1))
    assert (play.said()["reply"], play.said()["lacking"]) == ("no_proof", ["bytes", "growth"])
    assert not play.table.won
    replays(play)


def test_a_proof_leans_on_the_demand_as_it_is_at_the_time(sit: Any) -> None:
    # After the clerk's counter-offer growth is no longer asked for: the proof may break it, too.
    proof = PROOF | {"amplification": 7.9}
    play = sit(proof).do(move("coach", "disprove"))
    assert play.said()["lacking"] == ["growth"]
    play = sit(proof, {"peak_memory": 3.9e8}).do(move("clerk", "trade", 2))
    assert play.do(move("coach", "disprove", 1)).said()["accepted"]


def test_a_proof_that_leans_on_nobody_stands_by_itself(
    table: Mission, play_of: Callable[[Mission], Any]
) -> None:
    part = table.parts["memory"]
    coach = part.stakeholders["coach"]
    assert coach.bound is not None
    alone = coach.model_copy(update={"bound": coach.bound.model_copy(update={"under": None})})
    changed = part.model_copy(update={"stakeholders": {**part.stakeholders, "coach": alone}})
    play = play_of(table.model_copy(update={"parts": {"memory": changed}})).to("workbench")
    play.tried(CORNER, peak_memory=9e8, trained_parameters=1.9e6).tried({"batch": 2}, **MEETS_CLERK)
    play.do(do.Enter("talks"), move("coach", "disprove", 1), move("clerk", "meet", 2))
    assert play.table.won
    replays(play)


# -- waive -----------------------------------------------------------------------------------


def test_a_waiver_ends_an_argument_without_winning_it(sit: Any) -> None:
    play = sit(BOTH).do(move("clerk", "meet"), sit(BOTH).waive("coach"))
    assert play.table.over
    assert not play.table.won
    assert not play.session.passed("memory")
    replays(play)


def test_a_waiver_constrains_every_later_design(sit: Any) -> None:
    play = sit(MEETS_COACH | {"peak_memory": 3.1e8}, MEETS_COACH | {"peak_memory": 3e8})
    play.do(play.waive("clerk", threshold=3e8))
    assert refused(play, move("coach", "meet", 1)) == "run #1 breaks your own waiver on peak"
    assert "waiver" in refused(play, move("coach", "trade", 1))
    play.do(move("coach", "meet", 2))
    assert play.table.run == 2
    assert not play.table.won
    replays(play)


def test_a_waiver_does_not_stand_in_the_way_of_a_proof(sit: Any) -> None:
    play = sit(PROOF)
    play.do(play.waive("clerk", threshold=1e8), move("coach", "disprove"))
    assert play.table.stands["coach"].settled == "disproved"


def test_a_waiver_of_more_than_is_asked_binds_at_its_own_threshold(sit: Any) -> None:
    play = sit(MEETS_CLERK | {"trained_parameters": 1.2e6})
    play.do(play.waive("coach", want="breadth", threshold=1.3e6))
    assert "waiver on breadth" in refused(play, move("clerk", "meet"))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"want": None}, "name the want"),
        ({"want": "skill"}, "name the want"),
        ({"run": 1}, "cites no run"),
        ({"threshold": None}, "give the threshold"),
        ({"threshold": float("nan")}, "give the threshold"),
        ({"threshold": float("inf")}, "give the threshold"),
        ({"owner": ""}, "say who"),
        ({"owner": " \t"}, "say who"),
        ({"party": "mayor"}, "no such party"),
        ({"move": "bribe"}, "choose one of meet, trade, disprove, waive"),
    ],
)
def test_half_a_waiver_is_refused(sit: Any, changed: dict[str, Any], words: str) -> None:
    play = sit(BOTH)
    assert words in refused(play, replace(play.waive("clerk"), **changed))


def test_a_waiver_that_the_design_on_the_table_breaks_is_refused(sit: Any) -> None:
    play = sit(MEETS_CLERK | {"accuracy": 60.0}).do(move("clerk", "meet"))
    words = refused(play, play.waive("coach", want="skill", threshold=60.5))
    assert words == "the design on the table, run #1, breaks that threshold"
    play.do(play.waive("coach", want="skill", threshold=60.0))
    assert play.table.over


# -- patience and turns ----------------------------------------------------------------------


def test_a_party_whose_patience_is_gone_leaves_for_good(sit: Any) -> None:
    play = sit({}, BOTH).do(move("coach", "meet", 1), move("coach", "trade", 1))
    assert (play.said()["reply"], play.said()["settled"]) == ("left", "left")
    assert play.table.open == ("clerk",)
    assert "has left" in refused(play, move("coach", "meet", 2))
    play.do(move("clerk", "meet", 2))
    assert play.table.over
    assert not play.table.won
    replays(play)


def test_a_no_proof_uses_up_patience_and_an_agreement_does_not(sit: Any) -> None:
    play = sit({}, BOTH).do(move("coach", "disprove", 1), move("coach", "meet", 2))
    assert play.table.stands["coach"].refusals == 1
    assert play.table.stands["coach"].settled == "met"


def test_the_table_has_six_turns_all_parties_together(sit: Any) -> None:
    play = sit(MEETS_CLERK, MEETS_COACH)
    for n in range(6):
        assert play.table.turns_left == 6 - n
        party, run = ("clerk", 1) if n % 2 == 0 else ("coach", 2)
        play.do(move(party, "meet", run))
    assert play.table.over
    assert play.table.open == ("clerk",)  # the last agreement broke the one before
    assert "no move is left" in refused(play, move("clerk", "meet", 1))
    assert "no move is left" in refused(play, play.waive("clerk"))
    assert not play.session.passed("memory")
    play.do(do.Enter("reveal", play.truths()))
    replays(play)


# -- what may be cited, and where --------------------------------------------------------------


@pytest.mark.parametrize("kind", ["meet", "trade", "disprove"])
def test_only_a_pinned_run_may_be_cited(sit: Any, kind: str) -> None:
    play = sit(BOTH).do(do.Unpin(1))
    for number in (None, 0, 1, 3):
        assert "cite a run that is pinned" in refused(play, move("coach", kind, number))
    play.do(do.Pin(1), move("coach", "meet", 1))


@pytest.mark.parametrize("kind", ["meet", "trade", "disprove"])
def test_a_run_that_was_stopped_may_be_pinned_and_not_cited(
    table: Mission, play_of: Callable[[Mission], Any], kind: str
) -> None:
    play = play_of(table).to("workbench").tried().tried({"batch": 2}).do(do.Commit())
    play.do(do.Cancel(3, 2, Recorded({**BOTH}, {})), do.Pin(3), do.Enter("talks"))
    assert 3 in play.session.state.pins
    assert [run.number for run in play.session.citable()] == [1, 2]
    assert "came to its end" in refused(play, move("coach", kind, 3))
    replays(play)


@pytest.mark.parametrize(
    "extra", [{"want": "bytes"}, {"threshold": 1.0}, {"owner": "somebody else"}]
)
def test_a_move_with_a_run_carries_nothing_of_a_waiver(sit: Any, extra: dict[str, Any]) -> None:
    play = sit(BOTH)
    assert "only a waiver" in refused(play, replace(move("clerk", "meet"), **extra))


def test_moves_belong_to_the_talks(table: Mission, play_of: Callable[[Mission], Any]) -> None:
    play = play_of(table).to("workbench").tried(None, **BOTH)
    assert "belongs to the talks" in refused(play, move("clerk", "meet"))


def test_a_settled_party_is_not_argued_with(sit: Any) -> None:
    play = sit(BOTH).do(move("clerk", "meet"))
    for kind in ("meet", "trade", "disprove"):
        assert "that party is settled" in refused(play, move("clerk", kind))
    assert "that party is settled" in refused(play, play.waive("clerk"))


def test_the_talks_end_before_the_reveal(sit: Any) -> None:
    play = sit(BOTH)
    assert "the table is still open: 6 moves are left" in refused(
        play, do.Enter("reveal", play.truths())
    )
    play.do(move("clerk", "meet"), move("coach", "meet"), do.Enter("reveal", play.truths()))


def test_the_workbench_can_be_gone_back_to_for_another_run(sit: Any) -> None:
    play = sit(MEETS_CLERK).do(move("clerk", "meet"), do.Enter("workbench"))
    play.tried({"batch": 32}, **BOTH).do(do.Enter("talks"), move("coach", "meet", 3))
    assert play.table.won
    replays(play)


def test_an_unknown_party_is_nobody(sit: Any) -> None:
    assert "no such party" in refused(sit(BOTH), move("mayor", "meet"))


def test_a_part_without_parties_has_no_talks(play: Any) -> None:
    assert "talks" not in play.session.screens_of("memory")
    play.to("workbench")
    assert "no way to talks" in refused(play, do.Enter("talks"))


def test_waiving_everything_and_disproving_everything_lose(sit: Any) -> None:
    play = sit(BOTH, PROOF)
    play.do(play.waive("clerk"), play.waive("coach"))
    assert play.table.over
    assert not play.session.passed("memory")
    play = sit(BOTH, PROOF)
    while not play.table.over:
        play.do(move(play.table.open[0], "disprove", 2))
    assert {name: stand.settled for name, stand in play.table.stands.items()} == {
        "clerk": "left",
        "coach": "disproved",
    }
    assert not play.session.passed("memory")


# -- the decision and the close ----------------------------------------------------------------


def test_the_close_says_how_each_party_was_settled(sit: Any) -> None:
    play = sit(PROOF, MEETS_CLERK)
    play.do(move("clerk", "meet", 2), move("coach", "disprove", 1)).to("debrief").do(do.Close())
    found = play.events[-1].data["outcome"]["memory"]
    assert found["parties"] == {"clerk": "met", "coach": "disproved"}
    assert (found["passed"], found["best_run"]) == (True, 2)
    replays(play)


def test_a_party_that_nobody_talked_to_is_closed_as_open(sit: Any) -> None:
    play = sit(MEETS_CLERK, MEETS_COACH)
    play.do(*[move(p, "meet", r) for p, r in [("clerk", 1), ("coach", 2)] * 3])
    play.to("debrief").do(do.Close())
    assert play.events[-1].data["outcome"]["memory"]["parties"] == {"clerk": "open", "coach": "met"}
    assert not play.events[-1].data["outcome"]["memory"]["passed"]


@pytest.mark.parametrize(
    ("choice", "text", "words"),
    [("both", "Because.", "one of the options"), ("small", " ", "defend it")],
)
def test_half_a_decision_is_refused(sit: Any, choice: str, text: str, words: str) -> None:
    play = sit(BOTH).to("decision")
    assert words in refused(play, do.Decide(choice, text))
    assert "decide first" in refused(play, do.Enter("debrief"))


def test_a_decision_is_made_once_and_at_its_screen(sit: Any) -> None:
    play = sit(BOTH)
    assert "belongs to the decision" in refused(play, do.Decide("small", "Early."))
    play.to("decision").do(do.Decide("small", "It fits."))
    assert "the decision is made" in refused(play, do.Decide("large", "No: this."))
    play.do(do.Enter("debrief"), do.Close())
    replays(play)


# -- utility, and any play at the table --------------------------------------------------------

FIGURES = st.floats(-1e12, 1e12)


@given(first=FIGURES, second=FIGURES)
def test_utility_is_a_share_and_nothing_where_a_reserve_is_not_kept(
    table: Mission, first: float, second: float
) -> None:
    for party in table.parts["memory"].stakeholders.values():
        wants = list(party.wants.values())
        metrics = dict(zip((want.metric for want in wants), (first, second), strict=True))
        worth = talks.utility(party, metrics)
        kept = all(talks.good(want, metrics[want.metric], want.reserve) for want in wants)
        assert (worth is not None) == kept
        assert worth is None or 0 <= worth <= 1


@given(st.data())
def test_a_run_that_is_better_in_every_want_is_worth_no_less(
    table: Mission, data: st.DataObject
) -> None:
    for party in table.parts["memory"].stakeholders.values():
        worse, better = {}, {}
        for want in party.wants.values():
            low, high = sorted((data.draw(FIGURES), data.draw(FIGURES)))
            worse[want.metric], better[want.metric] = (low, high) if want.more else (high, low)
        below, above = talks.utility(party, worse), talks.utility(party, better)
        assert below is None or (above is not None and above >= below)
        demand = talks.asks(party)
        unmet, still = (set(talks.lacking(party, demand, m)) for m in (worse, better))
        assert still <= unmet


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60)
def test_any_talk_keeps_its_promises_and_replays(
    table: Mission, play_of: Callable[[Mission], Any], seed: int
) -> None:
    dice = random.Random(seed)
    play = play_of(table).to("workbench")
    for batch in (1, 2, 4, 8):
        chosen = [dice.choice([{}, MEETS_CLERK, MEETS_COACH, BOTH]) for _ in range(2)]
        play.tried({"tuning": dice.choice(["full", "bias"]), "batch": batch}, **chosen[0])
    play.do(do.Enter("talks"))
    part = play.session.part
    for _ in range(12):
        party = dice.choice(["clerk", "coach"])
        tried = play.waive(party, threshold=dice.choice([1e8, 3e8, 70.0]))
        if dice.random() < 0.8:
            tried = move(party, dice.choice(["meet", "trade", "disprove"]), dice.randint(1, 5))
        with suppress(Refused):
            play.do(tried)
        now = play.table
        assert now.turns <= talks.TURNS
        if now.run is None:
            continue
        assert play.session.state.runs[now.run - 1].outcome is not None
        metrics = play.session.state.runs[now.run - 1].outcome.metrics
        for name, stand in now.stands.items():
            if stand.settled == "met":
                assert not talks.lacking(part.stakeholders[name], stand.demand, metrics)
            if stand.settled == "traded":
                worth = talks.utility(part.stakeholders[name], metrics)
                assert worth is not None
                assert worth >= part.stakeholders[name].floor
        lies = Cited(now.run, {}, metrics)
        assert talks.broken_waiver(part, now, lies) is None
    replays(play)


# -- forgeries -------------------------------------------------------------------------------

FORGED: list[tuple[int, dict[str, Any]]] = [
    (0, {"accepted": True}),
    (0, {"reply": "traded"}),
    (0, {"settled": "met"}),
    (0, {"demand": {"bytes": 4e8, "growth": 8.0}}),
    (0, {"lacking": []}),
    (0, {"loose": ["batch"]}),
    (0, {"turn": 0}),
    (0, {"turn": True}),
    (0, {"run": 9}),
    (0, {"move": "bribe"}),
    (1, {"run": 1}),
    (2, {"reopened": []}),
    (2, {"party": "clerk"}),
    (2, {"settled": "disproved"}),
    (3, {"threshold": 1e8}),
    (3, {"threshold": None}),
    (3, {"want": "skill"}),
    (3, {"owner": ""}),
    (3, {"run": 2}),
    (3, {"settled": "met"}),
]


@pytest.mark.parametrize(("which", "change"), FORGED)
def test_a_forged_move_is_illegal_play(sit: Any, which: int, change: dict[str, Any]) -> None:
    play = sit({"peak_memory": 3.9e8}, MEETS_COACH, MEETS_CLERK)
    play.do(
        move("clerk", "meet", 1),  # not met
        move("clerk", "meet", 3),  # met
        move("coach", "meet", 2),  # met: the clerk is open again
        play.waive("clerk", threshold=5e8),
    )
    events = list(play.recorded)
    moves = [n for n, event in enumerate(events) if event.kind == "move"]
    forged = moves[which]
    events[forged] = replace(events[forged], data={**events[forged].data, **change})
    with pytest.raises(IllegalPlay) as illegal:
        Session.replayed(play.mission, tuple(events))
    assert illegal.value.event.seq == forged


@pytest.mark.parametrize("change", [{"choice": "both"}, {"text": ""}, {"text": None}])
def test_a_forged_decision_is_illegal_play(sit: Any, change: dict[str, Any]) -> None:
    play = sit(BOTH).to("debrief")
    events = list(play.recorded)
    at = next(n for n, event in enumerate(events) if event.kind == "decision")
    events[at] = replace(events[at], data={**events[at].data, **change})
    with pytest.raises(IllegalPlay):
        Session.replayed(play.mission, tuple(events))


def test_a_party_or_a_decision_that_was_skipped_is_illegal_play(sit: Any) -> None:
    play = sit(BOTH).to("debrief").do(do.Close())
    for kind in ("move", "decision"):
        events = list(play.recorded)
        del events[next(n for n, event in enumerate(events) if event.kind == kind)]
        with pytest.raises(IllegalPlay):
            Session.replayed(play.mission, tuple(events))


def test_a_claimed_pass_at_the_table_is_illegal_play(sit: Any) -> None:
    play = sit(BOTH).to("debrief").do(do.Close())
    last = play.recorded[-1]
    found = {**last.data["outcome"]["memory"], "passed": True}
    forged = replace(last, data={**last.data, "outcome": {"memory": found}})
    with pytest.raises(IllegalPlay, match="outcome"):
        Session.replayed(play.mission, (*play.recorded[:-1], forged))


def test_decide_does_not_need_to_know_the_time(sit: Any) -> None:
    play = sit(BOTH)
    early, late = (
        play.session.decide(move("clerk", "meet"), Instant(at, "w"))[0].data for at in (0, 10**9)
    )
    assert early == late
