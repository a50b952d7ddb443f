"""Bootstrap over identities: images of one person are not independent, so people are resampled, not images.

This is the Poisson bootstrap (Hanley and MacGibbon 2006; Chamandy et al. 2012): each person's weight in each resample
is an independent Poisson number of mean 1, so that it does not depend on the other people.
"""

import numpy as np
from jaxtyping import Bool, Float, Int32

from aia_models.measures.metrics import weighted_aucs
from aia_models.measures.pairs import Pairs
from aia_models.random_streams import stream_seed

BOOTSTRAP_SAMPLES = 200
INTERVAL = (2.5, 97.5)  # percentiles of a 95 % interval


def identity_weights(
    identity: Int32[np.ndarray, " n"], resamples: int = BOOTSTRAP_SAMPLES
) -> Float[np.ndarray, "resample n"]:
    """Return how often each image's person appears in each of `resamples` resamples.

    A person's weights depend only on its number, so that different subsets of the same numbered people share resamples.
    """
    rng = np.random.default_rng(stream_seed(0, "bootstrap", "identities"))
    counts = rng.poisson(1.0, (int(identity.max()) + 1, resamples))
    return counts[identity].T.astype(np.float64)


def folded_auc_bootstrap_samples(
    scores: Float[np.ndarray, " n"],
    positive: Bool[np.ndarray, " n"],
    weights: Float[np.ndarray, "resample n"],
) -> Float[np.ndarray, " resample"]:
    """Return an attacker's AUC in each resample, folded in the direction of its point estimate."""
    point = weighted_aucs(scores, positive, np.ones((1, len(scores))))[0]
    aucs = weighted_aucs(scores, positive, weights)
    return aucs if point >= 0.5 else 1 - aucs


def weighted_shares(
    right: Bool[np.ndarray, " n"], weights: Float[np.ndarray, "resample n"]
) -> Float[np.ndarray, " resample"]:
    """Return the weighted share of `right` in each resample; NaN in a resample of total weight 0."""
    whole = weights.sum(1)
    return np.divide(weights @ right, whole, out=np.full(len(weights), np.nan), where=whole > 0)


def pair_weights(
    pairs: Pairs, weights: Float[np.ndarray, "resample n"]
) -> Float[np.ndarray, "resample pair"]:
    """Return each pair's weight in each resample: the product of two people's weights, or the weight of one person."""
    left = weights[:, pairs.left]
    return np.where(pairs.different, left * weights[:, pairs.right], left)


def interval(bootstrap_samples: Float[np.ndarray, " resample"]) -> tuple[float, float]:
    """Return the 95 % percentile interval of a figure from its values in the resamples; NaN values are left out."""
    low, high = np.nanpercentile(bootstrap_samples, INTERVAL)
    return float(low), float(high)
