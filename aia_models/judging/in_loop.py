"""Figures of the training loop's own adversary and matcher on released representations, as the paper reports them.

They show how the paper measures, not what is private: the encoder has learned to fool this adversary.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int8, Int32

from aia_models.judging.attack_data import JUDGED_SPLITS
from aia_models.judging.released import ReleasedFaces
from aia_models.measures.bootstrap import (
    folded_auc_bootstrap_samples,
    identity_weights,
    pair_weights,
    weighted_shares,
)
from aia_models.measures.metrics import auc, best_threshold, folded, weighted_aucs
from aia_models.measures.pairs import evaluation_pairs
from aia_models.networks.networks import Networks
from aia_models.networks.standardise import TOGETHER_IMAGES


@dataclass(frozen=True)
class InLoopFigure:
    """A figure and its value in each resample of the split's people, the same resamples as in `judge.Judgement`."""

    value: float
    bootstrap_samples: Float[np.ndarray, " resample"]


@dataclass(frozen=True)
class InLoopFigures:
    """Figures of the in-loop networks on one split.

    The adversary has a folded AUC, and accuracies at probability 0.5; of several attributes' adversaries the one with
    the largest AUC counts. The matcher's accuracy uses the threshold that is best on validation.
    """

    adversary_auc: InLoopFigure
    adversary_accuracy: InLoopFigure
    adversary_balanced_accuracy: InLoopFigure
    matcher_auc: InLoopFigure
    matcher_accuracy: InLoopFigure


def judge_in_loop(networks: Networks, released: Mapping[str, ReleasedFaces]) -> dict[str, InLoopFigures]:
    """Return the figures of each judged split; neither network is trained again on the released representations.

    This also holds for baselines whose training saw no channel (Original, Random).
    """
    figures: dict[str, InLoopFigures] = {}
    threshold = None
    for split in JUDGED_SPLITS:
        faces = released[split]
        log_odds, embedded = _outputs(networks, faces)
        adversaries = [
            _adversary_figures(scores, attribute, faces.identity)
            for scores, attribute in zip(log_odds, faces.attributes.values(), strict=True)
        ]
        pairs = evaluation_pairs(faces.identity, next(iter(faces.attributes.values())), split)
        similarity = -np.linalg.norm(embedded[pairs.left] - embedded[pairs.right], axis=1)
        same = ~pairs.different
        threshold = best_threshold(similarity, same) if threshold is None else threshold
        of_pairs = pair_weights(pairs, identity_weights(faces.identity))
        figures[split] = InLoopFigures(
            *max(adversaries, key=lambda figures: figures[0].value),
            InLoopFigure(auc(similarity, same), weighted_aucs(similarity, same, of_pairs)),
            _accuracy((similarity >= threshold) == same, of_pairs),
        )
    return figures


def _adversary_figures(
    log_odds: Float[np.ndarray, " n"], attribute: Int8[np.ndarray, " n"], identity: Int32[np.ndarray, " n"]
) -> tuple[InLoopFigure, InLoopFigure, InLoopFigure]:
    """Return folded AUC, accuracy and balanced accuracy on the images whose attribute is known."""
    known = attribute >= 0
    scores, positive, weights = log_odds[known], attribute[known] == 1, identity_weights(identity[known])
    return (
        InLoopFigure(folded(auc(scores, positive)), folded_auc_bootstrap_samples(scores, positive, weights)),
        _accuracy((scores > 0) == positive, weights),
        _balanced_accuracy(scores > 0, positive, weights),
    )


@torch.no_grad()
def _outputs(
    networks: Networks, faces: ReleasedFaces
) -> tuple[Float[np.ndarray, "attribute n"], Float[np.ndarray, "n dim"]]:
    """Return each adversary's log-odds (mean of its members) and the matcher's embeddings, in float64."""
    device = next(networks.parameters()).device
    released = torch.from_numpy(faces.representations).to(device)
    parts = released.chunk(-(-len(released) // TOGETHER_IMAGES))  # each is standardised by itself
    log_odds = torch.cat(
        [torch.stack([one(part).mean(1) for one in networks.adversaries]) for part in parts], dim=1
    )
    embedded = torch.cat([networks.matcher(part) for part in parts])
    return log_odds.double().cpu().numpy(), embedded.double().cpu().numpy()


def _accuracy(correct: np.ndarray, weights: np.ndarray) -> InLoopFigure:
    return InLoopFigure(float(correct.mean()), weighted_shares(correct, weights))


def _balanced_accuracy(predicted: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> InLoopFigure:
    """Return the mean of the two classes' recalls; NaN in a resample without one of the classes."""
    recalls = [_accuracy(predicted[of] == positive[of], weights[:, of]) for of in (positive, ~positive)]
    one, other = recalls
    return InLoopFigure((one.value + other.value) / 2, (one.bootstrap_samples + other.bootstrap_samples) / 2)
