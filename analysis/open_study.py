"""Opens a study from Python and answers questions about it: its front, its hypervolume, the checkpoint to ship."""

import warnings
from dataclasses import dataclass

import polars as pl

from analysis.fronts.hypervolume import hypervolume
from analysis.fronts.pareto import pareto_front
from analysis.fronts.selection import Selection, SelectionCriteria, select
from analysis.summaries.history import history
from analysis.tables import reader as tables
from analysis.tables.location import Location
from analysis.uncertainty import comparison
from analysis.uncertainty.design_bootstrap import bootstrap_designs


@dataclass(frozen=True)
class Study:
    """One study that has finished trials; `tables` gives its four result tables as lazy frames.

    Every method reads what it needs from the tables when it is called, and raises AnalysisError where they cannot be
    read.
    """

    tables: tables.StudyTables

    def trials(self) -> pl.DataFrame:
        """Return the whole `trials` table, one row per trial of any phase and status."""
        return tables.read_trials(self.tables)

    def front(self) -> pl.DataFrame:
        """Return the Pareto-optimal rows of `trials` with `source` and `seeds`, as
        `analysis.fronts.pareto.pareto_front` describes them; an empty frame where no trial is judged."""
        return pareto_front(self.trials(), self.tables.objectives)

    def hypervolume(self) -> float:
        """Return the hypervolume of the study's front up to the objectives' declared reference point, in AUC x AUC."""
        return hypervolume(self.trials(), self.tables.objectives)

    def history(self) -> pl.DataFrame:
        """Return the hypervolume of the search's front after each search trial, one row per trial: `trials`, `epochs`,
        `seconds` (all cumulative) and `hypervolume`, as `analysis.summaries.history.history` describes them."""
        return history(self.trials(), tables.read_epochs(self.tables), self.tables.objectives)

    def pareto_probability(self) -> pl.DataFrame:
        """Return one row per design, the most probable first, with `design` (its id), `on_front` (whether it is
        Pareto-optimal by its measured figures) and `probability` (share of the bootstrap resamples of people and
        seeds in which it is Pareto-optimal, 0 to 1).

        Raises AnalysisError where no trial is judged or resamples are missing.
        """
        return bootstrap_designs(self.tables).pareto_probability()

    def compare(self, other: "Study") -> comparison.Comparison:
        """Return how much larger the hypervolume of this study's front is than that of `other`, with 95 % intervals.

        Raises AnalysisError where the two studies were not judged alike, no trial is judged, or resamples are missing.
        """
        return comparison.compare(self.tables, other.tables)

    def select(
        self,
        max_attacker_auc: float | None = None,
        *,
        min_matching_auc: float | None = None,
        max_linked_attacker_auc: float | None = None,
        knee: bool = False,
        weights: tuple[float, float] | None = None,
    ) -> Selection:
        """Return the checkpoint to ship: the best design within the limits, by validation figures.

        `max_attacker_auc`, `max_linked_attacker_auc` and `min_matching_auc` are limits from 0.5 to 1. `knee` and
        `weights` say what is best within them, as `analysis.fronts.selection.SelectionCriteria` describes. Raises
        AnalysisError where the arguments ask for nothing or contradict each other, and where no judged trial with a
        checkpoint is within the limits.
        """
        criteria = SelectionCriteria(
            max_attacker_auc, min_matching_auc, max_linked_attacker_auc, knee, weights
        )
        return select(self.trials(), criteria, self.tables.directory)


def open_study(directory: str | Location) -> Study:
    """Return the study in a local directory or under the URI of an object store.

    Damaged Parquet files of `trials` are left out, each with a warning. Raises AnalysisError where the directory
    holds no study, none of its trials has finished yet, or its tables cannot be read.
    """
    study = Study(tables.open_tables(directory))
    for part in study.tables.damaged("trials"):
        warnings.warn(str(part), stacklevel=2)
    return study
