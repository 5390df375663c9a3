"""The table: no text is computed, and the columns stay."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_tui.grading import csvs, grade
from mission_tui.grading.overrides import Gathered
from mission_tui.grading.row import Row


def test_the_columns_stay() -> None:
    assert ",".join(csvs.COLUMNS[:17]) == (
        "file,student,name,mission,track,attempt,play,driver,seed,"
        "parse,signature,chain,binding,replay,witness,unfinished,events"
    )
    assert len(csvs.COLUMNS) == len(set(csvs.COLUMNS)) == 52


def test_a_row_a_file_with_points_and_their_events(rows: Sequence[Row]) -> None:
    found = grade.graded(rows, Gathered(), None)
    table = list(csv.DictReader(io.StringIO(csvs.written(found))))
    assert [line["file"] for line in table] == [row.file for row in rows]
    for line, each in zip(table, found, strict=True):
        points = sum(float(line[name]) for name in ("locks", "parts", "claims", "control"))
        assert points == pytest.approx(float(line["total"]), abs=0.02)
        assert line["total"] == line["total_by_rubric"]
        assert line["locks_events"] == "3"
        assert (line["table"], line["table_events"]) == ("", "")
        assert line["held"] == "" == line["overrides"]
        assert line["sha256"] == each.row.sha256


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "＝1", " =1", "\x00=1"])
def test_what_a_spreadsheet_computes_is_defused(text: str, rows: Sequence[Row]) -> None:
    hostile = replace(rows[0], student=text, file=text, driver=text, play_id=text)
    (each,) = grade.graded([hostile], Gathered(), None)
    (line,) = csv.DictReader(io.StringIO(csvs.written([each])))
    for column in ("student", "file", "driver", "play"):
        assert line[column][0] in "'�", line[column]


@given(st.text(max_size=40))
def test_no_text_begins_as_a_formula_or_holds_controls(text: str) -> None:
    cell = csvs.text(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
    assert "\x1b" not in cell
    assert "\n" not in cell


def test_numbers_are_numbers() -> None:
    assert [csvs.number(value) for value in (10.0, 3.333333, 0.0, None, 100.0)] == [
        "10",
        "3.33",
        "0",
        "",
        "100",
    ]
