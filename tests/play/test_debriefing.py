"""The debrief in words: what is told, from what, and that it fits the screen and is safe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mission_tui.content.load import MissionFile, files, load
from mission_tui.content.schema import Mission
from mission_tui.play import actions as do
from mission_tui.play import debriefing, score, wording, worth
from mission_tui.play.calibration import Bet
from mission_tui.play.debriefing import MOST_RUNS, WIDTH, Debrief
from mission_tui.play.proof import Record, Solved
from mission_tui.play.regret import objective
from tests.conftest import SHIPPED
from tests.play.conftest import Play

PlayOf = Callable[[Mission], Play]


def record_of(play: Play, best: float, default: float, **bots: tuple[float, ...]) -> Record:
    solved = Solved(best, default, dict(play.mission.parts["memory"].reference), exact=True)
    seed = play.session.seed_of("memory")
    return Record({("memory", "-", seed): solved}, {("memory", "-"): bots}, {})


def told(play: Play, known: Debrief | None = None) -> str:
    return "\n".join(debriefing.plain(debriefing.blocks(play.session, known or Debrief())))


def test_predictions_stand_beside_truths_with_their_own_explanation(play: Play) -> None:
    play.to("debrief")
    words = told(play)
    assert "prediction  200 MB, engine 200 MB   value hit, why hit" in words
    assert "band 100 MB to 300 MB: held the truth" in words
    assert "Value and reason hold: 200 MB." in words
    assert "no solver record" in words


def test_regret_by_run_stands_beside_what_the_bots_reached(play: Play) -> None:
    play.to("workbench").run(2.4e8).do(do.Turn("batch", 4, 0)).run(2e8).to("debrief")
    mission, part = play.mission, play.mission.parts["memory"]
    first, second = (
        objective(mission, part, run.outcome.metrics)
        for run in play.session.parts["memory"].runs
        if run.outcome
    )
    # the first run at the default, the second on three fifths of the way to the best
    bots = {"random": (0.9, 0.9, 0.2, 2.0), "reference": (0.0,) * 9}
    record = record_of(play, second + (second - first) * 2 / 3, first, **bots)
    words = told(play, Debrief(record=record))
    assert "#1   1.00 ████████████████████" in words
    assert "#2   0.40 ████████ " in words
    assert "4 plays of programs that do not know the answer" in words  # the reference races nobody
    rows = [row.split() for row in words.split("\n")]
    assert ["0.50–1.00", "██████████", "50", "%"] in rows
    assert ["0.30–0.50", "0", "%", "◂", "you"] in rows
    assert "You came closer than 3 of 4." in words


def test_of_many_runs_those_are_shown_that_came_closer(play: Play) -> None:
    play.to("workbench")
    for n in range(MOST_RUNS + 8):
        play.run(3.1e8 - 5e6 * n if n % 2 else 9e9)
    record = record_of(play, 1.0, -1.0)
    (block,) = debriefing.regrets(play.session, "memory", record)
    rows = block.text.split("\n")
    assert "runs that came closer" in rows[1]
    assert len(rows) <= 2 + MOST_RUNS
    assert " #2 " in block.text
    assert " #3 " not in block.text


def test_what_the_parties_wanted_is_revealed_and_what_was_left(
    table: Mission, play_of: PlayOf
) -> None:
    play = play_of(table).to("workbench")
    play.tried({"batch": 1}, peak_memory=2e8, amplification=4.0, accuracy=80.0,
               trained_parameters=2e6)  # fmt: skip
    play.tried({"batch": 2}, peak_memory=1e8, amplification=2.0, accuracy=90.0,
               trained_parameters=3e6)  # fmt: skip
    play.to("talks").do(do.Move("clerk", "meet", 1), do.Move("coach", "meet", 1))
    words = told(play)
    assert "peak: 400 MB · 200 MB · 100 MB · 75 % · 200 MB" in words
    assert "signs from 0.50 of 1 on; this design is worth 0.67" in words
    assert "the deal is worth 0.58 of 1 to them, 0.42 was left:" in words
    assert "your run #2, worth 1.00" in words
    risky = play_of(table).to("talks")
    risky.do(risky.waive("clerk"), risky.waive("coach"))
    assert "▲ RESIDUAL RISK: peak ≤" in told(risky)
    assert "owner: the fleet's lead" in told(risky)


def test_calibration_counts_other_plays_and_this_one(play: Play) -> None:
    play.to("debrief")
    bets = tuple(Bet(("m", "t", "p", str(n)), True, in_band=n < 8) for n in range(9))
    assert "sealed and seen 1 different lock." in told(play)
    assert "9 of 10, 90 %" in told(play, Debrief(bets=bets))


def test_the_score_stands_with_its_rows_or_says_why_there_is_none(play: Play) -> None:
    play.to("debrief")
    known = debriefing.gather(play.session)
    assert known.rubric is not None
    assert f"points · {score.score(play.session, known.rubric).rank}" in told(play, known)
    assert "There is no score: broken" in told(play, Debrief(problem="broken"))


def test_gather_says_which_rubric_is_wrong(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(score.VARIABLE, "/no/such/rubric.toml")
    assert "rubric.toml can't be read" in debriefing.gather(play.session).problem


def test_charts_fit_and_what_was_typed_is_cleaned(play: Play) -> None:
    play.to("claim").do(play.claim(answer="so\x1b]52;c;QQ==\x07"))
    record = record_of(play, 1.0, -1.0, random=(0.5, 7.0))
    bets = tuple(Bet(("m", "t", "p", str(n)), True, in_band=False) for n in range(40))
    found = list(debriefing.blocks(play.session, Debrief(bets, record, score.rubric())))
    charts = [block.text for block in found if block.kind == "chart"]
    assert len(charts) == 3
    assert max(len(row) for chart in charts for row in chart.split("\n")) <= WIDTH
    assert not any("\x1b" in block.text for block in found)


@pytest.mark.parametrize("track", ["cloud", "edge", "mobile", "tiny"])
def test_what_the_shipped_parties_privately_want_fits_a_row(
    shipped: MissionFile, track: str
) -> None:
    for part in shipped.tracks[track].parts.values():
        for who in part.stakeholders.values():
            got = {want.metric: want.reserve for want in who.wants.values()}
            for settled in (None, "disproved"):
                rows = list(debriefing._wanted(part, who, got, settled))
                assert len(rows) == len(who.wants) + 2
                assert max(map(len, rows)) <= WIDTH
            far = {want.metric: want.reserve * 2 - want.aspire for want in who.wants.values()}
            (*_, last) = debriefing._wanted(part, who, far, "disproved")
            assert last.startswith("  worse than they can live with: ")
            assert len(last) <= WIDTH


@pytest.mark.parametrize("track", ["cloud", "edge", "mobile", "tiny"])
@pytest.mark.parametrize("path", files(SHIPPED), ids=lambda path: path.stem)
def test_whether_a_demand_could_be_disproved_is_what_the_mission_declares(
    play_of: PlayOf, path: Path, track: str
) -> None:
    mission = load(path).tracks[track]
    session = play_of(mission).session
    for name, part in mission.ordered:
        if not part.stakeholders:
            continue
        told = {who: list(debriefing._provable(session, name, who)) for who in part.stakeholders}
        proven = any("could be disproved" in rows[0] for rows in told.values())
        assert proven == (part.scenario == "infeasible")
        assert max(len(row) for rows in told.values() for row in rows) <= WIDTH


def at_the_table(table: Mission, play_of: PlayOf) -> Play:
    """#1 is the corner and proves; #2 meets the clerk and gives the coach something; #3 is dearer
    to the clerk and gives the coach nothing.
    """
    play = play_of(table).to("workbench")
    play.tried({"tuning": "full", "batch": 1}, peak_memory=2e8, amplification=4.0, accuracy=60.0,
               trained_parameters=1e6)  # fmt: skip
    play.tried({"batch": 2}, peak_memory=1.8e8, amplification=4.0, accuracy=71.0,
               trained_parameters=1e6)  # fmt: skip
    play.tried({"batch": 4}, peak_memory=1e8, amplification=2.0, accuracy=10.0,
               trained_parameters=1e6)  # fmt: skip
    play.to("talks").do(do.Move("coach", "disprove", 1), do.Move("clerk", "meet", 2))
    return play


def test_a_run_that_gives_less_to_whom_was_disproved_was_not_left_on_the_table(
    table: Mission, play_of: PlayOf
) -> None:
    play = at_the_table(table, play_of)
    made, best = worth.made(play.session, "memory"), worth.best(play.session, "memory", None)
    assert made
    assert made.run == 2
    assert best == made  # #3 is worth more to the clerk, and leaves the coach without any skill
    words = " ".join(told(play).split())
    assert "the best that is known" in words
    assert "was left" not in words
    assert "no signature is owed: it was disproved" in words
    assert "worse than they can live with" not in words


def test_a_table_is_told_apart_from_the_workbench(table: Mission, play_of: PlayOf) -> None:
    held = {"peak_memory": 1e8, "amplification": 2.0, "accuracy": 99.0, "trained_parameters": 3e6}
    lost = play_of(table).to("workbench").tried({"batch": 1}, **held).tried({"batch": 2}, **held)
    lost.do(do.Enter("talks")).do(lost.waive("clerk"), lost.waive("coach"))
    assert lost.session.parts["memory"].runs[0].passed
    assert not lost.session.passed("memory")
    assert wording.came_to(lost.session, "memory") == "workbench passed · table not won"
    assert "workbench   passed in 2 runs · table not won" in told(lost)
    assert "MISSED" not in told(lost)
    won = play_of(table).to("workbench").tried({"batch": 1}, **held).tried({"batch": 2})
    won.do(do.Enter("talks"), do.Move("clerk", "meet", 1), do.Move("coach", "meet", 1))
    assert "workbench   PASSED at the table, in 2 runs" in told(won)


def test_the_last_run_of_a_budget_says_whether_what_stands_holds(
    table: Mission, play_of: PlayOf
) -> None:
    play = play_of(table).to("workbench")
    assert wording.spent_says(play.session) == "No runs left: nothing stands."
    play.tried({"batch": 1}, peak_memory=9e9, accuracy=9.0)
    assert wording.spent_says(play.session).endswith("#1 stands, and breaks a limit.")
    play.tried({"batch": 2}, peak_memory=1e8, accuracy=99.0)
    assert wording.spent_says(play.session).endswith("#2 stands, and holds.")
