"""What a calendar is worth: accuracy at a deadline, from the size of a model and its pace.

Weeks, changes, releases, labels and dollars are exact accounting. Accuracy is not: the exponent
of err = e∞ + a·(1 + n/n₀)^-β is *measured on the stand-in*, and the rest is assumed, each with a
control of its own: that an iteration acts like samples do (``exponent_shift``), what a larger
model starts with (``head_start``) and ends at (``capacity``, ``floor``), what changes in one batch
teach (``confounding``), what parallel experiments save (``parallel_exponent``).

A release tries its changes both ways and keeps what measures better. On v labels a measured
accuracy strays by √(e(1-e)/v), and that is taken for the error of the difference too: so it moves
on with probability Φ(gain/σ) and back otherwise, never behind day one. What share of projects
stands where is a birth-and-death chain, worked out and not sampled: no number depends on a seed.

A change that skips the check costs no tax, and does not count as verified: verified is what the
checked changes alone reach.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
from engine.numerics.learning_curve import exponent
from engine.numerics.randomness import FloatArray
from engine.switching import switched

SMALLEST: Final = 1.0 / 32.0
LARGEST: Final = 32.0
"""Sizes, of the model that day one is told for."""
SIZES: Final = tuple(SMALLEST * 2.0**at for at in range(11))
"""Sizes of the curves over them."""
BATCH: Final = 16
"""Changes of a release, at most."""
RELEASES: Final = 1000
"""Releases of a calendar, at most: each is followed."""
NEVER: Final = 1e6
"""Iterations that stand for a target which no number of them reaches."""
POINTS: Final = 26
"""Steps of the curves over the weeks."""
CELLS: Final = 400
"""Pieces that the bound takes the sizes in."""

_TOLERANCE: Final = 1e-6
_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "capacity": ("size", "day_one", "head_start", "floor", "capacity", "capacity_exponent"),
    "training": ("size_trained", "training", "compute"),
    "team_work": ("work", "validation"),
    "parallel": ("parallel", "parallel_exponent"),
    "tax": ("tax", "checked", "batch_sharing"),
    "confounding": ("batch", "confounding"),
    "noise": ("validation_labelled", "label_rate"),
    "calendar": ("weeks",),
    "curve": ("experience", "exponent_shift"),
    "checks": ("checked_counted",),
}
"""Controls of each term, in the order in which they are switched."""
_PATH: Final = tuple(term for term in _GROUPS if term != "checks")
_TWICE: Final = {
    "size_trained": "size",
    "batch_sharing": "batch",
    "validation_labelled": "validation",
    "checked_counted": "checked",
}
"""Controls that act in two ways: the second has a name of its own, so as to be switched alone."""
_BILL: Final = ("team_cost", "machine_cost", "change_cost", "check_cost")


@dataclass(frozen=True, slots=True)
class _Plan:
    """The exact accounting. Weeks are weeks of the calendar, a change."""

    training: float
    work: float
    labelling: float
    tax: float
    changes: float
    releases: float
    worth: float
    labels: float

    @property
    def cycle(self) -> float:
        return self.training + self.work + self.labelling + self.tax

    @property
    def held(self) -> float:
        """Iterations that the calendar holds, each worth what a change made alone teaches."""
        return self.releases * self.worth


@dataclass(frozen=True, slots=True)
class _Law:
    """err(n) = ``floor`` + ``gap`` · (1 + n/``experience``)^-``exponent``, shares of one."""

    floor: float
    gap: float
    experience: float
    exponent: float

    def error(self, n: float) -> float:
        return self.floor + self.gap * math.pow(1.0 + n / self.experience, -self.exponent)

    def needed(self, error: float) -> float:
        """Iterations to that error without noise: NEVER where it is not above the floor."""
        if error <= self.floor:
            return NEVER
        steps = math.pow(self.gap / (error - self.floor), 1.0 / self.exponent) - 1.0
        return min(NEVER, max(0.0, self.experience * steps))


class Velocity:
    """Accuracy at the deadline, verified and claimed, against size, pace, labels and tax."""

    name = "velocity"
    version = 1
    summary = "Quality against velocity: what iterations the calendar holds, and what they reach."
    formula = (
        "err = e∞ + a·(1 + n/n₀)^-β    n = weeks / cycle    β measured, the rest assumed\n"
        "cycle = (training · size/compute + work/(1 - validation)) / parallel^ρ + checked·tax/batch"
        "\na batch of k teaches k^γ, and is kept if it measures better: right with Φ(gain/σ)\n"
        "σ = √(e(1-e)/v)    optimism = σ·E[max of n normals] ≤ σ·√(2 ln n)\n"
        "bound = no noise, no labelling, every change checked, the best size and batch"
    )
    sources = (
        "Hestness et al. 2017, Deep Learning Scaling is Predictable, Empirically, "
        "arXiv:1712.00409: the law",
        "Guilt-Free Data Reuse, Communications of the ACM, April 2017: why a validation set that "
        "is looked at often flatters",
        "The exponent is measured on UCI digits; that iterations act like samples is assumed",
    )
    controls = (
        Control(
            "size", "×", "number", "of the model", 1.0, SMALLEST, LARGEST, math.sqrt(2.0), "log"
        ),
        Control("compute", "×", "number", "training throughput", 1.0, 0.125, 64.0, 2.0, "log"),
        Control("parallel", "", "integer", "experiments at once", 1, 1, 16),
        Control("validation", "%", "number", "of the team, labelling", 20.0, 1.0, 90.0, 5.0),
        Control("batch", "changes", "integer", "a release", 1, 1, BATCH),
        Control("checked", "%", "number", "of releases that pay the tax", 100.0, 0.0, 100.0, 10.0),
        Control("weeks", "weeks", "number", "to the deadline", 26.0, 1.0, 104.0, 1.0),
        Control("tax", "weeks", "number", "a release waits for its check", 1.0, 0.0, 26.0, 0.25),
        Control("tax_price", "$", "number", "a check", 0.0, 0.0, 1e8, 1000.0),
        Control("training", "weeks", "number", "a change, size 1", 0.25, 0.001, 26.0, 1.25, "log"),
        Control("work", "weeks", "number", "of the team, a change", 0.25, 0.02, 26.0, 1.25, "log"),
        Control("label_rate", "labels", "number", "a week of the team", 1e4, 10.0, 1e8, 2.0, "log"),
        Control("team_fee", "$", "number", "the team, a week", 25_000.0, 0.0, 1e7, 1000.0),
        Control("compute_fee", "$", "number", "compute 1, a week", 5000.0, 0.0, 1e7, 1000.0),
        Control("change_fee", "$", "number", "a change", 0.0, 0.0, 1e7, 100.0),
        Control("day_one", "%", "number", "accuracy of size 1", 80.0, 70.0, 98.0, 1.0),
        Control("head_start", "points", "number", "of ten times the size", 5.0, 0.0, 10.0, 0.5),
        Control("floor", "points", "number", "error that stays", 0.2, 0.0, 2.0, 0.1),
        Control("capacity", "points", "number", "error that size 1 adds", 0.5, 0.01, 3.0, 0.1),
        Control("capacity_exponent", "", "number", "of size", 0.3, 0.05, 0.5, 0.05),
        Control("experience", "", "number", "iterations in day one", 1.0, 0.25, 8.0, 0.25),
        Control("exponent_shift", "", "number", "against samples", 0.0, -0.6, 0.4, 0.05),
        Control("confounding", "", "number", "γ: k changes teach k^γ", 0.5, 0.0, 1.0, 0.05),
        Control("parallel_exponent", "", "number", "ρ: k at once save k^ρ", 0.5, 0.0, 1.0, 0.05),
        Control("target", "%", "number", "accuracy that is asked for", 97.0, 71.0, 99.9, 0.1),
        Control(
            "rival_size", "×", "number", "to compare with", 10.0, SMALLEST, LARGEST, 2.0, "log"
        ),
    )
    metrics = (
        Metric(
            "accuracy",
            "%",
            "higher",
            "at the deadline, mean of all projects",
            False,
            _TOLERANCE,
            _PATH,
        ),
        Metric("low", "%", "higher", "one project in ten is below", False, _TOLERANCE),
        Metric("high", "%", "higher", "one project in ten is above", False, _TOLERANCE),
        Metric(
            "verified",
            "%",
            "higher",
            "reached by checked changes, mean",
            False,
            _TOLERANCE,
            tuple(_GROUPS),
        ),
        Metric("reported", "%", None, "what validation shows", False, _TOLERANCE, _PATH),
        Metric("optimism", "points", "lower", "reported above accuracy", False, _TOLERANCE, _PATH),
        Metric(
            "verification_gap",
            "points",
            "lower",
            "reported above verified",
            False,
            _TOLERANCE,
            tuple(_GROUPS),
        ),
        Metric("day_one", "%", "higher", "accuracy before any iteration", False, _TOLERANCE),
        Metric("size_ceiling", "%", "higher", "what this size could ever reach", False, _TOLERANCE),
        Metric("bound", "%", None, "no size, batch or split verifies more", False, _TOLERANCE),
        Metric(
            "bound_unchecked", "%", None, "none reaches more, checked or not", False, _TOLERANCE
        ),
        Metric("rival_accuracy", "%", None, "the other size, same plan", False, _TOLERANCE),
        Metric("lead", "points", "higher", "over the other size", False, _TOLERANCE),
        Metric("signal", "%", "higher", "of releases, net, that moved on", False, _TOLERANCE),
        Metric("noise", "points", "lower", "standard error of an accuracy", False, _TOLERANCE),
        Metric("needed", "", "lower", "iterations to the target, no noise", False, _TOLERANCE),
        Metric("shortfall", "", "lower", "needed less held", False, _TOLERANCE),
        Metric("weeks_needed", "weeks", "lower", "to the target, without noise", False, _TOLERANCE),
        Metric("held", "", "higher", "iterations' worth in the calendar", True),
        Metric("held_checked", "", "higher", "of it, what is checked", True),
        Metric("changes", "", "higher", "made in the calendar", True),
        Metric("releases", "", "higher", "in the calendar", True),
        Metric("pace", "1/week", "higher", "changes a week", True),
        Metric("cycle", "weeks", "lower", "a change", True),
        Metric("release_weeks", "weeks", "lower", "a release", True),
        Metric("tax_share", "%", "lower", "of the calendar", True),
        Metric("training_share", "%", None, "of the calendar", True),
        Metric("labels", "labels", "higher", "to validate on", True),
        Metric("cost", "$", "lower", "to the deadline", True, 0.0, _BILL),
    )
    series = (
        Series("week", "weeks", "of the curves over time"),
        Series("accuracy_by_week", "%", "mean of all projects", (), False, _TOLERANCE),
        Series("low_by_week", "%", "one project in ten is below", (), False, _TOLERANCE),
        Series("high_by_week", "%", "one project in ten is above", (), False, _TOLERANCE),
        Series("rival_by_week", "%", "the other size", (), False, _TOLERANCE),
        Series("law_by_week", "%", "if no release went wrong", (), False, _TOLERANCE),
        Series("changes_by_week", "", "changes made"),
        Series("tax_by_week", "weeks", "waited for checks"),
        Series("sizes", "×", "of the curves over the size"),
        Series("accuracy_by_size", "%", "at the deadline", (), False, _TOLERANCE),
        Series("day_one_by_size", "%", "before any iteration", (), False, _TOLERANCE),
        Series("changes_by_size", "", "changes in the calendar"),
        Series("calendar", "weeks", "where they go", ("training", "work", "labelling", "tax")),
        Series("bill", "$", "what the cost is made of", _BILL),
    )
    mechanisms = (
        Mechanism("capacity", "what the size starts with, and could ever reach"),
        Mechanism("training", "weeks that a change trains"),
        Mechanism("team_work", "weeks of the team that a change takes, beside labelling"),
        Mechanism("parallel", "experiments at once"),
        Mechanism("tax", "weeks that releases wait for their check"),
        Mechanism("confounding", "changes in one batch, whose effects can't be told apart"),
        Mechanism("noise", "labels too few to tell a better version from a worse one"),
        Mechanism("calendar", "weeks to the deadline"),
        Mechanism("curve", "how fast iterations are taken to teach"),
        Mechanism("checks", "changes that nobody checked"),
        Mechanism("team_cost", "the team, by the week"),
        Mechanism("machine_cost", "machines, by the week"),
        Mechanism("change_cost", "changes, by the piece"),
        Mechanism("check_cost", "checks, by the piece"),
    )

    def evaluate(self, setting: Setting, *, seed: int) -> Outcome:
        """The outcome at ``setting``; no randomness. Raises SettingError at the border."""
        del seed
        asked = _admitted(complete(self.controls, setting))
        plan, law = _plan(asked), _law(asked)
        rival = asked | {"size": asked["rival_size"], "size_trained": asked["rival_size"]}
        walked, other = _walked(law, plan), _walked(_law(rival), _plan(rival))
        found = _measured(asked)
        error = found["error"]
        rival_accuracy = 100.0 * (1.0 - _at(other.errors, _plan(rival).releases))
        needed = law.needed(1.0 - asked["target"] / 100.0)
        bill = _bill(asked, plan)
        shares = {
            part: asked["weeks"] * getattr(plan, part) / plan.cycle
            for part in ("training", "work", "labelling", "tax")
        }
        weeks = asked["weeks"] * np.arange(POINTS + 1) / POINTS
        passed = weeks / asked["weeks"] * plan.releases
        rivals = weeks / asked["weeks"] * _plan(rival).releases
        sizes = [asked | {"size": size, "size_trained": size} for size in SIZES]
        return Outcome(
            {
                "accuracy": found["accuracy"],
                "low": float(100.0 * (1.0 - walked.worse[-1])),
                "high": float(100.0 * (1.0 - walked.better[-1])),
                "verified": found["verified"],
                "reported": found["reported"],
                "optimism": found["optimism"],
                "verification_gap": found["verification_gap"],
                "day_one": 100.0 * (1.0 - law.error(0.0)),
                "size_ceiling": 100.0 * (1.0 - law.floor),
                "bound": _bound(asked, taxed=True),
                "bound_unchecked": _bound(asked, taxed=False),
                "rival_accuracy": rival_accuracy,
                "lead": found["accuracy"] - rival_accuracy,
                "signal": 100.0 * _at(walked.states, plan.releases) / plan.releases,
                "noise": 100.0 * _stray(error, plan.labels),
                "needed": needed,
                "shortfall": needed - plan.held,
                "weeks_needed": asked["weeks"] * needed / plan.held,
            }
            | _accounts(asked, plan),
            {
                "week": tuple(weeks),
                "accuracy_by_week": _accuracies(walked.errors, passed),
                "low_by_week": tuple(100.0 * (1.0 - walked.worse)),
                "high_by_week": tuple(100.0 * (1.0 - walked.better)),
                "rival_by_week": _accuracies(other.errors, rivals),
                "law_by_week": tuple(100.0 * (1.0 - law.error(n * plan.worth)) for n in passed),
                "changes_by_week": tuple(weeks / plan.cycle),
                "tax_by_week": tuple(weeks * plan.tax / plan.cycle),
                "sizes": SIZES,
                "accuracy_by_size": _by_size(tuple((_law(s), _plan(s)) for s in sizes)),
                "day_one_by_size": tuple(100.0 * (1.0 - _law(s).error(0.0)) for s in sizes),
                "changes_by_size": tuple(_plan(s).changes for s in sizes),
                "calendar": tuple(shares.values()),
                "bill": tuple(bill[part] for part in _BILL),
            },
        )

    def stream(self, setting: Setting, *, seed: int) -> Iterator[Outcome]:
        """One outcome: there is nothing to wait for."""
        yield self.evaluate(setting, seed=seed)

    def accounts(self, setting: Setting, *, seed: int) -> Mapping[str, float]:
        """The exact metrics, which need no curve."""
        del seed
        asked = _admitted(complete(self.controls, setting))
        return _accounts(asked, _plan(asked))

    def explain(self, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
        """Split a change of ``cost`` (a sum), or of what is reached (by switching over).

        A larger model alone has two terms of accuracy, capacity and training; a larger batch
        tax and confounding; more validation team_work and
        noise; fewer checks tax and, of what is
        verified, checks. Raises SettingError at the border, ValueError for a metric without terms.
        """
        del seed
        terms = next((each.terms for each in self.metrics if each.name == metric), ())
        if not terms:
            explained = ", ".join(each.name for each in self.metrics if each.terms)
            raise ValueError(f"{metric} has no terms; explain {explained}")
        first, second = (_admitted(complete(self.controls, each)) for each in (before, after))
        if metric == "cost":
            old, new = (_bill(asked, _plan(asked)) for asked in (first, second))
            moved = {part: new[part] - old[part] for part in _BILL}
            return Terms(metric, sum(old.values()), sum(new.values()), moved)
        groups = {term: _GROUPS[term] for term in terms}
        return switched(metric, lambda asked: _measured(asked)[metric], first, second, groups)


def _admitted(asked: dict[str, Any]) -> dict[str, Any]:
    """The setting with its second names; raises SettingError for what no calendar can be."""
    low, start = asked["floor"] + asked["capacity"], 100.0 - asked["day_one"]
    if low >= start:
        raise SettingError("day_one", asked["day_one"], f"give less than {100.0 - low:g} %")
    asked |= {second: asked[first] for second, first in _TWICE.items()}
    # Half of the gap at most, or the smallest sizes would begin below nothing.
    early = asked["capacity"] * (1.0 - 10.0 ** -asked["capacity_exponent"])
    most = early + 0.5 * (start - low)
    if not early <= asked["head_start"] <= most:
        allowed = f"with this day one and capacity, give {early:.3g} to {most:.3g} points"
        raise SettingError("head_start", asked["head_start"], allowed)
    quickest = _plan(asked | {"size_trained": 0.0}).releases
    if quickest > RELEASES:
        allowed = (
            f"the smallest model would have {quickest:.0f} releases, and {RELEASES} are "
            "followed: give more work, a larger batch or fewer weeks"
        )
        raise SettingError("work", asked["work"], allowed)
    return asked


def _plan(asked: Mapping[str, Any]) -> _Plan:
    saved = asked["parallel"] ** asked["parallel_exponent"]
    spent = 1.0 / (1.0 - asked["validation"] / 100.0)
    training = asked["training"] * asked["size_trained"] / asked["compute"] / saved
    work = asked["work"] / saved
    labelling = work * (spent - 1.0)
    tax = asked["checked"] / 100.0 * asked["tax"] / asked["batch_sharing"]
    changes = asked["weeks"] / (training + work + labelling + tax)
    return _Plan(
        training,
        work,
        labelling,
        tax,
        changes,
        changes / asked["batch"],
        asked["batch"] ** asked["confounding"],
        asked["label_rate"] * asked["validation_labelled"] / 100.0 * asked["weeks"],
    )


def _law(asked: Mapping[str, Any]) -> _Law:
    """The law of a size: one at which tenfold starts ``head_start`` points ahead."""
    size, capacity = asked["size"], asked["capacity"] / 100.0
    gap = 1.0 - (asked["day_one"] + asked["floor"]) / 100.0 - capacity
    early = capacity * (1.0 - 10.0 ** -asked["capacity_exponent"])
    kept = 1.0 - (asked["head_start"] / 100.0 - early) / gap
    return _Law(
        asked["floor"] / 100.0 + capacity * size ** -asked["capacity_exponent"],
        gap * kept ** math.log10(size),
        asked["experience"],
        exponent() + asked["exponent_shift"],
    )


def _measured(asked: Mapping[str, Any]) -> dict[str, float]:
    """What the chain says of a setting: points, and ``error`` as a share."""
    plan, law = _plan(asked), _law(asked)
    means = _walked(law, plan).errors
    error = _at(means, plan.releases)
    accuracy = 100.0 * (1.0 - error)
    verified = 100.0 * (1.0 - _at(means, plan.releases * asked["checked_counted"] / 100.0))
    flattery = 100.0 * _stray(error, plan.labels) * expected_maximum(max(1.0, plan.releases))
    reported = min(100.0, accuracy + flattery)  # nothing is right more often than always
    return {
        "error": error,
        "accuracy": accuracy,
        "verified": verified,
        "reported": reported,
        "optimism": reported - accuracy,
        "verification_gap": reported - verified,
    }


def _accounts(asked: Mapping[str, Any], plan: _Plan) -> dict[str, float]:
    """The exact metrics."""
    return {
        "held": plan.held,
        "held_checked": plan.held * asked["checked"] / 100.0,
        "changes": plan.changes,
        "releases": plan.releases,
        "pace": 1.0 / plan.cycle,
        "cycle": plan.cycle,
        "release_weeks": plan.cycle * asked["batch"],
        "tax_share": 100.0 * plan.tax / plan.cycle,
        "training_share": 100.0 * plan.training / plan.cycle,
        "labels": plan.labels,
        "cost": sum(_bill(asked, plan).values()),
    }


def _bill(asked: Mapping[str, Any], plan: _Plan) -> dict[str, float]:
    machines = asked["compute_fee"] * asked["compute"] * asked["parallel"]
    return {
        "team_cost": asked["weeks"] * asked["team_fee"],
        "machine_cost": asked["weeks"] * machines,
        "change_cost": plan.changes * asked["change_fee"],
        "check_cost": plan.releases * asked["checked"] / 100.0 * asked["tax_price"],
    }


def _bound(asked: Mapping[str, Any], *, taxed: bool) -> float:
    """Accuracy, per cent, that no size, batch, split or share of checks exceeds.

    Compute, parallel experiments, calendar and tax are those of the setting; nobody labels and
    no release goes wrong. Error falls with the size and with iterations, which fall with the
    size: so each piece of the sizes, taken at its larger end with the iterations of its smaller
    one, is at least as good as anything inside it. Without tax a batch of one is best, as γ ≤ 1.
    """
    edges = np.geomspace(SMALLEST, LARGEST, CELLS + 1)
    batches = np.arange(1.0, BATCH + 1.0) if taxed else np.ones(1)
    saved = asked["parallel"] ** asked["parallel_exponent"]
    weeks = (asked["training"] * edges[:-1] / asked["compute"] + asked["work"]) / saved
    cycle = weeks[:, None] + (asked["tax"] / batches if taxed else 0.0)
    held = asked["weeks"] / cycle * batches ** (asked["confounding"] - 1.0)
    one, ten = (_law({**asked, "size": size}) for size in (1.0, 10.0))
    floor = asked["floor"] / 100.0 + asked["capacity"] / 100.0 * (
        edges[1:] ** -asked["capacity_exponent"]
    )
    gap = one.gap * (ten.gap / one.gap) ** np.log10(edges[1:])
    error = floor + gap * (1.0 + held.max(axis=1) / one.experience) ** -one.exponent
    return float(100.0 * (1.0 - error.min()))


# --- the chain -----------------------------------------------------------------------------------


def _stray(error: float, labels: float) -> float:
    """Binomial standard error of an accuracy measured on so many labels."""
    return math.sqrt(error * (1.0 - error) / max(1.0, labels))


def _chances(law: _Law, worth: float, labels: float, states: int) -> tuple[FloatArray, FloatArray]:
    """Errors of the states, and the probability to move on from each: Φ(gain/σ)."""
    steps = np.arange(states + 1) * (worth / law.experience)
    errors: FloatArray = np.asarray(law.floor + law.gap * np.power(1.0 + steps, -law.exponent))
    gains, here = errors[:-1] - errors[1:], errors[:-1]
    ratios = gains / np.sqrt(2.0 * here * (1.0 - here) / max(1.0, labels))
    right = [0.5 * (1.0 + math.erf(ratio)) for ratio in ratios.tolist()]
    return here, np.array(right)


def _moved(shares: FloatArray, right: FloatArray, states: int) -> FloatArray:
    """Shares (…, states + 1) of the projects after a release more; nobody falls behind day one."""
    on = shares[..., :states] * right[..., :states]
    back = shares[..., :states] - on
    after = np.empty((*shares.shape[:-1], states + 1))
    after[..., 0] = back[..., 0]
    after[..., 1:] = on
    after[..., : states - 1] += back[..., 1:]
    return after


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    """Where projects stand: means after each release, and the band at each point of the weeks.

    ``errors`` and ``states`` are means, an entry a release from none on. ``worse`` are the errors
    that one project in ten exceeds, ``better`` those that nine in ten do.
    """

    errors: FloatArray
    states: FloatArray
    worse: FloatArray
    better: FloatArray


@lru_cache(maxsize=256)
def _walked(law: _Law, plan: _Plan) -> _Walk:
    last = math.floor(plan.releases) + 1
    errors, right = _chances(law, plan.worth, plan.labels, last + 1)
    means, places = np.empty(last + 1), np.empty(last + 1)
    worse, better = np.empty(POINTS + 1), np.empty(POINTS + 1)
    points = (plan.releases * np.arange(POINTS + 1) / POINTS).tolist()
    point = 0
    states = np.arange(last + 1.0)
    shares = np.ones(1)
    for passed in range(last + 1):
        earlier, shares = shares, _moved(shares, right, passed) if passed else shares
        means[passed] = shares @ errors[: passed + 1]
        places[passed] = shares @ states[: passed + 1]
        while passed and point <= POINTS and points[point] < passed:
            # Between two releases a share of the projects has the later one behind it.
            under_way = points[point] - (passed - 1)
            mixed = under_way * shares
            mixed[:passed] += (1.0 - under_way) * earlier
            tenths = np.searchsorted(np.cumsum(mixed), (0.1 - 1e-9, 0.9 - 1e-9)).tolist()
            worse[point], better[point] = errors[tenths[0]], errors[tenths[1]]
            point += 1
    return _Walk(means, places, worse, better)


@lru_cache(maxsize=64)
def _by_size(cases: tuple[tuple[_Law, _Plan], ...]) -> tuple[float, ...]:
    """Mean accuracies, per cent, of cases in the order of falling releases, side by side."""
    counts = [math.ceil(plan.releases) for _, plan in cases]
    most = counts[0]
    tables = [_chances(law, plan.worth, plan.labels, most + 1) for law, plan in cases]
    errors, right = (np.stack(column) for column in zip(*tables, strict=True))
    # The two releases between which each calendar ends.
    ends = np.zeros((2, len(cases)))
    shares = np.ones((len(cases), 1))
    for passed in range(most + 1):
        left = sum(count >= passed for count in counts)
        if passed:
            shares = _moved(shares[:left], right[:left], passed)
        for case in range(left):
            if passed >= counts[case] - 1:
                end = passed - counts[case] + 1
                ends[end, case] = shares[case] @ errors[case, : passed + 1]
    return tuple(
        100.0 * (1.0 - (ends[1, at] + (counts[at] - plan.releases) * (ends[0, at] - ends[1, at])))
        for at, (_, plan) in enumerate(cases)
    )


def _at(row: FloatArray, releases: float) -> float:
    """The entry after so many releases; between two, the mean over projects out of step."""
    before = min(int(releases), len(row) - 1)
    after = min(before + 1, len(row) - 1)
    return float(row[before] + (releases - before) * (row[after] - row[before]))


def _accuracies(row: FloatArray, releases: FloatArray) -> tuple[float, ...]:
    return tuple(100.0 * (1.0 - _at(row, each)) for each in releases)


_GRID: Final = np.linspace(-9.0, 9.0, 1801)
_BELOW: Final = np.array([0.5 * (1.0 + math.erf(x / math.sqrt(2.0))) for x in _GRID.tolist()])


def expected_maximum(n: float) -> float:
    """Mean of the largest of ``n`` ≥ 1 independent standard normals.

    E = ∫₀ (1 - Φⁿ) dx - ∫⁰ Φⁿ dx, by the trapezium rule; below √(2 ln n) for n > 1.
    """
    share = _BELOW**n
    whole = np.where(_GRID > 0.0, 1.0 - share, -share)
    at = len(_GRID) // 2
    step = float(_GRID[1] - _GRID[0])
    # Halves of the jump at 0 and of the ends, which are nothing, belong to both sides.
    middle = 0.5 * (1.0 - 2.0 * float(share[at]))
    return max(0.0, step * float(whole[:at].sum() + whole[at + 1 :].sum() + middle))


MODEL: Final = Velocity()
