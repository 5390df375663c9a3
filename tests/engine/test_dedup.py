from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contract import Outcome, SettingError
from engine.models.dedup import FATES, MODEL
from engine.numerics import corpus, minhash, selection
from engine.numerics.corpus import DOCUMENTS, Recipe
from engine.numerics.digits import split
from engine.numerics.selection import BATCH, MARKS, PASSES, RARE, Course

FRESH = (82501, 82502, 82503, 82504)
WEB: dict[str, Any] = {"redundancy": 0.5, "near": 0.5, "edits": 0.05, "template": 0.4}
VIDEO: dict[str, Any] = {"redundancy": 0.75, "near": 0.7, "edits": 0.03, "skew": 0.5} | {
    "template": 0.55,
}
SPEECH: dict[str, Any] = {"redundancy": 0.25, "near": 0.6, "edits": 0.08, "skew": 0.5} | {
    "template": 0.3,
}
RECORDINGS: dict[str, Any] = {"redundancy": 0.03, "skew": 0.0, "rare": 0.1, "template": 0.7}
CUTS = tuple(minhash.BANDS)


@cache
def metrics(setting: frozenset[tuple[str, Any]], seed: int) -> Mapping[str, float]:
    return MODEL.evaluate(dict(setting), seed=seed).metrics


def over(setting: dict[str, Any], metric: str, **changes: Any) -> np.ndarray:
    """The metric on every fresh seed."""
    asked = frozenset((setting | changes).items())
    return np.array([metrics(asked, seed)[metric] for seed in FRESH])


@pytest.fixture(scope="module")
def frames() -> list[Outcome]:
    return list(MODEL.stream(WEB, seed=82500))


def test_the_accounts_come_first_and_the_last_frame_is_the_outcome(frames: list[Outcome]) -> None:
    first, last = frames
    assert last == MODEL.evaluate(WEB, seed=82500)
    assert set(last.metrics) == {metric.name for metric in MODEL.metrics}
    assert set(last.series) == {series.name for series in MODEL.series}
    assert first.metrics.items() <= last.metrics.items()
    assert first.series.items() <= last.series.items()
    assert {metric.name for metric in MODEL.metrics if metric.exact} <= first.metrics.keys()
    for x, *ys in (
        ("similarity", "s_curve"),
        ("similarity_seen", "candidates_seen", "candidates_expected"),
        ("spent", "progress", "progress_before", "unique", "unique_before"),
    ):
        assert {len(last.series[y]) for y in ys} == {len(last.series[x])}


def test_flops_seconds_and_dollars_are_six_n_d_epochs() -> None:
    exact: dict[str, Any] = {
        "redundancy": 0.0,
        "template": 0.0,
        "bands": "4x32",
        "epochs": 3,
        "parameters": 7e10,
        "tokens": 15e12,
        "share": 0.5,
        "flop_rate": 4e14,
        "devices": 2000,
        "dollars_hour": 2.5,
    }
    found = MODEL.evaluate(exact, seed=82506).metrics
    assert found["removed_share"] == 0.0
    assert found["flops"] == found["flops_before"] == pytest.approx(9.45e24, rel=1e-12)
    assert found["seconds"] == pytest.approx(9.45e24 / 4e14 / 2000, rel=1e-12)
    assert found["dollars"] == pytest.approx(9.45e24 / 4e14 / 3600 * 2.5, rel=1e-12)
    assert found["ratio"] == 1.0  # nothing removed: the same documents in the same order
    assert found["accuracy"] == found["accuracy_before"]
    assert found["icr"] == found["icr_before"]


