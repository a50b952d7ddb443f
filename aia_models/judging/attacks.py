"""Attacks on released representations: who learns from whom, with which setting, and what is recorded of it."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32

from aia_models.judging.attack_data import AttackData, attack_field, some_people
from aia_models.judging.cnn_attacker import CNNAttacker, maps_of
from aia_models.judging.released import ReleasedFaces, Representations, Suite
from aia_models.judging.sklearn_attackers import SCIKIT_ATTACKERS, Attacker
from aia_models.judging.template_attacker import TemplateAttacker
from aia_models.measures.bootstrap import folded_auc_bootstrap_samples, interval, weighted_shares
from aia_models.measures.metrics import auc, balanced_accuracy, folded
from aia_models.random_streams import stream_seed

Chosen = dict[tuple[str, str], Any]  # vantage and attacker -> the setting it goes on with
Decode = Callable[[Representations], Float32[np.ndarray, "n 1 side side"]]
AttackersFor = Callable[[AttackData], dict[str, Attacker[Any]]]

CHEAP = ("logistic_regression", "rbf_svm", "mlp")
MEANS = ("logistic_regression", "rbf_svm")  # attackers that always read the mean of ten releases too
VANTAGES: dict[Suite, tuple[str, ...]] = {"cheap": ("attack",), "full": ("attack", "train")}
HELD_BACK_SHARE = 0.25  # of the people an attacker learns from: what it chooses its setting on
CURVE_SHARES = (0.25, 0.5)  # of those people: the smaller sizes of the learning curve


class AttackKey(NamedTuple):
    """What an attack's resamples are filed under."""

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
        """Where its resamples are."""
        return AttackKey(self.split, self.attribute, self.vantage, self.attacker)


@dataclass(frozen=True)
class Attacks:
    """All attacks on one released encoder.

    `counted` learnt from all people and read single releases: the strongest is what privacy means here. `further` are
    smaller sizes (learning curve) and means of ten releases. `draws` holds the counted ones' folded AUCs in each
    resample, `scores` their scores of the judged images whose attribute is known. `still_improving` says of each
    attribute whether its strongest attacker gained more than one standard error over identities from half of the
    people to all (None: no learning curve).
    """

    counted: tuple[Attack, ...]
    further: tuple[Attack, ...]
    bootstrap_samples: Mapping[AttackKey, Float[np.ndarray, " draw"]]
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
    """Attacks every private attribute from every vantage of the suite.

    `cheap` fits three attackers with their usual settings on one release of the `attack` identities. `full` fits
    all on several releases, lets each choose its setting on people held back, and looks from the `train` identities
    too; with `decode` the convolutional attacker also reads decoded images.
    """
    attackers_for = partial(_attackers, suite, map_shape, decode, device)
    counted: list[Attack] = []
    further: list[Attack] = []
    draws: dict[AttackKey, np.ndarray] = {}
    scores: dict[AttackKey, np.ndarray] = {}
    improving: dict[str, bool | None] = {}
    for attribute in released["attack"].attributes:
        fields = {vantage: attack_field(released, attribute, vantage) for vantage in VANTAGES[suite]}
        own: list[Attack] = []
        chosen: Chosen = {}
        for field in fields.values():
            for name, attacker in attackers_for(field).items():
                for attack, draw, score in _attack(field, name, attacker, suite, seed, chosen):
                    own.append(attack)
                    draws[attack.key], scores[attack.key] = draw, score
        counted += own
        improving[attribute] = None
        if suite == "full":
            curve, improving[attribute] = _learning_curve(released, own, draws, seed, chosen, attackers_for)
            further += curve
            if released["attack"].mean_of_10 is not None:
                further += _repeated(released, own, seed, attackers_for)
    return Attacks(tuple(counted), tuple(further), draws, scores, improving)


def _attackers(
    suite: Suite, map_shape: tuple[int, int, int], decode: Decode | None, device: str, field: AttackData
) -> dict[str, Attacker[Any]]:
    if suite == "cheap":
        return {name: SCIKIT_ATTACKERS[name] for name in CHEAP}
    releases = len(field.examples) // field.images
    convolutional = {"cnn": CNNAttacker(maps_of(map_shape), releases, device)}
    if decode is not None:
        decoded = CNNAttacker(lambda examples: torch.from_numpy(decode(examples.released)), releases, device)
        convolutional["cnn_decoded"] = decoded
    return {**SCIKIT_ATTACKERS, "templates": TemplateAttacker(releases), **convolutional}


