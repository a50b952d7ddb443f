"""Grad-CAM equals its definition, computed by hand from the network's own layers."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from aia_models.explain.grad_cam import grad_cam
from aia_models.explain.image_classifier import ImageClassifier

SIDE = 16


@pytest.fixture
def classifier() -> ImageClassifier:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        # In double precision a batch and a single image are rounded alike, whatever the processor.
        return ImageClassifier(SIDE).eval().double()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand((4, 1, SIDE, SIDE), generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def by_hand(classifier: ImageClassifier, image: torch.Tensor, sign: float) -> np.ndarray:
    """Return Eq. 1 and 2 of Selvaraju et al. 2017 for the last convolution's output."""
    kept: list[torch.Tensor] = []

    def keep(_module: object, _given: object, output: torch.Tensor) -> None:
        output.retain_grad()
        kept.append(output)

    hook = classifier.network.convolutions[-1].register_forward_hook(keep)
    (sign * classifier(image[None])[0, 0]).backward()
    hook.remove()
    activation, gradient = kept[0], kept[0].grad
    assert gradient is not None
    weights = gradient.mean((2, 3), keepdim=True)
    small = (weights * activation).sum(1, keepdim=True).clamp_min(0).detach()
    return F.interpolate(small, (SIDE, SIDE), mode="bilinear")[0, 0].double().numpy()


def test_maps_are_those_of_the_definition(classifier, images) -> None:
    positive = np.array([True, False, True, False])
    maps = grad_cam(classifier, images, positive)
    assert maps.shape == (4, SIDE, SIDE)
    assert maps.max() > 0
    for one, image, label in zip(maps, images, positive, strict=True):
        np.testing.assert_allclose(one, by_hand(classifier, image, 1.0 if label else -1.0), atol=1e-9)


def test_what_speaks_for_one_label_does_not_speak_for_the_other(classifier, images) -> None:
    both = [grad_cam(classifier, images, np.full(4, label)) for label in (True, False)]
    assert not np.allclose(both[0], both[1])
    # The centre of each cell is compared: interpolation spreads its value a little beyond the cell.
    coarse = slice(2, None, 4)
    assert np.minimum(both[0], both[1])[:, coarse, coarse].max() < max(both[0].max(), both[1].max())


def test_an_image_is_explained_alone_as_among_others(classifier, images) -> None:
    together = grad_cam(classifier, images, np.ones(4, bool))
    alone = grad_cam(classifier, images[2:3], np.ones(1, bool))
    np.testing.assert_allclose(together[2], alone[0], atol=1e-9)


def test_inputs_stay_as_they_are(classifier, images) -> None:
    before = images.clone()
    weights = [weight.detach().clone() for weight in classifier.parameters()]
    grad_cam(classifier, images, np.ones(4, bool))
    assert torch.equal(images, before)
    assert all(torch.equal(was, now) for was, now in zip(weights, classifier.parameters(), strict=True))
