"""What a ledger alone tells about how somebody played: for an instructor's class view.

Pure functions of recorded events. A ledger may be anybody's: what is not well-formed is left out.
None of these figures is a grade, and none says whether a prediction was right.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from statistics import median
from typing import Any, Final

from mission_tui.play.events import Event

BURST: Final = 3_000
"""Milliseconds between two hints under which the first can't have been read."""
SWEEP: Final = 5
"""Runs in a row of one control, one way, that look like a sweep."""
SWEEP_GAP: Final = 8_000
"""Milliseconds between two runs of a sweep at most: less than a look at every gauge takes."""


@dataclass(frozen=True, slots=True)
class Features:
    """How a play was played. Times are in seconds; shares from 0 to 1; None where nothing says.

    ``lock_latency`` and ``run_gap`` are medians: from a lock's first sight to its seal, and from
    a run's end to the next run. ``reading`` is the median active time on briefings and reveals.
    ``controlled`` is the share of new runs that changed one control against the run before,
    ``changed`` how many controls a new run changed on average. ``repeated`` is the share of runs
    at a setting run before. ``covered`` is how many different values of a control were run, over
    the runs made (a mean over the controls). ``after_pass`` is runs after a part's first pass,
    ``sweeps`` how many runs belong to a suspicious sweep, ``bursts`` the share of hints opened
    within seconds of the last. ``claims`` is how many were filed a part, ``confounded`` and
    ``verified`` are shares of them. ``edits`` is the mean number of edits before a seal.
    ``minutes`` is active time by part.
    """

    driver: str
    runs: int
    lock_latency: float | None = None
    edits: float | None = None
    reading: float | None = None
    run_gap: float | None = None
    controlled: float | None = None
    changed: float | None = None
    repeated: float | None = None
    covered: float | None = None
    progress: float | None = None
    after_pass: int = 0
    sweeps: int = 0
    hints: int = 0
    bursts: float | None = None
    claims: float | None = None
    confounded: float | None = None
    verified: float | None = None
    minutes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Ran:
    part: str
    number: int
    setting: Mapping[str, Any]
    began: int
    ended: int
    passed: bool
    held: int


def features(events: Sequence[Event]) -> Features:
    """What the events of one play say."""
    head = events[0].data if events and events[0].kind == "header" else {}
    runs = _runs(events)
    by_part = [
        [run for run in runs if run.part == part] for part in dict.fromkeys(r.part for r in runs)
    ]
    pairs = [pair for part in by_part for pair in itertools.pairwise(part)]
    steps = [len(_changes(a, b)) for a, b in pairs if _changes(a, b)]
    locks = [event.data for event in events if event.kind == "lock"]
    claims = [event.data for event in events if event.kind == "claim"]
    filed = {event.part for event in events if event.kind == "claim"}
    failed = [_table(claim.get("failed")) for claim in claims]
    hints = [event.mono_ms for event in events if event.kind == "hint"]
    quick = [b - a < BURST for a, b in itertools.pairwise(hints)]
    again = [each for part in by_part for each in _repeats(part)]
    return Features(
        driver=str(head.get("driver")),
        runs=len(runs),
        lock_latency=_median([_seconds(lock.get("latency_ms")) for lock in locks]),
        edits=_mean([_number(lock.get("edits")) for lock in locks]),
        reading=_median(_active(events, ("briefing", "reveal"))),
        run_gap=_median([max(0, b.began - a.ended) / 1000 for a, b in pairs]),
        controlled=_mean([float(step == 1) for step in steps]),
        changed=_mean([float(step) for step in steps]),
        repeated=_mean([float(each) for each in again]),
        covered=_mean([_covered(part) for part in by_part if len(part) > 1]),
        progress=_mean([_sign(b.held - a.held) for a, b in pairs if _changes(a, b)]),
        after_pass=sum(_after_pass(part) for part in by_part),
        sweeps=sum(_sweeping(part) for part in by_part),
        hints=len(hints),
        bursts=_mean([float(each) for each in quick]),
        claims=len(claims) / len(filed) if filed else None,
        confounded=_mean([float("control" in each) for each in failed]),
        verified=_mean([float(claim.get("verified") is True) for claim in claims]),
        minutes=_minutes(events),
    )


