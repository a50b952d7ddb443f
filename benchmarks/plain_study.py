"""Runs the plain peer as a study: plain.py under Ray Tune with Optuna's search at its defaults.

It trains and judges the same people as our study. `against_plain.py` runs it in a process of its own:

    python benchmarks/plain_study.py FOLDER STORAGE '{"settings": {…}, "trials": 24, "first": [{…}]}'
"""

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import plain
import torch

from aia_models.data.splits import split_of


def trial_figures(folder: Path, settings: plain.Settings, splits: list[str], keep: Path) -> dict[str, float]:
    """`plain.run` on given splits; the representations of all images are left in `keep` for another judge."""
    faces, of = plain.read_faces(folder, settings.image_side), np.array(splits)
    train_faces, attack, judged = (
        faces.at(np.flatnonzero(of == split)) for split in ("train", "attack", "validation")
    )
    trainer = plain.train(train_faces, settings)
    figures = plain.judge(trainer, attack, judged)
    with torch.no_grad():
        g = trainer.autoencoder.encoder(faces.images)
    with tempfile.NamedTemporaryFile(dir=keep, suffix=".npy", delete=False) as file:
        np.save(file, g.numpy())
    return figures


def tuned(
    folder: Path, storage: Path, trials: int, settings: plain.Settings, first: list[dict[str, float]]
) -> list[dict[str, float]]:
    """Figures of the trials of a plain study that begins with `first`, as a good engineer writes it in a day."""
    import optuna
    from ray import tune
    from ray.tune.search.optuna import OptunaSearch

    identities = [line.split(",")[1] for line in (folder / "labels.csv").read_text().splitlines()[1:]]
    splits = [split_of(identity, 0) for identity in identities]

    def trial(config: dict[str, float]) -> None:
        told = replace(settings, alpha=config["alpha"], beta=config["beta"])
        tune.report(trial_figures(folder, told, splits, storage))

    space = {
        "alpha": optuna.distributions.FloatDistribution(0.1, 30.0, log=True),
        "beta": optuna.distributions.FloatDistribution(0.01, 10.0, log=True),
    }
    search = OptunaSearch(
        space,
        points_to_evaluate=first,
        metric=["attacker_auc", "matching_auc"],
        mode=["min", "max"],
        seed=settings.seed,
    )
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


def main() -> None:
    """Command line."""
    folder, storage, told = sys.argv[1:]
    given = json.loads(told)
    settings = plain.Settings(**given["settings"])
    found = tuned(Path(folder).resolve(), Path(storage).resolve(), given["trials"], settings, given["first"])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
