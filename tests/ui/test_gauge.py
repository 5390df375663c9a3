from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from mission_tui.widgets.gauge import Gauge, Gauges, Reading, bar

BROKEN = Reading("peak memory", "1.31 GB", "≤ 1.00 GB", "−310 MB", 1.31, "BROKEN", "bad")
HOLDS = Reading(
    "accuracy", "90.0 %", "≥ 80 %", "+10.0 pt", 1.125, "holds", "good", "stand-in", at_least=True
)


class SomeGauges(App[None]):
    def __init__(self, gauges: Gauges) -> None:
        super().__init__()
        self.gauges = gauges

    def compose(self) -> ComposeResult:
        yield self.gauges


async def test_gauges_show_value_headroom_word_limit_and_tag_in_columns():
    app = SomeGauges(Gauges((BROKEN, HOLDS)))
    async with app.run_test(size=(78, 10)):
        assert app.gauges.as_text().split("\n") == [
            " peak memory       1.31 GB █████│▓▓    −310 MB BROKEN  ≤ 1.00 GB",
            " accuracy           90.0 % █████│▋    +10.0 pt holds   ≥ 80 %        stand-in",
        ]


async def test_narrow_gauges_keep_the_words_and_drop_the_bar():
    app = SomeGauges(Gauges((BROKEN,)))
    async with app.run_test(size=(56, 10)):
        text = app.gauges.as_text()
        assert "BROKEN" in text
        assert "−310 MB" in text
        assert "█" not in text


async def test_only_the_changed_row_is_repainted():
    app = SomeGauges(Gauges((BROKEN, HOLDS)))
    async with app.run_test(size=(78, 10)):
        asked: list[object] = []
        app.gauges.refresh = lambda *regions, **_: asked.extend(regions)
        app.gauges.show(
            (
                BROKEN,
                Reading(**{f: getattr(HOLDS, f) for f in HOLDS.__slots__} | {"value": "90.1 %"}),
            )
        )
        assert [(region.y, region.width) for region in asked] == [(1, 1)]


async def test_gauge_is_one_row_and_gauges_grow_with_their_readings():
    app = SomeGauges(Gauge(BROKEN))
    async with app.run_test(size=(78, 10)) as pilot:
        assert app.gauges.size.height == 1
        app.gauges.show((BROKEN, HOLDS))
        await pilot.pause()
        assert app.gauges.size.height == 2
        assert "accuracy" in app.gauges.as_text()


@pytest.mark.parametrize("share", [float("nan"), -1.0, 0.0, 0.3, 1.0, 1.2, 9e9, float("inf")])
def test_bar_always_has_its_width(share):
    assert len(bar(share, 8)) == 8


def test_bar_changes_texture_only_beyond_the_limit():
    assert "▓" not in bar(1.0, 8)
    assert "▓" in bar(1.01, 8)
    assert bar(5.0, 8).endswith("▸")


def filled(drawn: str) -> float:
    """How long a bar is, in cells: eighths count, the mark and what is empty do not."""
    eighths = {cell: n / 8 for n, cell in enumerate(" ▏▎▍▌▋▊▉█")} | {"▓": 1.0, "▸": 1.0}
    return sum(eighths.get(cell, 0.0) for cell in drawn)


@pytest.mark.parametrize("at_least", [False, True])
def test_bar_grows_with_the_value_whichever_way_the_limit_points(at_least):
    drawn = [bar(percent / 100, 8, at_least=at_least) for percent in range(0, 200)]
    lengths = [filled(each) for each in drawn]
    assert lengths == sorted(lengths)
    assert lengths[50] < lengths[80] < lengths[100] < lengths[130]


@pytest.mark.parametrize("at_least", [False, True])
def test_the_limit_stands_still(at_least):
    marks = {bar(share, 8, at_least=at_least).index("│") for share in (0.0, 0.4, 1.0, 1.2, 7.0)}
    assert len(marks) == 1


def test_textures_alone_say_whether_a_spec_is_met():
    assert "░" in bar(0.6, 8, at_least=True)  # what is lacking to the floor
    assert "░" not in bar(0.6, 8)  # room under the cap
    assert set(bar(1.4, 8, at_least=True)) <= set("█│ ▏▎▍▌▋▊▉")
    assert "▓" in bar(1.4, 8)  # too much


def test_what_is_just_short_of_a_floor_does_not_look_full():
    assert "█│" not in bar(0.999, 8, at_least=True)
    assert "█│" in bar(1.0, 8, at_least=True)
