"""The witness: signs, outside of the student's control, that a play had this head at this time.

It speaks lines of JSON, one request and one answer a line, over a Unix socket (the kernel tells
whose process is at the other end) or over standard input and output (an SSH forced command tells
whose key logged in). Its folder is its own (0700)::

    key, key.pub        the witness's Ed25519 key
    accounts/<who>      what an account was given today, against its quota
    receipts.jsonl      every receipt, each naming the hash of the one before; only appended to
    plays/<play id>     the account that asked about a play first; nobody else may
    submissions/<who>/<play id>.ledger.json     what was handed in; never overwritten
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import fcntl
import hashlib
import os
import selectors
import socket
import stat
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mission_tui import paths
from mission_tui.ledger import keys, receipts, strict
from mission_tui.ledger.chain import link
from mission_tui.ledger.envelope import open_envelope
from mission_tui.ledger.files import (
    CannotOpenError,
    new_beside,
    open_regular,
    private_folder,
    read_regular,
    sync_folder,
    why,
    write_all,
    write_whole,
)
from mission_tui.ledger.lines import parse_lines
from mission_tui.ledger.receipts import LOG, Head, Receipt

PATIENCE: Final = 10.0
"""Seconds that a client may take for one request, or to take its answer."""
CONNECTIONS: Final = 64
CONNECTIONS_EACH: Final = 8
REQUESTS: Final = 1_000
"""Requests that one connection may make."""
VERSIONS: Final = 50
"""Contents that are kept of one play."""
_LONGEST: Final = strict.MAX_BYTES * 4 // 3 + 1_024
_LAST: Final = 16_384
_MOST_LINES: Final = 10_000_000
_PEER: Final = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Quota:
    """What one account may have of the witness. A day is one in UTC.

    A play asks for a receipt a prediction and one at its close, so a day of honest work takes tens.
    """

    receipts: int = 2_000
    """A day."""
    plays: int = 200
    """New ones a day."""
    stored: int = 200_000_000
    """Bytes of submissions in all, as the disk counts them: in blocks."""


BLOCK: Final = 4_096
"""Bytes that the smallest file takes."""


class WitnessError(Exception):
    """A witness that can't be set up; one sentence."""


class Refusal(Exception):
    """A request that is refused; one sentence for the one who asked."""


class NotToday(Exception):
    """A request that is refused until tomorrow; one sentence for the one who asked."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the account by its uid, and the student where the line tells."""

    uid: int
    student: str | None = None

    @property
    def folder(self) -> str:
        """One safe name for this account. No student's id makes a name like a uid's."""
        if self.student is not None:
            return paths.file_name(self.student)
        return f"{self.uid}~uid"


