from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_tui.content.load import MissionFile
from mission_tui.content.schema import Lock, Mission
from mission_tui.play import locks
from mission_tui.play.actions import Seal, Truth
from mission_tui.play.evaluate import Request, explain, outcome
from mission_tui.play.locks import Judgement, judge


def seal(value: Any, mechanism: str = "a", low: Any = None, high: Any = None) -> Seal:
    return Seal("l", value, low, high, None, mechanism, 0, 0)


@pytest.fixture(scope="module")
def number(edge: Mission) -> Lock:
    return edge.parts["memory"].locks["least"].model_copy(update={"factor": 1.25})


@pytest.fixture(scope="module")
def choice(number: Lock) -> Lock:
    return number.model_copy(update={"kind": "choice", "options": {"yes": "Yes", "no": "No"}})


@given(st.floats(1e-3, 1e12), st.floats(1.0, 3.0))
def test_the_factor_counts_alike_above_and_below(number: Lock, true: float, off: float) -> None:
    if abs(off - 1.25) < 1e-9:
        return
    for sign in (1, -1):
        truth = Truth(sign * true, "a", {})
        above = judge(number, seal(sign * true * off), truth).value_right
        below = judge(number, seal(sign * true / off), truth).value_right
        assert above == below == (off < 1.25)


def test_the_wrong_sign_is_wrong_and_nothing_is_near_zero(number: Lock) -> None:
    assert not judge(number, seal(-5.0), Truth(5.0, "a", {})).value_right
    assert not judge(number, seal(1e-9), Truth(0.0, "a", {})).value_right
    assert not judge(number, seal(0.0), Truth(5.0, "a", {})).value_right


@pytest.mark.parametrize(
    ("guess", "right"), [(-3.0, True), (-1.0, True), (1.0, True), (1.01, False), (-3.01, False)]
)
def test_a_declared_distance_replaces_the_factor(number: Lock, guess: float, right: bool) -> None:
    signed = number.model_copy(update={"within": 2.0})
    assert judge(signed, seal(guess), Truth(-1.0, "a", {})).value_right is right


@pytest.mark.parametrize(
    ("low", "high", "held"),
    [(1.0, 9.0, True), (5.0, 5.0, True), (5.1, 9.0, False), (1.0, 4.9, False), (None, 9.0, None)],
)
def test_a_band_holds_the_truth_or_not(number: Lock, low: Any, high: Any, held: Any) -> None:
    judged = judge(number, seal(5.0, low=low, high=high), Truth(5.0, "a", {}))
    assert judged.in_band is held


def test_a_choice_is_right_when_it_is_the_truth(choice: Lock) -> None:
    assert judge(choice, seal("yes"), Truth("yes", "a", {})) == Judgement(True, True, None)
    assert judge(choice, seal("no", "b"), Truth("yes", "a", {})) == Judgement(False, False, None)


@pytest.mark.parametrize(
    ("value", "mechanism", "cell"),
    [
        (5.0, "a", "both"),
        (5.0, "b", "value_only"),
        (9.0, "a", "mechanism_only"),
        (9.0, "b", "neither"),
    ],
)
def test_value_and_mechanism_make_four_cells(
    number: Lock, value: float, mechanism: str, cell: str
) -> None:
    assert judge(number, seal(value, mechanism), Truth(5.0, "a", {})).cell == cell


def test_a_choice_needs_an_option_a_confidence_and_a_why(choice: Lock) -> None:
    good = Seal("l", "yes", None, None, True, "weights", 0, 0)
    assert locks.refusal(choice, good) is None
    for spoilt, words in (
        (Seal("l", "maybe", None, None, True, "weights", 0, 0), "choose one of yes, no"),
        (Seal("l", "yes", None, None, None, "weights", 0, 0), "whether you are sure"),
        (Seal("l", "yes", None, None, True, "magic", 0, 0), "say why"),
    ):
        assert words in (locks.refusal(choice, spoilt) or "")


@pytest.fixture(scope="module")
def truths(shipped: MissionFile) -> dict[str, Truth]:
    found = {}
    for track, mission in shipped.tracks.items():
        part = mission.parts["memory"]
        found[track] = locks.truth(mission, part, part.locks["least"], part.seeds[0])
    return found


def test_the_answer_differs_between_tracks(truths: dict[str, Truth]) -> None:
    values = sorted(float(truth.value) for truth in truths.values())
    assert all(high / low > 1.25 for low, high in pairwise(values))


def test_the_mechanism_is_not_the_same_on_every_track(truths: dict[str, Truth]) -> None:
    assert len({truth.mechanism for truth in truths.values()}) > 1


def test_a_truth_is_the_engines_own_answer(shipped: MissionFile, truths: dict[str, Truth]) -> None:
    for track, mission in shipped.tracks.items():
        part, truth = mission.parts["memory"], truths[track]
        lock, seed = part.locks["least"], part.seeds[0]
        at = Request.at(part, lock.truth.setting, seed)  # type: ignore[union-attr]
        assert truth.value == outcome(at).metrics["peak_memory"]
        first, second = (
            Request.at(part, setting, seed) for setting in (lock.why.first, lock.why.second)
        )
        assert truth.terms == dict(explain(lock.why.metric, first, second).terms)
        assert truth.terms[truth.mechanism] == max(truth.terms[m] for m in lock.mechanisms)
