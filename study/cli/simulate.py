"""The command `simulate` replays a recorded study under another search and prints how the search went."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from analysis.tables.location import Location
from analysis.tables.objectives import Objective
from study.console import Format, print_rows, print_table, stdout
from study.replay.recording import Recording, read_recording
from study.replay.replay import ReplayedTrial, replay
from study.spec.files import with_values
from study.spec.spec import StudySpec

SECONDS_PER_HOUR = 3600.0


def simulate(table: Location, changes: Mapping[str, Any], workers: int, form: Format = Format.TABLE) -> None:
    """Replay the recorded study at `table` with `changes` to its spec, by key, and print trials and totals.

    At most `workers` trials run at the same virtual time.
    """
    recording = read_recording(table)
    defaults = {} if recording.spec.trials else {"trials": len(recording.points)}
    spec = with_values(recording.spec, {**defaults, **changes})
    started = time.perf_counter()
    trials = list(replay(recording, spec, workers))
    wall_seconds = time.perf_counter() - started
    rows = [_row(trial, spec.search_objectives) for trial in trials]
    if form is Format.CSV:
        print_rows(pl.DataFrame(rows), form)
        return
    summary = _summary(recording, spec, workers, trials, wall_seconds)
    if form is Format.JSON:
        sys.stdout.write(json.dumps({**summary, "trials": rows}, indent=2) + "\n")
        return
    stdout.print(
        f"{table}: {summary.pop('recorded')}; virtual time does not include stage 1, which trials share"
    )
    print_table(["figure", "value"], [[name, _text(value)] for name, value in summary.items()])


def _summary(
    recording: Recording,
    spec: StudySpec,
    workers: int,
    trials: Sequence[ReplayedTrial],
    wall_seconds: float,
) -> dict[str, Any]:
    last = trials[-1]
    training_seconds = sum(trial.training_seconds for trial in trials)
    stopping = spec.early_stopping
    return {
        "recorded": recording.evidence,
        "sampler": spec.sampler,
        "rule": stopping.rule,
        "grace_epochs": stopping.grace_epochs,
        "reduction_factor": stopping.reduction_factor,
        "workers": workers,
        "seed": spec.seed,
        "complete": sum(trial.status == "complete" for trial in trials),
        "stopped_early": sum(trial.status == "stopped_early" for trial in trials),
        "joint_epochs": last.joint_epochs_spent,
        "virtual_hours": last.ended_seconds / SECONDS_PER_HOUR,
        "training_hours": training_seconds / SECONDS_PER_HOUR,
        "judging_hours": sum(trial.judging_seconds for trial in trials) / SECONDS_PER_HOUR,
        "hypervolume": last.hypervolume,
        "front": last.front_size,
        "wall_seconds": wall_seconds,
        "speedup": training_seconds / wall_seconds,
    }


def _row(trial: ReplayedTrial, objectives: Sequence[Objective]) -> dict[str, Any]:
    figures = {o.column: value for o, value in zip(objectives, trial.objectives, strict=True)}
    content = {name: value for name, value in vars(trial).items() if name != "objectives"}
    return {**content, **figures}


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
