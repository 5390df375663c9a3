"""Bars: one scale, labels, and where each ended before."""

from __future__ import annotations

from mission_tui.widgets.bars import Bar, BarList, draw


def shown(*bars: Bar) -> BarList:
    return BarList("Where the joules go", bars, lambda value: f"{value:.0f} J")


def test_bars_share_one_scale_from_zero() -> None:
    rows = draw(shown(Bar("forward", 10), Bar("backward", 20), Bar("radio", 0)), 60, 5).as_text()
    title, forward, backward, radio, *_ = rows.splitlines()
    assert title == "Where the joules go"
    assert "10 J" in forward
    assert "20 J" in backward
    assert abs(2 * forward.count("█") - backward.count("█")) <= 2
    assert "█" not in radio


def test_what_a_bar_was_is_marked_where_it_shrank() -> None:
    rows = (
        draw(shown(Bar("forward", 10, 20), Bar("backward", 20, 20)), 60, 4).as_text().splitlines()
    )
    assert "△" in rows[1]
    assert "△" not in rows[2]


def test_rows_that_do_not_fit_are_counted_and_narrow_ones_keep_their_numbers() -> None:
    many = shown(*(Bar(f"part {n}", n) for n in range(9)))
    assert "+5" in draw(many, 60, 5).as_text()
    assert "8 J" in draw(shown(Bar("part 8", 8)), 22, 3).as_text()
