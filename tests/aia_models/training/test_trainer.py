"""Two-stage training: its records, its stages, its random streams and its errors."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch

from aia_models.config import AdversaryConfig, BudgetConfig, ChannelConfig, ComputeConfig, TrainingConfig
from aia_models.data.splits import SplitFaces
from aia_models.errors import DivergedError
from aia_models.training.trainer import EpochRecord, Trainer
from aia_models.training.validation import in_loop_figures
from tests.aia_models.random_faces import SMALL, random_faces, with_unknown

FACES = random_faces(people=6, images=4)
BUDGET = BudgetConfig(autoencoder_epochs=2, heads_epochs=1, joint_epochs=2)
LOSSES = ("reconstruction_loss", "matcher_loss", "adversary_loss", "total_loss")


def run(config: TrainingConfig, faces: SplitFaces = FACES) -> list[EpochRecord]:
    return list(Trainer(config, ComputeConfig(), faces).run())


def figure(record: EpochRecord, name: str) -> float:
    value = getattr(record, name)
    assert value is not None
    return value


def curve(records: list[EpochRecord]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in asdict(record).items() if name != "seconds"} for record in records
    ]


def test_records() -> None:
    records = run(replace(SMALL, budget=BUDGET))
    assert [record.epoch for record in records] == [1, 2, 3, 4, 5]
    assert [record.stage for record in records] == ["autoencoder", "autoencoder", "heads", "joint", "joint"]
    # 24 train images in batches of 8 make three steps per epoch.
    assert [record.train_images_seen for record in records] == [24, 48, 72, 96, 120]
    assert all(record.seconds > 0 for record in records)
    present = {
        "autoencoder": {"reconstruction_loss"},
        "heads": {"matcher_loss", "adversary_loss", "adversary_auc_validation", "matcher_auc_validation"},
        "joint": {*LOSSES, "adversary_auc_validation", "matcher_auc_validation"},
    }
    for record in records:
        figures = (*LOSSES, "adversary_auc_validation", "matcher_auc_validation")
        assert {name for name in figures if getattr(record, name) is not None} == present[record.stage]


def test_in_loop_figures_are_of_what_training_sees() -> None:
    config = replace(SMALL, channel=ChannelConfig("noise", noise_sd=0.05), budget=BUDGET)
    trainer = Trainer(config, ComputeConfig(), random_faces(people=12, images=4, signal=60))
    *_, last = trainer.run()
    judged = (trainer.networks, config, trainer.validation_faces, trainer.validation_pairs)
    found = (last.adversary_auc_validation, last.matcher_auc_validation)
    assert found == pytest.approx(in_loop_figures(*judged, with_channel=True))
    assert found != pytest.approx(in_loop_figures(*judged, with_channel=False), abs=1e-3)


def test_images_that_fill_no_batch_are_not_counted_as_seen() -> None:
    records = run(replace(SMALL, batch_images=10))
    assert [record.train_images_seen for record in records] == [20, 40, 60]


def test_total_is_equation_8_of_the_shown_losses() -> None:
    config = replace(SMALL, alpha=2.0, betas=(3.0,), budget=BUDGET)
    for record in run(config)[3:]:
        reconstruction, matcher, adversary, total = (getattr(record, name) for name in LOSSES)
        assert total == pytest.approx(reconstruction + 2 * matcher - 3 * adversary, rel=1e-4)


def test_records_come_as_the_epochs_end() -> None:
    trainer = Trainer(SMALL, ComputeConfig(), FACES)
    running = trainer.run()
    assert next(running).stage == "autoencoder"
    adversary = trainer.networks.adversaries[0].state_dict()
    before = {name: value.clone() for name, value in adversary.items()}
    assert all(torch.equal(before[name], value) for name, value in adversary.items())
    assert next(running).stage == "heads"
    assert not all(torch.equal(before[name], value) for name, value in adversary.items())


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"channel": ChannelConfig("noise", noise_sd=0.1)},
        {"adversary": replace(SMALL.adversary, steps=2)},
    ],
)
def test_same_seed_same_curve_and_other_seed_another(change: dict[str, Any]) -> None:
    config = replace(SMALL, **change)
    first = curve(run(config))
    # Global generators do not affect the training.
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002
    assert curve(run(config)) == first
    other = curve(run(replace(config, seed=1)))
    for ours, theirs in zip(first, other, strict=True):
        assert [ours[name] for name in LOSSES] != [theirs[name] for name in LOSSES]


@pytest.mark.parametrize(
    "change",
    [
        {"alpha": 5.0},
        {"betas": (9.0,)},
        {"channel": ChannelConfig("noise", noise_sd=0.3)},
        {"channel": ChannelConfig("quantise", bits=1)},
        {"adversary": replace(SMALL.adversary, steps=3)},
    ],
)
def test_stage_1_does_not_depend_on_stage_2(change: dict[str, Any]) -> None:
    """Trials that differ in these settings only can share stage 1."""
    config = replace(SMALL, budget=BUDGET)
    ours, theirs = curve(run(config)), curve(run(replace(config, **change)))
    assert ours[:3] == theirs[:3]
    assert ours[3:] != theirs[3:]


def test_longer_training_begins_like_a_shorter_one() -> None:
    longer = replace(SMALL, budget=replace(SMALL.budget, joint_epochs=3))
    assert curve(run(longer))[:3] == curve(run(SMALL))


def test_without_stage_2_the_matcher_and_adversary_are_judged_after_stage_1() -> None:
    records = run(replace(SMALL, budget=BudgetConfig(1, 1, 0)))
    assert [record.stage for record in records] == ["autoencoder", "heads"]
    assert records[-1].adversary_auc_validation is not None


def test_adversary_learns_an_easy_attribute() -> None:
    faces = random_faces(people=16, images=4, signal=60)
    config = replace(
        SMALL,
        adversary=AdversaryConfig(("linear", "mlp", "cnn"), hidden=16, cnn_channels=(8, 8)),
        budget=BudgetConfig(2, 10, 0),
    )
    records = run(config, faces=faces)
    assert figure(records[2], "adversary_loss") > figure(records[-1], "adversary_loss")
    assert figure(records[-1], "adversary_auc_validation") > 0.9


def test_matcher_learns_people() -> None:
    faces = random_faces(people=20, images=4)
    first, *_, last = run(replace(SMALL, batch_images=16, budget=BudgetConfig(1, 15, 0)), faces=faces)[1:]
    assert figure(last, "matcher_loss") < figure(first, "matcher_loss")
    assert figure(last, "matcher_auc_validation") > 0.8


def test_beta_drives_the_adversarys_loss_up() -> None:
    faces = random_faces(people=16, images=4, signal=60)
    config = replace(SMALL, alpha=0.0, budget=BudgetConfig(2, 5, 8))
    lenient, strict = (run(replace(config, betas=(beta,)), faces=faces)[-1] for beta in (0.0, 30.0))
    assert figure(strict, "adversary_loss") > figure(lenient, "adversary_loss") + 0.1


def test_unknown_attributes_have_no_part_in_training_and_validation() -> None:
    unknown = np.arange(24) % 6 < 2
    faces = replace(
        FACES,
        train=with_unknown(FACES.train, unknown),
        validation=with_unknown(FACES.validation, unknown),
    )
    assert curve(run(SMALL, faces=faces)) != curve(run(SMALL))
    everybody = replace(FACES, train=with_unknown(FACES.train, np.ones(24, dtype=bool)))
    assert run(SMALL, faces=everybody)[-1].adversary_loss == 0


@pytest.mark.parametrize(
    ("poison", "message"),
    [
        ("decoder", r"reconstruction_loss is nan in epoch 1 \(autoencoder\)"),
        ("matcher", r"matcher_loss is nan in epoch 2 \(heads\)"),
        ("adversaries", r"adversary_loss is nan in epoch 2 \(heads\)"),
    ],
)
def test_nan_ends_the_training_at_its_epoch(poison: str, message: str) -> None:
    trainer = Trainer(SMALL, ComputeConfig(), FACES)
    running = trainer.run()
    if poison != "decoder":
        next(running)
    with torch.no_grad():
        next(getattr(trainer.networks, poison).parameters()).fill_(torch.nan)
    with pytest.raises(DivergedError, match=f"^{message}$"):
        next(running)


def test_nan_weights_after_the_last_step_end_the_training() -> None:
    """All losses are finite until then; a training must end before such weights are judged."""
    trainer = Trainer(replace(SMALL, batch_images=24), ComputeConfig(), FACES)
    running = trainer.run()
    bias = trainer.networks.decoder.last.bias
    assert bias is not None
    bias.register_hook(lambda gradient: gradient * torch.inf)
    with pytest.raises(
        DivergedError, match=r"^decoder\.last\.bias is NaN or infinite after epoch 1 \(autoen"
    ):
        next(running)


def test_huge_learning_rate_diverges() -> None:
    with pytest.raises(DivergedError):
        run(replace(SMALL, learning_rate=1e30, budget=replace(SMALL.budget, joint_epochs=3)))
