"""Summarises the state of a study: how its trials ended, what they reached, and what went wrong."""

from dataclasses import asdict
from typing import Any

import polars as pl

from analysis.fronts.candidates import candidates
from analysis.fronts.hypervolume import hypervolume
from analysis.fronts.pareto import pareto_front
from analysis.summaries.evidence import evidence, status_counts
from analysis.tables.objectives import Objective
from analysis.tables.reader import StudyTables, read_trials

PHASES = ("search", "confirm", "baseline")


def status_summary(study: StudyTables) -> dict[str, Any]:
    """Return the state of a study as a dictionary that JSON can hold.

    Keys: `directory`; `trials` (number of rows); `evidence` (one line); `phases` (trials of each phase by status);
    `source` ("search" or "confirm", what `front` and `best` come from, None if no trial is judged); `front` (number
    of designs); `hypervolume` (AUC x AUC); `best` (for each objective its best `value` with `trial_id` and
    `checkpoint`, None if no trial is judged); `errors` (one entry per trial with an error); `damaged` (`path` and
    `why` of each damaged table file). Raises AnalysisError if the tables cannot be read.
    """
    trials = read_trials(study)
    front = pareto_front(trials, study.objectives)
    judged = candidates(trials, study.objectives)
    failed = trials.filter(pl.col("error").is_not_null()).sort("phase", "optuna_number", "trial_id")
    return {
        "directory": study.directory,
        "trials": trials.height,
        "evidence": evidence(trials),
        "phases": {phase: status_counts(trials.filter(pl.col("phase") == phase)) for phase in PHASES},
        "source": front["source"].first(),
        "front": front.height,
        "hypervolume": hypervolume(trials, study.objectives),
        "best": {objective.column: _best(judged, objective) for objective in study.objectives},
        "errors": failed.select("trial_id", "phase", "status", "error").to_dicts(),
        "damaged": [asdict(part) for part in study.damaged()],
    }


def _best(judged: pl.DataFrame, objective: Objective) -> dict[str, Any] | None:
    ordered = judged.sort(pl.col(objective.column) * objective.sign, "trial_id")
    value = pl.col(objective.column).alias("value")
    return ordered.select(value, "trial_id", "checkpoint").row(0, named=True) if judged.height else None
