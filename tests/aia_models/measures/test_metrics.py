"""Figures agree with scikit-learn and with brute force, also on scores with ties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from sklearn.metrics import balanced_accuracy_score, roc_auc_score, roc_curve

from aia_models.measures.metrics import (
    auc,
    balanced_accuracy,
    best_threshold,
    equal_error_rate,
    equal_error_rates,
    error_rates,
    folded,
    true_accept_rate,
    true_accept_rates,
    weighted_aucs,
    weighted_error_rates,
)

Drawn = tuple[np.ndarray, np.ndarray]
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=60, deadline=None)


def drawn(seed: int, n: int = 40) -> Drawn:
    """Return scores that depend on the labels, with ties for odd seeds, and labels of both values."""
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < rng.uniform(0.1, 0.9)
    positive[:2] = True, False
    scores = rng.normal(0, 1, n) + rng.normal(0, 1) * positive
    return (np.round(scores * 2) / 2 if seed % 2 else scores), positive


@given(seeds)
@few
def test_auc_is_scikit_learns(seed: int) -> None:
    scores, positive = drawn(seed)
    assert auc(scores, positive) == pytest.approx(roc_auc_score(positive, scores))


@given(seeds)
@few
def test_weighted_aucs_are_scikit_learns(seed: int) -> None:
    scores, positive = drawn(seed)
    weights = np.random.default_rng(seed).integers(0, 4, (5, len(scores))).astype(np.float64)
    weights[:, :2] = 1
    expected = [roc_auc_score(positive, scores, sample_weight=row) for row in weights]
    np.testing.assert_allclose(weighted_aucs(scores, positive, weights), expected)


def test_auc_by_counting_pairs() -> None:
    scores, positive = np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, True, False, True])
    # Of the four pairs three are in order (2 > 1, 3 > 1, 3 > 2) and one is a tie (2 = 2): 3.5 of 4.
    assert auc(scores, positive) == 3.5 / 4


def test_aucs_without_one_class_are_missing() -> None:
    scores, positive = np.arange(4.0), np.array([True, True, False, False])
    found = weighted_aucs(scores, positive, np.array([[1.0, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]]))
    assert np.isnan(found).tolist() == [True, True, False]


@pytest.mark.parametrize(("value", "leaked"), [(0.2, 0.8), (0.8, 0.8), (0.5, 0.5), (1.0, 1.0), (0.0, 1.0)])
def test_folded(value: float, leaked: float) -> None:
    assert folded(value) == pytest.approx(leaked)


@given(seeds)
@few
def test_balanced_accuracy_is_scikit_learns(seed: int) -> None:
    scores, positive = drawn(seed)
    assert balanced_accuracy(scores > 0, positive) == pytest.approx(
        balanced_accuracy_score(positive, scores > 0)
    )


@given(seeds)
@few
def test_error_rates_are_scikit_learns(seed: int) -> None:
    scores, positive = drawn(seed)
    false, true, thresholds = roc_curve(positive, scores, drop_intermediate=False)
    for found, expected in zip(error_rates(scores, positive), (thresholds, false, true), strict=True):
        np.testing.assert_allclose(found, expected)


@given(seeds)
@few
def test_equal_error_rate_is_where_the_interpolated_curve_meets_the_diagonal(seed: int) -> None:
    scores, positive = drawn(seed)
    false, true, _ = roc_curve(positive, scores, drop_intermediate=False)
    # The curve may rise vertically, where the true rate is no function of the false rate: the root is sought
    # along the index of the curve's points.
    along = np.arange(len(false), dtype=float)
    place = brentq(lambda at: np.interp(at, along, false) - 1 + np.interp(at, along, true), 0, along[-1])
    expected = np.interp([place], along, false)[0]  # type: ignore[list-item]
    assert equal_error_rate(scores, positive) == pytest.approx(expected, abs=1e-9)


@given(seeds, st.sampled_from([0.05, 0.1, 0.3]))
@few
def test_true_accept_rate_by_trying_all_thresholds(seed: int, false_accept_rate: float) -> None:
    scores, positive = drawn(seed, 400)
    positive[:250] = False
    rates = [
        (scores[positive] >= threshold).mean()
        for threshold in [*scores, np.inf]
        if (scores[~positive] >= threshold).mean() <= false_accept_rate
    ]
    assert true_accept_rate(scores, positive, false_accept_rate) == pytest.approx(max(rates))


@pytest.mark.parametrize(("negatives", "told"), [(999, False), (1000, True)])
def test_true_accept_rate_needs_ten_false_accepts(negatives: int, told: bool) -> None:
    scores = np.linspace(0, 1, negatives + 20)
    positive = np.arange(negatives + 20) >= negatives
    assert (true_accept_rate(scores, positive, 0.01) is not None) == told


def test_true_accept_rate_at_exactly_the_false_accept_rate() -> None:
    """Ten of a thousand negatives lie above all positives, and an eleventh lies above half of them."""
    scores = np.r_[np.full(10, 4.0), 2.0, np.zeros(989), np.full(50, 3.0), np.full(50, 1.0)]
    assert true_accept_rate(scores, np.arange(1100) >= 1000, 0.01) == 0.5


@given(seeds)
@few
def test_best_threshold_by_trying_all(seed: int) -> None:
    scores, positive = drawn(seed)
    tried = [balanced_accuracy_score(positive, scores >= threshold) for threshold in [*scores, np.inf]]
    best = best_threshold(scores, positive)
    assert balanced_accuracy_score(positive, scores >= best) == pytest.approx(max(tried))


@pytest.mark.parametrize(
    ("scores", "expected_auc", "expected_eer", "expected_tar"),
    [
        (np.r_[np.zeros(1000), np.ones(1000)], 1.0, 0.0, 1.0),
        (np.r_[np.ones(1000), np.zeros(1000)], 0.0, 1.0, 0.0),
        (np.zeros(2000), 0.5, 0.5, 0.0),
    ],
    ids=["perfect", "reversed", "constant"],
)
def test_edge_cases(
    scores: np.ndarray, expected_auc: float, expected_eer: float, expected_tar: float
) -> None:
    positive = np.arange(2000) >= 1000
    assert auc(scores, positive) == expected_auc
    assert equal_error_rate(scores, positive) == pytest.approx(expected_eer)
    assert true_accept_rate(scores, positive, 0.01) == expected_tar


def test_inputs_stay_as_they_are() -> None:
    scores, positive = drawn(1)
    before = scores.copy(), positive.copy()
    weighted_aucs(scores, positive, np.ones((2, 40)))
    equal_error_rate(scores, positive)
    best_threshold(scores, positive)
    assert np.array_equal(scores, before[0])
    assert np.array_equal(positive, before[1])


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_score_without_a_rank_is_no_auc(broken: float) -> None:
    with pytest.raises(ValueError, match="1 of 3 scores are NaN or infinite"):
        auc(np.array([0.1, broken, 0.3]), np.array([True, False, True]))


def resampled(seed: int, rows: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scores, labels, and integer weights under which both labels keep a positive weight."""
    scores, positive = drawn(seed, 60)
    weights = np.random.default_rng(seed).integers(0, 4, (rows, len(scores))).astype(np.float64)
    weights[:, :2] = 1
    return scores, positive, weights


