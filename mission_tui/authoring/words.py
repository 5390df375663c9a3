"""Texts that a schema can't measure: labels in their columns, and sentences with their figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from mission_tui.authoring.faults import Fault, Key
from mission_tui.authoring.probe import Probe
from mission_tui.content.schema import Mission
from mission_tui.play import wording

FAILURE: Final = 125
"""Characters of a failure or an alarm, its figures filled in."""
SPEC_LABEL: Final = 13
"""Characters of the name of a spec or a want, which stands in a column."""
SLIDER_LABEL: Final = 15
FACT: Final = 74
"""Characters of a lock's fact, its figures filled in: one line of 80 columns."""


def labels(mission: Mission) -> Iterator[Fault]:
    """Names that are too wide for their column."""
    for part_id, part in mission.parts.items():
        at = ("parts", part_id)
        for name, slider in part.sliders.items():
            yield from _wide((*at, "sliders", name, "label"), slider.label, SLIDER_LABEL)
        for name, spec in part.specs.items():
            yield from _wide((*at, "specs", name, "label"), spec.label, SPEC_LABEL)
        for name, party in part.stakeholders.items():
            for want_id, want in party.wants.items():
                key = (*at, "stakeholders", name, "wants", want_id, "label")
                yield from _wide(key, want.label, SPEC_LABEL)


def sentences(probe: Probe) -> Iterator[Fault]:
    """Failures, alarms and facts that are too long once their figures stand in them.

    The figures of a failure are those of the default, where it is read first.
    """
    part = probe.part
    given = wording.given(probe.mission, part, probe.seed)
    figures = given | wording.measured(part, probe.metrics(part.default))
    at = ("parts", probe.part_id)
    for name, spec in part.specs.items():
        key = (*at, "specs", name, "failure", "text")
        yield from _wide(key, _filled(spec.failure.text, figures), FAILURE)
    for name, alarm in part.alarms.items():
        yield from _wide((*at, "alarms", name, "text"), _filled(alarm.text, figures), FAILURE)
    for name, lock in part.locks.items():
        for n, fact in enumerate(lock.facts):
            key = (*at, "locks", name, "facts", str(n))
            yield from _wide(key, _filled(fact, given), FACT)


def _filled(text: str, figures: Mapping[str, str]) -> str:
    return " ".join(wording.fill(text, figures).split())


def _wide(key: Key, text: str, most: int) -> Iterator[Fault]:
    if len(text) > most:
        yield Fault(key, f"too wide: at most {most} characters", f"{len(text)}")
