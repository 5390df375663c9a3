"""The parties at a table: whether what a mission declares of them is so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from engine.contract import Value
from mission_tui.authoring import draws
from mission_tui.authoring.faults import Fault
from mission_tui.authoring.probe import Probe
from mission_tui.content import space
from mission_tui.content.schema import Bound, Stakeholder, Want
from mission_tui.play import talks
from mission_tui.play.wording import setting as in_words

STEPS = 9
"""Places along a slider at which a bound is held to be monotone."""
ALIKE = 1e-9
"""Relative difference under which two values of exact accounting are one."""


def scenario(probe: Probe, tried: int) -> Iterator[Fault]:
    """Whether the joint demand is feasible, wants a concession, or can't be had; as tried.

    A run gives all where it meets every party's public demand. It is a concession where each
    party would take it: as asked, as its counter-offer, or as a trade at its floor.
    """
    part = probe.part
    both = next((s for s in _settings(probe) if _gives(probe, s, False)), None)
    some = next((s for s in _settings(probe) if _gives(probe, s, True)), None)
    key = ("scenario",)
    if part.scenario == "feasible":
        if both is None:
            said = "declared feasible, and no setting that was tried gives all that is asked"
            yield Fault(key, said, f"{tried:,} settings")
        return
    if both is not None:
        said = f"declared {part.scenario}, and one setting gives all that is asked: feasible"
        yield Fault(key, said, in_words(part, both))
    elif part.scenario == "concession" and some is None:
        said = "declared concession, and no setting that was tried would be traded for"
        yield Fault(key, said, f"{tried:,} settings")
    elif part.scenario == "infeasible":
        if some is not None:
            said = "declared infeasible, and one setting would be traded for: concession"
            yield Fault(key, said, in_words(part, some))
        if not any(_proved(probe, party) for party in part.stakeholders.values()):
            said = "declared infeasible, and no bound proves it: give a party's want its bound"
            yield Fault(key, said)


def each_alone(probe: Probe) -> Iterator[Fault]:
    """Every party's demand can be met by some run that was tried, or be disproved."""
    for name, party in probe.part.stakeholders.items():
        asks = talks.asks(party)
        met = any(not talks.lacking(party, asks, found) for found in probe.tried.values())
        if not met and not _proved(probe, party):
            said = "no setting that was tried gives what this party asks, and no bound disproves it"
            yield Fault(("stakeholders", name, "wants"), said)


def bounds(probe: Probe) -> Iterator[Fault]:
    """Whether each bound's corner is as good as it gets, and each of its sliders leads there.

    The metric is exact accounting, so it is the same on every seed. What the party that the
    bound leans on demands decides how far a slider may go.
    """
    for name, party in probe.part.stakeholders.items():
        if party.bound is None:
            continue
        want = party.wants[party.bound.want]
        key = ("stakeholders", name, "bound", "corner")
        for slider in probe.part.sliders:
            for start in (probe.part.reference, probe.part.default):
                base = {**start, **party.bound.corner}
                for message, detail in _along(probe, party.bound, want, base, slider):
                    yield Fault(key, message, detail)


def _along(
    probe: Probe, bound: Bound, want: Want, base: Mapping[str, Value], slider: str
) -> Iterator[tuple[str, str]]:
    part = probe.part
    grid = space.values(part, slider)
    at = base[slider]
    shown = draws.thinned(grid, STEPS) if slider in space.ordered(part) else grid
    there = [value for value in grid if value in shown or value == at]
    sign = 1.0 if want.more else -1.0
    found = {v: sign * probe.metrics({**base, slider: v})[want.metric] for v in there}
    slack = ALIKE * max(map(abs, found.values()))
    label = part.sliders[slider].label
    kept = [v for v in there if v == at or _admitted(probe, bound, {**base, slider: v})]
    better = [v for v in kept if found[v] > found[at] + slack]
    if better and slider not in bound.corner:
        yield f"{label} could still move {want.metric} in its favour: put it into the corner", ""
    elif better:
        best = max(better, key=lambda v: found[v])
        yield (
            f"{label} is not at its favourable end for {want.metric}",
            f"at {best} it is {abs(found[best]):.6g}, in the corner {abs(found[at]):.6g}",
        )
    elif slider in space.ordered(part):
        here = kept.index(at)
        way = [found[v] for v in kept]
        rising = all(before <= after + slack for before, after in pairwise(way[: here + 1]))
        falling = all(before >= after - slack for before, after in pairwise(way[here:]))
        if not (rising and falling):
            yield f"{want.metric} is not monotone along {label}, so the corner proves nothing", ""


def _admitted(probe: Probe, bound: Bound, setting: Mapping[str, Value]) -> bool:
    """Whether a setting keeps what the party that the bound leans on asks."""
    if bound.under is None:
        return True
    other = probe.part.stakeholders[bound.under]
    return not talks.lacking(other, talks.asks(other), probe.metrics(setting))


def _proved(probe: Probe, party: Stakeholder) -> bool:
    """Whether a run at the corner, the rest as in the reference, disproves a party's want."""
    if party.bound is None:
        return False
    corner = {**probe.part.reference, **party.bound.corner}
    want = party.wants[party.bound.want]
    value = probe.metrics(corner)[want.metric]
    return _admitted(probe, party.bound, corner) and not talks.good(want, value, want.asks)


def _settings(probe: Probe) -> Iterator[dict[str, Value]]:
    yield from (probe.setting(spot) for spot in list(probe.tried))


def _gives(probe: Probe, setting: Mapping[str, Value], trades: bool) -> bool:
    """Whether a run gives each party what it asks; with ``trades``, what it would take."""
    metrics = probe.metrics(setting)
    for party in probe.part.stakeholders.values():
        if not talks.lacking(party, talks.asks(party), metrics):
            continue
        worth = talks.utility(party, metrics)
        traded = worth is not None and worth >= party.floor
        if not trades or (
            not traded
            and (party.patience < 2 or talks.lacking(party, talks.counter(party), metrics))
        ):
            return False
    return True
