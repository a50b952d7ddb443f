"""The bootstrap resamples people, not images."""

import numpy as np
import pytest

from aia_models.measures.bootstrap import (
    BOOTSTRAP_SAMPLES,
    folded_auc_bootstrap_samples,
    identity_weights,
    interval,
    pair_weights,
    weighted_shares,
)
from aia_models.measures.metrics import auc
from aia_models.measures.pairs import Pairs


def people(count: int, images: int) -> np.ndarray:
    return np.repeat(np.arange(count, dtype=np.int32), images)


def test_all_images_of_a_person_are_resampled_together_a_poisson_number_of_times() -> None:
    identity = np.random.default_rng(0).permutation(people(30, 4)) * 7
    weights = identity_weights(identity)
    assert weights.shape == (BOOTSTRAP_SAMPLES, 120)
    for one in np.unique(identity):
        own = weights[:, identity == one]
        assert (own == own[:, :1]).all(), "all images of a person come together"
    counts = identity_weights(people(500, 1))
    assert counts.mean() == pytest.approx(1, abs=4 / np.sqrt(counts.size))
    assert (counts == 0).mean() == pytest.approx(np.exp(-1), abs=0.01)
    assert (counts == 2).mean() == pytest.approx(np.exp(-1) / 2, abs=0.01)
    assert abs(np.corrcoef(counts[:, :2].T)[0, 1]) < 0.3, "people independently"


def test_resamples_are_the_same_at_each_call() -> None:
    identity = people(20, 3)
    assert np.array_equal(identity_weights(identity), identity_weights(identity))
    # The weights depend neither on the other people nor on the number of images.
    assert np.array_equal(identity_weights(identity)[:, ::3], identity_weights(people(20, 1)))
    some = identity[identity % 3 == 1]
    assert np.array_equal(identity_weights(identity)[:, identity % 3 == 1], identity_weights(some))
    assert not np.array_equal(identity_weights(some)[:, 0], identity_weights(some)[:, 3])


@pytest.mark.parametrize("seed", range(3))
def test_weighted_shares_are_means_over_the_resampled_images(seed: int) -> None:
    rng = np.random.default_rng(seed)
    right, weights = rng.random(30) < 0.4, rng.poisson(1, (5, 30)).astype(float)
    weights[4] = 0
    found = weighted_shares(right, weights)
    for share, weight in zip(found[:4], weights[:4].astype(int), strict=True):
        assert share == pytest.approx(np.repeat(right, weight).mean())
    assert np.isnan(found[4])


def test_pair_weights_count_the_pairs_of_the_resample() -> None:
    """The resample holds person 0 twice, person 1 once and person 2 never.

    The pair of person 0 with itself then counts twice, and so does each pair of 0 and 1.
    """
    weights = np.array([[2.0, 2.0, 1.0, 0.0]])
    pairs = Pairs(np.array([0, 0, 2, 1]), np.array([1, 2, 3, 2]), np.array([False, True, True, True]))
    assert pair_weights(pairs, weights).tolist() == [[2.0, 2.0, 0.0, 2.0]]


@pytest.mark.parametrize("sign", [1, -1])
def test_folded_samples_keep_the_direction_of_the_estimate(sign: int) -> None:
    """An attacker at chance has resamples on both sides of 0.5; folding each by itself would hide that."""
    rng = np.random.default_rng(0)
    identity, scores = people(30, 2), sign * rng.normal(0, 1, 60)
    positive = identity % 2 == 0
    samples = folded_auc_bootstrap_samples(scores, positive, identity_weights(identity))
    assert np.median(samples) == pytest.approx(
        max(auc(scores, positive), 1 - auc(scores, positive)), abs=0.02
    )
    assert samples.min() < 0.5


def test_interval_leaves_missing_samples_out() -> None:
    samples = np.r_[np.linspace(0, 1, 1001), [np.nan] * 50]
    assert interval(samples) == pytest.approx((0.025, 0.975))


def test_interval_covers_the_true_auc() -> None:
    """The scores of the two classes are one standard deviation apart: AUC = Phi(1 / sqrt 2) = 0.7602.

    Images of one person share half of their variance, which resampling images instead of people would miss.
    """
    covered, repeats, persons = 0, 100, 60
    for seed in range(repeats):
        rng = np.random.default_rng(seed)
        identity = people(persons, 6)
        own = rng.normal(0, np.sqrt(0.5), persons)[identity] + rng.normal(0, np.sqrt(0.5), len(identity))
        positive = identity % 2 == 0
        low, high = interval(
            folded_auc_bootstrap_samples(own + positive, positive, identity_weights(identity))
        )
        covered += low <= 0.7602 <= high
    # The count is binomial with 0.95, a little less with 60 people; 0.87 is over three deviations below.
    assert covered / repeats >= 0.87
