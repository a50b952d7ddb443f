"""Compares families of designs at equal budget: noise, linear erasure, adversarial training, and mixtures.

The experiment trains every design below with each seed and judges it without and with erasure; the eraser is
fitted after training, so both share one training. It compares families by the strongest fresh attacker at
equal matching AUC, with paired 95 % intervals over identities. Each judged design becomes one JSON line in
--output; designs with a line there are not trained again. docs/experiments/families.md has the figures of the
second command.

    python benchmarks/experiments/families.py                                           # synthetic, one seed
    python benchmarks/experiments/families.py --full --dataset folder:PATH --output families.jsonl
"""

import statistics
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

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
    TrainingConfig,
)
from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.data.splits import split_faces
from aia_models.judging.judge import Judgement, judge
from aia_models.judging.released import release_faces
from aia_models.release.anonymizer import fit_anonymizer
from aia_models.training.trainer import Trainer

LEARNING_RATE = 2e-3
FULL_BUDGET, SHORT_BUDGET = BudgetConfig(6, 3, 20), BudgetConfig(3, 2, 6)


@dataclass(frozen=True)
class Design:
    """One line of the comparison before erasure: noise (None: no channel), α, β and the in-loop adversary."""

    noise_sd: float | None
    alpha: float
    beta: float
    adversary: str = "linear+mlp"

    @property
    def name(self) -> str:
        """Key of the design in the output."""
        return f"noise={self.noise_sd} alpha={self.alpha:g} beta={self.beta:g} adversary={self.adversary}"


PAPER = [
    *(Design(None, 0.5, beta) for beta in (0.0, 0.5, 10.0)),
    *(Design(None, 0.5, beta, "cnn") for beta in (0.5, 10.0)),
]
NOISE = [
    *(Design(noise_sd, 1.0, 0.0) for noise_sd in (0.02, 0.05, 0.1, 0.2)),
    *(Design(noise_sd, 0.4, 0.0) for noise_sd in (0.015, 0.1)),
]
ADVERSARIAL = [
    *(Design(0.05, 1.0, beta) for beta in (0.01, 0.03, 0.1, 0.3, 1.0)),
    *(Design(0.05, 10.0, beta) for beta in (0.1, 0.3, 1.0, 3.0)),
    *(Design(0.02, 30.0, beta) for beta in (0.3, 1.0)),
    Design(0.02, 1.0, 0.03),
    Design(0.1, 10.0, 0.3),
    *(Design(0.015, 0.4, beta) for beta in (0.08, 0.18)),  # where a search of 40 trials led, with seed 0
]
SHORT = [*NOISE[:3], ADVERSARIAL[1], ADVERSARIAL[7]]
FAMILIES = {
    "noise": ("β = 0", False),
    "erasure + noise": ("β = 0", True),
    "adversarial + noise": ("β > 0", False),
    "adversarial + erasure + noise": ("β > 0", True),
}
MATCHING_LEVELS = (0.64, 0.66, 0.68, 0.70)


def trained(task: tuple[Design, int, str, BudgetConfig, Path]) -> list[dict]:
    """Trains one design with one seed; its figures without and with erasure, with their bootstrap samples."""
    design, seed, dataset, budget, cache = task
    torch.set_num_threads(1)
    prepared = prepare(dataset, image_side=32, attributes=("gender",), positive=None, cache=cache)
    faces = split_faces(open_prepared(prepared), ("gender",), 0)
    kind = "none" if design.noise_sd is None else "noise"
    config = TrainingConfig(
        alpha=design.alpha,
        betas=(design.beta,),
        decoder=DecoderConfig((32, 16)),
        channel=ChannelConfig(kind, noise_sd=design.noise_sd),
        adversary=AdversaryConfig(tuple(design.adversary.split("+"))),  # type: ignore[arg-type]
        budget=budget,
        learning_rate=LEARNING_RATE,
        seed=seed,
    )
    trainer = Trainer(config, ComputeConfig(), faces)
    last = list(trainer.run())[-1]
    rows = []
    for erasure in (False, True):
        released_config = replace(config, channel=replace(config.channel, erasure=erasure))
        anonymizer = fit_anonymizer(trainer.networks, released_config, faces)
        judgement = judge(release_faces(anonymizer, faces, seed), anonymizer.encoder.map_shape, seed)
        spread = float(anonymizer.clean(faces.validation.inputs).std(0).mean())
        row = {"design": design.name, "beta": design.beta, "noise_sd": design.noise_sd, "erasure": erasure}
        row |= {"seed": seed, "spread": spread, "in_loop": last.adversary_auc_validation}
        rows.append(row | _figures(judgement))
    return rows


def _figures(judgement: Judgement) -> dict:
    figures = {}
    for split in ("validation", "test"):
        attack, match = judgement.strongest_attack(split), judgement.best_match(split)
        figures[split] = {
            "attacker": attack.attacker,
            "attacker_auc": attack.folded_auc,
            "attacker_draws": judgement.attack_bootstrap_samples[attack.key].round(5).tolist(),
            "matcher": match.matcher,
            "matching_auc": match.auc,
            "matching_draws": judgement.match_bootstrap_samples[split, match.matcher].round(5).tolist(),
        }
    return figures


