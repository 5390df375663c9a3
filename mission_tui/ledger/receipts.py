"""Receipts: a witness's word that a play had this head at this time, and how they are asked for.

The witness (:mod:`mission_tui.ledger.witness`) is outside of the student's control. Play never
waits for it: heads are sent from a thread of their own, and what can't be sent stays in
``<play id>.queue.jsonl`` and goes later, marked late. Copies of receipts stand beside the journal
in ``<play id>.receipts.jsonl``.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeGuard

from mission_tui.ledger import keys, strict
from mission_tui.ledger.files import (
    CannotOpenError,
    open_regular,
    private_folder,
    read_regular,
    write_all,
    write_whole,
)
from mission_tui.ledger.keys import SigningKey
from mission_tui.ledger.lockfile import HeldError, PlayLock

TYPE: Final = "mission-tui receipt v1"
LOG: Final = "receipts.jsonl"
"""The name of a witness's log in its folder."""
VARIABLE: Final = "MISSION_TUI_WITNESS"
FIRST: Final = "0" * 64
"""``previous`` of a witness's first receipt."""
PATIENCE: Final = 2.0
"""Seconds for the answers of a witness on this machine."""
SSH_PATIENCE: Final = 8.0
_AT_ONCE: Final = 100
_LONGEST_ANSWER: Final = 8_192
_LONGEST_LOG: Final = 400_000_000
_LONGEST_COPY: Final = 4_000_000
_PLAY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_HOST: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:-]{0,250}")
_HEX: Final = frozenset("0123456789abcdef")
_FIELDS: Final = frozenset(
    "type play head count uid student at late previous witness signature".split()
)


class ReceiptError(Exception):
    """Receipts that can't be read; one sentence."""


