"""Plays that are much alike: copies are found, and what everybody does is not telling."""

from __future__ import annotations

import random
import time

from mission_tui.grading import tokens
from mission_tui.grading.neighbours import FEWEST, pairs
from mission_tui.grading.row import Played, Row
from mission_tui.play.events import Event


def row(student: str, runs: list[str], claims: list[str] | None = None, **named: str) -> Row:
    part = Played("p", 1.0, True, (), tuple(runs), tuple(claims or ()))
    driver = named.pop("driver", "human")
    return Row(
        f"{student}.json",
        "",
        {},
        student=student,
        mission="m",
        track="t",
        driver=driver,
        parts=(part,),
    )


def wandering(count: int, seed: int) -> list[Row]:
    """A class in which everybody begins at the default and turns sliders as they like."""
    dice, found = random.Random(seed), []
    for n in range(count):
        setting, runs = [0, 0, 0, 0], []
        for _ in range(dice.randint(4, 12)):
            runs.append(str(setting))
            setting[dice.randrange(4)] = dice.randrange(8)
        found.append(row(f"s{n}", runs, [f"c{dice.randrange(12)}" for _ in range(2)]))
    return found


def test_a_copy_with_a_run_left_out_stands_first_and_chance_hardly_explains_it() -> None:
    plays = wandering(30, 1)
    source = max(plays[:15], key=lambda play: len(play.parts[0].runs))
    copied = [run for n, run in enumerate(source.parts[0].runs) if n != 2]
    plays[20] = row("s20", copied, list(source.parts[0].claims))
    first, second, *_ = pairs(plays)
    assert {first.first.student, first.second.student} == {source.student, "s20"}
    assert first.telling
    assert first.runs == len(copied)
    assert second.expected is not None
    assert first.expected is not None
    assert second.expected > 1_000 * first.expected


def test_classes_without_copies_hardly_ever_have_a_telling_pair() -> None:
    telling = [any(pair.telling for pair in pairs(wandering(18, seed))) for seed in range(5)]
    assert sum(telling) <= 2


def test_what_everybody_does_weighs_nothing() -> None:
    crowd = [row(f"s{n}", ["default", "best"]) for n in range(12)]
    assert not any(pair.telling for pair in pairs(crowd))
    assert max((pair.bits for pair in pairs(crowd)), default=0.0) < 0.5


def test_order_counts() -> None:
    crowd = wandering(12, 3)
    path = ["a", "b", "c", "d", "e", "f"]
    same = pairs([*crowd, row("x", path), row("y", path)])[0]
    turned = [
        pair
        for pair in pairs([*crowd, row("x", path), row("y", path[::-1])], most=1000)
        if {pair.first.student, pair.second.student} == {"x", "y"}
    ]
    assert (same.runs, [pair.runs for pair in turned]) == (6, [1])


def test_small_classes_bots_and_a_students_own_attempts_say_nothing() -> None:
    few = [row(f"s{n}", ["a", "b", "c"]) for n in range(FEWEST - 1)]
    assert all(pair.expected is None and not pair.telling for pair in pairs(few))
    own = [row("ada", ["a", "b", "c"]), row("ada", ["a", "b", "c"])]
    bots = [row(f"b{n}", ["a", "b", "c"], driver="bot:reference") for n in range(9)]
    assert pairs([*own, *bots]) == ()


def test_the_same_rows_give_the_same_list() -> None:
    plays = wandering(15, 4)
    assert pairs(plays) == pairs(plays)


def test_hostile_lengths_take_no_age() -> None:
    dice = random.Random(5)
    long = [row(f"s{n}", [str(dice.randrange(40)) for _ in range(300)]) for n in range(12)]
    began = time.process_time()
    pairs(long)
    assert time.process_time() - began < 10


def run(setting: object, part: str = "p") -> Event:
    return Event(0, "run", part, 0, "w", {"number": 1, "setting": setting})


def test_a_sweep_is_one_idea_and_equal_settings_have_equal_digests() -> None:
    sweep = [run({"a": n, "b": 1}) for n in range(6)]
    assert len(tokens.runs(sweep, "p")) == 2  # the default, and where the sweep began
    there_and_back = [run({"a": n}) for n in (1, 2, 1, 2)]
    assert len(tokens.runs(there_and_back, "p")) == 4
    first, again = tokens.runs([run({"a": 1, "b": 2}), run({"b": 2, "a": 1})], "p")
    assert first == again
    assert tokens.runs([run(3), run({"a": {}}, "q")], "p") == ()


def test_an_answer_of_five_words_is_somebodys_own() -> None:
    def claim(answer: object) -> Event:
        return Event(0, "claim", "p", 0, "w", {"metric": "m", "answer": answer})

    long, same = claim("The batch keeps every input."), claim("the BATCH keeps, every input")
    assert tokens.claims([long], "p") == tokens.claims([same], "p")
    assert [len(tokens.claims([claim(each)], "p")) for each in ("it fell", 3, None)] == [1, 1, 1]
