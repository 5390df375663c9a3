"""Asking for labels: what uncertainty sampling saves, and what looking for it costs.

Two scales, never blurred. Dollars are exact accounting at the track's true scale: so many labels
for each of the stand-in's, its votes paid one by one, and a pass over the true pool before every
batch. What is learnt is measured on the stand-in: digits and a softmax regression of 650
parameters (:mod:`engine.numerics.querying`), the mean of four repeats.

Every run has two twins on the same pool and starts. The *random twin* asks for labels in a
random order: it scores nothing and trains once, at the end, so it has no batch. The *clean twin*
asks as the run does and gets true labels. All three learn on to the target where the budget ends
first, unpaid, so that what a target takes does not depend on the budget. Labels to a target lie
on a straight line between two rounds, and a part of a round is charged as that part.

What does not scale: the stand-in scores a hundred images for one that it asks for, where a true
pool has millions. Dollars of a scored share are the true pool's; that a small share leaves a
large batch no choice is the stand-in's alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import numpy as np

from engine.contract import Control, Mechanism, Metric, Outcome, Series, Setting, Terms, complete
from engine.numerics import querying
from engine.numerics.digits import CLASSES, PIXELS, TEST, TRAIN
from engine.numerics.partition import held_out
from engine.numerics.querying import MOST, MOST_VOTES, REPEATS, STRATEGIES, Plan, Round
from engine.numerics.randomness import FloatArray
from engine.remembered import Remembered
from engine.switching import switched

GRID: Final = 10
"""Labels between two measurements of the random twin; straight lines in between."""
HYPOTHESES: Final = (PIXELS + 1) * CLASSES * 32 * math.log(2.0)
"""ln|H| in nats: softmax regressions of 650 parameters in 32 bits."""
DELTA: Final = 0.05
"""Chance that a learner fails its bound."""

_PARTS: Final = ("fees", "scoring", "training")
_ASKING: Final = ("data", "noise", "votes", "strategy", "coverage", "batch")
_LEARNT: Final = (*_ASKING, "budget")
_TO_TARGET: Final = (*_ASKING, "target")
_MOVED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "data": ("pool", "slice", "slice_share", "start", "ridge"),
    "noise": ("label_error",),
    "votes": ("votes",),
    "strategy": ("strategy",),
    "coverage": ("scored_share",),
    "batch": ("batch",),
    "budget": ("labels",),
    "target": ("target",),
}
"""Which controls each term of what is learnt belongs to, in the order they are switched."""
_MEASURED: Final[Mapping[str, tuple[str, ...]]] = {
    "accuracy": _LEARNT,
    "slice_recall": _LEARNT,
    "labels_to_target": _TO_TARGET,
    "labels_saved": _TO_TARGET,
    "steps_multiplier": _TO_TARGET,
}
_MONEY: Final = ("cost_total", "cost_to_target", "net_saving")
_POINT: Final = 100 / TEST
"""One test sample of each repeat, in points of accuracy."""
_SLICE_POINT: Final = 2.0
"""One test sample of the slice of each repeat, in points: it has fifty or more."""


class Labeling:
    """Active learning: accuracy and labels against dollars, beside random labels."""

    name = "labeling"
    version = 1
    summary = "Active learning: dollars at true scale, accuracy on a stand-in."
    formula = (
        "cost   = fee · votes · L + (L - start)/batch · (pool · share · score + train) + train\n"
        "random = fee · votes · L + train                     L: labels at the true scale\n"
        "saving = random's cost to the target - cost to the target\n"
        "votes wrong: plurality of v votes, each wrong with η\n"
        "theory: N(η)/N(0) = 1/(1 - ηK/(K-1))²    clean (ln|H| + ln 1/δ)/ε\n"
        "                                      agnostic (ln|H| + ln 2/δ)/(2ε²)"
    )
    sources: tuple[str, ...] = (
        "Settles 2009, Active Learning Literature Survey (Wisconsin-Madison, TR 1648)",
        "Böhning 1992, Multinomial Logistic Regression Algorithm (Ann. Inst. Stat. Math. 44)",
    )
    controls: tuple[Control, ...] = (
        Control(
            "strategy", "", "choice", "which labels are asked for", "margin", choices=STRATEGIES
        ),
        Control("batch", "labels", "integer", "asked for a round, stand-in", 10, 5, 100, 5),
        Control(
            "scored_share", "", "number", "of the pool that a round scores", 1.0, 0.01, 1.0, 0.05
        ),
        Control("votes", "votes", "integer", "labellers who vote on an image", 1, 1, MOST_VOTES),
        Control("labels", "labels", "integer", "most that are bought, stand-in", 200, 20, MOST, 10),
        Control("budget", "$", "number", "stops before it is passed; 0: none", 0.0, 0.0, 1e15),
        Control("label_error", "", "number", "chance that a vote is wrong", 0.0, 0.0, 0.6, 0.01),
        Control("target", "%", "number", "accuracy that is aimed at", 90.0, 20.0, 99.0),
        Control("pool", "images", "integer", "of the stand-in, at most", TRAIN, 100, TRAIN, 50),
        Control(
            "slice",
            "",
            "choice",
            "the classes that are watched",
            "8-9",
            choices=("0-1", "2-3", "4-5", "6-7", "8-9"),
        ),
        Control(
            "slice_share",
            "",
            "number",
            "of the slice's images that the pool holds; 1: as common as others",
            1.0,
            0.02,
            1.0,
            0.02,
        ),
        Control("start", "labels", "integer", "random ones to begin with, stand-in", 20, 10, 50, 5),
        Control("ridge", "", "number", "weight decay", 0.003, 1e-4, 0.1, 1.25, "log"),
        Control("true_pool", "items", "number", "true pool", 1e6, 100.0, 1e15, 2.0, "log"),
        Control(
            "true_labels",
            "labels",
            "number",
            "at the true scale, for one of the stand-in",
            1.0,
            1.0,
            1e6,
            2.0,
            "log",
        ),
        Control(
            "fee", "$/vote", "number", "for one vote on one label", 0.1, 1e-4, 1e4, 1.25, "log"
        ),
        Control("score_cost", "$/item", "number", "to score one", 1e-6, 1e-12, 10.0, 2.0, "log"),
        Control("train_cost", "$/round", "number", "to train once", 1.0, 0.0, 1e9, 1.0),
    )
    metrics: tuple[Metric, ...] = (
        Metric("accuracy", "%", "higher", "measured on the stand-in", False, _POINT, _LEARNT),
        Metric(
            "slice_recall",
            "%",
            "higher",
            "recall of the watched classes, on the stand-in",
            False,
            _SLICE_POINT,
            _LEARNT,
        ),
        Metric("random_accuracy", "%", None, "of as many random labels", False, _POINT),
        Metric("random_slice_recall", "%", None, "of as many random labels", False, _SLICE_POINT),
        Metric("clean_accuracy", "%", None, "asked alike, no label wrong", False, _POINT),
        Metric("rounds_run", "rounds", None, "of asking, that were paid for", True),
        Metric("labels_used", "labels", None, "of the stand-in", True),
        Metric("labels_bought", "votes", "lower", "votes paid for, at the true scale", True),
        Metric(
            "labels_to_target",
            "labels",
            "lower",
            f"of the stand-in, whatever the budget; {MOST} or the whole pool if never",
            False,
            5.0,
            _TO_TARGET,
        ),
        Metric("random_labels_to_target", "labels", None, "of the random twin", False, 5.0),
        Metric("clean_labels_to_target", "labels", None, "of the clean twin", False, 5.0),
        Metric(
            "labels_saved",
            "×",
            "higher",
            "random's labels to the target over this run's; below 1 more are needed",
            False,
            0.1,
            _TO_TARGET,
        ),
        Metric("target_reached", "", "higher", "1 if within what was bought", False, 1.0),
        Metric("cost_total", "$", "lower", "of the run", True, 0.0, _PARTS),
        Metric("cost_fees", "$", "lower", "for labels", True),
        Metric("cost_scoring", "$", "lower", "for passes over the pool", True),
        Metric("cost_training", "$", "lower", "for training", True),
        Metric(
            "cost_to_target",
            "$",
            "lower",
            "at the measured labels to the target",
            False,
            0.0,
            _PARTS,
        ),
        Metric("random_cost_to_target", "$", None, "of the random twin", False),
        Metric(
            "net_saving",
            "$",
            "higher",
            "random's cost to the target less this run's; negative is a loss",
            False,
            0.0,
            _PARTS,
        ),
        Metric(
            "steps_multiplier",
            "×",
            "lower",
            "labels to the target over the clean twin's: so many times the steps, if every "
            "label is passed over equally often",
            False,
            0.1,
            _TO_TARGET,
        ),
        Metric("theory_multiplier", "×", "lower", "1/(1 - ηK/(K-1))², η after votes", True),
        Metric("label_error_left", "%", "lower", "labels that are wrong after votes", True),
        Metric("bound_clean", "labels", None, "enough, if a model fits: a bound", True),
        Metric("bound_noisy", "labels", None, "enough, if none need fit: a bound", True),
    )
    series: tuple[Series, ...] = (
        Series("cost", "$", "paid after each round"),
        Series("labels", "labels", "of the stand-in after each round"),
        Series("accuracy", "%", "after each round", (), False, _POINT),
        Series("random_accuracy", "%", "what random labels of equal cost give", (), False, _POINT),
        Series("random_equal_labels", "%", "of as many random labels", (), False, _POINT),
        Series("slice_recall", "%", "after each round", (), False, _SLICE_POINT),
        Series(
            "random_slice_recall",
            "%",
            "what random labels of equal cost give",
            (),
            False,
            _SLICE_POINT,
        ),
        Series("clean_accuracy", "%", "of the clean twin", (), False, _POINT),
        Series("cost_split", "$", "of the run, by part", _PARTS),
    )
    mechanisms: tuple[Mechanism, ...] = (
        Mechanism("data", "what the pool holds, what one starts from, and weight decay"),
        Mechanism("noise", "labels that are wrong"),
        Mechanism("votes", "several labellers outvote a wrong one"),
        Mechanism("strategy", "which labels are asked for"),
        Mechanism("coverage", "how much of the pool is looked at"),
        Mechanism("batch", "labels asked for by a model that is out of date"),
        Mechanism("budget", "how many labels are bought"),
        Mechanism("target", "how much accuracy is asked for"),
        Mechanism("fees", "paying labellers"),
        Mechanism("scoring", "passes over the true pool to find what is uncertain"),
        Mechanism("training", "training before each pass, and at the end"),
    )

    def evaluate(self, setting: Setting, *, seed: int) -> Outcome:
        """Ask to the end. Raises SettingError at the border."""
        *_, last = _frames(complete(self.controls, setting), seed, every=False)
        return last

    def stream(self, setting: Setting, *, seed: int) -> Iterator[Outcome]:
        """Before the first round, then after each; what a target takes is final in the last.

        Before that a target that was not reached yet counts as reached in the next round.
        """
        yield from self.followed(setting, seed=seed, picks=())

    def followed(self, setting: Setting, *, seed: int, picks: Sequence[int]) -> Iterator[Outcome]:
        """The stream, obeying recorded picks as far as they reach.

        Picks are images of the pool: round after round those of the run, repeat after repeat and
        best first, then, where labels are wrong, those of its clean twin. Raises
        :class:`engine.numerics.querying.PicksDivergedError` where they are not among the best.
        """
        yield from _frames(complete(self.controls, setting), seed, every=True, follow=picks)

    def accounts(self, setting: Setting, *, seed: int) -> Mapping[str, float]:
        """The metrics that need no learning: what is bought, and what it costs."""
        asked = complete(self.controls, setting)
        bought = _bought(asked, _World.of(asked, seed))
        return _accounts(asked, bought[-1], len(bought) - 1)

    def explain(self, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
        """Split a change into named terms, which sum to it.

        Dollars are sums: their terms are what is paid (or saved) more for labels, for passes
        over the pool and for training. What is learnt is no sum: its terms are measured,
        switching the groups of controls over one after the other. Raises SettingError at the
        border, ValueError for a metric without terms.
        """
        first, second = complete(self.controls, before), complete(self.controls, after)
        if metric in _MONEY:
            old, new = (_money(metric, asked, seed) for asked in (first, second))
            terms = {part: new[part] - old[part] for part in _PARTS}
            return Terms(metric, sum(old.values()), sum(new.values()), terms)
        if metric not in _MEASURED:
            raise ValueError(f"{metric} has no terms; explain {', '.join([*_MEASURED, *_MONEY])}")
        groups = {term: _MOVED_BY[term] for term in _MEASURED[metric]}
        return switched(
            metric,
            lambda asked: _last(asked, seed).metrics[metric],
            _without_money(first, seed),
            _without_money(second, seed),
            groups,
        )


@dataclass(frozen=True, slots=True)
class _Prices:
    """Dollars: of one more stand-in label, of one pass over the pool, of one training."""

    label: float
    scoring: float
    training: float

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> _Prices:
        return cls(
            label=asked["fee"] * asked["votes"] * asked["true_labels"],
            scoring=asked["true_pool"] * asked["scored_share"] * asked["score_cost"],
            training=asked["train_cost"],
        )

    def parts(self, labels: float, rounds: float) -> dict[str, float]:
        """What ``labels`` of the stand-in cost after so many rounds; random ones take none."""
        return {
            "fees": labels * self.label,
            "scoring": rounds * self.scoring,
            "training": (rounds + 1) * self.training,
        }


@dataclass(frozen=True, slots=True)
class _World:
    """What a run learns from: all of a setting that its course depends on, beside prices."""

    pool: int
    slice: tuple[int, ...]
    slice_share: float
    plan: Plan
    seed: int

    @classmethod
    def of(cls, asked: Mapping[str, Any], seed: int) -> _World:
        noisy = asked["label_error"] > 0.0  # right votes are all alike
        plan = Plan(
            strategy=asked["strategy"],
            batch=asked["batch"],
            share=asked["scored_share"],
            start=asked["start"],
            error=asked["label_error"],
            votes=asked["votes"] if noisy else 1,
            ridge=asked["ridge"],
        )
        if plan.strategy == "random":  # which neither scores nor waits for a batch
            plan = replace(plan, batch=GRID, share=1.0)
        watched = tuple(int(digit) for digit in asked["slice"].split("-"))
        return cls(asked["pool"], watched, asked["slice_share"], plan, seed)

    @property
    def images(self) -> querying.Pool:
        return querying.pool(self.pool, self.slice, self.slice_share, seed=self.seed)

    @property
    def most(self) -> int:
        """Labels after which nobody learns on."""
        return min(MOST, len(self.images.truth))

    @property
    def random(self) -> _World:
        """Of the random twin."""
        return replace(self, plan=replace(self.plan, strategy="random", batch=GRID, share=1.0))

    @property
    def clean(self) -> _World:
        """Of the clean twin."""
        return replace(self, plan=replace(self.plan, error=0.0, votes=1))


class _Course:
    """One learner's rounds, made when they are asked for."""

    def __init__(self, world: _World, rounds: Iterable[Round]) -> None:
        self.world = world
        self._rounds = rounds
        self.counts = np.bincount(held_out(world.seed)[1], minlength=CLASSES).astype(float)

    def rounds(self) -> Iterator[Round]:
        """From the start to the last label that there is."""
        for now in self._rounds:
            yield now
            if now.labels >= self.world.most:
                return

    def hits(self, labels: float) -> FloatArray:
        """(C,): with so many labels, by a straight line between the rounds around them."""
        before = None
        for now in self.rounds():
            if now.labels >= labels or now.labels >= self.world.most:
                if before is None or now.labels <= labels:
                    return now.hits
                way = (labels - before.labels) / (now.labels - before.labels)
                return before.hits + way * (now.hits - before.hits)
            before = now
        raise AssertionError("a course has a start")

    def ended(self, labels: int) -> FloatArray:
        """(C,): measured as if asking had ended after so many labels."""
        for now in self.rounds():
            if now.labels == labels:
                return now.hits
            if now.labels > labels:
                world = self.world
                return querying.part(world.images, world.plan, now, labels, seed=world.seed)
        raise AssertionError(f"there are no {labels} labels")

    def reaches(self, target: float, within: int) -> tuple[float, int]:
        """Labels at which accuracy first reaches ``target`` (%), and the round it is in.

        A straight line between rounds. If it doesn't within so many labels: what the next round
        will have, or where there is none, all.
        """
        before, past = None, 0.0
        for number, now in enumerate(self.rounds()):
            if before is not None and before.labels >= within:
                return float(now.labels), number - 1
            here = _percent(now.hits.sum(), TEST)
            if here >= target:
                if before is None:
                    return float(now.labels), 0
                way = (target - past) / (here - past)
                return before.labels + way * (now.labels - before.labels), number
            before, past = now, here
        assert before is not None
        return float(before.labels), number

    def picks(self, number: int) -> tuple[int, ...]:
        """Those of round ``number``, 1 for the first; none after the last."""
        return next((now.picks for now in islice(self.rounds(), number, number + 1)), ())


