"""The kernel ridge penalty agrees with scikit-learn and with known extremes, and lowering it hides an attribute."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.kernel_ridge import KernelRidge

from aia_models.losses.penalties import kernel_ridge_penalty

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**31)


def drawn(seed: int, n: int = 60, k: int = 7) -> tuple[torch.Tensor, torch.Tensor]:
    """Return representations and an attribute that is unknown for some images."""
    rng = np.random.default_rng(seed)
    attribute = rng.choice([-1, 0, 1], n, p=[0.1, 0.4, 0.5]).astype(np.int8)
    attribute[:2], attribute[-2:] = (0, 1), (0, 1)
    values = rng.normal(0, 1, (n, k)) * rng.uniform(0.5, 2, k) + (attribute == 1)[:, None]
    return torch.tensor(values, dtype=torch.float32), torch.tensor(attribute)


@given(seeds)
@few
def test_it_is_the_mean_squared_correlation_with_scikit_learns_predictions(seed: int) -> None:
    released, attribute = drawn(seed)
    known = attribute.numpy() >= 0
    values = released.double().numpy()[known]
    centred = (attribute.numpy()[known] == 1).astype(float)
    centred -= centred.mean()
    anchors = (np.arange(len(known)) < len(known) // 2)[known]
    squared = cdist(values, values, "sqeuclidean")
    centring = np.eye(len(values)) - 1 / len(values)
    expected = []
    for sharpness in (0.25, 1.0, 4.0):
        kernel = centring @ np.exp(-sharpness * squared / squared.mean()) @ centring
        ridge = KernelRidge(alpha=0.05 * kernel.diagonal().mean(), kernel="precomputed")
        ridge.fit(kernel[np.ix_(anchors, anchors)], centred[anchors])
        predicted, truth = ridge.predict(kernel[np.ix_(~anchors, anchors)]), centred[~anchors]
        product = (predicted**2).mean() * (truth**2).mean() + 1e-6
        expected.append(max(0.0, (predicted * truth).mean()) ** 2 / product)
    found = kernel_ridge_penalty(released, attribute)
    assert found.item() == pytest.approx(np.mean(expected), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("parity", [False, True])
def test_it_tells_a_leak_from_none(parity: bool) -> None:
    """The penalty also detects the parity of two coordinates, which no single coordinate shows."""
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (512, 4))
    leak = values[:, 0] * values[:, 1] if parity else values[:, 0]
    released = torch.tensor(values, dtype=torch.float32)
    told = kernel_ridge_penalty(released, torch.tensor((leak > 0).astype(np.int8)))
    nothing = kernel_ridge_penalty(released, torch.tensor(rng.choice([0, 1], 512).astype(np.int8)))
    assert told > 3 * nothing
    assert 0 <= nothing < told < 1


def test_unknown_images_shift_and_scale_change_nothing() -> None:
    released, attribute = drawn(1)
    found = kernel_ridge_penalty(released, attribute).item()
    elsewhere = torch.where((attribute >= 0)[:, None], released, 100.0)
    assert kernel_ridge_penalty(elsewhere, attribute).item() == pytest.approx(found, abs=1e-6)
    assert kernel_ridge_penalty(5 + 0.1 * released, attribute).item() == pytest.approx(found, rel=1e-3)


@pytest.mark.parametrize(
    "labels", [[-1] * 20, [1] * 20, [-1] * 14 + [0, 1] * 3, [0] * 10 + [1] * 10, [0, 1] * 5 + [1] * 10]
)
def test_it_is_nothing_where_nothing_can_be_told(labels: list[int]) -> None:
    released = torch.rand((20, 3), requires_grad=True)
    found = kernel_ridge_penalty(released, torch.tensor(labels, dtype=torch.int8))
    found.backward()
    assert found.item() == 0
    assert released.grad is not None
    assert not released.grad.any()


def test_gradients_are_finite_also_for_constant_coordinates() -> None:
    released, attribute = drawn(2)
    released[:, 0] = 0.5
    released.requires_grad_()
    kernel_ridge_penalty(released, attribute).backward()
    assert released.grad is not None
    assert released.grad.isfinite().all()
    assert released.grad[:, 1:].any()


def test_a_collapsed_batch_tells_nothing() -> None:
    released = torch.full((20, 3), 0.4, requires_grad=True)
    found = kernel_ridge_penalty(released, torch.tensor([0, 1] * 10, dtype=torch.int8))
    found.backward()
    assert found.item() == 0
    assert released.grad is not None
    assert not released.grad.any()


def test_lowering_it_hides_the_attribute() -> None:
    """A scale per coordinate is trained to lower the penalty alone, with noise added to the scaled values.

    It shrinks the two coordinates whose parity is the attribute, which lowers the penalty on unseen images too.
    """
    rng = np.random.default_rng(0)
    values = torch.tensor(rng.normal(0, 1, (512, 6)), dtype=torch.float32)
    noise = torch.tensor(rng.normal(0, 1, (512, 6)), dtype=torch.float32)
    attribute = (values[:, 0] * values[:, 1] > 0).to(torch.int8)
    scale = torch.full((6,), 3.0, requires_grad=True)
    optimiser = torch.optim.Adam([scale], lr=0.1)

    def penalty(images: slice) -> torch.Tensor:
        return kernel_ridge_penalty(values[images] * scale + noise[images], attribute[images])

    before = penalty(slice(256, None)).item()
    for _ in range(60):
        optimiser.zero_grad()
        penalty(slice(256)).backward()
        optimiser.step()
    assert penalty(slice(256, None)).item() < 0.7 * before
    assert scale[:2].abs().min() < 1.5 < 2.0 < scale[2:].abs().mean()
