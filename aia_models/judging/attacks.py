"""Attacks on released representations: fresh attackers are fitted, judged, and recorded with their settings."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32

from aia_models.judging.attack_data import AttackData, build_attack_data, some_people
from aia_models.judging.cnn_attacker import CNNAttacker, maps_of
from aia_models.judging.released import ReleasedFaces, Representations, Suite
from aia_models.judging.sklearn_attackers import SCIKIT_ATTACKERS, Attacker
from aia_models.judging.template_attacker import TemplateAttacker
from aia_models.measures.bootstrap import folded_auc_bootstrap_samples, interval, weighted_shares
from aia_models.measures.metrics import auc, balanced_accuracy, folded
from aia_models.random_streams import stream_seed

Chosen = dict[tuple[str, str], Any]  # vantage point and attacker -> the setting that was chosen
Decode = Callable[[Representations], Float32[np.ndarray, "n 1 side side"]]
AttackersFor = Callable[[AttackData], dict[str, Attacker[Any]]]

CHEAP = ("logistic_regression", "rbf_svm", "mlp")
MEANS = ("logistic_regression", "rbf_svm")  # attackers that always read the mean of ten releases too
VANTAGES: dict[Suite, tuple[str, ...]] = {"cheap": ("attack",), "full": ("attack", "train")}
HELD_BACK_SHARE = 0.25  # of an attacker's training people, on whom its setting is chosen
CURVE_SHARES = (0.25, 0.5)  # of an attacker's training people, for the learning curve


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
    over identities. `releases` is 1, or 10 where the attacker learns from and reads means of ten releases of each
    image. `train_images` is the number of images that it learnt from, `setting` the setting that it was fitted with.
    `majority_share` is the accuracy of always guessing the larger class.
    """

    split: str
    attribute: str
    attacker: str
    suite: str
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
    released: Mapping[str, ReleasedFaces],
    map_shape: tuple[int, int, int],
    suite: Suite,
    seed: int,
    decode: Decode | None,
    device: str,
) -> Attacks:
    """Attack every private attribute from every vantage point of the suite.

    Suite `cheap` fits three attackers with their usual settings on one release of the `attack` identities. Suite `full`
    fits all attackers on several releases, chooses the setting of each on held-back people, and also learns from the
    `train` identities; with `decode` a convolutional attacker reads decoded images too.
    """
    attackers_for = partial(_attackers, suite, map_shape, decode, device)
    counted: list[Attack] = []
    further: list[Attack] = []
    samples: dict[AttackKey, np.ndarray] = {}
    scores: dict[AttackKey, np.ndarray] = {}
    improving: dict[str, bool | None] = {}
    for attribute in released["attack"].attributes:
        data_by_vantage = {
            vantage: build_attack_data(released, attribute, vantage) for vantage in VANTAGES[suite]
        }
        own: list[Attack] = []
        chosen: Chosen = {}
        for data in data_by_vantage.values():
            for name, attacker in attackers_for(data).items():
                for attack, sample, score in _attack(data, name, attacker, suite, seed, chosen):
                    own.append(attack)
                    samples[attack.key], scores[attack.key] = sample, score
        counted += own
        improving[attribute] = None
        if suite == "full":
            curve, improving[attribute] = _learning_curve(released, own, samples, seed, chosen, attackers_for)
            further += curve
            if released["attack"].mean_of_10 is not None:
                further += _repeated(released, own, seed, attackers_for)
    return Attacks(tuple(counted), tuple(further), samples, scores, improving)


def _attackers(
    suite: Suite, map_shape: tuple[int, int, int], decode: Decode | None, device: str, data: AttackData
) -> dict[str, Attacker[Any]]:
    if suite == "cheap":
        return {name: SCIKIT_ATTACKERS[name] for name in CHEAP}
    releases = len(data.examples) // data.images
    convolutional = {"cnn": CNNAttacker(maps_of(map_shape), releases, device)}
    if decode is not None:
        decoded = CNNAttacker(lambda examples: torch.from_numpy(decode(examples.released)), releases, device)
        convolutional["cnn_decoded"] = decoded
    return {**SCIKIT_ATTACKERS, "templates": TemplateAttacker(releases), **convolutional}


