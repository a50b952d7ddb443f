"""The losses of encoder, matcher and adversaries where the paper's own losses are replaced or weighted."""

import math
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from aia_models.config import (
    AdversaryConfig,
    BudgetConfig,
    ChannelConfig,
    ComputeConfig,
    TrainingConfig,
    UtilityConfig,
)
from aia_models.errors import ConfigError
from aia_models.losses.losses import (
    adversary_loss,
    batch_contrastive_loss,
    contrastive_loss,
    reconstruction_loss,
)
from aia_models.losses.penalties import kernel_ridge_penalty
from aia_models.networks.networks import Networks
from aia_models.random_streams import stream
from aia_models.release.channel import training_channel
from aia_models.training.batches import PairSampler
from aia_models.training.trainer import Trainer
from tests.aia_models.random_faces import SMALL, random_faces

FACES = random_faces(people=6, images=4)
TWO = replace(
    FACES,
    attributes=("gender", "other"),
    **{
        split: replace(
            part, attributes={**part.attributes, "other": (part.identity % 3 == 0).astype(np.int8)}
        )
        for split, part in vars(FACES).items()
        if split in ("train", "attack", "validation", "test")
    },
)
NOISE = ChannelConfig("noise", noise_sd=0.1)
BATCH = replace(SMALL, batch_images=24, channel=NOISE, alpha=0.7, betas=(0.6,))
CONTRASTIVE = UtilityConfig("batch_contrastive", 0.2)


class Step:
    """One joint step, and the same losses computed by hand from the weights before the step."""

    def __init__(self, config: TrainingConfig, faces: Any = FACES) -> None:
        self.config = config
        self.trainer = Trainer(config, ComputeConfig(), faces)
        self.before = deepcopy(self.trainer.networks)
        sampler, rng = PairSampler(faces.train.identity), np.random.default_rng(0)
        epoch = sampler.people_epoch if config.utility.kind == "batch_contrastive" else sampler.epoch
        drawn = epoch(config.batch_images, rng)
        self.rows = torch.from_numpy(drawn.images[0])
        self.different = torch.from_numpy(drawn.different[0])
        self.attributes = torch.from_numpy(faces.train.attribute_columns(faces.attributes))[self.rows]
        self.pixels = torch.from_numpy(faces.train.inputs).float()[self.rows] / 255
        g = self.before.encoder(self.pixels)
        self.released = training_channel(g, config.channel, stream(config.seed, "channel", "train"))
        self.shown = self.trainer.joint_step(self.rows, self.different)

    @property
    def reconstruction(self) -> torch.Tensor:
        return reconstruction_loss(self.before.decoder(self.released), self.pixels)

    @property
    def pairs(self) -> torch.Tensor:
        left, right = self.before.matcher(self.released).chunk(2)
        every = torch.ones_like(self.different)
        return contrastive_loss(left, right, self.different, every, self.config.matcher.margin)

    def adversary(self, number: int) -> torch.Tensor:
        log_odds = self.before.adversaries[number](self.released)
        return adversary_loss(log_odds, self.attributes[:, number], class_balanced=True)

    def assert_gradients(self, network: str, loss: torch.Tensor, number: int = 0) -> None:
        now, twin = (_network(networks, network, number) for networks in (self.trainer.networks, self.before))
        expected = torch.autograd.grad(loss, list(twin.parameters()), retain_graph=True)
        assert sum(gradient.abs().sum() for gradient in expected) > 0
        for parameter, gradient in zip(now.parameters(), expected, strict=True):
            torch.testing.assert_close(parameter.grad, gradient, rtol=2e-3, atol=1e-6)


def _network(networks: Networks, name: str, number: int) -> nn.Module:
    return networks.adversaries[number] if name == "adversary" else getattr(networks, name)


def test_each_private_attribute_has_an_adversary_and_a_weight_of_its_own() -> None:
    step = Step(replace(BATCH, betas=(0.6, 0.25)), TWO)
    total = step.reconstruction + 0.7 * step.pairs - 0.6 * step.adversary(0) - 0.25 * step.adversary(1)
    step.assert_gradients("encoder", total)
    for number in (0, 1):
        step.assert_gradients("adversary", step.adversary(number), number)
    mean = (step.adversary(0) + step.adversary(1)) / 2
    expected = torch.stack([step.reconstruction, step.pairs, mean, total]).detach()
    torch.testing.assert_close(step.shown, expected, rtol=1e-4, atol=1e-6)


