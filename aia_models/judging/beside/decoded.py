"""An attacker that first restores images or templates by a decoder of its own, and reads the attribute from these.

Protected representations have been restored to recognisable images (PrivacyProber: Rot et al. 2022; Osorio-Roig et al.
2023, arXiv 2310.03005).
"""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from jaxtyping import Float32

from aia_models.judging.attack import Attack
from aia_models.judging.attack_data import JUDGED_SPLITS
from aia_models.judging.attackers import STRONGEST
from aia_models.judging.attackers.nystroem import normal_equations, nystroem_features
from aia_models.judging.attacks import run_attackers
from aia_models.judging.released import ReleasedFaces
from aia_models.measures.whitening import Whitening
from aia_models.networks.standardise import MIN_SD

INPUT_COMPONENTS = 64
LANDMARKS, SHARPNESS, PENALTY = 600, 1.5, 1e-4


def decoded_attacks(released: Mapping[str, ReleasedFaces], seed: int, device: str) -> Iterator[Attack]:
    """Yield the attacks on the images or templates that the attacker's decoder restores.

    The decoder is a kernel ridge regression from releases to the leading principal components of these inputs, learnt
    from the `train` people. Attackers learn from what it restores of the `attack` people: what a decoder restores of
    its own people is better than what it restores of others.
    """
    inputs = released["train"].inputs
    if inputs is None:
        return
    targets = Whitening(inputs, INPUT_COMPONENTS)(inputs).astype(np.float32)
    restored = _restore(released, targets, seed, device)
    for attribute in released["attack"].attributes:
        for scored in run_attackers(
            STRONGEST, restored, attribute, ("attack",), "decoded_image", seed, device
        ):
            yield scored.attack


def _restore(
    released: Mapping[str, ReleasedFaces],
    targets: Float32[np.ndarray, "train component"],
    seed: int,
    device: str,
) -> dict[str, ReleasedFaces]:
    """Return the `attack` and the judged people with restored components of inputs in the place of releases."""
    train = released["train"]
    rows = train.releases.reshape(-1, train.releases.shape[2])
    mean, spread = rows.mean(0), max(float(rows.std(0).mean()), MIN_SD)
    splits = ("attack", *JUDGED_SPLITS)
    asked = [released[split].releases.reshape(-1, rows.shape[1]) for split in splits]
    scaled = [torch.from_numpy((values - mean) / np.float32(spread)).to(device) for values in (rows, *asked)]
    learnt, *others = nystroem_features(scaled[0], scaled, SHARPNESS, LANDMARKS, seed)
    goal = torch.from_numpy(np.tile(targets, (len(train.releases), 1))).to(device)
    decoder = normal_equations(learnt, goal, torch.ones(len(goal), device=device)).solve(PENALTY)
    restored = {}
    for split, features in zip(splits, others, strict=True):
        faces = released[split]
        inputs = (features.T @ decoder).cpu().numpy()
        restored[split] = ReleasedFaces(
            inputs.reshape(len(faces.releases), -1, inputs.shape[1]), faces.identity, faces.attributes
        )
    return restored
