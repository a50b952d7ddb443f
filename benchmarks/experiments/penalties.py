"""Compares adversaries, penalties and utilities with linear erasure plus noise at equal matching AUC.

Each design is trained once at equal budget and judged. It is compared with "the line", the
`erasure` baseline: the auto-encoder alone, trained for as many epochs, linear erasure, then noise of several
strengths. Each printed row states a design's attacker AUC, its matching AUC and its attacker AUC minus the
line's at that matching AUC, on validation and on test. An epoch leaves out the images that do not fill a
batch. Without arguments, a few designs are trained on drawn faces. docs/experiments/penalties.md has the
figures of

    python benchmarks/experiments/penalties.py --full --dataset folder:PATH
"""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the folder that holds `shared`

import numpy as np
import torch
from shared.recorded_runs import RecordedRuns, comparison_options

from aia_models.config import (
    AdversaryConfig,
    BudgetConfig,
    ChannelConfig,
    ComputeConfig,
    DecoderConfig,
    PenaltyConfig,
    TrainingConfig,
    UtilityConfig,
)
from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.data.splits import split_faces
from aia_models.judging.judge import JUDGE_VERSION, Judgement, judge
from aia_models.judging.released import release_faces
from aia_models.release.anonymizer import fit_anonymizer
from aia_models.training.allocator import keep_freed_memory
from aia_models.training.trainer import Trainer

NOISE_OF_THE_LINE = (0.01, 0.015, 0.02, 0.03, 0.045, 0.065, 0.1)
CONTRASTIVE = UtilityConfig("batch_contrastive", 0.2)
FULL_EPOCHS, SHORT_EPOCHS = 60, 12
AUTOENCODER_SHARE, HEADS_SHARE = 0.1, 0.05


@dataclass(frozen=True)
class Design:
    """One way to train: noise in the loop, α, β and what differs from the paper's own losses."""

    name: str
    noise_sd: float
    alpha: float
    beta: float
    changes: Mapping[str, Any] = field(default_factory=dict)

    def config(self, epochs: int, seed: int) -> TrainingConfig:
        """The training of this design over `epochs` epochs in all stages."""
        autoencoder, heads = round(epochs * AUTOENCODER_SHARE), round(epochs * HEADS_SHARE)
        plain = TrainingConfig(
            alpha=self.alpha,
            betas=(self.beta,),
            decoder=DecoderConfig((32, 16)),
            channel=ChannelConfig("noise", noise_sd=self.noise_sd, erasure=True),
            adversary=AdversaryConfig(("linear", "mlp")),
            budget=BudgetConfig(autoencoder, heads, epochs - autoencoder - heads),
            learning_rate=2e-3,
            seed=seed,
        )
        return replace(plain, **self.changes)


def large_batches(kind: str = "adversary", mirrored: bool = False, **changes: Any) -> dict[str, Any]:
    """Batches of 512 mirrored images under the contrastive utility, β ramped up, with one of the penalties."""
    common = {"utility": CONTRASTIVE, "batch_images": 512, "augmentation": "flip"}
    return {**common, "penalty": PenaltyConfig(kind, mirrored, "ramp"), **changes}  # type: ignore[arg-type]


def grid(
    name: str, noise: tuple[float, ...], alphas: tuple[float, ...], betas: tuple[float, ...], changes: dict
) -> list[Design]:
    """The designs over noise, α and β."""
    return [Design(name, sd, alpha, beta, changes) for sd in noise for alpha in alphas for beta in betas]


DEFAULTS = Design("-β L_Adv, pairs, batch 64 (the defaults)", 0.015, 0.4, 0.08)
SHIFTED = {"augmentation": "flip_shift"}
MIRRORED = large_batches("kernel_ridge", True) | SHIFTED
BATCH_1024 = {"batch_images": 1024}
SHORT = [
    DEFAULTS,
    *grid("contrastive utility alone", (0.05,), (0.3,), (0.0,), large_batches()),
    *grid("mirrored kernel ridge", (0.05,), (0.3,), (0.5,), MIRRORED),
]
RESTARTED = AdversaryConfig(("linear", "mlp"), restart_epochs=10)


def refitted(noise_sd: float) -> ChannelConfig:
    """Noise behind an eraser that training sees."""
    return ChannelConfig("noise", noise_sd=noise_sd, erasure=True, erasure_in_training=True)


