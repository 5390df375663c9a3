from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.contract import SettingError
from engine.models import velocity
from engine.models.velocity import MODEL, SIZES, expected_maximum
from engine.numerics.learning_curve import exponent

TRACKS: dict[str, dict[str, Any]] = {
    "cloud": {"tax": 0.05, "training": 0.4, "work": 0.06, "label_rate": 5e4, "day_one": 80.0}
    | {"floor": 0.15, "capacity": 0.3},
    "edge": {"tax": 2.0, "training": 0.08, "work": 0.25, "label_rate": 4e3, "day_one": 78.0}
    | {"floor": 0.5, "capacity": 0.4},
    "mobile": {"tax": 1.0, "training": 0.3, "work": 0.1, "label_rate": 1e4, "day_one": 82.0}
    | {"floor": 0.1, "capacity": 0.3},
    "tiny": {"tax": 4.345, "training": 0.1, "work": 0.2, "label_rate": 1e3, "day_one": 75.0}
    | {"floor": 0.3, "capacity": 0.5},
}
CORNER = {"parallel": 8, "compute": 8.0}
QUIET = {"label_rate": 1e8}
AFTER: dict[str, Any] = {
    "size": 4.0,
    "compute": 4.0,
    "parallel": 3,
    "validation": 35.0,
    "batch": 3,
    "checked": 60.0,
    "weeks": 30.0,
    "tax": 1.5,
    "experience": 1.5,
    "tax_price": 1000.0,
    "change_fee": 100.0,
    "team_fee": 30_000.0,
}


def metrics(setting: dict[str, Any]) -> dict[str, float]:
    return dict(MODEL.evaluate(setting, seed=1).metrics)


def value(name: str, setting: dict[str, Any]) -> float:
    """One metric that the chain gives, without the curves."""
    asked = velocity._admitted(velocity.complete(MODEL.controls, setting))
    return velocity._measured(asked)[name]


@st.composite
def asked(draw: st.DrawFn) -> dict[str, Any]:
    """Any setting that the border admits."""
    setting: dict[str, Any] = {}
    for control in MODEL.controls:
        if control.kind == "integer":
            setting[control.name] = draw(st.integers(int(control.low), int(control.high)))
        elif control.scale == "log":
            low, high = math.log(control.low), math.log(control.high)
            drawn = math.exp(low + (high - low) * draw(st.floats(0, 1)))
            setting[control.name] = min(max(drawn, control.low), control.high)
        else:
            setting[control.name] = draw(st.floats(control.low, control.high))
    least = setting["capacity"] * (1 - 10 ** -setting["capacity_exponent"])
    room = 100 - setting["day_one"] - setting["floor"] - setting["capacity"]
    assume(room > 0.1)
    most = min(10.0, least + 0.499 * room)
    assume(least < most)
    setting["head_start"] = least + (most - least) * draw(st.floats(0.001, 0.999))
    slowed = setting["work"] / setting["parallel"] ** setting["parallel_exponent"]
    assume(setting["weeks"] * (1 - setting["validation"] / 100) / slowed < 400 * setting["batch"])
    return setting


# --- the accounting ------------------------------------------------------------------------------


def test_the_calendar_is_worked_out_by_hand() -> None:
    setting = {"size": 4.0, "compute": 2.0, "training": 0.5, "work": 0.3, "validation": 25.0}
    setting |= {"parallel": 4, "tax": 3.0, "checked": 50.0, "batch": 3, "weeks": 26.0}
    found = MODEL.evaluate(setting, seed=1)
    cycle = (0.5 * 4 / 2 + 0.3 / 0.75) / 2 + 0.5 * 3 / 3
    assert found.metrics["cycle"] == pytest.approx(cycle)
    assert found.metrics["release_weeks"] == pytest.approx(3 * cycle)
    assert found.metrics["changes"] == pytest.approx(26 / cycle)
    assert found.metrics["pace"] == pytest.approx(1 / cycle)
    assert found.metrics["releases"] == pytest.approx(26 / cycle / 3)
    assert found.metrics["held"] == pytest.approx(26 / cycle / 3 * math.sqrt(3))
    assert found.metrics["tax_share"] == pytest.approx(100 * 0.5 / cycle)
    assert found.metrics["training_share"] == pytest.approx(100 * 0.5 / cycle)
    assert found.metrics["labels"] == pytest.approx(1e4 * 0.25 * 26)
    assert sum(found.series["calendar"]) == pytest.approx(26)
    assert found.series["changes_by_week"][-1] == pytest.approx(26 / cycle)
    assert found.series["tax_by_week"][-1] == pytest.approx(found.series["calendar"][3])


