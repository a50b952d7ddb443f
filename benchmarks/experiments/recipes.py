"""Compares trainings of plain.py and of ours at the same α, β and seed, by recipe.

The recipes of ours show the effect of standardised heads, balanced classes and bfloat16. Each design is
trained once by each recipe; our judge judges all of them after joint epochs 2, 6 and 20. Each printed line is
a recipe's mean attacker and matching AUC with the mean difference to plain and its standard error over the
designs.

    python benchmarks/experiments/recipes.py           # small decoder, 250 people, 8 designs: about 8 minutes
    python benchmarks/experiments/recipes.py --full --designs 24 --device cuda --processes 14
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the folder that holds `shared`

import numpy as np
import plain
import torch
from against_plain import FULL, SMALL, judged_alike, some_people
from scipy.stats import qmc
from shared.arguments import at_least
from shared.drawn_folder import drawn_folder
from torch import nn

from aia_models.config import (
    AdversaryConfig,
    BudgetConfig,
    ComputeConfig,
    DecoderConfig,
    MatcherConfig,
    TrainingConfig,
)
from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.data.splits import SplitFaces, split_faces, split_masks
from aia_models.training.trainer import Trainer

JUDGED = (2, 6, 20)
RAW_ADVERSARY = AdversaryConfig(class_balanced=False, standardise=False)
RAW_MATCHER = MatcherConfig(standardise=False)
OURS: dict[str, tuple[AdversaryConfig, MatcherConfig, Literal["float32", "bfloat16"]]] = {
    "ours": (AdversaryConfig(), MatcherConfig(), "float32"),
    "ours in bfloat16": (AdversaryConfig(), MatcherConfig(), "bfloat16"),
    "ours, adversary of plain": (RAW_ADVERSARY, MatcherConfig(), "float32"),
    "ours, matcher of plain": (AdversaryConfig(), RAW_MATCHER, "float32"),
    "ours, both of plain": (RAW_ADVERSARY, RAW_MATCHER, "float32"),
}
FIGURES = ("attacker, validation", "matching, validation", "attacker, test", "matching, test")


@dataclass(frozen=True)
class Training:
    """One training: the recipe's name and the settings that it shares with those of other recipes."""

    recipe: str
    prepared: Path
    settings: plain.Settings
    device: str

    def figures(self) -> dict[int, list[float]]:
        """`FIGURES` after each of the joint epochs `JUDGED`."""
        torch.set_num_threads(1)
        dataset = open_prepared(self.prepared)
        faces = split_faces(dataset, ("gender",), 0)
        rows = {split: np.flatnonzero(mask) for split, mask in split_masks(dataset, 0).items()}
        images = torch.from_numpy(np.array(dataset.inputs)).float() / 255
        found: dict[int, list[float]] = {}

        def judge(epoch: int, encoder: nn.Module) -> None:
            if epoch in JUDGED:
                with torch.no_grad():
                    parts = [encoder(part.to(self.device)).float().cpu() for part in images.split(512)]
                side = self.settings.image_side // 4
                maps = torch.cat(parts).reshape(len(images), -1, side, side).contiguous()
                found[epoch] = judged_alike(maps.numpy(), rows, faces)

        if self.recipe == "plain":
            own = rows["train"]
            gender = torch.from_numpy(np.array(faces.train.attribute("gender"))).float()
            known = plain.Faces(images[own].to(self.device), dataset.identity[own], gender.to(self.device))
            plain.train(
                known, self.settings, lambda epoch, trainer: judge(epoch, trainer.autoencoder.encoder)
            )
        else:
            trainer = self._trainer(faces)
            for record in trainer.run():
                before = self.settings.autoencoder_epochs + self.settings.heads_epochs
                judge(record.epoch - before, trainer.networks.encoder)
        return found

    def _trainer(self, faces: SplitFaces) -> Trainer:
        adversary, matcher, dtype = OURS[self.recipe]
        of = self.settings
        config = TrainingConfig(
            of.alpha, (of.beta,), decoder=DecoderConfig(of.decoder), adversary=adversary, matcher=matcher,
            budget=BudgetConfig(of.autoencoder_epochs, of.heads_epochs, of.joint_epochs),
            learning_rate=of.learning_rate, batch_images=of.batch_images, seed=of.seed,
        )  # fmt: skip
        return Trainer(config, ComputeConfig(self.device, dtype), faces)


def designs(base: plain.Settings, count: int) -> list[plain.Settings]:
    """Sobol's points over the ranges that `against_plain.py` searches, each with a seed of its own."""
    points = qmc.Sobol(2, rng=1).random(count)
    return [
        replace(base, alpha=0.1 * 300**alpha, beta=0.01 * 1000**beta, seed=seed)
        for seed, (alpha, beta) in enumerate(points.tolist())
    ]


def figures_of(training: Training) -> dict[int, list[float]]:
    """`Training.figures`, for a pool of processes."""
    return training.figures()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="the paper's networks")
    parser.add_argument("--people", type=at_least(40), default=250, help="of the 500 drawn people")
    parser.add_argument("--designs", type=at_least(2), default=8)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--processes", type=at_least(1), default=2)
    given = parser.parse_args()
    base = FULL if given.full else SMALL
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "faces"
        folder.mkdir()
        some_people(drawn_folder(folder), given.people)
        prepared = prepare(
            f"folder:{folder}",
            image_side=base.image_side,
            attributes=("gender",),
            positive=None,
            cache=Path(name),
        )
        recipes = ["plain", *OURS]
        trainings = [
            Training(recipe, prepared, settings, given.device)
            for settings in designs(base, given.designs)
            for recipe in recipes
        ]
        with get_context("spawn").Pool(given.processes) as pool:
            found = pool.map(figures_of, trainings, chunksize=1)
    print(f"{given.designs} designs; mean, and mean of the paired difference to plain (its standard error)")
    for epoch in JUDGED:
        by_recipe = {
            recipe: np.array([figures[epoch] for figures in found[place :: len(recipes)]])
            for place, recipe in enumerate(recipes)
        }
        for recipe, values in by_recipe.items():
            apart = values - by_recipe["plain"]
            errors = apart.std(0, ddof=1) / np.sqrt(len(apart))
            shown = [
                f"{title} {mean:.4f} {difference:+.4f} ({error:.4f})"
                for title, mean, difference, error in zip(
                    FIGURES, values.mean(0), apart.mean(0), errors, strict=True
                )
            ]
            print(f"joint epoch {epoch:2}, {recipe:25}" + "; ".join(shown))


if __name__ == "__main__":
    main()
