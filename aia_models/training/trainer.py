"""Two-stage training of the AIA (section 4.3) as generators that yield one record per epoch."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from aia_models.config import ComputeConfig, LinearStem, TrainingConfig
from aia_models.data.splits import SplitFaces
from aia_models.errors import ConfigError, DivergedError
from aia_models.measures.pairs import evaluation_pairs
from aia_models.networks.networks import Networks
from aia_models.networks.stems.linear import LinearMap
from aia_models.random_streams import stream_seed
from aia_models.training.batches import PairSampler, image_batches
from aia_models.training.closed_form import fit_stem
from aia_models.training.device_faces import DeviceFaces
from aia_models.training.joint_losses import JointLosses
from aia_models.training.validation import in_loop_figures

Stage = Literal["autoencoder", "heads", "joint"]


@dataclass(frozen=True)
class EpochRecord:
    """The record of one epoch.

    Losses are means over the epoch's steps, None where the stage does not have them; the adversary's is the mean over
    private attributes. The AUCs are those of the in-loop adversary (folded, the largest over attributes) and of the
    in-loop matcher on the validation identities. `train_images_seen` counts over all epochs so far.
    """

    epoch: int
    stage: Stage
    reconstruction_loss: float | None
    matcher_loss: float | None
    adversary_loss: float | None
    total_loss: float | None
    adversary_auc_validation: float | None
    matcher_auc_validation: float | None
    train_images_seen: int
    seconds: float


class Trainer:
    """The networks of one training, their optimisers and data; `run` trains, one epoch at a time.

    `epochs_done` and `train_images_seen` count over both stages. A run continues after the last epoch done, also where
    `training.state.restore` has set it.
    """

    def __init__(self, config: TrainingConfig, compute: ComputeConfig, faces: SplitFaces) -> None:
        if len(config.betas) != len(faces.attributes):
            named = ", ".join(faces.attributes)
            raise ConfigError(
                f"{len(config.betas)} values of β for the attributes {named}: expected one for each"
            )
        self.config = config
        self.compute = compute
        networks = Networks(config, faces.input_shape).to(compute.device)
        stem = config.encoder.stem
        if isinstance(stem, LinearStem) and isinstance(networks.encoder.stem, LinearMap):
            fit_stem(networks.encoder.stem, stem, faces.train, config.seed)
        if compute.memory_format == "channels_last":
            networks = networks.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.networks: Networks = networks
        self.train_faces = DeviceFaces.load(faces.train, faces.attributes, compute.device)
        self.validation_faces = DeviceFaces.load(faces.validation, faces.attributes, compute.device)
        attribute = faces.validation.attributes[faces.attributes[0]]
        self.validation_pairs = evaluation_pairs(faces.validation.identity, attribute, "validation")
        self.pairs = PairSampler(faces.train.identity)
        self.objective = JointLosses(
            config, networks, self.train_faces, self.pairs.paired, compute.memory_format
        )
        self.anonymizer_optimiser = self._adam("encoder", "decoder")
        self.epochs_done = 0
        self.train_images_seen = 0
        self.matcher_optimiser = self._adam("matcher")
        self.adversary_optimiser = self._adam("adversaries")

    def run(self) -> Iterator[EpochRecord]:
        """Train stage 1 (auto-encoder, then adversary and matcher on its frozen g, without a channel), then Eq. 8.

        Raises DivergedError after the first epoch in which a loss or a weight is NaN or infinite.
        """
        yield from self.run_stage1()
        yield from self.run_joint()

    def run_stage1(self) -> Iterator[EpochRecord]:
        """Train stage 1, which does not depend on hyperparameters of joint training. Raises as `run`."""
        budget = self.config.budget
        yield from self._run("autoencoder", 0, budget.autoencoder_epochs)
        yield from self._run("heads", budget.autoencoder_epochs, budget.heads_epochs)

    def run_joint(self) -> Iterator[EpochRecord]:
        """Train jointly (Eq. 8) after stage 1. Raises as `run`."""
        budget = self.config.budget
        before = budget.autoencoder_epochs + budget.heads_epochs
        if self.epochs_done == before:
            self.objective.begin_joint()
            self.anonymizer_optimiser = self._adam("encoder", "decoder")
        yield from self._run("joint", before, budget.joint_epochs)

    def stand_after(self, records: Sequence[EpochRecord]) -> None:
        """Count the epochs of `records` (at least one) as done; the caller restores networks and optimisers."""
        self.epochs_done = records[-1].epoch
        self.train_images_seen = records[-1].train_images_seen
        if records[-1].stage == "joint":
            self.objective.begin_joint()

    def _run(self, stage: Stage, before: int, epochs: int) -> Iterator[EpochRecord]:
        """Run the remaining ones of a stage's `epochs`, which follow `before` epochs of earlier stages."""
        started = time.perf_counter()
        for epoch in range(max(self.epochs_done, before) + 1, before + epochs + 1):
            if stage == "joint":
                self._begin_joint_epoch(epoch - before - 1)
            losses, images = self._epoch(stage, epoch)
            self.epochs_done, self.train_images_seen = epoch, self.train_images_seen + images
            reconstruction, matcher, adversary, total = losses
            seen = self.train_images_seen
            record = EpochRecord(
                epoch, stage, reconstruction, matcher, adversary, total, None, None, seen, seconds=0.0
            )
            self._refuse_non_finite(record)
            self._refuse_non_finite_weights(record)
            if stage != "autoencoder":
                judged = (self.validation_faces, self.validation_pairs)
                figures = in_loop_figures(self.networks, self.config, *judged, stage == "joint")
                record = replace(
                    record, adversary_auc_validation=figures[0], matcher_auc_validation=figures[1]
                )
            now = time.perf_counter()
            yield replace(record, seconds=now - started)
            started = time.perf_counter()

    def _begin_joint_epoch(self, done: int) -> None:
        """Lower the anonymizer's learning rate, if it falls, before a joint epoch that follows `done` others.

        Adversaries and matcher keep theirs: at a falling rate they would lag behind the encoder.
        """
        config = self.config
        if config.learning_rate_schedule == "cosine":
            progress = (done + 0.5) / config.budget.joint_epochs
            rate = config.learning_rate * (1 + math.cos(math.pi * progress)) / 2
            for group in self.anonymizer_optimiser.param_groups:
                group["lr"] = rate

    def joint_step(self, images: Tensor, different: Tensor) -> Float[Tensor, "4"]:
        """Update all networks once, with their gradients taken at the same parameters.

        `images` are indices `[batch]` of train images, anchors then partners; `different` `[batch / 2]` is y
        of Eq. 7. Returns the losses (reconstruction, matcher, adversary, total) without their graph.
        """
        for _ in range(self.config.adversary.steps - 1):
            self._extra_adversary_step(next(self._extra_images))
        with self._autocast():
            objective, shown = self.objective.joint(images, different)
        optimisers = (self.anonymizer_optimiser, self.matcher_optimiser, self.adversary_optimiser)
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        objective.backward()
        for optimiser in optimisers:
            optimiser.step()
        return shown

    def autoencoder_step(self, images: Tensor) -> Float[Tensor, "4"]:
        """Update encoder and decoder once by Eq. 5 alone."""
        with self._autocast():
            loss = self.objective.autoencoder(images)
        self.anonymizer_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.anonymizer_optimiser.step()
        return torch.stack([loss.detach(), *loss.new_zeros(3)])

    def heads_step(self, images: Tensor, different: Tensor) -> Float[Tensor, "4"]:
        """Update adversary and matcher once on the frozen encoder's g."""
        with self._autocast():
            matcher, adversaries = self.objective.heads(images, different)
        for optimiser in (self.matcher_optimiser, self.adversary_optimiser):
            optimiser.zero_grad(set_to_none=True)
        (matcher + adversaries.sum()).backward()
        self.matcher_optimiser.step()
        self.adversary_optimiser.step()
        zero = matcher.new_zeros(())
        return torch.stack([zero, matcher.detach(), adversaries.detach().mean(), zero])

    def _epoch(self, stage: Stage, epoch: int) -> tuple[list[float | None], int]:
        rng = np.random.default_rng(stream_seed(self.config.seed, "batches", str(epoch)))
        device, size = self.compute.device, self.config.batch_images
        if stage == "autoencoder":
            images = torch.from_numpy(image_batches(len(self.train_faces), size, rng)).to(device)
            losses = [self.autoencoder_step(batch) for batch in images]
            present = (True, False, False, False)
        else:
            by_people = stage == "joint" and self.config.utility.kind == "batch_contrastive"
            batches = self.pairs.people_epoch(size, rng) if by_people else self.pairs.epoch(size, rng)
            images = torch.from_numpy(batches.images).to(device)
            different = torch.from_numpy(batches.different).to(device)
            self._extra_images = self._draw_extra_images(len(images), epoch)
            step = self.heads_step if stage == "heads" else self.joint_step
            losses = [step(batch, pairs) for batch, pairs in zip(images, different, strict=True)]
            present = (False, True, True, False) if stage == "heads" else (True, True, True, True)
        means = torch.stack(losses).double().mean(0).tolist()
        shown = [mean if there else None for mean, there in zip(means, present, strict=True)]
        return shown, images.numel()

    def _draw_extra_images(self, steps: int, epoch: int) -> Iterator[Tensor]:
        """Draw the batches of the epoch's further adversary steps, all at once, on the device."""
        rng = np.random.default_rng(stream_seed(self.config.seed, "adversary", str(epoch)))
        count = steps * (self.config.adversary.steps - 1)
        drawn = rng.integers(0, len(self.train_faces), (count, self.config.batch_images))
        return iter(torch.from_numpy(drawn).to(self.compute.device))

    def _extra_adversary_step(self, images: Tensor) -> None:
        with self._autocast():
            loss = self.objective.adversaries(images).sum()
        self.adversary_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.adversary_optimiser.step()

    def _adam(self, *names: str) -> torch.optim.AdamW:
        weights = [p for name in names for p in getattr(self.networks, name).parameters()]
        parameters = [weight for weight in weights if weight.requires_grad]
        on_cuda = self.compute.device.startswith("cuda")  # there a CUDA graph can hold the update
        return torch.optim.AdamW(
            parameters,
            lr=self.config.learning_rate,
            weight_decay=self.config.weight_decay,
            fused=True,
            capturable=on_cuda,
        )

    def _autocast(self) -> AbstractContextManager:
        if self.compute.dtype == "float32":
            return nullcontext()
        return torch.autocast(torch.device(self.compute.device).type, torch.bfloat16)

    @staticmethod
    def _refuse_non_finite(record: EpochRecord) -> None:
        for name in ("reconstruction_loss", "matcher_loss", "adversary_loss", "total_loss"):
            value = getattr(record, name)
            if value is not None and not np.isfinite(value):
                raise DivergedError(f"{name} is {value} in epoch {record.epoch} ({record.stage})")

    def _refuse_non_finite_weights(self, record: EpochRecord) -> None:
        for name, weight in self.networks.named_parameters():
            if not bool(weight.isfinite().all()):
                raise DivergedError(f"{name} is NaN or infinite after epoch {record.epoch} ({record.stage})")
