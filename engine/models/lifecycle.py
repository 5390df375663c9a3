"""Where the weeks of a project go: six stages, a wait that each change pays, and rework.

A project ships so many *changes*, in batches. A batch passes the six stages in order; where a
stage finds a fault, the batch goes back to the stage that made it. That is an absorbing Markov
chain, so the mean is exact accounting (:mod:`engine.numerics.rework`); its quantiles are those
of simulated projects, whose durations are log-normal.

What is assumed (*scenario*: values that a mission sets, with its own source and range):

- weeks of a stage, its spread, the chance of a fault, prices. Surveys differ about shares: 45 %
  of the time is loading and cleaning (Anaconda 2020, bigdatawire.com, 6 July 2020); 60 % cleaning
  and organising and 19 % collecting (CrowdFlower 2016, blog.ldodds.com, 31 January 2020), which
  was another question. Neither counts what a change waits for.
- a walk has no memory: a batch that comes back is as likely to carry a fault as a new one.
- (people / team)^α: scenario, 0.5 to 1. Scholtes, Mavrodiev and Schweitzer 2016 (Empirical
  Software Engineering, abstract) see less from each as open-source teams grow; Sornette, Maillart
  and Ghezzi 2014 (PLOS ONE 9, e103023, abstract) see more (exponent about 4/3).
- b^(N-1), the cost of a fault N stages late: b is a scenario, 1.2 to 2.5; the course says 2.
  100:1 over five steps is b = 2.5 and 4:1 to 6:1 is 1.3 to 1.4 (Boehm, as quoted at
  dustyvolumes.com/archives/603). Menzies et al. 2016 (arXiv 1609.04886, abstract) found no
  consistent effect in 171 projects.
- a check finds 1 - exp(-weeks / scale) of what reaches it; the wait that is taken away leaves a
  gap in what evaluation finds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from engine.contract import Control, Mechanism, Metric, Outcome, Series, Setting, Terms, complete
from engine.numerics import rework
from engine.numerics.randomness import FloatArray
from engine.switching import switched

STAGES: Final = ("prepare", "label", "train", "evaluate", "deploy", "monitor")
PROJECTS: Final = 2000
"""Simulated projects an evaluation."""

_PREPARE, _TRAIN, _EVALUATE, _LAST = 0, 2, 3, 5
_QUANTILES: Final = tuple(range(5, 100, 5))
_SPEEDS: Final = tuple(2.0 ** (n / 2) for n in range(13))

_TIME: Final = ("work", "rework", "waiting", "checking")
_MONEY: Final = (
    "work",
    "rework",
    "waiting",
    "checking",
    "automation",
    "hiring",
    "compute",
    "relief",
    "fees",
    "repairs",
)
_LEVERS: Final = ("automation", "hiring", "compute", "relief")
_MOVED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "work": (
        *(f"{stage}_weeks" for stage in STAGES),
        "spread",
        "changes",
        "shared_work",
        "team",
        "staffing_exponent",
        "compute_exponent",
    ),
    "automation": ("automate", "automation"),
    "hiring": ("hires",),
    "compute": ("compute",),
    "rework": ("fault", "data_share", "late_share", "late_base"),
    "waiting": ("tax_stage", "tax_weeks", "relief", "gap"),
    "checking": ("check_stage", "check_weeks", "check_scale"),
    "batching": ("batch",),
}
"""Which controls each term of a metric that is no sum belongs to, in the order of switching."""

_LATE_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "rework": (*_MOVED_BY["rework"], "changes"),
    **{term: _MOVED_BY[term] for term in ("waiting", "checking", "batching")},
}
"""The same of what is told of faults, which weeks have no part in."""

_SWITCHED: Final = tuple(_MOVED_BY)
_LATE: Final = tuple(_LATE_BY)


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """How batches of one size fare: how many, their chain, and a visit's weeks of each stage."""

    number: int
    chain: FloatArray
    visits: FloatArray
    work: FloatArray
    finds: Mapping[int, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """A setting worked out: batches, and the weeks of a visit that no size of batch moves."""

    batches: tuple[_Batch, ...]
    waits: FloatArray
    checks: FloatArray
    found: Mapping[int, FloatArray]

    @property
    def visits(self) -> FloatArray:
        """Expected visits to each stage in the whole project."""
        return sum((b.number * b.visits for b in self.batches), np.zeros(len(STAGES)))

    @property
    def first(self) -> FloatArray:
        """Weeks of work of each stage if nothing came back."""
        return sum((b.number * b.work for b in self.batches), np.zeros(len(STAGES)))

    @property
    def again(self) -> FloatArray:
        """Expected weeks of work of each stage on what came back."""
        return sum(
            (b.number * (b.visits - 1.0) * b.work for b in self.batches), np.zeros(len(STAGES))
        )

    @property
    def waiting(self) -> FloatArray:
        """Expected weeks of waiting in each stage, every visit."""
        return self.visits * self.waits

    @property
    def checking(self) -> FloatArray:
        """Expected weeks of added checks in each stage, every visit."""
        return self.visits * self.checks

    @property
    def weeks(self) -> FloatArray:
        """Expected weeks of each stage: the waterfall."""
        return self.first + self.again + self.waiting + self.checking


class Lifecycle:
    """Six stages from data to monitoring, with rework, a wait on one of them, and six remedies."""

    name = "lifecycle"
    version = 1
    summary = "Weeks of a project over six stages: work, rework, and the wait that changes pay."
    formula = (
        "t = (I - Q)^-1 τ      Q: chance that one stage's visit is followed by another's\n"
        "P(a batch of k carries a fault) = 1 - (1 - p)^k      τ = work + wait / relief + check\n"
        "speed-up = 1 / ((1 - f) + f/s)      ceiling = 1 / (1 - f)      f: the stage's work\n"
        "cost of a fault N stages late = b^(N-1)"
    )
    sources = (
        "Grinstead and Snell, Introduction to Probability, §11.2: absorbing Markov chains",
        "Amdahl 1967 (AFIPS), as stated in arc.leeds.ac.uk/glossary/amdahls-law",
        "b^(N-1) is the course's, b an assumption: Boehm's 100:1 and 4-6:1 as quoted at "
        "dustyvolumes.com/archives/603",
        "Menzies, Nichols, Shull and Layman 2016, Are Delayed Issues Harder to Resolve? "
        "(arXiv 1609.04886): no consistent effect in 171 projects",
        "Scholtes, Mavrodiev and Schweitzer 2016, and Sornette, Maillart and Ghezzi 2014 against "
        "them: returns of larger teams",
    )
    controls = (
        Control("automate", "", "choice", "the stage that is automated", "train", choices=STAGES),
        Control(
            "automation", "×", "number", "how much faster its work is", 1.0, 1.0, 16.0, 1.25, "log"
        ),
        Control("hires", "people", "integer", "added to the team", 0, 0, 40),
        Control("compute", "×", "number", "machines to train on", 1.0, 1.0, 64.0, 2.0, "log"),
        Control(
            "relief", "×", "number", "how much less a visit waits", 1.0, 1.0, 16.0, 1.25, "log"
        ),
        Control("batch", "changes", "integer", "that pass the stages together", 1, 1, 6),
        Control(
            "check_stage",
            "",
            "choice",
            "the stage that an added check ends",
            "train",
            choices=STAGES[:_LAST],
        ),
        Control("check_weeks", "weeks", "number", "of that check, a visit", 0.0, 0.0, 4.0, 0.05),
        *(
            Control(f"{stage}_weeks", "weeks", "number", summary, weeks, 0.01, 52.0, 0.1)
            for stage, summary, weeks in (
                ("prepare", "of work to prepare the data of a change", 2.0),
                ("label", "of work to label for a change", 0.5),
                ("train", "of training for a change", 0.6),
                ("evaluate", "of work to evaluate a change", 0.4),
                ("deploy", "of work to deploy a change", 0.2),
                ("monitor", "of monitoring until a change counts as shipped", 0.4),
            )
        ),
        Control("spread", "", "number", "σ of a stage's ln weeks", 0.4, 0.0, 1.0, 0.05),
        Control("tax_stage", "", "choice", "where each visit waits", "prepare", choices=STAGES),
        Control("tax_weeks", "weeks", "number", "that a visit waits there", 1.3, 0.0, 12.0, 0.1),
        Control("tax_dollars", "$", "number", "that a visit pays there", 9e4, 0.0, 1e7, 1e4),
        Control("gap", "", "number", "of what evaluation finds, lost with the wait", 0.0, 0.0, 0.9),
        Control("changes", "changes", "integer", "that the project ships", 6, 1, 8),
        Control(
            "shared_work", "", "number", "of a visit's work, done once a batch", 0.3, 0.0, 1.0, 0.05
        ),
        Control("fault", "", "number", "chance that a change carries one", 0.15, 0.0, 0.35, 0.01),
        Control(
            "data_share", "", "number", "of the faults that data brings in", 0.6, 0.0, 1.0, 0.05
        ),
        Control(
            "late_share", "", "number", "of faults that evaluation misses", 0.3, 0.0, 1.0, 0.05
        ),
        Control("check_scale", "weeks", "number", "of checks that find 63 %", 0.5, 0.02, 4.0, 0.1),
        Control("late_base", "×", "number", "b: a fault's cost a stage later", 2.0, 1.2, 2.5, 0.1),
        Control("team", "people", "integer", "that the weeks of the stages hold for", 5, 1, 100),
        Control("staffing_exponent", "", "number", "α of (people / team)^α", 0.7, 0.3, 1.0, 0.05),
        Control(
            "compute_exponent", "", "number", "β of machines^β, in training", 0.8, 0.3, 1.0, 0.05
        ),
        Control("pay", "$", "number", "of a person, a week", 4e3, 0.0, 1e5, 500.0),
        Control("automation_price", "$", "number", "of each × beyond 1", 6e4, 0.0, 1e7, 1e4),
        Control("hire_price", "$", "number", "of hiring a person", 3e4, 0.0, 1e6, 1e4),
        Control("compute_price", "$", "number", "of each × beyond 1", 5e4, 0.0, 1e7, 1e4),
        Control("relief_price", "$", "number", "of each × beyond 1", 1e5, 0.0, 1e7, 1e4),
        Control("fix_dollars", "$", "number", "of a fault where it is made", 1e3, 0.0, 1e6, 500.0),
    )
    metrics = (
        Metric("weeks", "weeks", "lower", "to ship every change, mean", True, 0.0, _TIME),
        *(
            Metric(
                f"weeks_p{share}",
                "weeks",
                "lower",
                f"that {share} % of {PROJECTS} simulated projects keep",
                False,
                0.0,
                _SWITCHED,
            )
            for share in (10, 50, 90)
        ),
        Metric("weeks_simulated", "weeks", None, "mean of the simulated projects", False),
        Metric("simulated_error", "weeks", None, "standard error of that mean", False),
        Metric("cycle_weeks", "weeks", "lower", "of a batch that never comes back", True),
        Metric("waiting_weeks", "weeks", "lower", "spent waiting, mean", True),
        Metric("waiting_share", "%", "lower", "of the weeks that are waiting", True),
        Metric("rework_share", "%", "lower", "of the weeks that are work done again", True),
        *(
            Metric(f"{stage}_share", "%", None, f"of the weeks, stage {n}", True)
            for n, stage in enumerate(STAGES, 1)
        ),
        Metric("largest_share", "%", None, "of the weeks, the largest stage", True),
        Metric("largest_stage", "", None, "its number, 1 to 6", True),
        Metric("chosen_share", "%", "higher", "of the weeks, the stage to automate", True),
        Metric("visits", "visits", "lower", "to all stages, mean", True),
        Metric("iterations", "visits", "lower", "to training, mean", True),
        Metric("automated_share", "%", None, "f: its work in the weeks, unautomated", True),
        Metric("speedup", "×", "higher", "of the project, by what is automated", True),
        Metric("ceiling", "×", None, "of that, were the stage's work no work at all", True),
        Metric("late_cost", "×", None, "b^5: a fault of the data, found in monitoring", True),
        Metric(
            "propagation",
            "×",
            "lower",
            "cost of a fault where it is found over where it is made, mean",
            True,
            0.0,
            _LATE,
        ),
        Metric("escaped", "faults", "lower", "found in monitoring only, mean", True, 0.0, _LATE),
        Metric("spend", "$", "lower", "on automation, hires, compute, relief", True, 0.0, _LEVERS),
        Metric("dollars", "$", "lower", "of the whole project, mean", True, 0.0, _MONEY),
    )
    series = (
        Series("waterfall", "weeks", "of each stage, visits again included", STAGES),
        Series("working", "weeks", "of work, the first time, by stage", STAGES),
        Series("reworking", "weeks", "of work done again, by stage", STAGES),
        Series("waits", "weeks", "of waiting, by stage", STAGES),
        Series("checks", "weeks", "of added checks, by stage", STAGES),
        Series("stage_visits", "visits", "to each stage, mean", STAGES),
        Series("parts", "weeks", "what the weeks are", _TIME),
        Series("costs", "$", "what the dollars are", _MONEY),
        Series("found", "%", "of the faults, where they are found", STAGES),
        Series("late_costs", "×", "b^(N-1) of a fault of the data, by stage", STAGES),
        Series("quantile", "%", "of simulated projects: the axis of their lengths"),
        Series("lengths", "weeks", "that so many projects keep", (), False),
        Series("stage_speedup", "×", "of the automated stage: the axis of Amdahl's curve"),
        Series("whole_speedup", "×", "1 / ((1 - f) + f/s)"),
        Series("whole_ceiling", "×", "1 / (1 - f)"),
    )
    mechanisms = (
        Mechanism("work", "the stages' own work, once"),
        Mechanism("rework", "work done again, because a fault was found"),
        Mechanism("waiting", "what every visit to one stage waits: the tax"),
        Mechanism("checking", "an added check: its weeks, and what it finds early"),
        Mechanism("automation", "a stage's work done by machines"),
        Mechanism("hiring", "more people, each adding less"),
        Mechanism("compute", "machines to train on"),
        Mechanism("batching", "changes that share a visit, and its faults"),
        Mechanism("relief", "what takes the wait away"),
        Mechanism("fees", "what every visit to the taxed stage pays"),
        Mechanism("repairs", "faults put right, dearer the later they are found"),
    )

    def evaluate(self, setting: Setting, *, seed: int) -> Outcome:
        """Accounting and 2,000 simulated projects. Raises SettingError at the border."""
        asked = complete(self.controls, setting)
        plan = _plan(asked)
        lengths = _lengths(asked, plan, seed)
        quantiles = np.quantile(lengths, [share / 100 for share in (10, 90, *_QUANTILES)])
        curve = tuple(quantiles[2:].tolist())
        simulated = {
            "weeks_p10": quantiles[0],
            "weeks_p50": curve[_QUANTILES.index(50)],
            "weeks_p90": quantiles[1],
            "weeks_simulated": lengths.mean(),
            "simulated_error": lengths.std(ddof=1) / math.sqrt(PROJECTS),
        }
        series = _series(asked, plan) | {
            "quantile": tuple(float(share) for share in _QUANTILES),
            "lengths": curve,
        }
        return Outcome(_accounts(asked, plan) | simulated, series)

    def stream(self, setting: Setting, *, seed: int) -> Iterator[Outcome]:
        """One outcome: there is nothing to wait for."""
        yield self.evaluate(setting, seed=seed)

    def accounts(self, setting: Setting, *, seed: int) -> Mapping[str, float]:
        """The metrics that nothing is simulated for: as :meth:`evaluate`'s."""
        del seed
        asked = complete(self.controls, setting)
        return _accounts(asked, _plan(asked))

    def explain(self, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
        """Split a change of weeks, spend or dollars (sums), or of another metric (switching).

        A term of weeks is what the weeks are spent on; of a quantile, which controls moved it.
        Raises SettingError at the border, ValueError for a metric without terms.
        """
        first, second = complete(self.controls, before), complete(self.controls, after)
        declared = {each.name: each.terms for each in self.metrics}
        if not declared.get(metric):
            known = ", ".join(name for name, terms in declared.items() if terms)
            raise ValueError(f"{metric} has no terms; explain {known}")
        if metric in ("weeks", "spend", "dollars"):
            old, new = (_parts(metric, asked, _plan(asked)) for asked in (first, second))
            terms = {part: new[part] - old[part] for part in declared[metric]}
            return Terms(metric, sum(old.values()), sum(new.values()), terms)

        def measured(asked: Mapping[str, Any]) -> float:
            plan = _plan(asked)
            if metric in ("propagation", "escaped"):
                return _accounts(asked, plan)[metric]
            share = float(metric.removeprefix("weeks_p")) / 100
            return float(np.quantile(_lengths(asked, plan, seed), share))

        groups = _LATE_BY if metric in ("propagation", "escaped") else _MOVED_BY
        return switched(metric, measured, first, second, groups)


def _plan(asked: Mapping[str, Any]) -> _Plan:
    found = _found(asked)
    people = ((asked["team"] + asked["hires"]) / asked["team"]) ** asked["staffing_exponent"]
    work = np.array([asked[f"{stage}_weeks"] for stage in STAGES])
    speed = np.full(len(STAGES), people)
    speed[_TRAIN] = asked["compute"] ** asked["compute_exponent"]
    speed[STAGES.index(asked["automate"])] *= asked["automation"]
    work = work / speed

    whole, rest = divmod(asked["changes"], asked["batch"])
    sizes = {asked["batch"]: whole} if whole else {}
    if rest:
        sizes[rest] = 1
    shared = asked["shared_work"]
    batches = []
    for size, number in sizes.items():
        chance = 1.0 - (1.0 - asked["fault"]) ** size
        chain, finds = rework.returning(len(STAGES), chance, found)
        load = work * (shared + (1.0 - shared) * size)
        batches.append(_Batch(number, chain, rework.visits(chain), load, finds))

    waits, checks = np.zeros(len(STAGES)), np.zeros(len(STAGES))
    waits[STAGES.index(asked["tax_stage"])] = asked["tax_weeks"] / asked["relief"]
    checks[STAGES.index(asked["check_stage"])] = asked["check_weeks"]
    return _Plan(tuple(batches), waits, checks, found)


def _found(asked: Mapping[str, Any]) -> dict[int, FloatArray]:
    """By the stage where faults are made: the share of all faults that each stage finds.

    Data faults are there from the first stage on, the others from training on. The added check
    finds some, evaluation most of the rest, monitoring all that is left.
    """
    catches = np.zeros(len(STAGES))
    late, gap = asked["late_share"], asked["gap"] * (1.0 - 1.0 / asked["relief"])
    catches[_EVALUATE] = (1.0 - late) * (1.0 - gap)
    check = STAGES.index(asked["check_stage"])
    caught = 1.0 - math.exp(-asked["check_weeks"] / asked["check_scale"])
    catches[check] = 1.0 - (1.0 - catches[check]) * (1.0 - caught)
    catches[_LAST] = 1.0
    shares = {_PREPARE: asked["data_share"], _TRAIN: 1.0 - asked["data_share"]}
    found = {}
    for origin, share in shares.items():
        here = np.where(np.arange(len(STAGES)) >= origin, catches, 0.0)
        missed = np.concatenate(([1.0], np.cumprod(1.0 - here)[:-1]))
        found[origin] = share * here * missed
    return found


def _parts(metric: str, asked: Mapping[str, Any], plan: _Plan) -> dict[str, float]:
    """What ``weeks``, ``spend`` or ``dollars`` is the sum of."""
    weeks = {
        "work": float(plan.first.sum()),
        "rework": float(plan.again.sum()),
        "waiting": float(plan.waiting.sum()),
        "checking": float(plan.checking.sum()),
    }
    if metric == "weeks":
        return weeks
    spend = {
        "automation": (asked["automation"] - 1.0) * asked["automation_price"],
        "hiring": asked["hires"] * asked["hire_price"],
        "compute": (asked["compute"] - 1.0) * asked["compute_price"],
        "relief": (asked["relief"] - 1.0) * asked["relief_price"],
    }
    if metric == "spend":
        return spend
    payroll = asked["pay"] * (asked["team"] + asked["hires"])
    taxed = float(plan.visits[STAGES.index(asked["tax_stage"])])
    repairs = sum(
        batch.number * float((batch.visits * finds) @ _late(asked, origin))
        for batch in plan.batches
        for origin, finds in batch.finds.items()
    )
    return (
        {part: payroll * each for part, each in weeks.items()}
        | spend
        | {
            "fees": asked["tax_dollars"] * taxed / asked["relief"],
            "repairs": asked["fix_dollars"] * repairs,
        }
    )


def _late(asked: Mapping[str, Any], origin: int) -> FloatArray:
    """b^(N-1) of a fault made in stage ``origin`` and found N - 1 stages later; before it, 0."""
    stages = np.arange(len(STAGES))
    return np.where(stages >= origin, asked["late_base"] ** np.maximum(stages - origin, 0.0), 0.0)


def _accounts(asked: Mapping[str, Any], plan: _Plan) -> dict[str, float]:
    by_stage = plan.weeks
    weeks = float(by_stage.sum())
    shares = 100.0 * by_stage / weeks
    part = _amdahl(asked, plan)
    speed = 1.0 / ((1.0 - part) + part / asked["automation"])
    largest = int(np.argmax(by_stage))
    full = plan.batches[0]
    return {
        "weeks": weeks,
        "cycle_weeks": float((full.work + plan.waits + plan.checks).sum()),
        "waiting_weeks": float(plan.waiting.sum()),
        "waiting_share": 100.0 * float(plan.waiting.sum()) / weeks,
        "rework_share": 100.0 * float(plan.again.sum()) / weeks,
        **{f"{stage}_share": float(share) for stage, share in zip(STAGES, shares, strict=True)},
        "largest_share": float(shares[largest]),
        "largest_stage": largest + 1.0,
        "chosen_share": float(shares[STAGES.index(asked["automate"])]),
        "visits": float(plan.visits.sum()),
        "iterations": float(plan.visits[_TRAIN]),
        "automated_share": 100.0 * part,
        "speedup": speed,
        "ceiling": 1.0 / (1.0 - part),
        "late_cost": float(_late(asked, _PREPARE)[_LAST]),
        "propagation": sum(
            float(found @ _late(asked, origin)) for origin, found in plan.found.items()
        ),
        "escaped": sum(
            batch.number * float(batch.visits[_LAST] * finds[_LAST])
            for batch in plan.batches
            for finds in batch.finds.values()
        ),
        "spend": sum(_parts("spend", asked, plan).values()),
        "dollars": sum(_parts("dollars", asked, plan).values()),
    }


def _amdahl(asked: Mapping[str, Any], plan: _Plan) -> float:
    """The share of the weeks that is the automated stage's work, before it is automated."""
    stage = STAGES.index(asked["automate"])
    own = float(plan.first[stage] + plan.again[stage])
    before = own * float(asked["automation"])
    return before / (float(plan.weeks.sum()) - own + before)


def _series(asked: Mapping[str, Any], plan: _Plan) -> dict[str, tuple[float, ...]]:
    part = _amdahl(asked, plan)
    return {
        "waterfall": tuple(plan.weeks.tolist()),
        "working": tuple(plan.first.tolist()),
        "reworking": tuple(plan.again.tolist()),
        "waits": tuple(plan.waiting.tolist()),
        "checks": tuple(plan.checking.tolist()),
        "stage_visits": tuple(plan.visits.tolist()),
        "parts": tuple(_parts("weeks", asked, plan).values()),
        "costs": tuple(_parts("dollars", asked, plan)[each] for each in _MONEY),
        "found": tuple((100.0 * sum(plan.found.values(), np.zeros(len(STAGES)))).tolist()),
        "late_costs": tuple(_late(asked, _PREPARE).tolist()),
        "stage_speedup": _SPEEDS,
        "whole_speedup": tuple(1.0 / ((1.0 - part) + part / s) for s in _SPEEDS),
        "whole_ceiling": (1.0 / (1.0 - part),) * len(_SPEEDS),
    }


def _lengths(asked: Mapping[str, Any], plan: _Plan, seed: int) -> FloatArray:
    """Weeks of the simulated projects.

    A project draws how long each of its stages takes once: data that are hard to prepare are so
    at every visit. Its batches walk on their own.
    """
    lengths = np.zeros(PROJECTS)
    factors = _factors(asked["spread"], seed)
    fixed = plan.waits + plan.checks
    for size, batch in enumerate(plan.batches):
        # Batches of one project lie a whole set of projects apart, so that a set keeps its draws.
        walked = rework.walks(batch.chain, PROJECTS * batch.number, seed, "lifecycle", size)
        visits = walked.reshape(batch.number, PROJECTS, len(STAGES)).sum(axis=0)
        lengths += (visits * (batch.work * factors + fixed)).sum(axis=1)
    return lengths


@lru_cache(maxsize=16)
def _factors(spread: float, seed: int) -> FloatArray:
    return rework.lognormal(spread, (PROJECTS, len(STAGES)), seed, "lifecycle", "weeks")


MODEL: Final = Lifecycle()
