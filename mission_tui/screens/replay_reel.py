"""The film itself: its events in a list, the whole of it on one row, and the verdicts above."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from textual import events
from textual.geometry import Offset
from textual.message import Message

from mission_tui.play.events import Event
from mission_tui.screens.replay_film import Stamp
from mission_tui.screens.replay_pages import MARKS
from mission_tui.screens.replay_words import clock
from mission_tui.widgets.cells import Canvas, CellGrid, Role, fit

LETTERS: Final[Mapping[str, str]] = {
    "lock": "l",
    "run": "r",
    "run_end": "r",
    "run_cancel": "r",
    "run_resume": "r",
    "claim": "c",
    "move": "m",
    "decision": "d",
    "note": "n",
}
"""The letter of a kind: its sign in the list and on the strip, and the key that jumps to it."""
_RANK: Final = "·nrlcmd≈✗"
"""Of several events in one cell of the strip the later one here is shown."""
_ROLES: Final[Mapping[str, Role]] = {
    "holds": "good",
    "fails": "bad",
    "marginal": "tight",
    "not applicable": "muted",
    "not replayable here": "tight",
}


class Sought(Message):
    """An event was clicked, or the wheel turned: go to it."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place


class Reel(CellGrid):
    """The events, a row each: when, which kind, how recomputing came out, and what happened."""

    HELP: ClassVar[str] = ""

    def __init__(self, film: Sequence[Event], said: Callable[[Event], str], *, id: str) -> None:
        super().__init__(id=id)
        self._film, self._said = film, said
        self._place = self._top = 0
        self._states: Mapping[int, str] = {}
        self._marked: frozenset[int] = frozenset()
        self._known: dict[int, str] = {}
        self._time = len(clock(max((event.mono_ms for event in film), default=0)))

    def show(self, place: int, states: Mapping[int, str], marked: frozenset[int]) -> None:
        """Show the film at a place; ``states`` says by event how recomputing came out."""
        self._place, self._states, self._marked = place, states, marked
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw at the new size."""
        self._draw()

    def on_click(self, event: events.Click) -> None:
        """Go to the event that was clicked."""
        self.post_message(Sought(self._top + event.y))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The next event."""
        event.stop()
        self.post_message(Sought(self._place + 1))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The event before."""
        event.stop()
        self.post_message(Sought(self._place - 1))

    def _draw(self) -> None:
        width, height = self.size
        if not width or not height:
            return
        self._scroll(height)
        canvas = Canvas(width, height)
        for y in range(min(height, len(self._film) - self._top)):
            self._row(canvas, y, self._top + y)
        self.display_canvas(canvas)
        x, y = self.content_region.offset
        self.app.cursor_position = Offset(x, y + self._place - self._top)

    def _scroll(self, height: int) -> None:
        """Keep the place in sight, by pages: a row that stays where it is costs no bytes."""
        if not self._top <= self._place < self._top + height:
            ahead = self._place >= self._top + height
            lead = min(2, height // 3) if ahead else max(0, height - 1 - min(2, height // 3))
            self._top = self._place - lead
        self._top = max(0, min(self._top, len(self._film) - height))

    def _row(self, canvas: Canvas, y: int, place: int) -> None:
        event = self._film[place]
        if place not in self._known:
            self._known[place] = self._said(event)
        here = place == self._place
        letter = LETTERS.get(event.kind, "·")
        role: Role = "chosen" if here else "text" if letter != "·" else "muted"
        if here:
            canvas.put(0, y, "▸".ljust(canvas.width), "chosen")
        x = 2 + self._time
        canvas.put_right(x, y, fit(clock(event.mono_ms), self._time), role)
        canvas.put(x + 1, y, letter, "chosen" if here else "secondary")
        state = self._states.get(event.seq, "")
        if state:
            canvas.put(
                x + 3, y, MARKS.get(state, "◌"), "chosen" if here else _ROLES.get(state, role)
            )
        marked = 1 if event.seq in self._marked else 0
        if marked:
            canvas.put(canvas.width - 1, y, "◂", "chosen" if here else "limit")
        room = canvas.width - x - 5 - 2 * marked
        canvas.put(x + 5, y, fit(self._known[place], room), role)


class Strip(CellGrid):
    """The whole film on one row: a letter where something happened, and where it stands now."""

    DEFAULT_CSS = "Strip { height: 1; }"

    def __init__(self, film: Sequence[Event], *, id: str) -> None:
        super().__init__(id=id)
        self._film = film
        self._place = 0
        self._states: Mapping[int, str] = {}
        self._signs: list[str] = []

    def show(self, place: int, states: Mapping[int, str]) -> None:
        """Show where the film stands."""
        wrong = {seq: state for seq, state in states.items() if state in {"fails", "marginal"}}
        if wrong != self._states:
            self._states, self._signs = wrong, []
        self._place = place
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw at the new size."""
        self._draw()

    def on_click(self, event: events.Click) -> None:
        """Go where the strip was clicked."""
        left, wide = self._track()
        share = (event.x - left) / max(1, wide - 1)
        self.post_message(Sought(round(max(0.0, min(1.0, share)) * (len(self._film) - 1))))

    def _track(self) -> tuple[int, int]:
        """The first column of the track, and how many it has."""
        left = 1 + len(clock(self._film[-1].mono_ms)) + 1
        count = len(str(len(self._film)))
        return left, max(1, self.size.width - left - 2 * count - 3)

    def _draw(self) -> None:
        width, height = self.size
        if not width or not height:
            return
        canvas = Canvas(width, height)
        left, wide = self._track()
        now = self._film[self._place]
        canvas.put_right(left - 1, 0, clock(now.mono_ms), "primary")
        last = max(1, len(self._film) - 1)
        if len(self._signs) != wide:
            self._signs = self._signed(wide)
        for x, sign in enumerate(self._signs):
            role: Role = "axis" if sign == "─" else "bad" if sign in "✗≈" else "text"
            canvas.put(left + x, 0, sign, role)
        canvas.put(left + self._place * (wide - 1) // last, 0, "●", "chosen")
        canvas.put_right(width - 1, 0, f"{self._place}/{len(self._film) - 1}", "text")
        self.display_canvas(canvas)

    def _signed(self, wide: int) -> list[str]:
        """A sign for each column of the track: of the events that share one the chief."""
        signs = ["─"] * wide
        last = max(1, len(self._film) - 1)
        for place, event in enumerate(self._film):
            sign = MARKS.get(self._states.get(event.seq, ""), LETTERS.get(event.kind, "·"))
            cell = place * (wide - 1) // last
            if sign != "·" and _RANK.find(sign) > _RANK.find(signs[cell]):
                signs[cell] = sign
        return signs


class Stamps(CellGrid):
    """The verdicts on one row, a sign and a name each."""

    DEFAULT_CSS = "Stamps { height: 1; }"

    def __init__(self, stamps: Sequence[Stamp], *, id: str) -> None:
        super().__init__(id=id)
        self._stamps = tuple(stamps)
        self._progress = ""

    def show(self, stamps: Sequence[Stamp], progress: str) -> None:
        """Show the verdicts; ``progress`` stands at the one that is still being found."""
        self._stamps, self._progress = tuple(stamps), progress
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw at the new size."""
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        if not width or not height:
            return
        canvas = Canvas(width, height)
        x = 1
        for stamp in self._stamps:
            role = _ROLES.get(stamp.state, "secondary")
            words = f"{MARKS.get(stamp.state, '◌')} {stamp.name}"
            if stamp.state not in MARKS and self._progress:
                words += f" {self._progress}"
            elif stamp.state == "fails":
                words = words.upper()
            x = canvas.put(x, 0, fit(words, max(0, width - x)), role) + 2
        tip = "w: why"
        if x + cell_len(tip) < width:
            canvas.put_right(width - 1, 0, tip, "muted")
        self.display_canvas(canvas)
