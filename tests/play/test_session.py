from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mission_tui.content import space
from mission_tui.content.schema import Mission
from mission_tui.play import actions as do
from mission_tui.play.actions import Action, Instant, Recorded
from mission_tui.play.events import Event
from mission_tui.play.session import PART_SCREENS, IllegalPlay, Refused, Session

NOW = Instant(0, "w")


def refused(play: Any, action: Action) -> str:
    """The sentence of a refusal; nothing has changed."""
    before = play.session
    with pytest.raises(Refused) as refusal:
        play.session.decide(action, NOW)
    assert play.session == before
    sentence = str(refusal.value)
    assert sentence
    assert "\n" not in sentence
    return sentence


def test_a_whole_play_replays_to_the_same_session(play: Any) -> None:
    play.to("debrief").do(do.Close())
    assert play.session.closed
    assert play.session.seq == len(play.events)
    assert [event.seq for event in play.events] == list(range(len(play.events)))
    assert Session.replayed(play.mission, play.recorded) == play.session


def test_the_close_counts_the_events_and_says_what_came_of_each_part(play: Any) -> None:
    play.to("debrief").do(do.Close())
    assert play.events[-1].data == {
        "count": len(play.events) - 1,
        "outcome": {"memory": {"locks": 1, "passed": False, "best_run": 2, "claim_verified": True}},
    }


ILLEGAL: dict[str, tuple[str, Callable[[Any], Action], str]] = {
    "instrument before the lock": ("lock", lambda p: do.Turn("batch", 4, 0), "workbench"),
    "run before the lock": ("lock", lambda p: do.Commit(), "workbench"),
    "run at the briefing": ("briefing", lambda p: do.Commit(), "workbench"),
    "workbench before the lock": ("lock", lambda p: do.Enter("workbench"), "seal your prediction"),
    "past the lock from the briefing": ("briefing", lambda p: do.Enter("debrief"), "no way"),
    "back to the briefing": ("debrief", lambda p: do.Enter("briefing"), "no way"),
    "seal at the briefing": ("briefing", lambda p: p.seal(), "belongs to the lock"),
    "seal at the workbench": ("workbench", lambda p: p.seal(), "belongs to the lock"),
    "seal of an unknown lock": ("lock", lambda p: p.seal(lock="most"), "no such lock"),
    "back to the lock": ("workbench", lambda p: do.Enter("lock"), "can't be changed"),
    "reveal before runs": (
        "workbench",
        lambda p: do.Enter("reveal", p.truths()),
        "record 2 more runs",
    ),
    "claim before runs": ("workbench", lambda p: do.Enter("claim"), "record 2 more runs"),
    "truths early": ("briefing", lambda p: do.Enter("lock", p.truths()), "reveal alone"),
    "off the grid": ("workbench", lambda p: do.Turn("batch", 3, 0), "give a step from 1 to 64"),
    "true for one": ("workbench", lambda p: do.Turn("batch", True, 0), "give a step"),
    "unknown option": ("workbench", lambda p: do.Turn("tuning", "magic", 0), "choose one of"),
    "unknown slider": ("workbench", lambda p: do.Turn("speed", 1, 0), "known sliders"),
    "slider moved nowhere": (
        "workbench",
        lambda p: do.Turn("tuning", p.session.state.setting["tuning"], 0),
        "stands there already",
    ),
    "finish of nothing": ("workbench", lambda p: do.Finish(1, p.outcome()), "not in flight"),
    "resume of nothing": ("workbench", lambda p: do.Restart(1), "not in flight"),
    "cancel of nothing": ("workbench", lambda p: do.Cancel(1, 1, p.outcome()), "not in flight"),
    "pin of nothing": ("workbench", lambda p: do.Pin(1), "no run #1"),
    "unpin of nothing": ("reveal", lambda p: do.Unpin(1), "not pinned"),
    "unknown hint": ("workbench", lambda p: do.Hint("answer"), "one after the other"),
    "claim at the workbench": ("workbench", lambda p: p.claim(), "belongs to the claim"),
    "leaving without a claim": ("claim", lambda p: do.Enter("debrief"), "file a claim first"),
    "close at the claim": ("claim", lambda p: do.Close(), "from its debrief"),
    "unknown screen": ("workbench", lambda p: do.Enter("casino"), "no way to casino"),
    "another truth": (
        "claim",
        lambda p: do.Enter("reveal", p.truths(3e8)),
        "it was another",
    ),
    "reveal without truths": ("claim", lambda p: do.Enter("reveal"), "truth of every lock"),
    "truth of an unknown lock": (
        "claim",
        lambda p: do.Enter("reveal", {"most": p.truths()["least"]}),
        "truth of every lock",
    ),
}


