"""A linear stem in closed form: scikit-learn's components, and discriminants that training leaves or changes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from aia_models.config import (
    AdversaryConfig,
    BudgetConfig,
    CodeHead,
    ComputeConfig,
    EncoderConfig,
    LinearStem,
    PlainHead,
)
from aia_models.measures.discriminant import Scatters
from aia_models.training.closed_form import SHRINKAGE
from aia_models.training.trainer import Trainer
from tests.aia_models.random_faces import SMALL, random_faces

FACES = random_faces(people=12, images=4)
PIXELS = np.asarray(FACES.train.inputs).reshape(len(FACES.train), -1) / np.float64(255)


def trainer(stem: LinearStem, *, joint_epochs: int = 0) -> Trainer:
    head = CodeHead(k=8) if joint_epochs else PlainHead()
    config = replace(
        SMALL,
        encoder=EncoderConfig(stem, head),
        adversary=AdversaryConfig(("linear",)),
        budget=BudgetConfig(1, 0, joint_epochs),
    )
    return Trainer(config, ComputeConfig(), FACES)


def released(made: Trainer) -> np.ndarray:
    with torch.no_grad():
        return made.networks.encoder.stem(torch.from_numpy(PIXELS.astype(np.float32))).numpy()


def aligned(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return `expected` with the signs and the common scale of `found`."""
    signs = np.sign((found * expected).sum(0))
    return expected * signs * np.sqrt(np.square(found).mean() / np.square(expected).mean())


def test_components_are_scikit_learns() -> None:
    found = released(trainer(LinearStem(projection="pca", components=5)))
    expected = PCA(5).fit_transform(PIXELS)
    np.testing.assert_allclose(found, aligned(found, expected), atol=1e-3)
    assert np.square(found).mean() == pytest.approx(1, abs=1e-3)


def test_discriminants_come_strongest_first_and_end_in_zeros() -> None:
    found = released(trainer(LinearStem(components=200)))
    expected = Scatters(PIXELS, FACES.train.identity).discriminant(SHRINKAGE)(PIXELS)[:, ::-1]
    count = expected.shape[1]
    assert count < 200
    np.testing.assert_allclose(found[:, :count], aligned(found[:, :count], expected), atol=2e-3)
    assert not found[:, count:].any()


@pytest.mark.parametrize("trained", [False, True])
def test_training_changes_a_linear_stem_only_where_it_may(trained: bool) -> None:
    made = trainer(LinearStem(components=10, trained=trained), joint_epochs=1)
    before = made.networks.encoder.stem.directions.detach().clone()
    list(made.run())
    assert torch.equal(made.networks.encoder.stem.directions, before) != trained
