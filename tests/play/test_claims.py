from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_tui.content.schema import Mission, Part
from mission_tui.play import actions as do
from mission_tui.play import flips
from mission_tui.play.actions import Instant
from mission_tui.play.claims import ROUNDS, Evidence, differing, draft, verdict
from mission_tui.play.game import Game
from mission_tui.play.session import Refused, Session
from tests.play.conftest import Play

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


# -- the whole set, on the engine ----------------------------------------------------------------

SETTINGS: dict[int, dict[str, Any]] = {
    1: {"tuning": "last3", "batch": 8, "optimizer": "sgd"},
    2: {"tuning": "bias", "batch": 8, "optimizer": "sgd"},
    3: {"tuning": "bias", "batch": 16, "optimizer": "sgd"},
    4: {"tuning": "bias", "batch": 16, "optimizer": "adam"},
    5: {"tuning": "last3", "batch": 64, "optimizer": "sgd"},
    6: {"tuning": "full", "batch": 8, "optimizer": "sgd"},
    7: {"tuning": "full", "batch": 8, "optimizer": "adam"},
}
CONTROLLED = [(1, 2), (2, 1), (2, 3), (1, 5), (6, 7), (2, 6), (1, 6)]
CONFOUNDED = {
    (1, 3): "confounded by batch",
    (3, 1): "confounded by batch",
    (2, 4): "confounded by optimizer",
    (1, 4): "confounded by batch, optimizer",
    (5, 2): "confounded by batch",
    (7, 4): "confounded by batch",
}


class Bench:
    """A game on the engine, with one run at each setting, at its claim."""

    def __init__(self, play: Any) -> None:
        self.play = play
        game = Game(play.to("workbench").session, play.events.append, self.clock)
        for setting in SETTINGS.values():
            for control, to in setting.items():
                game.turn(control, to)
            game.run()
        game.go("reveal", 0, 0)
        game.go("claim", 0, 0)
        self.game = game
        self.runs = game.session.evidence()
        self.part = game.session.part

    def clock(self) -> Instant:
        return Instant(len(self.play.events), "w")

    def reasons(self, runs: tuple[int, int], metric: str = "peak_memory") -> list[str]:
        """The mechanisms, the largest term in the direction of the change first."""
        terms = self.game.terms(metric, runs)
        sign = 1 if terms.change > 0 else -1
        return sorted(terms.terms, key=lambda name: sign * terms.terms[name], reverse=True)

    def true(self, runs: tuple[int, int], metric: str = "peak_memory") -> do.Claim:
        """The sentence that the runs fill, with the right reason."""
        found = self.game.draft(metric, *runs)
        terms = dict(self.game.terms(metric, runs).terms)
        said = (found.control, found.direction, found.amount, found.unit)
        return do.Claim(metric, runs, *said, self.reasons(runs, metric)[0], "", terms)

    def flip(self, runs: tuple[int, int], control: str, value: Any, metric: str) -> do.Flip:
        """A flip point with the engine's own turning points beside it."""
        return do.Flip(control, value, self.game.turns(metric, runs, control))

    def check(self, claim: do.Claim) -> dict[str, str]:
        return verdict(self.part, claim, self.runs)


@pytest.fixture(scope="module")
def bench(edge: Mission) -> Bench:
    return Bench(Play(edge))


@pytest.mark.parametrize("runs", CONTROLLED)
@pytest.mark.parametrize("metric", ["peak_memory", "accuracy"])
def test_set_true(bench: Bench, runs: tuple[int, int], metric: str) -> None:
    assert bench.check(bench.true(runs, metric)) == {}


@pytest.mark.parametrize(("runs", "words"), CONFOUNDED.items())
def test_set_confounded(bench: Bench, runs: tuple[int, int], words: str) -> None:
    assert bench.check(bench.true(runs)) == {"control": words}


@pytest.mark.parametrize("runs", CONTROLLED)
def test_set_wrong_sign(bench: Bench, runs: tuple[int, int]) -> None:
    true = bench.true(runs)
    for wrong in {"rose", "fell", "did not move"} - {true.direction}:
        found = bench.check(replace(true, direction=wrong))
        assert found.keys() == {"sign"}
        assert found["sign"].startswith(f"it {true.direction}: ")


