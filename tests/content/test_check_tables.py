"""The checks of instruments, alarms, what is carried, and stakeholders: each fault at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mission_tui.content.check import problems
from mission_tui.content.load import MissionError, Problem, load, mission_hash
from mission_tui.content.schema import Bars, Curve, Frontier, MemoryMap

NAME = "small.toml"
PART = """
title = "Memory"
kind = "live"
minutes = 15
model = "adaptation"
objective = "Fit."
lesson = "It fits."
stand_in = "digits"
law = "A law."
law_source = "A source"
seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
metrics = { peak_memory = "Peak", accuracy = "Accuracy", trained_parameters = "Trained" }
default = { tuning = "full", batch = 8 }
reference = { tuning = "bias", batch = 1 }

[parts.@.mechanisms]
weights = "weights: kept"
gradients = "gradients: one each"
optimizer = "optimizer: its state"
activations = "activations: inputs"

[parts.@.fixed.epochs]
value = 4
unit = "passes"
label = "Passes"
source = "a scenario"

[parts.@.sliders.tuning]
label = "Method"
options.full = { label = "full", sets = { method = "full" } }
options.bias = { label = "biases", sets = { method = "bias" } }

[parts.@.sliders.batch]
label = "Batch"
low = 1
high = 8

[parts.@.specs.peak]
metric = "peak_memory"
label = "Peak"
at_most = "learning_slice"
source = "a scenario"
failure = { title = "OUT OF MEMORY", text = "It took {peak_memory} of {learning_slice}." }

[parts.@.locks.least]
kind = "number"
unit = "MB"
prompt = "How much?"
mechanisms = ["weights", "gradients"]
truth = { query = "point", metric = "peak_memory" }
why = { ask = "Why?", metric = "peak_memory", second = { method = "bias" } }
cells = { both = "b", value_only = "v", mechanism_only = "m", neither = "n" }

[parts.@.claim]
question = "Why?"
metrics = ["peak_memory"]

[parts.@.alarms.lost]
metric = "accuracy"
at_most = 20.0
title = "LOST"
text = "It stands at {accuracy}."

[parts.@.instruments.map]
kind = "memory_map"

[parts.@.instruments.frontier]
kind = "frontier"
title = "Frontier"
x = "peak_memory"
y = "accuracy"

[parts.@.instruments.curve]
kind = "curve"
title = "Learning"
x = "learning"
lines = { learning = "accuracy" }
at = "batch"
beside = true

[parts.@.instruments.bars]
kind = "bars"
title = "Where it goes"
series = "memory"
"""
CARRY = """
[parts.first.carry]
slider = "tuning"
classes = { full = "large", bias = "small" }
missed = "medium"
"""
CARRIED = """
[parts.second.carried.small]
label = "biases: {x}"
fixed.epochs = { value = 2, label = "Passes", source = "a scenario" }
reference = { batch = 2 }

[parts.second.carried.medium]
label = "some"

[parts.second.carried.large]
label = "all"
""".replace(": {x}", "")
PARTY = """
[parts.second.stakeholders.$]
name = "A role"
opening = "It must fit."
floor = 0.5
replies.met = "x"
replies.traded = "x"
replies.countered = "x"
replies.not_met = "x"
replies.no_proof = "x"
replies.disproved = "x"
replies.waived = "x"
replies.left = "x"
endings = { met = "x", traded = "x", disproved = "x", waived = "x", left = "x" }
"""
CLERK = (
    PARTY.replace("$", "clerk")
    + """
[parts.second.stakeholders.clerk.wants.bytes]
metric = "peak_memory"
label = "peak"
asks = 2e8
reserve = 4e8
aspire = 1e8
weight = 1.0
"""
)
COACH = (
    PARTY.replace("$", "coach")
    + """
[parts.second.stakeholders.coach.wants.skill]
metric = "accuracy"
label = "skill"
asks = 80.0
reserve = 70.0
aspire = 90.0
weight = 0.5

