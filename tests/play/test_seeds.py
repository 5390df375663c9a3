from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_tui.content.schema import Mission
from mission_tui.play.seeds import root_chosen, root_of_student, seed_for


@given(st.binary(min_size=1, max_size=40), st.text("abc-", max_size=8), st.integers(1, 99))
def test_the_seed_is_the_decks_card_at_the_keyed_hash(
    edge: Mission, root: bytes, mission: str, attempt: int
) -> None:
    part = edge.parts["memory"]
    message = mission.encode() + b"\0memory\0" + str(attempt).encode()
    # RFC 2104, by hand: H((K ^ opad) || H((K ^ ipad) || m)), blocks of 64 bytes
    key = root.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key) + message).digest()
    number = int(hashlib.sha256(bytes(b ^ 0x5C for b in key) + inner).hexdigest(), 16)
    expected = part.seeds[number % len(part.seeds)]
    assert seed_for(root.hex(), mission, "memory", part, attempt) == expected
    assert number == int(hmac.new(root, message, "sha256").hexdigest(), 16)


def test_students_spread_evenly_over_the_deck(edge: Mission) -> None:
    part = edge.parts["memory"]
    n = 4000
    drawn = Counter(seed_for(root_of_student(f"s{k}"), "m", "memory", part, 1) for k in range(n))
    share = 1 / len(part.seeds)
    assert set(drawn) == set(part.seeds)
    assert max(abs(c - n * share) for c in drawn.values()) < 5 * sqrt(n * share * (1 - share))


def test_attempt_part_mission_and_student_each_change_the_draw(edge: Mission) -> None:
    part = edge.parts["memory"]
    ways = {
        "attempt": [(root_of_student("ada"), "m", "p", k) for k in range(12)],
        "part": [(root_of_student("ada"), "m", f"p{k}", 1) for k in range(12)],
        "mission": [(root_of_student("ada"), f"m{k}", "p", 1) for k in range(12)],
        "student": [(root_of_student(f"s{k}"), "m", "p", 1) for k in range(12)],
    }
    for asked in ways.values():
        assert len({seed_for(r, m, p, part, a) for r, m, p, a in asked}) > 3


def test_fields_that_run_together_are_other_messages(edge: Mission) -> None:
    part = edge.parts["memory"].model_copy(update={"seeds": tuple(range(100_000))})
    root = root_of_student("ada")
    assert seed_for(root, "ab", "c", part, 1) != seed_for(root, "a", "bc", part, 1)


def test_a_chosen_root_is_no_students_root() -> None:
    assert root_chosen(5) != root_of_student("5")
    assert len(bytes.fromhex(root_chosen(5))) == 32


def test_a_root_that_is_no_hex_is_refused(edge: Mission) -> None:
    with pytest.raises(ValueError):
        seed_for("zz", "m", "p", edge.parts["memory"], 1)
