"""The numbers in a student's own words, each resolved against the runs that the words lean on.

It grades nothing: a person who reads the paragraph sees beside each number where it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from mission_tui.content import space
from mission_tui.content.schema import Part
from mission_tui.play.claims import metric_of
from mission_tui.play.session import Run, Session
from mission_tui.play.wording import slider_value
from mission_tui.units import UnitError, base_of, factor, half_step

_NUMBER: Final = re.compile(
    r"(?P<run>#\s?|\b[Rr]uns?\s+#?)?"
    r"(?<![\w.,])(?P<money>\$)?(?P<number>\d+(?:[,_]\d{3})*(?:\.\d+)?)"
    r"(?:\s?(?P<unit>[A-Za-zµ%×/]+))?(?P<tail>[\w-])?"
)
_WORDS: Final = {
    "percent": "%",
    "x": "×",
    "pts": "points",
    "point": "points",
    "second": "s",
    "seconds": "s",
    "minutes": "min",
    "hours": "h",
    "hour": "h",
}
_BYTES: Final = {"kb": "kB", "mb": "MB", "gb": "GB", "tb": "TB"}
_COUNTS: Final = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "k": 1e3, "M": 1e6}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as it was written, and where it is found; ``found`` is empty where it is not."""

    written: str
    found: str

    @property
    def words(self) -> str:
        """One line: ``"160 MB: Peak memory's limit"``."""
        return f"{self.written}: {self.found or 'in none of the cited runs'}"


@dataclass(frozen=True, slots=True)
class _Known:
    """A quantity that words may quote: its value in ``unit``, and what it is."""

    value: float
    unit: str
    what: str


def resolved(session: Session, text: str) -> tuple[Figure, ...]:
    """Every number of ``text``, resolved against the runs that it leans on, once each.

    Those are the run that stands in each part, every pinned run, and every run that the text
    names ("#4"). A number is found where such a run's metric or slider, a difference of two of
    its runs (of percentages: in points), a limit, or a constant of the scenario rounds to it. A
    number with a unit is compared within that unit; without one, with counts and sliders.
    """
    matches = [found for found in _NUMBER.finditer(text) if _is_number(found)]
    named = {int(m["number"]) for m in matches if m["run"] and m["number"].isdecimal()}
    known = list(_known(session, named))
    figures: dict[str, Figure] = {}
    for match in matches:
        if match["run"] and match["number"].isdecimal():
            figure = _run(session, int(match["number"]))
        else:
            figure = _figure(match, known)
        figures.setdefault(figure.written, figure)
    return tuple(figures.values())


def cited(session: Session, part_id: str, named: set[int] | frozenset[int]) -> list[Run]:
    """The runs of a part that the decision leans on: the one that stands, pinned or named ones."""
    state, best = session.parts[part_id], session.best_run(part_id)
    leans = {*state.pins, *named, *([best.number] if best else [])}
    return [run for run in state.runs if run.number in leans and run.outcome is not None]


def _is_number(match: re.Match[str]) -> bool:
    """Whether it is a quantity: "8 x 8" and "4 MB" are, "1st", "4-bit" and "2e3" are not."""
    if match["tail"] == "-" and match.end() < len(match.string):
        return not match.string[match.end()].isalnum()
    glued = match["unit"] and match.string[match.start("unit") - 1].isdigit()
    return not match["tail"] and not (glued and _scale(match["unit"]) is None)


def _run(session: Session, number: int) -> Figure:
    """A run that the words name."""
    titles = [
        part.title
        for name, part in session.mission.ordered
        if any(run.number == number and run.outcome for run in session.parts[name].runs)
    ]
    what = f"a run of {' and of '.join(titles)}" if titles else "there is no such run"
    return Figure(f"#{number}", what)


def _figure(match: re.Match[str], known: list[_Known]) -> Figure:
    number = re.sub(r"[,_]", "", match["number"])
    unit = "$" if match["money"] else match["unit"] or ""
    scaled = _scale(unit) if unit else ("", 1.0)
    written = f"{match['money'] or ''}{match['number']}"
    if scaled is None:  # a word that is no unit: "100 cars"
        base, scale = "", 1.0
    else:
        base, scale = scaled
        written += f" {match['unit']}" if match["unit"] else ""
    value, slack = float(number) * scale, half_step(number) * scale * (1 + 1e-9)
    whats = [k.what for k in known if _fits(k, base) and abs(abs(k.value) - value) <= slack]
    return Figure(written, "; ".join(list(dict.fromkeys(whats))[:2]))


def _fits(known: _Known, base: str) -> bool:
    """Whether a number in ``base`` may mean this: bare numbers mean whatever is counted."""
    if base == "":
        return known.unit not in {"B", "s", "J", "W", "%", "points", "$"}
    return base_of(known.unit) == base


def _scale(unit: str) -> tuple[str, float] | None:
    """The base of a written unit, and how many of it one is; None for what is no unit."""
    unit = _WORDS.get(unit, _BYTES.get(unit.lower(), unit))
    if unit in _COUNTS:
        return "", _COUNTS[unit]
    if unit in {"%", "×", "points", "$"}:
        return unit, 1.0
    base = base_of(unit)
    if base in {"B", "s", "J", "W", "B/s", "MAC"}:
        try:
            return base, factor(unit, base)
        except UnitError:
            return None
    return None


def _known(session: Session, named: set[int]) -> Iterator[_Known]:
    """All that words may quote, the surest first."""
    mission = session.mission
    for name, part in mission.ordered:
        where = f" ({part.title})" if len(mission.parts) > 1 else ""
        runs = cited(session, name, named)
        for run in runs:
            yield from _of_run(part, run, where)
        for first, second in combinations(runs, 2):
            yield from _between(part, first, second, where)
        for reading in session.readings_of(name, {}):
            unit = metric_of(part, reading.metric).unit
            label = part.specs[reading.id].label
            yield _Known(reading.limit, unit, f"the limit of {label}{where}")
    for number in (*mission.persona.constants.values(), *mission.constants.values()):
        if isinstance(number.value, (int, float)) and not isinstance(number.value, bool):
            base = base_of(number.unit)
            scale = factor(number.unit, base) if number.unit != base else 1.0
            yield _Known(number.value * scale, base, f"{number.label} (scenario)")


def _of_run(part: Part, run: Run, where: str) -> Iterator[_Known]:
    assert run.outcome is not None  # those in flight are not cited
    for metric, label in part.metrics.items():
        value = run.outcome.metrics[metric]
        yield _Known(value, metric_of(part, metric).unit, f"{label} of #{run.number}{where}")
    for slider, stood in run.setting.items():
        control = space.engine_control(part, slider)
        if isinstance(stood, (int, float)) and not isinstance(stood, bool):
            unit = control.unit if control else ""
            yield _Known(stood, unit, f"{part.sliders[slider].label} of #{run.number}{where}")
        else:  # a choice's label may hold a number: "last 4"
            label = slider_value(part, slider, stood)
            for digits in re.findall(r"\d+", label):
                yield _Known(float(digits), "", f"{label} of #{run.number}{where}")


def _between(part: Part, first: Run, second: Run, where: str) -> Iterator[_Known]:
    assert first.outcome is not None
    assert second.outcome is not None
    for metric, label in part.metrics.items():
        unit = metric_of(part, metric).unit
        change = second.outcome.metrics[metric] - first.outcome.metrics[metric]
        words = f"{label}, #{first.number} against #{second.number}{where}"
        yield _Known(change, "points" if unit == "%" else unit, words)
