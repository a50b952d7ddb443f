"""Compares penalties, utilities and what surrounds them on compact codes, with `fisher` at equal matching AUC.

Each design trains a code behind a linear stem at equal budget, with three seeds, and is judged. "The line" is the
baseline `fisher` at several strengths: closed form, no training. Each printed row holds the mean over the seeds of
a design's attacker AUC, matching AUC and attacker AUC minus the line's at that matching AUC, on validation and on
test, and the range of that difference. Where a design matches better than all points of the line, or worse, the
nearest point counts. Without arguments, a few designs are trained briefly on drawn faces.
docs/experiments/penalties.md has the figures of

    python benchmarks/experiments/penalties.py --full --dataset templates:FILE
    python benchmarks/experiments/penalties.py --full --dataset folder:PATH
"""

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the folder that holds `shared`

import numpy as np
import torch
from shared.designs import CodeDesign, FisherDesign, noise
from shared.recorded_runs import RecordedRuns, comparison_options

from aia_models.config import (
    AdversaryConfig,
    CodeHead,
    ComputeConfig,
    EncoderConfig,
    LinearStem,
    PenaltyConfig,
    TrainingConfig,
    UtilityConfig,
)
from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.data.splits import split_faces
from aia_models.judging.judge import JUDGE_VERSION, judge
from aia_models.judging.released import release_faces
from aia_models.release.anonymizer import fit_anonymizer
from aia_models.training.allocator import keep_freed_memory
from aia_models.training.trainer import Trainer

FULL_EPOCHS, SHORT_EPOCHS = 60, 6
SEEDS = (0, 1, 2)
LINE = [(components, noise_sd) for components in (10, 15, 25, 60) for noise_sd in (0.2, 0.4, 0.7, 1.1)]


@dataclass(frozen=True)
class Named:
    """A design under the name of what it shows."""

    name: str
    design: CodeDesign


def named(name: str, beta: float, **changes: Any) -> Named:
    """Return a code design with α 1."""
    return Named(name, CodeDesign(1.0, beta, changes))


def penalised(kind: str, *betas: float, mirrored: bool = False, **changes: Any) -> list[Named]:
    """Return designs of one penalty and several β."""
    name = f"{'mirrored ' if mirrored else ''}{kind}"
    penalty = PenaltyConfig(kind, mirrored, "ramp")  # type: ignore[arg-type]
    return [named(name, beta, penalty=penalty, **changes) for beta in betas]


SIGMOID = EncoderConfig(LinearStem(), CodeHead(length="sigmoid"))
LONGER = EncoderConfig(LinearStem(), CodeHead(k=64))
FULL = [
    named("no penalty", 0.0),
    *penalised("several_widths", 3.0, 10.0, 30.0),
    *penalised("adversary", 1.0, 10.0, adversary=AdversaryConfig(("linear", "mlp"), steps=3)),
    *penalised("max_entropy", 1.0, 10.0, adversary=AdversaryConfig(("linear", "mlp"), steps=3)),
    *penalised("kernel_ridge", 3.0, 10.0),
    *penalised("kernel_ridge", 10.0, mirrored=True),
    *penalised("kernel_ridge_rff", 10.0),
    *penalised("hsic", 10.0, 100.0),
    named("several_widths, constant β", 10.0, penalty=PenaltyConfig("several_widths")),
    named("several_widths, pairs (Eq. 7)", 10.0, utility=UtilityConfig()),
    named("several_widths, erasure in training", 10.0, channel=replace(noise(0.4), erasure_in_training=True)),
    named("several_widths, bottleneck 0.01", 10.0, bottleneck=0.01),
    named("several_widths, sigmoid", 10.0, encoder=SIGMOID, channel=noise(0.1)),
    named("several_widths, noise 0.7, k 64", 10.0, encoder=LONGER, channel=noise(0.7)),
    named("several_widths, learning rate constant", 10.0, learning_rate_schedule="constant"),
]
SHORT = [FULL[0], FULL[2]]


