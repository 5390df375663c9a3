"""What a schema alone can't see: names that exist, settings that are possible, texts that fill.

Whether a mission is *fair* is another question: that is the author's gate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import floor, log
from typing import Any, Final, get_args

from engine import registry
from engine.contract import Control, Metric, Model, SettingError, Value, complete
from mission_tui.content import space
from mission_tui.content.schema import (
    Alarm,
    Bars,
    Curve,
    Frontier,
    Instrument,
    Lock,
    MemoryMap,
    Mission,
    Number,
    Part,
    Size,
    Slider,
    Spec,
    Stakeholder,
    texts_and_rules,
)
from mission_tui.units import UnitError, base_of, factor

Found = Iterator[tuple[tuple[str, ...], str]]
PLACEHOLDER = re.compile(r"\{([a-z0-9_-]+)\}")
LOCK_WORDS = frozenset({"truth", "value", "low", "high"})
"""What the explanations of a lock may quote besides constants and given figures."""
CARRIED: Final = "carried"
"""What texts quote the label of the class that was carried to their part as."""
SIZES: Final[tuple[Size, ...]] = get_args(Size)
MOST_STEPS: Final = 1_000
"""Steps that one slider may have: nobody turns through more, and the gate walks them all."""
APART: Final = 0.8
"""Share of a grid that must be values of their own: the lowest steps of a fine one may not be."""


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
    yield from _handed_on(mission)
    if mission.recall is not None and mission.recall.answer not in mission.recall.options:
        known = ", ".join(mission.recall.options)
        yield ("recall", "answer"), f"{mission.recall.answer!r} is no option; known: {known}"
    yield from _texts(mission)


def _handed_on(mission: Mission) -> Found:
    """What is carried comes from an earlier part."""
    for part_id, part in mission.parts.items():
        if part.carried and mission.giver_of(part_id) is None:
            yield ("parts", part_id, "carried"), "no earlier part carries anything on"


def _part(mission: Mission, part: Part) -> Found:
    try:
        model = registry.model(part.model)
    except (registry.UnknownModelError, ValueError) as error:
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
    for name, instrument in part.instruments.items():
        for key, message in _instrument(part, model, instrument):
            yield ("instruments", name, *key), message
    for name, alarm in part.alarms.items():
        yield from _limit(mission, ("alarms", name), alarm, metrics)
    yield from _carry(part)
    for size, carried in part.carried.items():
        for name, number in carried.fixed.items():
            key = ("carried", size, "fixed", name)
            yield from number_problems(key, number)
            yield from _allowed((*key, "value"), part, {name: number.value})
            options = (option for use in part.sliders.values() for option in use.options.values())
            if name in part.sliders or any(name in option.sets for option in options):
                yield key, f"{name} is moved by a slider, which would win"
        yield from _on_grid(("carried", size, "reference"), part, carried.reference)
    if part.carried and len(part.carried) < len(SIZES):
        yield ("carried",), "say what each class means: " + ", ".join(SIZES)
    for name, party in part.stakeholders.items():
        for key, message in _stakeholder(part, party, metrics):
            yield ("stakeholders", name, *key), message
    if part.stakeholders and part.kind != "budgeted":
        yield ("kind",), "stakeholders argue over runs that cost something: a budgeted part"
    if bool(part.stakeholders) != bool(part.scenario):
        words = "a part with stakeholders says its scenario: feasible, concession or infeasible"
        yield ("scenario",), words


def _instrument(part: Part, model: Model, instrument: Instrument) -> Found:
    metrics = {metric.name: metric for metric in model.metrics}
    series = {each.name: each for each in model.series}
    match instrument:
        case MemoryMap():
            if "memory" not in series:
                yield (), f"{part.model} has no memory map"
            if not any(spec.metric == "peak_memory" for spec in part.specs.values()):
                yield (), "a memory map needs a spec on peak_memory: its limit"
        case Frontier():
            yield from _names(("x",), {instrument.x: None}, metrics)
            yield from _names(("y",), {instrument.y: None}, metrics)
            for axis in (instrument.x, instrument.y):
                if axis in metrics and axis not in part.metrics:
                    yield (), f"{axis} has no label in the part's metrics"
        case Curve():
            yield from _names(("x",), {instrument.x: None}, series)
            yield from _names(("lines",), instrument.lines, series)
            units = {series[line].unit for line in instrument.lines if line in series}
            if len(units) > 1:
                yield ("lines",), "lines of one chart share a unit; these have several"
            if instrument.at is not None:
                yield from _names(("at",), {instrument.at: None}, {**metrics, **part.sliders})
        case Bars():
            yield from _names(("series",), {instrument.series: None}, series)
            if instrument.series in series and not series[instrument.series].labels:
                yield ("series",), f"{instrument.series} has no labels to name the bars"


def _carry(part: Part) -> Found:
    if part.carry is None:
        return
    carry = part.carry
    use = part.sliders.get(carry.slider)
    if use is None or not use.options:
        yield ("carry", "slider"), "name a slider with options: " + ", ".join(part.sliders)
        return
    yield from _names(("carry", "classes"), carry.classes, use.options)
    for option in use.options.keys() - carry.classes.keys():
        yield ("carry", "classes"), f"{option!r} has no class; give it small, medium or large"


def _stakeholder(part: Part, party: Stakeholder, metrics: Mapping[str, Metric]) -> Found:
    for name, want in party.wants.items():
        key = ("wants", name)
        yield from _names((*key, "metric"), {want.metric: None}, metrics)
        if want.aspire == want.reserve:
            yield (*key, "aspire"), "must differ from the reserve: which way is better?"
        sign = 1 if want.more else -1
        if not sign * want.reserve <= sign * want.asks <= sign * want.aspire:
            yield (*key, "asks"), "must lie between the reserve and the aspiration"
    bound = party.bound
    if bound is None:
        return
    yield from _on_grid(("bound", "corner"), part, bound.corner)
    yield from _names(("bound", "want"), {bound.want: None}, party.wants)
    if bound.want in party.wants:
        metric = metrics.get(party.wants[bound.want].metric)
        if metric is not None and not metric.exact:
            yield ("bound", "want"), f"{metric.name} is measured; only accounting can be a proof"
    if bound.under is not None:
        yield from _names(("bound", "under"), {bound.under: None}, part.stakeholders)
        if part.stakeholders.get(bound.under) is party:
            yield ("bound", "under"), "a party's want is disproved under another party's demand"


def _on_grid(key: tuple[str, ...], part: Part, setting: Mapping[str, Value]) -> Found:
    for slider, value in setting.items():
        try:
            space.check_on_grid(part, slider, value)
        except SettingError as error:
            yield key, str(error)


def _allowed(key: tuple[str, ...], part: Part, setting: Mapping[str, Value]) -> Found:
    try:
        complete(registry.model(part.model).controls, setting)
    except SettingError as error:
        yield key, str(error)


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
        elif len(space.steps(control, use)) < APART * (floor(count + 1e-9) + 1):
            yield (*key, "step"), f"{step:g} is too small: steps fall on one value"


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
        yield from _limit(mission, ("specs", name), spec, metrics)


def _limit(
    mission: Mission, key: tuple[str, ...], spec: Spec | Alarm, metrics: Mapping[str, Metric]
) -> Found:
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
        if truth.query == "difference" and unit == "%":
            unit = "points"
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
            part = mission.parts[key[1]]
            allowed |= part.given.keys()
            if part.carried:
                allowed.add(CARRIED)
            if len(key) > 2 and key[2] == "locks":
                allowed |= LOCK_WORDS
            if len(key) > 2 and key[2] in {"specs", "alarms"}:
                allowed |= part.metrics.keys()
        if key[0] == "decision":
            allowed |= mission.ordered[-1][1].given.keys()
        for name in PLACEHOLDER.findall(text):
            if name not in allowed:
                yield key, f"{{{name}}} can't be filled here; known: {', '.join(sorted(allowed))}"
