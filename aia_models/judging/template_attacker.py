"""An attack by similarity to labelled templates."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from aia_models.judging.sklearn_attackers import Attacker, Examples, Positive, Scorer, reading
from aia_models.measures.whitening import unit_length

CALIBRATED_TEMPLATES = 2000  # the largest number that is scored to calibrate the middle
ITSELF = 1 - 1e-5  # a cosine similarity above this is that of a template with itself


class TemplateSetting(NamedTuple):
    """Setting of the template attacker.

    `neighbours` is the number of nearest templates of each attribute value. `components` is the number of whitened
    principal components on which similarity is computed (None: on the standardised features).
    """

    neighbours: int
    components: int | None


class TemplateAttacker(Attacker[TemplateSetting]):
    """Scores by the mean cosine similarity to the nearest templates with the attribute minus that to those without.

    A template is the mean of an image's releases; `releases` is their number. Similarities to labelled protected
    templates reveal soft biometrics (Osorio-Roig et al. 2022, arXiv 2110.05443). Because templates of the larger class
    are nearer by chance, the middle of both classes' mean scores, leaving out each template itself, is subtracted.
    """

    settings = (
        TemplateSetting(50, None), TemplateSetting(50, 25),
        TemplateSetting(20, 50), TemplateSetting(50, 50), TemplateSetting(150, 50), TemplateSetting(50, 100),
    )  # fmt: skip
    usual = TemplateSetting(50, 50)

    def __init__(self, releases: int) -> None:
        self.releases = releases

    def fit(self, examples: Examples, positive: Positive, setting: TemplateSetting, seed: int) -> Scorer:
        """Store the labelled templates and calibrate the middle; see `Attacker.fit`."""
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