def attacker_at(matching: np.ndarray, attacker: np.ndarray, level: float) -> float:
    """The least attacker AUC at which a family reaches `level` of matching: its Pareto front, interpolated
    linearly; NaN where no design reaches it."""
    order = np.argsort(matching)[::-1]
    best_match, best_attack = matching[order], np.minimum.accumulate(attacker[order])
    front = np.r_[True, best_attack[1:] < best_attack[:-1]]
    best_match, best_attack = best_match[front], best_attack[front]
    reaches = best_match >= level
    if not reaches.any():
        return float("nan")
    return float(np.interp(level, best_match[::-1], best_attack[::-1]))


def family_levels(rows: list[dict], split: str, level: float) -> tuple[float, np.ndarray]:
    """Mean over seeds of a family's attacker AUC at `level`, and the same in each resample of the people."""
    points, bootstrap_samples = [], []
    for seed in sorted({row["seed"] for row in rows}):
        own = [row[split] for row in rows if row["seed"] == seed]
        matching = np.array([row["matching_auc"] for row in own])
        attacker = np.array([row["attacker_auc"] for row in own])
        points.append(attacker_at(matching, attacker, level))
        matching_samples = np.array([row["matching_draws"] for row in own])
        attacker_samples = np.array([row["attacker_draws"] for row in own])
        # Designs are placed by their matching over all people; only what is compared is resampled.
        shifted = matching[:, None] + 0 * matching_samples
        bootstrap_samples.append(
            [attacker_at(m, a, level) for m, a in zip(shifted.T, attacker_samples.T, strict=True)]
        )
    return float(np.mean(points)), np.mean(bootstrap_samples, axis=0)


def above_the_line(rows: list[dict], split: str) -> dict[str, list[float]]:
    """Of each adversarial design with erasure and noise: its attacker AUC minus that of erasure + noise, by the
    same seed and at the same matching (interpolated linearly); seeds outside the line's matching are left out."""
    erased = [row for row in rows if row["erasure"] and row["noise_sd"] is not None]
    above: dict[str, list[float]] = {}
    for row in erased:
        line = sorted(
            (own[split]["matching_auc"], own[split]["attacker_auc"])
            for own in erased
            if own["beta"] == 0 and own["seed"] == row["seed"]
        )
        matching, attacker = zip(*line, strict=True)
        if row["beta"] > 0 and matching[0] <= row[split]["matching_auc"] <= matching[-1]:
            at_line = float(np.interp(row[split]["matching_auc"], matching, attacker))
            above.setdefault(row["design"], []).append(row[split]["attacker_auc"] - at_line)
    return above


def report(rows: list[dict]) -> None:
    """Prints each design's figures over seeds and the families' attacker AUC at equal matching."""
    designs = dict.fromkeys((row["design"], row["erasure"]) for row in rows)
    print(
        "design | erasure | attacker AUC validation (range) | test | matching AUC validation | test | in-loop | spread"
    )
    for design, erasure in designs:
        own = [row for row in rows if (row["design"], row["erasure"]) == (design, erasure)]
        cells = [
            _spread([r[s][f] for r in own])
            for f in ("attacker_auc", "matching_auc")
            for s in ("validation", "test")
        ]
        cells += [_spread([r[name] for r in own]) for name in ("in_loop", "spread")]
        print(f"{design} | {'yes' if erasure else 'no'} | {' | '.join(cells)}")
    released = [row for row in rows if row["noise_sd"] is not None]
    members = {
        name: [r for r in released if (r["beta"] > 0) == (betas == "β > 0") and r["erasure"] == erasure]
        for name, (betas, erasure) in FAMILIES.items()
    }
    for split in ("validation", "test"):
        for design, above in above_the_line(rows, split).items():
            cells = (
                f"{statistics.mean(above):+.3f} ({min(above):+.3f} to {max(above):+.3f}), {len(above)} seeds"
            )
            print(f"{split}, attacker AUC above the line of erasure + noise: {design}: {cells}")
        for level in MATCHING_LEVELS:
            reached = {name: family_levels(own, split, level) for name, own in members.items() if own}
            line = ", ".join(f"{name} {point:.3f}" for name, (point, _) in reached.items())
            print(f"{split}, attacker AUC at matching {level}: {line}")
            base_point, base_samples = reached["erasure + noise"]
            for name, (point, bootstrap_samples) in reached.items():
                if name != "erasure + noise" and np.isfinite(point - base_point):
                    low, high = np.nanpercentile(bootstrap_samples - base_samples, (2.5, 97.5))
                    print(
                        f"    {name} - erasure + noise: {point - base_point:+.3f} [{low:+.3f}, {high:+.3f}]"
                    )


def _spread(values: list[float]) -> str:
    return f"{statistics.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def main() -> None:
    """Command line."""
    options = comparison_options(__doc__, "families", "all designs, 3 seeds, the alpha-beta budget")
    designs, seeds = ([*NOISE, *ADVERSARIAL, *PAPER], range(3)) if options.full else (SHORT, range(1))
    budget = FULL_BUDGET if options.full else SHORT_BUDGET
    runs = RecordedRuns(options, budget=asdict(budget))
    done = {(row["design"], row["seed"]) for row in runs.rows}
    tasks = [
        (design, seed, options.dataset, budget, options.cache)
        for seed in seeds
        for design in designs
        if (design.name, seed) not in done
    ]
    runs.run(trained, tasks, lambda task: f"{task[0].name} seed {task[1]}")
    print(f"torch {torch.__version__}, {len(seeds)} seeds, budget {budget}")
    report(runs.rows)


if __name__ == "__main__":
    main()
