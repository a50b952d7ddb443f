"""Compares compact codes on real faces with `fisher`, the closed form, at equal matching AUC.

Designs differ in α, β, penalty, size, channel and, on images, stem. Each is trained with fresh seeds on several
splits by identity, and judged. "The line" is the baseline `fisher` at several strengths on the same split: closed form,
no training. Each printed row holds the mean over a design's runs of attacker AUC, linked attacker AUC, matching AUC and
attacker AUC minus the line's at that matching AUC, on validation and on test, and the range of that difference. Where a
design matches better than all points of the line, or worse, the nearest point counts. A run that was interrupted
continues. Without arguments, two designs are trained briefly on
drawn faces. docs/experiments/codes.md has the figures of

    python benchmarks/experiments/codes.py --full --dataset templates:FILE
    python benchmarks/experiments/codes.py --full --dataset folder:PATH
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the folder that holds `shared`

import numpy as np
import torch
from shared.designs import CodeDesign, FisherDesign, noise
from shared.recorded_runs import RecordedRuns, comparison_options

from aia_models.config import (
    AdversaryConfig,
    ChannelConfig,
    CodeHead,
    ComputeConfig,
    ConvolutionalStem,
    EncoderConfig,
    LinearStem,
    TrainingConfig,
)
from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.data.splits import split_faces
from aia_models.judging.judge import JUDGE_VERSION, judge
from aia_models.judging.released import release_faces
from aia_models.release.anonymizer import fit_anonymizer
from aia_models.training.allocator import keep_freed_memory
from aia_models.training.trainer import Trainer

FULL_EPOCHS, SHORT_EPOCHS = 60, 6
LINE = [(components, noise_sd) for components in (10, 15, 25, 60) for noise_sd in (0.2, 0.4, 0.7)]
ALL_PLACES = [
    (seed, split) for seed in (0, 1, 2) for split in (0, 1, 2)
]  # fresh seeds on each of three splits
ONE_SEED = [(split, split) for split in (0, 1, 2)]


@dataclass(frozen=True)
class Named:
    """A design under the name of what it shows, and the seeds and splits with which it is trained."""

    name: str
    design: CodeDesign
    places: list[tuple[int, int]]


def named(name: str, alpha: float, beta: float, *, confirmed: bool = False, **changes: Any) -> Named:
    """Return a design; a `confirmed` one has three seeds on each of three splits, others one seed on each."""
    return Named(name, CodeDesign(alpha, beta, changes), ALL_PLACES if confirmed else ONE_SEED)


WORDS = ChannelConfig("codebook", noise_sd=0.4, codewords=256, codebooks=1, erasure=True)
ADVERSARIAL = {"penalty": "adversary", "adversary": AdversaryConfig(("linear", "mlp"), steps=10)}
OF_ALL_FACES = [
    named("kernel ridge", 1.0, 5.0, confirmed=True),
    named("no penalty", 1.0, 0.0),
    named("kernel ridge", 1.0, 1.0),
    named("kernel ridge", 1.0, 20.0),
    named("-L_Adv, 10 steps", 1.0, 10.0, **ADVERSARIAL),
    named("α 0.1", 0.1, 5.0),
    named(
        "64 values, noise 0.7",
        1.0,
        5.0,
        encoder=EncoderConfig(LinearStem(), CodeHead(k=64)),
        channel=noise(0.7),
    ),
    named("noise 0.8", 1.0, 5.0, channel=noise(0.8)),
    named("codebook of 256 words", 1.0, 5.0, channel=WORDS),
]
CONVOLUTIONS = EncoderConfig(
    ConvolutionalStem(channels=(24, 48, 96), convolutions=2, normalisation="batch", activation="silu"),
    CodeHead(k=48),
)
OF_IMAGES = [
    named("convolutions 24, 48, 96", 1.0, 10.0, encoder=CONVOLUTIONS, augmentation="flip_shift"),
]


def judged(task: tuple[str, TrainingConfig, int, str, Path]) -> list[dict[str, Any]]:
    """Train and judge one design with one seed on one split."""
    name, config, split_seed, dataset, cache = task
    torch.set_num_threads(1)
    keep_freed_memory()
    prepared = prepare(dataset, image_side=32, attributes=("gender",), positive=None, cache=cache)
    faces = split_faces(open_prepared(prepared), ("gender",), split_seed)
    started = time.perf_counter()
    trainer = Trainer(config, ComputeConfig(), faces)
    list(trainer.run())
    seconds = time.perf_counter() - started
    anonymizer = fit_anonymizer(trainer.networks, config, faces)
    found = judge(release_faces(anonymizer, faces, config.seed), anonymizer.encoder.map_shape, config.seed)
    row: dict[str, Any] = {"design": name, "beta": config.betas[0], "seed": config.seed, "split": split_seed}
    row["train_seconds"] = seconds
    for split in ("validation", "test"):
        attack, match = found.strongest_attack(split), found.best_match(split)
        linked = found.strongest_beside(split, "linked")
        row[split] = {
            "attacker": attack.attacker,
            "attacker_auc": attack.folded_auc,
            "linked_auc": linked.folded_auc if linked else float("nan"),
            "matcher": match.matcher,
            "matching_auc": match.auc,
        }
    return [row]


def line_at(line: list[dict[str, Any]], split: str, matching: float) -> float:
    """Return the line's least attacker AUC at a matching AUC: its front, interpolated linearly."""
    points = sorted((row[split]["matching_auc"], row[split]["attacker_auc"]) for row in line)
    levels = [level for level, _ in points]
    least = np.minimum.accumulate([auc for _, auc in points][::-1])[::-1]
    return float(np.interp(matching, levels, least))


