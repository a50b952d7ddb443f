"""A recorded study as arrays: the figures of each design after every joint epoch, and the seconds that they took.

A recording is read from the directory of a study whose trials were judged after every joint epoch, or from the one
Parquet file into which `write_table` condensed such a study.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float, Int

from analysis.tables.location import Location, local_copy
from analysis.tables.reader import read_epochs, read_trials
from analysis.tables.schema import EPOCHS_SCHEMA, SCHEMA_VERSION, TRIALS_SCHEMA, to_table
from search_spaces.spaces import Space
from search_spaces.unit_cube import to_point
from study.errors import StudyError
from study.open_readable import open_readable
from study.spec.files import from_toml, load_spec, to_toml
from study.spec.spec import StudySpec, searched_space
from study.storage.paths import SPEC_FILE

# Keys of the file's Arrow metadata.
SPEC, DROPPED = b"aia_study_spec", b"aia_study_dropped_trials"
JUDGED_EACH_EPOCH = "needs a study recorded with judge_each_epoch = true"


@dataclass(frozen=True)
class Recording:
    """The complete search trials of a study, judged after every joint epoch.

    `points` are the designs in the space's unit cube, and `seeds` the number of seeds with which each design was
    trained. The axis `seed` has the length of the largest number; a design with fewer seeds is filled up with NaN.
    `objectives` are as recorded, in the order of the spec's. `dropped_trials` counts the trials that did not complete;
    they are not in the arrays.
    """

    spec: StudySpec
    points: Float[np.ndarray, "design parameter"]
    seeds: Int[np.ndarray, " design"]
    objectives: Float[np.ndarray, "design seed epoch objective"]
    training_seconds: Float[np.ndarray, "design seed epoch"]
    judging_seconds: Float[np.ndarray, "design seed epoch"]
    stage1_seconds: Float[np.ndarray, "design seed"]
    dropped_trials: int

    @property
    def space(self) -> Space:
        """The searched space; its parameters are the columns of `points`."""
        return searched_space(self.spec)

    @property
    def evidence(self) -> str:
        """The numbers of designs, seeds and trials, in words."""
        designs, seeds, epochs, _ = self.objectives.shape
        dropped = (
            f", {self.dropped_trials} trials dropped that did not complete" if self.dropped_trials else ""
        )
        return f"{designs} designs x up to {seeds} seeds, {self.seeds.sum()} trials of {epochs} joint epochs{dropped}"


def read_recording(table: Location) -> Recording:
    """Return the recording in a study's directory or in a file of `write_table`. Raises StudyError if there is none."""
    return _recording(condensed(table) if table.is_dir() else _read(table), table)


def write_table(directory: Location, path: Path) -> None:
    """Condense the recorded study at `directory` into one Parquet file. Raises StudyError if it is no recording."""
    pq.write_table(condensed(directory), path, compression="zstd", compression_level=19)


def condensed(directory: Location) -> pa.Table:
    """Return one row per complete search trial and joint epoch of a study, with its spec in the Arrow metadata.

    Raises StudyError if a complete trial was not judged after every joint epoch.
    """
    study = open_readable(directory, "trials", "epochs")
    with local_copy(directory / SPEC_FILE) as spec_file:
        spec = load_spec(str(spec_file))
    trials = read_trials(study).filter(pl.col("phase") == "search")
    complete = trials.filter(pl.col("status") == "complete").sort("design_id", "seed")
    schema = _schema(spec, trials.height - complete.height)
    epochs: dict[str, list[dict[str, Any]]] = {}
    for row in read_epochs(study).sort("trial_id", "epoch").iter_rows(named=True):
        epochs.setdefault(row["trial_id"], []).append(row)
    rows: list[dict[str, Any]] = []
    for trial in complete.iter_rows(named=True):
        trial_epochs = epochs.get(trial["trial_id"], [])
        stage1_seconds = sum(epoch["seconds"] for epoch in trial_epochs if epoch["stage"] != "joint")
        joint = [epoch for epoch in trial_epochs if epoch["stage"] == "joint"]
        if len(joint) != spec.training.joint_epochs:
            raise StudyError(
                f"{directory}: trial {trial['trial_id']} has {len(joint)} joint epochs of"
                f" {spec.training.joint_epochs}; {JUDGED_EACH_EPOCH}"
            )
        for number, epoch in enumerate(joint, start=1):
            if epoch["judging_seconds"] is None:
                raise StudyError(
                    f"{directory}: trial {trial['trial_id']} was not judged after joint epoch {number};"
                    f" {JUDGED_EACH_EPOCH}"
                )
            row = trial | epoch | {"joint_epoch": number, "stage1_seconds": stage1_seconds}
            rows.append({name: row[name] for name in schema.names})
    return to_table(rows, schema)


