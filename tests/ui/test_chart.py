from __future__ import annotations

import math
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from textual.app import App, ComposeResult

from mission_tui.widgets.cells import BLANK, Canvas, changed_spans
from mission_tui.widgets.chart import Axis, Band, Chart, Limit, Mark, Plot, Series, draw, table

PLOT = Plot(
    x=Axis("sent, GB", 0, 10, format=lambda v: f"{v:.0f} GB"),
    y=Axis("accuracy, %", 0, 100),
    series=(
        Series("fleet", tuple((i / 2, 4.5 * i) for i in range(21))),
        Series("IID twin", ((0, 0), (10, 100)), "secondary", marker="·"),
    ),
    limits=(Limit("x", 6, "cap 6 GB"), Limit("y", 80, "floor")),
    bands=(Band("x", 3, 4),),
    marks=(Mark(9, 40, "#1"), Mark(2, 70, "was", "○", "ghost")),
)


class OneChart(App[None]):
    def __init__(self, plot: Plot | None = None) -> None:
        super().__init__()
        self.chart = Chart(plot)

    def compose(self) -> ComposeResult:
        yield self.chart


def test_widgets_import_without_plotext():
    code = (
        "import sys, mission_tui.widgets.chart, mission_tui.widgets.slider,"
        " mission_tui.widgets.gauge, mission_tui.widgets.memory_map;"
        " sys.exit('plotext' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_chart_shows_legend_limits_band_runs_and_titles():
    text = draw(PLOT, 52, 14).as_text()
    for piece in ("accuracy, %", "⠒⠒ fleet", "· IID twin", "░ your bet", "cap 6 GB", "floor",
                  "#1", "●", "○was", "sent, GB", "10 GB", "╎", "╌"):  # fmt: skip
        assert piece in text


def test_band_is_shaded_without_gaps_over_its_whole_range():
    plot = Plot(x=Axis(low=0, high=10), y=Axis(low=0, high=1), bands=(Band("x", 2, 8, ""),))
    rows = draw(plot, 60, 10).as_text().split("\n")[1:4]
    for row in rows:
        shade = row[row.index("░") : row.rindex("░") + 1]
        assert set(shade) == {"░"}
        assert len(shade) == pytest.approx(0.6 * 58, abs=3)


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (24, 7), (30, 8), (52, 12), (200, 50)])
def test_chart_never_leaves_its_size(size):
    canvas = draw(PLOT, *size)
    assert len(canvas.rows) == size[1]
    assert {len(row) for row in canvas.rows} == {size[0]}


def test_tiny_chart_says_so():
    assert "chart too small" in draw(PLOT, 20, 5).as_text()


@pytest.mark.parametrize("log", [False, True])
def test_infinities_nans_and_zeros_are_left_out_not_raised(log):
    bad = (math.inf, -math.inf, math.nan, 0.0, -1.0)
    points = tuple((value, other) for value in (1.0, *bad) for other in (1.0, *bad))
    plot = Plot(
        x=Axis(log=log),
        y=Axis(log=log),
        series=(Series("a", points), Series("b", points, joined=False)),
        limits=tuple(Limit(axis, value, "l") for axis in "xy" for value in bad),
        bands=tuple(Band("x", value, 2.0) for value in bad),
        marks=tuple(Mark(value, 1.0, "#1") for value in bad),
    )
    assert draw(plot, 50, 12).as_text()
    assert table(plot)


def test_line_far_outside_the_limits_is_clipped_to_the_canvas():
    plot = Plot(
        x=Axis(low=0, high=1),
        y=Axis(low=0, high=1),
        series=(Series("a", ((-1e12, -1e12), (1e12, 1e12))),),
    )
    # Drawn cell by cell this line would never end; its visible part is the diagonal.
    rows = draw(plot, 40, 12).as_text().split("\n")
    columns = [max((i for i, c in enumerate(row) if "⠀" < c <= "⣿"), default=-1) for row in rows]
    drawn = [column for column in columns[1:] if column >= 0]
    assert len(drawn) == 9
    assert drawn == sorted(drawn, reverse=True)