@pytest.mark.parametrize("runs", CONTROLLED)
@pytest.mark.parametrize("unit", ["kB", "GB", "MiB"])
def test_set_wrong_unit(bench: Bench, runs: tuple[int, int], unit: str) -> None:
    true = bench.true(runs)
    assert true.unit == "MB"
    found = bench.check(replace(true, unit=unit))
    assert found["number"].startswith(f"right in MB, not in {unit}: the runs say ")
    assert found.keys() <= {"number", "sign"}  # in GB it is so coarse that nothing moved


@pytest.mark.parametrize("runs", CONTROLLED)
def test_set_misrounded(bench: Bench, runs: tuple[int, int]) -> None:
    true = bench.true(runs)
    first, second = (bench.runs[number].metrics["peak_memory"] / 1e6 for number in runs)
    decimals = len(true.amount.partition(".")[2])
    up = abs(second - first) > float(true.amount)
    amount = float(true.amount) + (1 if up else -1) * 10**-decimals
    found = bench.check(replace(true, amount=f"{amount:.{decimals}f}"))
    assert found.keys() == {"number"}
    assert found["number"].startswith("rounded wrongly: the runs say ")


@pytest.mark.parametrize("runs", CONTROLLED)
def test_set_wrong_mechanism(bench: Bench, runs: tuple[int, int]) -> None:
    for other in bench.reasons(runs)[1:]:
        found = bench.check(replace(bench.true(runs), mechanism=other))
        assert found.keys() == {"mechanism"}


def test_set_turns_where_the_engine_turns(bench: Bench) -> None:
    """At small batches the biases need more than the last three layers; from 32 on, less."""
    assert bench.game.turns("peak_memory", (1, 2), "batch") == (32,)
    assert bench.game.turns("peak_memory", (2, 1), "batch") == (32,)
    assert bench.game.turns("peak_memory", (2, 3), "batch") == ()
    assert bench.game.turns("peak_memory", (6, 7), "batch") == ()
    assert bench.game.turns("accuracy", (1, 2), "batch") == ()
    assert bench.game.turns("peak_memory", (1, 5), "tuning") == ()


@pytest.mark.parametrize(
    ("runs", "control", "value"),
    [
        ((1, 2), "batch", 32),
        ((2, 1), "batch", 32),
        ((1, 2), "batch", 16),
        ((1, 2), "batch", 64),
        ((1, 2), "batch", 24.5),
        ((2, 3), "batch", "never"),
        ((6, 7), "batch", "never"),
        ((2, 6), "batch", "never"),
    ],
)
def test_set_flip_right(bench: Bench, runs: tuple[int, int], control: str, value: Any) -> None:
    flip = bench.flip(runs, control, value, "peak_memory")
    assert bench.check(replace(bench.true(runs), flip=flip)) == {}


@pytest.mark.parametrize(
    ("runs", "metric", "control", "value", "words"),
    [
        ((1, 2), "peak_memory", "batch", 8, "turns elsewhere along batch"),
        ((1, 2), "peak_memory", "batch", 15.9, "turns elsewhere along batch"),
        ((1, 2), "peak_memory", "batch", 65, "turns elsewhere along batch"),
        ((1, 2), "peak_memory", "batch", -1e300, "turns elsewhere along batch"),
        ((1, 2), "peak_memory", "batch", "never", "does turn somewhere along batch"),
        ((2, 3), "peak_memory", "batch", 32, "never turns along batch"),
        ((6, 7), "peak_memory", "batch", 16, "never turns along batch"),
        ((1, 2), "peak_memory", "tuning", "never", "tuning has no values"),
        ((2, 3), "peak_memory", "optimizer", 1, "optimizer has no values"),
        ((1, 2), "peak_memory", "speed", 1, "no slider 'speed'"),
        ((1, 2), "peak_memory", "", "never", "no slider ''"),
        ((1, 2), "accuracy", "batch", 32, "for exact metrics"),
        ((1, 2), "accuracy", "batch", "never", "for exact metrics"),
        ((1, 2), "peak_memory", "batch", "soon", "give a value of batch, or never"),
        ((1, 2), "peak_memory", "batch", True, "give a value of batch, or never"),
        ((1, 2), "peak_memory", "batch", float("nan"), "give a value of batch, or never"),
        ((1, 2), "peak_memory", "batch", float("inf"), "give a value of batch, or never"),
    ],
)
def test_set_flip_wrong(
    bench: Bench, runs: tuple[int, int], metric: str, control: str, value: Any, words: str
) -> None:
    flip = bench.flip(runs, control, value, metric)
    found = bench.check(replace(bench.true(runs, metric), flip=flip))
    assert found.keys() == {"flip"}
    assert words in found["flip"]


