from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contract import Outcome, SettingError
from engine.models import mixture
from engine.models.mixture import MODEL, SHARES
from engine.numerics import softmax
from engine.numerics.rain import rain, rained
from engine.numerics.simulator import REAL, TEST, parts

FRESH = (88201, 88202, 88203, 88204, 88205, 88206)
AFTER: dict[str, Any] = {
    "share": 80.0,
    "randomisation": 0.5,
    "bought": 500,
    "rain": 0.75,
    "displacement": 0.25,
    "label_fee": 8.0,
}


def standin(real: int, **changes: Any) -> dict[str, Any]:
    """One true label an example of the stand-in."""
    return {"owned": real, "scale": 1.0, **changes}


def curves(setting: dict[str, Any], name: str = "accuracy_by_share") -> np.ndarray:
    """The mean over fresh seeds, an entry a share."""
    return np.mean([MODEL.evaluate(setting, seed=s).series[name] for s in FRESH], axis=0)


@pytest.fixture(scope="module")
def frames() -> list[Outcome]:
    return list(MODEL.stream({}, seed=5))


def test_the_last_frame_is_the_outcome_and_every_round_has_one(frames: list[Outcome]) -> None:
    assert len(frames) == mixture.ROUNDS
    assert frames[-1] == MODEL.evaluate({}, seed=5)
    for number, frame in enumerate(frames, 1):
        assert frame.rounds == (number, mixture.ROUNDS)
        assert set(frame.metrics) == {metric.name for metric in MODEL.metrics}
        assert set(frame.series) == {series.name for series in MODEL.series}
        assert len(frame.series["learning"]) == number
        assert frame.series["learning"] == frames[-1].series["learning"][:number]
        assert frame.metrics["accuracy"] == frame.series["learning"][-1]


def test_forgetting_everything_changes_no_number(frames: list[Outcome]) -> None:
    for cached in (mixture._ground, mixture._dry, mixture._rendered, mixture._field):
        cached.cache_clear()
    for cached in (mixture._simulated, mixture._distance, mixture._course):
        cached.cache_clear()
    assert MODEL.evaluate({}, seed=5) == frames[-1]


def test_a_mix_between_the_points_of_the_curve_is_learnt_like_them() -> None:
    # 65.3 % rounds to the 151 renders that no point has; 65 % is one, and 149.
    on, off = (MODEL.evaluate({"share": share}, seed=6) for share in (65.0, 65.3))
    assert on.metrics["accuracy"] == on.series["accuracy_by_share"][SHARES.index(65)]
    assert on.metrics["slice_recall"] == on.series["slice_by_share"][SHARES.index(65)]
    assert off.series["accuracy_by_share"] == on.series["accuracy_by_share"]
    assert (on.metrics["synthetic_standin"], off.metrics["synthetic_standin"]) == (149.0, 151.0)
    assert abs(off.metrics["accuracy"] - on.metrics["accuracy"]) < 4


def test_no_renders_is_training_on_the_real_examples_alone() -> None:
    setting = standin(80, share=0.0, rain=0.7)
    metrics = MODEL.evaluate(setting, seed=7).metrics
    _, real, test = parts(7)
    images = rained(real.images, rain(REAL, seed=7, part="real"), 0.7)[:80]
    falling = rain(TEST, seed=7, part="test")
    field = softmax.with_ones(rained(test.images, falling, 0.7))
    model = np.zeros((1, 65, 10))
    order = mixture._order(80, 7)
    for step, chosen in enumerate(order):
        rate = mixture.RATE * (1 - step / len(order))
        softmax.step(model, softmax.with_ones(images)[chosen], real.labels[chosen], rate)
    right = softmax.right(model, field, test.labels)[0]
    assert metrics["accuracy"] == pytest.approx(100 * right.mean())
    assert metrics["slice_recall"] == pytest.approx(100 * right[falling.force > 2 / 3].mean())
    assert metrics["accuracy_real_only"] == metrics["accuracy"]
    assert metrics["gain"] == metrics["slice_gain"] == 0.0
    assert metrics["frechet_mix"] == pytest.approx(0.0, abs=1e-6)
    other = MODEL.evaluate({**setting, "randomisation": 1.0, "displacement": 2.0}, seed=7).metrics
    assert other["accuracy"] == metrics["accuracy"]


