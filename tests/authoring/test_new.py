"""A new mission is valid, plays, opens on a failure, and is nobody's to overwrite."""

from __future__ import annotations

from pathlib import Path

import pytest

from mission_tui.authoring import new
from mission_tui.cli import main
from mission_tui.content import space
from mission_tui.content.load import load
from mission_tui.ledger import judge, plays
from mission_tui.play import bots
from mission_tui.play.evaluate import Request, outcome
from mission_tui.play.specs import readings

EXAMPLE = Path(__file__).parents[1] / "missions" / "author-example" / "vineyard-mesh.toml"
KINDS = pytest.mark.parametrize("kind", new.KINDS)


@KINDS
def test_new_mission_loads_fails_at_its_default_and_passes_at_its_reference(
    tmp_path: Path, kind: str
) -> None:
    mission = load(new.create("my-own", kind, tmp_path)[0]).tracks["edge"]
    assert mission.title == "My own"
    for _, part in mission.ordered:
        for seed in part.seeds[:4]:

            def passes(setting: dict[str, object], part=part, seed=seed) -> bool:
                found = outcome(Request.at(part, setting, seed)).metrics
                return all(reading.met for reading in readings(mission, part, found))

            assert not passes(part.default)
            assert passes(part.reference)
            for slider in part.sliders:  # its two ends: no single slider repairs the default
                grid = space.values(part, slider)
                assert not any(passes({**part.default, slider: v}) for v in (grid[0], grid[-1]))


def won_and_verified(path: Path, saves: Path) -> None:
    """The reference wins every part, and the sealed ledger replays where the mission is."""
    mission = next(iter(load(path).tracks.values()))
    with plays.start(saves, mission, "ada", "bot:reference") as opened:
        bots.play(opened.game, bots.bot("reference", 0))
        ledger = opened.seal()
        assert all(opened.game.session.passed(part) for part in mission.parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MISSION_TUI_MISSIONS", str(path.parent))
        judge._installed.cache_clear()  # what is installed is read once a process
        report = judge.verify_ledger(ledger)
    judge._installed.cache_clear()
    assert not report.fails
    assert report.verdicts["replay"].state == "holds"


@KINDS
def test_new_mission_is_won_by_the_reference_and_its_ledger_verifies(
    tmp_path: Path, kind: str
) -> None:
    won_and_verified(new.create("my-own", kind, tmp_path / "course")[0], tmp_path / "saves")


def test_mission_written_from_the_authors_page_alone_is_won_and_verifies(tmp_path: Path) -> None:
    won_and_verified(EXAMPLE, tmp_path / "saves")


@KINDS
def test_each_table_has_a_comment_before_or_above_its_group(tmp_path: Path, kind: str) -> None:
    text = new.create("my-own", kind, tmp_path)[0].read_text()
    lines = text.split("\n")
    assert lines[0] == "#:schema ./mission.schema.json"
    headers = [n for n, line in enumerate(lines) if line.startswith("[")]
    # A first header of each kind of table is explained in the line above it.
    seen: set[str] = set()
    for n in headers:
        kind_of = lines[n].strip("[]").split(".")[2 if lines[n].startswith("[parts.") else 0 :][:1]
        name = kind_of[0] if kind_of else "parts"
        if name not in seen and name != "decision":
            seen.add(name)
            assert lines[n - 1].startswith("#"), lines[n]


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "one", "--dir", str(tmp_path)]) == 0
    (tmp_path / "tracks.toml").write_text((tmp_path / "tracks.toml").read_text() + "# mine\n")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert main(["new", "one", "--dir", str(tmp_path)]) == 2
    assert main(["new", "two", "--kind", "talks", "--dir", str(tmp_path)]) == 0
    for path, content in before.items():
        assert path.read_bytes() == content
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "is there already; nothing was written over" in error


def test_new_mission_is_for_the_first_track_of_the_personas_that_are_there(
    tmp_path: Path, missions: Path
) -> None:
    (tmp_path / "tracks.toml").write_bytes((missions / "tracks.toml").read_bytes())
    made = new.create("one", "live", tmp_path)
    assert tmp_path / "tracks.toml" not in made
    assert list(load(made[0]).tracks) == ["cloud"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["new", "Großes"], "is no id"),
        (["new", "../out"], "is no id"),
        (["new", "tracks"], "is no id"),
        (["new", "a\x1b[2J"], "is no id"),
        (["new", "fine", "--kind", "hard"], "known: live, budgeted, talks"),
        (["new", "fine", "--dir", "/proc/nowhere/at/all"], "/proc/nowhere"),
        (["new"], "ID"),
    ],
)
def test_bad_input_gets_one_sentence_and_exit_code_2(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = main(arguments)
    except SystemExit as left:
        code = int(left.code or 0)
    error = capsys.readouterr().err
    assert code == 2
    assert error.count("\n") == 1
    assert words in error
    assert "\x1b" not in error
    assert not list(tmp_path.iterdir())


def test_personas_that_cannot_be_read_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tracks.toml").write_text("schema = 2\n")
    assert main(["new", "one", "--dir", str(tmp_path)]) == 2
    assert "tracks.toml:1: schema: must be 1" in capsys.readouterr().err
    assert not (tmp_path / "one.toml").exists()