def test_the_bill_is_weeks_and_pieces_times_prices() -> None:
    prices = {"team_fee": 7.0, "compute_fee": 3.0, "change_fee": 11.0, "tax_price": 13.0}
    levers = {"parallel": 2, "compute": 4.0, "batch": 2, "checked": 50.0}
    found = MODEL.evaluate(prices | levers, seed=1)
    n = found.metrics["changes"]
    assert found.series["bill"] == pytest.approx((26 * 7, 26 * 3 * 8, 11 * n, 13 * n / 4))
    assert found.metrics["cost"] == pytest.approx(sum(found.series["bill"]))


def test_accounts_are_those_of_an_evaluation_and_all_that_is_exact() -> None:
    told, whole = MODEL.accounts(AFTER, seed=1), metrics(AFTER)
    assert set(told) == {metric.name for metric in MODEL.metrics if metric.exact}
    assert told == {name: whole[name] for name in told}


def test_no_number_depends_on_the_seed() -> None:
    assert MODEL.evaluate(AFTER, seed=1) == MODEL.evaluate(AFTER, seed=2)
    assert list(MODEL.stream(AFTER, seed=3)) == [MODEL.evaluate(AFTER, seed=1)]


# --- the law -------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(asked())
def test_tenfold_starts_ahead_by_what_it_is_said_to(setting: dict[str, Any]) -> None:
    one, ten = (metrics(setting | {"size": size}) for size in (1.0, 10.0))
    assert one["day_one"] == pytest.approx(setting["day_one"])
    assert ten["day_one"] - one["day_one"] == pytest.approx(setting["head_start"])
    assert ten["size_ceiling"] > one["size_ceiling"]
    assert 0 < metrics(setting | {"size": SIZES[0]})["day_one"] < one["day_one"]


def test_without_noise_a_project_follows_the_law() -> None:
    # Few releases of plenty of labels: none goes wrong, and between two the mean is in between.
    for weeks, releases in ((5.0, 4.0), (6.25, 5.0), (5.625, 4.5)):
        setting = {**QUIET, "weeks": weeks, "tax": 0.9375, "size": 1.0}
        found = metrics(setting)
        cycle = 0.25 + 0.25 / 0.8 + 0.9375
        n = weeks / cycle

        def law(iterations: float) -> float:
            return 0.7 + 19.3 * (1 + iterations) ** -exponent()

        below, part = math.floor(n), n - math.floor(n)
        error = (1 - part) * law(below) + part * law(below + 1)
        assert releases - 2 < n < releases
        assert found["accuracy"] == pytest.approx(100 - error, abs=1e-6)
        # Some projects have the next release behind them.
        ahead = n - below > 0.1, n - below > 0.9
        assert found["low"] == pytest.approx(100 - law(below + ahead[1]), abs=1e-6)
        assert found["high"] == pytest.approx(100 - law(below + ahead[0]), abs=1e-6)
        assert found["signal"] == pytest.approx(100, abs=1e-6)


def test_what_is_needed_reaches_the_target_and_is_compared_with_what_is_held() -> None:
    found = metrics({"target": 98.0})
    error = 0.7 + 19.3 * (1 + found["needed"]) ** -exponent()
    assert error == pytest.approx(2.0)
    assert found["shortfall"] == found["needed"] - found["held"]
    assert found["weeks_needed"] == pytest.approx(26 * found["needed"] / found["held"])
    half = metrics({"checked": 50.0})
    assert half["held_checked"] == half["held"] / 2 > metrics({})["held_checked"] / 2
    enough = metrics({"target": 98.0, "weeks": found["weeks_needed"]})
    assert enough["shortfall"] == pytest.approx(0, abs=1e-9)