[parts.second.stakeholders.coach.wants.breadth]
metric = "trained_parameters"
label = "breadth"
asks = 2e6
reserve = 1e6
aspire = 3e6
weight = 0.5

[parts.second.stakeholders.coach.bound]
want = "breadth"
under = "clerk"
corner = { tuning = "full", batch = 1 }
text = "Too few."
"""
)
WHOLE = (
    """schema = 1
id = "small"
title = "Small"
chapter = "Test"
hook = "learn"
minutes = 30
crisis = { sender = "S", title = "T", text = "X." }

[decision]
question = "Which?"
options = { small = "Small.", large = "Large." }
ask = "Say what it costs whom."

[parts.first]
order = 1
"""
    + PART.replace("@", "first")
    + CARRY
    + """
[parts.second]
order = 2
runs = 8
scenario = "concession"
"""
    + PART.replace("@", "second")
    .replace('kind = "live"', 'kind = "budgeted"')
    .replace('objective = "Fit."', 'objective = "Fit {carried}."')
    + CARRIED
    + CLERK
    + COACH
    + """
[tracks.edge]
"""
)


class Desk:
    """The small mission in a file, which a test may spoil."""

    def __init__(self, folder: Path, missions: Path) -> None:
        self.path = folder / NAME
        (folder / "tracks.toml").write_bytes((missions / "tracks.toml").read_bytes())
        self.text = WHOLE
        self.path.write_text(WHOLE, "utf-8")

    def change(self, old: str, new: str, after: str = "") -> None:
        """Replace the first ``old`` after a text."""
        start = self.text.index(after)
        assert old in self.text[start:], old
        self.text = self.text[:start] + self.text[start:].replace(old, new, 1)
        self.path.write_text(self.text, "utf-8")

    def line(self, text: str, after: str = "") -> int:
        return self.text[: self.text.index(text, self.text.index(after))].count("\n") + 1

    def problems(self) -> tuple[Problem, ...]:
        with pytest.raises(MissionError) as refused:
            load(self.path)
        return refused.value.problems


@pytest.fixture
def desk(tmp_path: Path, missions: Path) -> Desk:
    return Desk(tmp_path, missions)


def test_the_small_mission_holds(desk: Desk) -> None:
    mission = load(desk.path).tracks["edge"]
    first, second = (part for _, part in mission.ordered)
    assert [type(each) for each in first.instruments.values()] == [
        MemoryMap,
        Frontier,
        Curve,
        Bars,
    ]
    assert first.carry is not None
    assert set(second.carried) == {"small", "medium", "large"}
    assert list(second.stakeholders) == ["clerk", "coach"]
    assert mission.decision is not None


FIRST, SECOND = "[parts.first]", "[parts.second]"
CLERKS, COACHES = "stakeholders.clerk]", "stakeholders.coach]"

# after which text, what is replaced, by what, the text whose line is named, the key, some words
SPOILT: dict[str, tuple[str, str, str, str, str, str]] = {
    "instrument of no kind": (
        FIRST,
        'kind = "bars"',
        'kind = "pie"',
        "[parts.first.instruments.bars]",
        "first.instruments.bars",
        "expected tags: 'memory_map'",
    ),
    "memory map without its limit": (
        FIRST,
        'metric = "peak_memory"\nlabel = "Peak"\nat_most = "learning_slice"',
        'metric = "inference_memory"\nlabel = "Peak"\nat_most = "learning_slice"',
        "[parts.first.instruments.map]",
        "first.instruments.map",
        "needs a spec on peak_memory",
    ),
    "frontier of an unknown metric": (
        FIRST,
        'y = "accuracy"',
        'y = "acuracy"',
        'y = "acuracy"',
        "first.instruments.frontier.y",
        "'acuracy' is not known",
    ),
    "frontier of a metric without a label": (
        FIRST,
        'x = "peak_memory"',
        'x = "updates"',
        "[parts.first.instruments.frontier]",
        "first.instruments.frontier",
        "updates has no label",
    ),
    "curve over what is no series": (
        FIRST,
        'x = "learning"',
        'x = "accuracy"',
        'x = "accuracy"',
        "first.instruments.curve.x",
        "known: memory, kept_by_block, learning",
    ),
    "line that is no series": (
        FIRST,
        'lines = { learning = "accuracy" }',
        'lines = { leaning = "accuracy" }',
        "lines = { leaning",
        "first.instruments.curve.lines",
        "'leaning' is not known",
    ),
    "lines of several units": (
        FIRST,
        'lines = { learning = "accuracy" }',
        'lines = { learning = "accuracy", memory = "memory" }',
        "lines = { learning",
        "first.instruments.curve.lines",
        "share a unit",
    ),
    "no line": (
        FIRST,
        'lines = { learning = "accuracy" }',
        "lines = {}",
        "lines = {}",
        "first.instruments.curve.lines",
        "at least 1",
    ),
    "four lines": (
        FIRST,
        'lines = { learning = "accuracy" }',
        'lines = { a = "a", b = "b", c = "c", d = "d" }',
        "lines = { a",
        "first.instruments.curve.lines",
        "at most 3",
    ),
    "mark at nothing": (
        FIRST,
        'at = "batch"',
        'at = "speed"',
        'at = "speed"',
        "first.instruments.curve.at",
        "'speed' is not known",
    ),
    "bars of an unknown series": (
        FIRST,
        'series = "memory"',
        'series = "energy"',
        'series = "energy"',
        "first.instruments.bars.series",
        "'energy' is not known",
    ),
    "bars without names": (
        FIRST,
        'series = "memory"',
        'series = "learning"',
        'series = "learning"',
        "first.instruments.bars.series",
        "no labels",
    ),
    "alarm on an unknown metric": (
        FIRST,
        'metric = "accuracy"\nat_most = 20.0',
        'metric = "divergence"\nat_most = 20.0',
        'metric = "divergence"',
        "first.alarms.lost.metric",
        "'divergence' is not known",
    ),
    "alarm with both limits": (
        FIRST,
        "at_most = 20.0",
        "at_most = 20.0\nat_least = 10.0",
        "[parts.first.alarms.lost]",
        "first.alarms.lost",
        "one limit",
    ),
    "alarm without a limit": (
        FIRST,
        "at_most = 20.0\n",
        "",
        "[parts.first.alarms.lost]",
        "first.alarms.lost",
        "one limit",
    ),
    "alarm at an unknown constant": (
        FIRST,
        "at_most = 20.0",
        'at_most = "slize"',
        "[parts.first.alarms.lost]",
        "first.alarms.lost",
        "no constant is called 'slize'",
    ),
    "alarm at a constant of another unit": (
        FIRST,
        "at_most = 20.0",
        'at_most = "learning_slice"',
        "[parts.first.alarms.lost]",
        "first.alarms.lost",
        "is in 'B' and accuracy in '%'",
    ),
    "alarm that quotes a metric without a label": (
        FIRST,
        "It stands at {accuracy}.",
        "It stands at {updates}.",
        'text = "It stands at {updates}."',
        "first.alarms.lost.text",
        "{updates} can't be filled",
    ),
    "failure that quotes a metric without a label": (
        FIRST,
        "It took {peak_memory} of",
        "It took {updates} of",
        "failure = ",
        "first.specs.peak.failure.text",
        "{updates} can't be filled",
    ),
    "objective that quotes a metric": (
        FIRST,
        'objective = "Fit."',
        'objective = "Fit {peak_memory}."',
        'objective = "Fit {peak',
        "first.objective",
        "{peak_memory} can't be filled",
    ),
    "objective that quotes what nobody carried": (
        FIRST,
        'objective = "Fit."',
        'objective = "Fit {carried}."',
        'objective = "Fit {carried',
        "first.objective",
        "{carried} can't be filled",
    ),
    "carry of no slider": (
        FIRST,
        'slider = "tuning"',
        'slider = "speed"',
        'slider = "speed"',
        "first.carry.slider",
        "name a slider with options",
    ),
    "carry of a slider without options": (
        FIRST,
        'slider = "tuning"',
        'slider = "batch"',
        'slider = "batch"',
        "first.carry.slider",
        "name a slider with options",
    ),
    "option without a class": (
        FIRST,
        'classes = { full = "large", bias = "small" }',
        'classes = { full = "large" }',
        'classes = { full = "large" }',
        "first.carry.classes",
        "'bias' has no class",
    ),
    "class of no option": (
        FIRST,
        'classes = { full = "large", bias = "small" }',
        'classes = { full = "large", bias = "small", lora = "small" }',
        "classes = {",
        "first.carry.classes",
        "'lora' is not known",
    ),
    "class of no size": (
        FIRST,
        'missed = "medium"',
        'missed = "middling"',
        'missed = "middling"',
        "first.carry.missed",
        "'small'",
    ),
    "class that is not said": (
        SECOND,
        '[parts.second.carried.medium]\nlabel = "some"\n',
        "",
        "[parts.second.carried.small]",
        "second.carried",
        "what each class means: small, medium, large",
    ),
    "carried control that no model has": (
        SECOND,
        "fixed.epochs = { value = 2",
        "fixed.epocs = { value = 2",
        "fixed.epocs",
        "second.carried.small.fixed.epocs.value",
        "known controls",
    ),
    "carried value that the engine refuses": (
        SECOND,
        "fixed.epochs = { value = 2",
        "fixed.epochs = { value = 200",
        "fixed.epochs = { value = 200",
        "second.carried.small.fixed.epochs.value",
        "from 1 to 20",
    ),
    "carried assumption without a range": (
        SECOND,
        "fixed.epochs = { value = 2,",
        "fixed.epochs = { value = 2, assumption = true,",
        "fixed.epochs = { value = 2,",
        "second.carried.small.fixed.epochs",
        "says its range",
    ),
    "carried reference off the grid": (
        SECOND,
        "reference = { batch = 2 }",
        "reference = { batch = 3 }",
        "reference = { batch = 3 }",
        "second.carried.small.reference",
        "give a step from 1 to 8",
    ),
    "carried reference of another slider": (
        SECOND,
        "reference = { batch = 2 }",
        "reference = { speed = 2 }",
        "reference = { speed = 2 }",
        "second.carried.small.reference",
        "known sliders",
    ),
    "want of an unknown metric": (
        CLERKS,
        'metric = "peak_memory"',
        'metric = "peak_money"',
        'metric = "peak_money"',
        "second.stakeholders.clerk.wants.bytes.metric",
        "'peak_money' is not known",
    ),
    "want that knows no better": (
        CLERKS,
        "reserve = 4e8",
        "reserve = 1e8",
        "aspire = 1e8",
        "second.stakeholders.clerk.wants.bytes.aspire",
        "which way is better",
    ),
    "ask beyond the aspiration": (
        CLERKS,
        "asks = 2e8",
        "asks = 9e7",
        "asks = 9e7",
        "second.stakeholders.clerk.wants.bytes.asks",
        "between the reserve and the aspiration",
    ),
    "ask short of the reserve": (
        COACHES,
        "asks = 80.0",
        "asks = 60.0",
        "asks = 60.0",
        "second.stakeholders.coach.wants.skill.asks",
        "between the reserve and the aspiration",
    ),
    "want without weight": (
        CLERKS,
        "weight = 1.0",
        "weight = 0.0",
        "weight = 0.0",
        "second.stakeholders.clerk.wants.bytes.weight",
        "greater than 0",
    ),
    "floor above everything": (
        CLERKS,
        "floor = 0.5",
        "floor = 1.5",
        "floor = 1.5",
        "second.stakeholders.clerk.floor",
        "less than or equal to 1",
    ),
    "party that wants nothing": (
        CLERKS,
        CLERK[CLERK.index("[parts.second.stakeholders.clerk.wants") :],
        "wants = {}\n",
        "wants = {}",
        "second.stakeholders.clerk.wants",
        "at least 1",
    ),
    "no patience": (
        CLERKS,
        "floor = 0.5",
        "floor = 0.5\npatience = 0",
        "patience = 0",
        "second.stakeholders.clerk.patience",
        "greater than or equal to 1",
    ),
    "party without a reply": (
        CLERKS,
        'replies.left = "x"\n',
        "",
        'replies.met = "x"',
        "second.stakeholders.clerk.replies.left",
        "missing",
    ),
    "name too long for its place": (
        CLERKS,
        'name = "A role"',
        f'name = "{"w" * 25}"',
        'name = "www',
        "second.stakeholders.clerk.name",
        "at most 24 characters",
    ),
    "bound of no want": (
        COACHES,
        'want = "breadth"',
        'want = "depth"',
        'want = "depth"',
        "second.stakeholders.coach.bound.want",
        "'depth' is not known",
    ),
    "bound on what is only measured": (
        COACHES,
        'want = "breadth"',
        'want = "skill"',
        'want = "skill"',
        "second.stakeholders.coach.bound.want",
        "only accounting can be a proof",
    ),
    "bound under nobody": (
        COACHES,
        'under = "clerk"',
        'under = "mayor"',
        'under = "mayor"',
        "second.stakeholders.coach.bound.under",
        "'mayor' is not known",
    ),
    "corner off the grid": (
        COACHES,
        'corner = { tuning = "full", batch = 1 }',
        'corner = { tuning = "full", batch = 3 }',
        'corner = { tuning = "full", batch = 3 }',
        "second.stakeholders.coach.bound.corner",
        "give a step from 1 to 8",
    ),
    "corner of another slider": (
        COACHES,
        'corner = { tuning = "full", batch = 1 }',
        'corner = { tuning = "full", speed = 1 }',
        'corner = { tuning = "full", speed = 1 }',
        "second.stakeholders.coach.bound.corner",
        "known sliders",
    ),
    "parties without a scenario": (
        SECOND,
        'scenario = "concession"\n',
        "",
        SECOND,
        "second.scenario",
        "says its scenario",
    ),
    "scenario without parties": (
        FIRST,
        "order = 1\n",
        'order = 1\nscenario = "feasible"\n',
        'scenario = "feasible"',
        "first.scenario",
        "says its scenario",
    ),
    "scenario of no kind": (
        SECOND,
        'scenario = "concession"',
        'scenario = "hopeless"',
        'scenario = "hopeless"',
        "second.scenario",
        "'feasible'",
    ),
    "parties over free runs": (
        SECOND,
        'kind = "budgeted"',
        'kind = "live"',
        'kind = "live"',
        "second.kind",
        "a budgeted part",
    ),
    "joined model that makes picks": (
        FIRST,
        'model = "adaptation"',
        'model = "adaptation+fleet"',
        'model = "adaptation+fleet"',
        "first.model",
        "can't be joined",
    ),
    "joined model that there is not": (
        FIRST,
        'model = "adaptation"',
        'model = "adaptation+enregy"',
        'model = "adaptation+enregy"',
        "first.model",
        "no model is called 'enregy'",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_fault_is_said_at_its_line(desk: Desk, name: str) -> None:
    after, old, new, at, key, words = SPOILT[name]
    desk.change(old, new, after)
    said = [problem for problem in desk.problems() if problem.key == f"parts.{key}"]
    assert said, desk.problems()
    start = after if at != after else ""
    assert [(p.file, p.line) for p in said] == [(NAME, desk.line(at, start))]
    assert words in said[0].message


def test_a_fault_of_a_table_is_the_only_one(desk: Desk) -> None:
    desk.change('series = "memory"', 'series = "learning"', FIRST)
    desk.change("reference = { batch = 2 }", "reference = { batch = 3 }", SECOND)
    desk.change('under = "clerk"', 'under = "mayor"')
    assert len(desk.problems()) == 3


def test_a_part_has_something_to_look_at(desk: Desk) -> None:
    start = desk.text.index("[parts.first.instruments.map]")
    end = desk.text.index("[parts.first.carry]")
    desk.change(desk.text[start:end], "[parts.first.instruments]\n\n")
    (problem,) = desk.problems()
    assert problem.key == "parts.first.instruments"
    assert problem.line == desk.line("[parts.first.instruments]")


def test_a_memory_map_needs_a_model_that_has_one(desk: Desk) -> None:
    mission = load(desk.path).tracks["edge"]
    part = mission.parts["first"].model_copy(
        update={"model": "energy", "sliders": {}, "default": {}, "reference": {}, "fixed": {}}
    )
    found = list(problems(mission.model_copy(update={"parts": {"first": part}})))
    assert (("parts", "first", "instruments", "map"), "energy has no memory map") in found


def test_what_is_carried_comes_from_an_earlier_part(desk: Desk) -> None:
    desk.change("order = 1", "order = 3")
    (problem,) = desk.problems()
    assert problem.key == "parts.second.carried"
    assert problem.message == "no earlier part carries anything on"
    desk.change("order = 3", "order = 1")
    desk.change(CARRY, "")
    (problem,) = desk.problems()
    assert problem.message == "no earlier part carries anything on"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('options = { small = "Small.", large = "Large." }', 'options = { a = "A." }', "options"),
        ("options = {", 'options = { a = "A", b = "B", c = "C", ', "options"),
        ('ask = "Say what it costs whom."\n', "", "ask"),
        ('question = "Which?"', "question = 5", "question"),
    ],
)
def test_a_decision_has_two_to_four_options_and_a_question(
    desk: Desk, old: str, new: str, key: str
) -> None:
    desk.change(old, new)
    (problem,) = desk.problems()
    assert problem.key == f"decision.{key}"


GIVEN = """[parts.@.given.least]
query = "point"
metric = "peak_memory"
setting = { method = "bias" }

