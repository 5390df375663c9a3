"""The plain mode in budgeted parts, at the table and at the decision."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mission_tui.ledger import plays
from mission_tui.plain import Plain
from mission_tui.play import debriefing
from mission_tui.play.game import Game
from mission_tui.play.talks import Table
from tests.terminal.playing import journal
from tests.test_plain import comparable
from tests.ui import playing as screens
from tests.ui import tabled


@pytest.fixture
def saves(tmp_path: Path) -> Path:
    return tmp_path / "saves"


def table(game: Game) -> Table:
    """The table as it stands."""
    found = game.session.state.table
    assert found is not None
    return found


@contextmanager
def seated(saves: Path, *, pins: tuple[int, ...] = (1, 2, 3, 4)) -> Iterator[Game]:
    """A plain play at the table of the tests, with four runs."""
    with plays.start(saves, tabled.mission(), "ada", "plain") as opened:
        tabled.play_to_talks(opened.game, pins)
        yield opened.game


def said(game: Game, *lines: str) -> str:
    """What the plain mode says to these lines."""
    out = io.StringIO()
    Plain(game, io.StringIO("".join(f"{line}\n" for line in lines)), out).play()
    return out.getvalue()


def one_line(words: str) -> str:
    return " ".join(words.split())


def test_status_of_a_budgeted_part_is_that_of_the_last_run(saves: Path) -> None:
    with seated(saves) as game:
        game.go("workbench", 0, 0)
        out = said(game, "epsilon 8", "status", "run", "quit")
    at_8 = "ε spent 8.00: BROKEN"
    before, _, after = out.partition("Run #5 recorded")
    assert "ε spent 1.00: holds" in before  # of run #4: moving a slider computes nothing
    assert at_8 not in before
    assert "4 runs left" in before
    assert at_8 in after
    assert "NO PROMISE. 8.00 is no promise." in after
    assert "3 runs left" in after


def test_law_of_a_budgeted_part_explains_runs_alone(saves: Path) -> None:
    with plays.start(saves, tabled.mission(), "ada", "plain") as opened:
        tabled.play_to_bench(opened.game)
        out = said(opened.game, "why", "run", "why", "quit")
    assert "No: the law explains a run: commit one first." in out
    assert "Signal over noise, since" in out.partition("Run #1 recorded")[2]


def test_run_that_takes_long_says_how_far_it_is(
    saves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mission_tui.plain.QUIET", -1.0)
    with plays.start(saves, tabled.mission(), "ada", "plain") as opened:
        tabled.play_to_bench(opened.game)
        out = said(opened.game, "run", "quit")
    assert [n for n in range(1, 6) if f"Round {n} of 5, about" in out] == [1, 2, 3, 4, 5]


def test_moves_at_the_table_are_said_back_and_answered(saves: Path) -> None:
    with seated(saves, pins=(2, 3)) as game:
        out = one_line(
            said(
                game,
                "show 2",
                "meet officer 4",  # not pinned
                "meet 3 2",  # nobody
                "trade 1 3",
                "yes",
                "disprove lead 3",
                "no",
                "disprove lead 3",
                "yes",
                "said",
                "done",
                "quit",
            )
        )
        turns = table(game).turns
    assert "Perception lead: Signal 17.7, lacks, asked ≥ 30.0." in out
    assert "No: cite a run that is pinned" in out
    assert "No: there is no party '3': Privacy officer, Perception lead." in out
    assert "run #3 may not be all that you ask" in out
    assert "Privacy officer: “No. Keep the promise as I asked" in out
    assert "They ask now: ε ≤ 2.00, Passes ≤ 200 thousand." in out
    assert "Nothing was said." in out
    assert "That is no proof: ε could still move in their favour." in out
    assert "No: the table is still open: 4 moves are left" in out
    assert turns == 2


def test_how_far_a_run_is_from_a_proof_is_told_after_a_try(saves: Path) -> None:
    with seated(saves) as game:
        out = one_line(said(game, "show 4", "disprove lead 4", "yes", "show 2", "quit"))
    before, _, after = out.partition("Another setting would do better")
    assert "A proof: every slider" in before
    assert "Proof with" not in before
    assert "Perception lead: Proof with #2: 2 of 2 sliders" in after


def test_waiver_is_asked_for_piece_by_piece(saves: Path) -> None:
    with seated(saves) as game:
        half = ("waive lead", "1", "much", "12", "")
        out = one_line(said(game, *half, "waive lead", "1", "12", "fleet chief", "yes", "quit"))
        stand = table(game).stands["lead"]
    assert "Every later design must still keep Signal ≥" in out
    assert "No: a risk has an owner: say who." in out
    assert "Every later design keeps Signal ≥ 12.0, and fleet chief owns the risk." in out
    assert "2. Perception lead: waived: Signal." in out
    assert (stand.settled, stand.kept) == ("waived", {"signal": 12.0})


def test_whole_way_from_the_table_to_the_signed_debrief(saves: Path) -> None:
    with seated(saves) as game:
        out = one_line(
            said(
                game,
                "disprove lead 2",
                "yes",
                "meet officer 2",
                "yes",
                "done",
                "",
                "1",
                "3 4",
                "1",
                "noise hides the signal",
                "2",
                "",
                "2",
                "Tell the lead first.",
                "no",
                "2",
                "Tell the lead first.",
                "yes",
                "",
            )
        )
        closed = game.session.closed
    assert closed
    assert "all are heard." in out
    assert "Verified." in out
    assert "No: defend it" in out
    assert "◆ Wait until more cars take part Tell the lead first." in out
    session = game.session
    blocks = debriefing.blocks(session, debriefing.gather(session))
    told = one_line("\n".join(debriefing.plain(blocks)))
    assert "The audit came in March" in told  # of the party that was met
    assert told in out


async def test_plain_and_the_game_leave_the_same_moves_and_decision(
    saves: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISSION_TUI_STATE", str(tmp_path / "state"))
    with seated(saves) as game:
        said(
            game,
            "trade officer 3", "yes",
            "waive lead", "1", "12", "fleet chief", "yes",
            "meet officer 2", "yes", "done", "",
            "1", "3 4", "1", "why not", "2", "Tell the lead first.", "yes",
        )  # fmt: skip
    by_plain = journal(saves)
    elsewhere = tmp_path / "elsewhere"
    async with tabled.resumed(elsewhere, monkeypatch) as (_, pilot):
        await pilot.press("up", "t", "enter", "2", "w", "1", *"12", "tab", *"fleet chief")
        await pilot.press("enter", "enter", "1", "up", "m", "enter")
        await screens.shows(pilot, "The table is closed")
        await pilot.press("ctrl+g")
        await screens.shows(pilot, "THE ENGINE SAYS")
        await pilot.press("enter")
        await screens.shows(pilot, "YOUR CLAIM")
        await pilot.press("home", "down", "down", "a", "down", "b", "tab", "1", "tab", *"why not")
        await pilot.press("ctrl+f")
        await screens.shows(pilot, "VERIFIED")
        await pilot.press("ctrl+g")
        await screens.shows(pilot, "YOU DECIDE")
        await pilot.press("2", *"Tell the lead first.", "ctrl+f", "ctrl+f")
        await screens.shows(pilot, "DECIDED")
    by_game = journal(elsewhere)
    kept = ("move", "decision", "claim")
    told, played = (
        [event for event in comparable(path) if event[0] in kept] for path in (by_plain, by_game)
    )
    assert [kind for kind, _, _ in told] == ["claim", "move", "move", "move", "claim", "decision"]
    assert json.dumps(told) == json.dumps(played)