def _attack(
    data: AttackData, name: str, attacker: Attacker[Any], suite: Suite, seed: int, chosen: Chosen
) -> Iterator[tuple[Attack, Float[np.ndarray, " resample"], Float[np.ndarray, " known"]]]:
    """Fit one attacker; yield for each judged split the attack, its folded AUC in each resample, and its scores.

    The setting is taken from `chosen`; if it has none for this attacker, a setting is chosen and added to it.
    """
    attacker_seed = stream_seed(seed, "attacker", name) % 2**32
    started = time.perf_counter()
    name_at_vantage = data.vantage, name
    if name_at_vantage not in chosen:
        chosen[name_at_vantage] = (
            attacker.usual if suite == "cheap" else _chosen(data, attacker, attacker_seed)
        )
    setting = chosen[name_at_vantage]
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
            split=split, attribute=data.attribute, attacker=name, suite=suite, vantage=data.vantage,
            releases=data.releases, train_images=data.images, setting=_in_words(setting),
            folded_auc=folded(auc(scores, positive)), folded_auc_low=folded_low, folded_auc_high=folded_high,
            accuracy=float(right.mean()), accuracy_low=accuracy[0], accuracy_high=accuracy[1],
            balanced_accuracy=balanced_accuracy(scores > 0, positive),
            balanced_accuracy_low=balanced[0], balanced_accuracy_high=balanced[1],
            majority_share=float(max(positive.mean(), 1 - positive.mean())), fit_seconds=seconds,
        )  # fmt: skip
        yield attack, samples, scores


def _strongest(attacks: list[Attack]) -> Attack:
    """Return the attack with the largest folded AUC on validation."""
    validation = [attack for attack in attacks if attack.split == "validation"]
    return max(validation, key=lambda attack: attack.folded_auc)


def _in_words(setting: Any) -> str:
    """Return a setting as text: the names and values of its parts that are not None."""
    if not hasattr(setting, "_asdict"):
        return str(setting)
    return ", ".join(f"{name} {value:g}" for name, value in setting._asdict().items() if value is not None)


def _chosen(data: AttackData, attacker: Attacker[Any], seed: int) -> Any:
    """Return the setting that is best on held-back people, each image of whom is read by its first release."""
    held = np.isin(
        data.identity, some_people(data.identity, data.positive.astype(np.int8), HELD_BACK_SHARE, seed)
    )
    if len(np.unique(data.positive[~held])) < 2:  # too few people to hold any back
        return attacker.usual
    first = np.flatnonzero(held[: data.images])
    return attacker.choose(
        data.examples.at(~held), data.positive[~held], data.examples.at(first), data.positive[first], seed
    )


def _repeated(
    released: Mapping[str, ReleasedFaces], attacks: list[Attack], seed: int, attackers_for: AttackersFor
) -> list[Attack]:
    """Return the attacks that learn from and read means of ten releases: the attackers of `MEANS` from every vantage
    point, and the attacker that is strongest on single releases from its own."""
    strongest = _strongest(attacks)
    wanted = {(vantage, name) for vantage in VANTAGES["full"] for name in MEANS}
    repeated_attacks: list[Attack] = []
    for vantage, name in sorted(wanted | {(strongest.vantage, strongest.attacker)}):
        data = build_attack_data(released, strongest.attribute, vantage, mean=True)
        repeated_attacks += [
            attack for attack, *_ in _attack(data, name, attackers_for(data)[name], "full", seed, {})
        ]
    return repeated_attacks


def _learning_curve(
    released: Mapping[str, ReleasedFaces],
    attacks: list[Attack],
    samples: Mapping[AttackKey, Float[np.ndarray, " resample"]],
    seed: int,
    chosen: Chosen,
    attackers_for: AttackersFor,
) -> tuple[list[Attack], bool]:
    """Return the attackers of suite `cheap` and the strongest one on validation, fitted on fewer people with their
    chosen settings, and whether the strongest still gains from more people."""
    strongest = _strongest(attacks)
    wanted = {("attack", name) for name in CHEAP} | {(strongest.vantage, strongest.attacker)}
    curve: list[Attack] = []
    gained = False
    for vantage, name in sorted(wanted):
        for share in CURVE_SHARES:
            data = build_attack_data(released, strongest.attribute, vantage, share=share, seed=seed)
            for attack, fewer, _ in _attack(data, name, attackers_for(data)[name], "full", seed, chosen):
                curve.append(attack)
                if share == CURVE_SHARES[-1] and attack.key == strongest.key:
                    gain = samples[attack.key] - fewer
                    gained = bool(strongest.folded_auc - attack.folded_auc > np.nanstd(gain))
    return curve, gained
