"""The class report: text stays text, nothing is loaded, and figures stand beside pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from mission_tui.content.load import MissionFile
from mission_tui.grading import classview, grade, page, pictures, report
from mission_tui.grading.classview import Bin, spread
from mission_tui.grading.marks import Override
from mission_tui.grading.overrides import Gathered, Given
from mission_tui.grading.row import Played, Row, unread
from mission_tui.play.calibration import Share

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\x1b]52;c;AAAA\x07\u202e&\"'</style><img src=//x onerror=y>"


class Page(HTMLParser):
    """What a browser would see: tags with attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._heading = False
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.headings: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._heading = tag == "h2"

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._heading:
            self.headings.append(data)
        self._heading = False


def of(rows: Sequence[Row], *given: Given, title: str = "Class report") -> Page:
    graded = grade.graded(rows, Gathered(given), None)
    return Page(report.written(report.Report(graded, AT, title, ("A note.",))))


def test_every_part_of_the_report_is_there(rows: Sequence[Row]) -> None:
    solved = [
        replace(row, parts=tuple(replace(p, regrets=(1.0, 0.4, 0.6)) for p in row.parts))
        for row in rows
    ]
    found = of(solved)
    headings = [
        "Points", "Awaits a person", "Verdicts", "Predictions", "Calibration of the class",
        "Regret by run", "Time on each part", "Where people stopped", "Sure and wrong",
        "Plays that are much alike", "Reasoned or clicked", "All files",
    ]  # fmt: skip
    assert found.headings == headings
    assert [href for name, given in found.tags if name == "a" and (href := given["href"])] == [
        f"#{given['id']}" for name, given in found.tags if name == "h2"
    ]
    assert "4files" in found.words
    assert "right, within 1.25×" in found.words
    pictured = [name for name, _ in found.tags].count("svg")
    assert pictured == 7  # points, bets, calibration, regret, time, stops, clicked
    assert [name for name, _ in found.tags].count("table") >= pictured


def test_hostile_text_stays_text_wherever_it_comes_from(rows: Sequence[Row]) -> None:
    hostile = [
        replace(
            row,
            student=f"{HOSTILE}{n}",
            file=HOSTILE,
            problem=HOSTILE,
            notes=(HOSTILE,),
            signs=HOSTILE,
            stopped=(HOSTILE, HOSTILE),
            unfinished=True,
            predictions=tuple(
                replace(p, said_shown=HOSTILE, band_shown=HOSTILE, truth_shown=HOSTILE)
                for p in row.predictions
            ),
            parts=tuple(replace(p, part=HOSTILE) for p in row.parts),
        )
        for n, row in enumerate(rows)
    ]
    odd = replace(rows[0], mission=HOSTILE, track=HOSTILE, student=HOSTILE)
    given = Override(rows[0].play_id, "claims", 3.0, HOSTILE, HOSTILE, AT)
    found = of([*hostile, odd], Given(given, HOSTILE, True), title=HOSTILE)
    names = {name for name, _ in found.tags}
    assert not names & {"script", "img", "iframe", "object", "link", "form", "input"}
    assert found.words.count("<script>alert(1)</script>") > 10
    for _, attributes in found.tags:
        assert not any(name.startswith("on") or name == "src" for name in attributes)
        assert str(attributes.get("href", "#")).startswith("#")
    assert not set(found.words) & set("\x1b\x07\u202e")


def test_nothing_is_loaded_from_anywhere(rows: Sequence[Row]) -> None:
    text = report.written(report.Report(grade.graded(rows, Gathered(), None), AT))
    assert text.startswith("<!DOCTYPE html>")
    assert "default-src 'none'" in text
    addresses = set(re.findall(r"https?://[^\"'<> ]+", text))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not an address
    assert "url(" not in text
    assert "@import" not in text


def test_an_empty_and_a_broken_class_have_a_report() -> None:
    assert "Nothing to show" in of([]).words
    found = of([unread("x.ledger.json", "it is a folder", opened=False)])
    assert "it is a folder" in found.words
    assert "parse fails" in found.words
    assert "held back" in found.words


def test_points_by_hand_stand_with_both_values(rows: Sequence[Row]) -> None:
    given = Override(rows[0].play_id, "claims", 3.5, "read the answer", "G. Rader", AT)
    words = of(rows, Given(given, "f", True)).words
    assert "Points given by hand" in words
    assert all(word in words for word in ("3.5", "G. Rader", "read the answer"))


def test_the_first_attempt_counts_and_no_program_nor_failure(rows: Sequence[Row]) -> None:
    second = replace(rows[0], attempt=2, file="second")
    bot = replace(rows[1], driver="bot:reference", student="z")
    assert classview.firsts([second, rows[0], bot, unread("x", "y")]) == (rows[0],)


def test_predictions_are_sorted_by_how_far_they_are_off(
    rows: Sequence[Row], wall: MissionFile
) -> None:
    (made,) = rows[0].predictions
    truth = made.truth
    assert isinstance(truth, float)
    factors = (1.0, 1.2, 1.3, 3.0, 100.0, 1 / 1.2, 1 / 1.3, 1 / 100, -1.0)
    several = [
        replace(rows[0], predictions=(replace(made, said=truth * factor),)) for factor in factors
    ]
    (bet,) = classview.bets(several, {("memory-wall", "tiny"): wall.tracks["tiny"]})
    assert {each.label: each.count for each in bet.bins if each.count} == {
        "over 10× too small": 1,
        "1.25× to 2× too small": 1,
        "right, within 1.25×": 3,
        "1.25× to 2× too large": 1,
        "2× to 4× too large": 1,
        "over 10× too large": 1,
        "of the other sign": 1,
    }
    assert [each.label for each in bet.bins if each.truth] == ["right, within 1.25×"]
    assert bet.count == len(factors)


