"""What confirmed designs attain over their seeds: attainment surfaces, and Vorob'ev's average front.

Each seed's designs are one run. The empirical attainment function of a point is the share of runs that reach it or
better (Grunert da Fonseca et al. 2001); Vorob'ev's expectation is the surface attained by such a share that its
hypervolume is the runs' mean (Binois et al. 2015).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import moocore
import numpy as np
import polars as pl

from analysis.errors import AnalysisError
from analysis.fronts.candidates import judged
from analysis.fronts.pareto import costs_of
from analysis.tables.objectives import SEARCH_OBJECTIVES, Objective

BEST, MEDIAN, WORST = "best", "median", "worst"
PERCENTILES = {BEST: 0.0, MEDIAN: 50.0, WORST: 100.0}  # of the runs; 0: at least one
MIN_SEEDS = 2
MAX_OBJECTIVES = 3  # that moocore computes attainment surfaces of


@dataclass(frozen=True)
class Vorobev:
    """How runs differ: `expectation` `[point, objective]` as costs, attained by `threshold_percent` of the runs.

    `deviation` is the mean hypervolume between a run and the expectation, `mean_hypervolume` that of the runs, both up
    to the declared reference (AUC x AUC with two objectives).
    """

    threshold_percent: float
    expectation: np.ndarray
    deviation: float
    mean_hypervolume: float


@dataclass(frozen=True)
class Runs:
    """The confirmed designs of each whole seed: `costs` `[row, objective]`, `seed` `[row]` in rising order."""

    costs: np.ndarray
    seed: np.ndarray
    objectives: tuple[Objective, ...]

    @property
    def count(self) -> int:
        """How many runs there are."""
        return len(np.unique(self.seed))

    def surfaces(self) -> Mapping[str, np.ndarray]:
        """The points `[point, objective]`, as costs, of what one run, half and all of the runs attain."""
        found = moocore.eaf(self.costs, self.seed, percentiles=list(PERCENTILES.values()))
        return {name: found[found[:, -1] == percent, :-1] for name, percent in PERCENTILES.items()}

    def vorobev(self) -> Vorobev:
        """Vorob'ev's threshold, expectation and deviation."""
        reference = np.array([objective.worst_cost for objective in self.objectives])
        found = moocore.vorob_t(self.costs, self.seed, ref=reference)
        deviation = moocore.vorob_dev(self.costs, self.seed, ref=reference, ve=found["ve"])
        return Vorobev(found["threshold"], found["ve"], deviation, found["avg_hyp"])


def confirmed_runs(
    trials: pl.DataFrame, where: str, objectives: Sequence[Objective] = SEARCH_OBJECTIVES
) -> Runs:
    """Return the runs of a `trials` frame: the seeds at which every confirmed design was trained.

    A training that failed attains nothing. AnalysisError where there are fewer than two such seeds with a judged trial,
    or more than three objectives.
    """
    if len(objectives) > MAX_OBJECTIVES:
        raise AnalysisError(
            f"{where}: attainment surfaces of {len(objectives)} objectives are not computed; expected at most"
            f" {MAX_OBJECTIVES}"
        )
    confirmed = trials.filter(pl.col("phase") == "confirm")
    designs = confirmed["design_id"].n_unique()
    trained = confirmed.group_by("seed").agg(designs=pl.col("design_id").n_unique())
    whole = trained.filter(pl.col("designs") == designs)["seed"].to_list()
    rows = confirmed.filter(pl.col("seed").is_in(whole), judged(objectives)).sort("seed", "trial_id")
    seeds = rows["seed"].n_unique()
    if seeds < MIN_SEEDS:
        raise AnalysisError(
            f"{where}: seeds at which all of its {designs} confirmed designs were trained: {seeds}; attainment needs at"
            f" least {MIN_SEEDS}, as after: aia-study confirm {where} --seeds 3"
        )
    return Runs(costs_of(rows, objectives), rows["seed"].to_numpy(), tuple(objectives))
