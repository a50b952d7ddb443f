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
    people, person, images = np.unique(identity, return_inverse=True, return_counts=True)
    paired = images[person] > 1
    members = [np.flatnonzero(identity == one) for one in people]
    same = np.concatenate([np.zeros((0, 2), np.int64)] + [_pairs_within(own, rng) for own in members])
    anchors = same[:, 0]
    if negatives == "same_gender":
        anchors = anchors[attribute[anchors] >= 0]
    strangers = [_stranger(anchor, identity, attribute, paired, negatives, rng) for anchor in anchors]
    anchors = np.repeat(anchors, [len(stranger) for stranger in strangers])
    partners = np.concatenate([np.zeros(0, np.int64), *strangers])
    return Pairs(
        np.concatenate([same[:, 0], anchors]),
        np.concatenate([same[:, 1], partners]),
        np.r_[np.zeros(len(same), bool), np.ones(len(anchors), bool)],
    )


def _pairs_within(own: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    left, right = np.triu_indices(len(own), k=1)
    chosen = rng.permutation(len(left))[:PAIRS_PER_IDENTITY]
    return np.stack([own[left[chosen]], own[right[chosen]]], axis=1)


def _stranger(
    anchor: np.int64,
    identity: np.ndarray,
    attribute: np.ndarray,
    paired: np.ndarray,
    negatives: str,
    rng: np.random.Generator,
) -> np.ndarray:
    eligible = paired & (identity != identity[anchor])
    if negatives == "same_gender":
        eligible &= attribute == attribute[anchor]
    candidates = np.flatnonzero(eligible)
    return rng.choice(candidates, 1) if len(candidates) else candidates
