"""The bench at its smallest: every chart legible, every sentence whole, nothing misread."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from textual.app import App

from engine import registry
from engine.contract import Outcome, Value
from mission_tui.content.load import load
from mission_tui.content.schema import Bars, Curve, Frontier, Mission, Part
from mission_tui.play import wording
from mission_tui.play.actions import Recorded
from mission_tui.play.evaluate import Request
from mission_tui.play.events import Event
from mission_tui.play.game import Clock, Game
from mission_tui.play.session import Run, Session, Step
from mission_tui.screens import instruments
from mission_tui.screens.instruments import Shown
from mission_tui.screens.reveal import RevealScreen
from mission_tui.screens.workbench import BROAD, WorkbenchScreen
from mission_tui.widgets.advisory import REST, Advisory, fitted
from mission_tui.widgets.bars import Bars as BarsWidget
from mission_tui.widgets.chart import Chart, Series
from mission_tui.widgets.keybar import KeyBar
from mission_tui.widgets.slider import Slider
from tests.ui import playing
from tests.ui.playing import on, shows, text, until

SHIPPED = Path(__file__).parents[2] / "missions"


def parts() -> Iterator[tuple[str, Mission, str]]:
    for path in sorted(SHIPPED.glob("vol*.toml")):
        for track, mission in load(path).tracks.items():
            for name, _ in mission.ordered:
                yield f"{path.stem} {track} {name}", mission, name


def shapes() -> dict[tuple[object, ...], tuple[str, Mission, str]]:
    """A part of each shape: room depends on nothing but these, whatever track says the words."""
    found: dict[tuple[object, ...], tuple[str, Mission, str]] = {}
    for where, mission, name in parts():
        part = mission.parts[name]
        drawn = tuple(
            (shape.kind, shape.beside, instruments._rows_of(part, shape))
            for shape in part.instruments.values()
        )
        found.setdefault((len(part.sliders), len(part.specs), drawn), (where, mission, name))
    return found


def at(mission: Mission, name: str) -> Session:
    begun = Session.begin(mission, {"seed_root": "00" * 16, "attempt": 1})
    return replace(begun, at=Step("workbench", name))


def made_up(part: Part) -> Outcome:
    """An outcome of the right shape: what it says is no physics."""
    model = registry.model(part.model)
    metrics = {metric.name: 60.0 + n for n, metric in enumerate(model.metrics)}
    lengths = {series.name: len(series.labels) or 5 for series in model.series}
    return Outcome(metrics, {n: tuple(1.0 + k for k in range(c)) for n, c in lengths.items()})


class Still(WorkbenchScreen):
    """A bench on which nothing is computed."""

    CSS_PATH = str(SHIPPED.parent / "mission_tui/screens/workbench.tcss")
    HELP = ""

    @property
    def shown(self) -> Shown | None:
        return made_up(self.game.session.part)

    @property
    def shown_at(self) -> Mapping[str, Value]:
        return self.game.setting

    @property
    def ghost(self) -> Run | None:
        return None

    def sliders_moved(self) -> None:
        """Nothing follows."""

    def launch(self, run: Run, request: Request) -> None:
        """Nothing is computed."""

    def action_sensitivity(self) -> None:
        """Nothing is tried."""


def game(session: Session) -> Game:
    events: list[Event] = []
    return Game(session, events.append, Clock())


@pytest.mark.parametrize("size", [(80, 24), pytest.param((120, 24), marks=pytest.mark.soak)])
async def test_no_chart_of_a_shipped_part_is_too_small_and_every_instrument_has_its_view(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wording, "given", lambda mission, part, seed: wording.constants(mission))
    app = App[None]()
    async with app.run_test(size=size) as pilot:
        for where, mission, name in shapes().values():
            screen = Still(game(at(mission, name)))
            await app.push_screen(screen)
            await pilot.pause()
            screen.draw_charts()
            await pilot.pause()
            seen: set[str] = set()
            for turn in range(screen._views):
                assert f"View {turn + 1}/{screen._views}" in text(app) or screen._views == 1
                assert "too small" not in text(app), f"{where}:\n{text(app)}"
                seen |= {
                    str(widget.id)
                    for kind in (Chart, BarsWidget)
                    for widget in screen.query(kind)
                    if widget.region and widget.is_on_screen
                }
                for widget in screen.query(BarsWidget):
                    if widget.is_on_screen and widget.region:
                        assert not re.search(r"\+\d+$", widget.as_text()), where
                screen.action_view()
                await pilot.pause()
                await pilot.pause()
            wanted = {
                f"instrument-{key}"
                for key, shape in mission.parts[name].instruments.items()
                if isinstance(shape, (Bars, Curve, Frontier))
            }
            assert seen == wanted, where
            app.pop_screen()
            await pilot.pause()


def test_instruments_share_a_view_where_they_fit() -> None:
    mission = load(SHIPPED / "vol1-03-ml-workflow.toml").tracks["edge"]
    part = mission.parts["pace"]
    assert instruments.views(part, 16) == (
        (("projection",),),
        (("tax", "knee"), ("frontier",)),
    )
    assert instruments.views(part, 40)[1] == (("tax", "knee", "frontier"),)
    assert BROAD > 80


# -- sentences --------------------------------------------------------------------------------


def test_a_text_that_goes_on_says_so_with_the_key_that_shows_it() -> None:
    words = "You would report 2.1 points more than checked changes reach: luck of the labels."
    cut, whole = fitted(words, 27, 2)
    assert not whole
    assert cut.endswith(REST)
    assert max(map(len, cut.splitlines())) <= 27
    assert words.startswith(cut.replace("\n", " ").removesuffix(REST))
    assert fitted(words, 27, 4) == (cut_free := fitted(words, 27, 9)[0], True)
    assert cut_free.replace("\n", " ") == words


async def test_the_whole_of_a_failure_is_one_key_away(saves: Path) -> None:
    async with playing.resumed(saves, "workbench") as (app, pilot):
        said = "A sentence that is longer than the box by far. " * 6
        app.screen.alarm("▲ LONG", said.strip(), broken=True)  # type: ignore[attr-defined]
        await shows(pilot, REST)
        assert not app.screen.query_one(Advisory).whole
        await pilot.press("a")
        await shows(pilot, "Esc closes", "LONG")
        assert " ".join(text(app).replace("│", " ").split()).count("longer than the box") >= 6


async def test_what_holds_is_offered_until_it_is_recorded(saves: Path) -> None:
    async with playing.resumed(saves, "workbench") as (app, pilot):
        screen = app.screen
        screen.all_hold()  # type: ignore[attr-defined]
        await shows(pilot, "Enter records it.")
        await playing.record_run(pilot, 1)
        screen.all_hold()  # type: ignore[attr-defined]
        await shows(pilot, "Recorded as run #1.", gone="Enter records it.")


@pytest.mark.parametrize(("runs", "word"), [(1, "strategy"), (4, "strategies")])
def test_what_counts_as_another_strategy_is_said_in_one_line(runs: int, word: str) -> None:
    mission = load(SHIPPED / "vol1-03-ml-workflow.toml").tracks["edge"]
    audit = mission.parts["audit"].model_copy(update={"distinct_runs": runs})
    session = at(mission.model_copy(update={"parts": {**mission.parts, "audit": audit}}), "audit")
    refusal = session.barred("reveal")
    assert refusal is not None
    assert refusal.startswith(f"record {runs} more {word} first: another choice or half a slider")
    assert len(f"{refusal}.") <= 78


async def test_help_speaks_of_what_is_on_the_screen(saves: Path) -> None:
    async with playing.resumed(saves, "workbench") as (app, _):
        assert "memory map" in str(app.screen.HELP)
        assert "views" not in str(app.screen.HELP)  # both instruments are in sight
        state = app.screen.game.session  # type: ignore[attr-defined]
        bare = state.part.model_copy(update={"instruments": {}, "stand_in": "nothing at all"})
        parts = {**state.mission.parts, state.part_id: bare}
        app.screen.game.session = replace(  # type: ignore[attr-defined]
            state, mission=state.mission.model_copy(update={"parts": parts})
        )
        assert "memory map" not in str(app.screen.HELP)
        assert "nothing at all" in str(app.screen.HELP)


async def test_a_foot_that_is_too_short_leaves_whole_commands_out() -> None:
    class Foot(App[None]):
        BINDINGS = [(key, "nothing", f"Command {key}") for key in "abcdefgh"]  # noqa: RUF012

        def compose(self) -> Iterator[KeyBar]:
            yield KeyBar()

    app = Foot()
    async with app.run_test(size=(60, 5)) as pilot:
        bar = app.query_one(KeyBar)
        bar._keys = tuple((key, key, f"Command {key}") for key in "abcdefgh")
        bar.refresh()
        await pilot.pause()
        shown = bar.render().plain
        assert "…" in shown
        assert re.findall(r"Comm\w* ?(\w?)", shown) == list("abc")


# -- where it was left ------------------------------------------------------------------------


async def test_the_focus_stays_within_the_sliders_and_is_kept_for_the_way_back(
    saves: Path,
) -> None:
    async with playing.resumed(saves, "workbench") as (app, pilot):
        names = [slider.spec.id for slider in app.screen.query(Slider)]
        await pilot.press("up")
        assert app.focused is app.screen.query_one(f"#{names[0]}")
        await pilot.press("down", "down", "down", "down")
        assert app.focused is app.screen.query_one(f"#{names[-1]}")
        await pilot.press("up", "t")
        await shows(pilot, "Esc closes")
        await pilot.press("escape")
        await pilot.pause()
        assert app.focused is app.screen.query_one(f"#{names[-2]}")
        await playing.two_runs(pilot)
        assert app.focused is not None
        focused = app.focused.id
        await playing.leave_bench(pilot)
        await on(pilot, RevealScreen)
        await pilot.press("b")
        await on(pilot, WorkbenchScreen)
        await until(pilot, lambda: app.focused is not None and app.focused.id == focused)


def test_a_play_taken_up_again_begins_at_the_slider_that_was_moved_last(missions: Path) -> None:
    mission = load(missions / "vol1-03-ml-workflow.toml").tracks["edge"]
    session = at(mission, "pace")
    part, default = session.part, dict(session.part.default)
    names = list(part.sliders)
    assert instruments.last_moved(session, default) == names[0]
    assert instruments.last_moved(session, {**default, "compute": 2.0}) == "compute"
    ran = ran_at(session, {**default, "split": "v20"})
    assert instruments.last_moved(ran, {**default, "split": "v20"}) == "split"


def ran_at(session: Session, *settings: Mapping[str, Value]) -> Session:
    """A session with a run at each of the settings."""
    found = Recorded.of(made_up(session.part))
    runs = tuple(Run(n, setting, 1, found) for n, setting in enumerate(settings, 1))
    name = session.part_id
    state = replace(session.parts[name], runs=runs)
    return replace(session, parts={**session.parts, name: state})


def test_runs_name_what_is_another_than_before_within_their_width(missions: Path) -> None:
    mission = load(missions / "vol1-03-ml-workflow.toml").tracks["edge"]
    session = at(mission, "pace")
    one = dict(session.part.default)
    two = {**one, "compute": 2.0}
    three = {**two, "size": 1.0, "split": "v20"}
    ran = ran_at(session, one, two, three, three)
    lines = instruments.runs(ran, 60, 1).splitlines()
    assert lines[0].endswith("the same")
    assert "Model size 1, " in lines[1]
    assert lines[1].endswith("20 %")
    assert lines[2].endswith("Compute 2")
    assert lines[3].endswith("as it was found")
    narrow = instruments.runs(ran, 29, 1).splitlines()
    assert max(map(len, narrow)) <= 29
    assert narrow[1].endswith("2 sliders")
    assert narrow[2].endswith(" 2")  # a label may be shortened, a value may not
    named = instruments.runs(ran_at(session, {**one, "release": "k12"}), 29, 1)
    assert named.endswith("… 12 changes")
    assert "  " not in named


# -- figures ----------------------------------------------------------------------------------


def test_a_value_that_misses_its_limit_never_reads_like_it(missions: Path) -> None:
    mission = load(missions / "vol1-03-ml-workflow.toml").tracks["edge"]
    session = at(mission, "pace")
    for reading in session.readings({}):
        metric = wording.metric_unit(session.part, reading.metric)
        off = -0.0004 if reading.at_most else 0.0004
        near = reading.limit - off * abs(reading.limit)
        metrics = {**made_up(session.part).metrics, reading.metric: near}
        shown = next(
            each
            for each, spec in zip(
                instruments.readings(session, metrics), session.readings(metrics), strict=True
            )
            if spec.id == reading.id
        )
        assert shown.value != shown.limit[2:], (metric, shown)
        assert instruments.figures(session, metrics).get(reading.metric) != shown.limit[2:]


def test_a_sweep_ends_with_the_slider_also_while_rounds_come_in(missions: Path) -> None:
    mission = load(missions / "vol1-09-data-selection.toml").tracks["edge"]
    session = at(mission, "gap")
    shape = session.part.instruments["mix"]
    assert isinstance(shape, Curve)
    found = made_up(session.part)
    shares = {shape.x: (0.0, 45.0, 90.0), **dict.fromkeys(shape.lines, (70.0, 80.0, 85.0))}
    frame = Outcome(found.metrics, {**found.series, **shares}, rounds=(1, 2))
    axis = instruments.plot(session, shape, frame, None, session.part.default).x
    assert (axis.low, axis.high) == (0.0, 90.0)


def test_the_run_before_has_a_mark_of_its_own(missions: Path) -> None:
    mission = load(missions / "vol1-09-data-selection.toml").tracks["cloud"]
    session = at(mission, "labels")
    ran = ran_at(session, session.part.default)
    shape = session.part.instruments["roi"]
    assert isinstance(shape, Curve)
    ghost = ran.state.runs[0]
    drawn = instruments.plot(ran, shape, made_up(ran.part), ghost, ran.part.default).series
    marks = [series.marker for series in drawn if isinstance(series, Series)]
    assert len(marks) == len(set(marks)) == 3


def test_bars_are_called_as_the_part_calls_the_laws_terms(missions: Path) -> None:
    for _, mission, name in parts():
        session = at(mission, name)
        found = made_up(session.part)
        for shape in session.part.instruments.values():
            if isinstance(shape, Bars):
                listed = instruments.bar_list(session, shape, found, None)
                assert not any("_" in bar.label for bar in listed.bars)
