"""The encoder: images to representations (paper, Eq. 2 and 3)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from aia_models.config import EncoderConfig

ENCODED_IMAGES = 256  # to encode at a time without gradients: their maps stay in the processor's cache
POOLED = 4  # two average poolings by 2: the map g is a quarter of the image's side


class Encoder(nn.Module):
    """Images to representations (Eq. 2, 3): two blocks of convolution, leaky ReLU and pooling, then a sigmoid."""

    def __init__(self, config: EncoderConfig, image_side: int) -> None:
        super().__init__()
        first, second = config.channels
        self.map_shape = (second, image_side // POOLED, image_side // POOLED)
        self.first = nn.Conv2d(1, first, 3, padding=1)
        self.second = nn.Conv2d(first, second, 3, padding=1)

    def forward(self, images: Float[Tensor, "batch 1 side side"]) -> Float[Tensor, "batch k"]:
        """Representations g in [0, 1], flattened channel by channel (`map_shape` is their shape as a map)."""
        hidden = F.avg_pool2d(F.leaky_relu(self.first(images)), 2)
        hidden = F.avg_pool2d(F.leaky_relu(self.second(hidden)), 2)
        return torch.sigmoid(hidden.float()).flatten(1)
