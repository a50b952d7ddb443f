"""The losses that the two stages of training minimise on batches of train images (Eq. 5 to 8)."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from aia_models.config import TrainingConfig
from aia_models.losses.losses import (
    adversary_loss,
    batch_contrastive_loss,
    contrastive_loss,
    reconstruction_loss,
    scaled_gradient,
    total_loss,
)
from aia_models.losses.penalties import kernel_ridge_penalty
from aia_models.networks.networks import Networks
from aia_models.random_streams import stream
from aia_models.release.channel import training_channel
from aia_models.training.augmentation import augmented
from aia_models.training.device_faces import DeviceFaces

# Of a large batch only so many images are decoded, drawn like the others: the decoder is most of a step's arithmetic.
DECODED_IMAGES = 128
BatchRows = Int64[Tensor, " batch"]
ReleasedBatch = Float[Tensor, "batch k"]
Loss = Float[Tensor, ""]
PerAttribute = Float[Tensor, " attribute"]


class JointLosses:
    """The losses of one training; a batch is given as indices of its train faces.

    `paired` marks the images of people with two or more images. All randomness comes from streams of the config's seed.
    """

    def __init__(
        self,
        config: TrainingConfig,
        networks: Networks,
        faces: DeviceFaces,
        paired: Bool[np.ndarray, " n"],
        memory_format: str,
    ) -> None:
        device = faces.inputs.device
        self.config = config
        self.networks = networks
        self.faces = faces
        self.memory_format = memory_format
        self.paired = torch.from_numpy(paired).to(device)
        self.identity = torch.from_numpy(faces.identity.astype(np.int64)).to(device)
        self.noise = stream(config.seed, "channel", "train", device=device)
        self.moves = stream(config.seed, "augmentation", device=device)
        self.beta_weights = torch.tensor(config.betas, device=device)

    def begin_joint(self) -> None:
        """Start the augmentation stream of joint training, which does not depend on where stage 1 was trained."""
        device = self.faces.inputs.device
        self.moves = stream(self.config.seed, "augmentation", "joint", device=device)

    def streams(self) -> dict[str, torch.Generator]:
        """Return the random generators by name; their states are part of the training state."""
        return {"noise": self.noise, "moves": self.moves}

    def autoencoder(self, images: BatchRows) -> Loss:
        """Return the reconstruction loss (Eq. 5) without a channel."""
        batch = self._inputs_at(images)
        return reconstruction_loss(self.networks.decoder(self.networks.encoder(batch)), batch)

    def heads(self, images: BatchRows, different: Bool[Tensor, " pair"]) -> tuple[Loss, PerAttribute]:
        """Return the matcher's and the adversaries' losses on the frozen encoder's g."""
        with torch.no_grad():
            g = self.networks.encoder(self._inputs_at(images))
        left, right = self.networks.matcher(g).chunk(2)
        return self._pair_loss(left, right, images, different), self._adversary_losses(g, images)

    def adversaries(self, images: BatchRows) -> PerAttribute:
        """Return the adversaries' losses on released representations of the frozen encoder."""
        with torch.no_grad():
            g = self.networks.encoder(self._inputs_at(images))
            released = training_channel(g, self.config.channel, self.noise)
        return self._adversary_losses(released, images)

    def joint(self, images: BatchRows, different: Bool[Tensor, " pair"]) -> tuple[Loss, Float[Tensor, "4"]]:
        """Return the scalar for the backward pass, and the losses to record: reconstruction, utility, adversary, total.

        The scalar's gradient is that of Eq. 8 for encoder and decoder, and that of their own loss for matcher and
        adversaries.
        """
        config, batch = self.config, self._inputs_at(images)
        released = training_channel(self.networks.encoder(batch), config.channel, self.noise)
        decoded = released[:DECODED_IMAGES]
        reconstruction = reconstruction_loss(self.networks.decoder(decoded), batch[:DECODED_IMAGES])
        towards_utility, utility = self._utility_terms(released, images, different)
        towards_privacy, adversaries, penalties = self._privacy_terms(released, images)
        objective = reconstruction + towards_utility + towards_privacy
        total = total_loss(reconstruction, utility, penalties, config.alpha, self.beta_weights)
        return objective, torch.stack([reconstruction, utility, adversaries.mean(), total]).detach()

    def _inputs_at(self, rows: BatchRows) -> Float[Tensor, "batch *shape"]:
        inputs = self.faces.inputs_at(rows, self.memory_format)
        are_images = inputs.ndim == 4
        return augmented(inputs, self.config.augmentation, self.moves) if are_images else inputs

    def _utility_terms(
        self, released: ReleasedBatch, images: BatchRows, different: Bool[Tensor, " pair"]
    ) -> tuple[Loss, Loss]:
        """Return the term of the backward pass for the utility and the in-loop matcher, and the utility's loss."""
        alpha, temperature = self.config.alpha, self.config.utility.temperature
        if temperature is None:
            left, right = self.networks.matcher(scaled_gradient(released, alpha)).chunk(2)
            matcher = self._pair_loss(left, right, images, different)
            return matcher, matcher
        utility = batch_contrastive_loss(released, self.identity[images], temperature)
        left, right = self.networks.matcher(released.detach()).chunk(2)
        # All partners show their anchor's person, so the next anchor's partner serves as another person's image.
        right = torch.where(different[:, None], right.roll(-1, 0), right)
        left_images, right_images = images.chunk(2)
        right_images = torch.where(different, right_images.roll(-1), right_images)
        compared = torch.cat([left_images, right_images])
        return self._pair_loss(left, right, compared, different) + alpha * utility, utility

    def _pair_loss(
        self,
        left: Float[Tensor, "pair dim"],
        right: Float[Tensor, "pair dim"],
        images: BatchRows,
        different: Bool[Tensor, " pair"],
    ) -> Loss:
        """Return Eq. 7 over the pairs that count.

        Pairs with an image of a person who has no other do not count, nor do `different` pairs that show one person.
        """
        one, other = images.chunk(2)
        strangers = self.identity[one] != self.identity[other]
        counted = self.paired[one] & self.paired[other] & (strangers == different)
        return contrastive_loss(left, right, different, counted, self.config.matcher.margin)

    def _privacy_terms(
        self, released: ReleasedBatch, images: BatchRows
    ) -> tuple[Loss, PerAttribute, PerAttribute]:
        """Return the backward pass's term for privacy and adversaries, the adversaries' losses, and the penalties."""
        if self.config.penalty != "adversary":
            adversaries = self._adversary_losses(released.detach(), images)
            penalties = self._penalties(released, images)
            return adversaries.sum() + self.beta_weights @ penalties, adversaries, penalties
        against = [scaled_gradient(released, -beta) for beta in self.config.betas]
        adversaries = torch.stack([self._adversary_loss(n, one, images) for n, one in enumerate(against)])
        return adversaries.sum(), adversaries, -adversaries

    def _adversary_losses(self, released: ReleasedBatch, images: BatchRows) -> PerAttribute:
        return torch.stack([self._adversary_loss(n, released, images) for n in range(len(self.config.betas))])

    def _adversary_loss(self, number: int, released: ReleasedBatch, images: BatchRows) -> Loss:
        log_odds = self.networks.adversaries[number](released)
        attribute = self.faces.attributes[images, number]
        return adversary_loss(log_odds, attribute, self.config.adversary.class_balanced)

    def _penalties(self, released: ReleasedBatch, images: BatchRows) -> PerAttribute:
        """Return the terms that β weighs in place of -L_Adv."""
        attributes = self.faces.attributes[images].unbind(1)
        return torch.stack([kernel_ridge_penalty(released, one) for one in attributes])
