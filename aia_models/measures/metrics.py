"""Metrics of classification and verification, computed from scores: arrays in, numbers out."""

import numpy as np
from jaxtyping import Bool, Float

Scores = Float[np.ndarray, " n"]
Labels = Bool[np.ndarray, " n"]
Weights = Float[np.ndarray, "resample n"]


def weighted_aucs(scores: Scores, positive: Labels, weights: Weights) -> Float[np.ndarray, " resample"]:
    """Return the ROC AUC for each row of `weights`, ties counted half; NaN where a row leaves one class only.

    Raises ValueError for a score that is NaN or infinite: it has no rank.
    """
    if not np.isfinite(scores).all():
        raise ValueError(f"{int((~np.isfinite(scores)).sum())} of {len(scores)} scores are NaN or infinite")
    order = np.argsort(scores, kind="stable")
    ranked, is_positive, weight = scores[order], positive[order], weights[:, order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    positives, negatives = weight * is_positive, weight * ~is_positive
    if len(starts) < len(ranked):
        positives, negatives = (np.add.reduceat(side, starts, axis=1) for side in (positives, negatives))
    below = np.cumsum(negatives, axis=1) - negatives
    wins = (positives * (below + negatives / 2)).sum(1)
    pairs = positives.sum(1) * negatives.sum(1)
    return np.divide(wins, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)


def auc(scores: Scores, positive: Labels) -> float:
    """Return the ROC AUC: the probability that a positive scores above a negative, ties counted half."""
    return float(weighted_aucs(scores, positive, np.ones((1, len(scores))))[0])


def folded(value: float) -> float:
    """Return max(AUC, 1 - AUC): an attacker that is always wrong knows as much as one that is always right."""
    return max(value, 1 - value)


def balanced_accuracy(predicted: Labels, positive: Labels) -> float:
    """Return the mean of the two classes' recalls."""
    return float((predicted[positive].mean() + (~predicted[~positive]).mean()) / 2)


def error_rates(scores: Scores, positive: Labels) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return thresholds (descending, from infinity), and the false and true accept rates at each threshold.

    A score at or above the threshold is accepted.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.r_[np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1]
    true = np.cumsum(positive[order])[last] / positive.sum()
    false = np.cumsum(~positive[order])[last] / (~positive).sum()
    return np.r_[np.inf, ranked[last]], np.r_[0.0, false], np.r_[0.0, true]


def weighted_error_rates(
    scores: Scores, positive: Labels, weights: Weights
) -> tuple[Float[np.ndarray, "resample step"], Float[np.ndarray, "resample step"]]:
    """Return false and true accept rates as `error_rates`, for each row of `weights`; NaN where a class is missing."""
    order = np.argsort(-scores, kind="stable")
    ranked, is_positive, weight = scores[order], positive[order], weights[:, order]
    last = np.r_[np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1]
    rates = []
    for chosen in (~is_positive, is_positive):
        accepted = np.cumsum(weight * chosen, axis=1)
        whole = accepted[:, -1:]
        share = np.divide(
            accepted[:, last], whole, out=np.full((len(weights), len(last)), np.nan), where=whole > 0
        )
        rates.append(np.concatenate([np.zeros((len(weights), 1)), share], axis=1))
    return rates[0], rates[1]


def equal_error_rates(
    false: Float[np.ndarray, "resample step"], true: Float[np.ndarray, "resample step"]
) -> Float[np.ndarray, " resample"]:
    """Return the `equal_error_rate` of each row of `weighted_error_rates`; NaN where a class is missing."""
    gap = false - (1 - true)
    after = np.argmax(gap >= 0, axis=1)
    rows = np.arange(len(false))
    after = np.maximum(after, 1)
    share = -gap[rows, after - 1] / (gap[rows, after] - gap[rows, after - 1])
    return false[rows, after - 1] + share * (false[rows, after] - false[rows, after - 1])


def true_accept_rates(
    false: Float[np.ndarray, "resample step"],
    true: Float[np.ndarray, "resample step"],
    false_accept_rate: float,
) -> Float[np.ndarray, " resample"]:
    """Return the `true_accept_rate` of each row of `weighted_error_rates`; NaN where a class is missing."""
    best = np.where(false <= false_accept_rate, true, 0.0).max(1)
    return np.where(np.isnan(false[:, -1]) | np.isnan(true[:, -1]), np.nan, best)


def equal_error_rate(scores: Scores, positive: Labels) -> float:
    """Return the rate at which false accepts and false rejects are equal (EER), interpolated between thresholds."""
    _, false, true = error_rates(scores, positive)
    gap = false - (1 - true)
    after = int(np.argmax(gap >= 0))
    before = after - 1
    share = -gap[before] / (gap[after] - gap[before])
    return float(false[before] + share * (false[after] - false[before]))


def true_accept_rate(scores: Scores, positive: Labels, false_accept_rate: float) -> float | None:
    """Return the largest true accept rate at no more than `false_accept_rate`.

    Returns None where fewer than ten false accepts are expected among the negatives: too few for an estimate.
    """
    if (~positive).sum() * false_accept_rate < 10:
        return None
    _, false, true = error_rates(scores, positive)
    return float(true[false <= false_accept_rate].max())


def best_threshold(scores: Scores, positive: Labels) -> float:
    """Return the threshold of the highest balanced accuracy; scores at or above it are accepted."""
    thresholds, false, true = error_rates(scores, positive)
    return float(thresholds[np.argmax(true - false)])
