"""A prediction on a number line: the value, its band, and later the truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from mission_tui.text import clean_line

ROOM: Final = math.log(5)
"""How far a new scale goes to either side of a bet, at least: to a fifth, and to five times it."""


@dataclass(frozen=True, slots=True)
class Bet:
    """A value with the band that someone bets four to one on, and the truth once it is known."""

    value: float
    low: float
    high: float
    truth: float | None = None


class Band(Widget):
    """Three rows: the truth, the line, the figures; two while there is no truth.

    Logarithmic where all figures are positive and no ``reach`` says how far a linear scale goes to
    either side. The scale stays as long as the bet fits on it and it is not much too wide, so a
    band that is widened is seen to widen.
    """

    DEFAULT_CSS = """
    Band { height: 3; width: 1fr; }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "band--line",
        "band--bet",
        "band--truth",
        "band--missed",
    }

    def __init__(
        self, show: Callable[[float], str], *, reach: float | None = None, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._show = show
        self._reach = reach
        self._bet: Bet | None = None
        self._scale: tuple[bool, float, float] | None = None  # logarithmic, from, to

    def place(self, bet: Bet | None) -> None:
        """Draw this bet; None draws an empty line."""
        if bet != self._bet:
            self._bet = bet
            self.refresh()

    def render(self) -> Text:
        """The three rows."""
        width = max(20, self.size.width)
        line = self._style("line")
        if self._bet is None:
            return Text.assemble(("·" * width, line), "\n")
        bet = self._bet
        column = self._columns(bet, width)
        marks, rule = [" "] * width, ["─"] * width
        low, value, high = column(bet.low), column(bet.value), column(bet.high)
        rule[low : high + 1] = ["━"] * (high + 1 - low)
        rule[low], rule[high] = "┣", "┫"
        rule[value] = "●"
        labels = Text()
        text = Text("".join(marks))
        if bet.truth is not None:
            at = column(bet.truth)
            held = bet.low <= bet.truth <= bet.high
            name = "truth" if held else "missed"
            label = f"▼ {clean_line(self._show(bet.truth), 20)}"
            if at + len(label) > width:
                label = f"{clean_line(self._show(bet.truth), 20)} ▼"
                text = Text(" " * max(0, at + 1 - len(label)))
            else:
                text = Text(" " * at)
            text.append(label, self._style(name))
        body = Text()
        for n, mark in enumerate(rule):
            body.append(mark, self._style("bet") if low <= n <= high else line)
        labels.append(
            f"{self._show(bet.low)} … {self._show(bet.value)} … {self._show(bet.high)}",
            self._style("bet"),
        )
        return Text("\n").join([body, labels] if bet.truth is None else [text, body, labels])

    def _columns(self, bet: Bet, width: int) -> Callable[[float], int]:
        figures = [f for f in (bet.low, bet.value, bet.high, bet.truth) if f is not None]
        logarithmic = self._reach is None and min(figures) > 0
        place = math.log if logarithmic else float
        ends = place(min(figures)), place(max(figures))
        reach = self._reach or (ROOM if logarithmic else abs(bet.value) or 1.0)
        self._scale = _scale(logarithmic, ends, place(bet.value), reach, self._scale)
        _, low, high = self._scale
        return lambda figure: round((place(figure) - low) / (high - low) * (width - 1))

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"band--{name}", partial=True)


def _scale(
    logarithmic: bool,
    ends: tuple[float, float],
    value: float,
    reach: float,
    before: tuple[bool, float, float] | None,
) -> tuple[bool, float, float]:
    """The ends of the line: those of ``before`` where they serve, else with room to widen."""
    if before is not None and before[0] == logarithmic:
        _, low, high = before
        inside = low <= ends[0] and ends[1] <= high
        if inside and high - low <= 3 * max(ends[1] - ends[0], 2 * reach):
            return before
    low, high = min(ends[0], value - reach), max(ends[1], value + reach)
    pad = (high - low) * 0.08
    return logarithmic, low - pad, high + pad
