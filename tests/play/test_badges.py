"""Badges: for good practice alone, from the session alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mission_tui.content.schema import Mission
from mission_tui.play import actions as do
from mission_tui.play import badges
from mission_tui.play.badges import comparisons, earned
from tests.play.conftest import Play


def ids(play: Play) -> set[str]:
    return {badge.id for badge in earned(play.session)}


def test_a_comparison_changes_one_slider_against_an_earlier_run(play: Play) -> None:
    play.to("workbench").run()
    play.do(do.Turn("batch", 4, 0)).run()  # one thing
    play.do(do.Turn("batch", 8, 0), do.Turn("tuning", "bias", 0)).run()  # two things
    play.do(do.Turn("tuning", "full", 0)).run()  # one thing against #3, and #2 and #1
    play.run()  # nothing new
    assert comparisons(play.session.state) == ((1, 2), (3, 4))


def test_one_thing_at_a_time(play: Play) -> None:
    play.to("workbench").run()
    assert "one-thing" not in ids(play)
    for batch in (4, 8, 16):
        play.do(do.Turn("batch", batch, 0)).run()
    assert "one-thing" in ids(play)


def test_hints_cost_the_badge_for_none_and_so_does_a_missed_part(play: Play) -> None:
    play.to("debrief")
    assert "unaided" not in ids(play)
    good = Play(play.mission).to("workbench").run(1e8, 95.0)
    good.do(do.Turn("batch", 4, 0)).run(1e8, 95.0)
    assert "unaided" in ids(good)
    hint = good.session.next_hint
    assert hint
    assert "Unaided" in str(badges.hint_costs(good.session))
    assert "unaided" not in ids(good.do(do.Hint(hint)))
    assert badges.hint_costs(good.session) is None  # it is gone: no more is said


def test_a_claim_that_holds_at_once(play: Play) -> None:
    play.to("claim")
    play.do(play.claim(mechanism="weights"))
    play.do(play.claim())
    assert play.session.state.claims[-1].verified
    assert "said" not in ids(play)
    first = Play(play.mission).to("claim")
    assert "said" in ids(first.do(first.claim()))


def test_stopping_what_was_lost_and_trying_elsewhere(budgeted: Mission) -> None:
    play = Play(budgeted).to("workbench").do(do.Commit())
    play.do(do.Cancel(1, 2, play.outcome(9e9, 10.0)))
    assert "stopped" not in ids(play)
    play.run(5e8)
    assert "stopped" not in ids(play)  # the same setting again
    play.do(do.Turn("batch", 4, 0)).run(5e8)
    assert "stopped" in ids(play)


def test_a_proof_and_a_table_without_waivers(
    table: Mission, play_of: Callable[[Mission], Play]
) -> None:
    play = play_of(table).to("workbench")
    play.tried({"batch": 1, "tuning": "full"}, peak_memory=1.5e8, amplification=3.0)
    play.do(do.Turn("batch", 4, 0)).run().to("talks")
    play.do(do.Move("coach", "disprove", 1))
    assert "proof" in ids(play)
    assert "all-heard" not in ids(play)
    play.do(do.Move("clerk", "meet", 1))
    assert {"proof", "all-heard"} <= ids(play)


def test_no_badge_moves_with_the_clock(play: Play) -> None:
    play.to("debrief")
    assert earned(replace(play.session, mono_ms=10**9)) == earned(play.session)
