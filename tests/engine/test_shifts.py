from __future__ import annotations

import numpy as np
import pytest

from engine.numerics.digits import SIDE, Digits, split
from engine.numerics.shifts import SHIFTS, shifted


@pytest.fixture(scope="module")
def digits():
    return split(0)[1]


def apply(shift, strength, digits, seed=0, part="test"):
    return shifted(shift, strength, digits, seed=seed, part=part)


def tilt(images):
    """Covariance of rows and columns of the ink, averaged: 0 for upright strokes."""
    rows, columns = (axis.ravel() - 3.5 for axis in np.mgrid[0:SIDE, 0:SIDE])
    return float((images @ (rows * columns) / images.sum(axis=1)).mean())


def sharpness(images):
    return float(np.abs(np.diff(images.reshape(-1, SIDE, SIDE), axis=2)).mean() / images.mean())


@pytest.mark.parametrize("shift", SHIFTS)
def test_shift_depends_on_seed_and_part_alone(digits, shift):
    once, again = apply(shift, 0.5, digits), apply(shift, 0.5, digits)
    other = apply(shift, 0.5, digits, part="train")
    assert np.array_equal(once.images, again.images)
    assert np.array_equal(once.labels, again.labels)
    assert not np.array_equal(once.images, other.images)


@pytest.mark.parametrize("shift", SHIFTS)
def test_shifted_digits_stay_between_paper_and_ink(digits, shift):
    images = apply(shift, 1.0, digits).images
    assert len(images) == len(digits)
    assert images.min() >= 0.0
    assert images.max() <= 1.0


@pytest.mark.parametrize("shift", ["dust", "accent", "ear"])
def test_strength_zero_changes_no_image(digits, shift):
    same = apply(shift, 0.0, digits)
    np.testing.assert_allclose(same.images, digits.images, atol=1e-12)
    assert np.array_equal(same.labels, digits.labels)


def test_dust_brightens_and_flattens(digits):
    hazy = apply("dust", 0.8, digits).images
    assert hazy.mean() > digits.images.mean() + 0.2
    assert hazy.std() < 0.6 * digits.images.std()


def test_accent_slants_the_strokes(digits):
    weak, strong = (tilt(apply("accent", s, digits).images) for s in (0.3, 0.6))
    assert abs(strong - tilt(digits.images)) > abs(weak - tilt(digits.images)) > 0.2


def test_accent_turns_a_stroke_by_the_angle_it_says(monkeypatch):
    monkeypatch.setattr("engine.numerics.shifts.ACCENT_ROTATION", 90.0)
    monkeypatch.setattr("engine.numerics.shifts.ACCENT_JITTER", 0.0)
    monkeypatch.setattr("engine.numerics.shifts.ACCENT_SLANT", 0.0)
    bar = np.zeros((SIDE, SIDE))
    bar[:, 2] = 1.0
    turned = apply("accent", 1.0, Digits(bar.reshape(1, -1), np.array([1]))).images
    expected = [np.rot90(bar, turns) for turns in (1, -1)]
    assert any(np.allclose(turned.reshape(SIDE, SIDE), image, atol=1e-9) for image in expected)


def test_ear_muffles_and_softens(digits):
    soft = apply("ear", 0.85, digits).images
    assert soft.mean() < 0.5 * digits.images.mean()
    assert sharpness(soft) < 0.8 * sharpness(digits.images)


def test_habits_at_strength_zero_are_the_common_mix(digits):
    mine = apply("habits", 0.0, digits)
    pairs = {
        (image.tobytes(), int(y)) for image, y in zip(digits.images, digits.labels, strict=True)
    }
    assert all(
        (image.tobytes(), int(y)) in pairs
        for image, y in zip(mine.images, mine.labels, strict=True)
    )


def test_habits_make_some_classes_common_and_others_rare(digits):
    counts = np.bincount(apply("habits", 1.0, digits).labels, minlength=10)
    assert counts.max() > 4 * np.bincount(digits.labels).max() / 2
    assert counts.min() < counts.max() / 5


def test_habits_of_a_user_are_the_same_in_training_and_test(digits):
    train, test = (apply("habits", 1.0, digits, part=part) for part in ("train", "test"))
    stranger = apply("habits", 1.0, digits, seed=1)
    mixes = [np.bincount(d.labels, minlength=10) for d in (train, test, stranger)]
    assert np.corrcoef(mixes[0], mixes[1])[0, 1] > 0.9
    assert np.corrcoef(mixes[0], mixes[2])[0, 1] < 0.9


def test_habits_mirror_and_rename_the_user_s_own_classes(digits):
    mine = apply("habits", 0.5, digits)
    known = {image.tobytes(): int(y) for image, y in zip(digits.images, digits.labels, strict=True)}
    renamed, kept = set(), set()
    for image, name in zip(mine.images, mine.labels, strict=True):
        if image.tobytes() in known:
            kept.add((known[image.tobytes()], int(name)))
        else:
            flipped = np.ascontiguousarray(image.reshape(SIDE, SIDE)[:, ::-1]).tobytes()
            renamed.add((known[flipped], int(name)))
    assert all(a == b for a, b in kept)
    assert len(renamed) == 5
    assert all(a != b for a, b in renamed)
    assert {a for a, _ in renamed} == {b for _, b in renamed}


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_strength_outside_its_range_is_refused(digits, strength):
    with pytest.raises(ValueError):
        apply("dust", strength, digits)


def test_unknown_shift_is_refused(digits):
    with pytest.raises(ValueError):
        apply("fog", 0.5, digits)
