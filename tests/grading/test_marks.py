"""Points by hand: kept apart, signed, and never added to what somebody else wrote."""

from __future__ import annotations

import errno
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from mission_tui.grading import marks
from mission_tui.grading.marks import Grader, MarksError, Override
from mission_tui.ledger import files, keys

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ONE = Override("play-1", "claims", 7.5, "the answer names no term", "eve", AT, 17)


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISSION_TUI_STATE", str(tmp_path / "state"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return marks.marks_path(tmp_path / "ada.ledger.json")


def test_marks_lie_beside_their_ledger(path: Path) -> None:
    assert path.name == "ada.ledger.json.marks.toml"
    assert marks.load(path) == marks.Marks(path)


def test_format_is_the_documented_one(path: Path) -> None:
    marks.add(path, ONE)
    tree = tomli.loads(path.read_text(encoding="utf-8"))
    assert tree["override"] == [
        {
            "play": "play-1",
            "criterion": "claims",
            "points": 7.5,
            "reason": "the answer names no term",
            "by": "eve",
            "at": AT,
            "event": 17,
        }
    ]
    assert (tree["schema"], tree["key"]) == (1, keys.load().public_hex)
    signature = bytes.fromhex(Path(f"{path}.sig").read_text("ascii").strip())
    assert keys.verifies(keys.load().public, signature, path.read_bytes())
    assert {path.stat().st_mode & 0o777, Path(f"{path}.sig").stat().st_mode & 0o777} == {0o600}


def test_later_of_two_counts_and_both_stay(path: Path) -> None:
    grader = Grader(path, "play-1", "eve", lambda: AT.astimezone(timezone(timedelta(hours=2))))
    grader.give("claims", 3.0, "first", 1)
    grader.give("locks", 1.0, "other")
    found = grader.give("claims", 4.0, "second thoughts", 2)
    assert [each.points for each in marks.load(path).overrides] == [3.0, 1.0, 4.0]
    assert {name: each.points for name, each in found.standing("play-1").items()} == {
        "claims": 4.0,
        "locks": 1.0,
    }
    assert found.standing("another play") == {}
    assert found.overrides[0].at == AT


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(play=texts, reason=texts.filter(str.strip), points=st.floats(0, 1000))
def test_what_is_written_is_what_is_read(play: str, reason: str, points: float) -> None:
    given_ = replace(ONE, play=play, reason=reason, points=points, event=None)
    content = marks.written([given_, ONE], "ab" * 32, "x\x1b.toml")
    assert marks.parse(content, "x") == ((given_, ONE), "ab" * 32)
    assert b"\x1b" not in content


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reason": "  "}, "say why"),
        ({"points": float("nan")}, "from 0 to"),
        ({"points": -1.0}, "from 0 to"),
        ({"points": 1e9}, "from 0 to"),
        ({"play": ""}, "names no play"),
        ({"by": ""}, "its grader"),
    ],
)
def test_unfit_override_changes_nothing(path: Path, change: dict[str, object], words: str) -> None:
    with pytest.raises(MarksError, match=words):
        marks.add(path, replace(ONE, **change))  # type: ignore[arg-type]
    assert not path.exists()


def changed(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"7.5", b"9.5"))


def unsigned(path: Path) -> None:
    Path(f"{path}.sig").unlink()


def anothers(path: Path) -> None:
    other = keys.generate()
    Path(f"{path}.sig").write_text(other.sign(path.read_bytes()).hex())


@pytest.mark.parametrize("harm", [changed, unsigned, anothers])
def test_what_this_key_did_not_sign_is_shown_and_not_added_to(path: Path, harm) -> None:
    marks.add(path, ONE)
    harm(path)
    before = path.read_bytes()
    found = marks.load(path)
    assert found.signed == "not mine"
    assert len(found.overrides) == 1
    with pytest.raises(MarksError, match="not signed with your key"):
        marks.add(path, ONE)
    assert path.read_bytes() == before


def test_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    marks.add(tmp_path / "real.toml", ONE)
    path.symlink_to(tmp_path / "real.toml")
    with pytest.raises(MarksError, match="symbolic link"):
        marks.add(path, ONE)


@pytest.mark.parametrize("failing", [1, 2])
def test_full_disk_is_one_sentence_and_what_was_kept_stays(
    path: Path, failing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks.add(path, ONE)
    before = path.read_bytes()
    calls = 0

    def write_all(fd: int, data: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls == failing:
            raise OSError(errno.ENOSPC, "no space")
        original(fd, data)

    original = files.write_all
    monkeypatch.setattr(files, "write_all", write_all)
    with pytest.raises(MarksError, match="the disk is full"):
        marks.add(path, replace(ONE, points=1.0))
    assert path.read_bytes() == before
    assert marks.load(path).signed == "mine"
    assert sorted(each.name for each in path.parent.glob("*.tmp")) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff", "not TOML"),
        (b"override = 3\nschema = 1", "are tables"),
        (b"[[override]]", "schema must be 1"),
        (b"schema = 1\n[[override]]", "play must be text"),
        (b"schema = 1\noverride = [7]", "is no table"),
        (b'schema = 1\n[[override]]\nplay="p"\ncriterion="c"\nreason="r"\nby="b"', "points"),
        (
            b'schema = 1\n[[override]]\nplay="p"\ncriterion="c"\nreason="r"\nby="b"\npoints=1\n'
            b"at = 2026-01-01T00:00:00",
            "with its zone",
        ),
        (
            b'schema = 1\n[[override]]\nplay="p"\ncriterion="c"\nreason="r"\nby="b"\npoints=1'
            + b"0" * 400
            + b"\nat = 2026-01-01T00:00:00Z",
            "points must be a number",
        ),
        (b"a = [" * 5_000, "not TOML"),
        (b"#" * 1_000_001, "larger than"),
    ],
)
def test_unreadable_marks_are_one_sentence(path: Path, content: bytes, words: str) -> None:
    path.write_bytes(content)
    with pytest.raises(MarksError, match=words) as found:
        marks.load(path)
    assert "\n" not in str(found.value)
