"""Batches and pairs of one epoch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aia_models.training.batches import PairSampler, image_batches

identities = st.lists(st.integers(0, 6), min_size=2, max_size=40).filter(lambda drawn: len(set(drawn)) > 1)


@given(identities, st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_partners_are_what_they_are_said_to_be(drawn: list[int], seed: int) -> None:
    identity = np.array(drawn, dtype=np.int32)
    anchors = np.tile(np.arange(len(identity)), 20)
    partners, different = PairSampler(identity).partners(anchors, np.random.default_rng(seed))
    assert (partners != anchors).all(), "an image is never its own partner"
    assert np.array_equal(identity[partners] != identity[anchors], different)
    alone = np.bincount(identity)[identity] == 1
    assert different[alone[anchors]].all(), "a person with one image has no same-person pair"


def test_half_of_the_partners_are_other_people() -> None:
    identity = np.repeat(np.arange(50, dtype=np.int32), 4)
    anchors = np.tile(np.arange(200), 50)
    _, different = PairSampler(identity).partners(anchors, np.random.default_rng(0))
    assert different.mean() == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(len(anchors)))


def test_all_eligible_partners_are_equally_likely() -> None:
    identity = np.array([1, 0, 1, 2, 1, 0], dtype=np.int32)
    anchors = np.full(60_000, 2)
    partners, different = PairSampler(identity).partners(anchors, np.random.default_rng(0))
    same, other = partners[~different], partners[different]
    assert np.bincount(same, minlength=6) / len(same) == pytest.approx([0.5, 0, 0, 0, 0.5, 0], abs=0.02)
    assert np.bincount(other, minlength=6) / len(other) == pytest.approx(
        [0, 1 / 3, 0, 1 / 3, 0, 1 / 3], abs=0.02
    )


@given(identities, st.sampled_from([4, 8, 16]), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_epoch(drawn: list[int], batch_images: int, seed: int) -> None:
    identity = np.array(drawn, dtype=np.int32)
    batches = PairSampler(identity).epoch(batch_images, np.random.default_rng(seed))
    steps = max(len(identity) // batch_images, 1)
    assert batches.images.shape == (steps, batch_images)
    anchors, partners = np.split(batches.images, 2, axis=1)
    assert np.array_equal(identity[anchors] != identity[partners], batches.different)
    if len(identity) >= batch_images // 2:
        assert len(np.unique(anchors)) == anchors.size, "anchors are drawn without repeats"


@given(identities, st.sampled_from([4, 8, 16]), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_an_epoch_by_people_shows_two_images_of_each_and_everybody_equally_often(
    drawn: list[int], batch_images: int, seed: int
) -> None:
    identity = np.array([7, 7, *drawn], dtype=np.int32)
    batches = PairSampler(identity).people_epoch(batch_images, np.random.default_rng(seed))
    several = np.flatnonzero(np.bincount(identity) > 1)
    half = min(batch_images // 2, len(several))
    assert batches.images.shape == (max(len(identity) // (2 * half), 1), 2 * half)
    anchors, partners = np.split(batches.images, 2, axis=1)
    assert np.array_equal(identity[anchors], identity[partners])
    assert (anchors != partners).all()
    times = np.bincount(identity[anchors].flatten(), minlength=8)
    assert set(np.flatnonzero(times)) <= set(several)
    assert times[several].max() - times[several].min() <= 1, "nobody comes again before all have come"


def test_all_images_of_a_person_are_drawn_by_people_epochs() -> None:
    identity = np.repeat(np.arange(10, dtype=np.int32), 4)
    drawn = PairSampler(identity).people_epoch(8, np.random.default_rng(0)).images
    several = [
        PairSampler(identity).people_epoch(8, np.random.default_rng(seed)).images for seed in range(40)
    ]
    assert drawn.shape == (5, 8)
    for half in np.split(np.array(several), 2, axis=2):
        assert len(np.unique(half)) == len(identity), "as anchors and as partners"


def test_epochs_differ_with_their_stream_only() -> None:
    sampler = PairSampler(np.repeat(np.arange(10, dtype=np.int32), 4))
    first, again, other = (sampler.epoch(8, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.different, again.different)
    assert not np.array_equal(first.images, other.images)


@pytest.mark.parametrize(("images", "batch_images", "steps"), [(40, 8, 5), (47, 8, 5), (8, 8, 1), (3, 8, 1)])
def test_image_batches(images: int, batch_images: int, steps: int) -> None:
    batches = image_batches(images, batch_images, np.random.default_rng(0))
    assert batches.shape == (steps, batch_images)
    repeats = np.bincount(batches.flatten(), minlength=images)
    assert repeats.max() == -(-batch_images // images)
    assert repeats.sum() == steps * batch_images
    assert not np.array_equal(batches.flatten(), np.sort(batches.flatten())), "in random order"


def test_only_people_with_two_images_count_in_pairs() -> None:
    sampler = PairSampler(np.array([5, 3, 5, 9, 3, 3], np.int32))
    assert sampler.paired.tolist() == [True, True, True, False, True, True]
