"""Compares the best two designs of penalties.py with linear erasure plus noise: does training win?

Both are judged, over several seeds and re-splits of the identities. For each split and seed, the
`erasure` baseline is trained once and released with the two strengths of noise whose matching AUC lies around
a design's. Its attacker AUC at the design's own matching AUC is interpolated
between these two. People keep one number over all splits, so that the Poisson bootstrap resamples the same
people everywhere: the difference is paired, and both matching and attackers are resampled. Each POOLED line
states a design's attacker AUC minus that of erasure plus noise (the line): the mean over runs, its 95 %
interval over people and the range of the runs. An interrupted run continues from its output file.
docs/experiments/closed_form.md has the figures of

    python benchmarks/experiments/closed_form.py --full --dataset folder:PATH
"""

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the folder that holds `shared`

import numpy as np
import torch
from penalties import MIRRORED, Design
from shared.recorded_runs import RecordedRuns, comparison_options

from aia_models.config import BudgetConfig, ComputeConfig, TrainingConfig
from aia_models.data.faces import FaceDataset
from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.data.splits import SPLITS, SplitFaces, split_faces
from aia_models.judging.judge import JUDGE_VERSION, Judgement, judge
from aia_models.judging.released import release_faces
from aia_models.measures.bootstrap import interval
from aia_models.networks.networks import Networks
from aia_models.release.anonymizer import Anonymizer, fit_anonymizer
from aia_models.training.allocator import keep_freed_memory
from aia_models.training.trainer import Trainer

LINE = (0.01, 0.02, 0.03, 0.045, 0.065, 0.1)  # strengths of noise behind the erasure
DESIGNS = [  # the best two of penalties.py on validation
    Design("mirrored kernel ridge, batch 512", 0.008, 0.3, 0.3, MIRRORED),
    Design("mirrored kernel ridge, batch 2048", 0.004, 0.3, 0.15, MIRRORED | {"batch_images": 2048}),
]
JUDGED = ("validation", "test")
CHANCE = (0.5, 0.5)  # matching and attacker AUC


def compared(task: tuple[int, int, str, int, Path]) -> list[dict[str, Any]]:
    """One seed and split: every design, and the erasure line around its matching."""
    seed, split_seed, dataset, epochs, cache = task
    torch.set_num_threads(1)
    keep_freed_memory()
    folder = prepare(dataset, image_side=32, attributes=("gender",), positive=None, cache=cache)
    faces = split_faces(open_prepared(folder), ("gender",), split_seed)
    numbers = {name: number for number, name in enumerate(sorted(open_prepared(folder).identity_names))}
    line_config = replace(
        Design("erasure", LINE[0], 0.0, 0.0).config(epochs, seed), budget=BudgetConfig(epochs, 0, 0)
    )
    line = _trained(line_config, faces)
    screened = [
        _judged(_with_noise(line, line_config, noise_sd, faces), faces, numbers, seed) for noise_sd in LINE
    ]
    found: dict[str, Any] = {
        "seed": seed,
        "split_seed": split_seed,
        "line": {},
        "designs": {},
    }
    for design in DESIGNS:
        started = time.perf_counter()
        config = design.config(epochs, seed)
        anonymizer = fit_anonymizer(_trained(config, faces), config, faces)
        trained = time.perf_counter()
        judgement = _judged(anonymizer, faces, numbers, seed)
        row = _figures(judgement) | {
            "train_seconds": trained - started, "judge_seconds": time.perf_counter() - trained
        }  # fmt: skip
        found["designs"][design.name] = row
        for split in JUDGED:
            for noise_sd in _around(screened, split, judgement.best_match(split).auc):
                if str(noise_sd) not in found["line"]:
                    released = _with_noise(line, line_config, noise_sd, faces)
                    found["line"][str(noise_sd)] = _figures(_judged(released, faces, numbers, seed))
    return [found]


def _trained(config: TrainingConfig, faces: SplitFaces) -> Networks:
    trainer = Trainer(config, ComputeConfig(), faces)
    list(trainer.run())
    return trainer.networks


def _with_noise(networks: Networks, config: TrainingConfig, noise_sd: float, faces: SplitFaces) -> Anonymizer:
    channel = replace(config.channel, noise_sd=noise_sd)
    return fit_anonymizer(networks, replace(config, channel=channel), faces)


def _judged(anonymizer: Anonymizer, faces: SplitFaces, numbers: dict[str, int], seed: int) -> Judgement:
    released = {}
    for split, own in release_faces(anonymizer, faces, seed).items():
        part: FaceDataset = getattr(faces, split)
        assert split in SPLITS
        number = np.array([numbers[name] for name in part.identity_names], np.int32)
        released[split] = replace(own, identity=number[own.identity])
    return judge(released, anonymizer.encoder.map_shape, seed)


def _around(screened: list[Judgement], split: str, matching: float) -> list[float]:
    """The two strengths of the line whose matching lies around `matching` (the end's where it lies outside)."""
    levels = [judgement.best_match(split).auc for judgement in screened]
    after = next((place for place, level in enumerate(levels) if level < matching), len(levels) - 1)
    return [LINE[max(after - 1, 0)], LINE[max(after, 1)]]


