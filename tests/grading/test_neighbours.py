"""Plays that are much alike: copies are found, and what everybody does is not telling."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_tui.content.load import MissionFile
from mission_tui.grading import tokens
from mission_tui.grading.neighbours import FEWEST, chance, common, pairs
from mission_tui.grading.row import Row
from mission_tui.play.events import Event
from tests.grading import alike


def row(student: str, runs: list[str], claims: list[str] | None = None, **named: str) -> Row:
    return alike.row(student, (tuple(runs), tuple(claims or ())), **named)


def wandering(count: int, seed: int) -> list[Row]:
    """A class in which everybody begins at the default and turns sliders as they like."""
    return [alike.row(f"s{n}", steps) for n, steps in enumerate(alike.wandering(count, seed))]


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
    assert second.expected > 100 * first.expected
    assert not second.telling


def test_classes_without_copies_hardly_ever_have_a_telling_pair() -> None:
    classes = [alike.wandering(size, seed) for seed in range(100) for size in (12, 20, 30)]
    wrong = sum(bool(alike.told(plays)) for plays in classes)
    assert wrong <= 21  # of 300: 5 % are 15, and 22 or more are then one chance in twenty


def test_copies_stand_out_in_most_classes() -> None:
    found = {}
    for name, how, groups, each in alike.CASES[:3]:
        dice, seen = random.Random(name), 0
        for seed in range(40):
            plays, true = alike.copied(alike.wandering(30, seed), how, groups, each, dice)
            seen += alike.told(plays) >= true
        found[name] = seen
    assert min(found.values()) >= 30, found


@pytest.mark.soak
def test_simulated_players_who_never_met_are_hardly_ever_said_to_be_alike(
    wall: MissionFile,
) -> None:
    pool, dice = alike.simulated(wall.tracks["edge"], 600, 7), random.Random(7)
    wrong = {
        size: sum(bool(alike.told(dice.sample(pool, size))) for _ in range(40))
        for size in (12, 30, 60, 100)
    }
    assert sum(wrong.values()) <= 13, wrong  # of 160: 5 % are 8; 14 and more are 3 in 100


def test_more_parts_make_chance_pairs_more_likely() -> None:
    plays = alike.wandering(30, 1)
    copy, _ = alike.copied(plays, alike.left_out, 1, 1, random.Random(1))
    one = [alike.row(f"s{n}", steps) for n, steps in enumerate(copy)]
    other = [alike.row(f"s{n}", steps, "q") for n, steps in enumerate(plays)]
    alone, among = pairs(one)[0], pairs([*one, *other])[0]
    assert alone.expected is not None
    assert among.expected == 2 * alone.expected


def test_what_shares_a_student_with_a_pair_is_not_what_chance_is_made_of() -> None:
    others = [float(n) for n in range(60, 0, -1)]
    assert chance(0.0, others, 20) == 1.0
    assert chance(others[30], others, 20) == 31 / 60
    far, farther = chance(100.0, others, 20), chance(200.0, others, 20)
    assert far is not None
    assert farther is not None
    assert 0 < farther < far < 0.05
    assert chance(100.0, others, 5) is None


@given(
    st.lists(st.sampled_from("abcde"), max_size=7), st.lists(st.sampled_from("abcde"), max_size=7)
)
def test_the_heaviest_common_subsequence_is_the_best_of_all(a: list[str], b: list[str]) -> None:
    weights = {"a": 0.5, "b": 1.0, "c": 2.0, "d": 4.0, "e": 8.0}

    def best(n: int, m: int) -> float:
        if n == len(a) or m == len(b):
            return 0.0
        taken = weights[a[n]] + best(n + 1, m + 1) if a[n] == b[m] else 0.0
        return max(taken, best(n + 1, m), best(n, m + 1))

    bits, steps = common(a, b, weights)
    assert bits == best(0, 0)
    assert common(b, a, weights)[0] == bits
    assert steps <= min(len(a), len(b))


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
