"""A list to choose from: digits reach ten lines, arrows all, and one list has the keys."""

from __future__ import annotations

from textual.app import App, ComposeResult

from mission_tui.screens.watch import _chosen
from mission_tui.widgets.choices import Choices

LONG = "tax: weeks that releases wait for others before anybody can use what they hold"


class Listed(App[None]):
    CSS = """
    #narrow { width: 30; }
    Choices { & > .choices--key { color: blue; } & > .choices--away { color: red; } }
    """

    def __init__(self, count: int = 12) -> None:
        super().__init__()
        self._count = count

    def compose(self) -> ComposeResult:
        options = [(f"o{n}", f"option {n}") for n in range(1, self._count + 1)]
        yield Choices(options, shared=True)
        yield Choices([("short", "short"), ("long", LONG)], id="narrow", shared=True)
        yield Choices([("a", "A"), ("b", "B")], id="alone")


async def test_ten_lines_have_a_digit_and_the_rest_is_reached_by_arrows() -> None:
    async with Listed().run_test() as pilot:
        choices = pilot.app.query(Choices).first()
        lines = [line.strip() for line in choices.render().plain.split("\n")]
        assert lines[8:11] == ["9 ◇ option 9", "0 ◇ option 10", "· ◇ option 11"]
        for wanted in (8, 9, 0, 10, 11):
            choices.cursor = 0
            await pilot.press(*_chosen(wanted))
            assert choices.chosen == f"o{wanted + 1}"


async def test_zero_is_no_key_of_a_shorter_list() -> None:
    async with Listed(9).run_test() as pilot:
        await pilot.press("0")
        assert pilot.app.query(Choices).first().chosen is None


async def test_the_cursor_comes_with_the_focus_and_chooses_nothing() -> None:
    async with Listed().run_test() as pilot:
        first, second, _ = pilot.app.query(Choices)
        assert first.render().plain.startswith("▸1 ◇")
        assert "▸" not in second.render().plain
        await pilot.press("tab")
        assert second.render().plain.startswith("▸1 ◇")
        assert "▸" not in first.render().plain
        assert (first.chosen, second.chosen) == (None, None)
        await pilot.press("down", "enter")
        assert second.chosen == "long"


async def test_a_cut_line_is_told_in_full_below_the_list_under_the_cursor() -> None:
    async with Listed().run_test(size=(80, 30)) as pilot:
        narrow = pilot.app.query_one("#narrow", Choices)
        assert narrow.size.height == 2
        await pilot.press("tab")
        await pilot.pause()
        rows = narrow.size.height
        assert rows > 3
        assert len(narrow.render().plain.split("\n")) == 2
        await pilot.press("down")
        await pilot.pause()
        assert narrow.size.height == rows  # nothing moves with the cursor
        below = narrow.render().plain.split("\n")[2:]
        assert " ".join(line.strip() for line in below) == LONG
        await pilot.click("#narrow", offset=(3, rows - 1))  # those rows are no options
        assert narrow.chosen is None
        await pilot.press("tab")
        await pilot.pause()
        assert narrow.size.height == 2


async def test_keys_that_do_not_work_now_are_drawn_otherwise() -> None:
    async with Listed().run_test() as pilot:
        narrow = pilot.app.query_one("#narrow", Choices)
        away = narrow.render().spans[0].style
        await pilot.press("tab")
        assert narrow.render().spans[0].style != away


async def test_enter_from_habit_chooses_nothing_in_a_list_that_is_alone() -> None:
    async with Listed().run_test() as pilot:
        alone = pilot.app.query_one("#alone", Choices)
        pilot.app.set_focus(alone)
        await pilot.press("enter")
        assert (alone.chosen, alone.cursor) == (None, None)
        await pilot.press("down", "enter")
        assert alone.chosen == "a"


async def test_what_is_closed_stands() -> None:
    async with Listed().run_test() as pilot:
        narrow = pilot.app.query_one("#narrow", Choices)
        await pilot.press("tab", "2")
        narrow.is_closed = True
        await pilot.press("1", "up", "enter")
        await pilot.click("#narrow", offset=(2, 0))
        assert narrow.chosen == "long"
        assert "▸" not in narrow.render().plain


async def test_the_cursor_stays_in_sight_in_a_list_that_is_longer_than_its_room() -> None:
    async with Listed(30).run_test(size=(40, 12)) as pilot:
        first = pilot.app.query(Choices).first()
        for key in (*["down"] * 29, *["up"] * 29):
            await pilot.press(key)
            await pilot.pause()
            assert first.cursor is not None
            assert 0 <= first.region.y + first.cursor < 12
