"""Attacks on released representations: fresh attackers are fitted, judged, and recorded with their settings."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from aia_models.judging.attack_data import AttackData, build_attack_data
from aia_models.judging.released import ReleasedFaces
from aia_models.judging.sklearn_attackers import SCIKIT_ATTACKERS, Attacker
from aia_models.measures.bootstrap import folded_auc_bootstrap_samples, interval, weighted_shares
from aia_models.measures.metrics import auc, balanced_accuracy, folded
from aia_models.random_streams import stream_seed

CHEAP = ("logistic_regression", "rbf_svm", "mlp")


class AttackKey(NamedTuple):
    """Identifies one attack within a judgement."""

    split: str
    attribute: str
    vantage: str
    attacker: str


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Attacks:
    """All attacks on one released encoder.

    The attackers of `counted` learnt from all people and read single releases; the strongest of them is the figure of
    privacy. Those of `further` learnt from fewer people (learning curve) or read means of ten releases.
    `bootstrap_samples` holds the folded AUC of each counted attack in each resample of the people, `scores` its scores
    of the judged images with a known attribute. `still_improving` tells for each attribute whether its strongest
    attacker gained more than one standard error over identities from half of the people to all of them (None without
    a learning curve).
    """

    counted: tuple[Attack, ...]
    further: tuple[Attack, ...]
    bootstrap_samples: Mapping[AttackKey, Float[np.ndarray, " resample"]]
    scores: Mapping[AttackKey, Float[np.ndarray, " known"]]
    still_improving: Mapping[str, bool | None]


def attack_all(
    released: Mapping[str, ReleasedFaces], map_shape: tuple[int, int, int], seed: int, device: str
) -> Attacks:
    """Attack every private attribute: three attackers with their usual settings learn from the `attack` identities."""
    counted: list[Attack] = []
    samples: dict[AttackKey, np.ndarray] = {}
    scores: dict[AttackKey, np.ndarray] = {}
    attributes = released["attack"].attributes
    for attribute in attributes:
        data = build_attack_data(released, attribute, "attack")
        for name in CHEAP:
            for attack, sample, score in _attack(data, name, SCIKIT_ATTACKERS[name], seed):
                counted.append(attack)
                samples[attack.key], scores[attack.key] = sample, score
    return Attacks(tuple(counted), (), samples, scores, dict.fromkeys(attributes))


def _attack(
    data: AttackData, name: str, attacker: Attacker[Any], seed: int
) -> Iterator[tuple[Attack, Float[np.ndarray, " resample"], Float[np.ndarray, " known"]]]:
    """Fit one attacker; yield for each judged split the attack, its folded AUC in each resample, and its scores."""
    attacker_seed = stream_seed(seed, "attacker", name) % 2**32
    started = time.perf_counter()
    setting = attacker.usual
    score = attacker.fit(data.examples, data.positive, setting, attacker_seed)
    seconds = time.perf_counter() - started
    for split, judged in data.judged.items():
        scores, positive, weights = score(judged.examples), judged.positive, judged.weights
        samples = folded_auc_bootstrap_samples(scores, positive, weights)
        folded_low, folded_high = interval(samples)
        right = (scores > 0) == positive
        accuracy = interval(weighted_shares(right, weights))
        recalls = [weighted_shares(right[side], weights[:, side]) for side in (positive, ~positive)]
        balanced = interval((recalls[0] + recalls[1]) / 2)
        attack = Attack(
            split=split, attribute=data.attribute, attacker=name, reads="single_release", vantage=data.vantage,
            releases=data.releases, train_images=data.images, setting=_in_words(setting),
            folded_auc=folded(auc(scores, positive)), folded_auc_low=folded_low, folded_auc_high=folded_high,
            accuracy=float(right.mean()), accuracy_low=accuracy[0], accuracy_high=accuracy[1],
            balanced_accuracy=balanced_accuracy(scores > 0, positive),
            balanced_accuracy_low=balanced[0], balanced_accuracy_high=balanced[1],
            majority_share=float(max(positive.mean(), 1 - positive.mean())), fit_seconds=seconds,
        )  # fmt: skip
        yield attack, samples, scores


def _in_words(setting: Any) -> str:
    """Return a setting as text: the names and values of its parts that are not None."""
    if not hasattr(setting, "_asdict"):
        return str(setting)
    return ", ".join(f"{name} {value:g}" for name, value in setting._asdict().items() if value is not None)
