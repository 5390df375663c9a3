"""What a first play stumbled over: said whole, in sight, and about the setting that is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot

from engine.contract import Value
from mission_tui.content.load import load
from mission_tui.content.schema import Curve
from mission_tui.ledger import plays
from mission_tui.play import bots
from mission_tui.play.evaluate import Request, outcome
from mission_tui.play.session import Session, Step
from mission_tui.screens import instruments
from mission_tui.screens.leaving import LeavingScreen
from mission_tui.screens.live import LiveScreen
from mission_tui.screens.reveal import RevealScreen
from mission_tui.screens.watch import Watch
from mission_tui.widgets.choices import Choices
from mission_tui.widgets.gauge import Gauges
from tests.ui import playing
from tests.ui.playing import on, shows, text, until
from tests.ui.test_budgeted import at_bench


async def test_the_fullest_lock_says_back_what_will_be_sealed_within_its_screen(
    saves: Path, missions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISSION_TUI_MISSIONS", str(missions))
    mission = "vol2-11-edge-intelligence"
    async with playing.at_briefing(saves, track="mobile", mission=mission) as (_, pilot):
        await playing.to_lock(pilot)
        await pilot.press(*"400", "up", "enter")
        await shows(pilot, "press the number of a reason", "4 ◇")
        await pilot.press("4", "enter")
        await shows(pilot, "You say 400 MB, between", "seals it for good", "4 ◆")
        await pilot.press("shift+tab")
        await shows(pilot, "YOUR NUMBER   400")
        await pilot.press("up")
        await shows(pilot, "÷1.25 to ×1.25", "four to one")


async def test_a_second_list_counts_on_and_any_number_reaches_it(saves: Path) -> None:
    playing.saved_at(saves, "workbench")
    async with playing.opened(saves, student="ada") as (app, pilot):
        await pilot.press("enter")
        await shows(pilot, "WHERE YOU STOPPED", "▸1 ◇", " 2 ◇ Edge Intelligence", "tab Next list")
        assert len(app.screen.query(Choices)) == 2
        await pilot.press("2")
        await shows(pilot, "TAKE A POST")


async def test_leaving_what_no_run_meets_says_what_follows_and_can_be_taken_back(
    saves: Path,
) -> None:
    async with playing.resumed(saves, "workbench") as (app, pilot):
        await pilot.press("ctrl+g")
        await pilot.pause()
        assert not isinstance(app.screen, LeavingScreen)  # the rules ask for another run first
        await playing.two_runs(pilot)
        await pilot.press("ctrl+g")
        await shows(pilot, "this part is missed", "Esc stays")
        await pilot.press("escape")
        await on(pilot, LiveScreen)
        await playing.leave_bench(pilot)
        await on(pilot, RevealScreen)


async def test_a_bet_is_drawn_at_its_own_setting_and_marked_as_elsewhere_at_others(
    saves: Path,
) -> None:
    async with playing.resumed(saves, "workbench") as (app, pilot):
        await shows(pilot, "bet: other setting")
        assert "░" not in text(app).replace("your bet", "")
        game = app.screen.game  # type: ignore[attr-defined]
        lock = game.session.part.locks["least"]
        about = {**game.setting, **lock.truth.setting}
        here = instruments.memory(game.session, app.screen.shown, None, about)  # type: ignore[attr-defined]
        assert here.bet_holds_here
        assert here.bet_label == "your bet"
        shape = game.session.part.instruments["frontier"]
        shown = app.screen.shown  # type: ignore[attr-defined]
        assert instruments.plot(game.session, shape, shown, None, about).bands
        assert not instruments.plot(game.session, shape, shown, None, game.setting).bands


async def test_gauges_know_floors_from_caps(saves: Path) -> None:
    async with playing.resumed(saves, "workbench") as (app, _):
        peak, accuracy = app.screen.query_one(Gauges).readings
        assert (peak.at_least, accuracy.at_least) == (False, True)
        assert peak.share is not None
        assert accuracy.share is not None
        assert peak.share > 1  # over its cap
        assert accuracy.share < 1  # below its floor


async def test_help_shows_the_keys_without_scrolling(saves: Path) -> None:
    async with playing.resumed(saves, "workbench") as (_, pilot):
        await pilot.press("question_mark")
        await shows(pilot, "Keys", "Record", "Why", "Hint", "The workbench")


async def test_a_curve_may_begin_where_its_last_stretch_does(saves: Path) -> None:
    async with playing.resumed(saves, "workbench") as (app, _):
        game, shown = app.screen.game, app.screen.shown  # type: ignore[attr-defined]
        whole = Curve(kind="curve", title="Learning", x="learning", lines={"learning": "accuracy"})
        last = whole.model_copy(update={"low": 60.0})
        axes = [instruments.plot(game.session, each, shown, None, {}).y for each in (whole, last)]
        assert [(axis.low, axis.high) for axis in axes] == [(0.0, 100.0), (60.0, 100.0)]


def test_a_spec_is_a_limit_on_a_curve_only_where_the_curve_adds_up_to_it(missions: Path) -> None:
    mission = load(missions / "vol2-11-edge-intelligence.toml").tracks["edge"]
    part = mission.parts["privacy"].given_class("medium")
    begun = Session.begin(mission, {"seed_root": "0", "attempt": 1})
    session = replace(begun, at=Step("workbench", "privacy"))
    shape = part.instruments["learning"]
    assert isinstance(shape, Curve)
    shown = outcome(Request.at(part, part.default, 3))
    limits = [
        limit.at
        for limit in instruments.plot(session, shape, shown, None, part.default).limits
        if limit.axis == "x"
    ]
    epsilon = [r.limit for r in session.readings(shown.metrics) if r.metric == "epsilon_spent"]
    assert limits == epsilon


class Glancing(bots.Reference):
    """Looks at the default and stops."""

    def settings(self, session: Session) -> Iterator[Mapping[str, Value]]:
        yield session.part.default

    def stops(self, session: Session) -> int | None:
        return 1


@pytest.mark.soak
async def test_a_watched_bot_stops_the_runs_that_it_only_looks_at(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_bench(saves, monkeypatch) as (app, pilot):
        game = app.screen.game  # type: ignore[attr-defined]
        app.animation_level = "full"  # runs go at a pace that can be watched
        await Watch(Glancing(), 0).step(cast("Pilot[object]", pilot))
        await until(pilot, lambda: game.session.state.runs and game.session.in_flight is None)
        (first,) = game.session.state.runs
        assert first.rounds is not None  # it was stopped, and is charged all the same
        assert first.rounds >= 1
        assert game.session.runs_left == 9


async def test_a_step_of_a_bot_goes_on_from_where_a_game_stands(saves: Path) -> None:
    with plays.start(saves, playing._edge(), "ada", "bot:reference") as opened:
        for screen in ("briefing", "lock", "lock", "workbench"):
            assert opened.game.session.at.screen == screen
            bots.step(opened.game, bots.Reference())
        assert opened.game.session.at.screen == "reveal"