def test_a_target_above_the_ceiling_is_never_reached() -> None:
    assert metrics({"target": 99.5})["needed"] == velocity.NEVER
    assert metrics({"target": 75.0})["needed"] == 0.0


# --- the chain -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "setting",
    [
        {"label_rate": 50.0},
        {"label_rate": 500.0, "batch": 4, "compute": 8.0, "tax": 0.25},
        {"label_rate": 2000.0, "size": 0.25, "parallel": 4, "tax": 0.1},
    ],
)
def test_two_thousand_simulated_projects_agree_with_the_chain(setting: dict[str, Any]) -> None:
    projects, rng = 2000, np.random.default_rng(88401)
    admitted = velocity._admitted(velocity.complete(MODEL.controls, setting))
    plan, law = velocity._plan(admitted), velocity._law(admitted)
    stands = np.zeros(projects)

    def error(at: np.ndarray) -> np.ndarray:
        return law.floor + law.gap * (1 + at * plan.worth / law.experience) ** -law.exponent

    for _ in range(math.floor(plan.releases)):
        here = error(stands)
        stray = np.sqrt(here * (1 - here) / plan.labels)
        better = here - error(stands + 1) + stray * rng.standard_normal(projects) > 0
        stands = np.maximum(0, stands + np.where(better, 1, -1))
    # The last release is under way in a share of the projects.
    here = error(stands)
    stray = np.sqrt(here * (1 - here) / plan.labels)
    under_way = rng.random(projects) < plan.releases % 1
    better = here - error(stands + 1) + stray * rng.standard_normal(projects) > 0
    stands = np.maximum(0, stands + np.where(under_way, np.where(better, 1, -1), 0))
    shown = 100 * (1 - error(stands))
    found = metrics(setting)
    margin = 5 * shown.std() / math.sqrt(projects)
    assert 1e-4 < margin < 1
    assert found["accuracy"] == pytest.approx(shown.mean(), abs=margin)
    assert found["signal"] == pytest.approx(
        100 * stands.mean() / plan.releases, abs=500 * stands.std() / 44.7 / plan.releases
    )
    # One in ten is below, give or take what 2,000 show; what stands on the line is on both sides.
    for name, share in (("low", 0.1), ("high", 0.9)):
        assert np.mean(shown < found[name] - 1e-9) < share + 0.03
        assert np.mean(shown < found[name] + 1e-9) > share - 0.03


def test_the_curves_are_what_evaluations_give() -> None:
    setting = TRACKS["mobile"] | {"batch": 2, "rival_size": 4.0}
    whole = MODEL.evaluate(setting, seed=1)
    for at, size in enumerate(SIZES):
        other = metrics(setting | {"size": size})
        assert whole.series["accuracy_by_size"][at] == pytest.approx(other["accuracy"], abs=1e-9)
        assert whole.series["day_one_by_size"][at] == pytest.approx(other["day_one"])
        assert whole.series["changes_by_size"][at] == pytest.approx(other["changes"])
    assert whole.metrics["rival_accuracy"] == metrics(setting | {"size": 4.0})["accuracy"]
    for name in ("accuracy", "low", "high"):
        assert whole.series[f"{name}_by_week"][-1] == pytest.approx(whole.metrics[name])
        assert whole.series[f"{name}_by_week"][0] == pytest.approx(whole.metrics["day_one"])
    assert whole.series["rival_by_week"][-1] == pytest.approx(whole.metrics["rival_accuracy"])


def test_forgetting_everything_changes_no_number() -> None:
    before = MODEL.evaluate(AFTER, seed=1)
    velocity._walked.cache_clear()
    velocity._by_size.cache_clear()
    assert MODEL.evaluate(AFTER, seed=1) == before


def test_the_largest_of_normals_is_as_tabled_and_below_its_bound() -> None:
    # Means of the largest of n: 1/√π for two, 3/(2√π) for three; ten as sampled.
    assert expected_maximum(1.0) == pytest.approx(0.0, abs=1e-9)
    assert expected_maximum(2.0) == pytest.approx(1 / math.sqrt(math.pi), abs=1e-6)
    assert expected_maximum(3.0) == pytest.approx(1.5 / math.sqrt(math.pi), abs=1e-6)
    sampled = np.random.default_rng(2).standard_normal((100_000, 10)).max(axis=1)
    assert expected_maximum(10.0) == pytest.approx(sampled.mean(), abs=0.01)
    for n in (1.5, 2.0, 7.0, 50.0, 1000.0):
        assert expected_maximum(n) < math.sqrt(2 * math.log(n))


