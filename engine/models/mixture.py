"""Real and simulated examples in one training set: what each share buys, costs and proves.

Two scales, never blurred. Labels, renders, dollars and the audit's margin are exact accounting
at the track's true size. Learning and the Fréchet distance are *measured on the stand-in*: a
softmax regression of 650 parameters on digits, 10 to 400 of them real and rained on, joined by
what a simulator renders that was fitted on other digits, sits a fraction of a pixel to the side
and knows rain only as far as it is randomised. Every mix gets the same 200 steps of 50
examples, so that a larger set is no longer training. The field test is 897 digits in rain; the
safety slice is the part of it where it rains hardest.

Whatever the share, the real examples stay: 80 of them at a share of 90 % get 720 renders.

The distance is the one between Gaussians fitted to pixels. It is no FID, and it is no accuracy:
it sees the rain, while a linear learner feels the displacement more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

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
from engine.numerics import frechet, softmax
from engine.numerics.digits import CLASSES
from engine.numerics.frechet import Moments
from engine.numerics.rain import Rain, rain, rained
from engine.numerics.randomness import FloatArray, IntArray, permutation, stream
from engine.numerics.simulator import (
    FARTHEST,
    REAL,
    TEST,
    displaced,
    fitted,
    parts,
    simulated,
)
from engine.switching import switched

SHARES: Final = (0, 10, 25, 50, 65, 80, 90)
"""Per cent synthetic: the mixes of the curves over the share."""
LEAST: Final = 10
"""Real examples of the stand-in, at least."""
HEAVY: Final = 2 / 3
"""The safety slice: images that get more than this share of the hardest rain."""
CONFIDENCE: Final = 0.95
RENDERS: Final = 2_000
"""Renders that the distance is taken over."""
MOST: Final = 9 * REAL
"""Renders that a training set may have: at a share of 90 %."""
ROUNDS: Final = 10
STEPS: Final = 20
"""Steps a round."""
BATCH: Final = 50
RATE: Final = 0.5
"""Of the first step; it falls to nothing in a straight line."""

_LEARNING: Final = ("quantity", "rain_gap", "displacement", "labels", "field")
_APART: Final = ("rain_gap", "displacement", "field")
_MOVED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "field": ("rain",),
    "labels": ("owned", "bought", "audit_share", "scale"),
    "quantity": ("share",),
}
"""Controls of each term of what a faithful simulator would change, as they are switched."""
_COSTS: Final = ("label_cost", "render_cost", "weather_cost")
_MEASURED: Final = (
    "accuracy",
    "slice_recall",
    "gain",
    "slice_gain",
    "frechet",
    "frechet_mix",
)
_POINT: Final = 100 / TEST
_SLICE_POINT: Final = 100 / 230
"""At most what one image of the slice weighs: about 300 of the 897 are in it."""


@dataclass(frozen=True, slots=True)
class _Count:
    """Examples of a setting; stand-in and true size."""

    real: int
    synthetic: int
    trained_true: int
    audited_true: int
    synthetic_true: int


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What a seed fixes, before it rains: digits, renders and the rain to come."""

    real: FloatArray
    real_labels: IntArray
    test: FloatArray
    test_labels: IntArray
    real_rain: Rain
    test_rain: Rain


