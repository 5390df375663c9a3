from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mission_tui import paths


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch):
    for name in (
        "MISSION_TUI_STATE",
        "MISSION_TUI_SAVES",
        "MISSION_TUI_MISSIONS",
        "XDG_STATE_HOME",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "missions").mkdir()
    (tmp_path / "mission_tui").mkdir()
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "mission_tui")
    return tmp_path


def test_saves_go_where_the_player_says_first(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert paths.saves_dir() == checkout / "saves"
    monkeypatch.setenv("MISSION_TUI_SAVES", str(tmp_path / "env"))
    assert paths.saves_dir() == tmp_path / "env"
    assert paths.saves_dir(str(tmp_path / "option")) == tmp_path / "option"
    assert paths.saves_dir("here") == Path.cwd() / "here"
    assert paths.saves_dir("~/here") == Path.home() / "here"


@pytest.mark.parametrize("with_saves", [False, True])
def test_saves_stay_out_of_a_checkout_of_someone_else(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_saves: bool
):
    if with_saves:
        (checkout / "saves").mkdir()
    owner = checkout.stat().st_uid
    monkeypatch.setattr(paths.os, "geteuid", lambda: owner + 1)
    monkeypatch.setenv("MISSION_TUI_STATE", str(tmp_path / "state"))
    assert paths.saves_dir() == tmp_path / "state" / "saves"


def test_an_installed_program_saves_in_the_users_state(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (checkout / "pyproject.toml").unlink()
    monkeypatch.setenv("MISSION_TUI_STATE", str(tmp_path / "state"))
    assert paths.saves_dir() == tmp_path / "state" / "saves"
    assert paths.missions_dir() == checkout / "mission_tui" / "missions"


def test_missions_come_from_the_checkout(checkout: Path):
    assert paths.missions_dir() == checkout / "missions"


def test_state_follows_the_platform_unless_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert paths.state_dir().name == "mission-tui"
    monkeypatch.setenv("MISSION_TUI_STATE", str(tmp_path))
    assert paths.state_dir() == tmp_path


@pytest.mark.parametrize("plain", ["ada", "Ada.L", "s1234567", "ada@uni.edu", "a-b_c+d", "x" * 64])
def test_a_plain_id_is_its_own_file_name(plain: str):
    assert paths.file_name(plain) == plain


@pytest.mark.parametrize(
    ("odd", "readable"),
    [
        ("Jürgen Öz", "Jurgen_Oz~"),
        ("../../etc/passwd", "_.._etc_passwd~"),
        (".", "_~"),
        (".ssh", "ssh~"),
        ("-rf", "rf~"),
        ("", "_~"),
        ("a\0b", "a_b~"),
        ("日本", "_~"),
        ("x" * 65, "x" * 64 + "~"),
        ("ada~0123456789ab", "ada_0123456789ab~"),
        ("\ud800", "_~"),
    ],
)
def test_an_odd_id_stays_readable_and_gets_a_hash(odd: str, readable: str):
    name = paths.file_name(odd)
    assert name[:-12] == readable
    assert int(name[-12:], 16) >= 0


identities = st.text(st.characters(), max_size=80) | st.text(st.sampled_from("a./-~_@é"))


@settings(max_examples=300, deadline=None)
@given(identity=identities)
def test_every_id_is_one_visible_file_in_the_folder(identity: str):
    name = paths.file_name(identity)
    assert (Path("/saves") / name).parent == Path("/saves")
    assert name[0] not in ".-~"
    assert name.isascii()
    assert "/" not in name
    assert name.isprintable()
    assert len(name) <= 77


@settings(max_examples=300, deadline=None)
@given(one=identities, other=identities)
def test_two_ids_never_share_a_name(one: str, other: str):
    same = unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
    assert (paths.file_name(one) == paths.file_name(other)) == same


@settings(max_examples=200, deadline=None)
@given(identity=identities)
def test_the_name_of_a_name_is_another_ids(identity: str):
    name = paths.file_name(identity)
    assert name == identity or paths.file_name(name) != name


def test_a_play_has_its_files_in_its_students_folder():
    saves = Path("/saves")
    assert paths.journal_path(saves, "ada", "p1") == Path("/saves/ada/p1.jsonl")
    assert paths.ledger_path(saves, "ada", "p1") == Path("/saves/ada/p1.ledger.json")
    assert paths.journal_path(saves, "..", "../x").parent.parent == saves
