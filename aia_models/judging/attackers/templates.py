"""An attack by similarity to labelled templates.

Similarities to labelled protected templates reveal soft biometrics (Osorio-Roig et al. 2022, arXiv 2110.05443).
"""

from collections.abc import Iterator, Mapping, Set

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from aia_models.judging.attackers.examples import FOLDS, Examples, Reading, View

NEIGHBOURS = (20, 100)
COMPONENTS = (25, 50)

Vantages = frozenset[str]
Sides = tuple[Float[Tensor, "n _"], Float[Tensor, "n _"]]  # of templates with the attribute, and without it


def templates(examples: Examples, seed: int) -> dict[str, Reading]:
    """Return the reading of each vantage: the mean cosine similarity to the nearest templates with the attribute minus
    that to those without, with the view and the number of neighbours that are best on held-back people.

    Templates are the first releases of images. Templates of the larger class are nearer by chance, so the middle of
    both classes' mean scores on held-back people is subtracted. The nearest among some people serve all vantages that
    know these people.
    """
    best: dict[str, tuple[float, Reading]] = {}
    for name, view in _views(examples):
        learnt, judged = F.normalize(view.learnt, dim=1), F.normalize(view.judged, dim=1)
        held = [_nearest(learnt[examples.held_back(fold)], learnt, examples, {fold}) for fold in range(FOLDS)]
        asked = _nearest(judged, learnt, examples, set())
        for vantage in examples.vantages:
            known = [_scores(held[fold], vantage) for fold in range(FOLDS)]
            scores = _scores(asked, vantage)
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


def _nearest(
    asked: Float[Tensor, "n dim"], learnt: Float[Tensor, "row dim"], examples: Examples, held: Set[int]
) -> Mapping[Vantages, Sides]:
    """Return the largest similarities of `asked` to the templates of the cells that the same vantages know, for each
    such set of vantages; a cell in `held` has no templates."""
    known_from: dict[Vantages, set[int]] = {}
    for cell in set(examples.cell.tolist()):
        vantages = frozenset(vantage for vantage, cells in examples.vantages.items() if cell in cells)
        known_from.setdefault(vantages, set()).add(cell)
    nearest = {}
    for vantages, cells in known_from.items():
        own = torch.from_numpy(examples.first & np.isin(examples.cell, list(cells - held))).to(
            examples.device
        )
        positive, negative = (asked @ learnt[own & side].T for side in (examples.labels, ~examples.labels))
        nearest[vantages] = _largest(positive), _largest(negative)
    return nearest


def _largest(similarity: Float[Tensor, "n _"]) -> Float[Tensor, "n _"]:
    return similarity.topk(min(max(NEIGHBOURS), similarity.shape[1]), dim=1).values


def _scores(nearest: Mapping[Vantages, Sides], vantage: str) -> list[Float[Tensor, " n"]]:
    """Return, for each number of neighbours, the mean similarity to the nearest positive templates minus that to the
    nearest negative ones; a side without a template has similarity 0."""
    sides = []
    for side in zip(*(own for vantages, own in nearest.items() if vantage in vantages), strict=True):
        largest = _largest(torch.cat(side, 1))
        sides.append(
            [largest[:, :count].sum(1) / max(min(count, largest.shape[1]), 1) for count in NEIGHBOURS]
        )
    return [positive - negative for positive, negative in zip(*sides, strict=True)]


def _middle(examples: Examples, by_fold: list[Float[Tensor, " _"]]) -> float:
    scores = torch.cat(by_fold)
    labels = torch.cat([examples.labels[examples.held_back(fold)] for fold in range(FOLDS)])
    means = [float(scores[labels == side].mean()) for side in (True, False) if bool((labels == side).any())]
    return sum(means) / max(len(means), 1)
