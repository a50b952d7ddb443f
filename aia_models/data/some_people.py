"""A share of a split's people where its images are more than a closed form or a fresh attacker learns from."""

import numpy as np
from jaxtyping import Int32, Int64

from aia_models.random_streams import stream_seed

MAX_LEARNT_IMAGES = 10_000


def rows_of_some_people(identity: Int32[np.ndarray, " n"], seed: int) -> Int64[np.ndarray, " row"]:
    """Rows of all images, or of `MAX_LEARNT_IMAGES` of them, of people drawn at random, where there are more."""
    rng = np.random.default_rng(stream_seed(seed, "release", "people"))
    place = rng.permutation(int(identity.max()) + 1)[identity]
    return np.sort(np.argsort(place, kind="stable")[:MAX_LEARNT_IMAGES])