def _figures(judgement: Judgement) -> dict[str, Any]:
    figures = {}
    for split in JUDGED:
        attack, match = judgement.strongest_attack(split), judgement.best_match(split)
        by_attacker = {
            f"{a.attacker}, {a.vantage}": round(a.folded_auc, 4)
            for a in judgement.attacks
            if a.split == split
        }
        repeated = judgement.strongest_beside(split, "10_releases")
        figures[split] = {
            "attacker": f"{attack.attacker}, {attack.vantage}",
            "attacker_auc": attack.folded_auc,
            "attacker_draws": judgement.attack_bootstrap_samples[attack.key].round(5).tolist(),
            "attackers": by_attacker,
            "ten_releases": repeated and repeated.folded_auc,
            "matching_auc": match.auc,
            "matching_draws": judgement.match_bootstrap_samples[split, match.matcher].round(5).tolist(),
        }
    return figures | {"still_improving": (judgement.still_improving or {}).get("gender")}


def difference(run: dict[str, Any], design: str, split: str) -> tuple[float, np.ndarray]:
    """The design's attacker AUC minus the erasure line's at its matching, and the same in each resample."""
    own = run["designs"][design][split]
    line = sorted((row[split] for row in run["line"].values()), key=lambda row: row["matching_auc"])
    point = _line_at(own["matching_auc"], [(row["matching_auc"], row["attacker_auc"]) for row in line])
    line_samples = [
        _line_at(matching, [(row["matching_draws"][n], row["attacker_draws"][n]) for row in line])
        for n, matching in enumerate(own["matching_draws"])
    ]
    return own["attacker_auc"] - point, np.array(own["attacker_draws"]) - np.array(line_samples)


def _line_at(matching: float, points: list[tuple[float, float]]) -> float:
    """Attacker AUC at a matching AUC on the straight lines through the points, and below them to chance, where endless
    noise ends. Beyond the best matching the attacker AUC there: the line would give away at least as much."""
    levels, attackers = zip(*sorted([CHANCE, *points]), strict=True)
    return float(np.interp(matching, levels, attackers))


def beyond_the_line(run: dict[str, Any], design: str, split: str) -> bool:
    """Whether the design matches better than the erasure line anywhere does."""
    return run["designs"][design][split]["matching_auc"] > max(
        row[split]["matching_auc"] for row in run["line"].values()
    )


def chosen_on(run: dict[str, Any]) -> bool:
    """Whether the designs were chosen on this run's people and seed (penalties.py)."""
    return run["seed"] == run["split_seed"] == 0


def report(runs: list[dict[str, Any]]) -> None:
    """Prints every run, and each design's difference pooled over runs with its interval over people: over all, and
    without the run that the designs were chosen on."""
    print("split seed | seed | design | judged | attacker AUC (strongest) | matching AUC | minus the line")
    for design in (design.name for design in DESIGNS):
        for split in JUDGED:
            pairs = [difference(run, design, split) for run in runs]
            for run, (point, _) in zip(runs, pairs, strict=True):
                own = run["designs"][design][split]
                print(
                    f"{run['split_seed']} | {run['seed']} | {design} | {split} | {own['attacker_auc']:.3f}"
                    f" ({own['attacker']}) | {own['matching_auc']:.3f} | {point:+.3f}"
                )
            outside = sum(beyond_the_line(run, design, split) for run in runs)
            print(f"POOLED {design} | {split} | {pooled(pairs)}, {outside} beyond the line")
            unseen = [pair for run, pair in zip(runs, pairs, strict=True) if not chosen_on(run)]
            if unseen:
                print(f"POOLED without the run it was chosen on | {split} | {pooled(unseen)}")


def pooled(differences: list[tuple[float, np.ndarray]]) -> str:
    """Mean difference over runs, its 95 % interval over people, the runs' range and number."""
    points = np.array([point for point, _ in differences])
    low, high = interval(np.nanmean([bootstrap_samples for _, bootstrap_samples in differences], axis=0))
    return (
        f"{points.mean():+.3f} [{low:+.3f}, {high:+.3f}], runs from {points.min():+.3f} to {points.max():+.3f},"
        f" n = {len(points)}"
    )


def main() -> None:
    """Command line."""
    options = comparison_options(__doc__, "closed_form", "60 epochs, 3 seeds x 5 splits")
    epochs, seeds, splits = (60, 3, 5) if options.full else (12, 1, 2)
    designs = [design.name for design in DESIGNS]
    runs = RecordedRuns(options, epochs=epochs, judge_version=JUDGE_VERSION, designs=designs)
    done = {(run["seed"], run["split_seed"]) for run in runs.rows}
    tasks: list[tuple[int, int, str, int, Path]] = [
        (seed, split_seed, options.dataset, epochs, options.cache)
        for seed in range(seeds)
        for split_seed in range(splits)
        if (seed, split_seed) not in done
    ]
    runs.run(compared, tasks, lambda task: f"seed {task[0]}, split_seed {task[1]}")
    print(f"torch {torch.__version__}, {epochs} epochs")
    report(runs.rows)


if __name__ == "__main__":
    main()
