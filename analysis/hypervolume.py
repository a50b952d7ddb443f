"""One number for a whole front: the objective space it dominates up to the declared reference point."""

from collections.abc import Sequence

import moocore
import numpy as np
import polars as pl

from analysis.fronts import costs_of, pareto_front
from study.objectives import SEARCH_OBJECTIVES, Objective


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
