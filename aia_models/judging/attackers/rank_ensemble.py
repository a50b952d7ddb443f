"""An attack by several attackers together: the mean of their ranks."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

from aia_models.judging.attackers.examples import Reading


def rank_ensemble(readings: Sequence[Reading]) -> Reading:
    """Return the mean rank of each judged row over `readings`, as a share of the rows.

    A rank counts from that of a score of 0, so that a mean above 0 says that the row has the attribute.
    """
    ranks = [_ranks_from_zero(reading.scores) for reading in readings]
    return Reading(np.mean(ranks, axis=0), f"mean rank of {len(readings)} attackers")


def _ranks_from_zero(scores: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    below = (scores < 0).mean() + (scores == 0).mean() / 2
    return (rankdata(scores) - 0.5) / len(scores) - below
