"""User-level private federated averaging: the mechanism that the accountant accounts for.

McMahan, Ramage, Talwar and Zhang 2018, *Learning Differentially Private Recurrent Language
Models*, algorithm 1: each round every client takes part with probability q by itself (Poisson
sampling), walks some epochs on its own examples, and its update is scaled to a norm of at most
C. The sum gets Gaussian noise and is divided by the *fixed* qK, never by how many came: so one
client moves the sum by at most C, whoever else took part.

``central``: the server adds noise of z·C once to the sum. ``local``: every client adds noise of
z·C to its own update, so that the sum of M has √M times as much.

Shapes: K clients, m of them in a round, n examples each, D inputs, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from engine.numerics import softmax
from engine.numerics.digits import CLASSES, PIXELS
from engine.numerics.partition import Clients
from engine.numerics.randomness import FloatArray, normals, stream

Aggregation: TypeAlias = Literal["central", "local"]
AGGREGATIONS: tuple[Aggregation, ...] = get_args(Aggregation)

PARAMETERS = (PIXELS + 1) * CLASSES


@dataclass(frozen=True, slots=True)
class Plan:
    """How a private fleet learns.

    Attributes:
        sampling: chance q that a client takes part in a round.
        clip: largest norm C of an update.
        noise: noise multiplier z, of the clip norm; 0 for none.
        aggregation: who adds the noise.
        local_epochs: passes of a client over its examples.
        batch: examples a step.
        learning_rate: of a local step.
    """

    sampling: float
    clip: float
    noise: float
    aggregation: Aggregation = "central"
    local_epochs: int = 5
    batch: int = 10
    learning_rate: float = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """What a round left behind.

    Attributes:
        parameters: (2, D, C), the private model and its noise-free twin.
        cohort: how many clients took part.
        norm: median norm of the private model's updates before clipping; 0 if nobody came.
        clipped: share of them that was longer than the clip norm.
        signal: norm of the mean clipped update, as it enters the model (over qK).
        noise: norm of the noise, as it enters the model.
    """

    parameters: FloatArray
    cohort: int
    norm: float
    clipped: float
    signal: float
    noise: float


def learn(clients: Clients, plan: Plan, *, seed: int) -> Iterator[Round]:
    """Learn round after round, without end, from zeros.

    The twin has the same cohorts, orders of examples and clipping, and no noise.
    """
    size = len(clients.labels)
    model = np.zeros((2, PIXELS + 1, CLASSES))
    joining, noising = stream(seed, "private", "cohort"), stream(seed, "private", "noise")
    number = 0
    while True:
        cohort = np.flatnonzero(joining.random(size) < plan.sampling)
        m, number = len(cohort), number + 1
        if m:
            updates = _updates(clients, cohort, model, plan, seed, number)
            norms = np.sqrt((updates**2).sum(axis=(2, 3)))
            updates *= np.minimum(1.0, plan.clip / np.maximum(norms, 1e-300))[..., None, None]
            sums = updates.sum(axis=1)
        else:
            norms, sums = np.zeros((2, 1)), np.zeros_like(model)
        draws = normals(noising, model.shape[1:])
        voices = m if plan.aggregation == "local" else 1
        # The sum of m independent local noises is one normal of √m times their deviation.
        noise = plan.noise * plan.clip * np.sqrt(voices) * draws
        expected = plan.sampling * size
        model = model + sums / expected
        model[0] += noise / expected
        yield Round(
            model.copy(),
            m,
            float(np.median(norms[0])),
            float(np.mean(norms[0] > plan.clip)),
            float(np.linalg.norm(sums[0])) / expected,
            float(np.linalg.norm(noise)) / expected,
        )


def _updates(
    clients: Clients, cohort: np.ndarray, model: FloatArray, plan: Plan, seed: int, number: int
) -> FloatArray:
    """Return (2, m, D, C): how each client of the cohort moves the private model and the twin."""
    m, n = len(cohort), clients.labels.shape[1]
    images = np.concatenate([clients.images[cohort]] * 2)
    labels = np.concatenate([clients.labels[cohort]] * 2)
    start = np.repeat(model, m, axis=0)
    local = start.copy()
    orders = stream(seed, "private", "order", number)
    who = np.arange(2 * m)[:, None]
    for _ in range(plan.local_epochs):
        turn = np.argsort(orders.random((m, n)), axis=1, kind="stable")
        turn = np.concatenate([turn, turn])
        for first in range(0, n, plan.batch):
            rows = turn[:, first : first + plan.batch]
            softmax.step(local, images[who, rows], labels[who, rows], plan.learning_rate)
    return np.asarray(local - start).reshape(2, m, PIXELS + 1, CLASSES)


def signal_to_noise(cohort: float, noise: float, parameters: float) -> float:
    """Return the bound M/(z√d): the longest sum of M clipped updates over the noise's length.

    M updates of norm at most C sum to at most MC; noise of deviation zC in each of d parameters
    has length zC√d. Below about 1 nothing that was learnt can be seen in a round.
    Raises :class:`ValueError` unless all are above 0.
    """
    if not (cohort > 0.0 and noise > 0.0 and parameters > 0.0):
        raise ValueError(f"all are above 0, got {cohort}, {noise}, {parameters}")
    return float(cohort / (noise * np.sqrt(parameters)))
