"""What fresh attackers infer from released representations and how well fresh matchers do on them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Int8, Int32

from aia_models.attackers import SUITES, Suite, feature_scaler, fit_attacker
from aia_models.bootstrap import folded_auc_draws, identity_weights, interval, pair_weights
from aia_models.matchers import MATCHERS
from aia_models.metrics import (
    auc,
    balanced_accuracy,
    best_threshold,
    equal_error_rate,
    folded,
    true_accept_rate,
    weighted_aucs,
)
from aia_models.pairs import Pairs, evaluation_pairs
from aia_models.streams import stream_seed

JUDGED_SPLITS = ("validation", "test")
NEGATIVES = ("any", "same_gender")

Draws = dict[tuple[str, str], np.ndarray]


@dataclass(frozen=True)
class ReleasedFaces:
    """Released representations of one split with their identities and private attribute (1, 0, -1 unknown)."""

    representations: Float32[np.ndarray, "n k"]
    identity: Int32[np.ndarray, " n"]
    attribute: Int8[np.ndarray, " n"]


@dataclass(frozen=True)
class Attack:
    """One fresh attacker on one split. `auc` is not folded; `low` and `high` are the folded AUC's 95 % interval
    over identities; `majority_share` is the accuracy of always guessing the larger class."""

    split: str
    attacker: str
    suite: str
    vantage: str
    train_images: int
    auc: float
    accuracy: float
    balanced_accuracy: float
    majority_share: float
    low: float
    high: float
    fit_seconds: float


@dataclass(frozen=True)
class Match:
    """One fresh matcher on one split's pairs; `accuracy` uses the threshold that is best on validation."""

    split: str
    matcher: str
    negatives: str
    auc: float
    low: float
    high: float
    accuracy: float
    eer: float
    tar_far_1e_2: float | None
    pairs: int


@dataclass(frozen=True)
class Judgement:
    """All attacks and matches of one released encoder.

    `attack_draws[split, attacker]` and `match_draws[split, matcher]` (any negatives) are the AUCs in each
    resample of the split's people. The resamples are the same for every encoder judged on the same faces: the
    difference of two encoders' draws is their paired difference.
    """

    attacks: tuple[Attack, ...]
    matches: tuple[Match, ...]
    attack_draws: Mapping[tuple[str, str], np.ndarray]
    match_draws: Mapping[tuple[str, str], np.ndarray]

    def strongest_attack(self, split: str) -> Attack:
        """The attack with the largest folded AUC on `split`: its folded AUC is `attacker_auc_<split>`."""
        return max((a for a in self.attacks if a.split == split), key=lambda attack: folded(attack.auc))

    def best_match(self, split: str, negatives: str = "any") -> Match:
        """The match, on `split`, of the matcher that is best on validation: its AUC is `matching_auc_<split>`."""
        validation = [m for m in self.matches if m.split == "validation" and m.negatives == "any"]
        best = max(validation, key=lambda match: match.auc).matcher
        return next(m for m in self.matches if (m.split, m.matcher, m.negatives) == (split, best, negatives))


def judge(
    released: Mapping[str, ReleasedFaces], map_shape: tuple[int, int, int], suite: Suite, seed: int
) -> Judgement:
    """Fits the suite's attackers and all matchers on `released["attack"]`, judges on validation and test.

    Only released representations are seen: the attackers know the channel by its outputs on people of their own.
    """
    attack_draws: Draws = {}
    match_draws: Draws = {}
    known = _standardised({split: _known(faces) for split, faces in released.items()})
    pairs = {
        (split, negatives): evaluation_pairs(faces.identity, faces.attribute, split, negatives)
        for split, faces in released.items()
        if split in JUDGED_SPLITS
        for negatives in NEGATIVES
    }
    attacks = [a for name in SUITES[suite] for a in _attack(known, name, suite, seed, attack_draws)]
    matches = [m for name in MATCHERS for m in _match(released, name, pairs, map_shape, seed, match_draws)]
    return Judgement(tuple(attacks), tuple(matches), attack_draws, match_draws)


def _attack(
    known: Mapping[str, ReleasedFaces], name: str, suite: Suite, seed: int, all_draws: Draws
) -> list[Attack]:
    own = known["attack"]
    started = time.perf_counter()
    attacker_seed = stream_seed(seed, "attacker", name) % 2**32
    score = fit_attacker(SUITES[suite][name], own.representations, own.attribute == 1, attacker_seed)
    seconds = time.perf_counter() - started
    attacks = []
    for split in JUDGED_SPLITS:
        judged = known[split]
        scores, positive = score(judged.representations), judged.attribute == 1
        draws = folded_auc_draws(scores, positive, identity_weights(judged.identity))
        all_draws[split, name] = draws
        low, high = interval(draws)
        attack = Attack(
            split=split, attacker=name, suite=suite, vantage="attack", train_images=len(own.identity),
            auc=auc(scores, positive), accuracy=float(((scores > 0) == positive).mean()),
            balanced_accuracy=balanced_accuracy(scores > 0, positive),
            majority_share=float(max(positive.mean(), 1 - positive.mean())),
            low=low, high=high, fit_seconds=seconds,
        )  # fmt: skip
        attacks.append(attack)
    return attacks


def _match(
    released: Mapping[str, ReleasedFaces],
    name: str,
    all_pairs: Mapping[tuple[str, str], Pairs],
    map_shape: tuple[int, int, int],
    seed: int,
    all_draws: Draws,
) -> list[Match]:
    own = released["attack"]
    embed = MATCHERS[name](own.representations, own.identity, map_shape, stream_seed(seed, "matcher", name))
    matches, threshold = [], {}
    for split in JUDGED_SPLITS:
        judged = released[split]
        embedded, weights = embed(judged.representations), identity_weights(judged.identity)
        for negatives in NEGATIVES:
            pairs = all_pairs[split, negatives]
            similarity = -np.linalg.norm(embedded[pairs.left] - embedded[pairs.right], axis=1)
            same = ~pairs.different
            threshold.setdefault(negatives, best_threshold(similarity, same))
            draws = weighted_aucs(similarity, same, pair_weights(pairs, weights))
            if negatives == "any":
                all_draws[split, name] = draws
            low, high = interval(draws)
            match = Match(
                split=split, matcher=name, negatives=negatives, auc=auc(similarity, same), low=low, high=high,
                accuracy=float(((similarity >= threshold[negatives]) == same).mean()),
                eer=equal_error_rate(similarity, same),
                tar_far_1e_2=true_accept_rate(similarity, same, 0.01), pairs=len(same),
            )  # fmt: skip
            matches.append(match)
    return matches


def _standardised(known: Mapping[str, ReleasedFaces]) -> dict[str, ReleasedFaces]:
    """Once for all attackers: by mean and deviation over the `attack` identities."""
    scaler = feature_scaler(known["attack"].representations)
    return {
        split: replace(faces, representations=scaler.transform(faces.representations))
        for split, faces in known.items()
    }


def _known(faces: ReleasedFaces) -> ReleasedFaces:
    known = faces.attribute >= 0
    return replace(
        faces,
        representations=faces.representations[known],
        identity=faces.identity[known],
        attribute=faces.attribute[known],
    )
