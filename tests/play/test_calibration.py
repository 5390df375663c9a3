"""Calibration: counted over plays, each lock once, shown from ten on, luck given its due."""

from __future__ import annotations

from typing import Any

from mission_tui.play import calibration
from mission_tui.play.calibration import AIM, FROM, Bet, Share, bets_in, bets_of, luck
from mission_tui.play.events import Event
from tests.play.conftest import Play


def band(n: int, held: bool) -> Bet:
    return Bet(("m", "edge", "p", str(n)), right=False, in_band=held)


def test_it_is_shown_from_ten_different_locks_on() -> None:
    bets = [band(n, True) for n in range(FROM - 1)]
    found = calibration.calibration([*bets, *bets])  # the same locks again
    assert not found.shown
    assert "9 different" in next(calibration.lines(found))
    found = calibration.calibration([*bets, band(99, False)])
    assert found.shown
    told = "\n".join(calibration.lines(found))
    assert "9 of 10, 90 %" in told
    assert max(map(len, told.split("\n"))) <= 74


def test_of_a_lock_met_again_the_first_bet_counts() -> None:
    assert calibration.calibration([band(1, False), band(1, True)]).bands == Share(0, 1)


def test_choices_are_told_apart_by_sure_and_unsure() -> None:
    bets = [Bet(("m", "t", "p", str(n)), n < 6, None, sure=n % 2 == 0) for n in range(12)]
    found = calibration.calibration(bets)
    assert (found.sure, found.unsure, found.bands) == (Share(3, 6), Share(3, 6), Share(0, 0))
    assert any("unsure of one" in line for line in calibration.lines(found))


def test_what_luck_explains_is_not_held_against_anybody() -> None:
    few, many = luck(10)
    assert few < 10 * AIM < many or many == 10
    words = [calibration.verdict(Share(held, 10)) for held in (few - 1, few)]
    assert "widen" in words[0]
    assert "as good as" in words[1]
    assert "narrower" in calibration.verdict(Share(40, 40))


def test_a_record_gives_the_bets_that_its_session_gives(play: Play) -> None:
    play.to("claim")
    header = {**play.recorded[0].data, "mission": "memory-wall", "track": "edge"}
    events = (Event(0, "header", None, 0, "w", header), *play.recorded[1:])
    assert bets_in(events) == bets_of(play.session)
    assert len(bets_in(events)) == 1


def test_a_hostile_record_gives_no_bets() -> None:
    def event(kind: str, data: dict[str, Any]) -> Event:
        return Event(0, kind, "p", 0, "w", data)

    odd: list[Any] = [None, 3, [], {"a": 3}, {"a": {"value_right": 1}}, {"a": {"in_band": True}}]
    assert bets_in([event("enter", {"judged": each}) for each in odd]) == ()
    good = {"a": {"value_right": True, "in_band": "yes"}}
    (bet,) = bets_in([event("lock", {"lock": "a", "sure": 1}), event("enter", {"judged": good})])
    assert (bet.in_band, bet.sure) == (None, None)
