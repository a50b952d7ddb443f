"""What the embedding asks of a face network."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8


@runtime_checkable
class FaceNetwork(Protocol):
    """A face network, which makes a template of each aligned crop of a face.

    A crop has `channels` channels, 3 (RGB) or 1 (grey), and `side` pixels in height and width; a template has `values`
    values. `title` names the network in messages. `key` is a sha256 in hex over everything besides the crops that
    templates depend on.
    """

    @property
    def title(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def channels(self) -> int: ...

    @property
    def side(self) -> int: ...

    @property
    def values(self) -> int: ...

    def embed(self, crops: UInt8[np.ndarray, "n channel side side"]) -> Float32[np.ndarray, "n d"]:
        """Return the templates of some crops; raises EmbeddingError where the network fails."""
        ...
