"""Kernel ridge regression on Nystroem features (Williams and Seeger 2001), in closed form.

The normal equations of disjoint sets of rows add up, so that one kernel serves many fits on unions of such sets.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from aia_models.random_streams import stream_seed

BLOCK = 256  # landmarks
JITTER = 1e-4  # added to the landmarks' kernel, whose diagonal is 1


@dataclass(frozen=True)
class NormalEquations:
    """Normal equations of some rows: the Gram matrix of their features, the features' products with the targets, and
    the sum of the rows' weights."""

    gram: Float[Tensor, "landmark landmark"]
    target: Float[Tensor, "landmark *output"]
    weight: float

    def solve(self, penalty: float) -> Float[Tensor, "landmark *output"]:
        """Return the coefficients of the features at a penalty per unit of weight."""
        ridge = torch.eye(len(self.gram), device=self.gram.device) * max(penalty * self.weight, 1e-6)
        root = torch.linalg.cholesky(self.gram + ridge)
        return torch.cholesky_solve(self.target.reshape(len(root), -1), root).reshape(self.target.shape)


def normal_equations(
    features: Float[Tensor, "landmark row"],
    targets: Float[Tensor, "row *output"],
    weights: Float[Tensor, " row"],
) -> NormalEquations:
    """Return the normal equations of weighted rows; the Gram matrix is symmetric, so that half of it is computed."""
    weighted = features * weights
    gram = features.new_empty(len(features), len(features))
    for start in range(0, len(features), BLOCK):
        end = start + BLOCK
        gram[start:end, :end] = weighted[start:end] @ features[:end].T
        gram[:start, start:end] = gram[start:end, :start].T
    return NormalEquations(gram, weighted @ targets, float(weights.sum()))


def add_up(parts: Sequence[NormalEquations]) -> NormalEquations:
    """Return the normal equations of the union of disjoint sets of rows."""
    gram, target = parts[0].gram.clone(), parts[0].target.clone()
    for part in parts[1:]:
        gram += part.gram
        target += part.target
    return NormalEquations(gram, target, sum(part.weight for part in parts))


def nystroem_features(
    rows: Float[Tensor, "row dim"],
    asked: Sequence[Float[Tensor, "_ dim"]],
    sharpness: float,
    landmarks: int,
    seed: int,
) -> list[Float[Tensor, "_ _"]]:
    """Return the features of each array in `asked` for the kernel exp(-sharpness d² / mean d²) at squared distance d².

    Landmarks are drawn among `rows`, without labels; where there are at most `landmarks` rows, the features are exact.
    """
    rng = np.random.default_rng(stream_seed(seed, "nystroem", "landmarks"))
    chosen = rows[torch.from_numpy(rng.permutation(len(rows))[:landmarks]).to(rows.device)]
    distances = _squared_distances(chosen, chosen)
    scale = -sharpness / max(float(distances.mean()), 1e-12)
    among = torch.exp(scale * distances).double()
    identity = torch.eye(len(among), dtype=among.dtype, device=among.device)
    root = torch.linalg.cholesky(among + JITTER * identity).float()
    kernels = (_squared_distances(chosen, own).mul_(scale).exp_() for own in asked)
    return [torch.linalg.solve_triangular(root, kernel, upper=False) for kernel in kernels]


def _squared_distances(some: Float[Tensor, "m dim"], others: Float[Tensor, "n dim"]) -> Float[Tensor, "m n"]:
    squares = some.square().sum(1)[:, None] + others.square().sum(1)
    return squares.addmm_(some, others.T, alpha=-2).clamp_min_(0)
