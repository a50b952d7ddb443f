"""The convolutional stem: the paper's two blocks (Eq. 2, 3), deeper ones and residual ones (He et al. 2016)."""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from aia_models.config import ConvolutionalStem
from aia_models.errors import ConfigError

GROUPS = 4  # of group normalisation (Wu and He 2018, arXiv 1803.08494), or as many as divide the channels
ACTIVATIONS = {"leaky_relu": F.leaky_relu, "silu": F.silu}


class Convolutions(nn.Sequential):
    """Blocks of convolutions, each of which halves the side of the map."""

    shape: tuple[int, ...]

    def __init__(self, config: ConvolutionalStem, input_shape: tuple[int, ...]) -> None:
        if len(input_shape) != 3:
            raise ConfigError(
                f"stem = convolutional needs images, not templates of {input_shape[0]} values: "
                "use stem = linear, as the spec code does"
            )
        channels, *sides = input_shape
        halvings = 2 ** len(config.channels)
        if any(side % halvings for side in sides):
            raise ConfigError(
                f"stem.channels = {config.channels}: {len(config.channels)} blocks halve the side as often, "
                f"so that a side of {sides[0]} needs fewer blocks, or images of a multiple of {halvings}"
            )
        sizes = pairwise((channels, *config.channels))
        super().__init__(*(Block(config, inner, outer) for inner, outer in sizes))
        self.shape = (config.channels[-1], *(side // halvings for side in sides))


class Block(nn.Module):
    """Convolutions with normalisation and activation, then half the side."""

    def __init__(self, config: ConvolutionalStem, inner: int, outer: int) -> None:
        super().__init__()
        self.pooled = config.pooling == "average"
        self.activation = ACTIVATIONS[config.activation]
        first_stride = 1 if self.pooled else 2
        self.convolutions = nn.ModuleList(
            nn.Conv2d(
                outer if number else inner,
                outer,
                config.kernel,
                stride=1 if number else first_stride,
                padding=config.kernel // 2,
            )
            for number in range(config.convolutions)
        )
        self.normalisations = nn.ModuleList(_normalisation(config, outer) for _ in range(config.convolutions))
        self.shortcut = nn.Conv2d(inner, outer, 1, stride=first_stride) if config.residual else None

    def forward(self, maps: Float[Tensor, "batch inner height width"]) -> Float[Tensor, "batch outer _ _"]:
        """Return maps of half the height and width."""
        hidden = maps
        for convolution, normalisation in zip(self.convolutions, self.normalisations, strict=True):
            hidden = self.activation(normalisation(convolution(hidden)))
        if self.shortcut is not None:
            hidden = hidden + self.shortcut(maps)
        return F.avg_pool2d(hidden, 2) if self.pooled else hidden


def _normalisation(config: ConvolutionalStem, channels: int) -> nn.Module:
    if config.normalisation == "batch":
        return nn.BatchNorm2d(channels)
    if config.normalisation == "group":
        return nn.GroupNorm(
            next(groups for groups in range(GROUPS, 0, -1) if channels % groups == 0), channels
        )
    return nn.Identity()