@lru_cache(maxsize=32)
def _learning(world: _World) -> Remembered[Round]:
    """A course, which the true scale's prices have no part in."""
    return Remembered(querying.query(world.images, world.plan, seed=world.seed))


@lru_cache(maxsize=256)
def _ended(world: _World, labels: int) -> FloatArray:
    return _Course(world, _learning(world)).ended(labels)


def _bought(asked: Mapping[str, Any], world: _World) -> list[int]:
    """Labels of the stand-in before the first round and after each that is paid for.

    The start is bought in any case. The last batch is smaller where labels or money end.
    """
    prices, most = _Prices.of(asked), min(asked["labels"], world.most)
    searching = asked["strategy"] != "random"
    a_round = prices.scoring + prices.training if searching else 0.0
    done = [asked["start"]]
    left = asked["budget"] - prices.training - done[0] * prices.label
    while done[-1] < most:
        take = min(asked["batch"], most - done[-1])
        if asked["budget"]:
            left -= a_round
            # A part in 10⁹ forgives the last bit of a budget that is an exact sum.
            take = min(take, math.floor(max(0.0, left / prices.label) * (1 + 1e-9)))
            left -= take * prices.label
        if take < 1:
            break
        done.append(done[-1] + take)
    return done


def _accounts(asked: Mapping[str, Any], labels: int, rounds: int) -> dict[str, float]:
    """The exact metrics after so many labels of the stand-in and rounds of asking."""
    split = _Prices.of(asked).parts(labels, _paid(asked, rounds))
    left = querying.label_error(asked["label_error"], asked["votes"])
    epsilon = 1.0 - asked["target"] / 100.0
    return {
        "rounds_run": float(rounds),
        "labels_used": float(labels),
        "labels_bought": float(labels * asked["true_labels"] * asked["votes"]),
        "cost_total": sum(split.values()),
        **{f"cost_{part}": split[part] for part in _PARTS},
        "theory_multiplier": _theory(left),
        "label_error_left": 100.0 * left,
        "bound_clean": (HYPOTHESES + math.log(1 / DELTA)) / epsilon,
        "bound_noisy": (HYPOTHESES + math.log(2 / DELTA)) / (2 * epsilon**2),
    }


