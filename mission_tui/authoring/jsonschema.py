"""The mission format for editors and for the reference in ``docs/authors.md``.

Both are generated from the types that check missions (:mod:`mission_tui.content.schema`) and
from the engine's models, so neither can say what the program does not do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from engine import registry
from engine.contract import Control, Model
from mission_tui.content import schema as types

Json: TypeAlias = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
TITLE: Final = "A mission of Mission TUI"
"""By this a file is known as one of ours, which may be written over."""

TABLES: Final[tuple[tuple[str, type[BaseModel]], ...]] = (
    ("(top of the file)", types.Mission),
    ("crisis", types.Crisis),
    ("parts.<id>", types.Part),
    ("constants.<name>, parts.<id>.fixed.<control>", types.Number),
    ("parts.<id>.sliders.<name>", types.Slider),
    ("parts.<id>.sliders.<name>.options.<id>", types.Option),
    ("parts.<id>.specs.<id>", types.Spec),
    ("parts.<id>.specs.<id>.failure", types.Failure),
    ("parts.<id>.alarms.<id>", types.Alarm),
    ('parts.<id>.instruments.<id>, kind = "memory_map"', types.MemoryMap),
    ('parts.<id>.instruments.<id>, kind = "frontier"', types.Frontier),
    ('parts.<id>.instruments.<id>, kind = "curve"', types.Curve),
    ('parts.<id>.instruments.<id>, kind = "bars"', types.Bars),
    ("parts.<id>.locks.<id>", types.Lock),
    ("parts.<id>.locks.<id>.why", types.Why),
    ("parts.<id>.locks.<id>.cells", types.Cells),
    ('truth or given, query = "point"', types.Point),
    ('truth, query = "difference"', types.Difference),
    ('truth, query = "ratio"', types.Ratio),
    ('truth, query = "best"', types.Best),
    ('truth, query = "argbest"', types.ArgBest),
    ('truth, query = "crossing"', types.Crossing),
    ('truth, query = "exists"', types.Exists),
    ("parts.<id>.claim", types.ClaimAsk),
    ("parts.<id>.carry", types.Carry),
    ("parts.<id>.carried.<class>", types.Carried),
    ("parts.<id>.stakeholders.<id>", types.Stakeholder),
    ("parts.<id>.stakeholders.<id>.wants.<id>", types.Want),
    ("parts.<id>.stakeholders.<id>.bound", types.Bound),
    ("parts.<id>.stakeholders.<id>.replies", types.Replies),
    ("parts.<id>.stakeholders.<id>.endings", types.Endings),
    ("decision", types.Decision),
    ("recall", types.Recall),
    ("tracks.toml: tracks.<id>", types.Persona),
)
"""Where each table stands in a file, in the order of the reference."""

_RESOLVED: Final = frozenset({"track", "persona"})
"""What a resolved mission has and no file says."""

_LAW: Final = "the law in one sentence, told in the debrief"
_BESIDE: Final = "true puts it into the second column (key v where there is room for one)"
_CHART: Final = "heading of the chart"
_UNDER: Final = "ids of the specs that must hold; other settings do not count"
_AT: Final = "sliders or controls for the query; what it leaves out is as fixed and default say"
_METRIC: Final = "name of a metric of the part's model"
_LIMIT: Final = "a number in the metric's unit, or the name of a constant"

WORDS: Final[Mapping[str, str]] = {
    "Mission.schema": "version of this format: 1",
    "Mission.id": "the file's name without .toml; ledgers keep it, so never change it",
    "Mission.title": "shown in the list and at the head of every screen",
    "Mission.chapter": "which chapter of the course it belongs to",
    "Mission.hook": "a few words beside the title",
    "Mission.minutes": "how long the whole mission takes",
    "Mission.crisis": "the transmission that opens it; usually one a track",
    "Mission.constants": "numbers with a source, for limits and for texts, by name",
    "Mission.parts": "the parts, by id",
    "Mission.decision": "what the player decides at the end; leave it out for none",
    "Mission.recall": "a question that opens the next mission; leave it out for none",
    "Crisis.sender": "who sends the transmission, and when",
    "Crisis.title": "its headline",
    "Crisis.text": "what happened; figures as {constant}",
    "Part.order": "1, 2, 3: the order of play",
    "Part.title": "label of the part",
    "Part.kind": "live: charts follow the sliders, runs are free; budgeted: only runs move them",
    "Part.minutes": "how long the part takes",
    "Part.runs": "how many runs a budgeted part has",
    "Part.distinct_runs": "runs at different settings before the player may go on",
    "Part.apart": "lengths of a slider, over all sliders, that two different runs are apart",
    "Part.model": "a model of the engine, or two joined: adaptation+energy",
    "Part.objective": "what has to be reached, said at the lock",
    "Part.lesson": "what the part teaches, told in the debrief",
    "Part.stand_in": "what the measured metrics were measured on, shown on the workbench",
    "Part.law": _LAW,
    "Part.law_source": "where the law is from: author, year, work",
    "Part.seeds": "the deck: 16 whole numbers or more, none twice; each student draws one",
    "Part.fixed": "the scenario: engine controls that no slider moves, as numbers with a source",
    "Part.given": "figures that texts quote as {name}; the engine computes them",
    "Part.sliders": "what the player moves, by name; up to three fit 80 columns",
    "Part.default": "where each slider stands at first; it must fail",
    "Part.reference": "a setting that passes, on every seed of the deck",
    "Part.metrics": "labels of the metrics that are shown: metric = label",
    "Part.mechanisms": "words for the model's mechanisms: id = one line",
    "Part.specs": "the limits that a run must meet, by id",
    "Part.locks": "the predictions, by id; each is sealed before the workbench opens",
    "Part.claim": "the question that two runs answer",
    "Part.instruments": "what the workbench shows, by id",
    "Part.alarms": "named failures that are no specs, by id",
    "Part.carry": "what this part hands on to a later one",
    "Part.carried": "what each class that was handed on means here",
    "Part.scenario": "with stakeholders: feasible, concession or infeasible",
    "Part.stakeholders": "the parties at the table, by id; two or more",
    "Part.hints": "hints, by id, opened in the order of the file",
    "Number.value": "the number (or true, false, or the option of a choice)",
    "Number.unit": "its unit, as the model has it; none for a plain count",
    "Number.label": "what it is called on the screen",
    "Number.source": "where it is from; of an invented one: Scenario: why so",
    "Number.assumption": "true where it is assumed: the player sees that it is",
    "Number.range": "of an assumption: lowest and highest that would be plausible",
    "Slider.label": "what it is called on the screen; 15 characters fit",
    "Slider.role": "policy is the player's to choose; assumption asks what if",
    "Slider.low": "lowest value, if not the model's",
    "Slider.high": "highest value, if not the model's",
    "Slider.step": "one step, if not the model's; on a log scale a factor",
    "Slider.options": "of a choice: the options, by id",
    "Option.label": "what it is called on the screen",
    "Option.sets": "engine controls that it sets; left out, its id is the control's value",
    "Spec.metric": _METRIC,
    "Spec.label": "what the gauge is called; 13 characters fit",
    "Spec.at_most": f"upper limit: {_LIMIT}",
    "Spec.at_least": f"lower limit: {_LIMIT}",
    "Spec.source": "where the limit is from",
    "Spec.failure": "what it is called where it is broken",
    "Failure.title": "the failure's name, in capitals, after the law that it breaks",
    "Failure.text": "what happened, 125 characters fit; metrics and constants as {name}",
    "Alarm.metric": _METRIC,
    "Alarm.at_most": f"sounds there or below: {_LIMIT}",
    "Alarm.at_least": f"sounds there or above: {_LIMIT}",
    "Alarm.title": "the failure's name",
    "Alarm.text": "what happened; figures as {name}",
    "MemoryMap.kind": "where the bytes go; the model adaptation has it",
    "MemoryMap.beside": _BESIDE,
    "Frontier.kind": "metric against metric, a point a run",
    "Frontier.title": _CHART,
    "Frontier.x": "metric of the part, to the right",
    "Frontier.y": "metric of the part, upwards",
    "Frontier.beside": _BESIDE,
    "Curve.kind": "up to three series over another",
    "Curve.title": _CHART,
    "Curve.x": "series to the right",
    "Curve.low": "where the upright axis begins; without it at 0, or at the data",
    "Curve.lines": "series = label, one to three, all in one unit",
    "Curve.at": "a metric or slider: marks where it stands",
    "Curve.beside": _BESIDE,
    "Bars.kind": "one labelled series as bars",
    "Bars.title": _CHART,
    "Bars.series": "a series with labels",
    "Bars.beside": _BESIDE,
    "Lock.kind": "number or choice",
    "Lock.prompt": "the question",
    "Lock.facts": "lines that give what is needed to work it out",
    "Lock.unit": "unit of the answer, with prefix: MB, GB, %, points, ×",
    "Lock.factor": "a number is right within this factor",
    "Lock.within": "instead of factor: right within ± this, in the metric's own unit",
    "Lock.options": "of a choice: id = words; of exists: yes and no",
    "Lock.truth": "the question to the engine; no answer stands in the file",
    "Lock.why": "the question that the mechanisms answer",
    "Lock.mechanisms": "two or more reasons to choose from: terms of why's metric",
    "Lock.cells": "what is said afterwards, for each of four outcomes",
    "Why.ask": "the question, as one line",
    "Why.metric": "a metric that has terms",
    "Why.first": "from this setting",
    "Why.second": "to this one; right is the largest term of the change between them",
    "Cells.both": "value and reason hold",
    "Cells.value_only": "the value holds, the reason does not",
    "Cells.mechanism_only": "the reason holds, the value does not",
    "Cells.neither": "neither holds",
    "Point.query": "a metric at a setting",
    "Point.metric": _METRIC,
    "Point.setting": _AT,
    "Difference.query": "a metric at second less the same at first",
    "Difference.metric": _METRIC,
    "Difference.first": _AT,
    "Difference.second": _AT,
    "Ratio.query": "a metric at second over the same at first",
    "Ratio.metric": _METRIC,
    "Ratio.first": _AT,
    "Ratio.second": _AT,
    "Best.query": "the best value of a metric over every setting of some sliders",
    "Best.metric": _METRIC,
    "Best.over": "the sliders that are tried",
    "Best.under": _UNDER,
    "Best.setting": _AT,
    "ArgBest.query": "where a metric is best along one slider",
    "ArgBest.metric": _METRIC,
    "ArgBest.over": "the slider that is tried; of a choice its options are the answers",
    "ArgBest.under": _UNDER,
    "ArgBest.margin": "by how much the best must beat the next, else there is no answer",
    "ArgBest.setting": _AT,
    "Crossing.query": "the first value of a slider at which a metric passes a limit",
    "Crossing.metric": _METRIC,
    "Crossing.over": "the slider, tried from its low end",
    "Crossing.limit": _LIMIT,
    "Crossing.setting": _AT,
    "Exists.query": "whether any setting meets the specs: yes or no",
    "Exists.over": "the sliders that are tried",
    "Exists.under": _UNDER,
    "Exists.setting": _AT,
    "ClaimAsk.question": "what the player shows with two runs",
    "ClaimAsk.metrics": "metrics that a claim may be about; they need terms",
    "ClaimAsk.attempts": "how many claims may be filed",
    "Carry.slider": "a slider with options",
    "Carry.classes": "option = small, medium or large, for every option",
    "Carry.missed": "the class that is handed on where the part was missed",
    "Carried.label": "what texts quote as {carried}",
    "Carried.fixed": "the scenario's numbers of this class, laid over fixed",
    "Carried.reference": "where the reference differs for this class",
    "Stakeholder.name": "a role, never a person",
    "Stakeholder.opening": "what the party asks for, in its own voice; say its asks",
    "Stakeholder.patience": "refused moves until the party leaves",
    "Stakeholder.floor": "0 to 1: weighted utility that a trade must reach",
    "Stakeholder.wants": "what it wants, by id",
    "Stakeholder.bound": "how one of its wants can be disproved",
    "Stakeholder.replies": "what it says to each outcome of a move",
    "Stakeholder.endings": "what became of it, told in the debrief",
    "Want.metric": _METRIC,
    "Want.label": "what it is called on the screen",
    "Want.asks": "what is asked in public; a run that gives it meets the want",
    "Want.reserve": "private: what the party can just live with (utility 0)",
    "Want.aspire": "private: what it dreams of (utility 1); above reserve: more is better",
    "Want.weight": "private: how heavy this want is among its wants",
    "Bound.want": "the want that can be disproved; its metric must be exact",
    "Bound.under": "another party, whose demands the proof may lean on",
    "Bound.corner": "where the metric is as good as it can get under those demands",
    "Bound.text": "why it cannot be better, in a line or two",
    "Replies.met": "to a run that gives all it asked",
    "Replies.traded": "to a run that it accepts all the same",
    "Replies.countered": "to a trade that is too little; it says what matters most",
    "Replies.not_met": "to a run that does not give what it asked",
    "Replies.no_proof": "to a disproof that proves nothing",
    "Replies.disproved": "to a disproof that holds",
    "Replies.waived": "to a waiver",
    "Replies.left": "when its patience is over",
    "Replies.reopened": "when a later design breaks what was agreed",
    "Endings.met": "its demand was met",
    "Endings.traded": "it traded",
    "Endings.disproved": "its demand was shown to be impossible",
    "Endings.waived": "its demand was waived",
    "Endings.left": "it left, or was never settled",
    "Decision.question": "what has to be decided",
    "Decision.facts": "lines that the decision must weigh",
    "Decision.options": "two to four: id = one line",
    "Decision.ask": "what the paragraph must answer",
    "Recall.question": "what the player should still know; about a minute, never scored",
    "Recall.options": "two to four: id = one line",
    "Recall.answer": "the id of the right option",
    "Recall.explanation": "why it is right",
    "Persona.name": "who the player is",
    "Persona.role": "the post",
    "Persona.north_star": "what the persona works towards",
    "Persona.machine": "the machine, with its numbers",
    "Persona.adversary": "what always stands in the way",
    "Persona.motto": "one line",
    "Persona.constants": "numbers of this machine, with sources, by name",
}
"""What each key means, in a line: a test holds this to the types, key by key."""


def keys(table: type[BaseModel]) -> Iterator[tuple[str, str, bool]]:
    """Each key of a table as the file spells it, what it means, whether it must be there."""
    for name, info in table.model_fields.items():
        if not (table is types.Mission and name in _RESOLVED):
            key = info.alias or name
            yield key, WORDS.get(f"{table.__name__}.{key}", ""), info.is_required()


def mission_schema() -> Json:
    """A JSON Schema for mission files.

    A file is one shared tree and one overlay a track, and either may say what the other leaves
    out. So the schema knows names, types, lengths and choices, and demands almost no key:
    ``mission-tui check`` says what is missing for which track.
    """
    made = _plain(types.Mission.model_json_schema(by_alias=True))
    tables: Json = made.pop("$defs")
    tables.pop("Persona", None)
    for _, table in TABLES:
        body = made if table is types.Mission else tables.get(table.__name__, {})
        for key, words, _ in keys(table) if body else ():
            body["properties"][key]["description"] = words
    shared = {key: made["properties"][key] for key, _, _ in keys(types.Mission)}
    own = {key: value for key, value in shared.items() if key not in {"schema", "id"}}
    tables["Overlay"] = {
        "description": "a track's own words and numbers, laid over the shared ones key by key",
        "type": "object",
        "additionalProperties": False,
        "properties": own,
    }
    overlays = {
        "description": "the tracks that play this mission, with what is their own",
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {"$ref": "#/$defs/Overlay"},
    }
    return {
        "$schema": DIALECT,
        "title": TITLE,
        "type": "object",
        "additionalProperties": False,
        "required": ["schema", "id", "tracks"],
        "properties": {**shared, "tracks": overlays},
        "$defs": tables,
    }


def written() -> str:
    """The schema as a file holds it."""
    return json.dumps(mission_schema(), indent=1, ensure_ascii=False) + "\n"


def is_ours(text: str) -> bool:
    """Whether a file's text is a schema that this program wrote."""
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("title") == TITLE


