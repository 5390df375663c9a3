"""The workbench of a part as the student saw it: sliders, instruments, what failed.

The pictures are those of :mod:`mission_tui.screens.instruments`; nothing here can be moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from engine.contract import Value
from mission_tui.content.schema import Bars as BarsShape
from mission_tui.content.schema import Curve, Frontier, Part
from mission_tui.content.schema import MemoryMap as MapShape
from mission_tui.play import wording
from mission_tui.play.evaluate import Request
from mission_tui.play.session import Run, Session
from mission_tui.screens import instruments
from mission_tui.screens.instruments import Shown
from mission_tui.screens.replay_words import hollow
from mission_tui.text import clean_line
from mission_tui.widgets.bars import Bars
from mission_tui.widgets.cells import Canvas, CellGrid, fit
from mission_tui.widgets.chart import SMALLEST, Chart, Plot
from mission_tui.widgets.memory_map import MemoryMap
from mission_tui.widgets.slider import SliderSpec

ODD: Final = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What drawing a record raises whose figures are not those of its model: a forgery, not a bug."""
_MAP_ROWS: Final = 8
_LABEL: Final = 13
_VALUE: Final = 15


@dataclass(frozen=True, slots=True)
class Stage:
    """What the instruments showed at one moment.

    ``shown`` is what the ledger records. Where it records nothing (a live part between its runs,
    the crisis as it was found) ``ask`` is what the engine has to be asked, and it was the engine
    that the student saw, too. ``says`` tells which of both it is.
    """

    at: Mapping[str, Value]
    ghost: Run | None
    shown: Shown | None
    ask: Request | None
    says: str


def stage(session: Session) -> Stage:
    """What the instruments of the part being played showed."""
    state = session.state
    if session.follows_sliders:
        at = state.setting
        same = next((run for run in reversed(state.runs) if run.ended and run.setting == at), None)
        ghost = session.baseline(at)
        if same is not None:
            return Stage(at, ghost, same.outcome, None, f"recorded #{same.number}")
        return Stage(at, ghost, None, session.request(at), "computed here")
    flying, last = session.in_flight, session.last_run
    says = f"#{flying.number} under way" if flying is not None else ""
    if last is not None:
        ghost = session.baseline(last.setting)
        says = says or f"recorded #{last.number}"
        return Stage(last.setting, ghost, last.outcome, None, says)
    default = session.part.default
    return Stage(default, None, None, session.request(default), says or "the crisis")


