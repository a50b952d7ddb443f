"""Face verification on released representations: fresh matchers judge pairs of images."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from aia_models.judging.attack_data import JUDGED_SPLITS
from aia_models.judging.matcher import Embed
from aia_models.judging.matchers import MATCHERS
from aia_models.judging.released import ReleasedFaces
from aia_models.measures.bootstrap import identity_weights, interval, pair_weights, weighted_shares
from aia_models.measures.metrics import (
    auc,
    best_threshold,
    equal_error_rate,
    equal_error_rates,
    true_accept_rate,
    true_accept_rates,
    weighted_aucs,
    weighted_error_rates,
)
from aia_models.measures.pairs import Pairs, evaluation_pairs
from aia_models.random_streams import stream_seed

NEGATIVES = ("any", "same_gender")
FALSE_ACCEPT_RATES = {"tar_far_1e_2": 1e-2, "tar_far_1e_3": 1e-3}


@dataclass(frozen=True)
class Match:
    """One fresh matcher on one split's pairs; `accuracy` uses the threshold that is best on validation.

    Fields that end in `_low` and `_high` are the ends of a figure's 95 % interval over identities. `eer` is the equal
    error rate. A true accept rate is None where the different-person pairs are too few for its false accept rate.
    """

    split: str
    matcher: str
    negatives: str
    auc: float
    auc_low: float
    auc_high: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    eer: float
    eer_low: float
    eer_high: float
    tar_far_1e_2: float | None
    tar_far_1e_2_low: float | None
    tar_far_1e_2_high: float | None
    tar_far_1e_3: float | None
    tar_far_1e_3_low: float | None
    tar_far_1e_3_high: float | None
    pairs: int


@dataclass(frozen=True)
class Matches:
    """All matches on one released encoder; same-gender negatives are judged only if both splits have such pairs.

    `bootstrap_samples[split, matcher]` holds the AUC with any negatives in each resample of the people, and
    `embeddings` the fitted matchers by name.
    """

    rows: tuple[Match, ...]
    bootstrap_samples: Mapping[tuple[str, str], Float[np.ndarray, " resample"]]
    embeddings: Mapping[str, Embed]


def match_all(released: Mapping[str, ReleasedFaces], map_shape: tuple[int, int, int], seed: int) -> Matches:
    """Fit every matcher on all releases of the `attack` identities; judge it on pairs of validation and test.

    Same-gender negatives are pairs of different people with the same value of the first private attribute.
    """
    pairs = {
        (split, negatives): evaluation_pairs(
            released[split].identity, next(iter(released[split].attributes.values())), split, negatives
        )
        for split in JUDGED_SPLITS
        for negatives in NEGATIVES
    }
    judged_negatives = [
        negatives
        for negatives in NEGATIVES
        if all(pairs[split, negatives].different.any() for split in JUDGED_SPLITS)
    ]
    rows: list[Match] = []
    samples: dict[tuple[str, str], np.ndarray] = {}
    learnt, identity = released["attack"].all_releases()
    embeddings = {
        name: fit(learnt, identity, map_shape, stream_seed(seed, "matcher", name))
        for name, fit in MATCHERS.items()
    }
    for name, embed in embeddings.items():
        thresholds: dict[str, float] = {}
        for split in JUDGED_SPLITS:
            embedded = embed(released[split].representations)
            weights = identity_weights(released[split].identity)
            for negatives in judged_negatives:
                judged = pairs[split, negatives]
                similarity = -np.linalg.norm(embedded[judged.left] - embedded[judged.right], axis=1)
                threshold = thresholds.setdefault(negatives, best_threshold(similarity, ~judged.different))
                match, resampled = _match(similarity, judged, weights, threshold, (split, name, negatives))
                rows.append(match)
                if negatives == "any":
                    samples[split, name] = resampled
    return Matches(tuple(rows), samples, embeddings)


def _match(
    similarity: Float[np.ndarray, " pair"],
    pairs: Pairs,
    weights: Float[np.ndarray, "resample n"],
    threshold: float,
    names: tuple[str, str, str],
) -> tuple[Match, Float[np.ndarray, " resample"]]:
    same, weight = ~pairs.different, pair_weights(pairs, weights)
    samples = weighted_aucs(similarity, same, weight)
    right = (similarity >= threshold) == same
    auc_low, auc_high = interval(samples)
    accuracy = interval(weighted_shares(right, weight))
    resampled = weighted_error_rates(similarity, same, weight)
    eer = interval(equal_error_rates(*resampled))
    rates: dict[str, float | None] = {}
    for column, allowed in FALSE_ACCEPT_RATES.items():
        rate = true_accept_rate(similarity, same, allowed)
        ends = (None, None)
        if rate is not None:
            ends = interval(true_accept_rates(*resampled, allowed))
        rates |= {column: rate, f"{column}_low": ends[0], f"{column}_high": ends[1]}
    split, matcher, negatives = names
    match = Match(
        split=split, matcher=matcher, negatives=negatives,
        auc=auc(similarity, same), auc_low=auc_low, auc_high=auc_high,
        accuracy=float(right.mean()), accuracy_low=accuracy[0], accuracy_high=accuracy[1],
        eer=equal_error_rate(similarity, same), eer_low=eer[0], eer_high=eer[1], pairs=len(same), **rates,
    )  # fmt: skip
    return match, samples
