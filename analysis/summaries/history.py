"""Computes how the front of a search grew: its hypervolume after each trial, and what was spent until then."""

from collections.abc import Sequence

import polars as pl

from analysis.fronts.candidates import is_judged
from analysis.fronts.hypervolume import GrowingFront
from analysis.fronts.pareto import costs_of
from analysis.summaries.costs import with_costs
from analysis.tables.objectives import SEARCH_OBJECTIVES, Objective


def history(
    trials: pl.DataFrame, epochs: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES
) -> pl.DataFrame:
    """Return one row per search trial, in the order in which trials ended, with cumulative costs and the hypervolume.

    Columns: `trials` (number of search trials so far), `epochs` and `seconds` (spent by them, as
    `analysis.summaries.costs.with_costs` counts) and `hypervolume` (of the front of the judged ones among them, up to
    the declared reference point, in AUC x AUC). The rows of `trials` have to be in the order in which trials ended,
    as `read_trials` returns them, because no column holds that time. Seconds are summed over trials: trials that ran
    in parallel spend more seconds than passed on the clock.
    """
    search = with_costs(trials.filter(pl.col("phase") == "search"), epochs)
    judged = search.select(judged=is_judged(objectives))["judged"]
    front, volumes = GrowingFront(objectives), []
    for trial_is_judged, costs in zip(judged, costs_of(search, objectives), strict=True):
        if trial_is_judged:
            front.add(costs)
        volumes.append(front.hypervolume)
    return search.select(
        trials=pl.int_range(1, pl.len() + 1),
        epochs=pl.col("epochs_spent").cum_sum(),
        seconds=pl.col("seconds_spent").cum_sum(),
        hypervolume=pl.Series(volumes, dtype=pl.Float64),
    )
