from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_tui.content.schema import Mission, Part
from mission_tui.play.claims import ROUNDS, Evidence, differing, draft, verdict

TERMS = {"weights": 10.0, "gradients": -1e6, "optimizer": -2e6, "activations": -3e8}


@pytest.fixture(scope="module")
def part(edge: Mission) -> Part:
    return edge.parts["memory"]


def run(number: int, peak: float, **setting: Any) -> Evidence:
    base = {"tuning": "full", "batch": 8, "optimizer": "adam"}
    return Evidence(number, {**base, **setting}, {"peak_memory": peak, "accuracy": peak / 1e7})


RUNS = {1: run(1, 5.004e8), 2: run(2, 2.001e8, batch=4), 3: run(3, 1e8, batch=4, tuning="bias")}


def failed(part: Part, play: Any, **changed: Any) -> dict[str, str]:
    return verdict(part, play.claim(terms=TERMS, **changed), RUNS)


@pytest.mark.parametrize(
    ("amount", "unit"),
    [("300", "MB"), ("300.3", "MB"), ("0.3", "GB"), ("0.3003", "GB"), ("300300000", "B")],
)
def test_a_true_claim_is_verified_in_any_unit(
    part: Part, play: Any, amount: str, unit: str
) -> None:
    assert failed(part, play, amount=amount, unit=unit) == {}


def test_a_claim_may_be_told_backwards(part: Part, play: Any) -> None:
    backwards = {name: -value for name, value in TERMS.items()}
    claim = play.claim(runs=(2, 1), direction="rose", terms=backwards)
    assert verdict(part, claim, RUNS) == {}


@pytest.mark.parametrize(
    ("changed", "check", "words"),
    [
        ({"runs": (1, 3)}, "control", "confounded by tuning"),
        ({"runs": (2, 3)}, "control", "batch is the same in both runs"),
        ({"control": ""}, "control", "nothing is the same"),
        ({"control": "speed"}, "control", "speed is the same"),
        ({"direction": "rose"}, "sign", "it fell: −300 MB"),
        ({"direction": "did not move"}, "sign", "it fell"),
        ({"direction": "sank"}, "sign", "it fell"),
        ({"unit": "GB"}, "number", "the runs say −300 MB"),
        ({"unit": "MiB"}, "number", "the runs say"),
        ({"unit": "ms"}, "number", "ms is no unit of peak_memory"),
        ({"unit": "points"}, "number", "points is no unit"),
        ({"amount": "301"}, "number", "the runs say"),
        ({"amount": "300.0"}, "number", "the runs say"),
        ({"amount": "0", "unit": "TB", "direction": "did not move"}, "number", "too coarse"),
        ({"amount": "-300"}, "number", "'-300' is not an amount"),
        ({"amount": "nan"}, "number", "is not an amount"),
        ({"amount": "inf"}, "number", "is not an amount"),
        ({"amount": "much"}, "number", "is not an amount"),
        ({"amount": ""}, "number", "is not an amount"),
        ({"mechanism": "optimizer"}, "mechanism", "another term"),
        ({"mechanism": ""}, "mechanism", "another term"),
        ({"runs": (1, 1)}, "runs", "two different runs"),
        ({"runs": (1, 9)}, "runs", "two different runs"),
        ({"runs": (8, 9)}, "runs", "two different runs"),
        ({"metric": "amplification"}, "runs", "is about peak_memory, accuracy"),
        ({"metric": "nonsense"}, "runs", "is about peak_memory, accuracy"),
    ],
)
def test_a_false_claim_fails_its_check(
    part: Part, play: Any, changed: dict[str, Any], check: str, words: str
) -> None:
    found = failed(part, play, **changed)
    assert words in found[check]
    if check not in {"runs", "control"}:
        assert set(found) <= {check, "sign", "number"}


def test_the_mechanism_is_the_largest_in_the_direction_of_the_change(part: Part, play: Any) -> None:
    terms = {"weights": 9e8, "gradients": -4e8, "optimizer": 0.0, "activations": -8e8}
    assert verdict(part, play.claim(terms=terms), RUNS) == {}
    assert "mechanism" in verdict(part, play.claim(terms=terms, mechanism="weights"), RUNS)


def test_a_claim_without_terms_has_no_mechanism(part: Part, play: Any) -> None:
    assert "mechanism" in verdict(part, play.claim(terms={}), RUNS)
    assert "mechanism" in verdict(part, play.claim(terms={"luck": 1.0}, mechanism="luck"), RUNS)


MOVES = st.floats(1e3, 1e11)


@given(MOVES, MOVES, st.sampled_from(["peak_memory", "accuracy"]))
def test_the_drafted_sentence_is_true(
    part: Part, edge: Mission, play_of: Any, before: float, after: float, metric: str
) -> None:
    runs = {1: run(1, before), 2: run(2, after, batch=4)}
    found = draft(part, metric, runs[1], runs[2])
    terms = {"activations": after - before, "capacity": after - before}
    claim = play_of(edge).claim(
        metric=metric,
        control=found.control,
        direction=found.direction,
        amount=found.amount,
        unit=found.unit,
        mechanism="activations" if metric == "peak_memory" else "capacity",
        terms=terms,
    )
    assert verdict(part, claim, runs) == {}


def test_a_draft_names_what_differs(part: Part) -> None:
    found = draft(part, "peak_memory", RUNS[1], RUNS[3])
    assert found.changed == differing(RUNS[1], RUNS[3]) == ("tuning", "batch")
    assert (found.control, found.before, found.after) == ("tuning", "full", "bias")
    still = draft(part, "peak_memory", RUNS[1], RUNS[1])
    assert (still.direction, still.control, still.changed) == ("did not move", "", ())


# -- runs that were stopped --------------------------------------------------------------------


def stopped(number: int, rounds: int | None) -> Evidence:
    return replace(RUNS[number], rounds=rounds)


@pytest.mark.parametrize(("first", "second"), [(3, None), (None, 3), (3, 4)])
def test_runs_of_unlike_rounds_are_confounded(
    part: Part, play: Any, first: int | None, second: int | None
) -> None:
    runs = {1: stopped(1, first), 2: stopped(2, second)}
    assert differing(runs[1], runs[2]) == ("batch", ROUNDS)
    assert verdict(part, play.claim(terms=TERMS), runs) == {"control": "confounded by rounds"}
    found = draft(part, "peak_memory", runs[1], runs[2])
    assert (found.control, found.changed) == ("batch", ("batch", ROUNDS))


def test_runs_stopped_after_as_many_rounds_are_compared_like_any_others(
    part: Part, play: Any
) -> None:
    runs = {1: stopped(1, 3), 2: stopped(2, 3)}
    assert differing(runs[1], runs[2]) == ("batch",)
    assert verdict(part, play.claim(terms=TERMS), runs) == {}


def test_a_run_that_was_stopped_and_its_own_whole_differ_in_no_slider(
    part: Part, play: Any
) -> None:
    runs = {1: stopped(1, None), 2: replace(stopped(1, 2), number=2)}
    found = draft(part, "peak_memory", runs[1], runs[2])
    assert (found.control, found.before, found.changed) == ("", None, (ROUNDS,))
    for control in ("", ROUNDS, "batch"):
        assert "is the same in both" in verdict(part, play.claim(control=control), runs)["control"]
