"""An attack by a kernel machine: Nystroem kernel ridge regression in closed form.

Rows in each cell of people enter by one Gram matrix of their features. Every vantage, every penalty and every choice on
held-back people solves a sum of these matrices, so the kernel is computed once for all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from aia_models.judging.attackers.examples import FOLDS, Examples, Reading, View
from aia_models.random_streams import stream_seed

LANDMARKS = 700
PENALTIES = (1e-5, 1e-4, 1e-3, 1e-2)  # per row
COMPONENTS = (25, 50, 100)
JITTER = 1e-4  # added to the landmarks' kernel, whose diagonal is 1


@dataclass(frozen=True)
class _Kernel:
    """A view of the representations, and the kernel's width: exp(-sharpness d² / mean d²) at squared distance d²."""

    name: str
    view: View
    sharpness: float


@dataclass(frozen=True)
class _Normal:
    """Normal equations of some rows: the Gram matrix of their features, and the features' products with the targets."""

    gram: Float[Tensor, "landmark landmark"]
    target: Float[Tensor, " landmark"]
    weight: float

    def __add__(self, other: "_Normal") -> "_Normal":
        return _Normal(self.gram + other.gram, self.target + other.target, self.weight + other.weight)

    def solve(self, penalty: float) -> Float[Tensor, " landmark"]:
        ridge = torch.eye(len(self.gram), device=self.gram.device) * max(penalty * self.weight, 1e-6)
        return torch.cholesky_solve(self.target[:, None], torch.linalg.cholesky(self.gram + ridge))[:, 0]


def kernel_machine(examples: Examples, seed: int) -> dict[str, Reading]:
    """Return the reading of each vantage, with the view, width and penalty that are best on its held-back people."""
    best: dict[str, tuple[float, Reading]] = {}
    for kernel in _kernels(examples):
        features, judged = _features(kernel, seed)
        cells = {cell: _normal(examples, features, cell) for cell in np.unique(examples.cell).tolist()}
        held = [features[:, examples.held_back(fold)] for fold in range(FOLDS)]
        for vantage, own in examples.vantages.items():
            whole = _sum([cells[cell] for cell in sorted(own) if cell in cells])
            held_back = [
                _sum([cells[cell] for cell in sorted(own - {fold}) if cell in cells]) if fold in own else whole
                for fold in range(FOLDS)
            ]
            aucs = [_held_back_auc(examples, held_back, held, penalty) for penalty in PENALTIES]
            chosen = int(np.argmax(aucs))
            if vantage not in best or aucs[chosen] > best[vantage][0]:
                scores = (whole.solve(PENALTIES[chosen]) @ judged).double().cpu().numpy()
                setting = f"{kernel.name}, sharpness {kernel.sharpness:g}, penalty {PENALTIES[chosen]:g}"
                best[vantage] = aucs[chosen], Reading(scores, setting)
    return {vantage: reading for vantage, (_, reading) in best.items()}


def _kernels(examples: Examples) -> Iterator[_Kernel]:
    yield _Kernel("standardised", examples.standardised, 1.0)
    yield _Kernel("standardised", examples.standardised, 8.0)
    yield _Kernel("scaled", examples.scaled, 2.0)
    available = examples.components.learnt.shape[1]
    for count in COMPONENTS:
        if count < available or (count > available and count == COMPONENTS[0]):
            yield _Kernel(f"{min(count, available)} components", examples.components.leading(count), 1.0)


def _features(kernel: _Kernel, seed: int) -> tuple[Float[Tensor, "landmark row"], Float[Tensor, "landmark n"]]:
    """Return the Nystroem features of the learnt and of the judged rows.

    Landmarks are learnt rows, drawn without their labels; where there are few rows all are landmarks, and the features
    are exact.
    """
    learnt, judged = kernel.view.learnt, kernel.view.judged
    rng = np.random.default_rng(stream_seed(seed, "kernel-machine", "landmarks"))
    landmarks = learnt[torch.from_numpy(rng.permutation(len(learnt))[:LANDMARKS]).to(learnt.device)]
    distances = _squared_distances(landmarks, landmarks)
    scale = -kernel.sharpness / max(float(distances.mean()), 1e-12)
    among = torch.exp(scale * distances).double()
    root = torch.linalg.cholesky(among + JITTER * torch.eye(len(among), dtype=among.dtype, device=among.device))
    half = torch.linalg.inv(root).float()
    return half @ torch.exp(scale * _squared_distances(landmarks, learnt)), half @ torch.exp(
        scale * _squared_distances(landmarks, judged)
    )


def _squared_distances(
    some: Float[Tensor, "m dim"], others: Float[Tensor, "n dim"]
) -> Float[Tensor, "m n"]:
    squares = (some.square().sum(1)[:, None] + others.square().sum(1)).addmm_(some, others.T, alpha=-2)
    return squares.clamp_min_(0)


def _normal(examples: Examples, features: Float[Tensor, "landmark row"], cell: int) -> _Normal:
    rows = examples.rows_of(frozenset({cell}))
    own, targets = features[:, rows], examples.balanced_targets[rows]
    weights = targets.abs()
    return _Normal((own * weights) @ own.T, own @ targets, float(weights.sum()))


def _sum(normals: list[_Normal]) -> _Normal:
    total = normals[0]
    for normal in normals[1:]:
        total = total + normal
    return total


def _held_back_auc(
    examples: Examples, fits: list[_Normal], held: list[Float[Tensor, "landmark held"]], penalty: float
) -> float:
    """Return the mean AUC over the folds of fits that did not learn from them; equal fits are solved once."""
    solutions = {id(fit): fit.solve(penalty) for fit in {id(fit): fit for fit in fits}.values()}
    return examples.held_back_auc([solutions[id(fit)] @ own for fit, own in zip(fits, held, strict=True)])
