"""Each kind of forgery is caught by the verdict that is named for it; what passes is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledger import forging
from tests.ledger.forging import FORGERIES, UNCAUGHT, Room


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    return Room.at(tmp_path_factory.mktemp("class"))


def test_the_play_that_is_forged_holds_in_every_verdict(room: Room) -> None:
    for seed in range(3):
        case = room.honest(seed)
        report = forging.judged(case, forging.signed(case.events))
        assert set(forging.states(report).values()) == {"holds"}, report.verdicts
        assert not report.unfinished


@pytest.mark.parametrize("kind", FORGERIES, ids=lambda kind: kind.name)
def test_each_kind_of_forgery_is_caught_by_its_verdict(room: Room, kind: forging.Kind) -> None:
    (tried,) = forging.tried(room, [kind], [1])
    assert tried.caught, (tried.states, tried.reason)


def test_what_receipts_catch_is_caught_by_nothing_else(room: Room) -> None:
    """So a course without a witness has to live with these."""
    for kind in (each for each in FORGERIES if each.witnessed):
        if "attempt" in kind.name:
            continue  # other data follow from another attempt
        (tried,) = forging.tried(room, [kind], [1])
        others = {name: state for name, state in tried.states.items() if name != "witness"}
        assert set(others.values()) == {"holds"}, (kind.name, others)


@pytest.mark.parametrize("kind", UNCAUGHT, ids=lambda kind: kind.name)
def test_what_is_said_to_pass_passes(room: Room, kind: forging.Kind) -> None:
    """A list of limits is worth something only while it is true."""
    (tried,) = forging.tried(room, [kind], [2])
    assert "fails" not in tried.states.values(), tried.states


def test_a_bot_says_so_in_a_note_and_fails_nothing(room: Room) -> None:
    case = room.honest(4, driver="bot:reference")
    report = forging.judged(case, forging.signed(case.events))
    assert not report.fails
    assert "played by bot:reference" in report.notes


def test_the_page_on_security_names_every_kind() -> None:
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text("utf-8").lower()
    missing = [kind.name for kind in (*FORGERIES, *UNCAUGHT) if kind.name.lower() not in page]
    assert not missing


@pytest.mark.soak
def test_no_forgery_of_sixty_plays_is_missed(room: Room) -> None:
    found = forging.tried(room, FORGERIES, range(60))
    assert [each for each in found if not each.caught] == []
