"""Progress on long commands: silent in pipes and in the first second, wiped at the end."""

from __future__ import annotations

import io
import time

import pytest

from mission_tui.progress import EVERY, PATIENCE, Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_quick_command_says_nothing(clock: list[float]) -> None:
    out = Terminal()
    with Progress("replaying", out) as told:
        told(1, 10)
        clock[0] += PATIENCE - EVERY
        told(9, 10)
    assert out.getvalue() == ""


def test_a_long_one_says_how_far_it_is_and_what_is_left_and_wipes_it(clock: list[float]) -> None:
    out = Terminal()
    with Progress("replaying", out) as told:
        clock[0] += 2.0
        told(5, 20)
        assert "replaying: 5 of 20, about 6 s left" in out.getvalue()
    assert out.getvalue().endswith("\r\x1b[K")


def test_a_pipe_is_told_nothing(clock: list[float]) -> None:
    out = io.StringIO()
    with Progress("replaying", out) as told:
        clock[0] += 5.0
        told(5, 20)
    assert out.getvalue() == ""
