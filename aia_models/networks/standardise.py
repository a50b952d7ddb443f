"""Standardisation over a batch, in front of adversaries and matchers."""

from jaxtyping import Float
from torch import Tensor

TOGETHER_IMAGES = 2048  # the largest number of representations standardised together outside training
MIN_SD = 1e-4  # below this a coordinate counts as constant and is not blown up


def standardise(values: Float[Tensor, "batch k"]) -> Float[Tensor, "batch k"]:
    """Scale `values` to mean 0 and standard deviation 1 per coordinate over the batch.

    This undoes shifts and shrinking of single coordinates, which hide nothing. Coordinates that hardly vary are not
    blown up; those that do not vary at all have gradient 0.
    """
    centred = values - values.mean(0)
    return centred / centred.square().mean(0).clamp_min(MIN_SD**2).sqrt()
