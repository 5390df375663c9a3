"""Lock truths: a closed set of questions to the engine (see the mission schema).

No mission holds an answer, so none can go stale.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from engine import registry
from engine.contract import Value
from mission_tui.content import schema, space
from mission_tui.play.evaluate import Request, outcome
from mission_tui.play.specs import readings


class NoAnswer(ValueError):
    """A query that has no single answer at this seed: the mission is at fault."""


def answer(
    mission: schema.Mission, part: schema.Part, query: schema.Query, seed: int
) -> float | str:
    """The engine's answer: a number in the metric's unit, or an option's id.

    ``argbest`` gives the slider's value as text for options; ``exists`` gives "yes" or "no".
    Raises :class:`NoAnswer` where there is a tie within the margin, or nothing to choose from.
    """

    def at(setting: Mapping[str, Value]) -> Mapping[str, float]:
        return outcome(Request.at(part, setting, seed)).metrics

    def admitted(over: tuple[str, ...], under: tuple[str, ...], base: Mapping[str, Value]) -> Found:
        for combination in space.grid(part, over):
            metrics = at({**base, **combination})
            if all(r.met for r in readings(mission, part, metrics) if r.id in under):
                yield combination, metrics

    match query:
        case schema.Point():
            return at(query.setting)[query.metric]
        case schema.Difference():
            return at(query.second)[query.metric] - at(query.first)[query.metric]
        case schema.Ratio():
            below = at(query.first)[query.metric]
            if below == 0:
                raise NoAnswer(f"{query.metric} is 0 at the first setting")
            return at(query.second)[query.metric] / below
        case schema.Best():
            sign = _sign(part, query.metric)
            found = admitted(query.over, query.under, query.setting)
            values = [metrics[query.metric] for _, metrics in found]
            if not values:
                raise NoAnswer("no setting meets the specs")
            return sign * max(sign * value for value in values)
        case schema.ArgBest():
            sign = _sign(part, query.metric)
            ranked = sorted(
                (
                    (sign * metrics[query.metric], combination[query.over])
                    for combination, metrics in admitted((query.over,), query.under, query.setting)
                ),
                key=lambda pair: pair[0],
                reverse=True,
            )
            if not ranked or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] < query.margin):
                raise NoAnswer(f"no value of {query.over} is best by {query.margin:g}")
            best = ranked[0][1]
            return best if isinstance(best, str) else float(best)
        case schema.Crossing():
            limit = mission.constant(query.limit)
            values_along = [
                (value, at({**query.setting, query.over: value})[query.metric])
                for value in space.values(part, query.over)
            ]
            start_over = values_along[0][1] > limit
            for value, metric in values_along[1:]:
                if (metric > limit) != start_over:
                    return value if isinstance(value, str) else float(value)
            raise NoAnswer(f"{query.metric} never passes the limit")
        case schema.Exists():
            some = any(True for _ in admitted(query.over, query.under, query.setting))
            return "yes" if some else "no"
        case _:
            assert_never(query)


def settings(part: schema.Part, query: schema.Query) -> Iterator[Mapping[str, Value]]:
    """Every setting that an answer asks the engine about, so that the way there can be shown."""
    match query:
        case schema.Point():
            yield query.setting
        case schema.Difference() | schema.Ratio():
            yield query.first
            yield query.second
        case schema.Best() | schema.Exists():
            for combination in space.grid(part, query.over):
                yield {**query.setting, **combination}
        case schema.ArgBest() | schema.Crossing():
            for combination in space.grid(part, (query.over,)):
                yield {**query.setting, **combination}
        case _:
            assert_never(query)


Found = Iterator[tuple[dict[str, Value], Mapping[str, float]]]


def _sign(part: schema.Part, metric: str) -> float:
    """+1 where more of the metric is better, −1 where less is."""
    better = {m.name: m.better for m in registry.model(part.model).metrics}[metric]
    return -1.0 if better == "lower" else 1.0
