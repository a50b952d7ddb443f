"""Multi-objective successive halving: which trials of a rung go on. Arrays in, decisions out; no Ray.

Asynchronous successive halving (Li et al. 2018, arXiv 1810.05934) with several objectives, as in Schmucker et al.
2021 (arXiv 2106.12639): non-dominated rank first, then spread within the last front that fits.
"""

from collections.abc import Sequence
from math import ceil

import moocore
import numpy as np
from jaxtyping import Bool, Float

# Above every objective's cost, which are AUCs or their negatives.
BEHIND_ALL_COSTS = 1e6
# Of 400 trials with five objectives hypervolume contributions take most of a second, at each arrival; with three, ms.
MAX_FOR_HYPERVOLUME = 3


def constrained(costs: Float[np.ndarray, " objective"], violation: float) -> Float[np.ndarray, " objective"]:
    """Costs by which a trial that violates constraints by `violation` > 0 stands behind all that violate none, and
    behind those that violate them less; of one that violates none its `costs`."""
    return costs if violation <= 0 else np.full(len(costs), BEHIND_ALL_COSTS + violation)


def survivors(
    costs: Float[np.ndarray, "trial objective"],
    reduction_factor: float,
    reference: Float[np.ndarray, " objective"],
) -> Bool[np.ndarray, " trial"]:
    """Which trials of a rung are among its best `1 / reduction_factor`, rounded up; lower costs are better.

    Fronts go on whole, best first, while they fit. Of the first that does not, those go on that add most hypervolume to
    their front up to `reference`, or, from four objectives on, with the largest crowding distance (Deb et al. 2002).
    Trials that nothing tells apart go on or stop together, so that no order of `costs`
    matters: where they straddle the limit all of them go on.
    """
    room = ceil(len(costs) / reduction_factor)
    distinct, place, counts = np.unique(costs, axis=0, return_inverse=True, return_counts=True)
    rank = moocore.pareto_rank(distinct)
    kept = np.zeros(len(distinct), dtype=bool)
    for front in range(int(rank.max()) + 1):
        members = np.flatnonzero(rank == front)
        if counts[members].sum() > room:
            spread = _spread(distinct[members], reference)
            ahead = np.array([counts[members][spread > own].sum() for own in spread])
            kept[members] = ahead < room
            break
        kept[members] = True
        room -= counts[members].sum()
        if room == 0:
            break
    return kept[place.reshape(-1)]


def _spread(
    front: Float[np.ndarray, "trial objective"], reference: Float[np.ndarray, " objective"]
) -> Float[np.ndarray, " trial"]:
    """What each trial of a front, all distinct, adds to it."""
    if len(front) == 1:  # so are those alike beyond the constraints, whose costs may be infinite
        return np.zeros(1)
    if front.shape[1] <= MAX_FOR_HYPERVOLUME:
        return moocore.hv_contributions(front, ref=reference)
    distance = np.zeros(len(front))
    for costs in front.T:
        order = np.argsort(costs, kind="stable")
        apart = np.diff(costs[order]) / max(np.ptp(costs), np.finfo(float).tiny)
        distance[order] += np.concatenate([[np.inf], apart]) + np.concatenate([apart, [np.inf]])
    return distance


class Rungs:
    """Costs of the trials that reached each rung so far; lower is better."""

    def __init__(
        self, epochs: Sequence[int], reduction_factor: float, reference: Float[np.ndarray, " objective"]
    ) -> None:
        self.epochs = frozenset(epochs)
        self._reduction_factor = reduction_factor
        self._reference = reference
        self._costs = {epoch: np.empty((64, len(reference))) for epoch in epochs}
        self._reached = dict.fromkeys(epochs, 0)

    def add(self, epoch: int, costs: Sequence[float] | np.ndarray) -> None:
        """A trial that reached the rung at `epoch`."""
        reached = self._reached[epoch]
        if reached == len(self._costs[epoch]):
            self._costs[epoch] = np.concatenate([self._costs[epoch], np.empty_like(self._costs[epoch])])
        self._costs[epoch][reached] = costs
        self._reached[epoch] += 1

    def goes_on(self, epoch: int, costs: Sequence[float] | np.ndarray) -> bool:
        """Adds a trial; whether it is among the `survivors` of its rung so far."""
        self.add(epoch, costs)
        rung = self._costs[epoch][: self._reached[epoch]]
        room = ceil(len(rung) / self._reduction_factor)
        no_worse, no_better = (rung <= rung[-1]).all(axis=1), (rung >= rung[-1]).all(axis=1)
        # Ranks need not be known where those that dominate it fill the room, or all that it does not dominate fit.
        if np.count_nonzero(no_worse & ~no_better) >= room:
            return False
        if np.count_nonzero(~no_better | no_worse) <= room:
            return True
        return bool(survivors(rung, self._reduction_factor, self._reference)[-1])