def test_every_example_is_seen_before_any_is_seen_again() -> None:
    seen = mixture._order(300, 1).ravel()
    assert len(seen) == mixture.ROUNDS * mixture.STEPS * mixture.BATCH
    assert np.bincount(seen[:300]).tolist() == [1] * 300
    assert np.ptp(np.bincount(seen)) == 1


def test_the_curves_end_at_the_two_distances() -> None:
    outcome = MODEL.evaluate({"share": 50.0}, seed=5)
    apart = outcome.series["frechet_by_share"]
    assert apart[0] == pytest.approx(0.0, abs=1e-6)
    assert apart[SHARES.index(50)] == outcome.metrics["frechet_mix"]
    assert (np.diff([*apart, outcome.metrics["frechet"]]) > 0).all()


# --- the accounts ------------------------------------------------------------------------------


def test_the_bill_is_counts_times_prices() -> None:
    asked = {"share": 80.0, "randomisation": 0.5, "bought": 1000, "audit_share": 25.0}
    prices = {"label_fee": 7.0, "render_fee": 0.5, "weather_fee": 0.25}
    metrics = MODEL.evaluate({**asked, **prices}, seed=5).metrics
    assert metrics["audited"] == 250
    assert metrics["real_labels"] == 500 + 1000 - 250
    assert metrics["real_standin"] == 1250 / 6.25
    assert metrics["synthetic"] == 5000
    assert metrics["synthetic_standin"] == 800
    assert metrics["synthetic_share"] == 80.0
    assert metrics["cost_labels"] == 7000.0
    assert metrics["cost_render"] == 5000 * (0.5 + 0.5 * 0.25)
    assert metrics["cost_total"] == metrics["cost_labels"] + metrics["cost_render"]


@settings(max_examples=100, deadline=None)
@given(
    bought=st.integers(0, 1500),
    more=st.integers(0, 500),
    share=st.integers(0, 85),
    audit=st.floats(0, 95),
    weather=st.floats(0, 1),
    fee=st.floats(0.01, 100),
)
def test_cost_grows_with_labels_share_and_weather_and_its_terms_sum(
    bought: int, more: int, share: int, audit: float, weather: float, fee: float
) -> None:
    low = {"bought": bought, "share": share, "randomisation": weather / 2}
    low |= {"audit_share": audit, "label_fee": fee}
    high = low | {"bought": bought + more, "share": share + 5, "randomisation": weather}
    terms = MODEL.explain("cost_total", low, high, seed=1)
    assert terms.after >= terms.before
    assert terms.terms["label_cost"] == pytest.approx(more * fee, abs=1e-6)
    assert sum(terms.terms.values()) == pytest.approx(terms.change, abs=1e-6)
    # A label that is audited is not learnt from, and renders follow what is.
    audited = round(bought * audit / 100)
    renders = round((500 + bought - audited) * share / (100 - share))
    wanted = bought * fee + renders * (0.05 + weather / 2 * 0.05)
    assert terms.before == pytest.approx(wanted, rel=1e-12)


def test_half_the_margin_costs_four_times_the_labels() -> None:
    def margin(bought: int, audit: float = 50.0) -> float:
        setting = {"owned": 10**6, "scale": 10**4, "bought": bought, "audit_share": audit}
        return MODEL.evaluate(setting, seed=5).metrics["margin"]

    assert margin(2 * 4612) == pytest.approx(2.0, abs=1e-3)  # ln(40)/(2 · 0.02²) = 4611.1
    assert margin(2 * 1000) == pytest.approx(2 * margin(2 * 4000), rel=1e-12)
    assert margin(0) == margin(9999, 0.0) == margin(2) == 100.0
    falling = [margin(bought) for bought in (10, 20, 100, 1000, 10_000)]
    assert falling == sorted(falling, reverse=True)
    wider = [margin(1000, audit) for audit in (10.0, 20.0, 50.0, 90.0)]
    assert wider == sorted(wider, reverse=True)


