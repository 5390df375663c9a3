"""Courses, rosters and tokens: who is who, on which day, with which seed."""

from __future__ import annotations

import hashlib
import hmac
import json
import stat
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_tui.ledger import course, enrolment, keys, roster
from mission_tui.ledger.course import CourseError
from mission_tui.ledger.enrolment import EnrolmentError
from mission_tui.ledger.roster import Key, Roster, RosterError, Student

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
ADA, BOB, NEW = ("aa" * 32, "bb" * 32, "cc" * 32)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MISSION_TUI_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    course.new(tmp_path / "ml", "ml", "Systems")
    return tmp_path / "ml"


def test_a_course_is_its_instructors_alone(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("secret", "key", "roster.toml", "course.toml"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    made = course.load(folder)
    assert (made.id, made.title, made.witness) == ("ml", "Systems", None)
    assert made.key == keys.from_private((folder / "key").read_bytes()).public_hex
    assert made.secret == (folder / "secret").read_bytes()
    assert made.secret.hex() not in repr(made)
    assert repr(made.secret) not in repr(made)


def test_a_course_file_alone_has_no_secret(folder: Path) -> None:
    public = course.load(folder / "course.toml")
    assert (public.id, public.secret, public.seed_root("ada")) == ("ml", None, None)


@pytest.mark.parametrize("name", ["secret", "key"])
def test_a_secret_that_others_can_read_is_refused(folder: Path, name: str) -> None:
    (folder / name).chmod(0o644)
    with pytest.raises(CourseError, match="chmod 600"):
        course.enrol(folder, "ada", ADA)


def test_no_course_is_made_where_something_is(folder: Path) -> None:
    before = (folder / "secret").read_bytes()
    with pytest.raises(CourseError, match="not empty"):
        course.new(folder, "other")
    assert (folder / "secret").read_bytes() == before


def test_a_token_binds_student_key_and_seed(folder: Path) -> None:
    token = course.enrol(folder, "ada", ADA.upper(), "Ada L.", NOON)
    secret = (folder / "secret").read_bytes()
    assert token.seed_root == hmac.new(secret, b"ada", hashlib.sha256).hexdigest()
    assert (token.student, token.public_key, token.course) == ("ada", ADA, "ml")
    assert token.message == b"mission-tui enrolment v1\0" + json.dumps(
        {
            "course": "ml",
            "issued": "2026-09-01T12:00:00+00:00",
            "public_key": ADA,
            "seed_root": token.seed_root,
            "student": "ada",
        },
        sort_keys=True,
        separators=(",", ":"),
    ).encode("ascii")
    assert token.holds
    assert enrolment.parse(token.token().encode()) == token
    assert "\n" not in token.token()


@pytest.mark.parametrize("field", ["course", "issued", "student", "public_key", "seed_root", "key"])
def test_an_edited_token_does_not_hold(folder: Path, field: str) -> None:
    token = course.enrol(folder, "ada", ADA)
    other = keys.generate().public_hex if len(getattr(token, field)) == 64 else "bob"
    assert not replace(token, **{field: other}).holds


def test_two_students_and_two_courses_share_no_seed(folder: Path, tmp_path: Path) -> None:
    course.new(tmp_path / "other", "ml")
    roots = {
        course.enrol(where, student, key).seed_root
        for where in (folder, tmp_path / "other")
        for student, key in (("ada", ADA), ("bob", BOB))
    }
    assert len(roots) == 4
    assert course.enrol(folder, "ada", NEW).seed_root in roots  # the seed outlives a key


def test_ids_that_differ_in_normalisation_are_one_student(folder: Path) -> None:
    composed, apart = "Ren\u00e9e", "Rene\u0301e"
    first = course.enrol(folder, composed, ADA)
    assert course.enrol(folder, apart, NEW).seed_root == first.seed_root
    assert len(course.roster_of(folder).students) == 1
    assert replace(first, student=apart).holds


def test_a_new_key_ends_the_old_one(folder: Path) -> None:
    course.enrol(folder, "ada", ADA, "Ada", NOON)
    course.enrol(folder, "bob", BOB, "", NOON)
    october = datetime(2026, 10, 12, 23, 59, tzinfo=UTC)
    course.enrol(folder, "ada", NEW, "", october)
    found = course.roster_of(folder)
    ada = found.student("ada")
    assert ada == Student(
        "ada",
        "Ada",
        (Key(ADA, NOON.date(), october.date()), Key(NEW, october.date())),
    )
    held = {
        (name, str(day)): found.holder(public, day)
        for name, public in (("old", ADA), ("new", NEW))
        for day in (date(2026, 8, 31), NOON.date(), october.date(), date(2026, 10, 13))
    }
    assert {where for where, holder in held.items() if holder is not None} == {
        ("old", "2026-09-01"),
        ("old", "2026-10-12"),
        ("new", "2026-10-12"),
        ("new", "2026-10-13"),
    }
    assert found.holder(BOB, october.date()) == found.student("bob")


def test_the_same_key_again_is_a_new_token_and_the_same_roster(folder: Path) -> None:
    course.enrol(folder, "ada", ADA, "Ada", NOON)
    before = (folder / "roster.toml").read_bytes()
    assert course.enrol(folder, "ada", ADA).holds
    assert (folder / "roster.toml").read_bytes() == before


def test_an_account_is_read_written_and_kept_when_a_key_changes(folder: Path) -> None:
    course.enrol(folder, "ada", ADA, "Ada", NOON)
    course.enrol(folder, "bob", BOB, "", NOON)
    path = folder / "roster.toml"
    path.write_text(path.read_text().replace('id = "ada"', 'id = "ada"\nuid = 1001'))
    course.enrol(folder, "ada", NEW, "", NOON)
    found = course.roster_of(folder)
    assert [student.uid for student in found.students] == [1001, None]
    assert found.accounts(1001) == (found.student("ada"),)
    assert found.accounts(0) == ()


@pytest.mark.parametrize("uid", ["-1", "true", "1.0", '"1001"', "4294967296", "[1]"])
def test_an_account_that_is_no_number_is_refused(uid: str) -> None:
    text = f'schema = 1\ncourse = "ml"\n[[students]]\nid = "ada"\nuid = {uid}\n'
    with pytest.raises(RosterError, match="'ada': uid must be"):
        roster.parse(text.encode())


def test_a_key_that_was_ended_can_be_taken_up_again(folder: Path) -> None:
    for key in (ADA, NEW, ADA):
        course.enrol(folder, "ada", key, "", NOON)
    tomorrow = date(2026, 9, 2)
    found = course.roster_of(folder)
    assert found.holder(ADA, tomorrow) is not None
    assert found.holder(NEW, tomorrow) is None


def test_a_key_belongs_to_one_student(folder: Path) -> None:
    course.enrol(folder, "ada", ADA)
    with pytest.raises(RosterError, match="'ada'"):
        course.enrol(folder, "bob", ADA)


@pytest.mark.parametrize("student", ["", "a\x1b]52;c;eA==\x07", "a\nb", "x" * 65, "a\u202eb"])
def test_a_hostile_id_is_refused(folder: Path, student: str) -> None:
    with pytest.raises(CourseError, match="printable"):
        course.enrol(folder, student, ADA)


@pytest.mark.parametrize("key", ["", "xyz", "aa" * 31, "zz" * 32, "aa" * 33])
def test_what_is_no_key_is_refused(folder: Path, key: str) -> None:
    with pytest.raises(CourseError, match="64 hex"):
        course.enrol(folder, "ada", key)


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=12)


@given(names=st.lists(NAMES, unique_by=enrolment.same_id, max_size=4), course_id=NAMES)
def test_a_roster_comes_back_as_it_was_written(names: list[str], course_id: str) -> None:
    students = tuple(
        Student(name, name[::-1], (Key(f"{n:064x}", date(2026, 1, 1), date(2026, 1, 2)),))
        for n, name in enumerate(names)
    )
    made = Roster(course_id, students)
    assert roster.parse(roster.write(made).encode("utf-8")) == made


ONE = f"""
[[students]]
id = "ada"
[[students.keys]]
public = "{ADA}"
from = 2026-09-01
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "schema"),
        ("schema = 2", "schema must be 1"),
        ("schema = 1", "course"),
        ("schema = 1\ncourse = 3", "course"),
        ("[[[", "no TOML"),
        ("\x00", "no TOML"),
        ("x = " + "[" * 50_000, "no TOML"),
        ('schema = 1\ncourse = "c"\nstudents = 1', "[[students]]"),
        ('schema = 1\ncourse = "c"\nextra = 1', "unknown key 'extra'"),
        ('schema = 1\ncourse = "c"\n[[students]]', "needs an id"),
        (f'schema = 1\ncourse = "c"{ONE}{ONE}', "'ada' is there twice"),
        (f'schema = 1\ncourse = "c"{ONE}{ONE.replace("ada", "bob")}', "on the same day"),
        (f'schema = 1\ncourse = "c"{ONE}'.replace("2026-09-01", '"2026"'), "must be a date"),
        (f'schema = 1\ncourse = "c"{ONE}'.replace("2026-09-01", "2026-09-01T00:00:00Z"), "a date"),
        (f'schema = 1\ncourse = "c"{ONE}until = 2026-08-31', "ends before it begins"),
        (f'schema = 1\ncourse = "c"{ONE}'.replace("aa", "AA"), "64 hex digits"),
    ],
)
def test_a_broken_roster_gives_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "roster.toml"
    path.write_text(text)
    with pytest.raises(RosterError) as caught:
        roster.load(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_key_may_go_from_one_student_to_another_later() -> None:
    later = ONE.replace("ada", "bob").replace("2026-09-01", "2026-10-01")
    found = roster.parse(f'schema = 1\ncourse = "c"{ONE}until = 2026-09-30\n{later}'.encode())
    assert found.holder(ADA, date(2026, 9, 30)) == found.student("ada")
    assert found.holder(ADA, date(2026, 10, 1)) == found.student("bob")


# -- on the student's side ---------------------------------------------------------------------


def test_a_token_is_kept_and_says_where_the_seed_comes_from(folder: Path, state: Path) -> None:
    assert enrolment.says("ada") == "No course: the seed follows from your name."
    mine = keys.ensure_public()
    token = course.enrol(folder, "ada", mine)
    assert stat.S_IMODE(enrolment.keep(token).stat().st_mode) == 0o600
    assert enrolment.current() == token
    assert enrolment.for_play("ada", mine) == token
    assert enrolment.says("ada") == "Course ml: the seed is your own, by your enrolment."
    assert enrolment.for_play("bob", mine) is None
    assert "in ml you are ada" in enrolment.says("bob")
    keys.rotate()
    assert enrolment.for_play("ada", keys.ensure_public()) is None
    assert "enrolled anew" in enrolment.says("ada")


def test_a_token_for_another_key_or_by_nobody_is_not_kept(folder: Path) -> None:
    mine = keys.ensure_public()
    with pytest.raises(EnrolmentError, match="another key"):
        enrolment.keep(course.enrol(folder, "ada", ADA))
    token = course.enrol(folder, "ada", mine)
    with pytest.raises(EnrolmentError, match="changed"):
        enrolment.keep(replace(token, seed_root="0" * 64))
    assert enrolment.current() is None


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[" * 100_000, b"\xff", b'{"type":"mission-tui enrolment v1"}']
)
def test_what_is_no_token_gives_one_sentence_and_no_course(content: bytes, state: Path) -> None:
    with pytest.raises(EnrolmentError) as caught:
        enrolment.parse(content)
    assert "\n" not in str(caught.value)
    state.mkdir()
    enrolment.file().write_bytes(content)
    assert enrolment.current() is None
    assert "can't be read" in enrolment.says("ada")


def test_half_a_surrogate_is_no_student(folder: Path) -> None:
    fields = json.loads(course.enrol(folder, "ada", ADA).token())
    with pytest.raises(EnrolmentError, match="no text"):
        enrolment.parse(json.dumps({**fields, "student": "\ud800"}).encode())


def test_an_account_is_kept_from_one_enrolment_to_the_next(folder: Path) -> None:
    course.enrol(folder, "ada", ADA, "Ada", NOON, uid=1001)
    course.enrol(folder, "ada", NEW, "", NOON)
    (ada,) = course.roster_of(folder).students
    assert ada.uid == 1001
    course.enrol(folder, "ada", NEW, "", NOON, uid=1002)
    (ada,) = course.roster_of(folder).students
    assert (ada.uid, ada.name) == (1002, "Ada")
    with pytest.raises(CourseError, match="id -u"):
        course.enrol(folder, "ada", NEW, "", NOON, uid=-1)