class Witness:
    """Signs receipts and takes submissions. Several processes may share one folder."""

    def __init__(
        self,
        folder: Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        quota: Quota | None = None,
    ) -> None:
        """Open the folder, or make it. Raises WitnessError."""
        self.folder = folder
        self._now = now
        self._quota = quota or Quota()
        try:
            private_folder(folder)
            self._key = keys.make_private(folder / "key")
            public = self._key.public_hex.encode("ascii") + b"\n"
            if not (folder / "key.pub").exists():
                write_whole(folder / "key.pub", public)
            for name in ("accounts", "plays", "submissions"):
                private_folder(folder / name)
        except keys.KeyFileError as error:
            raise WitnessError(str(error)) from None
        except OSError as error:
            raise WitnessError(f"{folder} can't be the witness's folder: {why(error)}") from None

    @property
    def public_hex(self) -> str:
        """The key by which its receipts are known."""
        return self._key.public_hex

    def answer(self, request: bytes, asker: Asker) -> bytes:
        """The answer to one line, without its newline. Never raises for what is asked."""
        try:
            receipt = self._receipt_for(request, asker)
        except Refusal as refusal:
            return strict.encode({"error": str(refusal)})
        except NotToday as refusal:
            return _again(str(refusal))
        except OSError as error:
            return _again(f"the witness can't write: {why(error)}")
        return b'{"receipt":' + receipt.line() + b"}"

    def _receipt_for(self, request: bytes, asker: Asker) -> Receipt:
        fields = _fields(request)
        match fields.get("want"):
            case "receipt":
                return self._witnessed(fields, asker)
            case "submit":
                return self._submitted(fields, asker)
        raise Refusal("the request wants neither a receipt nor to submit")

    def _witnessed(self, fields: dict[str, Any], asker: Asker) -> Receipt:
        if fields.keys() != {"want", "play", "head", "count", "late"}:
            raise Refusal("a receipt is asked for with play, head, count and late")
        head = Head(fields["play"], fields["head"], fields["count"])
        if not receipts.is_play_id(head.play) or not receipts.is_hex(head.head, 64):
            raise Refusal("the play or the head is malformed")
        if type(head.count) is not int or not 0 < head.count <= _MOST_LINES:
            raise Refusal("the count is malformed")
        if type(fields["late"]) is not bool:
            raise Refusal("late must be true or false")
        with self._account(asker) as given:
            self._claim(head.play, asker, given)
            return self._sign(head, asker, late=fields["late"])

    def _submitted(self, fields: dict[str, Any], asker: Asker) -> Receipt:
        if fields.keys() != {"want", "ledger"} or not isinstance(fields["ledger"], str):
            raise Refusal("a ledger is handed in as base64")
        try:
            content = base64.b64decode(fields["ledger"], validate=True)
            lines = parse_lines(open_envelope(content).payload)
        except (binascii.Error, strict.ParseError, ValueError) as error:
            raise Refusal(f"this is no ledger: {error}") from None
        play = lines[0].event.data.get("play_id")
        if not receipts.is_play_id(play):
            raise Refusal("this is no ledger: its header has no play id")
        with self._account(asker) as given:
            self._claim(play, asker, given)
            self._store(play, content, asker)
            return self._sign(Head(play, link(lines[-1].raw), len(lines)), asker, late=False)

    @contextmanager
    def _account(self, asker: Asker) -> Iterator[_Given]:
        """What an account was given today, for one of its requests at a time; a receipt is counted.

        Raises NotToday where it has had its receipts. A count that a crash loses hurts nobody.
        """
        today = self._now().astimezone(UTC).date().isoformat()
        fd = open_regular(self.folder / "accounts" / asker.folder, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            given = _Given.of(os.pread(fd, _LAST, 0), today)
            if given.receipts >= self._quota.receipts:
                raise NotToday(
                    f"this account has had {self._quota.receipts:,} receipts today, which is all "
                    "that this witness gives: try again tomorrow"
                )
            try:
                yield given
                given.receipts += 1
            finally:  # a play that was claimed counts, whatever came of it
                with contextlib.suppress(OSError):  # a full disk: the request itself has said so
                    line = given.line()
                    os.ftruncate(fd, os.pwrite(fd, line, 0))
        finally:
            os.close(fd)

    def _claim(self, play: str, asker: Asker, given: _Given) -> None:
        """Hold a play for the account that asks first. Raises Refusal for others, NotToday."""
        path = self.folder / "plays" / paths.file_name(play)
        mine = asker.folder.encode("ascii")
        try:
            if not path.exists():
                if given.plays >= self._quota.plays:
                    raise NotToday(
                        f"this account has shown {self._quota.plays:,} new plays today, which is "
                        "all that this witness takes: try again tomorrow"
                    )
                given.plays += 1
                _write_new(path, mine)
            owner = read_regular(path, 200)
        except CannotOpenError as error:
            raise OSError(errno.EIO, str(error)) from None
        if owner != mine:
            raise Refusal("this play is another account's")

    def _store(self, play: str, content: bytes, asker: Asker) -> Path:
        folder = self.folder / "submissions" / asker.folder
        private_folder(folder)
        for number in range(1, VERSIONS + 1):
            middle = "" if number == 1 else f".{number}"
            path = folder / f"{paths.file_name(play)}{middle}.ledger.json"
            if not os.path.lexists(path):
                self._check_room(folder, len(content))
                _write_new(path, content)
            with contextlib.suppress(CannotOpenError):
                if read_regular(path, len(content) + 1) == content:
                    return path
        raise Refusal(f"this play was handed in with {VERSIONS} different contents already")

    def _check_room(self, folder: Path, more: int) -> None:
        """Raises Refusal where an account's submissions would take more than its quota."""
        with os.scandir(folder) as found:
            sizes = [each.stat(follow_symlinks=False).st_size for each in found]
        if sum(map(_blocks, [*sizes, more])) > self._quota.stored:
            raise Refusal(
                "with this one this account's submissions would take more than the "
                f"{self._quota.stored / 1e6:,.3g} MB that this witness keeps: ask whoever runs it"
            )

    def _sign(self, head: Head, asker: Asker, *, late: bool) -> Receipt:
        with self._log() as log:
            previous, before = _last_of(log)
            at = receipts.now_utc(self._now())
            if before is not None:
                at = max(at, before)  # a clock that was set back must not undo the order
            receipt = Receipt(
                head.play,
                head.head,
                head.count,
                asker.uid,
                asker.student,
                at,
                late,
                previous,
                self.public_hex,
            ).signed(self._key)
            size = os.fstat(log).st_size
            try:
                write_all(log, receipt.line() + b"\n")
            except OSError:
                os.ftruncate(log, size)
                raise
        return receipt

    @contextmanager
    def _log(self) -> Iterator[int]:
        """The log, for this process and thread alone."""
        path = self.folder / LOG
        fd = open_regular(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield fd
        finally:
            os.close(fd)


@dataclass(slots=True)
class _Given:
    """What an account was given on a day."""

    day: str
    receipts: int = 0
    plays: int = 0

    @classmethod
    def of(cls, kept: bytes, today: str) -> _Given:
        """What was kept of today; nothing of another day, or where a crash left half of it."""
        match kept.decode("ascii", "replace").split():
            case [day, receipts_, plays_] if day == today:
                with contextlib.suppress(ValueError):
                    return cls(day, int(receipts_), int(plays_))
        return cls(today)

    def line(self) -> bytes:
        """The same as it is kept."""
        return f"{self.day} {self.receipts} {self.plays}\n".encode("ascii")


def _blocks(size: int) -> int:
    """The bytes that a file of a size takes on a disk."""
    return max(1, -(-size // BLOCK)) * BLOCK


def broken_link(folder: Path) -> tuple[int, int | None]:
    """How many receipts a witness's log holds, and the first line that does not follow, if any.

    A line that its key did not sign does not follow either. Raises ReceiptError.
    """
    key = receipts.public_of(folder)
    try:
        content = read_regular(folder / LOG)
    except CannotOpenError as error:
        raise receipts.ReceiptError(str(error)) from None
    previous, broken = receipts.FIRST, None
    lines = content.split(b"\n")[:-1]
    for number, line in enumerate(lines, start=1):
        receipt = receipts.parse(line)
        follows = receipt.previous == previous and receipt.witness == key and receipt.holds
        if not follows and broken is None:
            broken = number
        previous = hashlib.sha256(line).hexdigest()
    return len(lines), broken


def _last_of(log: int) -> tuple[str, str | None]:
    """The hash and the time of the last receipt; a torn line after it is cut off.

    Nobody was told of a torn line: it was never whole on disk when its answer was due.
    """
    size = os.fstat(log).st_size
    tail = os.pread(log, _LAST, max(0, size - _LAST))
    whole = tail.rfind(b"\n") + 1
    if whole != len(tail):
        os.ftruncate(log, size - (len(tail) - whole))
        tail = tail[:whole]
    if not tail:
        return receipts.FIRST, None
    line = tail[:-1].rpartition(b"\n")[2]
    try:
        return hashlib.sha256(line).hexdigest(), receipts.parse(line).at
    except receipts.ReceiptError:
        raise OSError(errno.EIO, "the last line of its log is no receipt") from None


def _again(reason: str) -> bytes:
    """An answer that refuses for now."""
    return strict.encode({"again": True, "error": reason})


def _fields(request: bytes) -> dict[str, Any]:
    try:
        fields = strict.decode(request, _LONGEST)
    except strict.ParseError as error:
        raise Refusal(f"the request {error}") from None
    if not isinstance(fields, dict):
        raise Refusal("the request is not a JSON object")
    return fields


def _write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet; one that came in between stays."""
    beside = new_beside(path, data)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(beside, path)
    finally:
        beside.unlink()
    sync_folder(path.parent)


# -- the two lines -----------------------------------------------------------------------------


class TooLong(Exception):
    """A line that is longer than any request."""


class TooSlow(Exception):
    """Somebody did not send a whole line in time, or does not take the answer."""


class _Line:
    """Whole lines from one descriptor, and answers to another; nobody is waited for too long."""

    def __init__(self, source: int, sink: int, patience: float) -> None:
        self._source, self._sink, self._patience = source, sink, patience
        self._rest = bytearray()
        self._seen = 0

    def read(self) -> bytes | None:
        """The next line without its newline; None at the end. Raises TooLong, TooSlow."""
        until = time.monotonic() + self._patience
        while (end := self._rest.find(b"\n", self._seen)) < 0:
            self._seen = len(self._rest)
            if self._seen > _LONGEST:
                raise TooLong
            _wait(self._source, selectors.EVENT_READ, until)
            try:
                more = os.read(self._source, 65_536)
            except BlockingIOError:
                continue
            if not more:
                return None  # half a line is no request
            self._rest += more
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        self._seen = 0
        if len(line) > _LONGEST:
            raise TooLong
        return line

    def write(self, answer: bytes) -> None:
        """Send a line. Raises TooSlow, OSError."""
        until = time.monotonic() + self._patience
        rest = memoryview(answer + b"\n")
        while rest:
            _wait(self._sink, selectors.EVENT_WRITE, until)
            with contextlib.suppress(BlockingIOError):
                rest = rest[os.write(self._sink, rest) :]


def _wait(fd: int, event: int, until: float) -> None:
    with selectors.DefaultSelector() as selector:
        try:
            selector.register(fd, event)
        except PermissionError:  # a plain file is always ready
            return
        if not selector.select(max(0.0, until - time.monotonic())):
            raise TooSlow


def converse(
    witness: Witness, asker: Asker, source: int, sink: int, patience: float = PATIENCE
) -> None:
    """Answer line after line until the other side ends, is too slow or sends too much."""
    line = _Line(source, sink, patience)
    with contextlib.suppress(TooSlow, OSError):
        for _ in range(REQUESTS):
            try:
                request = line.read()
            except TooLong:
                line.write(strict.encode({"error": "the request is too long"}))
                return
            if request is None:
                return
            line.write(witness.answer(request, asker))
        line.write(_again("too many requests; connect again"))


class Server:
    """The witness on a Unix socket that everybody may connect to."""

    def __init__(self, witness: Witness, path: Path, patience: float = PATIENCE) -> None:
        """Listen at ``path``, in a folder that nobody else can change. Raises WitnessError."""
        self.path = path
        self._witness, self._patience = witness, patience
        self._guard = threading.Lock()
        self._connected: Counter[int] = Counter()
        self._stopped = threading.Event()
        if not hasattr(socket, "SO_PEERCRED"):
            raise WitnessError("a witness's socket needs Linux, which tells who connects")
        try:
            _public_folder(path.parent)
            _take_away_stale(path)
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.bind(str(path))
            path.chmod(0o666)
            self._socket.listen(CONNECTIONS)
        except OSError as error:
            raise WitnessError(f"{path} can't be the witness's socket: {why(error)}") from None

    def serve(self) -> None:
        """Answer until :meth:`stop`; each connection in a thread of its own."""
        while not self._stopped.is_set():
            try:
                line, _ = self._socket.accept()
            except OSError as error:
                if self._stopped.is_set() or error.errno in {errno.EBADF, errno.EINVAL}:
                    return
                time.sleep(0.1)  # out of descriptors: those in use come free
                continue
            told = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
            _, uid, _ = _PEER.unpack(told)
            if not self._admit(uid):
                with line, contextlib.suppress(OSError):
                    line.setblocking(False)
                    line.send(_again("the witness is busy; try later") + b"\n")
                continue
            threading.Thread(target=self._attend, args=(line, uid), daemon=True).start()

    def stop(self) -> None:
        """End :meth:`serve` and take the socket away."""
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def _admit(self, uid: int) -> bool:
        with self._guard:
            if self._connected.total() >= CONNECTIONS or self._connected[uid] >= CONNECTIONS_EACH:
                return False
            self._connected[uid] += 1
            return True

    def _attend(self, line: socket.socket, uid: int) -> None:
        try:
            with line:
                line.setblocking(False)
                fd = line.fileno()
                converse(self._witness, Asker(uid), fd, fd, self._patience)
        finally:
            with self._guard:
                self._connected[uid] -= 1


def _public_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True)
        folder.chmod(0o755)
    state = folder.stat()
    if state.st_uid != os.geteuid() or stat.S_IMODE(state.st_mode) & 0o022:
        raise WitnessError(
            f"{folder} must be a folder of the witness's own that others can't write to (0755): "
            "else somebody puts another socket there"
        )


def _take_away_stale(path: Path) -> None:
    if not os.path.lexists(path):
        return
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise WitnessError(f"{path} is there already and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(1.0)
        try:
            line.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
    raise WitnessError(f"another witness listens at {path}")
