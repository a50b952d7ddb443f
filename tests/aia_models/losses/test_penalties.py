"""Penalties agree with float64 transcriptions and with known extremes, and each serves its purpose."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.kernel_ridge import KernelRidge

from aia_models.config import KERNEL_PENALTIES, PenaltyKind, Schedule
from aia_models.losses.penalties import (
    kernel_penalty,
    negative_entropy,
    random_fourier_features,
    rate,
    scheduled,
)

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**31)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(seed: int, n: int = 60, k: int = 7) -> tuple[torch.Tensor, torch.Tensor]:
    """Return representations and an attribute that is unknown for some images."""
    rng = np.random.default_rng(seed)
    attribute = rng.choice([-1, 0, 1], n, p=[0.1, 0.4, 0.5]).astype(np.int8)
    attribute[:2] = 0, 1
    values = rng.normal(0, 1, (n, k)) * rng.uniform(0.5, 2, k) + (attribute == 1)[:, None]
    return torch.tensor(values, dtype=torch.float32), torch.tensor(attribute)


def by_hand(released: torch.Tensor, attribute: torch.Tensor, mirrored: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return partially whitened features and the centred attribute of the known images, in float64."""
    known = attribute.numpy() >= 0
    values = released.double().numpy()[known]
    variance, directions = np.linalg.eigh(np.cov(values.T, bias=True))
    features = (values - values.mean(0)) @ directions / variance**0.25
    features /= np.sqrt((features**2).mean())
    labels = (attribute.numpy()[known] == 1).astype(float)
    centred = labels - labels.mean()
    if mirrored:
        swapped = features.copy()
        swapped -= 2 * np.outer(centred, centred @ features) / (centred @ centred)
        features = swapped
    return features, centred


def kernel_by_hand(features: np.ndarray, linear: bool) -> np.ndarray:
    distances = ((features[:, None] - features[None]) ** 2).sum(2)
    kernel = np.exp(-distances / distances.mean())
    if linear:
        kernel = kernel + features @ features.T / features.shape[1]
    centring = np.eye(len(kernel)) - 1 / len(kernel)
    return centring @ kernel @ centring


