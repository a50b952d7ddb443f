"""The plain peer takes the same steps as our trainer and learns as well, so that times compare."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import plain
import pytest
import torch
from shared import twins
from shared.twins import PAPER, agreement, copy_weights, matched, peer, synthetic_faces

from aia_models.config import BudgetConfig, ComputeConfig, DecoderConfig, TrainingConfig
from aia_models.data.faces import FaceDataset
from aia_models.data.splits import SplitFaces
from aia_models.random_streams import stream_seed
from aia_models.training.batches import PairSampler, image_batches
from aia_models.training.trainer import Trainer
from tests.aia_models.random_faces import random_faces

SMALL = replace(PAPER, decoder=DecoderConfig((8, 4)), batch_images=16)
SIDE, SEEDS = 16, (0, 1, 2)


def test_the_step_is_ours() -> None:
    """Losses, gradients and updates agree.

    Gradients are sums of terms that cancel and Adam's first updates are signs, so their rounding is larger.
    """
    agreed = agreement(random_faces(people=20, images=4), SMALL, steps=8, threads=1)
    assert agreed.losses < 1e-5
    assert agreed.gradients < 2e-3
    assert agreed.updates < 0.05


def test_a_different_step_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = plain.PlainTrainer.siamese_loss
    monkeypatch.setattr(plain.PlainTrainer, "siamese_loss", lambda *given: 1.01 * theirs(*given))
    agreed = agreement(random_faces(people=20, images=4), SMALL, steps=2, threads=1)
    assert agreed.losses > 5e-3
    assert agreed.gradients > 5e-3


def test_a_different_update_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = peer(replace(SMALL, learning_rate=1.2 * SMALL.learning_rate), SIDE)
    monkeypatch.setattr(twins, "peer", lambda *given: deepcopy(trainer))
    agreed = agreement(random_faces(people=20, images=4), SMALL, steps=2, threads=1)
    assert agreed.losses < 1e-5
    assert agreed.updates > 0.1


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> SplitFaces:
    return synthetic_faces(SIDE, tmp_path_factory.mktemp("cache"))


def as_plain(part: FaceDataset) -> plain.Faces:
    images = torch.from_numpy(np.array(part.inputs)).float() / 255
    return plain.Faces(images, part.identity, torch.from_numpy(np.array(part.attributes["gender"])).float())


def judged(trainer: plain.PlainTrainer, faces: SplitFaces) -> dict[str, float]:
    """Return the validation figures of the peer's judge, which judges both trainers."""
    validation = as_plain(faces.validation)
    with torch.no_grad():
        shown = trainer.autoencoder.decoder(trainer.autoencoder.encoder(validation.images))
        loss = torch.nn.functional.binary_cross_entropy(shown, validation.images)
    return {"reconstruction": float(loss), **plain.judge(trainer, as_plain(faces.attack), validation)}


def ours_as_plain(config: TrainingConfig, faces: SplitFaces) -> plain.PlainTrainer:
    """Train our networks and return the peer's trainer with their weights."""
    trainer, shell = Trainer(config, ComputeConfig(), faces), peer(config, SIDE)
    list(trainer.run())
    for target, source in matched(shell, trainer.networks):
        copy_weights(target, source)
    return shell


def epochs_of_peer(config: TrainingConfig, faces: SplitFaces) -> list[list[float]]:
    """Return the peer's mean losses of each epoch on our trainer's batches: `[epoch, loss]`.

    The losses are reconstruction, matcher and adversary.
    """
    trainer, sampler, budget = peer(config, SIDE), PairSampler(faces.train.identity), config.budget
    train, stage1 = as_plain(faces.train), budget.autoencoder_epochs + budget.heads_epochs
    found = []
    for epoch in range(1, stage1 + budget.joint_epochs + 1):
        rng = np.random.default_rng(stream_seed(config.seed, "batches", str(epoch)))
        if epoch <= budget.autoencoder_epochs:
            rows = image_batches(len(train.images), config.batch_images, rng)
            losses = [[float(trainer.autoencoder_step(train.images[batch])), 0.0, 0.0] for batch in rows]
        else:
            if epoch == stage1 + 1:
                trainer.restart_autoencoder_optimiser()
            joint, drawn = epoch > stage1, sampler.epoch(config.batch_images, rng)
            step = trainer.joint_step if joint else trainer.heads_step
            losses = []
            for batch, pairs in zip(drawn.images, drawn.different, strict=True):
                shown = step(train.images[batch], train.gender[batch], torch.from_numpy(pairs))
                losses.append([float(loss) for loss in (shown if joint else (0.0, *shown))])
        found.append(np.mean(losses, axis=0).tolist())
    return found


@pytest.mark.slow
def test_a_whole_training_is_ours(faces: SplitFaces) -> None:
    """All stages start from the same weights and use the same batches.

    The learning rate is so low that rounding errors do not grow.
    """
    config = replace(SMALL, learning_rate=1e-5, batch_images=64, budget=BudgetConfig(2, 2, 3))
    records = list(Trainer(config, ComputeConfig(), faces).run())
    ours = [
        [getattr(record, f"{name}_loss") or 0.0 for name in ("reconstruction", "matcher", "adversary")]
        for record in records
    ]
    np.testing.assert_allclose(epochs_of_peer(config, faces), ours, rtol=1e-4)


@pytest.mark.slow
def test_it_learns_as_well_as_ours(faces: SplitFaces) -> None:
    """Each trainer draws its own batches: they differ no more than seeds do, and both learn to match."""
    budget = BudgetConfig(autoencoder_epochs=8, heads_epochs=8, joint_epochs=16)
    figures: dict[str, list[dict[str, float]]] = {"ours": [], "plain": []}
    for seed in SEEDS:
        config = replace(
            SMALL, seed=seed, budget=budget, learning_rate=2e-3, batch_images=64, alpha=2.0, betas=(0.1,)
        )
        settings = plain.Settings(
            alpha=config.alpha, beta=config.betas[0], learning_rate=config.learning_rate, image_side=SIDE,
            decoder=(8, 4), autoencoder_epochs=8, heads_epochs=8, joint_epochs=16, seed=seed,
        )  # fmt: skip
        figures["plain"].append(judged(plain.train(as_plain(faces.train), settings), faces))
        figures["ours"].append(judged(ours_as_plain(config, faces), faces))
    for name, allowed in (("reconstruction", 0.005), ("attacker_auc", 0.04), ("matching_auc", 0.12)):
        means = {kind: np.mean([run[name] for run in runs]) for kind, runs in figures.items()}
        assert means["plain"] == pytest.approx(means["ours"], abs=allowed), (name, figures)
    assert np.mean([run["matching_auc"] for run in figures["plain"]]) > 0.65
    assert np.mean([run["matching_auc"] for run in figures["ours"]]) > 0.65


def test_faces_are_read_from_a_folder(faces_folder: Path) -> None:
    found = plain.read_faces(faces_folder, SIDE)
    assert found.images.shape == (240, 1, SIDE, SIDE)
    assert 0 <= found.images.min() < found.images.max() <= 1
    assert found.gender.sum() == 80
    assert [len(part.images) for part in plain.split(found)] == [120, 48, 72]
    assert not set(plain.split(found)[0].identity) & set(plain.split(found)[1].identity)