def test_log_axis_is_labelled_at_powers_of_ten():
    plot = Plot(x=Axis(log=True), series=(Series("a", ((1, 1), (1000, 2))),))
    ticks = draw(plot, 50, 10).as_text().split("\n")[-1].split()
    assert ticks == ["1", "10", "100", "1000"]


def test_limit_outside_the_picture_is_named_with_an_arrow():
    plot = Plot(x=Axis(low=0, high=1), y=Axis(low=0, high=1), limits=(Limit("x", 5, "cap"),))
    assert "cap ▸" in draw(plot, 40, 10).as_text()


def test_chart_without_data_says_so():
    assert "no data yet" in draw(Plot(), 40, 10).as_text()


def test_table_has_a_row_for_each_point_limit_and_band():
    rows = table(PLOT)
    assert rows[0] == ["", "sent, GB", "accuracy, %"]
    assert len(rows) == 1 + 21 + 2 + 2 + 2 + 1
    assert ["cap 6 GB", "6 GB", ""] in rows
    assert ["your bet", "3 GB … 4 GB", ""] in rows


def test_texts_of_strangers_are_made_harmless():
    plot = Plot(x=Axis("\x1b]52;c;x\x07"), series=(Series("\x1b[2J", ((0, 0), (1, 1))),))
    assert "\x1b" not in draw(plot, 50, 12).as_text()
    assert "\x1b" not in "".join(cell for row in table(plot) for cell in row)


def test_changed_spans_cover_first_to_last_difference_of_each_row():
    old, new = Canvas(10, 3), Canvas(10, 3)
    new.put(2, 1, "a")
    new.put(6, 1, "b")
    assert changed_spans(old.rows, old.rows) == []
    assert changed_spans(old.rows, new.rows) == [(2, 1, 5, 1)]


def test_wide_character_never_crosses_the_edge():
    canvas = Canvas(3, 1)
    canvas.put(0, 0, "界界")
    assert canvas.rows[0] == [("界", "text"), ("", "text"), BLANK]


async def test_showing_an_equal_plot_repaints_nothing():
    app = OneChart(PLOT)
    async with app.run_test(size=(52, 14)) as pilot:
        await pilot.pause()
        asked: list[object] = []
        app.chart.refresh = lambda *regions, **_: asked.extend(regions)
        app.chart.show(PLOT)
        assert asked == []
        moved = Plot(
            **{**{f: getattr(PLOT, f) for f in PLOT.__slots__}, "marks": (Mark(9, 45, "#1"),)}
        )
        app.chart.show(moved)
        assert 0 < len(asked) < app.chart.size.height
        assert all(region.height == 1 for region in asked)


async def test_every_segment_has_a_style_and_rows_fill_the_width():
    app = OneChart(PLOT)
    async with app.run_test(size=(52, 14)):
        strips = [app.chart.render_line(y) for y in range(14)]
        assert all(segment.style is not None for strip in strips for segment in strip)
        assert {strip.cell_length for strip in strips} == {52}


@pytest.mark.parametrize("theme", ["textual-dark", "ansi-dark", "textual-light"])
async def test_roles_take_the_colours_of_the_theme(theme):
    app = OneChart(PLOT)
    async with app.run_test(size=(52, 14)) as pilot:
        app.theme = theme
        await pilot.pause()
        styles = {s.style.color for y in range(14) for s in app.chart.render_line(y)}
        assert app.chart.get_component_rich_style("cells--primary").color in styles
        assert len(styles) >= 3


async def test_resized_chart_is_drawn_again():
    app = OneChart(PLOT)
    async with app.run_test(size=(52, 14)) as pilot:
        await pilot.resize_terminal(70, 20)
        await pilot.pause()
        assert (app.chart.shown.width, app.chart.shown.height) == (70, 20)


def test_an_axis_of_zeros_makes_up_nothing_below_them():
    shown = draw(Plot(series=(Series("s", ((0.0, 1.0), (0.0, 2.0))),)), 50, 12).as_text()
    assert "-" not in shown.split("\n")[-1]


