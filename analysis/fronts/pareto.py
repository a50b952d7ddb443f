"""Pareto fronts: the trials that no other trial beats in every objective."""

from collections.abc import Iterator, Sequence

import moocore
import numpy as np
import polars as pl

from analysis.fronts.candidates import candidates
from analysis.tables.objectives import SEARCH_OBJECTIVES, Objective

MANY = 50_000  # rows from which looking for strong ones first is worth its time
SAMPLED = 4096  # rows, among which they are looked for
STRONG = 8


def costs_of(frame: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES) -> np.ndarray:
    """Return the objectives as costs, float64 `[row, objective]`: lower is better in every column."""
    columns = [frame[objective.column].cast(pl.Float64) * objective.sign for objective in objectives]
    return np.column_stack([column.to_numpy() for column in columns])


def is_nondominated(costs: np.ndarray) -> np.ndarray:
    """Return bool `[n]`: which rows of `costs` `[n, objective]` no other row dominates; lower is better.

    Exact duplicates of a front point all stay. A row with NaN or infinity is never on it and beats no other.
    """
    if costs.shape[1] == 2:
        return _nondominated_pairs(costs)
    finite = np.isfinite(costs).all(axis=1)
    mask = np.zeros(len(costs), dtype=bool)
    if finite.any():
        mask[finite] = moocore.is_nondominated(costs[finite], keep_weakly=True)
    return mask


def _nondominated_pairs(costs: np.ndarray) -> np.ndarray:
    """Two objectives: in order of the first, the front is where the running minimum of the second drops.

    Of many rows only those are put in order that a few strong ones do not beat in both.
    """
    rows = pl.DataFrame({"first": costs[:, 0], "second": costs[:, 1]}).with_row_index("row")
    for first, second in _strong_points(rows):
        rows = rows.filter((pl.col("first") <= first) | (pl.col("second") <= second))
    rows = rows.filter(pl.col("first").is_finite() & pl.col("second").is_finite())
    best = pl.col("second").cum_min()
    drops = best < best.shift(1, fill_value=float("inf"))
    first_at_drop = pl.when(drops).then(pl.col("first")).forward_fill()
    # Rows behind a drop that equal it in both costs are its duplicates.
    on_front = (pl.col("second") == best) & (pl.col("first") == first_at_drop)
    mask = np.zeros(len(costs), dtype=bool)
    mask[rows.sort("first", "second").filter(on_front)["row"].to_numpy()] = True
    return mask


def _strong_points(rows: pl.DataFrame) -> Iterator[tuple[float, float]]:
    """Points of a sample that beat most of it in both costs, each most of what those before it leave; none of few
    rows."""
    if len(rows) < MANY:
        return
    sample = rows.gather_every(len(rows) // SAMPLED).select("first", "second").to_numpy()
    sample = sample[np.isfinite(sample).all(axis=1)]
    front = sample[_nondominated_pairs(sample)]
    for _ in range(STRONG):
        beaten = np.logical_and(*(np.greater.outer(sample[:, k], front[:, k]) for k in (0, 1)))
        if not beaten.any():
            return
        strongest = int(beaten.sum(axis=0).argmax())
        yield float(front[strongest, 0]), float(front[strongest, 1])
        sample = sample[~beaten[:, strongest]]


def pareto_front(frame: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES) -> pl.DataFrame:
    """Return the non-dominated rows of a `trials` frame, best first objective first.

    Confirmed designs compete where there are any, else search trials; the column `source` says which, `seeds`
    how many seeds a row averages. No judged row: an empty frame.
    """
    rows = candidates(frame, objectives)
    front = rows.filter(pl.Series(is_nondominated(costs_of(rows, objectives)), dtype=pl.Boolean))
    keys = [pl.col(objective.column) * objective.sign for objective in objectives]
    return front.sort(*keys, "trial_id")
