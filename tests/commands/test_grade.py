"""``mission-tui grade`` as a whole: exit codes, files, and one sentence for each bad input."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mission_tui.commands import grade
from mission_tui.content.load import MissionFile
from mission_tui.usage import UsageError
from tests.grading import classroom

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process; gives the exit code and what it wrote."""
    parser = argparse.ArgumentParser()
    grade.add(parser.add_subparsers())

    def command(*given: object) -> tuple[int, str, str]:
        capsys.readouterr()
        arguments = parser.parse_args(["grade", *map(str, given)])
        code: int = arguments.run(arguments)
        return (code, *capsys.readouterr())

    return command


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory, wall: MissionFile) -> Path:
    """What two students handed in."""
    folder = tmp_path_factory.mktemp("handed-in")
    for seed, name in enumerate(("ada", "bob")):
        classroom.hand_in(folder, name, classroom.play(wall.tracks["tiny"], name, seed))
    return folder


def test_honest_ledgers_hold_in_every_verdict_and_exit_with_0(run: Run, honest: Path) -> None:
    code, out, err = run(honest, "--workers", 1)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("ada.ledger.json · ada · memory-wall tiny · ")
    assert " of 80" in lines[0]


def test_a_folder_of_honest_forged_and_garbage_files_is_one_row_each(
    run: Run, honest: Path, tmp_path: Path, wall: MissionFile
) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    for path in honest.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    forged = bytearray((folder / "ada.ledger.json").read_bytes())
    forged[len(forged) // 2] ^= 4
    (folder / "forged.ledger.json").write_bytes(forged)
    names = classroom.garbage(folder)
    table, page = tmp_path / "t.csv", tmp_path / "r.html"
    code, out, err = run(folder, "--csv", table, "--html", page, "--no-replay", "--workers", 1)
    assert code == 1
    rows = {row["file"].lstrip("'"): row for row in csv.DictReader(table.open(newline=""))}
    assert set(rows) == {*names, "ada.ledger.json", "bob.ledger.json", "forged.ledger.json"}
    assert len(out.splitlines()) == len(rows)
    for name, row in rows.items():
        fails = [v for v in ("parse", "signature", "chain", "binding") if row[v] == "fails"]
        assert bool(fails) == (name not in {"ada.ledger.json", "bob.ledger.json"}), row
        assert bool(row["held"]) == bool(fails)
        assert (row["parse"] == "fails") or row["total"]
    assert f"{len(names) + 1} of {len(rows)} files await a person" in err
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_only_garbage_that_nobody_can_open_exits_with_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.ledger.json").mkdir()
    (tmp_path / "y.ledger.json").symlink_to("/dev/zero")
    code, out, _ = run(tmp_path, "--workers", 1)
    assert code == 2
    assert len(out.splitlines()) == 2


def test_a_roster_tells_whose_key_it_is_and_names_people(
    run: Run, honest: Path, tmp_path: Path
) -> None:
    roster, table = tmp_path / "roster.toml", tmp_path / "t.csv"
    roster.write_text(
        'schema = 1\ncourse = "c"\n[[students]]\nid = "ada"\nname = "=Ada L."\n'
        f'[[students.keys]]\npublic = "{classroom.KEY.public_hex}"\nfrom = 2025-09-01\n'
    )
    options = ("--roster", roster, "--csv", table, "--no-replay", "--workers", 1)
    code, _, err = run(honest, *options)
    assert code == 1
    ada, bob = csv.DictReader(table.open(newline=""))
    assert (ada["signature"], ada["name"], ada["held"]) == ("holds", "'=Ada L.", "")
    assert bob["signature"] == "fails"  # it is signed with ada's key
    assert bob["held"] == "signature fails; not in the roster"
    assert "1 of 2 files await a person" in err


def test_json_has_points_with_their_events(run: Run, honest: Path) -> None:
    code, out, _ = run(honest, "--json", "--no-replay")
    assert code == 0
    first = json.loads(out)[0]
    assert first["student"] == "ada"
    assert first["criteria"]["locks"]["seqs"] == [3]
    assert first["verdicts"]["chain"]["state"] == "holds"
    assert first["total"] == sum(each["points"] for each in first["points"])


def test_marks_of_ones_own_key_are_picked_up_and_shown(
    run: Run, honest: Path, tmp_path: Path
) -> None:
    from datetime import UTC, datetime

    from mission_tui.grading import marks

    ledger = tmp_path / "ada.ledger.json"
    ledger.write_bytes((honest / "ada.ledger.json").read_bytes())
    play = json.loads(run(ledger, "--json", "--no-replay")[1])[0]["play_id"]
    at = datetime(2026, 5, 1, tzinfo=UTC)
    marks.add(marks.marks_path(ledger), marks.Override(play, "claims", 1.5, "read", "G", at))
    _, out, err = run(tmp_path, "--no-replay", "--workers", 1)
    assert "→ 1.5 by G, 2026-05-01: read" in out
    assert err == ""
    marks.signature_path(marks.marks_path(ledger)).unlink()
    _, out, err = run(tmp_path, "--no-replay", "--workers", 1)
    assert "→" not in out
    assert "not applied: ada.ledger.json.marks.toml is not signed by a known grader" in err


def test_gradebooks_are_filled_in(run: Run, honest: Path, tmp_path: Path) -> None:
    book, filled = tmp_path / "in.csv", tmp_path / "out.csv"
    book.write_text("Student,ID,SIS Login ID,Section\nA,1,ada,X\nB,2,bob,X\nC,3,kim,X\n")
    options = ("--canvas", book, filled, "--column", "Mission", "--no-replay")
    code, _, err = run(honest, *options)
    assert code == 0
    assert "filled in 2 of 2 students, out of 80 points" in err
    rows = list(csv.reader(filled.open(newline="")))
    assert rows[0][-1] == "Mission"
    assert all(float(row[-1]) > 0 for row in rows[1:3])
    assert rows[3] == ["C", "3", "kim", "X", ""]
    results = tmp_path / "results.json"
    run(honest / "ada.ledger.json", "--gradescope", results, "--no-replay")
    assert json.loads(results.read_text())["score"] == pytest.approx(float(rows[1][-1]))
    each = tmp_path / "each"
    each.mkdir()
    run(honest, "--gradescope", each, "--no-replay")
    assert len(list(each.iterdir())) == 2


def test_what_was_done_is_kept(run: Run, honest: Path, tmp_path: Path) -> None:
    kept = tmp_path / "rows.jsonl"
    first = run(honest, "--no-replay", "--resume", kept)
    assert len(kept.read_text().splitlines()) == 2
    assert run(honest, "--no-replay", "--resume", kept) == first
    assert len(kept.read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("/nowhere/at/all",), "no such file"),
        (("{}", "--workers", "0"), "from 1 on"),
        (("{}", "--patience", "0"), "more than none"),
        (("{}", "--grader", "abc"), "64 hex digits"),
        (("{}", "--canvas", "a", "b"), "--column"),
        (("{}", "--canvas", "/nowhere/a", "b", "--column", "M", "--no-replay"), "can't be opened"),
        (("{}", "--rubric", "/nowhere/r.toml"), "can't be read"),
        (("{}", "--roster", "/nowhere/r.toml"), "can't be opened"),
        (("{}", "--overrides", "/nowhere/o.toml"), "can't be opened"),
        (("{}", "--resume", "/dev/zero"), "not a regular file"),
        (("{}", "--csv", "/nowhere/at/all.csv", "--no-replay"), "can't be written"),
        (("{}", "--gradescope", "/nowhere/r.json", "--no-replay"), "name a folder"),
    ],
)
def test_bad_input_is_one_sentence(
    run: Run, honest: Path, given: tuple[str, ...], says: str
) -> None:
    with pytest.raises(UsageError, match=says) as refused:
        run(*(honest if each == "{}" else each for each in given))
    assert "\n" not in str(refused.value)


def test_an_empty_folder_is_said_to_be_one(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no files"):
        run(tmp_path)
