"""What a model has learnt, kept for whoever asks for it again with other prices.

Bytes, joules and promises are accounted after the fact: settings that differ in nothing else
share the learning, which is all that takes time. Rows are made when they are first needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Generic, TypeVar

Row = TypeVar("Row")


class Remembered(Generic[Row]):
    """The rows of a course without an end, each made once and in order. Safe between threads."""

    def __init__(self, source: Iterator[Row]) -> None:
        self._source = source
        self._rows: list[Row] = []
        self._making = Lock()

    def __iter__(self) -> Iterator[Row]:
        """Every row from the first on, without end."""
        at = 0
        while True:
            with self._making:
                if at == len(self._rows):
                    self._rows.append(next(self._source))
                row = self._rows[at]
            yield row
            at += 1
