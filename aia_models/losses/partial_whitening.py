"""Partial whitening of a batch by its leading principal components, in front of kernel penalties."""

import torch
from jaxtyping import Float
from torch import Tensor

from aia_models.networks.standardise import MIN_SD

COMPONENTS = 100
RELATIVE_TOLERANCE = 1e-6  # directions below this share of the largest variance count as without variance
EXPONENT = 0.25


def partially_whiten(
    values: Float[Tensor, "n k"], components: int = COMPONENTS, exponent: float = EXPONENT
) -> Float[Tensor, "n component"]:
    """Return the leading principal components of `values` over the batch, each divided by variance to the `exponent`.

    An exponent of 0 keeps each component's scale and 1/2 whitens it; the default is half-way. All components together
    are scaled to mean square 1. Trained encoders use few of their directions, whereas a channel's noise fills all of
    them: standardised coordinates are mostly noise, and whitened components weigh the hundredth like the first. The
    default is where penalties hid most (docs/experiments/). No gradient passes through directions and variances.
    """
    centred = values - values.mean(0)
    with torch.no_grad():
        # The n×n product rather than the k×k one: a map has many coordinates.
        squares, inner = torch.linalg.eigh(centred @ centred.T)
        squares, inner = squares[-components:], inner[:, -components:]
        varies = squares > torch.clamp_min(RELATIVE_TOLERANCE * squares[-1], len(values) * MIN_SD**2)
        # What does not vary is rounding errors: it becomes 0.
        squares = torch.where(varies, squares, torch.inf)
        directions = centred.T @ (inner * squares**-0.5)
        weights = (squares / len(values)) ** -exponent
    leading = centred @ (directions * weights)
    return leading / leading.square().mean().clamp_min(MIN_SD**2).sqrt()
