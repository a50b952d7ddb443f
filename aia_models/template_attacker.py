"""Attack by similarity to labelled templates: whom does a representation look like?"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from sklearn.decomposition import PCA

from aia_models.attackers import Attacker, Examples, Positive, Scorer

WHITENED_COMPONENTS = 150
CALIBRATED_TEMPLATES = 2000  # at most so many are scored to find the middle
ITSELF = 1 - 1e-5  # cosine similarity from which on a template meets itself
RELATIVE_TOLERANCE = 1e-10  # directions below this share of the largest variance count as without any


@dataclass(frozen=True)
class TemplateSetting:
    """How many most similar templates of each value are looked at, and whether features are PCA-whitened before."""

    neighbours: int
    whitened: bool


class TemplateAttacker(Attacker[TemplateSetting]):
    """Mean cosine similarity to the nearest templates with the attribute minus that to the nearest without.

    Labelled protected templates alone gave soft biometrics away by their similarities (Osorio-Roig et al. 2022, arXiv
    2110.05443). Of the larger class some are always nearer: the middle of both classes' mean scores, each template
    judged by the others, is taken off.
    """

    settings = tuple(TemplateSetting(k, whitened) for whitened in (False, True) for k in (1, 5, 25, 100))
    usual = TemplateSetting(25, True)

    def fit(self, examples: Examples, positive: Positive, setting: TemplateSetting, seed: int) -> Scorer:
        """As in `Attacker`."""
        features = examples.features.astype(np.float32)
        pca = _fit_whitening(features) if setting.whitened else None

        def directions(others: np.ndarray) -> Float[np.ndarray, "n dim"]:
            values = others if pca is None else pca.transform(others)
            return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)

        templates = directions(features)
        sides = [templates[positive == side] for side in (True, False)]

        def nearness(similarity: list[np.ndarray]) -> np.ndarray:
            near, far = (_mean_of_largest(side, setting.neighbours) for side in similarity)
            return near - far

        rows = np.random.default_rng(seed).permutation(len(templates))[:CALIBRATED_TEMPLATES]
        similarity = [templates[rows] @ side.T for side in sides]
        for own in similarity:
            own[own > ITSELF] = -1.0
        scores, labels = nearness(similarity), positive[rows]
        middle = sum(float(scores[labels == side].mean()) for side in (True, False)) / 2

        def score(others: Examples) -> np.ndarray:
            asked = directions(others.features.astype(np.float32))
            return nearness([asked @ side.T for side in sides]) - middle

        return score


def _mean_of_largest(similarity: Float[np.ndarray, "n template"], count: int) -> Float[np.ndarray, " n"]:
    count = min(count, similarity.shape[1])
    return np.partition(similarity, -count, axis=1)[:, -count:].mean(1)


def _fit_whitening(features: Float[np.ndarray, "n k"]) -> PCA:
    components = min(WHITENED_COMPONENTS, features.shape[1], len(features) - 1)
    rank = PCA(components, svd_solver="covariance_eigh").fit(features.astype(np.float64))
    variance = rank.explained_variance_
    kept = max(int((variance > RELATIVE_TOLERANCE * variance[0]).sum()), 1)
    return PCA(kept, whiten=True, svd_solver="covariance_eigh").fit(features)