FULL = [
    DEFAULTS,
    replace(DEFAULTS, name="the defaults, flipped", changes={"augmentation": "flip"}),
    *grid("contrastive utility alone", (0.015, 0.05, 0.1), (0.3,), (0.0,), large_batches()),
    *grid("contrastive utility alone, shifted", (0.03,), (0.3,), (0.0,), large_batches() | SHIFTED),
    *grid("contrastive utility alone, batch 64", (0.05,), (0.3,), (0.0,), large_batches(batch_images=64)),
    *grid("bottleneck of weight 0.01", (0.05,), (0.3,), (0.0,), large_batches(bottleneck=0.01)),
    *grid("bottleneck of weight 0.1", (0.05,), (0.3,), (0.0,), large_batches(bottleneck=0.1)),
    *grid("-β L_Adv", (0.015,), (0.3,), (0.1, 0.3, 1.0), large_batches() | SHIFTED),
    *grid("-β L_Adv", (0.05,), (1.0,), (0.3, 1.0), large_batches() | SHIFTED),
    *grid("-β L_Adv, batch 64", (0.05,), (0.3,), (0.1,), large_batches(batch_images=64)),
    *grid(
        "-β L_Adv, reversal schedule", (0.015,), (0.3,), (0.3,),
        large_batches(penalty=PenaltyConfig(schedule="reversal")) | SHIFTED,
    ),
    *grid(
        "-β L_Adv, adversaries restarted", (0.015,), (0.3,), (0.3,), large_batches(adversary=RESTARTED) | SHIFTED
    ),
    *grid(
        "-β L_Adv, erasure refitted", (0.015,), (0.3,), (0.3,), large_batches(channel=refitted(0.015)) | SHIFTED
    ),
    *grid("maximum entropy", (0.015,), (0.3,), (0.3, 1.0), large_batches("max_entropy") | SHIFTED),
    *grid("HSIC", (0.008,), (0.3,), (3.0, 10.0), large_batches("hsic") | SHIFTED),
    *grid("mirrored HSIC", (0.008,), (0.3,), (3.0, 10.0), large_batches("hsic", True) | SHIFTED),
    *grid(
        "mirrored HSIC, batch 1024", (0.004,), (0.3,), (3.0, 10.0), large_batches("hsic", True) | SHIFTED | BATCH_1024
    ),
    *grid("kernel ridge", (0.008,), (0.3,), (0.3, 1.0), large_batches("kernel_ridge") | SHIFTED),
    *grid(
        "kernel ridge, erasure refitted", (0.008,), (0.3,), (0.3,),
        large_batches("kernel_ridge", channel=refitted(0.008)) | SHIFTED,
    ),
    *grid(
        "kernel ridge, random features", (0.008,), (0.3,), (0.3,), large_batches("kernel_ridge_rff") | SHIFTED
    ),
    *grid("mirrored kernel ridge", (0.008,), (0.3,), (0.2, 0.3, 1.0), MIRRORED),
    *grid("mirrored kernel ridge", (0.03,), (0.3,), (0.3,), MIRRORED),
    *grid("mirrored kernel ridge", (0.008,), (1.0,), (1.0,), MIRRORED),
    *grid("mirrored kernel ridge, not shifted", (0.008,), (0.3,), (0.3,), MIRRORED | {"augmentation": "flip"}),
    *grid("mirrored kernel ridge, batch 64", (0.008,), (0.3,), (0.3,), MIRRORED | {"batch_images": 64}),
    *grid("mirrored kernel ridge, batch 256", (0.008,), (0.3,), (0.3,), MIRRORED | {"batch_images": 256}),
    *grid("mirrored kernel ridge, batch 1024", (0.002,), (0.3,), (0.25,), MIRRORED | BATCH_1024),
    *grid("mirrored kernel ridge, batch 1024", (0.004,), (0.3,), (0.2, 0.25, 0.3), MIRRORED | BATCH_1024),
    *grid("mirrored kernel ridge, batch 1024", (0.008, 0.015), (0.3,), (0.3,), MIRRORED | BATCH_1024),
    *grid("mirrored kernel ridge, batch 1024", (0.004,), (0.6,), (0.4,), MIRRORED | BATCH_1024),
    *grid("mirrored kernel ridge, batch 2048", (0.004,), (0.3,), (0.15, 0.25), MIRRORED | {"batch_images": 2048}),
    *grid("mirrored kernel ridge, pairs", (0.008,), (0.4,), (0.3,), MIRRORED | {"utility": UtilityConfig()}),
    *grid(
        "mirrored kernel ridge, erasure refitted", (0.008,), (0.3,), (0.3,), MIRRORED | {"channel": refitted(0.008)}
    ),
    *grid(
        "mirrored kernel ridge, random features", (0.008,), (0.3,), (0.3,),
        large_batches("kernel_ridge_rff", True) | SHIFTED,
    ),
    *grid(
        "mirrored kernel ridge, random features, batch 1024", (0.004,), (0.3,), (0.25, 0.35),
        large_batches("kernel_ridge_rff", True) | SHIFTED | BATCH_1024,
    ),
]  # fmt: skip


