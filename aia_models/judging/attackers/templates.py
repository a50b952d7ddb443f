"""An attack by similarity to labelled templates.

Similarities to labelled protected templates reveal soft biometrics (Osorio-Roig et al. 2022, arXiv 2110.05443).
"""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from aia_models.judging.attackers.examples import FOLDS, Examples, Reading, View

NEIGHBOURS = (20, 100)
COMPONENTS = (25, 50, 100)


def templates(examples: Examples, seed: int) -> dict[str, Reading]:
    """Return the reading of each vantage: the mean cosine similarity to the nearest templates with the attribute minus
    that to those without, with the view and the number of neighbours that are best on held-back people.

    Templates are the first releases of images. Templates of the larger class are nearer by chance, so the middle of
    both classes' mean scores on held-back people is subtracted.
    """
    first = torch.from_numpy(examples.first).to(examples.device)
    cell = torch.from_numpy(examples.cell).to(examples.device)
    best: dict[str, tuple[float, Reading]] = {}
    for name, view in _views(examples):
        learnt, judged = F.normalize(view.learnt, dim=1), F.normalize(view.judged, dim=1)
        held = [learnt[examples.held_back(fold)] for fold in range(FOLDS)]
        for vantage, own in examples.vantages.items():
            allowed = first & torch.isin(cell, torch.tensor(sorted(own), device=cell.device))
            known = [
                _nearness(held[fold], learnt, examples.labels, allowed & (cell != fold))
                for fold in range(FOLDS)
            ]
            scores = _nearness(judged, learnt, examples.labels, allowed)
            for number, neighbours in enumerate(NEIGHBOURS):
                by_fold = [fold[number] for fold in known]
                held_back = examples.held_back_auc(by_fold)
                if vantage not in best or held_back > best[vantage][0]:
                    centred = scores[number] - _middle(examples, by_fold)
                    setting = f"{name}, {neighbours} nearest"
                    best[vantage] = held_back, Reading(centred.double().cpu().numpy(), setting)
    return {vantage: reading for vantage, (_, reading) in best.items()}


def _views(examples: Examples) -> Iterator[tuple[str, View]]:
    yield "scaled", examples.scaled
    available = examples.components.learnt.shape[1]
    for count in COMPONENTS:
        if count <= available or count == COMPONENTS[0]:
            yield f"{min(count, available)} components", examples.components.leading(count)


def _nearness(
    asked: Float[Tensor, "n dim"],
    learnt: Float[Tensor, "row dim"],
    labels: Bool[Tensor, " row"],
    allowed: Bool[Tensor, " row"],
) -> list[Float[Tensor, " n"]]:
    """Return, for each number of neighbours, the mean similarity to the nearest positive templates minus that to the
    nearest negative ones; a side without a template has similarity 0."""
    sides = []
    for side in (labels, ~labels):
        similarity = asked @ learnt[allowed & side].T
        nearest = similarity.topk(min(max(NEIGHBOURS), similarity.shape[1]), dim=1).values
        sides.append(
            [nearest[:, :count].sum(1) / max(min(count, nearest.shape[1]), 1) for count in NEIGHBOURS]
        )
    return [positive - negative for positive, negative in zip(*sides, strict=True)]


def _middle(examples: Examples, by_fold: list[Float[Tensor, " _"]]) -> float:
    scores = torch.cat(by_fold)
    labels = torch.cat([examples.labels[examples.held_back(fold)] for fold in range(FOLDS)])
    means = [float(scores[labels == side].mean()) for side in (True, False) if bool((labels == side).any())]
    return sum(means) / max(len(means), 1)
