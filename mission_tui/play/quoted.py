"""The numbers in a student's own words, each resolved against the runs that the words lean on.

It grades nothing: a person who reads the paragraph sees beside each number where it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from mission_tui.content import space
from mission_tui.content.schema import Part
from mission_tui.play.claims import metric_of
from mission_tui.play.session import Run, Session
from mission_tui.play.wording import deciding, fill, slider_value
from mission_tui.units import UnitError, base_of, factor, half_step

_NUMBER: Final = re.compile(
    r"(?P<run>#\s?|\b[Rr]uns?\s+#?)?"
    r"(?<![\w.,])(?P<money>\$)?(?P<number>\d+(?:[,_]\d{3})*(?:\.\d+)?)"
    r"(?:\s?(?P<unit>[A-Za-zµ%×/]+))?(?P<tail>[\w-])?"
)
_RATE: Final = re.compile(r"\s+(?:a|an|per|each|every)\s+(?P<each>[a-z]+)")
_DECIMAL: Final = re.compile(r"\d+(?:\.\d+)?")
NOWHERE: Final = "in none of the cited runs, nor on this page"
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
    "dollar": "$",
    "dollars": "$",
    "USD": "$",
}
_BYTES: Final = {"kb": "kB", "mb": "MB", "gb": "GB", "tb": "TB"}
_COUNTS: Final = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "k": 1e3, "M": 1e6}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as it was written, and what it equals; ``found`` is empty where that is nothing.

    Equal numbers may still mean something else: no more is said than that they are equal.
    """

    written: str
    found: str

    @property
    def words(self) -> str:
        """One line: ``"160 MB = the limit of Peak memory"``."""
        if not self.found:
            return f"{self.written}: {NOWHERE}"
        return f"{self.written}{': ' if self.written.startswith('#') else ' = '}{self.found}"


@dataclass(frozen=True, slots=True)
class _Known:
    """A quantity that words may quote: its value in ``unit``, and what it is.

    ``far`` is how far-fetched it is: a difference of two runs can be had of many numbers.
    """

    value: float
    unit: str
    what: str
    far: int = 0


def resolved(session: Session, text: str) -> tuple[Figure, ...]:
    """Every number of ``text``, resolved against the runs that it leans on, once each.

    Those are the run that stands in each part, every pinned run, and every run that the text
    names: "#4" is one of the part that is decided on, unless the text names another part by its
    title. A number is found where such a run's metric or slider, a limit, the decision's own page,
    or a constant of the scenario rounds to it; with a unit also where a difference of two runs
    does (of percentages: in points). What has its unit, its name and its very value comes first.
    """
    matches = [found for found in _NUMBER.finditer(text) if _is_number(found)]
    named = {int(m["number"]) for m in matches if m["run"] and m["number"].isdecimal()}
    meant = {number: _parts_meant(session, text, number) for number in named}
    known = list(_known(session, meant))
    figures: dict[str, Figure] = {}
    for match in matches:
        if match["run"] and match["number"].isdecimal():
            figure = _run(session, int(match["number"]), meant)
        else:
            figure = _figure(match, known)
        figures.setdefault(figure.written, figure)
    return tuple(figures.values())


def _parts_meant(session: Session, text: str, number: int) -> tuple[str, ...]:
    """The parts of which a run's number is meant: those named, else the last part, else any."""
    having = [
        (name, part)
        for name, part in session.mission.ordered
        if any(run.number == number and run.outcome for run in session.parts[name].runs)
    ]
    words = text.casefold()
    by_title = tuple(name for name, part in having if part.title.casefold() in words)
    last = session.mission.ordered[-1][0]
    names = tuple(name for name, _ in having)
    return by_title or ((last,) if last in names else names)


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


def _run(session: Session, number: int, meant: Mapping[int, tuple[str, ...]]) -> Figure:
    """A run that the words name."""
    titles = [session.mission.parts[name].title for name in meant[number]]
    what = f"a run of {' or of '.join(titles)}" if titles else "there is no such run"
    return Figure(f"#{number}", what)


def _figure(match: re.Match[str], known: list[_Known]) -> Figure:
    number = re.sub(r"[,_]", "", match["number"])
    unit = match["unit"] or ""
    scaled = _scale(unit) if unit else ("", 1.0)
    if match["money"]:  # $12, $12k, $5 million
        scaled = "$", (_COUNTS.get(unit, 1.0))
        unit = unit if unit in _COUNTS else ""
    written = f"{match['money'] or ''}{match['number']}"
    if scaled is None:  # a word that is no unit: "100 cars"
        base, scale = "", 1.0
    else:
        base, scale = scaled
        written += f" {unit}" if unit else ""
    value, slack = float(number) * scale, half_step(number) * scale * (1 + 1e-9)
    noun = "" if base else unit.casefold().rstrip("s")
    rate = _RATE.match(match.string, match.end()) if not base else None

    def order(each: _Known) -> tuple[bool, bool, bool, int]:
        named = len(noun) > 2 and (noun in each.what.casefold() or noun == each.unit.rstrip("s"))
        other_unit = base_of(each.unit) != base
        unlike = abs(abs(each.value) - value) > 1e-9 * max(1.0, value)
        return not named, other_unit, unlike, each.far

    found = [
        each
        for each in known
        if _fits(each, base)
        and abs(abs(each.value) - value) <= slack
        and (base or not each.far)
        and (rate is None or _is_rate(each, rate["each"]))
    ]
    whats = [each.what for each in sorted(found, key=order)]
    return Figure(written, "; ".join(list(dict.fromkeys(whats))[:2]))


