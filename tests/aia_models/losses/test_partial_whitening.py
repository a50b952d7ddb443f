"""Partially whitened leading components: their variances, their number and their gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aia_models.losses.partial_whitening import COMPONENTS, partially_whiten


def drawn(n: int, k: int, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1, (n, k)) * np.geomspace(10, 1, k) @ np.linalg.qr(rng.normal(0, 1, (k, k)))[0]
    return torch.tensor(values + 3, dtype=torch.float32)


@given(st.integers(0, 2**31), st.integers(5, 40), st.integers(2, 60))
@settings(max_examples=25, deadline=None)
def test_components_are_uncorrelated_and_of_half_the_spread(seed: int, k: int, n: int) -> None:
    """Variances are the square roots of the principal components' variances, up to a common factor."""
    values = drawn(n, k, seed)
    found = np.cov(partially_whiten(values).double().numpy().T, bias=True)
    variances = np.linalg.eigvalsh(np.cov(values.double().numpy().T, bias=True))
    expected = np.sqrt(np.clip(variances, 0, None))[-n:]
    ours = np.diag(found)
    rank = min(k, n - 1)
    # Variances below a thousandth of the largest may count as 0.
    np.testing.assert_allclose(ours[-rank:] / ours[-1], expected[-rank:] / expected[-1], rtol=0.02, atol=2e-3)
    np.testing.assert_allclose(found - np.diag(ours), 0, atol=0.02 * ours[-1])


def test_only_the_leading_ones_are_left_with_mean_square_1() -> None:
    found = partially_whiten(drawn(300, 2 * COMPONENTS))
    assert found.shape == (300, COMPONENTS)
    assert found.square().mean().item() == pytest.approx(1, rel=1e-4)
    assert partially_whiten(drawn(20, 2 * COMPONENTS)).shape == (20, 20)


def test_a_direction_that_speaks_outweighs_many_of_noise() -> None:
    """Standardisation would weigh this direction as one of 500 coordinates."""
    rng = np.random.default_rng(0)
    values = rng.normal(0, 0.1, (400, 500))
    values[:, 7] += rng.normal(0, 2, 400)
    found = partially_whiten(torch.tensor(values, dtype=torch.float32))
    assert found[:, -1].var() > 10 * found[:, :-1].var(0).max()
    assert abs(np.corrcoef(found[:, -1].numpy(), values[:, 7])[0, 1]) > 0.99


def test_directions_count_as_given() -> None:
    """The gradient treats the projection as constant and passes through the scale only."""
    values = drawn(30, 6).requires_grad_()
    found = partially_whiten(values)
    (found[:, -1] ** 3).sum().backward()
    with torch.no_grad():
        centred = values - values.mean(0)
        projection = torch.linalg.lstsq(centred.double(), found.double()).solution.float()
    again = values.detach().clone().requires_grad_()
    projected = (again - again.mean(0)) @ projection
    rescaled = projected / projected.square().mean().sqrt()
    (rescaled[:, -1] ** 3).sum().backward()
    assert values.grad is not None
    np.testing.assert_allclose(values.grad, again.grad, rtol=1e-2, atol=1e-3 * values.grad.abs().max())


def test_shrinking_hides_nothing_and_a_constant_batch_is_zero() -> None:
    values = drawn(50, 8)
    np.testing.assert_allclose(
        partially_whiten(0.05 * values).abs().numpy(),
        partially_whiten(values).abs().numpy(),
        rtol=0.02,
        atol=0.02,
    )
    constant = torch.full((30, 8), 0.3, requires_grad=True)
    found = partially_whiten(constant)
    found.sum().backward()
    assert not found.any()
    assert constant.grad is not None
    assert constant.grad.isfinite().all()
