from __future__ import annotations

import numpy as np
import pytest

from engine.numerics import softmax
from engine.numerics.digits import split
from engine.numerics.randomness import normals, stream


@pytest.fixture
def fleet():
    rng = stream(0, "fleet")
    parameters = normals(rng, (3, 5, 4))
    return parameters, normals(rng, (3, 7, 5)), rng.integers(0, 4, (3, 7))


def test_probabilities_sum_to_one_even_for_huge_scores(fleet):
    parameters, images, _ = fleet
    p = softmax.probabilities(parameters * 1e4, images)
    np.testing.assert_allclose(p.sum(axis=-1), 1.0)
    assert np.isfinite(p).all()


def test_gradient_agrees_with_finite_differences(fleet):
    parameters, images, labels = fleet
    exact = softmax.gradient(parameters, images, labels)
    for index in np.ndindex(parameters.shape):
        up, down = parameters.copy(), parameters.copy()
        up[index] += 1e-6
        down[index] -= 1e-6
        change = softmax.loss(up, images, labels) - softmax.loss(down, images, labels)
        assert exact[index] == pytest.approx(change[index[0]] / 2e-6, abs=1e-7)


def test_learners_do_not_touch_each_other(fleet):
    parameters, images, labels = fleet
    alone = parameters[1:2].copy()
    softmax.step(parameters, images, labels, 0.1)
    softmax.step(alone, images[1:2], labels[1:2], 0.1)
    np.testing.assert_allclose(parameters[1], alone[0], rtol=1e-12)


def test_shared_images_serve_every_learner(fleet):
    parameters, images, labels = fleet
    shared = softmax.loss(parameters, images[0], labels[0])
    repeated = softmax.loss(parameters, np.stack([images[0]] * 3), np.stack([labels[0]] * 3))
    np.testing.assert_allclose(shared, repeated)


def test_ties_go_to_the_lower_class():
    labels = np.array([0, 1, 2])
    assert softmax.correct(np.zeros((2, 5, 4)), np.ones((3, 5)), labels).tolist() == [1, 1]


def test_regression_learns_the_digits():
    train, test = split(0)
    parameters = np.zeros((1, 65, 10))
    images = softmax.with_ones(train.images)
    for _ in range(100):
        softmax.step(parameters, images, train.labels, 0.5)
    assert softmax.correct(parameters, softmax.with_ones(test.images), test.labels)[0] > 320
