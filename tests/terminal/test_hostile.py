"""Nothing that strangers wrote makes a terminal do anything: raw bytes of every screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terminal import hostile
from tests.terminal.hostile import HOSTILE, MARKS, SCREENS


def check(home: Path, screens: tuple[str, ...], **size: int) -> None:
    env = hostile.plant(home, screens)
    raw, seen = hostile.tour(env, len(screens), **size)
    for name in (each for each in screens if each in MARKS):
        assert MARKS[name] in seen, name
    assert "evil" in seen  # the texts were there, as texts
    assert hostile.foreign(raw) == []


@pytest.mark.soak
def test_no_screen_passes_a_hostile_text_on(tmp_path: Path) -> None:
    check(tmp_path, SCREENS)


@pytest.mark.soak
@pytest.mark.parametrize(("columns", "rows"), [(72, 20), (120, 40), (200, 60)])
def test_no_screen_of_another_size_passes_a_hostile_text_on(
    tmp_path: Path, columns: int, rows: int
) -> None:
    check(tmp_path, SCREENS, columns=columns, rows=rows)


@pytest.mark.soak
def test_the_replay_screen_passes_no_hostile_text_on(tmp_path: Path) -> None:
    raw, seen = hostile.film(tmp_path, hostile.plant(tmp_path, ()))
    assert "evil" in seen
    assert hostile.foreign(raw) == []


@pytest.mark.soak
def test_no_command_prints_a_hostile_text_as_it_is(tmp_path: Path) -> None:
    for name, said in hostile.spoken(tmp_path, hostile.plant(tmp_path, ())).items():
        assert said, name
        assert hostile.foreign(said) == [], name


PIECES = (
    "\x1b]52;c;QQ==\x07", "\x1b]0;title\x07", "\x1b[2J", "\x1b[6n", "\x1bc", "\x1bPq", "\x9b2J",
    "\u202e", "\u200b", "\x00", "\x07", "\x08", "\ue000", HOSTILE,
)  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_a_hostile_piece_among_the_programs_own_bytes_is_found(piece: str) -> None:
    own = (
        b"\x1b[1;38;5;33mA\xe2\x86\x92\x1b[0m\x1b[3;4H\x1b[?25l\x1b[?2026$p\x1b]22;default\x07\r\n"
    )
    assert hostile.foreign(own) == []
    assert hostile.foreign(own + piece.encode() + own)
