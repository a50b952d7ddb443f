"""A share of a split's people where its images are more than are learnt from or judged."""

import numpy as np
from jaxtyping import Int32, Int64

from aia_models.random_streams import stream_seed

MAX_LEARNT_IMAGES = 10_000  # by a closed form, an attacker or a matcher
MAX_JUDGED_IMAGES = 20_000
JUDGED_SEED = 0  # one for all trainings, so that all are judged on the same people


def judged_rows(identity: Int32[np.ndarray, " n"]) -> Int64[np.ndarray, " row"]:
    """Return the rows of a split's images on which attackers and matchers are judged, at most `MAX_JUDGED_IMAGES`."""
    return _rows_of_people(identity, JUDGED_SEED, MAX_JUDGED_IMAGES)


def rows_of_some_people(identity: Int32[np.ndarray, " n"], seed: int) -> Int64[np.ndarray, " row"]:
    """Return the rows of all images, or of `MAX_LEARNT_IMAGES`, of people drawn at random, where there are more."""
    return _rows_of_people(identity, seed, MAX_LEARNT_IMAGES)


def _rows_of_people(identity: Int32[np.ndarray, " n"], seed: int, images: int) -> Int64[np.ndarray, " row"]:
    rng = np.random.default_rng(stream_seed(seed, "release", "people"))
    place = rng.permutation(int(identity.max()) + 1)[identity]
    return np.sort(np.argsort(place, kind="stable")[:images])