def _plain(tree: Any) -> Any:
    """A generated schema as editors want it, with nothing demanded and no null, which TOML lacks.

    Of an overlay's instrument the kind may stand in the shared tree, so several branches may
    fit: ``oneOf`` becomes ``anyOf``.
    """
    if isinstance(tree, list):
        return [_plain(item) for item in tree if item != {"type": "null"}]
    if not isinstance(tree, dict):
        return tree
    kept: Json = {}
    for key, value in tree.items():
        if key in {"properties", "patternProperties", "$defs"}:
            kept[key] = {name: _plain(each) for name, each in value.items()}
        elif key == "default" and value is None:
            continue
        elif key not in {"required", "discriminator", "title", "description"}:
            kept["anyOf" if key == "oneOf" else key] = _plain(value)
    if "patternProperties" in kept:
        kept["additionalProperties"] = False  # a key that is no id is a mistake
    return kept


# -- the reference in the authors' page -------------------------------------------------------


def tables_reference() -> str:
    """Every table and key of the format, as Markdown."""
    return "\n\n".join(_table(where, table) for where, table in TABLES) + "\n"


def models_reference(names: Sequence[str] = ()) -> str:
    """The engine's models (all, or those named), as Markdown.

    Raises :class:`~engine.registry.UnknownModelError` for a name that is none.
    """
    asked = names or registry.names()
    return "\n\n".join(_model(registry.model(name)) for name in asked) + "\n"