@given(seeds)
@few
def test_weighted_error_rates_are_scikit_learns(seed: int) -> None:
    scores, positive, weights = resampled(seed)
    false, true = weighted_error_rates(scores, positive, weights)
    for row, weight in enumerate(weights):
        expected = roc_curve(positive, scores, sample_weight=weight, drop_intermediate=False)[:2]
        # A score of weight 0 repeats the previous point of the curve, which scikit-learn leaves out.
        found = np.unique(np.stack([false[row], true[row]]).round(9), axis=1)
        np.testing.assert_allclose(found, np.unique(np.stack(expected).round(9), axis=1))


@given(seeds)
@few
def test_weighted_rates_are_those_of_the_repeated_pairs(seed: int) -> None:
    scores, positive, weights = resampled(seed)
    rates = weighted_error_rates(scores, positive, weights)
    eer, tar = equal_error_rates(*rates), true_accept_rates(*rates, 0.3)
    for row, weight in enumerate(weights.astype(int)):
        repeated = np.repeat(scores, weight), np.repeat(positive, weight)
        assert eer[row] == pytest.approx(equal_error_rate(*repeated))
        _, false, true = error_rates(*repeated)
        assert tar[row] == pytest.approx(true[false <= 0.3].max())


def test_weighted_rates_without_one_class_are_missing() -> None:
    scores, positive = np.arange(4.0), np.array([True, True, False, False])
    weights = np.array([[1.0, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]])
    rates = weighted_error_rates(scores, positive, weights)
    for found in (equal_error_rates(*rates), true_accept_rates(*rates, 0.5)):
        assert np.isnan(found).tolist() == [True, True, False]
