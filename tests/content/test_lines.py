from __future__ import annotations

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from mission_tui.content.lines import key_lines, line_of


def test_a_key_stands_on_its_line_below_its_header() -> None:
    lines = key_lines("a = 1\n\n[b.c]\nd = 2\n")
    assert lines == {("a",): 1, ("b",): 3, ("b", "c"): 3, ("b", "c", "d"): 4}


def test_dotted_and_quoted_keys_are_paths() -> None:
    lines = key_lines("""a.b = 1\n'x y' . "z.w" = 2\n[ "p q" . r ]\n"s" = 3\n""")
    assert lines[("a", "b")] == 1
    assert lines[("x y", "z.w")] == 2
    assert lines[("p q", "r")] == 3
    assert lines[("p q", "r", "s")] == 4


def test_a_key_in_an_inline_table_has_the_line_of_its_table() -> None:
    lines = key_lines("x = 1\ntable = { a = 1, b = { c = 2 } }\n")
    assert line_of(lines, ("table", "b", "c")) == 2


@pytest.mark.parametrize(
    "value",
    [
        '"""\nfake = 1\n[fake]\n"""',
        "'''\nfake = 1\n[fake]\n'''",
        '"""one line"""\n\n',
        '"""\nan escaped \\"""\nfake = 1\n"""',
        '"""\ntwo quotes more\nfake = 2"""""',
        '"""a # b\nfake = 1"""',
        '[\n  "fake = 1",\n  "]", # ]\n  1\n]',
        '[\n"""\n]\nfake = 1\n""",\n]',
        "[\n'''\n[[[\nfake = 1\n''',\n]",
        '{ a = """\nfake = 1\n""" }',
        '"[{" # [[[ {{{\n\n',
        '\'a"b\' # """\n\n',
    ],
)
def test_values_over_several_lines_hide_their_fake_keys(value: str) -> None:
    text = f"first = {value}\nlast = 9\n"
    lines = key_lines(text)
    assert ("fake",) not in lines
    assert lines[("last",)] == text.count("\n")
    assert set(tomli.loads(text)) == {path[0] for path in lines}


def test_an_array_of_tables_has_the_line_of_its_first_header() -> None:
    lines = key_lines("[[run]]\nn = 1\n\n[[run]]\nn = 2\n")
    assert lines[("run",)] == 1
    assert lines[("run", "n")] == 2


def test_windows_line_ends_count_once() -> None:
    assert key_lines('a = """\r\nx\r\n"""\r\n[b]\r\nc = 1\r\n')[("b", "c")] == 5


def test_unicode_line_separators_are_no_lines_of_the_file() -> None:
    assert key_lines("a = 'x\u2028y' # \x85 fake = 1\nb = 1\n") == {("a",): 1, ("b",): 2}


def test_the_nearest_known_key_stands_for_an_unknown_one() -> None:
    lines = key_lines("\n[a]\nb = 1\n")
    assert line_of(lines, ("a", "missing", "deeper")) == 2
    assert line_of(lines, ("nowhere",)) == 1


@given(st.text(alphabet="ab.=[]{}\"'#\\\n ", max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    lines = key_lines(text)
    assert all(1 <= n <= text.count("\n") + 1 for n in lines.values())


@pytest.mark.parametrize(
    "text", ['"""\\' * 16_000, "a" * 65_000, "a" + " " * 65_000, "a." * 30_000, "[" * 65_000]
)
def test_a_hostile_file_holds_no_keys_and_does_not_hang(text: str) -> None:
    assert key_lines(text) == {}
