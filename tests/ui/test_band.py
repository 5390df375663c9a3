"""The bet on its line: the scale stays put, so that what moves is what the player moved."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from mission_tui.widgets.band import Band, Bet


class OneBand(App[None]):
    def compose(self) -> ComposeResult:
        yield Band(lambda figure: f"{figure:.4g}")


async def lines(*bets: Bet | None) -> list[list[str]]:
    """What the band draws for each bet in turn."""
    app = OneBand()
    drawn = []
    async with app.run_test(size=(60, 6)):
        band = app.query_one(Band)
        for bet in bets:
            band.place(bet)
            drawn.append(band.render().plain.split("\n"))
    return drawn


@pytest.mark.parametrize("value", [400.0, 0.0, -12.0])
async def test_widening_moves_the_ends_and_not_the_value(value: float) -> None:
    first, second, third = await lines(
        *(Bet(value, value - reach, value + reach) for reach in (1.0, 2.0, 5.0))
    )
    at = {line[0].index("●") for line in (first, second, third)}
    assert len(at) == 1
    assert first[0].count("━") <= second[0].count("━") <= third[0].count("━")


async def test_a_band_that_is_widened_is_seen_to_widen() -> None:
    drawn = await lines(*(Bet(400, 400 / w, 400 * w) for w in (1.1, 1.5, 3.0)))
    widths = [line[0].count("━") for line in drawn]
    assert widths[0] < widths[1] < widths[2]


async def test_a_value_of_another_order_gets_a_scale_of_its_own() -> None:
    (alone,) = await lines(Bet(4e6, 3e6, 5e6))
    _, after = await lines(Bet(400, 300, 500), Bet(4e6, 3e6, 5e6))
    assert after == alone


async def test_the_truths_row_is_there_with_the_truth() -> None:
    empty, bet, revealed = await lines(None, Bet(4, 2, 8), Bet(4, 2, 8, 5))
    assert [len(line) for line in (empty, bet, revealed)] == [2, 2, 3]
    assert "▼ 5" in revealed[0]
