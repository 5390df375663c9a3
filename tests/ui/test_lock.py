"""A lock at 80 × 24: what the screen is too low for is named, with the key that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from mission_tui.app import MissionApp
from mission_tui.content.load import files, load
from mission_tui.content.schema import Mission
from mission_tui.play.game import Clock, Game
from mission_tui.play.session import Session, Step
from mission_tui.play.start import Who, header
from mission_tui.screens.lock import ASKED, LockScreen
from mission_tui.widgets.choices import Choices
from tests.conftest import SHIPPED
from tests.ui import playing
from tests.ui.playing import Player, shows, text, until

LONG = "vol1-03-ml-workflow"


def at_lock(mission: Mission, part: str, *locks: str) -> Game:
    """A play in memory at these locks of a part; what is carried comes from parts that were
    missed.
    """
    who = Who("ada", "human", "")
    session = Session.begin(mission, header(mission, who, datetime.now(UTC)).data)
    step = Step("lock", part)
    asked = {lock: mission.parts[part].locks[lock] for lock in locks}
    only = mission.parts[part].model_copy(update={"locks": asked})
    mission = mission.model_copy(update={"parts": {**mission.parts, part: only}})
    session = replace(session, mission=mission, at=step, furthest=session.steps.index(step))
    return Game(session, lambda _: None, Clock())


def every_lock(path: Path) -> Iterator[tuple[str, Game]]:
    for track, mission in load(path).tracks.items():
        for part, found in mission.ordered:
            for lock in found.locks:
                yield f"{track} {part} {lock}", at_lock(mission, part, lock)


async def shown(app: MissionApp, pilot: Player, game: Game) -> LockScreen:
    """A lock on screen, laid out; its place on the screen does not move any more."""
    screen = LockScreen(game)
    await app.push_screen(screen)
    await until(pilot, lambda: bool(screen.query("#why")) and screen.query_one("#why").size.height)
    await pilot.pause()
    return screen


def out_of_sight(screen: LockScreen) -> tuple[list[str], bool]:
    """What is asked and not wholly seen, below; and whether something is hidden above."""
    room = screen.query_one("#lock", VerticalScroll).region
    asked = [(words, widget) for name, words in ASKED.items() for widget in screen.query(name)]
    below = [words for words, widget in asked if widget.region.bottom > room.bottom]
    first: Widget = screen.query_one("#objective")
    return below, first.region.y < room.y


def sign(screen: LockScreen) -> str:
    more = screen.query_one("#more", Static)
    return str(more.render()) if more.display else ""


async def is_told(screen: LockScreen, pilot: Player) -> bool:
    """Whether all that is out of sight is named on the screen; False where nothing is."""

    def settled() -> bool:
        below, above = out_of_sight(screen)
        return ("PgDn" in sign(screen), "PgUp" in sign(screen)) == (bool(below), above)

    await until(pilot, settled)
    below, _ = out_of_sight(screen)
    said = sign(screen)
    assert all(words in said for words in below), f"{said!r} hides {below}\n{text(screen.app)}"
    assert said in text(screen.app)
    return bool(said)


async def hides_nothing_unsaid(saves: Path, locks: Iterable[tuple[str, Game]]) -> None:
    told = 0
    async with playing.opened(saves) as (app, pilot):
        for name, game in locks:
            screen = await shown(app, pilot, game)
            told += await is_told(screen, pilot)
            assert screen.focused is not None, name
            app.pop_screen()
    assert told, "none of these locks is too long: the test has nothing to look at"


async def test_the_longest_locks_hide_no_question_without_a_sign(saves: Path) -> None:
    """Of each shipped mission and kind of lock the one that says most, on any track."""
    longest: dict[str, tuple[int, str, Game]] = {}
    for path in files(SHIPPED):
        for name, game in every_lock(path):
            part = game.session.part
            (lock,) = part.locks.values()
            words = len(part.objective) + len(lock.prompt) + sum(map(len, lock.facts))
            said = (words + 200 * len(lock.options), name, game)
            key = f"{path.stem} {lock.kind}"
            longest[key] = max(longest.get(key, said), said, key=lambda each: each[0])
    await hides_nothing_unsaid(saves, [(name, game) for _, name, game in longest.values()])


@pytest.mark.soak
@pytest.mark.parametrize("path", files(SHIPPED), ids=lambda path: path.stem)
async def test_no_shipped_lock_hides_a_question_without_a_sign(saves: Path, path: Path) -> None:
    await hides_nothing_unsaid(saves, every_lock(path))


@pytest.mark.parametrize(("part", "lock"), [("pace", "lead"), ("audit", "stage")])
async def test_page_down_and_up_show_the_rest_and_typing_comes_back(
    saves: Path, part: str, lock: str
) -> None:
    mission = load(SHIPPED / f"{LONG}.toml").tracks["edge"]
    async with playing.opened(saves) as (app, pilot):
        screen = await shown(app, pilot, at_lock(mission, part, lock))
        assert "▼ PgDn" in sign(screen)
        assert "the reason" in sign(screen)
        assert "▲" not in sign(screen)
        await pilot.press("pagedown")
        await until(pilot, lambda: sign(screen) == "▲ PgUp: the question")
        await is_told(screen, pilot)
        last = screen.query_one("#why", Choices).options[-1][1]
        assert last[:20] in text(app)
        await pilot.press("pageup")
        await until(pilot, lambda: "▲" not in sign(screen) and "▼ PgDn" in sign(screen))
        await is_told(screen, pilot)


async def test_the_sign_stays_beside_what_is_said(saves: Path) -> None:
    mission = load(SHIPPED / f"{LONG}.toml").tracks["edge"]
    async with playing.opened(saves) as (app, pilot):
        screen = await shown(app, pilot, at_lock(mission, "pace", "lead"))
        await pilot.press("4", "up")
        await shows(pilot, "four to one", "▼ PgDn: the reason", "YOUR NUMBER   4")
        await pilot.press("enter")
        await shows(pilot, "press the number of a reason", "▲ PgUp: the question", gone="▼")
        await is_told(screen, pilot)
        await pilot.press("2", "enter")
        await shows(pilot, "You say 4", "seals it for good", "2 ◆")
        await is_told(screen, pilot)


async def test_a_screen_with_room_says_nothing_and_a_lower_one_does(saves: Path) -> None:
    mission = load(SHIPPED / f"{LONG}.toml").tracks["edge"]
    async with playing.opened(saves, (100, 40)) as (app, pilot):
        screen = await shown(app, pilot, at_lock(mission, "pace", "lead"))
        assert not await is_told(screen, pilot)
        assert not screen.query_one("#more").display
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "▼ PgDn: the reason" in text(app))
        await is_told(screen, pilot)
        await pilot.resize_terminal(100, 40)
        await until(pilot, lambda: "PgDn" not in text(app))


async def test_what_was_hidden_in_one_lock_is_not_said_of_the_next(saves: Path) -> None:
    mission = load(SHIPPED / f"{LONG}.toml").tracks["edge"]
    async with playing.opened(saves) as (app, pilot):
        screen = await shown(app, pilot, at_lock(mission, "audit", "stage", "saved"))
        assert "▼ PgDn: how sure, the reason" in text(app)
        await pilot.press("3", "enter", "1", "enter", "1", "enter")
        await shows(pilot, "seals it for good")
        await pilot.press("enter")
        await shows(pilot, "YOUR NUMBER")
        assert not await is_told(screen, pilot)
        assert "Pg" not in text(app)
        await pilot.press("1", "up", "enter", "1", "enter", "enter")
        await shows(pilot, "SEALED")
        assert "Pg" not in text(app)


async def test_a_percentage_is_widened_in_points_and_never_past_all(saves: Path) -> None:
    mission = load(SHIPPED / f"{LONG}.toml").tracks["edge"]
    async with playing.opened(saves) as (app, pilot):
        await shown(app, pilot, at_lock(mission, "review", "reach"))
        await pilot.press(*"97.1", "up")
        await shows(pilot, "±0.1 points", "97.0 % … 97.1 % … 97.2 %")
        await pilot.press(*["up"] * 5)
        await shows(pilot, "±5 points", "92.1 % … 97.1 % … 100.0 %")
        await pilot.press(*["up"] * 9)
        await shows(pilot, "±50 points", "47.1 % … 97.1 % … 100.0 %")
        await pilot.press("enter", "1", "enter")
        await shows(pilot, "You say 97.1 %, between 47.1 % and 100.0 %")


async def test_a_lead_that_may_be_negative_has_a_band_across_zero(saves: Path) -> None:
    mission = load(SHIPPED / f"{LONG}.toml").tracks["edge"]
    async with playing.opened(saves) as (app, pilot):
        screen = await shown(app, pilot, at_lock(mission, "pace", "lead"))
        await pilot.press(*"-0.2", "up", "up", "up", "enter", "2", "enter")
        await shows(pilot, "You say −0.20 points, between −0.70 points and 0.30 points")
        await pilot.press("enter")
        await shows(pilot, "SEALED")
        sealed = screen.game.session.state.sealed["lead"]
        assert (sealed.value, sealed.low, sealed.high) == (-0.2, -0.7, 0.3)


async def test_help_is_of_this_kind_of_lock(saves: Path) -> None:
    mission = load(SHIPPED / f"{LONG}.toml").tracks["edge"]
    async with playing.opened(saves) as (app, pilot):
        await shown(app, pilot, at_lock(mission, "audit", "stage"))
        await pilot.press("question_mark")
        await shows(pilot, "for your answer", "how sure", gone="Type your number")
        await pilot.press("escape")
        await shown(app, pilot, at_lock(mission, "review", "reach"))
        await pilot.press("question_mark")
        await shows(pilot, "Type your number", "12.5 %", "widen and narrow", gone="how sure")


async def test_the_list_that_has_the_keys_is_the_one_with_the_cursor(saves: Path) -> None:
    mission = load(SHIPPED / f"{LONG}.toml").tracks["edge"]
    async with playing.opened(saves) as (app, pilot):
        screen = await shown(app, pilot, at_lock(mission, "audit", "stage"))
        for name in ("#option", "#sure", "#why"):
            lists = {f"#{each.id}": each.render().plain for each in screen.query(Choices)}
            assert [id_ for id_, drawn in lists.items() if "▸" in drawn] == [name]
            await pilot.press("1", "enter")
            await pilot.pause()


async def test_a_second_enter_from_habit_chooses_no_reason(saves: Path) -> None:
    mission = load(SHIPPED / f"{LONG}.toml").tracks["edge"]
    async with playing.opened(saves) as (app, pilot):
        screen = await shown(app, pilot, at_lock(mission, "review", "reach"))
        await pilot.press(*"97.1", "up", "enter", "enter", "enter", "enter")
        await shows(pilot, "Press the number of a line")
        assert screen.query_one("#why", Choices).chosen is None
        await pilot.press("up", "enter", "enter")
        await shows(pilot, "1 ◆", "You say 97.1 %")
