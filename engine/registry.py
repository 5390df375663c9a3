"""Name to model. Models load when they are first asked for, so that asking is cheap."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module

from engine.contract import Model, Outcome, Setting, Terms

_MODELS = {
    name: f"engine.models.{name}"
    for name in ("adaptation", "adapters", "energy", "fleet", "gossip", "privacy")
}


class UnknownModelError(LookupError):
    """No model of that name is registered."""


def names() -> tuple[str, ...]:
    """Every registered name, sorted."""
    return tuple(sorted(_MODELS))


@cache
def model(name: str) -> Model:
    """The model called ``name``; raises :class:`UnknownModelError` where there is none."""
    if name not in _MODELS:
        raise UnknownModelError(f"no model is called {name!r}; known: {', '.join(names())}")
    found = import_module(_MODELS[name]).MODEL
    assert isinstance(found, Model)
    return found


def evaluate(name: str, setting: Setting, *, seed: int) -> Outcome:
    """The outcome of model ``name`` at ``setting`` with ``seed``."""
    return model(name).evaluate(setting, seed=seed)


def stream(name: str, setting: Setting, *, seed: int) -> Iterator[Outcome]:
    """Partial outcomes of model ``name``; the last one is :func:`evaluate`'s."""
    return model(name).stream(setting, seed=seed)


def explain(name: str, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
    """The change of ``metric`` between two settings, split into named terms of the law."""
    return model(name).explain(metric, before, after, seed=seed)
