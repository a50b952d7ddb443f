"""Pairs of images on which matchers are judged; every trial on the same faces has the same pairs."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int8, Int32, Int64

from aia_models.random_streams import stream_seed

PAIRS_PER_IDENTITY = 10


@dataclass(frozen=True)
class Pairs:
    """Indices of the two images of each pair, and a mask of the pairs that show two different people."""

    left: Int64[np.ndarray, " pair"]
    right: Int64[np.ndarray, " pair"]
    different: Bool[np.ndarray, " pair"]


def evaluation_pairs(
    identity: Int32[np.ndarray, " n"],
    attribute: Int8[np.ndarray, " n"],
    split: str,
    negatives: str = "any",
) -> Pairs:
    """Draw same-person pairs (up to `PAIRS_PER_IDENTITY` of each person) and as many pairs of different people.

    People with one image are in no pair. For each same-person pair, another person's image is drawn from all others
    (`negatives="any"`) or from those with the same known attribute (`"same_gender"`); pairs without such an image are
    left out. Both kinds of negatives share the same-person pairs. The draw depends only on the faces and the split's
    name, never on a trial.
    """
    rng = np.random.default_rng(stream_seed(0, "pairs", split))
    same = _pairs_of_one_person(identity, rng)
    group = attribute if negatives == "same_gender" else np.zeros(len(identity), np.int8)
    anchors, partners = _strangers(same[:, 0], identity, group, rng)
    return Pairs(
        np.concatenate([same[:, 0], anchors]),
        np.concatenate([same[:, 1], partners]),
        np.r_[np.zeros(len(same), bool), np.ones(len(anchors), bool)],
    )


def _pairs_of_one_person(
    identity: Int32[np.ndarray, " n"], rng: np.random.Generator
) -> Int64[np.ndarray, "pair 2"]:
    pairs = [np.zeros((0, 2), np.int64)]
    for person in np.unique(identity):
        own = np.flatnonzero(identity == person)
        left, right = np.triu_indices(len(own), k=1)
        chosen = rng.permutation(len(left))[:PAIRS_PER_IDENTITY]
        pairs.append(np.stack([own[left[chosen]], own[right[chosen]]], axis=1))
    return np.concatenate(pairs)


def _strangers(
    anchors: Int64[np.ndarray, " anchor"],
    identity: Int32[np.ndarray, " n"],
    group: Int8[np.ndarray, " n"],
    rng: np.random.Generator,
) -> tuple[Int64[np.ndarray, " drawn"], Int64[np.ndarray, " drawn"]]:
    """Draw for each anchor an image of another person with several images in the same group.

    Returns the anchors for which there is such an image, and these images. A group below 0 is none.
    """
    anchors = anchors[group[anchors] >= 0]
    _, person, images = np.unique(identity, return_inverse=True, return_counts=True)
    key = group.astype(np.int64) * len(images) + person  # sorts images by group, then by person
    pool = np.flatnonzero((images[person] > 1) & (group >= 0))
    pool = pool[np.argsort(key[pool], kind="stable")]
    first_of_group = group[anchors].astype(np.int64) * len(images)
    start, end = np.searchsorted(key[pool], [first_of_group, first_of_group + len(images)])
    own, after = (np.searchsorted(key[pool], key[anchors], side) for side in ("left", "right"))
    others = end - start - (after - own)
    drawn = start + (rng.random(len(anchors)) * others).astype(np.int64)
    drawn += (drawn >= own) * (after - own)
    kept = others > 0
    return anchors[kept], pool[drawn[kept]]
