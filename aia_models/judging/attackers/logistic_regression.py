"""An attack by logistic regression on standardised representations."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from aia_models.judging.attackers.examples import Examples, Reading

HELD_BACK = frozenset({0, 1})  # folds of people on whom the penalty is chosen
PENALTIES = (10.0, 100.0, 1000.0)  # on the squared weights, against the summed loss
STEPS = 25


def logistic_regression(examples: Examples, seed: int) -> dict[str, Reading]:
    """Return the reading of each vantage, with the penalty that is best on its held-back people.

    All fits, one for each vantage and penalty with and without the held-back people, are columns of one convex problem.
    """
    whole = list(examples.vantages.values())
    fits = [own - HELD_BACK for own in whole] + whole
    weights = torch.stack([_weights(examples, cells) for cells in fits], 1).repeat_interleave(
        len(PENALTIES), 1
    )
    penalties = torch.tensor(PENALTIES * len(fits), device=examples.device)
    learnt, judged = (
        _with_constant(side) for side in (examples.standardised.learnt, examples.standardised.judged)
    )
    solution = _minimise(learnt, examples.labels.float(), weights, penalties)
    scores = (judged @ solution).unflatten(1, (len(fits), len(PENALTIES))).double().cpu().numpy()
    held_back = [learnt[examples.held_back(fold)] @ solution for fold in sorted(HELD_BACK)]
    readings = {}
    for number, vantage in enumerate(examples.vantages):
        columns = range(number * len(PENALTIES), (number + 1) * len(PENALTIES))
        aucs = [examples.held_back_auc([fold[:, column] for fold in held_back]) for column in columns]
        chosen = int(np.argmax(aucs))
        readings[vantage] = Reading(scores[:, len(whole) + number, chosen], f"penalty {PENALTIES[chosen]:g}")
    return readings


def _with_constant(values: Float[Tensor, "n dim"]) -> Float[Tensor, "n dim+1"]:
    return torch.cat([values, torch.ones(len(values), 1, device=values.device)], 1)


def _weights(examples: Examples, cells: frozenset[int]) -> Float[Tensor, " row"]:
    """Return the weight of each row: 0 outside `cells`, and the same sum for either value of the attribute."""
    weights = torch.zeros(len(examples.positive), device=examples.device)
    weights[examples.rows_of(cells)] = 1.0
    for side in (examples.labels, ~examples.labels):
        weights[side] *= 0.5 * weights.sum() / weights[side].sum().clamp_min(1.0)
    return weights


def _minimise(
    learnt: Float[Tensor, "row dim"],
    labels: Float[Tensor, " row"],
    weights: Float[Tensor, "row fit"],
    penalties: Float[Tensor, " fit"],
) -> Float[Tensor, "dim fit"]:
    """Return the minimum of each column's weighted logistic loss plus half its penalty times its squared weights."""
    solution = torch.zeros(learnt.shape[1], weights.shape[1], device=learnt.device, requires_grad=True)
    optimiser = torch.optim.LBFGS([solution], max_iter=STEPS, history_size=10, line_search_fn="strong_wolfe")
    targets = labels[:, None].expand(-1, weights.shape[1])

    def loss() -> Tensor:
        optimiser.zero_grad()
        fit = F.binary_cross_entropy_with_logits(learnt @ solution, targets, weights, reduction="sum")
        total = fit + (penalties * solution[:-1].square().sum(0)).sum() / 2
        total.backward()
        return total

    optimiser.step(loss)
    return solution.detach()
