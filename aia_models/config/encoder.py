"""Configs of the encoder, a stem followed by a head, and of the decoder.

A stem maps images or templates to features, a head maps features to the representation g.
"""

from dataclasses import dataclass, field
from typing import Literal

from aia_models.config.checks import (
    require,
    require_one_of,
    require_positive_integer,
    require_positive_integers,
)

Pooling = Literal["average", "stride"]
Normalisation = Literal["none", "batch", "group"]
Activation = Literal["leaky_relu", "silu"]
Projection = Literal["pca", "fisher"]


@dataclass(frozen=True)
class ConvolutionalStem:
    """Blocks of convolutions, each of which halves the image's side; the defaults are Eq. 2 and 3.

    Block i has `convolutions` convolutions of side `kernel` to `channels[i]` channels, each followed by the
    normalisation and the activation. The side is halved by average pooling at the block's end, or by the stride of its
    first convolution. With `residual` a block's input, projected by a convolution of side 1, is added to its output (He
    et al. 2016, arXiv 1512.03385).
    """

    kind: Literal["convolutional"] = "convolutional"
    channels: tuple[int, ...] = (8, 12)
    convolutions: int = 1
    kernel: int = 3
    pooling: Pooling = "average"
    normalisation: Normalisation = "none"
    activation: Activation = "leaky_relu"
    residual: bool = False

    def __post_init__(self) -> None:
        require_positive_integers("stem.channels", self.channels)
        require(len(self.channels) >= 2, "stem.channels", self.channels, "2 blocks or more")
        require_positive_integer("stem.convolutions", self.convolutions)
        require(self.kernel in (3, 5), "stem.kernel", self.kernel, "3 or 5")
        require_one_of(Pooling, "stem.pooling", self.pooling)
        require_one_of(Normalisation, "stem.normalisation", self.normalisation)
        require_one_of(Activation, "stem.activation", self.activation)


@dataclass(frozen=True)
class LinearStem:
    """A linear map to `components` values that is fitted in closed form on the `train` people before training.

    The values are principal components, or the linear discriminants of people (`fisher`), scaled together to mean
    square 1. With `trained` they are the start of training, otherwise they stay as they are.
    """

    kind: Literal["linear"] = "linear"
    projection: Projection = "fisher"
    components: int = 100
    trained: bool = False

    def __post_init__(self) -> None:
        require_one_of(Projection, "stem.projection", self.projection)
        require_positive_integer("stem.components", self.components)


@dataclass(frozen=True)
class MapHead:
    """g is the stem's map, flattened, with values in [0, 1] (Eq. 3)."""

    kind: Literal["map"] = "map"


@dataclass(frozen=True)
class PlainHead:
    """g is what the stem returns: a closed form without training has nothing else."""

    kind: Literal["plain"] = "plain"


@dataclass(frozen=True)
class CodeHead:
    """g is a compact code of `k` values: dense layers of `hidden` units with SiLU, then a linear layer.

    With `skip` a linear map of the features is added to the dense layers' output. A code has the length √k, so that a
    coordinate has mean square 1.
    """

    kind: Literal["code"] = "code"
    k: int = 24
    layers: int = 1
    hidden: int = 256
    skip: bool = True

    def __post_init__(self) -> None:
        for name in ("k", "layers", "hidden"):
            require_positive_integer(f"head.{name}", getattr(self, name))


Stem = ConvolutionalStem | LinearStem
Head = MapHead | CodeHead | PlainHead


@dataclass(frozen=True)
class EncoderConfig:
    """The encoder: a stem, then a head. The defaults are the paper's (Eq. 2, 3)."""

    stem: Stem = field(default_factory=ConvolutionalStem)
    head: Head = field(default_factory=MapHead)

    def __post_init__(self) -> None:
        fits = isinstance(self.stem, ConvolutionalStem) or not isinstance(self.head, MapHead)
        require(
            fits,
            "encoder.head",
            self.head.kind,
            "code or plain: a linear stem returns no map",
        )
        plain = isinstance(self.head, PlainHead)
        fits = not plain or isinstance(self.stem, LinearStem)
        require(fits, "encoder.head", self.head.kind, "map or code: plain is the head of a linear stem")


@dataclass(frozen=True)
class DecoderConfig:
    """Blocks of convolution, leaky ReLU and up-sampling (Eq. 4), then one convolution to the image.

    `channels` are those of the first convolution and of all blocks after it. In front of a code stands a dense layer.
    Templates are decoded by dense layers instead, of `hidden` units.
    """

    channels: tuple[int, int] = (256, 128)
    hidden: int = 256

    def __post_init__(self) -> None:
        require_positive_integers("decoder.channels", self.channels, 2)
        require_positive_integer("decoder.hidden", self.hidden)
