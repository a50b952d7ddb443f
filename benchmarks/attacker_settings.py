"""What each setting of the attackers reads from encoders of several kinds: the evidence for the settings that suite
`cheap` uses without choosing (docs/judging.md). AUC, folded, on validation and test; one release, vantage `attack`.

    python benchmarks/attacker_settings.py --dataset folder:PATH
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from arguments import at_least
from penalties import SHIFTED, Design, large_batches

from aia_models.allocator import keep_freed_memory
from aia_models.anonymizer import Anonymizer, fit_anonymizer, release_faces
from aia_models.attackers import SCIKIT_ATTACKERS, Attacker, ScikitSetting, examples_of, feature_scaler
from aia_models.config import BudgetConfig, ChannelConfig, ComputeConfig
from aia_models.data.prepare import open_prepared, prepare
from aia_models.data.splits import SplitFaces, split_faces
from aia_models.metrics import auc, folded
from aia_models.template_attacker import TemplateAttacker, TemplateSetting
from aia_models.training import Trainer

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
        [TemplateSetting(50, None), TemplateSetting(50, 50), TemplateSetting(50, 100)],
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
        Design("mirrored kernel ridge", 0.008, 0.3, 1.0, large_batches("kernel_ridge", True) | SHIFTED),
        Design("HSIC", 0.008, 0.3, 10.0, large_batches("hsic") | SHIFTED),
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
        folder = prepare(options.dataset, image_side=32, attribute="gender", positive=None, cache=Path(cache))
        faces = split_faces(open_prepared(folder), ("gender",), 0)
        print("encoder | attacker | setting | AUC on validation | on test | seconds to fit")
        for title, anonymizer in encoders(faces, options.epochs):
            released = release_faces(anonymizer, faces, 0, "cheap")
            scaler = feature_scaler(released["attack"].representations)
            seen = {split: examples_of(own.representations, scaler) for split, own in released.items()}
            for name, (attacker, settings) in TRIED.items():
                for setting in settings:
                    started = time.perf_counter()
                    positive = released["attack"].attributes["gender"] == 1
                    score = attacker.fit(seen["attack"], positive, setting, 0)
                    seconds = time.perf_counter() - started
                    read = [
                        folded(
                            auc(score(seen[split]).astype(float), released[split].attributes["gender"] == 1)
                        )
                        for split in ("validation", "test")
                    ]
                    print(
                        f"{title} | {name} | {tuple(setting)} | {read[0]:.3f} | {read[1]:.3f} | {seconds:.2f}"
                    )


if __name__ == "__main__":
    main()
