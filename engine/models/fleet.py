"""A fleet that learns together: what it reaches, whom it forgets, and what it sends.

Two scales, never blurred. Bytes, joules and dollars are exact accounting at the track's true
scale: the stand-in's share of clients a round, times the true fleet, times the true update. What
is learnt is measured on the stand-in: digits dealt to a few clients, a softmax regression of 650
parameters (:mod:`engine.numerics.federated`). Counted are updates sent up and the local work
behind them: neither the model going down nor the losses that candidates are asked for.

Every run has its *IID twin*: the same cohorts, links and orders of examples, on the same
examples shuffled over all clients. What both lose is the price of the local work (small clients
overfit); only what the run loses beyond its twin is due to data that differ, *drift* among it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from engine.numerics import softmax
from engine.numerics.digits import CLASSES, TEST
from engine.numerics.federated import (
    METHODS,
    SELECTIONS,
    Plan,
    calls,
    orders,
    rounds,
    steps_a_pass,
    train,
    unseen,
)
from engine.numerics.partition import Clients, deal, held_out, mixes, reliabilities, shuffled
from engine.numerics.randomness import FloatArray
from engine.remembered import Remembered

TUNING_PASSES: Final = 5
"""Passes over its own examples with which a client makes the global model its own."""
ALONE_PASSES: Final = 20
"""Passes of a client that learns alone, from nothing."""
SETTLED: Final = 5
"""Rounds whose mean an accuracy, a recall and a loss are: where clients differ, single rounds jump.
"""
CEILING: Final = 50.0
"""Nats that a loss is shown as where it is larger, or where the model has diverged."""

_LEARNING: Final = (
    "heterogeneity",
    "links",
    "selection",
    "averaging",
    "rounds",
    "updates",
    "drift",
)
_MOVED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "heterogeneity": ("alpha", "clients", "examples", "slice"),
    "links": ("reliability", "correlated"),
    "selection": ("selection",),
    "averaging": ("participation",),
    "rounds": ("rounds", "target"),
    "updates": ("local_epochs", "batch", "learning_rate", "method", "proximal"),
}
"""Which controls each term of what is learnt belongs to, in the order they are switched.

The last group is split in two: what the IID twin does is ``updates``, the excess is ``drift``.
"""
_TWIN: Final = {
    "accuracy": "iid_accuracy",
    "slice_recall": "iid_slice_recall",
    "global_loss": "iid_loss",
    "rounds_to_target": "iid_rounds_to_target",
}
_FACTORS: Final[Mapping[str, tuple[str, ...]]] = {
    "bytes_sent": ("rounds", "cohort", "size"),
    "joules": ("rounds", "cohort", "local_work", "size"),
    "wasted_joules": ("rounds", "cohort", "local_work", "size", "links"),
}
_POINT: Final = 100 / TEST
"""One test sample, in points of accuracy: what another machine's last bits may move."""
_SLICE_POINT: Final = 2.0
"""One test sample of the slice, in points of recall: it has fifty or more."""


