"""The eraser agrees with EleutherAI's concept_erasure and has the properties of LEACE."""

import numpy as np
import pytest
import torch
from concept_erasure import LeaceFitter
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from aia_models.errors import DataError
from aia_models.release.eraser import fit_eraser, fit_erasers


def drawn(n: int, k: int, seed: int = 0, share: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """Return correlated values with a mean, and the binary attribute that shifts every coordinate."""
    rng = np.random.default_rng(seed)
    attribute = (rng.random(n) < share).astype(np.int8)
    mixing = rng.normal(0, 1, (k, k)) * np.geomspace(1, 0.05, k)[:, None]
    return rng.normal(2, 1, (n, k)) @ mixing + attribute[:, None] * rng.normal(0, 0.5, k), attribute


def cross_covariance(values: np.ndarray, attribute: np.ndarray) -> np.ndarray:
    return (values - values.mean(0)).T @ (attribute - attribute.mean()) / len(values)


@pytest.mark.parametrize(("n", "k", "share"), [(300, 10, 0.4), (2000, 60, 0.5), (500, 20, 0.1)])
def test_same_as_concept_erasure(n: int, k: int, share: float) -> None:
    values, attribute = drawn(n, k, share=share)
    fitter = LeaceFitter(k, 1, constrain_cov_trace=False, dtype=torch.float64, shrinkage=False, svd_tol=1e-9)
    fitter.update(torch.tensor(values), torch.tensor(attribute))
    others = drawn(50, k, seed=1)[0]
    expected = fitter.eraser(torch.tensor(others)).numpy()
    np.testing.assert_allclose(fit_eraser(values, attribute)(others), expected, atol=1e-6)


@pytest.mark.parametrize(("n", "k"), [(300, 10), (40, 40), (30, 90), (6, 200)])
def test_nothing_linear_is_left_on_the_fitted_data(n: int, k: int) -> None:
    """This also holds where k reaches the number of images and the covariance is shrunk."""
    values, attribute = drawn(n, k)
    erased = fit_eraser(values, attribute)(values)
    scale = np.abs(cross_covariance(values, attribute)).max()
    assert np.abs(cross_covariance(erased, attribute)).max() < 1e-9 * scale
    np.testing.assert_allclose(erased[attribute == 1].mean(0), erased[attribute == 0].mean(0), atol=1e-8)
    np.testing.assert_allclose(erased.mean(0), values.mean(0), atol=1e-8)


@pytest.mark.parametrize(("n", "k"), [(40, 40), (30, 90)])
def test_covariance_is_ledoit_wolfs_where_k_reaches_the_images(n: int, k: int) -> None:
    values, attribute = drawn(n, k)
    covariance = LedoitWolf().fit(values).covariance_
    sigma = cross_covariance(values, attribute)
    covector = np.linalg.solve(covariance, sigma)
    others = drawn(20, k, seed=1)[0]
    expected = others - np.outer((others - values.mean(0)) @ covector, sigma) / (sigma @ covector)
    np.testing.assert_allclose(fit_eraser(values, attribute)(others), expected, atol=1e-8)


def test_logistic_regression_on_the_erased_data_is_at_chance() -> None:
    values, attribute = drawn(400, 10)
    erased = fit_eraser(values, attribute)(values)

    def accuracy_over_majority(given: np.ndarray) -> float:
        fitted = LogisticRegression(C=1e6, max_iter=5000).fit(given, attribute)
        return fitted.score(given, attribute) - max(attribute.mean(), 1 - attribute.mean())

    assert accuracy_over_majority(values) > 0.2
    assert accuracy_over_majority(erased) == pytest.approx(0, abs=1e-9)


def test_little_else_is_changed() -> None:
    """The eraser removes one direction; the values in all other directions stay."""
    values, attribute = drawn(400, 10)
    eraser = fit_eraser(values, attribute)
    assert np.linalg.matrix_rank(eraser(values) - values, tol=1e-6) == 1
    np.testing.assert_allclose(eraser(eraser(values)), eraser(values), atol=1e-8)


def test_affine_invariance() -> None:
    """Erasing transformed values equals transforming erased values, so the scaling of g does not matter."""
    values, attribute = drawn(300, 6)
    rng = np.random.default_rng(1)
    mixing, shift = rng.normal(0, 1, (6, 6)), rng.normal(0, 5, 6)
    mixed = values @ mixing + shift
    expected = fit_eraser(values, attribute)(values) @ mixing + shift
    np.testing.assert_allclose(fit_eraser(mixed, attribute)(mixed), expected, atol=1e-7)


def test_erases_what_a_linear_attacker_finds_on_other_people_too() -> None:
    values, attribute = drawn(4000, 8)
    eraser = fit_eraser(values[:2000], attribute[:2000])

    def judged_auc(given: np.ndarray) -> float:
        fitted = LogisticRegression(max_iter=1000).fit(given[:2000], attribute[:2000])
        return float(roc_auc_score(attribute[2000:], fitted.decision_function(given[2000:])))

    assert judged_auc(values) > 0.8
    assert judged_auc(eraser(values)) == pytest.approx(0.5, abs=0.05)


def test_values_that_do_not_covary_stay_as_they_are() -> None:
    """Every row occurs once with each attribute value, so the covariance is nothing but rounding error."""
    once = np.random.default_rng(0).random((200, 6))
    order = np.random.default_rng(1).permutation(400)
    values, attribute = np.concatenate([once, once])[order], np.repeat([1, 0], 200).astype(np.int8)[order]
    assert np.array_equal(fit_eraser(values, attribute)(values), values)


def test_dead_and_repeated_coordinates() -> None:
    values, attribute = drawn(300, 5)
    dead = np.concatenate([values, np.full((300, 2), 0.7), values[:, :1]], axis=1)
    erased = fit_eraser(dead, attribute)(dead)
    np.testing.assert_allclose(erased[:, :5], fit_eraser(values, attribute)(values), atol=1e-6)
    np.testing.assert_allclose(erased[:, 5:7], 0.7, atol=1e-6)
    np.testing.assert_allclose(erased[:, 7], erased[:, 0], atol=1e-6)


def test_all_coordinates_dead() -> None:
    values, attribute = np.full((20, 3), 0.5), np.tile([0, 1], 10).astype(np.int8)
    assert np.array_equal(fit_eraser(values, attribute)(values), values)


def test_unknown_attributes_are_left_out() -> None:
    values, attribute = drawn(300, 5)
    attribute[::3] = -1
    known = attribute >= 0
    expected = fit_eraser(values[known], attribute[known])
    found = fit_eraser(values, attribute)
    np.testing.assert_array_equal(found(values), expected(values))


def test_float32_representations_are_fitted_in_float64() -> None:
    """A mean far above the spread, as after a sigmoid, costs no precision."""
    values, attribute = drawn(300, 8)
    single = (0.6 + 1e-3 * values).astype(np.float32)
    eraser = fit_eraser(single, attribute)
    assert eraser.mean.dtype == np.float64
    erased = eraser(single.astype(np.float64))
    assert np.abs(cross_covariance(erased, attribute)).max() < 1e-15


@pytest.mark.parametrize("value", [0, 1])
def test_one_class_only_is_refused(value: int) -> None:
    values, _ = drawn(20, 3)
    attribute = np.full(20, value, dtype=np.int8)
    attribute[:5] = -1
    with pytest.raises(DataError, match=f"{15 * value} of 15 images have the value 1; both values") as caught:
        fit_eraser(values, attribute)
    assert "\n" not in str(caught.value)


def test_several_attributes_are_erased_as_leace_erases_them_at_once() -> None:
    values, first = drawn(600, 12)
    second = (values[:, 3] + np.random.default_rng(5).normal(0, 1, 600) > values[:, 3].mean()).astype(np.int8)
    attributes = np.stack([first, second], axis=1)
    fitter = LeaceFitter(12, 2, constrain_cov_trace=False, dtype=torch.float64, shrinkage=False, svd_tol=1e-9)
    fitter.update(torch.tensor(values), torch.tensor(attributes))
    others = drawn(50, 12, seed=1)[0]
    found = others
    for eraser in fit_erasers(values, attributes):
        found = eraser(found)
    np.testing.assert_allclose(found, fitter.eraser(torch.tensor(others)).numpy(), atol=1e-6)


def test_an_attribute_known_of_others_only_is_erased_too() -> None:
    values, first = drawn(600, 12)
    second = (values[:, 3] > values[:, 3].mean()).astype(np.int8)
    first[:200], second[400:] = -1, -1
    erased = values
    for eraser in fit_erasers(values, np.stack([first, second], axis=1)):
        erased = eraser(erased)
    for attribute in (first, second):
        known = attribute >= 0
        scale = np.abs(cross_covariance(values[known], attribute[known])).max()
        assert np.abs(cross_covariance(erased[known], attribute[known])).max() < 1e-8 * scale
