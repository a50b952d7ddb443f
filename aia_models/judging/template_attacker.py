"""Attack by similarity to labelled templates: whom does a representation look like?"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from aia_models.judging.sklearn_attackers import Attacker, Examples, Positive, Scorer, reading
from aia_models.measures.whitening import unit_length

CALIBRATED_TEMPLATES = 2000  # at most so many are scored to find the middle
ITSELF = 1 - 1e-5  # cosine similarity from which on a template meets itself


class TemplateSetting(NamedTuple):
    """How many most similar templates of each value are looked at, and how many whitened principal components of what
    was released they are compared on (None: the standardised features)."""

    neighbours: int
    components: int | None


class TemplateAttacker(Attacker[TemplateSetting]):
    """Mean cosine similarity to the nearest templates with the attribute minus that to the nearest without.

    A template is the mean of an image's releases, which `releases` counts. Labelled protected templates alone gave soft
    biometrics away by their similarities (Osorio-Roig et al. 2022, arXiv 2110.05443). Of the larger class some are
    always nearer: the middle of both classes' mean scores, each template judged by the others, is taken off.
    """

    settings = (
        TemplateSetting(50, None), TemplateSetting(50, 25),
        TemplateSetting(20, 50), TemplateSetting(50, 50), TemplateSetting(150, 50), TemplateSetting(50, 100),
    )  # fmt: skip
    usual = TemplateSetting(50, 50)

    def __init__(self, releases: int) -> None:
        self.releases = releases

    def fit(self, examples: Examples, positive: Positive, setting: TemplateSetting, seed: int) -> Scorer:
        """As in `Attacker`."""
        means = examples.mean_of(self.releases)
        read = reading(means, setting.components)

        def nearness(similarity: list[np.ndarray]) -> Float[np.ndarray, " n"]:
            near, far = (_mean_of_largest(side, setting.neighbours) for side in similarity)
            return near - far

        templates, labels = unit_length(read(means)), positive[: len(means)]
        sides = [templates[labels == side] for side in (True, False)]
        rows = np.random.default_rng(seed).permutation(len(templates))[:CALIBRATED_TEMPLATES]
        similarity = [templates[rows] @ side.T for side in sides]
        for own in similarity:
            own[own > ITSELF] = -1.0
        scores = nearness(similarity)
        middle = sum(float(scores[labels[rows] == side].mean()) for side in (True, False)) / 2

        def score(others: Examples) -> Float[np.ndarray, " n"]:
            asked = unit_length(read(others))
            return nearness([asked @ side.T for side in sides]) - middle

        return score


def _mean_of_largest(similarity: Float[np.ndarray, "n template"], count: int) -> Float[np.ndarray, " n"]:
    count = min(count, similarity.shape[1])
    return np.partition(similarity, -count, axis=1)[:, -count:].mean(1)
