"""The decoder: representations to images (paper, Eq. 4)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from aia_models.config import DecoderConfig
from aia_models.networks.upsampling import UpsampledConv, UpsampledImage


class Decoder(nn.Module):
    """Representations to images (Eq. 4): blocks of convolution, leaky ReLU and nearest up-sampling."""

    def __init__(self, config: DecoderConfig, map_shape: tuple[int, int, int]) -> None:
        super().__init__()
        first, second = config.channels
        self.map_shape = map_shape
        self.first = nn.Conv2d(map_shape[0], first, 3, padding=1)
        self.second = UpsampledConv(first, second)
        self.last = UpsampledImage(second)

    def forward(self, released: Float[Tensor, "batch k"]) -> Float[Tensor, "batch 1 side side"]:
        """Logits of the reconstructed pixels; their sigmoid is the image in [0, 1]."""
        hidden = released.unflatten(1, self.map_shape)
        hidden = self.second(F.leaky_relu(self.first(hidden), inplace=True))
        return self.last(F.leaky_relu(hidden, inplace=True))
