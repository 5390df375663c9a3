"""What a ledger alone tells, and that a hostile one tells nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mission_tui.grading.features import SWEEP, Features, features
from mission_tui.play.events import KINDS, Event


def run(number: int, at: int, setting: dict[str, Any], passed: bool = False) -> list[Event]:
    begun = {"number": number, "setting": setting, "cost": 0}
    ended = {"number": number, "passed": passed, "met": {"peak": passed}}
    return [
        Event(0, "run", "memory", at, "w", begun),
        Event(0, "run_end", "memory", at + 100, "w", ended),
    ]


def of(*runs: list[Event]) -> Features:
    return features([event for each in runs for event in each])


def test_comparisons_repeats_and_runs_after_the_pass_are_counted() -> None:
    found = of(
        run(1, 0, {"a": 1, "b": 1}),
        run(2, 10_100, {"a": 2, "b": 1}),  # one thing
        run(3, 20_200, {"a": 3, "b": 2}, passed=True),  # two things
        run(4, 30_300, {"a": 3, "b": 2}),  # again
    )
    assert (found.runs, found.controlled, found.changed) == (4, 0.5, 1.5)
    assert (found.repeated, found.after_pass) == (0.25, 1)
    assert found.run_gap == 10.0
    assert found.covered == pytest.approx((3 / 4 + 2 / 4) / 2)
    assert found.progress == 0.5


def test_a_sweep_is_quick_steps_of_one_control_one_way() -> None:
    quick = [run(n, n * 1_000, {"a": n, "b": 1}) for n in range(SWEEP)]
    slow = [run(n, n * 30_000, {"a": n, "b": 1}) for n in range(SWEEP)]
    to_and_fro = [run(n, n * 1_000, {"a": n * (-1) ** n, "b": 1}) for n in range(SWEEP)]
    assert [of(*runs).sweeps for runs in (quick, slow, to_and_fro, quick[1:])] == [SWEEP, 0, 0, 0]


def test_hints_one_upon_the_other_are_bursts() -> None:
    at = [0, 1_000, 60_000, 61_000, 62_000]
    events = [Event(0, "hint", "memory", ms, "w", {"hint": "h"}) for ms in at]
    assert (features(events).hints, features(events).bursts) == (5, 0.75)


def test_active_time_is_summed_by_part_and_reading_is_its_own() -> None:
    def leave(screen: str, part: str | None, ms: int) -> Event:
        return Event(0, "leave", part, 0, "w", {"screen": screen, "active_ms": ms})

    found = features([leave("briefing", None, 8_000), leave("reveal", "memory", 12_000)])
    assert found.reading == 10.0
    assert found.minutes == {"memory": 0.2}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
names = st.sampled_from(
    "number setting passed met screen active_ms latency_ms edits failed verified driver".split()
)


@settings(max_examples=60)  # each is a list of events with anything in them
@given(
    st.lists(
        st.builds(
            Event,
            st.just(0),
            st.sampled_from(sorted(KINDS)),
            st.none() | st.text(max_size=3),
            st.integers(0, 10**9),
            st.just("w"),
            st.dictionaries(names, anything),
        ),
        max_size=12,
    )
)
def test_a_hostile_ledger_says_nothing_and_breaks_nothing(events: list[Event]) -> None:
    features(events)