def trained(task: tuple[Design | None, int, int, str, int, Path]) -> list[dict[str, Any]]:
    """Figures of one design, or of the erasure line (None: a row for each noise)."""
    design, seed, split_seed, dataset, epochs, cache = task
    torch.set_num_threads(1)
    keep_freed_memory()
    prepared = prepare(dataset, image_side=32, attributes=("gender",), positive=None, cache=cache)
    faces = split_faces(open_prepared(prepared), ("gender",), split_seed)
    if design is None:
        config = Design("erasure", NOISE_OF_THE_LINE[0], 0.0, 0.0).config(epochs, seed)
        config = replace(config, budget=BudgetConfig(epochs, 0, 0))
        noises = NOISE_OF_THE_LINE
    else:
        config, noises = design.config(epochs, seed), (design.noise_sd,)
    started = time.perf_counter()
    trainer = Trainer(config, ComputeConfig(), faces)
    last = list(trainer.run())[-1]
    seconds = time.perf_counter() - started
    rows = []
    for noise_sd in noises:
        released_config = replace(config, channel=replace(config.channel, noise_sd=noise_sd))
        anonymizer = fit_anonymizer(trainer.networks, released_config, faces)
        judgement = judge(release_faces(anonymizer, faces, seed), anonymizer.encoder.map_shape, seed)
        row = {
            "design": design.name if design else "erasure",
            "noise_sd": noise_sd,
            "alpha": config.alpha,
            "beta": config.betas[0],
        }
        row |= {"seed": seed, "split_seed": split_seed, "in_loop": last.adversary_auc_validation}
        rows.append(row | {"train_seconds": seconds} | _figures(judgement))
    return rows


def _figures(judgement: Judgement) -> dict[str, Any]:
    figures = {}
    for split in ("validation", "test"):
        attack, match = judgement.strongest_attack(split), judgement.best_match(split)
        same_gender = judgement.best_same_gender_match(split)
        figures[split] = {
            "attacker": attack.attacker,
            "attacker_auc": attack.folded_auc,
            "matcher": match.matcher,
            "matching_auc": match.auc,
            "matching_auc_same_gender": same_gender and same_gender.auc,
        }
    return figures


def line_at(line: list[dict[str, Any]], split: str, matching: float) -> float:
    """Attacker AUC of the erasure line at a matching AUC, interpolated linearly; NaN outside of it."""
    points = sorted((row[split]["matching_auc"], row[split]["attacker_auc"]) for row in line)
    levels, attackers = zip(*points, strict=True)
    return float(np.interp(matching, levels, attackers, left=np.nan, right=np.nan))


def report(rows: list[dict[str, Any]]) -> None:
    """Prints each design's figures and its attacker AUC minus the line's at its own matching AUC."""
    line = [row for row in rows if row["design"] == "erasure"]
    for row in rows:
        cells = []
        for split in ("validation", "test"):
            found = row[split]
            above = found["attacker_auc"] - line_at(line, split, found["matching_auc"])
            cells.append(f"{found['attacker_auc']:.3f} | {found['matching_auc']:.3f} | {above:+.3f}")
        titles = f"{row['design']} | {row['noise_sd']:g} | {row['alpha']:g} | {row['beta']:g}"
        in_loop = "-" if row["in_loop"] is None else f"{row['in_loop']:.3f}"
        print(f"{titles} | {' | '.join(cells)} | {in_loop} | {row['train_seconds']:.0f}")


def main() -> None:
    """Command line."""
    options = comparison_options(__doc__, "penalties", "every design, 60 epochs")
    designs, epochs = (FULL, FULL_EPOCHS) if options.full else (SHORT, SHORT_EPOCHS)
    runs = RecordedRuns(options, epochs=epochs, judge_version=JUDGE_VERSION)
    done = {(row["design"], row["noise_sd"], row["alpha"], row["beta"]) for row in runs.rows}
    wanted = [d for d in designs if (d.name, d.noise_sd, d.alpha, d.beta) not in done]
    lines = [] if any(row["design"] == "erasure" for row in runs.rows) else [None]
    tasks = [(design, 0, 0, options.dataset, epochs, options.cache) for design in (*lines, *wanted)]
    runs.run(trained, tasks, lambda task: task[0].name if task[0] else "erasure")
    print(f"torch {torch.__version__}, {epochs} epochs, seed 0, split_seed 0")
    print("design | noise | α | β | validation attacker | matching | minus the line | test ... | in-loop | s")
    report(runs.rows)


if __name__ == "__main__":
    main()
