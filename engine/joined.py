"""Several models asked at once: ``adaptation+energy`` is both, over one setting.

Controls of the same name are one control: it moves every model that has it, and must be allowed
by each. Metrics and series are the union; a name that two models claim is an error in the models.
Path-dependent models are not joined: whose picks were whose would have to be recorded too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final, TypeVar

from engine.contract import (
    Control,
    Mechanism,
    Metric,
    Model,
    Outcome,
    PathDependent,
    Series,
    Setting,
    Terms,
    complete,
)

SIGN: Final = "+"
"""What stands between the names of joined models."""

Named = TypeVar("Named", Control, Metric, Series)


class Joined:
    """A model made of models. Each is given the controls that it knows."""

    def __init__(self, models: Sequence[Model]) -> None:
        if any(isinstance(model, PathDependent) for model in models):
            raise ValueError("a path-dependent model can't be joined")
        self.name = SIGN.join(model.name for model in models)
        self.version = sum(model.version for model in models)
        self.summary = " ".join(model.summary for model in models)
        self.sources: tuple[str, ...] = tuple(s for model in models for s in model.sources)
        self.formula = "\n".join(model.formula for model in models)
        self.controls: tuple[Control, ...] = tuple(
            {c.name: c for model in reversed(models) for c in model.controls}.values()
        )
        self.metrics: tuple[Metric, ...] = _union([model.metrics for model in models])
        self.series: tuple[Series, ...] = _union([model.series for model in models])
        self.mechanisms: tuple[Mechanism, ...] = tuple(
            {m.id: m for model in reversed(models) for m in model.mechanisms}.values()
        )
        self._models = tuple(models)

    def evaluate(self, setting: Setting, *, seed: int) -> Outcome:
        """Every model's outcome as one. Raises SettingError at the border."""
        return _merged([m.evaluate(self._own(m, setting), seed=seed) for m in self._models])

    def stream(self, setting: Setting, *, seed: int) -> Iterator[Outcome]:
        """Frame by frame; a model that is done stays at its last."""
        streams = [m.stream(self._own(m, setting), seed=seed) for m in self._models]
        latest: list[Outcome | None] = [None] * len(streams)
        for frames in zip_longest(*streams):
            latest = [now or before for now, before in zip(frames, latest, strict=True)]
            yield _merged([frame for frame in latest if frame is not None])

    def explain(self, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
        """The terms of the model whose metric it is. Raises ValueError where none has it."""
        for model in self._models:
            if any(each.name == metric for each in model.metrics):
                first, second = self._own(model, before), self._own(model, after)
                return model.explain(metric, first, second, seed=seed)
        raise ValueError(f"{self.name} has no metric {metric}")

    def _own(self, model: Model, setting: Setting) -> dict[str, float | int | str | bool]:
        """The part of a setting that a model knows. All of it is checked, whoever is asked."""
        complete(self.controls, setting)
        own = {control.name for control in model.controls}
        return {name: value for name, value in setting.items() if name in own}


def _union(groups: Sequence[tuple[Named, ...]]) -> tuple[Named, ...]:
    found: dict[str, Named] = {}
    for group in groups:
        for each in group:
            if each.name in found:
                raise ValueError(f"two joined models call something {each.name}")
            found[each.name] = each
    return tuple(found.values())


def _merged(outcomes: Sequence[Outcome]) -> Outcome:
    metrics = {name: value for outcome in outcomes for name, value in outcome.metrics.items()}
    series = {name: values for outcome in outcomes for name, values in outcome.series.items()}
    rounds = next((outcome.rounds for outcome in outcomes if outcome.rounds), None)
    return Outcome(metrics, series, rounds=rounds)
