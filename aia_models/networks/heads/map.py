"""The head of the paper's encoder (Eq. 3): the map itself."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from aia_models.config import MapHead


class Map(nn.Module):
    """A map's values in [0, 1], flattened channel by channel."""

    map_shape: tuple[int, int, int]

    def __init__(self, config: MapHead, features: tuple[int, int, int]) -> None:
        super().__init__()
        self.map_shape = features

    def forward(self, maps: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch k"]:
        """Return g."""
        return torch.sigmoid(maps.float()).flatten(1)
