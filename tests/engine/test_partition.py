from __future__ import annotations

import numpy as np
import pytest

from engine.numerics.digits import split
from engine.numerics.partition import (
    Clients,
    deal,
    held_out,
    log_gammas,
    mixes,
    reliabilities,
    shuffled,
)
from engine.numerics.randomness import stream

EVEN = np.full((20, 10), 0.1)


@pytest.mark.parametrize("shape", [0.05, 0.5, 3.0, 100.0])
def test_gamma_variates_have_the_mean_and_variance_of_their_shape(shape: float) -> None:
    n = 40_000
    found = np.exp(log_gammas(stream(7, "gamma"), shape, (n,)))
    fourth = 3 * shape**2 + 6 * shape  # central moment
    assert found.mean() == pytest.approx(shape, abs=5 * np.sqrt(shape / n))
    assert found.var() == pytest.approx(shape, abs=5 * np.sqrt((fourth - shape**2) / n))


def test_the_smallest_shapes_do_not_underflow() -> None:
    assert np.isfinite(log_gammas(stream(7, "gamma"), 0.01, (2000,))).all()


@pytest.mark.parametrize("alpha", [0.05, 0.3, 1.0, 100.0])
def test_the_partition_honours_alpha(alpha: float) -> None:
    mix = np.concatenate([mixes(200, alpha, seed=seed)[::10] for seed in range(30)])
    np.testing.assert_allclose(mix.sum(axis=1), 1.0)
    # the sum over classes of the variances of a Dirichlet's shares
    spread = np.square(mix - 0.1).sum(axis=1)
    error = 5 * spread.std() / np.sqrt(len(spread))
    assert spread.mean() == pytest.approx(0.9 / (10 * alpha + 1), abs=error)


def test_the_fleet_as_a_whole_holds_the_classes_alike() -> None:
    np.testing.assert_allclose(mixes(40, 0.05, seed=2).mean(axis=0), 0.1)
    assert mixes(25, 0.05, seed=2).shape == (25, 10)


def test_late_clients_get_their_mix_as_early_ones_do() -> None:
    mix = mixes(200, 0.05, seed=3)
    missed = np.abs(deal(mix, 60, seed=3).shares() - mix).sum(axis=1)
    assert missed[:100].mean() == pytest.approx(missed[100:].mean(), abs=0.05)
    assert missed.mean() < 0.15


def test_an_example_is_a_training_digit_of_its_label_or_a_shift_of_one() -> None:
    train, _ = split(4)
    known = {
        image.tobytes(): label for image, label in zip(train.images, train.labels, strict=True)
    }
    clients = deal(EVEN, 60, seed=4)
    found = [
        (known.get(image[:-1].tobytes()), label)
        for image, label in zip(clients.images.reshape(-1, 65), clients.labels.ravel(), strict=True)
    ]
    straight = [(there, label) for there, label in found if there is not None]
    assert all(there == label for there, label in straight)
    assert len(straight) / len(found) == pytest.approx(0.2, abs=0.06)  # one of five is not moved
    assert (clients.images[..., -1] == 1.0).all()


def test_no_test_digit_is_dealt() -> None:
    images, _ = held_out(4)
    dealt = {image.tobytes() for image in deal(EVEN, 60, seed=4).images.reshape(-1, 65)}
    assert not dealt & {image.tobytes() for image in images}


def test_another_mix_changes_only_the_examples_whose_class_changes() -> None:
    first = deal(mixes(30, 0.3, seed=5), 60, seed=5)
    second = deal(mixes(30, 0.33, seed=5), 60, seed=5)
    same = first.labels == second.labels
    assert 0.8 < same.mean() < 1.0
    np.testing.assert_array_equal(first.images[same], second.images[same])


def test_shuffling_keeps_what_the_fleet_knows() -> None:
    own = deal(mixes(20, 0.05, seed=6), 60, seed=6)
    alike = shuffled(own, seed=6)

    def everything(clients: Clients) -> list[tuple[bytes, int]]:
        images, labels = clients.images.reshape(-1, 65), clients.labels.ravel()
        return sorted((x.tobytes(), int(y)) for x, y in zip(images, labels, strict=True))

    assert everything(own) == everything(alike)
    assert alike.shares().std(axis=0).mean() < own.shares().std(axis=0).mean() / 3


def test_uncorrelated_links_are_all_alike() -> None:
    assert set(reliabilities(np.linspace(0, 1, 9), 0.7, correlated=False)) == {0.7}


@pytest.mark.parametrize("mean", [0.05, 0.4, 0.7, 0.95])
def test_correlated_links_are_worst_where_the_slice_is_and_keep_their_mean(mean: float) -> None:
    share = np.array([0.0, 0.0, 0.1, 0.5, 1.0])
    links = reliabilities(share, mean, correlated=True)
    assert links.mean() == pytest.approx(mean, abs=1e-9)
    assert links[0] == links[1]
    assert (np.diff(links[1:]) < 0).all()
    assert ((links > 0) & (links < 1)).all()


def test_links_of_clients_that_are_alike_do_not_differ() -> None:
    np.testing.assert_allclose(reliabilities(np.full(5, 0.2), 0.7, correlated=True), 0.7)


def test_links_that_never_fail_stay_so() -> None:
    assert set(reliabilities(np.array([0.0, 1.0]), 1.0, correlated=True)) == {1.0}
