"""The table in words: what is told of an answer, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mission_tui.content.schema import Mission, Part
from mission_tui.play import actions as do
from mission_tui.play import parley, talks

CORNER = {"tuning": "full", "batch": 1}
MEETS_CLERK = {"peak_memory": 2e8, "amplification": 4.0}


@pytest.fixture
def part(table: Mission) -> Part:
    return table.parts["memory"]


@pytest.fixture
def sit(table: Mission, play_of: Callable[[Mission], Any]) -> Callable[..., Any]:
    """A play at the table, with run #1 at a setting and with metrics."""

    def seated(at: dict[str, Any], **metrics: float) -> Any:
        play = play_of(table).to("workbench").tried(at, **metrics).tried({"batch": 64})
        return play.do(do.Enter("talks"))

    return seated


def told(play: Any) -> str:
    return " ".join(parley.facts(play.session, play.table.said[-1]))


def test_a_want_that_lacks_is_named_with_what_the_run_gives(sit: Any) -> None:
    play = sit({"batch": 2}, peak_memory=3e8, amplification=4.0).do(do.Move("clerk", "meet", 1))
    assert told(play) == "#1 lacks peak: 300 MB."
    play.do(do.Move("clerk", "trade", 1))
    assert "They ask now: peak ≤ 200 MB, growth ≤ 8.00" in told(play)


@pytest.mark.parametrize(
    ("at", "metrics", "words"),
    [
        ({"tuning": "bias", "batch": 2}, {}, "That is no proof: Method and Batch could still"),
        (CORNER, {"peak_memory": 9e8}, "it breaks what the "),
        (CORNER, MEETS_CLERK | {"trained_parameters": 2e6}, "#1 gives what you would disprove."),
    ],
)
def test_a_proof_that_is_none_says_why(
    sit: Any, at: dict[str, Any], metrics: dict[str, float], words: str
) -> None:
    play = sit(at, **metrics).do(do.Move("coach", "disprove", 1))
    assert words in told(play)
    while play.table.stands["coach"].settled is None:
        play.do(do.Move("coach", "disprove", 1))
    assert words in told(play)  # with the last patience, too
    assert "has left the table for good" in told(play)


def test_where_there_is_no_bound_nothing_can_be_a_proof(sit: Any) -> None:
    play = sit({"batch": 2}).do(do.Move("clerk", "disprove", 1))
    assert "has no bound" in told(play)


def test_speech_is_the_last_word_whoever_it_was_said_to(sit: Any, part: Part) -> None:
    coach = part.stakeholders["coach"]
    play = sit(CORNER, **MEETS_CLERK, trained_parameters=1.9e6)
    assert parley.speech(part, play.table, "coach") == coach.opening
    play.do(do.Move("coach", "disprove", 1))
    assert parley.speech(part, play.table, "coach") == coach.replies.disproved
    answer = talks.Answer(True, "traded", "traded", {}, reopened=("coach",))
    moved = talks.after(part, play.table, "clerk", answer, 2, {})
    assert parley.speech(part, moved, "coach") == coach.replies.reopened
    assert parley.speech(part, moved, "clerk") == part.stakeholders["clerk"].replies.traded


def test_a_risk_keeps_its_threshold_and_its_owner(part: Part) -> None:
    answer = talks.Answer(True, "waived", "waived", {})
    opened = talks.opened(part)
    moved = talks.after(part, opened, "clerk", answer, None, {"bytes": 3e8}, "waive", "the lead")
    (risk,) = parley.risks(part, moved)
    name = part.stakeholders["clerk"].name
    assert (risk.party, risk.words, risk.owner) == (name, "peak ≤ 300 MB", "the lead")
    assert parley.risks(part, opened) == ()


def test_what_the_rules_would_refuse_is_told_and_changes_nothing(sit: Any) -> None:
    play = sit({"batch": 2})
    before = play.session
    words = parley.refusal(play.session, do.Move("clerk", "meet", 9))
    assert words == "cite a run that is pinned and came to its end"
    assert parley.refusal(play.session, do.Move("clerk", "meet", 1)) is None
    assert play.session is before


def test_a_rounding_of_the_accounting_is_no_distance(part: Part) -> None:
    want = part.stakeholders["clerk"].wants["bytes"]
    for value, words in ((2e8 - 20, "±0"), (1.9e8, "+10.0 MB"), (2.1e8, "−10.0 MB")):
        held = talks.Held("bytes", "peak_memory", 2e8, False, value)
        assert parley.room(part, want, held) == words


def near(play: Any, run: int = 1) -> tuple[str, ...]:
    """How far a run is from a proof against the coach."""
    found = play.session.state.runs[run - 1]
    return parley.proof(play.session.part, play.table, "coach", found)


def test_how_far_a_run_is_from_a_proof_is_told_once_a_try_was_refused(sit: Any) -> None:
    play = sit({"tuning": "bias", "batch": 2})
    assert near(play) == (parley.PROOF,)
    play.do(do.Move("coach", "meet", 1))
    assert near(play) == (parley.PROOF,)  # only Disprove tells of the bound
    play.do(do.Move("coach", "disprove", 1))
    first, second = near(play)
    assert first == (
        "Proof with #1: 0 of 2 sliders at the favourable end; Method and Batch could still move."
    )
    assert second.startswith("It must keep what the Clerk of bytes asks, and ")


def test_a_proof_that_would_do_lacks_nothing(sit: Any) -> None:
    play = sit(CORNER, **MEETS_CLERK | {"trained_parameters": 1e3})
    play.do(do.Move("coach", "disprove", 2))
    lines = near(play)
    assert lines[0] == "Proof with #1: 2 of 2 sliders at the favourable end."
    assert lines[1:] == ("It must keep what the Clerk of bytes asks, and does.",)
    play.do(do.Move("coach", "disprove", 1))
    assert play.table.stands["coach"].settled == "disproved"


def test_a_run_that_gives_the_want_is_told_so(sit: Any) -> None:
    play = sit(CORNER, **MEETS_CLERK | {"trained_parameters": 2e6})
    play.do(do.Move("coach", "disprove", 1))
    assert "that it would disprove" in near(play)[-1]


def test_a_waiver_names_its_want_where_the_party_has_others(sit: Any) -> None:
    play = sit({})
    play.do(play.waive("clerk"))
    clerk = play.session.part.stakeholders["clerk"]
    stand = play.table.stands["clerk"]
    assert len(clerk.wants) > 1
    assert parley.stands_as(clerk, stand) == "▲ waived: peak"
    assert parley.stands_as(clerk, talks.Stand({}, "met")) == "● met"
    assert parley.stands_as(clerk, talks.Stand({})) == "○ not settled"
