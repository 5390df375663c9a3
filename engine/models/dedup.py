"""Near-duplicates: what a corpus repeats, what finding it costs, what training gains by it.

Two scales, never blurred. FLOPs, seconds and dollars are accounting at the track's true size,
6·N·D a pass (Kaplan et al. 2020), for the share of the corpus that is kept. Which share that
is, and what training learns, is measured on a stand-in: 512 documents with known families of
edits, found by real MinHash signatures, each of which carries a digit that softmax regressions
learn. One document seen stands for 1/512 of the true tokens.

Candidates are not verified: whoever shares a band is joined, whole components with it, and the
first document of each component is kept. So the bands alone decide what is removed.

"The same accuracy" is what all documents in use reach in the epochs asked for. A selection may
need more FLOPs or fewer for it, and up to 8 passes over the whole corpus are tried; where it is
not reached even then, ``shortfall`` says by how much, and the ratio is at least what is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.contract import Control, Mechanism, Metric, Outcome, Series, Setting, Terms, complete
from engine.numerics import corpus, minhash, selection
from engine.numerics.corpus import DOCUMENTS, Corpus, Recipe
from engine.numerics.digits import TEST
from engine.numerics.randomness import FloatArray, IntArray
from engine.numerics.selection import MARKS, Course
from engine.switching import switched

FATES: Final = ("originals", "copies left", "copies out", "lost")
"""What becomes of documents: distinct ones kept, copies kept and removed, distinct ones removed."""

CUTS: Final[Mapping[str, tuple[int, int]]] = {**minhash.BANDS, "none": (0, 1)}
"""Bands x rows that can be asked for; without bands there are no candidates, and all is kept."""

_POINT: Final = 100 / TEST
_GRID: Final = np.linspace(0.0, 1.0, 41)
_BINS: Final = 20
_RECIPE: Final = ("redundancy", "near", "edits", "skew", "rare", "template")
_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "collected": _RECIPE,
    "share": ("share",),
    "duplicates": ("bands",),
    "passes": ("epochs",),
    "size": ("parameters", "tokens"),
    "machines": ("flop_rate", "devices", "dollars_hour"),
}
"""Which controls each term belongs to, in the order they are switched; ``lost`` comes last."""
_REMOVED: Final = ("duplicates", "lost", "collected", "share")
_LEARNING: Final = (*_REMOVED, "passes")
_FLOPS: Final = (*_LEARNING, "size")
_DOLLARS: Final = (*_FLOPS, "machines")


@dataclass(frozen=True, slots=True, eq=False)
class _Audit:
    """What is computed once a corpus: signatures, and the pairs that share a shingle."""

    found: Corpus
    signed: minhash.Words
    first: IntArray
    second: IntArray
    similar: FloatArray
    images: FloatArray
    labels: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """What a choice of bands removes from the documents in use."""

    kept: NDArray[np.bool_]
    fates: tuple[int, int, int, int]
    rare: int
    rare_kept: int
    key: minhash.Words

    @property
    def documents(self) -> int:
        """How many are kept."""
        return self.fates[0] + self.fates[1]


class Dedup:
    """MinHash deduplication of a corpus, and the training on what it leaves."""

    name = "dedup"
    version = 1
    summary = "Near-duplicates by MinHash bands: what is removed, and what training gains by it."
    formula = (
        "P(candidate) = 1 - (1 - s^r)^b      threshold ≈ (1/b)^(1/r)\n"
        "FLOPs = 6 · N · D · epochs           D = tokens · share used · share kept\n"
        "ICR = points of accuracy gained / FLOPs, here a pass over the whole corpus\n"
        "ratio = FLOPs to the same accuracy, selected / as collected"
    )
    sources = (
        "Broder 1997, On the resemblance and containment of documents",
        "Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3: bands",
        "Lee et al. 2022, Deduplicating Training Data Makes Language Models Better",
        "Kaplan et al. 2020, Scaling Laws for Neural Language Models: 6ND",
        "Carroll 1865, Alice's Adventures in Wonderland: the words of the documents",
    )
    controls = (
        Control(
            "bands",
            "",
            "choice",
            "bands x rows that signatures are cut into; none: as collected",
            "16x8",
            choices=tuple(CUTS),
        ),
        Control("epochs", "passes", "integer", "over what is kept", 4, 1, 6),
        Control("share", "", "number", "of the corpus that is used", 1.0, 0.25, 1.0, 0.05),
        Control("redundancy", "", "number", "share that copies another", 0.5, 0.0, 0.85, 0.05),
        Control("near", "", "number", "share of the copies that is edited", 0.5, 0.0, 1.0, 0.05),
        Control(
            "edits", "", "number", "mean share of an edited copy's words", 0.05, 0.0, 0.3, 0.01
        ),
        Control("skew", "", "number", "Zipf exponent of who is copied", 1.0, 0.0, 2.0, 0.1),
        Control("rare", "", "number", "share that is the rare slice", 0.08, 0.02, 0.1, 0.01),
        Control("template", "", "number", "of a rare document that all share", 0.5, 0.0, 0.9, 0.05),
        Control("parameters", "", "number", "N, true size", 7e10, 1e3, 1e13, 10.0, "log"),
        Control("tokens", "", "number", "D, whole corpus, true size", 1e12, 1e3, 1e15, 10.0, "log"),
        Control("flop_rate", "FLOP/s", "number", "of a device", 4e14, 1e6, 1e17, 2.0, "log"),
        Control("devices", "", "integer", "that train", 1024, 1, 1_000_000, 2.0, "log"),
        Control("dollars_hour", "$", "number", "a device-hour", 2.0, 0.0, 1000.0, 0.5),
    )
    metrics = (
        Metric(
            "threshold", "", None, "(1/b)^(1/r): similarity where candidates begin; 1: none", True
        ),
        Metric("removed_share", "%", None, "of the documents, stand-in", False, 0.0, _REMOVED),
        Metric("duplicates_left", "%", "lower", "of the copies, stand-in", False, 0.0, _REMOVED),
        Metric(
            "false_removals",
            "%",
            "lower",
            "of the distinct documents, stand-in",
            False,
            0.0,
            _REMOVED,
        ),
        Metric("rare_kept", "%", "higher", "of the rare slice, stand-in", False, 0.0, _REMOVED),
        Metric("accuracy", "%", "higher", "after the epochs, stand-in", False, _POINT, _LEARNING),
        Metric("accuracy_before", "%", None, "on all documents, stand-in", False, _POINT),
        Metric(
            "rare_recall", "%", "higher", "on the rare classes, stand-in", False, 2.0, _LEARNING
        ),
        Metric("rare_recall_before", "%", None, "on all documents, stand-in", False, 2.0),
        Metric(
            "ratio",
            "×",
            "lower",
            "FLOPs to the same accuracy, after over before, stand-in",
            False,
            0.02,
            _LEARNING,
        ),
        Metric(
            "shortfall",
            "points",
            "lower",
            "of that accuracy after 8 whole passes' FLOPs, stand-in",
            False,
            _POINT,
            _LEARNING,
        ),
        Metric(
            "passes_to_same",
            "passes",
            "lower",
            "FLOPs to the same accuracy, in passes over the whole corpus, stand-in",
            False,
            0.05,
            _LEARNING,
        ),
        Metric("passes_to_same_before", "passes", None, "on all documents, stand-in", False, 0.05),
        Metric(
            "icr",
            "points/pass",
            "higher",
            "accuracy gained a pass's FLOPs, stand-in",
            False,
            2 * _POINT,
            _LEARNING,
        ),
        Metric("icr_before", "points/pass", None, "on all documents, stand-in", False, 2 * _POINT),
        Metric("flops", "FLOP", "lower", "6·N·D·epochs, on what is kept", True, 0.0, _FLOPS),
        Metric("flops_before", "FLOP", None, "6·N·D·epochs, on all that is used", True),
        Metric("seconds", "s", "lower", "of that training", True, 0.0, _DOLLARS),
        Metric("dollars", "$", "lower", "of that training", True, 0.0, _DOLLARS),
        Metric("dollars_before", "$", None, "on all that is used", True),
        Metric(
            "flops_to_same",
            "FLOP",
            "lower",
            "true size, to the same accuracy on the stand-in",
            False,
            0.0,
            (*_LEARNING, "size"),
        ),
        Metric("flops_to_same_before", "FLOP", None, "on all documents", False),
    )
    series = (
        Series("similarity", "", "of a pair: the axis of the S-curve"),
        Series("s_curve", "", "1 - (1 - s^r)^b"),
        Series("similarity_seen", "", "of the pairs in each bin, exact Jaccard", (), False),
        Series("candidates_seen", "", "share that became candidates, a bin", (), False),
        Series("candidates_expected", "", "what the S-curve says for those pairs", (), False),
        Series("documents", "", "what became of them, stand-in", FATES, False),
        Series("spent", "FLOP", "true size: the axis of the learning curves"),
        Series("progress", "%", "accuracy, on the stand-in", (), False, _POINT),
        Series("progress_before", "%", "on all documents, stand-in", (), False, _POINT),
        Series("unique", "", "distinct documents met, stand-in", (), False),
        Series("unique_before", "", "on all documents, stand-in", (), False),
    )
    mechanisms = (
        Mechanism("duplicates", "copies are no longer paid for, nor crowd out what is rare"),
        Mechanism("lost", "distinct documents that were taken for copies"),
        Mechanism("collected", "what the corpus is made of"),
        Mechanism("share", "how much of the corpus is used"),
        Mechanism("passes", "how often it is gone over"),
        Mechanism("size", "6·N·D: parameters and tokens"),
        Mechanism("machines", "speed, number and price of the devices"),
    )

    def evaluate(self, setting: Setting, *, seed: int) -> Outcome:
        """Deduplication, accounts and training at ``setting``. Raises SettingError."""
        *_, last = self.stream(setting, seed=seed)
        return last

    def stream(self, setting: Setting, *, seed: int) -> Iterator[Outcome]:
        """First what is removed, and the accounts; then with the training measured."""
        asked = complete(self.controls, setting)
        audit = _audit(_recipe(asked), seed)
        cut = _cut(asked, audit, lossless=False)
        metrics = _removal(asked, cut) | _accounts(asked, cut)
        series = _seen(asked, audit, cut)
        a_document = _a_pass(asked) / DOCUMENTS
        series["spent"] = tuple((a_document * MARKS).tolist())
        yield Outcome(metrics, series)
        before, after = _courses(asked, cut, seed)
        metrics |= _learning(asked, cut, before, after)
        series |= {
            "progress": tuple(after.accuracy.tolist()),
            "progress_before": tuple(before.accuracy.tolist()),
            "unique": tuple(after.unique.tolist()),
            "unique_before": tuple(before.unique.tolist()),
        }
        yield Outcome(metrics, series)

    def explain(self, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
        """Split a change by switching groups of controls over, one after the other.

        They are switched in a world where no distinct document is ever removed (the first of
        every family in a component stays). What removing them does, at either end, is the term
        ``lost``; so ``duplicates`` is what the bands do through true copies alone.
        Raises SettingError at the border, ValueError for a metric without terms.
        """
        first, second = complete(self.controls, before), complete(self.controls, after)
        declared = {each.name: each.terms for each in self.metrics if each.terms}
        if metric not in declared:
            raise ValueError(f"{metric} has no terms; explain {', '.join(declared)}")

        def lossless(asked: Mapping[str, Any]) -> float:
            return _value(metric, asked, seed, lossless=True)

        found = switched(metric, lossless, first, second, _GROUPS)
        old, new = (_value(metric, asked, seed, lossless=False) for asked in (first, second))
        terms = dict(found.terms) | {"lost": (new - found.after) - (old - found.before)}
        return replace(
            found, before=old, after=new, terms={term: terms[term] for term in declared[metric]}
        )


def _recipe(asked: Mapping[str, Any]) -> Recipe:
    return Recipe(**{name: asked[name] for name in _RECIPE})


@lru_cache(maxsize=8)
def _audit(recipe: Recipe, seed: int) -> _Audit:
    found = corpus.corpus(recipe, seed=seed)
    codes, starts = corpus.shingles(found)
    signed = minhash.signatures(codes, starts, seed=seed)
    return _Audit(found, signed, *corpus.alike(codes, starts), *selection.carried(found, seed=seed))


def _used(asked: Mapping[str, Any]) -> int:
    """Documents in use: the first of a random order."""
    return round(float(asked["share"]) * DOCUMENTS)


def _cut(asked: Mapping[str, Any], audit: _Audit, *, lossless: bool) -> _Cut:
    used = _used(asked)
    key = _keys(audit.signed[:used], *CUTS[asked["bands"]])
    group, family = minhash.groups(key), audit.found.family[:used]
    kept = group == np.arange(used)
    if lossless:
        kept = np.zeros(used, dtype=np.bool_)
        kept[np.unique(group * DOCUMENTS + family, return_index=True)[1]] = True
    there, left = np.unique(family), np.unique(family[kept])
    lost = len(there) - len(left)
    removed = used - int(kept.sum())
    rare = audit.found.rare[:used]
    fates = (len(left), used - removed - len(left), removed - lost, lost)
    return _Cut(kept, fates, int(rare.sum()), int((rare & kept).sum()), key)


def _keys(signed: minhash.Words, bands: int, rows: int) -> minhash.Words:
    return minhash.keys(signed, bands, rows) if bands else signed[:, :0]


def _removal(asked: Mapping[str, Any], cut: _Cut) -> dict[str, float]:
    originals, left, removed, lost = cut.fates
    bands, rows = CUTS[asked["bands"]]
    return {
        "threshold": minhash.threshold(bands, rows) if bands else 1.0,
        "removed_share": _percent(removed + lost, sum(cut.fates)),
        "duplicates_left": _percent(left, left + removed),
        "false_removals": _percent(lost, originals + lost),
        "rare_kept": _percent(cut.rare_kept, cut.rare) if cut.rare else 100.0,
    }


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0


def _a_pass(asked: Mapping[str, Any]) -> float:
    """FLOPs of one pass over the whole corpus, at true size."""
    return float(6.0 * asked["parameters"] * asked["tokens"])


def _accounts(asked: Mapping[str, Any], cut: _Cut) -> dict[str, float]:
    before = _a_pass(asked) * asked["epochs"] * _used(asked) / DOCUMENTS
    flops = _a_pass(asked) * asked["epochs"] * cut.documents / DOCUMENTS
    dollars = asked["dollars_hour"] / 3600.0 / asked["flop_rate"]
    return {
        "flops": flops,
        "flops_before": before,
        "seconds": flops / (asked["flop_rate"] * asked["devices"]),
        "dollars": flops * dollars,
        "dollars_before": before * dollars,
    }


def _seen(asked: Mapping[str, Any], audit: _Audit, cut: _Cut) -> dict[str, tuple[float, ...]]:
    """The S-curve, and beside it what became of the pairs that share a shingle at all."""
    bands = CUTS[asked["bands"]]
    inside = audit.second < len(cut.kept)  # the greater of the two
    first, second = audit.first[inside], audit.second[inside]
    similar = audit.similar[inside]
    bins = np.minimum((similar * _BINS).astype(np.int64), _BINS - 1)
    size = np.bincount(bins, minlength=_BINS)
    there = size > 0
    columns = {
        "similarity_seen": similar,
        "candidates_seen": minhash.meet(cut.key, first, second).astype(np.float64),
        "candidates_expected": minhash.probability(similar, *bands),
    }
    means = {
        name: tuple((np.bincount(bins, values, _BINS)[there] / size[there]).tolist())
        for name, values in columns.items()
    }
    return means | {
        "similarity": tuple(_GRID.tolist()),
        "s_curve": tuple(minhash.probability(_GRID, *bands).tolist()),
        "documents": tuple(map(float, cut.fates)),
    }


def _courses(asked: Mapping[str, Any], cut: _Cut, seed: int) -> tuple[Course, Course]:
    """Training on all documents in use, and on those that are kept."""
    everything = np.ones(len(cut.kept), dtype=np.bool_)
    before, after = (
        _course(_recipe(asked), chosen.tobytes(), seed) for chosen in (everything, cut.kept)
    )
    return before, after


@lru_cache(maxsize=64)
def _course(recipe: Recipe, chosen: bytes, seed: int) -> Course:
    """A course, which neither epochs nor prices have a part in."""
    audit, mask = _audit(recipe, seed), np.frombuffer(chosen, dtype=np.bool_)
    used = slice(0, len(mask))
    return selection.course(
        audit.images[used], audit.labels[used], audit.found.family[used], mask, seed=seed
    )


def _learning(
    asked: Mapping[str, Any], cut: _Cut, before: Course, after: Course
) -> dict[str, float]:
    same = float(np.interp(asked["epochs"] * len(cut.kept), MARKS, before.best))
    found = {"shortfall": max(0.0, same - float(after.best[-1]))}
    until: dict[str, float] = {}
    for name, course, documents in (
        ("", after, cut.documents),
        ("_before", before, len(cut.kept)),
    ):
        seen = asked["epochs"] * documents
        accuracy, rare = course.at(seen)
        reached = course.until(same)
        until[name] = float(MARKS[-1]) if reached is None else reached
        found[f"accuracy{name}"] = accuracy
        found[f"rare_recall{name}"] = rare
        found[f"icr{name}"] = (accuracy - float(course.accuracy[0])) / (seen / DOCUMENTS)
        found[f"passes_to_same{name}"] = until[name] / DOCUMENTS
        found[f"flops_to_same{name}"] = until[name] / DOCUMENTS * _a_pass(asked)
    return found | {"ratio": until[""] / until["_before"]}


def _value(metric: str, asked: Mapping[str, Any], seed: int, *, lossless: bool) -> float:
    cut = _cut(asked, _audit(_recipe(asked), seed), lossless=lossless)
    account = _removal(asked, cut) | _accounts(asked, cut)
    if metric in account:
        return account[metric]
    return _learning(asked, cut, *_courses(asked, cut, seed))[metric]


MODEL: Final = Dedup()
