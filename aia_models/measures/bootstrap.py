"""Bootstrap over identities: images of one person are not independent, so people are what is resampled.

The Poisson bootstrap (Hanley and MacGibbon 2006; Chamandy et al. 2012): each person's weight in each resample is an
independent Poisson number of mean 1, so that it does not depend on who else is there.
"""

import numpy as np
from jaxtyping import Bool, Float, Int32

from aia_models.measures.metrics import weighted_aucs
from aia_models.measures.pairs import Pairs
from aia_models.random_streams import stream_seed

BOOTSTRAP_SAMPLES = 200
INTERVAL = (2.5, 97.5)  # percentiles of a 95 % interval


def identity_weights(
    identity: Int32[np.ndarray, " n"], draws: int = BOOTSTRAP_SAMPLES
) -> Float[np.ndarray, "draw n"]:
    """How often each image's person appears in each of `draws` resamples.

    A person's weights depend on its number alone: where people keep their numbers, different sets of them share
    resamples.
    """
    rng = np.random.default_rng(stream_seed(0, "bootstrap", "identities"))
    counts = rng.poisson(1.0, (int(identity.max()) + 1, draws))
    return counts[identity].T.astype(np.float64)


def folded_auc_bootstrap_samples(
    scores: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"], weights: Float[np.ndarray, "draw n"]
) -> Float[np.ndarray, " draw"]:
    """An attacker's AUC in each resample, folded in the direction of its point estimate."""
    point = weighted_aucs(scores, positive, np.ones((1, len(scores))))[0]
    aucs = weighted_aucs(scores, positive, weights)
    return aucs if point >= 0.5 else 1 - aucs


def weighted_shares(
    right: Bool[np.ndarray, " n"], weights: Float[np.ndarray, "draw n"]
) -> Float[np.ndarray, " draw"]:
    """Share of `right` in each resample; NaN in one without anybody."""
    whole = weights.sum(1)
    return np.divide(weights @ right, whole, out=np.full(len(weights), np.nan), where=whole > 0)


def pair_weights(pairs: Pairs, weights: Float[np.ndarray, "draw n"]) -> Float[np.ndarray, "draw pair"]:
    """Weight of each pair in each resample: of both people where they differ, of the one where not."""
    left = weights[:, pairs.left]
    return np.where(pairs.different, left * weights[:, pairs.right], left)


def interval(draws: Float[np.ndarray, " draw"]) -> tuple[float, float]:
    """95 % interval of a figure from its values in the resamples (those without one of the classes left out)."""
    low, high = np.nanpercentile(draws, INTERVAL)
    return float(low), float(high)
