"""The missions screen says in one line whose data the plays will have, and loses no room by it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.containers import VerticalScroll

from mission_tui.content.load import files, load
from mission_tui.ledger import course, enrolment, keys
from mission_tui.screens.missions import MissionsScreen, Waiting
from tests.conftest import SHIPPED
from tests.ui import playing
from tests.ui.playing import SIZE, shows, text

STUDENT = "ada"


async def rows_of(saves: Path, standing: str, waiting: Sequence[Waiting] = ()) -> list[str]:
    """The screen at 80 × 24, as text, with everything that is shipped."""
    missions = [load(path) for path in files(SHIPPED)]
    async with playing.opened(saves) as (app, pilot):
        screen = MissionsScreen(STUDENT, missions, waiting, ["one"], [], standing)
        await app.push_screen(screen)
        await shows(pilot, "MISSIONS", missions[-1].title, "SIGNED")
        assert screen.query_one("#missions", VerticalScroll).max_scroll_y == 0
        assert screen.query_one("#missions").region.bottom == SIZE[1] - 1
        return text(app).splitlines()


async def test_the_line_takes_a_row_that_was_blank(saves: Path) -> None:
    none = await rows_of(saves, "")
    standing = enrolment.says(STUDENT)
    told = await rows_of(saves, standing)
    assert (
        told[1].strip()
        == f"ada · {standing}"
        == "ada · No course: the seed follows from your name."
    )
    assert [none[0], "", *none[2:]] == [told[0], "", *told[2:]]
    assert not none[1].strip()


async def test_an_enrolled_student_is_told_the_course(saves: Path, tmp_path: Path) -> None:
    course.new(tmp_path / "course", "cs249r")
    enrolment.keep(course.enrol(tmp_path / "course", STUDENT, keys.ensure_public()))
    told = await rows_of(saves, enrolment.says(STUDENT))
    assert told[1].strip() == "ada · Course cs249r: the seed is your own, by your enrolment."


async def test_the_longest_sentence_is_whole_beside_plays_that_wait(
    saves: Path, tmp_path: Path
) -> None:
    course.new(tmp_path / "course", "c" * 40)
    enrolment.keep(course.enrol(tmp_path / "course", "e" * 40, keys.ensure_public()))
    standing = enrolment.says(STUDENT)
    waiting = [Waiting(saves / str(n), f"play {n}") for n in range(6)]
    told = await rows_of(saves, standing, waiting)
    rows = told[1 : 1 + [row.strip() for row in told[1:]].index("")]
    assert " ".join(" ".join(rows).split()) == f"ada · {standing}"
