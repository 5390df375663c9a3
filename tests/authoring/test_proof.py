"""The proof file: written whole, read by the debrief, and never trusted when it is stale."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mission_tui.authoring import gate, proof
from mission_tui.authoring.examine import FULL
from mission_tui.content.load import load
from mission_tui.content.schema import Mission
from mission_tui.play.proof import load_record, proof_path
from mission_tui.play.regret import objective, regret
from tests.authoring.conftest import BRIEF, HERE, Copy, NewCopy
from tests.authoring.toy import Toy


@pytest.fixture
def checked(copy: NewCopy) -> Copy:
    made = copy("fair")
    gate.check(load(made.path), FULL)
    return made


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    monkeypatch.setattr(gate, "examine", lambda mission, *_: asked.append(mission.track) or [])
    return asked


def test_the_record_gives_the_best_and_the_bots_regrets(checked: Copy) -> None:
    mission = load(checked.path).tracks["edge"]
    record = load_record(mission, checked.path.parent)
    assert record is not None
    at = record.at("climb", None, 7)
    assert at is not None
    assert at.best > 0 > at.default
    assert record.at("climb", None, 99) is None
    first = record.at("climb", None, 1)
    assert first is not None
    assert (first.exact, first.setting) == (True, {"x": 12, "y": 9, "kind": "b"})
    assert len(record.regrets["climb", "-"]["random"]) == FULL.played
    bins = record.histogram("climb", None, "random", (0.0, 0.25, 0.5, 0.75, 1.0))
    assert sum(bins) == FULL.played
    assert record.histogram("climb", None, "reference", (0.0, 0.25, 0.5, 1.0)) == (16, 0, 0)
    assert record.histogram("climb", None, "genius", (0.0, 1.0)) == (0,)
    assert record.wins["climb", "-"]["reference"] == (16, 16)


def test_what_holds_is_not_asked_again(checked: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = counted(monkeypatch)
    report = gate.check(load(checked.path), FULL)
    assert asked == []
    assert report.kept
    assert not report.problems


def test_a_moved_rule_of_one_track_is_asked_again_there_alone(
    checked: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked.spoilt(("purse = { value = 40.0", "purse = { value = 41.0"))
    file = load(checked.path)
    assert load_record(file.tracks["edge"], checked.path.parent) is None
    assert load_record(file.tracks["mobile"], checked.path.parent) is not None
    asked = counted(monkeypatch)
    gate.check(file, FULL)
    assert set(asked) == {"edge"}


def test_a_moved_model_makes_every_record_stale(
    checked: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Toy, "version", 2)
    file = load(checked.path)
    assert proof.read(file) == {}
    assert load_record(file.tracks["edge"], checked.path.parent) is None


def test_another_gate_asks_again(checked: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "GATE", proof.GATE + 1)
    assert proof.read(load(checked.path)) == {}


def test_a_typo_that_is_put_right_voids_nothing_and_a_new_one_is_seen(checked: Copy) -> None:
    checked.spoilt(("Only {near} of the height.", "Only {near} of the height. " + "far, " * 24))
    report = gate.check(load(checked.path), FULL)
    assert report.kept
    assert [problem.line for problem in report.problems] == [checked.line("Only {near}")]


def test_faults_are_kept_and_said_again(copy: NewCopy) -> None:
    spoilt = copy("fair").spoilt(("margin = 5.0", "margin = 31.0"))
    cold = gate.check(load(spoilt.path), FULL)
    warm = gate.check(load(spoilt.path), FULL)
    assert warm.kept
    assert not cold.kept
    assert cold.problems == warm.problems != ()


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "null", '{"schema": 1, "mission": "fair", "tracks": []}', "[" * 9999]
)
def test_a_file_that_is_no_proof_says_nothing(copy: NewCopy, text: str) -> None:
    made = copy("fair")
    proof_path("fair", made.path.parent).write_text(text)
    file = load(made.path)
    assert load_record(file.tracks["edge"], made.path.parent) is None
    assert proof.read(file) == {}


def test_a_track_that_is_done_is_kept_when_the_next_one_dies(
    copy: NewCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = copy("fair")
    whole = gate.examine

    def dies(mission: Mission, *rest: Any) -> dict[str, Any]:
        if mission.track == "mobile":
            raise KeyboardInterrupt
        return whole(mission, *rest)

    monkeypatch.setattr(gate, "examine", dies)
    with pytest.raises(KeyboardInterrupt):
        gate.check(load(made.path), FULL)
    assert proof.read(load(made.path)).keys() == {"edge"}


def test_a_folder_that_takes_no_proof_is_said_before_anything_is_tried(
    copy: NewCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = counted(monkeypatch)
    monkeypatch.setattr(proof.os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(PermissionError):
        gate.check(load(copy("fair").path), FULL)
    assert asked == []


def test_a_short_look_is_not_written_down(copy: NewCopy) -> None:
    made = copy("fair")
    gate.check(load(made.path), BRIEF)
    assert not proof_path("fair", made.path.parent).exists()


def test_the_file_is_json_of_the_declared_shape(checked: Copy) -> None:
    tree = json.loads(proof_path("fair", checked.path.parent).read_text(encoding="utf-8"))
    assert (tree["schema"], tree["mission"]) == (1, "fair")
    assert tree["tracks"]["edge"]["models"] == {"toy": 1}
    found = tree["tracks"]["edge"]["parts"]["climb"]["classes"]["-"]
    assert found.keys() >= {"pass_share", "pass_upper", "optimum", "seeds", "regret", "wins"}
    assert found["pass_share"] <= found["pass_upper"] <= 0.05
    assert [p for p in checked.path.parent.iterdir() if p.name.endswith(".part")] == []


@pytest.mark.soak
def test_processes_find_what_one_finds(tmp_path: Path) -> None:
    for name in ("table.toml", "tracks.toml"):
        (tmp_path / name).write_text((HERE.parent / "missions" / name).read_text())
    file = load(tmp_path / "table.toml")
    brief = replace(BRIEF, seeds=1, first=8, others=8, line_first=3, full_seconds=0.0)
    said: list[str] = []
    alone, together = (gate.check(file, brief, workers, said.append) for workers in (1, 2))
    assert alone.problems == together.problems
    assert alone.tracks == together.tracks
    assert said[0].startswith("table: 1 of 6, about ")


def test_regret_is_the_share_of_the_gain_that_was_left() -> None:
    assert regret(1.0, 1.0, -1.0) == 0.0
    assert regret(1.0, 0.5, -1.0) == 0.25
    assert regret(1.0, -1.0, -1.0) == 1.0
    assert regret(1.0, 1.5, -1.0) == 0.0
    assert regret(1.0, 1.0, 1.0) == 0.0


def test_a_default_that_fails_a_hundredfold_does_not_make_all_else_look_good() -> None:
    assert regret(1.0, 0.0, -99.0) == regret(1.0, 0.0, -1.0) == 0.5
    assert regret(1.0, -50.0, -99.0) == 1.0
    assert regret(-2.0, -3.0, -99.0) == 0.0


def test_the_objective_is_the_room_at_the_tightest_spec(copy: NewCopy) -> None:
    mission = load(copy("fair").path).tracks["edge"]
    part = mission.parts["climb"]
    assert objective(mission, part, {"near": 99.0, "cost": 30.0}) == pytest.approx(0.1)
    assert objective(mission, part, {"near": 99.0, "cost": 50.0}) == pytest.approx(-0.25)
