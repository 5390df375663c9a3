"""Federated learning of a softmax regression, all clients of a round in one matmul.

Federated averaging is Algorithm 1 of McMahan et al. 2017; FedProx adds μ(y - x) to the
client's gradient (Li et al. 2020, eq. 2); SCAFFOLD is Algorithm 1 of Karimireddy et al. 2020
with option II and a global step of 1. Power-of-choice (Cho, Wang and Joshi 2020) asks twice as
many candidates as it needs for their loss and keeps those that lose most.

Several *worlds* learn side by side: the same cohorts, links and orders of examples on other
data, so that what differs between them is due to the data alone. Shapes: W worlds, K clients,
m a round, n examples each, D inputs, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

import numpy as np

from engine.numerics import softmax
from engine.numerics.digits import CLASSES
from engine.numerics.partition import Clients
from engine.numerics.randomness import FloatArray, IntArray, permutation, stream

Method: TypeAlias = Literal["fedavg", "fedprox", "scaffold"]
Selection: TypeAlias = Literal["random", "reliable", "power-of-choice"]
METHODS: tuple[Method, ...] = get_args(Method)
SELECTIONS: tuple[Selection, ...] = get_args(Selection)

CANDIDATES: Final = 2
"""Candidates asked for each client that a round needs, where selection has a preference."""

PICK_TOLERANCE: Final = 1e-6
"""Nats by which a recorded pick's loss may miss the best and still be followed."""

LARGEST: Final = 1e3
"""Parameters beyond this (those that fit digits stay below 30) have diverged."""


class PicksDivergedError(ValueError):
    """Recorded picks are not what power-of-choice would have chosen, within tolerance."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the fleet learns; ``batch`` is at most n, ``participation`` at most K."""

    method: Method = "fedavg"
    selection: Selection = "random"
    local_epochs: int = 1
    participation: int = 10
    batch: int = 10
    learning_rate: float = 0.1
    proximal: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """What one round left behind.

    Attributes:
        parameters: (W, D, C), the global model of each world; zeros once it has diverged.
        cohort: (m,), the clients that trained, in rising order.
        delivered: (m,), whose update arrived.
        diverged: (W,), which worlds have diverged, in this round or before.
        control: (W, D, C), SCAFFOLD's server control variate; zeros for the other methods.
        controls: (W, K, D, C), the clients'.
    """

    parameters: FloatArray
    cohort: IntArray
    delivered: np.ndarray[tuple[int], np.dtype[np.bool_]]
    diverged: np.ndarray[tuple[int], np.dtype[np.bool_]]
    control: FloatArray
    controls: FloatArray


def rounds(
    worlds: Sequence[Clients],
    plan: Plan,
    reliability: FloatArray,
    *,
    seed: int,
    follow: Sequence[int] = (),
) -> Iterator[Round]:
    """Learn round after round, without end; every world starts from zeros.

    ``reliability`` (K,) is the probability that a client's update arrives. Power-of-choice goes
    by the losses of the first world; ``follow`` holds its recorded picks, m a round, and is
    obeyed as far as it reaches. Raises :class:`PicksDivergedError` where it can't be.
    """
    images = np.stack([clients.images for clients in worlds])
    labels = np.stack([clients.labels for clients in worlds])
    count, size, n, inputs = images.shape
    m = plan.participation
    server = np.zeros((count, inputs, CLASSES))
    control, controls = np.zeros_like(server), np.zeros((count, size, inputs, CLASSES))
    diverged = np.zeros(count, dtype=np.bool_)
    for number, (candidates, arrives) in enumerate(calls(reliability, seed=seed)):
        recorded = np.asarray(follow[number * m : (number + 1) * m], dtype=np.int64)
        cohort = _cohort(plan, candidates, reliability, server[0], worlds[0], recorded)
        delivered = arrives[cohort]
        order = orders(seed, number, plan.local_epochs, (size, n), cohort)
        variates = controls[:, cohort]
        with np.errstate(over="ignore", invalid="ignore"):
            local = train(
                np.repeat(server[:, None], m, axis=1),
                images[:, cohort],
                labels[:, cohort],
                order,
                plan,
                control[:, None] - variates if plan.method == "scaffold" else None,
            )
            if delivered.any():
                moved = local[:, delivered]
                if plan.method == "scaffold":
                    steps = plan.local_epochs * steps_a_pass(n, plan.batch)
                    gone = server[:, None] - moved
                    change = gone / (steps * plan.learning_rate) - control[:, None]
                    controls[:, cohort[delivered]] += change
                    control = control + change.sum(axis=1) / size
                server = moved.mean(axis=1)
            broken = ~(np.abs(server).max(axis=(1, 2)) <= LARGEST)  # which NaN is too
        diverged = diverged | broken
        for state in (server, control, controls):
            state[diverged] = 0.0
        yield Round(server.copy(), cohort, delivered, diverged, control.copy(), controls)


