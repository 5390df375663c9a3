"""User-level differential privacy in a fleet: what a promise of ε costs in accuracy.

Two scales, never blurred. Learning runs on a stand-in: up to 1,000 clients with digits and a
softmax regression of 650 parameters, with the noise that keeps the promise *there*. The bound
M/(z√d) is accounting at the track's true size, with the noise that keeps it *there*: how long
the sum of M clipped updates can be at most, over the length of the noise in d parameters.
Rounds add up, so that over T of them the bound is √T times as much. A ratio of lengths is no
proof about accuracy by itself (a ratio of .4 a round still learns in 30 rounds); what it buys
is read off the stand-in, whose own bounds are given beside its accuracy.

Adjacency: central noise hides whether a user was ever there (add or remove one user, Poisson
sampling). Local noise hides what an update was, the user's presence being known (zero-out): no
amplification by sampling, and a user may be drawn in every round.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np

from engine.contract import (
    Control,
    Mechanism,
    Metric,
    Outcome,
    Series,
    Setting,
    SettingError,
    Terms,
    complete,
)
from engine.numerics import mesh
from engine.numerics.accountant import epsilons, sigma_for
from engine.numerics.digits import TEST
from engine.numerics.partition import deal, held_out, mixes
from engine.numerics.private import (
    AGGREGATIONS,
    PARAMETERS,
    Plan,
    learn,
    signal_to_noise,
)
from engine.numerics.randomness import FloatArray
from engine.remembered import Remembered
from engine.switching import switched

SLICE: Final = (8, 9)
"""The digits that stand for the safety-critical classes."""

_LEARNING: Final = ("promise", "clipping", "who_adds_noise", "crowd", "local_work", "data")
_MOVED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "data": ("alpha", "examples"),
    "local_work": ("local_epochs", "learning_rate"),
    "crowd": ("clients", "sampling", "rounds"),
    "clipping": ("clip",),
    "who_adds_noise": ("aggregation",),
    "promise": ("epsilon",),
}
_BOUND: Final = ("promise", "who_adds_noise", "cohort", "update_size")
_BOUND_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "update_size": ("update_parameters",),
    "cohort": ("fleet", "cohort", "rounds"),
    "who_adds_noise": ("aggregation",),
    "promise": ("epsilon",),
}
_MEASURED: Final = ("accuracy", "price", "slice_recall")
_POINT: Final = 100 / TEST


@dataclass(frozen=True, slots=True)
class _Promise:
    """A noise multiplier z that keeps to ε at δ, and what it leaves of the signal."""

    noise: float
    delta: float
    bound: float
    run_bound: float


class Privacy:
    """Accuracy against ε on the stand-in, the RDP gauge, and the bound at the true size."""

    name = "privacy"
    version = 1
    summary = "User-level privacy: accuracy against ε on a stand-in, signal at true size."
    formula = (
        "R(a) = 1/(a-1) · log Σ_k C(a,k)(1-q)^(a-k) q^k exp((k²-k)/(2z²))    a = 2…256\n"
        "ε    = min_a  T·R(a) + log(1-1/a) - log(δa)/(a-1)        (RDP bound)\n"
        "x   += (Σ clipped updates + zC·N(0,1)) / (qK)\n"
        "signal / noise ≤ M/(z√d) a round, √T times that over T; local: √M for M"
    )
    sources = (
        "Mironov, Talwar and Zhang 2019, Rényi DP of the Sampled Gaussian Mechanism",
        "Canonne, Kamath and Steinke 2020, The Discrete Gaussian for Differential Privacy",
        "McMahan, Ramage, Talwar and Zhang 2018, Learning DP Recurrent Language Models",
    )
    controls = (
        Control("epsilon", "", "number", "the promise to a user", 1.0, 0.1, 50.0, 1.25, "log"),
        Control("clip", "", "number", "longest norm of an update", 0.5, 0.01, 50.0, 1.25, "log"),
        Control("aggregation", "", "choice", "who adds the noise", "central", choices=AGGREGATIONS),
        Control("clients", "", "integer", "of the stand-in", 200, 20, 1000, 1.25, "log"),
        Control("sampling", "", "number", "chance of a round, stand-in", 0.1, 0.01, 1.0, 0.01),
        Control("rounds", "", "integer", "releases", 30, 1, 100),
        Control("local_epochs", "passes", "integer", "of a client, a round", 5, 1, 20),
        Control("learning_rate", "", "number", "of a local step", 0.3, 0.01, 1.0, 1.25, "log"),
        Control("alpha", "", "number", "Dirichlet, a class", 1.0, 0.02, 100.0, 1.5, "log"),
        Control("examples", "samples", "integer", "a client has", 20, 5, 60, 5),
        Control("fleet", "", "integer", "users, true size", 500_000, 20, 10**10, 10.0, "log"),
        Control("cohort", "", "integer", "users a round, true size", 5_000, 1, 10**9, 10.0, "log"),
        Control(
            "update_parameters", "", "integer", "of an update, true", 10**6, 1, 10**12, 10.0, "log"
        ),
    )
    metrics = (
        Metric("accuracy", "%", "higher", "private, on the stand-in", False, _POINT, _LEARNING),
        Metric("accuracy_noise_free", "%", None, "clipped, no noise, stand-in", False, _POINT),
        Metric(
            "price", "points", "lower", "what noise costs, stand-in", False, 2 * _POINT, _LEARNING
        ),
        Metric(
            "slice_recall",
            "%",
            "higher",
            "on the safety-critical classes, stand-in",
            False,
            100 / 50,
            _LEARNING,
        ),
        Metric("slice_noise_free", "%", None, "the same without noise, stand-in", False, 100 / 50),
        Metric("update_norm", "", None, "median before clipping, stand-in", False, 1e-6),
        Metric("clipped_share", "%", None, "of updates, mean of rounds, stand-in", False, 0.5),
        Metric("epsilon_spent", "", "lower", "RDP bound, stand-in", True),
        Metric("noise", "", "lower", "multiplier z, stand-in", True),
        Metric("delta", "", None, "min(10^-3, K^-1.1), stand-in", True),
        Metric("standin_bound", "", "higher", "M/(z√d) a round, stand-in", True),
        Metric("standin_run_bound", "", "higher", "√T·M/(z√d), stand-in", True),
        Metric("true_noise", "", "lower", "multiplier z, true size", True),
        Metric("true_delta", "", None, "min(10^-3, K^-1.1), true size", True),
        Metric("bound", "", "higher", "M/(z√d) a round, true size", True, 0.0, _BOUND),
        Metric("run_bound", "", "higher", "√T·M/(z√d), true size", True, 0.0, _BOUND),
        Metric("client_passes", "", "lower", "T·M·E: what training costs, true size", True),
        Metric("standin_passes", "", "lower", "T·qK·E, stand-in, expected", True),
    )
    series = (
        Series("learning", "%", "accuracy a round, on the stand-in", (), False, _POINT),
        Series("learning_noise_free", "%", "its noise-free twin", (), False, _POINT),
        Series("gauge", "", "ε spent after each round, RDP bound, stand-in"),
        Series("signal", "", "norm of the mean update a round, stand-in", (), False, 1e-6),
        Series("noise_norm", "", "norm of the noise a round, stand-in", (), False, 1e-6),
    )
    mechanisms = (
        Mechanism("promise", "a smaller ε needs more noise"),
        Mechanism("clipping", "noise grows with the clip norm; what is longer is cut"),
        Mechanism("who_adds_noise", "everybody's noise, without amplification, or one server's"),
        Mechanism("crowd", "the same noise is shared by more updates"),
        Mechanism("local_work", "how far an update goes"),
        Mechanism("data", "how alike the clients' data are, and how much there is"),
        Mechanism("cohort", "how many users share the noise, at true size"),
        Mechanism("update_size", "noise enters every parameter: √d"),
    )

    def evaluate(self, setting: Setting, *, seed: int) -> Outcome:
        """Learning and accounting at ``setting``. Raises SettingError at the border."""
        *_, last = _frames(_asked(self.controls, setting), seed, every=False)
        return last

    def stream(self, setting: Setting, *, seed: int) -> Iterator[Outcome]:
        """One outcome a round, all metrics in each."""
        yield from _frames(_asked(self.controls, setting), seed, every=True)

    def accounts(self, setting: Setting, *, seed: int) -> Mapping[str, float]:  # noqa: ARG002
        """The metrics that need no learning: as :meth:`evaluate`'s."""
        asked = _asked(self.controls, setting)
        here, true = (
            _promise(asked, asked["clients"], asked["sampling"], PARAMETERS),
            _true_size(asked),
        )
        gauge = _gauge(asked, here)
        return _promised(here, true) | _spent(asked, gauge, asked["rounds"])

    def explain(self, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
        """Split a change by switching groups of controls over, one after the other.

        What is measured is measured at each step; the bounds are accounted.
        Raises SettingError at the border, ValueError for a metric without terms.
        """
        first, second = _asked(self.controls, before), _asked(self.controls, after)
        if metric in _MEASURED:
            groups = _MOVED_BY
        elif metric in ("bound", "run_bound"):
            groups = _BOUND_BY
        else:
            raise ValueError(
                f"{metric} has no terms; explain bound, run_bound, {', '.join(_MEASURED)}"
            )
        declared = next(each.terms for each in self.metrics if each.name == metric)
        found = switched(metric, lambda asked: _value(metric, asked, seed), first, second, groups)
        return replace(found, terms={term: found.terms[term] for term in declared})


def _asked(controls: tuple[Control, ...], setting: Setting) -> dict[str, Any]:
    asked = complete(controls, setting)
    if asked["cohort"] > asked["fleet"]:
        raise SettingError("cohort", asked["cohort"], f"the fleet has {asked['fleet']} users")
    return asked


def _value(metric: str, asked: Mapping[str, Any], seed: int) -> float:
    if metric in ("bound", "run_bound"):
        promise = _true_size(asked)
        return promise.bound if metric == "bound" else promise.run_bound
    *_, last = _frames(asked, seed, every=False)
    return last.metrics[metric]


def _promise(asked: Mapping[str, Any], users: int, q: float, parameters: int) -> _Promise:
    delta = min(1e-3, users**-1.1)
    local = asked["aggregation"] == "local"
    noise = sigma_for(asked["epsilon"], 1.0 if local else q, asked["rounds"], delta)
    # M local noises add up to √M times one.
    voices = math.sqrt(q * users) if local else q * users
    bound = signal_to_noise(voices, noise, parameters)
    return _Promise(noise, delta, bound, math.sqrt(asked["rounds"]) * bound)


def _true_size(asked: Mapping[str, Any]) -> _Promise:
    # Switching the fleet and the cohort over together never leaves a cohort above its fleet.
    q = min(1.0, asked["cohort"] / asked["fleet"])
    return _promise(asked, asked["fleet"], q, asked["update_parameters"])


def _frames(asked: Mapping[str, Any], seed: int, *, every: bool) -> Iterator[Outcome]:
    """Yield an outcome a round, or the last one alone."""
    here = _promise(asked, asked["clients"], asked["sampling"], PARAMETERS)
    true = _true_size(asked)
    gauge = _gauge(asked, here)
    promised = _promised(here, true)
    plan = Plan(
        asked["sampling"],
        asked["clip"],
        here.noise,
        asked["aggregation"],
        asked["local_epochs"],
        learning_rate=asked["learning_rate"],
    )
    names = ("learning", "learning_noise_free", "gauge", "signal", "noise_norm")
    curves: dict[str, list[float]] = {name: [] for name in names}
    clipped: list[float] = []
    learning = _learning(asked["clients"], asked["alpha"], asked["examples"], plan, seed)
    for number, now in zip(range(1, asked["rounds"] + 1), learning, strict=False):
        row = (*now.accuracy, float(gauge[number - 1]), now.signal, now.noise)
        for name, value in zip(names, row, strict=True):
            curves[name].append(value)
        clipped.append(100.0 * now.clipped)
        if every or number == asked["rounds"]:
            own = _measured(now)
            own["clipped_share"] = float(np.mean(clipped))
            spent = _spent(asked, gauge, number)
            series = {name: tuple(values) for name, values in curves.items()}
            rounds = (number, asked["rounds"])
            yield Outcome(own | spent | promised, series, rounds=rounds)


def _gauge(asked: Mapping[str, Any], here: _Promise) -> FloatArray:
    """ε that is spent after each round, on the stand-in."""
    sampling = 1.0 if asked["aggregation"] == "local" else asked["sampling"]
    return epsilons(sampling, here.noise, asked["rounds"], here.delta)


def _promised(here: _Promise, true: _Promise) -> dict[str, float]:
    return {
        "noise": here.noise,
        "delta": here.delta,
        "standin_bound": here.bound,
        "standin_run_bound": here.run_bound,
        "true_noise": true.noise,
        "true_delta": true.delta,
        "bound": true.bound,
        "run_bound": true.run_bound,
    }


def _spent(asked: Mapping[str, Any], gauge: FloatArray, number: int) -> dict[str, float]:
    """What so many rounds take."""
    passes = asked["local_epochs"]
    return {
        "epsilon_spent": float(gauge[number - 1]),
        "client_passes": float(number * asked["cohort"] * passes),
        "standin_passes": number * asked["sampling"] * asked["clients"] * passes,
    }


@dataclass(frozen=True, slots=True)
class _Learnt:
    """What a round left behind: pairs are the private model and its noise-free twin.

    ``recall`` (2, C) and ``accuracy`` are in per cent; norms as :class:`Round` has them.
    """

    recall: FloatArray
    accuracy: tuple[float, float]
    norm: float
    clipped: float
    signal: float
    noise: float


@lru_cache(maxsize=64)
def _learning(
    users: int, alpha: float, examples: int, plan: Plan, seed: int
) -> Remembered[_Learnt]:
    """The stand-in's rounds, which the true size has no part in."""
    return Remembered(_learn(users, alpha, examples, plan, seed))


def _learn(users: int, alpha: float, examples: int, plan: Plan, seed: int) -> Iterator[_Learnt]:
    mix = mixes(users, alpha, seed=seed)
    clients = deal(mix, examples, seed=seed)
    images, labels = held_out(seed)
    common = np.bincount(labels, minlength=mix.shape[1]) / len(labels)
    for now in learn(clients, plan, seed=seed):
        recall = 100.0 * mesh.recalls(now.parameters, images, labels)
        private, free = (recall @ common).tolist()
        yield _Learnt(recall, (private, free), now.norm, now.clipped, now.signal, now.noise)


def _measured(now: _Learnt) -> dict[str, float]:
    critical = now.recall[:, list(SLICE)].mean(axis=1)
    private, free = now.accuracy
    return {
        "accuracy": private,
        "accuracy_noise_free": free,
        "price": free - private,
        "slice_recall": float(critical[0]),
        "slice_noise_free": float(critical[1]),
        "update_norm": now.norm,
    }


MODEL: Final = Privacy()
