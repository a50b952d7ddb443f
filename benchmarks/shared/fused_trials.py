"""Trains several trials as one: their weights are stacked and stepped under `vmap`.

The trials differ in α, β, learning rate, seed and batches.
"""

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap

from aia_models.config import TrainingConfig
from aia_models.losses.losses import adversary_loss, contrastive_loss, reconstruction_loss
from aia_models.networks.networks import Networks

FIRST_DECAY, SECOND_DECAY, EPSILON = 0.9, 0.999, 1e-8  # Adam's, as PyTorch has them


class _JointLoss(nn.Module):
    """What one backward pass of the trainer's joint step starts from, without a release channel; every pair counts
    (the trainer leaves out people with one image)."""

    def __init__(self, config: TrainingConfig, image_side: int) -> None:
        super().__init__()
        self.config = config
        self.networks = Networks(config, (1, image_side, image_side))

    def forward(
        self, images: Tensor, attribute: Tensor, different: Tensor, alpha: Tensor, beta: Tensor
    ) -> tuple[Tensor, Tensor]:
        g = self.networks.encoder(images)
        reconstruction = reconstruction_loss(self.networks.decoder(g), images)
        left, right = self.networks.matcher(_scaled(g, alpha)).chunk(2)
        counted = torch.ones_like(different)
        matcher = contrastive_loss(left, right, different, counted, self.config.matcher.margin)
        log_odds = self.networks.adversaries[0](_scaled(g, -beta))
        adversary = adversary_loss(log_odds, attribute, self.config.adversary.class_balanced)
        return reconstruction + matcher + adversary, torch.stack(
            [reconstruction, matcher, adversary]
        ).detach()


def _scaled(values: Tensor, factor: Tensor) -> Tensor:
    """`scaled_gradient` in terms that `vmap` knows."""
    return factor * values + (values - factor * values).detach()


class FusedTrials:
    """Trainings of configs that differ in α, β, learning rate and seed alone."""

    def __init__(self, configs: Sequence[TrainingConfig], image_side: int, device: str) -> None:
        trials = [_JointLoss(config, image_side).to(device) for config in configs]
        stacked, _ = stack_module_state(trials)  # type: ignore[arg-type]
        self.weights = {name: weight.detach() for name, weight in stacked.items()}
        skeleton, constants = deepcopy(trials[0]).to("meta"), dict(trials[0].named_buffers())

        def loss(weights: dict[str, Tensor], *given: Tensor) -> tuple[Tensor, Tensor]:
            return functional_call(skeleton, {**weights, **constants}, given)

        self._gradients = vmap(grad(loss, has_aux=True))
        self._alpha, self._beta, self._rate = torch.tensor(
            [(config.alpha, config.betas[0], config.learning_rate) for config in configs], device=device
        ).T
        self._first, self._second = (
            {name: torch.zeros_like(weight) for name, weight in self.weights.items()} for _ in range(2)
        )
        self._steps = torch.zeros((), device=device)

    def step(self, images: Tensor, attribute: Tensor, different: Tensor) -> Tensor:
        """One joint step of every trial: `images` `[trial, batch, 1, side, side]`, `attribute` int8 `[trial, batch]`,
        `different` `[trial, batch / 2]`; losses (reconstruction, matcher, adversary) `[trial, 3]`."""
        gradients, losses = self._gradients(
            self.weights, images, attribute, different, self._alpha, self._beta
        )
        self._steps += 1
        for name, weight in self.weights.items():
            first, second = self._first[name], self._second[name]
            first.lerp_(gradients[name], 1 - FIRST_DECAY)
            second.mul_(SECOND_DECAY).addcmul_(gradients[name], gradients[name], value=1 - SECOND_DECAY)
            deviation = (second / (1 - SECOND_DECAY**self._steps)).sqrt_().add_(EPSILON)
            rate = self._rate.view(-1, *(1 for _ in weight.shape[1:])) / (1 - FIRST_DECAY**self._steps)
            weight.sub_(rate * first / deviation)
        return losses
