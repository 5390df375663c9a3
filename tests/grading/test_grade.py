"""A folder: which files count, who is held back, what is done again, and what survives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mission_tui.content.load import MissionFile
from mission_tui.grading import grade
from mission_tui.grading.overrides import Gathered
from mission_tui.grading.row import Job, Row
from mission_tui.ledger.batch import Done
from mission_tui.ledger.collector import Collected
from mission_tui.ledger.desk import Desk
from mission_tui.ledger.roster import Roster, Student
from mission_tui.play.events import Event
from tests.grading import classroom

NOBODY = Gathered()


def test_what_the_program_itself_keeps_beside_ledgers_has_no_row(folder: Path) -> None:
    deep = folder / "section 2"
    deep.mkdir()
    (deep / "notes.txt").write_text("a student's")
    for name in ("ada.jsonl", "ada.receipts.jsonl", "ada.ledger.json.marks.toml", ".DS_Store"):
        (folder / name).write_text("{}")
    (folder / "elsewhere").symlink_to("/")
    table = folder / "results.json"
    table.write_text("ours")
    names = [name for _, name in grade.collect(folder, [table])]
    assert names == [
        "ada.ledger.json",
        "bob.ledger.json",
        "elsewhere",
        "eve.ledger.json",
        "kim.ledger.json",
        "section 2/notes.txt",
    ]
    assert [name for _, name in grade.collect(folder / "ada.ledger.json")] == ["ada.ledger.json"]
    # Receipts that stand in the folder itself leave what was handed in where it is.
    assert [name for _, name in grade.collect(folder, [table, folder])] == names
    (folder.parent / "link").symlink_to(folder)
    assert [name for _, name in grade.collect(folder.parent / "link", [table])] == names


def test_any_executor_gives_the_same_rows_in_the_same_order(folder: Path, job: Job) -> None:
    classroom.garbage(folder)
    files = list(grade.collect(folder))
    alone = grade.rows(files, job)
    with ThreadPoolExecutor(3) as threads:
        assert grade.rows(files, job, threads) == alone
    assert [row.file for row in alone] == [name for _, name in files]


@pytest.mark.soak
def test_processes_give_the_same_rows(folder: Path, job: Job) -> None:
    classroom.garbage(folder)
    files = list(grade.collect(folder))
    with grade.pool(2) as processes:
        assert grade.rows(files, job, processes) == grade.rows(files, job)


class Breaking(Executor):
    """A pool that dies at one task, and takes along what had not begun."""

    def submit(self, task: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        found: Future[Any] = Future()
        found.set_exception(BrokenProcessPool("a process ended"))
        return found


def test_a_broken_pool_loses_no_row(
    folder: Path, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Own(ThreadPoolExecutor):
        """Stands for the process of its own that each file gets."""

        def __init__(self, *_: object, **__: object) -> None:
            super().__init__(1)

        def submit(self, task: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
            if given[1].startswith("bob"):
                raise BrokenProcessPool("this one ended too")
            return super().submit(task, *given, **named)

    monkeypatch.setattr(grade, "ProcessPoolExecutor", Own)
    rows = {
        row.student or row.file: row for row in grade.rows(grade.collect(folder), job, Breaking())
    }
    assert set(rows) == {"ada", "bob.ledger.json", "eve", "kim"}
    assert rows["bob.ledger.json"].problem == "reading it ended the process"


def test_what_is_done_is_not_done_again(
    folder: Path, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, files = tmp_path / "rows.jsonl", list(grade.collect(folder))
    by = grade.stamp(job)
    grade.rows(files[:2], job, done=Done(kept, by))
    with kept.open("a") as torn:
        torn.write('{"by": "cut sh')
    graded: list[str] = []
    real = grade.of_file

    def counted(file: Collected, name: str, job: Job) -> Row:
        graded.append(name)
        return real(file, name, job)

    monkeypatch.setattr(grade, "of_file", counted)
    rest = Done(kept, by)
    assert len(rest) == 2
    rows = grade.rows(files, job, done=rest)
    assert graded == [name for _, name in files[2:]]
    assert rows == tuple(real(file, name, job) for file, name in files)
    (folder / "ada.ledger.json").replace(folder / "ava.ledger.json")
    again = grade.rows(grade.collect(folder), job, done=Done(kept, by))
    assert again[0].file == "ava.ledger.json"
    assert len(graded) == 2


def test_another_rubric_or_question_is_done_anew(job: Job, tmp_path: Path) -> None:
    by = job.rubric.model_copy(update={"name": "Another"})
    stamps = {
        grade.stamp(job),
        grade.stamp(replace(job, rubric=by)),
        grade.stamp(replace(job, replay=True)),
        grade.stamp(replace(job, desk=Desk(Roster("c", ())))),
        grade.stamp(replace(job, desk=Desk(Roster("c", (Student("ada", "", ()),))))),
        grade.stamp(replace(job, desk=Desk(witness_key="00" * 32))),
    }
    assert len(stamps) == 6
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="symbolic link"):
        Done(tmp_path / "link", grade.stamp(job))


def test_a_replay_that_was_given_up_is_tried_again(folder: Path, job: Job, tmp_path: Path) -> None:
    kept, files = tmp_path / "rows.jsonl", list(grade.collect(folder))[:1]
    impatient = replace(job, replay=True, patience=0.0)
    (row,) = grade.rows(files, impatient, done=Done(kept, grade.stamp(impatient)))
    assert row.verdicts["replay"].state == "not replayable here"
    assert row.given_up
    assert not kept.exists()


def test_bots_chosen_seeds_and_failures_are_held_back_and_keep_their_points(
    rows: Sequence[Row], wall: MissionFile, job: Job, tmp_path: Path
) -> None:
    mission = wall.tracks["tiny"]
    bot = classroom.play(mission, "ada", 0, driver="bot:reference")
    seed = classroom.play(mission, "bob", 1, chosen_seed=3)
    for name, events in (("bot", bot), ("seed", seed)):
        classroom.hand_in(tmp_path, name, events)
    path = classroom.hand_in(tmp_path, "flipped", bot)
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)
    files = list(grade.collect(tmp_path))
    found = {
        each.row.file.partition(".")[0]: each
        for each in grade.graded(grade.rows(files, job), NOBODY, None)
    }
    assert found["bot"].held == ("played by a program",)
    assert found["seed"].held == ("chosen seed",)
    assert found["bot"].total
    assert any("fails" in reason for reason in found["flipped"].held)
    honest = grade.graded(rows, NOBODY, None)
    assert all(each.held == () for each in honest)


def test_attempts_twins_and_strangers_are_seen(
    folder: Path, plays: dict[str, list[Event]], wall: MissionFile, job: Job
) -> None:
    second = classroom.play(wall.tracks["tiny"], "ada", 7, attempt=2)
    classroom.hand_in(folder, "ada-2", second)
    classroom.hand_in(folder, "kim-again", plays["kim"])
    roster = Roster("c", tuple(Student(name, f"{name} x", ()) for name in ("ada", "bob", "kim")))
    found = {
        each.row.file.partition(".")[0]: each
        for each in grade.graded(grade.rows(grade.collect(folder), job), NOBODY, roster)
    }
    assert "several attempts" in found["ada"].flags
    assert set(found["ada-2"].flags) >= {"several attempts", "attempt 2"}
    assert "the same play twice" in found["kim"].flags
    assert found["eve"].held == ("not in the roster",)
    assert (found["bob"].name, found["eve"].name) == ("bob x", "")
    best = grade.best(found.values())
    assert set(best) == {"ada", "bob", "kim"}
    assert best["ada"].share == max(found["ada"].share or 0, found["ada-2"].share or 0)


def test_an_unfinished_play_counts_as_far_as_it_goes(
    plays: dict[str, list[Event]], folder: Path, job: Job
) -> None:
    at = next(n for n, event in enumerate(plays["ada"]) if event.kind == "claim")
    path = classroom.hand_in(folder, "half", plays["ada"][:at])
    (each,) = grade.graded(grade.rows(grade.collect(path), job), NOBODY, None)
    assert "unfinished" in each.flags
    assert each.held == ()
    assert each.row.stopped == ("claim", "memory")
    assert each.criteria["locks"].points == 10
    assert each.criteria["claims"].points == 0


def test_a_cluster_is_an_executor_like_any_other(folder: Path, job: Job) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra mission-tui[dask]")
    cluster = distributed.LocalCluster(
        n_workers=1, processes=False, dashboard_address=None, threads_per_worker=1
    )
    files = list(grade.collect(folder))
    with cluster, grade.dask(cluster.scheduler_address) as executor:
        assert grade.rows(files, job, executor) == grade.rows(files, job)