def judged(task: tuple[str, TrainingConfig, str, Path]) -> list[dict[str, Any]]:
    """Train and judge one design with one seed."""
    name, config, dataset, cache = task
    torch.set_num_threads(1)
    keep_freed_memory()
    prepared = prepare(dataset, image_side=32, attributes=("gender",), positive=None, cache=cache)
    faces = split_faces(open_prepared(prepared), ("gender",), 0)
    started = time.perf_counter()
    trainer = Trainer(config, ComputeConfig(), faces)
    last = list(trainer.run())[-1]
    seconds = time.perf_counter() - started
    anonymizer = fit_anonymizer(trainer.networks, config, faces)
    found = judge(release_faces(anonymizer, faces, config.seed), anonymizer.encoder.map_shape, config.seed)
    row: dict[str, Any] = {"design": name, "beta": config.betas[0], "seed": config.seed}
    row |= {"in_loop": last.adversary_auc_validation, "train_seconds": seconds}
    for split in ("validation", "test"):
        attack, match, linked = (
            found.strongest_attack(split),
            found.best_match(split),
            found.strongest_beside(split, "linked"),
        )
        row[split] = {
            "attacker": attack.attacker,
            "attacker_auc": attack.folded_auc,
            "linked_auc": linked and linked.folded_auc,
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
    """Print each design's means over its seeds, and the differences to the line."""
    line = [row for row in rows if row["design"].startswith("fisher")]
    names = dict.fromkeys((row["design"], row["beta"]) for row in rows if row not in line)
    for row in line:
        cells = [
            f"{row[split]['attacker_auc']:.3f} | {row[split]['matching_auc']:.3f}"
            for split in ("validation", "test")
        ]
        print(f"{row['design']} | {' | '.join(cells)}")
    for name, beta in names:
        own = [row for row in rows if (row["design"], row["beta"]) == (name, beta)]
        cells = []
        for split in ("validation", "test"):
            attacker, matching, linked = (
                np.array([row[split][figure] for row in own])
                for figure in ("attacker_auc", "matching_auc", "linked_auc")
            )
            above = attacker - [line_at(line, split, level) for level in matching]
            cells.append(
                f"{attacker.mean():.3f} ({linked.mean():.3f} linked) at {matching.mean():.3f}: "
                f"{above.mean():+.3f} [{above.min():+.3f}, {above.max():+.3f}]"
            )
        seconds = np.mean([row["train_seconds"] for row in own])
        print(f"{name} | {beta:g} | {' | '.join(cells)} | {seconds:.0f} s")


def main() -> None:
    """Command line."""
    options = comparison_options(__doc__, "penalties", "every design, 60 joint epochs, three seeds")
    designs, epochs, seeds = (FULL, FULL_EPOCHS, SEEDS) if options.full else (SHORT, SHORT_EPOCHS, SEEDS[:1])
    runs = RecordedRuns(options, epochs=epochs, judge_version=JUDGE_VERSION)
    done = {(row["design"], row["beta"], row["seed"]) for row in runs.rows}
    wanted = [
        (f"fisher {components}, {noise_sd:g}", FisherDesign(components, noise_sd).config(0, 0))
        for components, noise_sd in LINE
    ]
    wanted += [(design.name, design.design.config(epochs, seed)) for seed in seeds for design in designs]
    tasks = [
        (name, config, options.dataset, options.cache)
        for name, config in wanted
        if (name, config.betas[0], config.seed) not in done
    ]
    runs.run(judged, tasks, lambda task: f"{task[0]}, β {task[1].betas[0]:g}, seed {task[1].seed}")
    print(f"torch {torch.__version__}, {epochs} joint epochs, {len(seeds)} seeds, split_seed 0")
    print("design | β | validation: attacker at matching: minus the line [range of seeds] | test | training")
    report(runs.rows)


if __name__ == "__main__":
    main()
