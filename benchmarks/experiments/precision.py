"""Compares the final figures of trainings in bfloat16 and in float32 with the spread between seeds.

The networks are the paper's, trained on drawn faces at 32x32 with a short budget, once per seed in each type.

    python benchmarks/experiments/precision.py

On the RESULT line `largest_difference_in_seed_spreads` is the largest difference between the means of the two
types, in standard deviations of float32 over the seeds.
"""

import argparse
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the folder that holds `shared`

import torch
from shared.arguments import at_least
from shared.twins import synthetic_faces

from aia_models.config import BudgetConfig, ChannelConfig, ComputeConfig, TrainingConfig
from aia_models.data.splits import SplitFaces
from aia_models.judging.judge import judge
from aia_models.judging.released import release_faces
from aia_models.release.anonymizer import fit_anonymizer
from aia_models.training.allocator import keep_freed_memory
from aia_models.training.trainer import Trainer

DESIGN = TrainingConfig(
    alpha=0.4,
    betas=(0.08,),
    channel=ChannelConfig("noise", noise_sd=0.015, erasure=True),
    budget=BudgetConfig(4, 2, 12),
)


def figures(config: TrainingConfig, compute: ComputeConfig, faces: SplitFaces) -> dict[str, float]:
    """Final losses and judged figures of one training."""
    trainer = Trainer(config, compute, faces)
    last = list(trainer.run())[-1]
    anonymizer = fit_anonymizer(trainer.networks, config, faces)
    judgement = judge(release_faces(anonymizer, faces, 0), anonymizer.encoder.map_shape, 0)
    assert last.reconstruction_loss is not None
    assert last.adversary_loss is not None
    return {
        "reconstruction loss": last.reconstruction_loss,
        "adversary loss": last.adversary_loss,
        "attacker AUC": judgement.strongest_attack("validation").folded_auc,
        "matching AUC": judgement.best_match("validation").auc,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=at_least(2), default=5)
    parser.add_argument("--threads", type=at_least(1), default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as cache:
        faces = synthetic_faces(32, Path(cache))
    runs = {
        dtype: [
            figures(replace(DESIGN, seed=seed), ComputeConfig(dtype=dtype, threads=given.threads), faces)
            for seed in range(given.seeds)
        ]
        for dtype in ("float32", "bfloat16")
    }
    print(f"torch {torch.__version__}, {given.seeds} seeds: mean (standard deviation over seeds)")
    ratios = []
    for name in runs["float32"][0]:
        single, half = ([run[name] for run in runs[dtype]] for dtype in ("float32", "bfloat16"))
        spread = statistics.stdev(single)
        difference = statistics.mean(half) - statistics.mean(single)
        ratios.append(abs(difference) / spread)
        print(
            f"{name:20} float32 {statistics.mean(single):.4f} ({spread:.4f})  "
            f"bfloat16 {statistics.mean(half):.4f} ({statistics.stdev(half):.4f})  difference {difference:+.4f}"
        )
    print(f"RESULT largest_difference_in_seed_spreads={max(ratios):.2f}")


if __name__ == "__main__":
    main()
