"""The player's identity: one Ed25519 key in the user's state directory.

``keys/ed25519`` holds the 32 private bytes (RFC 8032, section 5.1.5), 0600 in a 0700 folder;
``keys/ed25519.pub`` the public half as hex, so that a play can begin without loading the
cryptography package (which takes longer than the rest of the start). A key that was rotated away
stays as ``keys/ed25519.<fingerprint>.old``: plays that were begun with it are signed with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mission_tui import paths
from mission_tui.ledger.files import (
    CannotOpenError,
    new_beside,
    private_folder,
    read_regular,
    sync_folder,
    why,
    write_whole,
)

_BYTES: Final = 32
_PUBLIC: Final = re.compile(rb"[0-9a-f]{64}\n")


class KeyFileError(Exception):
    """A key that can't be used as it is; one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key; it never shows in a repr."""

    private: bytes = field(repr=False)
    public: bytes

    @property
    def public_hex(self) -> str:
        """The public half as the journal's header has it."""
        return self.public.hex()

    @property
    def key_id(self) -> str:
        """The fingerprint of the public half."""
        return fingerprint(self.public)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature of ``message``."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.private).sign(message)


def fingerprint(public: bytes) -> str:
    """The key id: SHA-256 of the 32 raw public bytes, 64 hex digits."""
    return hashlib.sha256(public).hexdigest()


def verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` is Ed25519 of ``message`` by the key ``public`` (32 raw bytes)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def from_private(private: bytes) -> SigningKey:
    """The key of 32 private bytes. Raises ValueError for another length."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    return SigningKey(private, public)


def generate() -> SigningKey:
    """A new random key, kept nowhere."""
    return from_private(os.urandom(_BYTES))  # RFC 8032: a private key is 32 random bytes


def keys_dir() -> Path:
    """Where the key is kept; it may not exist yet."""
    return paths.state_dir() / "keys"


def ensure_public() -> str:
    """The public key as 64 hex digits; makes the key at first play.

    Loads cryptography only when a file has to be made. Sessions that start at once end with
    one key. Raises KeyFileError.
    """
    private, public = _files()
    try:
        if not os.path.lexists(private):
            _make(private)
        check_closed(private)
        if not os.path.lexists(public):
            write_whole(public, load().public_hex.encode("ascii") + b"\n")
    except OSError as error:
        raise KeyFileError(f"Your key can't be kept in {private.parent}: {why(error)}.") from None
    return _read_public(public).hex()


def public_if_any() -> str | None:
    """The public key as 64 hex digits; None where no key was made yet. Raises KeyFileError."""
    return ensure_public() if os.path.lexists(_files()[0]) else None


def load() -> SigningKey:
    """The key to sign with. Raises KeyFileError."""
    private, public = _files()
    key = read_private(private)
    if os.path.lexists(public) and _read_public(public) != key.public:
        raise KeyFileError(f"{public} belongs to another key than {private}; delete {public}")
    return key


def read_private(path: Path) -> SigningKey:
    """The key in the file ``path`` (0600 in a 0700 folder, 32 bytes). Raises KeyFileError."""
    try:
        check_closed(path)
        content = read_regular(path, _BYTES + 1)
    except (OSError, CannotOpenError):
        raise KeyFileError(f"Your key {path} can't be read; is it there?") from None
    if len(content) != _BYTES:
        raise KeyFileError(f"{path} is not a key of this program; move it away to get a new one")
    return from_private(content)


def make_private(path: Path) -> SigningKey:
    """Make a key in the file ``path`` unless it is there; gives the one that stands.

    Raises OSError, KeyFileError.
    """
    if not os.path.lexists(path):
        _make(path)
    return read_private(path)


def load_for(public_hex: str) -> SigningKey:
    """The key of this public half: the one in use, else one that was rotated away.

    Raises KeyFileError; where there is no such key, gives the one in use.
    """
    key = load()
    if key.public_hex == public_hex or len(public_hex) != 2 * _BYTES:
        return key
    with contextlib.suppress(ValueError):
        old = _old(fingerprint(bytes.fromhex(public_hex)))
        if os.path.lexists(old):
            return read_private(old)
    return key


def rotate() -> tuple[SigningKey, Path]:
    """Make a new key; the old one stays beside it. Gives the new key and the old one's file.

    A process that dies in between leaves the old key, or the new one without its public half,
    which is made again. Raises KeyFileError.
    """
    private, public = _files()
    old = _old(load().key_id)
    try:
        with contextlib.suppress(FileExistsError):  # an earlier rotation died half-way
            os.link(private, old)
        public.unlink(missing_ok=True)
        key = generate()
        write_whole(private, key.private)
        write_whole(public, key.public_hex.encode("ascii") + b"\n")
    except OSError as error:
        raise KeyFileError(f"A new key can't be kept in {private.parent}: {why(error)}.") from None
    return key, old


def _old(key_id: str) -> Path:
    return keys_dir() / f"ed25519.{key_id}.old"


def _files() -> tuple[Path, Path]:
    return keys_dir() / "ed25519", keys_dir() / "ed25519.pub"


def _make(private: Path) -> None:
    if not (state := private.parent.parent).is_dir():  # one that is there has its owner's mode
        private_folder(state)
    private_folder(private.parent)
    beside = new_beside(private, generate().private)
    try:
        with contextlib.suppress(FileExistsError):  # another session was faster: its key stands
            os.link(beside, private)
    finally:
        beside.unlink()
    sync_folder(private.parent)


def check_closed(private: Path) -> None:
    """Raise KeyFileError unless the file and its folder are this user's alone; or OSError."""
    for path, mode in ((private.parent, "700"), (private, "600")):
        state = path.lstat()
        quoted = shlex.quote(str(path))
        if state.st_uid != os.geteuid():
            raise KeyFileError(f"{path} belongs to another user: keep it in a folder of your own")
        if stat.S_IMODE(state.st_mode) & 0o077:
            raise KeyFileError(f"Others can get at your key; run: chmod {mode} {quoted}")


def _read_public(public: Path) -> bytes:
    try:
        content = read_regular(public, 2 * _BYTES + 2)
    except CannotOpenError as error:
        raise KeyFileError(str(error)) from None
    if not _PUBLIC.fullmatch(content):
        raise KeyFileError(f"{public} is not a public key; delete it and it is made again")
    return bytes.fromhex(content.decode("ascii"))