def test_the_margin_covers_what_a_sample_shows_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    for share in (0.5, 0.9):
        shown = rng.binomial(400, share, 20_000) / 400
        outside = np.mean(100 * np.abs(shown - share) > mixture._margin(400))
        assert outside < 0.05


def test_labels_kept_for_the_audit_teach_nothing() -> None:
    bare = MODEL.evaluate({"bought": 0}, seed=5).metrics
    kept = MODEL.evaluate({"bought": 40, "audit_share": 95.0}, seed=5).metrics  # 2 are learnt from
    assert kept["real_standin"] == bare["real_standin"]
    assert kept["accuracy"] == bare["accuracy"]
    assert kept["cost_labels"] == 200.0


# --- what emerges ------------------------------------------------------------------------------


def test_with_few_real_examples_some_renders_help_and_many_hurt() -> None:
    found = curves(standin(80, rain=0.5))
    none, even, most = (found[SHARES.index(share)] for share in (0, 50, 90))
    assert even > none + 1
    assert even > most + 1


def test_with_plenty_of_real_examples_renders_gain_less_than_a_point() -> None:
    few, plenty = (curves(standin(real, rain=0.5)) for real in (80, REAL))
    assert plenty.max() - plenty[0] < 1
    assert few.max() - few[0] > 1
    assert plenty[-1] < plenty[0] - 3


def test_a_simulator_a_pixel_away_only_hurts() -> None:
    found = curves(standin(160, displacement=1.0))
    assert found[-1] < found[0] - 25
    assert found.max() < found[0] + 1


def test_where_rain_is_the_gap_randomisation_turns_what_many_renders_do() -> None:
    dry, wet = (
        curves(standin(160, displacement=0.25, randomisation=u), "slice_by_share") for u in (0, 1)
    )
    ten, ninety = SHARES.index(10), SHARES.index(90)
    assert dry[ninety] - dry[ten] < -1
    assert wet[ninety] - wet[ten] > 1


def test_rain_in_the_simulator_cuts_the_distance_further_than_it_mends_learning() -> None:
    lost = []
    for seed in FRESH:
        dry, wet = (
            MODEL.evaluate(standin(REAL, randomisation=u, share=90.0), seed=seed).metrics
            for u in (0.0, 1.0)
        )
        assert wet["frechet"] < 0.4 * dry["frechet"]
        lost.append(-wet["gain"])
    assert np.mean(lost) > 1.5


def test_the_distance_is_least_where_it_rains_as_in_the_field() -> None:
    for seed in FRESH:
        found = [
            MODEL.explain("frechet", {"rain": 0.5}, {"rain": 0.5, "randomisation": u}, seed=seed)
            for u in (0.25, 0.5, 1.0)
        ]
        less, same, more = (each.after for each in found)
        assert same < less
        assert same < more


# --- explanations and the border ---------------------------------------------------------------


@pytest.mark.parametrize(
    "metric", [metric.name for metric in MODEL.metrics if metric.terms], ids=str
)
def test_the_terms_of_a_change_sum_to_it(metric: str) -> None:
    terms = MODEL.explain(metric, {}, AFTER, seed=5)
    declared = next(each.terms for each in MODEL.metrics if each.name == metric)
    assert tuple(terms.terms) == declared
    before, after = (MODEL.evaluate(s, seed=5).metrics[metric] for s in ({}, AFTER))
    assert (terms.before, terms.after) == (pytest.approx(before), pytest.approx(after))
    assert sum(terms.terms.values()) == pytest.approx(after - before, abs=1e-9)
    assert terms.change != 0


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ({"share": 90.0}, {"quantity", "rain_gap", "displacement"}),
        ({"bought": 1000}, {"labels", "rain_gap", "displacement"}),
        ({"owned": 1000}, {"labels", "rain_gap", "displacement"}),
        ({"randomisation": 1.0}, {"rain_gap"}),
        ({"displacement": 1.0}, {"rain_gap", "displacement"}),
        ({"rain": 0.0}, {"field", "rain_gap", "displacement"}),
        ({"label_fee": 9.0}, set()),
    ],
)
def test_a_control_moves_its_term_and_what_the_gaps_take(
    change: dict[str, Any], moved: set[str]
) -> None:
    terms = MODEL.explain("accuracy", {}, change, seed=5).terms
    assert {name for name, amount in terms.items() if abs(amount) > 1e-9} <= moved
    assert not moved or any(abs(amount) > 0.5 for amount in terms.values())


