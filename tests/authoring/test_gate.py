"""Each kind of defect, put into a fair mission, is reported at the line that says it."""

from __future__ import annotations

import pytest

from mission_tui.authoring.examine import FULL
from mission_tui.authoring.gate import check
from mission_tui.content.load import MissionError, load
from tests.authoring.conftest import NewCopy

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("name", ["fair", "pact"])
def test_a_fair_mission_has_no_problem_on_any_seed(copy: NewCopy, name: str) -> None:
    report = check(load(copy(name).path), FULL)
    assert [str(problem) for problem in report.problems] == []
    for track in report.tracks.values():
        for part in track["parts"].values():
            for found in part["classes"].values():
                assert len(found["seeds"]) == 16
                assert found["wins"]["reference"] == [16, 16]


def only(said: list[str], line: int, words: str) -> None:
    """One problem, on that line, in these words (others may follow from the same change)."""
    hits = [problem for problem in said if f":{line}: " in problem and words in problem]
    assert len(hits) == 1, (line, words, said)


MOBILE = "[tracks.mobile.parts.climb.reference]"
BOUND = """[parts.pact.stakeholders.purser.bound]
want = "price"
corner = { x = 0, y = 0 }
text = "Nothing is free."
"""
SOURCE = 'source = "Scenario of the tests"'
FAIR = [
    pytest.param(
        [('x = 2\ny = 2\nkind = "c"', 'x = 12\ny = 10\nkind = "b"')],
        "[parts.climb.default]",
        "default: passes",
        id="the default passes",
    ),
    pytest.param(
        [('x = 12\ny = 9\nkind = "b"', 'x = 8\ny = 9\nkind = "b"')],
        "[parts.climb.reference]",
        "reference: fails; it must pass: near is",
        id="the reference fails",
    ),
    pytest.param(
        [('x = 12\ny = 9\nkind = "b"', 'x = 14\ny = 9 # off\nkind = "b"')],
        "x = 14",
        "reference.x: no longer passes with x 2 steps up",
        id="the reference stands too near to the edge",
    ),
    pytest.param(
        [('x = 2\ny = 2\nkind = "c"', 'x = 12\ny = 2\nkind = "b"')],
        "[parts.climb.sliders.y]",
        "moved alone from the default it passes",
        id="a single slider suffices",
    ),
    pytest.param(
        [("at_least = 90.0", "at_least = 30.0")],
        "runs = 5",
        "guessing passes: at most 4.4% may with 5 runs",
        id="a lucky share passes",
    ),
    pytest.param(
        [
            (
                "[parts.climb.sliders.kind]",
                '[parts.climb.sliders.idle]\nlabel = "Idle"\n[parts.climb.sliders.kind]',
            ),
            ('x = 2\ny = 2\nkind = "c"', 'x = 2\ny = 2\nidle = 0\nkind = "c"'),
            ('x = 12\ny = 9\nkind = "b"', 'x = 12\ny = 9\nidle = 1\nkind = "b"'),
        ],
        "[parts.climb.sliders.idle]",
        "sliders.idle: moves nothing that a spec, a want or a claim is about",
        id="a dead slider",
    ),
    pytest.param(
        [
            (
                'c = { label = "by mule" }',
                'c = { label = "by mule" }\nd = { label = "by raft", sets = { kind = "c" } }',
            )
        ],
        'd = { label = "by raft"',
        "options.d: does what 'c' does",
        id="a dead option",
    ),
    pytest.param(
        [("margin = 5.0", "margin = 31.0")],
        "margin = 31.0",
        "manner.truth: has no single answer; widen the question: no value of kind is best by 31",
        id="a tie",
    ),
    pytest.param(
        [
            (
                'options = { a = "on foot", b = "by rope", c = "by mule" }',
                'options = { c = "by mule", a = "on foot" }',
            )
        ],
        'options = { c = "by mule"',
        "locks.manner.options: the right answer is none of the options; add it: b",
        id="the right option is missing",
    ),
    pytest.param(
        [
            (
                "first = { x = 0, y = 0 }, second = { x = 10, y = 10 }",
                "first = { x = 0, y = 0 }, second = { x = 5, y = 10 }",
            )
        ],
        "second = { x = 5, y = 10 }",
        "locks.price.why: two of the mechanisms are equally right",
        id="two whys are right",
    ),
    pytest.param(
        [
            (
                "first = { x = 0, y = 0 }, second = { x = 10, y = 10 }",
                "first = { x = 4, y = 4 }, second = { x = 4, y = 4 }",
            )
        ],
        "second = { x = 4, y = 4 }",
        "locks.price.why: nothing changes between its settings",
        id="a why without a change",
    ),
    pytest.param(
        [('mechanisms = ["along", "across", "manner"]', 'mechanisms = ["across", "along"]')],
        'mechanisms = ["across", "along"]',
        "locks.manner.mechanisms: manner is the largest term and is not offered",
        id="the right why is not offered",
    ),
    pytest.param(
        [
            (
                f'load = {{ value = 2.0, label = "Load", {SOURCE} }}',
                "",
            )
        ],
        "[parts.climb.locks.price]",
        "locks.price: one answer is right on every track; let the tracks differ: 30",
        id="the same number on all tracks",
    ),
    pytest.param(
        [
            (
                f'taste = {{ value = "a", label = "Taste", {SOURCE} }}\n{MOBILE}\nkind = "a"',
                "",
            )
        ],
        "[parts.climb.locks.manner]",
        "locks.manner: one answer is right on every track; let the tracks differ: b",
        id="the same option on all tracks",
    ),
    pytest.param(
        [("ruin = { value = 58.0", "ruin = { value = 61.0")],
        "[parts.climb.alarms.ruin]",
        "alarms.ruin: nothing that was tried fails like this",
        id="an alarm that never sounds",
    ),
    pytest.param(
        [("purse = { value = 40.0", "purse = { value = 60.0")],
        "[parts.climb.specs.cost]",
        "specs.cost: nothing that was tried fails like this",
        id="a failure that never comes",
    ),
    pytest.param(
        [("ruin = { value = 58.0", "ruin = { value = 40.0")],
        "[parts.climb.specs.cost]",
        "specs.cost: is never read: wherever it is so, another failure is shown before it",
        id="a failure that another always hides",
    ),
    pytest.param(
        [("ruin = { value = 58.0", "ruin = { value = 0.0")],
        "[parts.climb.alarms.ruin]",
        "alarms.ruin: every setting that was tried breaks it; leave a way out",
        id="an alarm without a way out",
    ),
]


