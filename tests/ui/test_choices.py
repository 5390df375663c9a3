"""A list to choose from: digits reach nine lines, arrows all."""

from __future__ import annotations

from textual.app import App, ComposeResult

from mission_tui.screens.watch import _chosen
from mission_tui.widgets.choices import Choices


class Ten(App[None]):
    def compose(self) -> ComposeResult:
        yield Choices([(f"o{n}", f"option {n}") for n in range(1, 11)])


async def test_the_tenth_line_has_no_number_and_is_reached_by_arrows() -> None:
    async with Ten().run_test() as pilot:
        choices = pilot.app.query_one(Choices)
        lines = choices.render().plain.split("\n")
        assert (lines[8].strip(), lines[9].strip()) == ("9 ◇ option 9", "· ◇ option 10")
        for wanted in (8, 9, 0):
            await pilot.press(*_chosen(wanted))
            assert choices.chosen == f"o{wanted + 1}"
            choices.cursor = None