def _attack(
    field: AttackData, name: str, attacker: Attacker[Any], suite: Suite, seed: int, chosen: Chosen
) -> Iterator[tuple[Attack, Float[np.ndarray, " draw"], Float[np.ndarray, " known"]]]:
    """Fits one attacker and yields, for each judged split, the attack, its folded AUC in each resample, its scores.

    Its setting is the one in `chosen`, where there is none yet one chosen now and put there.
    """
    attacker_seed = stream_seed(seed, "attacker", name) % 2**32
    started = time.perf_counter()
    who = field.vantage, name
    if who not in chosen:
        chosen[who] = attacker.usual if suite == "cheap" else _chosen(field, attacker, attacker_seed)
    setting = chosen[who]
    score = attacker.fit(field.examples, field.positive, setting, attacker_seed)
    seconds = time.perf_counter() - started
    for split, judged in field.judged.items():
        scores, positive, weights = score(judged.examples), judged.positive, judged.weights
        draws = folded_auc_bootstrap_samples(scores, positive, weights)
        folded_low, folded_high = interval(draws)
        right = (scores > 0) == positive
        accuracy = interval(weighted_shares(right, weights))
        recalls = [weighted_shares(right[side], weights[:, side]) for side in (positive, ~positive)]
        balanced = interval((recalls[0] + recalls[1]) / 2)
        attack = Attack(
            split=split, attribute=field.attribute, attacker=name, suite=suite, vantage=field.vantage,
            releases=field.releases, train_images=field.images, setting=_in_words(setting),
            folded_auc=folded(auc(scores, positive)), folded_auc_low=folded_low, folded_auc_high=folded_high,
            accuracy=float(right.mean()), accuracy_low=accuracy[0], accuracy_high=accuracy[1],
            balanced_accuracy=balanced_accuracy(scores > 0, positive),
            balanced_accuracy_low=balanced[0], balanced_accuracy_high=balanced[1],
            majority_share=float(max(positive.mean(), 1 - positive.mean())), fit_seconds=seconds,
        )  # fmt: skip
        yield attack, draws, scores


def _strongest(attacks: list[Attack]) -> Attack:
    """The attack that reads most on validation."""
    validation = [attack for attack in attacks if attack.split == "validation"]
    return max(validation, key=lambda attack: attack.folded_auc)


def _in_words(setting: Any) -> str:
    """A setting as text: its parts by name, those that are None left out."""
    if not hasattr(setting, "_asdict"):
        return str(setting)
    return ", ".join(f"{name} {value:g}" for name, value in setting._asdict().items() if value is not None)


def _chosen(field: AttackData, attacker: Attacker[Any], seed: int) -> Any:
    """The setting that does best on people held back, each by its first release."""
    held = np.isin(
        field.identity, some_people(field.identity, field.positive.astype(np.int8), HELD_BACK_SHARE, seed)
    )
    if len(np.unique(field.positive[~held])) < 2:  # too few people to spare any
        return attacker.usual
    first = np.flatnonzero(held[: field.images])
    return attacker.choose(
        field.examples.at(~held), field.positive[~held], field.examples.at(first), field.positive[first], seed
    )


def _repeated(
    released: Mapping[str, ReleasedFaces], attacks: list[Attack], seed: int, attackers_for: AttackersFor
) -> list[Attack]:
    """Attacks that learn from and read the mean of ten releases: `MEANS` from every vantage, and the one that reads
    most of single releases, from its own."""
    strongest = _strongest(attacks)
    wanted = {(vantage, name) for vantage in VANTAGES["full"] for name in MEANS}
    found: list[Attack] = []
    for vantage, name in sorted(wanted | {(strongest.vantage, strongest.attacker)}):
        field = attack_field(released, strongest.attribute, vantage, mean=True)
        found += [attack for attack, *_ in _attack(field, name, attackers_for(field)[name], "full", seed, {})]
    return found


def _learning_curve(
    released: Mapping[str, ReleasedFaces],
    attacks: list[Attack],
    draws: Mapping[AttackKey, Float[np.ndarray, " draw"]],
    seed: int,
    chosen: Chosen,
    attackers_for: AttackersFor,
) -> tuple[list[Attack], bool]:
    """The cheap suite and the strongest attacker on validation, fitted on fewer people with the settings they chose;
    and whether the strongest still gains from more."""
    strongest = _strongest(attacks)
    wanted = {("attack", name) for name in CHEAP} | {(strongest.vantage, strongest.attacker)}
    found: list[Attack] = []
    gained = False
    for vantage, name in sorted(wanted):
        for share in CURVE_SHARES:
            field = attack_field(released, strongest.attribute, vantage, share=share, seed=seed)
            for attack, fewer, _ in _attack(field, name, attackers_for(field)[name], "full", seed, chosen):
                found.append(attack)
                if share == CURVE_SHARES[-1] and attack.key == strongest.key:
                    gain = draws[attack.key] - fewer
                    gained = bool(strongest.folded_auc - attack.folded_auc > np.nanstd(gain))
    return found, gained