@pytest.mark.parametrize(("changes", "line", "words"), FAIR)
def test_a_defect_is_reported_at_its_line(
    copy: NewCopy, changes: list[tuple[str, str]], line: str, words: str
) -> None:
    spoilt = copy("fair").spoilt(*changes)
    only(spoilt.said(), spoilt.line(line), words)


def test_a_best_setting_at_an_end_is_reported_unless_the_reference_stands_there(
    copy: NewCopy,
) -> None:
    narrow = ('label = "Along"', 'label = "Along"\nhigh = 12')
    room = ("at_least = 90.0", "at_least = 85.0")
    start = ('x = 12\ny = 9\nkind = "b"', 'x = 10\ny = 9\nkind = "b"')
    spoilt = copy("fair").spoilt(narrow, room, start)
    words = "sliders.x: the best setting stands at its high end"
    only(spoilt.said(), spoilt.line("[parts.climb.sliders.x]"), words)
    declared = copy("fair").spoilt(narrow, room)
    assert not [problem for problem in declared.said() if words in problem]


PACT = [
    pytest.param(
        [('scenario = "infeasible"', 'scenario = "feasible"')],
        'scenario = "feasible"',
        "declared feasible, and no setting that was tried gives all that is asked: ",
        id="infeasible, called feasible",
    ),
    pytest.param(
        [('scenario = "infeasible"', 'scenario = "concession"')],
        'scenario = "concession"',
        "declared concession, and no setting that was tried would be traded for",
        id="infeasible, called a concession",
    ),
    pytest.param(
        [("asks = 17.0\nreserve = 16.0", "asks = 12.0\nreserve = 11.0")],
        'scenario = "infeasible"',
        "declared infeasible, and one setting gives all that is asked: feasible",
        id="feasible, called infeasible",
    ),
    pytest.param(
        [
            ("asks = 17.0\nreserve = 16.0", "asks = 17.0\nreserve = 10.0"),
            (
                "floor = 0.6\n[parts.pact.stakeholders.guide.w",
                "floor = 0.2\n[parts.pact.stakeholders.guide.w",
            ),
        ],
        'scenario = "infeasible"',
        "declared infeasible, and one setting would be traded for: concession",
        id="a concession, called infeasible",
    ),
    pytest.param(
        [("corner = { x = 15, y = 0 }", "corner = { x = 9, y = 0 }")],
        "corner = { x = 9, y = 0 }",
        "Along is not at its favourable end for reach: at 15 it is 15, in the corner 9",
        id="a corner that is not favourable",
    ),
    pytest.param(
        [("corner = { x = 15, y = 0 }", "corner = { x = 12 }")],
        "corner = { x = 12 }",
        "Across could still move reach in its favour: put it into the corner",
        id="a slider that the corner leaves loose",
    ),
    pytest.param(
        [('metric = "reach"', 'metric = "bump"')],
        "corner = { x = 15, y = 0 }",
        "bump is not monotone along Along, so the corner proves nothing",
        id="a corner of what goes up and down",
    ),
    pytest.param(
        [("corner = { x = 15, y = 0 }", "corner = { x = 16, y = 0 }")],
        "[parts.pact.reference]",
        "no deal can be made with it and the bounds' corners",
        id="a reference without a deal",
    ),
    pytest.param(
        [("x = 20\ny = 20", "x = 15\ny = 0")],
        "[parts.pact.default]",
        "default: passes",
        id="a default that makes the deal",
    ),
    pytest.param(
        [
            (
                "asks = 30.0\nreserve = 36.0\naspire = 20.0",
                "asks = -5.0\nreserve = 36.0\naspire = -20.0",
            ),
            (
                "[parts.pact.stakeholders.purser.replies]",
                BOUND + "[parts.pact.stakeholders.purser.replies]",
            ),
            ('under = "purser"\ncorner = { x = 15, y = 0 }', "corner = { x = 20, y = 0 }"),
            (
                "asks = 17.0\nreserve = 16.0\naspire = 20.0",
                "asks = 21.0\nreserve = 20.5\naspire = 22.0",
            ),
            ("patience = 2", "patience = 4"),
        ],
        "[parts.pact.stakeholders.purser]",
        "a player who disproves everything wins the table",
        id="a table that is won by calling all impossible",
    ),
    pytest.param(
        [
            (
                "asks = -90.0\nreserve = -100.0\naspire = 90.0",
                "asks = 200.0\nreserve = 190.0\naspire = 210.0",
            )
        ],
        "[parts.pact.stakeholders.purser.wants.price]",
        "purser.wants: no setting that was tried gives what this party asks, and no bound",
        id="a demand that nothing meets and nothing disproves",
    ),
]


