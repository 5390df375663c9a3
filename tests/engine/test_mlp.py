from __future__ import annotations

import numpy as np
import pytest

from engine.numerics import mlp
from engine.numerics.randomness import normals, permutation, stream

WIDTHS = (6, 5, 4, 3)
DEPTH = 3
PARTS = {
    "full": mlp.train_full(DEPTH),
    "last 1": mlp.train_last(DEPTH, 1),
    "last 2": mlp.train_last(DEPTH, 2),
    "bias": mlp.train_bias(DEPTH),
    "lora 2": mlp.train_lora(DEPTH, 2),
    "only 1": mlp.train_only(DEPTH, 1),
    "rows": mlp.Trained((True,) * 3, (True,) * 3, rows=((0, 2, 5), (1, 4), ())),
}


@pytest.fixture
def network():
    rng = stream(0, "network")
    start = mlp.initial(WIDTHS, rng)
    return mlp.Network(start.weights, tuple(normals(rng, len(b)) * 0.1 for b in start.biases))


@pytest.fixture
def batch():
    rng = stream(0, "batch")
    return normals(rng, (7, 6)), rng.integers(0, 3, 7)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("rows", [1, 7])
def test_gradient_agrees_with_finite_differences(network, batch, part, rows):
    images, labels = batch[0][:rows], batch[1][:rows]
    learner = mlp.Learner(network, PARTS[part], "sgd", stream(0, "lora"))
    # Away from the start, where LoRA's B is zero and hides errors in A.
    learner.parameters += 0.1 * normals(stream(0, "away"), learner.parameters.shape)
    learner.differentiate(images, mlp.one_hot(labels, 3))
    exact = learner.gradient.copy()
    for i in range(len(exact)):
        learner.parameters[i] += 1e-6
        up = mlp.loss(learner.network(), images, labels)
        learner.parameters[i] -= 2e-6
        down = mlp.loss(learner.network(), images, labels)
        learner.parameters[i] += 1e-6
        assert exact[i] == pytest.approx((up - down) / 2e-6, abs=1e-7)


@pytest.mark.parametrize(
    ("part", "count"),
    [
        ("full", 35 + 24 + 15),
        ("last 1", 15),
        ("last 2", 24 + 15),
        ("bias", 5 + 4 + 15),
        ("lora 2", 2 * (6 + 5) + 2 * (5 + 4) + 2 * (4 + 3)),
        ("only 1", 24),
        ("rows", (3 * 5 + 5) + (2 * 4 + 4) + 15),
    ],
)
def test_only_the_chosen_part_is_trained(network, batch, part, count):
    learner = mlp.Learner(network, PARTS[part], "adam", stream(0, "lora"))
    learner.step(batch[0], mlp.one_hot(batch[1], 3), 0.1)
    after, trained = learner.network(), PARTS[part]
    assert len(learner.parameters) == count
    for i in range(DEPTH):
        moved = trained.weights[i] or trained.rank > 0
        assert np.array_equal(after.weights[i], network.weights[i]) is not moved
        assert np.array_equal(after.biases[i], network.biases[i]) is not trained.biases[i]


def test_sparse_update_moves_the_rows_with_the_largest_weights_alone(network, batch):
    trained = mlp.train_sparse(network, 2, 2)
    assert trained.weights == (False, True, True)
    assert (trained.rows[0], trained.rows[2]) == ((), ())
    norms = np.square(network.weights[1]).sum(axis=1)
    assert set(trained.rows[1]) == set(np.argsort(-norms)[:3])
    learner = mlp.Learner(network, trained, "sgd")
    learner.step(batch[0], mlp.one_hot(batch[1], 3), 0.1)
    moved = np.any(learner.network().weights[1] != network.weights[1], axis=1)
    assert set(np.flatnonzero(moved)) <= set(trained.rows[1])
    assert moved.any()


def test_sparse_update_of_every_channel_is_the_last_layers(network, batch):
    sparse, last = mlp.train_sparse(network, 2, 1), mlp.train_last(DEPTH, 2)
    ends = []
    for trained in (sparse, last):
        learner = mlp.Learner(network, trained, "adam")
        learner.step(batch[0], mlp.one_hot(batch[1], 3), 0.1)
        ends.append(learner.parameters)
    assert np.array_equal(*ends)


def test_lora_starts_as_the_network_it_adapts(network, batch):
    learner = mlp.Learner(network, PARTS["lora 2"], "sgd", stream(0, "lora"))
    start = mlp.logits(learner.network(), batch[0])
    assert np.array_equal(start, mlp.logits(network, batch[0]))


