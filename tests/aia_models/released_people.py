"""Released representations in which people differ and the attribute leaks by a given amount."""

import numpy as np

from aia_models.judging.released import ReleasedFaces

SPLITS = ("attack", "train", "validation", "test")
MAP = (2, 2, 2)


def released_split(seed: int, people: int = 40, images: int = 5, leak: float = 0.0) -> ReleasedFaces:
    """Return releases `[n, 8]` of people who differ; the attribute shifts the first coordinate by `leak`."""
    rng = np.random.default_rng(seed)
    identity = np.repeat(np.arange(people, dtype=np.int32), images)
    gender = (identity % 2 == 0).astype(np.int8)
    values = rng.normal(0.5, 0.2, (people, 8))[identity] + rng.normal(0, 0.1, (len(identity), 8))
    values[:, 0] += leak * gender
    return ReleasedFaces(values.astype(np.float32)[None], identity, {"gender": gender})


def released_splits(people: int = 40, images: int = 5, leak: float = 0.0) -> dict[str, ReleasedFaces]:
    """Return `released_split` of every split; no person is in two of them."""
    return {split: released_split(seed, people, images, leak) for seed, split in enumerate(SPLITS)}
