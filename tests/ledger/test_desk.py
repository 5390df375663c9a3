"""What an instructor's knowledge adds to the verdicts: roster, course, receipts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mission_tui.content.load import MissionFile
from mission_tui.ledger import course, desk, judge, keys, receipts, roster
from mission_tui.ledger.chain import link
from mission_tui.ledger.course import Course
from mission_tui.ledger.desk import Desk, DeskError
from mission_tui.ledger.envelope import seal
from mission_tui.ledger.receipts import Receipt
from mission_tui.ledger.verdict import Verdict
from mission_tui.ledger.verify import Report, as_json, row_of
from mission_tui.play import start
from mission_tui.play.events import Event
from mission_tui.play.start import Who, header

Write = Callable[[list[Event]], bytes]
DAY = datetime(2026, 10, 1, 9, tzinfo=UTC)
WITNESS = keys.from_private(b"w" * 32)


@dataclass
class Class:
    """A course with one student, and ledgers of that student."""

    folder: Path
    key: keys.SigningKey
    header: Event
    write: Write

    @property
    def desk(self) -> Desk:
        found = desk.opened(course=self.folder)
        assert found is not None
        return found

    def judged(self, knowledge: Desk | None, **changed: Any) -> Report:
        """The report on a play with a header so changed, signed with the student's key."""
        first = replace(self.header, data={**self.header.data, **changed})
        ledger = seal(self.write([first]), self.key)
        return judge.judge_content(Path("x"), ledger, desk=knowledge, replayed=False)

    def of(self, name: str, knowledge: Desk | None, **changed: Any) -> Verdict:
        return self.judged(knowledge, **changed).verdicts[name]


@pytest.fixture
def a_class(tmp_path: Path, wall: MissionFile, key: keys.SigningKey, write: Write) -> Class:
    folder = tmp_path / "course"
    course.new(folder, "ml")
    token = course.enrol(folder, "ada", key.public_hex, now=DAY)
    who = Who("ada", "human", key.public_hex, enrolled=token.enrolled)
    return Class(folder, key, header(wall.tracks["edge"], who, DAY), write)


# -- binding -----------------------------------------------------------------------------------


def test_an_enrolled_play_has_the_courses_seed_and_holds(a_class: Class) -> None:
    data = a_class.header.data
    assert data["seed"] == "course"
    assert data["seed_root"] == course.load(a_class.folder).seed_root("ada")
    assert start.seed_says(data) == "Course ml: the seed is the student's own, by enrolment."
    alone = a_class.of("binding", None)
    assert alone.state == "holds"
    assert "is not known here" in alone.reason
    known = a_class.of("binding", a_class.desk)
    assert known == Verdict("holds", "this mission, this student's data; enrolled in ml")
    public = desk.opened(course=a_class.folder / "course.toml")
    assert public is not None
    assert public.roster is None
    assert a_class.of("binding", public).state == "holds"


def test_a_chosen_seed_has_no_course(a_class: Class, wall: MissionFile) -> None:
    token = course.enrol(a_class.folder, "ada", a_class.key.public_hex, now=DAY)
    who = Who("ada", "human", a_class.key.public_hex, 1, 5, {}, token.enrolled)
    data = header(wall.tracks["edge"], who, DAY).data
    assert (data["seed"], data["course"]) == ("chosen", None)
    assert start.seed_says(data) == "No course: the seed was chosen."


