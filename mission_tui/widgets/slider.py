"""One control: a label with its value, and a track. Two rows, moved by keys, mouse or typing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message

from mission_tui.text import clean_line
from mission_tui.widgets.cells import Canvas, CellGrid, Role, fit

Value: TypeAlias = float | int | str
Kind: TypeAlias = Literal["float", "integer", "log", "choice"]

_MOST_STOPS = 100_000


@dataclass(frozen=True, slots=True)
class SliderSpec:
    """What a slider controls.

    ``kind`` fixes the stops: ``low + i·step`` (``float``, ``integer``), ``low·step^i`` (``log``,
    where ``step`` is a factor), or one for each of ``choices`` (id, label), whose value is the
    id. The last stop is ``high`` itself. ``role`` tells a *policy* that the player sets from an
    *assumption* about the world. ``format`` writes a value with its unit (default: the value,
    then ``unit``); ``parse`` reads what was typed, or returns None.

    Raises:
        ValueError: no stops, more than 100 000, or a default that is not a choice.
    """

    id: str
    label: str
    kind: Kind
    default: Value
    low: float = 0.0
    high: float = 1.0
    step: float = 0.1
    choices: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    role: Literal["policy", "assumption"] = "policy"
    format: Callable[[Value], str] | None = None
    parse: Callable[[str], Value | None] | None = None

    def __post_init__(self) -> None:
        if self.kind == "choice":
            if self.default not in [key for key, _ in self.choices]:
                raise ValueError(f"{self.id}: the default is not one of the choices")
            return
        if not all(map(math.isfinite, (self.low, self.high, self.step))) or self.low >= self.high:
            raise ValueError(f"{self.id}: low must be less than high, both finite")
        if self.kind == "log" and not (self.low > 0 and self.step > 1):
            raise ValueError(f"{self.id}: a log slider needs low > 0 and a step (factor) > 1")
        if self.step <= 0 or self.stops > _MOST_STOPS:
            raise ValueError(f"{self.id}: the step must be positive and not tiny")

    @property
    def stops(self) -> int:
        """The number of values that the slider can take."""
        if self.kind == "choice":
            return len(self.choices)
        if self.kind == "log":
            steps = math.log(self.high / self.low) / math.log(self.step)
        else:
            steps = (self.high - self.low) / self.step
        return math.ceil(steps - 1e-9) + 1

    def value_at(self, index: int) -> Value:
        """Return the value of stop ``index``, which is clamped to 0 … ``stops`` − 1."""
        index = min(max(index, 0), self.stops - 1)
        if self.kind == "choice":
            return self.choices[index][0]
        if index == self.stops - 1:
            value = self.high
        elif self.kind == "log":
            value = self.low * self.step**index
        else:
            value = self.low + self.step * index
        # Twelve digits take the binary dust off 0.1 + 0.2.
        value = float(f"{value:.12g}")
        return round(value) if self.kind == "integer" else value

    def index_of(self, value: Value) -> int:
        """Return the stop nearest to ``value``; on a log slider, nearest in ratio.

        Raises:
            ValueError: ``value`` is not a choice, or not a finite number.
        """
        if self.kind == "choice":
            keys = [key for key, _ in self.choices]
            if value not in keys:
                raise ValueError(f"{self.id}: {value!r} is not a choice")
            return keys.index(str(value))
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"{self.id}: {value!r} is not finite")
        number = min(max(number, self.low), self.high)
        if self.kind == "log":
            guess = math.log(number / self.low) / math.log(self.step)
        else:
            guess = (number - self.low) / self.step
        near = (math.floor(guess), math.floor(guess) + 1)
        if self.kind == "log":
            return min(near, key=lambda i: abs(math.log(float(self.value_at(i)) / number)))
        return min(near, key=lambda i: abs(float(self.value_at(i)) - number))

    def written(self, value: Value) -> str:
        """Return ``value`` as the player reads it."""
        if self.format is not None:
            text = self.format(value)
        elif self.kind == "choice":
            text = dict(self.choices)[str(value)]
        else:
            text = f"{value:g}" if isinstance(value, float) else str(value)
            text = f"{text} {self.unit}" if self.unit else text
        return clean_line(text, 40)

    def read(self, text: str) -> Value | None:
        """Return the finite number (or choice) that ``text`` means, or None."""
        if self.parse is not None:
            value = self.parse(text)
        else:
            bare = text.strip().removesuffix(self.unit).strip() if self.unit else text.strip()
            try:
                value = float(bare.replace(",", "."))
            except ValueError:
                return None
        if isinstance(value, (int, float)) and not math.isfinite(value):
            return None
        return value


class Slider(CellGrid, can_focus=True):
    """A control of one value on its grid of stops.

    Up and down are left to the parent, which moves between sliders with them.
    """

    @property
    def HELP(self) -> str:  # type: ignore[override]
        """The keys of this slider, and what its track says."""
        chosen = self.spec.kind == "choice"
        direct = "a digit | that choice" if chosen else "digits, then `Enter` | a typed value"
        leave = "" if chosen else " (`Esc` leaves it)"
        marked = "" if chosen else ", marked `┴` on the track"
        role = "`●` on a solid track is a **policy**, yours to set."
        if self.spec.role == "assumption":
            role = "`◇` on a dashed track is an **assumption** about the world."
        return f"""