@pytest.mark.parametrize(("changes", "line", "words"), PACT)
def test_a_defect_of_a_table_is_reported_at_its_line(
    copy: NewCopy, changes: list[tuple[str, str]], line: str, words: str
) -> None:
    spoilt = copy("pact").spoilt(*changes)
    only(spoilt.said(), spoilt.line(line), words)


WIDE = [
    ('label = "Along"', 'label = "Along the ridge path"', "sliders.x.label: too wide: at most 15"),
    (
        'metric = "near"\nlabel = "Height"',
        'metric = "near"\nlabel = "Height of the hill"',
        "specs.near.label: too wide: at most 13",
    ),
    (
        "Only {near} of the height.",
        "Only {near} of the height. " + "far, " * 20 + "far.",
        "specs.near.failure.text: too wide: at most 125",
    ),
    (
        "The purse is torn at {cost}.",
        "The purse is torn at {cost}. " + "torn, " * 17 + "so.",
        "alarms.ruin.text: too wide: at most 125",
    ),
]


@pytest.mark.parametrize(("old", "new", "words"), WIDE, ids=[words[:14] for _, _, words in WIDE])
def test_a_text_that_is_too_wide_is_reported_at_its_line(
    copy: NewCopy, old: str, new: str, words: str
) -> None:
    spoilt = copy("fair").spoilt((old, new))
    only(spoilt.said(), spoilt.line(new.rpartition("\n")[2]), words)


