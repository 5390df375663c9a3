from __future__ import annotations

import math
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.numerics import querying, softmax
from engine.numerics.digits import CLASSES, TEST
from engine.numerics.partition import held_out
from engine.numerics.querying import (
    REPEATS,
    STRATEGIES,
    PicksDivergedError,
    Plan,
    Pool,
    fit,
    label_error,
    pool,
    query,
    uncertainty,
    voted,
)
from engine.numerics.randomness import FloatArray

SCORED = STRATEGIES[1:]


@pytest.fixture(scope="module")
def found() -> Pool:
    return pool(200, (8, 9), 1.0, seed=3)


@given(error=st.floats(0.0, 1.0), votes=st.sampled_from([1, 3, 5, 7, 9]))
def test_two_classes_are_decided_by_the_binomial_tail(error: float, votes: int) -> None:
    tail = sum(
        math.comb(votes, wrong) * error**wrong * (1 - error) ** (votes - wrong)
        for wrong in range(votes // 2 + 1, votes + 1)
    )
    assert label_error(error, votes, classes=2) == pytest.approx(tail, abs=1e-12)


@given(error=st.floats(0.0, 1.0))
def test_one_vote_is_as_wrong_as_its_voter_and_two_are_no_better(error: float) -> None:
    assert label_error(error, 1) == pytest.approx(error, abs=1e-12)
    assert label_error(error, 2) == pytest.approx(error, abs=1e-12)  # a tie is a coin toss


@given(error=st.floats(0.0, 0.6), votes=st.sampled_from([1, 3, 5, 7]))
def test_wrong_votes_that_scatter_are_outvoted_more_easily(error: float, votes: int) -> None:
    assert label_error(error, votes) <= label_error(error, votes, classes=2) + 1e-12
    assert label_error(error, votes + 2) <= label_error(error, votes) + 1e-12


@pytest.mark.parametrize(("error", "votes"), [(0.05, 1), (0.3, 2), (0.3, 3), (0.5, 4), (0.6, 9)])
def test_votes_are_as_wrong_as_the_formula_says(error: float, votes: int) -> None:
    truth = np.arange(20_000) % CLASSES
    wrong = np.mean(voted(truth, error, votes, seed=1) != truth)
    expected = label_error(error, votes)
    deviation = math.sqrt(expected * (1 - expected) / (REPEATS * len(truth)))
    assert abs(wrong - expected) < 5 * deviation


def test_wrong_labels_are_any_of_the_other_classes_alike() -> None:
    truth = np.full(20_000, 4)
    counts = np.bincount(voted(truth, 0.9, 1, seed=1).ravel(), minlength=CLASSES)
    assert np.abs(np.delete(counts, 4) / counts.sum() - 0.1).max() < 0.01


def test_votes_without_errors_are_the_truth(found: Pool) -> None:
    for votes in (1, 2, 5):
        assert (voted(found.truth, 0.0, votes, seed=1) == found.truth).all()


def test_the_fit_is_the_least_of_the_loss_that_it_is_said_to_be(
    found: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, labels = found.images[None, :60], found.truth[None, :60]
    ridge = 0.01

    def worth(model: FloatArray) -> float:
        return float(softmax.loss(model, images, labels)[0] + ridge / 2 * np.sum(model**2))

    quick = fit(images, labels, ridge)
    monkeypatch.setattr(querying, "STEPS", 2000)
    model = fit(images, labels, ridge)
    slope = softmax.gradient(model, images, labels) + ridge * model
    assert np.abs(slope).max() < 1e-9
    nothing = worth(np.zeros_like(model))
    # The fixed number of steps is all but there.
    assert worth(quick) - worth(model) < 0.01 * (nothing - worth(model))


def test_several_fits_at_once_are_the_fits_alone(found: Pool) -> None:
    images, labels = found.images[:80].reshape(4, 20, -1), found.truth[:80].reshape(4, 20)
    both = fit(images, labels, 0.003)
    for one in range(4):
        alone = fit(images[one : one + 1], labels[one : one + 1], 0.003)[0]
        np.testing.assert_allclose(both[one], alone, rtol=0, atol=1e-10)


def test_scores_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    p = np.zeros((1, 2, CLASSES))
    p[0, 0, :3], p[0, 1, 4:6] = (0.5, 0.3, 0.2), 0.5
    monkeypatch.setattr(softmax, "probabilities", lambda *_: p.copy())
    nothing = np.zeros((1, 1, 1))
    assert uncertainty(nothing, nothing, "margin")[0] == pytest.approx([-0.2, 0.0])
    assert uncertainty(nothing, nothing, "least-confidence")[0] == pytest.approx([0.5, 0.5])
    by_hand = -(0.5 * math.log(0.5) + 0.3 * math.log(0.3) + 0.2 * math.log(0.2))
    assert uncertainty(nothing, nothing, "entropy")[0] == pytest.approx([by_hand, math.log(2)])
    with pytest.raises(ValueError, match="strategies with a score"):
        uncertainty(nothing, nothing, "random")


@settings(max_examples=12, deadline=None)
@given(
    strategy=st.sampled_from(STRATEGIES),
    batch=st.integers(5, 90),
    share=st.floats(0.01, 1.0),
    seed=st.integers(0, 99),
)
def test_no_image_is_asked_for_twice_and_all_are_in_the_end(
    strategy: querying.Strategy, batch: int, share: float, seed: int
) -> None:
    found = pool(100, (0, 1), 1.0, seed=seed)
    plan = Plan(strategy=strategy, batch=batch, share=share)
    done = list(query(found, plan, seed=seed))
    assert done[0].labels == 20
    assert done[-1].labels == 100
    assert (np.sort(done[-1].asked, axis=1) == np.arange(100)).all()
    assert all(0 <= now.hits.sum() <= TEST for now in done)
    assert len(done) == 1 + math.ceil(80 / batch)


@pytest.mark.parametrize("strategy", SCORED)
def test_a_batch_is_what_the_model_is_least_sure_of(
    found: Pool, strategy: querying.Strategy
) -> None:
    plan = Plan(strategy=strategy, batch=7)
    start, then = islice(query(found, plan, seed=4), 2)
    for repeat in range(REPEATS):
        asked = start.asked[repeat]
        model = fit(found.images[asked][None], found.truth[asked][None], plan.ridge)
        score = uncertainty(model, found.images, strategy)[0]
        picked = then.asked[repeat, 20:]
        rest = np.setdiff1d(np.arange(200), then.asked[repeat])
        assert score[picked].min() >= score[rest].max() - 1e-9
        assert (np.diff(score[picked]) <= 1e-9).all()  # best first


def test_random_labels_are_a_prefix_of_one_order(found: Pool) -> None:
    small = list(query(found, Plan(strategy="random", batch=10), seed=4))
    large = list(query(found, Plan(strategy="random", batch=60), seed=4))
    np.testing.assert_array_equal(small[6].asked, large[1].asked)
    np.testing.assert_array_equal(small[6].hits, large[1].hits)
    assert not any(now.picks for now in small)


def test_a_rare_class_is_rare_in_the_pool_and_not_in_the_test() -> None:
    common, rare = pool(1437, (8, 9), 1.0, seed=3), pool(1437, (8, 9), 0.1, seed=3)
    many, few = (np.isin(each.truth, (8, 9)).sum() for each in (common, rare))
    assert 0.05 * many < few < 0.16 * many
    assert np.isin(held_out(3)[1], (8, 9)).sum() > 50
    others = ~np.isin(common.truth, (8, 9))
    np.testing.assert_array_equal(common.truth[others], rare.truth[~np.isin(rare.truth, (8, 9))])


def test_recorded_picks_are_followed(found: Pool) -> None:
    plan = Plan(strategy="entropy", batch=5, share=0.5)
    first = list(islice(query(found, plan, seed=4), 4))
    picks = [pick for now in first for pick in now.picks]
    again = list(islice(query(found, plan, seed=4, follow=picks), 4))
    for now, then in zip(first, again, strict=True):
        np.testing.assert_array_equal(now.asked, then.asked)


def _swapped(picks: list[int], asked: set[int]) -> list[int]:
    return [next(other for other in range(200) if other not in asked), *picks[1:]]


@pytest.mark.parametrize(
    "forge",
    [
        lambda picks, asked: _swapped(picks, asked),  # one that the model is surer of
        lambda picks, asked: [picks[1], *picks[1:]],  # one twice
        lambda picks, asked: picks[:-1],  # too few
        lambda picks, asked: [-1, *picks[1:]],
        lambda picks, asked: [10**30, *picks[1:]],
        lambda picks, asked: [min(asked - set(picks)), *picks[1:]],  # one labelled already
        lambda picks, asked: picks[4::-1] + picks[5:],  # the worst of a batch first
    ],
)
def test_forged_picks_are_refused(found: Pool, forge: object) -> None:
    plan = Plan(strategy="margin", batch=5)
    _, then = islice(query(found, plan, seed=4), 2)
    assert callable(forge)
    forged = forge(list(then.picks), set(then.asked[0].tolist()))
    with pytest.raises(PicksDivergedError):
        list(islice(query(found, plan, seed=4, follow=forged), 2))


def test_a_pick_may_miss_the_best_by_the_last_bits_alone(found: Pool) -> None:
    twice = Pool(found.images[np.repeat(np.arange(200), 2)], np.repeat(found.truth, 2))
    plan = Plan(strategy="margin", batch=5)
    _, then = islice(query(twice, plan, seed=4), 2)
    picks = list(then.picks)
    # Both of a pair have the same score, and are asked for one after the other.
    pair = next(at for at in range(4) if picks[at] // 2 == picks[at + 1] // 2)
    picks[pair], picks[pair + 1] = picks[pair + 1], picks[pair]
    _, again = islice(query(twice, plan, seed=4, follow=picks), 2)
    assert list(again.picks) == picks
