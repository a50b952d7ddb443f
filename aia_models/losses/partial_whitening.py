"""The leading principal components of a batch, in front of kernel penalties."""

import torch
from jaxtyping import Float
from torch import Tensor

from aia_models.networks.standardise import MIN_SD

COMPONENTS = 100
RELATIVE_TOLERANCE = 1e-6  # directions below this share of the largest variance count as without any
EXPONENT = 0.25


def half_whitened(
    values: Float[Tensor, "n k"], components: int = COMPONENTS, exponent: float = EXPONENT
) -> Float[Tensor, "n component"]:
    """The leading principal components of `values` over the batch, each divided by that power of its variance (the
    fourth root; 0 would leave it as it is, 1/2 whiten it), all together scaled to mean square 1.

    Trained encoders speak in few of their directions, and a channel's noise fills all of them alike. Standardised
    coordinates are mostly that noise and kernels on them read little; whitened components weigh the hundredth like
    the first. Half-way between whitening and leaving the scale is where penalties hid most (docs/experiments/). The
    directions and their variances count as given: no gradient goes through them, as none does where nothing varies.
    """
    centred = values - values.mean(0)
    with torch.no_grad():
        squares, inner = torch.linalg.eigh(
            centred @ centred.T
        )  # n² rather than k²: a map has many coordinates
        squares, inner = squares[-components:], inner[:, -components:]
        varies = squares > torch.clamp_min(RELATIVE_TOLERANCE * squares[-1], len(values) * MIN_SD**2)
        squares = torch.where(
            varies, squares, torch.inf
        )  # what does not vary is rounding errors: it becomes 0
        directions = centred.T @ (inner * squares**-0.5)
        weights = (squares / len(values)) ** -exponent
    leading = centred @ (directions * weights)
    return leading / leading.square().mean().clamp_min(MIN_SD**2).sqrt()