class NoAnswer(Exception):
    """The witness can't be reached, or refuses; one sentence.

    ``before`` are the answers to earlier requests of the same exchange.
    """

    before: tuple[Receipt | str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The witness's word that a play's first ``count`` lines had this head at this time.

    ``head`` is what the next line's ``prev`` would be; ``at`` is UTC, RFC 3339 to the
    millisecond; ``late`` says that the head was sent later than it came to be. ``previous`` is
    the SHA-256 of the witness's receipt before (hex), ``witness`` its public key (hex).
    """

    play: str
    head: str
    count: int
    uid: int
    student: str | None
    at: str
    late: bool
    previous: str
    witness: str
    signature: str = ""

    def signed(self, key: SigningKey) -> Receipt:
        """The same with its signature."""
        return Receipt(**{**asdict(self), "signature": key.sign(self._message()).hex()})

    @property
    def holds(self) -> bool:
        """Whether the key that it names made it."""
        return keys.verifies(
            bytes.fromhex(self.witness), bytes.fromhex(self.signature), self._message()
        )

    @property
    def moment(self) -> datetime:
        """``at`` as a time."""
        return datetime.fromisoformat(self.at)

    def is_for(self, head: Head) -> bool:
        """Whether it says what was asked."""
        return (self.play, self.head, self.count) == (head.play, head.head, head.count)

    def line(self) -> bytes:
        """The receipt as a line, without its newline."""
        return strict.encode({"type": TYPE, **asdict(self)})

    def _message(self) -> bytes:
        fields = {"type": TYPE, **asdict(self)}
        del fields["signature"]
        return TYPE.encode("ascii") + b"\0" + strict.encode(fields)


def now_utc(now: datetime) -> str:
    """A time as a receipt writes it."""
    return now.astimezone(UTC).isoformat(timespec="milliseconds")


def is_play_id(value: object) -> TypeGuard[str]:
    """Whether a value can be a play's id."""
    return isinstance(value, str) and _PLAY.fullmatch(value) is not None


def is_hex(value: object, length: int) -> TypeGuard[str]:
    """Whether a value is text of so many hex digits."""
    return isinstance(value, str) and len(value) == length and not set(value) - _HEX


def of(fields: Any) -> Receipt:
    """A receipt from its JSON value; its signature is not checked. Raises ReceiptError."""
    if not isinstance(fields, dict) or fields.keys() != _FIELDS or fields["type"] != TYPE:
        raise ReceiptError(f"it is not of the type {TYPE}")
    given = {name: value for name, value in fields.items() if name != "type"}
    whole = (
        is_play_id(given["play"])
        and is_hex(given["head"], 64)
        and type(given["count"]) is int
        and given["count"] > 0
        and type(given["uid"]) is int
        and (given["student"] is None or isinstance(given["student"], str))
        and _is_time(given["at"])
        and type(given["late"]) is bool
        and is_hex(given["previous"], 64)
        and is_hex(given["witness"], 64)
        and is_hex(given["signature"], 128)
    )
    if not whole:
        raise ReceiptError("it has a field that is not what a receipt has there")
    return Receipt(**given)


def parse(line: bytes) -> Receipt:
    """Read one line. Raises ReceiptError."""
    try:
        return of(strict.decode(line))
    except strict.ParseError as error:
        raise ReceiptError(f"it {error}") from None


def read(path: Path) -> dict[str, tuple[Receipt, ...]]:
    """Receipts by play: of a witness's folder, of its log, or of all copies in a folder.

    Signatures are not checked here. Raises ReceiptError.
    """
    files = [path]
    if path.is_dir():
        log = path / LOG
        files = [log] if log.exists() else sorted(path.rglob("*.receipts.jsonl"))
    found: dict[str, list[Receipt]] = {}
    for file in files:
        for receipt in _of_file(file):
            found.setdefault(receipt.play, []).append(receipt)
    return {play: tuple(dict.fromkeys(each)) for play, each in found.items()}


def public_of(folder: Path) -> str:
    """The public key (hex) of a witness's folder. Raises ReceiptError."""
    try:
        content = read_regular(folder / "key.pub", 66).decode("ascii", "replace").strip()
    except CannotOpenError as error:
        raise ReceiptError(str(error)) from None
    if not is_hex(content, 64):
        raise ReceiptError(f"{folder / 'key.pub'} is not a public key")
    return content


def _of_file(path: Path) -> Iterator[Receipt]:
    try:
        content = read_regular(path, _LONGEST_LOG)
    except CannotOpenError as error:
        raise ReceiptError(str(error)) from None
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            yield parse(line)
        except ReceiptError as error:
            raise ReceiptError(f"{path}, line {number}: {error}") from None


def _is_time(value: object) -> bool:
    if not isinstance(value, str) or len(value) != 29 or not value.endswith("+00:00"):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


# -- the student's side ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Head:
    """What a receipt is wanted for."""

    play: str
    head: str
    count: int

    def request(self, late: bool) -> bytes:
        """The line that asks for it."""
        return strict.encode({"want": "receipt", "late": late, **asdict(self)})


class Witness:
    """Asks a witness for receipts, from a thread that lives as long as there is work.

    ``where`` is the path of a Unix socket, or ``ssh:HOST``.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self._guard = threading.Lock()
        self._wanted: list[tuple[Path, Head]] = []
        self._folders: list[Path] = []
        self._at_work = False

    @classmethod
    def of_environment(cls) -> Witness | None:
        """The witness that ``$MISSION_TUI_WITNESS`` names, or None."""
        where = os.environ.get(VARIABLE)
        return cls(where) if where else None

    def ask(self, journal: Path, head: Head) -> None:
        """Have a receipt for the head of a play; returns at once."""
        with self._guard:
            self._wanted.append((journal, head))
            self._start()

    def catch_up(self, journal: Path) -> None:
        """Send what waits in the queues of a play and of its neighbours; returns at once."""
        if next(journal.parent.glob("*.queue.jsonl"), None) is None:
            return
        with self._guard:
            self._folders.append(journal)
            self._start()

    def _start(self) -> None:
        if self._at_work:
            return
        thread = threading.Thread(target=self._work, name="receipts", daemon=False)
        try:
            thread.start()
        except RuntimeError:  # the program is ending
            return
        self._at_work = True

    def _work(self) -> None:
        failed = False  # then the rest is kept for later: the end of the program waits for us
        while True:
            with self._guard:
                wanted, self._wanted = self._wanted, []
                folders, self._folders = self._folders, []
                if not wanted and not folders:
                    self._at_work = False
                    return
            try:
                for journal, head in wanted:
                    with contextlib.suppress(OSError):  # a full disk: it may be sent all the same
                        _queue(journal, head)
                if failed:
                    continue
                for journal, head in wanted:
                    self._have(journal, (head,), late=False)
                for journal in dict.fromkeys([*folders, *(journal for journal, _ in wanted)]):
                    self._have(journal, waiting(journal), late=True)
                for journal in folders:
                    self._have_neighbours(journal)
            except Exception:  # whatever it is: play goes on, and what is queued stays queued
                failed = True

    def _have(self, journal: Path, heads: Sequence[Head], late: bool) -> None:
        for start in range(0, len(heads), _AT_ONCE):
            some = heads[start : start + _AT_ONCE]
            try:
                answers = exchange(self.where, [head.request(late) for head in some])
            except NoAnswer as error:
                _take(journal, some, error.before)
                raise
            _take(journal, some, answers)

    def _have_neighbours(self, journal: Path) -> None:
        for queue in sorted(journal.parent.glob("*.queue.jsonl")):
            other = queue.with_name(queue.name.removesuffix(".queue.jsonl") + ".jsonl")
            if other == journal:
                continue
            try:
                lock = PlayLock.take(other.with_name(other.name + ".lock"))
            except HeldError:
                continue  # its own session sends them
            try:
                self._have(other, waiting(other), late=True)
            finally:
                lock.release()


def exchange(where: str, requests: Sequence[bytes]) -> list[Receipt | str]:
    """Send requests to a witness; a receipt or its refusal for each.

    Raises NoAnswer where it can't be reached, or asks to try again.
    """
    if where.startswith("ssh:"):
        answers = _by_ssh(where.removeprefix("ssh:"), requests)
    else:
        answers = _by_socket(where, requests)
    found: list[Receipt | str] = []
    for answer in answers:
        try:
            found.append(_answered(answer))
        except NoAnswer as error:
            error.before = tuple(found)
            raise
    return found


def _take(journal: Path, heads: Sequence[Head], answers: Sequence[Receipt | str]) -> None:
    """Keep what came for the first of the heads; what was not answered stays in the queue."""
    for head, answer in zip(heads, answers, strict=False):
        if isinstance(answer, Receipt) and answer.is_for(head):
            keep(journal, answer)
        _unqueue(journal, head)  # a refusal would be the same next time


def copies(journal: Path) -> Path:
    """Where a play's receipts are kept."""
    return journal.with_suffix(".receipts.jsonl")


def keep(journal: Path, receipt: Receipt) -> None:
    """Add a receipt to the play's own. Raises OSError."""
    private_folder(journal.parent)
    _append(copies(journal), receipt.line() + b"\n")


def kept(journal: Path) -> tuple[Receipt, ...]:
    """The play's own receipts; lines that are none are left out."""
    found = []
    for line in _lines(copies(journal)):
        try:
            found.append(parse(line))
        except ReceiptError:
            continue
    return tuple(found)


def waiting(journal: Path) -> tuple[Head, ...]:
    """The heads of a play that no witness has seen yet."""
    found: dict[Head, None] = {}
    for line in _lines(_queue_of(journal)):
        try:
            fields = strict.decode(line)
            head = Head(fields["play"], fields["head"], fields["count"])
        except (strict.ParseError, KeyError, TypeError):
            continue
        if is_play_id(head.play) and is_hex(head.head, 64) and type(head.count) is int:
            found[head] = None
    return tuple(found)


def _queue_of(journal: Path) -> Path:
    return journal.with_suffix(".queue.jsonl")


def _queue(journal: Path, head: Head) -> None:
    private_folder(journal.parent)
    _append(_queue_of(journal), strict.encode(asdict(head)) + b"\n")


def _unqueue(journal: Path, head: Head) -> None:
    rest = [each for each in waiting(journal) if each != head]
    queue = _queue_of(journal)
    if rest:
        write_whole(queue, b"".join(strict.encode(asdict(each)) + b"\n" for each in rest))
    else:
        queue.unlink(missing_ok=True)


def _append(path: Path, line: bytes) -> None:
    fd = open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        write_all(fd, line)
    finally:
        os.close(fd)


def _lines(path: Path) -> list[bytes]:
    try:
        return read_regular(path, _LONGEST_COPY).split(b"\n")[:-1]
    except CannotOpenError:
        return []


def _answered(line: bytes) -> Receipt | str:
    try:
        fields = strict.decode(line)
    except strict.ParseError:
        raise NoAnswer("the witness gave an answer that is none") from None
    if isinstance(fields, Mapping) and isinstance(fields.get("error"), str):
        if fields.get("again") is True:
            raise NoAnswer(str(fields["error"]))
        return str(fields["error"])
    if isinstance(fields, Mapping) and "receipt" in fields:
        try:
            return of(fields["receipt"])
        except ReceiptError as error:
            raise NoAnswer(f"the witness gave no receipt: {error}") from None
    raise NoAnswer("the witness gave an answer that is none")


def _by_socket(path: str, requests: Sequence[bytes]) -> list[bytes]:
    import socket

    from mission_tui.ledger.files import why

    until = time.monotonic() + PATIENCE + sum(map(len, requests)) / 1e6
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(PATIENCE)
            line.connect(path)
            answers = []
            rest = b""
            for request in requests:
                sent = True
                try:
                    line.settimeout(max(0.001, until - time.monotonic()))
                    line.sendall(request + b"\n")
                except (BrokenPipeError, ConnectionResetError):
                    sent = False  # it may have said why before it hung up
                while b"\n" not in rest:
                    line.settimeout(max(0.001, until - time.monotonic()))
                    more = line.recv(4_096)
                    if not more or len(rest) > _LONGEST_ANSWER:
                        raise NoAnswer("the witness hung up")
                    rest += more
                answer, _, rest = rest.partition(b"\n")
                answers.append(answer)
                if not sent:
                    raise NoAnswer(f"the witness hung up: {_sentence(answer)}")
            return answers
    except TimeoutError:
        raise NoAnswer("the witness does not answer") from None
    except OSError as error:
        raise NoAnswer(f"the witness can't be reached at {path}: {why(error)}") from None


def _by_ssh(host: str, requests: Sequence[bytes]) -> list[bytes]:
    import subprocess

    if not _HOST.fullmatch(host):
        raise NoAnswer(f"{host!r} is no host name")
    command = ["ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "--", host]
    try:
        done = subprocess.run(
            command,
            input=b"".join(request + b"\n" for request in requests),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SSH_PATIENCE + sum(map(len, requests)) / 1e5,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise NoAnswer(f"the witness at {host} does not answer") from None
    except OSError:
        raise NoAnswer("ssh can't be started") from None
    answers = done.stdout.split(b"\n")[:-1]
    if len(answers) != len(requests):
        raise NoAnswer(f"the witness at {host} can't be reached (ssh ended with {done.returncode})")
    return answers


def _sentence(answer: bytes) -> str:
    try:
        said = _answered(answer)
    except NoAnswer as error:
        return str(error)
    return said if isinstance(said, str) else "it gave a receipt"