def test_more_looks_and_fewer_labels_flatter_more() -> None:
    few, many = ({"label_rate": rate} for rate in (100.0, 10_000.0))
    assert value("optimism", few) > 5 * value("optimism", many)
    slow, quick = ({"tax": tax} for tax in (4.0, 0.25))
    found = [metrics(setting) for setting in (slow, quick)]
    per_noise = [each["optimism"] / each["noise"] for each in found]
    assert per_noise[1] > per_noise[0]
    assert per_noise[1] == pytest.approx(expected_maximum(found[1]["releases"]))


def test_noise_costs_accuracy_and_widens_what_projects_come_to() -> None:
    found = [metrics({"label_rate": rate}) for rate in (30.0, 300.0, 3000.0, 30_000.0)]
    assert sorted(found, key=lambda each: each["accuracy"]) == found
    assert sorted(found, key=lambda each: each["signal"]) == found
    assert found[0]["high"] - found[0]["low"] > 2 * (found[2]["high"] - found[2]["low"])


# --- the bound -----------------------------------------------------------------------------------


@settings(max_examples=120, deadline=None)
@given(asked())
def test_nothing_exceeds_the_bound(setting: dict[str, Any]) -> None:
    found = velocity._admitted(velocity.complete(MODEL.controls, setting))
    plan, law = velocity._plan(found), velocity._law(found)
    bound = velocity._bound(found, taxed=True)
    loose = velocity._bound(found, taxed=False)
    assert value("verified", setting) <= bound <= loose
    # Not even a project that is as lucky as can be, every release of which moves on.
    assert 100 * (1 - law.error(plan.held)) <= loose
    assert 100 * (1 - law.error(plan.held * found["checked"] / 100)) <= bound
    if setting["checked"] == 100.0:
        assert value("accuracy", setting) <= bound


def test_the_bound_is_nearly_reached_where_labels_are_plenty() -> None:
    for track in TRACKS.values():
        setting = {**track, **QUIET, "validation": 1.0}
        best = max(
            value("verified", {**setting, "size": 2.0 ** (half / 2), "batch": batch})
            for half in range(-2, 9)
            for batch in (1, 2, 3, 4, 6, 8, 12, 16)
        )
        bound = metrics(setting)["bound"]
        assert bound - 0.1 < best <= bound


def test_the_bound_knows_neither_size_nor_batch_nor_split_nor_share() -> None:
    moved = {"size": 8.0, "batch": 5, "validation": 70.0, "checked": 20.0}
    plain, other = metrics({}), metrics(moved)
    for name in ("bound", "bound_unchecked"):
        assert plain[name] == other[name]
        assert plain[name] < metrics(CORNER)[name]


@settings(max_examples=40, deadline=None)
@given(asked(), st.floats(1.01, 1.5))
def test_a_longer_calendar_holds_more_and_promises_more(
    setting: dict[str, Any], longer: float
) -> None:
    other = {**setting, "weeks": setting["weeks"] * longer}
    assume(other["weeks"] <= 104)
    before, after = (
        velocity._admitted(velocity.complete(MODEL.controls, s)) for s in (setting, other)
    )
    assert velocity._plan(after).held > velocity._plan(before).held
    for taxed in (True, False):
        assert velocity._bound(after, taxed=taxed) >= velocity._bound(before, taxed=taxed)


def test_where_labels_are_plenty_a_longer_calendar_reaches_more() -> None:
    for track in TRACKS.values():
        found = [value("accuracy", {**track, "weeks": float(weeks)}) for weeks in range(2, 53, 2)]
        assert sorted(found) == found
        assert len(set(found)) == len(found)


