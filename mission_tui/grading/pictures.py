"""The report's pictures as inline SVG: no scripts, nothing loaded, legible without colour.

Blue and orange are of Okabe and Ito's palette (2008), which the colour-blind can tell apart; and
nothing hangs on them: what is marked has a thicker outline, a sign or a word as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mission_tui.grading.classview import Bin, Course, Spread
from mission_tui.grading.page import Element, el
from mission_tui.play.calibration import AIM, Share
from mission_tui.text import clean_line

BLUE: Final = "#0072B2"
ORANGE: Final = "#E69F00"
PALE: Final = "#9CC9E5"
GRID: Final = "#c9d0d7"
_WIDE: Final = 560
_ROW: Final = 22
_LEFT: Final = 214
_RIGHT: Final = 76
_LETTERS: Final = 30
"""Of a label: more would not fit beside a picture. The table has all of it."""


@dataclass(frozen=True, slots=True)
class Held:
    """A share with the counts that luck alone explains, where there is an aim."""

    label: str
    share: Share
    luck: tuple[int, int] | None = None


def bars(bins: Sequence[Bin], title: str) -> Element:
    """Counts as bars; the truth's is orange, outlined, and says so."""
    most = max([each.count for each in bins], default=0) or 1
    drawn = []
    for n, each in enumerate(bins):
        top, full = n * _ROW + 3, (_WIDE - _LEFT - _RIGHT) * each.count / most
        word = f"{each.count}  ◂ truth" if each.truth else f"{each.count}"
        drawn += [
            _label(_LEFT - 8, top + 12, clean_line(each.label, _LETTERS), "end"),
            _box(_LEFT, top, full, 16, ORANGE if each.truth else BLUE, outlined=each.truth),
            _label(_LEFT + full + 6, top + 12, word),
        ]
    drawn.append(_line(_LEFT, 0, _LEFT, len(bins) * _ROW + 4, 1))
    return _picture(len(bins) * _ROW + 6, title, drawn)


def shares(held: Sequence[Held], title: str) -> Element:
    """Shares from 0 to 100 %, with the aim as a line and what luck explains as a whisker."""
    wide = _WIDE - _LEFT - _RIGHT
    drawn = []
    for n, each in enumerate(held):
        top = n * _ROW * 1.4 + 4
        drawn += [
            _label(_LEFT - 6, top + 12, clean_line(each.label, _LETTERS), "end"),
            _box(_LEFT, top, wide, 16, "#e6ebf0"),
            _box(_LEFT, top, wide * each.share.value, 16, BLUE),
            _label(_LEFT + wide + 5, top + 12, f"{each.share.value * 100:.0f} %"),
        ]
        if each.luck is not None and each.share.of:
            low, high = (count / each.share.of for count in each.luck)
            aim = _LEFT + wide * AIM
            drawn += [
                _line(aim, top - 3, aim, top + 19, 2.5),
                _line(_LEFT + wide * low, top + 19, _LEFT + wide * high, top + 19, 2),
            ]
    return _picture(len(held) * _ROW * 1.4 + 10, title, drawn)


def course(found: Course, title: str, most: int = 24) -> Element:
    """Regret over runs: the median as a line with dots, the quartiles as a band around it."""
    after = found.after[:most]
    tall, left, wide = 230.0, 44.0, _WIDE - 44.0 - 16.0
    ceiling = max(1.0, min(2.0, max(each.high for each in after)))

    def at(n: int, value: float) -> tuple[float, float]:
        step = wide / max(1, len(after) - 1)
        return left + n * step, 8 + tall * (1 - min(value, ceiling) / ceiling)

    upper = [at(n, each.high) for n, each in enumerate(after)]
    lower = [at(n, each.low) for n, each in enumerate(after)]
    middle = [at(n, each.middle) for n, each in enumerate(after)]
    drawn: list[Element] = []
    for value in (0.0, 0.5, 1.0, 1.5, 2.0):
        if value <= ceiling:
            _, y = at(0, value)
            drawn += [
                _line(left, y, _WIDE - 16, y, 1, GRID),
                _label(left - 6, y + 4, f"{value:g}", "end"),
            ]
    band = _points([*upper, *reversed(lower)])
    drawn.append(el("polygon", points=band, fill=PALE, fill_opacity="0.8"))
    drawn.append(
        el("polyline", points=_points(middle), fill="none", stroke=BLUE, stroke_width="2.5")
    )
    every = -(-len(after) // 12)
    for n, (x, y) in enumerate(middle):
        drawn.append(el("circle", cx=_n(x), cy=_n(y), r="3", fill=BLUE))
        if n % every == 0:
            drawn.append(_label(x, tall + 26, f"#{n + 1}", "middle"))
    return _picture(tall + 34, title, drawn)


def spreads(found: Sequence[tuple[str, Spread]], unit: str, title: str) -> Element:
    """Quartiles as a box with the median as a thick line, from the least to the most."""
    wide, most = _WIDE - _LEFT - _RIGHT, max([s.most for _, s in found], default=0.0) or 1.0
    drawn = []
    for n, (label, each) in enumerate(found):
        top = n * _ROW * 1.2 + 4

        def x(value: float) -> float:
            return _LEFT + wide * value / most

        drawn += [
            _label(_LEFT - 6, top + 11, clean_line(label, _LETTERS), "end"),
            _line(x(each.least), top + 7, x(each.most), top + 7, 1),
            _box(x(each.low), top, max(1.0, x(each.high) - x(each.low)), 14, PALE, outlined=True),
            _line(x(each.middle), top - 1, x(each.middle), top + 15, 3.5),
            _label(_LEFT + wide + 5, top + 11, f"{each.middle:.1f} {unit}"),
        ]
    return _picture(len(found) * _ROW * 1.2 + 8, title, drawn)


def _picture(tall: float, title: str, drawn: Sequence[Element]) -> Element:
    box = f"0 0 {_WIDE} {_n(tall)}"
    named = el("title", clean_line(title, 200))
    return el("svg", named, *drawn, viewBox=box, role="img", xmlns="http://www.w3.org/2000/svg")


def _box(
    x: float, y: float, wide: float, tall: float, fill: str, *, outlined: bool = False
) -> Element:
    edge = {"stroke": "#16202a", "stroke_width": "1.5"} if outlined else {}
    return el("rect", x=_n(x), y=_n(y), width=_n(wide), height=_n(tall), fill=fill, **edge)


def _line(
    x: float, y: float, to_x: float, to_y: float, width: float, colour: str = "#16202a"
) -> Element:
    return el(
        "line",
        x1=_n(x),
        y1=_n(y),
        x2=_n(to_x),
        y2=_n(to_y),
        stroke=colour,
        stroke_width=_n(width),
    )


def _label(x: float, y: float, text: str, anchor: str = "start") -> Element:
    return el("text", text, x=_n(x), y=_n(y), text_anchor=anchor)


def _points(found: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in found)


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