def test_the_first_attributes_training_starts_from_the_same_weights_beside_a_second() -> None:
    one, two = Networks(BATCH, (1, 16, 16)), Networks(replace(BATCH, betas=(0.6, 0.1)), (1, 16, 16))
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, two.state_dict()[name])
    first, second = (nn.utils.parameters_to_vector(a.parameters()) for a in two.adversaries)
    assert not torch.equal(first, second)


def test_every_attribute_needs_a_beta() -> None:
    with pytest.raises(ConfigError, match="1 values of β for the attributes gender, other: expected one for"):
        Trainer(BATCH, ComputeConfig(), TWO)


def test_two_attributes_are_trained_to_the_end_and_the_worse_is_shown() -> None:
    config = replace(BATCH, betas=(0.6, 0.25), batch_images=8)
    last = list(Trainer(config, ComputeConfig(), TWO).run())[-1]
    assert last.adversary_auc_validation is not None
    assert last.adversary_auc_validation >= 0.5


def test_kernel_penalty_in_place_of_the_adversary() -> None:
    step = Step(replace(BATCH, penalty="kernel_ridge"))
    penalty = kernel_ridge_penalty(step.released, step.attributes[:, 0])
    assert penalty > 0
    total = step.reconstruction + 0.7 * step.pairs + 0.6 * penalty
    step.assert_gradients("encoder", total)
    step.assert_gradients("adversary", step.adversary(0))
    assert step.shown[3].item() == pytest.approx(total.item(), rel=1e-4)


def test_contrastive_utility_moves_the_encoder_and_eq_7_the_matcher() -> None:
    step = Step(replace(BATCH, utility=CONTRASTIVE))
    identity = torch.from_numpy(FACES.train.identity).long()
    utility = batch_contrastive_loss(step.released, identity[step.rows], 0.2)
    step.assert_gradients("encoder", step.reconstruction + 0.7 * utility - 0.6 * step.adversary(0))
    assert step.shown[1].item() == pytest.approx(utility.item(), rel=1e-4)
    anchors, partners = step.rows.chunk(2)
    assert torch.equal(identity[anchors], identity[partners]), "two images of each person"
    assert not torch.equal(anchors, partners)
    left, right = step.before.matcher(step.released.detach()).chunk(2)
    pairs, counted = [], []
    for place, apart in enumerate(step.different):
        other = (place + 1) % len(anchors) if apart else place
        pairs.append(right[other])
        counted.append(bool((identity[anchors[place]] != identity[partners[other]]) == apart))
    assert any(counted)
    loss = contrastive_loss(left, torch.stack(pairs), step.different, torch.tensor(counted), 1.0)
    step.assert_gradients("matcher", loss)


BUDGET = BudgetConfig(autoencoder_epochs=1, heads_epochs=1, joint_epochs=4)


def test_the_anonymizers_learning_rate_alone_falls() -> None:
    config = replace(BATCH, budget=BUDGET, learning_rate_schedule="cosine")
    trainer = Trainer(config, ComputeConfig(), FACES)
    rates = [
        [one.param_groups[0]["lr"] for one in (trainer.anonymizer_optimiser, trainer.adversary_optimiser)]
        for record in trainer.run()
        if record.stage == "joint"
    ]
    shares = [(1 + math.cos(math.pi * progress)) / 2 for progress in (0.125, 0.375, 0.625, 0.875)]
    assert [anonymizer for anonymizer, _ in rates] == pytest.approx(
        [config.learning_rate * s for s in shares]
    )
    assert {adversary for _, adversary in rates} == {config.learning_rate}


@pytest.mark.parametrize(
    "changes",
    [
        {"utility": CONTRASTIVE},
        {"channel": ChannelConfig("noise", noise_sd=0.1, erasure=True)},
        {"adversary": AdversaryConfig(("linear",), steps=3)},
        {"penalty": "kernel_ridge"},
    ],
)
def test_stage_1_does_not_depend_on_what_stage_2_does(changes: dict[str, Any]) -> None:
    """Trials that differ in these settings only share stage 1."""
    budget = replace(BUDGET, joint_epochs=0)
    adversary = AdversaryConfig(("linear",))
    plain = Trainer(replace(BATCH, budget=budget, adversary=adversary), ComputeConfig(), FACES)
    other = Trainer(
        replace(BATCH, **{"budget": budget, "adversary": adversary, **changes}), ComputeConfig(), FACES
    )
    for trainer in (plain, other):
        list(trainer.run())
    for name, weight in plain.networks.state_dict().items():
        assert torch.equal(weight, other.networks.state_dict()[name]), name