def test_lora_changes_each_weight_by_no_more_than_its_rank(network, batch):
    learner = mlp.Learner(network, PARTS["lora 2"], "adam", stream(0, "lora"))
    for _ in range(20):
        learner.step(batch[0], mlp.one_hot(batch[1], 3), 0.05)
    for after, before in zip(learner.network().weights, network.weights, strict=True):
        assert np.linalg.matrix_rank(after - before, tol=1e-10) == 2


def test_learner_leaves_the_network_it_was_given_alone(network, batch):
    weights = [weight.copy() for weight in network.weights]
    learner = mlp.Learner(network, PARTS["full"], "sgd")
    learner.step(batch[0], mlp.one_hot(batch[1], 3), 0.5)
    assert all(np.array_equal(a, b) for a, b in zip(weights, network.weights, strict=True))


def test_momentum_adds_up_a_constant_gradient(network):
    learner = mlp.Learner(network, PARTS["full"], "momentum")
    start = learner.parameters.copy()
    learner.differentiate = lambda *_: learner.gradient.fill(1.0)
    for _ in range(3):
        learner.step(np.zeros((1, 6)), np.zeros((1, 3)), 0.1)
    velocity = 1.0 + 1.9 + 2.71
    np.testing.assert_allclose(start - learner.parameters, 0.1 * velocity)


def test_adam_takes_first_steps_of_the_learning_rate_whatever_the_gradient(network):
    learner = mlp.Learner(network, PARTS["full"], "adam")
    start = learner.parameters.copy()
    learner.differentiate = lambda *_: learner.gradient.fill(37.0)
    for _ in range(2):
        learner.step(np.zeros((1, 6)), np.zeros((1, 3)), 0.01)
    np.testing.assert_allclose(start - learner.parameters, 0.02, rtol=1e-6)


def test_epoch_takes_the_rest_as_a_smaller_batch(network, batch):
    learner = mlp.Learner(network, PARTS["full"], "sgd")
    learner.epoch(batch[0], mlp.one_hot(batch[1], 3), 3, 0.1, stream(0, "order"))
    by_hand = mlp.Learner(network, PARTS["full"], "sgd")
    order = permutation(stream(0, "order"), 7)
    for at in (order[:3], order[3:6], order[6:]):
        by_hand.step(batch[0][at], mlp.one_hot(batch[1][at], 3), 0.1)
    assert learner.updates == 3
    assert np.array_equal(learner.parameters, by_hand.parameters)


@pytest.mark.parametrize("bits", [2, 4, 8, 16])
def test_quantized_weights_take_the_levels_of_their_bits(network, bits):
    rounded = mlp.quantized(network, bits, mlp.train_none(DEPTH))
    for weight, exact in zip(rounded.weights, network.weights, strict=True):
        scale = np.abs(exact).max(axis=0) / (2 ** (bits - 1) - 1)
        np.testing.assert_allclose(weight / scale, np.rint(weight / scale), atol=1e-9)
        assert np.all(np.abs(weight - exact) <= scale / 2 * (1 + 1e-12))
        assert np.any(weight != exact)


def test_quantizing_spares_what_learns(network):
    rounded = mlp.quantized(network, 4, mlp.train_last(DEPTH, 1))
    assert np.array_equal(rounded.weights[2], network.weights[2])
    assert not np.array_equal(rounded.weights[1], network.weights[1])


def test_32_bits_leave_the_weights_as_they_are(network):
    assert mlp.quantized(network, 32, mlp.train_none(DEPTH)) is network


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda n: mlp.quantized(n, 1, mlp.train_none(DEPTH)),
        lambda n: mlp.train_last(DEPTH, 0),
        lambda n: mlp.train_last(DEPTH, 4),
        lambda n: mlp.train_lora(DEPTH, 0),
        lambda n: mlp.Learner(n, PARTS["full"], "lion"),
        lambda n: mlp.Learner(n, PARTS["lora 2"], "sgd"),
        lambda n: mlp.Learner(n, mlp.train_full(2), "sgd"),
        lambda n: mlp.train_only(DEPTH, 3),
        lambda n: mlp.train_sparse(n, 2, 0),
        lambda n: mlp.initial((6,), stream(0, "x")),
    ],
)
def test_nonsense_is_refused(network, nonsense):
    with pytest.raises(ValueError):
        nonsense(network)
