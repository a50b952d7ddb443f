"""Stems: the first part of the encoder, from images or templates to features.

Other rooms use `build_stem`. A stem is built from its config and the shape of one input; its `shape` is that of one
output: `(channels, height, width)` of a map, or `(features,)`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from aia_models.config import ConvolutionalStem, LinearStem, Stem
from aia_models.networks.stems.convolutional import Convolutions
from aia_models.networks.stems.linear import LinearMap

StemNetwork = Convolutions | LinearMap
STEMS: Mapping[type, Callable[[Any, tuple[int, ...]], StemNetwork]] = {
    ConvolutionalStem: Convolutions,
    LinearStem: LinearMap,
}


def build_stem(config: Stem, input_shape: tuple[int, ...]) -> StemNetwork:
    """Return the stem of `config` for inputs of one shape, with new weights."""
    return STEMS[type(config)](config, input_shape)
