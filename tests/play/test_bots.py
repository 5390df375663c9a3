from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mission_tui.content import space
from mission_tui.content.load import MissionFile
from mission_tui.content.schema import Mission
from mission_tui.play import bots
from mission_tui.play.actions import Instant
from mission_tui.play.evaluate import Request, outcome
from mission_tui.play.events import Event
from mission_tui.play.game import Game
from mission_tui.play.session import Session
from mission_tui.play.specs import readings
from mission_tui.play.start import Who, header

TRACKS = ("cloud", "edge", "mobile", "tiny")


def played(mission: Mission, bot: str, seed: int) -> tuple[Session, tuple[Event, ...]]:
    who = Who("ada", f"bot:{bot}", "00" * 32, chosen_seed=seed)
    events = [header(mission, who, datetime(2026, 1, 1, tzinfo=UTC))]
    session = Session.begin(mission, events[0].data)
    game = Game(session, events.append, lambda: Instant(0, "w"))
    bots.play(game, bots.bot(bot, seed))
    return game.session, tuple(events)


@pytest.mark.parametrize("track", TRACKS)
def test_the_reference_passes_and_its_claims_are_verified(shipped: MissionFile, track: str) -> None:
    session, events = played(shipped.tracks[track], "reference", 1)
    assert session.closed
    for name, state in session.parts.items():
        assert session.passed(name)
        assert [filed.failed for filed in state.claims] == [{}]
        assert {j.cell for j in session.judgements(name).values()} == {"both"}
        assert all(j.in_band is not False for j in session.judgements(name).values())
    assert Session.replayed(session.mission, events) == session


@pytest.mark.parametrize("track", TRACKS)
def test_random_play_is_legal(shipped: MissionFile, track: str) -> None:
    session, events = played(shipped.tracks[track], "random", 7)
    assert session.closed
    assert Session.replayed(session.mission, events) == session


def test_a_random_play_follows_from_its_seed(shipped: MissionFile) -> None:
    first, second, other = (played(shipped.tracks["tiny"], "random", n)[0] for n in (3, 3, 4))
    assert first.parts == second.parts
    assert first.parts != other.parts


def test_no_other_bot_is_known() -> None:
    with pytest.raises(KeyError):
        bots.bot("genius", 0)


@pytest.mark.parametrize("track", TRACKS)
def test_the_default_breaks_and_the_reference_holds_on_every_seed_of_the_deck(
    shipped: MissionFile, track: str
) -> None:
    mission = shipped.tracks[track]
    for part in mission.parts.values():
        for seed in part.seeds:
            default, reference = (
                readings(mission, part, outcome(Request.at(part, setting, seed)).metrics)
                for setting in (part.default, part.reference)
            )
            assert not all(reading.met for reading in default), seed
            assert {r.id: r.headroom for r in reference if not r.met} == {}, seed


@pytest.mark.parametrize("track", TRACKS)
def test_every_slider_moves_a_metric(shipped: MissionFile, track: str) -> None:
    for part in shipped.tracks[track].parts.values():
        for slider in part.sliders:
            reached = {
                tuple(
                    outcome(
                        Request.at(part, {**part.reference, slider: value}, part.seeds[0])
                    ).metrics[metric]
                    for metric in part.metrics
                )
                for value in space.values(part, slider)[:4]
            }
            assert len(reached) > 1, slider
