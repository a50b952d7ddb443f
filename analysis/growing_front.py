"""A front that grows point by point, and its hypervolume, without ever looking at a beaten point again."""

from collections.abc import Sequence

import moocore
import numpy as np

from study.objectives import Objective


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
