"""An attack by gradient-boosted trees of scikit-learn."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32
from sklearn.ensemble import HistGradientBoostingClassifier

from aia_models.judging.attackers.examples import Examples, Reading

TREES = 60
COORDINATES = 64
BINS = 8
BINNED_ROWS = 1000  # on which the bins' edges are estimated


def boosted_trees(examples: Examples, seed: int) -> dict[str, Reading]:
    """Return the reading of each vantage by class-balanced boosted trees on the coordinates of first releases.

    Of many coordinates they read those whose distributions differ most between the values of the attribute: a leak in
    one coordinate among hundreds is what trees find and other attackers miss.
    """
    readings = {}
    never: Any = False  # scikit-learn's stub knows only "auto"
    for vantage, cells in examples.vantages.items():
        rows = np.isin(examples.cell, list(cells)) & examples.first
        learnt, positive = examples.rows[rows], examples.positive[rows]
        read = np.argsort(-_differences(learnt, positive), kind="stable")[:COORDINATES]
        trees = HistGradientBoostingClassifier(
            max_iter=TREES, max_leaf_nodes=15, max_features=0.2, max_bins=31,
            class_weight="balanced", early_stopping=never, random_state=seed % 2**32,
        )  # fmt: skip
        trees.fit(learnt[:, read], positive)
        scores = trees.decision_function(examples.judged_rows[:, read])
        readings[vantage] = Reading(scores, f"{TREES} trees, {len(read)} coordinates")
    return readings


def _differences(
    values: Float32[np.ndarray, "n k"], positive: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, " k"]:
    """Return for each coordinate the total variation distance between both classes' histograms over quantile bins."""
    edges = np.quantile(values[:BINNED_ROWS], np.linspace(0, 1, BINS + 1)[1:-1], axis=0)
    bins = (values[None] > edges[:, None]).sum(0)
    differences = np.zeros(values.shape[1])
    for number in range(BINS):
        inside = bins == number
        differences += np.abs(inside[positive].mean(0) - inside[~positive].mean(0)) / 2
    return differences
