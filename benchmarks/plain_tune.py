"""A whole study against the plain one: plain.py under Ray Tune with Optuna's search at its defaults, then ours.

Both run the same number of trials of the same budget over α and β, on the same folder of images, with Ray's default
of one core per trial, and each is timed as a user would: from nothing to its last figure, imports and Ray's start
included. Ours also prepares the images, judges with intervals, and writes tables and checkpoints.

    python benchmarks/plain_tune.py
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

import plain
import polars as pl
from arguments import at_least
from drawn_folder import drawn_folder

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


def timed(command: list[str]) -> tuple[float, str]:
    """Wall seconds and standard output of a command that must succeed."""
    started = time.perf_counter()
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return time.perf_counter() - started, ran.stdout


def ranges_of(figures: list[dict[str, float]]) -> str:
    """The ranges that a study's trials span."""
    ranges = []
    for name in ("attacker_auc", "matching_auc"):
        values = [row[name] for row in figures]
        ranges.append(f"{name} {min(values):.3f} to {max(values):.3f}")
    return ", ".join(ranges)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=at_least(1), default=6)
    parser.add_argument("--repeats", type=at_least(1), default=2)
    parser.add_argument("--plain-only", type=Path, help="run only the plain study, on this folder of images")
    given = parser.parse_args()
    if given.plain_only:
        if not (given.plain_only / "labels.csv").is_file():
            parser.error(
                f"{given.plain_only} has no labels.csv: give a folder with one (image,identity,gender)"
            )
        with tempfile.TemporaryDirectory() as storage:
            print(json.dumps(tuned(given.plain_only.resolve(), Path(storage), given.trials)))
        return
    print(asdict(SETTINGS))
    with tempfile.TemporaryDirectory() as name:
        folder, spec = drawn_folder(Path(name)), Path(name, "alpha-beta.toml")
        spec.write_text(our_spec(given.trials))
        plainly = [sys.executable, __file__, "--trials", str(given.trials), "--plain-only", str(folder)]
        launch = [
            str(Path(sys.executable).with_name("aia-study")),
            "launch",
            str(spec),
            "--dataset",
            f"folder:{folder}",
        ]
        ratios = []
        for repeat in range(1, given.repeats + 1):
            theirs, shown = timed(plainly)
            storage = Path(
                name, f"storage-{repeat}"
            )  # of its own, so that no earlier run has prepared its images
            mine, _ = timed([*launch, "--storage", str(storage), "--name", "ours"])
            ratios.append(theirs / mine)
            print(
                f"{given.trials} trials: plain {theirs:.0f} s ({ranges_of(json.loads(shown.splitlines()[-1]))})"
            )
            table = pl.read_parquet(storage / "ours" / "results" / "trials" / "*.parquet")
            figures = table.select(
                attacker_auc="attacker_auc_validation", matching_auc="matching_auc_validation"
            )
            print(f"{given.trials} trials: ours {mine:.0f} s ({ranges_of(figures.to_dicts())})")
    print(
        f"RESULT study_ratio={statistics.median(ratios):.2f} lowest={min(ratios):.2f} highest={max(ratios):.2f}"
    )


if __name__ == "__main__":
    main()