@pytest.mark.parametrize("name", ILLEGAL)
def test_what_the_rules_forbid_is_refused_with_a_sentence(play: Any, name: str) -> None:
    screen, make, words = ILLEGAL[name]
    play.to(screen)
    assert words in refused(play, make(play))


def test_a_lock_is_sealed_once(play: Any) -> None:
    play.to("lock").do(play.seal())
    assert "can't be changed" in refused(play, play.seal(value=1.5e8))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"mechanism": "magic"}, "say why"),
        ({"value": "big"}, "give a number"),
        ({"low": None}, "bet four to one"),
        ({"high": None}, "bet four to one"),
        ({"value": 9e8}, "band must hold"),
        ({"low": 3e8, "high": 1e8}, "band must hold"),
        ({"high": float("inf")}, "finite"),
        ({"value": float("nan")}, "finite"),
        ({"low": float("-inf"), "value": float("inf"), "high": float("inf")}, "finite"),
    ],
)
def test_half_a_prediction_is_refused(play: Any, changed: dict[str, Any], words: str) -> None:
    play.to("lock")
    assert words in refused(play, play.seal(**changed))


def test_the_reveal_cant_be_skipped_from_the_workbench(play: Any) -> None:
    play.to("workbench").run().do(do.Turn("batch", 4, 0)).run()
    assert "beside the truth first" in refused(play, do.Enter("claim"))


def test_two_runs_at_one_setting_are_one_setting(play: Any) -> None:
    play.to("workbench").run().run()
    assert "record 1 more run at" in refused(play, do.Enter("reveal", play.truths()))


def test_one_run_is_in_flight_at_a_time(play: Any) -> None:
    play.to("workbench").do(do.Commit())
    assert "one run at a time" in refused(play, do.Commit())
    assert "#2 is not in flight" in refused(play, do.Finish(2, play.outcome()))
    assert "can't be cancelled" in refused(play, do.Cancel(1, 1, play.outcome()))
    assert "no run #1" in refused(play, do.Pin(1))


@pytest.mark.parametrize("screen", ["reveal", "claim"])
def test_a_run_in_flight_holds_the_player_at_the_workbench(play: Any, screen: str) -> None:
    play.to("claim").do(do.Enter("workbench"), do.Commit())
    truths = play.truths() if screen == "reveal" else None
    assert "in flight" in refused(play, do.Enter(screen, truths))


def test_an_outcome_without_a_specs_metric_is_refused(play: Any) -> None:
    play.to("workbench").do(do.Commit())
    assert "lacks a metric" in refused(play, do.Finish(1, Recorded({"peak_memory": 1.0}, {})))


def test_claims_end_with_the_attempts(play: Any) -> None:
    play.to("claim")
    for wrong in ("weights", "gradients", "optimizer")[: play.session.part.claim.attempts]:
        play.do(play.claim(mechanism=wrong))
    assert play.session.claims_left == 0
    assert "no attempts left" in refused(play, play.claim())


def test_the_same_claim_is_not_filed_twice(play: Any) -> None:
    play.to("claim").do(play.claim(mechanism="weights"))
    again = play.claim(mechanism="weights", answer="in other words")
    assert "that very claim" in refused(play, again)
    assert play.session.claims_left == play.session.part.claim.attempts - 1


def test_a_verified_claim_stands(play: Any) -> None:
    play.to("claim").do(play.claim())
    assert "your claim stands" in refused(play, play.claim(mechanism="weights"))


def test_nothing_comes_after_the_close(play: Any) -> None:
    play.to("debrief").do(do.Close())
    for action in (do.Close(), do.Commit(), do.Note("memo", "x"), do.Enter("briefing")):
        assert "closed" in refused(play, action)


def test_a_run_that_a_dead_process_left_is_finished_free_of_charge(play: Any) -> None:
    play.to("workbench").do(do.Commit(), do.Restart(1), do.Finish(1, play.outcome()))
    assert len(play.session.state.runs) == 1
    assert Session.replayed(play.mission, play.recorded) == play.session


