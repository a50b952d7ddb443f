"""A study and the questions one asks of it, from Python."""

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
from analysis.uncertainty.design_bootstrap import bootstrapped


@dataclass(frozen=True)
class Study:
    """One study. `tables` are its four as lazy frames."""

    tables: tables.StudyTables

    def trials(self) -> pl.DataFrame:
        """The whole `trials` table."""
        return tables.read_trials(self.tables)

    def front(self) -> pl.DataFrame:
        """The Pareto-optimal rows of `trials`, as `aia-study front` shows them."""
        return pareto_front(self.trials(), self.tables.objectives)

    def hypervolume(self) -> float:
        """Of its front, up to the objectives' declared reference."""
        return hypervolume(self.trials(), self.tables.objectives)

    def history(self) -> pl.DataFrame:
        """How the hypervolume grew, as `analysis.history.history` describes it."""
        return history(self.trials(), tables.read_epochs(self.tables), self.tables.objectives)

    def pareto_probability(self) -> pl.DataFrame:
        """Per `design`, the share of resamples of people and seeds in which it is Pareto-optimal (`probability`), and
        whether it is by its figures (`on_front`). AnalysisError where resamples are missing."""
        return bootstrapped(self.tables).pareto_probability()

    def compare(self, other: "Study") -> comparison.Comparison:
        """By how much its front is better than another's, as `analysis.comparison.compare` describes it."""
        return comparison.compare(self.tables, other.tables)

    def select(
        self,
        max_attacker_auc: float | None = None,
        *,
        min_matching_auc: float | None = None,
        knee: bool = False,
        weights: tuple[float, float] | None = None,
    ) -> Selection:
        """The checkpoint to ship, as `analysis.fronts.selection.SelectionCriteria` describes it.

        AnalysisError where no design meets the criteria."""
        wish = SelectionCriteria(max_attacker_auc, min_matching_auc, knee, weights)
        return select(self.trials(), wish, self.tables.directory)


def open_study(directory: str | Location) -> Study:
    """Return the study in a local directory or under a URI.

    AnalysisError where there is no study or none of its trials has finished yet. Damaged parts of `trials` are left
    out, each with a warning.
    """
    study = Study(tables.open_tables(directory))
    for part in study.tables.damaged("trials"):
        warnings.warn(str(part), stacklevel=2)
    return study
