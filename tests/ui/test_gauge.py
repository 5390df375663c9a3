from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from mission_tui.widgets.gauge import Gauge, Gauges, Reading, bar

BROKEN = Reading("peak memory", "1.31 GB", "≤ 1.00 GB", "−310 MB", 1.31, "BROKEN", "bad")
HOLDS = Reading("accuracy", "84.2 %", "≥ 80 %", "+4.2 pt", 0.9, "holds", "good", "stand-in")


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
            " peak memory       1.31 GB ██████▓▓    −310 MB BROKEN  ≤ 1.00 GB",
            " accuracy           84.2 % █████▍      +4.2 pt holds   ≥ 80 %        stand-in",
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
                Reading(**{f: getattr(HOLDS, f) for f in HOLDS.__slots__} | {"value": "84.3 %"}),
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