def _schema(spec: StudySpec, dropped_trials: int) -> pa.Schema:
    identifying = ("trial_id", "design_id", "seed", *searched_space(spec).parameters)
    measured = (*(objective.column for objective in spec.search_objectives), "seconds", "judging_seconds")
    fields = [
        *(TRIALS_SCHEMA.field(name) for name in identifying),
        _required("joint_epoch", pa.int64(), "Joint epoch, counted from 1."),
        *(EPOCHS_SCHEMA.field(name).with_nullable(False) for name in measured),
        _required(
            "stage1_seconds", pa.float64(), "Seconds of the trial's stage 1, the same in all of its rows."
        ),
    ]
    metadata = {
        "aia_study_schema_version": str(SCHEMA_VERSION),
        "about": "One row per complete search trial and joint epoch of a study that was judged after each.",
        SPEC: to_toml(spec),
        DROPPED: str(dropped_trials),
    }
    return pa.schema(fields, metadata=metadata)


def _required(name: str, kind: pa.DataType, about: str) -> pa.Field:
    return pa.field(name, kind, nullable=False, metadata={"about": about})


def _read(path: Location) -> pa.Table:
    if not path.is_file():
        raise StudyError(f"{path}: no such file; needs a recorded study's directory or its one Parquet file")
    try:
        with local_copy(path) as file:
            table = pq.read_table(file)
    except (pa.ArrowException, OSError) as error:
        raise StudyError(
            f"{path} is no Parquet file; needs a recorded study's directory or its one Parquet file"
        ) from error
    for key in (SPEC, DROPPED):
        if key not in (table.schema.metadata or {}):
            raise StudyError(f"{path} is no recorded study: its metadata lacks {key.decode()}")
    return table


def _recording(table: pa.Table, source: Location) -> Recording:
    metadata = table.schema.metadata
    spec = from_toml(metadata[SPEC].decode(), str(source))
    columns = [objective.column for objective in spec.search_objectives]
    epochs = spec.training.joint_epochs
    missing = [name for name in _schema(spec, 0).names if name not in table.column_names]
    if missing:
        raise StudyError(f"{source} is no recorded study: it lacks the column {missing[0]}")
    trials: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        trials.setdefault(row["trial_id"], []).append(row)
    designs: dict[str, list[list[dict[str, Any]]]] = {}
    for trial_id, rows in trials.items():
        if [row["joint_epoch"] for row in rows] != list(range(1, epochs + 1)):
            raise StudyError(
                f"{source}: trial {trial_id} lacks joint epochs; needs 1 to {epochs} of each trial"
            )
        designs.setdefault(rows[0]["design_id"], []).append(rows)
    if not designs:
        raise StudyError(f"{source}: no trial is complete; {JUDGED_EACH_EPOCH}")
    seeds = np.array([len(runs) for runs in designs.values()])
    figures = np.full((len(designs), seeds.max(), epochs, len(columns) + 3), np.nan)
    for design, runs in enumerate(designs.values()):
        for seed, rows in enumerate(runs):
            figures[design, seed] = [
                [row[name] for name in (*columns, "seconds", "judging_seconds", "stage1_seconds")]
                for row in rows
            ]
    searched = searched_space(spec)
    return Recording(
        spec=spec,
        points=np.array([to_point(searched, runs[0][0]) for runs in designs.values()]),
        seeds=seeds,
        objectives=figures[..., :-3],
        training_seconds=figures[..., -3],
        judging_seconds=figures[..., -2],
        stage1_seconds=figures[:, :, 0, -1],
        dropped_trials=int(metadata[DROPPED]),
    )