def _table(where: str, table: type[BaseModel]) -> str:
    made = table.model_json_schema(by_alias=True)
    rows = [
        (
            f"`{key}`" + (" \\*" if must else ""),
            _takes(made["properties"][key], made.get("$defs", {})),
            words,
        )
        for key, words, must in keys(table)
    ]
    return f"#### `{where}`\n\n" + _rows(("key", "takes", "meaning"), rows)


def _takes(found: Json, tables: Json) -> str:
    """What a key takes, in words."""
    if "$ref" in found:
        name = found["$ref"].rpartition("/")[2]
        return _takes(tables[name], tables) if "enum" in tables[name] else "table"
    branches = [each for each in found.get("anyOf", ()) if each != {"type": "null"}]
    if len(branches) == 1:
        return _takes(branches[0], tables)
    if {each.get("type") for each in branches} >= {"boolean", "integer", "number", "string"}:
        return "number, text, true or false"
    if branches:
        return " or ".join(dict.fromkeys(_takes(branch, tables) for branch in branches))
    if "oneOf" in found:
        return "table"
    if "const" in found:
        return f"`{json.dumps(found['const'])}`"
    if "enum" in found:
        return ", ".join(f"`{json.dumps(each)}`" for each in found["enum"])
    match found.get("type"):
        case "string":
            longest = found.get("maxLength")
            return f"text, {longest} at most" if longest else "id" if "pattern" in found else "text"
        case "integer":
            return "whole number" + _span(found)
        case "number":
            return "number" + _span(found)
        case "boolean":
            return "true or false"
        case "array" if "prefixItems" in found:
            return "two numbers"
        case "array":
            return "list"
        case _:
            inner = found.get("additionalProperties")
            inner = next(iter(found.get("patternProperties", {}).values()), inner)
            if not isinstance(inner, dict) or "$ref" in inner or "oneOf" in inner:
                return "tables"
            return f"keys = {_takes(inner, tables)}"


