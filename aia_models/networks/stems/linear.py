"""The linear stem: principal components or linear discriminants of the inputs, fitted in closed form."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from aia_models.config import LinearStem


class LinearMap(nn.Module):
    """Flattened inputs minus a mean, times directions; `training.closed_form` sets both before training."""

    mean: Tensor
    shape: tuple[int, ...]

    def __init__(self, config: LinearStem, input_shape: tuple[int, ...]) -> None:
        super().__init__()
        width = math.prod(input_shape)
        self.shape = (config.components,)
        self.register_buffer("mean", torch.zeros(width))
        self.directions = nn.Parameter(torch.zeros(width, config.components), requires_grad=config.trained)

    def forward(self, inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch component"]:
        """Return the components of each input."""
        return (inputs.flatten(1) - self.mean) @ self.directions
