"""The encoder: images or templates to representations (paper, Eq. 2 and 3)."""

from jaxtyping import Float
from torch import Tensor, nn

from aia_models.config import EncoderConfig
from aia_models.networks.heads import build_head
from aia_models.networks.stems import build_stem

ENCODED_IMAGES = 256  # to encode at a time without gradients: their maps stay in the processor's cache


class Encoder(nn.Module):
    """Inputs of one shape to representations g: a stem, then a head."""

    def __init__(self, config: EncoderConfig, input_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = build_stem(config.stem, input_shape)
        self.head = build_head(config.head, self.stem.shape)
        self.map_shape: tuple[int, int, int] = self.head.map_shape

    def forward(self, inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch k"]:
        """Return representations g, flattened channel by channel (`map_shape` is their shape as a map)."""
        return self.head(self.stem(inputs))
