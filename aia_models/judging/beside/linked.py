"""Linked releases: what an attacker reads who knows which releases belong to one person."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Int8, Int64

from aia_models.judging.attack import Attack, AttackName, score_attack
from aia_models.judging.attackers import STRONGEST
from aia_models.judging.attacks import Attacks, run_attackers
from aia_models.judging.released import ReleasedFaces


def linked_attacks(
    released: Mapping[str, ReleasedFaces], attacks: Attacks, seed: int, device: str
) -> Iterator[Attack]:
    """Yield attacks that judge people instead of images, in two ways.

    "person_scores" averages each counted attacker's scores over a person's images. "person_representations" puts the
    representations themselves together and attacks the result, so that it also finds what no single image shows. An
    attribute of which the people of a split have one value, as where one image of each has the other, is left out.
    """
    for attribute in released["attack"].attributes:
        people = {
            split: put_together(faces, attribute) for split, faces in released.items() if split != "other"
        }
        if any(len(np.unique(faces.attributes[attribute])) < 2 for faces in people.values()):
            continue
        for attack in attacks.counted:
            if attack.attribute == attribute:
                yield _by_person(attack, attacks.scores[attack.key], released[attack.split])
        for scored in run_attackers(
            STRONGEST, people, attribute, ("both",), "person_representations", seed, device
        ):
            images = sum(int(released[split].known(attribute).sum()) for split in ("attack", "train"))
            yield replace(scored.attack, train_images=images)


def put_together(faces: ReleasedFaces, attribute: str) -> ReleasedFaces:
    """Return one row for each person: the mean of the representations of its images, and their standard deviations.

    Only images with a known attribute count. A person has the value of most of its images.
    """
    known = faces.known(attribute)
    people, person, images = np.unique(faces.identity[known], return_inverse=True, return_counts=True)
    own = faces.releases[:, known]
    shape = len(own), len(people), own.shape[2]
    means, squares = np.zeros(shape), np.zeros(shape)
    for release, mean, square in zip(own, means, squares, strict=True):
        np.add.at(mean, person, release)
        np.add.at(square, person, release.astype(np.float64) ** 2)
    means /= images[:, None]
    deviations = np.sqrt(np.maximum(squares / images[:, None] - means**2, 0))
    together = np.concatenate([means, deviations], axis=2).astype(np.float32)
    values = _most_frequent(faces.attributes[attribute][known], person, images)
    return ReleasedFaces(together, people.astype(np.int32), {attribute: values})


def _by_person(attack: Attack, scores: np.ndarray, faces: ReleasedFaces) -> Attack:
    known = faces.known(attack.attribute)
    people, person, images = np.unique(faces.identity[known], return_inverse=True, return_counts=True)
    averaged = np.bincount(person, scores) / images
    positive = _most_frequent(faces.attributes[attack.attribute][known], person, images) == 1
    name = AttackName(
        attribute=attack.attribute, attacker=attack.attacker, reads="person_scores", vantage=attack.vantage,
        train_images=attack.train_images, setting=attack.setting, fit_seconds=attack.fit_seconds,
    )  # fmt: skip
    return score_attack(name, attack.split, averaged, positive, people.astype(np.int32)).attack


def _most_frequent(
    values: Int8[np.ndarray, " n"], person: Int64[np.ndarray, " n"], images: Int64[np.ndarray, " person"]
) -> Int8[np.ndarray, " person"]:
    """Return each person's value: 1 where at least half of its images have the value 1."""
    return (np.bincount(person, values == 1) >= images / 2).astype(np.int8)
