"""Runs our trainer and the plain one from the same weights, on the same faces and batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import plain
import torch
from torch import Tensor, nn

from aia_models.config import AdversaryConfig, ComputeConfig, ConvolutionalStem, MatcherConfig, TrainingConfig
from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.data.splits import SplitFaces, split_faces
from aia_models.networks.networks import Networks
from aia_models.training.batches import PairSampler
from aia_models.training.trainer import Trainer

# The paper's recipe as it stands: without what this project adds to it.
PAPER = TrainingConfig(
    adversary=AdversaryConfig(class_balanced=False, standardise=False),
    matcher=MatcherConfig(standardise=False),
)


@dataclass(frozen=True)
class Batch:
    """One batch of pairs: rows `[batch]` for our trainer, the images and gender in them for the plain one."""

    rows: Tensor
    different: Tensor
    images: Tensor
    gender: Tensor


def synthetic_faces(image_side: int, cache: Path) -> SplitFaces:
    """The drawn faces, split as a study splits them."""
    folder = prepare("synthetic", image_side=image_side, attributes=("gender",), positive=None, cache=cache)
    return split_faces(open_prepared(folder), ("gender",), 0)


def batches(faces: SplitFaces, count: int, size: int, device: str = "cpu") -> list[Batch]:
    """`count` batches of pairs of the `train` identities."""
    sampler, rng = PairSampler(faces.train.identity), np.random.default_rng(0)
    images = torch.from_numpy(np.ascontiguousarray(faces.train.inputs)).float() / 255
    gender = torch.from_numpy(np.ascontiguousarray(faces.train.attributes[faces.attributes[0]])).float()
    found: list[Batch] = []
    while len(found) < count:
        epoch = sampler.epoch(size, rng)
        for rows, different in zip(
            torch.from_numpy(epoch.images), torch.from_numpy(epoch.different), strict=True
        ):
            parts = (rows, different, images[rows], gender[rows])
            found.append(Batch(*(part.to(device) for part in parts)))
    return found[:count]


def peer(config: TrainingConfig, image_side: int, device: str = "cpu") -> plain.PlainTrainer:
    """The plain trainer with the weights that our trainer of `config` starts from."""
    stem = config.encoder.stem
    if not isinstance(stem, ConvolutionalStem):
        raise TypeError(f"the plain trainer has convolutions, not {stem}")
    first, second = stem.channels
    settings = plain.Settings(
        alpha=config.alpha, beta=config.betas[0], margin=config.matcher.margin, learning_rate=config.learning_rate,
        batch_images=config.batch_images, image_side=image_side, encoder=(first, second),
        decoder=config.decoder.channels, seed=config.seed,
    )  # fmt: skip
    trainer = plain.PlainTrainer(settings, device)
    for target, source in matched(trainer, Networks(config, (1, image_side, image_side))):
        copy_weights(target, source)
    return trainer


@dataclass(frozen=True)
class Agreement:
    """Largest relative differences over the steps: of losses, each network's gradient and its update at the same
    weights, and of losses where the plain trainer runs freely beside itself in channels_last."""

    losses: float
    gradients: float
    updates: float
    free_run_of_plain: float


def agreement(faces: SplitFaces, config: TrainingConfig, steps: int, threads: int) -> Agreement:
    """Takes our float32 step at the weights of the plain trainer in each of its `steps` steps.

    Not side by side: Adam's first steps are the signs of gradients, so that rounding alone sends two runs apart,
    the plain trainer's too when nothing but its memory layout changes. That control is measured beside.
    """
    mine = Trainer(config, ComputeConfig(threads=threads), faces)
    side = faces.input_shape[-1]
    theirs, control = peer(config, side), peer(config, side)
    for network in (control.autoencoder, control.adversary, control.matcher):
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    losses, gradients, updates, free = [], [], [], []
    for batch in batches(faces, steps, config.batch_images):
        for source, target in matched(theirs, mine.networks):
            copy_weights(target, source)
        before = [_vector(network) for network, _ in matched(theirs, mine.networks)]
        found = mine.joint_step(batch.rows, batch.different)[:3]
        expected = torch.stack(theirs.joint_step(batch.images, batch.gender, batch.different))
        channels_last = batch.images.contiguous(memory_format=torch.channels_last)
        beside = torch.stack(control.joint_step(channels_last, batch.gender, batch.different))
        losses.append(_largest(found, expected))
        free.append(_largest(beside, expected))
        for start, (plain_network, network) in zip(before, matched(theirs, mine.networks), strict=True):
            gradients.append(_distance(_gradient(network), _gradient(plain_network)))
            updates.append(_distance(_vector(network) - start, _vector(plain_network) - start))
    return Agreement(max(losses), max(gradients), max(updates), max(free))


def matched(trainer: plain.PlainTrainer, networks: Networks) -> Iterator[tuple[nn.Module, nn.Module]]:
    """The peer's networks, each with ours that has the same weights in the same order."""
    yield trainer.autoencoder.encoder, networks.encoder
    yield trainer.autoencoder.decoder, networks.decoder
    yield trainer.adversary, networks.adversaries[0]
    yield trainer.matcher, networks.matcher


@torch.no_grad()
def copy_weights(target: nn.Module, source: nn.Module) -> None:
    """Sets the weights of `target` to those of `source`."""
    for mine, theirs in zip(target.parameters(), source.parameters(), strict=True):
        mine.copy_(theirs)


def _largest(found: Tensor, expected: Tensor) -> float:
    return float(((found - expected).abs() / expected.abs()).max())


def _distance(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def _vector(network: nn.Module) -> Tensor:
    return torch.cat([weight.detach().flatten() for weight in network.parameters()])


def _gradient(network: nn.Module) -> Tensor:
    return torch.cat([weight.grad.flatten() for weight in network.parameters() if weight.grad is not None])
