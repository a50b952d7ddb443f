"""Attacks on released representations: fresh attackers are fitted, judged, and recorded with their settings."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from aia_models.judging.attack import Attack, AttackKey, AttackName, ScoredAttack, score_attack
from aia_models.judging.attack_data import JUDGED_SPLITS, build_attack_data
from aia_models.judging.attackers import ATTACKERS, Attacker
from aia_models.judging.attackers.rank_ensemble import rank_ensemble
from aia_models.judging.released import ReleasedFaces
from aia_models.measures.bootstrap import identity_weights
from aia_models.random_streams import stream_seed

SPLIT_VANTAGES = ("attack", "train", "both")
ENSEMBLE = "rank_ensemble"


@dataclass(frozen=True)
class Attacks:
    """The attacks on one released encoder whose strongest is the figure of privacy.

    The attackers learnt from all people and read single releases. `bootstrap_samples` holds the folded AUC of each
    attack in each resample of the people, `scores` its scores of the judged images with a known attribute.
    """

    counted: tuple[Attack, ...]
    bootstrap_samples: Mapping[AttackKey, Float[np.ndarray, " resample"]]
    scores: Mapping[AttackKey, Float[np.ndarray, " known"]]


def attack_all(released: Mapping[str, ReleasedFaces], seed: int, device: str) -> Attacks:
    """Attack every private attribute by all attackers from all vantages of the study's own people."""
    scored = [
        attack
        for attribute in released["attack"].attributes
        for attack in run_attackers(
            ATTACKERS, released, attribute, SPLIT_VANTAGES, "single_release", seed, device
        )
    ]
    return Attacks(
        tuple(attack.attack for attack in scored),
        {attack.attack.key: attack.samples for attack in scored},
        {attack.attack.key: attack.scores for attack in scored},
    )


def run_attackers(
    attackers: Mapping[str, Attacker],
    released: Mapping[str, ReleasedFaces],
    attribute: str,
    vantages: tuple[str, ...],
    reads: str,
    seed: int,
    device: str,
) -> list[ScoredAttack]:
    """Fit `attackers`, and the rank ensemble of several, to `released`; return their attacks on each split."""
    data = build_attack_data(released, attribute, vantages, seed, device)
    readings = {}
    seconds = {}
    for name, attacker in attackers.items():
        started = time.perf_counter()
        readings[name] = attacker(data.examples, stream_seed(seed, "attacker", name))
        seconds[name] = (time.perf_counter() - started) / len(vantages)
    if len(attackers) > 1:
        readings[ENSEMBLE] = {
            vantage: rank_ensemble([by_vantage[vantage] for by_vantage in readings.values()])
            for vantage in vantages
        }
        seconds[ENSEMBLE] = sum(seconds.values())
    weights = {split: identity_weights(data.identity[data.split == split]) for split in JUDGED_SPLITS}
    scored = []
    for attacker, by_vantage in readings.items():
        for vantage, reading in by_vantage.items():
            name = AttackName(
                attribute=attribute, attacker=attacker, reads=reads, vantage=vantage,
                train_images=data.images[vantage], setting=reading.setting, fit_seconds=seconds[attacker],
            )  # fmt: skip
            for split in JUDGED_SPLITS:
                judged = data.split == split
                scored.append(
                    score_attack(name, split, reading.scores[judged], data.positive[judged], weights[split])
                )
    return scored