@pytest.mark.parametrize("cut", CUTS)
def test_what_is_removed_is_accounted_for(cut: str) -> None:
    setting = WEB | {"bands": cut, "share": 0.75}
    first = next(iter(MODEL.stream(setting, seed=82500)))
    recipe = Recipe(0.5, 0.5, 0.05, 1.0, 0.08, 0.4)
    found = corpus.corpus(recipe, seed=82500)
    signed = minhash.signatures(*corpus.shingles(found), seed=82500)[:384]
    # The same by buckets and a union-find of plain Python.
    parent = list(range(384))

    def root(a: int) -> int:
        while parent[a] != a:
            a = parent[a]
        return a

    bands, rows = minhash.BANDS[cut]
    for band in range(bands):
        bucket: dict[bytes, int] = {}
        for at in range(384):
            key = signed[at, band * rows : (band + 1) * rows].tobytes()
            a, b = root(at), root(bucket.setdefault(key, at))
            parent[max(a, b)] = min(a, b)
    kept = {at for at in range(384) if root(at) == at}
    there = Counter(found.family[:384].tolist())
    left = Counter(found.family[sorted(kept)].tolist())
    originals, copies, removed, lost = first.series["documents"]
    assert (originals, lost) == (len(left), len(there) - len(left))
    assert copies == sum(left.values()) - len(left)
    assert originals + copies + removed + lost == 384
    rare = set(np.flatnonzero(found.rare[:384]).tolist())
    metrics = first.metrics
    assert metrics["removed_share"] == pytest.approx(100 * (384 - len(kept)) / 384)
    assert metrics["duplicates_left"] == pytest.approx(100 * copies / (384 - len(there)))
    assert metrics["false_removals"] == pytest.approx(100 * lost / len(there))
    assert metrics["rare_kept"] == pytest.approx(100 * len(rare & kept) / len(rare))
    assert metrics["flops"] == pytest.approx(metrics["flops_before"] * len(kept) / 384)


def test_without_bands_all_is_kept_and_nothing_gained() -> None:
    found = MODEL.evaluate(WEB | {"bands": "none"}, seed=82501)
    metrics = found.metrics
    assert metrics["removed_share"] == 0.0
    assert metrics["duplicates_left"] == 100.0
    assert metrics["threshold"] == 1.0
    assert not any(found.series["s_curve"])
    assert not any(found.series["candidates_seen"])
    assert metrics["ratio"] == 1.0
    assert metrics["shortfall"] == 0.0
    for name in ("accuracy", "rare_recall", "icr", "flops", "dollars"):
        assert metrics[name] == metrics[f"{name}_before"]


def test_what_bands_do_to_a_corpus_as_collected_is_all_the_copies() -> None:
    for seed in FRESH:
        terms = MODEL.explain("ratio", WEB | {"bands": "none"}, WEB | {"bands": "16x8"}, seed=seed)
        assert terms.before == 1.0
        assert terms.largest == "duplicates"
        terms = MODEL.explain("ratio", WEB | {"bands": "none"}, WEB | {"bands": "64x2"}, seed=seed)
        assert terms.largest == "lost"


@settings(max_examples=10, deadline=None)
@given(
    bands=st.sampled_from(CUTS),
    redundancy=st.floats(0.0, 0.85),
    rare=st.floats(0.02, 0.1),
    skew=st.floats(0.0, 2.0),
    share=st.floats(0.25, 1.0),
    seed=st.integers(0, 10**6),
)
def test_every_document_has_one_fate_and_shares_lie_between_0_and_100(
    bands: str, redundancy: float, rare: float, skew: float, share: float, seed: int
) -> None:
    setting: dict[str, Any] = {"bands": bands, "redundancy": redundancy, "rare": rare, "skew": skew}
    first = next(iter(MODEL.stream(setting | {"share": share}, seed=seed)))
    assert len(FATES) == len(first.series["documents"])
    assert sum(first.series["documents"]) == round(share * DOCUMENTS)
    assert min(first.series["documents"]) >= 0
    assert first.metrics["flops"] > 0
    for name in ("removed_share", "duplicates_left", "false_removals", "rare_kept"):
        assert 0.0 <= first.metrics[name] <= 100.0
    assert max(first.series["candidates_seen"]) <= 1.0
    # Exact copies always meet.
    if first.series["similarity_seen"][-1] == 1.0:
        assert first.series["candidates_seen"][-1] == 1.0


@pytest.mark.parametrize("cut", CUTS)
def test_candidates_of_a_corpus_follow_the_curve(cut: str) -> None:
    # Pairs of one family share documents: not as close as the independent pairs of test_minhash.
    off = []
    for seed in FRESH:
        found = next(iter(MODEL.stream(VIDEO | {"bands": cut}, seed=seed))).series
        seen, expected = (
            np.array(found[name]) for name in ("candidates_seen", "candidates_expected")
        )
        off.append(np.mean(seen - expected))
    assert abs(np.mean(off)) < 0.04