def _is_rate(known: _Known, each: str) -> bool:
    """Whether a quantity is so many a week, or per node."""
    what = known.what.casefold()
    return any(sign in what for sign in (f" a {each}", f" per {each}", f"/{each}", f"each {each}"))


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


def _known(session: Session, meant: Mapping[int, tuple[str, ...]]) -> Iterator[_Known]:
    """All that words may quote, the surest first."""
    mission = session.mission
    for name, part in mission.ordered:
        where = f" ({part.title})" if len(mission.parts) > 1 else ""
        runs = cited(session, name, {number for number, parts in meant.items() if name in parts})
        for run in runs:
            yield from _of_run(session, name, part, run, where)
        for reading in session.readings_of(name, {}):
            unit = metric_of(part, reading.metric).unit
            label = part.specs[reading.id].label
            yield _Known(reading.limit, unit, f"the limit of {label}{where}")
        table = session.parts[name].table
        for turn in table.said if table else ():
            for wanted, threshold in turn.waived.items():
                want = part.stakeholders[turn.party].wants[wanted]
                unit = metric_of(part, want.metric).unit
                yield _Known(threshold, unit, f"what a waiver of {want.label} keeps{where}")
    for number in (*mission.persona.constants.values(), *mission.constants.values()):
        if isinstance(number.value, (int, float)) and not isinstance(number.value, bool):
            base = base_of(number.unit)
            scale = factor(number.unit, base) if number.unit != base else 1.0
            yield _Known(number.value * scale, base, f"{number.label} (scenario)")
    yield from _on_the_page(session)
    for name, part in mission.ordered:
        where = f" ({part.title})" if len(mission.parts) > 1 else ""
        runs = cited(session, name, {number for number, parts in meant.items() if name in parts})
        for first, second in combinations(runs, 2):
            yield from _between(part, first, second, where)


def _on_the_page(session: Session) -> Iterator[_Known]:
    """The numbers of the decision's own texts, as they are read there."""
    decision = session.mission.decision
    if decision is None:
        return
    texts = (decision.question, *decision.facts, *decision.options.values(), decision.ask)
    figures = deciding(session) if any("{" in text for text in texts) else {}
    for match in _NUMBER.finditer("\n".join(fill(text, figures) for text in texts)):
        if match["run"] or not _is_number(match):
            continue
        unit = match["unit"] or ""
        base, scale = (_scale(unit) if unit else None) or ("", 1.0)
        if match["money"]:
            base, scale = "$", _COUNTS.get(unit, 1.0)
        value = float(re.sub(r"[,_]", "", match["number"])) * scale
        noun = f" {unit}" if unit and not base else ""
        yield _Known(value, base, f"a figure of this page{noun and ','}{noun}")


def _of_run(session: Session, name: str, part: Part, run: Run, where: str) -> Iterator[_Known]:
    assert run.outcome is not None  # those in flight are not cited
    labels = {r.metric: part.specs[r.id].label for r in session.readings_of(name, {})}
    for metric, label in (labels | dict(part.metrics)).items():
        value = run.outcome.metrics[metric]
        yield _Known(value, metric_of(part, metric).unit, f"{label} of #{run.number}{where}")
    for slider, stood in run.setting.items():
        control = space.engine_control(part, slider)
        if isinstance(stood, (int, float)) and not isinstance(stood, bool):
            unit = control.unit if control else ""
            yield _Known(stood, unit, f"{part.sliders[slider].label} of #{run.number}{where}")
        else:  # a choice's label may hold a number: "last 4"
            label = slider_value(part, slider, stood)
            for digits in _DECIMAL.findall(label):
                yield _Known(float(digits), "", f"{label} of #{run.number}{where}")


def _between(part: Part, first: Run, second: Run, where: str) -> Iterator[_Known]:
    assert first.outcome is not None
    assert second.outcome is not None
    for metric, label in part.metrics.items():
        unit = metric_of(part, metric).unit
        change = second.outcome.metrics[metric] - first.outcome.metrics[metric]
        words = f"{label}, #{first.number} against #{second.number}{where}"
        yield _Known(change, "points" if unit == "%" else unit, words, far=1)
