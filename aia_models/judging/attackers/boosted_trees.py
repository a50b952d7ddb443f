"""An attack by gradient-boosted trees of scikit-learn."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from sklearn.ensemble import HistGradientBoostingClassifier

from aia_models.judging.attackers.examples import Examples, Reading

TREES = 60
COORDINATES = 64
BINS = 32
COARSE_BINS = 8  # for the choice of coordinates, so that a bin holds enough people
BINNED_ROWS = 1000  # on which the bins' edges are estimated


def boosted_trees(examples: Examples, seed: int) -> dict[str, Reading]:
    """Return the reading of each vantage by class-balanced boosted trees on the coordinates of first releases.

    Of many coordinates they read those whose distributions differ most between the values of the attribute: a leak in
    one coordinate among hundreds is what trees find and other attackers miss. Coordinates are binned once for all
    vantages.
    """
    first = examples.rows[examples.first]
    edges = np.quantile(first[:BINNED_ROWS], np.linspace(0, 1, BINS + 1)[1:-1], axis=0).astype(np.float32)
    binned, judged = _bins(first, edges), _bins(examples.judged_rows, edges)
    readings = {}
    never: Any = False  # scikit-learn's stub knows only "auto"
    for vantage, cells in examples.vantages.items():
        rows = np.isin(examples.cell[examples.first], list(cells))
        learnt, positive = binned[rows], examples.positive[examples.first][rows]
        read = np.argsort(-_differences(learnt, positive), kind="stable")[:COORDINATES]
        trees = HistGradientBoostingClassifier(
            max_iter=TREES, max_leaf_nodes=15, max_features=0.2, max_bins=BINS,
            class_weight="balanced", early_stopping=never, random_state=seed % 2**32,
        )  # fmt: skip
        trees.fit(learnt[:, read], positive)
        readings[vantage] = Reading(
            trees.decision_function(judged[:, read]), f"{TREES} trees, {len(read)} coordinates"
        )
    return readings


def _bins(
    values: Float32[np.ndarray, "n k"], edges: Float32[np.ndarray, "edge k"]
) -> Int64[np.ndarray, "n k"]:
    """Return the bin of each value, from 0 to below `BINS`: the number of its coordinate's edges below it."""
    sought = torch.from_numpy(np.ascontiguousarray(values.T))
    return torch.searchsorted(torch.from_numpy(edges.T.copy()), sought).numpy().T


def _differences(
    binned: Int64[np.ndarray, "n k"], positive: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, " k"]:
    """Return for each coordinate the total variation distance between both classes' histograms over coarse bins."""
    coarse = binned // (BINS // COARSE_BINS)
    differences = np.zeros(binned.shape[1])
    for number in range(COARSE_BINS):
        inside = coarse == number
        differences += np.abs(inside[positive].mean(0) - inside[~positive].mean(0)) / 2
    return differences
