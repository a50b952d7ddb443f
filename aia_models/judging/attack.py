"""One attack: a fresh attacker's figures on the people of one split."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from aia_models.measures.bootstrap import (
    folded_auc_bootstrap_samples,
    interval,
    weighted_shares,
)
from aia_models.measures.metrics import auc, balanced_accuracy, folded


class AttackKey(NamedTuple):
    """Identifies one counted attack within a judgement."""

    split: str
    attribute: str
    vantage: str
    attacker: str


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One fresh attacker of one attribute on one split.

    `folded_auc` is max(AUC, 1 - AUC). Fields that end in `_low` and `_high` are the ends of a figure's 95 % interval
    over identities. `reads` says what the attacker learns from and reads: "single_release", "mean_of_ten",
    "person_scores", "person_representations", "gallery" or "decoded_image". `releases` is 1, or 10 for means of ten
    releases of each image. `train_images` is the number of images that it learnt from, `setting` the setting that it
    was fitted with. `majority_share` is the accuracy of always guessing the larger class.
    """

    split: str
    attribute: str
    attacker: str
    reads: str
    vantage: str
    releases: int
    train_images: int
    setting: str
    folded_auc: float
    folded_auc_low: float
    folded_auc_high: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    balanced_accuracy: float
    balanced_accuracy_low: float
    balanced_accuracy_high: float
    majority_share: float
    fit_seconds: float

    @property
    def key(self) -> AttackKey:
        """The key of its scores and bootstrap samples."""
        return AttackKey(self.split, self.attribute, self.vantage, self.attacker)


@dataclass(frozen=True, kw_only=True)
class AttackName:
    """What an attack's figures are recorded under: the fields of `Attack` that are not figures of its scores."""

    attribute: str
    attacker: str
    reads: str
    vantage: str
    train_images: int
    setting: str
    fit_seconds: float

    @property
    def releases(self) -> int:
        """Number of releases of each image whose mean the attacker reads."""
        return 10 if self.reads == "mean_of_ten" else 1


class ScoredAttack(NamedTuple):
    """An attack, its folded AUC in each resample of the people, and its scores, above 0 for the attribute."""

    attack: Attack
    samples: Float[np.ndarray, " resample"]
    scores: Float[np.ndarray, " n"]


def score_attack(
    name: AttackName,
    split: str,
    scores: Float[np.ndarray, " n"],
    positive: Bool[np.ndarray, " n"],
    weights: Float[np.ndarray, "resample n"],
) -> ScoredAttack:
    """Return the attack with its figures and intervals; a score above 0 says that the image has the attribute.

    `weights` are the `identity_weights` of the images' people.
    """
    samples = folded_auc_bootstrap_samples(scores, positive, weights)
    folded_low, folded_high = interval(samples)
    right = (scores > 0) == positive
    accuracy = interval(weighted_shares(right, weights))
    recalls = [weighted_shares(right[side], weights[:, side]) for side in (positive, ~positive)]
    balanced = interval((recalls[0] + recalls[1]) / 2)
    attack = Attack(
        split=split, attribute=name.attribute, attacker=name.attacker, reads=name.reads, vantage=name.vantage,
        releases=name.releases, train_images=name.train_images, setting=name.setting, fit_seconds=name.fit_seconds,
        folded_auc=folded(auc(scores, positive)), folded_auc_low=folded_low, folded_auc_high=folded_high,
        accuracy=float(right.mean()), accuracy_low=accuracy[0], accuracy_high=accuracy[1],
        balanced_accuracy=balanced_accuracy(scores > 0, positive),
        balanced_accuracy_low=balanced[0], balanced_accuracy_high=balanced[1],
        majority_share=float(max(positive.mean(), 1 - positive.mean())),
    )  # fmt: skip
    return ScoredAttack(attack, samples, scores)
