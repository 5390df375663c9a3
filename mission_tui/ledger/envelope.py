"""The signed ledger: a DSSE envelope around the exact bytes of a journal.

DSSE v1 (Dead Simple Signing Envelope, secure-systems-lab, protocol.md) signs
PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body, so any DSSE
implementation can check a ledger. On top of it the file has exactly one form, and every other
form is refused: else bits that no signature covers could change unseen.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mission_tui.ledger import strict
from mission_tui.ledger.files import write_whole
from mission_tui.ledger.keys import SigningKey
from mission_tui.ledger.lines import parse_line
from mission_tui.ledger.strict import ParseError

PAYLOAD_TYPE: Final = "application/vnd.mission-tui.ledger.v1+jsonl"
_KEY_ID: Final = 64
_SIGNATURE: Final = 64


_FRAME_START: Final = b'{"payload":"'
_FRAME_END: Final = re.compile(
    rb'","payloadType":"%b","signatures":\[\{"keyid":"(?P<keyid>[0-9a-f]{64})",'
    rb'"sig":"(?P<sig>[A-Za-z0-9+/]{86}==)"\}\]\}\n' % re.escape(PAYLOAD_TYPE.encode("ascii"))
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """``payload``: the journal's bytes; ``key_id``: 64 hex digits; ``signature``: 64 bytes."""

    payload: bytes
    key_id: str
    signature: bytes


def pae(payload: bytes) -> bytes:
    """The bytes that are signed (DSSE's pre-authentication encoding)."""
    kind = PAYLOAD_TYPE.encode("ascii")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, key: SigningKey) -> bytes:
    """The ledger file of a journal's bytes. Raises ValueError if it would exceed the cap."""
    sealed = _encode(Envelope(payload, key.key_id, key.sign(pae(payload))))
    if len(sealed) > strict.MAX_BYTES:
        raise ValueError(f"the play is too long to seal ({len(sealed):,} bytes)")
    return sealed


def write_ledger(path: Path, payload: bytes, key: SigningKey) -> None:
    """Seal a journal's bytes into ``path``, whole or not at all.

    Raises ValueError if the play was begun with another key (its ledger would fail) or is too
    long, OSError if it can't be written.
    """
    header = parse_line(payload.partition(b"\n")[0]).event
    if header.data.get("public_key") != key.public_hex:
        raise ValueError("this play was begun with another key and can't be signed with this one")
    write_whole(path, seal(payload, key))


def open_envelope(content: bytes) -> Envelope:
    """Read a ledger file strictly; does not check the signature. Raises ParseError."""
    if len(content) > strict.MAX_BYTES:
        raise ParseError(f"the file is larger than {strict.MAX_BYTES:,} bytes")
    if not content.endswith(b"\n"):
        raise ParseError("the file does not end with a newline: it is cut short or no ledger")
    try:
        return _quickly(content) or _envelope(strict.decode(content[:-1]))
    except ParseError as error:
        raise ParseError(f"the file {error}") from None


def _quickly(content: bytes) -> Envelope | None:
    """The envelope of a file that is, byte for byte, as :func:`seal` writes one; None of others.

    A payload is long, and needs no reader of JSON where its frame is the one that we write.
    """
    end = content.find(b'"', len(_FRAME_START))
    frame = _FRAME_END.fullmatch(content, max(0, end))
    if frame is None or not content.startswith(_FRAME_START):
        return None
    signature = _from_base64(frame["sig"].decode("ascii"), "signature")
    payload = _from_base64(content[len(_FRAME_START) : end].decode("latin-1"), "payload")
    return Envelope(payload, frame["keyid"].decode("ascii"), signature)


def _encode(envelope: Envelope) -> bytes:
    signature = {
        "keyid": envelope.key_id,
        "sig": base64.b64encode(envelope.signature).decode("ascii"),
    }
    fields = {
        "payload": base64.b64encode(envelope.payload).decode("ascii"),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [signature],
    }
    return strict.encode(fields) + b"\n"


def _envelope(fields: Any) -> Envelope:
    if not isinstance(fields, dict) or fields.keys() != {"payload", "payloadType", "signatures"}:
        raise ParseError("is no signed ledger: it needs payload, payloadType and signatures")
    if fields["payloadType"] != PAYLOAD_TYPE:
        raise ParseError(f"is not of the type {PAYLOAD_TYPE}")
    match fields["signatures"]:
        case [{"keyid": str(key_id), "sig": sig}] if len(fields["signatures"][0]) == 2:
            pass
        case _:
            raise ParseError("does not have exactly one signature with keyid and sig")
    if len(key_id) != _KEY_ID or not set(key_id) <= set("0123456789abcdef"):
        raise ParseError(f"has a keyid that is not {_KEY_ID} hex digits")
    signature = _from_base64(sig, "signature")
    if len(signature) != _SIGNATURE:
        raise ParseError(f"has a signature that is not {_SIGNATURE} bytes")
    return Envelope(_from_base64(fields["payload"], "payload"), key_id, signature)


def _from_base64(text: object, what: str) -> bytes:
    if not isinstance(text, str):
        raise ParseError(f"has a {what} that is not text")
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ParseError(f"has a {what} that is not base64") from None
    if base64.b64encode(found) != text.encode("ascii"):  # unused bits that are not zero
        raise ParseError(f"has a {what} that is not in the one form of base64")
    return found