def calls(
    reliability: FloatArray, *, seed: int
) -> Iterator[tuple[IntArray, np.ndarray[tuple[int], np.dtype[np.bool_]]]]:
    """Return each round's random order of the clients (K,), and whose update would arrive (K,)."""
    selecting, linking = stream(seed, "fleet", "selection"), stream(seed, "fleet", "links")
    while True:
        order = permutation(selecting, len(reliability))
        yield order, linking.random(len(reliability)) < reliability


def unseen(plan: Plan, order: IntArray, reliability: FloatArray) -> IntArray:
    """Return (m,): who trains where nobody's loss is looked at, in rising order.

    Raises ValueError for power-of-choice, which looks.
    """
    if plan.selection == "random":
        return np.sort(order[: plan.participation])
    if plan.selection != "reliable":
        raise ValueError(f"{plan.selection} looks at losses")
    candidates = order[: CANDIDATES * plan.participation]
    best = np.argsort(-reliability[candidates], kind="stable")
    return np.sort(candidates[best[: plan.participation]])


def train(
    start: FloatArray,
    images: FloatArray,
    labels: IntArray,
    order: IntArray,
    plan: Plan,
    correction: FloatArray | None = None,
) -> FloatArray:
    """Return (W, m, D, C): each client's model after its local epochs from ``start``.

    ``images`` are (W, m, n, D), ``labels`` (W, m, n), ``order`` (E, m, n) the order in which
    each epoch goes through them, alike in every world. ``correction`` (W, m, D, C) is
    SCAFFOLD's c - cᵢ, added to every gradient.
    """
    shape = start.shape
    learners = shape[0] * shape[1]
    anchor = start.reshape(learners, *shape[2:])
    model = anchor.copy()
    n, inputs = images.shape[2:]
    every, begin = images.reshape(-1, inputs), np.arange(0, learners * n, n)[:, None]
    turns = np.tile(order, (1, shape[0], 1)) + begin
    names = labels.reshape(-1)[turns]
    room = np.empty(learners * min(n, plan.batch) * inputs)  # reused: fresh pages are dear
    rate = plan.learning_rate
    drift = None if correction is None else rate * correction.reshape(model.shape)
    for turn, named in zip(turns, names, strict=True):
        for first in range(0, n, plan.batch):
            batch = turn[:, first : first + plan.batch]
            shown = room[: batch.size * inputs].reshape(*batch.shape, inputs)
            np.take(every, batch, axis=0, out=shown, mode="clip")
            pull = model - anchor if plan.method == "fedprox" else None
            softmax.step(model, shown, named[:, first : first + plan.batch], rate)
            if pull is not None:
                model -= (rate * plan.proximal) * pull
            if drift is not None:
                model -= drift
    return model.reshape(shape)


def orders(
    seed: int, number: int | str, epochs: int, shape: tuple[int, int], cohort: IntArray
) -> IntArray:
    """Return (E, m, n): in which order each of ``cohort`` takes its examples in each epoch.

    ``shape`` is (K, n). Drawn for all clients and epoch by epoch, so that neither the cohort nor
    the number of epochs changes the order that another has.
    """
    draws = stream(seed, "fleet", "order", number).random((epochs, *shape))
    return np.argsort(draws[:, cohort], axis=-1, kind="stable").astype(np.int64)


def steps_a_pass(n: int, batch: int) -> int:
    """Return how many steps a pass over ``n`` examples takes; the last may be a smaller batch."""
    return -(-n // batch)


def _cohort(
    plan: Plan,
    order: IntArray,
    reliability: FloatArray,
    server: FloatArray,
    clients: Clients,
    recorded: IntArray,
) -> IntArray:
    """Return (m,): who trains, in rising order; ties go to the earlier in the random ``order``."""
    if plan.selection != "power-of-choice":
        return unseen(plan, order, reliability)
    m = plan.participation
    candidates = order[: CANDIDATES * m]
    losses = softmax.loss(server, clients.images[candidates], clients.labels[candidates])
    best = np.argsort(-losses, kind="stable")[:m]
    if not len(recorded):
        return np.sort(candidates[best])
    chosen = np.isin(candidates, recorded)
    worst = losses[best[-1]]
    if chosen.sum() != m or np.any(losses[chosen] < worst - PICK_TOLERANCE):
        raise PicksDivergedError(f"recorded picks {recorded.tolist()} are not among the best")
    return np.sort(recorded)
