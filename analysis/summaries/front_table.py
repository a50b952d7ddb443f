"""The front as a table for people and programs: what was reached, how, and where its checkpoint lies."""

import polars as pl

from analysis.fronts.candidates import require_objectives
from analysis.fronts.hypervolume import contributions
from analysis.fronts.pareto import pareto_front
from analysis.tables.objectives import ATTACKER, MATCHING
from analysis.tables.reader import StudyTables, read_trials
from search_spaces.hyperparameters import HYPERPARAMETERS

CONTRIBUTION = "hypervolume_contribution"
IDENTITY = ("optuna_number", "trial_id", "design_id", "source", "seeds")
FIGURES = (
    *(f"{ATTACKER.column}{end}" for end in ("", "_low", "_high")),
    *(f"{MATCHING.column}{end}" for end in ("", "_low", "_high")),
    "attacker_auc_test",
    "matching_auc_test",
    "matching_auc_same_gender_validation",
    "matching_auc_same_gender_test",
)


def front_rows(study: StudyTables) -> pl.DataFrame:
    """Return the front's rows of `trials`, the most private first, with `source`, `seeds` and a contribution.

    `hypervolume_contribution` is what the front's hypervolume would lose without the row (AUC x AUC). What a reader
    wants first comes first (`leading_columns`), then every other column of `trials`. Raises AnalysisError where no
    front can exist.
    """
    trials = read_trials(study)
    require_objectives(trials, study.directory, study.objectives)
    front = pareto_front(trials, study.objectives)
    leading = leading_columns(front)
    contribution = pl.Series(CONTRIBUTION, contributions(front, study.objectives))
    return front.select(*leading, pl.exclude(leading)).with_columns(contribution)


def leading_columns(front: pl.DataFrame) -> list[str]:
    """Return the columns that make a front readable: figures, the hyperparameters in effect, checkpoint."""
    active = [name for name in HYPERPARAMETERS if front[name].null_count() < front.height]
    return [*IDENTITY, *FIGURES, *active, "checkpoint"]
