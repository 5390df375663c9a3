"""A model that takes no time: a hill over two numbers and a choice, so that tests can aim."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.contract import (
    Control,
    Mechanism,
    Metric,
    Outcome,
    Series,
    Setting,
    Terms,
    complete,
)

TOP = (12, 9)
"""Where the hill is highest, in x and y."""


class Toy:
    name = "toy"
    version = 1
    summary = "A hill."
    sources = ()
    formula = "near = 100 - (x - 12)^2 - (y - 9)^2 - kind"
    controls = (
        Control("x", "", "integer", "along", 0, 0, 20),
        Control("y", "", "integer", "across", 0, 0, 20),
        Control("idle", "", "integer", "moves nothing", 0, 0, 3),
        Control("kind", "", "choice", "how", "a", choices=("a", "b", "c", "d")),
        Control("taste", "", "choice", "the best kind", "b", choices=("a", "b", "c")),
        Control("load", "", "number", "of a step", 1.0, 0.5, 4.0, 0.5),
    )
    metrics = (
        Metric("near", "%", "higher", "height", False, 1.0, ("along", "across", "manner")),
        Metric("cost", "J", "lower", "price", True, 0.0, ("along", "across")),
        Metric("reach", "", "higher", "x, less a tenth of y", True, 0.0, ("along", "across")),
        Metric("bump", "", "higher", "up and down along x", True, 0.0, ("along",)),
    )
    series = (Series("costs", "J", "both", ("x", "y")),)
    mechanisms = tuple(Mechanism(name, name) for name in ("along", "across", "manner"))

    def _all(self, setting: Setting, seed: int) -> Outcome:
        asked: dict[str, Any] = complete(self.controls, setting)
        x, y, load = asked["x"], asked["y"], asked["load"]
        lost = 0.0 if asked["kind"] == asked["taste"] else 60.0 if asked["kind"] == "c" else 30.0
        near = 100.0 - (x - TOP[0]) ** 2 - (y - TOP[1]) ** 2 - lost + (seed % 5) / 10
        metrics = {"near": near, "cost": load * (2 * x + y), "reach": x - y / 10}
        metrics["bump"] = float(x if x % 2 else -x)
        return Outcome(metrics, {"costs": (2.0 * x, float(y))}, rounds=(2, 2))

    def evaluate(self, setting: Setting, *, seed: int) -> Outcome:
        return self._all(setting, seed)

    def stream(self, setting: Setting, *, seed: int) -> Iterator[Outcome]:
        whole = self._all(setting, seed)
        half = {**whole.metrics, "near": whole.metrics["near"] / 2}
        yield Outcome(half, whole.series, rounds=(1, 2))
        yield whole

    def explain(self, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
        terms = {metric.name: metric.terms for metric in self.metrics}[metric]
        moved = {"along": "x", "across": "y", "manner": "kind"}
        start: dict[str, Any] = complete(self.controls, before)
        end: dict[str, Any] = complete(self.controls, after)
        first = self._all(start, seed).metrics[metric]
        last = self._all(end, seed).metrics[metric]
        split = {}
        for term in terms:  # each is moved alone: what a hill is made of is a sum
            alone = {**start, moved[term]: end[moved[term]]}
            split[term] = self._all(alone, seed).metrics[metric] - first
        return Terms(metric, first, last, split)


MODEL = Toy()
