"""Figures together with their values under resampling: any arithmetic on them carries its own interval.

A `Resampled` array `[1 + resample]` holds the figure itself, then its value in each resample of seeds and people.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

INTERVAL = (2.5, 97.5)  # percentiles of a 95 % interval

Resampled = np.ndarray


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval; NaN where nothing was measured."""

    value: float
    low: float
    high: float


def seed_counts(seeds: int, resamples: int, stream: int = 0) -> np.ndarray:
    """How often each seed appears in each resample of all seeds, `[resample, seed]`: the same at every call.

    Other numbers of the `stream` are independent draws.
    """
    rng = np.random.default_rng(stream)
    return rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples)


def mean_over_seeds(values: Mapping[int, Resampled], counts: np.ndarray) -> Resampled:
    """The mean over seeds, each resample weighing the seeds by its row of `counts` `[resample, seed]`.

    `values` holds the seeds that were measured, by place. A resample without any of them is NaN; without any seed
    everything is.
    """
    places = sorted(values)
    if not places:
        return np.full(1 + len(counts), np.nan)
    stacked = np.stack([values[place] for place in places], axis=1)
    weights = np.concatenate([np.ones((1, len(places))), counts[:, places]])
    total = weights.sum(1)
    summed = np.where(weights > 0, stacked * weights, 0.0).sum(1)
    return np.divide(summed, total, out=np.full(len(total), np.nan), where=total > 0)


def estimate(values: Resampled) -> Estimate:
    """The figure with the 95 % percentile interval of its resamples, those that are NaN left out."""
    known = values[1:][np.isfinite(values[1:])]
    if not (np.isfinite(values[0]) and len(known)):
        return Estimate(np.nan, np.nan, np.nan)
    low, high = np.percentile(known, INTERVAL)
    return Estimate(float(values[0]), float(low), float(high))