class Mixture:
    """Field accuracy, the safety slice, the distance and the bill against the synthetic share."""

    name = "mixture"
    version = 1
    summary = "Real and simulated examples mixed: accuracy on a stand-in, dollars at true size."
    formula = (
        "synthetic = real · s/(1-s)\n"
        "d² = |m₁-m₂|² + Tr(S₁ + S₂ - 2(S₁^½ S₂ S₁^½)^½)    (pixels; not FID)\n"
        "cost = bought · fee + synthetic · (render + randomisation · weather)\n"
        "margin ≤ √(ln(2/0.05)/2n)    n audited; half of it takes four times n"
    )
    sources = (
        "Dowson and Landau 1982, The Fréchet Distance between Multivariate Normal Distributions",
        "Hoeffding 1963, Probability Inequalities for Sums of Bounded Random Variables",
        "Tobin et al. 2017, Domain Randomization for Transferring Deep Neural Networks",
    )
    controls = (
        Control("share", "%", "number", "of the training set, synthetic", 50.0, 0.0, 90.0, 5.0),
        Control("randomisation", "", "number", "rain in the simulator", 0.0, 0.0, 1.0, 0.1),
        Control("bought", "labels", "integer", "by experts, true size", 0, 0, 10**9, 100),
        Control("audit_share", "%", "number", "of those, kept to audit", 0.0, 0.0, 95.0, 5.0),
        Control("owned", "labels", "integer", "at hand, true size", 500, 0, 10**9, 100),
        Control("scale", "", "number", "true labels an example", 6.25, 0.01, 1e7, 2.0, "log"),
        Control("rain", "", "number", "the hardest in the field", 1.0, 0.0, 1.0, 0.1),
        Control("displacement", "pixels", "number", "of the simulator", 0.5, 0.0, FARTHEST, 0.25),
        Control("label_fee", "$", "number", "an expert label", 5.0, 0.001, 1e6, 1.25, "log"),
        Control("render_fee", "$", "number", "a render", 0.05, 0.001, 1e6, 1.25, "log"),
        Control("weather_fee", "$", "number", "more, at full rain", 0.05, 0.001, 1e6, 1.25, "log"),
    )
    metrics = (
        Metric("accuracy", "%", "higher", "field test, stand-in", False, _POINT, _LEARNING),
        Metric(
            "slice_recall",
            "%",
            "higher",
            "on the safety slice: the hardest rain, stand-in",
            False,
            _SLICE_POINT,
            _LEARNING,
        ),
        Metric("accuracy_real_only", "%", None, "the same without renders", False, _POINT),
        Metric("slice_real_only", "%", None, "the same without renders", False, _SLICE_POINT),
        Metric(
            "gain", "points", "higher", "by the renders, stand-in", False, 2 * _POINT, _LEARNING
        ),
        Metric(
            "slice_gain",
            "points",
            "higher",
            "by the renders, safety slice, stand-in",
            False,
            2 * _SLICE_POINT,
            _LEARNING,
        ),
        Metric("frechet", "", "lower", "simulator to field, pixels, stand-in", False, 1e-5, _APART),
        Metric(
            "frechet_mix",
            "",
            "lower",
            "training set to field, pixels, stand-in",
            False,
            1e-5,
            ("quantity", *_APART),
        ),
        Metric("real_standin", "samples", None, "real, learnt from, stand-in", True),
        Metric("synthetic_standin", "samples", None, "renders, stand-in", True),
        Metric("real_labels", "labels", "higher", "real, learnt from, true size", True),
        Metric("synthetic", "samples", None, "renders, true size", True),
        Metric("synthetic_share", "%", None, "of the training set, true size", True),
        Metric("audited", "labels", "higher", "kept out of training, true size", True),
        Metric("margin", "points", "lower", "of the audited slice, 95 %, Hoeffding", True),
        Metric("cost_labels", "$", "lower", "expert labels, true size", True),
        Metric("cost_render", "$", "lower", "renders and their rain, true size", True),
        Metric("cost_total", "$", "lower", "labels and renders, true size", True, 0.0, _COSTS),
    )
    series = (
        Series("shares", "%", "synthetic: the mixes of the curves"),
        Series("accuracy_by_share", "%", "field, stand-in", (), False, _POINT),
        Series("slice_by_share", "%", "safety slice, stand-in", (), False, _SLICE_POINT),
        Series("frechet_by_share", "", "training set to field, stand-in", (), False, 1e-5),
        Series("cost_by_share", "$", "labels and renders, true size"),
        Series("learning", "%", "field, a round, stand-in", (), False, _POINT),
        Series("learning_real_only", "%", "its twin without renders", (), False, _POINT),
        Series("bill", "$", "what the total is made of, true size", _COSTS),
    )
    mechanisms = (
        Mechanism("quantity", "more examples, as if the simulator were faithful"),
        Mechanism("rain_gap", "rain that the renders lack, or have too much of"),
        Mechanism("displacement", "a camera in the wrong place: the gap that no rain mends"),
        Mechanism("labels", "more real examples to learn from"),
        Mechanism("field", "how hard it rains where the model is used"),
        Mechanism("label_cost", "experts, by the label"),
        Mechanism("render_cost", "renders, by the piece"),
        Mechanism("weather_cost", "rain in the renders, by piece and strength"),
    )

    def evaluate(self, setting: Setting, *, seed: int) -> Outcome:
        """Learning, distance and accounts at ``setting``. Raises SettingError at the border."""
        *_, last = _frames(complete(self.controls, setting), seed, every=False)
        return last

    def stream(self, setting: Setting, *, seed: int) -> Iterator[Outcome]:
        """One outcome a round of training, all metrics in each; accounts don't change."""
        yield from _frames(complete(self.controls, setting), seed, every=True)

    def accounts(self, setting: Setting, *, seed: int) -> Mapping[str, float]:  # noqa: ARG002
        """The exact metrics, which need no learning: :meth:`evaluate`'s, in no time."""
        asked = complete(self.controls, setting)
        count = _counted(asked)
        return _accounted(count, _bill(asked, count))

    def explain(self, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
        """Split a change of ``cost_total`` (a sum) or of what is measured (by what it would be).

        What is measured is compared with two simulators that were better: one that knows the
        field's rain, and one that stands in its place as well. What the faithful one would change
        is split by switching groups of controls over; what the gaps take away then and now makes
        the terms ``displacement`` and ``rain_gap``. So a larger share alone has three terms.
        Raises SettingError at the border, ValueError for a metric without terms.
        """
        first, second = complete(self.controls, before), complete(self.controls, after)
        if metric == "cost_total":
            old, new = (_bill(asked, _counted(asked)) for asked in (first, second))
            terms = {part: new[part] - old[part] for part in _COSTS}
            return Terms(metric, sum(old.values()), sum(new.values()), terms)
        if metric not in _MEASURED:
            raise ValueError(f"{metric} has no terms; explain cost_total, {', '.join(_MEASURED)}")
        _counted(first), _counted(second)

        def value(asked: Mapping[str, Any], **better: float) -> float:
            return _value(metric, {**asked, **better}, seed)

        found = switched(
            metric,
            lambda asked: value(asked, randomisation=asked["rain"], displacement=0.0),
            first,
            second,
            _MOVED_BY,
        )
        wet = [value(asked, randomisation=asked["rain"]) for asked in (first, second)]
        own = [value(asked) for asked in (first, second)]
        gaps = {
            "displacement": wet[1] - found.after - (wet[0] - found.before),
            "rain_gap": own[1] - wet[1] - (own[0] - wet[0]),
        }
        terms = {**found.terms, **gaps}
        declared = next(each.terms for each in self.metrics if each.name == metric)
        # The simulator's distance knows no labels and no share: what is not declared is 0.
        return Terms(metric, own[0], own[1], {term: terms[term] for term in declared})


def _counted(asked: Mapping[str, Any]) -> _Count:
    """Round what is bought and rendered to whole examples, on both scales.

    Raises SettingError where the real examples are too few or too many for the stand-in.
    """
    audited = round(asked["bought"] * asked["audit_share"] / 100.0)
    trained = asked["owned"] + asked["bought"] - audited
    real = round(trained / asked["scale"])
    if not LEAST <= real <= REAL:
        span = f"{math.ceil(LEAST * asked['scale'])} to {math.floor(REAL * asked['scale'])}"
        allowed = f"with those at hand and without the audited, {span} labels can be learnt from"
        raise SettingError("bought", asked["bought"], allowed)
    return _Count(
        real,
        _renders(real, asked["share"]),
        trained,
        audited,
        _renders(trained, asked["share"]),
    )


def _renders(real: int, share: float) -> int:
    return round(real * share / (100.0 - share))


def _bill(asked: Mapping[str, Any], count: _Count) -> dict[str, float]:
    """Dollars by part, at true size."""
    renders = float(count.synthetic_true)
    return {
        "label_cost": asked["bought"] * asked["label_fee"],
        "render_cost": renders * asked["render_fee"],
        "weather_cost": renders * asked["randomisation"] * asked["weather_fee"],
    }


def _margin(audited: int) -> float:
    """Points that a share measured on so many differs by from the true one, at 95 %, at most.

    Hoeffding 1963, theorem 1, both sides: 2 exp(-2nt²) = 0.05. It is 100 where nothing is known.
    """
    if not audited:
        return 100.0
    return min(100.0, 100.0 * math.sqrt(math.log(2.0 / (1.0 - CONFIDENCE)) / (2.0 * audited)))


def _accounted(count: _Count, bill: Mapping[str, float]) -> dict[str, float]:
    """Every exact metric."""
    return {
        "real_standin": float(count.real),
        "synthetic_standin": float(count.synthetic),
        "real_labels": float(count.trained_true),
        "synthetic": float(count.synthetic_true),
        "synthetic_share": 100.0
        * count.synthetic_true
        / (count.trained_true + count.synthetic_true),
        "audited": float(count.audited_true),
        "margin": _margin(count.audited_true),
        "cost_labels": bill["label_cost"],
        "cost_render": bill["render_cost"] + bill["weather_cost"],
        "cost_total": sum(bill.values()),
    }


def _value(metric: str, asked: Mapping[str, Any], seed: int) -> float:
    if metric in ("frechet", "frechet_mix"):
        share = 100.0 if metric == "frechet" else asked["share"]
        return _distance(*_world(asked, seed), share)
    *_, last = _frames(asked, seed, every=False)
    return last.metrics[metric]


def _world(asked: Mapping[str, Any], seed: int) -> tuple[float, float, float, int]:
    return asked["rain"], asked["randomisation"], asked["displacement"], seed


def _frames(asked: Mapping[str, Any], seed: int, *, every: bool) -> Iterator[Outcome]:
    """Yield an outcome a round, or the last one alone."""
    count = _counted(asked)
    bill = _bill(asked, count)
    world = _world(asked, seed)
    accounts = {
        "frechet": _distance(*world, 100.0),
        "frechet_mix": _distance(*world, asked["share"]),
        **_accounted(count, bill),
    }
    others = [{**asked, "share": float(share)} for share in SHARES]
    fixed = {
        "shares": tuple(map(float, SHARES)),
        "frechet_by_share": tuple(_distance(*world, float(share)) for share in SHARES),
        "cost_by_share": tuple(sum(_bill(each, _counted(each)).values()) for each in others),
        "bill": tuple(bill[part] for part in _COSTS),
    }
    amounts = tuple(_renders(count.real, share) for share in SHARES)
    curves = _course(*world, count.real, amounts)
    if count.synthetic in amounts:
        at, mine = amounts.index(count.synthetic), curves
    else:
        at, mine = 0, _course(*world, count.real, (count.synthetic,))
    learning: list[float] = []
    alone: list[float] = []
    rounds = zip(curves, mine, strict=True)
    for number, ((accuracy, recall), (own_accuracy, own_recall)) in enumerate(rounds, 1):
        learning.append(own_accuracy[at])
        alone.append(accuracy[0])
        if every or number == ROUNDS:
            measured = {
                "accuracy": own_accuracy[at],
                "slice_recall": own_recall[at],
                "accuracy_real_only": accuracy[0],
                "slice_real_only": recall[0],
                "gain": own_accuracy[at] - accuracy[0],
                "slice_gain": own_recall[at] - recall[0],
            }
            growing = {
                "accuracy_by_share": accuracy,
                "slice_by_share": recall,
                "learning": tuple(learning),
                "learning_real_only": tuple(alone),
            }
            yield Outcome(measured | accounts, growing | fixed, rounds=(number, ROUNDS))


@lru_cache(maxsize=4)
def _ground(seed: int) -> _Ground:
    _, real, test = parts(seed)
    return _Ground(
        real.images,
        real.labels,
        test.images,
        test.labels,
        rain(REAL, seed=seed, part="real"),
        rain(TEST, seed=seed, part="test"),
    )


@lru_cache(maxsize=2)
def _dry(seed: int) -> tuple[FloatArray, IntArray, Rain]:
    """Renders of a simulator in its place, their labels, and the rain that may be added."""
    pool, _, _ = parts(seed)
    images, labels = simulated(fitted(pool), MOST, seed=seed)
    return images, labels, rain(MOST, seed=seed, part="renders")


@lru_cache(maxsize=4)
def _rendered(randomisation: float, displacement: float, seed: int) -> tuple[FloatArray, IntArray]:
    """The camera is displaced, and the rain falls before it: rain is added last."""
    images, labels, falling = _dry(seed)
    return rained(displaced(images, displacement), falling, randomisation), labels


@lru_cache(maxsize=8)
def _field(strength: float, seed: int) -> Moments:
    """Moments of all that is real and in the rain."""
    ground = _ground(seed)
    real = rained(ground.real, ground.real_rain, strength)
    test = rained(ground.test, ground.test_rain, strength)
    return frechet.moments(np.concatenate([real, test]))


@lru_cache(maxsize=64)
def _simulated(randomisation: float, displacement: float, seed: int) -> Moments:
    """Moments of the renders."""
    return frechet.moments(_rendered(randomisation, displacement, seed)[0][:RENDERS])


@lru_cache(maxsize=256)
def _distance(
    strength: float, randomisation: float, displacement: float, seed: int, share: float
) -> float:
    """Squared distance to the field of a training set so many per cent synthetic."""
    field, renders = _field(strength, seed), _simulated(randomisation, displacement, seed)
    return frechet.distance(field, frechet.blended(field, renders, share / 100.0))


_Scores: TypeAlias = tuple[tuple[float, ...], tuple[float, ...]]


@lru_cache(maxsize=64)
def _course(
    strength: float,
    randomisation: float,
    displacement: float,
    seed: int,
    real: int,
    amounts: tuple[int, ...],
) -> tuple[_Scores, ...]:
    """After each round: accuracy and recall of the slice, per cent, an entry for each amount.

    What anything costs has no part in it.
    """
    ground = _ground(seed)
    test = softmax.with_ones(rained(ground.test, ground.test_rain, strength))
    heavy = ground.test_rain.force > HEAVY
    images = rained(ground.real, ground.real_rain, strength)[:real]
    labels = ground.real_labels[:real]
    if most := max(amounts):
        renders, their_labels = _rendered(randomisation, displacement, seed)
        images = np.concatenate([images, renders[:most]])
        labels = np.concatenate([labels, their_labels[:most]])
    images = softmax.with_ones(images)
    order = np.stack([_order(real + amount, seed) for amount in amounts], axis=1)
    parameters = np.zeros((len(amounts), images.shape[1], CLASSES))
    scores: list[_Scores] = []
    for step, chosen in enumerate(order):
        rate = RATE * (1.0 - step / len(order))
        softmax.step(parameters, images[chosen], labels[chosen], rate)
        if (step + 1) % STEPS == 0:
            right = softmax.right(parameters, test, ground.test_labels)
            scores.append((_per_cent(right), _per_cent(right[:, heavy])))
    return tuple(scores)


def _per_cent(right: NDArray[np.bool_]) -> tuple[float, ...]:
    return tuple((100.0 * right.mean(axis=1)).tolist())


def _order(examples: int, seed: int) -> IntArray:
    """(steps, batch): all examples in a random order, and again, as long as there are steps."""
    wanted = ROUNDS * STEPS * BATCH
    rng = stream(seed, "mixture", "order", examples)
    passes = [permutation(rng, examples) for _ in range(-(-wanted // examples))]
    return np.concatenate(passes)[:wanted].reshape(ROUNDS * STEPS, BATCH)


MODEL: Final = Mixture()
