"""What earlier plays hand over: words and a question, on which nothing depends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mission_tui.content.load import mission_hash
from mission_tui.content.schema import Carried, Mission, Recall
from mission_tui.play import actions as do
from mission_tui.play import recall
from mission_tui.play.events import Event
from mission_tui.play.session import IllegalPlay, Refused, Session
from tests.play.conftest import Play

QUESTION = Recall(
    question="What does learning keep?",
    options={"inputs": "Layer inputs.", "labels": "Labels."},
    answer="inputs",
    explanation="For the backward pass.",
)
SNAP: dict[str, Any] = {
    "track": "edge",
    "play_id": "p",
    "closed": "2026-01-01",
    "passed": True,
    "decision": "small",
    "waivers": [],
    "class": None,
}


def installed(mission: Mission) -> recall.Find:
    return lambda name, _: mission if name == "first" else None


@pytest.fixture
def first(table: Mission) -> Mission:
    """The mission that was played before: a table, a decision and a question."""
    return table.model_copy(update={"id": "first", "recall": QUESTION})


def after(mission: Mission, **carried: Any) -> Play:
    """A play whose header carries these snapshots."""
    play = Play(mission)
    header = {**play.events[0].data, "carried": carried}
    play.events[0] = replace(play.events[0], data=header)
    play.session = Session.begin(mission, header)
    return play


def finished(mission: Mission, *moves: do.Move) -> list[Event]:
    play = Play(mission).to("talks").do(*moves)
    play.to("debrief").do(do.Close())
    head = {**play.events[0].data, "driver": "human", "play_id": "p", "student": "ada"}
    head |= {"mission": mission.id, "track": mission.track}
    return [Event(0, "header", None, 0, "w", head), *play.recorded[1:]]


def test_a_finished_play_hands_over_its_decision_and_waivers(first: Mission) -> None:
    waiver = do.Move("coach", "waive", None, "skill", 60.0, "the fleet's lead")
    events = finished(first, waiver)
    snap = recall.snapshot(events, installed(first))
    assert snap
    assert (snap["track"], snap["passed"], snap["decision"]) == ("edge", False, "small")
    said = {"part": "memory", "party": "coach", "want": "skill", "owner": "the fleet's lead"}
    assert snap["waivers"][0] == {**said, "threshold": 60.0}
    play = after(first.model_copy(update={"id": "second"}), first=snap)
    told = list(recall.last_time(play.session, installed(first)))
    assert told[0].startswith(f"Last time, in {first.title} as")
    assert "· you decided: Biases alone." in told
    assert "· you waived: skill ≥ 60.0 % was to hold; owner: the fleet's lead" in told
    gone = list(recall.last_time(play.session, lambda *_: None))  # told by its ids
    assert "· you decided: small" in gone


def test_what_was_handed_on_is_told_in_the_words_of_the_part_that_took_it(first: Mission) -> None:
    part = first.parts["memory"]
    taken = {"large": Carried(label="all layers")}
    giver = first.model_copy(
        update={"parts": {"memory": part.model_copy(update={"carried": taken})}}
    )
    play = after(first.model_copy(update={"id": "second"}), first={**SNAP, "class": "large"})
    assert "· you handed on: all layers" in recall.last_time(play.session, installed(giver))
    assert "· you handed on: large" in recall.last_time(play.session, installed(first))


def test_an_unfinished_play_and_a_programs_hand_over_nothing(first: Mission) -> None:
    events = finished(first)
    assert recall.snapshot(events[:-1], installed(first)) is None
    bot = replace(events[0], data={**events[0].data, "driver": "bot:reference"})
    assert recall.snapshot([bot, *events[1:]], installed(first)) is None


def test_of_each_other_mission_the_newest_play_is_carried() -> None:
    old, new = ({**SNAP, "closed": day} for day in ("2026-01-01", "2026-01-02"))
    plays = [("a", new), ("a", old), ("b", old), ("self", new)]
    assert recall.carried(plays, "self") == {"a": new, "b": old}
    many = [(f"m{n}", {**SNAP, "closed": f"2026-01-{n:02}"}) for n in range(1, 20)]
    assert set(recall.carried(many, "x")) == {f"m{n}" for n in range(12, 20)}


def test_the_question_is_asked_once_and_its_answer_is_an_event(first: Mission) -> None:
    play = after(first.model_copy(update={"id": "second"}), first=SNAP)
    asked = recall.asked(play.session, installed(first))
    assert asked
    play.do(asked.answered("labels", 4000))
    assert play.events[-1].kind == "recall"
    said = {"mission": "first", "answer": "labels", "right": False, "latency_ms": 4000}
    assert play.said() == said
    assert recall.asked(play.session, installed(first)) is None
    with pytest.raises(Refused, match="already"):
        play.do(asked.answered("inputs", 1))
    assert Session.replayed(play.mission, play.recorded).recalled == play.session.recalled


def test_what_was_answered_in_another_play_is_not_asked_again(first: Mission) -> None:
    second = first.model_copy(update={"id": "second"})
    play = after(second, first=SNAP)
    asked = recall.asked(play.session, installed(first))
    assert asked
    skipped = after(second, first=SNAP).do(asked.answered(None, 10))
    assert recall.answered_in(skipped.events) == set()  # a skipped one may come again
    answered = recall.answered_in(play.do(asked.answered("labels", 10)).events)
    assert answered == {"first"}
    third = after(first.model_copy(update={"id": "third"}), first=SNAP)
    assert recall.asked(third.session, installed(first), answered) is None
    assert recall.asked(third.session, installed(first)) is not None


def test_it_can_be_skipped_and_belongs_to_the_briefing(first: Mission) -> None:
    second = first.model_copy(update={"id": "second"})
    asked = recall.asked(after(second, first=SNAP).session, installed(first))
    assert asked
    skipped = after(second, first=SNAP).do(asked.answered(None, 10))
    assert skipped.said()["right"] is None
    with pytest.raises(Refused, match="briefing"):
        after(second, first=SNAP).do(do.Enter("lock"), asked.answered(None, 10))
    with pytest.raises(Refused, match="finished before"):
        after(second).do(asked.answered(None, 10))
    with pytest.raises(Refused, match="neither right nor wrong"):
        after(second, first=SNAP).do(do.Recall("first", None, True, 10))


def test_a_record_can_not_be_asked_by_a_mission_that_was_not_carried(first: Mission) -> None:
    play = after(first.model_copy(update={"id": "second"}), first=SNAP)
    play.do(do.Recall("first", "inputs", True, 10))
    forged = replace(play.recorded[1], data={**play.recorded[1].data, "mission": "other"})
    with pytest.raises(IllegalPlay, match="finished before"):
        Session.replayed(play.mission, (play.recorded[0], forged))


@pytest.mark.parametrize(
    "carried",
    [None, 3, [], {"first": None}, {"first": {}}, {"first": {"waivers": 3, "decision": 4}}],
)
def test_an_odd_header_breaks_no_briefing(first: Mission, carried: Any) -> None:
    play = Play(first.model_copy(update={"id": "second"}))
    session = Session.begin(play.mission, {**play.events[0].data, "carried": carried})
    list(recall.last_time(session, installed(first)))
    recall.asked(session, installed(first))


def test_hostile_snapshots_are_told_cleaned(first: Mission) -> None:
    odd = {"want": "\x1b]52;c;QQ==\x07", "owner": "\x1b[2J", "threshold": True, "part": 3}
    snap = {**SNAP, "decision": "\x1b[31m", "waivers": [odd, None, 3], "class": "\x1b"}
    play = after(first.model_copy(update={"id": "second"}), first=snap)
    for find in (installed(first), lambda *_: None):
        assert "\x1b" not in "".join(recall.last_time(play.session, find))


def test_nothing_depends_on_what_is_carried(first: Mission) -> None:
    second = first.model_copy(update={"id": "second"})
    with_it, without = after(second, first=SNAP), after(second)
    with_it.do(do.Recall("first", "inputs", True, 10))
    assert with_it.session.seed == without.session.seed
    assert with_it.session.request() == without.session.request()
    with_it.to("debrief")
    without.to("debrief")
    assert with_it.session.parts == without.session.parts


def test_a_recall_question_moves_no_hash_of_rules(first: Mission) -> None:
    without = first.model_copy(update={"recall": None})
    assert mission_hash(first).rules == mission_hash(without).rules
    assert mission_hash(first).texts != mission_hash(without).texts
