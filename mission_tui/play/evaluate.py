"""Asking the engine: one request type, memoised, for every driver and for replay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from engine import registry
from engine.contract import Outcome, Terms, Value
from mission_tui.content import space
from mission_tui.content.schema import Part


@dataclass(frozen=True, slots=True)
class Request:
    """A model, a setting and a seed: all that an outcome depends on."""

    model: str
    setting: tuple[tuple[str, Value], ...]
    seed: int

    @classmethod
    def at(cls, part: Part, setting: Mapping[str, Value], seed: int) -> Request:
        """The request for a part's sliders (or engine controls) at ``setting``."""
        asked = space.engine_setting(part, setting)
        return cls(part.model, tuple(sorted(asked.items())), seed)


@lru_cache(maxsize=4096)
def outcome(request: Request) -> Outcome:
    """What the engine computes for a request."""
    return registry.evaluate(request.model, dict(request.setting), seed=request.seed)


def stream(request: Request) -> Iterator[Outcome]:
    """The engine's partial outcomes for a request; the last one is :func:`outcome`'s."""
    return registry.stream(request.model, dict(request.setting), seed=request.seed)


@lru_cache(maxsize=1024)
def explain(metric: str, before: Request, after: Request) -> Terms:
    """The change of ``metric`` between two requests, split into named terms of the law."""
    return registry.explain(
        before.model, metric, dict(before.setting), dict(after.setting), seed=before.seed
    )


def version(model: str) -> int:
    """The version of a model."""
    return registry.model(model).version
