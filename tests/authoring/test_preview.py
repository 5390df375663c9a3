"""What a preview keeps of a play when its file changes, and what the reference does for it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from mission_tui.authoring import new, preview
from mission_tui.cli import main
from mission_tui.content.load import MissionFile, load
from mission_tui.content.schema import Mission
from mission_tui.play.session import Session

FAR = 12
"""Screens after which a play that has not come to its end never will."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return new.create("one", "live", tmp_path)[0]


def edited(path: Path, *changes: tuple[str, str]) -> Mission:
    text = path.read_text(encoding="utf-8")
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")
    return load(path).tracks["edge"]


def at_workbench(path: Path) -> Session:
    session = preview.begun(load(path).tracks["edge"], "wall")
    return preview.passed_by(session)


def turned(session: Session, slider: str, to: float | str) -> Session:
    rehearsal = preview.Rehearsal(session)
    rehearsal.game.turn(slider, to)
    rehearsal.game.settle()
    return rehearsal.game.session


# -- the file ---------------------------------------------------------------------------------


def test_last_good_version_stays_while_the_file_is_broken(path: Path) -> None:
    source = preview.Source(path)
    assert source.changed()
    assert source.read()
    good = source.good
    assert not source.changed()
    path.write_text(path.read_text().replace("schema = 1", "schema = 9"))
    assert source.changed()
    assert not source.read()
    assert source.good is good
    assert source.problems == ("one.toml:8: schema: must be 1 (given: 9)",)
    path.unlink()
    assert source.changed()
    assert not source.read()
    assert source.good is good
    assert "No such file" in source.problems[0]


def test_save_is_seen_whether_it_writes_into_the_file_or_replaces_it(path: Path) -> None:
    source = preview.Source(path)
    source.read()
    same_size = path.with_suffix(".new")
    same_size.write_bytes(path.read_bytes())
    stamp = path.stat()
    os.utime(same_size, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    same_size.replace(path)
    assert source.changed()
    source.read()
    tracks = path.with_name("tracks.toml")
    tracks.write_text(tracks.read_text() + "\n")
    assert source.changed()


# -- going over to a new version --------------------------------------------------------------


def test_changed_text_loses_nothing(path: Path) -> None:
    session = preview.passed_by(at_workbench(path))
    assert session.at.screen == "reveal"
    after, _ = preview.went_over(session, edited(path, ('label = "Batch"', 'label = "Lot"')))
    assert after.at == session.at
    assert after.parts == session.parts
    assert after.part.sliders["batch"].label == "Lot"


def test_changed_rule_keeps_predictions_and_sliders_and_drops_runs(path: Path) -> None:
    session = preview.passed_by(turned(at_workbench(path), "batch", 4))
    assert session.state.runs
    setting = dict(session.state.setting)
    after, words = preview.went_over(session, edited(path, ("value = 80e6", "value = 90e6")))
    assert after.at.screen == "workbench"
    assert after.state.runs == ()
    assert after.state.setting == setting
    assert after.state.sealed == session.state.sealed
    assert "runs are gone" in words


def test_slider_that_can_no_longer_stand_where_it_stood_goes_to_its_default(path: Path) -> None:
    session = turned(at_workbench(path), "batch", 1)
    mission = edited(path, ("low = 1\n", "low = 2\n"))
    after, _ = preview.went_over(session, mission)
    assert after.at.screen == "workbench"
    assert after.state.setting["batch"] == 32


def test_changed_lock_is_sealed_again(path: Path) -> None:
    session = at_workbench(path)
    why = next(iter(session.state.sealed.values())).mechanism
    others = [m for m in session.part.locks["everything"].mechanisms if m != why]
    line = 'mechanisms = ["weights", "gradients", "optimizer", "activations"]'
    mission = edited(path, (line, f"mechanisms = {others}"))
    after, words = preview.went_over(session, mission)
    assert after.at.screen == "lock"
    assert not after.state.sealed
    assert "seal it again" in words


def test_part_that_is_gone_and_end_of_a_changed_play_lead_to_a_lock(path: Path) -> None:
    session = at_workbench(path)
    renamed = path.read_text().replace("parts.wall", "parts.memory")
    path.write_text(renamed)
    mission = load(path).tracks["edge"]
    after, _ = preview.went_over(session, mission)
    assert (after.at.screen, after.at.part) == ("lock", "memory")


# -- the reference plays on -------------------------------------------------------------------


@pytest.mark.parametrize("kind", new.KINDS)
def test_reference_goes_through_every_screen_to_the_debrief(tmp_path: Path, kind: str) -> None:
    mission = load(new.create("one", kind, tmp_path)[0]).tracks["edge"]
    session, seen = preview.begun(mission, None), ["briefing"]
    while session.at.screen != "debrief":
        session = preview.passed_by(session)
        seen.append(session.at.screen)
        assert len(seen) < FAR
    assert seen == [step.screen for step in session.steps]
    assert all(session.passed(part) for part in mission.parts)
    assert preview.passed_by(session) is session


def test_mission_that_the_reference_cannot_play_says_so_in_a_sentence(path: Path) -> None:
    mission = edited(path)
    part = mission.parts["wall"]
    spoilt = part.model_copy(update={"reference": part.default, "distinct_runs": 2})
    only = spoilt.model_copy(
        update={
            "sliders": {
                k: v.model_copy(update={"low": 32.0}) if k == "batch" else v
                for k, v in spoilt.sliders.items()
            }
        }
    )
    session = preview.begun(mission.model_copy(update={"parts": {"wall": only}}), "wall")
    claim = replace(session, at=session.steps[session.steps.index(session.at) + 3])
    assert claim.at.screen == "claim"
    with pytest.raises(ValueError, match="the reference can't do this claim"):
        preview.passed_by(claim)


def test_what_is_carried_is_what_the_reference_chose(shipped: MissionFile) -> None:
    mission = shipped.tracks["edge"]
    (giver,) = (part for part in mission.parts.values() if part.carry is not None)
    taker = next(name for name, part in mission.ordered if part.carried)
    session = preview.begun(mission, taker)
    assert giver.carry is not None
    assert (
        session.brought_to(taker) == giver.carry.classes[str(giver.reference[giver.carry.slider])]
    )
    assert session.at.screen == "lock"


def test_sliders_as_toml_are_what_the_file_may_say(path: Path) -> None:
    setting = {"tuning": "bias", "batch": 2, "epsilon": 1.90734863281, "scaling": True}
    assert preview.as_toml(setting).split("\n") == [
        'tuning = "bias"',
        "batch = 2",
        "epsilon = 1.90734863281",
        "scaling = true",
    ]


# -- the command ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--track", "moon"], "no track 'moon'; known: edge"),
        (["--part", "moon"], "no part 'moon'; known: wall"),
        ([], "no terminal here"),
    ],
)
def test_bad_command_line_gets_one_sentence(
    path: Path, more: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["preview", str(path), *more]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert words in error


def test_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["preview", str(tmp_path / "none.toml")]) == 2
    assert "none.toml is no file" in capsys.readouterr().err
