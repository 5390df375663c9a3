from __future__ import annotations

import pytest

from mission_tui.content.schema import Decision, Mission
from mission_tui.play import actions as do
from mission_tui.play.quoted import cited, resolved
from mission_tui.play.session import Session
from tests.play.conftest import Play

HERE = "in none of the cited runs, nor on this page"


@pytest.fixture(scope="module")
def session(edge: Mission) -> Session:
    """Three runs: #1 of 500 MB, #2 of 100 MB (which stands), #3 of 42 MB and poor."""
    play = Play(edge).to("workbench")
    play.run(5e8, 70.0).do(do.Turn("batch", 4, 0)).run(1.0e8, 91.24)
    play.do(do.Turn("batch", 2, 0)).run(4.2e7, 33.3)
    return play.session


def found(session: Session, text: str) -> dict[str, str]:
    return {figure.written: figure.found for figure in resolved(session, text)}


def test_figures_of_the_run_that_stands_are_found(session: Session) -> None:
    assert [run.number for run in cited(session, "memory", frozenset())] == [2]
    told = found(session, "It needs 100 MB, reaches 91.2 % at batch 4 and 0.1 GB.")
    assert told["100 MB"] == told["0.1 GB"] == "Peak memory of #2"
    assert told["91.2 %"] == "Accuracy on stand-in of #2"
    assert set(told["4"].split("; ")) == {"Training ÷ inference of #2", "Batch of #2"}


def test_figures_of_no_cited_run_are_told_so(session: Session) -> None:
    figures = resolved(session, "It takes 42 ms, 500 MB and 91.3 %.")
    assert [figure.words for figure in figures] == [
        f"42 ms: {HERE}",
        f"500 MB: {HERE}",
        f"91.3 %: {HERE}",
    ]


def test_a_run_that_is_pinned_or_named_is_leant_on(session: Session) -> None:
    assert found(session, "500 MB")["500 MB"] == ""
    assert found(session, "Run #1 took 500 MB")["500 MB"] == "Peak memory of #1"
    assert found(session, "run 1 took 500 MB")["500 MB"] == "Peak memory of #1"
    assert found(session, "#1, and #9") == {
        "#1": "a run of The memory wall",
        "#9": "there is no such run",
    }
    (event,) = session.decide(do.Pin(1), do.Instant(10**6, "w"))
    assert found(session.apply(event), "500 MB")["500 MB"] == "Peak memory of #1"


def test_differences_of_two_cited_runs_are_found(session: Session) -> None:
    told = found(session, "#1 against #2: 400 MB less, 21.2 points more")
    assert told["400 MB"] == "Peak memory, #1 against #2"
    assert told["21.2 points"] == "Accuracy on stand-in, #1 against #2"


def test_limits_and_the_scenario_are_found(session: Session) -> None:
    reading = session.readings({})[0]
    told = found(session, f"The slice is {reading.limit / 1e6:g} MB.")
    assert next(iter(told.values())).startswith("the limit of Peak memory")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a 4-bit base, the 1st layer, v2, 8x, 2e3 and a_7", ["8x"]),
        ("1,000 samples. 3.5", ["1,000", "3.5"]),
        ("$4, 90%, 90 percent", ["$4", "90 %", "90 percent"]),
        ("100 cars; 100 cars", ["100"]),
        ("100MB and 100 mb", ["100 MB", "100 mb"]),
        ("3 - 4", ["3", "4"]),
        ("none at all", []),
        ("", []),
        ("9" * 400, ["9" * 400]),
    ],
)
def test_numbers_are_told_from_words(session: Session, text: str, written: list[str]) -> None:
    got = [figure.written.replace(" x", "x") for figure in resolved(session, text)]
    assert got == written


def test_parts_are_told_apart(two_parts: Mission, session: Session) -> None:
    play = Play(two_parts).to("workbench").run(1e8, 91.0)
    told = found(play.session, "100 MB")
    assert told["100 MB"] == "Peak memory of #1 (The memory wall)"


@pytest.fixture(scope="module")
def deciding(session: Session, two_parts: Mission) -> Session:
    """Both parts have a run #1 and #2; the page that decides tells of $12,000 and 3.72 weeks."""
    words = {
        "question": "Spend $12,000, and 3.72 weeks?",
        "options": {"yes": "Yes", "no": "No"},
        "ask": "Why?",
    }
    again = two_parts.parts["again"].model_copy(update={"title": "The second wall"})
    parts = {**two_parts.parts, "again": again}
    decision = Decision.model_validate(words)
    mission = two_parts.model_copy(update={"parts": parts, "decision": decision})
    play = Play(mission)
    for name, _ in mission.ordered:
        play.to("workbench").run(5e8, 70.0).do(do.Turn("batch", 4, 0)).run(1.0e8, 91.24)
        if name != mission.ordered[-1][0]:
            play.to("claim")
            play.do(play.claim()).do(do.Enter("lock"))
    return play.session


def test_the_page_itself_is_a_source(deciding: Session) -> None:
    told = found(deciding, "12,000 dollars, $12k or $12,000; 3.72, 3.72 weeks and 3.7")
    assert len(told) == 5  # the weeks are told as the bare number is
    assert all(what.startswith("a figure of this page") for what in told.values()), told
    assert found(deciding, "3.8")["3.8"] == ""


def test_a_run_is_of_the_decided_part_unless_another_is_named(deciding: Session) -> None:
    first, last = (part.title for _, part in deciding.mission.ordered)
    assert found(deciding, "as #1 shows")["#1"] == f"a run of {last}"
    assert found(deciding, f"as #1 of {first.lower()} shows")["#1"] == f"a run of {first}"
    assert found(deciding, "#9")["#9"] == "there is no such run"


def test_a_bare_number_is_no_difference_and_a_rate_is_no_count(session: Session) -> None:
    (event,) = session.decide(do.Pin(3), do.Instant(10**6, "w"))
    pinned = session.apply(event)
    assert found(pinned, "58 MB less")["58 MB"] == "Peak memory, #2 against #3"
    assert found(pinned, "2 lower")["2"] == "Batch of #3"
    assert found(pinned, "4 samples")["4"] != ""
    assert found(pinned, "4 samples a week")["4"] == ""


def test_the_unit_and_the_name_come_first(session: Session) -> None:
    assert found(session, "a batch of 4 samples")["4"].startswith("Batch of #2")


def test_what_a_waiver_keeps_is_found(table: Mission) -> None:
    play = Play(table).to("talks")
    play.do(play.waive("clerk", threshold=3.3e8))
    told = found(play.session, "330 MB")
    assert "what a waiver of peak keeps" in next(iter(told.values()))


def test_no_more_is_said_than_that_it_is_equal(session: Session) -> None:
    (figure,) = resolved(session, "100 MB")
    assert figure.words == "100 MB = Peak memory of #2"
