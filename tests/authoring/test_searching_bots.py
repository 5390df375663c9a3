"""The bots that search: what each of them tries, and that none knows more than it ran."""

from __future__ import annotations

import pytest

from mission_tui.authoring.probe import Probe
from mission_tui.content.load import load
from mission_tui.content.schema import Mission
from mission_tui.play import bots
from mission_tui.play.actions import Cancel, Recorded
from mission_tui.play.game import Clock, Game
from mission_tui.play.session import Run, Session
from tests.authoring.conftest import HERE

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def mission(toy: None) -> Mission:
    return load(HERE / "fair.toml").tracks["edge"]


def runs(mission: Mission, name: str, seed: int) -> tuple[Run, ...]:
    game = Game(
        Session.begin(mission, {"seed_root": "00" * 32, "attempt": 1}), lambda _: None, Clock()
    )
    bots.play(game, bots.bot(name, seed), until="reveal")
    return game.session.parts["climb"].runs


@pytest.mark.parametrize("seed", range(6))
def test_the_climber_turns_one_slider(mission: Mission, seed: int) -> None:
    part = mission.parts["climb"]
    made = runs(mission, "climber", seed)
    assert made[0].setting == part.default
    turned = {s for run in made for s in part.sliders if run.setting[s] != part.default[s]}
    assert len(turned) == 1


def test_descent_turns_several_and_keeps_what_was_better(mission: Mission) -> None:
    part = mission.parts["climb"].model_copy(update={"runs": 40})
    longer = mission.model_copy(update={"parts": {"climb": part}})
    made = runs(longer, "descent", 3)
    turned = {s for run in made for s in part.sliders if run.setting[s] != part.default[s]}
    assert turned == set(part.sliders)
    assert any(run.passed for run in made)  # one hill, and runs enough to climb it


def test_sweep_stops_all_but_its_last_run_and_pays_for_each(mission: Mission) -> None:
    made = runs(mission, "sweep", 1)
    assert len(made) == 5
    assert [run.ended for run in made] == [False] * 4 + [True]
    assert sum(run.cost for run in made) == 5
    seen = {tuple(run.setting.values()) for run in made[:4]}
    assert tuple(made[-1].setting.values()) in seen


def test_where_charts_are_live_sweep_commits_the_best_of_what_it_saw(mission: Mission) -> None:
    live = mission.parts["climb"].model_copy(update={"kind": "live", "runs": None})
    free = mission.model_copy(update={"parts": {"climb": live}})
    game = Game(
        Session.begin(free, {"seed_root": "00" * 32, "attempt": 1}), lambda _: None, Clock()
    )
    bots.play(game, bots.bot("sweep", 1), until="reveal")
    best = game.session.best_run("climb")
    assert best is not None
    probe = Probe(free, "climb", "-", game.session.seed_of("climb"))
    assert probe.objective(best.setting) > probe.objective(live.default)


@pytest.mark.parametrize("name", bots.NAMES)
def test_every_bot_can_play_to_the_end(mission: Mission, name: str) -> None:
    game = Game(
        Session.begin(mission, {"seed_root": "00" * 32, "attempt": 1}), lambda _: None, Clock()
    )
    bots.play(game, bots.bot(name, 2))
    assert game.session.closed


def test_a_stopped_run_is_recorded_with_its_rounds(mission: Mission) -> None:
    events = []
    game = Game(
        Session.begin(mission, {"seed_root": "00" * 32, "attempt": 1}), events.append, Clock()
    )
    bots.play(game, bots.bot("sweep", 1), until="reveal")
    stopped = [event for event in events if event.kind == Cancel.kind]
    assert [event.data["rounds"] for event in stopped] == [bots.GLANCE] * 4
    assert isinstance(game.session.parts["climb"].runs[0].outcome, Recorded)
