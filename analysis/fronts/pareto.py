"""Computes Pareto fronts: the trials that no other trial dominates.

One trial dominates another if it is at least as good in every objective and better in one.
"""

from collections.abc import Iterator, Sequence

import moocore
import numpy as np
import polars as pl

from analysis.fronts.candidates import candidates
from analysis.tables.objectives import SEARCH_OBJECTIVES, Objective

# Of very many rows a few strong points, taken from a sample, rule out most before the rest is sorted.
MIN_PREFILTER_ROWS = 50_000
PREFILTER_SAMPLE = 4096  # rows
MAX_PREFILTER_POINTS = 8


def costs_of(frame: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES) -> np.ndarray:
    """Return the objectives of a `trials` frame as costs, float64 `[row, objective]`: lower is better everywhere.

    Objectives that are maximised change their sign; nulls become NaN.
    """
    columns = [frame[objective.column].cast(pl.Float64) * objective.sign for objective in objectives]
    return np.column_stack([column.to_numpy() for column in columns])


def is_nondominated(costs: np.ndarray) -> np.ndarray:
    """Return bool `[row]`: True for each row of `costs` that no other row dominates.

    `costs` is float `[row, objective]`; lower is better. Exact duplicates of a non-dominated row are all True. A row
    that holds NaN or infinity is False and dominates no other.
    """
    if costs.shape[1] == 2:
        return _nondominated_pairs(costs)
    finite = np.isfinite(costs).all(axis=1)
    mask = np.zeros(len(costs), dtype=bool)
    if finite.any():
        mask[finite] = moocore.is_nondominated(costs[finite], keep_weakly=True)
    return mask


def _nondominated_pairs(costs: np.ndarray) -> np.ndarray:
    """Return `is_nondominated` of two objectives: sorted by the first, a row is on the front if the second drops
    there.

    The method is that of Kung, Luccio and Preparata (1975). Rows that a strong point dominates are dropped before
    sorting.
    """
    rows = pl.DataFrame({"first": costs[:, 0], "second": costs[:, 1]}).with_row_index("row")
    for first, second in _strong_points(rows):
        rows = rows.filter((pl.col("first") <= first) | (pl.col("second") <= second))
    rows = rows.filter(pl.col("first").is_finite() & pl.col("second").is_finite())
    best = pl.col("second").cum_min()
    drops = best < best.shift(1, fill_value=float("inf"))
    first_at_drop = pl.when(drops).then(pl.col("first")).forward_fill()
    # Rows after a drop that equal it in both costs are its duplicates.
    on_front = (pl.col("second") == best) & (pl.col("first") == first_at_drop)
    mask = np.zeros(len(costs), dtype=bool)
    mask[rows.sort("first", "second").filter(on_front)["row"].to_numpy()] = True
    return mask


def _strong_points(rows: pl.DataFrame) -> Iterator[tuple[float, float]]:
    """Yields points of a sample that dominate many of its rows: each the one that dominates most of those that remain.

    Yields nothing if there are fewer than MIN_PREFILTER_ROWS rows.
    """
    if len(rows) < MIN_PREFILTER_ROWS:
        return
    sample = rows.gather_every(len(rows) // PREFILTER_SAMPLE).select("first", "second").to_numpy()
    sample = sample[np.isfinite(sample).all(axis=1)]
    front = sample[_nondominated_pairs(sample)]
    for _ in range(MAX_PREFILTER_POINTS):
        dominated = np.logical_and(*(np.greater.outer(sample[:, k], front[:, k]) for k in (0, 1)))
        if not dominated.any():
            return
        strongest = int(dominated.sum(axis=0).argmax())
        yield float(front[strongest, 0]), float(front[strongest, 1])
        sample = sample[~dominated[:, strongest]]


def pareto_front(frame: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES) -> pl.DataFrame:
    """Return the non-dominated rows of a `trials` frame, sorted from the best to the worst first objective.

    Confirmed designs compete if there are any, else search trials. The result has all columns of `frame`, and two more:
    `source` ("confirm" or "search") and `seeds` (how many trainings the row averages). It is empty if no row is judged.
    """
    rows = candidates(frame, objectives)
    front = rows.filter(pl.Series(is_nondominated(costs_of(rows, objectives)), dtype=pl.Boolean))
    keys = [pl.col(objective.column) * objective.sign for objective in objectives]
    return front.sort(*keys, "trial_id")