def _runs(events: Sequence[Event]) -> list[_Ran]:
    """Every run, with when it began and ended; of one that never ended, when it began."""
    ends: dict[tuple[str, Any], Event] = {}
    for event in events:
        if event.kind in ("run_end", "run_cancel"):
            number = event.data.get("number")
            if isinstance(number, int):
                ends.setdefault((str(event.part), number), event)
    found = []
    for event in events:
        number, setting = event.data.get("number"), event.data.get("setting")
        if event.kind != "run" or not isinstance(number, int) or not isinstance(setting, Mapping):
            continue
        end = ends.get((str(event.part), number))
        ended = end.mono_ms if end else event.mono_ms
        met = _table(end.data.get("met")) if end else {}
        passed = end is not None and end.data.get("passed") is True
        held = sum(value is True for value in met.values())
        found.append(_Ran(str(event.part), number, setting, event.mono_ms, ended, passed, held))
    return found


def _changes(before: _Ran, after: _Ran) -> list[str]:
    names = before.setting.keys() | after.setting.keys()
    return [name for name in names if before.setting.get(name) != after.setting.get(name)]


def _covered(runs: Sequence[_Ran]) -> float:
    """Different values of a control over runs, a mean over the controls that runs have."""
    shares = [
        len({repr(run.setting.get(name)) for run in runs}) / len(runs) for name in runs[0].setting
    ]
    return sum(shares) / len(shares) if shares else 0.0


def _after_pass(runs: Sequence[_Ran]) -> int:
    first = next((n for n, run in enumerate(runs) if run.passed), len(runs))
    return max(0, len(runs) - first - 1)


def _sweeping(runs: Sequence[_Ran]) -> int:
    """Runs that belong to a stretch of quick steps of one control in one direction."""
    total, length = 0, 1
    way: tuple[str, int] | None = None
    for before, after in itertools.pairwise(runs):
        changed = _changes(before, after)
        quick = after.began - before.ended < SWEEP_GAP
        step = _way(changed[0], before, after) if len(changed) == 1 and quick else None
        if step is not None and step == way:
            length += 1
        else:
            total += length if length >= SWEEP else 0
            length = 2 if step is not None else 1
        way = step
    return total + (length if length >= SWEEP else 0)


def _way(name: str, before: _Ran, after: _Ran) -> tuple[str, int] | None:
    """The control and which way it went; options have no way, so any change of one is the same."""
    old, new = before.setting.get(name), after.setting.get(name)
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        return name, 1 if new > old else -1
    return name, 0


def _active(events: Sequence[Event], screens: tuple[str, ...]) -> list[float | None]:
    return [
        _seconds(event.data.get("active_ms"))
        for event in events
        if event.kind == "leave" and event.data.get("screen") in screens
    ]


def _minutes(events: Sequence[Event]) -> dict[str, float]:
    found: dict[str, float] = {}
    for event in events:
        spent = _seconds(event.data.get("active_ms")) if event.kind == "leave" else None
        if spent is not None and event.part is not None:
            found[event.part] = found.get(event.part, 0.0) + spent / 60
    return found


def _repeats(runs: Sequence[_Ran]) -> list[bool]:
    """Of each run, whether an earlier one had its setting."""
    settings = [run.setting for run in runs]
    return [setting in settings[:n] for n, setting in enumerate(settings)]


def _sign(value: int) -> float:
    return float((value > 0) - (value < 0))


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value):
        return float(value)
    return None


def _seconds(ms: Any) -> float | None:
    found = _number(ms)
    return None if found is None or found < 0 else found / 1000


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
