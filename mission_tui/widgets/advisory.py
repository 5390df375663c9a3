"""A text in a small box: whole where it fits, else cut, with a sign and the key for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len
from textual import events

from mission_tui.widgets.cells import Canvas, CellGrid

REST: Final = "… a: all"
"""What stands at the end of a text that goes on, on a screen whose key ``a`` shows all of it."""


def fitted(text: str, width: int, rows: int, rest: str = REST) -> tuple[str, bool]:
    """The text on ``rows`` lines of ``width`` cells, and whether all of it is there.

    What does not fit is dropped from the last line on, whose end says so.
    """
    lines = [line for paragraph in text.split("\n") for line in _wrapped(paragraph, width)]
    if len(lines) <= rows:
        return "\n".join(lines), True
    kept = lines[: max(rows, 0)]
    if kept:
        last = kept[-1].split(" ")
        while last and cell_len(" ".join(last)) + cell_len(rest) > width:
            last.pop()
        kept[-1] = " ".join(last) + rest
    return "\n".join(kept), False


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Lines of whole words; a word that is wider than a line is left to the box to cut."""
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and cell_len(longer) > width:
            yield line
            longer = word
        line = longer
    yield line


class Advisory(CellGrid):
    """A box of fixed size; what it says never ends in mid-sentence without saying so.

    Mostly a figure in it moves: then only its cells are sent.
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = ""
        self._whole = True

    @property
    def whole(self) -> bool:
        """Whether all of the text is in sight."""
        return self._whole

    def tell(self, text: str) -> None:
        """Show a text."""
        self._text = text
        self._fit()

    def on_resize(self, event: events.Resize) -> None:
        """Show what fits now."""
        self._fit()

    def _fit(self) -> None:
        width, rows = self.content_size
        if width and rows:
            words, self._whole = fitted(self._text, width, rows)
            canvas = Canvas(width, rows)
            for y, line in enumerate(words.split("\n")):
                canvas.put(0, y, line)
            self.display_canvas(canvas)
