"""Learning in an 8-bit graph: its units, its gradients, and what the scaling restores."""

from __future__ import annotations

import numpy as np
import pytest

from engine.numerics import mlp
from engine.numerics.quantized import LEVELS, QuantizedLearner
from engine.numerics.randomness import normals, stream

WIDTHS = (6, 5, 4, 3)
FULL = mlp.train_full(3)


@pytest.fixture
def network():
    rng = stream(0, "network")
    start = mlp.initial(WIDTHS, rng)
    return mlp.Network(start.weights, tuple(normals(rng, len(b)) * 0.1 for b in start.biases))


@pytest.fixture
def batch():
    rng = stream(0, "batch")
    return np.abs(normals(rng, (40, 6))), rng.integers(0, 3, 40)


def graph(network, batch, *, scaling=True, trained=FULL, optimizer="sgd"):
    return QuantizedLearner(network, trained, optimizer, batch[0], scaling=scaling)


def test_weights_lie_on_their_grid_but_the_classifiers(network, batch):
    rounded = graph(network, batch).network()
    for found, exact in zip(rounded.weights[:2], network.weights[:2], strict=True):
        scale = np.abs(exact).max(axis=0) / LEVELS
        np.testing.assert_allclose(found / scale, np.rint(found / scale), atol=1e-9)
        assert np.all(np.abs(found - exact) <= scale / 2 * (1 + 1e-9))
    assert np.array_equal(rounded.weights[2], network.weights[2])


def test_the_graph_computes_nearly_what_the_network_does(network, batch):
    learner = graph(network, batch)
    scores = mlp.logits(network, batch[0])
    *_, ours = learner._forward(batch[0], *learner._rounded())
    assert np.abs(ours - scores).max() < 0.03 * np.abs(scores).max()
    assert abs(learner.correct(*batch) - mlp.correct(network, *batch)) <= 1


def gradients(network, batch, learner):
    """The graph's gradient and the plain one, cut into weights and biases of each layer."""
    plain = mlp.Learner(network, FULL, "sgd")
    targets = mlp.one_hot(batch[1], 3)
    for each in (learner, plain):
        each.differentiate(batch[0], targets)
    cuts = np.cumsum([30, 5, 20, 4, 12])
    return np.split(learner.gradient, cuts), np.split(plain.gradient, cuts)


def test_without_scaling_gradients_shrink_by_the_scales_of_their_channels(network, batch):
    learner = graph(network, batch, scaling=False)
    ours, plain = gradients(network, batch, learner)
    w, b = learner._scale_w[1], learner._scale_b[1]
    largest = np.abs(plain[2]).max()
    np.testing.assert_allclose(
        ours[2].reshape(5, 4) / w, plain[2].reshape(5, 4), atol=0.1 * largest
    )
    np.testing.assert_allclose(ours[3] / b, plain[3], atol=0.1 * np.abs(plain[3]).max())
    # Each is small beside its own parameter, a bias smaller still.
    assert w.max() < 0.02 > b.max()


def test_scaling_multiplies_by_the_inverse_squares(network, batch):
    scaled, plain = (graph(network, batch, scaling=s) for s in (True, False))
    targets = mlp.one_hot(batch[1], 3)
    for each in (scaled, plain):
        each.differentiate(batch[0], targets)
    cuts = np.cumsum([30, 5, 20, 4, 12])
    ours, theirs = np.split(scaled.gradient, cuts), np.split(plain.gradient, cuts)
    for i in (0, 1):
        w, b = scaled._scale_w[i], scaled._scale_b[i]
        shape = WIDTHS[i : i + 2]
        np.testing.assert_allclose(
            ours[2 * i].reshape(shape), theirs[2 * i].reshape(shape) / w**2, rtol=1e-9
        )
        np.testing.assert_allclose(ours[2 * i + 1], theirs[2 * i + 1] / b**2, rtol=1e-9)
    assert np.array_equal(ours[4], theirs[4])  # the classifier is no part of the graph


def test_a_scaled_step_is_the_step_of_the_plain_network(network, batch):
    targets = mlp.one_hot(batch[1], 3)
    scaled, plain = graph(network, batch), mlp.Learner(network, FULL, "sgd")
    for each in (scaled, plain):
        for _ in range(10):
            each.step(batch[0], targets, 0.2)
    for ours, theirs, start in zip(
        scaled.network().weights, plain.network().weights, network.weights, strict=True
    ):
        assert np.linalg.norm(ours - theirs) < 0.2 * np.linalg.norm(theirs - start)


def test_adam_divides_the_scaling_away(network, batch):
    targets = mlp.one_hot(batch[1], 3)
    ends = []
    for scaling in (True, False):
        learner = graph(network, batch, scaling=scaling, optimizer="adam")
        learner.step(batch[0], targets, 0.01)
        ends.append(learner.parameters.copy())
    # Each parameter takes a step of 0.01, whatever its gradient (but for Adam's epsilon).
    assert np.abs(ends[0] - ends[1]).mean() < 0.01 / 50


def test_lora_is_refused(network, batch):
    with pytest.raises(ValueError, match="8-bit graph"):
        graph(network, batch, trained=mlp.train_lora(3, 2))