def test_a_run_passes_when_it_meets_every_spec(play: Any) -> None:
    play.to("workbench").run(1.0, 0.0).run(1e12, 100.0)
    assert not play.session.passed("memory")
    play.run(1.0, 100.0)
    assert play.session.passed("memory")
    assert play.session.best_run("memory").number == 3


def test_a_part_keeps_its_own_state_and_the_next_one_begins_at_its_lock(
    two_parts: Mission, play_of: Any
) -> None:
    play = play_of(two_parts).to("claim").do(play_of(two_parts).claim(), do.Enter("lock"))
    assert play.session.at.part == "again"
    assert play.session.state.runs == ()
    play.do(play.seal(), do.Enter("workbench"))
    assert len(play.session.parts["memory"].runs) == 2
    assert Session.replayed(two_parts, play.recorded) == play.session


# -- budgets ---------------------------------------------------------------------------------


def test_a_run_is_charged_when_it_begins_and_a_cancel_refunds_nothing(
    budgeted: Mission, play_of: Any
) -> None:
    play = play_of(budgeted).to("workbench").do(do.Commit())
    assert play.session.runs_left == 2
    play.do(do.Cancel(1, 2, play.outcome(1.0, 100.0)))
    assert play.session.runs_left == 2
    assert not play.session.passed("memory")
    assert play.session.best_run("memory") is None
    assert Session.replayed(budgeted, play.recorded) == play.session


def test_a_budget_that_is_spent_ends_the_runs_and_never_the_play(
    budgeted: Mission, play_of: Any
) -> None:
    play = play_of(budgeted).to("workbench")
    for _ in range(3):
        play.do(do.Commit())
        play.do(do.Cancel(play.session.in_flight.number, 1, play.outcome()))
    assert "no runs left" in refused(play, do.Commit())
    play.do(do.Enter("reveal", play.truths()), do.Enter("claim"), play.claim())
    play.do(do.Enter("debrief"), do.Close())
    assert play.session.closed
    assert Session.replayed(budgeted, play.recorded) == play.session


def test_a_resumed_run_is_not_charged_again(budgeted: Mission, play_of: Any) -> None:
    play = play_of(budgeted).to("workbench").do(do.Commit(), do.Restart(1))
    assert play.session.runs_left == 2


# -- random play -----------------------------------------------------------------------------


def any_move(play: Any, dice: random.Random) -> do.Move:
    party = dice.choice(["clerk", "coach", "mayor"])
    if dice.random() < 0.3 and party in play.session.part.stakeholders:
        return play.waive(party)
    return do.Move(party, dice.choice(["meet", "trade", "disprove", "waive"]), dice.randint(1, 4))


def any_action(play: Any, dice: random.Random) -> Action:
    part = play.session.part
    if play.session.at.screen == "talks" and dice.random() < 0.5:
        return any_move(play, dice)
    slider = dice.choice([*part.sliders, "speed"])
    grid = space.values(part, slider) if slider in part.sliders else (1,)
    number = dice.randint(1, 4)
    outcome = play.outcome(dice.choice([1e8, 3e8, 5e8]), dice.choice([0.0, 100.0]))
    screen = dice.choice([*PART_SCREENS, "briefing", "decision", "debrief"])
    flying = play.session.in_flight
    onward = play.session.next_step.screen if play.session.next_step else screen
    return dice.choice(
        [
            do.Enter(screen, play.truths() if screen == "reveal" else None),
            do.Enter(screen, play.truths() if dice.random() < 0.2 else None),
            do.Enter(onward, play.truths() if onward == "reveal" else None),
            do.Leave(screen, 5, 1),
            play.seal(),
            do.Turn(slider, dice.choice([*grid, 3, True, "x"]), 7),
            do.Turn(slider, dice.choice(grid), 7),
            do.Commit(),
            do.Finish(flying.number if flying else number, outcome),
            do.Finish(flying.number if flying else number, outcome),
            do.Cancel(number, 2, outcome),
            do.Restart(number),
            do.Pin(number),
            do.Unpin(number),
            do.Hint(dice.choice([*part.hints, "no"])),
            play.claim(runs=(dice.randint(1, 4), dice.randint(1, 4)), control=slider),
            any_move(play, dice),
            do.Decide(dice.choice(["small", "both"]), dice.choice(["", "Because."])),
            do.Note("memo", "draft"),
            do.Recover(3, 4, "ab"),
            do.Close(),
        ]
    )


