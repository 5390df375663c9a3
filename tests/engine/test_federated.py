from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest

from engine.numerics import softmax
from engine.numerics.federated import (
    CANDIDATES,
    PicksDivergedError,
    Plan,
    Round,
    orders,
    rounds,
)
from engine.numerics.partition import Clients, deal, mixes
from engine.numerics.randomness import permutation, stream

K, N, M = 8, 20, 3
SEED = 11


@pytest.fixture(scope="module")
def clients() -> Clients:
    return deal(mixes(K, 0.3, seed=SEED), N, seed=SEED)


def learn(
    clients: Clients, plan: Plan, count: int = 4, reliability: Any = 1.0, **more: Any
) -> list[Round]:
    links = np.broadcast_to(reliability, len(clients.labels))
    found = rounds([clients], plan, links, seed=SEED, **more)
    return [replace(r, controls=r.controls.copy()) for r in islice(found, count)]


def test_one_client_that_always_takes_part_is_plain_sgd(clients: Clients) -> None:
    alone = Clients(clients.images[:1], clients.labels[:1])
    found = learn(alone, Plan(local_epochs=3, participation=1, batch=6), 5)[-1].parameters[0]
    model = np.zeros((65, 10))
    x, y = alone.images[0], alone.labels[0]
    for number in range(5):
        for (turn,) in orders(SEED, number, 3, (1, N), np.array([0])):
            for first in range(0, N, 6):
                b = turn[first : first + 6]
                scores = np.exp(x[b] @ model)
                p = scores / scores.sum(axis=1, keepdims=True)
                model = model - 0.1 * x[b].T @ (p - np.eye(10)[y[b]]) / len(b)
    np.testing.assert_allclose(found, model, atol=1e-12)


@pytest.mark.parametrize("method", ["fedavg", "fedprox", "scaffold"])
def test_one_full_batch_step_of_all_is_gradient_descent_on_the_pool(
    clients: Clients, method: Any
) -> None:
    plan = Plan(method=method, participation=K, batch=N, proximal=0.7)
    found = learn(clients, plan, 6)[-1].parameters
    pooled = np.zeros((1, 65, 10))
    for _ in range(6):
        softmax.step(pooled, clients.images.reshape(-1, 65), clients.labels.ravel(), 0.1)
    np.testing.assert_allclose(found, pooled, atol=1e-12)


def test_fedprox_without_a_pull_is_federated_averaging(clients: Clients) -> None:
    plan = Plan(local_epochs=3, participation=M, batch=7)
    plain, pulled = learn(clients, plan), learn(clients, replace(plan, method="fedprox"))
    np.testing.assert_array_equal(plain[-1].parameters, pulled[-1].parameters)


def test_fedprox_keeps_clients_near_the_global_model(clients: Clients) -> None:
    plan = Plan(method="fedprox", local_epochs=10, participation=M, learning_rate=0.5)
    free, held = (learn(clients, replace(plan, proximal=mu), 1)[0] for mu in (0.0, 1.0))
    assert np.abs(held.parameters).sum() < np.abs(free.parameters).sum()


def test_scaffolds_server_variate_is_the_mean_of_its_clients(clients: Clients) -> None:
    plan = Plan(method="scaffold", local_epochs=2, participation=M, batch=7, learning_rate=0.5)
    for done in learn(clients, plan, 8, 0.6):
        assert np.abs(done.control).sum() > 0
        np.testing.assert_allclose(done.control, done.controls.mean(axis=1), atol=1e-12)


def test_scaffolds_client_variate_is_the_gradient_where_it_began(clients: Clients) -> None:
    """Option II with a single step: c_k = g_k(x), whatever the variates were."""
    plan = Plan(method="scaffold", participation=M, batch=N)
    before, after = learn(clients, plan, 5)[-2:]
    for client in after.cohort:
        own = softmax.gradient(
            before.parameters, clients.images[client][None], clients.labels[client][None]
        )
        np.testing.assert_allclose(after.controls[:, client], own, atol=1e-12)


def test_a_client_whose_update_is_lost_keeps_its_variate(clients: Clients) -> None:
    plan = Plan(method="scaffold", participation=K)
    before, after = learn(clients, plan, 2, 0.5)
    assert 0 < after.delivered.sum() < K
    changed = np.abs(after.controls - before.controls).sum(axis=(0, 2, 3)) > 0
    np.testing.assert_array_equal(changed, after.delivered)


