"""The losses of Eq. 5 to 8 equal a float64 numpy transcription of the paper's formulas."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aia_models.losses.losses import (
    adversary_loss,
    all_pairs_contrastive_loss,
    batch_contrastive_loss,
    contrastive_loss,
    reconstruction_loss,
    scaled_gradient,
    total_loss,
)

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=30, deadline=None)


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def cross_entropy(target: np.ndarray | int, predicted: np.ndarray) -> np.ndarray:
    return -(target * np.log(predicted) + (1 - target) * np.log(1 - predicted))


def tensor(values: np.ndarray, **settings: bool) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32, **settings)


@given(seeds)
@few
def test_reconstruction_is_equation_5_with_its_sign(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits, images = rng.normal(0, 3, (3, 1, 8, 8)), rng.random((3, 1, 8, 8))
    expected = cross_entropy(images, sigmoid(logits)).mean()
    assert reconstruction_loss(tensor(logits), tensor(images)).item() == pytest.approx(expected, rel=1e-5)


@given(seeds, st.floats(0.1, 5.0))
@few
def test_contrastive_is_equation_7(seed: int, margin: float) -> None:
    rng = np.random.default_rng(seed)
    left, right = rng.normal(0, 0.5, (2, 7, 3))
    y = rng.integers(0, 2, 7)
    distance = np.sqrt(((left - right) ** 2).sum(1))
    expected = ((1 - y) * distance**2 / 2 + y * np.maximum(0, margin - distance) ** 2 / 2).mean()
    every = torch.ones(7, dtype=torch.bool)
    found = contrastive_loss(tensor(left), tensor(right), torch.tensor(y == 1), every, margin)
    assert found.item() == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_contrastive_in_closed_form() -> None:
    left, right = tensor(np.zeros((4, 2))), tensor(np.array([[3.0, 4.0], [0.0, 0.5], [0.0, 0.5], [3.0, 4.0]]))
    different = torch.tensor([False, False, True, True])
    # With D = 5, 0.5, 0.5, 5 and m = 1 the terms are 25/2, 0.25/2, 0.25/2 and 0 beyond the margin.
    every = torch.ones(4, dtype=torch.bool)
    loss = contrastive_loss(left, right, different, every, 1.0)
    assert loss.item() == pytest.approx((12.5 + 0.125 + 0.125) / 4)
    some = torch.tensor([True, False, True, False])
    assert contrastive_loss(left, right, different, some, 1.0).item() == pytest.approx((12.5 + 0.125) / 2)
    assert contrastive_loss(left, right, different, ~every, 1.0).item() == 0.0


def test_coincident_embeddings_have_finite_gradients() -> None:
    left = torch.full((4, 3), 0.3, requires_grad=True)
    different, every = torch.tensor([True, True, False, False]), torch.ones(4, dtype=torch.bool)
    contrastive_loss(left, left.detach().clone(), different, every, 1.0).backward()
    assert left.grad is not None
    assert left.grad.isfinite().all()


@given(st.tuples(*[st.floats(0, 100)] * 7))
@few
def test_total_is_equation_8_summed_over_private_attributes(values: tuple[float, ...]) -> None:
    reconstruction, matcher, alpha, *rest = values
    adversaries, betas = rest[:2], rest[2:]
    losses = [tensor(np.array(loss)) for loss in (reconstruction, matcher)]
    found = total_loss(*losses, -tensor(np.array(adversaries)), alpha, tensor(np.array(betas)))
    weighed = sum(beta * adversary for beta, adversary in zip(betas, adversaries, strict=True))
    expected = reconstruction + alpha * matcher - weighed
    assert found.item() == pytest.approx(expected, rel=1e-5, abs=1e-2)


@given(seeds)
@few
def test_adversary_is_cross_entropy_over_known_images_and_members(seed: int) -> None:
    rng = np.random.default_rng(seed)
    log_odds, attribute = rng.normal(0, 2, (9, 2)), rng.choice([-1, 0, 1], 9)
    attribute[:2] = 0, 1
    known = attribute >= 0
    expected = cross_entropy(attribute[known, None], sigmoid(log_odds[known])).mean()
    found = adversary_loss(tensor(log_odds), torch.tensor(attribute, dtype=torch.int8), class_balanced=False)
    assert found.item() == pytest.approx(expected, rel=1e-5)


@given(seeds)
@few
def test_balanced_adversary_is_the_mean_of_both_classes_means(seed: int) -> None:
    rng = np.random.default_rng(seed)
    log_odds, attribute = rng.normal(0, 2, (9, 3)), rng.choice([-1, 0, 1, 1, 1], 9)
    attribute[:2] = 0, 1
    means = [cross_entropy(value, sigmoid(log_odds[attribute == value])).mean() for value in (0, 1)]
    found = adversary_loss(tensor(log_odds), torch.tensor(attribute, dtype=torch.int8), class_balanced=True)
    assert found.item() == pytest.approx(np.mean(means), rel=1e-5)


@pytest.mark.parametrize("class_balanced", [True, False])
def test_unknown_attributes_take_no_part(class_balanced: bool) -> None:
    attribute = torch.tensor([1, 0, -1, 1, -1], dtype=torch.int8)
    log_odds = torch.linspace(-1, 1, 5)[:, None].clone().requires_grad_()
    adversary_loss(log_odds, attribute, class_balanced).backward()
    assert log_odds.grad is not None
    assert (log_odds.grad[:, 0] != 0).tolist() == [True, True, False, True, False]


@pytest.mark.parametrize("class_balanced", [True, False])
def test_nobody_known_costs_nothing(class_balanced: bool) -> None:
    log_odds = torch.ones((3, 1), requires_grad=True)
    loss = adversary_loss(log_odds, torch.full((3,), -1, dtype=torch.int8), class_balanced)
    loss.backward()
    assert loss.item() == 0
    assert log_odds.grad is not None
    assert (log_odds.grad == 0).all()


def test_scaled_gradient_scales_nothing_else() -> None:
    values = torch.rand((3, 2), requires_grad=True)
    passed = scaled_gradient(values, -2.5)
    assert torch.equal(passed, values)
    (passed**2).sum().backward()
    torch.testing.assert_close(values.grad, -2.5 * 2 * values.detach())


@given(seeds)
@few
def test_all_pairs_are_equation_7_over_every_pair_of_a_batch(seed: int) -> None:
    rng = np.random.default_rng(seed)
    embedded, identity = rng.normal(0, 0.3, (8, 3)), rng.integers(0, 4, 8)
    image = np.where(rng.random(8) < 0.2, 100, np.arange(8))
    identity[image == 100] = 0
    pulled, pushed = [], []
    for i in range(8):
        for j in range(8):
            distance = np.linalg.norm(embedded[i] - embedded[j])
            if identity[i] != identity[j]:
                pushed.append(max(1.0 - distance, 0) ** 2 / 2)
            elif image[i] != image[j]:
                pulled.append(distance**2 / 2)
    expected = (np.mean(pulled or [0.0]) + np.mean(pushed or [0.0])) / 2
    found = all_pairs_contrastive_loss(
        tensor(embedded), torch.tensor(identity, dtype=torch.int32), torch.from_numpy(image), 1.0
    )
    assert found.item() == pytest.approx(expected, rel=1e-4, abs=1e-6)


@given(seeds)
@few
def test_batch_contrastive_is_the_mean_surprise_of_the_positives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, identity = rng.normal(0, 1, (12, 5)), rng.integers(0, 5, 12)
    features = (values - values.mean(0)) / values.std(0)
    directions = features / np.linalg.norm(features, axis=1, keepdims=True)
    similar = directions @ directions.T / 0.3
    surprises = []
    for i in range(12):
        others = np.array([j for j in range(12) if j != i])
        positives = others[identity[others] == identity[i]]
        if len(positives):
            surprises.append(np.mean(np.log(np.exp(similar[i, others]).sum()) - similar[i, positives]))
    found = batch_contrastive_loss(tensor(values), torch.tensor(identity), 0.3)
    assert found.item() == pytest.approx(np.mean(surprises) if surprises else 0.0, rel=1e-4)


def test_batch_contrastive_without_positives_is_nothing() -> None:
    released = torch.rand((6, 3), requires_grad=True)
    found = batch_contrastive_loss(released, torch.arange(6), 0.2)
    found.backward()
    assert found.item() == 0
    assert released.grad is not None
    assert not released.grad.any()
