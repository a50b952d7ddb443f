"""Multi-objective successive halving: which trials of a rung continue. Arrays in, decisions out; no Ray.

Asynchronous successive halving (Li et al. 2018, arXiv 1810.05934) with several objectives, as in Schmucker et al.
2021 (arXiv 2106.12639): trials are ordered by non-dominated rank, and within the last front by spread.
"""

from collections.abc import Sequence
from math import ceil

import moocore
import numpy as np
from jaxtyping import Bool, Float

# Larger than the costs of all objectives, which are AUCs or their negatives.
BEHIND_ALL_COSTS = 1e6
# With five objectives the hypervolume contributions of 400 trials take most of a second; with three, milliseconds.
MAX_FOR_HYPERVOLUME = 3


def constrained_costs(
    costs: Float[np.ndarray, " objective"], violation: float
) -> Float[np.ndarray, " objective"]:
    """Return costs that place a trial with `violation` > 0 behind all trials that violate the constraints less.

    A trial without a violation keeps its `costs`; infinity is a valid violation.
    """
    return costs if violation <= 0 else np.full(len(costs), BEHIND_ALL_COSTS + violation)


def survivors(
    costs: Float[np.ndarray, "trial objective"],
    reduction_factor: float,
    reference: Float[np.ndarray, " objective"],
) -> Bool[np.ndarray, " trial"]:
    """Return which trials of a rung are among its best `1 / reduction_factor`, rounded up; lower costs are better.

    Fronts survive as a whole, best first, while they fit. From the first front that does not fit, those trials survive
    that contribute most hypervolume to it up to `reference`, or, with four or more objectives, those with the largest
    crowding distance (Deb et al. 2002). Trials that tie survive or stop together, so the order of the trials does not
    matter; if ties cross the limit, all of them survive.
    """
    room = ceil(len(costs) / reduction_factor)
    distinct, index_of_trial, counts = np.unique(costs, axis=0, return_inverse=True, return_counts=True)
    rank = moocore.pareto_rank(distinct)
    survives = np.zeros(len(distinct), dtype=bool)
    for front in range(int(rank.max()) + 1):
        members = np.flatnonzero(rank == front)
        if counts[members].sum() > room:
            spread = _spread(distinct[members], reference)
            trials_ahead = np.array([counts[members][spread > own].sum() for own in spread])
            survives[members] = trials_ahead < room
            break
        survives[members] = True
        room -= counts[members].sum()
        if room == 0:
            break
    return survives[index_of_trial.reshape(-1)]


def _spread(
    front: Float[np.ndarray, "trial objective"], reference: Float[np.ndarray, " objective"]
) -> Float[np.ndarray, " trial"]:
    """Return each trial's hypervolume contribution or crowding distance; the trials of the front are distinct."""
    if (
        len(front) == 1
    ):  # also the one distinct point of trials beyond the constraints, whose costs can be infinite
        return np.zeros(1)
    if front.shape[1] <= MAX_FOR_HYPERVOLUME:
        return moocore.hv_contributions(front, ref=reference)
    distance = np.zeros(len(front))
    for costs in front.T:
        order = np.argsort(costs, kind="stable")
        gaps = np.diff(costs[order]) / max(np.ptp(costs), np.finfo(float).tiny)
        distance[order] += np.concatenate([[np.inf], gaps]) + np.concatenate([gaps, [np.inf]])
    return distance


class Rungs:
    """The costs of the trials that have reached each rung so far; lower is better."""

    def __init__(
        self, epochs: Sequence[int], reduction_factor: float, reference: Float[np.ndarray, " objective"]
    ) -> None:
        self.epochs = frozenset(epochs)
        self._reduction_factor = reduction_factor
        self._reference = reference
        self._costs = {epoch: np.empty((64, len(reference))) for epoch in epochs}
        self._trials = dict.fromkeys(epochs, 0)

    def add(self, epoch: int, costs: Sequence[float] | np.ndarray) -> None:
        """Record a trial that reached the rung after joint epoch `epoch`."""
        trials = self._trials[epoch]
        if trials == len(self._costs[epoch]):
            self._costs[epoch] = np.concatenate([self._costs[epoch], np.empty_like(self._costs[epoch])])
        self._costs[epoch][trials] = costs
        self._trials[epoch] += 1

    def promotes(self, epoch: int, costs: Sequence[float] | np.ndarray) -> bool:
        """Record a trial at its rung, and return whether it is among the `survivors` of the rung so far."""
        self.add(epoch, costs)
        rung = self._costs[epoch][: self._trials[epoch]]
        room = ceil(len(rung) / self._reduction_factor)
        no_worse, no_better = (rung <= rung[-1]).all(axis=1), (rung >= rung[-1]).all(axis=1)
        # Ranks are not needed if the trials that dominate this one fill the room, or if all trials that it does not
        # dominate fit into it.
        if np.count_nonzero(no_worse & ~no_better) >= room:
            return False
        if np.count_nonzero(~no_better | no_worse) <= room:
            return True
        return bool(survivors(rung, self._reduction_factor, self._reference)[-1])
