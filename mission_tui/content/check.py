"""What a schema alone can't see: names that exist, settings that are possible, texts that fill.

Whether a mission is *fair* is another question: that is the author's gate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import log
from typing import Any, Final

from engine import registry
from engine.contract import Control, Metric, Model, SettingError, Value, complete
from mission_tui.content import space
from mission_tui.content.schema import Lock, Mission, Number, Part, Slider, texts_and_rules
from mission_tui.units import UnitError, base_of, factor

Found = Iterator[tuple[tuple[str, ...], str]]
PLACEHOLDER = re.compile(r"\{([a-z0-9_-]+)\}")
LOCK_WORDS = frozenset({"truth", "value", "low", "high"})
"""What the explanations of a lock may quote besides constants and given figures."""
MOST_STEPS: Final = 1_000
"""Steps that one slider may have: nobody turns through more, and the gate walks them all."""


def problems(mission: Mission) -> Found:
    """Everything that is wrong with a resolved mission, as (key path, sentence)."""
    orders = [part.order for part in mission.parts.values()]
    if len(set(orders)) != len(orders):
        yield ("parts",), "two parts have the same order; number them 1, 2, 3"
    for name, number in mission.constants.items():
        yield from number_problems(("constants", name), number)
    for part_id, part in mission.parts.items():
        for key, message in _part(mission, part):
            yield ("parts", part_id, *key), message
    yield from _texts(mission)


def _part(mission: Mission, part: Part) -> Found:
    try:
        model = registry.model(part.model)
    except registry.UnknownModelError as error:
        yield ("model",), str(error)
        return
    if part.kind == "budgeted" and not part.runs:
        yield ("runs",), "a budgeted part says how many runs it has, for example runs = 10"
    if len(set(part.seeds)) != len(part.seeds):
        yield ("seeds",), "a seed stands twice in the deck; each must differ"
    metrics = {metric.name: metric for metric in model.metrics}
    broken = list(_controls(part, model))
    yield from broken
    if broken:
        return  # what follows would only repeat it
    yield from _settings(part)
    yield from _names(("metrics",), part.metrics, metrics)
    yield from _names(("mechanisms",), part.mechanisms, {m.id: m for m in model.mechanisms})
    yield from _specs(mission, part, metrics)
    for name, point in part.given.items():
        yield from _query(part, ("given", name), {"metric": point.metric, "setting": point.setting})
    for name, lock in part.locks.items():
        for key, message in _lock(mission, part, lock, metrics):
            yield ("locks", name, *key), message
    for name in part.claim.metrics:
        if name not in metrics or not metrics[name].terms:
            yield ("claim", "metrics"), f"{name!r} is no metric that {part.model} can explain"
        for term in metrics[name].terms if name in metrics else ():
            if term not in part.mechanisms:
                yield ("mechanisms",), f"{term!r} is missing: a claim about {name} may need it"
    yield from _names(("frontier",), dict.fromkeys(part.frontier or ()), metrics)
    if "memory_map" in part.instruments and not any(
        spec.metric == "peak_memory" for spec in part.specs.values()
    ):
        yield ("instruments",), "a memory map needs a spec on peak_memory: its limit"
    if "frontier" in part.instruments and not part.frontier:
        yield ("frontier",), 'say which metrics: frontier = ["x metric", "y metric"]'


def _controls(part: Part, model: Model) -> Found:
    controls = {control.name: control for control in model.controls}
    moved: dict[str, str] = {}
    for name, number in part.fixed.items():
        yield from number_problems(("fixed", name), number)
        if name not in controls:
            yield ("fixed", name), f"{part.model} has no such control; known: {', '.join(controls)}"
            continue
        try:
            controls[name].checked(number.value)
        except SettingError as error:
            yield ("fixed", name, "value"), str(error)
    for slider, use in part.sliders.items():
        key = ("sliders", slider)
        if slider not in controls and not all(option.sets for option in use.options.values()):
            yield key, f"{part.model} has no control {slider!r}: give each option its sets"
        elif slider not in controls and not use.options:
            yield key, f"{part.model} has no such control; known: {', '.join(controls)}"
        bounds = (use.low, use.high, use.step)
        if use.options and any(bound is not None for bound in bounds):
            yield key, "a slider with options has no low, high or step"
        for bound in (use.low, use.high):
            if bound is not None and slider in controls and not use.options:
                control = controls[slider]
                if not control.low <= bound <= control.high:
                    yield key, f"{bound:g} is outside {control.low:g} to {control.high:g}"
        if slider in controls and not use.options:
            yield from _steps(key, controls[slider], use)
        for option_id, option in use.options.items():
            for name, value in (option.sets or {slider: option_id}).items():
                owner = moved.setdefault(name, slider)
                if owner != slider or name in part.fixed:
                    other = "fixed" if name in part.fixed else f"the slider {owner}"
                    yield (*key, "options", option_id), f"{name} is set by {other} too"
                if name not in controls:
                    yield (*key, "options", option_id), f"{part.model} has no control {name!r}"
                    continue
                try:
                    controls[name].checked(value)
                except SettingError as error:
                    yield (*key, "options", option_id), str(error)
        if not use.options and slider in part.fixed:
            yield key, "is fixed too; a control is either fixed or a slider"
        if not use.options and (owner := moved.setdefault(slider, slider)) != slider:
            yield key, f"{slider} is set by the slider {owner} too"


def _steps(key: tuple[str, ...], control: Control, use: Slider) -> Found:
    """A grid that can't be walked: no steps, too many, or two at the same place."""
    if control.kind not in {"number", "integer"}:
        return
    low = control.low if use.low is None else use.low
    high = control.high if use.high is None else use.high
    step = control.step if use.step is None else use.step
    smallest = 1.0 if control.scale == "log" else 0.0
    if not low < high:
        yield key, f"low ({low:g}) must be less than high ({high:g})"
    elif not step > smallest:
        yield (*key, "step"), f"{step:g} is no step; give more than {smallest:g}"
    elif low >= control.low and high <= control.high:
        count = log(high / low) / log(step) if control.scale == "log" else (high - low) / step
        if count > MOST_STEPS:
            yield (*key, "step"), f"more than {MOST_STEPS:,} steps; give a larger one"
        elif len(set(grid := space.steps(control, use))) < len(grid):
            yield (*key, "step"), f"{step:g} is too small: two steps fall on one value"


