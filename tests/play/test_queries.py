"""The seven queries on a toy model whose answers can be counted by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine import registry
from engine.contract import Control, Mechanism, Metric, Outcome, Setting, Terms, complete
from mission_tui.content.schema import (
    ArgBest,
    Best,
    Crossing,
    Difference,
    Exists,
    Mission,
    Part,
    Point,
    Ratio,
)
from mission_tui.play import evaluate
from mission_tui.play.queries import NoAnswer, answer

SEED = 3


class Toy:
    """cost = x + 10 · (kind is b) + seed · 0; gain = −(x − 3)²; step = x mod 2."""

    name = "toy"
    version = 1
    summary = formula = "a toy"
    sources = ()
    controls = (
        Control("x", "", "integer", "x", 1, 0, 6),
        Control("kind", "", "choice", "kind", "a", choices=("a", "b")),
    )
    metrics = (
        Metric("cost", "B", "lower", "cost", True, 0.0, ("first", "second")),
        Metric("gain", "%", "higher", "gain", True),
        Metric("parity", "", "higher", "parity", True),
        Metric("flat", "", "higher", "flat", True),
    )
    series = ()
    mechanisms = (Mechanism("first", "x"), Mechanism("second", "kind"))

    def evaluate(self, setting: Setting, *, seed: int) -> Outcome:
        s = complete(self.controls, setting)
        x, extra = s["x"], 10 * (s["kind"] == "b")
        return Outcome(
            {"cost": x + extra, "gain": -((x - 3) ** 2) + extra, "parity": x % 2, "flat": 1}
        )

    def stream(self, setting: Setting, *, seed: int) -> Iterator[Outcome]:
        yield self.evaluate(setting, seed=seed)

    def explain(self, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
        raise NotImplementedError


@pytest.fixture(scope="module")
def part(edge: Mission) -> Iterator[Part]:
    shipped = edge.parts["memory"]
    slider = shipped.sliders["batch"].model_copy(update={"low": None, "high": None, "step": None})
    option = next(iter(shipped.sliders["tuning"].options.values())).model_copy(update={"sets": {}})
    spec = shipped.specs["peak"]
    real = registry.model
    with pytest.MonkeyPatch.context() as patch:
        toy = Toy()
        patch.setattr(registry, "model", lambda name: toy if name == "toy" else real(name))
        evaluate.outcome.cache_clear()
        yield shipped.model_copy(
            update={
                "model": "toy",
                "fixed": {},
                "sliders": {
                    "x": slider,
                    "kind": slider.model_copy(update={"options": {"a": option, "b": option}}),
                },
                "default": {"x": 1, "kind": "a"},
                "specs": {
                    "cheap": spec.model_copy(update={"metric": "cost", "at_most": 4.0}),
                    "good": spec.model_copy(
                        update={"metric": "gain", "at_most": None, "at_least": -1.0}
                    ),
                },
            }
        )
    evaluate.outcome.cache_clear()


@pytest.fixture(scope="module")
def ask(edge: Mission, part: Part) -> Any:
    return lambda query: answer(edge, part, query, SEED)


def cost(x: int, kind: str) -> int:
    return x + 10 * (kind == "b")


def gain(x: int, kind: str) -> int:
    return -((x - 3) ** 2) + 10 * (kind == "b")


EVERY = [(x, kind) for x in range(7) for kind in "ab"]
GOOD = [(x, kind) for x, kind in EVERY if gain(x, kind) >= -1]


@pytest.mark.parametrize(("x", "kind"), EVERY)
def test_a_point_is_the_metric_there(ask: Any, x: int, kind: str) -> None:
    query = Point(query="point", metric="cost", setting={"x": x, "kind": kind})
    assert ask(query) == cost(x, kind)


def test_what_a_query_leaves_out_is_the_default(ask: Any) -> None:
    assert ask(Point(query="point", metric="cost")) == cost(1, "a")


def test_a_difference_is_second_less_first(ask: Any) -> None:
    query = Difference(query="difference", metric="cost", first={"x": 5}, second={"x": 2})
    assert ask(query) == -3


def test_a_ratio_is_second_over_first_and_nothing_over_zero(ask: Any) -> None:
    assert ask(Ratio(query="ratio", metric="cost", first={"x": 2}, second={"x": 5})) == 2.5
    with pytest.raises(NoAnswer, match="0 at the first"):
        ask(Ratio(query="ratio", metric="cost", first={"x": 0}, second={"x": 5}))


def test_best_is_least_where_less_is_better_and_most_where_more_is(ask: Any) -> None:
    over = ("x", "kind")
    least = ask(Best(query="best", metric="cost", over=over, under=("good",)))
    most = ask(Best(query="best", metric="gain", over=over, under=("cheap",)))
    assert least == min(cost(*at) for at in GOOD)
    assert most == max(gain(*at) for at in EVERY if cost(*at) <= 4)


def test_best_keeps_what_is_not_varied_at_the_setting(ask: Any) -> None:
    query = Best(query="best", metric="gain", over=("x",), setting={"kind": "b"})
    assert ask(query) == max(gain(x, "b") for x in range(7))


def test_best_of_nothing_has_no_answer(ask: Any) -> None:
    with pytest.raises(NoAnswer, match="no setting"):
        ask(Best(query="best", metric="gain", over=("x",), under=("cheap",), setting={"kind": "b"}))


def test_argbest_is_the_value_where_the_metric_is_best(ask: Any) -> None:
    assert ask(ArgBest(query="argbest", metric="gain", over="x", margin=0.5)) == 3
    assert ask(ArgBest(query="argbest", metric="cost", over="x", under=("good",), margin=0.5)) == 2
    assert ask(ArgBest(query="argbest", metric="cost", over="kind", margin=9)) == "a"
    assert ask(ArgBest(query="argbest", metric="gain", over="kind", margin=9)) == "b"


@pytest.mark.parametrize(
    ("metric", "over", "margin"),
    [("parity", "x", 1e-9), ("flat", "kind", 1e-9), ("gain", "x", 1.01), ("cost", "kind", 10.5)],
)
def test_a_tie_within_the_margin_has_no_answer(
    ask: Any, metric: str, over: str, margin: float
) -> None:
    with pytest.raises(NoAnswer, match="is best by"):
        ask(ArgBest(query="argbest", metric=metric, over=over, margin=margin))


def test_a_best_by_exactly_the_margin_is_best(ask: Any) -> None:
    assert ask(ArgBest(query="argbest", metric="gain", over="x", margin=1.0)) == 3


def test_argbest_of_nothing_has_no_answer(ask: Any) -> None:
    nothing = {"kind": "b"}
    with pytest.raises(NoAnswer):
        ask(
            ArgBest(
                query="argbest",
                metric="gain",
                over="x",
                under=("cheap",),
                margin=1,
                setting=nothing,
            )
        )


@pytest.mark.parametrize(
    ("metric", "limit", "value"),
    [
        ("cost", 3.5, 4),  # upwards
        ("cost", 4.0, 5),  # at the limit is not past it
        ("gain", -5.0, 1),  # up first, and down later
        ("parity", 0.5, 1),
    ],
)
def test_a_crossing_is_the_first_value_past_the_limit(
    ask: Any, metric: str, limit: float, value: int
) -> None:
    assert ask(Crossing(query="crossing", metric=metric, over="x", limit=limit)) == value


def test_a_limit_that_is_never_passed_has_no_answer(ask: Any) -> None:
    for limit in (-20.0, 20.0):  # all above, all below
        with pytest.raises(NoAnswer, match="never passes"):
            ask(Crossing(query="crossing", metric="gain", over="x", limit=limit))


def test_a_crossing_that_only_falls_is_found(ask: Any, part: Part, edge: Mission) -> None:
    slider = part.sliders["x"].model_copy(update={"low": 3.0})
    narrowed = part.model_copy(update={"sliders": {**part.sliders, "x": slider}})
    query = Crossing(query="crossing", metric="gain", over="x", limit=-2.0)
    assert answer(edge, narrowed, query, SEED) == 5


def test_a_limit_may_be_a_constant_of_the_track(ask: Any, edge: Mission) -> None:
    with pytest.raises(NoAnswer):
        ask(Crossing(query="crossing", metric="cost", over="x", limit="learning_slice"))


def test_exists_is_yes_or_no(ask: Any) -> None:
    both = ("cheap", "good")
    assert ask(Exists(query="exists", over=("x", "kind"), under=both)) == "yes"
    nothing = {"kind": "b"}
    assert ask(Exists(query="exists", over=("x",), under=both, setting=nothing)) == "no"
