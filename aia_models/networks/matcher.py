"""The matcher T: one branch of the Siamese network (paper, section 5.2)."""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from aia_models.config import MatcherConfig
from aia_models.networks.standardise import standardise


class Matcher(nn.Module):
    """One branch of the Siamese network of task T: three convolutions and three fully connected layers.

    A code, which is a map of one pixel, meets the fully connected layers alone.
    """

    def __init__(self, config: MatcherConfig, map_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.map_shape = map_shape
        self.standardise = config.standardise
        is_code = map_shape[1:] == (1, 1)
        channels = (map_shape[0], *(() if is_code else config.conv_channels))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inner, outer, 3, padding=1) for inner, outer in pairwise(channels)
        )
        flat = channels[-1] * map_shape[1] * map_shape[2]
        first, second = config.hidden
        self.dense = nn.Sequential(
            nn.Linear(flat, first), nn.LeakyReLU(), nn.Linear(first, second), nn.LeakyReLU(),
            nn.Linear(second, config.embedding),
        )  # fmt: skip

    def forward(self, released: Float[Tensor, "batch k"]) -> Float[Tensor, "batch dim"]:
        """Embeddings whose Euclidean distance tells whether two images show one person."""
        hidden = standardise(released) if self.standardise else released
        hidden = hidden.unflatten(1, self.map_shape)
        for convolution in self.convolutions:
            hidden = F.leaky_relu(convolution(hidden))
        return self.dense(hidden.flatten(1))
