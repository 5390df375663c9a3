"""Grids of styled cells, and a widget that repaints only the cells that changed.

Textual repaints whatever region it is told to and compares nothing, so the comparing is done
here: a widget draws itself into a :class:`Canvas`, and :class:`CellGrid` refreshes, row by row,
the span between the first and the last cell that differ. One span a row, because Textual writes
a row from the widget's left edge up to the end of each span: two spans would cost more than one.

Roles, not colours: a cell names what it means and the theme decides how that looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, TypeAlias

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from mission_tui.text import clean

Role: TypeAlias = Literal[
    "", "text", "strong", "muted", "axis", "primary", "secondary", "limit", "ghost", "band",
    "good", "tight", "bad", "what-if", "chosen",
]  # fmt: skip
Cell: TypeAlias = tuple[str, Role]

BLANK: Cell = (" ", "")


def one_line(text: str) -> str:
    """Return ``text`` safe to draw on one row; spacing is kept, a line break becomes a space."""
    if text.isascii() and text.isprintable():
        return text
    return clean(text).replace("\n", " ")


def fit(text: str, width: int) -> str:
    """Return ``text`` cut to at most ``width`` cells, ending in an ellipsis if it was longer."""
    text = one_line(text)
    if cell_len(text) <= width:
        return text
    kept = ""
    room = width - 1
    for character in text:
        room -= get_character_cell_size(character)
        if room < 0:
            break
        kept += character
    return kept + "…" if width > 0 else ""


class Canvas:
    """A ``width`` × ``height`` grid of cells; what is put outside it is dropped.

    A character two cells wide fills one cell and leaves the next one empty (``""``); marks that
    combine join the cell before them.
    """

    __slots__ = ("height", "rows", "width")

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.rows: list[list[Cell]] = [[BLANK] * width for _ in range(height)]

    def put(self, x: int, y: int, text: str, role: Role = "text") -> int:
        """Draw ``text`` from cell (``x``, ``y``) to the right; return the cell after it."""
        if not 0 <= y < self.height:
            return x + cell_len(text)
        row = self.rows[y]
        for character in one_line(text):
            wide = get_character_cell_size(character)
            if wide == 0:
                if 0 < x <= self.width:
                    row[x - 1] = (row[x - 1][0] + character, row[x - 1][1])
                continue
            if x >= 0 and x + wide <= self.width:
                row[x] = (character, role)
                if wide == 2:
                    row[x + 1] = ("", role)
            x += wide
        return x

    def put_right(self, end: int, y: int, text: str, role: Role = "text") -> int:
        """Draw ``text`` so that it ends before cell ``end``; return the cell where it begins."""
        start = end - cell_len(one_line(text))
        self.put(start, y, text, role)
        return start

    def is_free(self, x: int, y: int, width: int) -> bool:
        """Whether ``width`` cells from (``x``, ``y``) lie inside and are blank or mere shade."""
        inside = 0 <= y < self.height and x >= 0 and x + width <= self.width
        return inside and all(cell[0] in " ░" for cell in self.rows[y][x : x + width])

    def as_text(self) -> str:
        """Return the characters alone, a line a row, without trailing spaces."""
        return "\n".join("".join(cell[0] for cell in row).rstrip() for row in self.rows)


def changed_spans(old: Sequence[Sequence[Cell]], new: Sequence[Sequence[Cell]]) -> list[Region]:
    """Return one region for each row that differs, from its first to its last differing cell.

    Both grids have the same size.
    """
    spans = []
    for y, (before, after) in enumerate(zip(old, new, strict=True)):
        if before == after:
            continue
        differs = [a != b for a, b in zip(before, after, strict=True)]
        first = differs.index(True)
        last = len(differs) - differs[::-1].index(True)
        spans.append(Region(first, y, last - first, 1))
    return spans


class CellGrid(Widget):
    """A widget that shows a :class:`Canvas` and repaints only what changed in it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "cells--text", "cells--strong", "cells--muted", "cells--axis", "cells--primary",
        "cells--secondary", "cells--limit", "cells--ghost", "cells--band", "cells--good",
        "cells--tight", "cells--bad", "cells--what-if", "cells--chosen",
    }  # fmt: skip

    # No alpha here: `ansi-*` themes cannot blend, so what should recede is dim instead.
    DEFAULT_CSS = """
    CellGrid {
        height: auto;
        & > .cells--text { color: $foreground; }
        & > .cells--strong { color: $foreground; text-style: bold; }
        & > .cells--muted { color: $foreground; text-style: dim; }
        & > .cells--axis { color: $foreground; text-style: dim; }
        & > .cells--primary { color: $primary; }
        & > .cells--secondary { color: $accent; }
        & > .cells--limit { color: $warning; text-style: bold; }
        & > .cells--ghost { color: $foreground; text-style: dim; }
        & > .cells--band { color: $secondary; }
        & > .cells--good { color: $success; }
        & > .cells--tight { color: $warning; }
        & > .cells--bad { color: $error; text-style: bold; }
        & > .cells--what-if { color: $secondary; text-style: italic; }
        & > .cells--chosen { color: $primary; text-style: bold reverse; }
    }
    """

    def __init__(
        self, *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._shown = Canvas(0, 0)

    @property
    def shown(self) -> Canvas:
        """The canvas now on display."""
        return self._shown

    def display_canvas(self, canvas: Canvas) -> None:
        """Show ``canvas`` and mark for repaint only the cells in which it differs."""
        before, self._shown = self._shown, canvas
        if (before.width, before.height) != (canvas.width, canvas.height):
            self.refresh()
            return
        spans = changed_spans(before.rows, canvas.rows)
        if spans:
            self.refresh(*spans)

    def as_text(self) -> str:
        """Return what is displayed as plain text, for tests and screen readers."""
        return self._shown.as_text()

    def render_line(self, y: int) -> Strip:
        """Return row ``y``: one segment for each run of a role; every segment has a style."""
        plain = self.get_component_rich_style("cells--text")
        if y >= self._shown.height:
            return Strip([Segment(" " * self.size.width, plain)], self.size.width)
        segments: list[Segment] = []
        text = ""
        style: Style | None = None
        for cell in self._shown.rows[y]:
            if cell == BLANK:
                # A blank needs no colour of its own: it rides along in the run before it.
                if style is not None and (style.reverse or style.underline):
                    segments.append(Segment(text, style))
                    text, style = "", None
                text += " "
                continue
            wanted = self.get_component_rich_style(f"cells--{cell[1] or 'text'}")
            if style is not None and wanted != style:
                segments.append(Segment(text, style))
                text = ""
            elif style is None and text and (wanted.reverse or wanted.underline):
                segments.append(Segment(text, plain))
                text = ""
            style = wanted
            text += cell[0]
        if text:
            segments.append(Segment(text, style or plain))
        return Strip(segments, self._shown.width)
