from __future__ import annotations

import hashlib
from importlib import resources
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.numerics import corpus, minhash
from engine.numerics.corpus import DOCUMENTS, LENGTH, Corpus, Recipe

WEB = Recipe(redundancy=0.5, near=0.5, edits=0.05, skew=1.0, rare=0.08, template=0.5)
FRESH = (82401, 82402, 82403)


@pytest.fixture(scope="module")
def web() -> Corpus:
    return corpus.corpus(WEB, seed=82400)


def documents(found: Corpus) -> list[list[int]]:
    return [list(map(int, words)) for words in np.split(found.words, found.starts[1:])]


def sets(found: Corpus) -> list[set[tuple[int, ...]]]:
    return [set(zip(d, d[1:], d[2:], strict=False)) for d in documents(found)]


def test_the_text_is_the_one_that_the_readme_names() -> None:
    data = resources.files("engine").joinpath("data")
    raw = data.joinpath("alice.txt").read_bytes()
    assert hashlib.sha256(raw).hexdigest() in data.joinpath("README.md").read_text("utf-8")
    vocabulary, running = corpus.text()
    assert len(raw) <= 150_000
    assert (len(vocabulary), len(running)) == (2636, 26_683)
    opening = " ".join(vocabulary[word] for word in running[12:20])
    assert opening == "down the rabbit hole alice was beginning to"
    assert len(running) // LENGTH > DOCUMENTS  # passages for all, and one for the template


def test_exact_copies_are_their_original_and_edited_ones_nearly(web: Corpus) -> None:
    words = documents(web)
    originals: dict[int, list[int]] = {}
    _, counts = np.unique(web.family, return_counts=True)
    assert DOCUMENTS - len(counts) == round(WEB.redundancy * DOCUMENTS)
    exact = np.flatnonzero(web.edited == 0.0)
    for at in exact:
        assert originals.setdefault(int(web.family[at]), words[at]) == words[at]
    assert len(originals) == len(counts)
    assert all(len(originals[family]) == LENGTH for family in originals)
    near = np.flatnonzero(web.edited > 0.0)
    assert len(near) == pytest.approx(128, abs=4 * 8)  # binomial, 256 at a half
    assert web.edited.max() <= 2 * WEB.edits
    differs = [words[at] != originals[int(web.family[at])] for at in near]
    assert np.mean(differs) > 0.75


def test_edits_change_about_the_share_of_words_that_is_asked() -> None:
    found = corpus.corpus(Recipe(0.8, 1.0, 0.1, 0.0, 0.02, 0.0), seed=82404)
    codes, starts = corpus.shingles(found)
    first, second, similar = corpus.alike(codes, starts)
    original = found.edited == 0.0
    pair = original[first] & (found.family[first] == found.family[second])
    copy = second[pair]
    left = (1 - found.edited[copy]) ** 3  # a shingle lives while its three words do
    # Insertions spare the words and break shingles less, so this is a little low.
    assert similar[pair].mean() == pytest.approx((left / (2 - left)).mean(), abs=0.05)


def test_the_rare_slice_is_distinct_and_shares_its_template(web: Corpus) -> None:
    found = sets(web)
    rare = np.flatnonzero(web.rare)
    assert len(rare) == round(WEB.rare * DOCUMENTS)
    assert len(np.unique(web.family[rare])) == len(rare)
    shared = round(WEB.template * LENGTH) - 2
    for a, b in combinations(rare[:12], 2):
        both = len(found[a] & found[b])
        assert shared - 2 <= both <= shared + 2
    common = np.flatnonzero(~web.rare)
    assert all(len(found[rare[0]] & found[at]) <= 3 for at in common)


def test_skewed_copies_go_to_few_originals() -> None:
    def largest(skew: float) -> int:
        found = corpus.corpus(Recipe(0.5, 0.0, 0.0, skew, 0.08, 0.0), seed=82405)
        return int(np.bincount(found.family).max())

    assert largest(0.0) < 10 < largest(1.0) < largest(2.0)


@settings(max_examples=8, deadline=None)
@given(
    redundancy=st.floats(0.0, 0.85),
    near=st.floats(0.0, 1.0),
    edits=st.floats(0.0, 0.3),
    seed=st.integers(0, 10**6),
)
def test_jaccard_and_shingles_are_those_of_sets_in_python(
    redundancy: float, near: float, edits: float, seed: int
) -> None:
    found = corpus.corpus(Recipe(redundancy, near, edits, 1.0, 0.08, 0.5), seed=seed)
    expected = sets(found)
    codes, starts = corpus.shingles(found)
    for mine, theirs in zip(np.split(codes, starts[1:]), expected, strict=True):
        assert len(set(mine.tolist())) == len(theirs)
    first, second, similar = corpus.alike(codes, starts)
    assert (first < second).all()
    told = dict(zip(zip(first.tolist(), second.tolist(), strict=True), similar, strict=True))
    few = range(0, DOCUMENTS, 9)
    for a, b in combinations(few, 2):
        jaccard = len(expected[a] & expected[b]) / len(expected[a] | expected[b])
        assert told.get((a, b), 0.0) == pytest.approx(jaccard, abs=1e-15)


def test_jaccard_of_hand_made_sets() -> None:
    codes = np.array([1, 2, 3, 3, 2, 3, 4, 9, 1])
    first, second, similar = corpus.alike(codes, np.array([0, 4, 7, 8]))
    found = list(zip(first.tolist(), second.tolist(), similar.tolist(), strict=True))
    assert found == [(0, 1, 2 / 4), (0, 3, 1 / 3)]


@pytest.mark.parametrize("seed", FRESH)
def test_signatures_of_real_documents_estimate_their_similarity(seed: int) -> None:
    found = corpus.corpus(WEB, seed=seed)
    codes, starts = corpus.shingles(found)
    first, second, similar = corpus.alike(codes, starts)
    signed = minhash.signatures(codes, starts, seed=seed)
    error = minhash.similarity(signed, first, second) - similar
    # Pairs share documents and all share the hash functions: far fewer than their number count.
    assert abs(error.mean()) < 0.02
    assert (error[similar == 1.0] == 0.0).all()


def test_a_corpus_without_common_originals_is_refused() -> None:
    with pytest.raises(ValueError, match="originals"):
        corpus.corpus(Recipe(0.95, 0.0, 0.0, 1.0, 0.05, 0.5), seed=1)
