"""Asking the engine: one request type, memoised, for every driver and for replay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from engine import registry
from engine.contract import Outcome, Terms, Value
from mission_tui.content import space
from mission_tui.content.schema import Mission, Part


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


@lru_cache(maxsize=4096)
def accounts(request: Request) -> Mapping[str, float]:
    """Those metrics of :func:`outcome` that need no learning, in a few milliseconds."""
    return registry.accounts(request.model, dict(request.setting), seed=request.seed)


def stream(request: Request, follow: tuple[int, ...] = ()) -> Iterator[Outcome]:
    """The engine's partial outcomes for a request; the last one is :func:`outcome`'s.

    ``follow`` are recorded picks to be obeyed: raises ValueError where they are not possible.
    """
    return registry.stream(request.model, dict(request.setting), seed=request.seed, follow=follow)


@lru_cache(maxsize=1024)
def again(request: Request, picks: tuple[int, ...], rounds: int | None) -> Outcome:
    """What a recorded run comes to when it is executed again, for replay.

    Recorded picks are obeyed (ValueError where they are not possible); a run that was stopped
    is executed for exactly as many rounds (LookupError where it has no such round).
    """
    if rounds is None and not picks:
        return outcome(request)
    last = None
    for frame in stream(request, picks):
        last = frame
        if rounds is not None and (frame.rounds[0] if frame.rounds else 0) == rounds:
            return frame
    if last is None or rounds is not None:
        raise LookupError(f"the run has no round {rounds}")
    return last


@lru_cache(maxsize=1024)
def explain(metric: str, before: Request, after: Request) -> Terms:
    """The change of ``metric`` between two requests, split into named terms of the law."""
    return registry.explain(
        before.model, metric, dict(before.setting), dict(after.setting), seed=before.seed
    )


def versions(mission: Mission) -> dict[str, int]:
    """The version of every model that a mission uses."""
    return {
        name: registry.model(name).version
        for part in mission.parts.values()
        for name in registry.parts(part.model)
    }
