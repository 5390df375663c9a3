"""Specs: what a run must meet, how far it is from each limit, and in which word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from mission_tui.content.schema import Alarm, Failure, Mission, Part

Word = Literal["holds", "tight", "BROKEN"]
TIGHT: Final = 0.03
"""Headroom, as a share of the limit, under which a spec that holds is called tight."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One spec at one outcome, in the metric's unit.

    ``headroom`` is positive when the spec holds, whichever way the limit points. ``value`` and
    what follows from it are None while the metric is not computed yet.
    """

    id: str
    metric: str
    limit: float
    at_most: bool
    value: float | None

    @property
    def headroom(self) -> float | None:
        """Distance to the limit: positive is room, negative is over."""
        if self.value is None:
            return None
        return self.limit - self.value if self.at_most else self.value - self.limit

    @property
    def met(self) -> bool:
        """Whether the spec holds."""
        return self.headroom is not None and self.headroom >= 0

    @property
    def word(self) -> Word | None:
        """The status, as a word: colour alone never carries it."""
        if self.headroom is None:
            return None
        if not self.met:
            return "BROKEN"
        return "tight" if self.headroom < TIGHT * abs(self.limit) else "holds"

    @property
    def share(self) -> float | None:
        """Headroom as a share of the limit, for comparing specs of different units."""
        return None if self.headroom is None else self.headroom / (abs(self.limit) or 1.0)


def readings(mission: Mission, part: Part, metrics: Mapping[str, float]) -> tuple[Reading, ...]:
    """Every spec of a part at an outcome, in the file's order."""
    found = []
    for spec_id, spec in part.specs.items():
        at_most = spec.at_most is not None
        limit = spec.at_most if spec.at_most is not None else spec.at_least
        assert limit is not None  # the loader demands one
        value = metrics.get(spec.metric)
        found.append(Reading(spec_id, spec.metric, mission.constant(limit), at_most, value))
    return tuple(found)


def failure(mission: Mission, part: Part, metrics: Mapping[str, float]) -> Failure | Alarm | None:
    """What an outcome is called where it fails: an alarm that sounds, else a broken spec's name.

    None where nothing fails that is computed yet.
    """
    for alarm in part.alarms.values():
        limit = alarm.at_most if alarm.at_most is not None else alarm.at_least
        value = metrics.get(alarm.metric)
        if limit is None or value is None:
            continue
        at = mission.constant(limit)
        if value <= at if alarm.at_most is not None else value >= at:
            return alarm
    for reading in readings(mission, part, metrics):
        if reading.value is not None and not reading.met:
            return part.specs[reading.id].failure
    return None


def worst_share(mission: Mission, part: Part, metrics: Mapping[str, float]) -> float:
    """The smallest headroom share over the specs: what the best run has the most of."""
    shares = [reading.share for reading in readings(mission, part, metrics)]
    return min((share for share in shares if share is not None), default=0.0)
