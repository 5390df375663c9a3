"""An author's loop in a real pseudo-terminal: a file is saved, and the game follows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mission_tui.authoring import new
from tests.terminal.screen import CTRL_Q, DOWN, ENTER, ESCAPE, RIGHT, Terminal, environment

pytestmark = pytest.mark.soak

CTRL_N, CTRL_R, CTRL_B = "\x0e", "\x12", "\x02"
F2, F3 = "\x1bOQ", "\x1bOR"


@pytest.fixture
def mission(tmp_path: Path) -> Path:
    """A new live mission."""
    return new.create("first", "live", tmp_path / "course")[0]


@pytest.fixture
def preview(mission: Path, tmp_path: Path) -> Iterator[Terminal]:
    """The preview of it, at its lock."""
    with Terminal("preview", str(mission), "--part", "wall", env=environment(tmp_path)) as terminal:
        terminal.wait("PREVIEW", "YOUR NUMBER")
        yield terminal


def edit(path: Path, before: str, after: str) -> None:
    """Save the file with one text changed."""
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, after), encoding="utf-8")


def to_workbench(terminal: Terminal) -> None:
    """The reference seals the lock."""
    terminal.press(CTRL_N).wait("OUT OF MEMORY")


def test_lock_gates_and_one_key_has_the_reference_pass_it(preview: Terminal) -> None:
    assert "OUT OF MEMORY" not in preview.text
    preview.press(ENTER).wait("Write a number")
    to_workbench(preview)
    assert "PREVIEW" in preview.text


def test_each_save_is_shown_and_the_sliders_stay(preview: Terminal, mission: Path) -> None:
    to_workbench(preview)
    preview.press(DOWN).wait("▌Batch").press("\x1b[D").wait("16 samples")
    edit(mission, 'label = "Batch"', 'label = "At a time"')
    preview.wait("At a time", "16 samples")
    # A rule: the limit. Runs would be gone, and the sliders still stay.
    edit(mission, "value = 80e6", "value = 190e6")
    preview.wait("190 MB", "16 samples")


def test_errors_stand_over_the_last_good_version_and_go_with_the_repair(
    preview: Terminal, mission: Path
) -> None:
    to_workbench(preview)
    line = mission.read_text().split("\n").index('metric = "peak_memory"') + 1
    edit(mission, 'metrics = ["peak_memory", "accuracy"]', 'metrics = ["peak_memry", "accuracy"]')
    preview.wait("the last good version stands", "parts.wall.claim.metrics", "'peak_memry'")
    where = re.search(r"first\.toml:(\d+): parts\.wall\.claim\.metrics: ", preview.text)
    assert where is not None
    assert mission.read_text().split("\n")[int(where[1]) - 1].startswith("metrics = [")
    assert int(where[1]) > line
    preview.press(F2).wait("Esc closes")
    preview.press(ESCAPE).until(lambda: "Esc closes" not in preview.text, "the panel closes")
    edit(mission, '"peak_memry"', '"peak_memory"')
    preview.until(lambda: "the last good version" not in preview.text, "the problem goes")
    assert "OUT OF MEMORY" in preview.text


def test_broken_file_opens_as_soon_as_it_is_repaired(mission: Path, tmp_path: Path) -> None:
    edit(mission, "schema = 1", "schema = 2")
    with Terminal("preview", str(mission), env=environment(tmp_path)) as terminal:
        terminal.wait("It can't be played yet", "first.toml:8: schema: must be 1")
        edit(mission, "schema = 2", "schema = 1")
        terminal.wait("INCOMING")


def test_sliders_are_written_as_lines_of_the_file(preview: Terminal) -> None:
    to_workbench(preview)
    preview.press(RIGHT).wait("last 3 layers").press(F3)
    preview.wait('tuning = "last"', "batch = 32", 'optimizer = "adam"')


def test_reference_plays_to_the_debrief_and_nothing_is_ever_saved(
    preview: Terminal, tmp_path: Path
) -> None:
    to_workbench(preview)
    for text in ("THE ENGINE SAYS", "YOUR CLAIM", "signs its ledger"):
        preview.press(CTRL_N).wait(text)
    preview.press(ENTER).wait("never saved")
    preview.press(CTRL_R).wait("YOUR NUMBER").press(CTRL_B).wait("INCOMING")
    preview.press(CTRL_Q)
    assert preview.end() == 0
    assert not list((tmp_path / "saves").rglob("*"))
    assert not list(tmp_path.rglob("*.jsonl"))
    assert not list(tmp_path.rglob("*.ledger.json"))


def test_preview_that_rests_sends_no_bytes(preview: Terminal) -> None:
    to_workbench(preview)
    preview.quiet(4.0)
    assert preview.bytes_within(2.0) == 0
