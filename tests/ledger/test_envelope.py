from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mission_tui.ledger import keys, strict
from mission_tui.ledger.envelope import PAYLOAD_TYPE, open_envelope, pae, seal, write_ledger
from mission_tui.ledger.strict import ParseError
from mission_tui.play.events import Event

Write = Callable[[list[Event]], bytes]
KEY = keys.from_private(bytes(range(32)))
SEALED = seal(b"some line\n", KEY)


@settings(max_examples=100, deadline=None)
@given(payload=st.binary(max_size=300))
def test_any_payload_comes_out_as_it_went_in(payload: bytes):
    envelope = open_envelope(seal(payload, KEY))
    assert envelope.payload == payload
    assert envelope.key_id == keys.fingerprint(KEY.public)
    assert keys.verifies(KEY.public, envelope.signature, pae(payload))


def test_what_is_signed_is_the_standard_encoding():
    size = len(PAYLOAD_TYPE)
    assert pae(b"hello\n") == f"DSSEv1 {size} {PAYLOAD_TYPE} 6 hello\n".encode()


def test_any_dsse_reader_can_open_it():
    fields = json.loads(SEALED)
    assert fields["payloadType"] == PAYLOAD_TYPE
    assert base64.b64decode(fields["payload"]) == b"some line\n"
    (signature,) = fields["signatures"]
    assert keys.verifies(KEY.public, base64.b64decode(signature["sig"]), pae(b"some line\n"))


def test_the_file_has_the_documented_form():
    fields = json.loads(SEALED)
    form = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True) + "\n"
    assert form.encode() == SEALED


def changed(**changes: object) -> bytes:
    return strict.encode(json.loads(SEALED) | changes) + b"\n"


def signed(**changes: object) -> bytes:
    (signature,) = json.loads(SEALED)["signatures"]
    return changed(signatures=[signature | changes])


PAYLOAD = json.loads(SEALED)["payload"]
assert PAYLOAD.endswith("Cg==")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"null\n",
        b"\xff\n",
        SEALED[:-1],
        SEALED + b"\n",
        SEALED[:-1] + b" \n",
        b" " + SEALED,
        SEALED.replace(b":", b": "),
        json.dumps(json.loads(SEALED), indent=1).encode() + b"\n",
        SEALED.replace(b"payload", b"\\u0070ayload", 1),
        SEALED[: len(SEALED) // 2],
        SEALED.replace(b'{"payload"', b'{"payload":"","payload"'),
        changed(extra=1),
        changed(payloadType="application/json"),
        changed(payload=None),
        changed(payload=PAYLOAD[:-4] + "Ch=="),  # other bits that decode to the same bytes
        changed(payload=PAYLOAD[:-2]),
        changed(payload=PAYLOAD + "\n"),
        changed(payload="ü"),
        changed(signatures=[]),
        changed(signatures={}),
        changed(signatures=json.loads(SEALED)["signatures"] * 2),
        signed(alg="none"),
        signed(keyid=1),
        signed(keyid=""),
        signed(keyid="A" * 64),
        signed(sig=""),
        signed(sig=7),
        signed(sig=base64.b64encode(bytes(63)).decode()),
        b"[" * 100_000 + b"\n",
    ],
)
def test_every_other_form_is_refused_with_one_sentence(content: bytes):
    with pytest.raises(ParseError) as caught:
        open_envelope(content)
    assert str(caught.value).startswith("the file ")
    assert "\n" not in str(caught.value)


def test_a_file_beyond_the_cap_is_refused():
    with pytest.raises(ParseError, match="larger"):
        open_envelope(SEALED[:-1] + b" " * strict.MAX_BYTES + b"\n")


def test_a_play_beyond_the_cap_is_not_sealed():
    with pytest.raises(ValueError, match="too long"):
        seal(bytes(4_000_000), KEY)


def test_a_ledger_is_replaced_whole(tmp_path: Path, play: list[Event], write: Write):
    path = tmp_path / "play.ledger.json"
    for events in (play[:3], play):
        write_ledger(path, write(events), KEY)
        assert path.read_bytes() == seal(write(events), KEY)
        assert path.stat().st_mode & 0o777 == 0o600
        assert list(tmp_path.iterdir()) == [path]


def test_a_play_is_not_signed_with_a_key_it_was_not_begun_with(
    tmp_path: Path, play: list[Event], write: Write
):
    with pytest.raises(ValueError, match="another key"):
        write_ledger(tmp_path / "play.ledger.json", write(play), keys.generate())
    assert list(tmp_path.iterdir()) == []
