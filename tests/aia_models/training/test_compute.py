"""The device, number format and memory layout of a training."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from aia_models.config import BudgetConfig, ChannelConfig, ComputeConfig, TrainingConfig
from aia_models.training.trainer import Trainer
from tests.aia_models.random_faces import SMALL, random_faces

FACES = random_faces(people=6, images=4)
BUDGET = BudgetConfig(autoencoder_epochs=2, heads_epochs=1, joint_epochs=2)
LOSSES = ("reconstruction_loss", "matcher_loss", "adversary_loss", "total_loss")


def losses(config: TrainingConfig, compute: ComputeConfig) -> list[list[float]]:
    """Return the losses, a row per epoch, with 0 where the stage does not have the loss."""
    records = Trainer(config, compute, FACES).run()
    return [[getattr(record, name) or 0.0 for name in LOSSES] for record in records]


def test_memory_formats_agree() -> None:
    config = TrainingConfig(learning_rate=5e-5, batch_images=24, budget=BudgetConfig(1, 1, 5))
    expected = losses(config, ComputeConfig(memory_format="contiguous"))
    found = losses(config, ComputeConfig(memory_format="channels_last"))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("layout", ["channels_last", "contiguous"])
def test_memory_format_comes_from_the_compute_config(layout: Any) -> None:
    trainer = Trainer(SMALL, ComputeConfig(memory_format=layout), FACES)
    strides: list[tuple[int, ...]] = []
    trainer.networks.encoder.stem[1].convolutions[0].register_forward_hook(
        lambda _, given, out: strides.append(given[0].stride())
    )
    next(trainer.run())
    weight = trainer.networks.encoder.stem[1].convolutions[0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last) == (layout == "channels_last")
    # An image has 4 channels, 8 rows and 8 columns; its channels or its columns are adjacent in memory.
    assert strides[0] == ((256, 1, 32, 4) if layout == "channels_last" else (256, 64, 8, 1))


@pytest.mark.parametrize(("dtype", "expected"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_convolutions_run_in_the_given_type_and_losses_in_float32(dtype: Any, expected: torch.dtype) -> None:
    trainer = Trainer(SMALL, ComputeConfig(dtype=dtype), FACES)
    types: list[torch.dtype] = []
    for network in (trainer.networks.encoder.stem[0].convolutions[0], trainer.networks.decoder.blocks[0]):
        network.register_forward_hook(lambda _, given, out: types.append(out.dtype))
    record = next(trainer.run())
    assert set(types) == {expected}
    assert all(weight.dtype == torch.float32 for weight in trainer.networks.parameters())
    assert record.reconstruction_loss == pytest.approx(losses(SMALL, ComputeConfig())[0][0], rel=0.01)


def test_bfloat16_trains_through_all_stages() -> None:
    config = replace(SMALL, channel=ChannelConfig("noise", noise_sd=0.1), budget=BUDGET)
    found, expected = losses(config, ComputeConfig(dtype="bfloat16")), losses(config, ComputeConfig())
    np.testing.assert_allclose(found, expected, rtol=0.1, atol=0.05)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_trains_on_the_given_device(dtype: Any) -> None:
    """The device's noise differs from the CPU's, so only the stages without noise agree closely."""
    config = replace(
        SMALL,
        channel=ChannelConfig("noise", noise_sd=0.1),
        adversary=replace(SMALL.adversary, steps=2),
        budget=BUDGET,
    )
    compute = ComputeConfig(device="cuda", dtype=dtype)
    trainer = Trainer(config, compute, FACES)
    assert {weight.device.type for weight in trainer.networks.parameters()} == {"cuda"}
    found, expected = losses(config, compute), losses(config, ComputeConfig())
    np.testing.assert_allclose(found[:3], expected[:3], rtol=1e-2 if dtype == "float32" else 5e-2)
    np.testing.assert_allclose(found[3:], expected[3:], rtol=0.1, atol=0.05)
