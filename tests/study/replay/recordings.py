"""Made-up recorded studies: as arrays, and as the directory of a study."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from analysis.tables.schema import SCHEMAS, to_table
from search_spaces.hyperparameters import resolve
from search_spaces.unit_cube import from_point, to_point
from study.lifecycle.planned_trials import planned_trials
from study.replay.recording import Recording
from study.spec.files import load_spec, to_toml, with_values
from study.spec.spec import StudySpec, searched_space, with_defaults
from study.trial.plan import TrialPlan

EPOCHS = 6


def recorded_spec(designs: int, seeds: int) -> StudySpec:
    """Return the spec of a recording of `designs` random designs of the space `alpha-beta`."""
    spec = with_values(load_spec("alpha-beta"), {"training.joint_epochs": EPOCHS})
    points = np.random.default_rng(0).random((designs, len(searched_space(spec).parameters)))
    drawn = tuple(from_point(searched_space(spec), point) for point in points.tolist())
    changes = {"designs": drawn, "trials": 0, "seeds": seeds, "baselines": (), "judge_each_epoch": True}
    return with_defaults(spec.model_copy(update=changes))


def recording(designs: int = 40, seeds: int = 2, seconds: float | None = None) -> Recording:
    """Return a recording whose objectives improve with the epochs; each epoch and judgement takes `seconds`."""
    spec = recorded_spec(designs, seeds)
    rng = np.random.default_rng(1)
    private = rng.uniform(0, 1, (designs, 1, 1))
    worse = rng.uniform(0, 0.15, (designs, 1, 1)) * np.linspace(1, 0.2, EPOCHS)
    noise = rng.normal(0, 0.01, (2, designs, seeds, EPOCHS))
    attacker = np.clip(0.9 - 0.35 * private + worse + noise[0], 0.5, 1.0)
    matching = np.clip(0.85 - 0.3 * private**2 - worse + noise[1], 0.5, 1.0)
    times = (
        rng.uniform(1, 3, (2, designs, seeds, EPOCHS))
        if seconds is None
        else np.full((2, designs, seeds, EPOCHS), seconds)
    )
    return Recording(
        spec=spec,
        points=np.array(
            [to_point(searched_space(spec), resolve(design, spec.fixed)) for design in spec.designs]
        ),
        seeds=np.full(designs, seeds),
        objectives=np.stack([attacker, matching], axis=-1),
        training_seconds=times[0],
        judging_seconds=times[1],
        stage1_seconds=np.full((designs, seeds), 3.0),
        dropped_trials=0,
    )


def write_study(
    directory: Path,
    source: Recording,
    ends: Mapping[str, str] | None = None,
    judged: Sequence[int] = range(1, EPOCHS + 1),
) -> Path:
    """Write the study from which `source` is recorded; `ends` holds the status of incomplete trials."""
    spec, design = source.spec, {}
    tables: dict[str, list[dict[str, Any]]] = {"trials": [], "epochs": []}
    for plan in planned_trials(spec):
        place = design.setdefault(tuple(plan.values.items()), len(design))
        status = (ends or {}).get(plan.trial_id, "complete")
        tables["trials"].append(_trial_row(plan, f"design{place:03d}", status))
        tables["epochs"] += _epoch_rows(plan.trial_id, source, place, plan.seed - spec.seed, judged)
    for name, rows in tables.items():
        (directory / "results" / name).mkdir(parents=True)
        pq.write_table(to_table(rows, SCHEMAS[name]), directory / "results" / name / "part-000001.parquet")
    (directory / "study.toml").write_text(to_toml(spec))
    return directory


def _trial_row(plan: TrialPlan, design_id: str, status: str) -> dict[str, Any]:
    row = {
        "trial_id": plan.trial_id,
        "design_id": design_id,
        "optuna_number": None,
        "phase": "search",
        "method": "aia",
    }
    return {**row, "seed": plan.seed, "split_seed": 0, "status": status, **plan.values}


def _epoch_rows(
    trial_id: str, source: Recording, design: int, seed: int, judged: Sequence[int]
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"trial_id": trial_id, "epoch": 1, "stage": "autoencoder", "seconds": 2.0},
        {"trial_id": trial_id, "epoch": 2, "stage": "heads", "seconds": 1.0},
    ]
    for epoch in range(EPOCHS):
        row = {"trial_id": trial_id, "epoch": epoch + 3, "stage": "joint"}
        row["seconds"] = source.training_seconds[design, seed, epoch]
        if epoch + 1 in judged:
            row["judging_seconds"] = source.judging_seconds[design, seed, epoch]
            attacker, matching = source.objectives[design, seed, epoch]
            row |= {"attacker_auc_validation": attacker, "matching_auc_validation": matching}
        rows.append(row)
    return rows
