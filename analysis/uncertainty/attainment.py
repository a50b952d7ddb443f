"""Computes what confirmed designs attain over their seeds: attainment surfaces and the Vorob'ev expectation.

The designs trained at one seed are one run. The empirical attainment function of a point is the share of runs that
have a design at least as good in every objective (Grunert da Fonseca, Fonseca and Hall 2001). The Vorob'ev
expectation, an average front, is the surface that a certain share of the runs attains: the share at which its
hypervolume equals the mean hypervolume of the runs (Binois, Ginsbourger and Roustant 2015).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import moocore
import numpy as np
import polars as pl

from analysis.errors import AnalysisError
from analysis.fronts.candidates import is_judged
from analysis.fronts.pareto import costs_of
from analysis.tables.objectives import SEARCH_OBJECTIVES, Objective

BEST, MEDIAN, WORST = "best", "median", "worst"
PERCENTILES = {
    BEST: 0.0,
    MEDIAN: 50.0,
    WORST: 100.0,
}  # percent of the runs that attain a surface; 0 is at least one run
MIN_SEEDS = 2
MAX_OBJECTIVES = 3  # moocore computes no attainment surfaces of more


@dataclass(frozen=True)
class VorobevExpectation:
    """The average front of several runs, and how far runs deviate from it.

    `expectation` is float64 `[point, objective]`, as costs (lower is better), and `threshold_percent` (0 to 100) the
    share of the runs that attain it. `deviation` is the Vorob'ev deviation, the mean hypervolume between a run's
    front and the expectation; `mean_hypervolume` is the mean of the runs' hypervolumes. Both are measured up to the
    declared reference point, in AUC x AUC with two objectives.
    """

    threshold_percent: float
    expectation: np.ndarray
    deviation: float
    mean_hypervolume: float


@dataclass(frozen=True)
class ConfirmedRuns:
    """The confirmed designs of all seeds at which every design was trained; each seed is one run.

    `costs` is float64 `[row, objective]`, lower is better, one row per design and seed; `seed` is integer `[row]`,
    the seed of each row, in rising order.
    """

    costs: np.ndarray
    seed: np.ndarray
    objectives: tuple[Objective, ...]

    @property
    def count(self) -> int:
        """Number of runs, that is of seeds."""
        return len(np.unique(self.seed))

    def surfaces(self) -> Mapping[str, np.ndarray]:
        """Return the attainment surfaces: for BEST, MEDIAN and WORST the points that one run, half and all of the runs
        attain, float64 `[point, objective]`, as costs."""
        points = moocore.eaf(self.costs, self.seed, percentiles=list(PERCENTILES.values()))
        return {name: points[points[:, -1] == percent, :-1] for name, percent in PERCENTILES.items()}

    def vorobev(self) -> VorobevExpectation:
        """Return the Vorob'ev expectation of the runs with its threshold and deviation."""
        reference = np.array([objective.worst_cost for objective in self.objectives])
        vorobev = moocore.vorob_t(self.costs, self.seed, ref=reference)
        deviation = moocore.vorob_dev(self.costs, self.seed, ref=reference, ve=vorobev["ve"])
        return VorobevExpectation(vorobev["threshold"], vorobev["ve"], deviation, vorobev["avg_hyp"])


def confirmed_runs(
    trials: pl.DataFrame, where: str, objectives: Sequence[Objective] = SEARCH_OBJECTIVES
) -> ConfirmedRuns:
    """Return the runs of a `trials` frame: one for each seed at which every confirmed design was trained.

    A training that failed adds no point to its run. Raises AnalysisError, with `where` (a directory) at the start of
    the message, if there are fewer than two such seeds with a judged trial or more than three objectives.
    """
    if len(objectives) > MAX_OBJECTIVES:
        raise AnalysisError(
            f"{where}: attainment surfaces cannot be computed of {len(objectives)} objectives; expected at most"
            f" {MAX_OBJECTIVES}"
        )
    confirmed = trials.filter(pl.col("phase") == "confirm")
    designs = confirmed["design_id"].n_unique()
    trained = confirmed.group_by("seed").agg(designs=pl.col("design_id").n_unique())
    whole = trained.filter(pl.col("designs") == designs)["seed"].to_list()
    rows = confirmed.filter(pl.col("seed").is_in(whole), is_judged(objectives)).sort("seed", "trial_id")
    seeds = rows["seed"].n_unique()
    if seeds < MIN_SEEDS:
        raise AnalysisError(
            f"{where}: seeds at which all of its {designs} confirmed designs are trained: {seeds}; attainment needs at"
            f" least {MIN_SEEDS}, which this command trains: aia-study confirm {where} --seeds 3"
        )
    return ConfirmedRuns(costs_of(rows, objectives), rows["seed"].to_numpy(), tuple(objectives))
