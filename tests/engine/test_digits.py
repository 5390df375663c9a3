from __future__ import annotations

import hashlib

import numpy as np
import pytest

from engine.numerics.digits import TEST, TRAIN, Digits, load, split


def test_digits_are_the_published_ones():
    digits = load()
    counts = np.rint(digits.images * 16).astype(np.uint8)
    assert digits.images.shape == (1797, 64)
    assert digits.images.dtype == np.float64
    assert hashlib.sha256(counts.tobytes()).hexdigest() == (
        "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"
    )
    assert hashlib.sha256(digits.labels.astype(np.uint8).tobytes()).hexdigest() == (
        "8ba4f891220f5e4c9c819638d1602d74b83618f167043c6da52a2a247841ddf0"
    )


def test_digits_lie_between_paper_and_ink():
    images = load().images
    assert images.min() == 0.0
    assert images.max() == 1.0


def test_digits_cannot_be_written_to():
    with pytest.raises(ValueError):
        load().images[0, 0] = 1.0


def test_split_uses_every_digit_once():
    train, test = split(5)
    assert (len(train), len(test)) == (TRAIN, TEST) == (1437, 360)
    together = np.concatenate([train.images, test.images])
    assert sorted(map(bytes, together)) == sorted(map(bytes, load().images))


def test_split_depends_on_the_seed_alone():
    again = split.__wrapped__(5)
    assert np.array_equal(split(5)[1].images, again[1].images)
    assert not np.array_equal(split(5)[1].images, split(6)[1].images)


def test_images_and_labels_must_match():
    with pytest.raises(ValueError):
        Digits(np.zeros((3, 64)), np.zeros(2, dtype=np.int64))