def test_where_labels_are_few_another_large_release_may_lose_ground() -> None:
    # Going wrong undoes a release that taught much; going right adds one that teaches little.
    setting = {"batch": 16, "confounding": 1.0, "label_rate": 40.0, "tax": 0.25}
    steps = np.diff(MODEL.evaluate(setting, seed=1).series["accuracy_by_week"])
    assert steps[0] > 0
    assert steps.min() < -0.01
    labelled = np.diff(MODEL.evaluate(setting | QUIET, seed=1).series["accuracy_by_week"])
    assert labelled.min() > 0


# --- checks --------------------------------------------------------------------------------------


def test_what_nobody_checked_is_no_part_of_what_is_verified() -> None:
    whole = metrics({})
    assert whole["verified"] == whole["accuracy"]
    assert whole["verification_gap"] == pytest.approx(whole["optimism"])
    found = [metrics({"checked": share}) for share in (100.0, 60.0, 20.0)]
    for name in ("pace", "accuracy", "reported", "verification_gap"):
        assert sorted(found, key=lambda each, name=name: each[name]) == found
    assert sorted(found, key=lambda each: -each["verified"]) == found
    none = metrics({"checked": 0.0})
    assert none["verified"] == pytest.approx(none["day_one"])
    assert none["tax_share"] == 0.0


def test_reports_are_shares() -> None:
    found = metrics({"label_rate": 10.0, "validation": 5.0, "compute": 64.0, "tax": 0.0})
    assert found["reported"] == 100.0
    assert found["optimism"] == pytest.approx(100 - found["accuracy"])


# --- what emerges --------------------------------------------------------------------------------


def test_who_leads_in_month_six_differs_by_track_and_is_no_tie() -> None:
    leads = {
        name: value("accuracy", {**track, "size": 10.0}) - value("accuracy", {**track, "size": 1.0})
        for name, track in TRACKS.items()
    }
    assert leads["cloud"] < -1.2
    assert -1.0 < leads["mobile"] < -0.4
    assert 0.2 < leads["edge"] < 0.5
    assert leads["tiny"] > 0.5


def test_the_heavy_model_leads_at_first_and_is_passed_where_training_is_the_cycle() -> None:
    for name in ("cloud", "mobile"):
        setting = {**TRACKS[name], "size": 1.0, "rival_size": 10.0}
        series = MODEL.evaluate(setting, seed=1).series
        lead = np.array(series["accuracy_by_week"]) - np.array(series["rival_by_week"])
        assert lead[0] == pytest.approx(-5)
        assert lead[-1] > 0
        assert (np.diff(np.sign(lead)) != 0).sum() == 1


@pytest.mark.parametrize("track", TRACKS)
def test_the_best_size_and_split_are_inside_their_sliders(track: str) -> None:
    setting = TRACKS[track]
    sizes = MODEL.evaluate(setting, seed=1).series["accuracy_by_size"]
    best = int(np.argmax(sizes))
    assert 2 <= best <= len(SIZES) - 3
    assert max(sizes) > sizes[0] + 0.3  # smaller still is speed without signal
    assert max(sizes) > sizes[-1] + 0.3
    splits = [value("accuracy", {**setting, "validation": v}) for v in (1.0, 25.0, 90.0)]
    assert splits[1] > max(splits[0], splits[2]) + 0.2


def test_a_batch_pays_where_there_is_a_tax_to_share_and_only_so_far() -> None:
    for name, track in TRACKS.items():
        one, some, most = (value("accuracy", {**track, "batch": k}) for k in (1, 3, 16))
        if name == "cloud":
            assert one > some > most
        else:
            assert some > one
            assert value("accuracy", {**track, "batch": 12}) > most


def test_ninety_nine_is_within_reach_on_cloud_and_disproved_on_edge_and_tiny() -> None:
    cloud = {**TRACKS["cloud"], "compute": 4.0, "size": 2.0, "validation": 40.0}
    assert value("verified", cloud) > 99.05
    for name in ("edge", "tiny"):
        # Also if iterations taught as much faster as the draws of the curve leave open, twice.
        for shift in (0.0, 0.1):
            setting = {**TRACKS[name], **CORNER, "exponent_shift": shift}
            assert metrics(setting)["bound"] < 98.9
    near = {**TRACKS["mobile"], "size": 4.0, "batch": 6, "validation": 30.0, "compute": 8.0}
    assert value("verified", near) < 99.0
    assert value("verified", {**near, "parallel": 4}) > 99.05


