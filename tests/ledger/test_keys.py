from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mission_tui.ledger import keys
from mission_tui.ledger.keys import KeyFileError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MISSION_TUI_STATE", str(tmp_path / "a state"))
    return tmp_path / "a state" / "keys"


def test_a_key_is_made_once_and_closed_to_others(folder: Path):
    before = os.umask(0)
    try:
        public = keys.ensure_public()
    finally:
        os.umask(before)
    assert keys.ensure_public() == public == keys.load().public_hex
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert sorted(file.name for file in folder.iterdir()) == ["ed25519", "ed25519.pub"]
    assert stat.S_IMODE((folder / "ed25519").stat().st_mode) == 0o600
    assert (folder / "ed25519").stat().st_nlink == 1


def test_the_key_agrees_with_the_standard(folder: Path):
    """RFC 8032, section 7.1, test 2."""
    key = keys.from_private(
        bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    )
    assert key.public_hex == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert key.sign(b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert keys.verifies(key.public, key.sign(b"\x72"), b"\x72")
    assert not keys.verifies(key.public, key.sign(b"\x72"), b"\x73")


@pytest.mark.parametrize(("name", "mode"), [("", "700"), ("ed25519", "600")])
@pytest.mark.parametrize("loose", [0o755, 0o620, 0o701])
def test_a_key_that_others_can_get_at_is_refused_with_the_remedy(
    folder: Path, name: str, mode: str, loose: int
):
    public = keys.ensure_public()
    (folder / name).chmod(loose)
    for use in (keys.load, keys.ensure_public):
        with pytest.raises(KeyFileError, match=f"chmod {mode} ") as caught:
            use()
    subprocess.run(str(caught.value).split("run: ")[1], shell=True, check=True)
    assert keys.ensure_public() == public


def test_a_lost_public_half_is_made_again(folder: Path):
    public = keys.ensure_public()
    (folder / "ed25519.pub").unlink()
    assert keys.ensure_public() == public


def test_a_public_half_of_another_key_is_refused(folder: Path):
    keys.ensure_public()
    (folder / "ed25519.pub").write_text(keys.generate().public_hex + "\n")
    with pytest.raises(KeyFileError, match="belongs to another key"):
        keys.load()


@pytest.mark.parametrize("content", ["", "junk\n", "0" * 64, "0" * 64 + "\n\n", "G" * 64 + "\n"])
def test_a_broken_public_half_is_refused(folder: Path, content: str):
    keys.ensure_public()
    (folder / "ed25519.pub").write_text(content)
    with pytest.raises(KeyFileError, match="is not a public key"):
        keys.ensure_public()


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_broken_private_half_is_refused_and_kept(folder: Path, content: bytes):
    keys.ensure_public()
    (folder / "ed25519").write_bytes(content)
    with pytest.raises(KeyFileError, match="is not a key"):
        keys.load()
    assert (folder / "ed25519").read_bytes() == content


def test_a_link_in_place_of_the_key_is_refused(folder: Path, tmp_path: Path):
    keys.ensure_public()
    (folder / "ed25519").rename(tmp_path / "key")
    (folder / "ed25519").symlink_to(tmp_path / "key")
    with pytest.raises(KeyFileError):
        keys.load()


def test_without_a_key_signing_says_so(folder: Path):
    with pytest.raises(KeyFileError, match="can't be read"):
        keys.load()


def test_a_place_that_can_not_keep_a_key_says_so(folder: Path):
    folder.parent.write_text("a file where a folder is needed")
    with pytest.raises(KeyFileError, match="can't be kept"):
        keys.ensure_public()


def test_sessions_that_start_at_once_end_with_one_key(folder: Path):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: keys.ensure_public(), range(16)))
    assert set(made) == {keys.load().public_hex}
    assert len(list(folder.iterdir())) == 2


def test_a_play_begins_without_loading_cryptography(folder: Path):
    keys.ensure_public()
    code = (
        "import sys; from mission_tui.ledger import journal, keys, verify, envelope;"
        "keys.ensure_public(); assert 'cryptography' not in sys.modules;"
        "assert 'numpy' not in sys.modules; assert 'textual' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_a_private_key_never_shows():
    key = keys.generate()
    assert key.private.hex() not in repr(key)
    assert str(key.private) not in repr(key)
