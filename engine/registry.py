"""Name to model. Models load when they are first asked for, so that asking is cheap.

``adaptation+energy`` names two models joined (see :mod:`engine.joined`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module

from engine.contract import Accounting, Model, Outcome, PathDependent, Setting, Terms
from engine.joined import SIGN, Joined

_MODELS = {
    name: f"engine.models.{name}"
    for name in (
        "adaptation",
        "adapters",
        "dedup",
        "energy",
        "fleet",
        "gossip",
        "labeling",
        "lifecycle",
        "mixture",
        "privacy",
        "velocity",
    )
}


class UnknownModelError(LookupError):
    """No model of that name is registered."""


def names() -> tuple[str, ...]:
    """Every registered name, sorted."""
    return tuple(sorted(_MODELS))


def parts(name: str) -> tuple[str, ...]:
    """The names of the models that ``name`` joins: itself, where it joins none."""
    return tuple(name.split(SIGN))


@cache
def model(name: str) -> Model:
    """The model called ``name``; raises :class:`UnknownModelError` where there is none."""
    joined = parts(name)
    if len(joined) > 1:
        return Joined([model(each) for each in joined])
    if name not in _MODELS:
        raise UnknownModelError(f"no model is called {name!r}; known: {', '.join(names())}")
    found = import_module(_MODELS[name]).MODEL
    assert isinstance(found, Model)
    return found


def evaluate(name: str, setting: Setting, *, seed: int) -> Outcome:
    """The outcome of model ``name`` at ``setting`` with ``seed``."""
    return model(name).evaluate(setting, seed=seed)


def stream(
    name: str, setting: Setting, *, seed: int, follow: Sequence[int] = ()
) -> Iterator[Outcome]:
    """Partial outcomes of model ``name``; the last one is :func:`evaluate`'s.

    ``follow`` are recorded picks that a path-dependent model is to obey in a replay. Raises
    ValueError where the model makes none, or where one is not among the best.
    """
    found = model(name)
    if not follow:
        return found.stream(setting, seed=seed)
    if not isinstance(found, PathDependent):
        raise ValueError(f"{name} makes no picks")
    return found.followed(setting, seed=seed, picks=follow)


def accounts(name: str, setting: Setting, *, seed: int) -> Mapping[str, float]:
    """The metrics of model ``name`` that need no learning; none where it can't tell them apart."""
    found = model(name)
    return found.accounts(setting, seed=seed) if isinstance(found, Accounting) else {}


def explain(name: str, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
    """The change of ``metric`` between two settings, split into named terms of the law."""
    return model(name).explain(metric, before, after, seed=seed)
