"""The judge: fresh attackers measure the privacy of released representations, fresh matchers their utility."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from aia_models.judging.attack import Attack, AttackKey
from aia_models.judging.attacks import attack_all
from aia_models.judging.beside.further_attacks import further_attacks, learning_curve
from aia_models.judging.certified import certify_released
from aia_models.judging.matches import Match, match_all
from aia_models.judging.released import ReleasedFaces, check_released
from aia_models.measures.certificate import Certificate

JUDGE_VERSION = 6  # raise it when the same representations get other figures

# The kinds of further attacks whose strongest has a figure of its own.
BESIDE: Mapping[str, Callable[[Attack], bool]] = {
    "10_releases": lambda attack: attack.reads == "mean_of_ten",
    "linked": lambda attack: attack.reads in ("person_scores", "person_representations"),
    "gallery": lambda attack: attack.reads == "gallery",
    "decoded": lambda attack: attack.reads == "decoded_image",
    "other": lambda attack: attack.vantage == "other",
}


@dataclass(frozen=True)
class Judgement:
    """All attacks and matches of one released encoder.

    Privacy is the strongest of `attacks`; `further_attacks` are recorded beside. `certificate` is None where what is
    released has no small finite alphabet.
    `attack_bootstrap_samples` by attack, and `match_bootstrap_samples[split, matcher]` with any negatives, are the AUCs
    in each resample of the split's people. The resamples are the same for every encoder judged on the same faces, so
    that differences of two encoders' samples are paired differences. `still_improving` tells for each attribute
    whether attackers gain from more people, as in `learning_curve`.
    """

    attacks: tuple[Attack, ...]
    matches: tuple[Match, ...]
    attack_bootstrap_samples: Mapping[AttackKey, np.ndarray]
    match_bootstrap_samples: Mapping[tuple[str, str], np.ndarray]
    further_attacks: tuple[Attack, ...] = ()
    still_improving: Mapping[str, bool] | None = None
    certificate: Certificate | None = None

    def strongest_attack(self, split: str, attribute: str | None = None) -> Attack:
        """Return the attack with the largest folded AUC on `split`, over all attributes or against one of them.

        Its folded AUC is the column `attacker_auc_<split>`.
        """
        attacks = [a for a in self.attacks if a.split == split and attribute in (None, a.attribute)]
        return max(attacks, key=lambda attack: attack.folded_auc)

    def strongest_beside(self, split: str, kind: str) -> Attack | None:
        """Return the strongest of the further attacks of a kind in `BESIDE`, or None if there is none."""
        attacks = [a for a in self.further_attacks if a.split == split and BESIDE[kind](a)]
        return max(attacks, key=lambda attack: attack.folded_auc, default=None)

    def best_match(self, split: str) -> Match:
        """Return the match, on `split`, of the matcher that is best on validation.

        Its AUC is the column `matching_auc_<split>`.
        """
        validation = [m for m in self.matches if m.split == "validation" and m.negatives == "any"]
        best = max(validation, key=lambda match: match.auc).matcher
        return next(m for m in self.matches if (m.split, m.matcher, m.negatives) == (split, best, "any"))

    def best_same_gender_match(self, split: str) -> Match | None:
        """Return that matcher's match on same-gender negatives, or None if there are no such pairs."""
        wanted = split, self.best_match(split).matcher, "same_gender"
        return next((m for m in self.matches if (m.split, m.matcher, m.negatives) == wanted), None)


def judge(
    released: Mapping[str, ReleasedFaces],
    map_shape: tuple[int, int, int],
    seed: int,
    device: str = "cpu",
) -> Judgement:
    """Fit all attackers and matchers on people kept for them; judge them on validation and test people.

    Attackers and matchers see released representations only: they know the channel by its outputs. Raises DataError if
    representations are not finite or an attribute has one value in a split.
    """
    check_released(released)
    matches = match_all(released, map_shape, seed)
    attacks = attack_all(released, seed, device)
    discriminant = matches.embeddings["linear_discriminant"]
    further = list(further_attacks(released, attacks, discriminant, seed, device))
    improving = {}
    for attribute in released["attack"].attributes:
        curve, improving[attribute] = learning_curve(released, attribute, attacks, seed, device)
        further += curve
    return Judgement(
        attacks.counted,
        matches.rows,
        attacks.bootstrap_samples,
        matches.bootstrap_samples,
        tuple(further),
        improving,
        certify_released(released),
    )
