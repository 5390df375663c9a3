"""What follows from leaving a part as it stands: said by the rules, once for every driver."""

from __future__ import annotations

from mission_tui.content.schema import Carried, Carry, Mission
from mission_tui.play.wording import unmet_says
from tests.play.conftest import Play

CLASSES = ("small", "medium", "large")


def handing_on(mission: Mission) -> Mission:
    """Two parts, the second of which is handed the first one's class."""
    sliders = {"full": "large", "bias": "small"}
    carry = Carry.model_validate({"slider": "tuning", "classes": sliders, "missed": "medium"})
    carried = {size: Carried(label=f"an update of {size} size") for size in CLASSES}
    parts = dict(mission.parts)
    parts["memory"] = parts["memory"].model_copy(update={"carry": carry})
    parts["again"] = parts["again"].model_copy(update={"carried": carried, "title": "Converge"})
    return mission.model_copy(update={"parts": parts})


def test_the_limits_that_the_best_run_breaks_are_named(play: Play) -> None:
    play.to("workbench").run(peak=5e8, accuracy=50.0)
    both = unmet_says(play.session)
    assert both
    assert "#1 breaks Peak memory and Accuracy" in both
    assert "hands on" not in both  # this mission hands nothing on
    play.run(peak=1e8, accuracy=50.0)
    one = unmet_says(play.session)
    assert one
    assert "#2 breaks Accuracy." in one


def test_without_a_run_that_is_what_is_said(play: Play) -> None:
    said = unmet_says(play.to("workbench").session)
    assert said
    assert said.startswith("No run came to its end")


def test_of_a_part_that_passed_nothing_is_said(play: Play) -> None:
    play.to("workbench").run(peak=5e8, accuracy=50.0).run(peak=1e8, accuracy=99.0)
    assert play.session.passed("memory")
    assert unmet_says(play.session) is None


def test_what_a_miss_hands_on_is_named_with_what_it_means(two_parts: Mission) -> None:
    play = Play(handing_on(two_parts)).to("workbench").run(peak=5e8)
    said = unmet_says(play.session)
    assert said
    assert "the medium class, whatever you chose: an update of medium size in Converge." in said
    assert play.session.brought_to("again") == "medium"  # as it is said, so it is carried
    play.run(peak=1e8, accuracy=99.0)
    assert unmet_says(play.session) is None


def test_at_a_table_the_parties_say_how_it_ends(table: Mission) -> None:
    play = Play(table).to("workbench").tried(peak_memory=9e9)
    assert unmet_says(play.session) is None
