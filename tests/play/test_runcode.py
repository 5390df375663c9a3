from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mission_tui.content import space
from mission_tui.content.load import load
from mission_tui.content.schema import Mission
from mission_tui.play import runcode
from mission_tui.play.session import Refused, Session
from tests.play.conftest import Play

SHIPPED = Path(__file__).parents[2] / "missions"


@pytest.fixture
def session(edge: Mission) -> Session:
    return Play(edge).session


def sessions() -> list[Session]:
    """Every part of every shipped mission, on every track."""
    found = []
    for path in sorted(SHIPPED.glob("vol*.toml")):
        for mission in load(path).tracks.values():
            start = Play(mission).session
            found += [
                replace(start, at=replace(start.at, screen="workbench", part=name))
                for name, _ in mission.ordered
            ]
    return found


def settings(session: Session, count: int) -> list[dict[str, Any]]:
    """Settings drawn from a part's grid, and its two corners."""
    draw = random.Random(7)
    grids = {name: space.values(session.part, name) for name in session.part.sliders}
    drawn = [{name: draw.choice(grid) for name, grid in grids.items()} for _ in range(count)]
    corners = [{name: grid[end] for name, grid in grids.items()} for end in (0, -1)]
    return [*drawn, *corners]


def test_a_code_gives_back_its_setting_on_every_shipped_part() -> None:
    seen = 0
    for session in sessions():
        for setting in settings(session, 40):
            code = runcode.write(session, setting)
            assert len(code) <= 14
            assert runcode.read(session, code) == setting
            seen += 1
    assert seen > 400


def test_other_settings_have_other_codes(edge: Mission, session: Session) -> None:
    grid = list(space.grid(session.part, tuple(session.part.sliders)))
    assert len({runcode.write(session, setting) for setting in grid}) == len(grid)


def test_any_one_wrong_character_is_found(session: Session) -> None:
    code = runcode.write(session, session.state.setting)
    for at, right in enumerate(code):
        for wrong in set(runcode.ALPHABET) - {right} if right != "-" else ():
            with pytest.raises(Refused, match="typo"):
                runcode.read(session, code[:at] + wrong + code[at + 1 :])


def test_characters_that_changed_places_are_found(session: Session) -> None:
    for setting in settings(session, 40):
        code = runcode.write(session, setting).replace("-", "")
        for at, (first, second) in enumerate(pairwise(code)):
            if first != second:
                with pytest.raises(Refused, match="typo"):
                    runcode.read(session, code[:at] + second + first + code[at + 2 :])


def test_case_hyphens_and_look_alikes_do_not_matter(session: Session) -> None:
    for setting in settings(session, 60):
        code = runcode.write(session, setting)
        sloppy = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
        assert runcode.read(session, f" {sloppy} ") == setting


def test_a_code_of_another_part_mission_or_grid_is_refused(
    edge: Mission, two_parts: Mission, session: Session
) -> None:
    code = runcode.write(session, session.state.setting)
    renamed = Play(edge.model_copy(update={"id": "another"})).session
    start = Play(two_parts).session
    second = replace(start, at=replace(start.at, screen="workbench", part="again"))
    for other in (renamed, second):
        with pytest.raises(Refused, match="another part or another mission"):
            runcode.read(other, code)
    codes = {}
    for shipped in sessions():
        grids = str({n: space.values(shipped.part, n) for n in shipped.part.sliders})
        codes[runcode.write(shipped, shipped.part.default)] = shipped
        for other_code, other in codes.items():
            same = {n: space.values(other.part, n) for n in other.part.sliders}
            if str(same) != grids:
                with pytest.raises(Refused, match="another part"):
                    runcode.read(shipped, other_code)


@pytest.mark.parametrize("text", ["", "  ", "-", "U", "é", "12", "K" * 40, "?", "\x1b[2J", "0000"])
def test_what_is_no_code_is_one_sentence(session: Session, text: str) -> None:
    with pytest.raises(Refused) as refusal:
        runcode.read(session, text)
    assert "\n" not in str(refusal.value)
