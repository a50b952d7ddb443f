"""How the front of a search grew: its hypervolume after each trial, beside what was spent until then."""

from collections.abc import Sequence

import polars as pl

from analysis.fronts.candidates import judged
from analysis.fronts.hypervolume import GrowingFront
from analysis.fronts.pareto import costs_of
from analysis.summaries.costs import with_costs
from analysis.tables.objectives import SEARCH_OBJECTIVES, Objective


def history(
    trials: pl.DataFrame, epochs: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES
) -> pl.DataFrame:
    """Return a row per search trial, in the order in which they ended: what all until then spent and reached.

    Columns: `trials` (how many), `epochs` and `seconds` (spent by these trials, as `analysis.costs` counts them) and
    `hypervolume` (of the front of their complete ones, up to the declared reference, AUC x AUC). No column says when
    a trial ended: `trials` has to be in that order, as the tables' parts are and `read_trials` returns them. Seconds
    are summed over trials: of trials that ran side by side they are more than passed on the clock.
    """
    search = with_costs(trials.filter(pl.col("phase") == "search"), epochs)
    counts = search.select(counts=judged(objectives))["counts"]
    front, volumes = GrowingFront(objectives), []
    for counted, costs in zip(counts, costs_of(search, objectives), strict=True):
        if counted:
            front.add(costs)
        volumes.append(front.hypervolume)
    return search.select(
        trials=pl.int_range(1, pl.len() + 1),
        epochs=pl.col("epochs_spent").cum_sum(),
        seconds=pl.col("seconds_spent").cum_sum(),
        hypervolume=pl.Series(volumes, dtype=pl.Float64),
    )
