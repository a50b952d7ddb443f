"""A whole study against the plain one: plain.py under Ray Tune with Optuna's search at its defaults, then ours.

Both run the same number of trials of the same budget over α and β, on the same folder of images, with Ray's default
of one core per trial, and each is timed as a user would: from nothing to its last figure, imports and Ray's start
included. Ours also prepares the images, judges with intervals, and writes tables and checkpoints.

    python benchmarks/plain_tune.py
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

import plain
from PIL import Image

SETTINGS = plain.Settings(
    image_side=32, decoder=(32, 16), learning_rate=2e-3, autoencoder_epochs=6, heads_epochs=3, joint_epochs=20
)


def tuned(folder: Path, storage: Path, trials: int) -> list[dict[str, float]]:
    """Figures of the trials of a plain study, the way a good engineer writes it in a day."""
    import optuna
    from ray import tune
    from ray.tune.search.optuna import OptunaSearch

    def trial(config: dict[str, float]) -> None:
        tune.report(plain.run(folder, replace(SETTINGS, alpha=config["alpha"], beta=config["beta"])))

    space = {
        "alpha": optuna.distributions.FloatDistribution(0.1, 30.0, log=True),
        "beta": optuna.distributions.FloatDistribution(0.01, 10.0, log=True),
    }
    search = OptunaSearch(space, metric=["attacker_auc", "matching_auc"], mode=["min", "max"])
    tuner = tune.Tuner(
        trial,
        tune_config=tune.TuneConfig(search_alg=search, num_samples=trials),
        run_config=tune.RunConfig(storage_path=str(storage), verbose=0),
    )
    results = tuner.fit()
    if results.errors:
        raise RuntimeError(f"{len(results.errors)} plain trials failed: {results.errors[0]}")
    return [
        {name: (result.metrics or {})[name] for name in ("attacker_auc", "matching_auc")}
        for result in results
    ]


def our_spec(trials: int) -> str:
    """The same study for `aia-study launch`."""
    return f"""
space = "alpha-beta"
trials = {trials}
baselines = []
image_side = {SETTINGS.image_side}
[fixed]
channel = "none"
erasure = false
adversary = "cnn"
decoder_width = {SETTINGS.decoder[0]}
learning_rate = {SETTINGS.learning_rate}
[training]
stage1_epochs = {SETTINGS.autoencoder_epochs}
heads_epochs = {SETTINGS.heads_epochs}
joint_epochs = {SETTINGS.joint_epochs}
"""


def drawn_folder(folder: Path) -> None:
    """The drawn faces as PNG files with their labels.csv: what a user brings."""
    from aia_models.data.prepare import open_prepared, prepare

    prepared = prepare("synthetic", image_side=64, attribute="gender", positive=None, cache=folder / "cache")
    faces = open_prepared(prepared)
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "identity", "gender"])
        for row, (image, person) in enumerate(zip(faces.images, faces.identity, strict=True)):
            Image.fromarray(image[0]).save(folder / f"{row:05d}.png")
            gender = "male" if faces.attributes["gender"][row] == 1 else "female"
            writer.writerow([f"{row:05d}.png", faces.identity_names[person], gender])


def seconds_of(command: list[str]) -> float:
    """Wall seconds of a command that must succeed."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--plain-only", type=Path, help="run only the plain study, on this folder")
    given = parser.parse_args()
    if given.plain_only:
        with tempfile.TemporaryDirectory() as storage:
            print(json.dumps(tuned(given.plain_only.resolve(), Path(storage), given.trials)))
        return
    print(asdict(SETTINGS))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "faces")
        folder.mkdir()
        drawn_folder(folder)
        spec = Path(name, "alpha-beta.toml")
        spec.write_text(our_spec(given.trials))
        trials = str(given.trials)
        plain_seconds = seconds_of(
            [sys.executable, __file__, "--trials", trials, "--plain-only", str(folder)]
        )
        command = Path(sys.executable).with_name("aia-study")
        our_seconds = seconds_of(
            [
                str(command),
                "launch",
                str(spec),
                "--dataset",
                f"folder:{folder}",
                "--storage",
                name,
            ]
        )
    print(f"{given.trials} trials: plain {plain_seconds:.0f} s, ours {our_seconds:.0f} s")
    print(f"RESULT study_ratio={plain_seconds / our_seconds:.2f}")


if __name__ == "__main__":
    main()
