"""A process that appends trials and prints each id when its append has returned; the store's tests kill it."""

import sys
import time
from pathlib import Path

import numpy as np

from study.storage.outcome import Outcome
from study.storage.results_store import ResultsStore
from study.storage.study_storage import StudyStorage

SPLITS = ("validation", "test")


def rows_of(trial_id: str) -> Outcome:
    """Return rows whose numbers are derived from the id's last digit, so that a reader knows what to expect."""
    number = int(trial_id.rpartition("-")[2])
    trial = {
        "trial_id": trial_id,
        "design_id": f"design-{number}",
        "optuna_number": number,
        "phase": "search",
        "method": "aia",
        "seed": 0,
        "split_seed": 0,
        "status": "complete" if epochs_of(trial_id) else "failed",
        "alpha": 1 / (number + 3),
        "erasure": bool(number % 2),
        "error": "a line\nbreak, é and \u2028",
    }
    epochs = [
        {"trial_id": trial_id, "epoch": epoch, "stage": "joint", "total_loss": 1 / epoch}
        for epoch in range(1, 1 + epochs_of(trial_id))
    ]
    attacks = [
        {
            "trial_id": trial_id,
            "split": split,
            "attribute": "gender",
            "attacker": "logistic_regression",
            "reads": "single_release",
            "vantage": "attack",
            "releases": 1,
            "train_images": 100,
            "setting": "0.01",
            "folded_auc": 0.6,
        }
        for split in SPLITS
    ]
    matches = [
        {"trial_id": trial_id, "split": split, "matcher": "siamese", "negatives": "any", "pairs": 9}
        for split in SPLITS[: number % 3]
    ]
    return Outcome(trial, epochs, attacks, matches)


def epochs_of(trial_id: str) -> int:
    """Return how many epochs the trial with that id has, 0 to 4."""
    return int(trial_id.rpartition("-")[2]) % 5


def write(directory: Path, run: int, trials: int, pause_seconds: float) -> None:
    """Append trials with a flush after every few, then close the store."""
    rng = np.random.default_rng(run)
    with ResultsStore(StudyStorage(directory)) as store:
        for number in range(trials):
            trial_id = f"{run}-{number}"
            store.append(rows_of(trial_id))
            sys.stdout.write(f"{trial_id}\n")
            sys.stdout.flush()
            if rng.random() < 0.3:
                store.flush()
            time.sleep(pause_seconds)


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
