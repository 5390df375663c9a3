"""Missions over a toy model, that a test may spoil before the gate sees them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine import registry
from mission_tui.authoring import gate
from mission_tui.authoring.examine import FULL
from mission_tui.content.load import load

HERE = Path(__file__).parent
BRIEF = replace(FULL, first=60, others=12, line_first=30, seeds=2)
"""Two seeds a deck; the toy's grid is always tried whole."""


@pytest.fixture(scope="module", autouse=True)
def toy() -> Iterator[None]:
    """The toy model, registered while these tests run: others ask for all there are."""
    registry._MODELS["toy"] = "tests.authoring.toy"
    yield
    del registry._MODELS["toy"]


class Copy:
    """A mission of the tests in a folder of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        for file in (f"{name}.toml", "tracks.toml"):
            shutil.copy(HERE / file, folder / file)
        self.path = folder / f"{name}.toml"

    def spoilt(self, *changes: tuple[str, str]) -> Copy:
        """The same with each first text replaced by the second; each must stand there once."""
        text = self.path.read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, (old, text.count(old))
            text = text.replace(old, new)
        self.path.write_text(text, encoding="utf-8")
        return self

    def line(self, words: str) -> int:
        """The line on which some words stand; they stand once."""
        lines = self.path.read_text(encoding="utf-8").split("\n")
        found = [number for number, line in enumerate(lines, start=1) if words in line]
        assert len(found) == 1, (words, found)
        return found[0]

    def check(self) -> gate.Report:
        return gate.check(load(self.path), BRIEF)

    def said(self) -> list[str]:
        return [str(problem) for problem in self.check().problems]


NewCopy = Callable[[str], Copy]


@pytest.fixture
def copy(tmp_path: Path) -> NewCopy:
    return lambda name: Copy(tmp_path, name)