def _span(found: Json) -> str:
    """The range of a number, where it has a short one."""
    low = found.get("minimum", found.get("exclusiveMinimum"))
    high = found.get("maximum")
    if low is None or abs(low) > 1e6:
        return ""
    above = "above" if "exclusiveMinimum" in found else "from"
    return f" {above} {low:g}" + ("" if high is None or high > 1e6 else f" to {high:g}")


def _model(model: Model) -> str:
    controls = [
        (f"`{c.name}`", _may_be(c), f"{c.default:g}" if _numeric(c) else str(c.default), c.summary)
        for c in model.controls
    ]
    metrics = [
        (
            f"`{m.name}`",
            m.unit,
            m.better or "",
            "exact" if m.exact else "stand-in",
            ", ".join(m.terms),
            m.summary,
        )
        for m in model.metrics
    ]
    series = [(f"`{s.name}`", s.unit, ", ".join(s.labels), s.summary) for s in model.series]
    mechanisms = [(f"`{m.id}`", m.summary) for m in model.mechanisms]
    return "\n\n".join(
        (
            f"#### `{model.name}`",
            model.summary,
            f"```\n{model.formula}\n```",
            _rows(("control", "may be", "if not said", "what it is"), controls),
            _rows(("metric", "unit", "better", "how", "terms", "what it is"), metrics),
            _rows(("series", "unit", "labels", "what it is"), series),
            _rows(("mechanism", "what it is"), mechanisms),
        )
    )


def _numeric(control: Control) -> bool:
    return control.kind in {"number", "integer"}


def _may_be(control: Control) -> str:
    if control.kind == "switch":
        return "true, false"
    if control.kind == "choice":
        return ", ".join(f'`"{choice}"`' for choice in control.choices)
    step = f"× {control.step:g}" if control.scale == "log" else f"+ {control.step:g}"
    unit = f" {control.unit}" if control.unit else ""
    whole = "whole, " if control.kind == "integer" else ""
    return f"{whole}{control.low:g} to {control.high:g}{unit}, step {step}"


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )
