"""Judges designs of every family twice, and leaves out one attacker after the other.

Both judgings of a design share its encoder; the noise of the releases and the seeds of attackers and matchers
differ. Designs that differ in their channel only share one training. Per design the benchmark prints the
strongest attacker's AUC, its name and vantage, and the matching AUC of both judgings. Then it prints for each
attacker by how much the strongest AUC falls without it, and how often it reads most; a rank ensemble keeps its
members there, because its ranks are not recorded. Each design becomes one JSON line in --output; designs with a
line there are not judged again. Without --full, a few designs are trained briefly on drawn faces.

    python benchmarks/judge_agreement.py
    python benchmarks/judge_agreement.py --full --dataset folder:PATH --output agreement.jsonl

On the RESULT line, all on validation, `spearman` is the rank correlation of the attacker AUC between both
judgings. `front_gap` is the mean absolute difference of the attacker AUC over the designs on the first
judging's front (attacker AUC low, matching AUC high), `front_gap_max` the largest. `hypervolume_ratio` divides
the hypervolume of these designs by that of the second judging's own front, both with the second judging's
figures, up to an attacker AUC of 1 and a matching AUC of 0.5.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # runs also where the project is not installed

import moocore
import numpy as np
import torch
from scipy.stats import spearmanr
from shared.arguments import at_least
from shared.designs import CodeDesign, FisherDesign, MapDesign, noise
from shared.recorded_runs import RecordedRuns, comparison_parser, prepared_options

from aia_models.config import AdversaryConfig, ChannelConfig, ComputeConfig, TrainingConfig
from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.data.splits import SplitFaces, split_faces
from aia_models.judging.judge import JUDGE_VERSION, Judgement, judge
from aia_models.judging.released import ReleasedFaces, release_faces
from aia_models.release.anonymizer import fit_anonymizer
from aia_models.training.allocator import keep_freed_memory
from aia_models.training.trainer import Trainer
from analysis.fronts.pareto import is_nondominated

FULL_EPOCHS, SHORT_EPOCHS = 60, 6
SHORT_DESIGNS = 6
JUDGED = ("validation", "test")
JUDGING_SEEDS = (0, 1)
REFERENCE = (1.0, -0.5)  # costs: attacker AUC, and matching AUC with its sign changed

Release = Callable[[ChannelConfig, int], Mapping[str, ReleasedFaces]]
Row = dict[str, Any]


@dataclass(frozen=True)
class Encoder:
    """What designs share that differ in their channel only."""

    name: str
    design: MapDesign | CodeDesign | FisherDesign

    def made(self, faces: SplitFaces, epochs: int) -> tuple[Release, tuple[int, int, int]]:
        """What releases it behind a channel with a seed, and the shape of its representations as a map."""
        config = self.design.config(epochs, 0)
        trainer = Trainer(config, ComputeConfig(), faces)
        list(trainer.run())

        def release(channel: ChannelConfig, seed: int) -> Mapping[str, ReleasedFaces]:
            released: TrainingConfig = replace(config, channel=channel)
            return release_faces(fit_anonymizer(trainer.networks, released, faces), faces, seed)

        return release, trainer.networks.encoder.map_shape


@dataclass(frozen=True)
class Design:
    """An encoder behind a channel, in one of the families that the comparison has to cover."""

    family: str
    encoder: Encoder
    channel: ChannelConfig

    @property
    def name(self) -> str:
        """Key of the design in the output."""
        channel = self.channel
        value = {"noise": channel.noise_sd, "quantise": channel.bits, "codebook": channel.codewords}.get(
            channel.kind
        )
        parts = ["erasure"] if channel.erasure else []
        if value is not None:
            parts.append(f"{channel.kind} {value:g}")
        return f"{self.encoder.name}, {' + '.join(parts) or 'no channel'}"


def behind(family: str, encoder: Encoder, channels: Sequence[ChannelConfig]) -> list[Design]:
    """One encoder behind each of the channels."""
    return [Design(family, encoder, channel) for channel in channels]


def paper(alpha: float, beta: float) -> Encoder:
    """Return the paper's recipe, whose training sees no channel."""
    changes = {"channel": ChannelConfig("none"), "adversary": AdversaryConfig(("cnn",))}
    return Encoder(f"paper's recipe α {alpha:g} β {beta:g}", MapDesign(alpha, beta, changes))


def noisy(alpha: float, beta: float) -> Encoder:
    """Return a map trained by pairs behind noise, against a linear and an MLP adversary where β is above 0."""
    return Encoder(f"pairs α {alpha:g} β {beta:g}", MapDesign(alpha, beta))


def code(name: str, beta: float, **changes: Any) -> Encoder:
    """Return a compact code."""
    return Encoder(f"{name} β {beta:g}", CodeDesign(1.0, beta, changes))


def fisher(components: int) -> Encoder:
    """Return the closed form."""
    return Encoder(f"{components} discriminants", FisherDesign(components, 0.4))


NOISES = [ChannelConfig("noise", noise_sd=noise_sd) for noise_sd in (0.02, 0.05, 0.1, 0.2)]
ERASED = [noise(noise_sd) for noise_sd in (0.02, 0.05, 0.1, 0.2)]
WEAK_AND_STRONG = [noise(0.03), noise(0.1)]
OF_CODES = [noise(0.4), noise(0.7)]
WORDS = [
    ChannelConfig("codebook", noise_sd=0.4, codewords=words, codebooks=1, erasure=True) for words in (16, 256)
]
QUANTISERS = [
    ChannelConfig("quantise", bits=bits, erasure=erasure) for bits in (1, 2) for erasure in (False, True)
]
AGAINST = {
    "penalty": "adversary",
    "adversary": AdversaryConfig(("linear", "mlp"), steps=3),
}
DESIGNS = [
    *(
        Design("paper", paper(alpha, beta), ChannelConfig("none"))
        for alpha in (0.5, 5.0)
        for beta in (0.0, 0.5, 5.0)
    ),
    *behind("noise", noisy(1.0, 0.0), NOISES),
    *behind("erasure + noise", noisy(1.0, 0.0), ERASED),
    *behind("adversarial + erasure + noise", noisy(1.0, 0.1), WEAK_AND_STRONG),
    *behind("adversarial + erasure + noise", noisy(1.0, 1.0), WEAK_AND_STRONG),
    *behind("adversarial + erasure + noise", noisy(10.0, 1.0), WEAK_AND_STRONG),
    *behind("quantised", noisy(1.0, 0.0), QUANTISERS),
    *behind("code without penalty", code("code", 0.0), OF_CODES),
    *behind("code, kernel ridge", code("code", 3.0), OF_CODES),
    *behind("code, kernel ridge", code("code", 10.0), OF_CODES),
    *behind("code, adversary", code("code against adversaries", 10.0, **AGAINST), OF_CODES),
    *behind("codebook", code("code", 10.0), WORDS),
    *(
        Design("closed form", fisher(count), noise(noise_sd))
        for count in (10, 15, 25, 60)
        for noise_sd in (0.2, 0.4, 0.7)
    ),
]


def some_designs(count: int) -> list[Design]:
    """`count` designs at even distances in the order of their families."""
    places = np.linspace(0, len(DESIGNS) - 1, min(count, len(DESIGNS))).round().astype(int)
    return [DESIGNS[place] for place in places]


def judged_twice(task: tuple[Encoder, list[Design], str, int, Path]) -> list[Row]:
    """Trains one encoder and judges each of its designs twice."""
    encoder, designs, dataset, epochs, cache = task
    torch.set_num_threads(1)
    keep_freed_memory()
    prepared = prepare(dataset, image_side=32, attributes=("gender",), positive=None, cache=cache)
    faces = split_faces(open_prepared(prepared), ("gender",), 0)
    release, map_shape = encoder.made(faces, epochs)
    rows = []
    for design in designs:
        started = time.perf_counter()
        judgings = [figures(judge(release(design.channel, seed), map_shape, seed)) for seed in JUDGING_SEEDS]
        seconds = (time.perf_counter() - started) / len(judgings)
        rows.append(
            {"design": design.name, "family": design.family, "judgings": judgings, "judge_seconds": seconds}
        )
    return rows


def figures(judgement: Judgement) -> dict[str, Any]:
    """Figures of one judging on each split; `attackers` holds the largest AUC of each over all vantages."""
    found = {}
    for split in JUDGED:
        attack, match = judgement.strongest_attack(split), judgement.best_match(split)
        attackers: dict[str, float] = {}
        for own in judgement.attacks:
            if own.split == split:
                attackers[own.attacker] = max(own.folded_auc, attackers.get(own.attacker, 0.0))
        found[split] = {
            "attacker": attack.attacker, "vantage": attack.vantage, "attacker_auc": attack.folded_auc,
            "attackers": attackers, "matcher": match.matcher, "matching_auc": match.auc,
        }  # fmt: skip
    return found


def without(attackers: Mapping[str, float]) -> dict[str, float]:
    """By how much the largest AUC falls without each attacker: 0 for all but the one that reads most."""
    most = max(attackers.values())
    return {
        left_out: most - max(auc for name, auc in attackers.items() if name != left_out)
        for left_out in attackers
    }


@dataclass(frozen=True)
class Agreement:
    """How far the second judging confirms the first: the figures of the RESULT line."""

    spearman: float
    front_gap: float
    front_gap_max: float
    hypervolume_ratio: float
    front_designs: int


def agreement(rows: Sequence[Row], split: str) -> Agreement:
    """Compares both judgings on `split`; NaN where a figure has no value, as with one design."""
    costs = [
        np.array(
            [
                (
                    row["judgings"][number][split]["attacker_auc"],
                    -row["judgings"][number][split]["matching_auc"],
                )
                for row in rows
            ]
        )
        for number in range(len(JUDGING_SEEDS))
    ]
    first, second = costs
    front = is_nondominated(first)
    gaps = np.abs(first[front, 0] - second[front, 0])
    own = hypervolume(second[is_nondominated(second)])
    varying = min(len(np.unique(judging[:, 0])) for judging in costs) > 1
    spearman = float("nan")
    if varying:
        correlation: Any = spearmanr(first[:, 0], second[:, 0])  # scipy's stub does not know its attributes
        spearman = float(correlation.statistic)
    return Agreement(
        spearman=spearman,
        front_gap=float(gaps.mean()),
        front_gap_max=float(gaps.max()),
        hypervolume_ratio=hypervolume(second[front]) / own if own > 0 else float("nan"),
        front_designs=int(front.sum()),
    )


def hypervolume(costs: np.ndarray) -> float:
    """Area that the points dominate up to `REFERENCE`; `costs` is float `[design, 2]`."""
    return float(moocore.hypervolume(costs, ref=np.array(REFERENCE)))


def report(rows: Sequence[Row]) -> None:
    """Prints each design's two judgings, the table without one attacker and, last, the RESULT line."""
    print("design | split | attacker AUC, strongest attacker, matching AUC, best matcher of both judgings")
    for row in rows:
        for split in JUDGED:
            cells = [
                f"{own['attacker_auc']:.3f} {own['attacker']} ({own['vantage']})"
                f" {own['matching_auc']:.3f} {own['matcher']}"
                for own in (judging[split] for judging in row["judgings"])
            ]
            print(f"{row['family']}: {row['design']} | {split} | {' | '.join(cells)}")
    print("without | split | mean fall of the strongest AUC | largest | reads most, of all judgings")
    for split in JUDGED:
        judgings = [judging[split] for row in rows for judging in row["judgings"]]
        falls = [without(judging["attackers"]) for judging in judgings]
        most = Counter(judging["attacker"] for judging in judgings)
        for attacker in falls[0]:
            own = [fall[attacker] for fall in falls]
            share = f"{most[attacker]} of {len(own)}"
            print(f"{attacker} | {split} | {np.mean(own):.4f} | {max(own):.4f} | {share}")
        vantages = Counter(judging["vantage"] for judging in judgings)
        print(f"vantages that read most on {split}: {dict(vantages.most_common())}")
    test = agreement(rows, "test")
    print(f"on test: {test}")
    found = agreement(rows, "validation")
    print(
        f"RESULT spearman={found.spearman:.4f} front_gap={found.front_gap:.4f} "
        f"front_gap_max={found.front_gap_max:.4f} hypervolume_ratio={found.hypervolume_ratio:.4f} "
        f"front_designs={found.front_designs} designs={len(rows)}"
    )


def main() -> None:
    """Command line."""
    parser = comparison_parser(
        __doc__, "judge_agreement", f"all {len(DESIGNS)} designs, {FULL_EPOCHS} epochs"
    )
    parser.add_argument(
        "--designs", type=at_least(2), help=f"default {SHORT_DESIGNS}, with --full all; at even distances"
    )
    given = parser.parse_args()
    options = prepared_options(given, "judge_agreement")
    designs = some_designs(given.designs or (len(DESIGNS) if options.full else SHORT_DESIGNS))
    epochs = FULL_EPOCHS if options.full else SHORT_EPOCHS
    runs = RecordedRuns(options, epochs=epochs, judge_version=JUDGE_VERSION)
    done = {row["design"] for row in runs.rows}
    by_encoder: dict[str, list[Design]] = {}
    for design in designs:
        if design.name not in done:
            by_encoder.setdefault(design.encoder.name, []).append(design)
    tasks = [(own[0].encoder, own, options.dataset, epochs, options.cache) for own in by_encoder.values()]
    runs.run(judged_twice, tasks, lambda task: f"{task[0].name}, {len(task[1])} designs")
    print(f"torch {torch.__version__}, {epochs} epochs, seed 0, split_seed 0, judge {JUDGE_VERSION}")
    report(runs.rows)


if __name__ == "__main__":
    main()
