"""Fresh matchers, fitted on released representations of the `attack` identities and judged on other people.

Each returns an embedding. Those that compare by the cosine return vectors of length 1, whose distances rank pairs like
the cosine.
"""

import numpy as np
from jaxtyping import Int32

from aia_models.judging.matcher import Embed
from aia_models.judging.released import Representations
from aia_models.judging.siamese import fit_siamese
from aia_models.measures.discriminant import Scatters
from aia_models.measures.metrics import auc
from aia_models.measures.pairs import evaluation_pairs
from aia_models.measures.whitening import Whitening, unit_length
from aia_models.random_streams import stream_seed

Identity = Int32[np.ndarray, " n"]

WHITENED_COMPONENTS = 150
SHRINKAGES = (0.1, 0.5)
HELD_BACK_SHARE = 0.25  # of the people, on whom the shrinkage is chosen


def fit_cosine(released: Representations, identity: Identity, map_shape: object, seed: int) -> Embed:
    """Return the representations themselves as an embedding: this matcher learns nothing."""
    return lambda others: unit_length(others.astype(np.float64))


def fit_whitened_cosine(released: Representations, identity: Identity, map_shape: object, seed: int) -> Embed:
    """Return an embedding into PCA-whitened representations.

    It learns only the coordinates' covariance, nothing from identities.
    """
    whiten = Whitening(released, WHITENED_COMPONENTS)
    return lambda others: unit_length(whiten(others))


def fit_linear_discriminant(
    released: Representations, identity: Identity, map_shape: object, seed: int
) -> Embed:
    """Return an embedding into linear discriminants, with the shrinkage that matches held-back people best."""
    discriminant = Scatters(released, identity).discriminant(_shrinkage(released, identity, seed))
    return lambda others: unit_length(discriminant(others))


def _shrinkage(released: Representations, identity: Identity, seed: int) -> float:
    rng = np.random.default_rng(stream_seed(seed, "linear-discriminant", "people"))
    people = rng.permutation(np.unique(identity))
    held = np.isin(identity, people[: round(HELD_BACK_SHARE * len(people))])
    judged, own = released[held], identity[held]
    pairs = evaluation_pairs(own, np.zeros(len(own), np.int8), "held back")
    if pairs.different.all() or not pairs.different.any():  # too few people to hold any back
        return SHRINKAGES[0]
    scatters = Scatters(released[~held], identity[~held])
    aucs = []
    for shrinkage in SHRINKAGES:
        embedded = unit_length(scatters.discriminant(shrinkage)(judged))
        similarity = (embedded[pairs.left] * embedded[pairs.right]).sum(1)
        aucs.append(auc(similarity, ~pairs.different))
    return SHRINKAGES[int(np.argmax(aucs))]


MATCHERS = {
    "cosine": fit_cosine,
    "whitened_cosine": fit_whitened_cosine,
    "linear_discriminant": fit_linear_discriminant,
    "siamese": fit_siamese,
}
