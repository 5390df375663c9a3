"""Joined models: one setting asks several."""

from __future__ import annotations

import math

import pytest

from engine import registry
from engine.contract import Model, SettingError
from engine.joined import Joined

BOTH = "adaptation+energy"
SETTING = {"network": "ds-cnn", "method": "bias", "batch": 2, "examples": 20, "epochs": 1}


def test_a_joined_model_says_what_each_model_says() -> None:
    joined = registry.evaluate(BOTH, SETTING, seed=3)
    for name in registry.parts(BOTH):
        alone = registry.evaluate(name, SETTING if name == "adaptation" else _of_energy(), seed=3)
        assert {m: joined.metrics[m] for m in alone.metrics} == dict(alone.metrics)
        assert {s: joined.series[s] for s in alone.series} == dict(alone.series)


def test_it_is_a_model_whose_last_frame_is_its_outcome() -> None:
    model = registry.model(BOTH)
    assert isinstance(model, Model)
    *first, last = registry.stream(BOTH, SETTING, seed=3)
    assert first
    assert last == registry.evaluate(BOTH, SETTING, seed=3)


def test_a_metric_is_explained_by_the_model_that_has_it() -> None:
    more = SETTING | {"batch": 8}
    for name, metric in (("adaptation", "peak_memory"), ("energy", "joules")):
        first, second = (
            (SETTING, more) if name == "adaptation" else (_of_energy(), _of_energy(batch=8))
        )
        alone = registry.explain(name, metric, first, second, seed=3)
        assert registry.explain(BOTH, metric, SETTING, more, seed=3) == alone
    with pytest.raises(ValueError, match="has no metric"):
        registry.explain(BOTH, "nonsense", SETTING, more, seed=3)


def test_what_no_model_knows_is_refused() -> None:
    with pytest.raises(SettingError, match="known controls"):
        registry.evaluate(BOTH, SETTING | {"nonsense": 1}, seed=3)
    with pytest.raises(SettingError, match="battery"):  # it is the other model's
        registry.explain(BOTH, "peak_memory", {"battery": math.nan}, SETTING, seed=3)


def test_names_that_clash_and_paths_that_would_mix_are_refused() -> None:
    energy, fleet = registry.model("energy"), registry.model("fleet")
    with pytest.raises(ValueError, match="two joined models"):
        Joined([energy, energy])
    with pytest.raises(ValueError, match="path-dependent"):
        Joined([energy, fleet])


def _of_energy(batch: int = 2) -> dict[str, float | int | str | bool]:
    return {"network": "ds-cnn", "method": "bias", "batch": batch, "examples": 20, "epochs": 1}
