from __future__ import annotations

from collections.abc import Callable

import pytest

from mission_tui.content.schema import Mission
from mission_tui.play import actions as do
from mission_tui.play import coach
from mission_tui.play.actions import Instant, Recorded
from tests.play.conftest import Play


@pytest.fixture
def bench(play: Play) -> Play:
    return play.to("workbench")


def test_one_slider_at_a_time_wants_no_remark(bench: Play) -> None:
    assert coach.after_run(bench.session) is None
    bench.run()
    assert coach.after_run(bench.session) is None
    bench.do(do.Turn("batch", 4, 0)).run()
    assert coach.after_run(bench.session) is None


def test_two_sliders_at_once_are_noticed(bench: Play) -> None:
    bench.run().do(do.Turn("batch", 4, 0), do.Turn("optimizer", "sgd", 0)).run()
    assert coach.after_run(bench.session) == "2 sliders moved since #1: which one did it?"
    bench.do(do.Turn("batch", 8, 0)).run()
    assert coach.after_run(bench.session) is None


def test_the_same_setting_twice_is_noticed(bench: Play) -> None:
    bench.run().do(do.Turn("batch", 4, 0)).run()
    default = bench.session.part.default["batch"]
    bench.do(do.Turn("batch", default, 0)).run()
    assert coach.after_run(bench.session) == "Run #1 was this very setting."


def test_a_run_that_was_stopped_may_be_run_again(
    budgeted: Mission, play_of: Callable[[Mission], Play]
) -> None:
    play = play_of(budgeted).to("workbench")
    play.do(do.Commit(), do.Cancel(1, 2, Recorded({"peak_memory": 1.0}, {}))).run()
    assert coach.after_run(play.session) is None


@pytest.mark.parametrize(("apart", "noticed"), [(2999, True), (3000, False), (60_000, False)])
def test_hints_in_one_breath_are_noticed(bench: Play, apart: int, noticed: bool) -> None:
    first, second = list(bench.session.part.hints)[:2]
    session = bench.session
    for hint, at in ((first, 1_000_000), (second, 1_000_000 + apart)):
        assert coach.after_hint(session) is None
        (event,) = session.decide(do.Hint(hint), Instant(at, "w"))
        session = session.apply(event)
    assert (coach.after_hint(session) is not None) == noticed
    assert session.state.hints == (first, second)


def test_a_lock_sealed_faster_than_it_reads_is_noticed(play: Play) -> None:
    lock = play.session.part.locks["least"]
    least = coach.reading_ms(play.session, lock)
    words = len(" ".join([lock.prompt, *lock.facts]).split())
    assert words > 20
    assert least == pytest.approx(1000 * words / 12, rel=0.2)  # figures filled in may be two words
    play.to("lock")
    assert coach.after_seal(play.session) is None
    for latency, noticed in ((int(least) - 1, True), (int(least) + 1, False)):
        (event,) = play.session.decide(play.seal(latency_ms=latency), Instant(9000, "w"))
        found = coach.after_seal(play.session.apply(event))
        assert (found is not None) == noticed
