"""Each prediction beside its receipt, and accounts that are not the student's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_tui.ledger import keys, receipts
from mission_tui.ledger.chain import link
from mission_tui.ledger.desk import Desk
from mission_tui.ledger.lines import Line, encode_line, parse_line
from mission_tui.ledger.receipts import Receipt
from mission_tui.ledger.roster import Roster, Student
from mission_tui.ledger.verify import judge_witness
from mission_tui.ledger.witnessed import by_another, predictions
from mission_tui.play.events import Event

DAY = datetime(2026, 10, 1, 9, tzinfo=UTC)
PLAY = "20261001T090000Z-00000000"
WITNESS = keys.from_private(b"w" * 32)


def moment(seconds: float) -> str:
    return receipts.now_utc(DAY + timedelta(seconds=seconds))


def play() -> list[Event]:
    """Two predictions of part one, one of part two; each event a second after the one before."""
    steps: list[tuple[str, str | None, dict[str, object]]] = [
        ("header", None, {"student": "ada", "play_id": PLAY}),
        ("lock", "one", {"lock": "a"}),
        ("lock", "one", {"lock": "b"}),
        ("enter", "one", {"screen": "reveal"}),
        ("lock", "two", {"lock": "c"}),
        ("run", "two", {}),
        ("enter", "two", {"screen": "reveal"}),
        ("close", None, {"count": 7}),
    ]
    return [Event(n, kind, part, 0, moment(n), data) for n, (kind, part, data) in enumerate(steps)]


def lines(events: list[Event]) -> list[Line]:
    found, prev = [], ""
    for event in events:
        found.append(parse_line(encode_line(event, prev)))
        prev = link(found[-1].raw)
    return found


LINES = lines(play())


@cache
def receipt(count: int, seconds: float, late: bool = False, uid: int = 1000) -> Receipt:
    head = link(LINES[count - 1].raw)
    at, key = moment(seconds), WITNESS.public_hex
    unsigned = Receipt(PLAY, head, count, uid, None, at, late, receipts.FIRST, key)
    return unsigned.signed(WITNESS)


def test_each_prediction_has_its_receipt_beside_it() -> None:
    known = (receipt(2, 1.5), receipt(3, 2.5, late=True), receipt(5, 4.1), receipt(6, 5.1))
    found = predictions(play(), known)
    assert [(each.seq, each.when) for each in found] == [
        (1, "before the reveal"),
        (2, "late"),
        (4, "before the reveal"),
    ]
    assert [each.receipt for each in found] == [known[0], known[1], known[2]]


def test_a_receipt_of_a_later_head_shows_every_prediction_before_it() -> None:
    (only,) = {each.receipt for each in predictions(play()[:4], (receipt(3, 2),))}
    assert only == receipt(3, 2)


@pytest.mark.parametrize(
    ("known", "when"),
    [
        ([], "none"),
        ([receipt(8, 7)], "none"),
        ([receipt(5, 65.9)], "before the reveal"),  # clocks may differ by a minute
        ([receipt(5, 66.1)], "late"),
        ([receipt(5, 8), receipt(8, 7)], "late"),  # the reveal was seen before
        ([receipt(5, 4, late=True), receipt(6, 5)], "before the reveal"),
    ],
)
def test_when_the_last_prediction_came(known: list[Receipt], when: str) -> None:
    last = predictions(play(), known)[-1]
    assert last.when == when
    assert (last.receipt is None) == (when == "none")


@given(
    st.lists(
        st.builds(receipt, st.integers(1, 8), st.sampled_from([0, 2, 4, 7, 70]), st.booleans()),
        max_size=5,
    )
)
def test_the_verdict_counts_the_same(known: list[Receipt]) -> None:
    found = predictions(play(), known)
    verdict = judge_witness(LINES, Desk(receipts={PLAY: tuple(known)}, witness_key=_key()))
    whens = [each.when for each in found]
    assert (verdict.state == "holds") == (bool(known) and set(whens) == {"before the reveal"})
    for when, words in (("late", "came to the witness late"), ("none", "no receipt from before")):
        have = "" if when == "late" else "has " if whens.count(when) == 1 else "have "
        said = f"{whens.count(when)} of 3 predictions {have}{words}"
        assert (said in verdict.reason) == (bool(known) and when in whens)


def _key() -> str:
    return WITNESS.public_hex


def test_a_reveal_without_a_date_is_held_by_the_order_of_receipts_alone() -> None:
    for wall in ("", "yesterday", "9999-12-31T23:59:59+00:00"):
        events = [replace(event, wall=wall) for event in play()]
        assert [each.when for each in predictions(events, [receipt(3, 900)])][:2] == [
            "before the reveal",
            "before the reveal",
        ]


# -- accounts ----------------------------------------------------------------------------------


def roster(**uids: int | None) -> Roster:
    return Roster("ml", tuple(Student(name, "", (), uid) for name, uid in uids.items()))


@pytest.mark.parametrize(
    ("known", "uid", "said"),
    [
        (roster(ada=1000), 1000, None),
        (roster(ada=1000, bob=1000), 1000, None),  # a shared account
        (roster(ada=None, bob=1001), 1000, None),  # the roster does not tell
        (roster(bob=1000), 1000, None),  # she is not on it: the binding says so
        (roster(ada=1001), 1000, "taken by account 1000, which is not ada's (1001)"),
        (
            roster(ada=1001, bob=1000),
            1000,
            "taken by account 1000 (bob's), which is not ada's (1001)",
        ),
        (roster(ada=None, bob=1000), 1000, "taken by account 1000 (bob's), which is not ada's"),
        (roster(ada=0), 1000, "which is not ada's (0)"),
    ],
)
def test_whose_account_took_the_receipts(known: Roster, uid: int, said: str | None) -> None:
    found = by_another([receipt(2, 1, uid=uid)], "ada", known)
    assert found is None if said is None else str(found).endswith(said), found


def test_over_ssh_the_account_is_the_witnesss_own() -> None:
    taken = replace(receipt(2, 1, uid=7), student="ada")
    assert by_another([taken], "ada", roster(ada=1000)) is None
    assert by_another([taken, receipt(2, 1, uid=7)], "ada", roster(ada=1000))
