"""Builds the table of the front: the figures of each design, its hyperparameters, and the path of its checkpoint."""

import polars as pl

from analysis.fronts.candidates import require_objectives
from analysis.fronts.hypervolume import hypervolume_contributions
from analysis.fronts.pareto import pareto_front
from analysis.tables.beside import CERTIFIED_AUC, LINKED
from analysis.tables.objectives import ATTACKER, MATCHING
from analysis.tables.reader import StudyTables, read_trials
from search_spaces.hyperparameters import HYPERPARAMETERS

CONTRIBUTION = "hypervolume_contribution"
IDENTITY = ("optuna_number", "trial_id", "design_id", "source", "seeds")
FIGURES = (
    *(f"{ATTACKER.column}{end}" for end in ("", "_low", "_high")),
    LINKED.column("validation"),
    CERTIFIED_AUC,
    *(f"{MATCHING.column}{end}" for end in ("", "_low", "_high")),
    "attacker_auc_test",
    "matching_auc_test",
    "matching_auc_same_gender_validation",
    "matching_auc_same_gender_test",
)
# The figures that `front` prints for people where a design has them, each with its interval: titles and columns.
PRINTED_FIGURES = (
    ("attacker AUC", "attacker_auc_validation"),
    ("linked attacker", LINKED.column("validation")),
    ("certified", CERTIFIED_AUC),
    ("matching AUC", "matching_auc_validation"),
    ("test attacker", "attacker_auc_test"),
    ("test matching", "matching_auc_test"),
)


def front_rows(study: StudyTables) -> pl.DataFrame:
    """Return one row per design of the front, the most private first.

    Columns: first the `leading_columns`, then all other columns of `trials`, then `hypervolume_contribution`, which
    is how much the front's hypervolume would shrink without the row (AUC x AUC). `source` and `seeds` are those of
    `analysis.fronts.pareto.pareto_front`. Raises AnalysisError if no trial is judged or the table cannot be read.
    """
    trials = read_trials(study)
    require_objectives(trials, study.directory, study.objectives)
    front = pareto_front(trials, study.objectives)
    leading = leading_columns(front)
    contribution = pl.Series(CONTRIBUTION, hypervolume_contributions(front, study.objectives))
    return front.select(*leading, pl.exclude(leading)).with_columns(contribution)


def printed_figures(rows: pl.DataFrame) -> list[tuple[str, str]]:
    """Return titles and columns of the PRINTED_FIGURES that at least one of the rows has."""
    return [(title, column) for title, column in PRINTED_FIGURES if rows[column].null_count() < rows.height]


def leading_columns(front: pl.DataFrame) -> list[str]:
    """Return the names of the columns that a reader wants first: ids, figures, hyperparameters in effect, checkpoint.

    A hyperparameter is in effect if at least one row of `front` has a value of it.
    """
    active = [name for name in HYPERPARAMETERS if front[name].null_count() < front.height]
    return [*IDENTITY, *FIGURES, *active, "checkpoint"]
