"""Compares views of the representations that a kernel penalty can read: coordinates or components.

The mirrored kernel ridge is trained on each view at several β and judged. Each printed row
is a view and a β with attacker AUC and matching AUC on validation and on test.
docs/experiments/penalty_views.md has the figures of

    python benchmarks/experiments/penalty_views.py --full --dataset folder:PATH
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the folder that holds `shared`

import torch
from penalties import FULL_EPOCHS, MIRRORED, SHORT_EPOCHS, Design
from shared.recorded_runs import RecordedRuns, comparison_options

from aia_models.config import ComputeConfig
from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.data.splits import split_faces
from aia_models.judging.judge import JUDGE_VERSION, judge
from aia_models.judging.released import release_faces
from aia_models.losses import penalties
from aia_models.losses.partial_whitening import partially_whiten
from aia_models.networks.standardise import standardise
from aia_models.release.anonymizer import fit_anonymizer
from aia_models.training.allocator import keep_freed_memory
from aia_models.training.trainer import Trainer

View = Callable[[torch.Tensor], torch.Tensor]


VIEWS: dict[str, View] = {
    "each coordinate standardised": standardise,
    "100 components as they are": partial(partially_whiten, components=100, exponent=0.0),
    "100 components half-whitened": partial(partially_whiten, components=100, exponent=0.25),
    "200 components half-whitened": partial(partially_whiten, components=200, exponent=0.25),
    "100 components whitened": partial(partially_whiten, components=100, exponent=0.5),
    "50 components whitened": partial(partially_whiten, components=50, exponent=0.5),
}
BETAS = (0.3, 1.0)


def judged(task: tuple[str, float, str, int, Path]) -> list[dict[str, Any]]:
    """Figures of one view at one β."""
    name, beta, dataset, epochs, cache = task
    torch.set_num_threads(1)
    keep_freed_memory()
    folder = prepare(dataset, image_side=32, attributes=("gender",), positive=None, cache=cache)
    faces = split_faces(open_prepared(folder), ("gender",), 0)
    config = Design("", 0.008, 0.3, beta, MIRRORED).config(epochs, 0)
    with patch.object(penalties, "partially_whiten", VIEWS[name]):
        trainer = Trainer(config, ComputeConfig(), faces)
        list(trainer.run())
    anonymizer = fit_anonymizer(trainer.networks, config, faces)
    released = release_faces(anonymizer, faces, 0)
    judgement = judge(released, anonymizer.encoder.map_shape, 0)
    row: dict[str, Any] = {"view": name, "beta": beta}
    for split in ("validation", "test"):
        row[f"attacker, {split}"] = judgement.strongest_attack(split).folded_auc
        row[f"matching, {split}"] = judgement.best_match(split).auc
    return [row]


def main() -> None:
    """Command line."""
    options = comparison_options(__doc__, "penalty_views", f"{FULL_EPOCHS} epochs instead of {SHORT_EPOCHS}")
    epochs = FULL_EPOCHS if options.full else SHORT_EPOCHS
    runs = RecordedRuns(options, epochs=epochs, judge_version=JUDGE_VERSION)
    done = {(row["view"], row["beta"]) for row in runs.rows}
    tasks = [
        (view, beta, options.dataset, epochs, options.cache)
        for view in VIEWS
        for beta in BETAS
        if (view, beta) not in done
    ]
    runs.run(judged, tasks, lambda task: f"{task[0]}, β {task[1]:g}")
    print("view | β | attacker AUC on validation | matching | on test | matching")
    for row in runs.rows:
        print(" | ".join(f"{value:.3f}" if isinstance(value, float) else value for value in row.values()))


if __name__ == "__main__":
    main()