# --- explanations and the border -----------------------------------------------------------------


@pytest.mark.parametrize(
    "metric", [metric.name for metric in MODEL.metrics if metric.terms], ids=str
)
def test_the_terms_of_a_change_sum_to_it(metric: str) -> None:
    terms = MODEL.explain(metric, {}, AFTER, seed=1)
    declared = next(each.terms for each in MODEL.metrics if each.name == metric)
    assert tuple(terms.terms) == declared
    before, after = metrics({})[metric], metrics(AFTER)[metric]
    assert (terms.before, terms.after) == (pytest.approx(before), pytest.approx(after))
    assert sum(terms.terms.values()) == pytest.approx(after - before, abs=1e-9)
    assert terms.change != 0


@pytest.mark.parametrize(
    ("change", "signs"),
    [
        ({"size": 8.0}, {"capacity": 1, "training": -1}),
        ({"size": 0.25}, {"capacity": -1, "training": 1}),
        ({"batch": 4}, {"tax": 1, "confounding": -1}),
        ({"validation": 60.0}, {"team_work": -1, "noise": 1}),
        ({"checked": 40.0}, {"tax": 1, "checks": -1}),
        ({"compute": 8.0}, {"training": 1}),
        ({"parallel": 4}, {"parallel": 1}),
        ({"tax": 4.0}, {"tax": -1}),
        ({"weeks": 52.0}, {"calendar": 1}),
        ({"exponent_shift": 0.2}, {"curve": 1}),
        ({"team_fee": 1.0, "target": 99.0}, {}),
    ],
)
def test_a_control_moves_its_terms_and_no_other(
    change: dict[str, Any], signs: dict[str, int]
) -> None:
    terms = MODEL.explain("verified", TRACKS["mobile"], {**TRACKS["mobile"], **change}, seed=1)
    assert {name: np.sign(moved) for name, moved in terms.terms.items() if moved} == signs


def test_the_reason_why_the_heavy_model_falls_behind_is_training_and_else_capacity() -> None:
    for name, track in TRACKS.items():
        ends = ({**track, "size": size} for size in (1.0, 10.0))
        largest = MODEL.explain("accuracy", *ends, seed=1).largest
        assert largest == ("training" if name in ("cloud", "mobile") else "capacity")


def test_a_metric_without_terms_cant_be_explained() -> None:
    with pytest.raises(ValueError, match="has no terms"):
        MODEL.explain("bound", {}, AFTER, seed=1)


@pytest.mark.parametrize(
    ("setting", "control"),
    [
        ({"day_one": 98.0, "floor": 2.0}, "day_one"),
        ({"head_start": 0.0}, "head_start"),
        ({"head_start": 10.0}, "head_start"),
        ({"work": 0.02, "tax": 0.0}, "work"),
    ],
)
def test_what_no_calendar_or_curve_can_be_is_refused(setting: dict[str, Any], control: str) -> None:
    for ask in (
        lambda: MODEL.evaluate(setting, seed=1),
        lambda: MODEL.accounts(setting, seed=1),
        lambda: next(iter(MODEL.stream(setting, seed=1))),
        lambda: MODEL.explain("accuracy", {}, setting, seed=1),
        lambda: MODEL.explain("cost", setting, {}, seed=1),
    ):
        with pytest.raises(SettingError, match="give") as refused:
            ask()
        assert refused.value.control == control


@settings(max_examples=40, deadline=None)
@given(asked())
def test_any_setting_gives_shares_that_are_shares_and_no_negative_amount(
    setting: dict[str, Any],
) -> None:
    found = metrics(setting)
    for name in (
        "accuracy",
        "low",
        "high",
        "verified",
        "reported",
        "day_one",
        "bound",
        "size_ceiling",
    ):
        assert 0 < found[name] <= 100
    assert found["low"] <= found["high"]
    assert found["verified"] <= found["bound"] + 1e-9
    assert found["optimism"] >= 0
    for name in ("needed", "held", "changes", "cycle", "tax_share", "labels", "cost", "noise"):
        assert found[name] >= 0
