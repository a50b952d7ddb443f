"""Pareto fronts: the trials that no other trial beats in every objective."""

from collections.abc import Sequence

import moocore
import numpy as np
import polars as pl

from analysis.candidates import candidates
from study.objectives import SEARCH_OBJECTIVES, Objective


def costs_of(frame: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES) -> np.ndarray:
    """Return the objectives as costs, float64 `[row, objective]`: lower is better in every column."""
    columns = [frame[objective.column].cast(pl.Float64) * objective.sign for objective in objectives]
    return np.column_stack([column.to_numpy() for column in columns])


def is_nondominated(costs: np.ndarray) -> np.ndarray:
    """Return bool `[n]`: which rows of `costs` `[n, objective]` no other row dominates; lower is better.

    Exact duplicates of a front point all stay. A row with NaN or infinity is never on it and beats no other.
    """
    finite = np.isfinite(costs).all(axis=1)
    mask = np.zeros(len(costs), dtype=bool)
    if finite.any():
        compare = _nondominated_pairs if costs.shape[1] == 2 else _nondominated_by_moocore
        mask[finite] = compare(costs[finite])
    return mask


def _nondominated_pairs(costs: np.ndarray) -> np.ndarray:
    """Two objectives: in order of the first, the front is where the running minimum of the second drops."""
    best = pl.col("second").cum_min()
    drops = best < best.shift(1, fill_value=float("inf"))
    first_at_drop = pl.when(drops).then(pl.col("first")).forward_fill()
    # Rows behind a drop that equal it in both costs are its duplicates.
    on_front = (pl.col("second") == best) & (pl.col("first") == first_at_drop)
    ordered = pl.DataFrame({"first": costs[:, 0], "second": costs[:, 1]}).with_row_index("row")
    return ordered.sort("first", "second").select("row", front=on_front).sort("row")["front"].to_numpy()


def _nondominated_by_moocore(costs: np.ndarray) -> np.ndarray:
    return moocore.is_nondominated(costs, keep_weakly=True)


def pareto_front(frame: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES) -> pl.DataFrame:
    """Return the non-dominated rows of a `trials` frame, best first objective first.

    Confirmed designs compete where there are any, else search trials; the column `source` says which, `seeds`
    how many seeds a row averages. No judged row: an empty frame.
    """
    rows = candidates(frame, objectives)
    front = rows.filter(pl.Series(is_nondominated(costs_of(rows, objectives)), dtype=pl.Boolean))
    keys = [pl.col(objective.column) * objective.sign for objective in objectives]
    return front.sort(*keys, "trial_id")