@given(seeds, st.booleans())
@few
def test_kernel_ridge_is_the_squared_correlation_with_scikit_learns_prediction(
    seed: int, mirrored: bool
) -> None:
    released, attribute = drawn(seed)
    features, centred = by_hand(released, attribute, mirrored)
    kernel = kernel_by_hand(features, linear=not mirrored)
    order = torch.randperm(len(centred), generator=generator()).numpy()
    own, others = order[: len(order) // 2], order[len(order) // 2 :]
    ridge = KernelRidge(alpha=0.1 * kernel.diagonal().mean(), kernel="precomputed")
    ridge.fit(kernel[np.ix_(own, own)], centred[own])
    predicted, truth = ridge.predict(kernel[np.ix_(others, own)]), centred[others]
    expected = max(0.0, (predicted * truth).mean()) ** 2 / ((predicted**2).mean() * (truth**2).mean() + 1e-6)
    found = kernel_penalty("kernel_ridge", released, attribute, mirrored, generator())
    assert found.item() == pytest.approx(expected, rel=1e-3, abs=1e-5)


@given(seeds, st.booleans())
@few
def test_hsic_is_centred_kernel_alignment(seed: int, mirrored: bool) -> None:
    released, attribute = drawn(seed)
    features, centred = by_hand(released, attribute, mirrored)
    kernel, labels = kernel_by_hand(features, linear=False), np.outer(centred, centred)
    expected = (kernel * labels).sum() / (np.linalg.norm(kernel) * np.linalg.norm(labels))
    found = kernel_penalty("hsic", released, attribute, mirrored, generator())
    assert found.item() == pytest.approx(expected, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("mirrored", [False, True])
def test_random_fourier_features_come_near_the_exact_kernel(mirrored: bool) -> None:
    released, attribute = drawn(3, n=200)
    exact = [kernel_penalty("kernel_ridge", released, attribute, mirrored, generator(s)) for s in range(20)]
    random = [
        kernel_penalty("kernel_ridge_rff", released, attribute, mirrored, generator(s)) for s in range(20)
    ]
    assert torch.stack(random).mean() == pytest.approx(torch.stack(exact).mean().item(), abs=0.05)


@pytest.mark.parametrize("kind", KERNEL_PENALTIES)
@pytest.mark.parametrize("parity", [False, True])
def test_kernel_terms_tell_a_leak_from_none(kind: PenaltyKind, parity: bool) -> None:
    """The terms also detect the parity of two coordinates, which no single coordinate shows."""
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (512, 4))
    leak = values[:, 0] * values[:, 1] if parity else values[:, 0]
    released = torch.tensor(values, dtype=torch.float32)
    told = kernel_penalty(kind, released, torch.tensor((leak > 0).astype(np.int8)), False, generator())
    other = torch.tensor(rng.choice([0, 1], 512).astype(np.int8))
    nothing = kernel_penalty(kind, released, other, False, generator())
    assert told > 3 * nothing
    assert 0 <= nothing < told < 1


@pytest.mark.parametrize("kind", KERNEL_PENALTIES)
@pytest.mark.parametrize("mirrored", [False, True])
def test_unknown_images_shift_and_scale_change_nothing(kind: PenaltyKind, mirrored: bool) -> None:
    released, attribute = drawn(1)
    found = kernel_penalty(kind, released, attribute, mirrored, generator())
    known = attribute >= 0
    alone = kernel_penalty(kind, released[known], attribute[known], mirrored, generator())
    moved = kernel_penalty(kind, 5 + 0.1 * released, attribute, mirrored, generator())
    assert found.item() == pytest.approx(alone.item(), abs=1e-6)
    # Eigenvectors may change their signs, which changes the random features.
    tolerance = {"rel": 0.2, "abs": 0.02} if kind == "kernel_ridge_rff" else {"rel": 0.02, "abs": 1e-3}
    assert found.item() == pytest.approx(moved.item(), **tolerance)


@pytest.mark.parametrize("kind", KERNEL_PENALTIES)
@pytest.mark.parametrize("labels", [[-1] * 20, [1] * 20, [-1] * 14 + [0, 1] * 3])
def test_kernel_terms_are_nothing_where_nothing_can_be_told(kind: PenaltyKind, labels: list[int]) -> None:
    released = torch.rand((20, 3), requires_grad=True)
    found = kernel_penalty(kind, released, torch.tensor(labels, dtype=torch.int8), False, generator())
    found.backward()
    assert found.item() == 0
    assert released.grad is not None
    assert not released.grad.any()


@pytest.mark.parametrize("kind", KERNEL_PENALTIES)
@pytest.mark.parametrize("mirrored", [False, True])
def test_gradients_are_finite_also_for_constant_coordinates(kind: PenaltyKind, mirrored: bool) -> None:
    released, attribute = drawn(2)
    released[:, 0] = 0.5
    released.requires_grad_()
    kernel_penalty(kind, released, attribute, mirrored, generator()).backward()
    assert released.grad is not None
    assert released.grad.isfinite().all()
    assert released.grad[:, 1:].any()


@pytest.mark.parametrize("kind", KERNEL_PENALTIES)
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_collapsed_batch_tells_nothing(kind: PenaltyKind, mirrored: bool) -> None:
    released = torch.full((20, 3), 0.4, requires_grad=True)
    attribute = torch.tensor([0, 1] * 10, dtype=torch.int8)
    found = kernel_penalty(kind, released, attribute, mirrored, generator())
    found.backward()
    assert found.item() == 0
    assert released.grad is not None
    assert not released.grad.any()


def test_inner_products_of_random_fourier_features_are_the_rbf_kernel() -> None:
    values = torch.tensor(np.random.default_rng(0).normal(0, 1, (30, 3)), dtype=torch.float32)
    mapped = [random_fourier_features(values, generator(seed)) for seed in range(100)]
    found = torch.stack([one @ one.T for one in mapped]).mean(0)
    squared = cdist(values, values, "sqeuclidean")
    expected = np.exp(-squared / squared.mean())
    # Five standard errors: 2 cos a cos b = cos(a - b) + cos(a + b) has a variance of at most 1.
    assert np.abs(found.numpy() - expected).max() < 5 / math.sqrt(100 * mapped[0].shape[1])


@pytest.mark.parametrize("kind", KERNEL_PENALTIES)
def test_lowering_a_kernel_term_hides_the_attribute(kind: PenaltyKind) -> None:
    """A scale per coordinate is trained to lower the term alone, with noise added to the scaled values.

    It shrinks the two coordinates whose parity is the attribute, which lowers the term on unseen images too.
    """
    rng = np.random.default_rng(0)
    values = torch.tensor(rng.normal(0, 1, (512, 6)), dtype=torch.float32)
    noise = torch.tensor(rng.normal(0, 1, (512, 6)), dtype=torch.float32)
    attribute = (values[:, 0] * values[:, 1] > 0).to(torch.int8)
    scale = torch.full((6,), 3.0, requires_grad=True)
    optimiser = torch.optim.Adam([scale], lr=0.1)
    halves = generator()

    def others_term() -> float:
        terms = [
            kernel_penalty(kind, values[256:] * scale + noise[256:], attribute[256:], False, generator(seed))
            for seed in range(5)
        ]
        return torch.stack(terms).mean().item()

    before = others_term()
    for _ in range(60):
        term = kernel_penalty(kind, values[:256] * scale + noise[:256], attribute[:256], False, halves)
        optimiser.zero_grad()
        term.backward()
        optimiser.step()
    assert others_term() < 0.7 * before
    assert scale[:2].abs().min() < 1.5 < 2.0 < scale[2:].abs().mean()


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=8))
@few
def test_negative_entropy(log_odds: list[float]) -> None:
    chance = 1 / (1 + np.exp(-np.array(log_odds)))
    entropy = -(chance * np.log(chance) + (1 - chance) * np.log1p(-chance).clip(-1e6))
    found = negative_entropy(torch.tensor(log_odds)[:, None])
    assert found.item() == pytest.approx(-entropy.mean(), abs=1e-5)
    assert negative_entropy(torch.zeros(3, 2)).item() == pytest.approx(-math.log(2))


def test_rate_is_the_gaussian_channels_capacity_per_coordinate() -> None:
    g = torch.rand((200, 3), generator=generator())
    expected = np.log(1 + g.double().numpy().var(0) / 0.1**2).mean() / 2
    assert rate(g, 0.1).item() == pytest.approx(expected, rel=1e-5)
    assert rate(torch.full((4, 2), 0.3), 0.1).item() == 0


@pytest.mark.parametrize(
    ("schedule", "shares"),
    [("constant", [1, 1, 1]), ("ramp", [0, 0.5, 1]), ("reversal", [0, 2 / (1 + math.exp(-1.5)) - 1, 1])],
)
def test_schedules_grow_to_the_whole_of_beta(schedule: Schedule, shares: list[Any]) -> None:
    found = [scheduled(schedule, progress) for progress in (0.0, 0.15, 1.0)]
    assert found == pytest.approx(shares, abs=1e-4)
    grid = [scheduled(schedule, step / 50) for step in range(51)]
    assert grid == sorted(grid)
