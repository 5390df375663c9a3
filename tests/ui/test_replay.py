"""The replay screen: stepping through a play, what it shows, and points by hand."""

from __future__ import annotations

import threading
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input, Static

from mission_tui.grading import marks
from mission_tui.ledger import desk
from mission_tui.play.events import Event
from mission_tui.play.session import Session
from mission_tui.screens.replay import ReplayScreen
from mission_tui.screens.replay_bench import Bench
from mission_tui.screens.replay_film import EVERY, Film, Receipted, Seen, Takes
from mission_tui.screens.replay_mark import MarkScreen
from mission_tui.screens.replay_reel import Sought
from mission_tui.screens.replay_words import clock, said
from tests.ui import replaying
from tests.ui.playing import SIZE, Player, shows, text, until
from tests.ui.replaying import press, rested, sealed, shown
from tests.ui.test_screens_goldens import GOLDENS, RENEW

BAD = "\x1b]52;c;AAAA\x07\x1b[31337m\x9b31m\u202eevil\u2066\u200b\u0000"


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def film(tmp_path: Path) -> Film:
    return replaying.film(sealed(tmp_path))


def place(kind: str, which: int = 0) -> int:
    """Where the play has an event of a kind."""
    return [n for n, event in enumerate(replaying.play()) if event.kind == kind][which]


def is_golden(screen: ReplayScreen, name: str) -> None:
    """Hold the screen against its golden, or renew that."""
    seen = text(screen.app).splitlines()
    path = GOLDENS / f"replay-{name}.txt"
    if RENEW:
        path.write_text("\n".join(seen) + "\n", encoding="utf-8")
    assert len(seen) == SIZE[1]
    assert max(map(len, seen)) <= SIZE[0]
    assert seen == path.read_text(encoding="utf-8").splitlines(), f"renew {path.name}?"


def page(screen: ReplayScreen) -> str:
    """The text of the open page."""
    return str(screen.query_one("#text", Static).content)


async def go(pilot: Player, screen: ReplayScreen, there: int) -> None:
    """Go to an event, as a click on the strip does."""
    screen.post_message(Sought(there))
    await rested(pilot, screen)
    assert screen.place == there


# -- what is seen ------------------------------------------------------------------------------


async def test_a_film_at_80_by_24(film: Film) -> None:
    async with shown(film) as (screen, pilot):
        await press(pilot, screen, "l")
        is_golden(screen, "lock")
        await press(pilot, screen, "r")
        is_golden(screen, "run")
        await press(pilot, screen, "right")
        is_golden(screen, "control")
        await press(pilot, screen, "i")  # the next instrument, where both do not fit
        assert "floor" in text(screen.app)
        assert "activations" not in text(screen.app)
        await press(pilot, screen, "r", "2")
        is_golden(screen, "figures")
        await press(pilot, screen, "c", "3")
        is_golden(screen, "words")
        await press(pilot, screen, "1")
        assert f"“{replaying.ANSWER}”" in page(screen)
        revealed = [n for n, e in enumerate(film.events) if e.data.get("screen") == "reveal"]
        await go(pilot, screen, revealed[0])
        assert "value miss, why miss" in page(screen)
        await press(pilot, screen, "end")
        assert "closes: 0 of 1 parts passed" in text(screen.app)
        assert "◼ CLOSED" in page(screen)
        await press(pilot, screen, "C", "4")
        is_golden(screen, "points")
        await pilot.press("g")
        await until(pilot, lambda: isinstance(screen.app.screen, MarkScreen))
        await shows(pilot, "REASON")
        is_golden(screen, "mark")


async def test_verdicts_say_why_and_what_else_is_known(film: Film) -> None:
    async with shown(replace(film, notes=("played by bot:random",))) as (_, pilot):
        await pilot.press("w")
        await shows(pilot, "no receipt from a witness", "· played by bot:random")


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (1.0, "✓ #3   Peak memory      before the reveal, 2026-01-01 00:00:22 UTC"),
        (300.0, "≈ #3   Peak memory      late, 2026-01-01 00:05:21 UTC"),
    ],
)
async def test_verdicts_have_each_prediction_beside_its_receipt(
    tmp_path: Path, after: float, words: str
) -> None:
    path = sealed(tmp_path)
    folder = replaying.witnessed(path, tmp_path / "witness", after=after)
    known = desk.opened(receipt=folder)
    async with shown(replaying.film(path, known)) as (_, pilot):
        await pilot.press("w")
        await shows(pilot, words)