def _settings(part: Part) -> Found:
    for name in ("default", "reference"):
        setting: Mapping[str, Value] = getattr(part, name)
        for slider in part.sliders.keys() - setting.keys():
            yield (name,), f"the slider {slider!r} is missing"
        for slider, value in setting.items():
            try:
                space.check_on_grid(part, slider, value)
            except SettingError as error:
                yield (name, slider), str(error)


def _specs(mission: Mission, part: Part, metrics: Mapping[str, Metric]) -> Found:
    for name, spec in part.specs.items():
        key = ("specs", name)
        yield from _names((*key, "metric"), {spec.metric: None}, metrics)
        if (spec.at_most is None) == (spec.at_least is None):
            yield key, "give one limit: at_most or at_least"
        limit = spec.at_most if spec.at_least is None else spec.at_least
        if isinstance(limit, str):
            yield from _constant(mission, key, limit, metrics.get(spec.metric))


def _constant(mission: Mission, key: tuple[str, ...], name: str, metric: Metric | None) -> Found:
    number = mission.constants.get(name) or mission.persona.constants.get(name)
    if number is None:
        known = ", ".join(mission.persona.constants | mission.constants)
        yield key, f"no constant is called {name!r}; known: {known or 'none'}"
    elif metric is not None and number.unit != metric.unit:
        yield key, f"{name} is in {number.unit!r} and {metric.name} in {metric.unit!r}"
    elif isinstance(number.value, (str, bool)):
        yield key, f"{name} is no number"


