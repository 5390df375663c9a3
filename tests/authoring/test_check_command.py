"""The command that runs the gate: what it prints, and how it ends."""

from __future__ import annotations

import json

import pytest

from mission_tui.cli import main
from mission_tui.play.proof import proof_path
from tests.authoring.conftest import NewCopy

Said = pytest.CaptureFixture[str]


def test_a_fair_mission_ends_well_with_its_table(copy: NewCopy, capsys: Said) -> None:
    made = copy("fair")
    assert main(["check", str(made.path), "--workers", "1"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0] == "fair.toml: the schema holds; on every seed: it is fair"
    assert "edge · climb: " in said.out
    assert "(luck allows 4.4%)" in said.out
    assert "reference 16/16" in said.out
    assert proof_path("fair", made.path.parent).exists()
    assert main(["check", str(made.path), "--workers", "1"]) == 0


def test_defects_end_with_one_and_stand_at_their_lines(copy: NewCopy, capsys: Said) -> None:
    made = copy("fair").spoilt(("margin = 5.0", "margin = 31.0"))
    assert main(["check", str(made.path), "--quick", "--workers", "1"]) == 1
    said = capsys.readouterr()
    assert f"fair.toml:{made.line('margin')}: parts.climb.locks.manner.truth: " in said.err
    assert "as tried quickly: 1 problem\n" in said.out
    assert not proof_path("fair", made.path.parent).exists()


def test_json_says_the_same(copy: NewCopy, capsys: Said) -> None:
    made = copy("fair").spoilt(("margin = 5.0", "margin = 31.0"))
    assert main(["check", str(made.path), "--quick", "--workers", "1", "--json"]) == 1
    tree = json.loads(capsys.readouterr().out)
    assert [problem["line"] for problem in tree["problems"]] == [made.line("margin")]
    assert tree["missions"][0]["mission"] == "fair"
    assert tree["missions"][0]["fair"] is False
    assert tree["missions"][0]["tracks"]["edge"]["parts"]["climb"]["classes"]


def test_nothing_is_played_where_the_schema_is_broken(copy: NewCopy, capsys: Said) -> None:
    made = copy("fair").spoilt(("minutes = 20", "minutes = true"))
    assert main(["check", str(made.path), "--json"]) == 1
    tree = json.loads(capsys.readouterr().out)
    assert tree["missions"] == []
    assert tree["problems"][0]["line"] == made.line("minutes = true")


def test_no_worker_is_no_way_to_work(copy: NewCopy, capsys: Said) -> None:
    assert main(["check", str(copy("fair").path), "--workers", "0"]) == 2
    assert "--workers" in capsys.readouterr().err
