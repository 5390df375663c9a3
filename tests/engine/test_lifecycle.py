from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contract import Control, SettingError
from engine.models.lifecycle import MODEL, STAGES

FRESH: Final = (90101, 90102, 90103)

# Plausible scenarios of four projects. Assumptions, as a mission would make them.
TRACKS: Final[dict[str, dict[str, Any]]] = {
    "cloud": {
        **dict(zip([f"{s}_weeks" for s in STAGES], (2.5, 0.4, 0.8, 0.4, 0.2, 0.3), strict=True)),
        **{"tax_stage": "prepare", "tax_weeks": 1.3, "tax_dollars": 9e4, "team": 8, "pay": 5e3},
        **{"fault": 0.12, "shared_work": 0.2, "relief_price": 1.5e5, "hire_price": 4e4},
    },
    "edge": {
        **dict(zip([f"{s}_weeks" for s in STAGES], (0.35, 0.3, 0.3, 0.3, 0.15, 0.2), strict=True)),
        **{"tax_stage": "evaluate", "tax_weeks": 2.0, "tax_dollars": 2e4, "gap": 0.5, "team": 8},
        **{"fault": 0.35, "data_share": 0.8, "shared_work": 0.1, "check_scale": 0.1},
        **{"relief_price": 4e5, "compute_price": 3e4},
    },
    "mobile": {
        **dict(zip([f"{s}_weeks" for s in STAGES], (0.2, 0.1, 0.1, 0.15, 0.1, 0.1), strict=True)),
        **{"tax_stage": "deploy", "tax_weeks": 1.0, "tax_dollars": 0.0, "gap": 0.3, "team": 6},
        **{"fault": 0.06, "late_share": 0.2, "data_share": 0.5, "changes": 8},
        **{"relief_price": 1.5e5, "compute_price": 3e4},
    },
    "tiny": {
        **dict(zip([f"{s}_weeks" for s in STAGES], (0.6, 0.7, 0.2, 0.5, 0.3, 0.5), strict=True)),
        **{"tax_stage": "label", "tax_weeks": 4.3, "tax_dollars": 5e3, "gap": 0.3, "team": 4},
        **{"fault": 0.25, "data_share": 0.8, "shared_work": 0.1},
        **{"relief_price": 6e4, "compute_price": 3e4},
    },
}
BUDGET: Final = 1.2e5
PLAIN: Final[dict[str, Any]] = {"changes": 1, "shared_work": 0.0, "tax_weeks": 0.0, "spread": 0.0}
BEFORE: Final[dict[str, Any]] = TRACKS["edge"]
AFTER: Final[dict[str, Any]] = {
    **BEFORE,
    **{"automate": "evaluate", "automation": 3.0, "hires": 2, "compute": 4.0, "relief": 2.0},
    **{"batch": 3, "check_stage": "prepare", "check_weeks": 0.2, "fault": 0.2, "late_base": 1.5},
    **{"changes": 5, "train_weeks": 0.4, "spread": 0.2},
}


def metrics(setting: dict[str, Any]) -> dict[str, float]:
    return dict(MODEL.accounts(setting, seed=1))


