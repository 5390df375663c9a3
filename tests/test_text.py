from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_tui.text import clean, clean_line

ANY_TEXT = st.text(st.characters(codec=None), max_size=300)
UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def unsafe(text: str) -> set[str]:
    return {c for c in text if c != "\n" and unicodedata.category(c) in UNSAFE}


@given(ANY_TEXT, st.integers(1, 400))
def test_clean_leaves_no_unsafe_character_and_keeps_to_the_limit(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert not unsafe(cleaned)
    assert len(cleaned) <= limit


@given(ANY_TEXT, st.integers(1, 400))
def test_cleaning_twice_is_cleaning_once(text: str, limit: int) -> None:
    assert clean(clean(text, limit), limit) == clean(text, limit)


@given(ANY_TEXT)
def test_clean_line_is_one_line(text: str) -> None:
    line = clean_line(text)
    assert "\n" not in line
    assert not unsafe(line)
    assert len(line) <= 200


@pytest.mark.parametrize("category", sorted(UNSAFE))
def test_every_unsafe_category_is_replaced(category: str) -> None:
    members = [chr(n) for n in range(0x110000) if unicodedata.category(chr(n)) == category]
    kept = set(members[:3000]) & set(clean("".join(members[:3000]))) - {"\n"}
    assert members
    assert not kept


@pytest.mark.parametrize(
    "attack",
    [
        "\x1b]52;c;ZXZpbA==\x07",  # clipboard write
        "\x9d52;c;ZXZpbA==\x9c",  # the same in C1
        "\x9b2J",  # C1 clear screen
        "\x1b[2J\x1b[H",
        "a\u202edlrow\u202c",  # bidirectional override
        "a\u2066b\u2069",
        "a\rb",
        "a\x08b",
        "\ufeffa",
        "\ud800",
        "a\u2028b\u2029c\x85d",
        "\U000e0041",  # a tag character
    ],
)
def test_known_attacks_are_defused(attack: str) -> None:
    assert "\N{REPLACEMENT CHARACTER}" in clean(attack)
    assert not unsafe(clean(attack))


def test_ordinary_text_is_untouched() -> None:
    words = "Größe ≤ 4 µW\n日本語, привет, ✓"
    assert clean(words) == words


def test_windows_line_ends_and_tabs_become_plain() -> None:
    assert clean("a\r\nb\tcé") == "a\nb cé"


def test_a_long_text_ends_in_an_ellipsis() -> None:
    assert clean("a" * 50, 10) == "a" * 9 + "…"


def test_what_is_no_text_is_shown_as_text() -> None:
    assert clean(None) == "None"
    assert clean(12) == "12"