def test_a_fact_that_its_figure_makes_too_wide_is_reported_at_its_line(copy: NewCopy) -> None:
    given = '[parts.climb.given.g]\nquery = "point"\nmetric = "cost"\n'
    at = "[parts.climb.locks.price]"
    fact = "a" * 70 + " {g}"
    assert len(fact) <= 74
    spoilt = copy("fair").spoilt((at, given + at), ("a purse holds {purse}", fact))
    only(spoilt.said(), spoilt.line(fact), "facts.0: too wide: at most 74")


def test_a_label_of_a_want_that_is_too_wide_is_reported_at_its_line(copy: NewCopy) -> None:
    spoilt = copy("pact").spoilt(('label = "reach"', 'label = "reach of the rope"'))
    only(spoilt.said(), spoilt.line("reach of the rope"), "wants.reach.label: too wide: at most 13")


@pytest.mark.parametrize("given", ["value = 20.0", 'default = "b"', "answer = 20.0", "low = 1.0"])
def test_a_lock_can_hold_no_value_of_its_own(copy: NewCopy, given: str) -> None:
    spoilt = copy("fair").spoilt(('prompt = "What does', f'{given} # !\nprompt = "What does'))
    with pytest.raises(MissionError) as error:
        load(spoilt.path)
    line = spoilt.line("# !")
    name = given.partition(" ")[0]
    assert f"fair.toml:{line}: parts.climb.locks.price.{name}: no such key here" in str(error.value)


def test_a_number_without_a_source_is_reported_at_its_line(copy: NewCopy) -> None:
    spoilt = copy("fair").spoilt(
        (
            'label = "Load", source = "Scenario of the tests" }',
            'label = "Load" }',
        )
    )
    with pytest.raises(MissionError) as error:
        load(spoilt.path)
    assert f"fair.toml:{spoilt.line('load = {')}: " in str(error.value)
    assert "load.source: is missing" in str(error.value)


CLASSES = """
[parts.climb.carried.small]
label = "light"
[parts.climb.carried.medium]
label = "middling"
[parts.climb.carried.medium.fixed]
taste = { value = "c", label = "Taste", source = "Scenario of the tests" }
[parts.climb.carried.medium.reference]
x = 5 # too far
[parts.climb.carried.large]
label = "heavy"
[parts.walk]
order = 0
"""


def test_each_carried_class_is_tried_with_its_own_reference(copy: NewCopy) -> None:
    spoilt = copy("fair")
    text = spoilt.path.read_text(encoding="utf-8")
    begins, ends = text.index("[parts.climb]"), text.index("[tracks.edge.constants]")
    before = text[begins:ends].replace("parts.climb", "parts.walk").replace("order = 1", "")
    carries = '[parts.walk.carry]\nslider = "kind"\nmissed = "small"\n'
    carries += 'classes = { a = "small", b = "medium", c = "large" }\n'
    classes = CLASSES + before.partition("\n")[2] + carries
    spoilt.spoilt(("[tracks.edge.constants]", f"{classes}\n[tracks.edge.constants]"))
    said = spoilt.said()
    at = spoilt.line("[parts.climb.carried.medium.reference]")
    only(said, at, "carried.medium.reference: fails; it must pass: near is")
    assert not [problem for problem in said if "carried.small" in problem]


def test_a_fault_is_said_once_with_its_tracks_and_where_it_was_seen(copy: NewCopy) -> None:
    said = copy("fair").spoilt(("margin = 5.0", "margin = 31.0")).said()
    tie = [problem for problem in said if "no single answer" in problem]
    assert len(tie) == 1
    assert tie[0].endswith("(edge, mobile; seed 1 and 3 more)")


def test_a_fault_of_one_track_stands_at_the_line_of_that_track(copy: NewCopy) -> None:
    spoilt = copy("fair").spoilt(('[tracks.mobile.parts.climb.reference]\nkind = "a"', ""))
    said = spoilt.said()
    assert [problem for problem in said if "reference: fails" in problem and "(mobile; " in problem]
    assert not [problem for problem in said if "(edge" in problem]
