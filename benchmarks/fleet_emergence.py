"""What emerges when the fleet learns, over many seeds: print the tables.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.fleet_emergence [first seed] [seeds] [block ...]

Each cell is measured on the stand-in: mean ± standard deviation over the seeds. Differences are
paired by seed, with how many of them are above zero.
"""

from __future__ import annotations

import sys
from typing import Any, Final

import numpy as np

import mission_tui  # noqa: F401  (sets the thread counts before numpy loads)

# isort: split
from engine.models.fleet import MODEL
from engine.numerics.randomness import FloatArray

LINKS: Final = {"reliability": 0.7, "correlated": True}
TEN: Final = {"participation": 10}
HARD: Final = {**TEN, "learning_rate": 0.5}
SILOS: Final = HARD | {
    "clients": 20,
    "participation": 20,
    "examples": 100,
    "batch": 20,
    "rounds": 30,
}
UNLIKE: Final = {**SILOS, "alpha": 0.1}
SHOWN: Final = ("accuracy", "iid_accuracy", "slice_recall", "iid_slice_recall", "jitter")
TARGET: Final = ("rounds_to_target", "iid_rounds_to_target", "rounds_ratio")
SERVED: Final = ("accuracy", "personalised_accuracy", "local_accuracy")
ARRIVED: Final = ("accuracy", "slice_recall", "iid_slice_recall", "link_success", "jitter")


class Seeds:
    """Outcomes of every seed, remembered by setting."""

    def __init__(self, seeds: range) -> None:
        self.seeds = seeds
        self._found: dict[str, dict[str, FloatArray]] = {}

    def at(self, **setting: Any) -> dict[str, FloatArray]:
        """Every metric, one entry a seed."""
        key = repr(sorted(setting.items()))
        if key not in self._found:
            runs = [MODEL.evaluate(setting, seed=seed).metrics for seed in self.seeds]
            self._found[key] = {name: np.array([run[name] for run in runs]) for name in runs[0]}
        return self._found[key]

    def show(self, name: str, metrics: tuple[str, ...], **setting: Any) -> None:
        """Print one row: the metrics at a setting."""
        found = self.at(**setting)
        cells = [f"{found[m].mean():6.1f} ±{found[m].std():4.1f}" for m in metrics]
        print(f"  {name:<32}" + "".join(f"{cell:<16}" for cell in cells), flush=True)


def difference(name: str, found: FloatArray) -> None:
    """Print one paired difference."""
    above = np.count_nonzero(found > 0)
    print(
        f"  {name:<42}{found.mean():6.1f} ±{found.std():4.1f} "
        f"({found.min():.1f}..{found.max():.1f}), {above} of {len(found)} above 0",
        flush=True,
    )


def head(title: str, metrics: tuple[str, ...]) -> None:
    """Print the head of a block."""
    print(f"\n{title}\n  {'':<32}" + "".join(f"{m[:15]:<16}" for m in metrics))


def skew(s: Seeds) -> None:
    """Unlike data slow the fleet down and make it jump."""
    head("how alike, 10 of 100 a round (E 5, lr .1)", SHOWN + TARGET)
    for alpha in (0.05, 0.1, 0.3, 1.0, 100.0):
        s.show(f"alpha {alpha:g}", SHOWN + TARGET, alpha=alpha, **TEN)


def drift(s: Seeds) -> None:
    """Much local work on unlike data costs more than it does on equal data."""
    head("local epochs (lr .5)", SHOWN)
    for name, at in (
        ("10 of 100, alpha .05", {"alpha": 0.05, **HARD}),
        ("silos, alpha .1", UNLIKE),
    ):
        for epochs in (1, 5, 20):
            s.show(f"{name}, E {epochs}", SHOWN, **{**at, "local_epochs": epochs})
        few, many = (s.at(**{**at, "local_epochs": e}) for e in (1, 20))
        lost = few["accuracy"] - many["accuracy"]
        twin = few["iid_accuracy"] - many["iid_accuracy"]
        difference("E 1 over E 20", lost)
        difference("the same, IID twin", twin)
        difference("excess: drift", lost - twin)


def methods(s: Seeds) -> None:
    """SCAFFOLD undoes drift and nothing else; FedProx does little."""
    head("methods (lr .5)", SHOWN)
    for name, at in (
        ("10 of 100, alpha .05", {"alpha": 0.05, **HARD}),
        ("10 of 100, alpha 100", {"alpha": 100.0, **HARD}),
        ("silos, alpha .1", UNLIKE),
        ("silos, alpha 100", {**SILOS, "alpha": 100.0}),
    ):
        for method in ("fedavg", "fedprox", "scaffold"):
            s.show(f"{name}, {method}", SHOWN, method=method, **at)
        plain, twin = (s.at(method="fedavg", **at)[n] for n in ("accuracy", "iid_accuracy"))
        for method in ("fedprox", "scaffold"):
            found = s.at(method=method, **at)
            difference(f"gain of {method} (E 5)", found["accuracy"] - plain)
            difference(f"gain of {method} (E 5), IID twin", found["iid_accuracy"] - twin)


def links(s: Seeds) -> None:
    """Lost updates slow; lost updates of one kind of client take its classes away."""
    for alpha in (0.05, 0.1, 0.2):
        head(f"links, alpha {alpha:g}, 20 of 100 a round (E 5, lr .1)", ARRIVED)
        at: dict[str, Any] = {"alpha": alpha, "participation": 20}
        s.show("all arrive", ARRIVED, **at)
        s.show("7 of 10, all alike", ARRIVED, reliability=0.7, **at)
        for selection in ("random", "reliable", "power-of-choice"):
            s.show(f"worst for 8s, 9s: {selection}", ARRIVED, selection=selection, **at, **LINKS)


def persons(s: Seeds) -> None:
    """Personal or global: it depends on how alike the clients are."""
    head("whose model, 10 of 100 a round (E 5, lr .1)", SERVED)
    for alpha in (0.05, 0.3, 1.0, 100.0):
        s.show(f"alpha {alpha:g}", SERVED, alpha=alpha, **TEN)


def cohorts(s: Seeds) -> None:
    """More clients a round steady the fleet; under a cap they cost rounds."""
    head("clients a round (alpha .05, E 5, lr .1)", SHOWN + TARGET)
    for m in (5, 10, 20, 40):
        s.show(f"{m}, 60 rounds", SHOWN + TARGET, participation=m)
    for m in (5, 10, 20, 40):
        s.show(f"{m}, {600 // m} rounds", SHOWN + TARGET, participation=m, rounds=600 // m)


def silos(s: Seeds) -> None:
    """Twenty silos: few local epochs waste rounds, many drift; SCAFFOLD pays with its bytes."""
    head("20 silos, alpha .1 (lr .5): what equal bytes buy", SHOWN)
    for method, rounds in (("fedavg", 10), ("scaffold", 5), ("fedavg", 30), ("scaffold", 15)):
        for epochs in (1, 2, 5, 10, 20):
            at = {**UNLIKE, "method": method, "local_epochs": epochs, "rounds": rounds}
            s.show(f"{method} E {epochs}, {rounds} rounds", SHOWN, **at)


BLOCKS: Final = {
    block.__name__: block for block in (skew, drift, methods, links, persons, cohorts, silos)
}


def main() -> None:
    """Print the blocks of the seeds asked for."""
    first = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    seeds = Seeds(range(first, first + count))
    print(f"seeds {first}..{first + count - 1}")
    for name in sys.argv[3:] or BLOCKS:
        BLOCKS[name](seeds)


if __name__ == "__main__":
    main()
