"""Loss curves of the first 20 joint steps, recorded so that no change alters the training unnoticed.

A change that is meant to move the losses records new curves and says so in its commit:

    OMP_NUM_THREADS=1 python -m tests.aia_models.training.golden_losses
"""

import json
from dataclasses import replace
from pathlib import Path

import torch

from aia_models.config import AdversaryConfig, BudgetConfig, ChannelConfig, ComputeConfig, TrainingConfig
from aia_models.training.trainer import Trainer
from tests.aia_models.random_faces import random_faces

GOLDEN = Path(__file__).with_name("joint_losses.json")
JOINT_STEPS = 20
# At this rate the rounding of other processors is negligible; at 1e-3 Adam amplifies it.
LEARNING_RATE = 5e-5
LOSSES = ("reconstruction_loss", "matcher_loss", "adversary_loss", "total_loss")

PAPER = TrainingConfig(learning_rate=LEARNING_RATE, batch_images=16, budget=BudgetConfig(1, 1, JOINT_STEPS))
CONFIGS = {
    "paper": PAPER,
    "noise, linear and MLP adversary": replace(
        PAPER,
        alpha=5.0,
        betas=(5.0,),
        channel=ChannelConfig("noise", noise_sd=0.1, erasure=True),
        adversary=AdversaryConfig(members=("linear", "mlp"), hidden=16),
        seed=1,
    ),
    "quantiser, two adversary steps": replace(
        PAPER,
        alpha=1.0,
        betas=(10.0,),
        channel=ChannelConfig("quantise", bits=12),
        adversary=AdversaryConfig(members=("mlp", "cnn"), hidden=16, cnn_channels=(8, 16), steps=2),
        seed=2,
    ),
}


def joint_losses(config: TrainingConfig, compute: ComputeConfig) -> dict[str, list[float]]:
    """Return each loss at each joint step; the faces fill one batch, so that a step is an epoch."""
    faces = random_faces(people=4, images=4, signal=40)
    assert len(faces.train) == config.batch_images
    records = [record for record in Trainer(config, compute, faces).run() if record.stage == "joint"]
    return {name: [getattr(record, name) for record in records] for name in LOSSES}


def record() -> None:
    """Write the curves of all configs."""
    torch.set_num_threads(1)
    curves = {name: joint_losses(config, ComputeConfig()) for name, config in CONFIGS.items()}
    rounded = {
        name: {loss: [float(f"{value:.7g}") for value in curve] for loss, curve in curves[name].items()}
        for name in curves
    }
    GOLDEN.write_text(json.dumps(rounded, indent=1) + "\n")


if __name__ == "__main__":
    record()