@pytest.mark.parametrize("y", [48.0, 50.0, 52.0])
def test_no_mark_stands_in_a_limits_label(y):
    limits = (Limit("y", 50.0, "floor"), Limit("x", 4.9, "slice"))
    x, tall = Axis("x", 0, 10), Axis("y", 0, 100)
    for at in range(0, 101):
        marks = (Mark(at / 10, y), Mark(at / 10, 99.0))
        shown = draw(Plot(x, tall, limits=limits, marks=marks), 50, 14).as_text()
        assert "floor" in shown, shown
        assert "slice" in shown, shown


def rows_of(plot: Plot, width: int = 50, height: int = 14) -> list[str]:
    return draw(plot, width, height).as_text().split("\n")


@pytest.mark.parametrize("height", [9, 14, 30])
@pytest.mark.parametrize("log", [False, True])
def test_both_ends_of_each_axis_are_labelled_and_no_label_runs_into_another(log, height):
    for low, high in ((1.0, 64.0), (1.26e6, 1.4e6), (0.983, 1.137), (3.0, 3.0), (22.0, 35.9)):
        points = ((low, low), (high, high))
        axis = Axis("size", log=log, format=lambda v: f"{v:.7g} u")
        rows = rows_of(Plot(axis, axis, series=(Series("", points),)), height=height)
        ticks = re.findall(r"[\d.e+]+ u\b", rows[-2])
        assert len(ticks) >= 2, rows[-2]
        assert float(ticks[0].split()[0]) <= low
        assert float(ticks[-1].split()[0]) >= high
        upright = [row.split("┤")[0].split("├")[0] for row in rows[1:-3]]
        assert " u" in upright[0]
        assert " u" in upright[-1]


def test_a_logarithmic_axis_says_that_it_is_one():
    plot = Plot(Axis("sent", log=True), Axis("loss", log=True), marks=(Mark(1, 1), Mark(90, 9)))
    rows = rows_of(plot)
    assert rows[0].startswith("loss (log)")
    assert rows[-1].endswith("sent (log)")
    assert table(plot)[0] == ["", "sent", "loss"]
    assert "(log)" not in draw(replace(plot, x=Axis("sent"), y=Axis("loss")), 50, 14).as_text()


def test_ends_of_an_axis_are_round_and_near_what_is_drawn():
    plot = Plot(y=Axis(), series=(Series("", ((0.0, 0.9831), (1.0, 1.1372))),))
    rows = rows_of(plot)
    ends = [float(row.split("┤")[0]) for row in (rows[1], rows[-3])]
    assert ends == [1.14, 0.98]


def test_labels_of_limits_do_not_stand_in_each_other():
    for at in range(0, 101, 5):
        limits = (Limit("x", 9.5, "limit"), Limit("y", float(at), "floor"))
        shown = draw(Plot(Axis("", 0, 10), Axis("", 0, 100), limits=limits), 50, 10).as_text()
        assert "limit" in shown, shown
        assert "floor" in shown, shown


def test_a_tick_may_be_shorter_than_what_the_table_says():
    money = Axis("", format=lambda v: f"${v:g} million", tick=lambda v: f"${v:g} M")
    plot = Plot(money, series=(Series("cost", ((1.0, 1.0), (2.0, 2.0))),))
    assert "$1 M" in draw(plot, 50, 12).as_text()
    assert "million" not in draw(plot, 50, 12).as_text()
    assert table(plot)[1][1] == "$1 million"


def test_a_legend_shortens_its_longest_entry_before_it_loses_one():
    labels = ("#1 your plan", "your plan", "size 1, same plan")
    points = ((0.0, 1.0), (1.0, 2.0))
    lines = tuple(Series(label, points, marker=m) for label, m in zip(labels, "abc", strict=True))
    top = rows_of(Plot(series=lines), width=45)[0]
    assert top.startswith("a #1 your plan  b your plan  c size 1, ")
    assert top.endswith("…")
    assert rows_of(Plot(series=lines), width=60)[0].endswith("c size 1, same plan")