def test_a_faithful_simulator_has_no_gaps() -> None:
    faithful = {"displacement": 0.0, "randomisation": 1.0, "share": 10.0}
    terms = MODEL.explain("slice_recall", faithful, {**faithful, "share": 90.0}, seed=5).terms
    assert {name for name, moved in terms.items() if moved} == {"quantity"}
    assert terms["quantity"] > 0


def test_what_many_renders_do_has_its_own_reason_where_they_are_used() -> None:
    # Plenty of real examples and a camera far off; rain that the renders lack; few real examples.
    for setting, reason in (
        (standin(320, displacement=0.75, rain=0.5), "displacement"),
        (standin(240, displacement=0.25), "rain_gap"),
        (standin(80, displacement=0.25, randomisation=1.0), "quantity"),
    ):
        found = [
            MODEL.explain(
                "slice_recall", {**setting, "share": 10.0}, {**setting, "share": 90.0}, seed=seed
            ).terms
            for seed in FRESH[:3]
        ]
        mean = {term: np.mean([each[term] for each in found]) for term in found[0]}
        assert max(mean, key=lambda term: abs(mean[term])) == reason


def test_a_metric_without_terms_cant_be_explained() -> None:
    with pytest.raises(ValueError, match="has no terms"):
        MODEL.explain("margin", {}, AFTER, seed=5)


@pytest.mark.parametrize(
    "setting",
    [
        {"owned": 0},
        {"owned": 59},
        {"owned": 2503 + 1},
        {"bought": 10**9},
        {"scale": 1000.0},
        {"scale": 0.01},
        {"owned": 0, "bought": 500, "audit_share": 95.0},
    ],
)
def test_too_few_or_too_many_for_the_stand_in_is_refused(setting: dict[str, Any]) -> None:
    for ask in (
        lambda: MODEL.evaluate(setting, seed=1),
        lambda: next(iter(MODEL.stream(setting, seed=1))),
        lambda: MODEL.explain("accuracy", {}, setting, seed=1),
        lambda: MODEL.explain("cost_total", setting, {}, seed=1),
        lambda: MODEL.explain("frechet", {}, setting, seed=1),
    ):
        with pytest.raises(SettingError, match="can be learnt from") as refused:
            ask()
        assert refused.value.control == "bought"


@settings(max_examples=12, deadline=None)
@given(
    share=st.floats(0, 90),
    randomisation=st.floats(0, 1),
    bought=st.integers(0, 1900),
    audit=st.floats(0, 95),
    field=st.floats(0, 1),
    displacement=st.floats(0, 2),
)
def test_any_setting_gives_shares_that_are_shares_and_no_negative_amount(
    share: float,
    randomisation: float,
    bought: int,
    audit: float,
    field: float,
    displacement: float,
) -> None:
    setting = {"share": share, "randomisation": randomisation, "bought": bought}
    setting |= {"audit_share": audit, "rain": field, "displacement": displacement}
    metrics = MODEL.evaluate(setting, seed=5).metrics
    for name in ("accuracy", "slice_recall", "accuracy_real_only", "slice_real_only", "margin"):
        assert 0 <= metrics[name] <= 100
    assert abs(metrics["synthetic_share"] - share) <= 0.2
    assert min(metrics[name] for name in metrics if "gain" not in name) >= 0
    assert metrics["frechet_mix"] <= metrics["frechet"] + 1e-6
    assert math.isclose(metrics["gain"], metrics["accuracy"] - metrics["accuracy_real_only"])