async def test_a_prediction_without_a_receipt_is_said(tmp_path: Path) -> None:
    some = replaying.film(sealed(tmp_path), receipts=(Receipted(3, "none"),))
    for shown_film in (some, replace(some, mission=None, recompute=None)):
        async with shown(shown_film, settled=False) as (_, pilot):
            await pilot.press("w")
            await shows(pilot, "– #3 ", "no receipt before the reveal")


async def test_wide_terminal_without_colour_shows_figures_beside_the_state(
    film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with shown(film, (140, 40)) as (screen, pilot):
        assert screen.app.no_color
        await press(pilot, screen, "r")
        seen = text(screen.app)
        assert "OUT OF MEMORY" in seen
        assert "recorded  recomputed" in seen
        await press(pilot, screen, "v", "v")
        assert "OUT OF MEMORY" in text(screen.app)
        assert "by the rubric" in text(screen.app)


def test_words_of_unreadable_events_are_what_stands_in_the_file() -> None:
    odd = Event(3, "lock", "memory", 0, "w", {"lock": "no such", "value": [1]})
    assert said(replaying.mission(), odd) == "lock no such · value […]"
    assert said(replaying.mission(), replace(odd, kind="dance", part=None)).startswith("lock no")
    assert said(None, replace(odd, data={})) == "–"
    assert [clock(ms) for ms in (0, 61_000, 3_661_000)] == ["0:00", "1:01", "1:01:01"]


# -- keys --------------------------------------------------------------------------------------


async def test_keys_step_scrub_and_jump(film: Film) -> None:
    last = len(film.events) - 1
    async with shown(film) as (screen, pilot):
        for keys_, there in (
            (["right", "j", "down"], 3),
            (["left", "k"], 1),
            (["pagedown"], 11),
            (["pageup"], 1),
            (["end"], last),
            (["right"], last),
            (["home", "left"], 0),
            (["l"], place("lock")),
            (["r"], place("run_end")),
            (["r"], place("run_end", 1)),
            (["n"], place("note")),
            (["c"], place("claim")),
            (["R"], place("run_end", 1)),
            (["L"], place("lock")),
        ):
            await pilot.press(*keys_)
            assert screen.place == there, keys_
        await press(pilot, screen, "L")
        assert screen.place == place("lock")
        assert "There is no lock before this." in text(screen.app)
        assert "m Move" not in text(screen.app)  # there is none in this play
        await pilot.press("home", "m", "d")
        assert screen.place == 0
        await pilot.click("#reel", offset=(4, 5))
        assert screen.place == 5
        await pilot.click("#strip", offset=(78 - 8, 0))
        assert screen.place > len(film.events) // 2
        await pilot.click("#views", offset=(22, 0))
        await rested(pilot, screen)
        assert "by the rubric" in page(screen)


# -- recomputing -------------------------------------------------------------------------------


async def test_forged_figure_is_marked_and_found_by_a_key(tmp_path: Path) -> None:
    path = sealed(tmp_path, replaying.forged("run_end", metrics={"amplification": 9.0}))
    async with shown(replaying.film(path)) as (screen, pilot):
        assert "✗ REPLAY" in text(screen.app)
        await press(pilot, screen, "x")
        assert screen.place == place("run_end", 1)
        assert "✗ amplification: recorded 9, recomputed" in text(screen.app)
        await press(pilot, screen, "2")
        assert "1 of 36 differ" in page(screen)
        assert page(screen).splitlines()[2].startswith(" ✗ amplification")
        await press(pilot, screen, "x")
        assert "no figure that differs after this" in text(screen.app)


async def test_broken_rule_is_named_and_the_state_before_it_stays(tmp_path: Path) -> None:
    path = sealed(tmp_path, replaying.forged("control", to=3))
    async with shown(replaying.film(path)) as (screen, pilot):
        assert "✗ REPLAY" in text(screen.app)
        await press(pilot, screen, "x")
        assert screen.place == place("control")
        assert "the rules are broken" in text(screen.app)
        assert "32 samples" in text(screen.app)  # where the slider stood before
        await press(pilot, screen, "end", "1", "2", "3", "4")
        assert "the rules are broken" in text(screen.app)


async def test_keys_work_while_recomputing_and_leaving_does_not_wait(film: Film) -> None:
    release = threading.Event()

    def stuck() -> Iterator[Seen]:
        yield Seen(1)
        release.wait(60)
        yield Seen(2)

    try:
        began = time.monotonic()
        async with shown(replace(film, recompute=stuck), settled=False) as (screen, pilot):
            await until(pilot, lambda: "◌ replay" in text(screen.app))
            await pilot.press("r", "right")
            assert screen.place == place("run_end") + 1
            await pilot.press("r", "2")
            await shows(pilot, "Recomputing is on its way")
            await pilot.press("q")
        assert time.monotonic() - began < 30  # far less: it did not wait for the 60 s
    finally:
        release.set()


async def test_found_figures_come_in_while_one_looks(film: Film) -> None:
    assert film.recompute is not None
    known = list(film.recompute())
    more = threading.Event()

    def slowly() -> Iterator[Seen]:
        yield from known[:8]
        time.sleep(0.15)  # reports are told a few times a second
        yield known[8]
        more.wait(60)
        yield from known[9:]

    async with shown(replace(film, recompute=slowly), settled=False) as (screen, pilot):
        await pilot.press("r")
        await shows(pilot, "◌ replay", "✓ 36 figures")
        more.set()
        await rested(pilot, screen)
        assert "✓ replay" in text(screen.app)


# -- the sessions between ----------------------------------------------------------------------


def longer() -> tuple[Event, ...]:
    """A play of more events than lie between two kept sessions."""
    tape = replaying.Tape()
    game = tape.game
    game.go("lock", 0, 0)
    game.act(replaying.Seal("least", 4e8, 3e8, 6e8, None, "activations", 1, 0))
    game.go("workbench", 0, 0)
    for n in range(3 * EVERY):
        game.turn("batch", 16 if n % 2 else 8)
        game.settle()
    return tuple(tape.events)


def test_session_at_every_event_is_the_one_that_was_played() -> None:
    events = longer()
    takes = Takes(replaying.mission(), events)
    assert takes.at(1) is None
    assert list(takes.over()) == list(range(1, len(events)))
    played = [Session.begin(replaying.mission(), events[0].data)]
    for event in events[1:]:
        played.append(played[-1].checked(event))
    for there in (*range(len(events)), *range(len(events) - 1, -1, -7), 60, 3, 61):
        assert takes.at(there) == played[there]
    assert takes.at(len(events)) is None


def test_sessions_end_where_the_rules_are_broken() -> None:
    events = longer()
    broken = [*events[:70], replace(events[70], data={**events[70].data, "to": 3}), *events[71:]]
    takes = Takes(replaying.mission(), tuple(broken))
    list(takes.over())
    assert takes.broken is not None
    assert takes.broken.event.seq == 70
    assert takes.done == 69
    assert takes.at(69) is not None
    assert takes.at(70) is None


# -- points by hand ----------------------------------------------------------------------------


async def test_points_are_given_with_a_reason_and_kept_beside_the_ledger(
    tmp_path: Path, film: Film
) -> None:
    ledger = tmp_path / "ada.ledger.json"
    before = ledger.read_bytes()
    async with shown(film) as (screen, pilot):
        await press(pilot, screen, "c")
        await pilot.press("g")
        await until(pilot, lambda: isinstance(screen.app.screen, MarkScreen))
        await pilot.press(*"99", "enter")
        await shows(pilot, "from 0 to 20")
        points = screen.app.screen.query_one("#points", Input)
        points.value = "7.5"
        await pilot.press("enter")
        await shows(pilot, "points without a reason are not kept")
        assert not marks.marks_path(ledger).exists()
        await pilot.press(*"copied?", "enter")
        await until(pilot, lambda: screen.app.screen is screen)
        await rested(pilot, screen)
        assert "kept and signed" in text(screen.app)
        await press(pilot, screen, "4")
        assert "CLAIMS    20.0 of 20.0  ⇒ 7.5 by hand" in page(screen)
        assert "copied?" in page(screen)
    kept = marks.load(marks.marks_path(ledger))
    (only,) = kept.overrides
    assert (only.play, only.criterion, only.points) == (replaying.PLAY, "claims", 7.5)
    assert (only.reason, only.by, only.event) == ("copied?", "eve", place("claim"))
    assert kept.signed == "mine"
    assert ledger.read_bytes() == before
    async with shown(replaying.film(ledger)) as (screen, pilot):  # and it is there the next time
        await press(pilot, screen, "4")
        assert "⇒ 7.5 by hand" in page(screen)


@pytest.mark.soak  # what is refused is in tests/grading/test_marks.py
async def test_marks_of_a_stranger_are_shown_and_not_added_to(tmp_path: Path) -> None:
    ledger = sealed(tmp_path)
    path = marks.marks_path(ledger)
    marks.Grader(path, replaying.PLAY, "mallory").give("claims", 20.0, "fine", 3)
    path.write_bytes(path.read_bytes().replace(b"20.0", b"19.0"))
    async with shown(replaying.film(ledger)) as (screen, pilot):
        await press(pilot, screen, "4")
        assert "is not signed with your key" in page(screen)
        assert "claims 19 by mallory: fine" in page(screen)
        assert "by hand" not in page(screen)  # it counts for nothing
        await pilot.press("g")
        await until(pilot, lambda: isinstance(screen.app.screen, MarkScreen))
        assert screen.app.screen.query_one("#reason", Input).value == ""
        await pilot.press(*"5", "tab", *"no", "enter")
        await shows(pilot, "not signed with your key")
        await pilot.press("escape")
    assert b"19.0" in path.read_bytes()
    assert b"= 5.0" not in path.read_bytes()


# -- strangers' files --------------------------------------------------------------------------


async def test_missing_mission_lists_events_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mission_tui.ledger.judge.find", lambda *_: None)
    async with shown(replaying.film(sealed(tmp_path))) as (screen, pilot):
        assert not screen.query(Bench)
        assert "its mission is not installed" in text(screen.app)
        await press(pilot, screen, "r")
        assert "run_end" in text(screen.app)
        await press(pilot, screen, "2")
        assert "its mission is not installed" in page(screen)
        await press(pilot, screen, "c", "3")
        assert page(screen) == replaying.ANSWER
        await pilot.press("g")
        await shows(pilot, "Points by hand", "of 40.0")


def is_printable(seen: str) -> bool:
    return not any(
        unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn"} for c in seen.replace("\n", "")
    )


def hostile() -> list[Event]:
    """The play with escape codes wherever a text may stand, and a kind that nobody knows."""
    events = list(replaying.play(BAD + "ada", BAD + "answer"))
    events[0] = replace(events[0], data={**events[0].data, "cpu": BAD, "driver": BAD})
    odd = Event(0, BAD, BAD, events[3].mono_ms, BAD, {BAD: BAD, "deep": {BAD: [BAD]}})
    return [*events[:4], odd, *events[4:]]


@pytest.mark.soak  # the same in a real terminal: tests/commands/test_replay.py
async def test_hostile_texts_are_shown_as_texts(tmp_path: Path) -> None:
    events = hostile()
    path = sealed(tmp_path, events)
    grader = marks.Grader(marks.marks_path(path), replaying.PLAY, BAD)
    grader.give("claims", 1.0, BAD, 4)
    kinds = {event.kind: n for n, event in enumerate(events)}
    async with shown(replaying.film(path), (140, 40)) as (screen, pilot):
        for kind in ("header", BAD, "claim"):
            await go(pilot, screen, kinds[kind])
            for view in "234":
                await press(pilot, screen, view)
                assert is_printable(text(screen.app)), ascii(text(screen.app))
        await pilot.press("w")
        await shows(pilot, "Verdicts")
        assert is_printable(text(screen.app))
        await pilot.press("escape", "c", "g")
        await until(pilot, lambda: isinstance(screen.app.screen, MarkScreen))
        await shows(pilot, "REASON")
        assert is_printable(text(screen.app))


async def test_record_without_its_figures_is_no_crash(tmp_path: Path) -> None:
    events = replaying.forged("run_end")
    at = place("run_end", 1)
    outcome = events[at].data["outcome"]
    metrics = {name: outcome["metrics"][name] for name in ("peak_memory", "accuracy")}
    bare = {**outcome, "metrics": metrics, "series": {"memory": [1.0], "learning": [1e308]}}
    events[at] = replace(events[at], data={**events[at].data, "outcome": bare})
    async with shown(replaying.film(sealed(tmp_path, events))) as (screen, pilot):
        assert "✗ REPLAY" in text(screen.app)
        for there in (at, len(events) - 1):
            await go(pilot, screen, there)
            await press(pilot, screen, *"234i1")


@pytest.mark.parametrize(
    "data", [{"attempt": "x"}, pytest.param({"seed_root": 7}, marks=pytest.mark.soak)]
)
async def test_header_of_another_program_is_no_crash(
    tmp_path: Path, data: dict[str, object]
) -> None:
    path = sealed(tmp_path, replaying.forged("header", **data))
    async with shown(replaying.film(path)) as (screen, pilot):
        await press(pilot, screen, "right", "r", "2", "4", "end")
        assert screen.place == len(replaying.play()) - 1
