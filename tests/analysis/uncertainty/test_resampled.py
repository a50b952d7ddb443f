"""Means over seeds under resampling, and their intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analysis.uncertainty.resampled import estimate, mean_over_seeds, seed_counts

NUMBERS = st.floats(-10, 10, allow_nan=False)
SEEDS, RESAMPLES = 3, 25
STACKED = arrays(float, (SEEDS, 1 + RESAMPLES), elements=NUMBERS)


def test_seeds_are_drawn_as_often_as_there_are() -> None:
    counts = seed_counts(4, 2000)
    assert (counts.sum(1) == 4).all()
    assert counts.mean(0) == pytest.approx(np.ones(4), abs=0.1)
    assert np.array_equal(seed_counts(4, 2000), counts)
    assert (seed_counts(1, 5) == 1).all()


@given(STACKED)
def test_a_mean_is_that_of_the_seeds_each_resample_drew(stacked: np.ndarray) -> None:
    counts = seed_counts(SEEDS, RESAMPLES)
    found = mean_over_seeds(dict(enumerate(stacked)), counts)
    assert found[0] == pytest.approx(stacked[:, 0].mean(), abs=1e-9)
    for resample in range(RESAMPLES):
        drawn = np.repeat(np.arange(SEEDS), counts[resample])
        assert found[1 + resample] == pytest.approx(stacked[drawn, 1 + resample].mean(), abs=1e-9)


@given(STACKED, STACKED, NUMBERS)
def test_means_are_linear_so_differences_are_paired(
    one: np.ndarray, other: np.ndarray, factor: float
) -> None:
    counts = seed_counts(SEEDS, RESAMPLES)
    apart = mean_over_seeds(dict(enumerate(one)), counts) - factor * mean_over_seeds(
        dict(enumerate(other)), counts
    )
    together = mean_over_seeds(dict(enumerate(one - factor * other)), counts)
    np.testing.assert_allclose(apart, together, atol=1e-9)


def test_a_missing_seed_leaves_the_others_and_resamples_without_them_are_nan() -> None:
    counts = np.array([[0, 2, 0], [1, 1, 0], [0, 0, 2]])
    found = mean_over_seeds({0: np.array([1.0, 5, 5, 5]), 1: np.array([3.0, 7, 9, 9])}, counts)
    np.testing.assert_array_equal(found, [2, 7, 7, np.nan])
    assert np.isnan(mean_over_seeds({}, counts)).all()


def test_a_resample_that_is_nan_in_one_seed_only_matters_where_that_seed_was_drawn() -> None:
    counts = np.array([[2, 0], [1, 1]])
    found = mean_over_seeds({0: np.array([1.0, 1, 1]), 1: np.array([1.0, np.nan, np.nan])}, counts)
    np.testing.assert_array_equal(found, [1, 1, np.nan])


@given(arrays(float, 200, elements=NUMBERS), NUMBERS)
def test_an_interval_is_the_central_95_percent(resamples: np.ndarray, value: float) -> None:
    found = estimate(np.r_[value, resamples])
    assert (found.value, found.low, found.high) == (value, *np.percentile(resamples, (2.5, 97.5)))
    holed = np.r_[value, resamples, np.full(7, np.nan)]
    assert estimate(holed) == found


def test_nothing_measured_has_no_estimate() -> None:
    for values in ([np.nan, 1.0], [1.0, np.nan], [1.0]):
        found = estimate(np.array(values))
        assert np.isnan([found.value, found.low, found.high]).all()
