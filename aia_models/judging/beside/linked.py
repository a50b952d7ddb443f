"""Linked releases: what an attacker reads who knows which releases belong to one person."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int32, Int64

from aia_models.judging.attack import Attack, AttackName, score_attack
from aia_models.judging.attack_data import JUDGED_SPLITS
from aia_models.judging.attackers import STRONGEST
from aia_models.judging.attacks import Attacks, run_attackers
from aia_models.judging.released import ReleasedFaces
from aia_models.measures.bootstrap import identity_weights


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
        judged = {split: _people(released[split], attribute) for split in JUDGED_SPLITS}
        for attack in attacks.counted:
            if attack.attribute == attribute:
                yield _by_person(attack, attacks.scores[attack.key], judged[attack.split])
        for scored in run_attackers(
            STRONGEST, people, attribute, ("both",), "person_representations", seed, device
        ):
            images = sum(int(released[split].known(attribute).sum()) for split in ("attack", "train"))
            yield replace(scored.attack, train_images=images)


@dataclass(frozen=True)
class _People:
    """The people of a split: the number of each image's person, each person's images, value and bootstrap weights.

    Only images with a known attribute count. A person has the value of most of its images.
    """

    identity: Int32[np.ndarray, " person"]
    person: Int64[np.ndarray, " known"]
    images: Int64[np.ndarray, " person"]
    positive: Bool[np.ndarray, " person"]

    @cached_property
    def weights(self) -> Float[np.ndarray, "resample person"]:
        return identity_weights(self.identity)


def _people(faces: ReleasedFaces, attribute: str) -> _People:
    known = faces.known(attribute)
    people, person, images = np.unique(faces.identity[known], return_inverse=True, return_counts=True)
    positive = np.bincount(person, faces.attributes[attribute][known] == 1) >= images / 2
    return _People(people.astype(np.int32), person, images, positive)


def put_together(faces: ReleasedFaces, attribute: str) -> ReleasedFaces:
    """Return one row for each person: the mean of the representations of its images, and their standard deviations."""
    people = _people(faces, attribute)
    order = np.argsort(people.person, kind="stable")
    own = faces.releases[:, faces.known(attribute)][:, order].astype(np.float64)
    starts = np.cumsum(people.images) - people.images
    means, squares = (
        np.add.reduceat(values, starts, axis=1) / people.images[:, None] for values in (own, own**2)
    )
    deviations = np.sqrt(np.maximum(squares - means**2, 0))
    together = np.concatenate([means, deviations], axis=2).astype(np.float32)
    return ReleasedFaces(together, people.identity, {attribute: people.positive.astype(np.int8)})


def _by_person(attack: Attack, scores: Float[np.ndarray, " known"], people: _People) -> Attack:
    name = AttackName(
        attribute=attack.attribute, attacker=attack.attacker, reads="person_scores", vantage=attack.vantage,
        train_images=attack.train_images, setting=attack.setting, fit_seconds=attack.fit_seconds,
    )  # fmt: skip
    averaged = np.bincount(people.person, scores) / people.images
    return score_attack(name, attack.split, averaged, people.positive, people.weights).attack