"""


def test_a_decision_quotes_what_the_last_part_is_given(desk: Desk) -> None:
    desk.change('question = "Which?"', 'question = "Which, for {least}?"')
    desk.change(
        "[parts.second.carried.small]",
        GIVEN.replace("@", "second") + "[parts.second.carried.small]",
    )
    assert load(desk.path).tracks["edge"].decision is not None


def test_a_decision_does_not_quote_what_another_part_is_given(desk: Desk) -> None:
    desk.change('question = "Which?"', 'question = "Which, for {least}?"')
    desk.change("[parts.first.carry]", GIVEN.replace("@", "first") + "[parts.first.carry]")
    (problem,) = desk.problems()
    assert (problem.key, "{least}" in problem.message) == ("decision.question", True)


def test_a_joined_models_tables_are_checked_against_all_of_it(desk: Desk) -> None:
    desk.change('model = "adaptation"', 'model = "adaptation+energy"', FIRST)
    desk.change('series = "memory"', 'series = "energy"', FIRST)
    part = load(desk.path).tracks["edge"].parts["first"]
    assert part.model == "adaptation+energy"


def test_what_is_private_of_a_party_is_a_rule_and_what_it_says_is_a_text(desk: Desk) -> None:
    before = mission_hash(load(desk.path).tracks["edge"])
    desk.change('opening = "It must fit."', 'opening = "It has to fit."')
    desk.change('replies.met = "x"', 'replies.met = "y"')
    reworded = mission_hash(load(desk.path).tracks["edge"])
    assert (reworded.rules, reworded.texts != before.texts) == (before.rules, True)
    desk.change("floor = 0.5", "floor = 0.6")
    ruled = mission_hash(load(desk.path).tracks["edge"])
    assert (ruled.rules != before.rules, ruled.texts) == (True, reworded.texts)
