"""Resampling of people."""

import numpy as np
import pytest

from aia_models.bootstrap import DRAWS, folded_auc_draws, identity_weights, interval, pair_weights
from aia_models.metrics import auc
from aia_models.pairs import Pairs


def people(count: int, images: int) -> np.ndarray:
    return np.repeat(np.arange(count, dtype=np.int32), images)


def test_each_resample_has_as_many_people_as_there_are() -> None:
    identity = np.random.default_rng(0).permutation(people(30, 4)) * 7
    weights = identity_weights(identity)
    assert weights.shape == (DRAWS, 120)
    assert (weights.sum(1) == 120).all(), "30 people with 4 images each"
    for one in np.unique(identity):
        own = weights[:, identity == one]
        assert (own == own[:, :1]).all(), "all images of a person come together"
    assert weights.std() > 0.5


def test_resamples_are_the_same_at_each_call() -> None:
    identity = people(20, 3)
    assert np.array_equal(identity_weights(identity), identity_weights(identity))
    # And for data sets whose people have other numbers, or images in another number.
    assert np.array_equal(identity_weights(identity), identity_weights(3 * identity + 5))
    assert np.array_equal(identity_weights(identity)[:, ::3], identity_weights(people(20, 1)))


def test_pair_weights_count_the_pairs_of_the_resample() -> None:
    """Person 0 drawn twice, 1 once, 2 never: the copies of 0 form two same pairs, and 0-1 two different ones."""
    weights = np.array([[2.0, 2.0, 1.0, 0.0]])
    pairs = Pairs(np.array([0, 0, 2, 1]), np.array([1, 2, 3, 2]), np.array([False, True, True, True]))
    assert pair_weights(pairs, weights).tolist() == [[2.0, 2.0, 0.0, 2.0]]


@pytest.mark.parametrize("sign", [1, -1])
def test_folded_draws_keep_the_direction_of_the_estimate(sign: int) -> None:
    """An attacker at chance has draws on both sides of 0.5: folding each by itself would hide that."""
    rng = np.random.default_rng(0)
    identity, scores = people(30, 2), sign * rng.normal(0, 1, 60)
    positive = identity % 2 == 0
    draws = folded_auc_draws(scores, positive, identity_weights(identity))
    assert np.median(draws) == pytest.approx(max(auc(scores, positive), 1 - auc(scores, positive)), abs=0.02)
    assert draws.min() < 0.5


def test_interval_leaves_missing_draws_out() -> None:
    draws = np.r_[np.linspace(0, 1, 1001), [np.nan] * 50]
    assert interval(draws) == pytest.approx((0.025, 0.975))


def test_interval_covers_the_true_auc() -> None:
    """Scores of both classes one standard deviation apart: AUC = Phi(1 / sqrt 2) = 0.7602. Images of one person
    share half of their variance, which resampling images instead of people would miss."""
    covered, repeats, persons = 0, 100, 60
    for seed in range(repeats):
        rng = np.random.default_rng(seed)
        identity = people(persons, 6)
        own = rng.normal(0, np.sqrt(0.5), persons)[identity] + rng.normal(0, np.sqrt(0.5), len(identity))
        positive = identity % 2 == 0
        low, high = interval(folded_auc_draws(own + positive, positive, identity_weights(identity)))
        covered += low <= 0.7602 <= high
    # Binomial with 0.95 (a little less with 60 people): 0.87 is more than three standard deviations below.
    assert covered / repeats >= 0.87
