"""A mesh of devices that agree by talking to neighbours: graphs, weights, mixing, learning.

Shapes: n nodes; an adjacency or weight matrix is (n, n); models are (n, D, C).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from engine.numerics import softmax
from engine.numerics.digits import CLASSES, PIXELS
from engine.numerics.partition import Clients
from engine.numerics.randomness import FloatArray, IntArray, stream

Topology: TypeAlias = Literal["ring", "grid", "geometric"]
Loss: TypeAlias = Literal["symmetric", "one-way"]
TOPOLOGIES: tuple[Topology, ...] = get_args(Topology)
LOSSES: tuple[Loss, ...] = get_args(Loss)
MOST_NODES = 400
BoolArray: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Who hears whom: ``links`` (n, n), symmetric, nobody itself."""

    links: BoolArray

    @property
    def degrees(self) -> IntArray:
        """Neighbours of each node, (n,)."""
        return np.asarray(self.links.sum(axis=1), dtype=np.int64)


@lru_cache(maxsize=32)
def mesh(topology: Topology, nodes: int, radius: float, seed: int) -> Mesh:
    """Return a mesh of 3…400 ``nodes``.

    A ring; a grid of whole rows, the last filled as far as nodes go; or a random geometric
    graph: nodes anywhere in a unit square, linked up to ``radius`` apart. The places depend on
    ``seed`` alone, so that a larger radius only adds links. Below √(ln n/(π n)) a geometric
    graph is usually disconnected (Gupta and Kumar 1998).
    Raises :class:`ValueError` for another number of nodes, topology or a negative radius.
    """
    if not 3 <= nodes <= MOST_NODES:
        raise ValueError(f"a mesh has 3 to {MOST_NODES} nodes, not {nodes}")
    if not radius >= 0.0:
        raise ValueError(f"a radius is not negative, got {radius}")
    index = np.arange(nodes)
    if topology == "ring":
        apart = np.abs(index[:, None] - index)
        return Mesh((apart == 1) | (apart == nodes - 1))
    if topology == "grid":
        width = int(np.sqrt(nodes))
        steps = np.abs(index[:, None] // width - index // width)
        steps += np.abs(index[:, None] % width - index % width)
        return Mesh(steps == 1)
    if topology == "geometric":
        place = stream(seed, "mesh", "places").random((MOST_NODES, 2))[:nodes]
        apart = np.sqrt(((place[:, None] - place) ** 2).sum(axis=-1))
        return Mesh((apart <= radius) & (index[:, None] != index))
    raise ValueError(f"topologies are {', '.join(TOPOLOGIES)}, not {topology!r}")


def components(mesh: Mesh) -> IntArray:
    """Return (n,): the number of the component that each node belongs to, from 0."""
    label = np.full(len(mesh.links), -1, dtype=np.int64)
    count = 0
    for start in range(len(label)):
        if label[start] >= 0:
            continue
        front = np.zeros(len(label), dtype=np.bool_)
        front[start] = True
        while front.any():
            label[front] = count
            front = mesh.links[front].any(axis=0) & (label < 0)
        count += 1
    return label


def metropolis(mesh: Mesh) -> FloatArray:
    """Return (n, n): W_ij = 1/(1 + max(d_i, d_j)) on links, W_ii what is missing to 1.

    Metropolis weights (Xiao, Boyd and Lall 2005, §4): symmetric, rows and columns sum to 1,
    and a node needs to know its neighbours' degrees alone.
    """
    degrees = mesh.degrees
    weights = mesh.links / (1.0 + np.maximum(degrees[:, None], degrees))
    return np.asarray(weights + np.diag(1.0 - weights.sum(axis=1)))


def modulus(weights: FloatArray) -> float:
    """Return the second-largest |eigenvalue| of symmetric (n, n) ``weights``, at most 1.

    k mixes leave at most its k-th power of the distance to the mean (Boyd, Ghosh, Prabhakar
    and Shah 2006, *Randomized Gossip Algorithms*). It is 1 for a disconnected mesh.
    """
    sizes = np.sort(np.abs(np.linalg.eigvalsh(weights)))
    return min(1.0, float(sizes[-2]))


def lossy(weights: FloatArray, draws: FloatArray, loss: float, kind: Loss) -> FloatArray:
    """Return the weights of one mix in which links fail with probability ``loss``.

    A node that misses a message keeps its own value in its place. ``symmetric``: a link fails
    for both ends, so columns still sum to 1 and the mean stays. ``one-way``: each direction
    fails by itself, and the mean moves. ``draws`` (n, n) are uniform; the upper triangle alone
    decides symmetric failures.
    """
    if loss == 0.0:
        return weights
    if kind == "symmetric":
        draws = np.triu(draws, 1)
        draws = draws + draws.T
    kept = np.where(draws < loss, 0.0, weights)
    np.fill_diagonal(kept, 0.0)
    return np.asarray(kept + np.diag(1.0 - kept.sum(axis=1)))


def agree(
    weights: FloatArray, loss: float, kind: Loss, *, mixes: int, seed: int
) -> tuple[FloatArray, float]:
    """Gossip one number a node, ±1 at first, and return how it went.

    Returns (mixes + 1,), the distance to the mean over the first distance, and how far the
    mean itself moved, in the same unit a node: 0 unless loss is one-way.
    """
    n = len(weights)
    value = np.where(stream(seed, "mesh", "values").random(n) < 0.5, -1.0, 1.0)
    if abs(value.sum()) == n:  # all alike would leave nothing to agree on
        value[0] = -value[0]
    start = value.mean()
    links = stream(seed, "mesh", "agree")
    distances = [float(np.linalg.norm(value - start))]
    for _ in range(mixes):
        value = lossy(weights, links.random((n, n)) if loss else weights, loss, kind) @ value
        distances.append(float(np.linalg.norm(value - value.mean())))
    drift = abs(float(value.mean() - start)) * math.sqrt(n) / distances[0]
    return np.array(distances) / distances[0], drift


@dataclass(frozen=True, slots=True)
class Plan:
    """What a node does in a round: passes over its own examples, then mixes."""

    local_epochs: int
    batch: int
    learning_rate: float
    mixes: int
    loss: float = 0.0
    kind: Loss = "symmetric"


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """Models (n, D, C) after a round: of the mesh, and of the same nodes left alone."""

    mixed: FloatArray
    alone: FloatArray


def learn(clients: Clients, weights: FloatArray, plan: Plan, *, seed: int) -> Iterator[Round]:
    """Decentralised learning, round after round without end: local steps, then mixes.

    Decentralised parallel SGD (Lian et al. 2017) with several steps between mixes. Both twins
    start from zeros and see the same examples in the same order. One matmul is a mix.
    """
    n, examples = clients.labels.shape
    both = np.zeros((2 * n, PIXELS + 1, CLASSES))
    images = np.concatenate([clients.images, clients.images])
    labels = np.concatenate([clients.labels, clients.labels])
    batch = min(plan.batch, examples)
    order, links = stream(seed, "mesh", "order"), stream(seed, "mesh", "links")
    who = np.arange(2 * n)[:, None]
    while True:
        for _ in range(plan.local_epochs):
            turn = np.argsort(order.random((n, examples)), axis=1, kind="stable")
            turn = np.concatenate([turn, turn])
            for first in range(0, examples, batch):
                rows = turn[:, first : first + batch]
                softmax.step(both, images[who, rows], labels[who, rows], plan.learning_rate)
        mixed = both[:n].reshape(n, -1)
        for _ in range(plan.mixes):
            draws = links.random((n, n)) if plan.loss else weights
            mixed = lossy(weights, draws, plan.loss, plan.kind) @ mixed
        both[:n] = mixed.reshape(n, PIXELS + 1, CLASSES)
        yield Round(both[:n].copy(), both[n:].copy())


def disagreement(models: FloatArray) -> float:
    """Return the distance of (n, D, C) models to their mean over the length of the mean.

    Root mean square over nodes; 0 when all are alike, and when all are zero.
    """
    mean = models.mean(axis=0)
    length = float(np.linalg.norm(mean))
    apart = float(np.linalg.norm(models - mean)) / np.sqrt(len(models))
    return apart / length if length > 0.0 else 0.0


def recalls(models: FloatArray, images: FloatArray, labels: IntArray) -> FloatArray:
    """Return (n, C): of each class's ``images`` (t, D), the share that each model gets right."""
    right = softmax.right(models, images, labels)
    members = np.eye(CLASSES)[labels]
    return np.asarray(right @ members / np.maximum(members.sum(axis=0), 1.0))
