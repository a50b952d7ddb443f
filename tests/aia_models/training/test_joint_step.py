"""One step of stage 2: the gradients of each network, and the parameters at which they are taken."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from aia_models.config import ChannelConfig, ComputeConfig, TrainingConfig
from aia_models.losses.losses import adversary_loss, contrastive_loss, reconstruction_loss, total_loss
from aia_models.release.channel import training_channel
from aia_models.training.batches import PairSampler
from aia_models.training.trainer import Trainer
from tests.aia_models.random_faces import SMALL, random_faces, with_unknown

FACES = random_faces(people=6, images=4)
FACES = replace(FACES, train=with_unknown(FACES.train, np.arange(24) % 5 == 0))
CHANNELS = {
    "none": ChannelConfig(),
    "noise": ChannelConfig("noise", noise_sd=0.1, erasure=True),
    "quantise": ChannelConfig("quantise", bits=2),
}


def batch(trainer: Trainer) -> tuple[torch.Tensor, torch.Tensor]:
    drawn = PairSampler(FACES.train.identity).epoch(trainer.config.batch_images, np.random.default_rng(0))
    return torch.from_numpy(drawn.images[0]), torch.from_numpy(drawn.different[0])


def losses_by_hand(
    trainer: Trainer, networks: Any, images: torch.Tensor, different: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the reconstruction, matcher and adversary loss of section 4.3 without the trainer's step."""
    config, noise = trainer.config, torch.Generator()
    noise.set_state(trainer.objective.noise.get_state())
    pixels = torch.from_numpy(FACES.train.inputs).float()[images] / 255
    released = training_channel(networks.encoder(pixels), config.channel, noise)
    left, right = networks.matcher(released).chunk(2)
    attribute = torch.from_numpy(FACES.train.attributes["gender"])[images]
    return (
        reconstruction_loss(networks.decoder(released), pixels),
        contrastive_loss(left, right, different, torch.ones_like(different), config.matcher.margin),
        adversary_loss(networks.adversaries[0](released), attribute, config.adversary.class_balanced),
    )


def assert_gradients(network: nn.Module, twin: nn.Module, loss: torch.Tensor) -> None:
    """Assert that the step left in `network` the gradients of `loss` at the parameters of `twin`."""
    expected = torch.autograd.grad(loss, list(twin.parameters()), retain_graph=True)
    assert sum(gradient.abs().sum() for gradient in expected) > 0
    for parameter, gradient in zip(network.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(("alpha", "beta"), [(0.5, 0.5), (0.0, 2.0), (3.0, 0.0)])
def test_one_backward_gives_each_network_the_gradient_of_its_own_loss(
    channel: str, alpha: float, beta: float
) -> None:
    trainer = Trainer(
        replace(SMALL, alpha=alpha, betas=(beta,), channel=CHANNELS[channel]), ComputeConfig(), FACES
    )
    images, different = batch(trainer)
    before = deepcopy(trainer.networks)
    losses = losses_by_hand(trainer, before, images, different)
    total = total_loss(losses[0], losses[1], -losses[2][None], alpha, torch.tensor([beta]))
    shown = trainer.joint_step(images, different)
    torch.testing.assert_close(shown, torch.stack([*losses, total]).detach(), rtol=1e-4, atol=1e-6)
    now = trainer.networks
    assert_gradients(now.encoder, before.encoder, total)
    assert_gradients(now.decoder, before.decoder, total)
    assert_gradients(now.matcher, before.matcher, losses[1])
    assert_gradients(now.adversaries, before.adversaries, losses[2])
    for name in ("encoder", "decoder", "matcher", "adversaries"):
        assert not torch.equal(vector(getattr(now, name)), vector(getattr(before, name))), f"{name} learns"


def vector(network: nn.Module) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in network.parameters()])


def adam_steps(optimiser: torch.optim.Optimizer) -> set[int]:
    return {int(state["step"]) for state in optimiser.state.values()}


