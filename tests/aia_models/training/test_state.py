"""A training restored from a file, of stage 1 or of any epoch, continues bit by bit as the original does."""

from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError

from aia_models.config import (
    AdversaryConfig,
    BudgetConfig,
    ChannelConfig,
    ComputeConfig,
    TrainingConfig,
    UtilityConfig,
)
from aia_models.errors import CheckpointError
from aia_models.training.state import TrainingState, capture, load, restore, save
from aia_models.training.trainer import EpochRecord, Trainer
from tests.aia_models.random_faces import random_faces

FACES = random_faces(people=12, images=4, signal=40)
SMALL = TrainingConfig(
    alpha=1.0,
    betas=(1.0,),
    batch_images=16,
    budget=BudgetConfig(2, 2, 3),
    adversary=AdversaryConfig(members=("linear", "mlp", "cnn"), hidden=16, cnn_channels=(8, 16)),
)
LATER = {
    "another α and β": replace(SMALL, alpha=9.0, betas=(0.1,)),
    "noise and erasure": replace(SMALL, channel=ChannelConfig("noise", noise_sd=0.1, erasure=True)),
    "two adversary steps": replace(SMALL, adversary=replace(SMALL.adversary, steps=2)),
}

ANY_EPOCH = {
    "penalty": replace(SMALL, penalty="kernel_ridge"),
    "contrastive utility": replace(SMALL, utility=UtilityConfig(kind="batch_contrastive", temperature=0.2)),
    "augmented": replace(SMALL, augmentation="flip_shift"),
    "falling learning rate": replace(SMALL, learning_rate_schedule="cosine"),
}
CONFIGS = LATER | ANY_EPOCH


@cache
def stage1_of(config: TrainingConfig, compute: ComputeConfig = ComputeConfig()) -> TrainingState:
    trainer = Trainer(config, compute, FACES)
    return capture(trainer, list(trainer.run_stage1()))


def figures(records: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in asdict(r).items() if name != "seconds"} for r in records]


@cache
def in_one_go(
    config: TrainingConfig, compute: ComputeConfig = ComputeConfig()
) -> tuple[list[dict[str, Any]], dict[str, torch.Tensor]]:
    """Return the records and the final weights of an uninterrupted training."""
    trainer = Trainer(config, compute, FACES)
    return figures(trainer.run()), trainer.networks.state_dict()


@pytest.mark.parametrize("layout", ["channels_last", "contiguous"])
@pytest.mark.parametrize("name", LATER)
def test_joint_training_from_a_file_is_bit_equal_to_training_all_of_it(
    tmp_path: Path, name: str, layout: Any
):
    compute = ComputeConfig(memory_format=layout)
    path = tmp_path / "stage1.safetensors"
    save(stage1_of(SMALL, compute), path)
    shared = Trainer(LATER[name], compute, FACES)
    stage1 = load(path)
    restore(shared, stage1)
    records, weights = in_one_go(LATER[name], compute)
    assert figures([*stage1.records, *shared.run_joint()]) == records
    for key, value in weights.items():
        assert torch.equal(shared.networks.state_dict()[key], value), key


@pytest.mark.parametrize("augmentation", ["flip", "flip_shift"])
def test_augmentation_draws_the_same_after_either_way(augmentation: Any) -> None:
    config = replace(SMALL, augmentation=augmentation)
    shared = Trainer(config, ComputeConfig(), FACES)
    restore(shared, stage1_of(config))
    assert figures(shared.run_joint()) == in_one_go(config)[0][4:]


def test_a_stage_1_without_epochs_of_the_heads_crosses_too() -> None:
    config = replace(SMALL, budget=BudgetConfig(2, 0, 2))
    shared = Trainer(config, ComputeConfig(), FACES)
    restore(shared, stage1_of(config))
    assert figures(shared.run_joint()) == in_one_go(config)[0][2:]


def test_moments_lie_as_their_weights_do() -> None:
    trainer = Trainer(SMALL, ComputeConfig(memory_format="channels_last"), FACES)
    restore(trainer, stage1_of(SMALL))
    for optimiser in (trainer.adversary_optimiser, trainer.matcher_optimiser):
        for parameter, state in optimiser.state.items():
            assert state["exp_avg"].stride() == parameter.stride()
            assert state["exp_avg"].abs().sum() > 0


def test_what_was_captured_does_not_move_while_training_goes_on() -> None:
    trainer = Trainer(SMALL, ComputeConfig(), FACES)
    stage1 = capture(trainer, list(trainer.run_stage1()))
    before = {name: value.clone() for name, value in stage1.tensors.items()}
    list(trainer.run_joint())
    assert all(torch.equal(before[name], value) for name, value in stage1.tensors.items())


def test_a_stage_1_that_diverged_is_kept_with_its_reason(tmp_path: Path) -> None:
    record = EpochRecord(1, "autoencoder", None, None, None, None, None, None, 16, 0.1)
    path = tmp_path / "stage1.safetensors"
    save(TrainingState({}, (record,), "reconstruction_loss is nan in epoch 2 (autoencoder)"), path)
    assert load(path) == TrainingState({}, (record,), "reconstruction_loss is nan in epoch 2 (autoencoder)")


@pytest.mark.parametrize("content", [b"", b"no tensors", b"\x02\0\0\0\0\0\0\0{}"])
def test_a_damaged_file_is_told_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "stage1.safetensors"
    path.write_bytes(content)
    with pytest.raises(
        CheckpointError, match=r"stage1\.safetensors is damaged .*needs a file that training wrote"
    ):
        load(path)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_training_that_is_saved_and_restored_after_each_epoch_ends_bit_equal(
    tmp_path: Path, name: str
) -> None:
    """A new trainer takes over after every epoch, of stage 1 and of joint training alike."""
    records, weights = in_one_go(CONFIGS[name])
    trainer, done, path = (
        Trainer(CONFIGS[name], ComputeConfig(), FACES),
        [],
        tmp_path / "training.safetensors",
    )
    for epoch in range(1, 8):
        done.append(next(iter(trainer.run())))
        save(capture(trainer, done, notes="mine"), path)
        state = load(path)
        assert state.notes == "mine"
        trainer, done = Trainer(CONFIGS[name], ComputeConfig(), FACES), [*state.records]
        restore(trainer, state)
        assert figures(done) == records[:epoch]
    assert list(trainer.run()) == []
    for key, value in weights.items():
        assert torch.equal(trainer.networks.state_dict()[key], value), key


def test_a_disk_that_does_not_take_it_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise SafetensorError("Error while serializing: No space left on device (os error 28)")

    monkeypatch.setattr("aia_models.training.state.save_file", full)
    path = tmp_path / "training.safetensors"
    path.write_text("of before")
    with pytest.raises(OSError, match=r"training\.safetensors cannot be written: .*No space left"):
        save(stage1_of(SMALL), path)
    assert path.read_text() == "of before"
    assert [left.name for left in tmp_path.iterdir()] == [path.name]