def test_copies_carry_the_digit_of_their_original_and_the_rare_slice_its_classes() -> None:
    found = corpus.corpus(Recipe(0.6, 0.5, 0.05, 1.0, 0.08, 0.4), seed=82507)
    images, labels = selection.carried(found, seed=82507)
    train, _ = split(82507)
    assert set(labels[found.rare].tolist()) == set(RARE)
    assert not set(labels[~found.rare].tolist()) & set(RARE)
    whole = {image.tobytes() for image in train.images}
    original = np.flatnonzero(found.edited == 0.0)
    assert {images[at, :-1].tobytes() for at in original} <= whole
    for at in range(DOCUMENTS):
        same = original[found.family[original] == found.family[at]][0]
        assert labels[at] == labels[same]
        distance = np.linalg.norm(images[at] - images[same])
        assert distance == 0.0 if found.edited[at] == 0.0 else distance < 4.0
    moved = images[found.edited > 0.0]
    assert moved[:, :-1].min() >= 0.0
    assert moved.max() <= 1.0
    _, count = np.unique(labels[np.unique(found.family, return_index=True)[1]], return_counts=True)
    assert count[:8].max() - count[:8].min() <= 1


def test_a_course_over_few_documents_goes_over_them_again() -> None:
    recipe = Recipe(0.5, 0.5, 0.05, 1.0, 0.08, 0.4)
    found = corpus.corpus(recipe, seed=82508)
    images, labels = selection.carried(found, seed=82508)
    one = np.zeros(DOCUMENTS, dtype=np.bool_)
    one[3] = True
    course = selection.course(images, labels, found.family, one, seed=82508)
    assert course.unique.tolist() == [0.0] + [1.0] * (len(MARKS) - 1)
    assert course.recall[-1, labels[3]] == 100.0  # it says so of everything
    assert course.recall[-1].sum() == pytest.approx(100.0)
    assert MARKS[0] == 0
    assert MARKS[-1] == PASSES * DOCUMENTS
    assert (MARKS % BATCH == 0).all()
    with pytest.raises(ValueError, match="document"):
        selection.course(images, labels, found.family, ~one & one, seed=82508)


def test_the_documents_seen_until_an_accuracy_lie_on_the_line_between_marks() -> None:
    climb = np.full(len(MARKS), 80.0)
    climb[:10] = 50.0  # smoothed over three marks: 50, 60, 70, 80
    course = Course(climb, np.zeros((len(MARKS), 10)), np.zeros(len(MARKS)))
    assert course.until(65.0) == (MARKS[9] + MARKS[10]) / 2
    assert course.until(80.0) == MARKS[11] or course.until(80.0) == MARKS[10]
    assert course.until(80.5) is None
    assert course.until(50.0) == MARKS[0]
    assert course.at(float(MARKS[9] + MARKS[10]) / 2)[0] == 65.0


