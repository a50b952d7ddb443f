"""Whitening returns uncorrelated components of variance 1 and leaves out directions without variance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aia_models.measures.whitening import Whitening, principal_axes, unit_length


@given(st.integers(0, 2**31), st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_components_are_uncorrelated_and_of_variance_1(seed: int, components: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(2, 1, (80, 6)) @ rng.normal(0, 1, (6, 6))
    whitened = Whitening(values, components)(values)
    assert whitened.shape == (80, components)
    np.testing.assert_allclose(np.cov(whitened.T).reshape(components, -1), np.eye(components), atol=1e-6)


@given(st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_fewer_images_than_coordinates_have_the_components_of_their_covariance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(0, np.geomspace(3, 0.1, 30), (20, 30))
    whitened = Whitening(values, 5)(values)
    variances, directions = np.linalg.eigh(np.cov(values.T))
    expected = (values - values.mean(0)) @ directions[:, :-6:-1] / np.sqrt(variances[:-6:-1])
    # The sign of a principal direction is arbitrary.
    np.testing.assert_allclose(np.abs(whitened), np.abs(expected), atol=1e-8)


def test_directions_without_variance_are_left_out() -> None:
    rng = np.random.default_rng(0)
    values = np.c_[rng.normal(0, 3, (200, 2)), np.zeros((200, 3))]
    whitening = Whitening(values, 4)
    assert whitening.components == 2
    assert whitening(values).shape == (200, 2)
    assert Whitening(np.full((20, 3), 0.5), 2).components == 0


def test_what_varies_in_nothing_has_no_components() -> None:
    values = np.full((20, 3), 0.5, np.float32)
    assert Whitening(values, 2)(values).shape == (20, 0)
    assert principal_axes(values, 2)[1].shape == (3, 0)


@pytest.mark.parametrize("images", [10, 200])
def test_principal_axes_are_whitenings_before_it_scales(images: int) -> None:
    values = np.random.default_rng(0).normal(1, np.geomspace(3, 0.1, 20), (images, 20))
    mean, axes = principal_axes(values, 5)
    projected = (values - mean) @ axes
    np.testing.assert_allclose(axes.T @ axes, np.eye(5), atol=1e-9)
    np.testing.assert_allclose(projected / projected.std(0, ddof=1), Whitening(values, 5)(values), atol=1e-9)


def test_unit_length() -> None:
    values = np.array([[3.0, 4.0], [0.0, 0.0]])
    assert unit_length(values).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 0.0]]
