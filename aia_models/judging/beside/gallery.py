"""An attacker with a gallery: it has labelled releases of other images of the very people whose attribute it infers."""

from collections.abc import Iterator, Mapping

import numpy as np
from jaxtyping import Bool, Float, Int32, Int64

from aia_models.judging.attack import Attack, AttackName, score_attack
from aia_models.judging.attack_data import JUDGED_SPLITS
from aia_models.judging.matcher import Embed
from aia_models.judging.released import ReleasedFaces
from aia_models.measures.bootstrap import identity_weights
from aia_models.measures.whitening import unit_length
from aia_models.random_streams import stream_seed


def gallery_attacks(
    released: Mapping[str, ReleasedFaces], discriminant: Embed, seed: int
) -> Iterator[Attack]:
    """Yield an attack for each attribute and judged split in which somebody of each value has two images.

    Half of the images of each person, at least one, are the gallery, the others are judged. The attacker embeds both by
    `discriminant`, the linear discriminant of the `attack` identities, and by the representations themselves; a judged
    image's score is the largest cosine similarity to a gallery image with the attribute minus the largest to one
    without, both embeddings added.
    """
    for attribute in released["attack"].attributes:
        for split in JUDGED_SPLITS:
            faces = released[split]
            gallery, judged = _divide(faces.identity, faces.known(attribute), seed)
            positive = faces.attributes[attribute] == 1
            if any(len(np.unique(positive[rows])) < 2 for rows in (gallery, judged)):
                continue
            scores = sum(
                _nearness(embedded[judged], embedded[gallery], positive[gallery])
                for embedded in (
                    discriminant(faces.representations),
                    unit_length(faces.representations.astype(np.float64)),
                )
            )
            name = AttackName(
                attribute=attribute, attacker="nearest_of_gallery", reads="gallery", vantage="attack",
                train_images=len(gallery), setting="linear discriminant and cosine", fit_seconds=0.0,
            )  # fmt: skip
            weights = identity_weights(faces.identity[judged])
            yield score_attack(name, split, np.asarray(scores), positive[judged], weights).attack


def _divide(
    identity: Int32[np.ndarray, " n"], known: Bool[np.ndarray, " n"], seed: int
) -> tuple[Int64[np.ndarray, " gallery"], Int64[np.ndarray, " judged"]]:
    """Return the rows of the gallery and the judged rows; people with one image are in neither."""
    rng = np.random.default_rng(stream_seed(seed, "gallery", "images"))
    gallery, judged = [], []
    for person in np.unique(identity[known]):
        rows = rng.permutation(np.flatnonzero(known & (identity == person)))
        if len(rows) > 1:
            gallery.append(rows[: len(rows) // 2])
            judged.append(rows[len(rows) // 2 :])
    empty = np.zeros(0, np.int64)
    return np.concatenate([empty, *gallery]), np.concatenate([empty, *judged])


def _nearness(
    asked: Float[np.ndarray, "judged dim"],
    gallery: Float[np.ndarray, "gallery dim"],
    positive: Bool[np.ndarray, " gallery"],
) -> Float[np.ndarray, " judged"]:
    similarity = asked @ gallery.T
    return similarity[:, positive].max(1) - similarity[:, ~positive].max(1)
