"""Pictures that stay put between steps: what moved is what the player moved."""

from __future__ import annotations

from textual.app import App, ComposeResult

from mission_tui.widgets.chart import Axis, Chart, Limit, Mark, Plot
from mission_tui.widgets.memory_map import Holding, Memory, draw

Y = Axis("Accuracy")
X = Axis("Memory", log=True)


def at(x: float, y: float) -> Plot:
    return Plot(X, Y, limits=(Limit("y", 50.0), Limit("x", 100.0)), marks=(Mark(x, y),))


class OneChart(App[None]):
    def compose(self) -> ComposeResult:
        yield Chart(at(1000.0, 90.0))


async def ticks(*plots: Plot) -> list[str]:
    """The row of the x axis' labels, after each of the plots in turn."""
    app = OneChart()
    rows = []
    async with app.run_test(size=(50, 14)):
        chart = app.query_one(Chart)
        for plot in plots:
            chart.show(plot)
            rows.append(chart.as_text().split("\n")[-2])
    return rows


async def test_mark_that_moves_inward_leaves_the_axis_where_it_is():
    before, after = await ticks(at(5000.0, 90.0), at(1000.0, 80.0))
    assert "100" in before
    assert after == before


async def test_axis_widens_for_a_mark_outside_it():
    before, after = await ticks(at(5000.0, 90.0), at(90000.0, 90.0))
    assert "1e+04" in after
    assert after != before


async def test_axis_narrows_when_what_is_shown_fills_little_of_it():
    wide, narrow = await ticks(at(1e9, 90.0), at(5000.0, 90.0))
    assert narrow != wide
    assert [narrow] == await ticks(at(5000.0, 90.0))


def bars(*amounts: float, limit: float) -> list[list[tuple[str, str]]]:
    holdings = tuple(Holding(f"h{n}", amount) for n, amount in enumerate(amounts))
    canvas = draw(Memory(holdings, limit, str), 100.0, 122, 8)
    return [row[22:] for row in canvas.rows[1 : 1 + len(amounts)]]


def test_bar_that_ends_before_the_limit_has_nothing_of_the_alarm_colour():
    (row,) = bars(50.2, limit=50.4)
    assert "bad" not in {role for _, role in row}


def test_thin_bar_across_two_cells_is_drawn():
    _, row = bars(10.8, 0.25, limit=80.0)
    assert [cell for cell, role in row if role == "primary"] != []