def _lock(mission: Mission, part: Part, lock: Lock, metrics: Mapping[str, Metric]) -> Found:
    yield from _query(part, ("truth",), lock.truth.model_dump())
    yield from _query(part, ("why",), lock.why.model_dump())
    truth = lock.truth
    if lock.kind == "number":
        if truth.query == "exists":
            yield ("kind",), "a yes or no is a choice"
        metric = metrics.get(getattr(truth, "metric", ""))
        unit = "×" if truth.query == "ratio" else metric.unit if metric else lock.unit
        if truth.query not in {"argbest", "crossing", "exists"}:
            try:
                factor(lock.unit, unit)
            except UnitError:
                yield ("unit",), f"{lock.unit!r} is no unit of {unit!r}, the metric's"
        if lock.options:
            yield ("options",), "a number has no options"
    else:
        if len(lock.options) < 2:
            yield ("options",), "a choice needs at least two options"
        if truth.query not in {"argbest", "exists"}:
            yield ("truth", "query"), "a choice asks argbest or exists"
        if truth.query == "exists" and lock.options.keys() != {"yes", "no"}:
            yield ("options",), "whether some setting exists is answered by yes or no"
        if truth.query == "argbest" and truth.over in part.sliders:
            for value in lock.options.keys() - {str(v) for v in space.values(part, truth.over)}:
                yield ("options", value), f"{truth.over} cannot stand there"
    for limit in (getattr(truth, "limit", None),):
        if isinstance(limit, str):
            yield from _constant(mission, ("truth", "limit"), limit, None)
    terms = metrics[lock.why.metric].terms if lock.why.metric in metrics else ()
    if len(lock.mechanisms) < 2:
        yield ("mechanisms",), "offer at least two mechanisms"
    for mechanism in lock.mechanisms:
        if mechanism not in terms:
            yield ("mechanisms",), f"{mechanism!r} is no term of {lock.why.metric}"
        elif mechanism not in part.mechanisms:
            yield ("mechanisms",), f"{mechanism!r} has no words in the part's mechanisms"


def _query(part: Part, key: tuple[str, ...], query: Mapping[str, Any]) -> Found:
    model = registry.model(part.model)
    metrics = {metric.name: metric for metric in model.metrics}
    if "metric" in query:
        yield from _names((*key, "metric"), {query["metric"]: None}, metrics)
    for name in ("setting", "first", "second"):
        if name in query:
            try:
                complete(model.controls, space.engine_setting(part, query[name]))
            except SettingError as error:
                yield (*key, name), str(error)
    over = query.get("over", ())
    for slider in (over,) if isinstance(over, str) else over:
        if slider not in part.sliders:
            yield (
                (*key, "over"),
                f"no slider is called {slider!r}; known: {', '.join(part.sliders)}",
            )
    for spec in query.get("under", ()):
        if spec not in part.specs:
            yield (*key, "under"), f"no spec is called {spec!r}; known: {', '.join(part.specs)}"


def number_problems(key: tuple[str, ...], number: Number) -> Found:
    """What is wrong with one number of the scenario."""
    if number.assumption and number.range is None:
        yield key, "an assumption says its range, for example range = [0.5, 2.0]"
    if number.range is not None and isinstance(number.value, (int, float)):
        low, high = number.range
        if not low <= number.value <= high:
            yield key, f"{number.value:g} is outside its own range {low:g} to {high:g}"
    try:
        factor(number.unit, base_of(number.unit))
    except UnitError as error:
        yield (*key, "unit"), str(error)


def _names(key: tuple[str, ...], used: Mapping[str, object], known: Mapping[str, object]) -> Found:
    for name in used:
        if name not in known:
            yield key, f"{name!r} is not known; known: {', '.join(known)}"


def _texts(mission: Mission) -> Found:
    constants = mission.persona.constants.keys() | mission.constants.keys()
    texts, _ = texts_and_rules(mission)
    for path, text in texts.items():
        key = tuple(path.split("."))
        allowed = set(constants)
        if key[0] == "parts":
            allowed |= mission.parts[key[1]].given.keys()
            if len(key) > 2 and key[2] == "locks":
                allowed |= LOCK_WORDS
        for name in PLACEHOLDER.findall(text):
            if name not in allowed:
                yield key, f"{{{name}}} can't be filled here; known: {', '.join(sorted(allowed))}"