def test_regret_keeps_what_was_reached(rows: Sequence[Row]) -> None:
    plays = [(1.0, 0.2, 0.6), (0.8,), (0.5, 0.9)]
    several = [
        replace(rows[0], parts=(Played("p", None, None, regrets, (), ()),)) for regrets in plays
    ]
    (course,) = classview.courses(several)
    assert [each.middle for each in course.after] == [0.8, 0.5, 0.5]
    assert [each.least for each in course.after] == [0.5, 0.2, 0.2]
    assert course.running == (3, 2, 1)


def test_sure_and_wrong_is_a_choice_or_a_band_far_from_the_truth(rows: Sequence[Row]) -> None:
    (made,) = rows[0].predictions
    wrong = replace(made, said=1.5, low=1.0, high=2.0, truth=100.0, right=False, in_band=False)
    near = replace(wrong, truth=2.1)
    wide = replace(wrong, low=0.001, high=50.0)
    held = replace(wrong, truth=1.9, in_band=True)
    sure = replace(wrong, low=None, high=None, in_band=None, sure=True, said="a", truth="b")
    unsure, right = replace(sure, sure=False), replace(sure, right=True)
    several = replace(rows[0], predictions=(sure, wrong, near, wide, held, unsure, right))
    assert [each.made for each in classview.sure_and_wrong([several])] == [wrong, sure]


def test_where_records_end_is_in_the_order_of_play(rows: Sequence[Row], wall: MissionFile) -> None:
    ends = [("claim", "memory"), ("briefing", ""), ("workbench", "memory"), ("debrief", "")]
    several = [replace(rows[0], unfinished=True, stopped=end) for end in ends]
    known = {("memory-wall", "tiny"): wall.tracks["tiny"]}
    found = classview.stops([*several, rows[1]], known)["memory-wall"]
    screens = [screen for screen, _, _ in found]
    assert screens == ["briefing", "workbench", "claim", "debrief", "finished"]


def test_a_class_of_many_is_counted_whole_and_listed_in_part(rows: Sequence[Row]) -> None:
    (made,) = rows[0].predictions
    wrong = replace(made, said=1.5, low=1.0, high=2.0, truth=100.0, right=False, in_band=False)
    several = [
        replace(rows[0], student=f"s{n}", play_id=f"p{n}", predictions=(wrong,)) for n in range(55)
    ]
    words = of(several).words
    assert "Edge Intelligence, tiny: The memory wall, least55" in words
    assert "Of 55 the 40 that are farthest off:" in words


def test_bins_of_a_number_are_named_in_its_unit(rows: Sequence[Row], wall: MissionFile) -> None:
    mission = wall.tracks["tiny"]
    ((name, part),) = mission.parts.items()
    ((lock_id, lock),) = part.locks.items()
    near = lock.model_copy(update={"within": 2e6})
    other = part.model_copy(update={"locks": {lock_id: near}})
    known = {("memory-wall", "tiny"): mission.model_copy(update={"parts": {name: other}})}
    (made,) = rows[0].predictions
    several = [
        replace(rows[0], predictions=(replace(made, truth=9e6, said=said),))
        for said in (0.0, 6e6, 7.5e6, 12e6, 99e6)
    ]
    (bet,) = classview.bets(several, known)
    assert [(each.label, each.count) for each in bet.bins] == [
        ("over 8.00 MB too low", 1),
        ("4.00 to 8.00 MB too low", 0),
        ("2.00 to 4.00 MB too low", 1),
        ("right, within ±2.00 MB", 1),
        ("2.00 to 4.00 MB too high", 1),
        ("4.00 to 8.00 MB too high", 0),
        ("over 8.00 MB too high", 1),
    ]


def test_a_question_has_its_tracks_figures_and_nobodys_own(wall: MissionFile) -> None:
    asked = report.asked(wall.tracks["tiny"], "Of {device_memory}, and {nobody_knows}?")
    assert asked == "Of 262 kB, and …?"


def test_a_long_file_name_keeps_its_ends() -> None:
    name = f"a_student/{'x' * 200}_2.ledger.json"
    words = of([unread(name, "it is empty", opened=False)]).words
    assert "a_student/xx" in words
    assert "…" in words
    assert "xx_2.ledger.json" in words


def drawn(picture: page.Element) -> ElementTree.Element:
    return ElementTree.fromstring(ElementTree.tostring(picture))


@pytest.mark.parametrize("count", [1, 2, 40])
def test_pictures_stay_inside_their_frame(count: int) -> None:
    course = classview.Course(
        "m", "t", "p", tuple(spread([n, 2.0 * n, 99.0]) for n in range(count)), (3,) * count
    )
    found = [
        pictures.bars([Bin("x" * 80, n, n == 1) for n in range(count)], HOSTILE),
        pictures.shares(
            [pictures.Held("y", Share(n, count), (0, count)) for n in range(count)], "s"
        ),
        pictures.spreads([("z", spread([0.0, 1.0, float(n)])) for n in range(count)], "min", "t"),
        pictures.course(course, "c"),
    ]
    for picture in map(drawn, found):
        _, _, wide, tall = map(float, str(picture.get("viewBox")).split())
        assert picture[0].tag.endswith("title")
        for part in picture.iter():
            for name in ("x", "x1", "x2", "cx"):
                assert 0 <= float(part.get(name) or 0) <= wide
            for name in ("y", "y1", "y2", "cy"):
                assert 0 <= float(part.get(name) or 0) <= tall
            x, width = float(part.get("x") or 0), float(part.get("width") or 0)
            assert width >= 0
            assert x + width <= wide