### Slider
| key | does |
|---|---|
| `←` `→` | one step |
| `Shift+←` `Shift+→` | ten steps |
| `Home` `End` | the limits |
| {direct}{leave} |
| `r` | back to the default{marked} |

{role} The mouse clicks, drags and wheels.
"""

    DEFAULT_CSS = """
    Slider { height: 2; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Less", show=False),
        Binding("right", "step(1)", "More", show=False),
        Binding("shift+left", "step(-10)", "Ten less", show=False),
        Binding("shift+right", "step(10)", "Ten more", show=False),
        Binding("home", "limit('low')", "Lowest", show=False),
        Binding("end", "limit('high')", "Highest", show=False),
        Binding("r", "reset", "Reset", show=False),
    ]

    class Changed(Message):
        """The slider's value became ``value``."""

        def __init__(self, slider: Slider, value: Value) -> None:
            super().__init__()
            self.slider = slider
            self.value = value

        @property
        def control(self) -> Slider:
            """The slider, so that handlers can select by its id."""
            return self.slider

    def __init__(
        self,
        spec: SliderSpec,
        value: Value | None = None,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.spec = spec
        self._index = spec.index_of(spec.default if value is None else value)
        self._entry: str | None = None
        self._note = ""
        self._dragging = False
        self._value_x = 0
        self.disabled = disabled

    @property
    def value(self) -> Value:
        """The present value; setting it goes to the nearest stop and posts ``Changed``."""
        return self.spec.value_at(self._index)

    @value.setter
    def value(self, value: Value) -> None:
        self._go(self.spec.index_of(value))

    @property
    def is_editing(self) -> bool:
        """Whether a value is being typed."""
        return self._entry is not None

    def action_step(self, steps: int) -> None:
        """Move by ``steps`` stops."""
        self._go(self._index + steps)

    def action_limit(self, end: str) -> None:
        """Go to the ``low`` or the ``high`` limit."""
        self._go(0 if end == "low" else self.spec.stops - 1)

    def action_reset(self) -> None:
        """Go back to the default."""
        self.value = self.spec.default

    def _go(self, index: int, note: str = "") -> None:
        index = min(max(index, 0), self.spec.stops - 1)
        moved = index != self._index
        self._index, self._entry, self._note = index, None, note
        self._draw()
        if moved:
            self.post_message(self.Changed(self, self.value))

    # Typing

    def on_key(self, event: events.Key) -> None:
        """Type a value; keys that mean something else are left alone."""
        if self._entry is not None and event.key in ("up", "down", "tab", "shift+tab"):
            self._edit(None)
            return
        if self._entry is None and not self._starts_entry(event):
            return
        event.stop()
        event.prevent_default()
        if self.spec.kind == "choice":
            self._go(int(event.character or "1") - 1)
        elif event.key == "enter":
            self._accept(self._entry or "")
        elif event.key == "escape":
            self._edit(None)
        elif event.key == "backspace":
            self._edit((self._entry or "")[:-1] or None)
        elif event.is_printable and event.character and len(self._entry or "") < 16:
            self._edit((self._entry or "") + event.character)

    def _starts_entry(self, event: events.Key) -> bool:
        character = event.character or ""
        if self.spec.kind == "choice":
            return character in "123456789"[: self.spec.stops] and character != ""
        return event.is_printable and character != "" and character in "0123456789.-+"

    def _edit(self, entry: str | None, note: str = "") -> None:
        self._entry, self._note = entry, note
        self._draw()

    def _accept(self, entry: str) -> None:
        spec = self.spec
        value = spec.read(entry)
        if value is None or isinstance(value, str):
            self._edit(entry, f"no number: {clean_line(entry, 12)}")
            return
        note = ""
        index = spec.index_of(value)
        reached = float(spec.value_at(index))
        if value > spec.high:
            note = f"clamped to most, {spec.written(spec.value_at(index))}"
        elif value < spec.low:
            note = f"clamped to least, {spec.written(spec.value_at(index))}"
        elif not math.isclose(reached, value, rel_tol=1e-9, abs_tol=spec.step * 1e-9):
            note = f"nearest step {spec.written(spec.value_at(index))}"
        self._go(index, note)

    # Mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Set from a click on the track, or step from one on the label's row."""
        at = event.get_content_offset(self)
        if at is None or event.button != 1:
            return
        event.stop()
        if at.y == 0:
            if at.x >= self._value_x:
                half = self._value_x + (self.size.width - self._value_x) // 2
                self.action_step(-1 if at.x < half else 1)
            return
        spans = self._strip()
        if spans and self.spec.kind == "choice":
            for index, (start, text) in enumerate(spans):
                if start <= at.x < start + cell_len(text):
                    self._go(index)
            return
        self._dragging = True
        self.capture_mouse()
        self._go(self._index_at(at.x))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Follow the pointer while its button is down."""
        if self._dragging:
            self._go(self._index_at(event.x - self.gutter.left))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End a drag."""
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """One step more."""
        event.stop()
        self.action_step(1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """One step less."""
        event.stop()
        self.action_step(-1)

    # Drawing

    def on_mount(self) -> None:
        """Redraw when the slider is enabled or disabled, or the focus comes or goes."""
        self.watch(self, "has_focus", self._focus_moved, init=False)
        self.watch(self, "disabled", self._draw, init=False)

    def on_resize(self, event: events.Resize) -> None:
        """Draw at the new size."""
        self._draw()

    def _focus_moved(self, has_focus: bool) -> None:
        if has_focus:
            self._draw()
        else:  # an unfinished entry is dropped
            self._edit(None)

    def _draw(self) -> None:
        width, height = self.size
        if not width or not height:
            return
        canvas = Canvas(width, height)
        focus = self.has_focus
        free = not self.disabled
        label_role: Role = "text" if free else "muted"
        if self.spec.role == "assumption" and free:
            label_role = "what-if"
        elif focus and free:
            label_role = "strong"
        self._draw_value(canvas, label_role)
        if focus:
            canvas.put(0, 0, "▌", label_role)
        if self._note:
            canvas.put(1, 1, fit(self._note, width - 1), "limit")
        elif self._entry is not None:
            span = f"{self.spec.written(self.spec.value_at(0))} … "
            span += self.spec.written(self.spec.value_at(self.spec.stops - 1))
            canvas.put(1, 1, fit(span, width - 1), "muted")
        elif self.spec.kind == "choice":
            self._draw_choices(canvas)
        else:
            self._draw_track(canvas)
        self.display_canvas(canvas)
        if focus:
            x, y = self.content_region.offset
            self.app.cursor_position = Offset(x + self._value_x, y)

    def _draw_value(self, canvas: Canvas, label_role: Role) -> None:
        width = canvas.width
        role: Role = label_role
        if self._entry is not None:
            text, role = f"❯ {self._entry}▏", "primary"
        elif self.disabled:
            text = f"{self.spec.written(self.value)} fixed"
        else:
            less = "◂" if self._index > 0 else " "
            more = "▸" if self._index < self.spec.stops - 1 else " "
            text = f"{less} {fit(self.spec.written(self.value), width - 8)} {more}"
        start = max(1, width - cell_len(text))
        canvas.put(1, 0, fit(clean_line(self.spec.label), max(0, start - 2)), label_role)
        canvas.put(start, 0, fit(text, width - start), role)
        offset = 2 if self._entry is not None or not self.disabled else 0
        self._value_x = start + offset if self._entry is None else width - 1

    def _track(self) -> tuple[int, int, str, str]:
        """Return first cell and width of the track, and the texts of its two ends."""
        spec = self.spec
        width = self.size.width
        low, high = spec.written(spec.value_at(0)), spec.written(spec.value_at(spec.stops - 1))
        if spec.unit:  # the value above has it
            singular = spec.unit.removesuffix("s")
            low, high = (
                end.removesuffix(spec.unit).removesuffix(singular).rstrip() for end in (low, high)
            )
        room = width - 4 - cell_len(low) - cell_len(high)
        if room < 10:
            return 1, max(1, width - 1), "", ""
        return 2 + cell_len(low), room + 1, low, high

    def _index_at(self, x: int) -> int:
        start, wide = self._track()[:2] if self.spec.kind != "choice" else (2, self._rail)
        return round((x - start) / max(wide - 1, 1) * (self.spec.stops - 1))

    def _draw_track(self, canvas: Canvas) -> None:
        start, wide, low, high = self._track()
        role = self._draw_rail(canvas, start, wide, self.spec.index_of(self.spec.default))
        canvas.put(1, 1, low, role)
        canvas.put_right(canvas.width, 1, high, "muted")

    def _draw_rail(self, canvas: Canvas, start: int, wide: int, default: int) -> Role:
        """Draw a rail with the knob where the slider stands; return the role of what is past."""
        most = max(self.spec.stops - 1, 1)
        at = round(self._index / most * (wide - 1))
        mark = round(default / most * (wide - 1))
        policy = self.spec.role == "policy"
        role: Role = "muted" if self.disabled else "primary" if policy else "what-if"
        past, rest, handle = ("━", "─", "●") if policy else ("╍", "╌", "◇")
        if self.disabled:
            past, rest, handle = "┄", "┄", "○"
        track = [past] * at + [handle] + [rest] * (wide - at - 1)
        if mark != at:
            track[mark] = "┷" if mark < at and policy else "┴"
        canvas.put(start, 1, "".join(track[: at + 1]), role)
        canvas.put(start + at + 1, 1, "".join(track[at + 1 :]), "muted")
        return role

    def _strip(self) -> list[tuple[int, str]]:
        """Return (first cell, text) of each choice on the strip; dots when names do not fit.

        Empty where dots do not fit either: then there is a rail.
        """
        labels = [clean_line(label, 24) for _, label in self.spec.choices]
        room = self.size.width - 1
        pitch = 0
        if sum(map(cell_len, labels)) + 2 * len(labels) > room:
            room -= len(self._count) + 1
            pitch = next((n for n in (3, 2) if n * len(labels) <= room), 0)
            if not pitch:
                return []
            labels = ["○"] * len(labels)
        spans: list[tuple[int, str]] = []
        x = 1
        for index, label in enumerate(labels):
            chosen = index == self._index
            if pitch:
                text = f"{'●' if chosen else '○'} ".rjust(pitch)
            else:
                around = "[{}]" if self.spec.role == "policy" else "‹{}›"
                text = around.format(label) if chosen else f" {label} "
            spans.append((x, text))
            x += cell_len(text)
        return spans

    @property
    def _count(self) -> str:
        return f"{self._index + 1} of {self.spec.stops}"

    @property
    def _rail(self) -> int:
        """Cells of a rail; as long whichever choice stands, so that the knob moves alone."""
        return max(1, self.size.width - 4 - len(f"{self.spec.stops} of {self.spec.stops}"))

    def _draw_choices(self, canvas: Canvas) -> None:
        default = self.spec.index_of(self.spec.default)
        strip = self._strip()
        if not strip:
            self._draw_rail(canvas, 2, self._rail, default)
        for index, (start, text) in enumerate(strip):
            role: Role = "muted"
            if index == self._index and not self.disabled:
                role = "primary" if self.spec.role == "policy" else "what-if"
            if index == default and index != self._index and text.strip() == "○":
                text = text.replace("○", "◌")
            canvas.put(start, 1, text, role)
        if not strip or any(text.strip() == "●" for _, text in strip):
            canvas.put_right(canvas.width, 1, self._count, "muted")