class Fleet:
    """Federated learning: accuracy and whom it serves, against bytes and joules."""

    name = "fleet"
    version = 1
    summary = "Federated learning: bytes and joules at true scale, accuracy on a stand-in."
    formula = (
        "w ← mean over the updates that arrived of w_k,  w_k = E passes of SGD from w\n"
        "bytes  = rounds · fleet · m/K · update   (twice the update for SCAFFOLD)\n"
        "joules = rounds · fleet · m/K · (local steps · J/step + update · J/byte)\n"
        "wasted = joules · (1 - p)                p: share of updates that arrived\n"
        "drift  = change of the run - change of its IID twin"
    )
    sources: tuple[str, ...] = (
        "McMahan et al. 2017, Communication-Efficient Learning (AISTATS), Algorithm 1",
        "Hsu, Qi and Brown 2019, Non-Identical Data Distribution for Federated Classification",
        "Li et al. 2020, FedProx (MLSys)",
        "Karimireddy et al. 2020, SCAFFOLD (ICML), Algorithm 1, option II",
        "Cho, Wang and Joshi 2020, Power-of-Choice",
    )
    controls: tuple[Control, ...] = (
        Control("method", "", "choice", "how updates are made", "fedavg", choices=METHODS),
        Control("local_epochs", "passes", "integer", "passes a client makes a round", 5, 1, 20),
        Control("participation", "clients", "integer", "clients asked a round", 20, 1, 200),
        Control("batch", "samples", "integer", "samples a local step", 10, 1, 300),
        Control("learning_rate", "", "number", "of a local step", 0.1, 0.001, 2.0, 1.25, "log"),
        Control("proximal", "", "number", "FedProx's pull to the global model", 0.1, 0, 10, 0.1),
        Control(
            "alpha", "", "number", "how alike clients' data are", 0.05, 0.01, 100.0, 1.25, "log"
        ),
        Control("rounds", "rounds", "integer", "rounds that are asked for", 60, 1, 120),
        Control("reliability", "", "number", "mean share of updates that arrive", 1, 0.05, 1, 0.05),
        Control("correlated", "", "switch", "links are worst where the slice's data are", False),
        Control("selection", "", "choice", "who is asked", "random", choices=SELECTIONS),
        Control(
            "slice",
            "",
            "choice",
            "the classes that are watched",
            "8-9",
            choices=("0-1", "2-3", "4-5", "6-7", "8-9"),
        ),
        Control("clients", "clients", "integer", "clients of the stand-in", 100, 1, 200),
        Control("examples", "samples", "integer", "examples of a stand-in client", 60, 10, 300, 10),
        Control("target", "%", "number", "accuracy that is aimed at", 85, 20, 99),
        Control("fleet_size", "devices", "integer", "true fleet", 100, 1, 1e9, 2.0, "log"),
        Control("update_bytes", "B", "integer", "one update, true", 2600, 1, 1e12, 2.0, "log"),
        Control("byte_cap", "B", "number", "rounds stop before it is passed; 0: none", 0, 0, 1e18),
        Control("joules_per_step", "J", "number", "one local step", 1, 1e-9, 1e9, 2.0, "log"),
        Control("joules_per_byte", "J/B", "number", "radio or wire", 1e-6, 1e-12, 1, 2.0, "log"),
        Control("battery", "J", "number", "of one device", 1e5, 1e-3, 1e12, 2.0, "log"),
        Control("price", "$/GB", "number", "of a gigabyte sent", 0, 0, 100, 0.01),
    )
    metrics: tuple[Metric, ...] = (
        Metric(
            "accuracy",
            "%",
            "higher",
            "of the global model, measured on the stand-in",
            False,
            _POINT,
            _LEARNING,
        ),
        Metric(
            "slice_recall",
            "%",
            "higher",
            "recall of the watched classes, on the stand-in",
            False,
            _SLICE_POINT,
            _LEARNING,
        ),
        Metric(
            "personalised_accuracy",
            "%",
            "higher",
            "the global model tuned on each client, on that client's mix of classes",
            False,
            _POINT,
        ),
        Metric(
            "local_accuracy",
            "%",
            "higher",
            "each client's own model, on that client's mix of classes",
            False,
            _POINT,
        ),
        Metric("global_loss", "nat", "lower", "held-out loss", False, 0.0, _LEARNING),
        Metric(
            "jitter",
            "%",
            "lower",
            "deviation of the change of accuracy from round to round, over the later half",
            False,
            _POINT,
        ),
        Metric("iid_accuracy", "%", None, "of the IID twin", False, _POINT),
        Metric("iid_slice_recall", "%", None, "of the IID twin", False, _SLICE_POINT),
        Metric("iid_loss", "nat", None, "of the IID twin", False),
        Metric("iid_jitter", "%", None, "of the IID twin", False, _POINT),
        Metric("rounds_run", "rounds", None, "rounds done, or bought by the cap", True),
        Metric(
            "rounds_to_target",
            "rounds",
            "lower",
            "first round at the target; one more than were run if none is",
            False,
            3.0,
            _LEARNING,
        ),
        Metric("iid_rounds_to_target", "rounds", None, "of the IID twin", False, 3.0),
        Metric("rounds_ratio", "×", "lower", "rounds to the target, over the twin's", False, 1.0),
        Metric("target_reached", "", "higher", "1 if the target was reached", False, 1.0),
        Metric("bytes_sent", "B", "lower", "sent up", True, 0.0, _FACTORS["bytes_sent"]),
        Metric("dollars", "$", "lower", "price of what was sent", True),
        Metric("joules", "J", "lower", "training and sending", True, 0.0, _FACTORS["joules"]),
        Metric(
            "wasted_joules",
            "J",
            "lower",
            "joules of clients whose update did not arrive, by the stand-in's count",
            False,
            0.0,
            _FACTORS["wasted_joules"],
        ),
        Metric("link_success", "%", "higher", "updates that arrived, on the stand-in", False),
        Metric("communication_ratio", "×", None, "joules of sending over training", True),
        Metric("battery_share", "%", "lower", "of one device's battery, a round it is in", True),
        Metric("diverged", "", "lower", "1 if the model was lost to divergence", False),
    )
    series: tuple[Series, ...] = (
        Series("bytes", "B", "sent up after each round"),
        Series("accuracy", "%", "after each round", (), False, _POINT),
        Series("iid_accuracy", "%", "of the IID twin", (), False, _POINT),
        Series("slice_recall", "%", "after each round", (), False, _SLICE_POINT),
        Series("iid_slice_recall", "%", "of the IID twin", (), False, _SLICE_POINT),
        Series("loss", "nat", "held-out loss after each round", (), False),
        Series("iid_loss", "nat", "of the IID twin", (), False),
        Series("joules", "J", "spent after each round"),
        Series("wasted_joules", "J", "spent in vain after each round", (), False),
        Series(
            "recall",
            "%",
            "recall of each class",
            tuple(map(str, range(CLASSES))),
            False,
            100 / 15,
        ),
    )
    mechanisms: tuple[Mechanism, ...] = (
        Mechanism("heterogeneity", "clients' data differ"),
        Mechanism("links", "updates are lost on the way"),
        Mechanism("selection", "who is asked"),
        Mechanism("averaging", "how many clients an average is of"),
        Mechanism("rounds", "how many rounds there are"),
        Mechanism("updates", "how much each client works, as on equal data"),
        Mechanism("drift", "local work on unlike data pulls clients apart: excess over the twin"),
        Mechanism("cohort", "devices asked a round, at the true scale"),
        Mechanism("size", "bytes of an update"),
        Mechanism("local_work", "local steps of a device"),
    )

    def evaluate(self, setting: Setting, *, seed: int) -> Outcome:
        """Learn to the end. Raises SettingError at the border."""
        *_, last = self.stream(setting, seed=seed)
        return last

    def stream(self, setting: Setting, *, seed: int) -> Iterator[Outcome]:
        """Before the first round, then after each; the last has what single clients reach.

        Entry t of a series is after round t; entry 0 is the untrained model.
        """
        yield from self.followed(setting, seed=seed, picks=())

    def followed(self, setting: Setting, *, seed: int, picks: Sequence[int]) -> Iterator[Outcome]:
        """The stream, obeying recorded picks of power-of-choice as far as they reach.

        Raises :class:`engine.numerics.federated.PicksDivergedError` where they are not among
        the best.
        """
        asked = _asked(setting)
        final = _cost(asked).rounds
        for course in _courses(asked, final, seed, picks):
            metrics = course.metrics()
            if course.round == final:
                metrics |= _single(course, _World.of(asked, seed))
            rounds = (course.round, final)
            yield Outcome(metrics, course.series(), tuple(course.picks), rounds)

    def accounts(self, setting: Setting, *, seed: int) -> Mapping[str, float]:
        """The metrics that need no learning: :meth:`evaluate`'s, in no time.

        What is lost on the way is among them, unless power-of-choice asks by losses.
        """
        asked = _asked(setting)
        cost = _cost(asked)
        found = cost.metrics(cost.rounds, asked)
        if asked["selection"] != "power-of-choice":
            failed = sum(_lost(_World.of(asked, seed), cost.rounds))
            found |= _wasted(cost, failed, asked)
        return found

    def explain(self, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
        """Split a change into named terms, which sum to it.

        Bytes and joules are products: their factors are switched over one after the other.
        What is learnt is no product: its terms are what it does when the groups of controls are
        switched over one after the other, each step measured; the last, local work, is split
        into what the IID twin does and the excess. Raises SettingError at the border,
        ValueError for a metric without terms.
        """
        first, second = _asked(before), _asked(after)
        if metric in _FACTORS:
            return _product(metric, first, second, seed)
        if metric not in _TWIN:
            raise ValueError(f"{metric} has no terms; explain {', '.join([*_TWIN, *_FACTORS])}")
        here = first | {"rounds": _cost(first).rounds}
        goal = second | {"rounds": _cost(second).rounds}
        start = reached = _learnt(here, seed)
        moved: dict[str, float] = {}
        for term, controls in _MOVED_BY.items():
            there = _possible(here | {name: goal[name] for name in controls})
            now = reached if there == here else _learnt(there, seed)
            twin = now[_TWIN[metric]] - reached[_TWIN[metric]]
            moved[term] = now[metric] - reached[metric]
            if term == "updates":
                moved |= {"updates": twin, "drift": moved[term] - twin}
            here, reached = there, now
        return Terms(metric, start[metric], reached[metric], moved)


@dataclass(frozen=True, slots=True)
class _Cost:
    """What a run costs at the true scale: counts, bytes and joules.

    ``cohort`` is devices a round, ``size`` bytes of an update, ``sending`` and ``training``
    joules of one device in one round.
    """

    rounds: int
    cohort: float
    size: int
    training: float
    sending: float

    @property
    def bytes_a_round(self) -> float:
        return self.cohort * self.size

    @property
    def joules_a_round(self) -> float:
        return self.cohort * (self.training + self.sending)

    def metrics(self, done: int, asked: Mapping[str, Any]) -> dict[str, float]:
        """What is accounted after so many rounds."""
        return {
            "rounds_run": done,
            "bytes_sent": done * self.bytes_a_round,
            "dollars": done * self.bytes_a_round / 1e9 * asked["price"],
            "joules": done * self.joules_a_round,
            "communication_ratio": self.sending / self.training,
            "battery_share": 100 * (self.training + self.sending) / asked["battery"],
        }


@dataclass(frozen=True, slots=True)
class _World:
    """What a run learns from: all of a setting that its course depends on, beside the plan."""

    clients: int
    alpha: float
    examples: int
    slice: str
    reliability: float
    correlated: bool
    plan: Plan
    seed: int

    @classmethod
    def of(cls, asked: Mapping[str, Any], seed: int) -> _World:
        plan = Plan(
            method=asked["method"],
            selection=asked["selection"],
            local_epochs=asked["local_epochs"],
            participation=asked["participation"],
            batch=_batch(asked),
            learning_rate=asked["learning_rate"],
            proximal=asked["proximal"],
        )
        return cls(
            clients=asked["clients"],
            alpha=asked["alpha"],
            examples=asked["examples"],
            slice=asked["slice"],
            reliability=asked["reliability"],
            correlated=asked["correlated"],
            plan=plan,
            seed=seed,
        )

    @property
    def own(self) -> Clients:
        """The clients with their own data."""
        mix = mixes(self.clients, self.alpha, seed=self.seed)
        return deal(mix, self.examples, seed=self.seed)

    @property
    def links(self) -> FloatArray:
        """(K,): the chance that a client's update arrives."""
        share = self.own.shares()[:, _digits(self.slice)].sum(axis=1)
        return reliabilities(share, self.reliability, correlated=self.correlated)


@dataclass(frozen=True, slots=True)
class _Learnt:
    """One round: ``hits`` (2, C) and ``loss`` (2,) of the run and its twin, and the run's model.

    ``failed`` is updates lost in it, ``picks`` whom power-of-choice took.
    """

    hits: FloatArray
    loss: FloatArray
    model: FloatArray
    failed: int = 0
    picks: tuple[int, ...] = ()
    diverged: bool = False


@dataclass(slots=True)
class _Course:
    """A run up to its current round."""

    asked: Mapping[str, Any]
    cost: _Cost
    classes: FloatArray
    model: FloatArray
    hits: list[FloatArray] = field(default_factory=list)  # (2, C) a round
    losses: list[FloatArray] = field(default_factory=list)  # (2,) a round
    failed: list[int] = field(default_factory=list)  # in all, after each round
    picks: list[int] = field(default_factory=list)
    diverged: bool = False

    @property
    def round(self) -> int:
        return len(self.hits) - 1

    def metrics(self) -> dict[str, float]:
        """What can be said after this round."""
        cost, done = self.cost, self.round
        accuracy, recall = self._accuracies(), self._recalls()
        loss = np.mean(self.losses[-SETTLED:], axis=0)
        target = [self._first(curve) for curve in accuracy]
        learnt = {
            "accuracy": accuracy[0][-SETTLED:].mean(),
            "slice_recall": recall[0][-SETTLED:].mean(),
            "global_loss": loss[0],
            "jitter": _jitter(accuracy[0]),
            "iid_accuracy": accuracy[1][-SETTLED:].mean(),
            "iid_slice_recall": recall[1][-SETTLED:].mean(),
            "iid_loss": loss[1],
            "iid_jitter": _jitter(accuracy[1]),
            "rounds_to_target": target[0],
            "iid_rounds_to_target": target[1],
            "rounds_ratio": target[0] / target[1],
            "target_reached": float(target[0] <= done),
            "diverged": float(self.diverged),
        }
        wasted = _wasted(cost, self.failed[-1], self.asked, done)
        return learnt | cost.metrics(done, self.asked) | wasted

    def series(self) -> dict[str, tuple[float, ...]]:
        """The curves so far."""
        accuracy, recall, done = self._accuracies(), self._recalls(), range(self.round + 1)
        return {
            "bytes": tuple(t * self.cost.bytes_a_round for t in done),
            "accuracy": tuple(accuracy[0]),
            "iid_accuracy": tuple(accuracy[1]),
            "slice_recall": tuple(recall[0]),
            "iid_slice_recall": tuple(recall[1]),
            "loss": tuple(loss[0] for loss in self.losses),
            "iid_loss": tuple(loss[1] for loss in self.losses),
            "joules": tuple(t * self.cost.joules_a_round for t in done),
            "wasted_joules": tuple(
                _wasted(self.cost, failed, self.asked)["wasted_joules"] for failed in self.failed
            ),
            "recall": tuple(100 * self.hits[-1][0] / self.classes),
        }

    def _accuracies(self) -> FloatArray:
        """(2, rounds + 1): in per cent, of the run and of its twin."""
        return np.asarray(100 * np.sum(self.hits, axis=-1).T / TEST)

    def _recalls(self) -> FloatArray:
        """(2, rounds + 1): recall of the slice, in per cent."""
        watched = _digits(self.asked["slice"])
        found = np.stack(self.hits)[..., watched].sum(axis=-1)
        return np.asarray(100 * found.T / self.classes[watched].sum())

    def _first(self, curve: FloatArray) -> int:
        """The first round whose accuracy is at the target, or one more than there were."""
        return next((t for t, a in enumerate(curve) if t and a >= self.asked["target"]), len(curve))


def _asked(setting: Setting) -> dict[str, Any]:
    """The complete setting; raises SettingError also where controls contradict one another."""
    asked = complete(Fleet.controls, setting)
    if asked["participation"] > asked["clients"]:
        raise SettingError(
            "participation", asked["participation"], f"there are {asked['clients']} clients"
        )
    return asked


def _possible(asked: Mapping[str, Any]) -> dict[str, Any]:
    """A setting half switched over, with no more clients a round than it has."""
    return {**asked, "participation": min(asked["participation"], asked["clients"])}


def _digits(watched: str) -> list[int]:
    return [int(digit) for digit in watched.split("-")]


def _batch(asked: Mapping[str, Any]) -> int:
    return int(min(asked["batch"], asked["examples"]))


def _cost(asked: Mapping[str, Any]) -> _Cost:
    """The accounting; SCAFFOLD sends its control variate beside the update."""
    cohort = asked["fleet_size"] * asked["participation"] / asked["clients"]
    size = asked["update_bytes"] * (2 if asked["method"] == "scaffold" else 1)
    steps = asked["local_epochs"] * steps_a_pass(asked["examples"], _batch(asked))
    bought = asked["rounds"]
    if asked["byte_cap"]:
        bought = min(bought, math.floor(asked["byte_cap"] / (cohort * size)))
    return _Cost(
        rounds=bought,
        cohort=cohort,
        size=size,
        training=steps * asked["joules_per_step"],
        sending=size * asked["joules_per_byte"],
    )


def _courses(
    asked: Mapping[str, Any], final: int, seed: int, follow: Sequence[int] = ()
) -> Iterator[_Course]:
    """The run before its first round and after each; always the same object, grown."""
    world = _World.of(asked, seed)
    classes = np.bincount(held_out(seed)[1], minlength=CLASSES).astype(float)
    learning = iter(_learn(world, follow) if follow else _learning(world))
    course = _Course(asked, _cost(asked), classes, np.zeros(0))
    for now in itertools.islice(learning, final + 1):
        course.hits.append(now.hits)
        course.losses.append(now.loss)
        course.failed.append(now.failed + (course.failed[-1] if course.failed else 0))
        course.model, course.diverged = now.model, now.diverged
        course.picks += now.picks
        yield course


def _lost(world: _World, final: int) -> Iterator[int]:
    """How many updates are lost in each round, where nobody's loss decides who is asked."""
    links = world.links
    for order, arrives in itertools.islice(calls(links, seed=world.seed), final):
        yield int(np.count_nonzero(~arrives[unseen(world.plan, order, links)]))


@lru_cache(maxsize=16)
def _learning(world: _World) -> Remembered[_Learnt]:
    """A course, which the true scale's prices have no part in."""
    return Remembered(_learn(world))


def _learn(world: _World, follow: Sequence[int] = ()) -> Iterator[_Learnt]:
    """Before the first round, and after each, without end."""
    own, plan, seed = world.own, world.plan, world.seed
    worlds = [own, shuffled(own, seed=seed)]
    images, labels = held_out(seed)
    truth = np.eye(CLASSES)[labels]
    model = np.zeros((len(worlds), images.shape[1], CLASSES))
    hits, loss = softmax.right(model, images, labels) @ truth, softmax.loss(model, images, labels)
    yield _Learnt(hits, loss, model[0])
    for done in rounds(worlds, plan, world.links, seed=seed, follow=follow):
        loss = softmax.loss(done.parameters, images, labels)
        yield _Learnt(
            hits=softmax.right(done.parameters, images, labels) @ truth,
            loss=np.where(done.diverged, CEILING, np.minimum(loss, CEILING)),
            model=done.parameters[0].copy(),
            failed=int(np.count_nonzero(~done.delivered)),
            picks=tuple(map(int, done.cohort)) if plan.selection == "power-of-choice" else (),
            diverged=bool(done.diverged[0]),
        )


def _wasted(
    cost: _Cost, failed: int, asked: Mapping[str, Any], done: int | None = None
) -> dict[str, float]:
    """Joules of the devices whose update was lost, and the share of updates that was not."""
    sent = (cost.rounds if done is None else done) * asked["participation"]
    return {
        "wasted_joules": failed * cost.joules_a_round / asked["participation"],
        "link_success": 100 * (1 - failed / sent) if sent else 0.0,
    }


def _single(course: _Course, world: _World) -> dict[str, float]:
    """What single clients reach: with the global model made their own, and all alone."""
    own = world.own
    return {
        "personalised_accuracy": _tuned(
            own, course.model, world, "personalised_accuracy", TUNING_PASSES
        ),
        "local_accuracy": _alone(replace(world, plan=_plain(world.plan))),
    }


@lru_cache(maxsize=16)
def _alone(world: _World) -> float:
    """What clients reach that never send anything, whatever the fleet does."""
    own = world.own
    nothing = np.zeros((own.images.shape[2], CLASSES))
    return _tuned(own, nothing, world, "local_accuracy", ALONE_PASSES)


def _plain(plan: Plan) -> Plan:
    """Steps of one client: without a fleet around it."""
    return Plan(batch=plan.batch, learning_rate=plan.learning_rate)


def _tuned(own: Clients, start: FloatArray, world: _World, order: str, passes: int) -> float:
    """Mean accuracy, in per cent, of every client after ``passes`` from ``start``, on its mix."""
    size, n = own.labels.shape
    models = train(
        np.broadcast_to(start, (1, size, *start.shape)),
        own.images[None],
        own.labels[None],
        orders(world.seed, order, passes, (size, n), np.arange(size)),
        _plain(world.plan),
    )[0]
    images, labels = held_out(world.seed)
    truth = np.eye(CLASSES)[labels]
    recall = softmax.right(models, images, labels) @ truth / truth.sum(axis=0)
    return 100 * float(np.mean(np.sum(recall * own.shares(), axis=1)))


def _learnt(asked: Mapping[str, Any], seed: int) -> dict[str, float]:
    """The metrics after as many rounds as asked for, whatever they cost."""
    *_, last = _courses(asked, asked["rounds"], seed)
    return {name: float(value) for name, value in last.metrics().items()}


def _product(metric: str, first: Mapping[str, Any], second: Mapping[str, Any], seed: int) -> Terms:
    """Split a change of bytes or joules: its factors, switched over in their order."""

    def factors(asked: Mapping[str, Any]) -> dict[str, float]:
        cost, lost = _cost(asked), 1.0
        if metric == "wasted_joules":
            *_, last = _courses(asked, cost.rounds, seed)
            lost = last.failed[-1] / max(1, cost.rounds * asked["participation"])
        return {
            "rounds": cost.rounds,
            "cohort": cost.cohort,
            "local_work": cost.training,
            "size": cost.size if metric == "bytes_sent" else cost.sending,
            "links": lost,
        }

    def worth(at: Mapping[str, float]) -> float:
        device = at["size"] if metric == "bytes_sent" else at["local_work"] + at["size"]
        return at["rounds"] * at["cohort"] * device * at["links"]

    here, goal = factors(first), factors(second)
    start = reached = worth(here)
    moved: dict[str, float] = {}
    for term in _FACTORS[metric]:
        here[term] = goal[term]
        now = worth(here)
        moved[term], reached = now - reached, now
    return Terms(metric, start, reached, moved)


def _jitter(accuracy: FloatArray) -> float:
    """Deviation of the change from round to round, over the later half; 0 for too few rounds."""
    changes = np.diff(accuracy)[(len(accuracy) - 1) // 2 :]
    return float(np.std(changes)) if len(changes) else 0.0


MODEL: Final = Fleet()