class Controls(CellGrid):
    """The sliders, a row each: label, value, and where it stands on its track."""

    def __init__(self, specs: Mapping[str, SliderSpec]) -> None:
        super().__init__()
        self._specs = specs
        self._values: Mapping[str, Value] = {}
        self._moved: str | None = None

    def show(self, values: Mapping[str, Value], moved: str | None) -> None:
        """Show where they stand; ``moved`` is the one that has just moved."""
        self._values, self._moved = values, moved
        self._draw()

    def get_content_height(self, *_: object) -> int:
        """A row for each."""
        return len(self._specs)

    def on_resize(self, event: events.Resize) -> None:
        """Draw at the new size."""
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        if not width or not height or not self._values:
            return
        canvas = Canvas(width, height)
        for y, (name, spec) in enumerate(self._specs.items()):
            value = self._values[name]
            here = name == self._moved
            canvas.put(0, y, "▸" if here else " ", "secondary")
            canvas.put(1, y, fit(clean_line(spec.label), _LABEL), "strong" if here else "text")
            end = 2 + _LABEL + _VALUE
            shown = spec.written(value if isinstance(value, (int, float)) else str(value))
            canvas.put_right(end, y, fit(shown, _VALUE), "strong" if here else "text")
            wide = width - end - 2
            if wide >= 6:
                last = max(1, spec.stops - 1)
                stands = spec.index_of(value if isinstance(value, (int, float)) else str(value))
                canvas.put(end + 1, y, "─" * wide, "axis")
                rest = spec.index_of(spec.default)
                canvas.put(end + 1 + rest * (wide - 1) // last, y, "┴", "axis")
                canvas.put(end + 1 + stands * (wide - 1) // last, y, "●", "primary")
        self.display_canvas(canvas)


class Bench(Vertical):
    """One part's workbench. As many instruments are shown as there is room for."""

    class Fitted(Message):
        """Other instruments are in sight than before."""

    def __init__(self, part: Part, *, id: str) -> None:
        super().__init__(id=id, classes="bench")
        self._part = part
        self._first = 0
        self._sight: tuple[bool, ...] = ()

    def compose(self) -> ComposeResult:
        """Every instrument of the part, whichever is in sight."""
        specs = {name: instruments.slider_spec(self._part, name) for name in self._part.sliders}
        yield Controls(specs)
        yield Static("", classes="alarm", markup=False)
        for shape in self._part.instruments.values():
            match shape:
                case MapShape():
                    yield MemoryMap()
                case BarsShape():
                    yield Bars()
                case _:
                    yield Chart(Plot(empty="computing …"))

    @cached_property
    def _instruments(self) -> list[MemoryMap | Bars | Chart]:
        return [child for child in self.children if isinstance(child, (MemoryMap, Bars, Chart))]

    def on_mount(self) -> None:
        """Show what fits."""
        self.fit_in()

    def on_resize(self, event: events.Resize) -> None:
        """Show what fits now."""
        self.fit_in()

    def turn(self) -> None:
        """The next instrument comes first."""
        self._first = (self._first + 1) % max(1, len(self._instruments))
        self.fit_in()

    @property
    def hides(self) -> bool:
        """Whether there are instruments that do not fit."""
        return any(not each.display for each in self._instruments)

    def fit_in(self) -> None:
        """Show the first instrument, and those after it that still fit."""
        if not self.size.height:
            return
        room = self.size.height - len(self._part.sliders) - 1
        ordered = [*self._instruments[self._first :], *self._instruments[: self._first]]
        shapes = list(self._part.instruments.values())
        for n, each in enumerate(ordered):
            shape = shapes[self._instruments.index(each)]
            need = _rows(shape, each)
            each.display = n == 0 or need <= room
            room -= need if each.display else 0
        sight = tuple(bool(each.display) for each in self._instruments)
        if sight != self._sight:
            self._sight = sight
            self.post_message(self.Fitted())

    def show(
        self,
        session: Session,
        now: Stage,
        shown: Shown | None,
        moved: str | None,
        figures: Mapping[str, str],
    ) -> bool:
        """Show a moment; False where the record lacks the figures that an instrument needs.

        ``figures`` are those that the mission's texts quote, as far as they are known.
        """
        part = session.part_of(session.part_id)
        whole = True
        try:
            self.query_one(Controls).show(session.state.setting, moved)
        except ODD:
            whole = False
        self._alarm(session, shown, figures)
        for widget, shape in zip(self._instruments, part.instruments.values(), strict=True):
            try:
                self._draw(widget, shape, session, now, shown)
            except ODD:
                whole = False
                if isinstance(widget, Chart):
                    widget.show(Plot(empty="the record lacks its figures"))
        return whole

    def _draw(
        self,
        widget: MemoryMap | Bars | Chart,
        shape: object,
        session: Session,
        now: Stage,
        shown: Shown | None,
    ) -> None:
        if shown is None:
            if isinstance(widget, Chart):
                widget.show(Plot(empty="computing …"))
            return
        if isinstance(widget, MemoryMap):
            if "memory" in shown.series:
                widget.show(instruments.memory(session, shown, now.ghost, now.at))
        elif isinstance(widget, Bars) and isinstance(shape, BarsShape):
            widget.show(instruments.bar_list(session, shape, shown, now.ghost))
        elif isinstance(widget, Chart) and isinstance(shape, (Curve, Frontier)):
            widget.show(instruments.plot(session, shape, shown, now.ghost, now.at))

    def _alarm(self, session: Session, shown: Shown | None, figures: Mapping[str, str]) -> None:
        label = self.query_one(".alarm", Static)
        broken, words = False, "◌ the engine computes what was shown …"
        if shown is not None:
            try:
                found = session.failure(shown.metrics)
                broken = found is not None
                words = "● ALL SPECS HOLD"
                if found is not None:
                    known = {**figures, **wording.measured(session.part, shown.metrics)}
                    text = hollow(found.text.strip(), known)
                    words = f"▲ {found.title}" + ("" if "…" in text else f"  {text}")
            except ODD:
                words = "the record lacks the figures of a spec"
        label.set_class(broken, "-broken")
        label.update(clean_line(words, 300), layout=False)


def _rows(shape: object, widget: MemoryMap | Bars | Chart) -> int:
    """The rows that an instrument needs."""
    if isinstance(shape, MapShape):
        return _MAP_ROWS
    if isinstance(shape, BarsShape):
        return max(4, widget.get_content_height(widget.size, widget.size, widget.size.width))
    return SMALLEST[1]
