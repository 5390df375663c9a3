"""Learning on a mesh without a server: neighbours mix their models, or nobody does.

Two scales, never blurred. Bytes, joules and power are exact accounting of broadcasts of the
true update on the simulated mesh (up to 400 nodes; nothing here is scaled to more, since a
random mesh does not scale by a formula). Accuracies are a real decentralised learning of
softmax regressions on digits, one a node: *measured on the stand-in*.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np

from engine.contract import Control, Mechanism, Metric, Outcome, Series, Setting, Terms, complete
from engine.numerics import mesh
from engine.numerics.digits import TEST
from engine.numerics.partition import Clients, deal, held_out, mixes
from engine.numerics.randomness import permutation, stream
from engine.remembered import Remembered
from engine.switching import switched

NEVER: Final = 1e6
"""Mixes to halve a disagreement that never halves: outcomes hold finite numbers."""

_RADIO: Final = ("electronics", "amplifier", "receiving")
_LEARNING: Final = ("data", "local_work", "mesh", "mixing", "links")
_MOVED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "data": ("alpha", "examples"),
    "mesh": ("topology", "nodes", "radio_range", "side"),
    "links": ("link_loss", "loss_kind"),
    "local_work": ("local_epochs", "batch", "learning_rate", "rounds"),
    "mixing": ("mixes",),
}
"""Which controls each term of a measured change belongs to, in the order they are switched."""

_MEASURED: Final = ("accuracy", "accuracy_own", "gain", "gain_own", "disagreement")
_POINT: Final = 100 / TEST
_GOSSIP_MIXES: Final = 40
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class _Radio:
    """Means over nodes: joules a round by part, bytes broadcast a round, neighbours."""

    parts: Mapping[str, float]
    sent: float
    degree: float

    def metrics(self, rounds: int) -> dict[str, float]:
        """Bytes after so many rounds."""
        return {
            "sent_bytes": rounds * self.sent,
            "received_bytes": rounds * self.sent * self.degree,
        }


class Gossip:
    """Decentralised learning on a ring, a grid or a random geometric mesh."""

    name = "gossip"
    version = 1
    summary = "A mesh that learns by mixing neighbours' models, against every node alone."
    formula = (
        "x_i ← Σ_j W_ij x_j    W_ij = 1/(1 + max(d_i, d_j)) on links\n"
        "disagreement after k mixes ≤ |λ|^k     mixes to halve it = ln 2 / -ln |λ|\n"
        "ring: λ = 1 - ⅔(1 - cos 2π/n)\n"
        "E a node, round = mixes · bits · (e_elec + e_amp · range² + degree · e_elec)"
    )
    sources = (
        "Xiao, Boyd and Lall 2005, A Scheme for Robust Distributed Sensor Fusion (IPSN), §4",
        "Boyd, Ghosh, Prabhakar and Shah 2006, Randomized Gossip Algorithms",
        "Lian et al. 2017, Can Decentralized Algorithms Outperform Centralized Algorithms?",
        "Gupta and Kumar 1998, Critical Power for Asymptotic Connectivity",
        "Heinzelman et al. 2000, Energy-Efficient Communication Protocol for Wireless "
        "Microsensor Networks: first-order radio model; its values are scenario values",
    )
    controls = (
        Control("topology", "", "choice", "of the mesh", "geometric", choices=mesh.TOPOLOGIES),
        Control("nodes", "", "integer", "devices simulated", 100, 9, mesh.MOST_NODES, 10),
        Control("radio_range", "m", "number", "reach of a broadcast", 18.0, 1.0, 100.0),
        Control("side", "m", "number", "of the square they stand in", 100.0, 10.0, 1000.0, 10.0),
        Control("mixes", "", "integer", "mixes a round; 0 is local-only", 2, 0, 32),
        Control("rounds", "", "integer", "rounds of local work and mixing", 30, 1, 100),
        Control("local_epochs", "passes", "integer", "over own examples, a round", 3, 1, 20),
        Control("batch", "samples", "integer", "a local step", 10, 1, 100),
        Control("learning_rate", "", "number", "of a local step", 0.3, 0.01, 1.0, 1.25, "log"),
        Control("alpha", "", "number", "Dirichlet, a class", 0.3, 0.02, 100.0, 1.5, "log"),
        Control("examples", "samples", "integer", "a node has", 20, 5, 100, 5),
        Control("link_loss", "", "number", "chance that a link fails", 0.0, 0.0, 0.95, 0.05),
        Control("loss_kind", "", "choice", "how links fail", "symmetric", choices=mesh.LOSSES),
        Control(
            "update_bytes", "B", "number", "one broadcast, true size", 5424.0, 1.0, 1e9, 2.0, "log"
        ),
        Control("electronics", "nJ", "number", "a bit sent or received", 50.0, 0.1, 1e4, 5.0),
        Control("amplifier", "pJ", "number", "a bit and m² of reach", 100.0, 0.0, 1e5, 10.0),
        Control("rounds_a_day", "", "number", "how often a round is held", 1.0, 0.01, 1e3, 1.0),
    )
    metrics = (
        Metric(
            "accuracy",
            "%",
            "higher",
            "all digits, mean of nodes, measured on the stand-in",
            False,
            _POINT,
            _LEARNING,
        ),
        Metric(
            "accuracy_own",
            "%",
            "higher",
            "each node's own mix of digits, measured on the stand-in",
            False,
            _POINT,
            _LEARNING,
        ),
        Metric("local_only", "%", None, "all digits, nobody mixing, stand-in", False, _POINT),
        Metric("local_only_own", "%", None, "own mix, nobody mixing, stand-in", False, _POINT),
        Metric(
            "gain", "points", "higher", "over local-only, stand-in", False, 2 * _POINT, _LEARNING
        ),
        Metric("gain_own", "points", "higher", "own mix, stand-in", False, 2 * _POINT, _LEARNING),
        Metric(
            "disagreement",
            "%",
            "lower",
            "distance of the models to their mean, over its length, on the stand-in",
            False,
            1e-6,
            _LEARNING,
        ),
        Metric("components", "islands", "lower", "parts of the mesh; 1 is connected", True),
        Metric("largest", "%", "higher", "nodes in the largest part", True),
        Metric("degree", "", None, "neighbours, mean of nodes", True),
        Metric("modulus", "", "lower", "|λ|: what one lossless mix leaves, at most", True),
        Metric("halving_mixes", "", "lower", "to halve disagreement; 10^6 is never", True),
        Metric("mean_drift", "%", "lower", "how far lossy gossip moves the mean", True, 1e-9),
        Metric("sent_bytes", "B", "lower", "broadcast by a node in all rounds", True),
        Metric("received_bytes", "B", "lower", "heard by a node in all rounds, mean", True),
        Metric("joules", "J", "lower", "radio, a node and round, mean", True, 0.0, _RADIO),
        Metric("power", "W", "lower", "radio, a node, over a day", True, 0.0, _RADIO),
    )
    series = (
        Series("learning", "%", "accuracy a round, on the stand-in", (), False, _POINT),
        Series("learning_alone", "%", "local-only a round, on the stand-in", (), False, _POINT),
        Series("disagreements", "%", "a round, on the stand-in", (), False, 1e-6),
        Series("sent", "B", "broadcast by a node until each round"),
        Series("gossip_error", "", "distance to the mean, a mix, numbers alone", (), True, 1e-9),
        Series("gossip_bound", "", "|λ|^k: its bound without loss", (), True, 1e-9),
        Series("energy", "J", "radio of a node and round", _RADIO),
    )
    mechanisms = (
        Mechanism("data", "how alike the nodes' data are, and how much there is"),
        Mechanism("local_work", "how far each node walks alone between mixes"),
        Mechanism("mesh", "who hears whom: reach, density, parts that never meet"),
        Mechanism("mixing", "how often neighbours average"),
        Mechanism("links", "messages that do not arrive"),
        Mechanism("electronics", "sending a bit, however near"),
        Mechanism("amplifier", "reaching far: the square of the range"),
        Mechanism("receiving", "hearing every neighbour"),
    )

    def evaluate(self, setting: Setting, *, seed: int) -> Outcome:
        """Mesh, radio and learning at ``setting``. Raises SettingError at the border."""
        asked = complete(self.controls, setting)
        *_, last = _frames(asked, seed, every=False)
        return last

    def stream(self, setting: Setting, *, seed: int) -> Iterator[Outcome]:
        """One outcome a round, all metrics in each; energies and graph don't change."""
        yield from _frames(complete(self.controls, setting), seed, every=True)

    def accounts(self, setting: Setting, *, seed: int) -> Mapping[str, float]:
        """The metrics of the mesh and its radio, which need no learning: as :meth:`evaluate`'s."""
        asked = complete(self.controls, setting)
        graph, _, radio = _graph(asked, _mesh(asked, seed), seed)
        return graph | radio.metrics(asked["rounds"])

    def explain(self, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
        """Split a change of ``joules`` or ``power`` (sums) or of what is measured (switching).

        What is measured is no sum: its terms are what it does when the groups of controls are
        switched over one after the other, each step measured.
        Raises SettingError at the border, ValueError for a metric without terms.
        """
        first, second = complete(self.controls, before), complete(self.controls, after)
        if metric in ("joules", "power"):
            old, new = (
                {
                    part: joules * (asked["rounds_a_day"] / _DAY if metric == "power" else 1.0)
                    for part, joules in _radio(asked, _mesh(asked, seed)).parts.items()
                }
                for asked in (first, second)
            )
            terms = {part: new[part] - old[part] for part in _RADIO}
            return Terms(metric, sum(old.values()), sum(new.values()), terms)
        if metric not in _MEASURED:
            raise ValueError(
                f"{metric} has no terms; explain joules, power, {', '.join(_MEASURED)}"
            )
        found = switched(
            metric, lambda asked: _measured(metric, asked, seed), first, second, _MOVED_BY
        )
        return replace(found, terms={term: found.terms[term] for term in _LEARNING})


def _measured(metric: str, asked: Mapping[str, Any], seed: int) -> float:
    *_, last = _frames(asked, seed, every=False)
    return last.metrics[metric]


def _mesh(asked: Mapping[str, Any], seed: int) -> mesh.Mesh:
    radius = asked["radio_range"] / asked["side"]
    return mesh.mesh(asked["topology"], asked["nodes"], radius, seed)


def _radio(asked: Mapping[str, Any], found: mesh.Mesh) -> _Radio:
    degree = float(found.degrees.mean())
    bits = 8.0 * asked["update_bytes"] * asked["mixes"]
    parts = {
        "electronics": bits * 1e-9 * asked["electronics"],
        "amplifier": bits * 1e-12 * asked["amplifier"] * asked["radio_range"] ** 2,
        "receiving": bits * 1e-9 * asked["electronics"] * degree,
    }
    return _Radio(parts, asked["update_bytes"] * asked["mixes"], degree)


def _frames(asked: Mapping[str, Any], seed: int, *, every: bool) -> Iterator[Outcome]:
    """Yield an outcome a round, or the last one alone."""
    graph, fixed, radio = _graph(asked, _mesh(asked, seed), seed)
    plan = mesh.Plan(
        asked["local_epochs"],
        asked["batch"],
        asked["learning_rate"],
        asked["mixes"],
        asked["link_loss"],
        asked["loss_kind"],
    )
    curves: dict[str, list[float]] = {"learning": [], "learning_alone": [], "disagreements": []}
    where = (asked["topology"], asked["radio_range"] / asked["side"])
    learning = _learning(asked["nodes"], asked["alpha"], asked["examples"], plan, where, seed)
    for number, scores in zip(range(1, asked["rounds"] + 1), learning, strict=False):
        curves["learning"].append(scores["accuracy"])
        curves["learning_alone"].append(scores["local_only"])
        curves["disagreements"].append(scores["disagreement"])
        if every or number == asked["rounds"]:
            sent = radio.metrics(number)
            growing = {name: tuple(values) for name, values in curves.items()}
            growing["sent"] = tuple(radio.sent * round_ for round_ in range(1, number + 1))
            rounds = (number, asked["rounds"])
            yield Outcome({**scores, **graph, **sent}, growing | fixed, rounds=rounds)


def _graph(
    asked: Mapping[str, Any], found: mesh.Mesh, seed: int
) -> tuple[dict[str, float], dict[str, tuple[float, ...]], _Radio]:
    """What is accounted of the mesh: metrics, curves, and its radio."""
    weights = mesh.metropolis(found)
    parts = mesh.components(found)
    modulus = mesh.modulus(weights) if parts.max() == 0 else 1.0
    rate = -math.log(modulus) if modulus > 0.0 else math.inf
    error, drift = mesh.agree(
        weights, asked["link_loss"], asked["loss_kind"], mixes=_GOSSIP_MIXES, seed=seed
    )
    radio = _radio(asked, found)
    joules = sum(radio.parts.values())
    graph = {
        "components": float(parts.max() + 1),
        "largest": 100.0 * np.bincount(parts).max() / len(parts),
        "degree": radio.degree,
        "modulus": modulus,
        "halving_mixes": min(NEVER, math.log(2.0) / rate) if rate > 0.0 else NEVER,
        "mean_drift": 100.0 * drift,
        "joules": joules,
        "power": joules * asked["rounds_a_day"] / _DAY,
    }
    fixed = {
        "gossip_error": tuple(error.tolist()),
        "gossip_bound": tuple(modulus**k for k in range(_GOSSIP_MIXES + 1)),
        "energy": tuple(radio.parts[part] for part in _RADIO),
    }
    return graph, fixed, radio


@lru_cache(maxsize=64)
def _learning(
    nodes: int,
    alpha: float,
    examples: int,
    plan: mesh.Plan,
    where: tuple[mesh.Topology, float],
    seed: int,
) -> Remembered[Mapping[str, float]]:
    """What is measured after each round, which neither the radio nor its bytes have a part in."""
    return Remembered(_learn(nodes, alpha, examples, plan, where, seed))


def _learn(
    nodes: int,
    alpha: float,
    examples: int,
    plan: mesh.Plan,
    where: tuple[mesh.Topology, float],
    seed: int,
) -> Iterator[Mapping[str, float]]:
    topology, radius = where
    weights = mesh.metropolis(mesh.mesh(topology, nodes, radius, seed))
    # Clients that follow each other complete each other's classes: as neighbours they must not.
    places = permutation(stream(seed, "mesh", "who"), nodes)
    clients = deal(mixes(nodes, alpha, seed=seed)[places], examples, seed=seed)
    for now in mesh.learn(clients, weights, plan, seed=seed):
        yield _scores(clients, now, seed)


def _scores(clients: Clients, now: mesh.Round, seed: int) -> dict[str, float]:
    images, labels = held_out(seed)
    shares = clients.shares()
    common = np.bincount(labels, minlength=shares.shape[1]) / len(labels)
    scores: dict[str, float] = {}
    for name, models in (("accuracy", now.mixed), ("local_only", now.alone)):
        recall = mesh.recalls(models, images, labels)
        scores[name] = 100.0 * float((recall @ common).mean())
        scores[f"{name}_own"] = 100.0 * float((recall * shares).sum(axis=1).mean())
    scores["gain"] = scores["accuracy"] - scores["local_only"]
    scores["gain_own"] = scores["accuracy_own"] - scores["local_only_own"]
    scores["disagreement"] = 100.0 * mesh.disagreement(now.mixed)
    return scores


MODEL: Final = Gossip()
