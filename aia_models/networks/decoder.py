"""The decoder: representations to images (paper, Eq. 4), or to templates."""

import math
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from aia_models.config import DecoderConfig
from aia_models.networks.template_decoder import TemplateDecoder
from aia_models.networks.upsampling import UpsampledConv, UpsampledImage

DENSE_CHANNELS = 12  # of the map in front of a code's decoder, as in the paper's g
DENSE_DOUBLINGS = 2


def build_decoder(
    config: DecoderConfig, map_shape: tuple[int, int, int], input_shape: tuple[int, ...]
) -> nn.Module:
    """Return the decoder to images or templates of one shape, with new weights."""
    if len(input_shape) == 1:
        return TemplateDecoder(config, math.prod(map_shape), input_shape[0])
    return Decoder(config, map_shape, input_shape[-1])


class Decoder(nn.Module):
    """Representations to images (Eq. 4): blocks of convolution, leaky ReLU and nearest up-sampling.

    In front of a code, which is a map of one pixel, stands a dense layer to a map of a quarter of the image's side.
    """

    def __init__(self, config: DecoderConfig, map_shape: tuple[int, int, int], side: int) -> None:
        super().__init__()
        first, second = config.channels
        self.map_shape, self.dense = map_shape, None
        if map_shape[1:] == (1, 1):
            small = side // 2**DENSE_DOUBLINGS
            self.map_shape = (DENSE_CHANNELS, small, small)
            self.dense = nn.Linear(map_shape[0], math.prod(self.map_shape))
        doublings = (side // self.map_shape[-1]).bit_length() - 1
        self.first = nn.Conv2d(self.map_shape[0], first, 3, padding=1)
        sizes = [first, *[second] * (doublings - 1)]
        self.blocks = nn.ModuleList(UpsampledConv(inner, outer) for inner, outer in pairwise(sizes))
        self.last = UpsampledImage(sizes[-1])

    def forward(self, released: Float[Tensor, "batch k"]) -> Float[Tensor, "batch 1 side side"]:
        """Logits of the reconstructed pixels; their sigmoid is the image in [0, 1]."""
        if self.dense is not None:
            released = F.leaky_relu(self.dense(released))
        hidden = F.leaky_relu(self.first(released.unflatten(1, self.map_shape)), inplace=True)
        for block in self.blocks:
            hidden = F.leaky_relu(block(hidden), inplace=True)
        return self.last(hidden)