def test_adversary_steps_train_the_adversary_alone_on_batches_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = replace(
        SMALL, adversary=replace(SMALL.adversary, steps=3), budget=replace(SMALL.budget, heads_epochs=0)
    )
    trainer = Trainer(config, ComputeConfig(), FACES)
    seen: list[tuple[list[int], torch.Tensor]] = []
    original = trainer.objective._adversary_loss

    def watched(number: int, released: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        seen.append((images.tolist(), vector(trainer.networks.encoder)))
        return original(number, released, images)

    monkeypatch.setattr(trainer.objective, "_adversary_loss", watched)
    list(trainer.run())
    joint_steps = len(FACES.train) // config.batch_images
    assert len(seen) == 3 * joint_steps
    assert adam_steps(trainer.adversary_optimiser) == {3 * joint_steps}
    assert adam_steps(trainer.matcher_optimiser) == {joint_steps}
    assert adam_steps(trainer.anonymizer_optimiser) == {joint_steps}
    assert len({tuple(images) for images, _ in seen}) == len(seen), "each on a batch of its own"
    assert {len(images) for images, _ in seen} == {config.batch_images}
    for first in range(0, len(seen), 3):
        encoders = [encoder for _, encoder in seen[first : first + 3]]
        assert all(torch.equal(encoders[0], encoder) for encoder in encoders), "the encoder waits"


def test_heads_leave_the_auto_encoder_alone_and_see_no_channel() -> None:
    trainers = [
        Trainer(replace(SMALL, channel=channel), ComputeConfig(), FACES) for channel in CHANNELS.values()
    ]
    learnt = []
    for trainer in trainers:
        before = vector(trainer.networks.encoder), vector(trainer.networks.decoder)
        trainer.heads_step(*batch(trainer))
        assert torch.equal(vector(trainer.networks.encoder), before[0])
        assert torch.equal(vector(trainer.networks.decoder), before[1])
        learnt.append(torch.cat([vector(trainer.networks.adversaries[0]), vector(trainer.networks.matcher)]))
    assert all(torch.equal(learnt[0], other) for other in learnt)


def test_auto_encoder_step_trains_nothing_else() -> None:
    trainer = Trainer(SMALL, ComputeConfig(), FACES)
    before = deepcopy(trainer.networks)
    trainer.autoencoder_step(batch(trainer)[0])
    changed = {
        name: not torch.equal(vector(getattr(trainer.networks, name)), vector(getattr(before, name)))
        for name in ("encoder", "decoder", "adversaries", "matcher")
    }
    assert changed == {"encoder": True, "decoder": True, "adversaries": False, "matcher": False}


def test_gradients_do_not_depend_on_alpha_and_beta_behind_the_encoder() -> None:
    """Adversary and matcher learn from the plain gradient of their own loss, even where alpha and beta are 0."""

    def behind(config: TrainingConfig) -> torch.Tensor:
        trainer = Trainer(config, ComputeConfig(), FACES)
        trainer.joint_step(*batch(trainer))
        return torch.cat([vector(trainer.networks.adversaries[0]), vector(trainer.networks.matcher)])

    without = behind(replace(SMALL, alpha=0.0, betas=(0.0,)))
    assert torch.equal(without, behind(replace(SMALL, alpha=7.0, betas=(30.0,))))


def test_people_with_one_image_train_but_not_in_pairs() -> None:
    identity = FACES.train.identity.copy()
    # Four people have one image.
    identity[:4] = [0, 6, 7, 8]
    names = tuple(f"person-{person}" for person in range(9))
    train = replace(FACES.train, identity=identity, identity_names=names)
    trainer = Trainer(SMALL, ComputeConfig(), replace(FACES, train=train))
    networks = deepcopy(trainer.networks)
    # Of the pairs (0, 5), (4, 1), (8, 9) and (12, 16) only two count.
    images = torch.tensor([0, 4, 8, 12, 5, 1, 9, 16])
    different = torch.tensor([True, True, False, True])
    _, found, _, _ = trainer.joint_step(images, different)
    g = networks.encoder(torch.from_numpy(train.inputs).float()[images] / 255)
    left, right = networks.matcher(g).chunk(2)
    counted = torch.tensor([False, False, True, True])
    expected = contrastive_loss(left, right, different, counted, SMALL.matcher.margin)
    torch.testing.assert_close(found, expected.detach(), rtol=1e-4, atol=1e-6)
