"""Heads: the last part of the encoder, from a stem's features to the representation g.

Other rooms use `build_head`. A head is built from its config and the shape of a stem's output; its `map_shape` is the
shape of g as a map, `(k, 1, 1)` of a code.
"""

from collections.abc import Callable, Mapping
from typing import Any

from aia_models.config import CodeHead, Head, MapHead, PlainHead
from aia_models.networks.heads.code import Code
from aia_models.networks.heads.map import Map
from aia_models.networks.heads.plain import Plain

HeadNetwork = Map | Code | Plain
HEADS: Mapping[type, Callable[[Any, Any], HeadNetwork]] = {
    MapHead: Map,
    CodeHead: Code,
    PlainHead: Plain,
}


def build_head(config: Head, features: tuple[int, ...]) -> HeadNetwork:
    """Return the head of `config` behind a stem whose output has the shape `features`, with new weights."""
    return HEADS[type(config)](config, features)
