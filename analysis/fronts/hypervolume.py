"""One number for a whole front: the objective space it dominates up to the declared reference point."""

from collections.abc import Sequence

import moocore
import numpy as np
import polars as pl

from analysis.fronts.pareto import costs_of, pareto_front
from analysis.tables.objectives import SEARCH_OBJECTIVES, Objective


def hypervolume(frame: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES) -> float:
    """Return the hypervolume of the front of a `trials` frame, in units of AUC x AUC.

    The reference point is the objectives' declared one, so studies compare. Points that are not better in
    every objective contribute nothing; an empty front has 0.0.
    """
    costs = costs_of(pareto_front(frame, objectives), objectives)
    if len(costs) == 0:
        return 0.0
    reference = np.array([objective.worst_cost for objective in objectives])
    return float(moocore.hypervolume(costs, ref=reference))


def contributions(front: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES) -> np.ndarray:
    """Return float64 `[row]`: by how much the hypervolume of a front's rows would shrink without each of them.

    In units and up to the reference of `hypervolume`. Of designs with equal figures none contributes: the others
    remain.
    """
    if front.is_empty():
        return np.empty(0)
    reference = np.array([objective.worst_cost for objective in objectives])
    return moocore.hv_contributions(costs_of(front, objectives), ref=reference)


class GrowingFront:
    """The non-dominated points so far, as costs: lower is better in every column.

    `hypervolume` is that of the front up to the objectives' declared reference, as in `analysis.hypervolume`;
    `size` counts its distinct points.
    """

    def __init__(self, objectives: Sequence[Objective]) -> None:
        self._reference = np.array([objective.worst_cost for objective in objectives])
        self._front = np.empty((0, len(objectives)))
        self.hypervolume = 0.0

    @property
    def size(self) -> int:
        """How many distinct points the front has."""
        return len(self._front)

    def add(self, costs: Sequence[float] | np.ndarray) -> None:
        """Takes in a point of finite costs."""
        point = np.asarray(costs, dtype=float)
        if (self._front <= point).all(axis=1).any():
            return
        stays = (self._front < point).any(axis=1)
        self._front = np.vstack([self._front[stays], point])
        self.hypervolume = float(moocore.hypervolume(self._front, ref=self._reference))
