"""Measures fronts by their hypervolume: the objective space they dominate up to the declared reference point.

`hypervolume` takes a `trials` frame, `hypervolume_contributions` a front, and `GrowingFront` takes one point at a time.
The indicator is that of Zitzler and Thiele (1999); moocore computes it.
"""

from collections.abc import Sequence

import moocore
import numpy as np
import polars as pl

from analysis.fronts.pareto import costs_of, pareto_front
from analysis.tables.objectives import SEARCH_OBJECTIVES, Objective


def hypervolume(frame: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES) -> float:
    """Return the hypervolume of the front of a `trials` frame, in AUC x AUC where both objectives are AUCs.

    The reference point is the worst value that each objective declares, so that studies compare. Points that are not
    better than it in every objective contribute nothing; an empty front has 0.0.
    """
    costs = costs_of(pareto_front(frame, objectives), objectives)
    if len(costs) == 0:
        return 0.0
    reference = np.array([objective.worst_cost for objective in objectives])
    return float(moocore.hypervolume(costs, ref=reference))


def hypervolume_contributions(
    front: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES
) -> np.ndarray:
    """Return float64 `[row]`: by how much the hypervolume of `front` would shrink without each of its rows.

    `front` holds one row per non-dominated design, with the objectives' columns. Units and reference point are those of
    `hypervolume`. Designs with equal figures contribute 0, because the others remain.
    """
    if front.is_empty():
        return np.empty(0)
    reference = np.array([objective.worst_cost for objective in objectives])
    return moocore.hv_contributions(costs_of(front, objectives), ref=reference)


class GrowingFront:
    """The front of the points that were added so far, with its hypervolume kept up to date.

    `hypervolume` is that of the front up to the objectives' declared reference point, in the units of their product.
    """

    def __init__(self, objectives: Sequence[Objective]) -> None:
        """Starts with an empty front in the order of `objectives`."""
        self._reference = np.array([objective.worst_cost for objective in objectives])
        self._front = np.empty((0, len(objectives)))
        self.hypervolume = 0.0

    @property
    def size(self) -> int:
        """Number of distinct points on the front."""
        return len(self._front)

    def add(self, costs: Sequence[float] | np.ndarray) -> None:
        """Adds one point: `costs` is `[objective]`, finite, lower is better; a dominated point changes nothing."""
        point = np.asarray(costs, dtype=float)
        if (self._front <= point).all(axis=1).any():
            return
        not_dominated = (self._front < point).any(axis=1)
        self._front = np.vstack([self._front[not_dominated], point])
        self.hypervolume = float(moocore.hypervolume(self._front, ref=self._reference))
