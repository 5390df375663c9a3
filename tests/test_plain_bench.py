"""What the plain workbench remembers: the same as the game's, line by line."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from mission_tui.content.load import load
from mission_tui.ledger import plays
from mission_tui.plain import Plain
from mission_tui.play import runcode
from mission_tui.play.game import Clock, Game
from mission_tui.play.session import Session, Step
from mission_tui.play.start import Who, header
from mission_tui.text import clean_line
from tests.conftest import SHIPPED
from tests.ui import tabled


def played(game: Game, *lines: str) -> str:
    """What the plain mode says to these lines, before they run out."""
    out = io.StringIO()
    Plain(game, io.StringIO("".join(f"{line}\n" for line in lines)), out).play()
    return " ".join(out.getvalue().split())


def test_codes_differences_and_probes_of_a_budgeted_part(tmp_path: Path) -> None:
    with plays.start(tmp_path, tabled.mission(), "ada", "plain") as play:
        tabled.play_to_bench(play.game)
        game = play.game
        said = played(game, "code", "run", "probe", "2", "code", "runs")
        assert "No run yet." in said
        assert "Which step? It costs a run." in said
        assert "Run #2 recorded" in said
        assert len(game.session.state.runs) == 2
        first, second = (run.setting for run in game.session.state.runs)
        assert sum(first[name] != second[name] for name in first) == 1
        assert game.setting == first
        code = runcode.write(game.session, second)
        assert f"Run #2 is {code}" in said
        said = played(game, f"code {code.lower()}", "run", "diff 1 2", "diff 1 9", "probe", "0")
        assert game.setting == second
        assert "Run #2 was this very setting." in said
        assert "#1 #2" in said
        assert "choose two different runs" in said
        assert len(game.session.state.runs) == 3
        assert "has a typo" in played(game, f"code {code[:-1]}{'0' if code[-1] != '0' else '1'}")
        again = Session.replayed(tabled.mission(), tuple(play.journal.events))
        assert again.state == game.session.state


def test_a_free_part_tries_each_step_for_nothing_and_claims_its_flip_point(tmp_path: Path) -> None:
    with plays.start(tmp_path, tabled.mission(), "ada", "plain") as play:
        game = play.game
        lock = ("", "200", "100", "400", "4", "yes")
        said = played(game, *lock, "probe", "run", "batch 4", "run")
        assert "Sealed faster than it reads." in said
        assert "One step of one slider" in said
        assert len(game.session.state.runs) == 2
        said = played(game, "done", "", "1", "1 2, batch nowhere", "1", "1 2, batch never", "4", "")
        assert "what Batch would pass" in said or "name a slider" in said
        assert "And it would never flip, whatever Batch passed." in said
        filed = game.session.parts["memory"].claims[-1]
        assert filed.claim.flip is not None
        assert filed.verified, filed.failed


def test_numbers_of_the_paragraph_are_resolved(tmp_path: Path) -> None:
    with plays.start(tmp_path, tabled.mission(), "ada", "plain") as play:
        tabled.play_to_decision(play.game)
        said = played(play.game, "2", "It takes 42 ms.", "yes")
        assert "42 ms: in none of the cited runs" in said
        assert play.game.session.decision is not None


def at_lock(part: str, lock: str, *lines: str) -> tuple[Game, str]:
    """A shipped part at a lock, played in memory as far as these lines go."""
    mission = load(SHIPPED / "vol1-03-ml-workflow.toml").tracks["edge"]
    only = mission.parts[part].model_copy(update={"locks": {lock: mission.parts[part].locks[lock]}})
    mission = mission.model_copy(update={"parts": {**mission.parts, part: only}})
    session = Session.begin(
        mission, header(mission, Who("ada", "plain", ""), datetime.now(UTC)).data
    )
    step = Step("lock", part)
    session = replace(session, at=step, furthest=session.steps.index(step))
    game, out = Game(session, lambda _: None, Clock()), io.StringIO()
    Plain(game, io.StringIO("".join(f"{line}\n" for line in lines)), out).play()
    return game, clean_line(out.getvalue(), 20_000)


def test_a_band_in_points_may_be_given_as_a_distance() -> None:
    game, said = at_lock("review", "reach", "97.1", "+-5", "1", "yes")
    sealed = game.session.parts["review"].sealed["reach"]
    assert (sealed.low, sealed.high) == (92.1, 100.0)
    assert "between 92.1 % and 100.0 %" in said
    both, _ = at_lock("pace", "lead", "-0.2", "-0.7", "0.3", "1", "yes")
    lead = both.session.parts["pace"].sealed["lead"]
    assert (lead.value, lead.low, lead.high) == (-0.2, -0.7, 0.3)


def test_the_first_hint_says_what_it_costs_before_it_opens() -> None:
    lines = ("97.1", "+-5", "1", "yes", "hint", "no", "hint", "yes", "hint", "quit")
    game, said = at_lock("review", "reach", *lines)
    assert said.count("costs the badge Unaided") == 2  # and not before the second hint
    assert len(game.session.parts["review"].hints) == 2
