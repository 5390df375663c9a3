"""Every mission that ships has a proof of these rules and models, and the proof says fair."""

from __future__ import annotations

from pathlib import Path

import pytest

from mission_tui.authoring import gate, luck, proof
from mission_tui.authoring.examine import FULL
from mission_tui.content.load import load
from mission_tui.play.proof import NO_CLASS

SHIPPED = sorted((Path(__file__).parent.parent.parent / "missions").glob("vol*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_mission_is_proved_fair_and_its_proof_is_not_stale(path: Path) -> None:
    file = load(path)
    proved = proof.read(file)
    stale = file.tracks.keys() - proved.keys()
    assert not stale, f"run `mission-tui check {file.id}`: its rules or models moved on {stale}"
    report = gate.check(file, FULL)
    assert report.kept
    assert [str(problem) for problem in report.problems] == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_on_every_vetted_seed_the_reference_wins_and_those_who_guess_hardly_ever(
    path: Path,
) -> None:
    file = load(path)
    for track, held in proof.read(file).items():
        mission = file.tracks[track]
        for part_id, part in mission.parts.items():
            found = held["parts"][part_id]["classes"]
            assert found.keys() == (part.carried.keys() or {NO_CLASS})
            if part.kind != "budgeted":
                continue
            for size, each in found.items():
                where = f"{track} {part_id} {size}"
                assert each["wins"]["reference"] == [len(part.seeds)] * 2, where
                assert each["seeds"].keys() == set(map(str, part.seeds)), where
            for bot in ("random", "sweep"):
                won = sum(each["wins"][bot][0] for each in found.values())
                plays = sum(each["wins"][bot][1] for each in found.values())
                assert won <= luck.GUESSED * plays, f"{track} {part_id}: {bot} won {won}"
            for bot in ("accept", "refuse") if part.stakeholders else ():
                assert not any(each["wins"][bot][0] for each in found.values())
