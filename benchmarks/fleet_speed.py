"""Milliseconds of the recommended fleet run, and how often a loop over clients fits into it.

The loops do the run's own work: the same rounds, clients, batches and steps, of the run and of
its twin. The deep-learning one is measured where its framework is installed, over fewer rounds.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

import mission_tui  # noqa: F401  (sets the thread counts before numpy loads)

# isort: split
from benchmarks.result import Row, median
from engine.models.fleet import MODEL
from engine.numerics.digits import CLASSES
from engine.numerics.federated import Plan, orders, rounds
from engine.numerics.partition import Clients, deal, mixes, shuffled
from engine.numerics.randomness import FloatArray, permutation, stream

SEED: Final = 1
ROUNDS: Final = 60
REPEATS: Final = 3
TORCH_ROUNDS: Final = 3
FIRST: Final = 100.0  # ms
WHOLE: Final = 1000.0  # ms
CLIENTS: Final = 100
EXAMPLES: Final = 60
PLAN: Final = Plan(local_epochs=5, participation=20, batch=10, learning_rate=0.1)

Learn = Callable[[Sequence[Clients], int], FloatArray]


def measure() -> list[Row]:
    """The whole run, its first frames, and both ratios."""
    MODEL.evaluate({"rounds": 1}, seed=SEED)  # the digits are loaded once a process
    whole: list[float] = []
    first: list[float] = []
    second: list[float] = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        frames = MODEL.stream({}, seed=SEED)
        for number, _outcome in enumerate(frames):
            if number < 2:
                (first, second)[number].append(1e3 * (time.perf_counter() - begun))
        whole.append(1e3 * (time.perf_counter() - begun))
    own = deal(mixes(CLIENTS, 0.05, seed=SEED), EXAMPLES, seed=SEED)
    worlds = [own, shuffled(own, seed=SEED)]
    batched, looped = [], []
    for _ in range(REPEATS):
        took, ours = _timed(_batched, worlds, ROUNDS)
        batched.append(took)
        took, theirs = _timed(_looped, worlds, ROUNDS)
        looped.append(took)
    assert np.allclose(ours, theirs, rtol=1e-9, atol=1e-9), "the loop does other work"
    rows = [
        Row(f"fleet: {ROUNDS} rounds and their twin", median(whole), "ms", WHOLE, "as streamed"),
        Row("fleet: first frame", median(first), "ms", FIRST, "before the first round"),
        Row("fleet: frame of the first round", median(second), "ms", FIRST),
        _ratio("a loop over clients, numpy float64", median(looped) / median(batched), 4),
    ]
    if importlib.util.find_spec("torch") is None:
        print("(torch is not installed: no ratio to it)", end=" ", file=sys.stderr)
        return rows
    took, _ = _timed(_framework, worlds, TORCH_ROUNDS)
    ratio = took / TORCH_ROUNDS / (median(batched) / ROUNDS)
    return [*rows, _ratio("a loop over clients, torch", ratio, 30)]


def _ratio(what: str, ratio: float, least: float) -> Row:
    """A row whose budget is on the inverse, since budgets are the most that may be."""
    note = f"{ratio:.1f} times as long; {least:g} times is wanted"
    return Row(f"fleet: batched, over {what}", 1 / ratio, "×", 1 / least, note)


def _timed(learn: Learn, worlds: Sequence[Clients], many: int) -> tuple[float, FloatArray]:
    begun = time.perf_counter()
    found = learn(worlds, many)
    return time.perf_counter() - begun, found


def _batched(worlds: Sequence[Clients], many: int) -> FloatArray:
    learning = rounds(worlds, PLAN, np.ones(CLIENTS), seed=SEED)
    for _ in range(many - 1):
        next(learning)
    return next(learning).parameters


def _cohorts(worlds: Sequence[Clients], many: int) -> list[Any]:
    """The clients and orders of each round, as :func:`rounds` draws them."""
    selecting = stream(SEED, "fleet", "selection")
    drawn = []
    for number in range(many):
        cohort = np.sort(permutation(selecting, CLIENTS)[: PLAN.participation])
        order = orders(SEED, number, PLAN.local_epochs, worlds[0].labels.shape, cohort)
        drawn.append((cohort, order))
    return drawn


def _looped(worlds: Sequence[Clients], many: int) -> FloatArray:
    """One client after the other, as one would first write it."""
    targets = np.eye(CLASSES)
    found = []
    cohorts = _cohorts(worlds, many)
    for clients in worlds:
        server = np.zeros((clients.images.shape[2], CLASSES))
        for cohort, order in cohorts:
            total = np.zeros_like(server)
            for place, client in enumerate(cohort):
                model = server.copy()
                images, wanted = clients.images[client], targets[clients.labels[client]]
                for epoch in range(PLAN.local_epochs):
                    turn = order[epoch, place]
                    for first in range(0, EXAMPLES, PLAN.batch):
                        batch = turn[first : first + PLAN.batch]
                        x, y = images[batch], wanted[batch]
                        scores = x @ model
                        p = np.exp(scores - scores.max(axis=1, keepdims=True))
                        p /= p.sum(axis=1, keepdims=True)
                        model -= PLAN.learning_rate * (x.T @ (p - y)) / len(batch)
                total += model
            server = total / len(cohort)
        found.append(server)
    return np.stack(found)


def _framework(worlds: Sequence[Clients], many: int) -> FloatArray:
    """One client after the other with a module, an optimizer and automatic gradients."""
    import torch  # type: ignore[import-not-found, unused-ignore]

    torch.set_num_threads(1)
    found = []
    cohorts = _cohorts(worlds, many)
    for clients in worlds:
        images = torch.tensor(clients.images)
        labels = torch.tensor(clients.labels)
        server = torch.zeros(CLASSES, images.shape[2], dtype=torch.float64)
        for cohort, order in cohorts:
            total = torch.zeros_like(server)
            for place, client in enumerate(cohort):
                model = torch.nn.Linear(images.shape[2], CLASSES, bias=False, dtype=torch.float64)
                with torch.no_grad():
                    model.weight.copy_(server)
                optimizer = torch.optim.SGD(model.parameters(), lr=PLAN.learning_rate)
                for turn in torch.tensor(order[:, place]):
                    for batch in turn.split(PLAN.batch):
                        optimizer.zero_grad()
                        scores = model(images[client, batch])
                        loss = torch.nn.functional.cross_entropy(scores, labels[client, batch])
                        loss.backward()
                        optimizer.step()
                total += model.weight.detach()
            server = total / len(cohort)
        found.append(server.T.numpy())
    return np.stack(found)


if __name__ == "__main__":
    for row in measure():
        print(f"{row.what:<50} {row.measured:10.3f} {row.unit:<3} {row.note}")