def _without_money(asked: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The setting that buys as many labels without a budget."""
    bought = _bought(asked, _World.of(asked, seed))[-1]
    return {**asked, "labels": bought, "budget": 0.0}


def _last(asked: Mapping[str, Any], seed: int) -> Outcome:
    *_, last = _frames(asked, seed, every=False)
    return last


def _money(metric: str, asked: Mapping[str, Any], seed: int) -> dict[str, float]:
    """The parts of a metric in dollars, which sum to it."""
    prices, world = _Prices.of(asked), _World.of(asked, seed)
    if metric == "cost_total":
        bought = _bought(asked, world)
        return prices.parts(bought[-1], _paid(asked, len(bought) - 1))
    metrics = _last(asked, seed).metrics
    ours, theirs = metrics["labels_to_target"], metrics["random_labels_to_target"]
    cost = prices.parts(ours, _paid(asked, (ours - asked["start"]) / asked["batch"]))
    if metric == "cost_to_target":
        return cost
    random = prices.parts(theirs, 0.0)
    return {part: random[part] - cost[part] for part in _PARTS}


def _paid(asked: Mapping[str, Any], rounds: float) -> float:
    """Rounds that are paid for: random labels are all bought at once."""
    return 0.0 if asked["strategy"] == "random" else rounds


def _frames(
    asked: Mapping[str, Any], seed: int, *, every: bool, follow: Sequence[int] = ()
) -> Iterator[Outcome]:
    """Yield the start and an outcome a round, or the last one alone."""
    world = _World.of(asked, seed)
    run, clean = _courses(world, follow)
    random = _Course(world.random, _learning(world.random))
    noisy, searching = world.plan.error > 0.0, world.plan.strategy != "random"
    prices, bought, target = _Prices.of(asked), _bought(asked, world), asked["target"]
    watched, final = list(world.slice), len(bought) - 1

    def measure(course: _Course, labels: int) -> FloatArray:
        if not searching:
            return course.hits(labels)
        return course.ended(labels) if follow else _ended(course.world, labels)

    size = run.counts[watched].sum()
    curves: dict[str, list[float]] = {series.name: [] for series in Labeling.series[:-1]}
    picks: list[int] = []
    for number, labels in enumerate(bought):
        split = prices.parts(labels, _paid(asked, number))
        cost = sum(split.values())
        affordable = (cost - prices.training) / prices.label
        hits, equal, alike = measure(run, labels), random.hits(labels), random.hits(affordable)
        clear = measure(clean, labels) if noisy else hits
        for name, value in (
            ("cost", cost),
            ("labels", labels),
            ("accuracy", _percent(hits.sum(), TEST)),
            ("random_accuracy", _percent(alike.sum(), TEST)),
            ("random_equal_labels", _percent(equal.sum(), TEST)),
            ("slice_recall", _percent(hits[watched].sum(), size)),
            ("random_slice_recall", _percent(alike[watched].sum(), size)),
            ("clean_accuracy", _percent(clear.sum(), TEST)),
        ):
            curves[name].append(value)
        if searching and number:
            picks += run.picks(number) + (clean.picks(number) if noisy else ())
        if not every and number < final:
            continue
        within = labels if number < final else world.most
        ours, at = run.reaches(target, within)
        theirs, _ = random.reaches(target, within)
        best, then = clean.reaches(target, within) if noisy else (ours, at)
        if searching and number == final:
            for more in range(number + 1, max(at, then) + 1):
                picks += run.picks(more) + (clean.picks(more) if noisy else ())
        ahead = prices.parts(ours, _paid(asked, (ours - asked["start"]) / asked["batch"]))
        behind = prices.parts(theirs, 0.0)
        metrics = {
            "accuracy": curves["accuracy"][-1],
            "slice_recall": curves["slice_recall"][-1],
            "random_accuracy": curves["random_equal_labels"][-1],
            "random_slice_recall": _percent(equal[watched].sum(), size),
            "clean_accuracy": curves["clean_accuracy"][-1],
            "labels_to_target": ours,
            "random_labels_to_target": theirs,
            "clean_labels_to_target": best,
            "labels_saved": theirs / ours,
            "target_reached": float(ours <= labels),
            "cost_to_target": sum(ahead.values()),
            "random_cost_to_target": sum(behind.values()),
            "net_saving": sum(behind.values()) - sum(ahead.values()),
            "steps_multiplier": ours / best,
        }
        series = {name: tuple(values) for name, values in curves.items()}
        series["cost_split"] = tuple(split[part] for part in _PARTS)
        yield Outcome(
            metrics | _accounts(asked, labels, number), series, tuple(picks), (number, final)
        )


def _courses(world: _World, follow: Sequence[int]) -> tuple[_Course, _Course]:
    """The run and its clean twin, obeying recorded picks."""
    worlds = (world, world.clean)
    if not follow or world.plan.strategy == "random":
        run, clean = (_Course(each, _learning(each)) for each in worlds)
        return run, clean
    many = 2 if world.plan.error > 0.0 else 1
    theirs: tuple[list[int], list[int]] = ([], [])
    at, labels = 0, world.plan.start
    while at < len(follow) and labels < world.most:
        wanted = min(world.plan.batch, world.most - labels)
        for twin in range(many):
            theirs[twin].extend(follow[at : at + wanted * REPEATS])
            at += wanted * REPEATS
        labels += wanted
    run, clean = (
        _Course(
            each,
            Remembered(querying.query(each.images, each.plan, seed=each.seed, follow=picks)),
        )
        for each, picks in zip(worlds, theirs, strict=True)
    )
    return run, clean


def _theory(error: float) -> float:
    """1/(1 - ηK/(K-1))²: what the signal in a label loses to random K-class noise, squared.

    η up to .6 leaves a third of it, and votes only lower η.
    """
    return 1.0 / (1.0 - error * CLASSES / (CLASSES - 1)) ** 2


def _percent(part: float, whole: float) -> float:
    return 100.0 * float(part) / float(whole)


MODEL: Final = Labeling()
