"""Regret: how much of what could be gained was left, against the solver's best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mission_tui.content.schema import Mission, Part
from mission_tui.play.specs import worst_share

NOTHING: Final = -1.0
"""An objective under which nothing is gained: a limit missed by all of itself.

What must be at least something can't fall lower; what must be at most something can be over it
a hundredfold, and beside that every other difference would vanish.
"""


def objective(mission: Mission, part: Part, metrics: Mapping[str, float]) -> float:
    """What a part is scored by: the room at its tightest spec, as a share of the limit.

    It is what :meth:`Session.best_run` ranks by; above zero every spec holds. Without unit.
    """
    return worst_share(mission, part, metrics)


def regret(best: float, reached: float, default: float) -> float:
    """``(best − reached)/(best − default)``: 0 at the solver's best, 1 where nothing was gained.

    All three are objectives at one seed, counted from :data:`NOTHING` up. Whoever finds more
    than the solver has no regret. Where the default is the best there is nothing to regret.
    """
    gain = best - max(default, NOTHING)
    return max(0.0, best - max(reached, NOTHING)) / gain if gain > 0 else 0.0