def test_turning_points_that_are_none_help_no_claim(bench: Bench) -> None:
    true = bench.true((1, 2))
    forged = do.Flip("batch", 17, (17,))
    assert bench.check(replace(true, flip=forged)).keys() == {"flip"}


# -- what did not move ---------------------------------------------------------------------------

STILL_RUNS = {1: run(1, 5e8), 2: run(2, 5e8, batch=4)}


@pytest.mark.parametrize(
    ("terms", "right"),
    [
        ({"activations": 0.0}, {"weights", "gradients", "optimizer", "activations"}),
        ({"activations": 3e8, "optimizer": -3e8}, {"activations", "optimizer"}),
        ({"activations": -6e8, "optimizer": 3e8, "weights": 3e8}, {"activations"}),
    ],
)
def test_what_did_not_move_is_claimed_with_what_held_it(
    part: Part, play: Any, terms: dict[str, float], right: set[str]
) -> None:
    found = draft(part, "peak_memory", STILL_RUNS[1], STILL_RUNS[2])
    assert (found.direction, found.amount) == ("did not move", "0")
    every = {"weights": 0.0, "gradients": 0.0, "optimizer": 0.0, "activations": 0.0} | terms
    for mechanism in every:
        claim = play.claim(
            direction="did not move", amount="0", unit="B", mechanism=mechanism, terms=every
        )
        assert (verdict(part, claim, STILL_RUNS) == {}) == (mechanism in right)


@pytest.mark.parametrize("direction", ["rose", "fell"])
def test_what_did_not_move_neither_rose_nor_fell(part: Part, play: Any, direction: str) -> None:
    claim = play.claim(direction=direction, amount="0", unit="MB", terms={"activations": 0.0})
    assert verdict(part, claim, STILL_RUNS).keys() == {"sign"}


def test_a_reason_may_be_either_of_two_that_tie(part: Part, play: Any) -> None:
    terms = {"weights": 0.0, "gradients": -1.5e8, "optimizer": -1.5e8, "activations": 0.0}
    for mechanism in terms:
        found = verdict(part, play.claim(terms=terms, mechanism=mechanism), RUNS)
        assert (found == {}) == (mechanism in {"gradients", "optimizer"})


# -- in the record -------------------------------------------------------------------------------


def test_claims_with_and_without_a_flip_point_are_replayed(edge: Mission) -> None:
    bench = Bench(Play(edge))
    game = bench.game
    runs = (1, 2)
    wrong, right = bench.reasons(runs)[1], bench.reasons(runs)[0]
    game.claim(game.draft("peak_memory", *runs), runs, wrong, "")
    assert "flip" not in bench.play.events[-1].data
    game.claim(game.draft("peak_memory", *runs), runs, right, "", ("batch", 20.0))
    assert bench.play.events[-1].data["flip"] == {"control": "batch", "value": 20.0, "turns": [32]}
    assert game.session.state.claims[-1].verified
    again = Session.replayed(edge, bench.play.recorded)
    assert again.state.claims == game.session.state.claims


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("batch 32", ("batch", 32.0)),
        ("Batch passed 32 samples", ("batch", 32.0)),
        ("batch never", ("batch", "never")),
        ("  BATCH   Never ", ("batch", "never")),
    ],
)
def test_a_flip_point_is_read_as_it_is_written(
    bench: Bench, text: str, found: tuple[str, Any]
) -> None:
    assert flips.read(bench.part, text) == found


@pytest.mark.parametrize("text", ["32", "never", "batch", "batch soon", "speed 3", "batchy 3"])
def test_a_flip_point_without_slider_or_value_is_refused(bench: Bench, text: str) -> None:
    with pytest.raises(Refused, match=r"slider|would pass"):
        flips.read(bench.part, text)
