"""The plain peer takes the same steps as our trainer and learns as well: a ratio to anything less says nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import plain
import pytest
import torch
from twins import PAPER, agreement, peer, synthetic_faces

from aia_models.config import BudgetConfig, ComputeConfig, DecoderConfig, TrainingConfig
from aia_models.data.faces import FaceDataset
from aia_models.data.splits import SplitFaces
from aia_models.training import Trainer
from tests.aia_models.random_faces import random_faces

SMALL = replace(PAPER, decoder=DecoderConfig((8, 4)), batch_images=16)
SIDE, SEEDS = 16, (0, 1, 2)
BUDGET = BudgetConfig(autoencoder_epochs=3, heads_epochs=2, joint_epochs=4)


def test_the_step_is_ours() -> None:
    """A gradient is a sum of terms that cancel: its rounding is larger than a loss's."""
    agreed = agreement(random_faces(people=20, images=4), SMALL, steps=8, threads=1)
    assert agreed.losses < 1e-5
    assert agreed.gradients < 1e-2


def test_a_different_step_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = plain.PlainTrainer.siamese_loss
    monkeypatch.setattr(plain.PlainTrainer, "siamese_loss", lambda *given: 1.01 * ours(*given))
    agreed = agreement(random_faces(people=20, images=4), SMALL, steps=2, threads=1)
    assert agreed.losses > 5e-3


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> SplitFaces:
    return synthetic_faces(SIDE, tmp_path_factory.mktemp("cache"))


def as_plain(part: FaceDataset) -> plain.Faces:
    images = torch.from_numpy(np.array(part.images)).float() / 255
    return plain.Faces(images, part.identity, torch.from_numpy(np.array(part.attributes["gender"])).float())


def judged(trainer: plain.PlainTrainer, faces: SplitFaces) -> dict[str, float]:
    """Both are judged by the peer's judge."""
    validation = as_plain(faces.validation)
    with torch.no_grad():
        shown = trainer.autoencoder.decoder(trainer.autoencoder.encoder(validation.images))
        loss = torch.nn.functional.binary_cross_entropy(shown, validation.images)
    return {"reconstruction": float(loss), **plain.judge(trainer, as_plain(faces.attack), validation)}


def ours_as_plain(config: TrainingConfig, faces: SplitFaces) -> plain.PlainTrainer:
    """Our trained weights in the peer's networks."""
    trainer, shell = Trainer(config, ComputeConfig(), faces), peer(config, SIDE)
    list(trainer.run())
    mine = trainer.networks
    parts = (
        (shell.autoencoder.encoder, mine.encoder),
        (shell.autoencoder.decoder, mine.decoder),
        (shell.adversary, mine.adversary),
        (shell.matcher, mine.matcher),
    )
    with torch.no_grad():
        for target, source in parts:
            for theirs, own in zip(target.parameters(), source.parameters(), strict=True):
                theirs.copy_(own)
    return shell


def test_it_learns_as_well_as_ours(faces: SplitFaces) -> None:
    """Mean over seeds, the batches of each its own: neither is better by more than what seeds leave open."""
    figures: dict[str, list[dict[str, float]]] = {"ours": [], "plain": []}
    for seed in SEEDS:
        config = replace(SMALL, seed=seed, budget=BUDGET, learning_rate=3e-3, beta=0.1)
        settings = plain.Settings(
            alpha=config.alpha, beta=config.beta, learning_rate=config.learning_rate, batch_images=16,
            image_side=SIDE, decoder=(8, 4), autoencoder_epochs=3, heads_epochs=2, joint_epochs=4, seed=seed,
        )  # fmt: skip
        figures["plain"].append(judged(plain.train(as_plain(faces.train), settings), faces))
        figures["ours"].append(judged(ours_as_plain(config, faces), faces))
    for name, tolerance in (("reconstruction", 0.004), ("attacker_auc", 0.05), ("matching_auc", 0.05)):
        means = {kind: np.mean([run[name] for run in runs]) for kind, runs in figures.items()}
        assert means["plain"] == pytest.approx(means["ours"], abs=tolerance), (name, figures)
    assert np.mean([run["matching_auc"] for run in figures["plain"]]) > 0.6, "it does learn"


def test_faces_are_read_from_a_folder(faces_folder: Path) -> None:
    found = plain.read_faces(faces_folder, SIDE)
    assert found.images.shape == (240, 1, SIDE, SIDE)
    assert 0 <= found.images.min() < found.images.max() <= 1
    assert found.gender.sum() == 80
    assert [len(part.images) for part in plain.split(found)] == [120, 48, 72]
    assert not set(plain.split(found)[0].identity) & set(plain.split(found)[1].identity)
