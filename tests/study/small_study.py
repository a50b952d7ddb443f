"""Writes a made-up study: a shipped spec, and search trials along a trade-off, each in its own part."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from analysis.tables.schema import SCHEMAS, to_table
from study.spec.files import load_spec, to_toml, with_settings
from study.spec.spec import with_defaults

TRIALS = 4


def trial(number: int, **more: Any) -> dict[str, Any]:
    """Return the row of a complete trial; a higher number is more useful and less private."""
    trial_id = f"trial-{number:05d}"
    row = {
        "trial_id": trial_id,
        "design_id": f"design-{number}",
        "optuna_number": number,
        "phase": "search",
        "method": "aia",
        "seed": 0,
        "split_seed": 0,
        "status": "complete",
        "alpha": 1.0 + number,
        "attacker_auc_validation": 0.55 + number / 20,
        "matching_auc_validation": 0.60 + number / 20,
        "checkpoint": f"checkpoints/{trial_id}",
    }
    return {**row, **more}


def write_study(
    directory: Path, rows: Sequence[Mapping[str, Any]] | None = None, settings: Sequence[str] = ()
) -> Path:
    """Write a study of `quick` with `settings`; each trial of `rows` has an epoch and a checkpoint."""
    directory.mkdir(parents=True)
    (directory / "study.toml").write_text(to_toml(with_defaults(with_settings(load_spec("quick"), settings))))
    for row in [trial(number) for number in range(TRIALS)] if rows is None else rows:
        write_part(directory, "trials", row)
        write_part(directory, "epochs", {"trial_id": row["trial_id"], "epoch": 1, "stage": "joint"})
        (directory / row["checkpoint"]).mkdir(parents=True)
        (directory / row["checkpoint"] / "config.json").write_text("{}")
    return directory


def write_part(directory: Path, table: str, row: Mapping[str, Any]) -> None:
    """Write a part of one row, named after its trial."""
    place = directory / "results" / table
    place.mkdir(parents=True, exist_ok=True)
    pq.write_table(to_table([row], SCHEMAS[table]), place / f"part-{row['trial_id'][-5:]}.parquet")