def test_different_documents_run_out_sooner_when_copies_do_not_delay_them(
    frames: list[Outcome],
) -> None:
    series, metrics = frames[-1].series, frames[-1].metrics
    before, after = np.array(series["unique_before"]), np.array(series["unique"])
    originals, _, _, lost = series["documents"]
    assert before[-1] == originals + lost
    assert after[-1] == originals
    assert (np.diff(before) >= 0).all()
    # A wall: one pass over all that there is, and nothing new after it.
    seen = MARKS >= DOCUMENTS
    assert (before[seen] == originals + lost).all()
    assert (after[seen] == originals).all()
    early = (MARKS > 0) & (MARKS < DOCUMENTS // 2)
    assert (after[early] > 1.1 * before[early]).sum() >= early.sum() - 2
    assert series["spent"][-1] == pytest.approx(
        PASSES * metrics["flops_before"] / 4  # 4 epochs of everything
    )


@pytest.mark.parametrize(
    ("setting", "cut", "most"), [(WEB, "16x8", 0.75), (VIDEO, "8x16", 0.75), (SPEECH, "16x8", 0.9)]
)
def test_a_redundant_corpus_reaches_the_same_accuracy_for_fewer_flops(
    setting: dict[str, Any], cut: str, most: float
) -> None:
    ratio = over(setting, "ratio", bands=cut)
    assert ratio.max() < most
    assert (over(setting, "shortfall", bands=cut) == 0.0).all()
    assert (over(setting, "icr", bands=cut) > over(setting, "icr_before", bands=cut)).all()


def test_a_corpus_that_hardly_repeats_gains_hardly_anything() -> None:
    ratio = over(RECORDINGS, "ratio", bands="8x16")
    assert ((ratio > 0.8) & (ratio < 1.25)).all()
    assert 0.88 < np.median(ratio) < 1.1
    assert (over(RECORDINGS, "removed_share", bands="8x16") < 5).all()


@pytest.mark.parametrize("setting", [WEB, VIDEO, SPEECH, RECORDINGS])
def test_a_threshold_too_low_takes_the_rare_slice_for_copies(setting: dict[str, Any]) -> None:
    assert (over(setting, "rare_kept", bands="64x2") < 15).all()
    assert (over(setting, "rare_kept", bands="4x32") > 95).all()
    assert (over(setting, "duplicates_left", bands="64x2") < 2).all()
    assert (over(setting, "shortfall", bands="64x2") > 1).all()
    recall = over(setting, "rare_recall", bands="64x2")
    assert (recall < over(setting, "rare_recall_before") - 10).all()
    # 8 passes' FLOPs are tried, twice what 4 epochs of everything take; it is not reached.
    assert (over(setting, "ratio", bands="64x2") > 2.0 - 1e-9).all()


@pytest.mark.soak
def test_the_best_cut_differs_between_corpora() -> None:
    def best(setting: dict[str, Any]) -> str:
        middle = {cut: float(np.median(over(setting, "ratio", bands=cut))) for cut in CUTS}
        return min(middle, key=middle.__getitem__)

    assert best(WEB) in ("25x5", "16x8")
    assert best(VIDEO) in ("16x8", "8x16")
    assert best(RECORDINGS) in ("8x16", "4x32")


@pytest.mark.parametrize("metric", [each for each in MODEL.metrics if each.terms])
def test_terms_sum_to_the_change(metric: Any) -> None:
    before = WEB | {"bands": "4x32"}
    after = {**VIDEO, "bands": "32x4", "share": 0.8, "epochs": 2, "tokens": 1e13, "devices": 8}
    after |= {"dollars_hour": 3.0}
    terms = MODEL.explain(metric.name, before, after, seed=82500)
    assert tuple(terms.terms) == metric.terms
    assert sum(terms.terms.values()) == pytest.approx(
        terms.change, rel=1e-9, abs=1e-9 * max(1.0, abs(terms.before), abs(terms.after))
    )
    assert terms.after == MODEL.evaluate(after, seed=82500).metrics[metric.name]
    assert terms.before == MODEL.evaluate(before, seed=82500).metrics[metric.name]


@pytest.mark.parametrize("seed", FRESH[:3])
def test_what_helps_is_fewer_copies_and_what_harms_is_what_was_lost(seed: int) -> None:
    loose, fair, strict = (WEB | {"bands": cut} for cut in ("64x2", "16x8", "4x32"))
    helped = MODEL.explain("ratio", strict, fair, seed=seed)
    assert helped.largest == "duplicates"
    assert helped.change < 0
    harmed = MODEL.explain("ratio", fair, loose, seed=seed)
    assert harmed.largest == "lost"
    assert harmed.change > 0
    assert MODEL.explain("rare_recall", fair, loose, seed=seed).largest == "lost"
    assert MODEL.explain("flops", strict, fair, seed=seed).largest == "duplicates"


def test_an_easy_accuracy_hides_what_was_lost() -> None:
    easy = over(WEB, "ratio", bands="64x2", epochs=2)
    assert np.median(easy) < 1.0
    assert (over(WEB, "rare_recall", bands="64x2", epochs=2) < 5).all()


def test_sizes_and_prices_leave_the_ratio_alone() -> None:
    other = {"parameters": 1e6, "tokens": 1e9, "dollars_hour": 0.0, "devices": 1}
    assert (
        MODEL.evaluate(WEB | other, seed=82500).metrics["ratio"]
        == MODEL.evaluate(WEB, seed=82500).metrics["ratio"]
    )


@pytest.mark.parametrize(
    ("control", "value"),
    [("bands", "7x7"), ("epochs", 7), ("redundancy", 0.9), ("rare", 0.0), ("share", 0.0)],
)
def test_settings_are_refused_at_the_border(control: str, value: Any) -> None:
    with pytest.raises(SettingError, match=control):
        MODEL.evaluate({control: value}, seed=1)


def test_a_metric_without_terms_is_not_explained() -> None:
    with pytest.raises(ValueError, match="no terms"):
        MODEL.explain("threshold", {}, {}, seed=1)