@pytest.mark.parametrize("kind", ["live", "budgeted", "two parts", "table"])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=25)
def test_any_play_is_refused_or_replays_to_the_same_session(
    kind: str,
    seed: int,
    edge: Mission,
    budgeted: Mission,
    two_parts: Mission,
    table: Mission,
    play_of: Any,
) -> None:
    missions = {"live": edge, "budgeted": budgeted, "two parts": two_parts, "table": table}
    mission = missions[kind]
    dice = random.Random(seed)
    play = play_of(mission)
    if kind == "table":  # dice alone seldom get as far
        play.to("talks").do(do.Pin(1), do.Pin(2))
    for _ in range(120):
        action = any_action(play, dice)
        before, events = play.session, len(play.events)
        with suppress(Refused):
            play.do(action)
        assert (play.session is before) == (len(play.events) == events)
        state = play.session.state
        assert sum(run.outcome is None for run in state.runs) <= 1
        assert play.session.runs_left is None or play.session.runs_left >= 0
        assert len(state.claims) <= play.session.part.claim.attempts
    assert Session.replayed(mission, play.recorded) == play.session


# -- strangers' ledgers ----------------------------------------------------------------------


def test_a_claim_that_is_confounded_twice_replays(play: Any) -> None:
    play.to("workbench").run()
    for slider, value in (("tuning", "bias"), ("batch", 1), ("optimizer", "sgd")):
        play.do(do.Turn(slider, value, 0))
    play.run().do(do.Enter("reveal", play.truths()), do.Enter("claim"))
    play.do(play.claim(control="batch"))
    # In the sliders' order, though a ledger's lines sort their keys.
    assert "confounded by tuning, optimizer" in str(play.events[-1].data["failed"])
    assert Session.replayed(play.mission, play.recorded) == play.session


def test_a_tie_between_terms_is_broken_as_it_was_played(play: Any) -> None:
    nothing = {"weights": 0.0, "gradients": 0.0, "optimizer": 0.0, "activations": 0.0}
    play.to("workbench").run(5e8).do(do.Turn("batch", 4, 0)).run(5e8)
    play.do(do.Enter("reveal", play.truths()), do.Enter("claim"))
    still = {"direction": "did not move", "amount": "0", "unit": "B", "mechanism": "weights"}
    play.do(play.claim(terms=nothing, **still))
    assert play.session.state.claims[0].verified
    assert Session.replayed(play.mission, play.recorded) == play.session


def test_an_unknown_kind_is_kept_and_changes_nothing_but_the_count(play: Any) -> None:
    play.to("workbench")
    now = play.session.mono_ms + 7
    event = Event(play.session.seq, "telepathy", "memory", now, "w", {"thought": [1, {"a": None}]})
    after = play.session.checked(event)
    assert after == replace(play.session, seq=play.session.seq + 1, mono_ms=now)


def test_a_clock_that_runs_backwards_is_illegal_play(play: Any) -> None:
    play.to("workbench")
    early = Event(play.session.seq, "pin", "memory", play.session.mono_ms - 1, "w", {"number": 1})
    with pytest.raises(IllegalPlay, match="backwards"):
        play.session.checked(early)


def test_true_is_not_one(play: Any) -> None:
    play.to("workbench").run()
    events = list(play.recorded)
    ended = next(n for n, event in enumerate(events) if event.kind == "run_end")
    forged = {**events[ended].data, "passed": int(events[ended].data["passed"])}
    events[ended] = replace(events[ended], data=forged)
    with pytest.raises(IllegalPlay, match="passed"):
        Session.replayed(play.mission, tuple(events))


@pytest.mark.parametrize("change", [{"seq": 99}, {"kind": "header"}])
def test_an_unknown_kind_has_its_place_and_is_no_second_header(
    play: Any, change: dict[str, Any]
) -> None:
    event = Event(play.session.seq, "telepathy", None, 1, "w", {})
    assert play.session.checked(event).seq == 2
    with pytest.raises(IllegalPlay):
        play.session.checked(replace(event, **change))


def forge(event: Event, path: str, value: object) -> Event:
    data = {**event.data}
    first, _, rest = path.partition(".")
    data[first] = forge(Event(0, "", None, 0, "", data[first]), rest, value).data if rest else value
    return replace(event, data=data)