def test_the_average_is_of_the_updates_that_arrived(clients: Clients) -> None:
    links = np.array([1.0, 0.0] * (K // 2))
    found = learn(clients, Plan(participation=K, batch=N), 1, links)[0]
    heard = np.zeros((1, 65, 10))
    softmax.step(heard, clients.images[::2].reshape(-1, 65), clients.labels[::2].ravel(), 0.1)
    np.testing.assert_array_equal(found.delivered, links == 1.0)
    np.testing.assert_allclose(found.parameters, heard, atol=1e-12)


def test_where_nothing_arrives_nothing_is_learnt(clients: Clients) -> None:
    assert not learn(clients, Plan(participation=M), 3, 0.0)[-1].parameters.any()


def test_a_better_link_flips_only_the_losses_that_it_must(clients: Clients) -> None:
    plan = Plan(participation=M)
    for worse, better in zip(
        learn(clients, plan, 20, 0.4), learn(clients, plan, 20, 0.7), strict=True
    ):
        np.testing.assert_array_equal(worse.cohort, better.cohort)
        assert (worse.delivered <= better.delivered).all()


def test_links_come_true_as_often_as_they_should(clients: Clients) -> None:
    plan = Plan(participation=K, batch=N)
    arrived = np.mean([done.delivered for done in learn(clients, plan, 200, 0.7)])
    assert arrived == pytest.approx(0.7, abs=5 * np.sqrt(0.21 / (200 * K)))


def test_preferring_reliable_clients_where_none_is_more_so_changes_nothing(
    clients: Clients,
) -> None:
    plan = Plan(participation=M)
    for a, b in zip(
        learn(clients, plan, 10, 0.7),
        learn(clients, replace(plan, selection="reliable"), 10, 0.7),
        strict=True,
    ):
        np.testing.assert_array_equal(a.cohort, b.cohort)


def test_reliable_clients_are_asked_more_often(clients: Clients) -> None:
    links = np.linspace(0.1, 0.9, K)
    found = learn(clients, Plan(participation=M, selection="reliable"), 60, links)
    asked = np.bincount(np.concatenate([done.cohort for done in found]), minlength=K)
    assert asked[: K // 2].sum() < asked[K // 2 :].sum() / 2


def test_power_of_choice_takes_the_candidates_that_lose_most(clients: Clients) -> None:
    plan = Plan(participation=M, selection="power-of-choice")
    drawing = stream(SEED, "fleet", "selection")
    server = np.zeros((65, 10))
    for done in learn(clients, plan, 8):
        candidates = permutation(drawing, K)[: CANDIDATES * M]
        losses = softmax.loss(server, clients.images, clients.labels)
        left = np.setdiff1d(candidates, done.cohort)
        assert len(left) == CANDIDATES * M - M
        assert losses[done.cohort].min() >= losses[left].max()
        server = done.parameters[0]


def test_recorded_picks_are_followed_while_they_are_among_the_best(clients: Clients) -> None:
    plan = Plan(participation=M, selection="power-of-choice")
    first = learn(clients, plan, 5)
    picks = [int(client) for done in first for client in done.cohort]
    again = learn(clients, plan, 5, follow=picks)
    np.testing.assert_array_equal(first[-1].parameters, again[-1].parameters)
    drawn = permutation(stream(SEED, "fleet", "selection"), K)[: CANDIDATES * M]
    # in round 0 all lose the same, so that any candidate may stand; in round 1 the least does not
    other = np.sort(np.setdiff1d(drawn, first[0].cohort))[:M].tolist()
    assert learn(clients, plan, 1, follow=other)[0].cohort.tolist() == other
    forged = picks[:M] + sorted(set(range(K)) - set(picks[M : 2 * M]))[:M]
    with pytest.raises(PicksDivergedError):
        learn(clients, plan, 2, follow=forged)


def test_neither_cohort_nor_epochs_change_the_order_that_another_has() -> None:
    few = orders(SEED, 2, 1, (K, N), np.array([1, 4]))
    many = orders(SEED, 2, 5, (K, N), np.arange(K))
    np.testing.assert_array_equal(few[0], many[0, [1, 4]])
    assert (np.sort(many, axis=-1) == np.arange(N)).all()


def test_worlds_do_not_touch_each_other(clients: Clients) -> None:
    other = deal(np.full((K, 10), 0.1), N, seed=SEED)
    plan = Plan(method="scaffold", participation=M, local_epochs=2)
    both = list(islice(rounds([clients, other], plan, np.full(K, 0.8), seed=SEED), 4))
    for world, data in enumerate((clients, other)):
        alone = learn(data, plan, 4, 0.8)[-1].parameters[0]
        np.testing.assert_allclose(both[-1].parameters[world], alone, atol=1e-12)


def test_divergence_is_flagged_and_leaves_no_number_that_is_not_finite(clients: Clients) -> None:
    plan = Plan("fedprox", local_epochs=20, participation=M, learning_rate=0.5, proximal=10.0)
    last = learn(clients, plan, 6)[-1]
    assert last.diverged.all()
    assert not last.parameters.any()
    assert not learn(clients, replace(plan, proximal=0.5), 6)[-1].diverged.any()
