"""The instructor's own gradebook: one column is filled in, and nothing else is touched."""

from __future__ import annotations

import csv
import io

import pytest

from mission_tui.grading import canvas
from mission_tui.grading.canvas import CanvasError, fill

BOOK = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Notes,Mission 1 (4711),Final Score\r\n"
    ",,,,,,Manual Posting,\r\n"
    "    Points Possible,,,,,,50.00,(read only)\r\n"
    '"Lovelace, Ada ""A.""",101,S1,ada,"A, B",=own(),12.00,80\r\n'
    "Bob,102,S2,bob,A,,,\r\n"
    '"Noether, Emmy",103,S3,en7,A,,,\r\n'
    "Somebody Else,104,S4,other,A,,7.5,\r\n"
    '"Student, Test",105,,3f2a,A,,,\r\n'
)
SHARES = {"ada": 0.5, "bob": 1.0, "gone": 0.3}


def lines(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_a_column_that_is_there_is_filled_in_out_of_its_points() -> None:
    found = fill(BOOK.encode(), "Mission 1", SHARES, {}, 80.0)
    after, before = found.content.split(b"\r\n"), BOOK.encode().split(b"\r\n")
    changed = [n for n, (a, b) in enumerate(zip(after, before, strict=True)) if a != b]
    assert changed == [3, 4]  # every other line is the same, byte for byte
    table = lines(found.content)
    assert table[3] == ['Lovelace, Ada "A."', "101", "S1", "ada", "A, B", "=own()", "25", "80"]
    assert table[4][6] == "50"
    assert found.filled == ("ada", "bob")
    assert found.without_line == ("gone",)
    assert found.possible == 50.0


def test_a_new_column_is_added_with_its_points_possible() -> None:
    found = fill(BOOK.encode(), "Mission 2", SHARES, {}, 80.0)
    before, after = lines(BOOK.encode()), lines(found.content)
    assert [row[:-1] for row in after] == before
    assert [row[-1] for row in after] == ["Mission 2", "", "80", "40", "80", "", "", ""]


def test_ids_are_surer_than_names_and_names_are_the_rosters() -> None:
    shares = {"104": 0.2, "S3": 0.4, "al": 0.6}
    found = fill(BOOK.encode(), "Mission 1", shares, {"al": "Emmy Noether"}, 80.0)
    table = lines(found.content)
    assert table[6][6] == "10"  # Canvas's own ID
    assert table[5][6] == ""  # SIS User ID and the name both say this line
    assert set(found.doubtful) == {"S3", "al"}
    alone = fill(BOOK.encode(), "Mission 1", {"al": 0.6}, {"al": "Emmy Noether"}, 80.0)
    assert lines(alone.content)[5][6] == "30"
    nobody = fill(BOOK.encode(), "Mission 1", {"x": 0.6}, {"x": ""}, 80.0)
    assert nobody.content == BOOK.encode()


def test_two_lines_of_one_student_are_left_to_a_person() -> None:
    twice = BOOK + "Bob,106,S9,bob,B,,,\r\n"
    found = fill(twice.encode(), "Mission 1", SHARES, {}, 80.0)
    assert found.doubtful == ("bob",)
    assert found.filled == ("ada",)


def test_a_byte_order_mark_semicolons_and_line_breaks_in_cells_stay() -> None:
    book = (
        "\ufeffStudent;ID;SIS Login ID;Section;Mission 1 (1)\n"
        "    Points Possible;;;;10,5\n"
        '"Ada\nL.";1;ada;A;\n'
        "Bob\u2028B;2;bob;A;x\n"
    )
    found = fill(book.encode(), "Mission 1", {"ada": 1.0}, {}, 80.0)
    assert found.content.decode() == book.replace(";ada;A;\n", ";ada;A;10.5\n")


@pytest.mark.parametrize(
    ("book", "column", "says"),
    [
        ("a,b\r\n1,2\r\n", "M", "no exported gradebook"),
        ("", "M", "no exported gradebook"),
        (BOOK, "Final Score", "computes"),
        (BOOK, "Section", "about the students"),
        (BOOK.replace("Notes", "Mission 1"), "Mission 1 ", None),
        (BOOK.replace("Notes", "Mission 1 (9)"), "Mission 1", "several columns"),
        (BOOK + '"open', "Mission 1", "no CSV"),
    ],
)
def test_what_is_no_gradebook_is_refused_in_one_sentence(
    book: str, column: str, says: str | None
) -> None:
    if says is None:
        fill(book.encode(), column, SHARES, {}, 80.0)
        return
    with pytest.raises(CanvasError, match=says):
        fill(book.encode(), column, SHARES, {}, 80.0)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(CanvasError, match="UTF-8"):
        fill(b"Student,ID\xff\n", "M", {}, {}, 1.0)
    with pytest.raises(CanvasError, match="larger"):
        fill(b" " * (canvas.LARGEST + 1), "M", {}, {}, 1.0)
