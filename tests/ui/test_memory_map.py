from __future__ import annotations

from dataclasses import replace

from textual.app import App, ComposeResult

from mission_tui.widgets.memory_map import Holding, Memory, MemoryMap, axis_top, draw


def megabytes(amount: float) -> str:
    return f"{amount / 1e6:.0f} MB"


MEMORY = Memory(
    (
        Holding("weights", 400e6),
        Holding("gradients", 50e6),
        Holding("optimizer", 100e6),
        Holding("activations", 700e6),
    ),
    limit=1e9,
    format=megabytes,
    bet=(0.7e9, 1.2e9),
    previous=0.9e9,
)


class OneMap(App[None]):
    CSS = "MemoryMap { width: 50; }"

    def __init__(self) -> None:
        super().__init__()
        self.map = MemoryMap(MEMORY)

    def compose(self) -> ComposeResult:
        yield self.map


def rows(memory: Memory = MEMORY, top: float = 2e9, height: int = 8) -> list[str]:
    return draw(memory, top, 50, height).as_text().split("\n")


def test_each_bar_starts_where_the_one_above_ends():
    bars = rows()[1:5]
    starts = [next(i for i, c in enumerate(row) if c in "▐█▓▏▎▍▌▋▊▉") for row in bars]
    assert starts[0] == 22  # the axis' zero
    for start, held in zip(starts, (0, 400e6, 450e6, 550e6), strict=True):
        assert abs(start - (22 + held / 2e9 * 28)) <= 1


def test_overflow_has_another_texture_beginning_at_the_limit():
    row = rows()[4]
    assert row.index("▓") == 22 + 14
    assert "▓" not in "".join(rows(replace(MEMORY, limit=1.9e9)))


def test_limit_peak_bet_and_previous_are_written():
    text = "\n".join(rows())
    assert "peak 1250 MB · OVER by 250 MB · was 900 MB" in text
    assert "limit 1000 MB" in text
    assert "╎" in text
    assert "△" in text
    assert rows()[5].startswith("your bet")
    assert rows()[5].index("├") == 22 + int(0.7e9 / 2e9 * 28)


def test_short_map_leaves_out_the_axis_line_but_not_the_limit():
    text = "\n".join(rows(height=7))
    assert "limit 1000 MB" in text
    assert "┬" not in text


def test_axis_stays_while_the_picture_fits_and_moves_when_it_does_not():
    top = axis_top(MEMORY, 0)
    assert axis_top(replace(MEMORY, limit=1.1e9), top) == top
    assert axis_top(replace(MEMORY, limit=top * 1.1), top) > top
    small = Memory((Holding("weights", 1e6),), 2e6, megabytes)
    assert axis_top(small, top) < top / 2


def test_not_finite_amounts_are_drawn_as_nothing():
    memory = replace(MEMORY, holdings=(Holding("weights", float("nan")),), limit=float("inf"))
    assert draw(memory, axis_top(memory, 0), 50, 8).as_text()


def test_map_never_leaves_its_size():
    for width, height in ((1, 1), (20, 3), (50, 8), (140, 12)):
        canvas = draw(MEMORY, 2e9, width, height)
        assert [len(row) for row in canvas.rows] == [width] * height


async def test_a_step_repaints_only_the_rows_that_moved():
    app = OneMap()
    async with app.run_test():
        asked: list[object] = []
        app.map.refresh = lambda *regions, **_: asked.extend(regions)
        app.map.show(
            replace(MEMORY, holdings=(*MEMORY.holdings[:3], Holding("activations", 800e6)))
        )
        assert [region.y for region in asked] == [0, 4]


async def test_every_segment_has_a_style_and_rows_fill_the_width():
    app = OneMap()
    async with app.run_test():
        strips = [app.map.render_line(y) for y in range(8)]
        assert all(segment.style is not None for strip in strips for segment in strip)
        assert {strip.cell_length for strip in strips} == {50}


def test_a_peak_that_did_not_move_is_not_said_twice():
    assert "was" in "\n".join(rows())
    assert "was" not in "\n".join(rows(replace(MEMORY, previous=MEMORY.peak)))


def test_a_bet_on_another_setting_is_labelled_and_dim():
    label = "bet: other setting"
    canvas = draw(replace(MEMORY, bet_label=label, bet_holds_here=False), 2e9, 50, 8)
    assert canvas.as_text().split("\n")[5].startswith(label)
    assert "band" not in {role for _, role in canvas.rows[5]}
    assert "band" in {role for _, role in draw(MEMORY, 2e9, 50, 8).rows[5]}
