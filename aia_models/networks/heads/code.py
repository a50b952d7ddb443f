"""The head of compact codes."""

import math
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from aia_models.config import CodeHead


class Code(nn.Module):
    """Dense layers from a stem's features to k values of length √k."""

    map_shape: tuple[int, int, int]

    def __init__(self, config: CodeHead, features: tuple[int, ...]) -> None:
        super().__init__()
        self.map_shape = (config.k, 1, 1)
        sizes = [math.prod(features), *[config.hidden] * config.layers]
        self.hidden = nn.ModuleList(nn.Linear(inner, outer) for inner, outer in pairwise(sizes))
        self.last = nn.Linear(sizes[-1], config.k)
        self.skip = nn.Linear(sizes[0], config.k, bias=False) if config.skip else None

    def forward(self, features: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch k"]:
        """Return g."""
        flat = features.flatten(1)
        hidden = flat
        for layer in self.hidden:
            hidden = F.silu(layer(hidden))
        code = self.last(hidden)
        if self.skip is not None:
            code = code + self.skip(flat)
        return F.normalize(code.float(), dim=1) * code.shape[1] ** 0.5