def forged(a_class: Class, tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Headers that a student with a key of their own can sign."""
    data = a_class.header.data
    other = tmp_path / "other"
    course.new(other, "ml")
    theirs = course.enrol(other, "ada", a_class.key.public_hex).enrolled
    bobs = course.enrol(a_class.folder, "bob", "bb" * 32, now=DAY).enrolled
    return {
        "another student's name": {"student": "bob"},
        "another seed": {"seed_root": "00" * 32},
        "another student's seed": {"seed_root": bobs.seed_root},
        "another student's token": {
            "seed_root": bobs.seed_root,
            "course": {**data["course"], "signature": bobs.signature},
        },
        "another course's name": {"course": {**data["course"], "id": "other"}},
        "another day": {"course": {**data["course"], "issued": "2026-01-01T00:00:00+00:00"}},
        "another key in the header": {"course": {**data["course"], "key": theirs.key}},
        "no token": {"course": None},
        "half a token": {"course": {"id": "ml"}},
        "a token that is text": {"course": "ml"},
        "no course after all": {"seed": "student"},
        "the seed of a name beside a token": {"seed": "student", "seed_root": "11" * 32},
    }


def test_no_forged_enrolment_holds_even_without_knowledge(a_class: Class, tmp_path: Path) -> None:
    for what, changed in forged(a_class, tmp_path).items():
        for knowledge in (None, a_class.desk):
            found = a_class.of("binding", knowledge, **changed)
            assert found.state == "fails", (what, found)


def test_another_courses_token_holds_by_itself_and_not_in_this_course(
    a_class: Class, tmp_path: Path
) -> None:
    """Whoever makes a course of their own has a seed of their own choice."""
    course.new(tmp_path / "other", "ml")
    theirs = course.enrol(tmp_path / "other", "ada", a_class.key.public_hex).enrolled
    changed = {
        "seed_root": theirs.seed_root,
        "course": {
            "id": "ml",
            "key": theirs.key,
            "issued": theirs.issued,
            "signature": theirs.signature,
        },
    }
    assert a_class.of("binding", None, **changed).state == "holds"
    found = a_class.of("binding", a_class.desk, **changed)
    assert found == Verdict("fails", "the enrolment is not by the key of ml")


def test_a_seed_that_the_secret_does_not_give_fails(a_class: Class) -> None:
    (a_class.folder / "secret").write_bytes(b"x" * 32)
    found = a_class.of("binding", a_class.desk)
    assert found == Verdict("fails", "the seed is not the one that the course's secret gives")


def test_who_is_not_on_the_roster_is_said(a_class: Class) -> None:
    (a_class.folder / "roster.toml").write_text(roster.write(roster.Roster("ml", ())))
    report = a_class.judged(a_class.desk)
    assert report.verdicts["binding"] == Verdict("fails", "ada is not on the roster")
    assert "nobody's on the roster" in report.verdicts["signature"].reason


def test_a_play_without_the_course_is_marginal_where_one_is_asked_for(
    a_class: Class, wall: MissionFile
) -> None:
    plain = header(wall.tracks["edge"], Who("ada", "human", a_class.key.public_hex), DAY).data
    without = {name: plain[name] for name in ("course", "seed", "seed_root")}
    assert a_class.of("binding", None, **without).state == "holds"
    found = a_class.of("binding", a_class.desk, **without)
    assert found == Verdict("marginal", "it was not played in ml")


# -- signature ---------------------------------------------------------------------------------


def test_the_key_must_be_the_students_on_that_day(a_class: Class) -> None:
    course.enrol(a_class.folder, "ada", "cc" * 32, now=DAY + timedelta(days=10))
    walls = {
        days: (DAY + timedelta(days=days)).isoformat(timespec="milliseconds")
        for days in (-1, 0, 10, 11)
    }
    found = {}
    for days, wall in walls.items():
        first = replace(a_class.header, wall=wall)
        ledger = seal(a_class.write([first]), a_class.key)
        report = judge.judge_content(Path("x"), ledger, desk=a_class.desk, replayed=False)
        found[days] = report.verdicts["signature"]
    assert {days: verdict.state for days, verdict in found.items()} == {
        -1: "fails",
        0: "holds",
        10: "holds",
        11: "fails",
    }
    assert "not in use by ada on 2026-10-12" in found[11].reason
    assert "ada's on 2026-10-01" in found[0].reason


def test_another_students_key_fails_the_signature(a_class: Class) -> None:
    found = a_class.of("signature", a_class.desk, student="bob")
    assert found.state == "fails"
    assert "ada's and not bob's" in found.reason
    assert a_class.of("signature", None, student="bob").state == "holds"


def test_a_header_without_a_date_fails_with_a_roster(a_class: Class) -> None:
    for wall in ("", "yesterday", "2026-10-01"):
        ledger = seal(a_class.write([replace(a_class.header, wall=wall)]), a_class.key)
        report = judge.judge_content(Path("x"), ledger, desk=a_class.desk, replayed=False)
        expected = "holds" if wall == "2026-10-01" else "fails"
        assert report.verdicts["signature"].state == expected


# -- the witness -------------------------------------------------------------------------------

PLAY = "20261001T090000Z-00000000"


def moment(seconds: float) -> str:
    return receipts.now_utc(DAY + timedelta(seconds=seconds))


def played(key: keys.SigningKey, closed: bool = True) -> list[Event]:
    """Two parts with a lock each; each event a second after the one before."""
    steps: list[tuple[str, str | None, dict[str, object]]] = [
        ("header", None, {"format": 1, "public_key": key.public_hex, "student": "ada",
                          "play_id": PLAY}),
        ("lock", "one", {}),
        ("run", "one", {}),
        ("enter", "one", {"screen": "reveal"}),
        ("lock", "two", {}),
        ("enter", "two", {"screen": "workbench"}),
        ("enter", "two", {"screen": "reveal"}),
        ("close", None, {"count": 7}),
    ]  # fmt: skip
    events = [
        Event(n, kind, part, 0, moment(n), data) for n, (kind, part, data) in enumerate(steps)
    ]
    return events if closed else events[:-1]


class Receipts:
    """Makes receipts for the heads of a play."""

    def __init__(self, payload: bytes) -> None:
        self.lines = payload.splitlines()

    def at(self, count: int, seconds: float, **changed: Any) -> Receipt:
        fields: dict[str, Any] = {
            "play": PLAY,
            "head": link(self.lines[count - 1]) if count <= len(self.lines) else "ee" * 32,
            "count": count,
            "uid": 1000,
            "student": None,
            "at": moment(seconds),
            "late": False,
            "previous": receipts.FIRST,
            "witness": WITNESS.public_hex,
        }
        return Receipt(**{**fields, **changed}).signed(changed.pop("by", WITNESS))


@pytest.fixture
def witnessed(key: keys.SigningKey, write: Write) -> Callable[..., Verdict]:
    def verdict(*wanted: tuple[Any, ...] | Receipt, closed: bool = True) -> Verdict:
        payload = write(played(key, closed))
        make = Receipts(write(played(key)))
        found = tuple(
            each if isinstance(each, Receipt) else make.at(*each[:2], **(dict(*each[2:])))
            for each in wanted
        )
        knowledge = Desk(receipts={PLAY: found}, witness_key=WITNESS.public_hex)
        report = judge.judge_content(Path("x"), seal(payload, key), desk=knowledge, replayed=False)
        return report.verdicts["witness"]

    return verdict


def test_receipts_between_lock_and_reveal_hold(witnessed: Callable[..., Verdict]) -> None:
    assert witnessed((2, 1), (5, 4), (8, 7)) == Verdict(
        "holds", "2 predictions witnessed before the reveal"
    )
    assert witnessed((3, 2), (6, 5)).state == "holds"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ([(2, 1), (8, 7)], "1 of 2 predictions has no receipt"),
        ([(1, 0)], "2 of 2 predictions have no receipt"),
        ([(2, 1), (7, 6)], "no receipt from before the reveal"),
        ([(2, 1, {"late": True}), (5, 4)], "1 of 2 predictions came to the witness late"),
        ([(2, 100), (5, 4)], "late"),  # no clock is off so far: it was sent after the reveal
        ([(4, 3), (2, 5), (5, 5)], "late"),  # the reveal was seen before the lock
    ],
)
def test_what_comes_late_is_marginal(
    witnessed: Callable[..., Verdict], wanted: list[tuple[Any, ...]], words: str
) -> None:
    found = witnessed(*wanted)
    assert found.state == "marginal"
    assert words in found.reason


def test_a_late_receipt_takes_nothing_from_one_in_time(witnessed: Callable[..., Verdict]) -> None:
    assert witnessed((2, 1), (2, 50, {"late": True}), (5, 4)).state == "holds"


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        ((2, 1, {"head": "ab" * 32}), "another play was shown"),
        ((9, 9), "saw 9 lines"),
        ((2, 1, {"student": "bob"}), "knows this play as bob's"),
    ],
)
def test_a_receipt_that_contradicts_the_play_fails(
    witnessed: Callable[..., Verdict], odd: tuple[Any, ...], words: str
) -> None:
    found = witnessed((2, 1), (5, 4), odd)
    assert found.state == "fails"
    assert words in found.reason


def test_a_prediction_changed_after_its_receipt_fails(key: keys.SigningKey, write: Write) -> None:
    """The holder of the key makes the whole chain anew: the witness remembers the old one."""
    honest = write(played(key))
    receipt = Receipts(honest).at(2, 1)
    changed = played(key)
    changed[1] = replace(changed[1], data={"value": 5})
    knowledge = Desk(receipts={PLAY: (receipt,)}, witness_key=WITNESS.public_hex)
    report = judge.judge_content(
        Path("x"), seal(write(changed), key), desk=knowledge, replayed=False
    )
    assert (report.verdicts["signature"].state, report.verdicts["chain"].state) == ("holds",) * 2
    assert report.verdicts["witness"].state == "fails"


def test_an_edited_receipt_fails_and_a_strangers_does_not_count(
    witnessed: Callable[..., Verdict], key: keys.SigningKey, write: Write
) -> None:
    make = Receipts(write(played(key)))
    backdated = replace(make.at(2, 100), at=moment(1))
    assert witnessed(backdated, (5, 4)).reason.startswith("a receipt was changed")
    stranger = keys.from_private(b"s" * 32)
    alone = make.at(2, 1, witness=stranger.public_hex)
    strange = replace(alone, signature="").signed(stranger)
    assert strange.holds
    assert witnessed(strange).state == "not applicable"
    assert witnessed(strange, (5, 4)).state == "marginal"


def test_receipts_of_another_play_do_not_count(key: keys.SigningKey, write: Write) -> None:
    """Renamed they are not what was signed; under their own name nobody looks."""
    make = Receipts(write(played(key)))
    other = make.at(2, 1, play="20261001T090000Z-11111111")
    ledger = seal(write(played(key)), key)

    def found(knowledge: Desk) -> str:
        report = judge.judge_content(Path("x"), ledger, desk=knowledge, replayed=False)
        return report.verdicts["witness"].state

    assert found(Desk(receipts={other.play: (other,)}, witness_key=WITNESS.public_hex)) == (
        "not applicable"
    )
    renamed = replace(other, play=PLAY)
    assert found(Desk(receipts={PLAY: (renamed,)}, witness_key=WITNESS.public_hex)) == "fails"
    assert found(Desk(receipts={PLAY: (make.at(2, 1),)})) == "not applicable"


def test_a_ledger_that_ends_before_what_was_witnessed_is_marginal(
    witnessed: Callable[..., Verdict],
) -> None:
    found = witnessed((2, 1), (5, 4), (8, 7), closed=False)
    assert found == Verdict("marginal", "the witness saw more of this play than is here")


@pytest.mark.parametrize(
    ("uid", "state", "words"),
    [
        (1000, "holds", "before the reveal"),
        (None, "holds", "before the reveal"),
        (1001, "marginal", "before the reveal; receipts were taken by account 1000"),
    ],
)
def test_receipts_of_another_account_are_marginal_and_never_fail(
    key: keys.SigningKey, write: Write, uid: int | None, state: str, words: str
) -> None:
    payload = write(played(key))
    make = Receipts(payload)
    ada = roster.Student("ada", "", (), uid)
    knowledge = Desk(
        roster=roster.Roster("ml", (ada,)),
        receipts={PLAY: (make.at(2, 1), make.at(5, 4))},
        witness_key=WITNESS.public_hex,
    )

    def found(some: Desk) -> Verdict:
        return judge.judge_content(
            Path("x"), seal(payload, key), desk=some, replayed=False
        ).verdicts["witness"]

    assert found(knowledge).state == state
    assert words in found(knowledge).reason
    other = replace(knowledge, receipts={PLAY: (make.at(2, 1, head="ab" * 32),)})
    assert found(other).state == "fails"  # whoever took it
    assert found(replace(knowledge, receipts={})).state == "not applicable"
    assert judge.predictions(judge.judge_content(Path("x"), seal(payload, key)), None) == ()


# -- notes -------------------------------------------------------------------------------------


def test_other_facts_and_drivers_are_notes_and_fail_nothing(a_class: Class) -> None:
    here = start.facts()
    assert a_class.judged(None).notes == ()
    report = a_class.judged(None, numpy="1.0", driver="bot:random", cpu="other")
    assert report.notes == ("played by bot:random", f"numpy 1.0 there, {here['numpy']} here")
    assert not report.fails
    assert "numpy 1.0 there" in row_of(as_json(report))
    evil = a_class.judged(None, numpy="\x1b[2J\n\u202e")
    assert row_of(as_json(evil)).isprintable()


ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 2**63, "", "x" * 5_000, "\x1b]52;c;eA==\x07", "\U0001f600", [], [[]],
    {}, {"id": "ml"}, {"rules": []}, ["edge"], "0001-01-01T00:00:00+23:59", "9" * 400,
)  # fmt: skip


def test_no_odd_header_crashes_a_verdict(a_class: Class) -> None:
    knowledge = replace(a_class.desk, witness_key=WITNESS.public_hex)
    names = sorted(a_class.header.data)
    for n, name in enumerate(names):
        for value in ODD:
            for changed in ({name: value}, {name: value, names[n - 1]: value}):
                report = a_class.judged(knowledge, **changed)
                assert row_of(as_json(report)).isprintable()
    for course_value in ODD:
        course_of = {"id": course_value, "key": course_value, "issued": "x", "signature": "00" * 64}
        assert a_class.of("binding", None, course=course_of).state == "fails"


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "x"])
def test_no_odd_date_crashes_a_verdict(
    key: keys.SigningKey, write: Write, a_class: Class, when: str
) -> None:
    payload = write([replace(event, wall=when) for event in played(key)])
    found = (Receipts(payload).at(2, 1),)
    knowledge = replace(a_class.desk, receipts={PLAY: found}, witness_key=WITNESS.public_hex)
    report = judge.judge_content(Path("x"), seal(payload, key), desk=knowledge, replayed=False)
    assert report.verdicts["signature"].state == "fails"
    assert report.verdicts["witness"].state in {"holds", "marginal"}


# -- opening -----------------------------------------------------------------------------------


def test_nothing_given_is_no_desk() -> None:
    assert desk.opened() is None


def test_a_desk_is_opened_from_what_is_given(a_class: Class, tmp_path: Path) -> None:
    folder = tmp_path / "witness"
    folder.mkdir()
    (folder / "key.pub").write_text(WITNESS.public_hex + "\n")
    receipt = Receipts(a_class.write([a_class.header])).at(1, 1)
    (folder / receipts.LOG).write_bytes(receipt.line() + b"\n")
    found = desk.opened(course=a_class.folder, receipt=folder)
    assert found is not None
    assert isinstance(found.course, Course)
    assert found.roster is not None
    assert found.receipts == {PLAY: (receipt,)}
    assert found.witness_key == WITNESS.public_hex
    alone = desk.opened(receipt=folder / receipts.LOG, witness="ab" * 32)
    assert alone is not None
    assert (alone.course, alone.roster, alone.witness_key) == (None, None, "ab" * 32)


def test_another_process_is_sent_what_it_needs_of_the_receipts(
    a_class: Class, key: keys.SigningKey, write: Write
) -> None:
    payload = write(played(key))
    mine = Receipts(payload).at(2, 1)
    others = {f"20261001T090000Z-{n:08x}": (replace(mine, play=str(n)),) for n in range(1, 4)}
    whole = replace(a_class.desk, receipts={PLAY: (mine,), **others})
    ledger = seal(payload, key)
    assert whole.about(ledger) == replace(whole, receipts={PLAY: (mine,)})
    assert whole.about(b"garbage", b"").receipts == {}
    odd = ledger[:40] + b"%" + ledger[41:]
    assert whole.about(odd).receipts in (whole.receipts, {})
    assert whole.about(ledger, odd).receipts.get(PLAY) == (mine,)


def test_what_can_not_be_opened_is_one_sentence(a_class: Class, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"garbage\n")
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('schema = 1\ncourse = "other"\n')
    for given in (
        {"roster": tmp_path / "none"},
        {"course": tmp_path / "none"},
        {"course": tmp_path},
        {"receipt": tmp_path / "log"},
        {"receipt": tmp_path / "none"},
        {"course": a_class.folder, "roster": wrong},
    ):
        with pytest.raises(DeskError) as caught:
            desk.opened(**given)
        assert "\n" not in str(caught.value)
