"""Arithmetic on figures with their bootstrap resamples, and the intervals that follow.

A `Resampled` array is float64 `[1 + resample]`: the figure itself, then its value in each bootstrap resample of seeds
and people. Sums, differences and means of such arrays are again `Resampled`, so that any result has an interval of
its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

INTERVAL = (2.5, 97.5)  # percentiles of a 95 % interval

Resampled = np.ndarray


@dataclass(frozen=True)
class Estimate:
    """A figure with the bounds `low` and `high` of its 95 % interval, all in the figure's unit; NaN if not measured."""

    value: float
    low: float
    high: float


def seed_counts(seeds: int, resamples: int, stream: int = 0) -> np.ndarray:
    """Return how often each of `seeds` seeds is drawn in each bootstrap resample, integer `[resample, seed]`.

    The same arguments always give the same counts; counts with different numbers `stream` are independent.
    """
    rng = np.random.default_rng(stream)
    return rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples)


def mean_over_seeds(values: Mapping[int, Resampled], counts: np.ndarray) -> Resampled:
    """Return the mean of a figure over seeds, float64 `[1 + resample]`: plain, then weighted by the counts of each
    resample.

    `values` holds the figure for each seed that was measured, by the seed's index; `counts` is integer
    `[resample, seed]`, as `seed_counts` returns it. A resample that draws none of the measured seeds is NaN; if no
    seed was measured, all are.
    """
    indices = sorted(values)
    if not indices:
        return np.full(1 + len(counts), np.nan)
    stacked = np.stack([values[index] for index in indices], axis=1)
    weights = np.concatenate([np.ones((1, len(indices))), counts[:, indices]])
    total = weights.sum(1)
    summed = np.where(weights > 0, stacked * weights, 0.0).sum(1)
    return np.divide(summed, total, out=np.full(len(total), np.nan), where=total > 0)


def estimate(values: Resampled) -> Estimate:
    """Return a figure with the percentile interval of its resamples (95 %); resamples that are NaN are left out.

    Everything is NaN if the figure or all of its resamples are.
    """
    known = values[1:][np.isfinite(values[1:])]
    if not (np.isfinite(values[0]) and len(known)):
        return Estimate(np.nan, np.nan, np.nan)
    low, high = np.percentile(known, INTERVAL)
    return Estimate(float(values[0]), float(low), float(high))