def remedies(track: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Six strategies, each with the whole budget for itself, or paid in weeks."""

    def bought(price: str) -> float:
        default = next(c.default for c in MODEL.controls if c.name == price)
        return 1.0 + BUDGET / float(track.get(price, default))

    dearest = max(STAGES, key=lambda stage: track[f"{stage}_weeks"])
    settings = {
        "automation": {"automate": dearest, "automation": bought("automation_price")},
        "hiring": {"hires": round(bought("hire_price") - 1.0)},
        "compute": {"compute": bought("compute_price")},
        "relief": {"relief": bought("relief_price")},
        "checking": {"check_stage": "prepare", "check_weeks": 0.2},
        "batching": min(
            ({"batch": k} for k in (2, 3, 4)), key=lambda s: metrics({**track, **s})["weeks"]
        ),
    }
    return {name: {**track, **each} for name, each in settings.items()}


def test_the_outcome_has_what_is_declared_and_every_label_its_value() -> None:
    outcome = MODEL.evaluate({}, seed=1)
    assert set(outcome.metrics) == {metric.name for metric in MODEL.metrics}
    assert set(outcome.series) == {series.name for series in MODEL.series}
    for each in MODEL.series:
        assert len(outcome.series[each.name]) == len(each.labels or outcome.series[each.name])
    assert [*MODEL.stream({}, seed=1)] == [outcome]
    assert MODEL.evaluate({}, seed=2).metrics["weeks"] == outcome.metrics["weeks"]
    assert MODEL.evaluate({}, seed=2).metrics["weeks_p90"] != outcome.metrics["weeks_p90"]


@pytest.mark.parametrize("track", TRACKS)
def test_accounts_are_the_exact_metrics_of_an_evaluation(track: str) -> None:
    accounts = MODEL.accounts(TRACKS[track], seed=1)
    found = MODEL.evaluate(TRACKS[track], seed=1).metrics
    assert accounts.keys() == {metric.name for metric in MODEL.metrics if metric.exact}
    assert {name: found[name] for name in accounts} == accounts


def test_without_faults_a_project_is_its_stages_one_after_the_other() -> None:
    setting = {**PLAIN, "fault": 0.0, "changes": 5, "tax_weeks": 3.0}
    found = MODEL.evaluate(setting, seed=1).metrics
    one = 2.0 + 0.5 + 0.6 + 0.4 + 0.2 + 0.4 + 3.0
    for name in ("weeks", "weeks_p10", "weeks_p90", "weeks_simulated"):
        assert found[name] == pytest.approx(5 * one)
    assert found["cycle_weeks"] == pytest.approx(one)
    assert found["visits"] == pytest.approx(30)
    assert found["rework_share"] == found["escaped"] == found["simulated_error"] == 0.0
    assert found["waiting_share"] == pytest.approx(300 / one)


@pytest.mark.parametrize(
    ("setting", "visits"),
    [
        ({"data_share": 1.0, "late_share": 0.0}, (1.25, 1.25, 1.25, 1.25, 1, 1)),
        ({"data_share": 1.0, "late_share": 1.0}, (1.25,) * 6),
        ({"data_share": 0.0, "late_share": 0.0}, (1, 1, 1.25, 1.25, 1, 1)),
        ({"data_share": 0.0, "late_share": 1.0}, (1, 1, 1.25, 1.25, 1.25, 1.25)),
    ],
)
def test_a_loop_is_a_geometric_series(setting: dict[str, Any], visits: tuple[float, ...]) -> None:
    outcome = MODEL.evaluate({**PLAIN, "fault": 0.2, **setting}, seed=1)
    assert outcome.series["stage_visits"] == pytest.approx(visits)
    work = (2.0, 0.5, 0.6, 0.4, 0.2, 0.4)
    weeks = sum(v * w for v, w in zip(visits, work, strict=True))
    assert outcome.metrics["weeks"] == pytest.approx(weeks)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_a_batch_fails_if_any_of_its_changes_does(k: int) -> None:
    setting = {**PLAIN, "fault": 0.1, "data_share": 1.0, "batch": k, "changes": k}
    found = metrics({**setting, "late_share": 1.0})
    assert found["iterations"] == pytest.approx(1 / 0.9**k)
    # Nothing is shared, so k changes are k times the work.
    assert found["weeks"] == pytest.approx(k * 4.1 / 0.9**k)


def test_what_is_left_over_is_a_smaller_batch() -> None:
    seven, two, one = (
        metrics({"changes": changes, "batch": batch})["weeks"]
        for changes, batch in ((7, 2), (2, 2), (1, 1))
    )
    assert seven == pytest.approx(3 * two + one)
    assert metrics({"changes": 4, "batch": 6}) == metrics({"changes": 4, "batch": 4})


@pytest.mark.parametrize("track", TRACKS)
@pytest.mark.parametrize("seed", FRESH)
def test_simulated_projects_agree_with_the_oracle(track: str, seed: int) -> None:
    for setting in (TRACKS[track], {**TRACKS[track], "batch": 4, "relief": 2.0, "spread": 0.8}):
        found = MODEL.evaluate(setting, seed=seed).metrics
        strayed = abs(found["weeks_simulated"] - found["weeks"])
        assert strayed <= 5 * found["simulated_error"]
        assert found["weeks_p10"] < found["weeks_p50"] < found["weeks_p90"]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    fault=st.floats(0.0, 0.3),
    shares=st.tuples(*[st.floats(0.0, 1.0)] * 3),
    taxed=st.sampled_from(STAGES),
    checked=st.sampled_from(STAGES[:5]),
    weeks=st.floats(0.0, 2.0),
    levers=st.tuples(st.floats(1.0, 16.0), st.floats(1.0, 16.0), st.integers(0, 40)),
    batch=st.integers(1, 4),
    seed=st.integers(0, 10**6),
)
def test_any_process_agrees_with_its_oracle_and_its_parts(
    fault: float,
    shares: tuple[float, float, float],
    taxed: str,
    checked: str,
    weeks: float,
    levers: tuple[float, float, int],
    batch: int,
    seed: int,
) -> None:
    setting: dict[str, Any] = {"fault": fault, "batch": batch, "tax_stage": taxed, "gap": 0.5}
    setting |= dict(zip(("data_share", "late_share", "shared_work"), shares, strict=True))
    setting |= dict(zip(("automation", "relief", "hires"), levers, strict=True))
    setting |= {"check_stage": checked, "check_weeks": weeks, "changes": 5, "automate": taxed}
    outcome = MODEL.evaluate(setting, seed=seed)
    found, series = outcome.metrics, outcome.series
    assert abs(found["weeks_simulated"] - found["weeks"]) <= 5 * found["simulated_error"] + 1e-9
    for name in ("waterfall", "parts"):
        assert sum(series[name]) == pytest.approx(found["weeks"], rel=1e-9)
    assert sum(series["costs"]) == pytest.approx(found["dollars"], rel=1e-9)
    assert sum(series["found"]) == pytest.approx(100.0)
    assert sum(found[f"{stage}_share"] for stage in STAGES) == pytest.approx(100.0)
    assert found["largest_share"] == pytest.approx(max(found[f"{stage}_share"] for stage in STAGES))
    assert found["chosen_share"] == found[f"{taxed}_share"]
    assert 1.0 <= found["speedup"] <= found["ceiling"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("factor", [1.0, 2.5, 16.0])
def test_amdahl_says_how_much_faster_the_whole_gets(stage: str, factor: float) -> None:
    track = {**TRACKS["cloud"], "automate": stage}
    before, after = metrics(track), metrics({**track, "automation": factor})
    share = before["automated_share"] / 100
    assert before["weeks"] / after["weeks"] == pytest.approx(after["speedup"], rel=1e-12)
    assert after["speedup"] == pytest.approx(1 / ((1 - share) + share / factor), rel=1e-12)
    assert after["ceiling"] == pytest.approx(1 / (1 - share), rel=1e-12)
    # The share is of the project as it was, however far it is automated.
    assert after["automated_share"] == pytest.approx(before["automated_share"], rel=1e-12)


def test_amdahls_curve_is_that_of_the_projects_it_speaks_of() -> None:
    track = {**TRACKS["cloud"], "automate": "prepare"}
    series = MODEL.evaluate(track, seed=1).series
    weeks = [metrics({**track, "automation": s})["weeks"] for s in series["stage_speedup"][:9]]
    assert [weeks[0] / each for each in weeks] == pytest.approx(list(series["whole_speedup"][:9]))


@pytest.mark.parametrize(
    ("setting", "cost"),
    [
        ({"data_share": 1.0, "late_share": 0.0}, 2.0**3),
        ({"data_share": 1.0, "late_share": 1.0}, 2.0**5),
        ({"data_share": 0.0, "late_share": 0.0}, 2.0**1),
        ({"data_share": 0.0, "late_share": 1.0}, 2.0**3),
        ({"data_share": 0.5, "late_share": 0.5}, (2 + 8 + 8 + 32) / 4),
    ],
)
def test_a_fault_costs_b_for_every_stage_that_it_is_late(
    setting: dict[str, Any], cost: float
) -> None:
    assert metrics(setting)["propagation"] == pytest.approx(cost)
    assert metrics(setting)["late_cost"] == 32.0
    assert metrics({**setting, "late_base": 2.5})["late_cost"] == pytest.approx(97.65625)


@pytest.mark.parametrize(("where", "late"), [(s, n) for n, s in enumerate(STAGES[:3])])
def test_a_check_finds_early_what_it_finds(where: str, late: int) -> None:
    base = {"data_share": 1.0, "late_share": 0.0, "check_scale": 0.5}
    found = metrics({**base, "check_stage": where, "check_weeks": 0.5})
    caught = 1 - math.exp(-1)
    assert found["propagation"] == pytest.approx(caught * 2.0**late + (1 - caught) * 8.0)


def test_a_check_before_training_cant_find_what_training_brings_in() -> None:
    base = {"data_share": 0.0, "late_share": 0.5}
    for where in ("prepare", "label"):
        checked = metrics({**base, "check_stage": where, "check_weeks": 1.0})
        assert checked["propagation"] == metrics(base)["propagation"]
        assert checked["weeks"] > metrics(base)["weeks"]


def test_repairs_are_what_the_faults_found_cost() -> None:
    setting = {**PLAIN, "fault": 0.2, "data_share": 1.0, "late_share": 1.0, "fix_dollars": 100.0}
    costs = MODEL.evaluate(setting, seed=1).series["costs"]
    assert costs[-1] == pytest.approx(0.25 * 100 * 32)
    assert metrics(setting)["escaped"] == pytest.approx(0.25)


def test_dollars_are_counts_times_prices() -> None:
    setting = {**PLAIN, "fault": 0.0, "changes": 2, "tax_weeks": 1.0, "relief": 2.0, "hires": 3}
    more = {"automation": 3.0, "compute": 4.0, "staffing_exponent": 1.0, "compute_exponent": 1.0}
    found = metrics({**setting, **more, "automate": "train"})
    weeks = 2 * (3.5 * 5 / 8 + 0.6 / 12 + 0.5)
    spend = 2 * 6e4 + 3 * 3e4 + 3 * 5e4 + 1e5
    assert found["weeks"] == pytest.approx(weeks)
    assert found["spend"] == pytest.approx(spend)
    assert found["dollars"] == pytest.approx(spend + 8 * 4e3 * weeks + 2 * 9e4 / 2)


@pytest.mark.parametrize("track", TRACKS)
@pytest.mark.parametrize("lever", ["automation", "hires", "compute", "relief"])
def test_each_step_of_a_lever_gives_less_than_the_one_before(track: str, lever: str) -> None:
    # The gap is what relief costs besides money; here only its return is asked about.
    base = {**TRACKS[track], "gap": 0.0, "automate": STAGES[2]}
    weeks = [metrics({**base, lever: value})["weeks"] for value in (1, 2, 3, 4, 5)]
    gains = [before - after for before, after in pairwise(weeks)]
    assert gains == sorted(gains, reverse=True)
    assert gains[-1] > 0.0


@pytest.mark.parametrize(
    ("track", "stage"),
    [("cloud", "prepare"), ("edge", "evaluate"), ("mobile", "deploy"), ("tiny", "label")],
)
def test_each_tracks_own_stage_takes_most_of_its_time(track: str, stage: str) -> None:
    found = metrics(TRACKS[track])
    assert found[f"{stage}_share"] > 60.0
    assert found["largest_stage"] == 1 + STAGES.index(stage)


@pytest.mark.parametrize("track", TRACKS)
def test_automating_training_hardly_helps_and_leaves_the_wait(track: str) -> None:
    automated = {**TRACKS[track], "automate": "train", "automation": 3.0}
    terms = MODEL.explain("weeks", TRACKS[track], automated, seed=1)
    assert -0.1 < terms.change / terms.before < 0.0
    assert terms.terms["waiting"] == terms.terms["checking"] == 0.0
    assert terms.largest == "work"


@pytest.mark.parametrize(
    ("track", "best"),
    [("cloud", "automation"), ("edge", "checking"), ("mobile", "batching"), ("tiny", "relief")],
)
def test_the_best_single_remedy_differs_between_tracks(track: str, best: str) -> None:
    tried = {name: metrics(setting) for name, setting in remedies(TRACKS[track]).items()}
    ranked = sorted(tried, key=lambda name: tried[name]["weeks"])
    assert ranked[0] == best
    assert tried[ranked[0]]["weeks"] < 0.97 * tried[ranked[1]]["weeks"]
    assert all(each["spend"] <= BUDGET + 1e-6 for each in tried.values())


def test_batching_pays_where_faults_are_rare_and_not_where_they_are_common() -> None:
    for fault, pays in ((0.05, True), (0.35, False)):
        one, three = (
            metrics({**TRACKS["edge"], "fault": fault, "batch": batch})["weeks"] for batch in (1, 3)
        )
        assert (three < one) is pays


def test_an_early_check_makes_a_batch_worth_its_faults() -> None:
    checked = {**TRACKS["edge"], "check_stage": "prepare", "check_weeks": 0.2}
    apart, together = (
        metrics({**base, "batch": 2})["weeks"] - metrics(base)["weeks"]
        for base in (TRACKS["edge"], checked)
    )
    assert apart > 0.0 > together


def test_relief_is_paid_in_faults_that_are_found_late() -> None:
    plain, relieved = (metrics({**TRACKS["edge"], "relief": r}) for r in (1.0, 2.0))
    assert relieved["waiting_weeks"] < plain["waiting_weeks"]
    assert relieved["escaped"] > 1.1 * plain["escaped"]


@pytest.mark.parametrize("metric", [m.name for m in MODEL.metrics if m.terms])
def test_the_terms_of_a_change_sum_to_it(metric: str) -> None:
    terms = MODEL.explain(metric, BEFORE, AFTER, seed=1)
    assert tuple(terms.terms) == next(each.terms for each in MODEL.metrics if each.name == metric)
    before, after = (MODEL.evaluate(s, seed=1).metrics[metric] for s in (BEFORE, AFTER))
    assert (terms.before, terms.after) == (pytest.approx(before), pytest.approx(after))
    assert sum(terms.terms.values()) == pytest.approx(after - before)
    assert terms.change != 0.0


def test_every_control_that_moves_a_metric_belongs_to_a_term_of_it() -> None:
    for control in MODEL.controls:
        moved = {**BEFORE, control.name: _elsewhere(control, BEFORE.get(control.name))}
        found = MODEL.evaluate(moved, seed=1).metrics
        for metric in ("weeks", "weeks_p90", "propagation", "escaped", "spend", "dollars"):
            terms = MODEL.explain(metric, BEFORE, moved, seed=1)
            assert sum(terms.terms.values()) == pytest.approx(terms.change, rel=1e-9, abs=1e-9)
            assert terms.after == pytest.approx(found[metric]), (control.name, metric)


def _elsewhere(control: Control, now: Any) -> Any:
    now = control.default if now is None else now
    if control.choices:
        return next(choice for choice in control.choices if choice != now)
    return control.low if now != control.low else min(control.high, control.low + 3 * control.step)


def test_a_metric_without_terms_cant_be_explained() -> None:
    with pytest.raises(ValueError, match="explain weeks, weeks_p10"):
        MODEL.explain("visits", {}, AFTER, seed=1)


@pytest.mark.parametrize("setting", [{"fault": 1.0}, {"batch": 7}, {"check_stage": "monitor"}])
def test_what_would_never_end_or_be_too_late_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(SettingError) as refused:
        MODEL.evaluate(setting, seed=1)
    assert refused.value.control in setting
