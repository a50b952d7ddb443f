"""Compares settings of the attackers by what they read from encoders of several kinds.

The figures are the evidence for the settings that suite `cheap` uses without choosing
(docs/experiments/attacker_settings.md). Each printed row is an encoder, an attacker and a setting with its
folded AUC on validation and on test, for one release and vantage point `attack`. Settings that read
components are also tried on the components of standardised coordinates.

    python benchmarks/experiments/attacker_settings.py --dataset folder:PATH
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the folder that holds `shared`

import torch
from penalties import BATCH_1024, DEFAULTS, MIRRORED, Design
from shared.arguments import at_least

from aia_models.config import BudgetConfig, ChannelConfig, ComputeConfig
from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.data.splits import SplitFaces, split_faces
from aia_models.judging.released import release_faces
from aia_models.judging.sklearn_attackers import (
    SCIKIT_ATTACKERS,
    Attacker,
    Examples,
    Positive,
    ScikitSetting,
    examples_of,
    feature_scaler,
)
from aia_models.judging.template_attacker import TemplateAttacker, TemplateSetting
from aia_models.measures.metrics import auc, folded
from aia_models.release.anonymizer import Anonymizer, fit_anonymizer
from aia_models.training.allocator import keep_freed_memory
from aia_models.training.trainer import Trainer

TRIED: dict[str, tuple[Attacker[Any], list[Any]]] = {
    "logistic_regression": (
        SCIKIT_ATTACKERS["logistic_regression"],
        [ScikitSetting(0.01), ScikitSetting(0.1), ScikitSetting(0.01, 50), ScikitSetting(0.1, 150)],
    ),
    "rbf_svm": (
        SCIKIT_ATTACKERS["rbf_svm"],
        [ScikitSetting(3.0), ScikitSetting(10.0), *(ScikitSetting(3.0, count) for count in (25, 50, 100))],
    ),
    "mlp": (
        SCIKIT_ATTACKERS["mlp"],
        [ScikitSetting(10.0), ScikitSetting(1.0), ScikitSetting(1.0, 50), ScikitSetting(10.0, 50)],
    ),
    "templates": (
        TemplateAttacker(1),
        [TemplateSetting(50, None), *(TemplateSetting(50, count) for count in (25, 50, 100))],
    ),
}


def encoders(faces: SplitFaces, epochs: int) -> Iterator[tuple[str, Anonymizer]]:
    """An auto-encoder with erasure and several strengths of noise, or neither, and two that were trained to hide."""
    config = replace(Design("", 0.03, 0.0, 0.0).config(epochs, 0), budget=BudgetConfig(epochs, 0, 0))
    trainer = Trainer(config, ComputeConfig(), faces)
    list(trainer.run())
    yield "no protection", fit_anonymizer(trainer.networks, replace(config, channel=ChannelConfig()), faces)
    for noise_sd in (0.03, 0.065):
        noisy = replace(config, channel=replace(config.channel, noise_sd=noise_sd))
        yield f"erasure + noise {noise_sd}", fit_anonymizer(trainer.networks, noisy, faces)
    for design in (
        DEFAULTS,
        Design("mirrored kernel ridge, batch 1024", 0.004, 0.3, 0.25, MIRRORED | BATCH_1024),
    ):
        config = design.config(epochs, 0)
        trainer = Trainer(config, ComputeConfig(), faces)
        list(trainer.run())
        yield f"{design.name}, noise {design.noise_sd}", fit_anonymizer(trainer.networks, config, faces)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="synthetic", metavar="KIND:PATH")
    parser.add_argument("--epochs", type=at_least(10), default=60)
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as cache:
        folder = prepare(
            options.dataset, image_side=32, attributes=("gender",), positive=None, cache=Path(cache)
        )
        faces = split_faces(open_prepared(folder), ("gender",), 0)
        print("encoder | attacker | setting | AUC on validation | on test | seconds to fit")
        for title, anonymizer in encoders(faces, options.epochs):
            released = release_faces(anonymizer, faces, 0, "cheap")
            scaler = feature_scaler(released["attack"].representations)
            seen = {split: examples_of(own.representations, scaler) for split, own in released.items()}
            positive = {split: own.attributes["gender"] == 1 for split, own in released.items()}
            for name, (attacker, settings) in TRIED.items():
                for setting in settings:
                    cells, seconds = _read(attacker, setting, seen, positive)
                    print(f"{title} | {name} | {tuple(setting)} | {cells} | {seconds:.2f}", flush=True)
                    if setting.components is not None:
                        first = {split: Examples(own.features, own.features) for split, own in seen.items()}
                        cells, seconds = _read(attacker, setting, first, positive)
                        print(
                            f"{title} | {name} | {tuple(setting)} of standardised | {cells} | {seconds:.2f}"
                        )


def _read(
    attacker: Attacker[Any], setting: Any, seen: dict[str, Examples], positive: dict[str, Positive]
) -> tuple[str, float]:
    """The AUCs on validation and test as cells, and the seconds it took to fit."""
    started = time.perf_counter()
    score = attacker.fit(seen["attack"], positive["attack"], setting, 0)
    seconds = time.perf_counter() - started
    aucs = [
        folded(auc(score(seen[split]).astype(float), positive[split])) for split in ("validation", "test")
    ]
    return f"{aucs[0]:.3f} | {aucs[1]:.3f}", seconds


if __name__ == "__main__":
    main()
