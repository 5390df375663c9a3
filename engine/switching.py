"""Terms of a metric that is no sum: measured by switching settings over, group by group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.contract import Terms

Asked = Mapping[str, Any]


def switched(
    metric: str,
    measure: Callable[[Asked], float],
    first: Asked,
    second: Asked,
    groups: Mapping[str, Iterable[str]],
) -> Terms:
    """Split a change by what ``measure`` does when one group of controls after the other moves.

    ``first`` and ``second`` are complete settings; ``groups`` names each term's controls, in the
    order in which they are switched from the one to the other. The terms are in the metric's
    unit, in that order, and sum to the change. A group that does not differ is 0 and costs
    nothing.
    """
    here = dict(first)
    start = reached = measure(here)
    terms: dict[str, float] = {}
    for term, controls in groups.items():
        moved = {name: second[name] for name in controls if second[name] != first[name]}
        now = measure(here := here | moved) if moved else reached
        terms[term], reached = now - reached, now
    return Terms(metric, start, reached, terms)