def report(rows: list[dict[str, Any]]) -> None:
    """Print each design's means over its runs, and the differences to the line of the same split."""
    line = [row for row in rows if row["design"].startswith("fisher")]
    for name in dict.fromkeys(row["design"] for row in line):
        own = [row for row in line if row["design"] == name]
        print(f"{name} | {' | '.join(_means(own, split) for split in ('validation', 'test'))}")
    for name, beta in dict.fromkeys((row["design"], row["beta"]) for row in rows if row not in line):
        own = [row for row in rows if (row["design"], row["beta"]) == (name, beta)]
        cells = []
        for split in ("validation", "test"):
            above = np.array(
                [
                    row[split]["attacker_auc"]
                    - line_at(
                        [one for one in line if one["split"] == row["split"]],
                        split,
                        row[split]["matching_auc"],
                    )
                    for row in own
                ]
            )
            cells.append(
                f"{_means(own, split)}: {above.mean():+.3f} [{above.min():+.3f}, {above.max():+.3f}]"
            )
        seconds = np.mean([row["train_seconds"] for row in own])
        print(f"{name} | {beta:g} | {len(own)} | {' | '.join(cells)} | {seconds:.0f} s")


def _means(rows: list[dict[str, Any]], split: str) -> str:
    attacker, linked, matching = (
        np.mean([row[split][figure] for row in rows])
        for figure in ("attacker_auc", "linked_auc", "matching_auc")
    )
    return f"{attacker:.3f} ({linked:.3f} linked) at {matching:.3f}"


def main() -> None:
    """Command line."""
    options = comparison_options(__doc__, "codes", "every design, 60 joint epochs, three splits")
    runs = RecordedRuns(
        options, epochs=FULL_EPOCHS if options.full else SHORT_EPOCHS, judge_version=JUDGE_VERSION
    )
    done = {(row["design"], row["beta"], row["seed"], row["split"]) for row in runs.rows}
    tasks = [
        (name, config, split, options.dataset, options.cache)
        for name, config, split in _wanted(options.full, options.dataset)
        if (name, config.betas[0], config.seed, split) not in done
    ]
    runs.run(
        judged, tasks, lambda task: f"{task[0]}, β {task[1].betas[0]:g}, seed {task[1].seed}, split {task[2]}"
    )
    print(f"torch {torch.__version__}")
    print("design | β | runs | validation: attacker at matching: minus the line [range] | test | training")
    report(runs.rows)


def _wanted(full: bool, dataset: str) -> list[tuple[str, TrainingConfig, int]]:
    """Return the name, the training and the split of each run."""
    of_images = [] if dataset.startswith("templates:") else OF_IMAGES
    designs = [*OF_ALL_FACES, *of_images] if full else OF_ALL_FACES[:2]
    epochs = FULL_EPOCHS if full else SHORT_EPOCHS
    splits = (0, 1, 2) if full else (0,)
    line = [
        (f"fisher {components}, {noise_sd:g}", FisherDesign(components, noise_sd).config(0, 0), split)
        for split in splits
        for components, noise_sd in LINE
    ]
    return line + [
        (design.name, design.design.config(epochs, seed), split)
        for design in designs
        for seed, split in (design.places if full else [(0, 0)])
    ]


if __name__ == "__main__":
    main()