FORGED: list[tuple[str, str, object]] = [
    ("run_end", "met.peak", True),
    ("run_end", "passed", True),
    ("run_end", "number", 2),
    ("run", "seed", 424242),
    ("run", "setting.batch", 1),
    ("run", "number", 7),
    ("run", "cost", 5),
    ("run", "bonus", 1),
    ("control", "from", 64),
    ("control", "to", 3),
    ("enter", "judged", {}),
    ("enter", "judged.least.value_right", False),
    ("enter", "judged.least.cell", "neither"),
    ("claim", "verified", False),
    ("claim", "failed", {"sign": "no"}),
    ("claim", "amount", "301"),
    ("claim", "runs", [1, 1]),
    ("lock", "mechanism", "magic"),
    ("close", "count", 1),
    ("close", "outcome.memory.passed", True),
]


@pytest.mark.parametrize(("kind", "path", "value"), FORGED)
def test_a_forged_result_is_illegal_play(play: Any, kind: str, path: str, value: object) -> None:
    play.to("debrief").do(do.Close())
    events = list(play.recorded)
    first = path.partition(".")[0]
    index = next(
        n
        for n, event in enumerate(events)
        if event.kind == kind and (first in event.data or first == "bonus")
    )
    events[index] = forge(events[index], path, value)
    with pytest.raises(IllegalPlay) as illegal:
        Session.replayed(play.mission, tuple(events))
    assert illegal.value.event.seq >= index


@pytest.mark.parametrize("change", [{"seq": 99}, {"part": "other"}, {"part": None}])
def test_a_forged_envelope_is_illegal_play(play: Any, change: dict[str, Any]) -> None:
    play.to("workbench").run()
    events = [*play.recorded[:-1], replace(play.recorded[-1], **change)]
    with pytest.raises(IllegalPlay, match="by the rules"):
        Session.replayed(play.mission, tuple(events))


@pytest.mark.parametrize("kind", ["lock", "run", "run_end", "enter", "claim"])
def test_a_dropped_event_is_illegal_play(play: Any, kind: str) -> None:
    play.to("debrief").do(do.Close())
    events = list(play.recorded)
    del events[next(n for n, event in enumerate(events) if event.kind == kind)]
    with pytest.raises(IllegalPlay):
        Session.replayed(play.mission, tuple(events))


def nested(depth: int) -> list[Any]:
    deep: list[Any] = []
    for _ in range(depth):
        deep = [deep]
    return deep


HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.text(st.characters(codec=None), max_size=5),
    st.just(10**5000),
    st.just(nested(100_000)),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=6,
    ),
)


@pytest.mark.parametrize("kind", ["live", "table"])
@given(data=st.data())
@settings(max_examples=200)
def test_hostile_data_is_illegal_play_and_nothing_else(
    kind: str, data: st.DataObject, edge: Mission, table: Mission, play_of: Any
) -> None:
    mission = {"live": edge, "table": table}[kind]
    play = play_of(mission).to("debrief").do(do.Close())
    events = list(play.events)
    index = data.draw(st.integers(1, len(events) - 1))
    honest = events[index].data
    fields: dict[str, Any] = dict(events[index].data)
    for name in data.draw(st.sets(st.sampled_from([*fields, "extra"]), min_size=1)):
        if data.draw(st.booleans()):
            fields.pop(name, None)
        else:
            fields[name] = data.draw(HOSTILE)
    events[index] = replace(events[index], data=fields)
    try:
        session = Session.replayed(mission, tuple(events))
    except IllegalPlay:
        return
    # What the player said may have been said otherwise (an answer's words); results may not.
    changed = {name for name in {*fields, *honest} if fields.get(name) != honest.get(name)}
    said = do.read(events[index])
    assert changed <= {field.name for field in dataclasses.fields(said)}  # type: ignore[arg-type]
    assert session.closed


@pytest.mark.parametrize("data", [None, [], "text", 5])
def test_data_that_is_no_table_is_illegal_play(play: Any, data: Any) -> None:
    with pytest.raises(IllegalPlay, match="no table"):
        play.session.checked(Event(1, "enter", None, 0, "w", data))


@pytest.mark.parametrize("header", [{}, {"seed_root": 5, "attempt": 1}, {"seed_root": "zz"}])
def test_a_header_without_a_seed_makes_runs_illegal(play: Any, header: dict[str, Any]) -> None:
    play.to("workbench").run()
    events = [replace(play.recorded[0], data=header), *play.recorded[1:]]
    with pytest.raises(IllegalPlay):
        Session.replayed(play.mission, tuple(events))
